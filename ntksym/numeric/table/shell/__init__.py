"""Polynomials of the whole dual away from rho = +-1, for activations with kinks anywhere."""
