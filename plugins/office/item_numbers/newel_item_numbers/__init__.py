"""Numbers that others have for our items."""
