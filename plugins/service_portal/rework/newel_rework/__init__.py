"""Work on what customers send back."""
