"""Payments by customers and their open items."""
