"""One variance: of the tables that apply, the one that is likely to be there first.

Narrow bends need many Hermite coefficients, many kinks many pairs of truncated powers: then values
by a rule in the plane come sooner; a singular kink at 0 has a polar rule.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import inf
from typing import Any

from sympy import Expr

from ...activation import Activation
from ...errors import Undecided
from ..patience import TooLong, at_most, check

_LOOK = 1.5
"""Seconds for a look at how many Hermite coefficients there are."""
_GOOD = 4.0
"""Seconds that are not worth a look at another way."""
_PAIR = 0.45
"""Seconds for a pair of kinks, of which both duals are made at every node."""


def single_table(activation: Activation, variance: Fraction, error: float) -> Any:
    """A table for one variance.

    Raises:
        BadCovariance, BadActivation, NotSquareIntegrable: as `table_dual`.
        Undecided: no way proves the error; what was said of the first is raised.
    """
    from .dual import table_dual
    from .dyadic.build import dyadic_table
    from .dyadic.plane_build import plane_table

    makers: dict[str, Any] = {"series": table_dual, "plane": plane_table, "polar": dyadic_table}
    failed: Undecided | None = None
    for _, way in _ways(activation.expr, variance, error):
        try:
            return makers[way](activation, variance, error=error)
        except TooLong:
            raise
        except Undecided as said:
            failed = failed or said
    assert failed is not None
    raise failed


def single_seconds(activation: Activation, variance: Fraction, error: float) -> float:
    """About how many seconds of one core `single_table` takes, within a factor of three.

    Raises: as `single_table`, where that is seen without building it.
    """
    return _ways(activation.expr, variance, error)[0][0]


@lru_cache(maxsize=32)
def _ways(expr: Expr, variance: Fraction, error: float) -> tuple[tuple[float, str], ...]:
    """`(seconds, way)`, the soonest first.

    Raises:
        Undecided: none applies; what was said of the first.
    """
    from .dyadic.build import applies, dyadic_seconds
    from .dyadic.plane_build import plane_seconds

    q = float(variance)
    found: list[tuple[float, str]] = []
    failed: Undecided | None = None
    try:
        found.append((_series_seconds(expr, variance, error), "series"))
    except TooLong:
        check()  # the look is over, not the time for all
        found.append((inf, "series"))
    except Undecided as said:
        failed = said
    if found and found[0][0] <= _GOOD:
        return tuple(found)
    polar = applies(expr)
    for way, look in (("plane", plane_seconds), *((("polar", dyadic_seconds),) if polar else ())):
        try:
            found.append((look(expr, q, error), way))
        except TooLong:
            raise
        except Undecided:
            continue
    if not found:
        assert failed is not None
        raise failed
    return tuple(sorted(found))


def _series_seconds(expr: Expr, variance: Fraction, error: float) -> float:
    from ...verify.functions.pieces import split
    from .cost import table_cost

    kinks = sum(1 for piece in split(expr)[:-1] if piece.hi != 0)
    with at_most(_LOOK):
        seconds = table_cost(Activation(str(expr), expr), variance, error=error).seconds
    return seconds + _PAIR * kinks * (kinks + 1) / 2
