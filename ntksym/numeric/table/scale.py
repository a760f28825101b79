r"""Activations far from size 1: a table is made of $2^{-e}s$, and its numbers are multiplied.

All that builds tables works with absolute tolerances that suit duals of about 1.  The dual of
$2^{-e}s$ is $4^{-e}K$, and a bound relative to $\sqrt{K(q_{11})K(q_{22})}$ is the same for both; a
product with a power of two is exact in doubles, and so is every step of the evaluation with
coefficients multiplied by one, as long as nothing over- or underflows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from math import ldexp, log2, log10, sqrt
from typing import Any, TypeVar

from sympy import Expr, Integer

from ...activation import Activation
from ...errors import Undecided
from .bands.banded import BandedDual, Pair
from .dual import Sheet, TableDual
from .dyadic.table import DyadicSheet, DyadicTable
from .light import within_floats
from .split.closed import Closed

_LEAST, _MOST = -6, 8
"""Powers of ten of s and s' between which tables are made of s as it is."""
_DOUBLES = 290
"""The power of ten that duals may have: what is added up for one is some powers larger."""
Table = TypeVar("Table", bound=TableDual | BandedDual | DyadicTable)


def ordinary(
    activation: Any, variances: tuple[float, float], params: Mapping[Any, Any] | None = None
) -> tuple[Activation, int]:
    """`(2^-e s, e)` of about the size 1, or `(s, 0)` where s or s' is of about that size.

    Raises:
        BadActivation: a parameter without a value.
        Undecided: the dual or the derivative dual is no double.
    """
    from ...language import as_activation
    from ...verify.balls import with_values
    from .build import vanishes

    read = as_activation(activation)
    expr = with_values(read, params or {})
    low, high = variances
    for q in {low: None, high: None}:
        for size, what in zip(_sizes(expr, q), ("dual", "derivative dual"), strict=True):
            if abs(2 * size) > _DOUBLES:
                raise Undecided(
                    f"the {what} is about 1e{2 * size:+d} at variance {q:g}: no doubles",
                    hint="another factor of s: the kernel of c*s is c^2 times that of s",
                )
    middle = sqrt(low) * sqrt(high)
    value, slope = _sizes(expr, middle)
    if vanishes(expr):  # s(sqrt(q) z)/sqrt(q) is what has a size
        value -= round(log10(middle) / 2)
    size = min(value, slope) if min(value, slope) > 0 else max(value, slope)
    if value * slope <= 0 or _LEAST <= size <= _MOST:
        return Activation(read.name, expr), 0
    power = round(size * log2(10))
    return Activation(read.name, expr * Integer(2) ** -power), power


def _sizes(expr: Expr, variance: float) -> tuple[int, int]:
    """The powers of ten of s and of s' where u is usual."""
    from ...verify.definition import factor
    from ...verify.law import exact
    from ...verify.size import size_of

    q = exact(Fraction(variance))
    value, slope = (
        size_of(factor(expr, derivative=d, distributional=False).pieces, exact(0), q)
        for d in (False, True)
    )
    return value, slope


def restored(
    found: Table, power: int, activation: Any, params: Mapping[Any, Any] | None = None
) -> Table:
    """The table of s from that of 2^-power s.

    Raises:
        Undecided: a number is no double.
    """
    from ...language import as_activation
    from ...verify.balls import with_values

    if not power:
        return found
    named = replace(found, text=str(with_values(as_activation(activation), params or {})))
    if isinstance(named, BandedDual):
        return replace(named, pairs=tuple(_pair(p, power) for p in named.pairs))
    made: Table = both(named, power)
    return made


def both(found: Any, power: int) -> Any:
    """A table of two sheets with numbers 4^power times as large."""
    if not power:
        return found
    return replace(found, value=_sheet(found.value, power), dot=_sheet(found.dot, power))


def closed_of(closed: Closed, power: int) -> Closed:
    """Truncated powers 2^power times as large."""
    value, slope = times(closed.value, power), times(closed.slope, power)
    return replace(closed, value=value, slope=slope)


def _pair(pair: Pair, power: int) -> Pair:
    """Floats stay floats where the bound of what they lose stays: underflow is no more of it."""
    made: Pair = both(pair, power)
    if power > 0 and within_floats(made.value.plus, made.value.minus):
        return made
    return replace(made, heavy=((), ()))


def _sheet(sheet: Sheet | DyadicSheet, power: int) -> Any:
    names = ("plus", "minus", "diag") if isinstance(sheet, Sheet) else ("right", "left")
    return replace(sheet, **{name: times(getattr(sheet, name), 2 * power) for name in names})


def times(numbers: Any, power: int) -> Any:
    """Doubles 2^power times as large, in tuples of any depth.

    Raises:
        Undecided: one is too large.
    """
    if isinstance(numbers, tuple):
        return tuple(times(n, power) for n in numbers)
    try:
        return ldexp(numbers, power)
    except OverflowError:
        raise Undecided(
            f"a coefficient of the table is about 1e{power * log10(2):+.0f}: no double",
            hint="another factor of s: the kernel of c*s is c^2 times that of s",
        ) from None
