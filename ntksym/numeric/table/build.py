"""How a table is made: range, spectra, polynomials, bounds; refuses what it cannot prove."""

from __future__ import annotations

from fractions import Fraction
from math import isfinite
from typing import Any

from sympy import Expr

from ...activation import Activation
from ...errors import BadCovariance, Undecided
from ...symbols import x
from ..arith import rounded_up
from .bands.banded import BandedDual
from .bands.cross import build_banded, divided
from .draft import mirrored, sizes
from .dual import Sheet, TableDual, Unproven, refuse_below
from .dyadic.kinks import FLOOR, dyadic_of
from .dyadic.table import DyadicTable
from .fit import Fit, fit
from .pack import OFF_SCALE, UNIT, least, on_diagonal, pack
from .spectra.source import FIRST, Say, Source, shape, source, start
from .spectra.spectrum import Shape
from .variable import KAPPAS
from .variances import Axis

BITS = 160
SHARES = (0.97, 0.8, 0.5, 0.2, 0.05)


def build(
    activation: Activation,
    variances: Any,
    error: float,
    progress: Say | None,
    banded: bool = True,
) -> TableDual | BandedDual | DyadicTable:
    """See `dual.table_dual`, for an s of about the size 1; without `banded` one band."""
    from ...precision import precision

    low, high = span(variances)
    refuse_below(error)
    say = progress or (lambda line: None)
    name, expr = activation.name, activation.expr
    axis = Axis.over(low, high)
    weighted = vanishes(expr)
    with precision(BITS + 64):
        shapes = [shape(expr, slope, BITS) for slope in (False, True)]
        ends = divided(shapes, low, high, error, weighted) if banded else [low, high]
        smooth = banded and low < high and _foldable(shapes)
        if len(ends) > 2 or smooth:
            return build_banded(name, expr, ends, error, weighted or smooth, BITS, say)
        apart = not axis.half and any(place != 0 for s in shapes for place, _ in s.kinks)
        weighted = weighted and not apart
        starts = [start(s, axis, error, weighted and not s.slope) for s in shapes]
        count = max(s.count for s in starts)  # the same variances for both: coefficients are kept
        nodes = axis.variances(count, BITS + 64) if axis.half else [Fraction(axis.low)]
        goal = error
        if apart:
            refuse_below(error, *FLOOR)
            goal = error / 2  # a dyadic table compares values
        slopes = source(starts[1], tuple(nodes), FIRST, goal, say)
        sources = [source(starts[0], tuple(nodes), slopes.terms, goal, say), slopes]
        if apart:
            return dyadic_of((name, expr), sources, axis.low, error)
        parity = mirrored(expr)
        kappa, value, slope = _sheets(sources, axis, parity, error, weighted, say)
    return TableDual(
        name,
        str(expr),
        low,
        high,
        axis.centre,
        axis.half,
        kappa,
        weighted,
        value,
        slope,
        len(sources[0].spectra),
        max(s.terms for s in sources),
    )


def _foldable(shapes: list[Shape]) -> bool:
    """Whether even and odd parts in rho may do: no kinks, or those of a continuous s at 0."""
    value, slope = (s.kinks for s in shapes)
    if not value and not slope:
        return True
    at_zero = all(place == 0 for place, _ in (*value, *slope))
    return bool(value and slope) and at_zero and value[0][1][0] == 0


def span(variances: Any) -> tuple[float, float]:
    """The range as two doubles.

    Raises:
        BadCovariance: not positive, not finite, or the wrong way round.
    """
    pair = variances if isinstance(variances, (tuple, list)) else (variances, variances)
    if len(pair) != 2:
        raise BadCovariance(f"{len(pair)} variances", hint="one, or (low, high)")
    try:
        low, high = (float(v) for v in pair)
    except (TypeError, ValueError):
        raise BadCovariance(
            f"{variances!r} is not a range of variances", hint="a number, or (low, high)"
        ) from None
    if not (isfinite(low) and isfinite(high) and low > 0):
        raise BadCovariance(
            f"the variances ({low:g}, {high:g}) are not positive and finite",
            hint="a table starts above 0",
        )
    if low > high:
        raise BadCovariance(
            f"the least variance {low:g} is above the largest {high:g}", hint=f"({high:g}, {low:g})"
        )
    if not 1e-140 < low <= high < 1e140:
        raise Undecided(
            f"the variances ({low:g}, {high:g}) are beyond 1e-140 .. 1e140",
            hint="rescale the data",
        )
    return low, high


def vanishes(expr: Expr) -> bool:
    """Whether s(0) = 0 exactly: then s(sqrt q z)/sqrt q stays of one size for small q."""
    from ...verify.evaluate import constant
    from ...verify.surd import ZERO, Surd

    value = constant(expr, {x: ZERO})
    return isinstance(value, Surd) and value.sign == 0


