r"""Interpolation in the variance: a node variable, and a proven bound in $L^2$ of the Gaussian.

$\tau = (\sqrt q - c)/((\sqrt q + c)\,\tau_0)$ runs over [-1, 1].  The function
$F(\tau) = s(\sqrt q z)$, $|z| \le L$, is analytic in tau with values in $L^2$ where s is analytic
on the sector that $\sqrt q z$ sweeps; bounded by M on an ellipse r, its interpolant of degree d
errs by at most $4Mr^{-d}/(r-1)$ in $L^2$.  What lies beyond L is added from the growth certificate
(`derivations/identities/table_bound.md`, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from typing import Any

from ...errors import Undecided
from ...symbols import x
from ..patience import check
from .half_line import covered, squared
from .spectra.sides import sides
from .spectra.spectrum import Shape
from .variable import alias, ellipse, lebesgue, nodes

MOST_NODES = 72
_RADII = (8.0, 6.5, 5.3, 4.4, 3.7, 3.1, 2.7, 2.4, 2.15, 1.95, 1.8, 1.68, 1.58, 1.5, 1.4, 1.3, 1.2)
_NARROW = 1.05
_DISPLACED = 2.0**-120
"""Far above what the rounding of the nodes can change: 2^-200 times a derivative below 100 M."""
_ARCS = 32
_FINE = 256
_COVER = 53


@dataclass(frozen=True, slots=True)
class Axis:
    """The map from variances to [-1, 1], exact in doubles; one variance has the half width 0.

    Attributes:
        low: the least variance.
        high: the largest.
        centre: c.
        half: tau_0, at least (sqrt(high) - c)/(sqrt(high) + c).
        pole: of a panel of another axis the number in place of c below; None: c.
    """

    low: float
    high: float
    centre: float
    half: float
    pole: float | None = None

    @classmethod
    def over(cls, low: float, high: float) -> Axis:
        """The axis of a range, or of one variance."""
        if low == high:
            return cls(low, low, sqrt(low), 0.0)
        centre = sqrt(sqrt(low) * sqrt(high))
        root = sqrt(high)
        half = (root - centre) / (root + centre) * (1 + 1e-12)
        return cls(low, high, centre, max(half, 1e-9))

    def deviation(self, tau: Any) -> Any:
        """sqrt(q) at tau, for `arb` and `acb`."""
        return self.centre * (1 + self.half * tau) / (1 - self.half * tau)

    def variances(self, count: int, bits: int) -> list[Fraction]:
        """Rational variances at the Chebyshev points, to `bits` bits."""
        from ...dyadic import fraction
        from ...precision import precision

        with precision(bits):
            return [fraction(self.deviation(t).mid()) ** 2 for t in nodes(count, bits)]


def sector_bound(
    shape: Shape,
    axis: Axis,
    radius: float,
    length: int,
    weighted: bool,
    arcs: int = _ARCS,
    limit: Any = None,
) -> Any:
    """A bound of the L^2 norm of F on the ellipse (`arb`), None where s may be singular inside.

    Infinite where it is above the limit: most radii are given up at the first arc.
    """
    from flint import arb

    from ...precision import precision
    from ...verify.evaluate import function

    with precision(_COVER):
        r = arb(radius)
        if not (r + 1 / r) / 2 * axis.half < 1:
            return None
        boxes = [axis.deviation(box) for box in ellipse(r, arcs)]
        fine = [axis.deviation(box) for box in ellipse(r, _FINE)]  # hardly costs anything
        widest = max(float(abs(b.arg()).upper()) for b in fine)
        farthest = max(float(abs(b).upper()) for b in fine)
        if not widest < 1.55:
            return None
        funcs = [(function(expr, x), sign) for expr, sign in sides(shape)]
        if not all(_analytic(f, sign, widest, farthest * length) for f, sign in funcs):
            return None
        boxes.sort(key=lambda b: -abs(float(b.mid().arg())))  # the steepest are likely the largest
        most, above = arb(0), arb("inf") if limit is None else limit * limit
        for box in boxes:
            total = arb(0)
            for f, sign in funcs:
                total += _square(f, box, sign, length)
            if weighted:
                total = total / (abs(box).lower() * abs(box).lower())
            most = most.max(total.upper())
            if not most.is_finite():
                return None
            if most > above:
                return arb("inf")
        return most.sqrt().upper()


def _analytic(func: Any, sign: int, angle: float, far: float) -> bool:
    """Whether s is analytic on |arg| <= angle, |.| <= far, mirrored for sign < 0."""
    start = 1e-3
    if not covered(func, sign, (0.0, start), (0.0, angle)):
        return False
    near = start
    while near < far:
        if not covered(func, sign, (near, min(1.5 * near, far)), (0.0, angle)):
            return False
        near *= 1.5
    return True


def _square(func: Any, box: Any, sign: int, length: int) -> Any:
    """A bound of the integral of |s(sqrt q z)|^2 over 0 <= sign z <= length."""
    from flint import arb

    def most(low: float, high: float) -> Any:
        return abs(func(sign * box * arb(low).union(arb(high)), True)).upper()

    return sum(squared(most, length), arb(0))


def beyond(shape: Shape, axis: Axis, goal: Any) -> tuple[int, Any]:
    """`(L, bound)`: the L^2 norm of s(sqrt q z) beyond |z| = L is at most `bound` <= goal."""
    from flint import arb, fmpq

    from ...precision import precision
    from ...verify.functions.growth import growth_of
    from ...verify.law import Law, tail

    with precision(_COVER):
        growth = growth_of(shape.pieces)
        man, exp = arb(axis.high).man_exp()
        v = fmpq(int(man)) * fmpq(2) ** int(exp)
        law = Law(v * 0, v * 0, v, v, v)
        for length in range(4, 60):
            lost = tail(growth, growth, law, arb(length)).sqrt().upper()
            if lost < goal:
                return length, lost
    raise Undecided("no length of the integral makes its tail small")


def interpolation(shape: Shape, axis: Axis, goal: Any, weighted: bool) -> tuple[int, Any, Any]:
    """`(J, error, size)`: the fewest nodes for an L^2 error below `goal`, on the whole range.

    `size` bounds the L^2 norm on the range itself.

    Raises:
        Undecided: more than `MOST_NODES`; the message has the best bound.
    """
    from flint import arb

    scale = 1 / arb(axis.low).sqrt() if weighted else arb(1)
    length, lost = beyond(shape, axis, goal / (8 * (scale + 1)))
    best: tuple[int, Any] | None = None
    reached = arb("inf")
    close = None
    for arcs in (_ARCS // 2, 2 * _ARCS):
        if close is None:
            close = sector_bound(shape, axis, _NARROW, length, weighted, arcs)
    if close is None:
        raise Undecided(
            "the activation was not shown to be analytic about the range of variances",
            hint="a narrower range, or one variance",
        )
    for radius in _RADII:
        check()
        # an error above the size says nothing, and one above what was reached helps nobody
        most = MOST_NODES if best is None else best[0] - 1
        wanted = reached.min(close) if best is None else goal
        limit = (wanted / alias(arb(radius), most - 1)).upper()
        size = sector_bound(shape, axis, radius, length, weighted, limit=limit)
        if size is None:
            continue
        if not size.is_finite():
            if best is not None:
                break  # past the best radius
            continue
        for count in range(2, MOST_NODES + 1):
            error = alias(arb(radius), count - 1) * size + (1 + lebesgue(count)) * lost * scale
            error += size * _DISPLACED
            if error < goal:
                break
        else:
            reached = reached.min(error.upper())
            continue
        if best is not None and count >= best[0]:
            break  # past the best radius
        best = count, error.upper()
    if best is None:
        raise Undecided(
            f"interpolation in the variance: {MOST_NODES} nodes give "
            f"{float(reached):.1e} in L^2, not {float(goal):.1e}",
            hint="a narrower range of variances, or a larger error",
        )
    return best[0], best[1], (close + lost * scale).upper()
