r"""Bounds $|g(t)| \le c + b|t| + at^2$ of an exponent, where logarithms count as little as they do.

A bound $c\,(1+|t|)^k$ has one constant for its size and for its growth, of which the exponential
makes a rate: that of $|x|\log|x|$ would be a Gaussian.  The tangent at T - 1,
$\log(1+t) \le \log T - 1 + (1+t)/T$, leaves 1/T of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
from flint import arb

from ...symbols import x
from ..evaluate import constant, real_ball
from .ranges import Range, as_arb, range_of
from .rates import Growth

_T = 2048
Bound = tuple[Any, Any, Any]
"""c, b, a."""


def exponent(g: Any, domain: Range, grow: Callable[[Any, Range], Growth]) -> Bound | None:
    """The bound on the domain, by `grow` of the parts; None where there is none of degree two.

    Raises:
        as `grow`.
    """
    zero = arb(0)
    if not g.has(x):
        return abs(real_ball(constant(g, {}), g)), zero, zero
    if g == x:
        return zero, arb(1), zero
    bounds = range_of(g, domain)
    if bounds.finite:
        return as_arb(bounds.magnitude), zero, zero
    if isinstance(g, (sp.Add, sp.Mul)):
        found = [exponent(a, domain, grow) for a in g.args]
        total: Bound | None = found[0]
        for part in found[1:]:
            if total is None or part is None:
                return None
            total = _sum(total, part) if isinstance(g, sp.Add) else _product(total, part)
        return total
    if isinstance(g, sp.log) and len(g.args) == 1:
        return _logarithm(g.args[0], domain, grow)
    inner = grow(g, domain)
    if inner.k > 2 or not (inner.b <= 0 and inner.a <= 0):
        return None
    c = inner.c
    return ((c, zero, zero), (c, c, zero), (c, 2 * c, c))[inner.k]


def _logarithm(h: Any, domain: Range, grow: Callable[[Any, Range], Growth]) -> Bound | None:
    least = range_of(h, domain).lo
    if not least > 0:
        return None
    inner, zero = grow(h, domain), arb(0)
    slow = arb(_T).log() - 1 + arb(1) / _T
    c = abs(as_arb(least).log()) + (inner.c + 1).log() + inner.k * slow
    return c, inner.b.max(zero) + arb(inner.k) / _T, inner.a.max(zero)


def _sum(p: Bound, q: Bound) -> Bound:
    return p[0] + q[0], p[1] + q[1], p[2] + q[2]


def _product(p: Bound, q: Bound) -> Bound | None:
    if not (p[1] * q[2] == 0 and p[2] * q[1] == 0 and p[2] * q[2] == 0):
        return None
    return p[0] * q[0], p[0] * q[1] + p[1] * q[0], p[0] * q[2] + p[1] * q[1] + p[2] * q[0]
