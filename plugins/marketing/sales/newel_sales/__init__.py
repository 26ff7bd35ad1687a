"""Offers and sales orders."""
