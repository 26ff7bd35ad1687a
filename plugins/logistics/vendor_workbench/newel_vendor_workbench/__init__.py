"""Vendor workbench."""
