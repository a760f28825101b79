r"""A function with a weak singularity at 0, bounded on sectors: |x|^p, x log|x| and their kind.

On either side of 0 it is written in the distance s > 0.  What the rules of `fan` need of it is
$|f(s)| \le c\,|s|^{\kappa}e^{\gamma|s|^2/(2q)}$ for $|\arg s| \le \beta$ (section 6 of
`derivations/identities/quadrature.md`): near 0 from the expression itself, in $y = s^{1/k}$ where
fractional powers are whole; elsewhere by balls.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import lcm
from typing import Any

import sympy as sp
from sympy import Expr, Symbol

from ..patience import check
from .subject import BITS, Curve

ROOT = Symbol("y", positive=True)
_LEAST = 2.0**-12
"""Below this distance the expression itself is bounded."""
_CELL = 0.2
_TURNS = 4
_DEPTH = 8
_LOOSE = 1.5
_ORDERS = 3
_SPARE = 16
"""A logarithm is bounded by the power -1/_SPARE."""


@dataclass(frozen=True, slots=True)
class Order:
    """Near 0, |f| <= size |s|^power (1 + |log|s||)^logs; `power` is an `fmpq`."""

    size: Any
    power: Any
    logs: int

    def __mul__(self, other: Order) -> Order:
        return Order(self.size * other.size, self.power + other.power, self.logs + other.logs)

    def __add__(self, other: Order) -> Order:
        power = min(self.power, other.power)  # |s| <= 1
        return Order(self.size + other.size, power, max(self.logs, other.logs))


def sides_of(curve: Curve) -> tuple[Expr, ...]:
    """The function of the distance s > 0 on the left and on the right of its one kink, 0."""
    from ...verify.functions.ends import local
    from ..table.spectra.sides import tame

    zero, pairs = sp.Integer(0), zip(curve.pieces, (-1, 1), strict=True)
    return tuple(local(tame(piece.expr, sign), zero, sign) for piece, sign in pairs)


def exponent(curve: Curve, angle: Any) -> Any | None:
    r"""$\kappa$ as an `fmpq`: the least power of both sides, less for a logarithm; None: none."""
    from flint import fmpq

    found = [_near(side, angle) for side in sides_of(curve) if side != 0]
    if any(order is None for order in found):
        return None
    return min(o.power - (fmpq(1, _SPARE) if o.logs else 0) for o in found if o is not None)


def sector_size(curve: Curve, power: Any, rate: Any, angle: Any, reach: Any) -> Any | None:
    r"""The c with $|f(s)| \le c\,|s|^{power}e^{rate|s|^2}$, $|\arg s| \le$ angle, |s| <= reach.

    None where no bound is found: a singularity inside the sector, or a lower order at 0.
    """
    from flint import arb

    most = arb(0)
    for side in sides_of(curve):
        if side == 0:
            continue
        order = _near(side, angle)
        if order is None:
            return None
        inner = _inner(order, power)
        outer = _outer(side, (power, rate, angle, reach), most.max(inner or arb(0)))
        if inner is None or outer is None:
            return None
        most = most.max(inner).max(outer)
    return most.upper()


def _inner(order: Order, power: Any) -> Any | None:
    """The supremum of size t^(p - power) (1 + |log t|)^logs, t <= `_LEAST`."""
    from flint import arb

    gap = arb(order.power - power)
    if order.logs == 0:
        return order.size * arb(_LEAST) ** gap if order.power >= power else None
    if not order.power > power:
        return None
    at = (-arb(_LEAST).log()).max(arb(order.logs) / gap - 1).upper()
    return (order.size * (1 + at) ** order.logs * (-gap * -arb(_LEAST).log()).exp()).upper()


def _outer(side: Expr, want: tuple[Any, Any, Any, Any], most: Any) -> Any | None:
    """The supremum of |f| |s|^-power exp(-rate |s|^2) from `_LEAST` on, by boxes in log s."""
    from math import ceil

    from flint import arb

    from ...verify.evaluate import function
    from ...verify.functions.ends import DISTANCE

    power, rate, angle, reach = want
    func = function(side, DISTANCE)
    low, high = arb(_LEAST).log(), arb(reach).log().upper()
    count = max(1, ceil(float((high - low).upper()) / _CELL))
    width = (high - low) / count
    for i in range(count):
        for j in range(_TURNS):
            box = (low + width * i, low + width * (i + 1), angle * j / _TURNS)
            tile = (*box, angle * (j + 1) / _TURNS)
            found = _box(func, tile, (power, rate), most, _DEPTH)
            if found is None:
                return None
            most = found
    return most


def _box(func: Any, tile: Any, want: tuple[Any, Any], most: Any, depth: int) -> Any | None:
    from flint import acb, arb

    check()
    left, right, low, high = tile
    power, rate = want
    value = func(acb(left.union(right), low.union(high)).exp(), True)
    size = arb("inf")
    if value.is_finite():
        near = left.exp()
        scale = (-left if power >= 0 else -right) * arb(power) - rate * near * near
        size = (abs(value).upper() * scale.exp()).upper()
        if size <= most:
            return most
        at = ((left + right) / 2).mid()
        middle = acb(at, ((low + high) / 2).mid()).exp()
        there = abs(func(middle, False)) * (-arb(power) * at - rate * (2 * at).exp()).exp()
        if depth == 0 or size <= _LOOSE * there.upper().max(most):
            return size
    if depth == 0:
        return None
    if (right - left).mid() > (high - low).mid():
        mid = ((left + right) / 2).mid()
        halves = ((left, mid, low, high), (mid, right, low, high))
    else:
        mid = ((low + high) / 2).mid()
        halves = ((left, right, low, mid), (left, right, mid, high))
    for half in halves:
        found = _box(func, half, want, most, depth - 1)
        if found is None:
            return None
        most = found
    return most


def _near(side: Expr, angle: Any) -> Order | None:
    """The order at 0 of a function of the distance, in the sector."""
    from ...precision import precision

    with precision(BITS):
        return _near_kept(side, float(angle.upper()))


@lru_cache(maxsize=256)
def _near_kept(side: Expr, angle: float) -> Order | None:
    from flint import acb, arb

    from ...verify.functions.ends import DISTANCE

    powers = [p.exp for p in side.atoms(sp.Pow) if p.base == DISTANCE]
    if not all(p.is_Rational for p in powers):
        return None
    k = lcm(1, *(int(p.q) for p in powers))
    turned = arb(angle) * (1 + arb(2) ** -40) / k
    end = arb(_LEAST).root(k).upper()
    high = (end * turned.sin()).upper()
    hull = acb(arb(0).union(end), (-high).union(high))
    found = _order(side.subs(DISTANCE, ROOT**k), hull, turned, _ORDERS)
    return None if found is None else Order(found.size.upper(), found.power / k, found.logs)


def _order(e: Expr, hull: Any, turned: Any, deep: int) -> Order | None:
    """In y, on the part of the sector with |y| up to that of the hull."""
    from flint import arb, fmpq

    if e == ROOT:
        return Order(arb(1), fmpq(1), 0)
    if isinstance(e, sp.Mul):
        total = Order(arb(1), fmpq(0), 0)
        for a in e.args:
            part = _order(a, hull, turned, deep)
            if part is None:
                return None
            total = total * part
        return total
    if isinstance(e, sp.Pow) and e.exp.is_Rational:
        return _order_of_power(e, hull, turned, deep)
    if isinstance(e, sp.log) and len(e.args) == 1:
        slopes = _slopes(e.args[0], hull)
        if slopes is not None:
            size = abs(slopes[0].log()).max(abs(slopes[1].log()))
            return Order((1 + size + arb.pi()).upper(), fmpq(0), 1)
    plain = _plain(e, hull, turned, deep)
    if not isinstance(e, sp.Add):
        return plain
    first, *rest = (_order(a, hull, turned, deep) for a in e.args)
    for p in rest:
        first = None if first is None or p is None else first + p
    if plain is None or first is None:
        return first or plain
    return min(first, plain, key=lambda order: (-order.power, order.logs, float(order.size)))


def _order_of_power(e: Expr, hull: Any, turned: Any, deep: int) -> Order | None:
    from flint import arb, fmpq

    p = fmpq(int(e.exp.p), int(e.exp.q))
    if p > 0 and e.exp.is_Integer:
        inner = _order(e.base, hull, turned, deep)
        if inner is None:
            return None
        return Order(inner.size ** int(e.exp), inner.power * p, inner.logs * int(e.exp))
    slopes = _slopes(e.base, hull)
    if slopes is not None:
        return Order(slopes[0 if p < 0 else 1] ** arb(p), p, 0)
    return _plain(e, hull, turned, deep)


def _plain(e: Expr, hull: Any, turned: Any, deep: int) -> Order | None:
    """A function that is analytic at 0: a constant, or the order of its derivative and one."""
    from flint import arb, fmpq

    from ...verify.evaluate import function

    if not e.has(ROOT):
        value = abs(function(e, ROOT)(hull, False))
        return Order(value.upper(), fmpq(0), 0) if value.is_finite() else None
    value = abs(function(e, ROOT)(hull, True))
    if not value.is_finite():
        return None
    if deep and e.subs(ROOT, 0) == 0:  # |e(y)| is at most the integral of |e'| from 0
        slope = _order(sp.diff(e, ROOT), hull, turned, deep - 1)
        if slope is not None and slope.logs == 0 and slope.power >= 0:
            return Order(slope.size / arb(slope.power + 1), slope.power + 1, 0)
    return Order(value.upper(), fmpq(0), 0)


def _slopes(g: Expr, hull: Any) -> tuple[Any, Any] | None:
    """(m, M), 0 < m, with m |y| <= |g| <= M |y|, and g/y in the right half plane: g(0) = 0."""
    from flint import arb

    from ...verify.evaluate import function

    if g == ROOT:
        return arb(1), arb(1)
    if not g.has(ROOT) or g.subs(ROOT, 0) != 0:
        return None
    value = function(sp.diff(g, ROOT), ROOT)(hull, True)
    if not value.is_finite() or not value.real > 0:
        return None
    return value.real.lower(), abs(value).upper()
