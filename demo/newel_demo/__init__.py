"""A demonstration company."""
