"""Which variances count as one.  Importing this loads nothing else."""

from __future__ import annotations

TOLERANCE = 1e-12
"""Rows of normalised data have squared norms that differ by their rounding."""
