"""Balls around the two sides of a statement at one exact point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import log2
from typing import Any

from flint import acb, fmpq
from sympy import Expr, Integer, Rational, Symbol, sqrt

from ..claims.expectation import Expectation
from ..claims.statement import Statement
from ..errors import BadActivation, Undecided
from ..precision import precision
from ..symbols import x
from ..verify.ball import Ball
from ..verify.balls import enclose_definition, enclose_expr
from ..verify.evaluate import constant, real_ball
from ..verify.surd import Surd

Point = Mapping[Symbol, Rational]
_ROUNDS = 4


@dataclass
class Enclosure:
    """The definition and the formula of a statement, enclosed at one point.

    Expectations are kept between calls with growing accuracy.
    """

    statement: Statement
    point: Point
    _known: dict[tuple[Expectation, int], Ball] = field(default_factory=dict)

    def formula(self, digits: int, expr: Expr | None = None) -> Ball:
        """The value of the formula (or of another expression in the variables).

        Raises:
            BadActivation: certainly not real here.
            Undecided: not defined here, or not to this accuracy.
        """
        return enclose_expr(
            self.statement.rhs if expr is None else expr, dict(self.point), digits=digits
        )

    def definition(self, digits: int) -> Ball:
        """The value of the definition, from expectations alone (and the layers of a network).

        Raises:
            NotSquareIntegrable: an expectation is infinite here.
            BadCovariance: not a covariance.
            Undecided: not to this accuracy.
        """
        goal = digits
        best: Ball | None = None
        for _ in range(_ROUNDS):
            balls = {s: self._expectation(e, goal) for s, e in self.statement.expectations}
            best = self._combine(balls, goal, digits)
            if best.rel_digits >= digits or best.rad * 10 ** (digits + 15) <= 1:
                return best
            goal += digits + 4
        assert best is not None
        raise Undecided(
            f"the definition: {digits} digits were not reached", where=f"best enclosure: {best}"
        )

    def _expectation(self, e: Expectation, digits: int) -> Ball:
        if (e, digits) not in self._known:
            self._known[e, digits] = expectation_ball(e, self.point, digits + 2)
        return self._known[e, digits]

    def _combine(self, balls: Mapping[Symbol, Ball], goal: int, digits: int) -> Ball:
        """The definition with balls for its expectations."""
        bits = int((goal + 6) * log2(10)) + 64
        best: Ball | None = None
        for _ in range(_ROUNDS):
            with precision(bits):
                env: dict[Symbol, Any] = {s: _exact(r) for s, r in self.point.items()}
                env |= {s: acb(b.to_arb()) for s, b in balls.items()}
                for symbol, value in self.statement.lets:
                    env[symbol] = constant(value, env)
                found = real_ball(constant(self.statement.lhs, env), "the definition")
                if found.is_finite():
                    best = Ball.from_arb(found)
                    if not self.statement.lets or best.rel_digits >= digits:
                        return best
            bits *= 2
        if best is None:
            raise Undecided("the definition has no finite value here")
        return best


def expectation_ball(e: Expectation, point: Point, digits: int) -> Ball:
    """The enclosure of one expectation at an exact point."""
    at = dict(point)
    g = None if e.g is None else _placed(e.g, at)
    law = tuple(_placed(part, at) for part in e.law)
    return _numeric(_placed(e.f, at), g, law, e.slope, e.jumps, digits)


def _placed(part: Expr, at: Mapping[Symbol, Rational]) -> Expr:
    """The part with the values of its own names: a point has many more, and each costs a walk."""
    names = part.free_symbols
    used = {s: value for s, value in at.items() if s in names}
    return part.subs(used) if used else part


@lru_cache(maxsize=4096)
def _numeric(
    f: Expr, g: Expr | None, law: tuple[Expr, ...], slope: bool, jumps: str, digits: int
) -> Ball:
    """The enclosure with numbers in all places; kept, since many formulas share a definition."""
    if g is None:
        mean, variance = law
        if not (mean.is_Rational and variance.is_Rational):
            f = f.subs(x, mean + sqrt(variance) * x)
            mean, variance = Integer(0), Integer(1)
        one = Integer(1)
        return enclose_definition(f, variance, 0, 1, means=(mean, 0), other=one, digits=digits)
    m1, m2, a, c, b = law
    if not all(part.is_Rational for part in law):
        correlation = c / sqrt(a * b)
        if not correlation.is_Rational:
            raise Undecided(
                "an expectation with an irrational correlation", where=f"correlation {correlation}"
            )
        if slope:
            raise Undecided("a derivative dual with an irrational covariance")
        f, g = f.subs(x, m1 + sqrt(a) * x), g.subs(x, m2 + sqrt(b) * x)
        m1, m2, a, c, b = Integer(0), Integer(0), Integer(1), correlation, Integer(1)
    return enclose_definition(
        f,
        a,
        c,
        b,
        means=(m1, m2),
        other=None if g == f else g,
        digits=digits,
        derivative=slope,
        jumps=jumps,
    )


def _exact(value: Rational) -> Surd:
    return Surd.rational(fmpq(int(value.p), int(value.q)))


__all__ = ["BadActivation", "Enclosure", "Point", "expectation_ball"]
