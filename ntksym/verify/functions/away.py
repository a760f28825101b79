r"""A proof that a smooth function stays away from zero where its range alone does not show it.

Far out by ranges, or by signs: $|g| \ge |g(T)|$ beyond T where g(T) and g' beyond T have one sign.
In between by boxes, cut until none meets zero: section 3 of the lemmas.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import inf

import sympy as sp
from flint import acb
from sympy import Expr

from ...precision import precision
from ...symbols import x
from ..evaluate import constant, function, real_ball
from ..safe import in_time
from .ranges import Range, as_arb, lower, range_of, upper
from .roots import definite

_FAR = tuple(Fraction(2**k) for k in range(11))
_BOXES = 4000
_SWITCHES = (sp.Abs, sp.sign, sp.Heaviside, sp.Max, sp.Min)
"""Beyond the reach of `split` they are still there, and have no second derivative."""


@lru_cache(maxsize=256)
def bounds_away(g: Expr, domain: Range) -> Range | None:
    """A range [m, oo] or [-oo, -m], m > 0, that contains g on the domain; None where not shown."""
    with precision(128):
        parts: list[Range] = []
        left, right = domain.lo, domain.hi
        if left == -inf:
            found = _tail(
                g.subs(x, -x), Fraction(0) if right == inf else max(-Fraction(right), Fraction(0))
            )
            if found is None:
                return None
            parts.append(found[1])
            left = -found[0]
        if right == inf:
            found = _tail(g, max(Fraction(left), Fraction(0)))
            if found is None:
                return None
            parts.append(found[1])
            right = found[0]
        if left < right:
            middle = _boxes(g, Fraction(left), Fraction(right))
            if middle is None:
                return None
            parts.append(middle)
        if all(p.lo > 0 for p in parts):
            return Range(min(p.lo for p in parts), inf)
        return Range(-inf, max(p.hi for p in parts)) if all(p.hi < 0 for p in parts) else None


def _tail(g: Expr, least: Fraction) -> tuple[Fraction, Range] | None:
    """(T, range of g on [T, oo)) with the range away from zero, T at least `least`."""
    for far in _FAR:
        start = max(far, least)
        for form in (g, sp.expand(g), sp.factor_terms(g)):
            bounds = range_of(form, Range(start, inf))
            if bounds.lo > 0 or bounds.hi < 0:
                return start, bounds
            if g.has(*_SWITCHES):
                continue
            value = real_ball(constant(form.subs(x, sp.Rational(start)), {}))
            slope = definite(sp.factor_terms(sp.diff(form, x)), start, 3)
            if slope > 0 and value > 0:
                return start, Range(lower(value), inf)
            if slope < 0 and value < 0:
                return start, Range(-inf, upper(value))
    return None


def _boxes(g: Expr, left: Fraction, right: Fraction) -> Range | None:
    """The range on [left, right] over boxes, where none meets zero."""
    func, rise = function(g, x), None
    if not g.has(*_SWITCHES):
        rise = function(sp.diff(g, x), x)
    spans, most = [(left, right)], _BOXES
    low = high = None
    while spans:
        in_time()
        a, b = spans.pop()
        most -= 1
        box, mid = as_arb(a).union(as_arb(b)), (a + b) / 2
        value, point = func(acb(box), False).real, func(acb(as_arb(mid)), False).real
        if rise is not None and (
            not value.is_finite() or value.contains(0)
        ):  # the mean value theorem: exp(x) - x - 1
            value = point + rise(acb(box), False).real * (box - as_arb(mid))
        if value.is_finite() and not value.contains(0):
            here = Range(lower(value), upper(value))
            low = here.lo if low is None or here.lo < low else low
            high = here.hi if high is None or here.hi > high else high
            continue
        if most < 0 or not point.is_finite() or point.contains(0):
            return None
        spans += [(a, mid), (mid, b)]
    assert low is not None and high is not None
    return Range(low, high)
