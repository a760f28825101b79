r"""E[f(u) g(v)] near correlation one where a function is not analytic at a kink: |x|^p, log|x|.

As in `tensor`, but in the windows around the kinks of g, and around such points of f, which at
correlation -1 are elsewhere, both variables have rules of `along`, with $t = c \pm e^{-w}$ there.
What is left out is bounded with $p_r(x, y) \le e^{-x^2/4} e^{-y^2/4}/(2\pi\sigma)$, which holds
for every correlation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flint import arb

from ...precision import precision
from ..functions.ends import odd_ends
from ..functions.pieces import Piece, number
from ..functions.strips import COVER_BITS
from ..law import Law
from .along import CRAMER, Line, between, distance, length_of, rule
from .fewer import Smooth, fewer
from .oned import kink_balls
from .tensor import Frame, banded, clear, windows

MOST_PAIRS = 3_000_000
_ROOM = 6
"""Beside a window boxes are about as wide as what reaches into it: they need to stay clear of c."""


def odd(f: tuple[Piece, ...], g: tuple[Piece, ...], law: Law, tol: Any) -> Any:
    """An enclosure (`arb`) of E[f(u) g(v)] with a radius of about `tol`; q11, q22, det > 0.

    Raises:
        Undecided: no rule was found.
    """
    s = law.scales()
    r, sigma = s.slope / s.s2, s.rest / s.s2
    with precision(COVER_BITS):
        half, coarse = arb("0.5"), arb("0.001")
        masses = [
            rule(p, m, q, half, coarse, thin=False).mass
            for p, m, q in ((f, law.m1, law.q11), (g, law.m2, law.q22))
        ]
        scale = 1 / (sigma * CRAMER * CRAMER)
        fine = tol / (64 * scale * (masses[0].max(masses[1]) + 1))
    far_x, lost = length_of(f, law.m1, law.q11, fine)
    room = float((scale * masses[0] * masses[1] * 64 / tol + 1).log().upper())
    far_z = arb(int((4 * room) ** 0.5) + 2)
    gone = scale * (lost * masses[1] + masses[0] * masses[1] * (-far_z * far_z / 4).exp())
    frame = Frame(f, g, s, r, sigma, far_x, far_z, tol)
    total, left = arb(0, gone.upper()), -far_x
    for a, b in [*windows(frame, _centres(frame), _ROOM), (far_x, far_x)]:
        if left < a:
            total += clear(frame, left, a)
        if a < b:
            total += _window(frame, a, b)
        left = b
    return total


def _centres(frame: Frame) -> list[Any]:
    """Where the windows are: the kinks of g as x = y/r, and x where f is not analytic."""
    s = frame.s
    at_g = [(kink - s.m2) / s.s2 / frame.r for kink in kink_balls(frame.g)]
    ends = {c for piece in frame.f for c, _, _ in odd_ends(piece)}
    return at_g + [(number(c) - s.m1) / s.s1 for c in ends]


def _window(frame: Frame, a: Any, b: Any) -> Any:
    """The part with x in [a, b] in the variables (x, y)."""
    s, r, sigma = frame.s, frame.r, frame.sigma
    reach = sigma * frame.far_z
    low = ((r * a).min(r * b) - reach).lower()
    high = ((r * a).max(r * b) + reach).upper()
    norm = 1 / (2 * arb.pi() * sigma)
    with precision(COVER_BITS):
        wide, step = float((8 * sigma).mid()), (4 * sigma).mid().min(arb(1) / 4)
        lift = (2 * arb.pi()).sqrt() / CRAMER  # the mass is that of |f| exp(-x^2/4)
    kernel, goal = Smooth(norm, 2 * sigma * sigma, arb("0.5")), frame.tol / 1024
    first = Line(s.m1, s.s1, kernel, goal, step, wide)
    second = Line(s.m2, s.s2, replace(kernel, fall=arb("0.25")), goal, step, wide)
    xs, error_x, mass_x = _along(first, frame.f, a, b)
    ys, error_y, _ = _along(second, frame.g, low, high)
    size_x = sum((abs(w) for _, _, w in xs), arb(0)).upper()
    size_y = sum((abs(w) for _, _, w in ys), arb(0)).upper()
    near = distance(a, b)
    most = size_x * size_y * norm * (-near * near / 2).exp()
    steep = float((2 * (most * 64 / frame.tol + 3).log()).sqrt().upper()) + 1.0
    skipped = most * (-(arb(steep) ** 2) / 2).exp()
    value = banded(xs, ys, r, sigma, steep * 1.001, MOST_PAIRS)
    error = error_x * size_y + error_y * mass_x * lift
    return value * norm + arb(0, (error + skipped).upper())


def _along(
    line: Line, pieces: tuple[Piece, ...], a: Any, b: Any
) -> tuple[list[tuple[Any, float, Any]], Any, Any]:
    """The points on [a, b] in order, the error and the mass."""
    found = between(line, pieces, a, b)
    points, moved = fewer(list(found.points), line.kernel, line.goal)
    out = [(t, float(t.mid()), w) for t, w in points]
    out.sort(key=lambda item: item[1])
    return out, found.error + moved, found.mass
