r"""Slopes of mixtures at large variances: differences of values, in polar coordinates.

Closed forms of slopes cancel to the square of the standard deviation (sigmoid linear units: 2e-10
at 1e3); values keep their digits at any variance.  With $M = \tfrac12\log q_{11}q_{22}$ and
$X = \tfrac12\log(q_{11}/q_{22})$ the derivatives at a fixed angle are those in M and X: values at a
few Chebyshev nodes give a polynomial, and its slope.  A mixture is smooth in M.  In X and in the
angle $\theta$ its nearest singularity is about $\sqrt{X^2 + \theta^2}$ away, or the width of its
steepest gate over the standard deviation, where that is more: nodes stay within a part of it, and
what is lost is eps over it.  Values are even in X: where it is small beside that distance the
variable is its square, and what is lost goes with X.  $E[s''(u)s''(v)]$, the slope of the
derivative dual in the angle, is a value of the dual of $s'$.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..checks import Array
from .differences import chebyshev_slope

LARGE = 2.0**10
"""The variance beyond which slopes are differences: closed forms are off by about 1e-14 there."""
TOGETHER, UNLIKE = (14, 1.0), (12, 0.15)
"""Nodes, and half their interval: in M, and in X in units of how far it is smooth."""
LIKE = 0.15
"""Half the interval of squares, which begins at 0, in units of the square of that."""
STRETCH, PARALLEL = 2.0**20, 2.0**-10
r"""The $\sqrt{\det}/r$, r the larger standard deviation, from which on E[s''(u)s''(v)] is a power
of it, and the sine up to which that is asked: the dual of s' is right beside its size only."""
TURN = 12, 0.12
"""Nodes, and half their interval: in the angle, in units of its sine."""
WIDTH = 2.0
"""How far a gate T(cx + d) is smooth, in units of 1/c; its poles are at pi."""

Values = Callable[[Array, Array, Array, Array], Any]


@dataclass(frozen=True, slots=True)
class Large:
    """The slopes of a mixture where variances are large.

    Attributes:
        steep: the steepest slope of a gate.
        bend: gives (q11, q12, q22, root) -> (D, E[s''(u)s''(v)]), made when it is first asked for;
            None where it has no unit.
    """

    steep: float
    bend: Callable[[], Values | None]

    def pair(
        self, values: Values, found: tuple[Array, ...], at: tuple[Array, ...]
    ) -> tuple[Array, ...]:
        """What `GradientDual.pair` gives.

        Args:
            values: (q11, q12, q22, root) -> (K, D).
            found: what closed forms give.
            at: q11, q12, q22, root.
        """
        x, c, y, root = np.broadcast_arrays(*at)
        beyond = np.maximum(x, y) > LARGE
        if not beyond.any():
            return found
        place = tuple(v[beyond] for v in (x, c, y, root))
        made = [np.array(np.broadcast_to(v, x.shape)) for v in found]
        for k, v in zip((2, 4, 5, 7), _slopes(values, self.steep, place), strict=True):
            made[k][beyond] = v
        if (bend := self.bend()) is not None:
            made[6][beyond] = _bends(values, bend, *place)
        return tuple(made)

    @staticmethod
    def side(
        values: Callable[[Array], Any], q: Array, found: tuple[Array, ...]
    ) -> tuple[Array, ...]:
        """Slopes of (K, D) for u = v; `found` are those of closed forms."""
        beyond = q > LARGE
        if not beyond.any():
            return found
        at, made = q[beyond], [np.array(v) for v in found]
        slopes = _along(lambda step: np.array(values(at * np.exp(step))), TOGETHER)
        for k in (0, 1):
            made[k][beyond] = slopes[k] / at
        return tuple(made)


def _slopes(values: Values, steep: float, at: tuple[Array, ...]) -> tuple[Array, ...]:
    """K_x, K_y, D_x, D_y at a fixed angle."""
    x, c, y, root = at
    r11, r22 = np.sqrt(x), np.sqrt(y)
    wide = np.maximum(r11, r22)
    smooth = WIDTH / (steep * wide)
    unlike, sine = np.log(r11 / r22), root / r11 / r22
    round_ = np.maximum(sine, smooth)
    scale = np.minimum(1.0, np.hypot(unlike, round_))
    like = unlike * unlike < LIKE * round_ * round_
    middle = np.where(like, LIKE * round_ * round_, 0.0)
    half = np.where(like, middle, UNLIKE[1] * scale)

    def both(step: Array | float, other: Array | float) -> Array:
        m, n = np.exp(step), np.exp(other)
        return np.array(values(x * (m * n), c * m, y * (m / n), root * m))

    def apart(step: Array) -> Array:  # X itself, or its square from 0 on
        to = np.sqrt(np.maximum(middle + half * step, 0.0)) - unlike
        return both(0.0, np.where(like, to, half * step))

    by_m = _along(lambda step: both(step, 0.0), TOGETHER)
    at_square = np.where(like, unlike * unlike / half - 1.0, 0.0)
    by_x = _along(apart, (UNLIKE[0], 1.0), 1.0, at_square)
    by_x *= np.where(like, 2.0 * unlike, 1.0) / half
    (k1, d1), (k2, d2) = ((0.5 * (by_m + s * by_x)) / q for s, q in ((1.0, x), (-1.0, y)))
    return k1, k2, d1, d2


def _bends(values: Values, bend: Values, x: Array, c: Array, y: Array, root: Array) -> Array:
    """E[s''(u)s''(v)], far from the diagonal by the derivative dual or as a power."""
    found: Array = np.array(bend(x, c, y, root)[1])
    wide = np.sqrt(np.maximum(x, y))
    most = STRETCH * wide
    apart = root > most
    if apart.any():
        x, c, y, root, wide, most = (v[apart] for v in (x, c, y, root, wide, most))
        r11, r22 = np.sqrt(x), np.sqrt(y)
        sine = root / r11 / r22
        angle = np.arctan2(sine, c / r11 / r22)

        def turned(step: Array) -> Array:
            t = angle + step
            at = x, r11 * np.cos(t) * r22, y, r11 * np.sin(t) * r22
            dot: Array = np.array(values(*at))[1]
            return dot

        far = -_along(turned, TURN, sine) / root
        first, second = (np.array(bend(x, c, y, w * most))[1] for w in (1.0, 0.5))
        power = np.round(np.log2(np.abs(second / first)))
        found[apart] = np.where(sine > PARALLEL, far, first * (most / root) ** power)
    return found


def _along(
    f: Callable[[Any], Array], rule: tuple[int, float], scale: Any = 1.0, place: Any = 0.0
) -> Array:
    """The slope of what f gives at steps by a rule, its interval times `scale`.

    In the middle, or at a `place` in [-1, 1] of the interval.
    """
    count, half = rule
    total = sum(w * f(half * scale * t) for w, t in chebyshev_slope(count, place))
    return np.asarray(total / (half * scale))
