"""How closed forms behave at extreme variances, found by evaluating their terms."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from sympy import Add, Expr, Rational

from .. import symbols as S
from .build import Builder
from .program import Program

LOST = 32.0
"""A closed form whose terms are at most so many times its value is left alone."""
_DPS = 15
_VALUE = Rational(3, 4)
_ENTRIES = (S.q11, S.q12, S.q22)
_LARGEST = 300


def loses(e: Expr, variance: Fraction) -> bool:
    """Whether the terms of a sum are much larger than the sum, at variances of about this size.

    Parameters are set to numbers: the order of the cancellation does not depend on them.
    """
    b = Builder(tuple(s.name for s in _ENTRIES))
    terms = tuple((f"t{k}", b.operand(t)) for k, t in enumerate(Add.make_args(_plain(e))))
    if len(terms) == 1:
        return False
    ctx = _context()
    values = b.program("terms", terms).evaluate(_point(variance, ctx), ctx).values()
    total = abs(sum(values, ctx.zero))
    return bool(sum((abs(v) for v in values), ctx.zero) > LOST * total)


def overflows(exprs: tuple[Expr, ...], variance: Fraction) -> bool:
    """Whether an intermediate number of the programs leaves the range of doubles there."""
    b = Builder(tuple(s.name for s in _ENTRIES))
    ends = tuple((f"t{k}", b.operand(_plain(e))) for k, e in enumerate(exprs))
    p = b.program("lines", ends)
    every = tuple((let.name, let.name) for let in p.body)
    ctx = _context()
    values = Program("lines", p.args, p.body, every).evaluate(_point(variance, ctx), ctx).values()
    return any(v != 0 and abs(ctx.mag(v)) > _LARGEST * 3.32 for v in values)


def rounds_exponents(exprs: tuple[Expr, ...], variance: Fraction) -> bool:
    """Whether exponentials that grow meet tails: their exponents lose digits in proportion to q."""
    b = Builder(tuple(s.name for s in _ENTRIES))
    ends = tuple((f"t{k}", b.operand(_plain(e))) for k, e in enumerate(exprs))
    lines = b.program("lines", ends).body
    found = [let.args[0] for let in lines if let.op in ("expPhi", "expPhi2")]
    exponents = tuple((f"e{k}", a) for k, a in enumerate(found))
    ctx = _context()
    values = b.program("exponents", exponents).evaluate(_point(variance, ctx), ctx).values()
    return any(v > LOST for v in values)


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
