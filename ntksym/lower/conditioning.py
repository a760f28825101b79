"""How closed forms behave at extreme variances, found by evaluating their terms."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import exp, log, pi, sqrt
from typing import Any

from sympy import Add, Expr, Rational

from .. import symbols as S
from .build import Builder
from .ops import OPS
from .program import Operand, Program

LOST = 32.0
"""A closed form whose terms are at most so many times its value is left alone."""
_DPS = 15
_VALUE = Rational(3, 4)
_ENTRIES = (S.q11, S.q12, S.q22)
_LARGEST = 300
_NOTHING = 1000
"""Terms below two to minus this are no doubles: tails far from every kink lose nothing there."""
_DROP, _FAR, _STEPS = 40.0, 40.0, 400
_STEEP, _FLAT = 1e12, 1e-100


def loses(e: Expr, variance: Fraction, most: float = LOST) -> bool:
    """Whether the terms of a sum are more than `most` times the sum, at variances of this size.

    Parameters are set to numbers: the order of the cancellation does not depend on them.
    """
    terms = Add.make_args(_plain(e))
    if len(terms) == 1:
        return False
    b, ends = _built(terms)
    ctx = _context()
    values = _roughly(b.program("terms", ends), _point(variance, ctx), ctx)
    total, sizes = abs(sum(values, ctx.zero)), sum((abs(v) for v in values), ctx.zero)
    return bool(sizes > most * total and sizes > ctx.ldexp(1, -_NOTHING))


def overflows(exprs: tuple[Expr, ...], variance: Fraction, *, tiny: bool = True) -> bool:
    """Whether an intermediate number of the programs leaves the range of doubles there.

    Without `tiny` only numbers that are too large count.
    """
    b, ends = _built(tuple(map(_plain, exprs)))
    p = b.program("lines", ends)
    every = tuple((let.name, let.name) for let in p.body)
    ctx = _context()
    values = Program("lines", p.args, p.body, every).evaluate(_point(variance, ctx), ctx).values()
    sizes = (ctx.mag(v) for v in values if v != 0)
    return any((abs(m) if tiny else m) > _LARGEST * 3.32 for m in sizes)


def rounds_exponents(exprs: tuple[Expr, ...], variance: Fraction) -> bool:
    """Whether exponentials that grow meet tails: their exponents lose digits in proportion to q."""
    b, ends = _built(tuple(map(_plain, exprs)))
    lines = b.program("lines", ends).body
    found = [let.args[0] for let in lines if let.op in ("expPhi", "expPhi2")]
    exponents = tuple((f"e{k}", a) for k, a in enumerate(found))
    ctx = _context()
    values = b.program("exponents", exponents).evaluate(_point(variance, ctx), ctx).values()
    return any(v > LOST for v in values)


@lru_cache(maxsize=16)
def _built(exprs: tuple[Expr, ...]) -> tuple[Builder, tuple[tuple[str, Operand], ...]]:
    """Lines for the expressions, which are asked for at several variances, and their values."""
    b = Builder(tuple(s.name for s in _ENTRIES))
    return b, tuple((f"t{k}", b.operand(e)) for k, e in enumerate(exprs))


def _roughly(p: Program, at: dict[str, Any], ctx: Any) -> list[Any]:
    """The outputs, `expPhi2` to a few digits of it: a tenth of a second for each of them else."""
    values = dict(at)

    def value(a: Operand) -> Any:
        return values[a] if isinstance(a, str) else ctx.mpf(a.numerator) / a.denominator

    for let in p.body:
        meaning = _tail if let.op == "expPhi2" else OPS[let.op].meaning
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


def _plain(e: Expr) -> Expr:
    free = sorted(e.free_symbols - set(_ENTRIES), key=lambda s: s.name)
    return e.xreplace({s: -_VALUE if s.is_negative else _VALUE for s in free})


def _context() -> Any:
    from mpmath import MPContext

    ctx = MPContext()
    ctx.dps = _DPS
    return ctx


def _point(variance: Fraction, ctx: Any) -> dict[str, Any]:
    at = {"q11": variance, "q12": variance / 3, "q22": 2 * variance}
    return {k: ctx.mpf(v.numerator) / v.denominator for k, v in at.items()}
