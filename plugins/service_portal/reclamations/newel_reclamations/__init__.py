"""Reclamations."""
