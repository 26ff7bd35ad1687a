"""Warehouse work with a scanner: pick, load, hand over, receive, count, move."""
