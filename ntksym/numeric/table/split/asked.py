"""What is asked of a table with kinks away from 0, checked and brought to the size 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import Expr

from ....activation import Activation
from ....errors import Undecided
from ..dual import refuse_below


@dataclass(frozen=True, slots=True)
class Asked:
    """An activation over a range of variances.

    Attributes:
        name: the activation.
        expr: its formula, parameters put in.
        low: the least variance.
        high: the largest.
        scaled: 2^-power times the formula, of about the size 1 (`scale.ordinary`).
        power: see there.
    """

    name: str
    expr: Expr
    low: float
    high: float
    scaled: Activation
    power: int


def asked(activation: Any, variances: Any, error: float) -> Asked:
    """What a table is made of.

    Raises:
        BadCovariance: a variance that is not positive and finite, or low > high.
        BadActivation: a parameter without a value, or not a real function of the line.
        Undecided: one variance only, or an error below `dual.LEAST_ERROR`.
    """
    from ....language import as_activation
    from ....verify.balls import with_values
    from ..build import span
    from ..scale import ordinary

    low, high = span(variances)
    if not low < high:
        raise Undecided("one variance is no range", hint="table_dual")
    refuse_below(error)
    read = as_activation(activation)
    expr = with_values(read, {})
    scaled, power = ordinary(expr, (low, high))
    return Asked(read.name, expr, low, high, scaled, power)
