r"""One variance and kinks away from 0: polynomials in powers where they do, else Chebyshev sums.

Pairs of kinks that do not touch at $\rho = \pm1$ leave functions that are smooth there, but not
analytic: 60 to 190 coefficients, which powers in doubles do not carry.
"""

from __future__ import annotations

from sympy import Expr

from ...errors import Undecided
from .chebyshev import ChebyshevTable, layout
from .dual import Sheet, TableDual
from .fit import Fit, fit
from .pack import least, on_diagonal
from .source import Say, Source
from .split_closed import Closed
from .split_kinks import KinkTable
from .variances import Axis

_KAPPAS = (2.0, 4.0, 1.0, 0.5)
"""The variables that are tried, in this order."""
_SHARES = (0.9, 0.5)


def point_table(
    named: tuple[str, Expr], sources: list[Source], axis: Axis, error: float, say: Say
) -> TableDual | KinkTable:
    """The table of one variance: `sources` are the dual and the derivative dual, not weighted.

    Raises:
        Undecided: the bound is not reached; the message has the best one.
    """
    from .build import _sheet as in_powers
    from .draft import mirrored

    name, expr = named
    parity = mirrored(expr)
    kappa, fits = _fits(sources, parity, error)
    say(f"kappa {kappa:g}: {fits[0][0].points} and {fits[1][0].points} points in rho")
    both = list(zip(fits, sources, (parity, -parity), strict=True))
    low, terms = axis.low, max(s.terms for s in sources)
    try:
        value, dot = (in_powers(f, s, axis, sign, error, False) for f, s, sign in both)
    except Undecided:
        value, dot = (_in_sums(f, s, sign, error) for f, s, sign in both)
        far = ChebyshevTable(low, low, axis.centre, 1.0, kappa, 1.0, value, dot, 1, terms)
        return KinkTable(name, str(expr), far, Closed((), 1.0, (), ()), (0, 0.0))
    half = axis.half
    return TableDual(
        name, str(expr), low, low, axis.centre, half, kappa, False, value, dot, 1, terms
    )


def _fits(sources: list[Source], parity: int, error: float) -> tuple[float, list[list[Fit]]]:
    """Kappa and the coefficients of both sides of rho = 0 for either dual."""
    from flint import arb

    failed: Undecided | None = None
    for kappa in _KAPPAS:
        try:
            return kappa, [
                [
                    fit(s.spectra, sign, kappa, (arb(error) * s.least / 50).lower(), s.bits)
                    for sign in ((1,) if parity else (1, -1))
                ]
                for s in sources
            ]
        except Undecided as missed:
            failed = failed or missed
    assert failed is not None
    raise failed


def _in_sums(fits: list[Fit], source: Source, parity: int, error: float) -> Sheet:
    """One dual as Chebyshev sums, with the bound of all that it is away from the truth.

    Raises:
        Undecided: the bound is not reached.
    """
    from flint import arb

    from .build import _up
    from .sheets import refused

    across = on_diagonal(fits[0].tensor)
    away = max(f.aliasing for f in fits)
    outside = fits[0].tail + away
    bottom = (least(across) - outside).lower()
    if not bottom > 0:
        raise Undecided("the bound is larger than the dual itself", hint="a smaller error")
    made = []
    for share in _SHARES:
        budget = ((bottom * error - outside) * share).max(bottom * (error / 100))
        sides = [layout(f.tensor, budget, 1.0) for f in fits]
        diagonal = layout(across, budget, 1.0)
        named = (
            ("series beyond its last term", fits[0].tail),
            ("interpolation in rho", away),
            ("coefficients left out", max(p.dropped for p in (*sides, diagonal))),
            ("rounding", max(p.rounding for p in (*sides, diagonal))),
        )
        total = sum((size for _, size in named), arb(0))
        sheet = Sheet(
            sides[0].rows,
            () if parity else sides[1].rows,
            parity,
            tuple(line[0] for line in diagonal.rows[0]),
            _up(total / bottom),
            tuple((name, _up(size / bottom)) for name, size in named),
        )
        if sheet.error <= error:
            return sheet
        made.append(sheet)
    raise refused(min(made, key=lambda s: s.error), error)
