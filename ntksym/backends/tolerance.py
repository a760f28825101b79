"""Which variances count as one, which rows as collinear.  Importing this loads nothing else."""

from __future__ import annotations

TOLERANCE = 1e-12
"""Rows of normalised data have squared norms that differ by their rounding."""
CLOSE = {"float64": 2e-3, "float32": 5e-2}
"""Pairs of 1 - rho^2 below this in the first layer get their angle another way: what rounding loses
near rho = +-1 no later step can restore.  Where the rows themselves are nearly collinear it comes
from the rows, where only a bias makes the covariance so, from the inner product."""
FLOAT_TAIL = 2e-9
"""Relative size of the powers of a collapsed network that are left out in floats."""
