r"""How the shells of an activation with kinks are made, from spectra weighted for $\lambda$.

For $|\rho| \le \lambda$ the dual is the series of $(\lambda^{n/2}a_n)$ in $\rho/\lambda$
(`split.build`), which needs few coefficients and is smooth in the variance although the kinks
move.  It is folded as that of a smooth function is; nearer to $\pm1$ another table takes over
(`derivations/identities/table_bound.md`, section 16).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations_with_replacement, pairwise
from math import sqrt
from typing import Any

from sympy import Expr

from ....errors import Undecided
from ...patience import TooLong, check
from ..bands.band import BandSpectra
from ..bands.banded import Band, BandedDual, Pair
from ..bands.panels import Ends, chopped, ends, narrowed, panels, part, places_of
from ..bands.sheets import Frame, Part
from ..bands.sums import Turned
from ..contour import Plan
from ..fold import Folded, fold
from ..pack import least
from ..shared import Form, shared_sheets
from ..spectra.source import Source, Start
from ..split.asked import Asked
from ..split.build import Prepared, continuous, hermite_rows, prepared, weighted_source
from ..split.rest import Rest
from ..split.sheet import diagonal_of
from ..variable import lebesgue
from .variable import Shell, spread

LIMITS = (0.98, 0.95, 0.9, 0.8, 0.65, 0.5)
"""The largest |rho|: the first with which the bound is proven."""
LEAST_ERROR = 1e-12
"""Below it the rounding of the derivative of a polynomial is too much."""
_RATIO = 2.4
"""A shell goes up to about so many times its least S: then it needs about 15 coefficients in x."""
_BITS = 64
_SPARE = 2.0**-40
_NOTHING = 2e-6
_WHOLE: Ends = ends(1)[0]


@dataclass(frozen=True, slots=True)
class Weighted:
    r"""A shell, and $\lambda$ of the series: $1 - a^2 \le \lambda^2$."""

    shell: Shell
    edge_rho: float

    def ratio(self, x: Any) -> Any:
        """See `fold.Away`."""
        from flint import arb

        return self.shell.square(x) / (arb(self.edge_rho) * self.edge_rho)

    def spread(self, radius: str) -> Any:
        """See `fold.Away`."""
        from flint import arb

        found = spread(radius, self.shell)
        return None if found is None else found / (arb(self.edge_rho) * self.edge_rho)


def shells(
    name: str,
    expr: Expr,
    span: tuple[float, float],
    error: float,
    rest: Rest | None = None,
) -> tuple[BandedDual, ...]:
    """Tables of the whole dual for |rho| <= lambda, that of the smallest |rho| first.

    With a `rest` the Hermite coefficients come from it instead of from integrals.

    Raises:
        Undecided: no bound below the error is proven; or s has a jump: the derivative dual almost
            everywhere is not the derivative of the dual then.
    """
    if error < LEAST_ERROR:
        raise Undecided(f"their rounding is proven to {LEAST_ERROR:g} at best, not {error:g}")
    if not continuous(expr):
        raise Undecided("the activation was not shown to be continuous")
    failed: Undecided | None = None
    for edge_rho in LIMITS:
        try:
            return _made(name, expr, span, error, edge_rho, rest)
        except TooLong:
            raise
        except Undecided as found:
            failed = failed or found
    assert failed is not None
    raise failed


def shells_of(
    given: Asked, error: float, rest: Rest | None = None
) -> tuple[tuple[BandedDual, ...], str]:
    """Those of an activation as it was given, from those of the same of about the size 1.

    With them, why there are none, else nothing: what they stand in for is there without them.
    """
    from ..scale import restored

    span = given.low, given.high
    try:
        made = shells(given.name, given.scaled.expr, span, error, rest)
    except Undecided as found:
        return (), found.what
    return tuple(restored(t, given.power, given.expr) for t in made), ""


def within(
    tables: tuple[BandedDual, ...], q11: float, q12: float, q22: float, root: float | None
) -> tuple[float, float] | None:
    """`(value, dot)` of the first shell that an entry is in; None where it is in none."""
    if root is None:
        product = sqrt(q11) * sqrt(q22)
        root = sqrt(max((product - abs(q12)) * (product + abs(q12)), 0.0))
    for t in tables:
        value, dot = t.at(q11, q12, q22, root)
        if value == value:
            return value, dot
    return None


def edges(edge_rho: float) -> list[float]:
    """The ends of the shells of |rho| <= edge_rho, from 1 down."""
    last = sqrt(1 - edge_rho * edge_rho) * (1 + _SPARE)
    many = 1
    while last * _RATIO**many < 1 - 1e-2:
        many += 1
    return [last ** (k / many) for k in range(many + 1)]


def _made(
    name: str,
    expr: Expr,
    span: tuple[float, float],
    error: float,
    edge_rho: float,
    rest: Rest | None,
) -> tuple[BandedDual, ...]:
    from ....precision import precision
    from ..draft import mirrored

    given = prepared(expr, *span, error, edge_rho)
    starts, plans = _divided(given)
    with precision(_BITS + 128):
        nodes = tuple(given.axis.variances(given.count, _BITS + 128))
        rows, plans = _coefficients(given, plans, nodes, rest)
        every = zip(rows, starts, plans, (True, False), strict=True)
        sources = [weighted_source(r, b, p, nodes, edge_rho, d) for r, b, p, d in every]
        band = _band(given, plans, sources, nodes)
        out = []
        for outer, inner in pairwise(edges(edge_rho)):
            check()
            away = Weighted(Shell.over(inner, outer), edge_rho)
            axes, pairs = _pairs(given, plans, band, away, mirrored(expr), error)
            kinds = tuple(Band(a.low, a.high, a.centre, a.half, a.pole) for a in axes)
            many = given.count, given.terms
            made = BandedDual(name, str(expr), *span, True, kinds, tuple(pairs), *many, True)
            out.append(made.within(away.shell))
    return tuple(out)


def _divided(given: Prepared) -> tuple[Any, tuple[Plan, Plan]]:
    """The starts and plans of the dual divided by sqrt(q11 q22), and of the derivative dual."""
    (start, found), rest = given.divided, given.plans[1]
    return (start, given.starts[1]), (found, rest)


def _coefficients(
    given: Prepared, plans: tuple[Plan, Plan], nodes: tuple[Fraction, ...], rest: Rest | None
) -> tuple[Any, tuple[Plan, Plan]]:
    """Hermite coefficients of s and of s', and the plans with their errors."""
    from flint import arb

    if rest is None:
        return hermite_rows(given.shapes, nodes, given.terms), plans
    rows, found = [], []
    over = 1 / arb(given.axis.low).sqrt(), arb(1)  # s is divided by sqrt(q)
    known = rest.rows(nodes, given.terms)
    for (b, a, off), p, scale in zip(known, plans, over, strict=True):
        pairs = zip(b.tolist(), a.tolist(), strict=True)
        rows.append([[arb(r) + t for r, t in zip(*both, strict=True)] for both in pairs])
        more = off * scale * lebesgue(len(nodes))
        found.append(replace(p, gap=(p.gap + more).upper()))
    return tuple(rows), (found[0], found[1])


