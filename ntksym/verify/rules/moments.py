r"""The conditional mean $M(\mu) = E[g(v)]$, $v \sim N(\mu, s^2)$, closed and entire in $\mu$.

Written apart from the expectation engine, from the truncated moments of one normal variable: a
piece of g is a sum of $c\,v^n e^{\alpha v - \tau v^2/2}$, with or without one factor
$\Phi(av+b)$ (then on the whole line).  The recursions are proved in
`derivations/identities/enclosure.md`, section 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy as sp
from flint import acb, arb
from sympy import Expr

from ...functions import Phi
from ...symbols import x
from ..evaluate import ball, constant
from ..functions.pieces import Piece, number

Key = tuple[Expr, Expr, tuple[Expr, Expr] | None]
"""(alpha, tau, gate): exp(alpha v - tau v^2/2), and Phi(a v + b) for gate = (a, b)."""
Terms = dict[tuple[int, Key], Expr]
_MAX_TERMS = 64
_ONE: Key = (sp.S.Zero, sp.S.Zero, None)


def _times(p: Terms, q: Terms) -> Terms | None:
    out: Terms = {}
    for (n, (a, t, g)), c in p.items():
        for (m, (b, s, h)), d in q.items():
            if g is not None and h is not None:
                return None
            key = (n + m, ((a + b).expand(), (t + s).expand(), g or h))
            out[key] = out.get(key, sp.S.Zero) + c * d
    return out if len(out) <= _MAX_TERMS else None


def _plus(p: Terms, q: Terms) -> Terms:
    out = dict(p)
    for key, c in q.items():
        out[key] = out.get(key, sp.S.Zero) + c
    return out


@lru_cache(maxsize=256)
def terms_of(expr: Expr) -> Terms | None:
    """The expression as a sum of terms, or None when it is not one."""
    if not expr.has(x):
        return {(0, _ONE): expr}
    if expr == x:
        return {(1, _ONE): sp.S.One}
    if isinstance(expr, (sp.Add, sp.Mul)):
        total: Terms | None = terms_of(expr.args[0])
        for arg in expr.args[1:]:
            part = terms_of(arg)
            if total is None or part is None:
                return None
            total = _plus(total, part) if isinstance(expr, sp.Add) else _times(total, part)
        return total
    if isinstance(expr, sp.Pow) and expr.exp.is_Integer and 0 < int(expr.exp) <= 32:
        base, total = terms_of(expr.base), {(0, _ONE): sp.S.One}
        for _ in range(int(expr.exp)):
            if base is None or total is None:
                return None
            total = _times(total, base)
        return total
    return _function_terms(expr)


def _function_terms(expr: Expr) -> Terms | None:
    if len(expr.args) != 1 or not expr.args[0].is_polynomial(x):
        return None
    c, b, a = (sp.Poly(expr.args[0], x).coeff_monomial(x**i) for i in range(3))
    degree = sp.degree(expr.args[0], x)
    half = sp.Rational(1, 2)
    if isinstance(expr, sp.exp) and degree <= 2:
        return {(0, (b, -2 * a, None)): sp.exp(c)}
    if degree != 1:
        return None
    if isinstance(expr, (sp.sinh, sp.cosh)):
        sign = 1 if isinstance(expr, sp.cosh) else -1
        return {
            (0, (b, sp.S.Zero, None)): sp.exp(c) * half,
            (0, (-b, sp.S.Zero, None)): sp.exp(-c) * half * sign,
        }
    if isinstance(expr, (sp.sin, sp.cos)):
        i = sp.I
        up, down = (half, half) if isinstance(expr, sp.cos) else (-i * half, i * half)
        return {
            (0, (i * b, sp.S.Zero, None)): sp.exp(i * c) * up,
            (0, (-i * b, sp.S.Zero, None)): sp.exp(-i * c) * down,
        }
    if isinstance(expr, Phi):
        return {(0, (sp.S.Zero, sp.S.Zero, (b, c))): sp.S.One}
    if isinstance(expr, (sp.erf, sp.erfc)):
        root, sign = sp.sqrt(2), (1 if isinstance(expr, sp.erf) else -1)
        gate: Key = (sp.S.Zero, sp.S.Zero, (sign * root * b, sign * root * c))
        return {(0, gate): sp.Integer(2), (0, _ONE): sp.Integer(-1 if sign > 0 else 0)}
    return None


def closed(pieces: tuple[Piece, ...]) -> bool:
    """Whether `conditional_mean` exists: every piece a term sum, gates only without kinks."""
    for piece in pieces:
        terms = terms_of(piece.expr)
        if terms is None:
            return False
        if len(pieces) > 1 and any(key[2] is not None for _, key in terms):
            return False
    return True


@dataclass(frozen=True, slots=True)
class _Group:
    """Terms with one exponential factor: sum_n coeffs[n] v^n exp(alpha v - tau v^2/2) (gate)."""

    alpha: Any
    tau: Any
    gate: tuple[Any, Any] | None
    coeffs: tuple[Any, ...]
    lo: Any
    hi: Any


def _groups(pieces: tuple[Piece, ...]) -> list[_Group]:
    out = []
    for piece in pieces:
        terms = terms_of(piece.expr)
        assert terms is not None
        by_key: dict[Key, dict[int, Expr]] = {}
        for (n, key), c in terms.items():
            if c != 0:
                by_key.setdefault(key, {})[n] = c
        for (alpha, tau, gate), coeffs in by_key.items():
            values = [ball(constant(coeffs.get(n, sp.S.Zero), {})) for n in range(max(coeffs) + 1)]
            gate_ball = None if gate is None else (number(gate[0]), number(gate[1]))
            lo, hi = piece.ends()
            a = ball(constant(alpha, {}))
            out.append(_Group(a, number(tau), gate_ball, tuple(values), lo, hi))
    return out


def conditional_mean(pieces: tuple[Piece, ...], var: Any) -> Callable[[Any], Any] | None:
    """M(mu) for an `acb` mu and the variance `var` > 0 (`arb`), at the working precision.

    None when a Gaussian factor grows too fast for the closed form.
    """
    rules = []
    for group in _groups(pieces):
        rule = _group_mean(group, var)
        if rule is None:
            return None
        rules.append(rule)

    def mean(mu: Any) -> Any:
        total = acb(0)
        for rule in rules:
            total += rule(mu)
        return total

    return mean


def _group_mean(group: _Group, var: Any) -> Callable[[Any], Any] | None:
    spread = 1 + group.tau * var
    if not spread > 0:
        return None
    flat = group.alpha.is_zero() and group.tau.is_zero()
    var1, norm = var / spread, 1 / spread.sqrt()
    lift, alpha, tau = group.alpha**2 * var / 2, group.alpha, group.tau
    count = len(group.coeffs)

    def mean(mu: Any) -> Any:
        mu1 = mu if flat else (mu + alpha * var) / spread
        if group.gate is not None:
            moments = _gated(mu1, var1, group.gate, count)
        else:
            moments = truncated(mu1, var1, group.lo, group.hi, count)
        total = group.coeffs[0] * moments[0]
        for c, m in zip(group.coeffs[1:], moments[1:], strict=True):
            total += c * m
        if flat:
            return total
        return total * norm * ((alpha * mu + lift - tau * mu * mu / 2) / spread).exp()

    return mean


def truncated(mu: Any, var: Any, lo: Any, hi: Any, count: int) -> list[Any]:
    """E[v^n 1(lo < v < hi)], n < count, for v ~ N(mu, var), continued to complex mu."""
    dev = var.sqrt()
    unit = 1 / (dev * arb(2).sqrt())
    norm = unit / arb.pi().sqrt()
    if lo is None and hi is None:
        first = acb(1)
    elif lo is None:
        first = ((mu - hi) * unit).erfc() / 2
    elif hi is None:
        first = ((lo - mu) * unit).erfc() / 2
    elif (2 * mu.real).mid() < (lo + hi).mid():
        first = (((lo - mu) * unit).erfc() - ((hi - mu) * unit).erfc()) / 2
    else:
        first = (((mu - hi) * unit).erfc() - ((mu - lo) * unit).erfc()) / 2
    out = [first]
    if count == 1:
        return out
    edges = [
        (sign * var * norm * (-(((end - mu) * unit) ** 2)).exp(), end)
        for sign, end in ((1, lo), (-1, hi))
        if end is not None
    ]
    for n in range(1, count):
        value = mu * out[n - 1]
        if n > 1:
            value += (n - 1) * var * out[n - 2]
        for density, _ in edges:
            value += density
        out.append(value)
        edges = [(density * end, end) for density, end in edges]
    return out


def _gated(mu: Any, var: Any, gate: tuple[Any, Any], count: int) -> list[Any]:
    """E[v^n Phi(a v + b)], n < count, by parts: G_n = mu G_(n-1) + (n-1) var G_(n-2) + ..."""
    a, b = gate
    spread = 1 + a * a * var
    root = (2 * spread).sqrt()
    out = [(-(a * mu + b) / root).erfc() / 2]
    if count == 1:
        return out
    # E[v^n phi(a v + b)] is a plain moment of the tilted law
    mu1, var1 = (mu - a * b * var) / spread, var / spread
    norm = (-((a * mu + b) ** 2) / (2 * spread)).exp() / (2 * arb.pi() * spread).sqrt()
    plain = truncated(mu1, var1, None, None, count)
    for n in range(1, count):
        value = mu * out[n - 1] + var * a * norm * plain[n - 1]
        if n > 1:
            value += (n - 1) * var * out[n - 2]
        out.append(value)
    return out
