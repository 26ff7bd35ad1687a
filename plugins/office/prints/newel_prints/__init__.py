"""Documents on paper: pages that are the same on the screen and as PDF, kept as they were printed, and layouts that an administrator edits."""
