"""Fields of records changed in lists, where they stand."""
