r"""Up to which variance slopes of nearly parallel pairs in doubles are right, beside many digits.

Of such pairs $\partial_{q_{11}}$ at a fixed angle is $E[u\,s'(u)s(v)]/(2q_{11})$, which closed
forms have as a difference of $E[s''(u)s(v)]/2$ and $E[s'(u)s'(v)]/2$: where s turns on a scale that
is small beside the standard deviation (waves, bells, the widths of smooth kinks), the two cancel to
the square of that ratio, and rounding of q12 counts as much.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import Array
from .compiled import Run
from .layers import SCALED, SMOOTH, Layer
from .sound import LOST

OCTAVES = range(3, 62, 2)
"""Standard deviations that are tried, as powers of two."""
SINE = 0.05
"""Pairs of a smaller one are nearly parallel."""
APART = 1e-7, 0.5
"""The standard deviation of u - v, or of u + v."""
UNLIKE = 0.4
"""The difference of the standard deviations, in units of that."""
ROUNDED = 2.0**-51
"""What rounding of the covariance does to the square of the root, in units of its square."""
DIGITS = 60
SLOW = "expPhi2"
"""An operation that many digits take seconds for."""


def parallel_up_to(layer: Layer, closed: Layer, run: Run, later: bool) -> float:
    """The variance up to which slopes in the variances and in parameters are right to `LOST`.

    Args:
        layer: in doubles.
        closed: the same as closed forms alone (`layers_of`), for many digits; where those take
            seconds a pair, nothing is measured.
        run: the arithmetic of doubles.
        later: whether there are layers before, so that the covariance is a rounded one.
    """
    if layer.kind == SCALED or any(let.op == SLOW for let in closed.pair.body):
        return inf
    from mpmath import MPContext

    ctx = MPContext()
    for octave in OCTAVES:
        r = 2.0**octave
        if r * r > layer.most:
            break
        ctx.dps = DIGITS + int(4 * log2(r))
        for apart in APART:
            if any(_error(ctx, run, layer, closed, (r, apart, s), later) > LOST for s in (1, -1)):
                return (r / 4.0) ** 2
    return inf


def _error(
    ctx: Any, run: Run, layer: Layer, closed: Layer, place: tuple[float, float, int], later: bool
) -> float:
    """What slopes of one pair are off by: those at a fixed angle and in the angle in units of the
    kernels over the variances, those in parameters in units of the kernels over these.
    """
    r, apart, sign = place
    x, y, root = r * r, (r + UNLIKE * apart) ** 2, r * apart
    exact = _given(ctx, closed, (ctx.mpf(x), ctx.mpf(y), ctx.mpf(root)), sign)
    try:
        right = closed.pair.evaluate(exact, ctx)
    except (ZeroDivisionError, ValueError, OverflowError):
        return inf
    with np.errstate(all="ignore"):
        at = {k: np.array([float(v)]) for k, v in exact.items()}
        if later and layer.kind == SMOOTH:  # which forms the root from its covariance
            at["root"] = np.sqrt(at["root"] ** 2 + (ROUNDED * at["q12"]) * at["q12"])
        given = run(layer.pair, at | layer.values)
        found = {k: float(np.ravel(v)[0]) for k, v in given.items()}
    units = [
        ctx.sqrt(abs(closed.side.evaluate({"q": q, "t12": q, **layer.values}, ctx)[k]))
        for k in "nt"
        for q in (ctx.mpf(x), ctx.mpf(y))
    ]
    most = 0.0
    for k, unit in zip("nt", (units[0] * units[1], units[2] * units[3]), strict=True):
        pairs = []
        for label, q in (("x", x), ("y", y)):
            slopes = []
            for o, c, kind in (
                (right, exact["q12"], closed.kind),
                (found, float(at["q12"][0]), layer.kind),
            ):
                slope = o.get(f"{k}_{label}", 0)
                if kind == SMOOTH:
                    slope = slope + o.get(f"{k}_q", 0) * (c / (2 * q))
                slopes.append(slope)
            pairs.append((*slopes, q))
        for name in layer.params:
            ends = (o.get(f"{k}_of_{name}", 0) for o in (right, found))
            pairs.append((*ends, abs(layer.values[name])))
        if layer.kind == SMOOTH and right.get(f"{k}_q"):  # finite, but large where s turns fast
            turns = [o.get(f"{k}_q", 0) for o in (right, found)]
            size = min(x, unit / abs(turns[0]))
            pairs.append((*turns, size))
        for first, second, scale in pairs:
            error = float(abs(first - float(second)) * scale / unit)
            if not error <= most:  # NaN too
                most = error if error == error else inf
    return most


def _given(ctx: Any, closed: Layer, place: tuple[Any, Any, Any], sign: int) -> dict[str, Any]:
    """`layers.PAIR` and the parameters of a pair with these variances and this root."""
    x, y, root = place
    ends = [closed.side.evaluate({"q": q, "t12": q, **closed.values}, ctx)["n"] for q in (x, y)]
    c = sign * ctx.sqrt(x * y - root * root)
    given = {"q11": x, "q12": c, "q22": y, "root": root, "t12": c}
    given |= {"diff": ctx.sqrt(x) - ctx.sqrt(y), "n11": ends[0], "n22": ends[1]}
    given |= {"r11": ctx.sqrt(x), "r22": ctx.sqrt(y)}
    given |= {"s11": ctx.sqrt(ends[0]), "s22": ctx.sqrt(ends[1])}
    return given | closed.values


def larger(levels: Sequence[Array], most: float) -> NDArray[np.bool_]:
    """The pairs of which a variance is larger."""
    found: NDArray[np.bool_] = (levels[0] > most)[:, None] | (levels[-1] > most)[None, :]
    return found


def nearly_parallel(a: Array, b: Array) -> NDArray[np.bool_]:
    """The pairs of rows of a (n, d) and b (m, d) of a sine below `SINE`."""
    x, y = (v / np.sqrt(np.sum(v * v, axis=1))[:, None] for v in (a, b))
    cosine = x @ y.T
    found: NDArray[np.bool_] = 1.0 - cosine * cosine < SINE * SINE
    return found
