r"""Real zeros of a smooth function, isolated with proof, where they cannot be written down.

Far out the sign is proved by ranges, by the signs of derivatives, or by leading terms; in between,
intervals are cut until the function, or its derivative, does not vanish on them.  A multiple zero
is found only at a few rational points, where it is tested exactly: section 2 of the lemmas.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import ceil, inf, prod
from typing import Any

import sympy as sp
from flint import acb, arb, fmpq
from sympy import Expr

from ...errors import BadActivation, Undecided
from ...precision import precision
from ...symbols import x
from ..evaluate import ball, constant, function, real_ball
from ..safe import Endless, in_time
from .beyond import far_sign
from .isolated import Isolated
from .ranges import Range, range_of
from .turns import turning

_POINTS = tuple(Fraction(n, 4) for n in range(-16, 17))
_FAR = tuple(2**k for k in range(11))
_NEAR = 16
"""Beyond, values may be too small for their signs: leading terms first, with a nearer place."""
_LARGEST = 150
"""Operations of a function whose derivatives are looked at far out: they get long."""
_ORDER = 6
_PARTS = 4000
_SHORT_END = 2**64
"""Ends with longer denominators are bounds of an irrational kink."""
_FINEST = 8192
"""Bits for zeros 4 exp(-900) apart, as those of erf(x) - cos(x) near 20 pi."""
_CUT = Fraction(503, 1000)
"""Not one half: a zero at a midpoint would leave its sign open."""
_DIGITS = 16
_FIRST = 128
"""Bits of the first Newton steps."""
_MOST_STEPS = 400
_SPENT = 8
"""A step with so few bits less than twice those of the radius gains no more."""


@lru_cache(maxsize=256)
def isolated_zeros(g: Expr, lo: Fraction | None, hi: Fraction | None) -> tuple[Expr, ...]:
    """All zeros in the closed interval, as numbers: rational ones, or `Isolated`.

    Raises:
        Undecided: infinitely many, or they cannot be separated.
    """
    with precision(192):
        left = -_beyond(g.subs(x, -x), g, None if hi is None else -hi) if lo is None else lo
        right = _beyond(g, g, lo) if hi is None else hi
        left, right = _clear(g, left, -1), _clear(g, right, 1)
        found: list[Expr] = []
        holes: list[tuple[Fraction, Fraction]] = []
        for c in sorted({*_POINTS, left, right}):
            if left <= c <= right and (width := _alone(g, c)) is not None:
                found.append(sp.Rational(c))
                holes.append((c - width, c + width))
        spans, start = [], left
        for a, b in holes:
            if start < a:
                spans.append((start, a))
            start = max(start, b)
        if start < right:
            spans.append((start, right))
        work = len(spans)
        while spans:
            in_time()
            a, b = spans.pop()
            zero = _only(g, a, b)
            if isinstance(zero, bool):
                pair = None if zero else turning(g, *_slopes(g), (a, b), narrowed)
                found += pair or ()
                if not zero and pair is None:
                    mid = _between(a, b)
                    spans += [(a, mid), (mid, b)]
                    work += 2
                    if work > _PARTS:
                        raise Undecided(f"cannot separate the zeros of {g} near x = {float(a):.6g}")
                continue
            found.append(zero)
    return tuple(found)


def _between(a: Fraction, b: Fraction) -> Fraction:
    """A place near the middle with few digits beyond those of the width: they cost time."""
    width = b - a
    unit = Fraction(2) ** (width.numerator.bit_length() - width.denominator.bit_length() - _DIGITS)
    return round((a + width * _CUT) / unit) * unit


def _clear(g: Expr, end: Fraction, side: int) -> Fraction:
    """The end, or one a little further out where it is so near a zero that its sign is open."""
    if end.denominator <= _SHORT_END:
        return end
    far = end + side * Fraction(1, 2**48)
    value = _over(g, min(end, far), max(end, far))
    return far if value.is_finite() else end


def _rational(c: Fraction) -> Any:
    return fmpq(c.numerator, c.denominator)


def _sign(g: Expr, at: Fraction) -> int:
    """The sign of g at a rational point, or 0 where it is zero or open."""
    place = sp.Rational(at)
    try:
        value = real_ball(constant(g, {x: constant(place, {})}))
    except BadActivation:
        raise BadActivation(f"{g} is not real at x = {float(at):.6g}") from None
    return 1 if value > 0 else -1 if value < 0 else 0


def definite(g: Expr, start: Fraction, depth: int) -> int:
    """The sign of g on [start, oo), or 0: by its range, or g(start) and g' have one sign."""
    if not g.has(x):
        return _sign(g, start)
    if isinstance(g, (sp.exp, sp.cosh, sp.sech)):
        return 1
    if isinstance(g, sp.Pow) and g.exp.is_Rational and (sign := definite(g.base, start, depth)):
        return sign ** int(g.exp.p) if g.exp.is_Integer else sign if sign > 0 else 0
    if isinstance(g, sp.Mul):
        signs = [definite(a, start, depth) for a in g.args]
        if all(signs):
            return prod(signs)
    bounds = range_of(g, Range(start, inf))
    if bounds.lo > 0 or bounds.hi < 0:
        return 1 if bounds.lo > 0 else -1
    if depth == 0 or (slope := _slope(g)) is None or not (sign := _sign(g, start)):
        return 0
    return sign if definite(slope, start, depth - 1) == sign else 0


@lru_cache(maxsize=512)
def _slope(g: Expr) -> Expr | None:
    """The derivative, kept: signs are looked for from several places on.  None where g is long."""
    return None if g.count_ops() > _LARGEST else sp.factor_terms(sp.diff(g, x))


