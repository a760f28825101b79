"""Slopes of polynomials through values at Chebyshev nodes: their weights, and C for those."""

from __future__ import annotations

import math


def nodes(count: int) -> list[float]:
    """The nodes in [-1, 1], falling."""
    return [math.cos((2 * i + 1) * math.pi / (2 * count)) for i in range(count)]


def matrix(count: int) -> list[list[float]]:
    """Row m times the values at the nodes is the coefficient of T_m."""
    turns = [(2 * i + 1) * math.pi / (2 * count) for i in range(count)]
    return [
        [(1.0 if m == 0 else 2.0) / count * math.cos(m * v) for v in turns] for m in range(count)
    ]


def middle(count: int) -> list[float]:
    """The weights of the values at the nodes in the slope at 0: T_m' there is m sin(m pi/2)."""
    rows = matrix(count)
    return [
        math.fsum(m * (1, -1)[m // 2 % 2] * rows[m][i] for m in range(1, count, 2))
        for i in range(count)
    ]


SLOPE = """
/* The weights of the values at `count` Chebyshev nodes in the slope at x, which is in [-1, 1]; they
 * are `apart` numbers apart.  Row m of the matrix times the values is the coefficient of T_m. */
static void chebyshev_slope(int count, const double *matrix, double x, double *weight,
                            size_t apart)
{
  double value = x, before = 1.0, slope = 1.0, less = 0.0;
  for (int i = 0; i < count; ++i) weight[(size_t)i * apart] = matrix[count + i];
  for (int m = 2; m < count; ++m) {
    const double next = 2.0 * x * value - before, rise = 2.0 * value + 2.0 * x * slope - less;
    before = value;
    less = slope;
    value = next;
    slope = rise;
    for (int i = 0; i < count; ++i) weight[(size_t)i * apart] += matrix[m * count + i] * slope;
  }
}
"""
