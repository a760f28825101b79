"""The definition by mpmath quadrature: a second opinion that proves nothing.

Its error figure is the difference of two grids: an estimate, no bound.  A verdict that rests on it
says `sampled`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import mpmath
import sympy as sp
from mpmath.calculus.quadrature import GaussLegendre
from sympy import Expr
from sympy.core.relational import Relational

from ..activation import Activation
from ..errors import Undecided
from ..functions import Phi
from ..symbols import x
from .balls import Number, with_values
from .functions.pieces import Piece, derivative, split
from .law import Law, exact


@dataclass(frozen=True, slots=True)
class Sample:
    """A value without proof.

    Attributes:
        value: an `mpmath.mpf` of a private context.
        estimate: the difference of two grids; not a bound.
        digits: the digits the quadrature worked with.
    """

    value: Any
    estimate: Any
    digits: int

    def __str__(self) -> str:
        return (
            f"{mpmath.nstr(self.value, self.digits)} (estimated error {float(self.estimate):.1e})"
        )


def sample_definition(
    expr: Expr | Activation,
    q11: Number,
    q12: Number,
    q22: Number,
    *,
    params: Mapping[Any, Number] | None = None,
    digits: int = 15,
    derivative_ae: bool = False,
    means: tuple[Number, Number] = (0, 0),
    other: Expr | Activation | None = None,
) -> Sample:
    r"""$E[s(u)g(v)]$ (g = s by default) by nested quadrature, split at the kinks; not rigorous.

    A product rule on panels, cut at about 9 deviations for 15 digits and further for more.

    Raises:
        BadCovariance: not positive semi-definite.
        Undecided: a function that mpmath is not taught here, or kinks that cannot be located.
    """
    law = Law(exact(means[0]), exact(means[1]), exact(q11), exact(q12), exact(q22))
    first = split(with_values(expr, params or {}))
    second = first if other is None else split(with_values(other, params or {}))
    if derivative_ae:
        first, second = derivative(first), derivative(second)
    ctx: Any = mpmath.mp.clone()
    ctx.dps = digits + 5
    value, error = _product_rule(ctx, first, second, law)
    return Sample(value, error, digits)


def _number(ctx: Any, q: Any) -> Any:
    return ctx.mpf(int(q.numer())) / int(q.denom())


def _product_rule(
    ctx: Any, f: tuple[Piece, ...], g: tuple[Piece, ...], law: Law
) -> tuple[Any, Any]:
    """The value of the finer of two Gauss-Legendre grids, and their difference."""
    degree = 4 if ctx.dps <= 20 else 5 + int(ctx.dps > 40)
    rule = GaussLegendre(ctx)
    fine, coarse = (
        _nested(ctx, f, g, law, rule.calc_nodes(d, ctx.prec)) for d in (degree, degree - 1)
    )
    return fine, abs(fine - coarse) + ctx.eps


def _nested(ctx: Any, f: tuple[Piece, ...], g: tuple[Piece, ...], law: Law, rule: Any) -> Any:
    m1, m2, a, c, b = (_number(ctx, q) for q in (law.m1, law.m2, law.q11, law.q12, law.q22))
    left, right = _callable(ctx, f), _callable(ctx, g)
    kinks_f = [value_at(ctx, p.hi, ctx.zero) for p in f[:-1] if p.hi is not None]
    kinks_g = [value_at(ctx, p.hi, ctx.zero) for p in g[:-1] if p.hi is not None]
    slope = c / ctx.sqrt(a) if a else ctx.zero
    rest = ctx.sqrt(max(b - slope * slope, 0))
    whole = None if kinks_g else _grid(ctx, [], rule)

    def inner(mean: Any) -> Any:
        if not rest:
            return right(mean)
        grid = whole or _grid(ctx, [(k - mean) / rest for k in kinks_g], rule)
        return ctx.fsum(w * right(mean + rest * z) for z, w in grid)

    if not a:
        return left(m1) * inner(m2)
    root = ctx.sqrt(a)
    cuts = [(k - m1) / root for k in kinks_f] + [(k - m2) / slope for k in kinks_g if slope]
    grid = _grid(ctx, cuts, rule)
    return ctx.fsum(w * left(m1 + root * t) * inner(m2 + slope * t) for t, w in grid)


def _grid(ctx: Any, cuts: list[Any], rule: Any) -> list[tuple[Any, Any]]:
    """Nodes and weights times the normal density, in panels of width three at most."""
    far = ctx.sqrt(2 * (ctx.dps - 2) * ctx.log(10))
    density = 1 / ctx.sqrt(2 * ctx.pi)
    ends = [-far, *sorted(c for c in cuts if -far < c < far), far]
    out = []
    for lo, hi in pairwise(ends):
        count = int((hi - lo) / 3) + 1
        half = (hi - lo) / (2 * count)
        for i in range(count):
            centre = lo + half * (2 * i + 1)
            for t, w in rule:
                z = centre + half * t
                out.append((z, half * w * density * ctx.exp(-z * z / 2)))
    return out


def _callable(ctx: Any, pieces: tuple[Piece, ...]) -> Callable[[Any], Any]:
    ends = [value_at(ctx, p.hi, ctx.zero) for p in pieces[:-1] if p.hi is not None]

    def evaluate(t: Any) -> Any:
        index = sum(1 for e in ends if t > e)
        return value_at(ctx, pieces[index].expr, t)

    return evaluate


def value_at(ctx: Any, expr: Any, t: Any) -> Any:
    """A SymPy expression in `x` at x = t, in an mpmath context, by its own small evaluator."""
    if expr == x:
        return t
    if isinstance(expr, sp.Rational):
        return ctx.mpf(int(expr.p)) / int(expr.q)
    if expr is sp.pi:
        return +ctx.pi
    if expr is sp.E:
        return ctx.e
    args = [value_at(ctx, a, t) for a in expr.args if not isinstance(a, Relational)]
    if isinstance(expr, sp.Add):
        return ctx.fsum(args)
    if isinstance(expr, sp.Mul):
        return ctx.fprod(args)
    if isinstance(expr, sp.Pow):
        return args[0] ** args[1]
    if isinstance(expr, Phi):
        return ctx.ncdf(args[0])
    name = type(expr).__name__
    if name in _NAMES:
        return getattr(ctx, name)(*args)
    raise Undecided(f"no sampling for the function {name}")


_NAMES = frozenset(
    (
        *("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sech", "csch"),
        *("asin", "acos", "atan", "asinh", "acosh", "atanh", "erf", "erfc", "erfi"),
    )
)
