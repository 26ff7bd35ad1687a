"""Who gets at what, and what happens to those who try: every route, every role, every output."""
