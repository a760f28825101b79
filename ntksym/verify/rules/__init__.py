"""Integrals with a proved error: one rule for each kind of pair of functions and correlation."""
