"""Invoices for what was sold."""
