"""Decimal numbers as papers print them: rounded to their last place."""

from __future__ import annotations

import re

from sympy import Max, Rational

_FEWEST = 6
"""Shorter decimals, such as 0.25 and 1.7159, are exact numbers."""


def rounding(text: str) -> Rational | None:
    """The unit of the last place, where the text is one decimal number of six digits or more.

    Sixteen or seventeen digits are a double written out: the unit is then that of the double.  A
    printed `0.42522148` says that the value is within one unit of its last place (rounded or
    cut off), not that the value is rational.
    """
    found = re.fullmatch(r"\s*-?\s*(\d+)\.(\d+)(?:[eE]([+-]?\d{1,3}))?\s*", text)
    if not found:
        return None
    whole, places, exponent = found[1], found[2], int(found[3] or 0)
    digits = (whole + places).lstrip("0")
    if len(digits) < _FEWEST:
        return None
    unit = Rational(10) ** (exponent - len(places))
    if len(digits) in (16, 17):
        return Max(unit, Rational(int(digits), 2**52) * unit)
    return unit
