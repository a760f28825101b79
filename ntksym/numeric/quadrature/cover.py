r"""Envelopes: upper bounds of |f| near the real line, as an increasing step function of |Re|.

The pieces of f are continued beyond their ends: the envelope bounds each of them at every complex
point within `thick` of its own interval.  With $m(t)$ the bound for $|\mathrm{Re}| \le t$,
$M_\kappa = \sup_r m(\sqrt q\,r)^2 e^{-\kappa r^2/2}$ is all that the rules need of f.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any, TypeAlias

from ..patience import check

_Tile: TypeAlias = tuple[Any, Any, Any, Any]
"""[left, right] + i [low, high], exact `arb`."""
_DEPTH, _LOOSE = 12, 1.5

CELL = 0.25
"""The width of a step, in standard deviations."""
REACH = 17.0
"""How far an envelope goes, in standard deviations."""
KAPPAS = ((1, 1), (1, 2), (1, 4), (1, 20), (1, 50))
"""Shares of the Gaussian that M takes; the rest pays for the mass or for the ends."""


@dataclass(frozen=True, slots=True)
class Envelope:
    r"""Upper bounds of a function near its pieces, r up to `REACH`.

    Attributes:
        thick: the distance from the real line.
        steps: |f| is at most steps[i] where |Re| <= (i + 1) CELL dev.
        sizes: $M_\kappa$ for each of `KAPPAS`.
    """

    thick: Any
    steps: tuple[Any, ...]
    sizes: tuple[Any, ...]


def _size(steps: list[Any], p: int, q: int) -> Any:
    from flint import arb

    most = arb(0)
    for i, m in enumerate(steps):
        r = arb(CELL * i)
        most = most.max(m * m * (-(arb(p) / q) * r * r / 2).exp())
    return most.upper()


def envelope(pieces: tuple[Any, ...], thick: Any, dev: Any) -> Envelope | None:
    """The envelope of a function given by its pieces, or None where a piece is singular there.

    Args:
        pieces: `verify.functions.pieces.Piece`, each on an interval.
        thick: the distance from the interval, an `arb` > 0.
        dev: the standard deviation that is the unit of the steps.
    """
    from flint import arb

    from ...symbols import x
    from ...verify.evaluate import function

    ranges = []
    for piece in pieces:
        lo, hi = piece.ends()
        lo = None if lo is None else (lo - thick).lower()
        hi = None if hi is None else (hi + thick).upper()
        ranges.append((function(piece.expr, x), lo, hi))
    steps, most = [], arb(0)
    cell = dev * arb(CELL)
    for i in range(ceil(REACH / CELL)):
        for a, b in ((cell * i, cell * (i + 1)), (-cell * (i + 1), -cell * i)):
            for func, lo, hi in ranges:
                left, right = a.lower(), b.upper()
                if (lo is not None and right < lo) or (hi is not None and left > hi):
                    continue
                left = left if lo is None else left.max(lo)
                right = right if hi is None else right.min(hi)
                found = _more(func, (left, right, arb(0), thick.upper()), most, _DEPTH)
                if found is None:
                    return None
                most = found
        steps.append(most)
    sizes = tuple(_size(steps, p, q) for p, q in KAPPAS)
    return Envelope(thick, tuple(steps), sizes)


def _more(func: Any, tile: _Tile, most: Any, depth: int) -> Any | None:
    """The maximum of `most` and the supremum of |f| on a tile, or None where f may be singular.

    A tile is cut while its ball is much wider than the values in it, and could raise the maximum.
    """
    from flint import acb

    check()
    left, right, low, high = tile
    value = func(acb(left.union(right), low.union(high)), True)
    finite = value.is_finite()
    if finite:
        size = abs(value).upper()
        if size <= most:
            return most
        centre = func(acb(((left + right) / 2).mid(), ((low + high) / 2).mid()), False)
        if depth == 0 or size <= _LOOSE * abs(centre).upper().max(most):
            return size
    if depth == 0:
        return None
    across = bool((right - left).mid() > (high - low).mid())
    mid = ((left + right) / 2 if across else (low + high) / 2).mid()
    first = (left, mid, low, high) if across else (left, right, low, mid)
    second = (mid, right, low, high) if across else (left, right, mid, high)
    for half in (first, second):
        found = _more(func, half, most, depth - 1)
        if found is None:
            return None
        most = found
    return most
