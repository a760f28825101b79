"""The record of one expectation at one exact point, and a ball around it from another route."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp
from flint import arb
from sympy import Symbol

from ..claims.expectation import Expectation
from ..errors import Undecided
from ..verify.definition import expectation
from ..verify.evaluate import constant
from ..verify.functions.growth import Growth
from ..verify.functions.pieces import number
from ..verify.law import Law
from ..verify.surd import Surd
from .functions import ONE, Recorded, merged, recorded
from .numbers import ball_record
from .parts import Side, line, plane


@dataclass(frozen=True, slots=True)
class Enclosed:
    """The record of an expectation, and its ball (an `arb`) with the recorded radius."""

    record: dict[str, Any]
    ball: Any


def enclosed(e: Expectation, point: dict[Symbol, sp.Rational], digits: int) -> Enclosed:
    """The expectation at the point, with panels good for about `digits` digits.

    Raises:
        Undecided: an irrational law, a function that certificates do not know, no panels.
        BadCovariance, BadActivation, NotSquareIntegrable: as `enclose_definition`.
    """
    law = _law(e, point)
    masses = e.slope and e.jumps == "distributional"
    f = recorded(e.f.subs(point), slope=e.slope, masses=masses)
    g = None
    if e.g is not None:
        g = f if e.g == e.f else recorded(e.g.subs(point), slope=e.slope, masses=masses)
    value = _value(f, g, law, digits)
    size = abs(value.mid()).max(arb(10) ** -6)
    radius = (size * arb(10) ** -digits).upper()
    parts = _parts(f, g, law, radius / 64)
    row = {
        "f": f.record,
        "g": None if g is None or g is f else g.record,
        "parts": parts,
        "ball": ball_record(value, radius),
    }
    return Enclosed(row, arb(value.mid(), (radius + value.rad()).upper()))


def _value(f: Recorded, g: Recorded | None, law: Law, digits: int) -> Any:
    """The expectation by the methods of `ntksym.verify`, which the checker does not have."""
    from .functions import one

    tol = arb(10) ** -(digits + 12)
    found = expectation(f.factor, one() if g is None else g.factor, law, tol)
    if not (found.is_finite() and found.rad() < arb(10) ** -(digits + 7)):
        raise Undecided("the definition was not enclosed narrowly enough for a certificate")
    return found


def _law(e: Expectation, point: dict[Symbol, sp.Rational]) -> Law:
    env = {s: Surd.rational(rational_of(v)) for s, v in point.items()}
    numbers = []
    for entry in e.law:
        value = constant(entry, env)
        q = value.as_rational() if isinstance(value, Surd) else None
        if q is None:
            raise Undecided(f"certificates need rational covariances, not {entry}")
        numbers.append(q)
    if len(numbers) == 5:
        return Law(*numbers)
    m, q = numbers
    return Law(m, m, q, q * 0, q * 0)


def rational_of(value: sp.Rational) -> Any:
    """The rational number as an `fmpq`."""
    from flint import fmpq

    return fmpq(int(value.p), int(value.q))


def _parts(f: Recorded, g: Recorded | None, law: Law, tol: Any) -> list[dict[str, Any]]:
    """The parts in the order in which the checker takes them."""
    if g is None:
        return _single(f.side, law, tol)
    out = _smooth(f.side, g.side, law, tol)
    out += _masses(f, g, law, tol)
    return out + _masses(g, f, law.swapped(), tol)


def _smooth(f: Side, g: Side, law: Law, tol: Any) -> list[dict[str, Any]]:
    if law.q11 == 0:
        return _single(g, law.swapped(), tol)
    if law.q22 == 0:
        return _single(f, law, tol)
    if f.is_zero or g.is_zero:
        return []
    if not law.singular:
        return [plane(f, g, law, tol)]
    slope = law.q12 / law.q11
    both = merged(f.pieces, g.pieces, slope, law.m2 - slope * law.m1)
    return [line(f, g, law, tol, both, arb(law.m1), arb(law.q11))]


def _single(f: Side, law: Law, tol: Any) -> list[dict[str, Any]]:
    if law.q11 == 0 or f.is_zero:
        return []
    zero = law.q12 * 0
    alone = Law(law.m1, law.m1, law.q11, zero, zero)
    return [line(f, ONE, alone, tol, f.pieces, arb(law.m1), arb(law.q11))]


def _masses(f: Recorded, g: Recorded, law: Law, tol: Any) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    if not f.factor.masses or g.side.is_zero:
        return out
    if law.q11 == 0 or law.singular:
        raise Undecided("certificates know Dirac masses only where they have a density")
    variance = law.q22 - law.q12 * law.q12 / law.q11
    slope = arb(law.q12 / law.q11)
    for at, height in f.factor.masses:
        if not isinstance(height, Surd) and height.is_zero():
            continue
        mean = arb(law.m2) + slope * (number(at) - arb(law.m1))
        near = rational_of(sp.Rational(round(float(mean) * 1024), 1024))
        zero = variance * 0
        alone = Law(near, near, variance, zero, zero)
        wide = Growth(g.side.growth.c * 4, 0, g.side.growth.b, g.side.growth.a)
        side = Side(g.side.pieces, wide)
        out.append(line(side, ONE, alone, tol, g.side.pieces, mean, arb(variance)))
    return out
