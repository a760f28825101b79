"""How closed forms behave at extreme variances, found by evaluating their terms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from math import exp, log, pi, sqrt
from typing import Any

from sympy import Add, Expr, Rational, oo, zoo

from .. import symbols as S
from ..digits import digits
from .build import Builder
from .exponent import is_rest
from .ops import OPS
from .polynomial import is_polynomial
from .program import Operand, Program, live
from .waves import wave_sum

LOST = 32.0
"""A closed form whose terms are at most so many times its value is left alone."""
_DPS = 15
_VALUE = Rational(3, 4)
_ENTRIES = (S.q11, S.q12, S.q22)
_MOST_BITS = 996
_NOTHING = 1000
"""Terms below two to minus this are no doubles: tails far from every kink lose nothing there."""
OPPOSITE = Fraction(-4, 3)
"""A covariance over the smaller variance at which inputs are nearly opposite."""
_SLOPES = (Fraction(1, 3), Fraction(-1, 3), Fraction(4, 3), OPPOSITE)
"""Covariances over the smaller variance; correlations of 0.24 and 0.94."""
_DROP, _FAR, _STEPS = 40.0, 40.0, 400
_STEEP, _FLAT = 1e12, 1e-100


def loses(
    e: Expr, variance: Fraction, most: float = LOST, slope: Fraction = Fraction(1, 3)
) -> bool:
    """Whether the terms of a sum are more than `most` times the sum, at variances of this size.

    `slope` is the covariance over the smaller of the two variances, which are one and two.
    Parameters are set to numbers: the order of the cancellation does not depend on them.
    """
    e = _plain(e)
    terms = Add.make_args(e)
    if len(terms) == 1:
        return False
    b = _builder(e)
    ends = tuple((f"t{k}", b.operand(t)) for k, t in enumerate(terms))
    ctx = digits(_DPS)
    values = _roughly(b.program("terms", ends), _point(variance, ctx, slope), ctx)
    total, sizes = abs(sum(values, ctx.zero)), sum((abs(v) for v in values), ctx.zero)
    return bool(sizes > most * total and sizes > ctx.ldexp(1, -_NOTHING))


def sums_lose(e: Expr, own: Expr, variances: tuple[Fraction, ...], most: float) -> bool:
    """Whether the terms of a sum are more than `most` times the sum, at some of the variances.

    Where the sum changes its sign they must be so many times the size of the kernel, from the
    diagonal `own`, at some correlation; sums of waves and polynomials are not formed of the terms.
    """
    found = [v for v in variances if loses(e, v, most)]
    if not found or own in (oo, zoo):
        return bool(found)
    formed = wave_sum(e) is None and not is_polynomial(e)
    e, ctx = _plain(e), digits(_DPS)
    ends = tuple((f"t{k}", _builder(e).operand(t)) for k, t in enumerate(Add.make_args(e)))
    p = _builder(e).program("terms", ends)
    diagonal = _lines(own.xreplace({S.q: S.q11}))
    lost, signs = False, set()
    for v in found:
        sides = [_roughly(diagonal, _point(n * v, ctx), ctx)[0] for n in (1, 2)]
        values = [_roughly(p, _point(v, ctx, slope), ctx) for slope in _SLOPES]
        signs |= {sum(row, ctx.zero) > 0 for row in values}
        sizes = [sum((abs(t) for t in row), ctx.zero) for row in values]
        lost = lost or max(sizes) ** 2 > most**2 * sides[0] * sides[1]
    return len(signs) == 1 or (lost and formed)


def overflows(exprs: tuple[Expr, ...], variance: Fraction, *, tiny: bool = True) -> bool:
    """Whether an intermediate number of the programs leaves the range of doubles there.

    Without `tiny` only numbers that are too large count, else small ones of values that are not
    small themselves.  What rounding took away is 0 where the lines that form it leave the range.
    """
    ctx = digits(_DPS)
    for p in map(_lines, exprs):
        exact = tuple(replace(r, args=(Fraction(0),) * 4) if is_rest(r) else r for r in p.body)
        body = live(exact, p.outputs)
        every = (*((let.name, let.name) for let in body), *p.outputs)
        values = Program("lines", p.args, body, every).evaluate(_point(variance, ctx), ctx)
        sizes = [ctx.mag(v) for v in values.values() if v != 0]
        small = tiny and values["value"] != 0 and ctx.mag(values["value"]) > -_MOST_BITS
        if any((abs(m) if small else m) > _MOST_BITS for m in sizes):
            return True
    return False


def rounds_exponents(exprs: tuple[Expr, ...], variance: Fraction) -> bool:
    """Whether exponentials that grow meet tails: their exponents lose digits in proportion to q."""
    ctx = digits(_DPS)
    for p in map(_lines, exprs):
        found = [let.args[0] for let in p.body if let.op in ("expPhi", "expPhi2")]
        exponents = tuple((f"e{k}", a) for k, a in enumerate(found))
        kept = Program("exponents", p.args, live(p.body, exponents), exponents)
        if any(v > LOST for v in kept.evaluate(_point(variance, ctx), ctx).values()):
            return True
    return False


@lru_cache(maxsize=16)
def _builder(e: Expr) -> Builder:
    """Lines for an expression and its terms, which are asked for at several variances."""
    return Builder(tuple(s.name for s in _ENTRIES))


def _lines(e: Expr) -> Program:
    """The expression as one program."""
    b = _builder(_plain(e))
    return b.program("lines", (("value", b.operand(_plain(e))),))


def _roughly(p: Program, at: dict[str, Any], ctx: Any) -> list[Any]:
    """The outputs, orthants to a few digits of them: a tenth of a second for `expPhi2` else."""
    values = dict(at)

    def value(a: Operand) -> Any:
        return values[a] if isinstance(a, str) else ctx.mpf(a.numerator) / a.denominator

    for let in p.body:
        meaning = _ROUGH.get(let.op) or OPS[let.op].meaning
        values[let.name] = meaning(ctx, *map(value, let.args))
    return [value(a) for _, a in p.outputs]


def _tail(ctx: Any, a: Any, h: Any, k: Any, c: Any, s: Any, *lows: Any) -> Any:
    r"""exp(a)*Phi2 by the integral of `ops.expPhi2`, where it counts: in $w = y^2$ the exponent
    is $n/w + f w$, within `_DROP` of its least value between the roots of a quadratic.
    """
    if lows:
        h, k = h + lows[0], k + lows[1]
    if h + k > 0:
        low, high = (h, k) if h < k else (k, h)
        alone = ctx.exp(a) * ctx.erfc(-low / ctx.sqrt(2)) / 2
        return alone - _tail(ctx, a, low, -high, -c, s)
    if c == 0 and s == 0:
        s = ctx.one
    length = ctx.hypot(c, s)
    if c <= 0 and s == 0:
        return ctx.zero
    start = s / (length + c) if c > 0 else (length - c) / s
    near, far = (h - k) ** 2 / 8, (h + k) ** 2 / 8
    peak = max(start, ctx.sqrt(ctx.sqrt(near / far))) if far else start
    if not peak:
        peak = ctx.mpf(10) ** -13
    grown = near / peak**2, far * peak**2  # from here y is in units of the peak
    least = grown[0] + grown[1]
    if least > _STEEP:
        return OPS["expPhi2"].meaning(ctx, a, h, k, c, s, ctx.zero, ctx.zero)
    n, f, size = float(grown[0]), float(grown[1]), float(peak)
    low, high = max(log(start / peak), -_FAR) if start else -_FAR, _FAR
    if f > _FLAT:
        middle = (n + f + _DROP) / 2 / f
        end = middle + sqrt(max(middle * middle - n / f, 0.0))
        high = min(high, log(end) / 2)
        if n > _FLAT:
            low = max(low, log(n / f / end) / 2)
    total, step = 0.0, (high - low) / _STEPS
    for i in range(_STEPS + 1):  # Simpson's rule
        y = exp(low + i * step)
        fall = n * (1 - y * y) / (y * y) + f * (y * y - 1)
        weight = 1 if i in (0, _STEPS) else 4 if i % 2 else 2
        total += weight * y * exp(-fall) / (1 + (size * y) ** 2) if fall < 700 else 0.0
    scale = ctx.exp(a - (h * h + k * k) / 4 - least)
    return scale * peak * ctx.mpf(total * step / 3 / pi)


def _orthant(ctx: Any, h: Any, k: Any, c: Any, s: Any) -> Any:
    return _tail(ctx, ctx.zero, h, k, c, s)


_ROUGH: dict[str, Callable[..., Any]] = {"expPhi2": _tail, "Phi2": _orthant}


def _plain(e: Expr) -> Expr:
    free = sorted(e.free_symbols - set(_ENTRIES), key=lambda s: s.name)
    return e.xreplace({s: -_VALUE if s.is_negative else _VALUE for s in free})


def _point(variance: Fraction, ctx: Any, slope: Fraction = Fraction(1, 3)) -> dict[str, Any]:
    at = {"q11": variance, "q12": slope * variance, "q22": 2 * variance}
    return {k: ctx.mpf(v.numerator) / v.denominator for k, v in at.items()}
