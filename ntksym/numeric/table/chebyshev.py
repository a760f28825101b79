r"""Tables of high degree: sums of Chebyshev polynomials, no powers.

$\sum_{ijk} c_{ijk} T_i(\tau_1)T_j(\tau_2)T_k(x)$: in powers, degrees of 40 would have coefficients
of $10^6$ and more, and lose as many digits.  $T_k$ comes from its recurrence in doubles, with an
error of at most $2(k+1)^2$ units (`derivations/identities/table_bound.md`, section 7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...brief import Brief
from .argument import slopes_of
from .bands.sums import Tensor, sizes_of
from .dual import SLACK, Sheet, unhexed
from .pack import OFF_X, UNIT, Packed, nested, off_tau, shape_within


@dataclass(frozen=True, slots=True, repr=False)
class ChebyshevTable(Brief):
    """A dual and its derivative for |rho| <= edge_rho: plain data.

    Attributes:
        low: the least variance.
        high: the largest.
        centre: c of the variable tau.
        half: tau_0.
        kappa: of the variable x, for the correlation rho/edge_rho.
        edge_rho: the largest |rho|.
        value: the dual: `plus` and `minus` are coefficients of T_i(tau_1) T_j(tau_2) T_k(x), `diag`
            those of T_j(tau) at u = v.
        dot: the derivative dual, almost everywhere.
        variances: how many variances were enclosed.
        terms: how many Hermite coefficients at each.
        grow: how many times x + 1 is what it is for all rho; above 1 the table is for rho near +-1,
            where that is at most 2.
    """

    low: float
    high: float
    centre: float
    half: float
    kappa: float
    edge_rho: float
    value: Sheet
    dot: Sheet
    variances: int
    terms: int
    grow: float = 1.0
    _shown = ("low", "high", "edge_rho", "error")

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ChebyshevTable:
        """From what `hexed` makes of its fields; raises what malformed data raise."""
        plain = {k: v if k in ("value", "dot") else unhexed(v) for k, v in data.items()}
        for key in ("value", "dot"):
            plain[key] = Sheet.from_json(plain[key])
        return cls(**plain)

    @property
    def error(self) -> float:
        """The larger of the two proven relative bounds."""
        return max(self.value.error, self.dot.error)

    def axis(self, q: float) -> float:
        """The variable tau of a variance; NaN outside the range."""
        from math import nan, sqrt

        if not self.low * (1 - SLACK) <= q <= self.high * (1 + SLACK):
            return nan
        root = sqrt(q)
        return (root - self.centre) / (root + self.centre) / self.half

    def at(self, q11: float, q12: float, q22: float, root: float | None = None) -> Any:
        """`(value, dot)` in doubles; NaN outside the range and beyond the largest |rho|.

        `root` is an accurate sqrt(q11 q22 - q12^2), where the largest |rho| is 1.
        """
        from math import nan, sqrt

        first, second = self.axis(q11), self.axis(q22)
        product, scaled = sqrt(q11) * sqrt(q22), abs(q12) / self.edge_rho
        if first != first or second != second or not (scaled <= product or root is not None):
            return nan, nan
        if root is None:
            root = sqrt((product - scaled) * (product + scaled))
        x = 2 * ((1 + self.kappa) * root / (product + scaled + self.kappa * root))
        x = self.grow * x - 1
        out = []
        for sheet in (self.value, self.dot):
            rows = sheet.plus if q12 >= 0 or sheet.parity else sheet.minus
            total = 0.0
            across = polynomials(second, max(len(plane) for plane in rows))
            steps = polynomials(x, max(len(line) for plane in rows for line in plane))
            for one, plane in zip(polynomials(first, len(rows)), rows, strict=True):
                for two, line in zip(across, plane, strict=False):
                    total += one * two * sum(m * t for m, t in zip(line, steps, strict=False))
            out.append(-total if q12 < 0 and sheet.parity < 0 else total)
        return out[0], out[1]

    def diagonal(self, q: float) -> Any:
        """`(value, dot)` at u = v with variance q; NaN outside the range."""
        tau = self.axis(q)
        return tuple(
            sum(m * t for m, t in zip(sheet.diag, polynomials(tau, len(sheet.diag)), strict=True))
            for sheet in (self.value, self.dot)
        )


def polynomials(tau: float, count: int) -> list[float]:
    """T_0(tau), ..., T_{count-1}(tau)."""
    out = [1.0, tau]
    while len(out) < count:
        out.append(2 * tau * out[-1] - out[-2])
    return out[:count]


def layout(tensor: Tensor, budget: Any, half: float, kappa: float = 0.0) -> Packed:
    """The table whose dropped coefficients add up to at most `budget` (an `arb`).

    `kappa` is of the variable x.
    """
    found, table = _filled(tensor, shape_within(sizes_of(tensor), float(budget.lower()), nested))
    steep = slopes_of(table, OFF_X, kappa)
    rounding = found.rounding + (steep.x + steep.tau * off_tau(half)) * (UNIT * 1.02)
    return Packed(found.rows, found.dropped, rounding.upper())


def _filled(tensor: Tensor, shape: list[list[int]]) -> tuple[Packed, Any]:
    """Coefficients in doubles, with the errors of their evaluation but for those of arguments.

    And the same coefficients as one array.
    """
    import numpy as np
    from flint import arb

    error, dropped = arb(0), arb(0)
    terms = len(shape) + len(shape[0]) + shape[0][0] + 9
    table = np.zeros((len(shape), len(shape[0]), shape[0][0]))
    rows = []
    for i, plane in enumerate(shape):
        out_row = []
        for j, kept in enumerate(plane):
            for c in tensor[i][j][kept:]:
                dropped += abs(c).upper()
            out = []
            for k, c in enumerate(tensor[i][j][:kept]):
                value, size = float(c.mid()), abs(c).upper()
                basis = 2 * ((i + 1) ** 2 + (j + 1) ** 2 + (k + 1) ** 2)
                error += abs(c - value).upper() + size * (terms + basis) * UNIT * 1.01
                out.append(value)
            table[i, j, : len(out)] = out
            if out:
                out_row.append(tuple(out))
        if out_row:
            rows.append(tuple(out_row))
    return Packed(tuple(rows), dropped.upper(), error.upper()), table
