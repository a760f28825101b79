"""The range of a smooth expression on an interval that may be infinite: outer bounds.

Endpoints are exact fractions or an infinity; every rounding goes outwards.  Only used for
inequalities (a denominator that stays away from zero, an exponent that is bounded), so it may be
wide, but never too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import inf
from typing import Any

import sympy as sp
from flint import arb

from ...dyadic import fraction
from ...functions import Phi
from ...precision import precision
from ...symbols import x
from ..evaluate import constant, real_ball

End = Fraction | float
"""A fraction, or an infinity (the only floats that occur)."""


@dataclass(frozen=True, slots=True)
class Range:
    """The closed interval [lo, hi]."""

    lo: End
    hi: End

    @property
    def finite(self) -> bool:
        """Whether both ends are finite."""
        return self.lo != -inf and self.hi != inf

    @property
    def magnitude(self) -> End:
        """The supremum of the absolute value."""
        low = -self.lo if self.lo < 0 else self.lo
        high = -self.hi if self.hi < 0 else self.hi
        return high if high > low else low


LINE = Range(-inf, inf)
HALF_PI = Fraction(11, 7) - Fraction(1, 1000)
"""A little below a right angle."""
_TURN = Fraction(44, 7)


def lower(value: Any) -> Fraction:
    """A fraction below the `arb`."""
    return fraction(value.lower())


def upper(value: Any) -> Fraction:
    """A fraction above the `arb`."""
    return fraction(value.upper())


def as_arb(end: End) -> Any:
    """A finite endpoint as an `arb`."""
    f = Fraction(end)
    return arb(f.numerator) / f.denominator


def _add(a: End, b: End) -> End:
    if isinstance(a, float) or isinstance(b, float):
        return a if isinstance(a, float) else b
    return a + b


def _mul(a: End, b: End) -> End:
    if a == 0 or b == 0:
        return Fraction(0)
    if isinstance(a, float) or isinstance(b, float):
        return inf if (a > 0) == (b > 0) else -inf
    return a * b


def add(p: Range, q: Range) -> Range:
    """The range of a sum."""
    return Range(_add(p.lo, q.lo), _add(p.hi, q.hi))


def times(p: Range, q: Range) -> Range:
    """The range of a product."""
    low = high = _mul(p.lo, q.lo)
    for end in (_mul(p.lo, q.hi), _mul(p.hi, q.lo), _mul(p.hi, q.hi)):
        low, high = (end if end < low else low), (end if end > high else high)
    return Range(low, high)


def power(p: Range, n: int) -> Range:
    """The range of an integer power, n >= 1."""
    if n % 2:
        return Range(_power_end(p.lo, n), _power_end(p.hi, n))
    small = Fraction(0) if p.lo <= 0 <= p.hi else (p.lo if p.lo > 0 else -p.hi)
    return Range(_power_end(small, n), _power_end(p.magnitude, n))


def _power_end(a: End, n: int) -> End:
    if isinstance(a, float):
        return inf if a > 0 or n % 2 == 0 else -inf
    return a**n


def inverse(p: Range) -> Range:
    """The range of 1/p; the whole line when p meets zero."""
    if p.lo < 0 < p.hi or p.lo == p.hi == 0:
        return LINE
    if p.lo == 0:
        return Range(_inverse_end(p.hi), inf)
    if p.hi == 0:
        return Range(-inf, _inverse_end(p.lo))
    return Range(_inverse_end(p.hi), _inverse_end(p.lo))


def _inverse_end(a: End) -> End:
    return Fraction(0) if isinstance(a, float) else 1 / a


# name -> (value at -oo, value at +oo) of the increasing functions of the whole line
_INCREASING: dict[type, tuple[str, float | str, float | str]] = {
    sp.tanh: ("tanh", -1.0, 1.0),
    sp.erf: ("erf", -1.0, 1.0),
    sp.sinh: ("sinh", -inf, inf),
    sp.asinh: ("asinh", -inf, inf),
    sp.atan: ("atan", -2.0, 2.0),
    sp.exp: ("exp", 0.0, inf),
}


def _increasing(name: str, p: Range, low: float, high: float) -> Range:
    def end(a: End, limit: float, side: Any) -> End:
        if isinstance(a, float):
            return limit if abs(limit) == inf else Fraction(limit)
        if abs(a) > 10**6:  # far out: the limit bounds the value, and large balls are avoided
            limit = low if side is lower else high
            return limit if abs(limit) == inf else Fraction(limit)
        return side(getattr(as_arb(a), name)())  # type: ignore[no-any-return]

    lo, hi = end(p.lo, low if p.lo < 0 else high, lower), end(p.hi, high, upper)
    if isinstance(p.hi, float) and p.hi < 0:
        hi = low if abs(low) == inf else Fraction(low)
    if lo == inf:
        lo = Fraction(0)
    if name == "exp":
        lo = max(lo, Fraction(0))
    return Range(lo, hi)


def range_of(expr: Any, domain: Range) -> Range:
    """Outer bounds of a smooth expression in `x` for x in `domain`; the line when unknown."""
    with precision(128):
        return _range(expr, domain)


@lru_cache(maxsize=8192)
def _range(expr: Any, domain: Range) -> Range:
    """At the precision of `range_of`; kept, as a function and its derivatives share their parts."""
    if expr == x:
        return domain
    if expr.is_Rational:  # exact: a root is real up to its zero at a rational kink
        exact = Fraction(int(expr.p), int(expr.q))
        return Range(exact, exact)
    if not expr.has(x):
        value = real_ball(constant(expr, {}), expr)
        return Range(lower(value), upper(value)) if value.is_finite() else LINE
    if isinstance(expr, (sp.Add, sp.Mul)) and _is_quadratic(expr):
        return _quadratic(expr, domain)
    if isinstance(expr, (sp.Add, sp.Mul)):
        total = _range(expr.args[0], domain)
        for a in expr.args[1:]:
            total = (add if isinstance(expr, sp.Add) else times)(total, _range(a, domain))
        return total
    if isinstance(expr, sp.Pow) and expr.exp.is_Rational:
        base = _range(expr.base, domain)
        n, d = abs(int(expr.exp.p)), int(expr.exp.q)
        if d != 1:
            base = _root(base, d)
        top = power(base, n)
        return inverse(top) if expr.exp.is_negative else top
    if isinstance(expr, sp.Pow):
        base = _range(expr.base, domain)
        if not base.lo > 0:
            return LINE
        return _increasing("exp", times(_range(expr.exp, domain), _log(base)), 0.0, inf)
    if isinstance(expr, (sp.sin, sp.cos)):
        return _wave("sin" if isinstance(expr, sp.sin) else "cos", _range(expr.args[0], domain))
    if isinstance(expr, sp.sign):
        return Range(Fraction(-1), Fraction(1))
    if isinstance(expr, sp.Heaviside):
        return Range(Fraction(0), Fraction(1))
    if isinstance(expr, (sp.Max, sp.Min)):  # kinks beyond the reach of `split` are still there
        pick, parts = (
            max if isinstance(expr, sp.Max) else min,
            [_range(a, domain) for a in expr.args],
        )
        return Range(pick(p.lo for p in parts), pick(p.hi for p in parts))
    if isinstance(expr, sp.Piecewise):
        parts = [_range(branch, domain) for branch, _ in expr.args]
        return Range(min(p.lo for p in parts), max(p.hi for p in parts))
    inner = _range(expr.args[0], domain) if expr.args else LINE
    if type(expr) in _INCREASING:
        name, low, high = _INCREASING[type(expr)]
        return _increasing(name, inner, float(low), float(high))
    if isinstance(expr, sp.tan) and inner.magnitude < HALF_PI:  # between two poles it increases
        return Range(lower(as_arb(inner.lo).tan()), upper(as_arb(inner.hi).tan()))
    if isinstance(expr, sp.Abs):
        return Range(max(inner.lo, -inner.hi, Fraction(0)), inner.magnitude)
    if isinstance(expr, sp.erfc):
        half = _increasing("erf", inner, -1.0, 1.0)
        return Range(max(Fraction(0), 1 - Fraction(half.hi)), 1 - Fraction(half.lo))
    if isinstance(expr, Phi):
        return Range(Fraction(0), Fraction(1))
    if isinstance(expr, sp.cosh):
        big = inner.magnitude
        return Range(Fraction(1), inf if big == inf else upper(as_arb(big).cosh()))
    if isinstance(expr, sp.sech):
        return Range(Fraction(0), Fraction(1))
    if isinstance(expr, (sp.asin, sp.acos)) and inner.magnitude <= 1:
        return Range(Fraction(-4), Fraction(4))
    if isinstance(expr, sp.log) and len(expr.args) == 1 and inner.lo >= 0:
        return _log(inner)
    return LINE


def _log(p: Range) -> Range:
    """The range of log, p.lo >= 0."""
    lo = lower(as_arb(p.lo).log()) if p.lo > 0 and p.lo != inf else -inf
    return Range(lo, upper(as_arb(p.hi).log()) if 0 < p.hi < inf else inf)


def _wave(name: str, p: Range) -> Range:
    """The range of the sine or the cosine: less than [-1, 1] on less than a turn."""
    low = high = Fraction(1)
    if p.finite and p.hi - p.lo < _TURN:
        value = getattr(as_arb(p.lo).union(as_arb(p.hi)), name)()
        low, high = -lower(value), upper(value)
    return Range(-min(low, Fraction(1)), min(high, Fraction(1)))


@lru_cache(maxsize=2048)
def _is_quadratic(expr: Any) -> bool:
    return bool(expr.is_polynomial(x)) and sp.degree(expr, x) == 2


def _root(p: Range, d: int) -> Range:
    if p.lo < 0:
        return LINE
    lo = Fraction(0) if p.lo == 0 else (inf if p.lo == inf else lower(as_arb(p.lo).root(d)))
    hi = Fraction(0) if p.hi == 0 else (inf if p.hi == inf else upper(as_arb(p.hi).root(d)))
    return Range(max(lo, Fraction(0)), hi)


def _quadratic(expr: Any, domain: Range) -> Range:
    """As a x^2 + b x + c = a (x + b/2a)^2 + c - b^2/4a, without the dependency loss."""
    a, b, c = sp.Poly(expr, x).all_coeffs()
    centre, rest = _range(b / (2 * a), domain), _range((c - b * b / (4 * a)).expand(), domain)
    return add(times(_range(a, domain), power(add(domain, centre), 2)), rest)
