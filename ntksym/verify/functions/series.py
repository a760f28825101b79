"""Sums without end whose terms have a quotient that is rational in the index, as balls.

Where t(k + 1)/t(k) = c (k + a1)...(k + ap)/((k + b1)...(k + bq)), the sum is
t(0) pFq+1(a1, ..., ap, 1; b1, ..., bq; c), and FLINT bounds the tail of that series (Johansson,
Computing hypergeometric functions rigorously, 2019, section 3).  Here the quotient is read off the
factors of the term (powers, Gamma functions, polynomials); nothing is searched for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import lcm
from typing import Any

import sympy as sp
from flint import acb, fmpq
from sympy import Expr, Integer, Rational, Symbol

from ...errors import Undecided
from ..surd import Surd

Constant = Callable[[Any, Any], Any]
_DIRECT = 1000
"""Terms that are added one by one before the quotient has to be without zeros and poles."""
_MEANT = "terms of powers, factorials, Gamma and polynomials of the index"


@dataclass(slots=True)
class Quotient:
    """t(k + 1)/t(k): a constant, and linear factors k + a with their multiplicities."""

    scale: Expr
    shifts: Counter[Expr]

    def linear(self, slope: Expr, shift: Expr, power: int) -> None:
        """Multiply by (slope k + shift)^power."""
        self.scale = self.scale * slope**power
        self.shifts[shift / slope] += power

    def raised(self, power: int) -> Quotient:
        """The quotient of the terms to a power."""
        shifts = Counter({a: e * power for a, e in self.shifts.items()})
        return Quotient(self.scale**power, shifts)

    def times(self, other: Quotient) -> None:
        """Multiply by the quotient of another factor."""
        self.scale = self.scale * other.scale
        for a, e in other.shifts.items():
            self.shifts[a] += e


def series(expr: sp.Sum, env: Any, constant: Constant) -> Any:
    """The value of a sum over whole numbers from a number to infinity.

    Args:
        expr: the sum, `Sum(term, (n, first, oo))`.
        env: exact values of the names in it.
        constant: the value of an expression at exact numbers.

    Raises:
        Undecided: terms of another form, or a series that is not proved to converge.
    """
    ((n, first, _),) = expr.limits
    k = sp.Dummy("k", integer=True, nonnegative=True)
    period = _period(expr.function, n)
    total = acb(0)
    for start in range(period):
        term = expr.function.xreplace({n: period * k + first + start})
        total += _sum(term.xreplace(_by_gamma(term)), k, env, constant)
    return total


def _period(term: Expr, n: Symbol) -> int:
    """The least step of the index over which arguments of Gamma move by whole numbers."""
    slopes = [g.args[0].diff(n) for g in term.atoms(sp.gamma)]
    slopes += [g.args[0].diff(n) / 2 for g in term.atoms(sp.factorial2)]
    return lcm(*(int(s.q) for s in slopes if isinstance(s, Rational)))


def _by_gamma(term: Expr) -> dict[Expr, Expr]:
    """Double factorials of names that are odd, or even, as Gamma functions."""
    found: dict[Expr, Expr] = {}
    for double in term.atoms(sp.factorial2):
        n = double.args[0]
        if n.is_odd:
            power, unit = (n + 1) / 2, sp.sqrt(sp.pi)
        elif n.is_even:
            power, unit = n / 2, Integer(1)
        else:
            continue
        found[double] = 2**power * sp.gamma(n / 2 + 1) / unit
    return found


def _sum(term: Expr, k: Symbol, env: Any, constant: Constant) -> Any:
    """The sum of one term over k = 0, 1, 2, ..."""
    if term == 0:
        return acb(0)
    found = _quotient(term, k)
    if found is None:
        parts = sp.Add.make_args(term.expand(func=False, log=False, power_base=False))
        if len(parts) == 1:
            raise Undecided(f"no bound for the tail of the sum of {term}", hint=_MEANT)
        return sum((_sum(part, k, env, constant) for part in parts), acb(0))

    def at(index: int) -> Any:
        return _exact(constant(term.xreplace({k: Integer(index)}), env))

    scale = _exact(constant(found.scale, env))
    above, below = _factors(found, env, constant)
    total, start = acb(0), 0
    # The quotient says nothing of the term after one that is zero or has a pole.
    while not all((b + start).real > 0 for b in below):
        total += at(start)
        start += 1
        if start == _DIRECT or not total.is_finite():
            raise Undecided(f"the quotient of the terms {term} has zeros or poles at {start}")
    return total + at(start) * _tail(scale, [a + start for a in above], [b + start for b in below])


def _factors(found: Quotient, env: Any, constant: Constant) -> tuple[list[Any], list[Any]]:
    """Balls around the shifts a of the factors k + a, above and below."""
    above: list[Any] = []
    below: list[Any] = []
    for shift, power in found.shifts.items():
        value = _exact(constant(shift, env))
        if not value.is_finite():
            raise Undecided(f"the factor k + {shift} of the terms has no value")
        (above if power > 0 else below).extend([value] * abs(power))
    return above, below


def _quotient(term: Expr, k: Symbol) -> Quotient | None:
    """t(k + 1)/t(k), or None where it is not seen to be rational in k."""
    found = Quotient(Integer(1), Counter())
    if not term.has(k):
        return found
    if isinstance(term, sp.Mul):
        for part in term.args:
            factor = _quotient(part, k)
            if factor is None:
                return None
            found.times(factor)
        return found
    if isinstance(term, (sp.Pow, sp.exp)):
        base, exponent = term.as_base_exp()
        if base.has(k):
            inside = _quotient(base, k) if isinstance(exponent, Integer) else None
            return None if inside is None else inside.raised(int(exponent))
        found.scale = base ** exponent.diff(k)
        return found if exponent.is_polynomial(k) and not found.scale.has(k) else None
    if isinstance(term, sp.gamma):
        return _gamma(term.args[0], k)
    return _polynomial(term, k)


def _gamma(inside: Expr, k: Symbol) -> Quotient | None:
    """The quotient of Gamma(slope k + shift) for a whole slope."""
    slope = inside.diff(k)
    if not (inside.is_polynomial(k) and isinstance(slope, Integer)):
        return None
    found, shift = Quotient(Integer(1), Counter()), inside.xreplace({k: Integer(0)})
    for j in range(abs(int(slope))):
        found.linear(slope, shift + j if slope > 0 else shift - 1 - j, 1 if slope > 0 else -1)
    return found


def _polynomial(term: Expr, k: Symbol) -> Quotient | None:
    """The quotient of a polynomial of degree one or two."""
    if not term.is_polynomial(k):
        return None
    slope = term.diff(k)
    zero, half = {k: Integer(0)}, Rational(1, 2)
    if not slope.has(k):
        roots = [-term.xreplace(zero) / slope]
    else:
        a, b, c = slope.diff(k) * half, slope.xreplace(zero), term.xreplace(zero)
        if a.has(k) or a == 0:
            return None
        root = sp.sqrt(b * b - 4 * a * c)
        roots = [(-b + root) / (2 * a), (-b - root) / (2 * a)]
    found = Quotient(Integer(1), Counter())
    for r in roots:
        found.shifts[1 - r] += 1
        found.shifts[-r] -= 1
    return found


def _tail(scale: Any, above: list[Any], below: list[Any]) -> Any:
    """1 + r(0) + r(0) r(1) + ... of the quotients r(k) = scale (k + above)/(k + below)."""
    # The series of pFq has a factorial of the index below, which the 1 above takes away.
    above, below = _cancelled([*above, acb(1)], below)
    ends = any(a.is_exact() and a.imag == 0 and a.real.is_integer() and a.real <= 0 for a in above)
    if scale == 0:
        return acb(1)
    if not ends:
        _check(scale, above, below)
    if (len(above), len(below)) == (2, 1):
        found = scale.hypgeom_2f1(*above, *below)
    else:
        found = scale.hypgeom(above, below)
    if not found.is_finite():
        raise Undecided("the tail of the sum has no finite bound at this precision")
    return found


def _cancelled(above: list[Any], below: list[Any]) -> tuple[list[Any], list[Any]]:
    """The parameters without exact ones that stand on both sides."""
    rest, left = list(below), []
    for a in above:
        same = next((i for i, b in enumerate(rest) if a.is_exact() and a == b), None)
        if same is None:
            left.append(a)
        else:
            rest.pop(same)
    return left, rest


def _check(scale: Any, above: list[Any], below: list[Any]) -> None:
    """Refuse a series that is not proved to converge absolutely."""
    order = len(above) - len(below) - 1
    size = abs(scale)
    gap = sum(below, acb(0)).real - sum(above, acb(0)).real
    if order < 0 or (order == 0 and (size < 1 or (size == 1 and gap > 0))):
        return
    if order > 0 or size > 1:
        raise Undecided("the sum diverges: the quotients of its terms tend to more than 1")
    raise Undecided(f"the sum is not proved to converge: the quotients of its terms tend to {size}")


def _exact(value: Any) -> Any:
    q = value.as_rational() if isinstance(value, Surd) else None
    if q is not None:
        return acb(int(q.numer())) if q.denom() == 1 else acb(fmpq(q))
    return value.ball() if isinstance(value, Surd) else value
