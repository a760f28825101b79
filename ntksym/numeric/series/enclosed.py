r"""Rigorous balls of the Hermite coefficients $a_n(q) = E[s(\sqrt q Z)\,h_n(Z)]$, all n together.

Orthonormal $h_n = He_n/\sqrt{n!}$.  Exact for powers on half-lines and log|x|, else one quadrature
rule for all n, with every error in the radius (`rule`, `recurrence`).  What is left of Parseval's
sum, $R_N(q) = E[s(\sqrt q Z)^2] - \sum_{n\le N}a_n^2$, comes from an independent enclosure of
the second moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from sympy import Expr

from ...activation import Activation
from ...errors import BadCovariance, Undecided
from ...precision import precision
from .powers import log_coefficients, power_coefficients
from .recurrence import hermite_sums
from .rule import rule

MOST_TERMS = 20_000


@dataclass(frozen=True, slots=True)
class Coefficients:
    r"""What `coefficients` finds.

    Attributes:
        values: balls (`arb`) of a_0, a_1, ...
        second: a ball of $E[s(\sqrt q Z)^2]$.
        rest: a ball of $E[s(\sqrt qZ)^2] - \sum_n a_n(q)^2$, what is left beyond the last value;
            its upper end is proven and at least 0.
        kind: "powers", "trapezoid" or "panels".
        nodes: how many nodes there are.
    """

    values: tuple[Any, ...]
    second: Any
    rest: Any
    kind: str
    nodes: int


def coefficients(
    expr: Expr | Activation,
    q: Any,
    count: int,
    *,
    bits: int = 128,
    params: Mapping[Any, Any] | None = None,
) -> Coefficients:
    r"""Balls of a_0(q), ..., a_{count-1}(q), with the second moment and what is left of it.

    Args:
        expr: s, in the symbol `ntksym.symbols.x`, or an `Activation`.
        q: the variance, an exact rational (int, Fraction, decimal text, SymPy Rational), q >= 0.
        count: how many.
        bits: the radii are about 2^-bits sqrt(E[s^2]).
        params: exact values of the other symbols, by symbol or by name.

    Raises:
        BadCovariance: q < 0, or not an exact rational.
        BadActivation: not real or not defined on part of the line.
        NotSquareIntegrable: E[s(u)^2] is infinite at this variance.
        Undecided: no growth certificate, or a singularity that no rule resolves.
    """
    from ...verify.balls import with_values

    if not 1 <= count <= MOST_TERMS:
        raise Undecided(f"{count} coefficients: between 1 and {MOST_TERMS}")
    return _coefficients(with_values(expr, params or {}), rational(q), count, bits)


def rational(q: Any) -> Fraction:
    """An exact variance as a `Fraction`.

    Raises:
        BadCovariance: negative, or not an exact rational.
    """
    from ...verify.law import exact

    value = exact(q)
    if value < 0:
        raise BadCovariance(f"the variance {value} is negative", hint="q >= 0")
    return Fraction(int(value.numer()), int(value.denom()))


@lru_cache(maxsize=512)
def _coefficients(expr: Expr, q: Fraction, count: int, bits: int) -> Coefficients:
    from flint import arb, fmpq

    from ...verify.definition import factor
    from ...verify.functions.logform import logarithm
    from ...verify.functions.radial import half_lines

    variance = fmpq(q.numerator, q.denominator)
    with precision(bits + 64):
        whole = factor(expr, derivative=False, distributional=False)
        second = _second(whole, variance, bits)
        if q == 0:
            first = _at_zero(whole)
            values = (first, *(arb(0) for _ in range(count - 1)))
            return Coefficients(values, second, arb(0), "powers", 0)
        lines, log = half_lines(whole.pieces), logarithm(whole.pieces)
        if lines is not None:
            values, kind, nodes = power_coefficients(lines, variance, count), "powers", 0
        elif log is not None:
            values, kind, nodes = log_coefficients(log, variance, count), "powers", 0
        else:
            scale = second.upper().sqrt().max(arb((1, -bits)))
            used = rule(whole.pieces, variance, count, scale * arb((1, -bits)))
            extra = arb(0, used.error)
            values = tuple(a + extra for a in hermite_sums(used.nodes, count, bits + 8))
            kind, nodes = used.kind, len(used.nodes)
        return Coefficients(values, second, rest_of(second, values), kind, nodes)


def rest_of(second: Any, values: tuple[Any, ...]) -> Any:
    """`second` minus the squares of the values, with what is below 0 cut off.

    Raises:
        Undecided: surely negative: coefficients and second moment contradict each other.
    """
    from flint import arb

    left = second
    for a in values:
        left = left - a * a
    top = left.upper()
    if not top >= 0:
        raise Undecided(f"Parseval's sum exceeds the second moment by {-left}: a wrong coefficient")
    low = left.lower().max(arb(0))
    return low.union(top)


def _second(whole: Any, variance: Any, bits: int) -> Any:
    """An enclosure of E[s(u)^2] that uses none of the coefficients."""
    from flint import arb

    from ...verify.definition import expectation
    from ...verify.law import Law

    law = Law(variance * 0, variance * 0, variance, variance, variance)
    goal = arb((1, -bits - 4))
    value = expectation(whole, whole, law, _guess(whole.pieces, variance) * goal)
    if value.is_finite() and not value.rad() < 16 * goal * abs(value):  # a poor guess
        size = abs(value).upper().max(arb((1, -400)))
        value = expectation(whole, whole, law, size * goal)
    if not value.is_finite():
        raise Undecided("no finite enclosure of E[s(u)^2]")
    return value.lower().max(arb(0)).union(value.upper())


def _guess(pieces: tuple[Any, ...], variance: Any) -> Any:
    """The size of E[s(u)^2] from a few points; only the accuracy asked for depends on it."""
    from flint import acb, arb

    from ...symbols import x
    from ...verify.evaluate import function
    from ...verify.rules.oned import pick

    dev, total = arb(variance).sqrt(), arb(0)
    for k in (-15, -10, -6, -3, -1, 1, 3, 6, 10, 15):
        at = (dev * k / 6).mid()
        try:
            value = abs(function(pick(pieces, at).expr, x)(acb(at), False))
        except Undecided:
            continue
        if value.is_finite():
            total += value * value / 10
    return total.upper() if total > 0 and total.is_finite() else arb(1)


def slope_moment(
    expr: Expr | Activation, q: Any, *, bits: int = 128, params: Mapping[Any, Any] | None = None
) -> Any | None:
    r"""A ball of $E[s'(\sqrt qZ)^2]$, or None where s jumps (it is infinite); q > 0."""
    from ...verify.balls import with_values

    return _slope_moment(with_values(expr, params or {}), rational(q), bits)


@lru_cache(maxsize=512)
def _slope_moment(expr: Expr, q: Fraction, bits: int) -> Any | None:
    from flint import fmpq

    from ...verify.definition import factor

    with precision(bits + 64):
        try:
            if jumps(factor(expr, derivative=True, distributional=True)):
                return None
            slope = factor(expr, derivative=True, distributional=False)
            return _second(slope, fmpq(q.numerator, q.denominator), bits)
        except Undecided:
            return None  # not square integrable, or not shown to be: the other bound is used


def jumps(slope: Any) -> bool:
    """Whether a `verify.definition.Factor` has a Dirac term that is not exactly zero."""
    from ...verify.evaluate import ball as complex_ball

    return any(not complex_ball(height) == 0 for _, height in slope.masses)


def _at_zero(whole: Any) -> Any:
    from ...symbols import x
    from ...verify.evaluate import constant, real_ball
    from ...verify.surd import ZERO

    return real_ball(constant(whole.expr, {x: ZERO}), whole.expr)


__all__ = ["Coefficients", "coefficients", "slope_moment"]
