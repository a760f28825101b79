r"""The exponential factors of functions, taken into the law: $e^x/(1 + x^2)$ where u is far out.

With $f = e^{bx}F$, $g = e^{cx}G$, $\beta = (b, c)$ and means $\mu$, completing the square gives
$$E_\mu[f(u) g(v)] = e^{\beta\mu + \beta\Sigma\beta/2}\,E_{\mu + \Sigma\beta}[F(u) G(v)],$$
whose integrand is large where the density is; that of the left side is at many deviations from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import sympy as sp
from flint import acb, arb, fmpq
from sympy import Expr, Rational

from ...symbols import x
from ..evaluate import function
from ..functions.isolated import Continued
from ..functions.pieces import Piece
from ..law import Law
from ..size import size_of, sizes_of
from .oned import pick

_FAR = 4
"""Squared deviations by which the mean of a variable moves, at least."""
_LITTLE = 10
"""Powers of ten below the largest that the integrand may be where the mean moves to."""


@dataclass(frozen=True, slots=True)
class Tilted:
    """E[f(u) g(v)] under another law, and what it is to be multiplied by."""

    f: tuple[Piece, ...]
    g: tuple[Piece, ...]
    law: Law
    front: Any


def tilted(f: tuple[Piece, ...], g: tuple[Piece, ...], law: Law) -> Tilted | None:
    """The expectation without the exponential factors; None where there are none that matter.

    Of a function with kinks the factor is that of the end of the line where it grows.
    """
    b, c = _rate(f), _rate(g)
    if b is None or c is None:
        return None
    first, second = _exact(b), _exact(c)
    move = law.q11 * first + law.q12 * second, law.q12 * first + law.q22 * second
    if move[0] ** 2 < _FAR * law.q11 and move[1] ** 2 < _FAR * law.q22:
        return None
    there = Law(law.m1 + move[0], law.m2 + move[1], law.q11, law.q12, law.q22)
    exponent = first * (law.m1 + move[0] / 2) + second * (law.m2 + move[1] / 2)
    one, two = _without(f, b), _without(g, c)
    here = _largest(one, there.m1, law.q11) * _largest(two, there.m2, law.q22)
    if not here * arb(exponent).exp() > arb(10) ** (sum(sizes_of(f, g, law)) - _LITTLE):
        return None  # another factor, as exp(-x^2) or exp(-exp(x)), leaves nothing there
    power, other = size_of(one, there.m1, law.q11), size_of(two, there.m2, law.q22)
    front = arb(exponent).exp() * arb(10) ** (power + other)
    return Tilted(_scaled(one, power), _scaled(two, other), there, front)


def _rate(pieces: tuple[Piece, ...]) -> Rational | None:
    """The b of the factor e^(b x), 0 where there is none; None where both ends of the line grow."""
    left, right = _factor(pieces[0].expr, -1), _factor(pieces[-1].expr, 1)
    if left < 0 < right:
        return None
    return right if right > 0 else left if left < 0 else sp.Integer(0)


def _factor(expr: Expr, side: int) -> Rational:
    """The rational b for which an expression is about e^(b x) at that end of the line."""
    if isinstance(expr, sp.exp):
        rate = sp.diff(expr.args[0], x)
        return rate if rate.is_Rational else sp.Integer(0)
    if isinstance(expr, Continued):
        return _factor(expr.args[1], side) - _factor(expr.args[2], side)
    if isinstance(expr, sp.Mul):
        return sp.Add(*(_factor(part, side) for part in expr.args))
    if isinstance(expr, sp.Add):
        return side * max(side * _factor(term, side) for term in expr.args)
    if isinstance(expr, sp.Pow) and expr.exp.is_Rational:
        return expr.exp * _factor(expr.base, side)
    return sp.Integer(0)


def _without(pieces: tuple[Piece, ...], rate: Rational) -> tuple[Piece, ...]:
    if rate == 0:
        return pieces
    side = 1 if rate > 0 else -1
    return tuple(replace(p, expr=_divided(p.expr, rate, side)) for p in pieces)


def _divided(expr: Expr, rate: Rational, side: int) -> Expr:
    """The expression over e^(rate x), which is taken into the sums and roots that have it."""
    if rate != 0 and isinstance(expr, sp.Add):
        return sp.Add(*(_divided(term, rate, side) for term in expr.args))
    if rate != 0 and isinstance(expr, sp.Pow) and expr.exp.is_Rational:
        if own := _factor(expr, side):
            inner = _divided(expr.base, own / expr.exp, side)  # the base and e^(b x) are positive
            return inner**expr.exp * sp.exp((own - rate) * x)
    if rate != 0 and isinstance(expr, sp.Mul):
        parts = [(part, _factor(part, side)) for part in expr.args]
        rest = rate - sp.Add(*(own for _, own in parts))
        return sp.Mul(*(_divided(part, own, side) for part, own in parts)) * sp.exp(-rest * x)
    if rate != 0 and isinstance(expr, Continued):
        written, above, *below = expr.args
        return Continued(_divided(written, rate, side), _divided(above, rate, side), *below)
    return expr * sp.exp(-rate * x)


def _largest(pieces: tuple[Piece, ...], mean: Any, variance: Any) -> Any:
    """A bound from below of the largest size near the mean."""
    most = arb(0)
    for k in (-1, 0, 1):
        at = (arb(mean) + arb(variance).sqrt() * k / 2).mid()
        value = abs(function(pick(pieces, at).expr, x)(acb(at), False))
        most = most.max(value.lower()) if value.is_finite() else most
    return most


def _scaled(pieces: tuple[Piece, ...], power: int) -> tuple[Piece, ...]:
    front = sp.Integer(10) ** -power
    return tuple(replace(p, expr=p.expr * front) for p in pieces)


def _exact(value: Rational) -> Any:
    return fmpq(int(value.p), int(value.q))
