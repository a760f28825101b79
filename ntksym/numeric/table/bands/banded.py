r"""`BandedDual`: a wide range of variances in bands, with polynomials for every pair of them.

In a band the dual is a polynomial in its own variable tau of the variance; a pair of bands (a, b)
has polynomials in $(\tau_a, \tau_b, x)$, stored once for $a \le b$.  A dual of one band is a
`TableDual`; `of` reads it as one of these, so that there is one form of the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from ....brief import Brief
from ..dual import SLACK, VERSION, Sheet, TableDual, away, hexed, reading, shared, signed, unhexed
from ..shell.variable import Shell


@dataclass(frozen=True, slots=True)
class Band:
    """An interval of variances and its variable tau.

    Attributes:
        low: the least variance.
        high: the largest; the next band starts there.
        centre: c of the variable tau.
        half: tau_0.
        pole: p of tau = (sqrt(q) - c)/((sqrt(q) + p) tau_0), of a panel; None where it is c.
    """

    low: float
    high: float
    centre: float
    half: float
    pole: float | None = None

    @property
    def numbers(self) -> tuple[float, float, float]:
        """(c, tau_0, p)."""
        return self.centre, self.half, self.centre if self.pole is None else self.pole

    def axis(self, q: float) -> float:
        """The variable tau of a variance."""
        from math import sqrt

        root, (centre, half, pole) = sqrt(q), self.numbers
        return (root - centre) / (root + pole) / half


@dataclass(frozen=True, slots=True)
class Pair:
    """The polynomials of a pair of bands.

    Attributes:
        first: the number of the band of tau_1.
        second: of tau_2, not below `first`.
        kappa: of the variable x.
        value: the dual; `diag` is empty unless the bands are one.
        dot: the derivative dual, almost everywhere.
        heavy: of a folded table, for the even and the odd part and every power of x, how many
            powers of tau generated C keeps in doubles; the higher ones may be floats (`light`).
            Empty: all are doubles.
    """

    first: int
    second: int
    kappa: float
    value: Sheet
    dot: Sheet
    heavy: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())


@dataclass(frozen=True, slots=True, repr=False)
class BandedDual(Brief):
    """A tabulated dual of a wide range: plain data.

    Attributes:
        name: the activation.
        text: its formula.
        low: the least variance.
        high: the largest.
        weighted: whether the value is stored divided by sqrt(q11 q22).
        bands: from the least variances to the largest.
        pairs: for first <= second, in lexicographic order.
        variances: how many variances were enclosed.
        terms: how many Hermite coefficients at most.
        folded: whether the polynomials are the even and the odd part in rho instead of the two
            sides of rho = 0, and serve the derivative dual too, whose sheets then have none
            (`numeric.table.fold`, `numeric.table.shared`).
        sine: whether the variable of a folded one is made from sqrt(1 - rho^2), and every part
            is stored as e_0 and G of e_0 + w^2 G (`numeric.table.sine`).
        shell: of a folded one that is for sqrt(1 - rho^2) >= its `inner` alone, and whose variable
            it is; it has no diagonal.
    """

    name: str
    text: str
    low: float
    high: float
    weighted: bool
    bands: tuple[Band, ...]
    pairs: tuple[Pair, ...]
    variances: int
    terms: int
    folded: bool = False
    sine: bool = False
    shell: Shell | None = None
    _shown = ("low", "high", "error")

    @classmethod
    def of(cls, t: TableDual) -> BandedDual:
        """A table of a range as one of a single band."""
        band = Band(t.low, t.high, t.centre, t.half)
        pair = Pair(0, 0, t.kappa, t.value, t.dot)
        return cls(
            t.name, t.text, t.low, t.high, t.weighted, (band,), (pair,), t.variances, t.terms
        )

    def within(self, shell: Shell) -> BandedDual:
        """The same as the table of a shell."""
        return replace(self, shell=shell)

    @property
    def single(self) -> bool:
        """Never for one variance."""
        return False

    @property
    def error(self) -> float:
        """The largest of the proven relative bounds."""
        return max(sheet.error for p in self.pairs for sheet in (p.value, p.dot))

    @property
    def sided(self) -> bool:
        """Whether rho < 0 has polynomials of its own."""
        if self.folded:
            return False
        return any(not sheet.parity for p in self.pairs for sheet in (p.value, p.dot))

    def band(self, q: float) -> int:
        """The band of a variance; -1 outside the range."""
        if not self.low * (1 - SLACK) <= q <= self.high * (1 + SLACK):
            return -1
        return sum(q > band.high for band in self.bands[:-1])

    def pair(self, first: int, second: int) -> Pair:
        """The polynomials of two bands, first <= second."""
        return self.pairs[first * len(self.bands) - first * (first - 1) // 2 + second - first]

    def at(self, q11: float, q12: float, q22: float, root: float | None = None) -> Any:
        """`(value, dot)` in doubles, as `TableDual.at`."""
        from math import nan, sqrt

        a, b = self.band(q11), self.band(q22)
        if a < 0 or b < 0:
            return nan, nan
        product = sqrt(q11) * sqrt(q22)
        if not abs(q12) <= product * (1 + SLACK):
            return nan, nan
        if root is None:
            root = sqrt(max((product - abs(q12)) * (product + abs(q12)), 0.0))
        if a > b:
            a, b, q11, q22 = b, a, q22, q11
        pair = self.pair(a, b)
        first, second = self.bands[a].axis(q11), self.bands[b].axis(q22)
        sheets = pair.value, pair.dot
        if self.shell is not None:
            if root < self.shell.inner * product:
                return nan, nan
            x, steep = self.shell.at(root / product)
            value, dot = away(pair.value, (q12 / product, steep), first, second, x)
        elif self.folded:
            rho, size = q12 / product, root / product
            size = size if self.sine else size**2
            over = 1 / (1 + pair.kappa * size)
            w = (1 + pair.kappa) * size * over
            how = pair.kappa, over, rho, w if self.sine else None
            value, dot = shared(pair.value, how, first, second, 2 * w - 1)
        else:
            x = 2 * ((1 + pair.kappa) * root / (product + abs(q12) + pair.kappa * root)) - 1
            value, dot = (signed(sheet, q12, first, second, x) for sheet in sheets)
        return (value * product if self.weighted else value), dot

    def to_json(self) -> dict[str, Any]:
        """Plain data: numbers as hexadecimal text, so that every bit survives."""
        return {"version": VERSION, "banded": True, **hexed(asdict(self))}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> BandedDual:
        """The inverse of `to_json`.

        Raises:
            BadData: not such data, or of another version.
        """
        with reading(data, "version", VERSION):
            bands = tuple(Band(**unhexed(b)) for b in data["bands"])
            pairs = tuple(
                Pair(
                    p["first"],
                    p["second"],
                    unhexed(p["kappa"]),
                    Sheet.from_json(p["value"]),
                    Sheet.from_json(p["dot"]),
                    unhexed(p.get("heavy", [[], []])),
                )
                for p in data["pairs"]
            )
            low, high = unhexed(data["low"]), unhexed(data["high"])
            named = str(data["name"]), str(data["text"]), low, high, bool(data["weighted"])
            counted = data["variances"], data["terms"]
            folded, sine = (bool(data.get(name, False)) for name in ("folded", "sine"))
            kept = data.get("shell")
            shell = None if kept is None else Shell(**unhexed(kept))
            return cls(*named, bands, pairs, *counted, folded, sine, shell)


def read_table(data: Mapping[str, Any]) -> TableDual | BandedDual:
    """Either kind, from what its `to_json` gave.

    Raises:
        BadData: not such data, or of another version.
    """
    kind = BandedDual if isinstance(data, Mapping) and data.get("banded") else TableDual
    return kind.from_json(data)
