r"""The line cut where an activation bends: intervals, and how far from each it stays analytic.

An interval [l, h] inside one smooth piece gets a distance H such that the piece is analytic at all
complex w within H of it, with $|s(w)|e^{-(\mathrm{Re}\,w)^2/(4q)} \le W$ there, q the largest
variance.  Intervals shrink towards a singularity and are long where there is none.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..patience import check
from .subject import Curve, Subject

_DEPTH = 14
_DEEPER = 40
"""So many halvings more where a ball is not finite and its middle is: next to a singular point."""
_RATIOS = (2.0, 1.0, 0.6)
_SMALLEST = 2.0**-46
"""Next to singular points, in standard deviations."""
_MOST = 480
_SCALES = 40
"""How many halvings of a piece there are points for."""
_LIFT = 4
"""W is this many times the supremum on the real line."""


@dataclass(frozen=True, slots=True)
class Interval:
    """[lo, hi] inside the smooth piece number `piece`; analytic within `reach` of it."""

    lo: float
    hi: float
    piece: int
    reach: float


def covered(
    curve: Curve, parts: tuple[Interval, ...], kinks: tuple[Any, ...], dev: Any, size: Any
) -> bool:
    r"""Whether $|s(w)|e^{-(\mathrm{Re}\,w)^2/(4q)} \le$ `size` within reach of every interval.

    An interval that ends at a kink ends at the exact kink, not at its double.
    """
    return all(_within(curve, part, _ends(part, kinks), dev, size) for part in parts)


def real_size(curve: Curve, dev: Any, far: Any) -> Any:
    r"""An upper bound of $\sup|s(t)|e^{-t^2/(4q)}$ over |t| <= far, for real t (`arb`)."""
    from flint import acb, arb

    from ...symbols import x
    from ...verify.evaluate import function

    most = arb(2) ** -400
    for piece in curve.pieces:
        func = function(piece.expr, x)
        lo, hi = piece.ends()
        left = -far if lo is None else lo.lower().max(-far)
        right = far if hi is None else hi.upper().min(far)
        if not left < right:
            continue
        for t in _points(left, right):  # a maximum known early spares the tiles that are below it
            known = abs(func(acb(t), False)) * _weight(t, t, dev)
            most = most.max(known.upper()) if known.is_finite() else most
        width = (right - left) / 64
        for i in range(64):
            tile = ((left + width * i).lower(), (left + width * (i + 1)).upper(), arb(0), arb(0))
            most = most.max(_supremum(func, tile, dev, most, _DEPTH))
    return most.upper()


def largest(func: Any, ends: tuple[Any, Any]) -> Any:
    """An upper bound of |f| on a real interval (`arb`), within a factor of the supremum."""
    from flint import arb

    tile = (ends[0].lower(), ends[1].upper(), arb(0), arb(0))
    wide = arb(2) ** 200  # a weight of 1
    return _supremum(func, tile, wide, arb(2) ** -400, _DEPTH) * (1 + arb(2) ** -100)


def _points(left: Any, right: Any) -> Iterator[Any]:
    """Points of [left, right], on all scales from either end."""
    width = right - left
    for i in range(1, _SCALES):
        part = width / 2**i
        yield (left + part).mid()
        yield (right - part).mid()


def cut_up(subject: Subject, dev: Any, far: float, sizes: Any) -> tuple[Interval, ...] | None:
    """Intervals that cover [-far, far], or None where a singularity touches a piece."""
    kinks = tuple(_number(k) for k in subject.kinks)
    ends = [-far, *(float(k.mid()) for k in kinks if abs(k) < far), far]
    first = sum(1 for k in kinks if k <= -far)
    out: list[Interval] = []
    for i, (lo, hi) in enumerate(itertools.pairwise(ends)):
        if not _divide(subject, (lo, hi, first + i), kinks, dev, sizes, out):
            return None
    return tuple(out)


def kink_balls(subject: Subject) -> tuple[Any, ...]:
    """The kinks as `arb` at the working precision."""
    return tuple(_number(k) for k in subject.kinks)


def _divide(
    subject: Subject, span: tuple[float, float, int], kinks: Any, dev: Any, sizes: Any, out: Any
) -> bool:
    lo, hi, piece = span
    if not lo < hi:  # two kinks with one double
        return False
    for ratio in _RATIOS:
        part = Interval(lo, hi, piece, ratio * (hi - lo))
        ends = _ends(part, kinks)
        if _within(subject.value, part, ends, dev, sizes[0]) and _within(
            subject.slope, part, ends, dev, sizes[1]
        ):
            out.append(part)
            return True
    if hi - lo < _SMALLEST * float(dev.mid()) or len(out) > _MOST:
        return False
    middle = (lo + hi) / 2
    return _divide(subject, (lo, middle, piece), kinks, dev, sizes, out) and _divide(
        subject, (middle, hi, piece), kinks, dev, sizes, out
    )


def _ends(part: Interval, kinks: tuple[Any, ...]) -> tuple[Any, Any]:
    """The interval with the balls of the kinks at its ends (`arb`, outwards)."""
    from flint import arb

    lo, hi = arb(part.lo), arb(part.hi)
    for k in kinks:
        if float(k.mid()) == part.lo:
            lo = lo.min(k.lower())
        if float(k.mid()) == part.hi:
            hi = hi.max(k.upper())
    return lo.lower(), hi.upper()


def _within(curve: Curve, part: Interval, ends: tuple[Any, Any], dev: Any, size: Any) -> bool:
    """Whether the piece keeps below `size` within reach of the interval."""
    from flint import arb

    from ...symbols import x
    from ...verify.evaluate import function

    func = function(curve.pieces[part.piece].expr, x)
    reach = arb(part.reach)
    left, right = (ends[0] - reach).lower(), (ends[1] + reach).upper()
    return _below(func, (left, right, arb(0), reach), dev, size, _DEPTH)


def _weight(left: Any, right: Any, dev: Any) -> Any:
    """The supremum of exp(-t^2/(4 q)) over the real interval."""
    from flint import arb

    near = left.max(-right).max(arb(0))
    return (-near * near / (4 * dev * dev)).exp().upper()


def _below(func: Any, tile: Any, dev: Any, size: Any, depth: int) -> bool:
    """Whether the weighted |f| is at most `size` on the tile; False also where that is open."""
    from flint import acb

    check()
    left, right, low, high = tile
    value = func(acb(left.union(right), low.union(high)), True)
    if value.is_finite() and abs(value).upper() * _weight(left, right, dev) <= size:
        return True
    if depth == 0:
        return False
    mid_x, mid_y = ((left + right) / 2).mid(), ((low + high) / 2).mid()
    centre = func(acb(mid_x, high), False)
    if not centre.is_finite() or abs(centre).lower() * _weight(mid_x, mid_x, dev).lower() > size:
        return False
    if (right - left).mid() > (high - low).mid():
        halves = ((left, mid_x, low, high), (mid_x, right, low, high))
    else:
        halves = ((left, right, low, mid_y), (left, right, mid_y, high))
    return all(_below(func, half, dev, size, depth - 1) for half in halves)


def _supremum(func: Any, tile: Any, dev: Any, most: Any, depth: int) -> Any:
    """The maximum of `most` and the weighted supremum of |f| on a real tile, within a factor."""
    from flint import acb, arb

    check()
    left, right, low, high = tile
    value = func(acb(left.union(right)), False)
    size = abs(value).upper() * _weight(left, right, dev) if value.is_finite() else arb("inf")
    if size <= most:
        return most
    mid = ((left + right) / 2).mid()
    centre = abs(func(acb(mid), False)).upper() * _weight(mid, mid, dev)
    if size <= arb(5) / 4 * centre.max(most):
        return size
    end = 0 if value.is_finite() or not centre.is_finite() else -_DEEPER
    if depth == end:
        return size
    most = _supremum(func, (left, mid, low, high), dev, most, depth - 1)
    return _supremum(func, (mid, right, low, high), dev, most, depth - 1)


def _number(kink: Any) -> Any:
    from ...verify.functions.pieces import number

    return number(kink)


def allowed(subject: Subject, dev: Any, far: float) -> tuple[Any, Any]:
    """The sizes W for s and s': a few times the suprema on the line."""
    from flint import arb

    top = arb(far)
    first, second = real_size(subject.value, dev, top), real_size(subject.slope, dev, top)
    return (_LIFT * first).upper(), (_LIFT * second).upper()
