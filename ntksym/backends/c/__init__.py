"""C99: the text of duals, networks, ufuncs and gradients, and the helper functions they call."""
