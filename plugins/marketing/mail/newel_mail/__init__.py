"""Documents by e-mail."""
