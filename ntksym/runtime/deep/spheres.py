"""When rows are on one sphere, up to rounding, and which one."""

from __future__ import annotations

SAME = {"float64": 1e-13, "float32": 2.0**-21}
"""Relative differences of squared norms up to which data is on a sphere: what rounding of rows does
that were made of length one in that type."""
DIGITS, ROUNDING = 12, 4e-15
"""A squared norm that is so short a decimal, up to rounding, is it: one proof for all such data."""


def common_square(low: float, high: float, dtype: str) -> float:
    """The squared norm of rows on a sphere, from the smallest and the largest.

    The decimal nearest to the middle that is as short as the type lets one tell, so that data on
    one sphere share one proof; else the middle itself.
    """
    middle = low + 0.5 * (high - low)
    if middle <= 0.0:
        return middle
    if dtype == "float32":  # any number between them is as good
        return next(s for n in range(17) if low <= (s := float(f"{middle:.{n}e}")) <= high)
    short = float(f"{middle:.{DIGITS - 1}e}")
    return short if abs(short - middle) <= ROUNDING * middle else middle
