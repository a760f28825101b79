r"""Slopes of mixtures at large variances: differences of values, in polar coordinates.

In NumPy; `backends.c.gradient.large` says what is done, and writes the same in C.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...backends.c.gradient.large import (
    EVEN,
    LARGE,
    LIKE,
    PARALLEL,
    STRETCH,
    TOGETHER,
    TURN,
    UNLIKE,
    WIDTH,
)
from ..checks import Array
from .differences import chebyshev_slope

Values = Callable[[Array, Array, Array, Array], Any]


@dataclass(frozen=True, slots=True)
class Bend:
    """The dual of s': (q11, q12, q22, root) -> (D, E[s''(u)s''(v)]).

    Attributes:
        values: it.
        far: as `lower.near.Near.far`, of s'.
    """

    values: Values
    far: float


@dataclass(frozen=True, slots=True)
class Rest:
    """The dual of h(x) = x s'(x) - n s(x), which is small where s is nearly homogeneous.

    Attributes:
        degree: n.
        values: (q11, q12, q22, root) -> (E[h(u)h(v)], E[h'(u)h'(v)]).
    """

    degree: int
    values: Values


@dataclass(frozen=True, slots=True)
class Large:
    """The slopes of a mixture where variances are large.

    Attributes:
        steep: the steepest slope of a gate.
        bend: gives the dual of s', made when it is first asked for; None where it has no unit.
        rest: the same of h, for lengths that differ; None where s is not nearly homogeneous too.
    """

    steep: float
    bend: Callable[[], Bend | None]
    rest: Callable[[], Rest | None]

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
        slopes = along(lambda step: np.array(values(at * np.exp(step))), TOGETHER)
        for k in (0, 1):
            made[k][beyond] = slopes[k] / at
        return tuple(made)


def bend_of(values: Values, bend: Bend, x: Array, c: Array, y: Array, root: Array) -> Array:
    """E[s''(u)s''(v)]; values: (q11, q12, q22, root) -> (K, D)."""
    at = np.broadcast_arrays(x, c, y, root)
    found: Array = _bends(values, bend, *at) / (np.sqrt(at[0]) * np.sqrt(at[2]))
    return found


def _slopes(values: Values, steep: float, at: tuple[Array, ...]) -> tuple[Array, ...]:
    """K_x, K_y, D_x, D_y in the logarithms of the variances, at a fixed angle."""
    x, c, y, root = at
    r11, r22 = np.sqrt(x), np.sqrt(y)
    wide = np.maximum(r11, r22)
    smooth = WIDTH / (steep * wide)
    unlike, sine = np.log(r11 / r22), root / r11 / r22
    round_ = np.maximum(sine, smooth)
    scale = np.minimum(1.0, np.hypot(unlike, round_))
    like = unlike * unlike < EVEN * round_ * round_
    middle = np.where(like, LIKE * round_ * round_, 0.0)
    half = np.where(like, middle, UNLIKE[1] * scale)

    def both(step: Array | float, other: Array | float) -> Array:
        m, n = np.exp(step), np.exp(other)
        return np.array(values(x * (m * n), c * m, y * (m / n), root * m))

    def apart(step: Array) -> Array:  # X itself, or its square from 0 on
        to = np.sqrt(np.maximum(middle + half * step, 0.0)) - unlike
        return both(0.0, np.where(like, to, half * step))

    by_m = along(lambda step: both(step, 0.0), TOGETHER)
    at_square = np.where(like, unlike * unlike / half - 1.0, 0.0)
    by_x = along(apart, (UNLIKE[0], 1.0), 1.0, at_square)
    by_x *= np.where(like, 2.0 * unlike, 1.0) / half
    (k1, d1), (k2, d2) = (0.5 * (by_m + s * by_x) for s in (1.0, -1.0))
    return k1, k2, d1, d2


def _bends(values: Values, bend: Bend, x: Array, c: Array, y: Array, root: Array) -> Array:
    """E[s''(u)s''(v)] times the lengths, far from the diagonal as a power or by the other dual."""
    r11, r22 = np.sqrt(x), np.sqrt(y)
    found: Array = np.array(bend.values(x, c, y, root)[1]) * (r11 * r22)
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

        far = -along(turned, TURN, sine) / sine
        wide = sine > PARALLEL

        def near(w: float) -> Array:
            across = w * most / r11 / r22
            along = np.copysign(r11 * np.sqrt(1.0 - np.where(wide, across, 0.0) ** 2) * r22, c)
            values: Array = np.array(bend.values(x, np.where(wide, along, c), y, w * most))[1]
            return values

        first = near(1.0)
        power = np.round(np.log2(np.abs(near(0.5) / first)))
        first = first * (r11 * r22)
        found[apart] = np.where(wide & (power != 1.0), far, first * (most / root) ** power)
    return found


def along(
    f: Callable[[Any], Array], rule: tuple[int, float], scale: Any = 1.0, place: Any = 0.0
) -> Array:
    """The slope of what f gives at steps by a rule, its interval times `scale`.

    In the middle, or at a `place` in [-1, 1] of the interval.
    """
    count, half = rule
    total = sum(w * f(half * scale * t) for w, t in chebyshev_slope(count, place))
    return np.asarray(total / (half * scale))
