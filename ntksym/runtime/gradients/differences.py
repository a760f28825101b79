r"""Derivatives of a dual from its values: for duals whose code has no derivatives of its own.

With $M = \tfrac12\log q_{11}q_{22}$, $X = \tfrac12\log(q_{11}/q_{22})$ and $\theta$ the angle to
the nearer pole, a dual with kinks away from 0 is a function of the ratio of X to $\theta$ where
both are small, and smooth in $(M, \varepsilon, \psi)$, $(X, \theta) = \varepsilon\,(\cos\psi,
\sin\psi)$, for every $\varepsilon \ge 0$.  Along each of the three the values at a few Chebyshev
nodes give a polynomial, and its slope.  Where $\varepsilon$ is small, $f_\psi/\varepsilon$ is
extrapolated from larger ones.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from ...backends.c.gradient.turns import HALF, NODES
from ..checks import Array

RAY_NODES, RAY_HALF = 12, 0.1
"""The same along a ray of nearly parallel pairs, to where the ray begins."""
ROOM = 2.0**0.25
"""How much further than the data, at both ends, the variances reach at which values are taken."""
NOTE = (
    "Derivatives in q11 and q22, and those of the derivative dual, are slopes of polynomials,",
    f"the table's own or such through {NODES} or {RAY_NODES} values: no bound is proven for them;",
    "a few hundred times what the values are off by may be in them.",
)

Values = Callable[[Array, Array, Array, Array], tuple[Array, Array]]


@lru_cache(maxsize=4)
def _rule(count: int) -> tuple[Array, Array]:
    """The nodes in [-1, 1], and the matrix from values there to Chebyshev coefficients."""
    turn = (2 * np.arange(count) + 1) * np.pi / (2 * count)
    matrix = np.cos(np.outer(np.arange(count), turn)) * (2.0 / count)
    matrix[0] *= 0.5
    return np.cos(turn), matrix


def _weights(at: Array, count: int, order: int) -> Array:
    """The weights of the values at the nodes in the value or the slope at `at`, a column each."""
    _, matrix = _rule(count)
    slopes = [np.zeros_like(at), np.ones_like(at)]
    basis = [np.ones_like(at), at]
    for _ in range(2, count):
        slopes.append(2.0 * basis[-1] + 2.0 * at * slopes[-1] - slopes[-2])
        basis.append(2.0 * at * basis[-1] - basis[-2])
    found: Array = matrix.T @ np.array(slopes if order else basis)
    return found


def _middle(count: int = NODES, half: float = HALF) -> Array:
    """The weights in the slope in the middle of the interval."""
    return _weights(np.zeros(1), count, 1)[:, 0] / half


def chebyshev_slope(count: int = NODES, place: Any = 0.0) -> list[tuple[Any, float]]:
    """(weight, node in [-1, 1]) of the slope at 0, or at places in [-1, 1]: arrays of weights."""
    weights = _weights(np.atleast_1d(np.asarray(place, dtype=float)).ravel(), count, 1)
    weights = weights.reshape(count, *np.shape(place))
    return [(w[()], float(t)) for w, t in zip(weights, _rule(count)[0], strict=True)]


def variance_slopes(
    values: Values,
    x: Array,
    c: Array,
    y: Array,
    root: Array,
) -> Any:
    """Slopes of (K, derivative dual) in q11 and in q22 at a fixed angle, two arrays (2, ...).

    The pairs are a matrix, q11 constant along its rows and q22 along its columns: `values` are
    asked for runs of one variance.
    """
    first, second = np.zeros((2, 2, *c.shape))
    for w, t in zip(_middle(), _rule(NODES)[0], strict=True):
        grown, scale = np.exp(HALF * t), np.exp(0.5 * HALF * t)
        second += w * np.array(values(x, c * scale, y * grown, root * scale))
        first += w * np.array(values(x * grown, c * scale, y, root * scale))
    return first / x, second / y


def turned_slopes(
    values: Values, x: Array, c: Array, y: Array, root: Array, smooth: bool
) -> tuple[Array, Array]:
    """Slopes of (K, derivative dual) in the angle and in q12, two arrays (2, ...).

    For duals without kinks away from 0.  Of a `smooth` activation those in q12 are finite at equal
    inputs: small angles go by their squares.  Else they are 0 there, where they are infinite.
    """
    found = np.zeros((2, *c.shape))
    sign, length = np.where(c < 0.0, -1.0, 1.0), np.hypot(c, root)
    angle = np.arctan2(root, np.abs(c))
    place = angle * angle if smooth else angle
    near = place < HALF
    ends = _weights(place[near] / HALF - 1.0, NODES, 1) / HALF
    for k, (w, t) in enumerate(zip(_middle(), _rule(NODES)[0], strict=True)):
        first = HALF * (1.0 + t)
        at = np.where(near, np.sqrt(first) if smooth else first, angle + HALF * t)
        weight = np.full_like(angle, w)
        weight[near] = ends[k]
        found += weight * np.array(values(x, sign * length * np.cos(at), y, length * np.sin(at)))
    edge = root == 0.0
    ratio = np.where(edge, 0.0, 1.0) / np.where(edge, 1.0, root)
    if smooth:  # the slope is that in the square of a small angle
        sine = np.where(near & ~edge, np.sin(angle), 1.0)
        ratio = np.where(near, 2.0 * np.where(edge, 1.0, angle / sine) / length, ratio)
    turn = np.where(near, 2.0 * angle, 1.0) if smooth else 1.0
    return sign * turn * found, -sign * ratio * found


def polar_slopes(values: Values, x: Array, c: Array, y: Array, root: Array) -> tuple[Any, ...]:
    """Slopes of (K, derivative dual) in q11 and q22 at a fixed angle, and in the angle.

    `values` is (q11, q12, q22, root) -> (K, derivative dual); all arrays have one shape.

    Returns:
        ((K_q11, K_angle, K_q22), (the same of the derivative dual), (both's slopes in q12)), the
        last 0 where they are infinite, at equal and opposite inputs.
    """
    shape = c.shape
    x, c, y, root = (np.ravel(v) for v in (x, c, y, root))
    side = np.where(c < 0.0, -1.0, 1.0)
    wide, unlike = 0.5 * (np.log(x) + np.log(y)), 0.5 * np.log(x / y)
    angle = np.arctan2(root, np.abs(c))
    size = np.hypot(angle, unlike)
    turn = np.where(size == 0.0, 0.5 * np.pi, np.arctan2(angle, unlike))

    def at(m: Array, e: Array, p: Array, s: Array) -> Array:
        """Both values, an array (2, ...), at places that broadcast."""
        m, e, p, s = np.broadcast_arrays(m, e, p, s)
        step, t, length = e * np.cos(p), np.abs(e * np.sin(p)), np.exp(m)
        return np.array(
            values(np.exp(m + step), s * length * np.cos(t), np.exp(m - step), length * np.sin(t))
        )

    middle = _middle()[:, None]
    step = HALF * _rule(NODES)[0][:, None]
    ray = RAY_HALF * (1.0 + _rule(RAY_NODES)[0][:, None])
    by_wide = np.sum(middle * at(wide + step, size, turn, side), axis=1)
    by_size, by_turn = np.empty_like(by_wide), np.empty_like(by_wide)
    near = size < RAY_HALF
    for pick in (np.nonzero(~near)[0], np.nonzero(near)[0]):
        if not len(pick):
            continue
        m, e, p, s = wide[pick], size[pick], turn[pick], side[pick]
        if not near[pick[0]]:
            by_size[:, pick] = np.sum(middle * at(m, e + step, p, s), axis=1)
            by_turn[:, pick] = np.sum(middle * at(m, e, p + step, s), axis=1) / e
            continue
        place = e / RAY_HALF - 1.0
        along = _weights(place, RAY_NODES, 1) / RAY_HALF
        by_size[:, pick] = np.sum(along * at(m, ray, p, s), axis=1)
        fan = at(m, ray[:, None], p + step[None], s)
        bend = np.sum(middle[None] * fan, axis=2) / ray
        by_turn[:, pick] = np.sum(_weights(place, RAY_NODES, 0) * bend, axis=1)
    by_unlike = by_size * np.cos(turn) - by_turn * np.sin(turn)
    by_angle = side * (by_size * np.sin(turn) + by_turn * np.cos(turn))
    found = []
    for k in (0, 1):
        first, second = by_wide[k] + by_unlike[k], by_wide[k] - by_unlike[k]
        parts = first / (2.0 * x), by_angle[k], second / (2.0 * y)
        found.append(tuple(v.reshape(shape) for v in parts))
    edge = root == 0.0
    along = -by_angle * np.where(edge, 0.0, 1.0) / np.where(edge, 1.0, root)
    return *found, tuple(v.reshape(shape) for v in along)


def side_slopes(values: Callable[[Array], Any], q: Array) -> tuple[Array, Array]:
    """Slopes of (K, derivative dual) for u = v, in q."""
    places = q * np.exp(HALF * _rule(NODES)[0][:, None])
    both = np.array(values(places.ravel())).reshape((2, *places.shape))
    found = np.sum(_middle()[:, None] * both, axis=1) / q
    return found[0], found[1]
