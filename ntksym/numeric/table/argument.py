r"""How much a Chebyshev series in three variables moves when its arguments are rounded.

The sums $\sum k|m_{ijk}|$ of the powers are five to ten times the slopes.  Those are Chebyshev
series themselves, and the sum of the sizes of their coefficients is little above the largest slope.
The variable is $x = 2w - 1$ with w known to so many units of its own size: near w = 0, where the
slope is largest, x is hardly off (`derivations/identities/table_bound.md`, section 6).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_SAFE = 1e-12
"""Of $\\sum k^2|c|$: far more than the rounding of these sums."""
_LAST = 2
"""Units that x = 2w - 1 is off by whatever w is."""
_ALWAYS = 5
"""Of the units that w is off by, those that stay where the denominator is mostly kappa R."""


@dataclass(frozen=True, slots=True)
class Slopes:
    """Bounds of what a Chebyshev series on the cube [-1, 1]^3 moves by.

    Attributes:
        x: where x is rounded, in units.
        tau: the sum of the slopes in tau_1 and tau_2.
    """

    x: float
    tau: float


def slopes_of(table: Any, off: int, kappa: float | None) -> Slopes:
    r"""Of the series whose coefficients of T_i(tau_1) T_j(tau_2) T_k(x) are in a NumPy array.

    Without a kappa x is off by at most `off` units everywhere.  With one it is the variable of the
    angle: off by so many at w = 1 where kappa is 0.  With $A = P + |q_{12}|$ and
    $w = (1+\kappa)R/(A + \kappa R)$ what R, P and A are off by counts
    $A/(A + \kappa R) = 1 - \kappa w/(1 + \kappa)$ times.
    """
    import numpy as np

    found, safe = [], 0.0
    for axis in range(3):
        order = np.arange(table.shape[axis]) ** 2.0
        safe += float(np.abs(table).sum(axis=tuple(a for a in range(3) if a != axis)) @ order)
        found.append(_slope(table, axis))
    one, two, plain = (float(np.abs(f).sum()) for f in found)
    moved = off * plain
    if kappa is not None:
        less = (off / 2 - _ALWAYS) * kappa / (1 + kappa) / 2
        near = _times(_times(found[2], 1.0, 1.0), off / 2 - less, -less)
        moved = float(np.abs(near).sum()) + _LAST * plain
    return Slopes(moved + off * safe * _SAFE, one + two + safe * _SAFE)


def _slope(table: Any, axis: int) -> Any:
    """The coefficients of the derivative along an axis."""
    from numpy.polynomial.chebyshev import chebder

    return chebder(table, axis=axis)


def _times(table: Any, start: float, steep: float) -> Any:
    """The coefficients of (start + steep x) times the series: x T_k is (T_{k+1} + T_{|k-1|})/2."""
    import numpy as np

    out = np.zeros((*table.shape[:2], table.shape[2] + 1))
    out[:, :, :-1] = start * table
    out[:, :, 1:] += steep / 2 * table
    out[:, :, : table.shape[2] - 1] += steep / 2 * table[:, :, 1:]
    out[:, :, 1] += steep / 2 * table[:, :, 0]
    return out
