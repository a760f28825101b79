"""The determinants of nearly collinear rows, a block at a time: one product per cluster.

Of rows x = s (c + p) and y = t (c + r) near the ray of a row c, with p and r orthogonal to c,

    |x|^2 |y|^2 - <x, y>^2 = (s t)^2 (|c|^2 |p - r|^2 + |p|^2 |r|^2 - <p, r>^2),

which needs the products <p, r> alone.  Nothing cancels but |p|^2 + |r|^2 - 2 <p, r>, and that only
for pairs that are much nearer to each other than to c: those wait for a c of their own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...doubles import two_product
from ..checks import Array

FEW = 32
"""Pairs that are found faster one by one than by a product."""
NEARER = 1.0 / 16.0
"""What may be left of a sum of squares."""
WIDE = 0.01
"""|p|^2/|c|^2 beyond which a row is not near the ray."""
SCALES = 2.0**200
"""Rows this much longer or shorter than c are left: their parts might overflow or vanish."""


def cluster_roots(
    x: Array, y: Array, near: NDArray[np.bool_], slope: float, both: float
) -> tuple[Array, NDArray[np.bool_]]:
    """sqrt(q11*q22 - q12^2) for q = a*<x, y> + b of pairs of rows (n, d) and (m, d), and where.

    Where `near` (n, m) and the pair is one of a cluster; other places are not filled.  The digits
    are as of pairs taken one by one, within 16; equal or opposite rows have exactly 0.

    Args:
        x: rows, in double.
        y: rows of the same length.
        near: nearly collinear pairs, of finite rows that are not zero.
        slope: a.
        both: max(a*b, 0).
    """
    root, found = np.empty(near.shape), np.zeros(near.shape, np.bool_)
    left = near.copy()
    while True:
        count = np.count_nonzero(left, axis=1)
        at = int(count.argmax())
        if count[at] < FEW:
            return root, found
        j = np.nonzero(left[at])[0]
        i = np.nonzero(left[:, j].any(axis=1))[0]
        place = np.ix_(i, j)
        value, good = _around(x[at], x[i], y[j], slope, both)
        good &= left[place]
        root[place] = np.where(good, value, root[place])
        found[place] |= good
        left[place] &= ~good
        left[at] = False


def _around(
    c: Array, x: Array, y: Array, slope: float, both: float
) -> tuple[Array, NDArray[np.bool_]]:
    """The roots of all pairs by products of what is orthogonal to c, and which are right."""
    exponent = -int(np.frexp(np.abs(c).max())[1])
    c, x, y = np.ldexp(c, exponent), np.ldexp(x, exponent), np.ldexp(y, exponent)
    square = float(c @ c)
    s, more, p, pp, sure = _rays(c, square, x)
    t, rest, r, rr, true = _rays(c, square, y)
    pr = p @ r.T
    s, more, pp = s[:, None], more[:, None], pp[:, None]
    sizes = pp + rr
    apart = sizes - 2.0 * pr
    good = (apart >= NEARER * sizes) & sure[:, None] & true
    det = np.sqrt(square * np.maximum(apart, 0.0) + np.maximum(pp * rr - pr * pr, 0.0))
    root = np.ldexp(slope * np.abs(s * t) * det, -2 * exponent)
    if both > 0.0:
        across = s * s * pp + t * t * rr - 2.0 * s * t * pr
        distance = np.maximum((more - rest) ** 2 * square + across, 0.0)
        away = (more * more + rest * rest) * square + s * s * pp + t * t * rr
        good &= distance >= NEARER * NEARER * away
        root = np.hypot(root, np.ldexp(np.sqrt(both) * np.sqrt(distance), -exponent))
    return root, good


def _rays(
    c: Array, square: float, x: Array
) -> tuple[Array, Array, Array, Array, NDArray[np.bool_]]:
    """t, t - 1, p, |p|^2 of rows t*(c + p), and where they are near the ray of c."""
    t = 1.0 + (x - c) @ c / square
    part, low = two_product(t[:, None], c)
    p = (x - part) - low
    along = p @ c / square
    p -= along[:, None] * c
    t, more = t + along, (t - 1.0) + along
    size = np.abs(t)
    sure = (size > 1.0 / SCALES) & (size < SCALES)
    p /= np.where(sure, t, 1.0)[:, None]
    pp = np.einsum("ij,ij->i", p, p)
    return t, more, p, pp, sure & (pp <= WIDE * square)
