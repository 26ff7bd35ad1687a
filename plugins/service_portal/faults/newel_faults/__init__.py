"""The fault file."""
