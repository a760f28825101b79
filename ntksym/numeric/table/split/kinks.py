r"""`KinkTable`: kinks away from 0, for all correlations of a range of variances.

$K = E[p(u)p(v)] + R$: p is a sum of truncated powers with a cutoff, one for every kink, whose
dual is closed; the rest R is smooth, also where u and v come close, and a polynomial
(`derivations/identities/table_bound.md`, section 10).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ....brief import Brief
from ....errors import Undecided
from ..chebyshev import ChebyshevTable
from ..dual import DEFAULT_ERROR, hexed, reading, unhexed
from ..shell.apart import AnyShell, read_shell
from ..shell.build import LEAST_ERROR, shells_of, within
from .asked import asked
from .closed import Closed

VERSION = 3


@dataclass(frozen=True, slots=True, repr=False)
class KinkTable(Brief):
    """A tabulated dual of an activation with kinks away from 0: plain data.

    Attributes:
        name: the activation.
        text: its formula.
        far: the rest, for all rho, and the dual at u = v.
        closed: what is taken out at the kinks.
        measured: at how many points the closed part was compared with numbers of more digits,
            and the largest error, absolute.
        shells: tables of the whole dual for |rho| away from 1, that of the smallest first.
        missing: why there are none; empty where there are.
        close: what `far` is, with fewer coefficients, for rho that are in no shell.
    """

    name: str
    text: str
    far: ChebyshevTable
    closed: Closed
    measured: tuple[int, float]
    shells: tuple[AnyShell, ...] = ()
    missing: str = ""
    close: ChebyshevTable | None = None
    _shown = ("low", "high", "error")

    @property
    def low(self) -> float:
        """The least variance."""
        return self.far.low

    @property
    def high(self) -> float:
        """The largest variance."""
        return self.far.high

    @property
    def single(self) -> bool:
        """Never for one variance."""
        return False

    @property
    def error(self) -> float:
        """The larger of the two proven relative bounds, without the rounding of the closed part."""
        return max([self.far.error, self.beyond.error, *(t.error for t in self.shells)])

    @property
    def beyond(self) -> ChebyshevTable:
        """The rest for entries that are in no shell."""
        return self.far if self.close is None else self.close

    def at(self, q11: float, q12: float, q22: float, root: float | None = None) -> Any:
        """`(value, dot)` in doubles; NaN outside the range.

        `root` is an accurate sqrt(q11 q22 - q12^2).
        """
        from math import sqrt

        if root is None:
            product = sqrt(q11) * sqrt(q22)
            root = sqrt(max((product - abs(q12)) * (product + abs(q12)), 0.0))
        if root == 0 and q11 == q22 and q12 > 0:
            return self.far.diagonal(q11)
        found = within(self.shells, q11, q12, q22, root)
        if found is not None:
            return found
        value, dot = self.beyond.at(q11, q12, q22, root)
        if value != value:
            return value, dot
        more = self.closed.at(q11, q12, q22, root)
        return value + float(more[0]), dot + float(more[1])

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        data: dict[str, Any] = {"kinks": VERSION, "name": self.name, "text": self.text}
        data["far"], data["closed"] = hexed(asdict(self.far)), hexed(asdict(self.closed))
        data["close"] = None if self.close is None else hexed(asdict(self.close))
        data["shells"] = [t.to_json() for t in self.shells]
        data["missing"] = self.missing
        data["measured"] = [self.measured[0], float(self.measured[1]).hex()]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> KinkTable:
        """The inverse of `to_json`.

        Raises:
            BadData: not such data, or of another version.
        """
        with reading(data, "kinks", VERSION):
            far = ChebyshevTable.from_json(data["far"])
            closed = Closed(**{k: unhexed(v) for k, v in data["closed"].items()})
            count, worst = data["measured"]
            name, text = str(data["name"]), str(data["text"])
            measured = int(count), float.fromhex(worst)
            shells = tuple(map(read_shell, data["shells"]))
            missing = str(data.get("missing", ""))
            near = data["close"]
            close = None if near is None else ChebyshevTable.from_json(near)
            return cls(name, text, far, closed, measured, shells, missing, close)


def kink_table(
    activation: Any,
    variances: Any,
    *,
    error: float = DEFAULT_ERROR,
) -> KinkTable:
    """A table for all rho of an activation with kinks away from 0.

    Args:
        activation: an `Activation`, or what `language.as_activation` reads.
        variances: `(low, high)`, low < high.
        error: the bound to be proven, relative to sqrt(K(q11) K(q22)).

    Raises:
        BadCovariance: a variance that is not positive and finite, or low > high.
        BadActivation: a parameter without a value, or not a real function of the line.
        NotSquareIntegrable: E[s(u)^2] is infinite at the largest variance.
        Undecided: the bound is not reached; the message has the best one.
    """
    from ..scale import both, closed_of
    from .near import near_table

    given = asked(activation, variances, error)
    if error < LEAST_ERROR:
        raise Undecided(
            f"the closed dual of truncated powers rounds to {LEAST_ERROR:g} at best, not {error:g}"
        )
    made, closed, (count, off), rest = near_table(given.scaled.expr, given.low, given.high, error)
    far, closed = both(made(1.0), given.power), closed_of(closed, given.power)
    inner, missing = shells_of(given, error, rest)
    measured = count, off * 4.0**given.power
    close = both(made(_least(inner)), given.power) if inner else None
    return KinkTable(given.name, str(given.expr), far, closed, measured, inner, missing, close)


def _least(shells: tuple[AnyShell, ...]) -> float:
    """The least sqrt(1 - rho^2) of the shells."""
    found = shells[-1].shell
    assert found is not None
    return found.inner
