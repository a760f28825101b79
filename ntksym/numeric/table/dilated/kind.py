"""Which activations have dilates in a plane: s(tx) = t^p (f(x) + g(x) log t)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sympy import Expr, Integer, Symbol, expand, expand_log, log

from ....errors import Undecided
from ....symbols import x

_Y = Symbol("y", positive=True)


def applies(expr: Expr) -> bool:
    """Whether s(tx) = t^p (f(x) + g(x) log t), g not zero."""
    return power_of(expr) is not None


@lru_cache(maxsize=64)
def power_of(expr: Expr) -> Expr | None:
    """The power p: both half lines are sums of c x^p and c x^p log|x|, and there is a logarithm."""
    from ....verify.functions.pieces import split

    if not expr.has(log):
        return None
    try:
        pieces = split(expr)
    except Undecided:
        return None
    if len(pieces) != 2 or pieces[0].hi != 0:
        return None
    found: set[tuple[Expr, int]] = set()
    for piece, side in zip(pieces, (-_Y, _Y), strict=True):
        for term in _terms(piece, side):
            kind = _kind(term)
            if kind is None:
                return None
            found.add(kind)
    powers = {p for p, _ in found}
    return powers.pop() if len(powers) == 1 and any(k == 1 for _, k in found) else None


def sides_of(expr: Expr, power: Expr) -> tuple[tuple[Expr, Expr], ...]:
    """For x < 0 and for x > 0 the numbers (c, d) of c |x|^p + d |x|^p log|x|."""
    from ....verify.functions.pieces import split

    out = []
    for piece, side in zip(split(expr), (-_Y, _Y), strict=True):
        level, logs = Integer(0), Integer(0)
        for term in _terms(piece, side):
            if term.has(log(_Y)):
                logs += term / log(_Y) / _Y**power
            else:
                level += term / _Y**power
        out.append((level, logs))
    return tuple(out)


def polynomial_of(expr: Expr) -> Expr | None:
    """The number c where g = c x^p is a polynomial, else None; `power_of` gives p."""
    power = power_of(expr)
    if power is None or not (power.is_Integer and power > 0):
        return None
    (_, left), (_, right) = sides_of(expr, power)
    return right if left == (-1) ** int(power) * right else None


def _terms(piece: Any, side: Expr) -> tuple[Expr, ...]:
    """The terms of a piece on one half line, in |x|."""
    whole = expand(expand_log(expand(piece.expr.subs(x, side))))
    return () if whole == 0 else tuple(whole.as_ordered_terms())


def _kind(term: Expr) -> tuple[Expr, int] | None:
    """(p, k) of c y^p log(y)^k, k at most 1."""
    _, rest = term.as_independent(_Y, as_Add=False)
    power: Expr = Integer(0)
    logs = 0
    for factor in rest.args if rest.is_Mul else (rest,):
        base, exponent = factor.as_base_exp()
        if base == _Y and exponent.is_Rational:
            power += exponent
        elif factor == log(_Y):
            logs += 1
        elif factor != 1:
            return None
    return (power, logs) if logs <= 1 else None