def _definite_beyond(g: Expr, places: list[int]) -> int | None:
    forms = dict.fromkeys((g, sp.expand(g), sp.factor_terms(g)))
    for far in places:
        for form in forms:
            if definite(form, Fraction(far), 3):
                return far
    return None


def _beyond(g: Expr, shown: Expr, least: Fraction | None) -> Fraction:
    """A number, at least `least`, beyond which g has no zero: before, g may not be real."""
    start = 1 if least is None else max(1, ceil(least))
    places = [far for far in _FAR if far >= start] or [start * far for far in _FAR[:4]]
    near = [far for far in places if far <= _NEAR]
    found = _definite_beyond(g, near)
    if found is None:
        found = next((far for far in places if far_sign(g, far)), None)
    if found is None:
        found = _definite_beyond(g, [far for far in places if far > _NEAR])
    if found is not None:
        return Fraction(found)
    raise Endless(
        f"cannot locate the kinks where {shown} = 0: there may be infinitely many",
        hint="an activation with finitely many kinks: max(sin(x), 0) has one at every n*pi",
    )


def _over(g: Expr, a: Fraction, b: Fraction) -> Any:
    """A ball of g over [a, b]."""
    with precision(96):
        box = arb(_rational(a)).union(arb(_rational(b)))
        return function(g, x)(acb(box), False).real


def _alone(g: Expr, c: Fraction) -> Fraction | None:
    """A width around an exact zero c of g in which there is no other; None where g(c) != 0."""
    point, slope = sp.Rational(c), g
    for order in range(_ORDER + 1):
        value = constant(slope, {x: constant(point, {})})
        open_ = bool(ball(value).contains(0))
        if not open_ or (getattr(value, "sign", None) != 0 and slope.subs(x, point) != 0):
            if order == 0 or open_:
                return None
            width = Fraction(1)
            for _ in range(40):
                if _without_zero(_over(slope, c - width, c + width)):
                    return width
                width /= 2
            return None
        slope = sp.diff(slope, x)
    return None


def _without_zero(value: Any) -> bool:
    return bool(value.is_finite() and not value.contains(0))


def _only(g: Expr, a: Fraction, b: Fraction) -> bool | Expr:
    """The one zero in [a, b]; True where there is none; False where that is open."""
    value = _over(g, a, b)
    if _without_zero(value):
        return True
    if not value.is_finite():  # a ball reaches beyond an end where g has a root; a range does not
        bounds = range_of(g, Range(a, b))
        if bounds.lo > 0 or bounds.hi < 0:
            return True
    if not _without_zero(_over(_derivative(g), a, b)):
        return False
    first, last = _sign(g, a), _sign(g, b)
    if first * last > 0:
        return True
    return Isolated(g, a, b) if first * last < 0 else False


def _slopes(g: Expr) -> tuple[Expr, Expr]:
    slope = _derivative(g)
    return slope, _derivative(slope)


@lru_cache(maxsize=64)
def _derivative(g: Expr) -> Expr:
    """Kept: one function may have hundreds of zeros."""
    return sp.diff(g, x)


@lru_cache(maxsize=8192)
def narrowed(g: Expr, a: Fraction, b: Fraction, bits: int) -> Any:
    """A ball of the only zero of g in [a, b], where g' does not vanish, to about 2^-bits."""
    with precision(bits + 16):
        whole = arb(_rational(a)).union(arb(_rational(b)))
        if _close(whole, bits):  # the signs at such ends took more bits than are asked for here
            return whole
    steps = (bits + 64, 4 * bits, _FINEST // 8, _FINEST // 4, _FINEST // 2, _FINEST)
    for more in (16, *sorted(steps)):  # where g' is small, zeros are less known
        found = _newton(g, a, b, bits + more)
        if _close(found, bits):
            break
    return found


def _close(found: Any, bits: int) -> bool:
    return bool(found.rad() < arb(2) ** (8 - bits) * (1 + abs(found)))


def _newton(g: Expr, a: Fraction, b: Fraction, bits: int) -> Any:
    """The same by interval Newton steps, or halves where these gain nothing, until neither does.

    The digits double from step to step, and so do the bits that steps are made with.
    """
    with precision(bits):
        here = arb(_rational(a)).union(arb(_rational(b)))
    now = min(_FIRST, bits)
    for _ in range(_MOST_STEPS):
        new = _step(g, here, now)
        if new is None or not new.rad() < here.rad() * arb("0.75"):
            new = _half(g, here, now, _sign(g, a))
        if new is None and now == bits:
            break
        here = here if new is None else new
        if new is None or here.rad() < arb(2) ** (_SPENT - now // 2):
            now = min(2 * now, bits)
    return here


def _step(g: Expr, here: Any, bits: int) -> Any | None:
    """An interval Newton step; None where the slope may be 0."""
    with precision(bits):
        mid = here.mid()
        slope = function(_derivative(g), x)(acb(here), False).real
        step = mid - function(g, x)(acb(mid), False).real / slope
        return here.intersection(step) if step.is_finite() else None


def _half(g: Expr, here: Any, bits: int, first: int) -> Any | None:
    """The half with the zero, by the sign in the middle; `first` is that on the left."""
    with precision(bits):
        mid = here.mid()
        value = function(g, x)(acb(mid), False).real
        if not (value > 0 or value < 0):
            return None
        half = mid.union(here.upper() if (value > 0) == (first > 0) else here.lower())
        return half if half.rad() < here.rad() * arb("0.75") else None
