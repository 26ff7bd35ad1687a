"""The only place that knows Piccolo."""
