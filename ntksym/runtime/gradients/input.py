"""Derivatives in the rows from those in the variances and the angle."""

from __future__ import annotations

import numpy as np

from ..checks import Array
from .planes import KernelGradients


def by_rows(
    found: KernelGradients, a: Array, b: Array, first: tuple[float, float]
) -> tuple[Array, Array]:
    """The derivatives of (nngp, ntk) in the rows of a (n, d), arrays (n, m, d), b being (m, d).

    `first`: slope and offset of the first layer's variance in the squared norm.
    """
    slope, offset = first
    gap = a[:, None, :] - b[None, :, :]
    norm, other = np.sum(a * a, axis=1)[:, None], np.sum(b * b, axis=1)[None, :]
    along = -np.sum(gap * a[:, None, :], axis=2)
    inner = norm + along
    rest = np.maximum(norm * np.sum(gap * gap, axis=2) - along * along, 0.0)
    apart = np.sum(gap * gap, axis=2)
    far = apart > np.minimum(norm, other)
    direct = norm * other - (a @ b.T) ** 2
    rest = np.where(far, np.maximum(direct, 0.0), rest)
    root = np.sqrt(slope * slope * rest + slope * offset * apart)
    q11, q12 = slope * norm + offset, slope * inner + offset
    turn = q12[..., None] * gap + slope * along[..., None] * b[None, :, :]
    none = root == 0.0
    scale = slope / (np.where(none, 1.0, root) * np.where(q11 > 0.0, q11, 1.0))
    angle = np.where(none, 0.0, scale)[..., None] * turn
    outward = 2.0 * slope * a[:, None, :]
    values = []
    for polar in (found.polar_nngp, found.polar_ntk):
        values.append(polar["q11"][..., None] * outward + polar["angle"][..., None] * angle)
    return values[0], values[1]
