"""How a dilated table is made: which activations have one, its three tables, and its bound."""

from __future__ import annotations

from itertools import combinations_with_replacement, pairwise
from math import sqrt
from typing import Any

from sympy import Expr

from ....activation import Activation
from ....errors import Undecided
from ...arith import rounded_up
from ..dyadic.build import LEAST_ERROR, dyadic_seconds, dyadic_table
from .kind import polynomial_of, power_of
from .one import from_one
from .table import DilatedTable, others, polar

_SHARE = 0.3
"""Of the error asked for, to each of the three tables: their weights are 2, 1/2, 1/2 at most where
the dual does not change much over the range."""
_WIDEST = 20.0
"""The three variances are at least so far apart, as a quotient of the last and the first."""
_BOXES = 24
_UNITS = 64


def dilated_table(activation: Activation, variances: Any, error: float) -> DilatedTable:
    """A table for a range of variances.

    Raises:
        BadCovariance: a variance that is not positive and finite, or low > high.
        NotSquareIntegrable, Undecided: as `dyadic_table`.
        Undecided: the bound is not reached; the message has the best one.
    """
    from ..build import span

    low, high = span(variances)
    power = power_of(activation.expr)
    assert power is not None
    goal, three = max(error * _SHARE, LEAST_ERROR), _three(low, high)
    if polynomial_of(activation.expr) is not None:
        first, second, third = from_one(activation, three, int(power), goal)
    else:
        first, second, third = (dyadic_table(activation, q, error=goal) for q in three)
    made = DilatedTable(
        activation.name,
        str(activation.expr),
        low,
        high,
        float(power),
        (first, second, third),
        (0.0, 0.0),
    )
    bounds = bound(made, 0), bound(made, 1)
    if not max(bounds) <= error:
        raise Undecided(
            f"the bound {max(bounds):.2e} was proven, not {error:.2e}",
            hint="a larger error, or a narrower range of variances",
        )
    return DilatedTable(
        made.name, made.text, low, high, made.power, made.tables, (bounds[0], bounds[1])
    )


def dilated_seconds(expr: Expr, variances: Any, error: float) -> float:
    """About how many seconds of one core `dilated_table` takes, within a factor of three.

    Raises: as `dilated_table`, where that is seen without building it.
    """
    from ..build import span

    low, high = span(variances)
    goal = max(error * _SHARE, LEAST_ERROR)
    count = 3 if polynomial_of(expr) is None else 1
    return count * dyadic_seconds(expr, _three(low, high)[1], goal)


def _three(low: float, high: float) -> tuple[float, float, float]:
    """The variances of the tables: the ends and the middle of the range, or of a wider one."""
    middle = sqrt(low) * sqrt(high)
    wide = max(sqrt(high / low), sqrt(_WIDEST))
    return middle / wide, middle, middle * wide


def bound(table: DilatedTable, which: int) -> float:
    """The error of the dual (0) or the derivative dual (1), relative, proven in balls.

    The range of l is cut into intervals; on a product of two of them the weights, which are
    bilinear, are largest at corners, and the dual on the diagonal is enclosed.
    """
    from flint import arb

    from ....precision import precision

    with precision(128):
        power = arb(table.power) - which
        sheets = [t.dot if which else t.value for t in table.tables]
        at = [arb(t.low).log() / 2 for t in table.tables]
        scale = [
            (arb(t.low) ** -power) / ((at[k] - at[i]) * (at[k] - at[j]))
            for k, t in enumerate(table.tables)
            for i, j in (others(k),)
        ]
        ends = [arb(q).log() / 2 for q in (table.low, table.high)]
        cuts = [ends[0] + (ends[1] - ends[0]) * i / _BOXES for i in range(_BOXES + 1)]
        cuts[0], cuts[-1] = cuts[0] - arb(2) ** -40, cuts[-1] + arb(2) ** -40
        # an inner end is a number, so that the intervals cover the range
        cuts = [c.mid() for c in cuts]
        parts = [a.union(b) for a, b in pairwise(cuts)]
        least = [_diagonal(sheets, scale, at, part) for part in parts]
        if not all(v > 0 for v in least):
            raise Undecided(f"{table.text}: no lower bound of the dual on the diagonal")
        off = [
            abs(scale[k]) * arb(sheet.diag).abs_upper() * (1 + arb(sheet.error)) * sheet.error
            for k, sheet in enumerate(sheets)
        ]
        size = [abs(scale[k]) * abs(arb(sheet.diag)) * 2 for k, sheet in enumerate(sheets)]
        units = (_UNITS + 16 * (1 + abs(power)) * (1 + abs(ends[0]).max(abs(ends[1])))) * arb(
            2
        ) ** -53
        worst = arb(0)
        for i, j in combinations_with_replacement(range(_BOXES), 2):
            corners = [(a, b) for a in cuts[i : i + 2] for b in cuts[j : j + 2]]
            total = arb(0)
            for k in range(3):
                weight = max(abs(polar(at, k, a, b)).upper() for a, b in corners)
                # two differences of l, each off by units of l itself
                blur = (abs(parts[i]) + abs(at[0]) + abs(at[2])) * (
                    abs(parts[j]) + abs(at[0]) + abs(at[2])
                )
                total += weight * off[k] + size[k] * units * (weight + blur.upper())
            worst = worst.max((total / (least[i] * least[j]).sqrt()).upper())
        return rounded_up(worst)


def _diagonal(sheets: list[Any], scale: list[Any], at: list[Any], part: Any) -> Any:
    """A lower bound of B(l, l) on an interval of l (`arb`)."""
    from flint import arb

    total = arb(0)
    middle, half = part.mid(), arb(part.rad())
    values = [scale[k] * arb(s.diag) * (1 + arb(0, s.error)) for k, s in enumerate(sheets)]
    # by Taylor's formula: a quadratic polynomial
    slope = bend = arb(0)
    for k, v in enumerate(values):
        i, j = others(k)
        total += v * (middle - at[i]) * (middle - at[j])
        slope += v * (2 * middle - at[i] - at[j])
        bend += v
    return (total - abs(slope) * half - abs(bend) * half * half).lower()
