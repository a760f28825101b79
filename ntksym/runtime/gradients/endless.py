r"""Slopes of derivative duals in a bias of 0, at collinear rows that it moves apart like its root.

$E[s''(u)s''(v)]$ of two kinks that collinear inputs see at once goes like the reciprocal of the
root of the determinant, and the slope is infinite then; else it has a limit.  Which of both is read
from its values at two small angles.
"""

from __future__ import annotations

import numpy as np

from ..checks import Array
from .duals import GradientDual

SINES = 2.0**-16, 2.0**-19
RISE = 4.0
"""It is 8 times as large at the smaller angle if it is like the reciprocal, else hardly larger."""


def endless(dual: GradientDual, at: tuple[Array, ...], turn: Array, found: Array) -> Array:
    """`found`, the slope of the derivative dual, infinite at collinear pairs where it is.

    `turn`: what the covariance moves by at fixed variances; `at`: q11, q12, q22, root.
    """
    apart = (at[3] == 0.0) & (turn != 0.0) & np.isfinite(turn)
    if not apart.any():
        return found
    x, c, y = (np.broadcast_to(v, apart.shape)[apart][None] for v in at[:3])
    size = np.sqrt(x) * np.sqrt(y)
    first, second = (
        dual.pair(x, np.copysign(size * np.sqrt(1.0 - s * s), c), y, size * s)[6] for s in SINES
    )
    infinite = (np.abs(second) > RISE * np.abs(first))[0]
    made = np.array(np.broadcast_to(found, apart.shape))
    signed = np.copysign(np.inf, second[0] * np.broadcast_to(turn, apart.shape)[apart])
    made[apart] = np.where(infinite, signed, made[apart])
    return made
