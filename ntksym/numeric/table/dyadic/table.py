r"""`DyadicTable`: one variance, polynomials on $t \in [2^{-i-1}, 2^{-i}]$, $t = \tan(\theta/2)$.

For activations whose dual is singular at $\rho = \pm1$ in ways that no one variable resolves, such
as those of $|x|^p$ or $x\log|x|$.  Nothing is asked of the dual but that of every dual: it is
analytic and at most K(1) in the disc $|\rho| < 1$, and there that is all of the sector
$|\arg t| < \pi/4$.  Below the last interval it is a constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ....brief import Brief
from ..dual import SLACK, VERSION, hexed, reading, unhexed

Lines = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True, repr=False)
class DyadicSheet(Brief):
    """One dual as polynomials in x = 4 t 2^i - 3.

    Attributes:
        right: coefficients [i][k] for rho >= 0; the last line, of one number, is for all smaller t.
        left: the same for rho <= 0; empty where `parity` gives it.
        parity: 1 or -1 where the dual is even or odd in rho, else 0.
        error: the proven bound, relative to the dual on the diagonal.
        parts: `(name, bound)`: what it is the sum of.
    """

    right: Lines
    left: Lines
    parity: int
    error: float
    parts: tuple[tuple[str, float], ...]
    _shown = ("parity", "error")

    @property
    def diag(self) -> float:
        """The dual on the diagonal."""
        return self.right[-1][0]

    @property
    def below(self) -> Lines:
        """The coefficients for rho <= 0."""
        if self.parity:
            return tuple(tuple(self.parity * c for c in line) for line in self.right)
        return self.left


@dataclass(frozen=True, slots=True, repr=False)
class DyadicTable(Brief):
    """A tabulated dual of one variance: plain data.

    Attributes:
        name: the activation.
        text: its formula.
        low: the variance.
        high: the same.
        value: the dual.
        dot: the derivative dual, almost everywhere.
        nodes: how many correlations were evaluated.
        terms: how many values of the activation each of them took.
    """

    name: str
    text: str
    low: float
    high: float
    value: DyadicSheet
    dot: DyadicSheet
    nodes: int
    terms: int
    _shown = ("low", "high", "error")

    @property
    def single(self) -> bool:
        """Always for one variance."""
        return True

    @property
    def error(self) -> float:
        """The larger of the two proven relative bounds."""
        return max(self.value.error, self.dot.error)

    @property
    def panels(self) -> int:
        """How many intervals of t there are; one more number is for what is below."""
        return len(self.value.right) - 1

    @property
    def products(self) -> int:
        """Multiplications of an entry."""
        return sum(max(map(len, sheet.right)) + 1 for sheet in (self.value, self.dot))

    def at(self, q11: float, q12: float, q22: float, root: float | None = None) -> Any:
        """`(value, dot)` in doubles, as generated code computes it; NaN for other variances.

        `root` is an accurate sqrt(q11 q22 - q12^2).
        """
        from math import frexp, nan, sqrt

        q = self.low
        if not (abs(q11 - q) <= SLACK * q and abs(q22 - q) <= SLACK * q):
            return nan, nan
        if not abs(q12) <= q * (1 + SLACK):
            return nan, nan
        if root is None:
            root = sqrt(max((q - abs(q12)) * (q + abs(q12)), 0.0))
        t = root / (q + abs(q12))
        i = min(max(-frexp(t)[1], 0), self.panels) if t else self.panels
        x = 4.0 * t * 2.0**i - 3.0
        out = []
        for sheet in (self.value, self.dot):
            total = 0.0
            for c in reversed((sheet.below if q12 < 0 else sheet.right)[i]):
                total = total * x + c
            out.append(total)
        return out[0], out[1]

    def to_json(self) -> dict[str, Any]:
        """Plain data: numbers as hexadecimal text, so that every bit survives."""
        return {"version": VERSION, "dyadic": True, **hexed(asdict(self))}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DyadicTable:
        """The inverse of `to_json`.

        Raises:
            BadData: not such data, or of another version.
        """
        with reading(data, "version", VERSION):
            sheets = (_sheet(data["value"]), _sheet(data["dot"]))
            if len(sheets[0].right) != len(sheets[1].right):
                raise ValueError
            ends = unhexed(data["low"]), unhexed(data["high"])
            named = str(data["name"]), str(data["text"]), *ends
            return cls(*named, *sheets, int(data["nodes"]), int(data["terms"]))


def _sheet(data: Mapping[str, Any]) -> DyadicSheet:
    parts = tuple((str(k), float(v)) for k, v in data["parts"].items())
    plain = {key: unhexed(data[key]) for key in ("right", "left", "parity", "error")}
    return DyadicSheet(**plain, parts=parts)
