"""Sales kits."""
