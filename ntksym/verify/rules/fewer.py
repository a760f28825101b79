r"""Many nodes replaced by few: $\sum_k w_k G(t_k)$ for every G that is smooth on a cell's scale.

In a cell $c + a[-1, 1]$ G is interpolated at Chebyshev points $\tau_j$, so that the weights become
$W_j = \sum_k w_k \ell_j(t_k)$.  Where $|G| \le M$ on the ellipse $E_r$ around the cell, the
interpolation of degree n errs by at most $4 M r^{-n}/(r - 1)$.  A rule for a function that is
singular or steep has nodes by its own scale; the kernel that it meets needs them by its scale only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil, floor, log, sqrt
from typing import Any

from flint import arb, ctx, fmpq

from ...precision import precision
from ..functions.strips import COVER_BITS
from ..safe import in_time

Nodes = list[tuple[Any, Any]]
"""(t, weight)"""
_WIDTH = 0.5
"""Half a cell, in the scale of the smooth factor."""
_ROOM = 1.001
_RATIOS = (4, 6, 9, 13, 18, 24, 32, 48)


@dataclass(frozen=True, slots=True)
class Smooth:
    """|G(t + ih)| <= front exp(h^2/calm - fall t^2): near the real line, and far out."""

    front: Any
    calm: Any
    fall: Any = field(default_factory=lambda: arb(0))

    def at(self, height: Any, near: Any = 0) -> Any:
        """The bound at a distance from the real line, for real parts of at least `near`."""
        far = arb(near).max(arb(0)).lower()
        return self.front * (height * height / self.calm - self.fall * far * far).exp()


def fewer(points: Nodes, smooth: Smooth, goal: Any) -> tuple[Nodes, Any]:
    """The nodes, cells with many of them by few, and a bound of what this changes in the sum.

    Args:
        points: t and weight, in any order.
        smooth: the bound of every G that is meant.
        goal: about what may be lost in each cell.
    """
    half = float(_WIDTH * sqrt(smooth.calm))
    cells: dict[int, Nodes] = {}
    for t, w in points:
        cells.setdefault(floor(float(t.mid()) / (2 * half)), []).append((t, w))
    out: Nodes = []
    error = arb(0)
    for index in sorted(cells):
        inside = cells[index]
        with precision(COVER_BITS):
            size = sum((abs(w).upper() for _, w in inside), arb(0))
            degree, lost = _degree(abs(2 * index + 1) * half, half, size, smooth, goal)
        if degree + 1 < len(inside):
            inside = list(_moved(inside, (2 * index + 1) * half, half * _ROOM, degree + 1))
            error += lost
        out += inside
    return out, error.upper()


def _degree(centre: float, half: float, size: Any, smooth: Smooth, goal: Any) -> tuple[int, Any]:
    """The least degree for the goal, and the bound for it; the centre without its sign."""
    best: tuple[int, Any] | None = None
    for r in _RATIOS:
        wide, height = (half * _ROOM * (r + s / r) / 2 for s in (1, -1))
        most = 4 * size * smooth.at(arb(height), centre - wide)
        n = max(2, ceil((float((most / goal + 1).log().upper()) - log(r - 1)) / log(r)))
        if best is None or n < best[0]:
            lost = most / (arb(r) ** n * (r - 1))
            best = n, lost.upper()
    assert best is not None
    return best


def _moved(points: Nodes, centre: float, half: float, count: int) -> Iterator[tuple[Any, Any]]:
    r"""The Chebyshev points and $W_j = \frac2n\sum_m' T_m(\tau_j) \sum_k w_k T_m(t_k)$."""
    bits = int(ctx.prec)
    with precision(bits + 2 * count):  # the balls of the recurrence grow like (1 + sqrt 2)^m
        c, a = arb(centre), arb(half)
        sums, vague, astray = [arb(0)] * count, arb(0), arb(0)
        for t, w in points:
            in_time()
            # exact numbers: the recurrence would make a radius of them grow with every step
            z = ((t - c) / a).mid()
            vague += w.rad()
            astray += abs(w) * abs(t - c - a * z).upper() / a
            here = w.mid()
            before = here * z
            for m in range(count):
                sums[m] += here
                before, here = here, 2 * z * here - before
        for m in range(count):  # |T_m| <= 1 and |T_m'| <= m^2
            sums[m] += arb(0, (vague + m * m * astray).upper())
        sums[0] = sums[0] / 2
        exact, vague = [v.mid() for v in sums], sum((v.rad() for v in sums), arb(0))
        nodes = [arb.cos_pi_fmpq(fmpq(2 * j + 1, 2 * count)) for j in range(count)]
        weights = []
        for z in nodes:
            later, next_ = arb(0), arb(0)
            for m in range(count - 1, 0, -1):  # Clenshaw
                later, next_ = 2 * z * later - next_ + exact[m], later
            value = z * later - next_ + exact[0] + arb(0, vague.upper())
            weights.append(value * 2 / count)
    for z, w in zip(nodes, weights, strict=True):
        yield +(c + a * z), +w
