r"""Interpolation in the variance where kinks are away from 0: contours that follow the kinks.

A kink k of s is at $\zeta = k/d$ of $z \mapsto s(dz)$, $d = \sqrt q$.  For complex d the Hermite
coefficients are integrals along the real line, with a vertical way from $\mathrm{Re}\,\zeta$ to
$\zeta$ and back at every kink.  Weighted by $\lambda^{n/2}$, $\lambda < 1$, they are analytic in d
with values in $\ell^2$: for $|\rho| \le \lambda$ the dual is a bilinear form in them
(`derivations/identities/table_bound.md`, section 7).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import partial
from math import ceil, inf, log, nextafter
from typing import Any

from ...errors import Undecided
from ...symbols import x
from ..patience import check
from .half_line import covered, squared
from .spectra.sides import tame
from .spectra.spectrum import Shape
from .variable import alias, ellipse, lebesgue
from .variances import MOST_NODES, Axis, beyond

RADII = (3.3, 2.9, 2.6, 2.3, 2.1, 1.95, 1.8, 1.7, 1.6, 1.5, 1.42, 1.35, 1.28, 1.22, 1.16)
"""Ellipses that are tried."""
_NARROW = 1.05
_DISPLACED = 2.0**-120
_ARCS = 48
_FINE = 256
_COVER = 53
_WAY = 4
_SHARE = 0.95
_LONGEST = 400
Ends = tuple[list[float], list[float]]


@dataclass(frozen=True, slots=True)
class Line:
    """A function on the line by its pieces, as functions of balls.

    Attributes:
        kinks: where the pieces meet, as `arb`, from left to right.
        right: the pieces, one more than kinks, written for x >= 0.
        left: the same for x <= 0.
    """

    kinks: tuple[Any, ...]
    right: tuple[Any, ...]
    left: tuple[Any, ...]

    def side(self, sign: int) -> tuple[Any, ...]:
        """The pieces as they are written for sign x >= 0."""
        return self.right if sign > 0 else self.left


@dataclass(frozen=True, slots=True)
class Reach:
    """Bounds on an ellipse of the variable tau.

    Attributes:
        vector: of the norm of the weighted coefficients.
        moment: of E[s(u)^2].
    """

    vector: Any
    moment: Any


@dataclass(frozen=True, slots=True)
class Plan:
    """What interpolation in the variance takes.

    Attributes:
        count: nodes.
        gap: a bound of the error of the interpolated coefficients, in the norm.
        size: a bound of the norm on the range.
        moment: a bound of the error of the interpolated E[s(u)^2].
    """

    count: int
    gap: Any
    size: Any
    moment: Any

    def with_nodes(self, count: int) -> Plan:
        """The same with more nodes: what is cut off is interpolated with a larger constant."""
        more = (1 + lebesgue(count)) / (1 + lebesgue(self.count))
        return Plan(count, (self.gap * more).upper(), self.size, (self.moment * more).upper())


def line_of(shape: Shape) -> Line:
    """The pieces of a shape.

    Raises:
        Undecided: the kinks are not located.
    """
    from flint import arb

    from ...verify.evaluate import function
    from ...verify.functions.pieces import number, split
    from ...verify.functions.removable import continued_pieces

    whole = continued_pieces(split(shape.expr))
    places = tuple(arb(0) if p.hi == 0 else number(p.hi) for p in whole[:-1])
    both = []
    for sign in (1, -1):
        known = [tame(p.expr, sign) for p in whole]
        both.append(tuple(function(e.diff(x) if shape.slope else e, x) for e in known))
    return Line(places, both[0], both[1])


def reach(
    line: Line,
    axis: Axis,
    radius: float,
    length: int,
    edge_rho: float | int,
    divided: bool = False,
) -> Reach | None:
    """Bounds on the ellipse `radius`; None where a piece may be singular on the contours.

    An integer for `edge_rho` is the number of coefficients, which then have no weights.
    `divided`: of s(dz)/d, which is analytic where s(dz) is: d has no zero there.
    """
    from flint import arb

    from ...precision import precision

    with precision(_COVER):
        r = arb(radius)
        if not (r + 1 / r) / 2 * axis.half < 1:
            return None
        fine = [axis.deviation(box) for box in ellipse(r, _FINE)]
        angle = max(float(abs(b.arg()).upper()) for b in fine)
        far = max(float(abs(b).upper()) for b in fine) * length
        if not angle < 1.5 or not _free(line, angle, far):
            return None
        vector, moment = arb(0), arb(0)
        for box in (axis.deviation(b) for b in ellipse(r, _ARCS)):
            if not all(abs((k / box).real) < length for k in line.kinks):
                return None
            square = _square(line, box, length)
            ways = [_way(line, i, box, edge_rho) for i in range(len(line.kinks))]
            over = 1 / abs(box).lower() if divided else arb(1)
            own = square.sqrt() + sum((w[0] for w in ways), arb(0))
            vector = vector.max((own * over).upper())
            own = square + sum((w[1] for w in ways), arb(0))
            moment = moment.max((own * over * over).upper())
            if not (vector.is_finite() and moment.is_finite()):
                return None
        return Reach(vector, moment)


def _free(line: Line, angle: float, far: float) -> bool:
    """Whether every piece is analytic where contours for |arg d| <= angle can meet it.

    The contours of a piece on [a, b], 0 < a, stay in the sector, at a distance of at least
    a cos(angle) and at most b from 0.
    """
    from math import cos

    for sign in (1, -1):
        for i, func in enumerate(line.side(sign)):
            ends = [float("-inf"), *(float(k) for k in line.kinks), float("inf")]
            low, high = sorted((sign * ends[i], sign * ends[i + 1]))
            if high <= 0:
                continue
            start = max(low, 0.0) * cos(angle) * (1 - 1e-9)
            end = min(high * (1 + 1e-9), far)
            near = start
            while near < end:
                until = min(max(1.4 * near, 1e-3), end)
                if not covered(func, sign, (near, until), (0.0, angle)):
                    return False
                near = until
    return True


def _square(line: Line, box: Any, length: int) -> Any:
    """A bound of the integral of |s(dz)|^2 over |z| <= length, kinks taken at Re(k/d)."""
    from flint import arb

    real = (1 / box).real
    places = [k * real for k in line.kinks]
    low = [nextafter(float(p.lower()), -inf) for p in places]
    ends = low, [nextafter(float(p.upper()), inf) for p in places]
    total = arb(0)
    for sign in (1, -1):
        total = sum(squared(partial(_most, line, ends, box, sign), length), total)
    return total.upper()


def _most(line: Line, ends: Ends, box: Any, sign: int, low: float, high: float) -> Any:
    """Of the pieces that may meet the cell: `ends` are those of the places where they meet."""
    from flint import arb

    cell = sign * arb(low).union(arb(high))
    left, right = sorted((sign * low, sign * high))
    first, last = bisect_left(ends[1], left), bisect_right(ends[0], right)
    value = arb(0)
    for func in line.side(sign)[first : last + 1]:
        value = value.max(abs(func(box * cell, True)).upper())
    return value


def _way(line: Line, i: int, box: Any, edge_rho: float | int) -> tuple[Any, Any]:
    """What the vertical way at a kink adds to the norm, and to the moment."""
    from flint import arb

    kink = line.kinks[i]
    if kink == 0:
        return arb(0), arb(0)
    pieces = line.side(1 if kink > 0 else -1)
    at = kink / box
    a, y = abs(at.real).lower(), abs(at.imag).upper()
    most, squares = arb(0), arb(0)
    for part in range(_WAY):
        t = (arb(part) / _WAY).union(arb(part + 1) / _WAY)
        point = box * at.real * (1 - t) + kink * t
        one, two = pieces[i](point, True), pieces[i + 1](point, True)
        most = most.max(abs(two - one).upper())
        squares = squares.max(abs((two - one) * (two + one)).upper())
    root = (2 * arb.pi()).sqrt()
    vector = y * most * (y * y / 2 - a * a / 4).exp() / root * _weight(y, edge_rho)
    return vector.upper(), (y * squares * ((y * y - a * a) / 2).exp() / root).upper()


def _worst_way(line: Line, axis: Axis, radius: float, edge_rho: float | int) -> Any:
    """What the way that is likely to add most to the norm on an ellipse adds: a part of `reach`."""
    import numpy as np
    from flint import arb

    from ...precision import precision

    numbers = [i for i, k in enumerate(line.kinks) if k != 0]
    with precision(_COVER):
        boxes = [axis.deviation(box) for box in ellipse(arb(radius), _ARCS)]
        boxes = [box for box in boxes if box.is_finite()]
        if not (numbers and boxes):
            return arb(0)
        kinks = np.array([float(line.kinks[i]) for i in numbers])
        at = kinks / np.array([complex(box) for box in boxes])[:, None]
        a, y = abs(at.real), abs(at.imag)
        whole = isinstance(edge_rho, int)
        weight = y * edge_rho**0.5 if whole else y * y / (2 * _SHARE * -log(edge_rho))
        where = divmod(int((y * y / 2 - a * a / 4 + weight).argmax()), len(numbers))
        return _way(line, numbers[where[1]], boxes[where[0]], edge_rho)[0].lower()


def _weight(y: Any, edge_rho: float | int) -> Any:
    r"""A bound of $(\sum_n \lambda^n e^{2y\sqrt n})^{1/2}$, or of the first terms alone."""
    from flint import arb

    if isinstance(edge_rho, int):
        root = arb(edge_rho).sqrt()
        return (root * (y * root).exp()).upper()
    rate = -arb(edge_rho).log()
    peak = (y * y / (2 * arb(_SHARE) * rate)).exp()
    return peak / (1 - (-(1 - arb(_SHARE)) * rate).exp()).sqrt()


def plan(shape: Shape, axis: Axis, target: Any, edge_rho: float, divided: bool = False) -> Plan:
    """The fewest nodes with which interpolation adds less than `target` (an `arb`) to the dual.

    `divided`: to the dual divided by sqrt(q11 q22).

    Raises:
        Undecided: more than `MOST_NODES`, or no ellipse; the message has the best bound.
    """
    from flint import arb

    line = line_of(shape)
    over = 1 / arb(axis.low).sqrt() if divided else arb(1)
    length, lost = cut_length(shape, line, axis, target / (64 * (1 + over)))
    size = on_the_range(line, axis, length, edge_rho, divided)
    length, lost = cut_length(shape, line, axis, target / (64 * (size + 1) * (1 + over)))
    known = length, (lost * over).upper(), size
    return plan_line(line, axis, target, edge_rho, known, MOST_NODES, divided=divided)


def on_the_range(
    line: Line, axis: Axis, length: int, edge_rho: float | int, divided: bool = False
) -> Any:
    """A bound of the norm on the range itself.

    Raises:
        Undecided: no ellipse about it.
    """
    close = reach(line, axis, _NARROW, length, edge_rho, divided)
    if close is None:
        raise Undecided(
            "the pieces of the activation were not shown to be analytic about the range",
            hint="a narrower range, or one variance",
        )
    return close.vector


def plan_line(
    line: Line,
    axis: Axis,
    target: Any,
    edge_rho: float | int,
    known: tuple[int, Any, Any],
    most: int,
    least: int = 2,
    divided: bool = False,
) -> Plan:
    """As `plan`, for `known` = (length, what is beyond, norm on the range); at least `least` nodes.

    Raises:
        Undecided: more than `most` nodes; the message has the best bound.
    """
    from flint import arb

    length, lost, size = known
    best: Plan | None = None
    reached = arb("inf")
    for radius in RADII:
        check()
        # bounds of the whole take long where there are many kinks
        gap = alias(arb(radius), most - 1) * _worst_way(line, axis, radius, edge_rho)
        if (added := 2 * size * gap) > target:
            reached = reached.min(added.upper())
            continue
        found = reach(line, axis, radius, length, edge_rho, divided)
        if found is None:
            continue
        for count in range(least, most + 1):
            factor = alias(arb(radius), count - 1) + _DISPLACED
            more = 1 + lebesgue(count)
            gap = (factor * found.vector + more * lost).upper()
            moment = (factor * found.moment + more * lost * lost).upper()
            added = (gap * (2 * size + gap) + moment).upper()
            if added < target:
                break
        else:
            reached = reached.min(added)
            continue
        if best is not None and count >= best.count:
            break
        best = Plan(count, gap, size, moment)
        if count == least:
            break
    if best is None:
        raise Undecided(
            f"interpolation in the variance: {most} nodes give {float(reached):.1e}, "
            f"not {float(target):.1e}",
            hint="a narrower range of variances, or a larger error",
        )
    return best


def cut_length(shape: Shape, line: Line, axis: Axis, goal: Any) -> tuple[int, Any]:
    """Where the line is cut, beyond all kinks, and a bound of what is outside."""
    length, lost = beyond(shape, axis, goal)
    farthest = max((float(abs(k).upper()) for k in line.kinks), default=0.0)
    length = max(length, ceil(2 * farthest / axis.low**0.5) + 1)
    if length > _LONGEST:
        raise Undecided("a kink is too far away for variances this small", hint="a narrower range")
    return length, lost
