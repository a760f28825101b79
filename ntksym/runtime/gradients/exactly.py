"""Many digits, and more until two numbers of them agree."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

import numpy as np

from ..checks import Array

DIGITS = 90, 4.0
"""Digits, and those more for each power of two in the rows (closed forms cancel to a power)."""
FEWER = 0.6
"""The share of the digits with which the same is computed to see that they are enough."""
AGREE, NOTHING = 18, 3
"""Digits to which both agree; what is less than the kernels to a third of the digits is 0."""
MOST = 4
"""How often twice the digits are tried."""

Table = dict[str, Any]


def checked(at: Callable[[Any], Table], row: Array, other: Array) -> Table:
    """What `at` gives for a pair of rows in an mpmath context with enough digits.

    Where the most digits are not enough, NaN.
    """
    from mpmath import MPContext

    used = np.frexp(np.concatenate([row, other]))[1]
    digits = DIGITS[0] + ceil(DIGITS[1] * int(np.max(np.abs(used), initial=0)))
    before = _tried(at, MPContext(), ceil(FEWER * digits))
    found: Table | None = None
    for _ in range(MOST):
        ctx = MPContext()
        found = _tried(at, ctx, digits)
        if found is not None and before is not None and _agree(ctx, before, found):
            return found
        before, digits = found, 2 * digits
    nothing = found or before
    if nothing is None:
        raise ArithmeticError("a pair of rows has no slopes in any number of digits")
    return dict.fromkeys(nothing, MPContext().nan)


def _tried(at: Callable[[Any], Table], ctx: Any, digits: int) -> Table | None:
    """Everything with so many digits, or None where these lose a number that is divided by."""
    ctx.dps = digits
    try:
        return at(ctx)
    except (ZeroDivisionError, ValueError, OverflowError):
        return None


def _agree(ctx: Any, before: Table, found: Table) -> bool:
    """Whether all that is finite is the same to `AGREE` digits, or nothing beside the kernels."""
    unit = (abs(found["nngp"]) + abs(found["ntk"])) * ctx.mpf(10) ** (-ctx.dps // NOTHING)
    for k, right in found.items():
        if k == "least":
            continue
        near = abs(ctx.mpf(before[k]) - right) <= max(abs(right) * ctx.mpf(10) ** -AGREE, unit)
        if ctx.isfinite(right) and not near:
            return False
    return True
