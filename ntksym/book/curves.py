"""Curves of an activation: itself, its dual and its derivative dual over the correlation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from sympy import Basic, Expr, Float, Integer, Rational, Symbol, true

from ..errors import NtksymError
from ..symbols import q, q11, q12, q22, x
from .plots import Curve

if TYPE_CHECKING:
    from ..activation import Activation
    from ..dual import Dual

POINTS = 48
TERMS = 60
DIGITS = 12
DUAL, SLOPE = "E[\u03c3(u)\u03c3(v)]", "E[\u03c3\u2032(u)\u03c3\u2032(v)]"
_CANDIDATES = ("1/2", "1", "-1/2", "-1", "1/4", "2")


@dataclass(frozen=True, slots=True)
class Curves:
    """What is drawn of an activation.

    Attributes:
        function: the activation on [-3, 3].
        duals: E[s(u) s(v)] and E[s'(u) s'(v)] for q11 = q22 = 1 over the correlation.
        params: the values of the parameters that are drawn.
    """

    function: tuple[Curve, ...]
    duals: tuple[Curve, ...]
    params: tuple[tuple[str, str], ...]


def curves(dual: Dual) -> Curves:
    """The curves of a dual with a closed form, for values of its parameters that it holds for.

    Values are midpoints of enclosures; where none is found (an endpoint, say) there is a gap.
    """
    act = dual.activation
    chosen = _parameters(act, dual.conditions)
    rhos = tuple(_rho(k) for k in range(POINTS + 1))
    value = tuple((float(r), _value(dual.value, {q11: 1, q12: r, q22: 1, **chosen})) for r in rhos)
    slope = tuple((float(r), _value(dual.dot, {q11: 1, q12: r, q22: 1, **chosen})) for r in rhos)
    return Curves(
        (Curve("\u03c3(x)", _straight(act, chosen), "c"),),
        (
            Curve(DUAL, _ended(dual, value, chosen, False), "a"),
            Curve(SLOPE, _ended(dual, slope, chosen, True), "b"),
        ),
        tuple((s.name, str(v)) for s, v in chosen.items()),
    )


def series_curves(act: Activation) -> Curves:
    """The curves of an activation without a closed form, from its first Hermite coefficients.

    E[s(u) s(v)] is the sum of a_n^2 rho^n and E[s'(u) s'(v)] that of n a_n^2 rho^(n - 1); a_n by a
    Gauss rule.  A picture, and no claim.
    """
    import numpy as np
    from numpy.polynomial.hermite_e import hermegauss

    chosen = _parameters(act, ())
    nodes, weights = hermegauss(160)
    weights = weights / weights.sum()
    expr = act.expr.xreplace(chosen)
    values = np.array([float(expr.xreplace({x: Float(float(z))})) for z in nodes])
    before, now = np.zeros_like(nodes), np.ones_like(nodes)
    squares = []
    for n in range(TERMS):
        squares.append(float(weights @ (values * now)) ** 2)
        before, now = now, (nodes * now - math.sqrt(n) * before) / math.sqrt(n + 1)
    rhos = [float(_rho(k)) for k in range(POINTS + 1)]
    value = tuple((r, math.fsum(a * r**n for n, a in enumerate(squares))) for r in rhos)
    slope = tuple(
        (r, math.fsum(n * a * r ** (n - 1) for n, a in enumerate(squares) if n)) for r in rhos
    )
    return Curves(
        (Curve("\u03c3(x)", _straight(act, chosen), "c"),),
        (Curve(DUAL, value, "a"), Curve(SLOPE, slope, "b")),
        tuple((s.name, str(v)) for s, v in chosen.items()),
    )


def _straight(
    act: Activation, chosen: Mapping[Symbol, Rational]
) -> tuple[tuple[float, float], ...]:
    """The activation itself, on [-3, 3]."""
    rows = (Rational(k, 20) for k in range(-60, 61))
    return tuple((float(z), _value(act.expr, {x: z, **chosen})) for z in rows)


def _rho(k: int) -> Rational:
    """Points of [-1, 1], dense at the ends, as rationals with small denominators."""
    if k in (0, POINTS):
        return Integer(-1 if k == 0 else 1)
    return Rational(round(-1000 * math.cos(math.pi * k / POINTS)), 1000)


def _parameters(act: Activation, conditions: tuple[Basic, ...]) -> dict[Symbol, Rational]:
    """Rational parameters that agree with the assumptions and with the conditions at q = 1."""
    choices = []
    for p in act.params:
        values = [Rational(text) for text in _CANDIDATES]
        if p.is_negative:
            values = [v for v in values if v < 0]
        elif p.is_nonnegative:
            values = [v for v in values if v > 0]
        choices.append(values)
    for chosen in product(*choices):
        at = dict(zip(act.params, chosen, strict=True))
        if all(
            _holds(c, at, rho) for c in conditions for rho in (Rational(-9, 10), Rational(9, 10))
        ):
            return at
    return {p: values[0] for p, values in zip(act.params, choices, strict=True)}


def _holds(condition: Basic, at: Mapping[Symbol, Rational], rho: Rational) -> bool:
    one = Integer(1)
    return condition.xreplace({**at, q11: one, q12: rho, q22: one, q: one}) is true


def _value(expr: Expr, at: Mapping[Symbol, Any]) -> float:
    """The midpoint of an enclosure, or NaN where there is none."""
    from ..verify.balls import enclose_expr

    try:
        return float(enclose_expr(expr, at, digits=DIGITS).mid)
    except (NtksymError, ValueError, ZeroDivisionError, OverflowError):
        return math.nan


def _ended(
    dual: Dual,
    points: tuple[tuple[float, float], ...],
    chosen: Mapping[Symbol, Rational],
    slope: bool,
) -> tuple[tuple[float, float], ...]:
    """The points, with exact values at correlations of -1 and 1 where the formula has none."""
    if slope and not dual.continuous:
        return points
    out = list(points)
    for i, r in ((0, -1), (len(points) - 1, 1)):
        if not math.isfinite(points[i][1]):
            try:
                exact = dual.at(1, r, 1, derivative=slope)
            except (NtksymError, ValueError, ZeroDivisionError, ArithmeticError):
                continue
            out[i] = (float(r), _value(exact, chosen))
    return tuple(out)


def drawable(found: tuple[Curve, ...]) -> bool:
    """Whether every curve has at least two finite points."""
    return all(sum(math.isfinite(y) for _, y in c.points) > 1 for c in found)


def activation_of(text: str) -> Activation:
    """The activation of a catalogue name or text.

    Raises:
        ParseError, BadActivation: as `ntksym.dual`.
    """
    from ..language import as_activation

    return as_activation(text)
