"""Service requests: five types, assigned, answered, turned into what they ask for."""
