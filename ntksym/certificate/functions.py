"""What a certificate records of one function: pieces, slopes, jumps and a growth bound."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import sympy as sp
from flint import arb, fmpq
from sympy import Expr

from ..errors import Undecided
from ..symbols import x
from ..verify.definition import Factor, factor
from ..verify.evaluate import constant, sign_of
from ..verify.functions.growth import Growth, growth_of
from ..verify.functions.pieces import Piece, split
from ..verify.safe import Divergent
from .numbers import ball_of, outward, power_above, text
from .parts import Side
from .trees import tree

ONE = Side((Piece(None, None, x**0),), Growth(arb(1), 0, arb(0), arb(0)))
"""The function 1."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A function: for its definition, for its panels, and for the file."""

    factor: Factor
    side: Side
    record: dict[str, Any]


def recorded(expr: Expr, *, slope: bool, masses: bool) -> Recorded:
    """The function of x, or its derivative, with everything that a certificate says about it.

    Raises:
        Undecided, BadActivation: as `verify.definition.factor` and `growth_of`; a function that
            certificates do not know.
    """
    pieces = split(expr)
    try:
        found = factor(expr, derivative=slope, distributional=masses)
    except Divergent as error:
        if not masses:
            raise
        raise Undecided(
            f"{error.what}: d/dq12 is then that of the density, for which certificates have no rule"
        ) from None
    bound, rows = _growth(found.pieces)
    record: dict[str, Any] = {
        "breaks": [tree(p.hi) for p in pieces[:-1]],
        "pieces": [tree(p.expr) for p in pieces],
        "growth": rows,
    }
    if slope:
        record["slopes"] = [tree(p.expr) for p in found.pieces]
    if slope and masses:
        record["jumps"] = [
            tree((after.expr - before.expr).subs(x, before.hi))
            for before, after in pairwise(pieces)
        ]
    return Recorded(found, Side(found.pieces, bound), record)


def _growth(pieces: tuple[Piece, ...]) -> tuple[Growth, list[Any]]:
    """A bound 2^e exp(b|t| + a t^2) with short b and a, a little above the proved one."""
    g = growth_of(pieces)
    if not g.c.is_finite():
        raise Undecided(
            "certificates know functions that are finite and smooth up to their kinks: not |x|^p "
            "and log|x|, nor what has them in it"
        )
    b, a = g.b.max(arb(0)), g.a
    step = Fraction(1, 4)
    up = [outward(float(v.upper()), Fraction(1, 1024), 1) if not v <= 0 else None for v in (b, a)]
    rate = Fraction(0) if up[0] is None else up[0]
    quad = up[1] if up[1] is not None else Fraction(0)
    if a < 0 and a.rad() < arb(2) ** -20:  # decay: rounded up, still below zero if it can be
        quad = min(Fraction(0), outward(float(a.upper()), Fraction(1, 1024), 1))
    if g.k:
        rate += step * max(1, g.k)
    wide = Growth(g.c, g.k, b, a).exponential(ball_of(step * max(1, g.k)))
    e = power_above(wide.c, 3)
    final = Growth(arb(2) ** e, 0, ball_of(rate), ball_of(quad))
    return final, [e, text(rate), text(quad)]


def merged(f: tuple[Piece, ...], g: tuple[Piece, ...], slope: Any, shift: Any) -> tuple[Piece, ...]:
    """The pieces of f(x) g(k x + c) for rational k != 0 and c."""
    k, c = (_rational(v) for v in (slope, shift))
    moved = [Piece(_back(p.lo, k, c), _back(p.hi, k, c), p.expr.subs(x, k * x + c)) for p in g]
    if k < 0:
        moved = [Piece(p.hi, p.lo, p.expr) for p in reversed(moved)]
    out = []
    i = j = 0
    low: Expr | None = None
    while True:
        order = _order(f[i].hi, moved[j].hi)
        high = f[i].hi if order <= 0 else moved[j].hi
        out.append(Piece(low, high, f[i].expr * moved[j].expr))
        if high is None:
            return tuple(out)
        i, j, low = i + (order <= 0), j + (order >= 0), high


def _rational(value: Any) -> sp.Rational:
    q = fmpq(value)
    return sp.Rational(int(q.numer()), int(q.denom()))


def _back(end: Expr | None, k: sp.Rational, c: sp.Rational) -> Expr | None:
    return None if end is None else (end - c) / k


def _order(a: Expr | None, b: Expr | None) -> int:
    if a is None or b is None:
        return 0 if a is b else (1 if a is None else -1)
    return sign_of(constant(a - b, {}))


def one() -> Factor:
    """The function 1 as a factor."""
    return Factor(sp.Integer(1), (Piece(None, None, sp.Integer(1)),))
