r"""Ends of pieces where a function is not analytic: |x|^p, log|x|, sqrt|x^2 - 2| and their kind.

Near such an end c the function is written in the distance $s = \pm(x - c) > 0$, in which the
powers at c are one power of s, and bounded by $C\,s^a(1 + |\log s|)^k$ for $0 < s \le \delta$.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import factorial, lcm
from typing import Any

import sympy as sp
from flint import acb, arb, fmpq
from sympy import Expr, Symbol

from ...precision import precision
from ...symbols import x
from ..evaluate import constant, function, real_ball, sign_of
from .isolated import Continued
from .order import is_zero, zero_order
from .pieces import SWITCHES, Piece, number
from .ranges import Range, as_arb, range_of, upper

DISTANCE = Symbol("s", positive=True)
_BITS = 192
_ZERO = sp.Integer(0)
_NEAR = arb(2) ** -20
_FLATTEST = 64
"""The power of the distance by which exp(-c/s) is bounded: more than any pole beside it has."""


@dataclass(frozen=True, slots=True)
class Near:
    """|f| <= size s^power (1 + |log s|)^logs for 0 < s <= the distance asked for."""

    size: Any
    power: Any
    logs: int

    def __mul__(self, other: Near) -> Near:
        return Near(self.size * other.size, self.power + other.power, self.logs + other.logs)

    def __add__(self, other: Near) -> Near:
        power = min(self.power, other.power)
        return Near(self.size + other.size, power, max(self.logs, other.logs))

    def mass(self, width: Any) -> Any:
        r"""A bound of the integral of |f| over $0 < s \le e^{-w}$, w >= 0; infinite if p <= -1.

        With $(1+v)^k \le (1+w)^k e^{k(v-w)/(1+w)}$ for v >= w.
        """
        rate = arb(self.power + 1) - arb(self.logs) / (1 + width)
        if not rate > 0:
            return arb("inf")
        decay = (-arb(self.power + 1) * width).exp()
        return (self.size * (1 + width) ** self.logs * decay / rate).upper()


def local(expr: Expr, c: Expr, side: int) -> Expr:
    """The expression in the distance from c, to the right (side 1) or to the left (side -1)."""
    return _gathered(expr.subs(x, c + side * DISTANCE))


def _gathered(e: Expr) -> Expr:
    if not e.args or not e.has(DISTANCE):
        return e
    args = [_gathered(a) for a in e.args]
    if isinstance(e, (sp.Pow, sp.log)) and args[0].is_polynomial(DISTANCE):
        at, rest = sp.expand(args[0]).as_independent(DISTANCE, as_Add=True)
        args[0] = sp.factor_terms(rest if is_zero(at) else at + rest)
    return e.func(*args)


def _factored(e: Expr) -> Expr:
    """Every root, inverse and logarithm of a function b with a zero at 0, with b as s^m (b/s^m).

    The second factor is continued to 0: without it asinh(erf(s)) is a ball with 0 in it where s
    is smaller than its rounding, and has no root.
    """
    if not e.args or not e.has(DISTANCE) or isinstance(e, Continued):
        return e
    args = [_factored(a) for a in e.args]
    if isinstance(e, sp.Add):
        return _with_poles_cancelled(args)
    power = isinstance(e, sp.Pow) and e.exp.is_Rational
    branch = power and (not e.exp.is_Integer or e.exp < 0)
    if not (branch or (isinstance(e, sp.log) and len(args) == 1)):
        return e.func(*args)
    base = args[0]
    if base.is_polynomial(DISTANCE) or base.has(Continued) or not is_zero(base.subs(DISTANCE, 0)):
        return e.func(*args)
    order = zero_order(base, _ZERO, DISTANCE)
    if not order:
        return e.func(*args)
    below = DISTANCE**order
    rest = Continued(base / below, base, below, _ZERO, sp.Integer(order))
    if isinstance(e, sp.log):
        return order * sp.log(DISTANCE) + sp.log(rest)
    return DISTANCE ** (order * e.exp) * rest**e.exp


def _with_poles_cancelled(terms: list[Expr]) -> Expr:
    """The sum, where poles of terms cancel as one quotient: in cos(s)/s - sin(s)/s^2 + s^(-7/10).

    Terms are taken together where their powers of s differ by whole numbers.
    """
    classes: dict[Expr, list[tuple[Expr, Expr]]] = {}
    for term in terms:
        rest, power = sp.Integer(1), _ZERO
        for f in sp.Mul.make_args(term):
            base, exponent = f.as_base_exp()
            if base == DISTANCE and exponent.is_Rational:
                power += exponent
            else:
                rest *= f
        classes.setdefault(power - sp.floor(power), []).append((sp.floor(power), rest))
    total = _ZERO
    for part, found in classes.items():
        least = min(power for power, _ in found)
        written = sp.Add(*(rest * DISTANCE**power for power, rest in found))
        above = sp.Add(*(rest * DISTANCE ** (power - least) for power, rest in found))
        order = 0
        if least < 0 and len(found) > 1 and not above.has(Continued, sp.log):
            order = _order_of(above)
        if order:
            below = DISTANCE**order
            form = Continued(above / below, above, below, _ZERO, sp.Integer(order))
            written = DISTANCE ** (least + order) * form
        total += DISTANCE**part * written
    return total


@lru_cache(maxsize=512)
def odd_ends(piece: Piece) -> tuple[tuple[Expr, int, Expr], ...]:
    """`(c, side, local expression)` of the finite ends where the expression is not analytic."""
    if piece.expr.has(Continued, *SWITCHES):  # those turn beyond the reach of `split`
        return ()
    bases = {
        p.base if isinstance(p, sp.Pow) else p.args[0]
        for p in piece.expr.atoms(sp.Pow, sp.log)
        if p.has(x) and not (isinstance(p, sp.Pow) and p.exp.is_Integer and p.exp > 0)
    }
    out = []
    with precision(_BITS):
        for c, side in ((piece.lo, 1), (piece.hi, -1)):
            if c is not None and any(_vanishes(b, c) for b in bases):
                out.append((c, side, _factored(local(piece.expr, c, side))))
    return tuple(out)


def _vanishes(base: Expr, c: Expr) -> bool:
    if not base.has(x):
        return False
    if is_zero(base.subs(x, c)):
        return True
    return bool(constant_ball(base, c).contains(0))


def constant_ball(expr: Expr, c: Expr) -> Any:
    """The real value at a constant."""
    return real_ball(constant(expr, {x: constant(c, {})}))


@lru_cache(maxsize=512)
def gathered(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The same pieces, with one power of the distance where there were two: (-x)^(3/2)/x."""
    out = []
    for piece in pieces:
        ends = odd_ends(piece) if _fractional(piece.expr) else ()
        if len(ends) == 1:
            (c, side, _), *_ = ends
            form = local(piece.expr, c, side).subs(DISTANCE, side * (x - c))
            out.append(Piece(piece.lo, piece.hi, form))
        else:
            out.append(piece)
    return tuple(out)


