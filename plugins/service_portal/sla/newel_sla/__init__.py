"""Service levels of requests: targets in business hours, pauses, escalation."""
