"""Calls from telephony software, and who it is that calls."""
