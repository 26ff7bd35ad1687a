"""Visits: technicians at work at customers."""
