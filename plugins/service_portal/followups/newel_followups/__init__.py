"""Requests that are made by themselves, from how a customer's account stands."""
