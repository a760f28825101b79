"""From Chebyshev coefficients in balls to a dual in doubles, with a bound of what it is off by."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ....errors import Undecided
from ...arith import ball, rounded_up
from ..chebyshev import layout
from ..dual import Sheet, Unproven
from ..fit import Fit
from ..spectra.norms import second_moment
from ..spectra.spectrum import Shape
from ..variable import transform
from ..variances import Axis

_BITS = 72
_SHARES = (0.95, 0.7, 0.4, 0.1)
"""Of what is free, to coefficients left out."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Upper bounds of what a table is away from the dual before anything is rounded.

    Attributes:
        tail: the series beyond its last term.
        between: interpolation in the variances, of the dual.
        moment: the same of the diagonal.
    """

    tail: Any
    between: Any
    moment: Any


@dataclass(frozen=True, slots=True)
class Diagonal:
    """E[s(u)^2] as a Chebyshev series in the variance, and a positive number below it."""

    series: list[list[Any]]
    bottom: Any


def diagonal_of(
    shape: Shape, nodes: tuple[Fraction, ...], moment: Any, divided: bool = False
) -> Diagonal:
    """The diagonal from its values at the nodes; `moment` bounds what is between them.

    `divided`: of E[s(u)^2]/q.

    Raises:
        Undecided: the bound is larger than the dual itself.
    """
    from flint import arb_mat

    from ..pack import least

    values = [[second_moment(shape.pieces, q, _BITS) / (ball(q) if divided else 1)] for q in nodes]
    turned = transform(len(nodes), _BITS + 128) * arb_mat(values)
    series = [[turned[k, 0]] for k in range(len(nodes))]
    bottom = (least([series]) - moment).lower()
    if not bottom > 0:
        raise Undecided("the bound is larger than the dual itself", hint="a narrower range")
    return Diagonal(series, bottom)


def sheet_of(
    fits: list[Fit],
    lost: Lost,
    shape: Shape,
    axis: Axis,
    nodes: tuple[Fraction, ...],
    parity: int,
    error: float,
    rounding: tuple[str, Any],
    diagonal: Diagonal | None = None,
) -> Sheet:
    """One dual in doubles, with its bound and the parts of it.

    `rounding` is what to call the rounding, and a bound of what there is besides the polynomials'.
    The diagonal is enclosed here where it is not given.

    Raises:
        Undecided: the bound is not reached; the message has the best one.
    """
    from flint import arb

    diagonal = diagonal or diagonal_of(shape, nodes, lost.moment)
    bottom = diagonal.bottom
    in_rho = max(f.aliasing + f.omitted for f in fits)
    outside = lost.tail + in_rho + lost.between
    best: Sheet | None = None
    for share in _SHARES:
        budget = (bottom * error - outside) * share
        if not budget > 0:
            budget = bottom * (error / 100)
        sides = [layout(f.tensor, budget, axis.half, f.kappa) for f in fits]
        line = layout([diagonal.series], bottom * (error / 8), axis.half)
        named = (
            ("series beyond its last term", lost.tail),
            ("interpolation in rho", in_rho),
            ("interpolation in the variances", lost.between + lost.moment),
            ("coefficients left out", max(p.dropped for p in (*sides, line))),
            (rounding[0], max(p.rounding for p in (*sides, line)) + rounding[1]),
        )
        made = Sheet(
            sides[0].rows,
            () if parity else sides[1].rows,
            parity,
            tuple(row[0] for row in line.rows[0]),
            rounded_up(sum((size for _, size in named), arb(0)) / bottom),
            tuple((name, rounded_up(size / bottom)) for name, size in named),
        )
        if made.error <= error:
            return made
        if best is None or made.error < best.error:
            best = made
    assert best is not None
    raise Unproven(best, error)
