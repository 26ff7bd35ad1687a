"""Migrations of the kernel tables."""
