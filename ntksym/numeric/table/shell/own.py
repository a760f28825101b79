"""Both duals of a shell from polynomials of their own: the fewest panels with which they do."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import Any

from ...patience import check
from ..bands.banded import Band, BandedDual, Pair
from ..bands.panels import panels
from ..bands.sheets import SHARES, Frame
from ..dual import Sheet, Unproven
from ..fold import Folded, Pieces
from ..pack import pack
from .apart import Apart
from .variable import Shell
from .whole import Panel, Whole

MOST = 4
"""Panels of the range."""
_HOPELESS = 4.0
"""Where the bound is so many times the error, more panels do not help."""


def apart(whole: Whole, named: tuple[str, str, float, float], counted: tuple[int, int]) -> Apart:
    """Tables of both duals, of a name, a formula and a range; `counted` as in `BandedDual`.

    Raises:
        Unproven: of the best bound; none is within the error.
        Undecided: the bound is larger than the dual itself.
    """
    # the derivative dual is the steeper one
    dot, value = (_proven(whole, which, named, counted) for which in (1, 0))
    return Apart(value, dot)


def _proven(
    whole: Whole, which: int, named: tuple[str, str, float, float], counted: tuple[int, int]
) -> BandedDual:
    """One dual, in the fewest panels that are proven, or more where that is faster."""
    failed: list[Unproven] = []
    for many in range(panels(whole.places, 1), MOST + 1):
        try:
            return _table(whole, which, many, named, counted)
        except Unproven as reason:
            failed.append(reason)
            if reason.bound > _HOPELESS * whole.error:
                break
    raise min(failed, key=lambda f: f.bound)


def _table(
    whole: Whole,
    which: int,
    many: int,
    named: tuple[str, str, float, float],
    counted: tuple[int, int],
) -> BandedDual:
    """One dual in so many panels; what belongs to the smallest variances comes first.

    Raises:
        Unproven: a bound is above the error.
    """
    parts, shell = whole.panels(many), whole.shell
    pairs = []
    for a, b in combinations_with_replacement(range(many), 2):
        check()
        sheet = _sheet(*whole.frame(parts[a], parts[b], which), shell)
        none = Sheet((), (), sheet.parity, (), 0.0, ())
        pairs.append(Pair(a, b, shell.kappa, sheet, none))
    kinds = tuple(map(_band, parts))
    made = BandedDual(*named, not which, kinds, tuple(pairs), *counted, True)
    return made.within(shell)


def _band(panel: Panel) -> Band:
    a = panel.band.axis
    return Band(a.low, a.high, a.centre, a.half, a.pole)


def _sheet(frame: Frame, found: Folded, shell: Shell) -> Sheet:
    """The polynomials of one dual on a pair of panels, the fewest coefficients that do.

    Raises:
        Unproven: of the best bound.
    """
    from flint import arb

    best: Sheet | None = None
    for share in SHARES:
        budget = frame.budget(share)
        own: Any = (budget / len(found.parts)).lower()
        kept = []
        for part, tensor in found.parts:
            same = [1.0] * len(tensor[0][0])  # a power of x costs an entry the same for all rows
            kept.append((part, pack(tensor, own, frame.half, shell.off_x, same)))
        made = frame.sheet(Pieces.of(kept, arb(0), 0), budget)
        if made.error <= frame.error:
            return made
        if best is not None and made.error > best.error * 0.98:
            break  # what is left is rounding
        best = made if best is None else min(best, made, key=lambda s: s.error)
    assert best is not None
    raise Unproven(best, frame.error)
