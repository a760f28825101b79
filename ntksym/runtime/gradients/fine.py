r"""What makes slopes of tables right: smaller errors, and a table of the derivative.

A slope of a polynomial is off by many times what its values are: the tables of gradients are
proven to less than those of values.  Of a smooth activation $E[s''(u)s''(v)]$, the derivative dual
of $s'$, is a value of a table of its own, with its bound, and no slope; and of a mixture, whose
closed form of that slope cancels where variances are large.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from sympy import Integer, Poly, Rational

from ... import symbols
from ...activation import Activation
from ...backends.array.unit import roughness
from ...backends.unit import DualUnit
from ...backends.units import unit_of
from ...errors import NtksymError
from ...lower.reach import flat_from, leading
from ...numeric.choice import Choice
from ...numeric.choose import choose
from ...numeric.logistic import LogisticSum, recognise
from ...numeric.mixture import MixtureDual
from ...numeric.table import BandedDual, TableDual
from ..units.layers import table_choice

FINE = 2e-13, 1e-12
"""Errors of tables, the first that is proven within seconds."""


def bend_unit(choice: Choice, values: Mapping[str, Any]) -> DualUnit | None:
    """(E[s'(u)s'(v)], E[s''(u)s''(v)]) of a tabulated dual, on the variances of its table.

    None where s or s' jumps, for one variance, and where no such table is proven within seconds.
    """
    table = choice.dual
    if not isinstance(table, (TableDual, BandedDual)) or not table.low < table.high:
        return None
    slope = _slope(choice, values)
    if roughness(choice.activation)[1]:
        return None
    span = Fraction(table.low), Fraction(table.high)
    for error in FINE:
        try:
            found = table_choice(slope, error, span)
        except NtksymError:
            return None
        if found is not None:
            return unit_of(found.dual, {})
    return None


def mixture_bend_unit(choice: Choice, values: Mapping[str, Any]) -> DualUnit | None:
    """The same of a mixture, for any variances; None where s' is no mixture."""
    try:
        found = choose(_slope(choice, values), code=True)
    except NtksymError:
        return None
    return unit_of(found.dual, {}) if isinstance(found.dual, MixtureDual) else None


def mixture_rest_unit(choice: Choice, values: Mapping[str, Any]) -> tuple[int, DualUnit] | None:
    """The degree n of s far out, and the dual of x s'(x) - n s(x) for any variances.

    None where s does not grow like a power, nearly, or that is no mixture.
    """
    act, x = _numbered(choice, values), symbols.x
    degree = leading(act)
    if not degree:
        return None
    rest = replace(act, name=f"rest of {act.name}", expr=x * act.expr.diff(x) - degree * act.expr)
    try:
        form = recognise(rest)  # in which what cancels far out is gone
        if not form.plain or max(_growth(form, side) for side in (1, -1)) >= degree:
            return None
        found = choose(replace(rest, expr=form.expr), code=True)
    except NtksymError:
        return None
    return (degree, unit_of(found.dual, {})) if isinstance(found.dual, MixtureDual) else None


def _growth(form: LogisticSum, side: int) -> int:
    """The degree of the polynomial that a sum is far out on a side, less than 0 of 0."""
    total = form.polynomial
    for p in form.parts:
        z = p.slope * symbols.x + p.offset
        sign = side if p.slope.is_positive else -side
        end = {-1: sign * z, 0: Integer(sign)}.get(p.order, Integer(0))
        taken = {0: z / 2, 1: Rational(1, 2)}.get(p.order, 0) if p.reduced else 0
        total += p.factor * (end - taken)
    left = Poly(total, symbols.x)
    return -1 if left.is_zero else int(left.degree())


def bend_far(choice: Choice, values: Mapping[str, Any]) -> float:
    """`lower.near.Near.far` of s'."""
    return flat_from(_slope(choice, values))


def _slope(choice: Choice, values: Mapping[str, Any]) -> Activation:
    """The derivative of s with numbers for the parameters."""
    act = _numbered(choice, values)
    return replace(act, name=f"({act.name})'", expr=act.expr.diff(symbols.x))


def _numbered(choice: Choice, values: Mapping[str, Any]) -> Activation:
    """The activation with numbers for its parameters."""
    act = choice.activation
    return act.with_params(**{p.name: values[p.name] for p in act.params})
