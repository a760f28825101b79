r"""How the shells of an activation with kinks are made, from spectra weighted for $\lambda$.

For $|\rho| \le \lambda$ the dual is the series of $(\lambda^{n/2}a_n)$ in $\rho/\lambda$
(`split.build`), which needs few coefficients and is smooth in the variance although the kinks
move.  It is folded as that of a smooth function is; nearer to $\pm1$ another table takes over
(`derivations/identities/table_bound.md`, section 16).
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations_with_replacement, pairwise
from math import sqrt
from typing import Any

from sympy import Expr

from ....errors import Undecided
from ...patience import TooLong, check
from ..bands.banded import Band, BandedDual, Pair
from ..bands.panels import panels
from ..contour import Plan
from ..shared import Form, shared_sheets
from ..split.asked import Asked
from ..split.build import Prepared, continuous, hermite_rows, prepared, weighted_source
from ..split.rest import Rest
from ..variable import lebesgue
from .apart import AnyShell, changed
from .own import apart
from .variable import Shell
from .whole import Weighted, Whole, range_of, whole

LIMITS = (0.98, 0.95, 0.9, 0.8, 0.65, 0.5)
"""The largest |rho|: the first with which the bound is proven."""
FINE_LIMITS = (0.95, 0.9, 0.8, 0.65, 0.5)
"""The same below `LEAST_ERROR`: more would take twice as long, and its rounding is more."""
LEAST_ERROR = 1e-12
"""Below it the rounding of derivatives is too much: either dual has polynomials of its own."""
_RATIO = 2.4
"""A shell goes up to about so many times its least S: then it needs about 15 coefficients in x."""
_BITS, _FINE_BITS = 64, 80
"""Of coefficients, and of those of errors below `LEAST_ERROR`."""
_SPARE = 2.0**-40


def shells(
    name: str,
    expr: Expr,
    span: tuple[float, float],
    error: float,
    rest: Rest | None = None,
) -> tuple[AnyShell, ...]:
    """Tables of the whole dual for |rho| <= lambda, that of the smallest |rho| first.

    With a `rest` the Hermite coefficients come from it instead of from integrals.  Where the error
    is below `LEAST_ERROR`, or s has a jump, the derivative dual has polynomials of its own.

    Raises:
        Undecided: no bound below the error is proven.
    """
    own = error < LEAST_ERROR or not continuous(expr)
    failed: Undecided | None = None
    for edge_rho in FINE_LIMITS if error < LEAST_ERROR else LIMITS:
        try:
            return _made(name, expr, span, error, edge_rho, rest, own)
        except TooLong:
            raise
        except Undecided as found:
            failed = failed or found
    assert failed is not None
    raise failed


def shells_of(
    given: Asked, error: float, rest: Rest | None = None
) -> tuple[tuple[AnyShell, ...], str]:
    """Those of an activation as it was given, from those of the same of about the size 1.

    With them, why there are none, else nothing: what they stand in for is there without them.
    """
    from ..scale import restored

    span = given.low, given.high
    try:
        made = shells(given.name, given.scaled.expr, span, error, rest)
    except Undecided as found:
        return (), found.what

    def back(table: BandedDual) -> BandedDual:
        return restored(table, given.power, given.expr)

    return tuple(changed(t, back) for t in made), ""


def within(
    tables: tuple[AnyShell, ...], q11: float, q12: float, q22: float, root: float | None
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
    own: bool,
) -> tuple[AnyShell, ...]:
    from ....precision import precision
    from ..draft import mirrored

    bits = _FINE_BITS if error < LEAST_ERROR else _BITS
    given = prepared(expr, *span, error, edge_rho)
    starts, plans = _divided(given)
    with precision(bits + 128):
        nodes = tuple(given.axis.variances(given.count, bits + 128))
        rows, plans = _coefficients(given, plans, nodes, rest, bits)
        every = zip(rows, starts, plans, (True, False), strict=True)
        sources = [weighted_source(r, b, p, nodes, edge_rho, d) for r, b, p, d in every]
        band = range_of(given, plans, sources, nodes, bits)
        named, many = (name, str(expr), *span), (given.count, given.terms)
        out: list[AnyShell] = []
        for outer, inner in pairwise(edges(edge_rho)):
            check()
            away = Weighted(Shell.over(inner, outer), edge_rho)
            how = mirrored(expr), error, bits, not own
            found = whole(given, plans, band, away, how)
            out.append(apart(found, named, many) if own else _shared(found, named, many))
    return tuple(out)


def _shared(
    found: Whole, named: tuple[str, str, float, float], many: tuple[int, int]
) -> BandedDual:
    """One polynomial for both duals."""
    shell = found.shell
    parts = found.panels(panels(found.places, 1))
    pairs = []
    for a, b in combinations_with_replacement(range(len(parts)), 2):
        check()
        both = [found.frame(parts[a], parts[b], which) for which in (0, 1)]
        frames, ours = [frame for frame, _ in both], [series for _, series in both]
        form = Form.away(shell), shell.kappa
        value, dot, heavy = shared_sheets(frames, ours, form, tuple(1 for _ in ours[0].parts))
        pairs.append(Pair(a, b, shell.kappa, value, dot, heavy))
    axes = (p.band.axis for p in parts)
    kinds = tuple(Band(a.low, a.high, a.centre, a.half, a.pole) for a in axes)
    made = BandedDual(*named, True, kinds, tuple(pairs), *many, True)
    return made.within(shell)


def _divided(given: Prepared) -> tuple[Any, tuple[Plan, Plan]]:
    """The starts and plans of the dual divided by sqrt(q11 q22), and of the derivative dual."""
    (start, found), rest = given.divided, given.plans[1]
    return (start, given.starts[1]), (found, rest)


def _coefficients(
    given: Prepared,
    plans: tuple[Plan, Plan],
    nodes: tuple[Fraction, ...],
    rest: Rest | None,
    bits: int,
) -> tuple[Any, tuple[Plan, Plan]]:
    """Hermite coefficients of s and of s', and the plans with their errors."""
    from flint import arb

    if rest is None:
        return hermite_rows(given.shapes, nodes, given.terms, bits), plans
    rows, found = [], []
    over = 1 / arb(given.axis.low).sqrt(), arb(1)  # s is divided by sqrt(q)
    known = rest.rows(nodes, given.terms)
    for (b, a, off), p, scale in zip(known, plans, over, strict=True):
        pairs = zip(b.tolist(), a.tolist(), strict=True)
        rows.append([[arb(r) + t for r, t in zip(*both, strict=True)] for both in pairs])
        more = off * scale * lebesgue(len(nodes))
        found.append(replace(p, gap=(p.gap + more).upper()))
    return tuple(rows), (found[0], found[1])
