"""C of tabulated duals: of one variance, of a range, with kinks, with singular points."""
