"""The first start in the browser."""
