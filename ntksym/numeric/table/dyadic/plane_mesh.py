r"""An activation as polynomials on short pieces of the line, with what they are off by.

An interval of a `PanelRule` is cut into equal pieces; on each, s and s' are interpolated at
Chebyshev points from balls.  The bound of s within reach of the interval, on which the rule rests,
bounds the interpolation; rounding is counted (`derivations/identities/quadrature.md`, section 8).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf, nextafter
from typing import Any

from ....errors import Undecided
from ...patience import check
from ...quadrature.intervals import Interval
from ...quadrature.panels import PanelRule
from ...quadrature.subject import Subject

UNIT = 2.0**-53
DEGREE = 11
_SHARE = 12
"""The reach of an interval is so many times the half width of a piece, or more."""
_MOST = 40_000
"""Pieces of all intervals."""
_BITS = 128


@dataclass(frozen=True, slots=True)
class Mesh:
    """The pieces of all intervals, one after the other.

    Attributes:
        columns: for each interval its low end, pieces per unit, the number of pieces less one, and
            the number of the first.
        rows: for s and s' the coefficients [k][piece] of x^k, x in [-1, 1] on a piece.
        blur: for s and s' the square of a bound of the error by piece, for an argument that is off
            by `shift`.
        shift: what an argument may be off by.
    """

    columns: tuple[Any, Any, Any, Any]
    rows: tuple[Any, Any]
    blur: tuple[Any, Any]
    shift: float

    def at(self, intervals: Any, points: Any) -> tuple[Any, Any]:
        """`(pieces, x)` of arguments in intervals, or outside by no more than `shift`."""
        import numpy as np

        low, scale, last, start = (column[intervals] for column in self.columns)
        place = (points - low) * scale
        piece = np.clip(place.astype(np.int64), 0, last)
        place -= piece
        place *= 2.0
        place -= 1.0
        piece += start
        return piece, np.clip(place, -1.0, 1.0, out=place)

    def value(self, which: int, piece: Any, where: Any) -> Any:
        """The function s (0) or s' (1) there, by Horner's rule."""
        import numpy as np

        rows = self.rows[which]
        total, term = np.take(rows[-1], piece), np.empty(piece.shape)
        for row in rows[-2::-1]:
            total *= where
            np.take(row, piece, out=term, mode="clip")  # without a copy: no piece is beyond
            total += term
        return total


def mesh_of(rule: PanelRule, subject: Subject, sizes: tuple[Any, Any], shift: float) -> Mesh:
    """The mesh of a rule.

    Args:
        rule: its intervals and their reach.
        subject: the pieces of s and s'.
        sizes: the W of the rule, for s and s'.
        shift: what arguments may be off by, besides the rounding of x.

    Raises:
        Undecided: too many pieces, or a value that is not finite.
    """
    import numpy as np

    from ....precision import precision

    parts = rule.intervals
    reaches = [min(p.reach, 0.5 * float(rule.top) ** 0.5) for p in parts]
    counts = [
        max(1, ceil((p.hi - p.lo) * _SHARE / (2 * r))) for p, r in zip(parts, reaches, strict=True)
    ]
    if sum(counts) > _MOST:
        raise Undecided(f"{subject.expr}: more than {_MOST} polynomials for one variance")
    rows: tuple[list[Any], list[Any]] = ([], [])
    off: tuple[list[float], list[float]] = ([], [])
    for part, count, reach in zip(parts, counts, reaches, strict=True):
        with precision(_BITS):
            for which, curve in enumerate((subject.value, subject.slope)):
                expr = curve.pieces[part.piece].expr
                lost = shift + 8 * UNIT * (abs(part.lo) + abs(part.hi))
                found = _interval(expr, part, count, reach, (sizes[which], rule.top, lost))
                rows[which].extend(found[0])
                off[which].extend(found[1])
    tables = tuple(np.ascontiguousarray(np.array(r).T) for r in rows)
    errors = tuple(np.array(e) ** 2 * (1 + 1e-9) for e in off)
    many = np.array(counts)
    low, high = np.array([p.lo for p in parts]), np.array([p.hi for p in parts])
    columns = low, many / (high - low), many - 1, np.cumsum(many) - many
    return Mesh(columns, (tables[0], tables[1]), (errors[0], errors[1]), shift)


def _interval(
    expr: Any, part: Interval, count: int, reach: float, known: tuple[Any, Any, float]
) -> tuple[list[list[float]], list[float]]:
    """Coefficients of x^k and errors of all pieces of one interval."""
    from flint import acb, arb, arb_mat

    from ....symbols import x
    from ....verify.evaluate import function
    from ...arith import ball
    from ..variable import lebesgue, nodes

    size, top, shift = known
    func = function(expr, x)
    half = (arb(part.hi) - part.lo) / (2 * count)
    points = nodes(DEGREE + 1, _BITS)
    turn, moved = _powers(), float(half.lower())
    semi = arb(reach) / half
    radius = (semi + (semi * semi + 1).sqrt()).lower()
    wide = (abs(arb(part.lo)).max(abs(arb(part.hi))) + arb(reach)).upper()
    rows, off = [], []
    for i in range(count):
        check()
        centre = part.lo + (2 * i + 1) * half
        # within reach |s| <= W exp(t^2/(4 q)), t no farther than the ellipse
        far = (abs(centre) + half + reach).min(wide)
        most = (size * (far * far / (4 * ball(top))).exp()).upper()
        values = [func(acb(centre + half * p), False).real for p in points]
        blur = max(v.rad() for v in values)
        if not all(v.is_finite() for v in values):
            raise Undecided(f"{expr} has no finite value near x = {float(centre.mid()):.6g}")
        found = turn * arb_mat([[v.mid()] for v in values])
        row = [float(found[k, 0].mid()) for k in range(DEGREE + 1)]
        total = sum(abs(c) for c in row)
        slope = sum(k * abs(c) for k, c in enumerate(row))
        lost = 4 * most * radius**-DEGREE / (radius - 1) + arb(blur) * lebesgue(DEGREE + 1)
        error = float(lost.upper()) + 3 * (DEGREE + 2) * UNIT * total + slope * shift / moved
        rows.append(row)
        off.append(nextafter(error * (1 + 1e-9), inf))
    return rows, off


def _powers() -> Any:
    """The matrix from values at the Chebyshev points to coefficients of x^k (`arb_mat`)."""
    from flint import arb_mat, fmpz_poly

    from ..variable import transform

    count = DEGREE + 1
    rows = [[0] * count for _ in range(count)]
    for n in range(count):
        for k, c in enumerate(fmpz_poly.chebyshev_t(n)):
            rows[k][n] = int(c)
    return arb_mat(rows) * transform(count, _BITS)
