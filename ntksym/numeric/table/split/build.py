"""How the far part of a `SplitTable` is made: weighted spectra, Chebyshev series, bounds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, log
from typing import Any

from sympy import Expr

from ....errors import Undecided
from ..chebyshev import ChebyshevTable
from ..contour import Plan, plan
from ..dual import Sheet
from ..fit import Fit, fit
from ..spectra.norms import second_moment
from ..spectra.source import Source, shape
from ..spectra.spectrum import Shape, Spectrum, coefficient_rows
from ..variable import KAPPAS, lebesgue
from ..variances import Axis
from .sheet import Lost, sheet_of

MOST_TERMS = 4000
_BITS = 64
_SEEN = 100
"""Bits of jumps: what is not seen of them blurs the coefficients of s'."""
_UNIT = 2.0**-53
_OFF = 8
"""How many `_UNIT` the correlation of the table is off by: the root of the product 3, q12 1."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is known before coefficients are enclosed, for the dual and the derivative dual.

    Attributes:
        axis: the map of the variances.
        shapes: the functions.
        starts: about the least second moment, a bound of all, and what interpolation may add.
        plans: of the interpolation in the variance.
        divided: of the dual divided by sqrt(q11 q22): its start and its plan.
        count: how many variances.
        terms: how many Hermite coefficients.
    """

    axis: Axis
    shapes: tuple[Shape, ...]
    starts: tuple[tuple[Any, Any, Any], ...]
    plans: tuple[Plan, ...]
    divided: tuple[tuple[Any, Any, Any], Plan]
    count: int
    terms: int


@lru_cache(maxsize=16)
def prepared(expr: Expr, low: float, high: float, error: float, edge_rho: float) -> Prepared:
    """The plan of tables for |rho| <= edge_rho, kept.

    Raises:
        Undecided: no interpolation in the variance, or too many coefficients.
    """
    from ....precision import precision

    axis = Axis.over(low, high)
    with precision(_BITS + 128):
        shapes = tuple(plain_shape(expr, slope) for slope in (False, True))
        starts = tuple(start_of(s, axis, error) for s in shapes)
        plans = tuple(
            plan(s, axis, most, edge_rho) for s, (_, _, most) in zip(shapes, starts, strict=True)
        )
        over = start_of(shapes[0], axis, error, divided=True)
        divided = over, plan(shapes[0], axis, over[2], edge_rho, divided=True)
        count = max(p.count for p in (*plans, divided[1]))
        plans, divided = (
            tuple(p.with_nodes(count) for p in plans),
            (over, divided[1].with_nodes(count)),
        )
        terms = max(_terms(start, count, error, edge_rho) for start in (*starts, over))
        if terms > MOST_TERMS:
            raise Undecided(
                f"{terms} Hermite coefficients would be needed for |rho| <= {edge_rho:g}"
            )
    return Prepared(axis, shapes, starts, plans, divided, count, terms)


def far_table(expr: Expr, low: float, high: float, error: float, edge_rho: float) -> ChebyshevTable:
    """The table for |rho| <= edge_rho.

    Raises:
        Undecided: the bound is not reached; the message has what was.
    """
    from ....precision import precision
    from ..draft import mirrored

    given = prepared(expr, low, high, error, edge_rho)
    axis, count, terms = given.axis, given.count, given.terms
    with precision(_BITS + 128):
        nodes = tuple(axis.variances(count, _BITS + 128))
        pairs = list(zip(given.shapes, given.starts, given.plans, strict=True))
        rows = hermite_rows(given.shapes, nodes, terms)
        sources = [
            weighted_source(r, b, p, nodes, edge_rho)
            for r, (_, b, p) in zip(rows, pairs, strict=True)
        ]
        kappa, fits = _fits(sources, mirrored(expr), error)
        signs = (mirrored(expr), -mirrored(expr))
        value, dot = (
            _sheet(f, src, shape, found, axis, nodes, sign, error)
            for f, src, (shape, _, found), sign in zip(fits, sources, pairs, signs, strict=True)
        )
    return ChebyshevTable(
        low, high, axis.centre, axis.half, kappa, edge_rho, value, dot, count, terms
    )


def _fits(sources: list[Source], parity: int, error: float) -> tuple[float, list[list[Fit]]]:
    """Kappa and the Chebyshev coefficients, with the variable that needs the fewest."""
    from flint import arb

    from ..draft import sizes

    sums = [0] * len(KAPPAS)
    for s in sources:
        found = sizes(s.spectra[0], KAPPAS, float(s.least) * error)
        sums = [a + b for a, b in zip(sums, found, strict=True)]
    order = sorted(range(len(KAPPAS)), key=lambda i: (sums[i], i))
    for i in order:
        try:
            return KAPPAS[i], [
                [
                    fit(s.spectra, sign, KAPPAS[i], (arb(error) * s.least / 50).lower(), s.bits)
                    for sign in ((1,) if parity else (1, -1))
                ]
                for s in sources
            ]
        except Undecided:
            if i == order[-1]:
                raise
    raise AssertionError


