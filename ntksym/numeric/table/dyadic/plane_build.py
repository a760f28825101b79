"""How a dyadic table of an activation with narrow or many bends is made: values by a plane rule.

The proof is `derivations/identities/quadrature.md`, section 8.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import inf, log2, nextafter
from typing import Any

from ....activation import Activation
from ....errors import Undecided
from ...quadrature.panels import PanelRule, choose_panels
from ...quadrature.subject import BITS, Subject, subject_of
from ..dual import refuse_below
from .plane import plane_sums
from .polar import Found
from .table import DyadicTable

SOURCE = "the rule in the plane at the nodes"
"""Of the first part of a bound: where the values at the nodes come from."""
FLOOR = 2e-11, "from a rule in the plane"
"""The rounding of the sums at the nodes may leave so much; `dual.refuse_below` says so."""
_RULE = 1 / 50
"""Of the error asked for, to the rule at the nodes."""
_NODE_SECONDS = 1.3e-7
"""For a value of s in a sum."""
_START = 1.5
_BITS_END = 90


def plane_table(
    activation: Any,
    variance: Any,
    *,
    error: float,
) -> DyadicTable:
    """A table for one variance of an activation whose pieces are bounded with their derivatives.

    Args:
        activation: an `Activation`, or what `language.as_activation` reads.
        variance: q, a positive number.
        error: the bound to be proven, relative to K(q, q), for the derivative dual alike.

    Raises:
        BadCovariance: a variance that is not positive and finite.
        BadActivation, NotSquareIntegrable: as `subject_of`.
        Undecided: the bound is not reached; the message has the best one.
    """
    from ..build import span
    from ..draft import mirrored
    from ..scale import ordinary, restored
    from .build import assembled

    q, _ = span(variance)
    refuse_below(error, *FLOOR)
    given, power = ordinary(activation, (q, q))
    subject, rule = _rule(given.expr, q, error)
    parity = mirrored(given.expr)
    sums = plane_sums(subject, rule, _ends(subject, q, parity), parity)
    count = _nodes(rule)
    said = (SOURCE, count)
    made = assembled((given.name, given.expr), q, sums, parity, error, said)
    return restored(made, power, activation)


def plane_seconds(expr: Any, variance: float, error: float) -> float:
    """About how many seconds of one core `plane_table` takes, within a factor of three.

    Raises: as `plane_table`, where that is seen without building it.
    """
    from ..draft import mirrored
    from ..scale import ordinary

    given = ordinary(expr, (variance, variance))[0].expr
    refuse_below(error, *FLOOR)
    subject, rule = _rule(given, variance, error)
    panels = log2(1 / error) * (1.0 if subject.kinks else 0.5)  # K(1) - K falls like t, or t^2
    sums = 0.5 if mirrored(given) else 2.0
    return _START + (2 + panels) * 15 * sums * _nodes(rule) * _NODE_SECONDS


def _nodes(rule: PanelRule) -> int:
    side = float(rule.top) ** 0.5
    return rule.cost(side, side, 0.6)


@lru_cache(maxsize=16)
def _rule(expr: Any, variance: float, error: float) -> tuple[Subject, PanelRule]:
    """The rule whose bound is a small share of the error.

    Raises: as `plane_table`.
    """
    from flint import arb

    from ....precision import precision
    from ..spectra.norms import second_moment

    q = Fraction(variance)
    subject = subject_of(Activation(str(expr), expr), {})
    if subject.singular:
        raise Undecided(f"{expr} or its derivative is not bounded at a kink", hint="quadrature")
    with precision(BITS):
        curves = subject.value, subject.slope
        goals = [arb(error * _RULE) * second_moment(c.pieces, q, BITS).lower() for c in curves]
        if not all(g > 0 for g in goals):
            raise Undecided(f"{expr}: no lower bound of the dual on the diagonal")
        rule = choose_panels(subject, q, (goals[0], goals[1]), trapezoids=True)
    if rule is None:
        raise Undecided(
            f"{expr}: no rule in the plane with a proven error of {error * _RULE:.1g}",
            hint="a larger error",
        )
    return subject, rule


def _ends(subject: Subject, variance: float, parity: int) -> tuple[Found, Found]:
    """Both duals at rho = 1 and -1."""
    first = _end(subject.value.pieces, variance, parity)
    return first, _end(subject.slope.pieces, variance, -parity)


def _end(pieces: tuple[Any, ...], variance: float, parity: int) -> Found:
    from flint import arb, fmpq

    from ....precision import precision
    from ....verify.law import Law
    from ....verify.rules.oned import collinear
    from ..spectra.norms import second_moment

    q = Fraction(variance)
    with precision(2 * _BITS_END):
        one = second_moment(pieces, q, _BITS_END)
        v = fmpq(q.numerator, q.denominator)
        if parity:
            other = parity * one
        else:
            law = Law(v * 0, v * 0, v, -v, v)
            other = collinear(pieces, pieces, law, one.upper() * arb(2) ** -_BITS_END)
        if not (one.is_finite() and other.is_finite()):
            raise Undecided("the dual has no finite enclosure at correlation one")
        numbers = float(one.mid()), float(other.mid())
        off = max(abs(one - numbers[0]).upper(), abs(other - numbers[1]).upper())
    return Found(numbers[0], numbers[1], nextafter(float(off), inf))
