"""Outbox and job workers."""
