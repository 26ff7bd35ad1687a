"""Lists as people want them: saved views, and columns of their own."""
