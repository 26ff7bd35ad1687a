"""Deliveries of what was ordered."""
