"""The parts of one expectation: ranges, tails and panels in one and two variables."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import arb

from ..errors import Undecided
from ..verify.functions.growth import Growth
from ..verify.functions.pieces import Piece
from ..verify.law import Law, tail
from .numbers import outward, power_above, text
from .panels import Chosen, Kernel, cells, choose, largest

_ATTEMPTS = 6


@dataclass(frozen=True, slots=True)
class Side:
    """A function of one variable: smooth pieces and a growth bound without polynomial factor."""

    pieces: tuple[Piece, ...]
    growth: Growth

    @property
    def is_zero(self) -> bool:
        """Whether the function is zero off its breaks."""
        return all(p.expr == 0 for p in self.pieces)


@dataclass(frozen=True, slots=True)
class _Reach:
    left: Fraction
    right: Fraction
    lost: Any


def plane(f: Side, g: Side, law: Law, tol: Any) -> dict[str, Any]:
    """The record of E[f(u) g(v)] over the plane, with a total error below `tol`.

    Raises:
        Undecided: no panels were found.
    """
    det = law.q11 * law.q22 - law.q12 * law.q12
    first = _reach(f, g, law, tol / 16, f.pieces, float(arb(law.m1)))
    second = _reach(g, f, law.swapped(), tol / 16, g.pieces, float(arb(law.m2)))
    norm = 1 / (2 * arb.pi() * arb(det).sqrt())
    us, vs = (cells(s.pieces, r.left, r.right) for s, r in ((f, first), (g, second)))
    kernel_u = _kernel(arb(law.m1), arb(law.q22 / det), arb(law.q11))
    kernel_v = _kernel(arb(law.m2), arb(law.q11 / det), arb(law.q22))
    width_u, width_v = (4 * float(arb(det / q).sqrt()) for q in (law.q22, law.q11))
    goal_u, goal_v = tol / (norm * largest(vs)), tol / (norm * largest(us))
    for _ in range(_ATTEMPTS):
        pu = choose(us, kernel_u, width_u, goal_u / 256)
        pv = choose(vs, kernel_v, width_v, goal_v / 256)
        error_u, mass_u = _sums(pu)
        error_v, mass_v = _sums(pv)
        if norm * (error_u * mass_v + error_v * mass_u) < tol / 2:
            break
        goal_u = goal_u.min(tol / (norm * mass_v)) / 4
        goal_v = goal_v.min(tol / (norm * mass_u)) / 4
    else:
        raise Undecided("no panels for a certificate at this accuracy")
    return {
        "kind": "plane",
        "u": {"range": _range(first), "panels": _records(pu)},
        "v": {"range": _range(second), "panels": _records(pv)},
        "tail": power_above(first.lost + second.lost, 2),
    }


def line(
    f: Side, g: Side, law: Law, tol: Any, merged: tuple[Piece, ...], mean: Any, variance: Any
) -> dict[str, Any]:
    """The record of one integral over u, of `merged` against the density of N(mean, variance).

    Args:
        f: the growth in u.
        g: the growth in v, a multiple of u.
        law: the law of (u, v) for the tails; its mean may only be near `mean`.
        tol: the error wanted.
        merged: the pieces of the function that is integrated.
        mean: an `arb`.
        variance: an `arb`.

    Raises:
        Undecided: no panels were found.
    """
    reach = _reach(f, g, law, tol / 16, merged, float(mean))
    parts = cells(merged, reach.left, reach.right)
    norm = 1 / (2 * arb.pi() * variance).sqrt()
    kernel = _kernel(mean, 1 / variance, variance)
    width = 4 * float(variance.sqrt())
    rows = choose(parts, kernel, width, tol / (norm * 256))
    error, _ = _sums(rows)
    if not norm * error < tol / 2:
        raise Undecided("no panels for a certificate at this accuracy")
    return {
        "kind": "line",
        "range": _range(reach),
        "panels": _records(rows),
        "tail": power_above(reach.lost, 2),
    }


def _kernel(mean: Any, stiff: Any, variance: Any) -> Kernel:
    def bound(centre: Any, semi: Any, height: Any) -> Any:
        near = (abs(centre - mean) - semi).lower().max(arb(0))
        return (height * height * stiff / 2 - near * near / (2 * variance)).exp()

    return bound


def _reach(
    f: Side, g: Side, law: Law, tol: Any, pieces: tuple[Piece, ...], middle: float
) -> _Reach:
    """A range of the first variable outside of which E|f g| is below `tol`, and that bound."""
    s1 = float(arb(law.q11).sqrt())
    length = 4.0
    while True:
        lost = tail(f.growth, g.growth, law, arb(length))
        if lost < tol:
            break
        if length > 2000 or not lost.is_finite():
            raise Undecided("no range for a certificate makes the tail small")
        length += 0.5
    unit = Fraction(2) ** (power_above(arb(s1)) - 6)
    ends = [outward(middle + sign * (length + 0.05) * s1, unit, sign) for sign in (-1, 1)]
    kinks = [float(p.ends()[1]) for p in pieces[:-1]]
    for i, sign in enumerate((-1, 1)):
        while any(abs(float(ends[i]) - k) < float(unit) / 2 for k in kinks):
            ends[i] += sign * unit
    return _Reach(ends[0], ends[1], lost)


def _sums(rows: list[list[Chosen]]) -> tuple[Any, Any]:
    flat = [c for cell in rows for c in cell]
    return sum((c.error for c in flat), arb(0)), sum((c.mass for c in flat), arb(0))


def _range(reach: _Reach) -> list[str]:
    return [text(reach.left), text(reach.right)]


def _records(rows: list[list[Chosen]]) -> list[list[Any]]:
    return [[c.record() for c in cell] for cell in rows]
