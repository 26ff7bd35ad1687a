"""Composing and operating installs of Newel: commands beside those of the kernel."""
