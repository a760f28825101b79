r"""Activations whose terms of low order cancel at 0, and the bound of what code computes of them.

$\tanh(x)^2 = 1 - \mathrm{sech}(x)^2$ vanishes to second order, its terms do not.  Where a variance
is at most `Lowest.small` code leaves the Taylor polynomials below the order m of the zero out of
all nodes: they add up to zero with the polynomial of s.  What it then misses is the rest of the
error beyond its own Taylor polynomial, which is of order m as s is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import factorial
from typing import Any

from sympy import Expr, Integer, Poly, Symbol, expand
from sympy import factorial as exact_factorial

from ..errors import Undecided
from ..symbols import x
from .arith import ball
from .bound import TOP, MixtureBound
from .error import norm, partial_moments
from .evaluate import ball_value
from .logistic import LogisticSum, Part

MOST = 4
"""The highest order of a zero that is taken into account."""
SMALL = (Fraction(1, 4), Fraction(1, 2))
"""`Lowest.small`, the second for the highest order."""


@dataclass(frozen=True, slots=True)
class Lowest:
    """The order of the zero at 0 of an activation, and its terms.

    Attributes:
        order: m, as far as it is taken into account.
        parts: those of every family.
        plain: the polynomial beside them.
    """

    order: int
    parts: tuple[tuple[Part, ...], ...]
    plain: Expr

    @property
    def small(self) -> Fraction:
        """Up to this variance, of either input, code leaves the low orders out."""
        return SMALL[self.order >= MOST]


@lru_cache(maxsize=128)
def lowest(form: LogisticSum) -> Lowest | None:
    """What is needed where terms of low order cancel; None where they do not.

    Offsets, integrals of gates, reduced parts and what is no polynomial are not treated, a lone
    gate only to third order.
    """
    if not form.plain or any(p.order < 0 or p.offset != 0 or p.reduced for p in form.parts):
        return None
    rows = [_taylor(form.polynomial)]
    for p in form.parts:
        series = enumerate(_gate_series(p.order))
        rows.append(_taylor(p.factor * sum((c * (p.slope * x) ** j for j, c in series), x * 0)))
    order = _first([sum(column, Integer(0)) for column in zip(*rows, strict=True)])
    if any(p.order == 0 and p.factor.coeff(x, 0) != 0 for p in form.parts):
        order = min(order, MOST - 1)
    if order <= min(_first(row) for row in rows):
        return None
    groups = form.families
    return Lowest(
        order,
        tuple(tuple(p for p in form.parts if (p.slope, p.offset) == f) for f in groups),
        expand(form.polynomial),
    )


def _taylor(e: Expr) -> list[Expr]:
    whole = expand(e)
    return [whole.coeff(x, j) for j in range(MOST)]


def _first(row: list[Expr]) -> int:
    return next((j for j, c in enumerate(row) if expand(c) != 0), len(row))


@lru_cache(maxsize=16)
def _gate_series(order: int) -> tuple[Expr, ...]:
    """Taylor coefficients below z^MOST of T^(order), T = tanh(z/2), from T' = (1 - T^2)/2."""
    t: list[Expr] = [Integer(0)]
    for n in range(MOST + order):
        square = sum((t[i] * t[n - i] for i in range(n + 1)), Integer(0))
        t.append((Integer(n == 0) - square) / 2 / (n + 1))
    f = exact_factorial
    return tuple(t[n + order] * f(n + order) / f(n) for n in range(MOST))


def gap(bound: MixtureBound, form: LogisticSum, q: Fraction, values: Mapping[Symbol, Any]) -> Any:
    r"""A number at least $\|s - a\|_q$, a what code sums at this variance."""
    found = lowest(form)
    if found is None or q > found.small:
        return norm(bound, form, q, values).upper()
    return rest_norm(bound, form, found.order, q, values).upper()


def rest_norm(
    bound: MixtureBound,
    form: LogisticSum,
    order: int,
    q: Fraction,
    values: Mapping[Symbol, Any],
) -> Any:
    r"""A ball whose upper end is at least $\|e - P\|_q$, $e = s - a$, P its terms below `order`.

    For $x^ie^{(k)}(cx)$ the rest is at most $|x|^i\sup_{|t|\le|z|}|e^{(k+r)}(t)|\,|z|^r/r!$,
    $z = cx$, with $r \ge$ order - i; e is odd, so that r is taken with k + r odd.

    Raises:
        Undecided: a derivative of an order that is not bounded.
    """
    from flint import arb

    total = arb(0)
    for part in form.parts:
        slope = ball_value(part.slope, values)
        for (m,), c in Poly(part.factor, x).terms():
            r = max(order - m, 0)
            r += (part.order + r + 1) % 2 if r else 0
            square = _square(bound, part.order, m, r, slope, q)
            total += abs(ball_value(c, values)) * square.max(arb(0)).upper().sqrt()
    return total


def _square(bound: MixtureBound, k: int, m: int, r: int, slope: Any, q: Fraction) -> Any:
    """A bound of E of the square of one rest."""
    from flint import arb

    if k + r > TOP:
        raise Undecided(f"the derivative of order {k + r} of the mixture has no bound")
    root = ball(q).sqrt()
    c, total, most = abs(slope) * root, arb(0), arb(0)
    for row in bound.rows:
        here = ball(row.of(k + r))
        low = ball(row.start) / c
        high = None if row.stop is None else ball(row.stop) / c
        if r == 0 and row.start == 0 and k % 2 == 0:
            power, size = 1, here  # the first row bounds it by |z|
        else:
            power, size = r, here
            if r:  # rows bound what is inside them, a rest needs all |t| <= |z|
                most = most.max(here)
                size = most / factorial(r)
        moments = partial_moments(2 * m + 2 * power, low, high)
        total += 2 * size * size * c ** (2 * power) * moments[2 * m + 2 * power]
    return total.upper() * root ** (2 * m)
