"""References for duals by whole arrays: Hermite series and Taylor ends in extended precision.

`References` gives the dual and the derivative dual of one activation at thousands of correlations
of one pair of variances, as `numpy.longdouble` with a bound of the distance from the truth: balls
of the coefficients, Parseval's remainder for the tail, and the rounding of Horner's rule.  Near
|rho| = 1, where a series is slow, smooth functions have Taylor's polynomial with Lagrange's
remainder.  Nothing of it is shared with the code under test.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import isqrt
from typing import Any

import numpy as np
from flint import arb
from sympy import Abs, Heaviside, Max, Min, Piecewise, diff, sign

from ntksym.activation import Activation
from ntksym.errors import NtksymError
from ntksym.numeric.arith import ball, fraction
from ntksym.numeric.series.enclosed import coefficients, slope_moment
from ntksym.numeric.series.tail import Rest, slope_tail, value_tail
from ntksym.precision import precision
from ntksym.symbols import x
from ntksym.verify.balls import enclose_definition

LONG = np.longdouble
UNIT = float(np.finfo(LONG).eps)
ENOUGH = 2.0**-58
"""A tail, relative to sqrt(K(q11) K(q22)), that is good enough."""
TERMS = (400, 1600)
"""The second where a kink makes the coefficients fall slowly."""
ORDER = 4
"""Of Taylor's remainder."""
Arrays = tuple[Any, Any]


def extended() -> bool:
    """Whether long doubles have at least 63 bits here."""
    return UNIT < 2e-19


def longer(value: Any) -> Any:
    """The middle of an `arb` as a long double, to within one unit of it."""
    exact = fraction(value)
    first = float(exact)
    return LONG(first) + LONG(float(exact - Fraction(first)))


@dataclass(frozen=True, slots=True)
class Side:
    """One variance: coefficients, what is left of them, E[s^2] and E[s'^2] (None for a jump)."""

    variance: Fraction
    values: tuple[Any, ...]
    rest: Rest
    second: Any
    bend: Any


@dataclass(frozen=True, slots=True)
class Found:
    """Values with bounds, of dual and derivative dual; `known` where they are good enough."""

    nngp: Arrays
    dot: Arrays
    known: Any


