"""What is delicate needs two people."""
