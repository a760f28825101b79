r"""How far s(u) and s(v) are apart, $d = E[(s(u) - s(v))^2]$, of nearly parallel u and v.

Integrals of the derivative dual, as `backends.near` says, to a part of d; and its slopes in
$M = \tfrac12\log q_{11}q_{22}$ and $X = \tfrac12\log(q_{11}/q_{22})$, differences of its values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ...backends import SourceFile
from ...backends.c.gradient.large import EVEN, LIKE, TOGETHER, UNLIKE, WIDTH
from ...backends.near import numpy_near
from ...backends.tables import legendre
from ..checks import Array
from ..engines import load_module
from .large import along

RELATIVE = 2e-14
"""Of the integral over the angle: what rounding leaves of the derivative dual."""
ALIKE, THREE, CANCELS = 0.03, 3, 0.2
"""The |X| up to which `sure_gap` is asked, its nodes, and the part that is left of a sum."""

Slope = Callable[[Array, Array, Array, Array], Array]


@cache
def _module() -> Any:
    """NumPy's integrals of `backends.near`."""
    text = f'"""Nearly parallel pairs."""\n\nimport numpy as np\n\n{numpy_near(RELATIVE)}\n'
    return load_module(SourceFile("near.py", text))


def gap(
    slope: Slope, far: float, m: Array, apart: Array, angle: Array, lengths: bool = True
) -> Array:
    """E[(s(u) - s(v))^2] of pairs with exp(M), X and the angle.

    Args:
        slope: the derivative dual.
        far: as `lower.near.Near.far`.
        m: the products of the lengths.
        apart: X.
        angle: from 0 to a right one.
        lengths: whether with what unlike lengths make of parallel inputs.
    """
    spread = abs(apart)
    shape = np.broadcast_shapes(m.shape, spread.shape, angle.shape)
    m, spread, angle = (np.broadcast_to(v, shape).ravel() for v in (m, spread, angle))
    lo, hi = m * np.exp(-spread), m * np.exp(spread)

    def derived(x: Array, c: Array, y: Array, root: Array) -> Array:
        return slope(*np.broadcast_arrays(x, c, y, root))

    derived.far = far  # type: ignore[attr-defined]
    found: Array = 2.0 * _module()._near_across(derived, lo, hi, m, angle)
    unlike = (spread > 0.0) & lengths
    if unlike.any():
        found[unlike] += _module()._near_apart(derived, lo[unlike], hi[unlike], spread[unlike])
    return found.reshape(shape)


def sure_gap(slope: Slope, far: float, m: Array, apart: Array, angle: Array) -> Array:
    r"""The same to a part of itself where the lengths are alike: `gap` loses eps times X.

    Of parallel inputs it is $\iint_{[r_1, r_2]^2} E[z^2s'(rz)s'(r'z)]\,dr\,dr'$, where the
    expectation is the derivative dual and twice its slope in M.  Where these cancel, nothing is
    lost.
    """
    found = gap(slope, far, m, apart, angle)
    alike = (abs(apart) < ALIKE) & (apart != 0.0)
    if not alike.any():
        return found
    lengths, half = np.sqrt(m[alike]), np.sinh(0.5 * apart[alike])
    total, least = np.zeros(half.shape), np.full(half.shape, np.inf)
    for s, v in legendre(THREE):
        for t, w in legendre(THREE):
            r, other = (lengths * (np.exp(-0.5 * apart[alike]) + 2.0 * half * z) for z in (s, t))
            dot = slope(r * r, r * other, other * other, 0.0 * r)

            def grown(step: float, r: Array = r, other: Array = other) -> Array:
                by = np.exp(step)
                return slope(by * r * r, by * r * other, by * other * other, 0.0 * r)

            square = dot + 2.0 * along(grown, TOGETHER)
            least = np.minimum(least, square / dot)
            total = total + v * w * square
    sure = least > CANCELS
    across = gap(slope, far, m[alike], apart[alike], angle[alike], lengths=False)
    whole = across + 4.0 * m[alike] * half * half * total
    found[alike] = np.where(sure, whole, found[alike])
    return found


@dataclass(frozen=True, slots=True)
class Gap:
    """What `gap` is at pairs, and its slopes in M and X."""

    d: Array
    by_m: Array
    by_x: Array


def gap_slopes(
    slope: Slope,
    far: float,
    steep: float,
    at: tuple[Array, Array, Array],
    wide: Array,
    together: bool = True,
) -> Gap:
    """The gap of pairs (m, X, angle), and its slopes.

    Args:
        slope: the derivative dual.
        far: as in `gap`.
        steep: the steepest gate's slope.
        at: the pairs.
        wide: the larger standard deviation.
        together: whether that in M is wanted, else 0.
    """
    m, apart, angle = at
    near = np.maximum(np.sin(angle), WIDTH / (steep * wide))
    scale = np.minimum(1.0, np.hypot(apart, near))
    like = apart * apart < EVEN * near * near
    middle = np.where(like, LIKE * near * near, 0.0)
    half = np.where(like, middle, UNLIKE[1] * scale)

    def away(step: Array) -> Array:
        to = np.sqrt(np.maximum(middle + half * step, 0.0))
        return np.where(like, to, apart + half * step)

    place = np.where(like, apart * apart / half - 1.0, 0.0)
    whole, by_m = gap(slope, far, m, apart, angle), np.zeros(m.shape)
    if together:
        whole = sure_gap(slope, far, m, apart, angle)
        by_m = along(lambda step: gap(slope, far, m * np.exp(step), apart, angle), TOGETHER)
    by_x = along(lambda step: gap(slope, far, m, away(step), angle), (UNLIKE[0], 1.0), 1.0, place)
    return Gap(whole, by_m, by_x * np.where(like, 2.0 * apart, 1.0) / half)
