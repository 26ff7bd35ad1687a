"""Configurations of features and options."""
