"""What directions of a network of units make of the variances of a pair, and beside them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..checks import Array
from .lowered import ENTRIES


def directions(name: str, ends: tuple[dict[str, Array], ...]) -> tuple[Any, ...]:
    """What both variances move by in a direction."""
    return tuple(
        end[own_move(name)] if name == label or name not in ENTRIES else 0.0
        for end, label in zip(ends, ("q11", "q22"), strict=True)
    )


def logs(name: str, ends: tuple[dict[str, Array], ...]) -> tuple[Any, ...]:
    """What their logarithms move by."""
    moved = directions(name, ends)
    return tuple(v / end["q"] for v, end in zip(moved, ends, strict=True))


def own_move(name: str) -> str:
    """The move of a row's variance in a direction."""
    return "own" if name in ENTRIES else name


def turned(
    name: str, dc: Array, c: Array, ends: tuple[dict[str, Array], ...], same: Array
) -> Array:
    """What the covariance moves by beside what the variances make of it at a fixed angle.

    Nothing where the points are the `same` or stay collinear: what rounding leaves there is
    enlarged by slopes of derivative duals, as large as the points.
    """
    if name == "q12":
        return dc
    for moved in logs(name, ends):
        dc = dc - c * (0.5 * moved)
    return np.where(same, 0.0, dc)
