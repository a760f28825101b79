r"""An activation on a half-line, written so that it continues to a sector without cuts.

Equal on the half-line, so equal wherever both are analytic on a connected region:
$\log(1+e^g) = g + \log(1+e^{-g})$ and
$\tanh\log(1+e^g) = 1 - 2E^2/((1+E)^2+E^2)$ with $E = e^{-g}$, where g grows; the principal
logarithm of $1+e^g$ has a cut inside every sector, its right-hand side has none.
"""

from __future__ import annotations

from sympy import Expr, Integer, Pow, exp, log, tanh

from ....symbols import x
from .spectrum import Shape


def sides(shape: Shape) -> list[tuple[Expr, int]]:
    """`(expression, sign)` for sign x >= 0: the shape on both half-lines.

    `shape` has at most one kink, at 0.
    """
    from ....verify.functions.pieces import split
    from ....verify.functions.removable import continued_pieces

    pieces = continued_pieces(split(shape.expr))
    ends = [(pieces[-1].expr, 1), (pieces[0].expr, -1)]
    out = []
    for expr, sign in ends:
        known = tame(expr, sign)
        out.append((known.diff(x) if shape.slope else known, sign))
    return out


def tame(expr: Expr, sign: int) -> Expr:
    """The expression for sign x >= 0 without logarithms that meet their cut near the half-line."""
    found = expr.replace(
        lambda e: isinstance(e, tanh) and isinstance(e.args[0], log),
        lambda e: _tanh_log(e.args[0].args[0], sign),
    )
    return found.replace(lambda e: isinstance(e, log), lambda e: _log(e.args[0], sign))


def _grown(inside: Expr, sign: int) -> Expr | None:
    """The function g where the argument is 1 + exp(g) with g linear and growing on this side."""
    c, rest = inside.as_independent(x, as_Add=True)
    if c != 1 or not isinstance(rest, exp):
        return None
    g = rest.args[0]
    slope = g.diff(x)
    return g if slope.is_number and (slope * sign).is_positive else None


def _tanh_log(inside: Expr, sign: int) -> Expr:
    g = _grown(inside, sign)
    if g is None:
        return Integer(1) - 2 / (inside**2 + 1)
    small = exp(-g)
    return Integer(1) - 2 * small**2 * Pow((1 + small) ** 2 + small**2, -1)


def _log(inside: Expr, sign: int) -> Expr:
    g = _grown(inside, sign)
    return log(inside) if g is None else g + log(1 + exp(-g))
