"""From what is known of one dual on a pair of bands to its polynomials and their proven bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ....errors import Undecided
from ...arith import rounded_up
from ..dual import Sheet, Unproven
from ..fit import Fit
from ..fold import Pieces, size_of
from ..pack import OFF_SCALE, UNIT, least, on_diagonal, pack
from .band import BandSpectra
from .sums import Tensor

SHARES = (0.9, 0.5, 0.1, 0.02)
"""Of what the error leaves free, to coefficients left out; the rest has to fit beside it."""


@dataclass(frozen=True, slots=True)
class Part:
    """One dual of a pair of bands: what its fit can be off by, and how it is packed.

    Attributes:
        tail: what the series beyond its last term can add.
        away: what interpolation in rho and the pairs left out can add.
        along: coefficients that `pack.on_diagonal` reads.
        packed: from a budget and the half width to polynomials; None where another makes them.
    """

    tail: Any
    away: Any
    along: Tensor
    packed: Callable[[Any, float], Pieces] | None


def sided_part(fits: list[Fit]) -> Part:
    """A fit for rho >= 0 and one for rho <= 0, or the one that serves both."""
    from ..build import interpolation_error

    def packed(budget: Any, half: float) -> Pieces:
        found = [pack(f.tensor, budget, half, kappa=f.kappa) for f in fits]
        return Pieces(
            found[0].rows,
            found[1].rows if len(found) > 1 else (),
            max(p.dropped for p in found),
            max(p.rounding for p in found),
            max(p.size for p in found),
        )

    return Part(fits[0].tail, interpolation_error(fits), fits[0].tensor, packed)


@dataclass(slots=True)
class Frame:
    """One dual on a pair of bands: everything its bound is made of but the polynomials.

    Attributes:
        part: its fit.
        between: what interpolation in the variances can add.
        bottom: a lower bound of sqrt(K(q11) K(q22)).
        half: the smaller half width of the two axes.
        across: the dual on the diagonal, where the bands are one.
        scaled: whether it is stored divided by sqrt(q11 q22).
        parity: of the sheet.
        error: the bound to be proven.
    """

    part: Part
    between: Any
    bottom: Any
    half: float
    across: Tensor | None
    scaled: bool
    parity: int
    error: float

    @classmethod
    def of(
        cls,
        bands: list[BandSpectra],
        a: int,
        b: int,
        which: int,
        part: Part,
        parity: int,
        error: float,
        weighted: bool,
    ) -> Frame:
        """Of bands a and b; the pair of a band with itself comes first: it gives the scale.

        Raises:
            Undecided: the dual is not larger than its bound.
        """
        one, two = bands[a].starts[which], bands[b].starts[which]
        between = (one.gap * two.most + two.gap * one.most + one.gap * two.gap).upper()
        outside = part.tail + part.away + between
        across = on_diagonal(part.along) if a == b else None
        if across is not None:
            bands[a].bottoms[which] = (least(across) - outside).lower()
        low = [bands[k].bottoms[which] for k in (a, b)]
        if not (low[0] > 0 and low[1] > 0):
            raise Undecided("the bound is larger than the dual itself", hint="a narrower range")
        bottom = (low[0] * low[1]).sqrt().lower()
        half = min(bands[a].axis.half, bands[b].axis.half)
        scaled = weighted and not which
        return cls(part, between, bottom, half, across, scaled, parity, error)

    @property
    def free(self) -> float:
        """The error that is left for coefficients and rounding, relative to the dual."""
        outside = self.part.tail + self.part.away + self.between
        return max(self.error - float((outside / self.bottom).upper()), self.error * 0.05)

    def budget(self, share: float) -> Any:
        """What coefficients that are left out may add up to."""
        return (self.bottom * self.free * share).lower()

    def sheet(self, own: Pieces, budget: Any) -> Sheet:
        """The polynomials with their bound."""
        from flint import arb

        dropped, rounding = own.dropped, own.rounding
        size = size_of(own.plus, own.minus) if own.size is None else own.size
        diagonal: tuple[float, ...] = ()
        if self.across is not None:
            line = pack(self.across, budget, self.half)
            dropped, rounding = dropped.max(line.dropped), rounding.max(line.rounding)
            size = size.max(line.size)
            diagonal = tuple(m[0] for m in line.rows[0])
        final = size * (OFF_SCALE * UNIT) if self.scaled else arb(0)
        named = (
            ("series beyond its last term", self.part.tail),
            ("interpolation in rho", self.part.away),
            ("interpolation in the variances", self.between),
            ("coefficients left out", dropped),
            ("rounding", rounding + final),
        )
        total = sum((value for _, value in named), arb(0))
        return Sheet(
            own.plus,
            own.minus,
            self.parity,
            diagonal,
            rounded_up(total / self.bottom),
            tuple((text, rounded_up(v / self.bottom) if v > 0 else 0.0) for text, v in named),
        )

    def best(self) -> Sheet:
        """The fewest coefficients with a bound of at most the error.

        Raises:
            Undecided: none; with the best bound that was proven.
        """
        assert self.part.packed is not None
        sheets = []
        for share in SHARES:
            budget = self.budget(share)
            found = self.sheet(self.part.packed(budget, self.half), budget)
            if found.error <= self.error:
                return found
            sheets.append(found)
        raise Unproven(min(sheets, key=lambda s: s.error), self.error)
