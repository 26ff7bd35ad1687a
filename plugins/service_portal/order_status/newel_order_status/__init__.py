"""The state of orders for customers: production, shipping and invoicing."""