def plain_shape(expr: Expr, slope: bool) -> Any:
    """The pieces of s, or of s', with no kink taken out."""
    from ....verify.definition import factor

    return Shape(expr, slope, factor(expr, derivative=slope, distributional=False).pieces, ())


def start_of(shape: Any, axis: Any, error: float, divided: bool = False) -> tuple[Any, Any, Any]:
    r"""About the least $E[s(u)^2]$, a bound of all, and what interpolation may add.

    The bound comes from `high`: densities are at most $\sqrt{high/q}$ times the one there.
    `divided`: the same of $E[s(u)^2]/q$.

    Raises:
        Undecided: it vanishes.
    """
    from flint import arb

    sizes = [second_moment(shape.pieces, Fraction(q), 48) for q in (axis.low, axis.high)]
    ratio = arb(axis.high) / axis.low
    most = sizes[-1] * ratio.sqrt()
    if divided:
        sizes = [size / q for size, q in zip(sizes, (axis.low, axis.high), strict=True)]
        most = most / axis.low
    least = min(s.lower() for s in sizes)
    if not least > 0:
        raise Undecided("a dual vanishes at a variance: no relative bound")
    return least, most.upper(), (arb(error) * least / 10).lower()


def _terms(start: tuple[Any, Any, Any], count: int, error: float, edge_rho: float) -> int:
    """How many coefficients leave little of the series."""
    ratio = start[1] / start[0] * 16 * lebesgue(count) ** 2 / error
    return max(ceil(float(ratio.log().upper()) / -log(edge_rho)), 32)


@lru_cache(maxsize=16)
def continuous(expr: Expr) -> bool:
    """Whether s has no jump, but for less than 2^-_SEEN."""
    try:
        return all(jumps[0] == 0 for _, jumps in shape(expr, False, _SEEN).kinks)
    except Undecided:
        return False


@lru_cache(maxsize=1)
def hermite_rows(
    shapes: tuple[Shape, ...], nodes: tuple[Fraction, ...], terms: int, bits: int = _BITS
) -> tuple[Any, Any]:
    r"""The coefficients of s and of s' at the nodes, kept: shells take those of a table as well.

    Of a continuous s, $E[s'(dZ)h_n(Z)] = \sqrt{n+1}\,E[s(dZ)h_{n+1}(Z)]/d$; jumps that were not
    seen change that by less than their sum, since $|h_n\varphi| < 1$.
    """
    from flint import arb

    from ...arith import ball

    value = coefficient_rows(shapes[0], nodes, terms + 1, bits)
    first = [row[:terms] for row in value]
    if not continuous(shapes[0].expr):
        return first, coefficient_rows(shapes[1], nodes, terms, bits)
    jumps = arb(0, len(shapes[0].pieces) * 2.0**-_SEEN)
    roots = [arb(n + 1).sqrt() for n in range(terms)]
    slopes = []
    for q, row in zip(nodes, value, strict=True):
        dev = ball(q).sqrt()
        slopes.append([(r * a + jumps) / dev for r, a in zip(roots, row[1:], strict=True)])
    return first, slopes


def weighted_source(
    rows: Any,
    start: Any,
    found: Plan,
    nodes: Any,
    edge_rho: float,
    divided: bool = False,
) -> Source:
    """Weighted coefficients as spectra of a function without kinks; `divided` by sqrt(q)."""
    from flint import arb

    from ...arith import ball

    terms = len(rows[0])
    step, weights, power = arb(edge_rho).sqrt(), [], arb(1)
    for _ in range(terms):
        weights.append(power)
        power = power * step
    left = (power * power * start[1]).upper()
    spectra = []
    for q, row in zip(nodes, rows, strict=True):
        own = ball(q).sqrt() if divided else arb(1)
        series = tuple(a * w / own for a, w in zip(row, weights, strict=True))
        spectra.append(Spectrum((), (), (), series, arb(0), left))
    between = (found.gap * (2 * found.size + found.gap)).upper()
    return Source(spectra, between, start[0], terms, _BITS)


def _sheet(
    fits: list[Fit],
    source: Source,
    shape: Shape,
    found: Plan,
    axis: Axis,
    nodes: tuple[Fraction, ...],
    parity: int,
    error: float,
) -> Sheet:
    """One dual in doubles, with the bound of all that it is away from the truth.

    Raises:
        Undecided: the bound is not reached.
    """
    from flint import arb

    slope = arb(0)
    for n in range(source.terms):
        most = max(abs(s.series[n]).upper() for s in source.spectra)
        slope += n * most * most
    slope = slope * lebesgue(len(nodes)) ** 2  # between the nodes
    lost = Lost(fits[0].tail, source.between, found.moment)
    said = ("rounding", slope * (_OFF * _UNIT))
    return sheet_of(fits, lost, shape, axis, nodes, parity, error, said)
