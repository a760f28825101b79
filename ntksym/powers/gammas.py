r"""A canonical form for products of powers of 2, of pi, Gamma functions and rational functions.

$\Gamma(y + n) = (y)_n \Gamma(y)$ brings every argument to a rational part in [0, 1), so that two
such products with arguments that differ by integers are equal exactly when the exponents and the
rational functions are: a zero test without simplification.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Integer, Mul, Pow, Rational, expand, floor, fraction, gamma, pi, together


@dataclass(frozen=True, slots=True)
class GammaProduct:
    """top/bottom * 2**two * pi**half_turns * product of gamma(argument)**exponent."""

    top: Expr
    bottom: Expr
    two: Expr
    half_turns: Expr
    gammas: tuple[tuple[Expr, Expr], ...]

    @classmethod
    def of(cls, expr: Expr) -> GammaProduct:
        """The canonical form of a product."""
        top: Expr = Integer(1)
        bottom: Expr = Integer(1)
        two: Expr = Integer(0)
        turns: Expr = Integer(0)
        found: dict[Expr, Expr] = {}
        for factor in Mul.make_args(expr):
            base, e = (factor.base, factor.exp) if isinstance(factor, Pow) else (factor, Integer(1))
            if isinstance(base, gamma):
                key, over, under, root = _shifted(base.args[0])
                top, bottom = _raised(top, bottom, over, under, e)
                turns += root * e
                if key is not None:
                    found[key] = found.get(key, Integer(0)) + e
            elif base == pi:
                turns += e
            elif base == 2:
                two += e
            else:
                over, under = fraction(together(base))
                top, bottom = _raised(top, bottom, over, under, e)
        kept = tuple(sorted(((k, n) for k, n in found.items() if n != 0), key=str))
        return cls(top, bottom, expand(two), expand(turns), kept)

    def equals(self, other: GammaProduct) -> bool:
        """Whether the two are one function, as exact polynomials and exponents."""
        same = (self.half_turns, self.gammas) == (other.half_turns, other.gammas)
        shift = expand(self.two - other.two)
        if not same or not shift.is_Integer:
            return False
        gap = self.top * other.bottom * 2**shift - other.top * self.bottom
        return bool(expand(gap) == 0)


def _raised(top: Expr, bottom: Expr, over: Expr, under: Expr, e: Expr) -> tuple[Expr, Expr]:
    if e.is_negative:
        over, under, e = under, over, -e
    return top * over**e, bottom * under**e


def _shifted(argument: Expr) -> tuple[Expr | None, Expr, Expr, Expr]:
    """(key, n, d, r) with Gamma(argument) = n/d * pi^r * Gamma(key); no key where it is 1."""
    number, rest = expand(argument).as_coeff_Add()
    steps = int(floor(number))
    start = number - steps + rest
    if start == 0:  # Gamma(n) from Gamma(1)
        start, steps = Integer(1), steps - 1
    over: Expr = Integer(1)
    under: Expr = Integer(1)
    for j in range(steps):
        over *= start + j
    for j in range(steps, 0):
        under *= start + j
    if start == 1:
        return None, over, under, Integer(0)
    if start == Rational(1, 2):
        return None, over, under, Rational(1, 2)
    return start, over, under, Integer(0)