class References:
    """Of one activation without open parameters."""

    def __init__(self, act: Activation) -> None:
        self.act = act
        self.smooth = not act.expr.has(Abs, Max, Min, Piecewise, Heaviside, sign)
        self.side = lru_cache(maxsize=64)(self._side)
        self._series = lru_cache(maxsize=256)(self._coefficients)
        self._end = lru_cache(maxsize=64)(self._taylor)

    def sizes(self, a: float, b: float) -> tuple[float, float]:
        """sqrt(K(q11) K(q22)), and the same of the derivative dual (infinite for a jump)."""
        one, two = self.side(a), self.side(b)
        with precision(120):
            value = float((one.second * two.second).sqrt().mid())
            if one.bend is None or two.bend is None:
                return value, float("inf")
            return value, float((one.bend * two.bend).sqrt().mid())

    def at(self, a: float, c: Any, b: float) -> Found:
        """At covariances `c` (doubles, exact) of two variances."""
        sizes = self.sizes(a, b)
        values, slopes, farthest, error, root = self._series(a, b)
        shape = np.shape(c)
        nngp = [np.full(shape, np.nan, LONG), np.full(shape, np.inf)]
        dot = [np.full(shape, np.nan, LONG), np.full(shape, np.inf)]
        rho = c.astype(LONG) / root
        inside = np.abs(rho) <= farthest
        for out, terms, bound in zip((nngp, dot), (values, slopes), error, strict=True):
            out[0][inside] = horner(terms, rho[inside])
            out[1][inside] = bound
        known = inside.copy()
        for ahead in (1, -1):
            left = ~known & (rho * ahead > 0)
            if left.any():
                fine = self._ahead(a, b, ahead, c, left, (nngp, dot), sizes)
                known |= fine
        return Found((nngp[0], nngp[1]), (dot[0], dot[1]), known)

    # -- the series ------------------------------------------------------------------------------

    def _side(self, v: float) -> Side:
        exact = Fraction(v)
        count = TERMS[0] if self.smooth else TERMS[1]
        found = coefficients(self.act, exact, count, bits=160)
        bend = slope_moment(self.act, exact, bits=160)
        with precision(220):
            left = None
            if bend is not None:
                total = sum((n * a * a for n, a in enumerate(found.values)), arb(0))
                left = (bend - total / ball(exact)).upper().max(arb(0))
            rest = Rest(found.rest, left, ball(exact))
        return Side(exact, found.values, rest, found.second, bend)

    def _coefficients(self, a: float, b: float) -> tuple[Any, Any, float, Any, Any]:
        """(a_n b_n, n a_n b_n / root, the largest |rho|, errors of both sums, root)."""
        one, two = self.side(a), self.side(b)
        with precision(220):
            root = (ball(one.variance) * ball(two.variance)).sqrt()
            both = [p * r for p, r in zip(one.values, two.values, strict=True)]
            slopes = [n * p / root for n, p in enumerate(both)][1:]
            size = (one.second * two.second).sqrt()
            steep = None
            if one.bend is not None and two.bend is not None:
                steep = (one.bend * two.bend).sqrt()

            def tails(rho: float) -> tuple[Any, Any]:
                at, n = arb(rho), len(both)
                return value_tail(at, n, one.rest, two.rest), slope_tail(at, n, one.rest, two.rest)

            def fine(rho: float) -> bool:
                value, slope = tails(rho)
                scale = size / root if steep is None else steep
                return bool(value <= size * arb(ENOUGH) and slope <= scale * arb(ENOUGH))

            low, high = 0.0, 1.0
            if fine(1.0):
                low = 1.0
            else:
                for _ in range(40):
                    middle = (low + high) / 2
                    low, high = (middle, high) if fine(middle) else (low, middle)
            errors = []
            for terms, tail in zip((both, slopes), tails(low), strict=True):
                total = sum((abs(t).upper() * arb(low) ** n for n, t in enumerate(terms)), arb(0))
                turn = sum(
                    (n * abs(t).upper() * arb(low) ** n for n, t in enumerate(terms)), arb(0)
                )
                balls = sum((t.rad() for t in terms), arb(0))
                # Horner: 2n + 2 roundings of every term; the correlation: 4 units
                rounding = (2 * len(terms) + 2) * arb(UNIT) * total + 4 * arb(UNIT) * turn
                errors.append(float((tail + balls + rounding).upper()))
            made = np.array([longer(t) for t in both]), np.array([longer(t) for t in slopes])
            return made[0], made[1], low, errors, longer(root)

    # -- the ends --------------------------------------------------------------------------------

    def _ahead(
        self, a: float, b: float, ahead: int, c: Any, left: Any, out: Any, sizes: Any
    ) -> Any:
        """Taylor's polynomial at rho = +-1 where it is good enough; which those are."""
        none = np.zeros(np.shape(c), bool)
        square = Fraction(a) * Fraction(b)
        num, den = isqrt(square.numerator), isqrt(square.denominator)
        if not self.smooth or num * num != square.numerator or den * den != square.denominator:
            return none
        root = Fraction(num, den)
        if Fraction(float(root)) != root:
            return none
        try:
            terms, radii, most = self._end(a, b, root * ahead)
        except NtksymError:
            return none
        gap = np.abs(c).astype(LONG) - LONG(float(root))  # exact: both are doubles
        step = ahead * gap
        fine = left.copy()
        for k, (values, bounds) in enumerate(out):
            high = ORDER - k
            total, near = np.zeros(np.shape(c), LONG), np.full(np.shape(c), sum(radii))
            power = np.ones(np.shape(c), LONG)
            for n in range(high):
                total = total + terms[n + k] * power
                near = near + 8 * UNIT * np.abs(terms[n + k] * power).astype(float)
                power = power * step / (n + 1)
            near = near + most * np.abs(power).astype(float) * 1.001
            good = left & (near <= 2.0**-56 * sizes[k])
            values[good], bounds[good] = total[good], near[good]
            fine &= good
        return fine

    def _taylor(self, a: float, b: float, end: Fraction) -> tuple[Any, Any, float]:
        """(E[s^(k)(u) s^(k)(v)] for k < ORDER at this end, their radii, a bound of the next)."""
        one, two = Fraction(a), Fraction(b)
        s, terms, radii = self.act.expr, [], []
        for _ in range(ORDER):
            found = enclose_definition(s, one, end, two, digits=22)
            exact = Fraction(found.mid)
            terms.append(LONG(float(exact)) + LONG(float(exact - Fraction(float(exact)))))
            radii.append(float(Fraction(found.rad)) * 1.001)
            s = diff(s, x)
        tops = [enclose_definition(s, v, v, v, digits=6) for v in (one, two)]
        sizes = [float(Fraction(t.mid) + Fraction(t.rad)) for t in tops]
        return terms, radii, (sizes[0] * sizes[1]) ** 0.5 * 1.001


def horner(terms: Any, at: Any) -> Any:
    """The polynomial with these coefficients, constant first."""
    total = np.zeros(np.shape(at), LONG)
    for t in terms[::-1]:
        total = total * at + t
    return total
