"""References for generated code in ball arithmetic: closed forms, Hermite series, the definition.

A reference gives balls of the dual and the derivative dual at doubles, taken as exact numbers, or
None where it cannot; none of them shares code with the lowering.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any, Protocol

from flint import acb, arb

from ntksym.activation import Activation
from ntksym.collapse.straight import Straight
from ntksym.dual import Dual
from ntksym.errors import NtksymError, Undecided
from ntksym.numeric.arith import ball
from ntksym.numeric.series.enclosed import coefficients, slope_moment
from ntksym.numeric.series.tail import Rest, slope_tail, value_tail
from ntksym.precision import precision
from ntksym.symbols import q, q11, q12, q22
from ntksym.verify.balls import enclose_definition

Pair = tuple[Any, Any]
BITS = (320, 2600)
"""The second where a difference of numbers like 1e600 is left of two."""
TERMS = 400
NARROW = 2.0**-56
"""A radius, relative to sqrt(K(q11) K(q22)), that is good enough."""


class Reference(Protocol):
    """Balls of (dual, derivative dual)."""

    continuous: bool
    """Whether the activation has no jump."""

    def pair(self, a: float, c: float, b: float) -> Pair:
        """At a covariance; balls may be wide or not finite."""
        ...

    def diagonal(self, v: float) -> Pair:
        """At q11 = q22 = q12 = v."""
        ...


class Closed:
    """The closed forms of a dual without open parameters.

    The derivative is that of the distribution: it is infinite on the diagonal of a jump.
    """

    def __init__(self, dual: Dual) -> None:
        self._programs = []
        self.continuous = dual.continuous
        for bits in BITS:
            with precision(bits):
                pair = Straight((dual.value, dual.dot), (q11, q12, q22))
                diag = Straight((dual.diag, dual.diag_dot_ae), (q,))
            self._programs.append((bits, (pair, diag)))
        self._diagonal = lru_cache(maxsize=4096)(self._on_diagonal)

    def pair(self, a: float, c: float, b: float) -> Pair:
        """As in `Reference`."""
        return self._best(0, (a, c, b))

    def diagonal(self, v: float) -> Pair:
        """As in `Reference`."""
        found: Pair = self._diagonal(v)
        return found

    def _on_diagonal(self, v: float) -> Pair:
        value, slope = self._best(1, (v,))
        return value, slope if self.continuous else arb("inf")

    def _best(self, which: int, at: tuple[float, ...]) -> Pair:
        found: Pair = (arb("nan"), arb("nan"))
        for bits, programs in self._programs:
            with precision(bits):
                try:
                    value, slope = programs[which](*(acb(v) for v in at))
                    found = value.real, slope.real
                except Undecided:
                    continue
            if all(v.is_finite() and (v.is_exact() or v.rel_accuracy_bits() > 60) for v in found):
                break
        return found


class Series:
    """Hermite coefficients at the exact variances, with the tail in the radius."""

    def __init__(self, act: Activation) -> None:
        self._act = act
        self.continuous = True
        self._side = lru_cache(maxsize=64)(self._coefficients)

    def _coefficients(self, v: float) -> tuple[Any, Rest, Any, Any]:
        exact = Fraction(v)
        found = coefficients(self._act, exact, TERMS, bits=160)
        bend = slope_moment(self._act, exact, bits=160)
        with precision(220):
            left = None
            if bend is not None:
                total = sum((n * a * a for n, a in enumerate(found.values)), arb(0))
                left = (bend - total / ball(exact)).upper().max(arb(0))
        return found.values, Rest(found.rest, left, ball(exact)), found.second, bend

    def pair(self, a: float, c: float, b: float) -> Pair:
        """As in `Reference`."""
        (first, rest1, *_), (second, rest2, *_) = self._side(a), self._side(b)
        with precision(220):
            root = (arb(a) * arb(b)).sqrt()
            square = Fraction(c) ** 2 == Fraction(a) * Fraction(b)
            rho = arb((c > 0) - (c < 0)) if square else arb(c) / root
            value, slope = arb(0), arb(0)
            for n in range(TERMS - 1, -1, -1):
                both = first[n] * second[n]
                value = value * rho + both
                if n:
                    slope = slope * rho + n * both
            value += arb(0, value_tail(abs(rho), TERMS, rest1, rest2))
            slope = slope / root + arb(0, slope_tail(abs(rho), TERMS, rest1, rest2))
        return value, slope

    def diagonal(self, v: float) -> Pair:
        """As in `Reference`: the second moments, from their own enclosures."""
        _, _, value, slope = self._side(v)
        return value, arb("inf") if slope is None else slope


def defined(act: Activation, a: float, c: float, b: float, continuous: bool) -> Pair:
    """From the definition, about 18 digits: tenths of a second."""
    exact = (Fraction(a), Fraction(c), Fraction(b))
    out = []
    for slope in (False, True):
        if slope and (a == 0.0 or b == 0.0 or not continuous):
            out.append(arb("nan"))  # s'(0) is a convention where s has a kink; Dirac masses
            continue
        try:
            found = enclose_definition(act, *exact, derivative=slope, digits=18)
        except NtksymError:
            out.append(arb("nan"))
            continue
        with precision(220):
            mid = Fraction(found.mid)
            rad = Fraction(found.rad)
            out.append(ball(mid) + arb(0, ball(rad).upper()))
    return out[0], out[1]


def narrow(found: Any, size: Any) -> bool:
    """Whether a ball is good enough for its size."""
    return bool(found.is_finite() and found.rad() <= size * arb(NARROW))