def product(f: tuple[Piece, ...], g: tuple[Piece, ...], ratio: Expr) -> tuple[Piece, ...]:
    """The pieces of f(x) g(ratio x)."""
    if ratio == 0:
        value = next(p for p in g if p.hi is None or number(p.hi) > 0).expr.subs(x, 0)
        return tuple(Piece(p.lo, p.hi, p.expr * value) for p in f)
    scaled = [Piece(_over(p.lo, ratio), _over(p.hi, ratio), p.expr.subs(x, ratio * x)) for p in g]
    if ratio.is_negative:
        scaled = [Piece(p.hi, p.lo, p.expr) for p in reversed(scaled)]
    out, i, j, low = [], 0, 0, None
    while True:
        one, two = f[i].hi, scaled[j].hi
        gap = None if one is None or two is None else sign_of(constant(one - two, {}))
        first = one is not None and (two is None or (gap is not None and gap <= 0))
        second = two is not None and (one is None or (gap is not None and gap >= 0))
        high = one if first else two
        out.append(Piece(low, high, f[i].expr * scaled[j].expr))
        if not first and not second:
            return gathered(tuple(out))
        i, j, low = i + first, j + second, high


def _over(end: Expr | None, ratio: Expr) -> Expr | None:
    return None if end is None else end / ratio


def _fractional(expr: Expr) -> bool:
    powers = [p for p in expr.atoms(sp.Pow) if p.has(x)]
    return any(not p.exp.is_Integer for p in powers) and any(p.exp.is_negative for p in powers)


