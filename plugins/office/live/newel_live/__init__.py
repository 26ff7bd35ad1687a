"""Open pages hear what others change."""
