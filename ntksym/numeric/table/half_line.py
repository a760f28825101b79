"""Bounds over a half-line and over sectors: by cells, halved where balls say nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

DEPTH = 9
"""How often a sector is halved."""
_DEPTH = 6
"""How often a cell of the half-line is."""
Span = tuple[float, float]


def covered(func: Any, sign: int, span: Span, angles: Span, depth: int = DEPTH) -> bool:
    """Whether a function is analytic in a sector of a ring, mirrored for sign < 0."""
    from flint import acb, arb

    (near, far), (low, high) = span, angles
    size, angle = arb(near).union(arb(far)), arb(low).union(arb(high))
    if func(acb(sign * size * angle.cos(), size * angle.sin()), True).is_finite():
        return True
    if depth == 0:
        return False
    if (far - near) > (high - low) * far:
        mid = (near + far) / 2
        halves = (((near, mid), angles), ((mid, far), angles))
    else:
        mid = (low + high) / 2
        halves = ((span, (low, mid)), (span, (mid, high)))
    return all(covered(func, sign, one, two, depth - 1) for one, two in halves)


def squared(most: Callable[[float, float], Any], length: float) -> list[Any]:
    """Bounds, cell by cell, of the integral of f(z)^2 phi(z) over 0 <= z <= length.

    `most(low, high)` bounds |f| on a cell, and is not finite where it says nothing.
    """
    cells, edge = [], 0.0
    while edge < length:
        step = min(0.25 if edge < 3 else 0.5 if edge < 5 else 1.0, length - edge)
        cells.append(_cell(most, edge, edge + step, _DEPTH))
        edge += step
    return cells


def _cell(most: Callable[[float, float], Any], low: float, high: float, depth: int) -> Any:
    from flint import arb

    value = most(low, high)
    if value.is_finite() or depth == 0:
        density = (-arb(low) * low / 2).exp() / (2 * arb.pi()).sqrt()
        return (value * value * density * (high - low)).upper()
    mid = (low + high) / 2
    return _cell(most, low, mid, depth - 1) + _cell(most, mid, high, depth - 1)