def near(expr: Expr, delta: Any) -> Near | None:
    """The bound on (0, delta], delta <= 1, of an expression in `DISTANCE`; None where not shown."""
    if expr == DISTANCE:
        return Near(arb(1), fmpq(1), 0)
    if isinstance(expr, sp.Mul):
        parts = [near(a, delta) for a in expr.args]
        total = Near(arb(1), fmpq(0), 0)
        for p in parts:
            if p is None:
                return None
            total = total * p
        return total
    if isinstance(expr, sp.Pow) and expr.exp.is_Rational:
        found = _power(expr, delta)
        if found is not None:
            return found
    if isinstance(expr, sp.Pow) and expr.base == DISTANCE and not expr.exp.is_Rational:
        least = range_of(expr.exp.xreplace({DISTANCE: x}), Range(Fraction(0), upper(arb(delta)))).lo
        if isinstance(least, Fraction):  # s^g <= s^least, as s <= 1
            return Near(arb(1), fmpq(least.numerator, least.denominator), 0)
    if isinstance(expr, sp.sech) and (steep := pole_inside(expr.args[0], delta)) is not None:
        return Near(arb(2), fmpq(0), 0) * _flat(steep[0], -abs(steep[1]), delta)
    if isinstance(expr, sp.exp) and (steep := pole_inside(expr.args[0], delta)) is not None:
        return _flat(*steep, delta) if steep[1] < 0 else None
    if isinstance(expr, sp.log) and len(expr.args) == 1:
        found = _log(expr.args[0], delta)
        if found is not None:
            return found
    found = _bounded(expr, delta)
    if found is not None:
        return found
    bounds = range_of(expr.xreplace({DISTANCE: x}), Range(Fraction(0), upper(arb(delta))))
    if bounds.finite:  # tanh(1/s)
        return Near(as_arb(bounds.magnitude), fmpq(0), 0)
    if isinstance(expr, sp.Add):
        first, *rest = (near(a, delta) for a in expr.args)
        for p in rest:
            if first is None or p is None:
                return None
            first = first + p
        return first
    return None


def fades(term: Expr) -> bool:
    """Whether a term in `DISTANCE` surely goes to 0 at 0, as s*log(s) and exp(-1/s) do."""
    if (leading_power(term) or 0) > 0:
        return True
    bound = near(term, _NEAR)
    return bound is not None and bool(bound.power > 0)


def pole_inside(g: Expr, delta: Any) -> tuple[Any, Any] | None:
    """(n, c) with g = c s^-n on (0, delta], n > 0 and c a ball without 0; None where g has no pole.

    Of exp(g) nothing is left at 0 where c < 0, and it has no bound there where c > 0.
    """
    power = leading_power(g)
    if power is None or not power < 0:
        return None
    rest = sp.Add(*(a * DISTANCE**-power for a in sp.Add.make_args(g)))
    k, whole = _whole(rest)
    end = arb(delta).root(k) if k > 1 else arb(delta)
    c = function(whole, DISTANCE)(acb(arb(0).union(end)), False).real
    if not c.is_finite() or c.contains(0):
        return None
    return fmpq(int(-power.p), int(power.q)), c


def essential(expr: Expr, sign: int) -> bool:
    """Whether a factor is the exponential of a pole, of that sign, and beats all others."""
    factors = sp.Mul.make_args(expr)
    found = [pole_inside(f.args[0], _NEAR) for f in factors if isinstance(f, sp.exp)]
    steep = [c for pole in found if pole is not None for c in pole[1:]]
    plain = [f for f in factors if not isinstance(f, sp.exp)]
    return len(steep) == 1 and bool(sign * steep[0] > 0) and all(map(_is_power, plain))


def _is_power(f: Expr) -> bool:
    """Whether a factor is about a power of the distance."""
    return leading_power(f) is not None


def _flat(n: Any, c: Any, delta: Any) -> Near:
    """The bound of exp(-|c| s^-n) by s^N: their quotient increases while N <= n |c| s^-n."""
    least = abs(c).lower()
    steep = least * arb(delta) ** arb(-n)
    order = min(_FLATTEST, int(float((arb(n) * steep).lower().min(arb(_FLATTEST)))))
    return Near(((-steep).exp() * arb(delta) ** -order).upper(), fmpq(order), 0)


