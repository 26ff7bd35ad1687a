"""Repair points and teams, rated by a model of the company's own."""
