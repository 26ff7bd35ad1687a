"""Minimum stock of vans and depots."""
