"""Pieces of an activation that have closed conditional means: polynomials times exponentials."""

from __future__ import annotations

from sympy import Expr, Integer, binomial

from ..exact import Exact
from ..symbols import x
from ..terms import TermSum
from ..terms.cells import Cell

MOST_POWERS = 4
MOST_ROWS = 24


def closed_rows(
    found: tuple[Cell, ...], both: tuple[tuple[TermSum, ...], tuple[TermSum, ...]]
) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], int, tuple[Expr, ...]]:
    r"""How many exponentials each piece has (-1: other terms), the degree, and the numbers.

    A piece is $\sum_b e^{bx}\sum_n c_n x^n$.  The numbers are, for the pieces of both rows and each
    b, first b, then the coefficients of the powers of x - k for the lower kink k, with $e^{bk}$, up
    to the degree of all, then those for the upper one; zeros for a kink that is not there.
    """
    degree = max((n for row in both for p in row if _plain(p) for n in _powers(p)), default=0)
    counts: list[tuple[int, ...]] = []
    rows: list[Expr] = []
    for pieces in both:
        own = []
        for cell, piece in zip(found, pieces, strict=True):
            groups = piece.groups()
            if not _plain(piece) or len(rows) > MOST_ROWS * (2 * degree + 3):
                own.append(-1)
                continue
            own.append(len(groups))
            for key, powers in groups.items():
                rows.append(key.shift.expr)
                factor = TermSum(piece.field, {key: piece.field.integer(1)}).expr
                for end in cell:
                    rows += _about(factor, {n: c.expr for n, c in powers.items()}, end, degree)
        counts.append(tuple(own))
    return (counts[0], counts[1]), degree, tuple(rows)


def _plain(piece: TermSum) -> bool:
    return all(not k.tilt and not k.gates and k.power <= MOST_POWERS for k in piece.terms)


def _powers(piece: TermSum) -> tuple[int, ...]:
    return tuple(k.power for k in piece.terms)


def _about(factor: Expr, powers: dict[int, Expr], end: Exact | None, degree: int) -> list[Expr]:
    """The coefficients of the powers of x - k, lowest first."""
    if end is None:
        return [Integer(0)] * (degree + 1)
    k = end.expr
    scale = factor.xreplace({x: k})
    found = []
    for j in range(degree + 1):
        total: Expr = Integer(0)
        for n, c in powers.items():
            if n >= j:
                total += c * binomial(n, j) * k ** (n - j)
        found.append(total * scale)
    return found
