"""One place for customers and repair points, on a phone and on a desk."""
