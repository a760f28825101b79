"""Kernels from inner products: what no points have, points that are equal, symmetric matrices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import Array
from ..dual_arrays import ROUNDING, within

ROWS = 256
"""Rows looked at together."""
UNITS = 2.0
"""Roundings by which the three inner products of equal points may differ."""

Places = NDArray[np.intp]


def possible(q1: Array, g: Array, q2: Array) -> Array:
    """The inner products, finite ones above |x| |y| replaced by it: `g` itself where none is."""
    found, left, right = g, np.sqrt(q1) * ROUNDING, np.sqrt(q2)
    bound, size = np.empty((2, min(ROWS, len(g)), len(q2)))
    for at in range(0, len(g), ROWS):
        part = g[at : at + ROWS]
        count = len(part)
        with np.errstate(all="ignore"):
            np.multiply(left[at : at + ROWS, None], right, out=bound[:count])
            np.abs(part, out=size[:count])
            beyond = (size[:count] > bound[:count]) & (size[:count] < np.inf)
            if beyond.any():
                found = g.copy() if found is g else found
                most = within(q1[at : at + ROWS, None], part, q2)
                np.copyto(found[at : at + ROWS], most, where=beyond)
    return found


def equal_points(
    q1: Array, g: Array, q2: Array, unit: float
) -> Iterator[tuple[int, Places, Places]]:
    """(first row, rows from there, columns) where |x|^2, <x, y> and |y|^2 are one number.

    Up to two roundings of relative size `unit`, as two programs that multiply the same rows leave.
    The angle of such a pair is not in its inner products: it may be anything below 2 sqrt(unit).
    """
    slack = UNITS * unit
    for at in range(0, len(g), ROWS):
        part, norm = g[at : at + ROWS], q1[at : at + ROWS, None]
        with np.errstate(all="ignore"):
            found = np.abs(part - norm) <= slack * norm
            i, j = np.nonzero(found)
            alike = np.abs(norm[i, 0] - q2[j]) <= slack * norm[i, 0]
        yield at, i[alike], j[alike]


def mirrored(arrays: tuple[NDArray[Any], ...]) -> None:
    """Put the upper half of square arrays into the lower, in place."""
    for a in arrays:
        for at in range(0, len(a), ROWS):
            rows = slice(at, at + ROWS)
            block = a[rows, rows]
            block[:] = np.triu(block) + np.triu(block, 1).T
            a[at + ROWS :, rows] = a[rows, at + ROWS :].T
