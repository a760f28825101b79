"""Hermite coefficients with proven tails, kinks taken out in closed form."""
