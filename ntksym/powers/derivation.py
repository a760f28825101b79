"""One derivation: the closed forms of a sum of real powers, pair by pair."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sympy import (
    Add,
    Basic,
    Expr,
    Gt,
    Integer,
    Pow,
    Rational,
    expand,
    hyper,
    nan,
    oo,
    sqrt,
)

from ..activation import Activation
from ..errors import NotSquareIntegrable
from ..symbols import q, q11, q12, q22, x
from . import pairs
from .halves import PowerSum, recognise

Row = tuple[Expr, Expr, Expr]
"""(p, a, b) for a x_+^p + b x_-^p."""


@dataclass(frozen=True, slots=True)
class Part:
    """A coefficient times one function of `pairs`: what a pair of rows becomes.

    Attributes:
        family: "even", "odd" or "half".
        coefficient: free of the covariance.
        p: the exponent of |u|.
        q: the exponent of |v|.
        turn: -1 for "half" at -rho.
    """

    family: str
    coefficient: Expr
    p: Expr
    q: Expr
    turn: int = 1

    @property
    def value(self) -> Expr:
        """The function of the covariance."""
        if self.family == "half":
            return pairs.half(self.p, self.q, self.turn)
        return (pairs.even if self.family == "even" else pairs.odd)(self.p, self.q)

    @property
    def slope(self) -> Expr:
        """Its derivative in q12."""
        if self.family == "half":
            return pairs.half_slope(self.p, self.q, self.turn)
        return (pairs.even_slope if self.family == "even" else pairs.odd_slope)(self.p, self.q)


def parts(first: Row, second: Row) -> tuple[Part, ...]:
    """E[f(u) g(v)] of two rows: by parity where one is absent, else by half-lines.

    `half` is chosen where p - q is an odd integer too: it is elementary there.
    """
    (p, a, b), (q_, c, d) = first, second
    even, odd = expand((a + b) * (c + d)), expand((a - b) * (c - d))
    quarter = Rational(1, 4)
    whole = tuple(
        Part(name, value * quarter, p, q_)
        for name, value in (("even", even), ("odd", odd))
        if value != 0
    )
    elementary = (p - q_).is_odd and any(part.value.has(hyper) for part in whole)
    if len(whole) < 2 and not elementary:
        return whole
    same, cross = expand(a * c + b * d), expand(a * d + b * c)
    return tuple(
        Part("half", value, p, q_, turn) for turn, value in ((1, same), (-1, cross)) if value != 0
    )


def pair_parts(f: PowerSum, g: PowerSum) -> tuple[Part, ...]:
    """E[f(u) g(v)]: the parts of every pair of rows, in order."""
    return tuple(part for first in f.rows for second in g.rows for part in parts(first, second))


@dataclass(frozen=True)
class PowerDerivation:
    """The closed forms of one sum of real powers, for a centred pair."""

    activation: Activation
    terms: PowerSum

    @classmethod
    def of(cls, activation: Activation) -> PowerDerivation | None:
        """The derivation, or None where the activation is not such a sum.

        Raises:
            NotSquareIntegrable: an exponent is at most -1/2.
        """
        terms = recognise(activation.expr)
        if terms is None:
            return None
        found = cls(activation, terms)
        for p in terms.exponents:
            if (p > Rational(-1, 2)) == False:  # noqa: E712  SymPy's false
                raise NotSquareIntegrable(
                    f"{activation.expr}: E[s(u)^2] is infinite for every variance",
                    where=f"the power {p} at 0",
                    hint="a power above -1/2",
                )
        return found

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The parts of every pair of rows, in order."""
        return pair_parts(self.terms, self.terms)

    @cached_property
    def value(self) -> Expr:
        """E[s(u) s(v)]."""
        return Add(*(part.coefficient * part.value for part in self.parts))

    @cached_property
    def dot(self) -> Expr:
        """The derivative of `value` in q12: s' in the sense of distributions (Price 1958)."""
        return Add(*(part.coefficient * part.slope for part in self.parts))

    @cached_property
    def dot_ae(self) -> Expr:
        """E[s'(u) s'(v)] with s' almost everywhere; NaN where a power is negative (no value)."""
        if any(p.is_negative for p in self.terms.exponents):
            return nan
        smooth = [part for part in self.parts if part.p != 0 and part.q != 0]
        return Add(*(part.coefficient * part.slope for part in smooth))

    @cached_property
    def diag(self) -> Expr:
        """E[s(u)^2] for variance q."""
        return _square(self.terms)

    @property
    def jumps(self) -> bool:
        """Whether s is discontinuous at 0 (a power of exactly 0)."""
        return bool(expand(self.terms.jump) != 0)

    @cached_property
    def rough(self) -> bool:
        """Whether E[s'(u)^2] is surely infinite: some power p != 0 is at most 1/2."""
        half = Rational(1, 2)
        return any(p != 0 and (p > half) == False for p in self.terms.exponents)  # noqa: E712

    @cached_property
    def diag_dot_ae(self) -> Expr:
        """E[s'(u)^2] for variance q, s' almost everywhere."""
        return oo if self.rough else _square(self.terms.derivative())

    @property
    def diag_dot(self) -> Expr:
        """The same with s' in the sense of distributions."""
        return oo if self.jumps else self.diag_dot_ae

    @cached_property
    def conditions(self) -> tuple[Basic, ...]:
        """Where not known: p > -1/2 for the value, then p > 1/2 for a finite E[s'(u)^2]."""
        value = dict.fromkeys(self._above(Rational(-1, 2)))
        return (*value, *(c for c in self.slope_conditions if c not in value))

    @property
    def slope_conditions(self) -> tuple[Basic, ...]:
        """Those that only E[s'(u)^2] needs."""
        return tuple(dict.fromkeys(self._above(Rational(1, 2))))

    def _above(self, least: Rational) -> list[Basic]:
        moving = [p for p in self.terms.exponents if p.free_symbols]
        return [c for p in moving if (c := Gt(p, least)) not in (True, False)]

    def at(self, a: Rational, c: Rational, b: Rational, *, slope: bool = False) -> Expr:
        """E[s(u) s(v)] (or of the a.e. derivatives) at exact covariances, degenerate ones included.

        NaN where s' has no value at 0 and a variance is zero; infinite where the expectation is.
        """
        f = self.terms.derivative() if slope else self.terms
        if a * b != c * c:
            form = self.dot_ae if slope else self.value
            return form.subs({q11: a, q12: c, q22: b})
        if a == 0 or b == 0:
            first, second = (self._mean(f, z, slope) for z in (a, b))
            return first * second
        ratio = sqrt(b / a)
        right, left = f.right, f.left
        if c < 0:
            right, left = left, right
        total: Expr = Integer(0)
        for mine, other in ((f.right, right), (f.left, left)):
            for p, k in mine:
                for p2, k2 in other:
                    if (p + p2 + 1).is_nonpositive:
                        return nan if slope and c < 0 else oo
                    total += k * k2 * ratio**p2 * Pow(a, (p + p2) / 2) * pairs.moment(p + p2) / 2
        return total

    def _mean(self, f: PowerSum, variance: Rational, slope: bool) -> Expr:
        if variance:
            sides = [(p, k) for side in (f.right, f.left) for p, k in side]
            total = [k * Pow(variance, p / 2) * pairs.moment(p) / 2 for p, k in sides]
            return Add(*total)
        if not slope:
            return self.activation.expr.xreplace({x: Integer(0)})
        if any(p.is_negative for p in f.exponents):
            return nan
        zero = Integer(0)
        right, left = dict(f.right).get(zero, zero), dict(f.left).get(zero, zero)
        return right if right == left else nan


def _square(f: PowerSum) -> Expr:
    """E[f(u)^2] for variance q."""
    total: Expr = Integer(0)
    for side in (f.right, f.left):
        for p, k in side:
            for p2, k2 in side:
                total += k * k2 * q ** ((p + p2) / 2) * pairs.moment(p + p2) / 2
    return total
