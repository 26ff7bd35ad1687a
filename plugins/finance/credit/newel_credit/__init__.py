"""Credit limits."""
