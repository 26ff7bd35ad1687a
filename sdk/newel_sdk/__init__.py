"""The workshop for authors of Newel plugins."""
