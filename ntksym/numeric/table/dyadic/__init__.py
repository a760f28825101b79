"""One variance: polynomials on halves of halves of the angle, from values of a proven rule."""
