"""Code as a library: compiled, kept in a verified cache, found again as a recipe."""
