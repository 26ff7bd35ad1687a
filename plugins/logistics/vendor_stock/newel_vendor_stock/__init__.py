"""Vendor's stock."""
