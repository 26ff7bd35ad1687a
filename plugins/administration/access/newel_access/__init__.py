"""Who may do what: rights as a matrix, and why."""
