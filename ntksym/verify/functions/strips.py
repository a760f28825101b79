"""Upper bounds of |f| on complex rectangles and ellipses, by covering them with boxes.

A finite value of `f(box, analytic=True)` proves that f is analytic on the box and bounds it there.
All functions are real on the real line, so that the upper half is enough (reflection).
"""

from __future__ import annotations

from typing import Any

from flint import acb, arb

from ..safe import Integrand, in_time

_DEPTH = 7
COVER_BITS = 64
_LARGE = 2.0**30
"""A bound this far above the value inside is worth a cut."""


def _span(lo: Any, hi: Any) -> Any:
    return lo.union(hi)


def rectangle(func: Integrand, lo: Any, hi: Any, height: Any, depth: int = _DEPTH) -> Any | None:
    """The supremum of |f| on [lo, hi] x i[0, height], or None if f may be singular there."""
    return _box(func, lo, hi, arb(0), height, depth)


def _box(func: Integrand, lo: Any, hi: Any, low: Any, high: Any, depth: int) -> Any | None:
    in_time()
    value = func(acb(_span(lo, hi), _span(low, high)), True)
    if value.is_finite():
        size = abs(value).upper()
        if depth == 0 or not size > _LARGE:
            return size
        # exp(-exp(z)) on a wide box: a bound without any use, although the function is small
        top = high.mid()
        for at in ((lo + hi) / 2, lo, hi):
            if not size > _LARGE * (1 + abs(func(acb(at.mid(), top), False))).upper():
                return size
    if depth == 0:
        return None
    if (hi - lo).mid() > (high - low).mid():
        mid = ((lo + hi) / 2).mid()
        halves = ((lo, mid, low, high), (mid, hi, low, high))
    else:
        mid = ((low + high) / 2).mid()
        halves = ((lo, hi, low, mid), (lo, hi, mid, high))
    most = arb(0)
    for half in halves:
        part = _box(func, *half, depth - 1)
        if part is None:
            return None
        most = most.max(part)
    return most


def strip(func: Integrand, lo: Any, hi: Any, height: Any, columns: int) -> Any | None:
    """`rectangle`, cut into columns first."""
    most, width = arb(0), (hi - lo) / columns
    for i in outward(lo, width, columns):
        part = rectangle(func, lo + i * width, lo + (i + 1) * width, height, 6)
        if part is None:
            return None
        most = most.max(part)
    return most


def outward(lo: Any, width: Any, columns: int) -> list[int]:
    """The numbers of columns, those near 0 first: where there are singularities they are there."""
    places = [abs(float((lo + (2 * i + 1) * width / 2).mid())) for i in range(columns)]
    return sorted(range(columns), key=places.__getitem__)


def ellipse(func: Integrand, centre: Any, semi: Any, height: Any, fat: Any = 0) -> Any | None:
    """The supremum of |f| on an ellipse, thickened by `fat` along the real axis.

    `semi` and `height` are the semi-axes.  The ellipse is covered by eight columns.
    """
    most, columns = arb(0), 8
    for i in range(columns):
        left, right = arb(2 * i - columns) / columns, arb(2 * i + 2 - columns) / columns
        near = min(abs(2 * i - columns), abs(2 * i + 2 - columns))
        top = height * (1 - (arb(near) / columns) ** 2).sqrt()
        part = rectangle(func, centre + semi * left - fat, centre + semi * right + fat, top, 5)
        if part is None:
            return None
        most = most.max(part)
    return most
