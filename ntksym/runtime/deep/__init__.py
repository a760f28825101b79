"""Deep networks as one polynomial of the angle, where that pays."""
