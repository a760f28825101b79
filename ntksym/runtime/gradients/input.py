r"""Derivatives in the rows from those in the variances and the angle.

With the first layer's variances $a|x|^2 + b$ and $c = b/a$, the angle $\theta$ moves with x by
$$\frac{c(x - y) - |x|^2 y_\perp}{(|x|^2 + c)\sqrt{A^2 + c|x - y|^2}},$$
$y_\perp$ the part of y across x and A the area that both span: no differences but the rows' own.
Rows are divided by powers of two, so that no square leaves the range of doubles.
"""

from __future__ import annotations

import numpy as np

from ..checks import Array
from .planes import KernelGradients
from .rows import NEARLY, across

CHUNK = 1 << 18
"""Entries of rows that are gathered at a time."""


def by_rows(
    found: KernelGradients, a: Array, b: Array, first: tuple[float, float]
) -> tuple[Array, Array]:
    """The derivatives of (nngp, ntk) in the rows of a (n, d), arrays (n, m, d), b being (m, d).

    `first`: slope and offset of the first layer's variance in the squared norm.
    """
    slope, offset = first
    with np.errstate(all="ignore"):
        turn = _turns(a, b, offset / slope)
    outward = 2.0 * slope * a[:, None, :]
    values = []
    for polar in (found.polar_nngp, found.polar_ntk):
        values.append(polar["q11"][..., None] * outward + polar["angle"][..., None] * turn)
    return values[0], values[1]


def _turns(a: Array, b: Array, c: float) -> Array:
    """The derivatives of the angle in the rows of a; 0 where it is 0 or pi."""
    (x, p), (y, r) = _scaled(a), _scaled(b)
    norm, other = np.sum(x * x, axis=1)[:, None], np.sum(y * y, axis=1)[None, :]
    g = x @ y.T
    part = y[None, :, :] - (g / np.where(norm == 0.0, 1.0, norm))[..., None] * x[:, None, :]
    rows, columns = np.nonzero(norm * other - g * g <= NEARLY * (norm * other))
    step = max(1, CHUNK // max(1, a.shape[1]))
    for at in range(0, len(rows), step):
        i, j = rows[at : at + step], columns[at : at + step]
        part[i, j] = across(x[i], y[j])
    length = np.sqrt(np.sum(part * part, axis=2))
    larger = np.maximum(p[:, None], r[None, :])
    stretch = np.ldexp(1.0, larger - r[None, :])  # of what is over the larger scale
    gap = np.ldexp(x[:, None, :], (p[:, None] - larger)[..., None])
    gap -= np.ldexp(y[None, :, :], (r[None, :] - larger)[..., None])
    square = np.ldexp(norm, 2 * p[:, None])
    share = np.where(c == 0.0, 0.0, c / (square + c))
    area = np.ldexp(np.sqrt(norm) * length, p[:, None])
    root = np.hypot(area, np.sqrt(c) * stretch * np.sqrt(np.sum(gap * gap, axis=2)))
    none = root == 0.0
    moved = (share * stretch)[..., None] * gap - (1.0 - share)[..., None] * part
    found: Array = moved / np.where(none, 1.0, root)[..., None]
    found[none] = 0.0
    return found


def _scaled(rows: Array) -> tuple[Array, Array]:
    """The rows over powers of two, and these; rows of zeros as they are."""
    power = np.frexp(np.max(np.abs(rows), axis=1, initial=0.0))[1]
    return np.ldexp(rows, -power[:, None]), power