def _goal(source: Source, error: float) -> Any:
    from flint import arb

    return (arb(error) * source.least / 50).lower()


def _sheets(
    sources: list[Source], axis: Axis, parity: int, error: float, weighted: bool, say: Say
) -> tuple[float, Sheet, Sheet]:
    """Kappa and both duals, with the variable that needs the fewest coefficients."""
    sums = [0] * len(KAPPAS)
    for s in sources:
        found = sizes(s.spectra[0], KAPPAS, float(s.least) * error * SHARES[0])
        sums = [a + b for a, b in zip(sums, found, strict=True)]
    order = sorted(range(len(KAPPAS)), key=lambda i: (sums[i], i))
    for i in order:
        kappa = KAPPAS[i]
        try:
            fits = [_fits(s, kappa, parity, error) for s in sources]
        except Undecided:
            if i == order[-1]:
                raise
            continue
        break
    say(f"kappa {kappa:g}: {fits[0][0].points} and {fits[1][0].points} points in rho")
    value = _sheet(fits[0], sources[0], axis, parity, error, weighted)
    return kappa, value, _sheet(fits[1], sources[1], axis, -parity, error, False)


def _fits(source: Source, kappa: float, parity: int, error: float) -> list[Fit]:
    """Both sides of rho = 0; one where the function is even or odd."""
    signs = (1,) if parity else (1, -1)
    return [fit(source.spectra, sign, kappa, _goal(source, error), source.bits) for sign in signs]


def _sheet(
    fits: list[Fit], source: Source, axis: Axis, parity: int, error: float, weighted: bool
) -> Sheet:
    from flint import arb

    outside = float(
        (fits[0].tail + interpolation_error(fits) + source.between).upper() / source.least
    )
    free = max(1 - outside / error, SHARES[-1])
    extra = arb(0)
    if not parity:
        parity, extra = _parity(fits, source.least * (error * free))
    best: Sheet | None = None
    for share in SHARES:  # of what is free, to coefficients left out; the rest has to fit beside it
        budget = source.least * (error * free * share)
        found = _packed(fits, source, axis, budget, parity, extra, weighted)
        if found.error <= error:
            return found
        if best is None or found.error < best.error:
            best = found
    assert best is not None
    raise Unproven(best, error)


def interpolation_error(fits: list[Fit]) -> Any:
    """What interpolation in rho and the pairs left out can add, on the worse side."""
    return max(f.aliasing for f in fits) + max(f.omitted for f in fits)


def _packed(
    fits: list[Fit],
    source: Source,
    axis: Axis,
    budget: Any,
    parity: int,
    extra: Any,
    weighted: bool,
) -> Sheet:
    from flint import arb

    plus = pack(fits[0].tensor, budget, axis.half, kappa=fits[0].kappa)
    minus = plus if parity else pack(fits[1].tensor, budget, axis.half, kappa=fits[1].kappa)
    across = on_diagonal(fits[0].tensor)
    diagonal = pack(across, budget, axis.half)
    three = (plus, minus, diagonal)
    outside = fits[0].tail + interpolation_error(fits) + source.between
    bottom = source.least if source.is_zero else (least(across) - outside).lower()
    if not bottom > 0:
        raise Undecided("the bound is larger than the dual itself", hint="a narrower range")
    final = max(p.size for p in three) * (OFF_SCALE * UNIT) if weighted else arb(0)
    named = (
        ("series beyond its last term", fits[0].tail),
        ("interpolation in rho", interpolation_error(fits)),
        ("interpolation in the variances", source.between),
        ("coefficients left out", max(p.dropped for p in three) + extra),
        ("rounding", max(p.rounding for p in three) + final),
    )
    total = sum((value for _, value in named), arb(0))
    return Sheet(
        plus.rows,
        () if parity else minus.rows,
        parity,
        tuple(line[0] for line in diagonal.rows[0]),
        rounded_up(total / bottom),
        tuple((name, rounded_up(value / bottom) if value > 0 else 0.0) for name, value in named),
    )


def _parity(fits: list[Fit], budget: Any) -> tuple[int, Any]:
    """1 or -1 where the two sides agree up to a sign, with the sum of what they differ by."""
    from flint import arb

    for sign in (1, -1):
        total = arb(0)
        for a, b in zip(fits[0].tensor, fits[1].tensor, strict=True):
            for u, v in zip(a, b, strict=True):
                if len(u) != len(v):
                    return 0, arb(0)
                for m, n in zip(u, v, strict=True):
                    total += abs(m - sign * n).upper()
        if total < budget / 1000:
            return sign, total.upper()
    return 0, arb(0)
