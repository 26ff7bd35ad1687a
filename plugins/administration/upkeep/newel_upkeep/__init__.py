"""The state of the books and of the install."""
