r"""`DilatedTable`: $s(tx) = t^p(f(x) + g(x)\log t)$, all variances from tables of three.

With $l = \log\sqrt q$, $s(\sqrt q z) = q^{p/2}(f + lg)(z)$: for one correlation
$B(l_1, l_2) = (q_1q_2)^{-p/2}K$ is bilinear and symmetric in $(1, l_1)$ and $(1, l_2)$, thus known
from $B(l, l)$ at three l.  $s'$ is of the same kind with p - 1
(`derivations/identities/quadrature.md`, section 10).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log, nan, sqrt
from typing import Any

from ....brief import Brief
from ..dual import SLACK, VERSION, hexed, reading, unhexed
from ..dyadic.table import DyadicTable


@dataclass(frozen=True, slots=True, repr=False)
class DilatedTable(Brief):
    """A tabulated dual of a range of variances: plain data.

    Attributes:
        name: the activation.
        text: its formula.
        low: the least variance.
        high: the largest.
        power: p.
        tables: of three variances.
        bounds: the proven relative errors of the dual and of the derivative dual.
    """

    name: str
    text: str
    low: float
    high: float
    power: float
    tables: tuple[DyadicTable, DyadicTable, DyadicTable]
    bounds: tuple[float, float]
    _shown = ("low", "high", "error")

    @property
    def single(self) -> bool:
        """Never for one variance."""
        return False

    @property
    def error(self) -> float:
        """The larger of the two bounds."""
        return max(self.bounds)

    @property
    def products(self) -> int:
        """Multiplications of an entry, two logarithms counted as twenty."""
        return sum(t.products for t in self.tables) + 40

    @property
    def places(self) -> tuple[float, float, float]:
        """The three l."""
        a, b, c = (0.5 * log(t.low) for t in self.tables)
        return a, b, c

    @property
    def factors(self) -> tuple[tuple[float, float], ...]:
        """For each table what the weights of its dual and derivative dual are multiplied by.

        One over the product of the differences of l, and over q^p or q^(p-1).
        """
        at, out = self.places, []
        for k, table in enumerate(self.tables):
            i, j = others(k)
            low = (at[k] - at[i]) * (at[k] - at[j])
            powers = (table.low**power for power in (self.power, self.power - 1.0))
            first, second = (1.0 / (low * power) for power in powers)
            out.append((first, second))
        return tuple(out)

    def at(self, q11: float, q12: float, q22: float, root: float | None = None) -> Any:
        """`(value, dot)` in doubles, as generated code computes it; NaN outside the range.

        `root` is an accurate sqrt(q11 q22 - q12^2).
        """
        inside = self.low * (1 - SLACK), self.high * (1 + SLACK)
        if not (inside[0] <= min(q11, q22) and max(q11, q22) <= inside[1]):
            return nan, nan
        size = sqrt(q11) * sqrt(q22)
        if not abs(q12) <= size * (1 + SLACK):
            return nan, nan
        if root is None:
            root = sqrt(max((size - abs(q12)) * (size + abs(q12)), 0.0))
        one, two = 0.5 * log(q11), 0.5 * log(q22)
        value = dot = 0.0
        for k, (table, factor) in enumerate(zip(self.tables, self.factors, strict=True)):
            q = table.low
            found = table.at(q, q12 / size * q, q, root / size * q)
            weight = polar(self.places, k, one, two)
            value += weight * factor[0] * found[0]
            dot += weight * factor[1] * found[1]
        grown = exp((self.power - 1.0) * (one + two))
        return value * grown * size, dot * grown

    def to_json(self) -> dict[str, Any]:
        """Plain data: numbers as hexadecimal text, so that every bit survives."""
        plain = {k: hexed(getattr(self, k)) for k in ("low", "high", "power", "bounds")}
        named = {"name": self.name, "text": self.text}
        tables = [t.to_json() for t in self.tables]
        return {"version": VERSION, "dilated": True, **named, **plain, "tables": tables}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DilatedTable:
        """The inverse of `to_json`.

        Raises:
            BadData: not such data, or of another version.
        """
        with reading(data, "version", VERSION):
            first, second, third = (DyadicTable.from_json(t) for t in data["tables"])
            low, high, power = (unhexed(data[k]) for k in ("low", "high", "power"))
            name, text = str(data["name"]), str(data["text"])
            value, dot = unhexed(data["bounds"])
            return cls(name, text, low, high, power, (first, second, third), (value, dot))


def others(k: int) -> tuple[int, int]:
    """The two of 0, 1, 2 that are not k."""
    return (k + 1) % 3, (k + 2) % 3


def polar(at: Any, k: int, one: Any, two: Any) -> Any:
    """The polar form of (l - l_i)(l - l_j), i and j not k; of numbers or of balls."""
    i, j = others(k)
    return ((one - at[i]) * (two - at[j]) + (one - at[j]) * (two - at[i])) / 2
