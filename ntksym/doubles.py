"""Sums and products of doubles, or of arrays of them, with their rounding errors."""

from __future__ import annotations

from typing import Any


def two_sum(a: Any, b: Any) -> tuple[Any, Any]:
    """A + b rounded, and its rounding error (D. E. Knuth)."""
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)


def two_product(a: Any, b: Any) -> tuple[Any, Any]:
    """a*b rounded, and its rounding error (T. J. Dekker 1971)."""
    product = a * b
    (a, a_low), (b, b_low) = halves(a), halves(b)
    return product, ((a * b - product) + a * b_low + a_low * b) + a_low * b_low


def halves(a: Any) -> tuple[Any, Any]:
    """The upper half of the digits, and what is left (G. W. Veltkamp)."""
    wide = 134217729.0 * a
    high = wide - (wide - a)
    return high, a - high
