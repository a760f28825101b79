r"""One range of variances for several layers: rules are built for it once, not for every layer.

The ranges of later layers follow from the first by the diagonal $K(q) = E[s(\sqrt q z)^2]$, here in
doubles: nothing depends on it but which range is asked for.  What decides how long building takes,
and whether a bound is proven, is the largest variance; smaller ones cost little more.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import log

import numpy as np
from sympy import Expr

from ...errors import Undecided, UnsupportedOp
from ...network.layers import Nonlinearity
from ...numeric.quadrature.floats import array_function
from ...numeric.table.bands.cross import MOST_BANDS, RATIOS
from ...verify.functions.pieces import split
from ..later import Range

CUTS = 128
"""Intervals in which the diagonal map is bounded."""
HIGHER = 1.5
"""The largest variance may be so many times that of the layer that asks first."""
_AHEAD = 8
"""Layers that are looked at; of deep networks the ranges settle."""
_WIDER = 5e-3
"""More than doubles are off by, also where s jumps."""
_BAND = log(RATIOS[0])
"""The logarithm of what a band of a table holds at most."""
_POINTS = 4001
_REACH = 12.0

Step = tuple[Nonlinearity, float, float]
"""A nonlinearity, and (a, b) of the variance a + b K(q) that the layer behind it has."""


def common_range(steps: Sequence[Step], span: Range) -> Range:
    """The range of the first step, or one that also holds those of later steps with the same
    nonlinearity, where building it once is likely to take less.

    Args:
        steps: of this layer and those behind it.
        span: the variances of the first, low < high.
    """
    first, spans, here = steps[0][0], [span], span
    for n, offset, slope in steps[:-1][:_AHEAD]:
        ends = diagonal_ends(n.with_numbers(), here)
        if ends is None:
            break
        here = offset + slope * ends[0], offset + slope * ends[1]
        if not 0.0 < here[0] < here[1] < float("inf"):
            break
        spans.append(here)
    same = [s for (n, _, _), s in zip(steps, spans, strict=False) if n == first]
    own = [s for s in same[1:] if not (span[0] <= s[0] and s[1] <= span[1])]
    for many in range(len(own), 0, -1):  # as many of them as one table may be for
        there = own[:many]
        low = min(span[0], *(s[0] * (1 - _WIDER) for s in there))
        high = max(span[1], *(s[1] * (1 + _WIDER) for s in there))
        if high > HIGHER * span[1] or log(high / low) > MOST_BANDS * _BAND:
            continue
        if _pairs((low, high)) <= sum(map(_pairs, (span, *there))):
            return low, high
    return span


def _pairs(span: Range) -> float:
    """About the work for a range: bands have polynomials in pairs."""
    return (1 + log(span[1] / span[0]) / _BAND) ** 2


def bounded(q: np.ndarray, k: np.ndarray) -> Range:
    """Bounds of K on a range from its values at these variances: see `layers`."""
    root = np.sqrt(q[1:] / q[:-1])
    return float(np.min(k[:-1] / root)), float(np.max(k[1:] * root))


@lru_cache(maxsize=64)
def diagonal_ends(expr: Expr, span: Range) -> Range | None:
    """About what `bounded` says of E[s(u)^2] on a range; None where doubles do not tell."""
    try:
        parts = [(p.ends()[1], array_function(p.expr, p.expr)) for p in split(expr)]
    except (UnsupportedOp, Undecided):
        return None
    ends = [float("inf") if end is None else float(end.mid()) for end, _ in parts]
    q = np.geomspace(span[0], span[1], CUTS + 1)
    z = np.linspace(-_REACH, _REACH, _POINTS)
    weight = np.exp(-z * z / 2)
    with np.errstate(all="ignore"):
        at = np.sqrt(q)[:, None] * z
        which = np.searchsorted(ends, at)
        values = np.empty_like(at)
        for k, (_, function) in enumerate(parts):
            values[which == k] = function(at[which == k])[0]
        found = bounded(q, values**2 @ (weight / weight.sum()))
    return found if np.isfinite(found).all() else None
