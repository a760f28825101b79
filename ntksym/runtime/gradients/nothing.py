"""Slopes of pairs with a row of zeros: the limit of short rows across the other one.

A row of zeros has no angle with others.  Where the activation is smooth at 0 the limit does not
depend on it; where it has a kink at 0 the slope there is the mean of both sides, as across, and the
slopes in the squared norm of the row are infinite.

The slope in a bias of 0 is that of a tiny bias at the row of zeros itself.  Short rows have another
limit where the activation is of a higher order at 0 (powers of ReLU): after a layer their angle is
no longer a right one, with a bias it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadData
from ..checks import Array
from .layers import Layer
from .rows import Spans
from .steps import APART

SHORT = 2.0**-600
"""The squared norm that rows of zeros have where slopes are taken."""
TINY = Fraction(1, 2**600)
"""The bias in place of none."""
ENDLESS = 2.0**200
"""Larger slopes are infinite: of a kink at 0, like the reciprocal of the length."""


def with_nothing(a: Array, b: Array) -> NDArray[np.bool_]:
    """The pairs of a row of a (n, d) and one of b (m, d) of which one is zeros."""
    some, other = np.any(a, axis=1), np.any(b, axis=1)
    found: NDArray[np.bool_] = ~np.logical_and.outer(some, other)
    return found


def demand_angle(row: Array, other: Array, offset: float) -> None:
    """Nothing for a pair that has an angle after a first layer with this offset.

    Raises:
        BadData: it has none.
    """
    if offset == 0.0 and with_nothing(row[None], other[None]).any():
        raise BadData(
            "a row of zeros has no angle with others where the first layer has no bias",
            hint="g(X, Y), which has the limits of short rows; or bias_var > 0",
        )


def lengthened(g: Spans) -> Spans:
    """The same with short rows across the others for rows of zeros; equal ones for two of these."""
    none, other = g.g11 == 0.0, g.g22 == 0.0
    x, y = np.where(none, SHORT, g.g11), np.where(other, SHORT, g.g22)
    both = none & other
    area = np.where(both, 0.0, np.sqrt(x) * np.sqrt(y))
    return Spans(x, np.where(both, SHORT, g.g12), y, area, np.where(both, 0.0, g.apart), x - y)


def limits(found: Mapping[str, Any]) -> dict[str, Array]:
    """Slopes by name at rows of zeros from those at short ones."""
    slopes = {k: np.asarray(v) for k, v in found.items() if k not in ("nngp", "ntk", "least")}
    return {k: np.where(np.abs(v) > ENDLESS, np.copysign(np.inf, v), v) for k, v in slopes.items()}


def raised(
    layers: Sequence[Layer], first: Mapping[str, Any]
) -> tuple[tuple[Layer, ...], dict[str, Any]]:
    """The layers and the numbers of the first one, with a tiny bias where they have none."""

    def some(values: Mapping[str, Any]) -> dict[str, Any]:
        return {k: TINY if k == APART and v == 0 else v for k, v in values.items()}

    return tuple(replace(w, values=some(w.values)) for w in layers), some(first)


def opened(found: Mapping[str, Array]) -> dict[str, Array]:
    """The slopes in the bias alone."""
    return {k: v for k, v in found.items() if k.endswith(f"/{APART}")}
