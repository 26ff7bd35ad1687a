"""What can stand for an item, what goes with it, and in which quantities it is ordered."""
