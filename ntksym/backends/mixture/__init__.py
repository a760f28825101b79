"""Programs of a normal mixture: pairs of nodes, what cancels in them, and what rounding is left."""