def _band(
    given: Prepared, plans: tuple[Plan, Plan], sources: list[Source], nodes: Any
) -> BandSpectra:
    """The range as one band."""
    starts = [
        Start(shape, not shape.slope, given.count, s.between, s.least, _BITS, p.gap, p.size)
        for shape, s, p in zip(given.shapes, sources, plans, strict=True)
    ]
    spectra = [list(s.spectra) for s in sources]
    both = starts[0], starts[1]
    return BandSpectra(
        given.axis, both, nodes, spectra, given.terms, [], [None, None], [None, None]
    )


def _pairs(
    given: Prepared,
    plans: tuple[Plan, Plan],
    band: BandSpectra,
    away: Weighted,
    parity: int,
    error: float,
) -> tuple[list[Any], list[Pair]]:
    """The polynomials of all pairs of panels."""
    shell = away.shell
    found, lows = [], []
    for which in (0, 1):
        start = band.starts[which]
        scale = float(start.least) * error
        turned = band.in_tau(which, given.terms)
        sign = parity * (1 - 2 * which)
        whole = _folded(band, which, sign, away, scale / 50, turned)
        grow = float(shell.grow)
        weight = None if which else (lambda k, grow=grow: grow * k * k)
        found.append(chopped(whole, scale * _NOTHING, weight))
        moment = plans[which].moment
        diagonal = diagonal_of(given.shapes[which], band.nodes, moment, not which).series
        lows.append((diagonal, moment))
    cuts = ends(panels(places_of(found[1], band, error), 1))
    parts = [part(band, own) for band in (band,) for own in cuts]
    for own, panel in zip(cuts, parts, strict=True):
        panel.bottoms = [_bottom(series, moment, own) for series, moment in lows]
    pairs = []
    for a, b in combinations_with_replacement(range(len(parts)), 2):
        check()
        ours = [narrowed(f, cuts[a], cuts[b], _BITS) for f in found]
        frames = [
            _frame(parts[a], parts[b], which, ours[which], parity * (1 - 2 * which), error)
            for which in (0, 1)
        ]
        shares = tuple(1 for _ in ours[0].parts)
        form = Form.away(shell), shell.kappa
        value, dot, heavy = shared_sheets(frames, ours, form, shares)
        pairs.append(Pair(a, b, shell.kappa, value, dot, heavy))
    return [p.axis for p in parts], pairs


def _folded(
    band: BandSpectra, which: int, parity: int, away: Weighted, goal: float, turned: Turned
) -> Folded:
    r"""Both parts; the odd one is a factor of rho, not of $\rho/\lambda$."""
    from flint import arb

    kappa = away.shell.kappa
    both = turned, turned
    found = fold(band.spectra[which], None, parity, kappa, goal, _BITS, both, away)
    scale = 1 / arb(away.edge_rho)
    parts = tuple(
        (odd, [[[c * scale for c in line] for line in plane] for plane in t] if odd else t)
        for odd, t in found.parts
    )
    return Folded(parts, found.tail, found.aliasing, found.omitted)


def _bottom(series: list[list[Any]], moment: Any, own: Ends) -> Any:
    """A lower bound of the dual on the diagonal, on a panel."""
    from flint import arb

    line = Folded(((0, [[list(c) for c in series]]),), arb(0), arb(0), arb(0))
    return (least(narrowed(line, _WHOLE, own, _BITS).parts[0][1]) - moment).lower()


def _frame(
    one: BandSpectra, two: BandSpectra, which: int, found: Folded, parity: int, error: float
) -> Frame:
    """One dual of a pair of panels; there is no diagonal."""
    between = one.starts[which].between
    low = [panel.bottoms[which] for panel in (one, two)]
    if not (low[0] > 0 and low[1] > 0):
        raise Undecided("the bound is larger than the dual itself", hint="a narrower range")
    own = Part(found.tail, found.aliasing + found.omitted, [], None)
    bottom = (low[0] * low[1]).sqrt().lower()
    half = min(one.axis.half, two.axis.half)
    return Frame(own, between, bottom, half, None, not which, parity, error)
