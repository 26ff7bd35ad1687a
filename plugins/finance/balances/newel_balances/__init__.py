"""Balances that the books must have, agreed on with somebody outside."""
