"""What is left of a function without truncated powers: its polynomial as one call, not as a sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sympy import Add, Expr, Rational

from ....symbols import x

if TYPE_CHECKING:
    from .spectrum import Shape

_MANY = 3
"""Fewer terms are as fast as they are written."""


def function_less(expr: Expr) -> Any:
    """`verify.evaluate.function` of the expression: powers of x - b, if there are many, by Horner.

    Constants are taken at the precision of this call.
    """
    from flint import acb, acb_poly

    from ....verify.evaluate import ball, constant, function

    found: dict[Expr, dict[int, Any]] = {}
    others = []
    for term in Add.make_args(expr):
        number, power = term.as_independent(x)
        base, j = power.as_base_exp()
        if power.is_number or not (j.is_Integer and j > 0) or (place := _centre(base)) is None:
            others.append(term)
            continue
        line = found.setdefault(place, {})
        line[int(j)] = line.get(int(j), acb(0)) + ball(constant(number, {}))
    if sum(map(len, found.values())) < _MANY:
        return function(expr, x)
    sums = []
    for place, line in found.items():
        where = None if place == 0 else ball(constant(place, {}))
        sums.append((where, acb_poly([line.get(j, acb(0)) for j in range(max(line) + 1)])))
    rest = function(Add(*others), x)

    def value(z: Any, analytic: bool) -> Any:
        total = rest(z, analytic)
        for place, polynomial in sums:
            total = total + polynomial(z if place is None else z - place)
        return total

    return value


def _centre(base: Expr) -> Expr | None:
    """The b of x - b, None for another function."""
    place = x - base
    return None if place.has(x) else place


def smooth(shape: Shape) -> tuple[Any, ...]:
    """The pieces of what is left without the truncated powers."""
    from ....verify.functions.pieces import Piece

    total: Expr = x * 0
    left = []
    jumps = {place: found for place, found in shape.kinks}
    for piece in shape.pieces:
        for j, d in enumerate(jumps.get(piece.lo, ())):
            total = total + Rational(d) * (x - piece.lo) ** j
        left.append(Piece(piece.lo, piece.hi, piece.expr - total))
    return tuple(left)


def powers_growth(shape: Shape) -> tuple[float, int]:
    """`(c, k)`: the truncated powers are together at most c (1 + |x|)^k."""
    total, most = 0.0, 0
    for place, jumps in shape.kinks:
        wide = 1 + float(abs(place_of(place)).upper())
        total += sum(abs(float(d)) * wide**j for j, d in enumerate(jumps))
        most = max(most, len(jumps) - 1)
    return total * (1 + 1e-9), most


def place_of(place: Expr) -> Any:
    """The place of a kink as a ball."""
    from flint import arb

    from ....verify.functions.pieces import number

    return arb(0) if place == 0 else number(place)
