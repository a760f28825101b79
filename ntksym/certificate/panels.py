"""Choose panels, ellipses and orders so that an independent checker can bound the error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

from flint import arb

from ..errors import Undecided
from ..precision import precision
from ..replay.box import bounded_on_ellipse, compiled
from ..replay.problem import BadCertificate, NotConfirmed
from ..replay.tree import read_tree
from ..symbols import x
from ..verify.evaluate import function
from ..verify.functions.pieces import Piece
from ..verify.functions.strips import COVER_BITS, ellipse, rectangle
from .numbers import ball_of, between, power_above, text
from .trees import tree

MOST_POINTS = 40
_DEPTH = 30
_MANY = 12
_LEAST_BOUND = -40
"""Below it a bound may be a cancellation that boxes of low precision do not show."""
_ELLIPSES = ((13, 10), (3, 2), (9, 5), (11, 5), (27, 10), (7, 2), (9, 2), (6, 1), (8, 1))

Kernel = Callable[[Any, Any, Any], Any]
"""`kernel(centre, semi, height)`: the supremum of the density (without norm) on the ellipse."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One piece clipped to the range; the ends are `arb`."""

    left: Any
    right: Any
    piece: Piece


@dataclass(frozen=True, slots=True)
class Chosen:
    """One panel, its right end (None: the end of its cell), the error it causes and its mass."""

    end: Fraction | None
    points: int
    rho: tuple[int, int]
    size: int
    error: Any
    mass: Any

    def record(self) -> list[Any]:
        """`[end, points, [p, q], e]`."""
        end = None if self.end is None else text(self.end)
        return [end, self.points, list(self.rho), self.size]


def cells(pieces: tuple[Piece, ...], left: Fraction, right: Fraction) -> list[Cell]:
    """The pieces inside the range; no kink is near its ends."""
    low, high = ball_of(left), ball_of(right)
    found = []
    for piece in pieces:
        a, b = piece.ends()
        start = low if a is None or a < low else a
        end = high if b is None or b > high else b
        if start < end:
            found.append(Cell(start, end, piece))
    return found


def choose(parts: list[Cell], kernel: Kernel, width: float, tol: Any) -> list[list[Chosen]]:
    """Panels for every cell, none wider than about `width`, each with an error of about `tol`.

    Raises:
        Undecided: a singularity at the end of a cell.
    """
    out = []
    for cell in parts:
        count = max(1, ceil(float((cell.right - cell.left).mid()) / width))
        inner = [between(cell.left, cell.right, i, count) for i in range(1, count)]
        rows: list[Chosen] = []
        start = cell.left
        for cut in [*inner, None]:
            _refine(cell, start, cut, kernel, tol, _DEPTH, rows)
            start = cell.right if cut is None else ball_of(cut)
        out.append(rows)
    return out


def _refine(
    cell: Cell,
    a: Any,
    cut: Fraction | None,
    kernel: Kernel,
    tol: Any,
    depth: int,
    rows: list[Chosen],
) -> None:
    b = cell.right if cut is None else ball_of(cut)
    best = _best(cell.piece, (a, b), cut, kernel, tol, _near(rows))
    if best is None and len(rows) >= _MANY:
        best = _best(cell.piece, (a, b), cut, kernel, tol, _ELLIPSES)
    if best is not None:
        rows.append(best)
        return
    if depth == 0:
        at = a.mid().str(2, radius=False)
        raise Undecided(
            f"no panel works near x = {at}: certificates know functions smooth up to their kinks"
        )
    middle = between(a, b, 1, 2)
    _refine(cell, a, middle, kernel, tol, depth - 1, rows)
    _refine(cell, ball_of(middle), cut, kernel, tol, depth - 1, rows)


def _near(rows: list[Chosen]) -> tuple[tuple[int, int], ...]:
    """The ellipses to try: after many panels only those near the last one chosen."""
    if len(rows) < _MANY:
        return _ELLIPSES
    last = _ELLIPSES.index(rows[-1].rho)
    return _ELLIPSES[max(0, last - 1) : last + 2]


def _best(
    piece: Piece,
    ends: tuple[Any, Any],
    cut: Fraction | None,
    kernel: Kernel,
    tol: Any,
    ellipses: tuple[tuple[int, int], ...],
) -> Chosen | None:
    """The panel with the fewest points whose bound the checker will prove too.

    The checker does not continue logarithms and roots beyond their cuts, as `function` does.
    """
    func, found = function(piece.expr, x), list[Chosen]()
    centre, half = (ends[0] + ends[1]) / 2, (ends[1] - ends[0]) / 2
    for p, q in ellipses:
        rho = arb(p) / q
        semi, height = half * (rho + 1 / rho) / 2, half * (rho - 1 / rho) / 2
        size = ellipse(func, centre, semi, height)
        if size is None or not size.is_finite():
            break
        e = max(power_above(size, 1), _LEAST_BOUND)
        bound = arb(2) ** e
        front = half * 64 / 15 * bound * kernel(centre, semi, height) / (1 - 1 / (rho * rho))
        wanted = float(((front / tol).max(arb(1)).log() / (2 * rho.log())).upper())
        n = max(2, ceil(wanted))
        if n <= MOST_POINTS and (not found or n < found[-1].points):
            error = (front * (-2 * n * rho.log()).exp()).upper()
            found.append(Chosen(cut, n, (p, q), e, error, (2 * half * bound).upper()))
    return next((c for c in reversed(found) if _confirmed(c, piece, centre, half)), None)


def _confirmed(chosen: Chosen, piece: Piece, centre: Any, half: Any) -> bool:
    """Whether the checker proves the bound on the ellipse, by what it knows of the function."""
    rho = arb(chosen.rho[0]) / chosen.rho[1]
    axes = centre, half * (rho + 1 / rho) / 2, half * (rho - 1 / rho) / 2
    with precision(COVER_BITS):
        try:
            known = compiled(read_tree(tree(piece.expr), "a panel", frozenset({"x"})), {})
        except (BadCertificate, NotConfirmed) as error:
            raise Undecided(f"no certificate: {error}") from None
        return bounded_on_ellipse(known, *axes, arb(2) ** chosen.size)


def largest(parts: list[Cell]) -> Any:
    """The integral of the largest absolute values, roughly from above: for a first guess."""
    total = arb(0)
    for cell in parts:
        func, step = function(cell.piece.expr, x), (cell.right - cell.left) / 16
        for i in range(16):
            left, right = cell.left + i * step, cell.left + (i + 1) * step
            size = rectangle(lambda z, _, f=func: f(z, False), left, right, arb(0), 12)  # type: ignore[misc]
            if size is None:
                raise Undecided("the function is not bounded between its kinks")
            total += step * size
    return total.upper()
