"""Use cases: the only callers of hooks and of the store."""
