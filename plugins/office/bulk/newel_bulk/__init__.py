"""Many rows of a list changed at once."""