def _power(expr: Expr, delta: Any) -> Near | None:
    e = fmpq(int(expr.exp.p), int(expr.exp.q))
    if e > 0:
        inner = near(expr.base, delta)
        if inner is None:
            return None
        logs = -((-inner.logs * int(e.numer())) // int(e.denom()))
        return Near(inner.size ** arb(e), inner.power * e, logs)
    slopes = _linear(expr.base, delta)
    if slopes is not None:
        return Near(slopes[0] ** arb(e), e, 0)
    return _bounded(expr, delta)


def _bounded(expr: Expr, delta: Any) -> Near | None:
    """A bound by t^m sup|f^(m)|/m!, t a root of s that makes the powers whole, m the order at 0.

    None where the function, or that derivative, is not finite.
    """
    k, whole = _whole(expr)
    end = arb(delta).root(k) if k > 1 else arb(delta)
    hull = acb(arb(0).union(end))
    order = _order_of(whole)
    for m in dict.fromkeys((order, 0)):
        size = abs(function(sp.diff(whole, DISTANCE, m), DISTANCE)(hull, False))
        if size.is_finite():
            return Near((size / factorial(m)).upper(), fmpq(m, k), 0)
    return None


def _whole(expr: Expr) -> tuple[int, Expr]:
    """(k, f(t^k)) with the least k that makes the powers of the distance whole."""
    orders = [p.exp for p in expr.atoms(sp.Pow) if p.base == DISTANCE]
    k = lcm(1, *(int(e.q) for e in orders if e.is_Rational))
    return k, expr.subs(DISTANCE, DISTANCE**k) if k > 1 else expr


def leading_power(expr: Expr) -> Expr | None:
    """The p for which f/s^p, or that over a power of log s, has a limit at 0 that is not 0.

    None where it is not shown.
    """
    if expr == DISTANCE:
        return sp.Integer(1)
    if expr == sp.log(DISTANCE) or isinstance(expr, Continued):
        return _ZERO  # `_factored` takes out all of the zero
    if isinstance(expr, sp.Mul):
        parts = [leading_power(a) for a in expr.args]
        return None if any(p is None for p in parts) else sp.Add(*parts)
    if isinstance(expr, sp.Pow) and expr.exp.is_Rational:
        inner = leading_power(expr.base)
        return None if inner is None else inner * expr.exp
    if isinstance(expr, sp.Add):
        powers = [leading_power(a) for a in expr.args]
        known = [p for p in powers if p is not None]
        least = min(known, default=_ZERO)
        if len(known) == len(powers) and known.count(least) == 1:  # nothing to cancel it
            return least
        if least < 0:
            rest = leading_power(sp.Add(*(a * DISTANCE**-least for a in expr.args)))
            return None if rest is None else rest + least
    k, whole = _whole(expr)
    with precision(_BITS):
        order = zero_order(whole, _ZERO, DISTANCE)
    return None if order is None else sp.Rational(order, k)


@lru_cache(maxsize=512)
def _order_of(expr: Expr) -> int:
    """The order of the zero at 0, or less; 0 where there is a pole or a logarithm."""
    if not is_zero(expr.subs(DISTANCE, 0)):
        return 0
    return zero_order(expr, _ZERO, DISTANCE) or 0


def _log(g: Expr, delta: Any) -> Near | None:
    slopes = _linear(g, delta)
    if slopes is None:
        return None
    size = arb(0)
    for m in slopes:
        size = size.max(abs(m.log()))
    return Near((1 + size).upper(), fmpq(0), 1)


def _linear(g: Expr, delta: Any) -> tuple[Any, Any] | None:
    """(m, M), 0 < m, with m s <= |g| <= M s: g(0) = 0 exactly, and g' has one sign."""
    if g == DISTANCE:
        return arb(1), arb(1)
    if not is_zero(g.subs(DISTANCE, 0)):
        return None
    slope = sp.diff(g, DISTANCE)
    value = function(slope, DISTANCE)(acb(arb(0).union(delta)), False).real
    if not value.is_finite() or value.contains(0):
        return None
    return abs(value).lower(), abs(value).upper()
