r"""Denominators with exponentials, divided by the one that grows fastest on each side of 0.

On a wide box far out $e^x + e^{-3x}$ is a ball that contains 0; $1 + e^{-4x}$ is not, for x > 0.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod

import sympy as sp
from sympy import Expr

from ...symbols import x
from .pieces import Piece

_MOST_TERMS = 64


@lru_cache(maxsize=64)
def sided(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The same function, cut at 0 and rewritten where that helps; else the very same pieces."""
    out: list[Piece] = []
    for piece in pieces:
        if not any(_mixed(p) for p in piece.expr.atoms(sp.Pow)):
            out.append(piece)
        elif piece.lo is None and piece.hi is None:
            zero = sp.Integer(0)
            out.append(Piece(None, zero, _divided(piece.expr, -1)))
            out.append(Piece(zero, None, _divided(piece.expr, 1)))
        elif piece.lo is None and (piece.hi is not None and piece.hi.is_nonpositive):
            out.append(Piece(None, piece.hi, _divided(piece.expr, -1)))
        elif piece.hi is None and (piece.lo is not None and piece.lo.is_nonnegative):
            out.append(Piece(piece.lo, None, _divided(piece.expr, 1)))
        else:
            out.append(piece)
    return tuple(out) if tuple(out) != pieces else pieces


def _mixed(p: Expr) -> bool:
    return bool(p.exp.is_negative and isinstance(p.base, sp.Add) and _rates(p.base))


def _rates(e: Expr) -> list[Expr]:
    """The rates k of the terms with e^(k x)."""
    found = []
    for term in sp.Add.make_args(e):
        rate = _rate(term)
        if rate is not None and rate != 0:
            found.append(rate)
    return found


def _rate(term: Expr) -> Expr | None:
    """The sum of the rates of the exponentials of a product; None where one is not linear."""
    total: Expr = sp.Integer(0)
    for f in sp.Mul.make_args(term):
        if isinstance(f, sp.exp):
            k = (f.args[0] / x).expand()
            if k.has(x) or not k.is_Rational:
                return None
            total += k
    return total


def _divided(e: Expr, side: int) -> Expr:
    """With every such denominator divided by its fastest exponential, products expanded."""
    if not e.has(x) or not e.args:
        return e
    args = [_divided(a, side) for a in e.args]
    if isinstance(e, sp.Pow) and _mixed(e):
        rates = [k for k in _rates(e.base) if k * side > 0]
        if rates:
            top = max(rates, key=lambda k: k * side)
            inner = sp.Add(*(_term(t, -top) for t in sp.Add.make_args(e.base)))
            return sp.exp(-top * x * -e.exp) * inner**e.exp
    if isinstance(e, sp.Mul):
        sums = [a for a in args if isinstance(a, sp.Add) and _rates(a)]
        whole = sp.Mul(*(a for a in args if a not in sums))
        rate = _rate(sp.Mul(*(f for f in sp.Mul.make_args(whole) if isinstance(f, sp.exp))))
        if sums and rate and prod(len(a.args) for a in sums) <= _MOST_TERMS:
            rest = sp.Mul(*(f for f in sp.Mul.make_args(whole) if not isinstance(f, sp.exp)))
            flat = sp.Add.make_args(sp.expand_mul(sp.Mul(*sums)))
            return rest * sp.Add(*(_term(t, rate) for t in flat))
        return whole * sp.Mul(*sums)
    return e.func(*args)


def _term(t: Expr, rate: Expr) -> Expr:
    """The term times e^(rate x), exponentials gathered."""
    rest = sp.Mul(*(f for f in sp.Mul.make_args(t) if not isinstance(f, sp.exp)))
    own = _rate(t)
    if own is None:
        return t * sp.exp(rate * x)
    return rest * sp.exp((own + rate) * x)
