"""Warranty, and the life of what was sold."""
