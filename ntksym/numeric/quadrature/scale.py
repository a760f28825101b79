r"""Lower bounds of $E[s(u)^2]$ over a range of variances: what a relative error divides by."""

from __future__ import annotations

from math import ceil, log
from typing import Any

from ..patience import check
from .subject import BITS, Curve

_RATIO, _STEP = 1.12, 1.5
_NEAR, _FAR = 1 / 32, 5.0


def least_square(curve: Curve, low: Any, high: Any) -> Any:
    r"""A number at most $\min_{q \in [low, high]} E[s(u)^2]$, u ~ N(0, q) (`arb`); 0 if low is 0.

    s^2 is bounded from below on intervals of u, their probabilities on intervals of q.
    """
    from flint import arb

    from ...precision import precision
    from ..arith import ball

    with precision(BITS):
        if low == 0:
            return arb(0)
        lo, hi = ball(low), ball(high)
        tiles = _tiles(curve, float(lo.sqrt().mid()) * _NEAR, float(hi.sqrt().mid()) * _FAR)
        count = max(1, ceil(log(float((hi / lo).upper())) / log(_STEP)))
        least, root2 = arb("inf"), arb(2).sqrt()
        for i in range(count):
            check()
            devs = [(lo * (hi / lo) ** (arb(k) / count)).sqrt() for k in (i, i + 1)]
            devs[1] = devs[1].max(devs[0])
            total = arb(0)
            for a, b, size in tiles:  # as a function of q a probability rises, then falls
                ends = [(a / (d * root2)).erfc() - (b / (d * root2)).erfc() for d in devs]
                total += size * ends[0].min(ends[1]).lower().max(arb(0)) / 2
            least = least.min(total)
        return least.lower().max(arb(0))


def _tiles(curve: Curve, near: float, far: float) -> list[tuple[Any, Any, Any]]:
    """(a, b, lower bound of s(t)^2 + s(-t)^2 on [a, b]) for intervals of t > 0."""
    from flint import arb

    out, a = [], near
    while a < far:
        check()
        b = a * _RATIO
        size = _square(curve, arb(a), arb(b)) + _square(curve, arb(-b), arb(-a))
        out.append((arb(a), arb(b), size.lower()))
        a = b
    return out


def _square(curve: Curve, left: Any, right: Any) -> Any:
    """A lower bound of s^2 on [left, right]; 0 where a kink is inside."""
    from flint import acb, arb

    from ...symbols import x
    from ...verify.evaluate import function

    for piece in curve.pieces:
        lo, hi = piece.ends()
        if (lo is None or left >= lo) and (hi is None or right <= hi):
            func, least = function(piece.expr, x), arb("inf")
            width = (right - left) / 4
            for i in range(4):
                tile = (left + width * i).union(left + width * (i + 1))
                value = func(acb(tile), False)
                if not value.is_finite():
                    return arb(0)
                least = least.min(value.real.abs_lower() ** 2)
            return least.lower()
    return arb(0)
