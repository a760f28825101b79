"""NumPy: modules that import numpy only, for duals, networks and tables."""
