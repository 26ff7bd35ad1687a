"""Newel: a slim ERP kernel; every feature is a plugin."""

__version__ = "0.1.0"
API_VERSION = 1
