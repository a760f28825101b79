r"""`table_dual`: a dual and its derivative as polynomials with a proven error.

For $q_{11}, q_{22}$ in a range and every $\rho \in [-1, 1]$: numbers in doubles, what they stand
for and how far they can be from the truth, relative to $\sqrt{K(q_{11})K(q_{22})}$ (and in the same
way for the derivative dual).  The proof is `derivations/identities/table_bound.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from ...brief import Brief
from ...errors import BadData, Undecided
from .pack import Rows

if TYPE_CHECKING:
    from .bands.banded import BandedDual
    from .dyadic.table import DyadicTable

DEFAULT_ERROR = 1e-10
LEAST_ERROR = 1e-15
SLACK = 2.0**-48
"""How far, relatively, a variance may be from the range, or from the single one."""
VERSION = 1


@dataclass(frozen=True, slots=True, repr=False)
class Sheet(Brief):
    """One dual as polynomials in (tau_1, tau_2, x).

    Attributes:
        plus: coefficients [i][j][k] for rho >= 0; in a folded table the even part, or the only.
        minus: the same for rho <= 0, or the odd part; empty where `parity` gives it.
        parity: 1 or -1 where the dual is even or odd in rho, else 0.
        diag: coefficients [j] of the dual at u = v, a polynomial in tau.
        error: the proven relative bound.
        parts: `(name, bound)`: what it is the sum of.
    """

    plus: Rows
    minus: Rows
    parity: int
    diag: tuple[float, ...]
    error: float
    parts: tuple[tuple[str, float], ...]
    _shown = ("parity", "error")

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Sheet:
        """From what `TableDual.to_json` makes of one; raises what malformed data raise."""
        parts = tuple((str(k), float(v)) for k, v in data["parts"].items())
        return cls(**{**unhexed(dict(data)), "parts": parts})


def refuse_below(error: float, least: float = LEAST_ERROR, kind: str = "in doubles") -> None:
    """Nothing, where a table of this kind can have the error.

    Raises:
        Undecided: it cannot.
    """
    if not (isfinite(error) and error >= least):
        raise Undecided(f"no table {kind} has an error of {error:g}", hint=f"error >= {least:g}")


class Unproven(Undecided):
    """A bound was proven that is not the one asked for."""

    def __init__(self, best: Sheet, error: float) -> None:
        super().__init__(
            f"the bound {best.error:.2e} was proven, not {error:.2e}",
            tried=[f"{name}: {size:.1e}" for name, size in best.parts],
            hint="a larger error, or a narrower range of variances",
        )
        self.bound = best.error


@dataclass(frozen=True, slots=True, repr=False)
class TableDual(Brief):
    """A tabulated dual: plain data.

    Attributes:
        name: the activation.
        text: its formula.
        low: the least variance.
        high: the largest; equal to `low` for a table of one variance.
        centre: c of the variable tau.
        half: tau_0, 0 for one variance.
        kappa: of the variable w.
        weighted: whether the value is stored divided by sqrt(q11 q22).
        value: the dual.
        dot: the derivative dual, almost everywhere.
        variances: how many variances were enclosed.
        terms: how many Hermite coefficients at each.
    """

    name: str
    text: str
    low: float
    high: float
    centre: float
    half: float
    kappa: float
    weighted: bool
    value: Sheet
    dot: Sheet
    variances: int
    terms: int
    _shown = ("low", "high", "error")

    @property
    def single(self) -> bool:
        """Whether it is for one variance."""
        return self.low == self.high

    @property
    def error(self) -> float:
        """The larger of the two proven relative bounds."""
        return max(self.value.error, self.dot.error)

    def axis(self, q: float) -> float:
        """The variable tau of a variance; NaN outside the range."""
        from math import nan, sqrt

        if not self.low * (1 - SLACK) <= q <= self.high * (1 + SLACK):
            return nan
        if self.single:
            return 0.0
        root = sqrt(q)
        return (root - self.centre) / (root + self.centre) / self.half

    def at(self, q11: float, q12: float, q22: float, root: float | None = None) -> Any:
        """`(value, dot)` in doubles, as generated code computes it; NaN outside the range.

        `root` is an accurate sqrt(q11 q22 - q12^2).
        """
        from math import nan, sqrt

        first, second = self.axis(q11), self.axis(q22)
        product = self.low if self.single else sqrt(q11 * q22)
        if first != first or second != second or not abs(q12) <= product * (1 + SLACK):
            return nan, nan
        if root is None:
            root = sqrt(max((product - abs(q12)) * (product + abs(q12)), 0.0))
        below = product + abs(q12) + self.kappa * root
        x = 2 * ((1 + self.kappa) * root / below) - 1
        sheets = self.value, self.dot
        value, dot = (signed(sheet, q12, first, second, x) for sheet in sheets)
        return (value * product if self.weighted else value), dot

    def to_json(self) -> dict[str, Any]:
        """Plain data: numbers as hexadecimal text, so that every bit survives."""
        return {"version": VERSION, **hexed(asdict(self))}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TableDual:
        """The inverse of `to_json`.

        Raises:
            BadData: not such data, or of another version.
        """
        with reading(data, "version", VERSION, absent=VERSION):
            plain = {k: unhexed(v) for k, v in data.items() if k not in ("version", "name", "text")}
            for key in ("value", "dot"):
                plain[key] = Sheet.from_json(data[key])
            return cls(name=str(data["name"]), text=str(data["text"]), **plain)


@contextmanager
def reading(data: Any, key: str, version: int, absent: int | None = None) -> Iterator[None]:
    """While the plain data of a table are read; `absent` is the version of data that name none.

    Raises:
        BadData: not such data, or of another version.
    """
    if isinstance(data, Mapping) and data.get(key, absent) != version:
        raise BadData(f"a table of version {data.get(key)}", hint=f"version {version}")
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadData("not the data of a table", hint="what `to_json` gives") from error


def hexed(value: Any) -> Any:
    """Doubles inside lists and records as hexadecimal text, to the bit."""
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, dict):
        return {
            k: {n: float(b) for n, b in v} if k == "parts" else hexed(v) for k, v in value.items()
        }
    if isinstance(value, (tuple, list)):
        return [hexed(v) for v in value]
    return value


def unhexed(value: Any) -> Any:
    """The doubles that `hexed` wrote."""
    if isinstance(value, str):
        return float.fromhex(value)
    if isinstance(value, list):
        return tuple(unhexed(v) for v in value)
    if isinstance(value, dict):
        return {k: v if k == "parts" else unhexed(v) for k, v in value.items()}
    return value


def signed(sheet: Sheet, q12: float, first: float, second: float, x: float) -> float:
    """The polynomial of a sheet on the side of q12."""
    rows = sheet.plus if q12 >= 0 or sheet.parity else sheet.minus
    total = polynomial(rows, first, second, x)
    return -total if q12 < 0 and sheet.parity < 0 else total


def shared(
    sheet: Sheet,
    how: tuple[float, float, float, float | None],
    first: float,
    second: float,
    x: float,
) -> tuple[float, float]:
    """`(value, dot)` of a folded dual.

    `how` is kappa, v, rho, and w where the parts are e_0 + w^2 G, else None.
    """
    kappa, over, rho, w = how
    found = [slopes(part_of(sheet, odd), first, second, x, int(w is not None)) for odd in (0, 1)]
    (even, even_slope), (odd, odd_slope) = found
    if w is None:
        steep = -4 * (1 + kappa) * (over * over) * rho
    else:
        starts = [slopes(_starts(part_of(sheet, odd)), first, second, x)[0] for odd in (0, 1)]
        even_slope, odd_slope = even + w * even_slope, odd + w * odd_slope
        even, odd = starts[0] + w * w * even, starts[1] + w * w * odd
        steep = -2 * (1 + kappa) ** 2 * (over * over * over) * rho
    return even + rho * odd, odd + steep * (even_slope + rho * odd_slope)


def away(
    sheet: Sheet, how: tuple[float, float], first: float, second: float, x: float
) -> tuple[float, float]:
    """`(value, dot)` of a folded dual in the variable of a shell; `how` is rho, dx/drho over it."""
    rho, steep = how
    found = [slopes(part_of(sheet, odd), first, second, x) for odd in (0, 1)]
    (even, even_slope), (odd, odd_slope) = found
    return even + rho * odd, odd + rho * steep * (even_slope + rho * odd_slope)


def _starts(rows: Rows) -> Rows:
    """Of every line the first number."""
    return tuple(tuple(line[:1] for line in plane) for plane in rows)


def part_of(sheet: Sheet, odd: int) -> Rows:
    """The even or the odd part of a folded sheet; empty where there is none."""
    if sheet.parity:
        return sheet.plus if (sheet.parity < 0) == bool(odd) else ()
    return sheet.minus if odd else sheet.plus


def slopes(rows: Rows, first: float, second: float, x: float, lead: int = 0) -> tuple[float, float]:
    """The polynomial and its derivative in x, outermost in x; it begins behind `lead` numbers."""
    total = slope = 0.0
    for k in reversed(range(lead, len(rows[0][0]) if rows else 0)):
        part = 0.0
        for plane in reversed(rows):
            inner = 0.0
            for line in reversed(plane):
                inner = inner * second + (line[k] if k < len(line) else 0.0)
            part = part * first + inner
        slope = slope * x + total
        total = total * x + part
    return total, slope


def polynomial(rows: Rows, first: float, second: float, x: float) -> float:
    """The polynomial by Horner's rule, innermost in x."""
    total = 0.0
    for plane in reversed(rows):
        inner = 0.0
        for line in reversed(plane):
            part = 0.0
            for m in reversed(line):
                part = part * x + m
            inner = inner * second + part
        total = total * first + inner
    return total


def table_dual(
    activation: Any,
    variances: Any,
    *,
    error: float = DEFAULT_ERROR,
    params: Mapping[Any, Any] | None = None,
    progress: Callable[[str], None] | None = None,
    banded: bool = True,
) -> TableDual | BandedDual | DyadicTable:
    """A table of the dual and the derivative dual of an activation.

    Args:
        activation: an `Activation`, or what `language.as_activation` reads.
        variances: one variance, or `(low, high)`.
        error: the bound to be proven, relative to sqrt(K(q11) K(q22)).
        params: values of the parameters of the activation.
        progress: is told what is done, one line at a time.
        banded: whether a wide range may be cut into bands: it is then a `BandedDual`.

    One variance and kinks away from 0 give a `DyadicTable`.

    Raises:
        BadCovariance: a variance that is not positive and finite, or low > high.
        BadActivation: a parameter without a value, or not a real function of the line.
        NotSquareIntegrable: E[s(u)^2] is infinite at the largest variance.
        Undecided: the bound is not reached; the message has the best one.
    """
    from .build import build, span
    from .scale import ordinary, restored

    given, power = ordinary(activation, span(variances), params)
    made = build(given, variances, error, progress, banded)
    return restored(made, power, activation, params)
