r"""`SplitTable`: a range of variances where kinks are away from 0.

For $|\rho| \le \lambda$ = `edge_rho` the dual is the table of
$\sum_n (\lambda^{n/2}a_n)(\lambda^{n/2}a_n')\,(\rho/\lambda)^n$: an ordinary table in the
correlation $\rho/\lambda$, whose coefficients are smooth in the variance although the kinks move.
Nearer to $\pm1$ the certified quadrature rule takes over.  The diagonal is a polynomial of its own
(`derivations/identities/table_bound.md`, section 7).  Errors below those of such sums leave shells
alone, and the rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import nan
from typing import Any

from sympy import Expr

from ....brief import Brief
from ....errors import Undecided
from ...quadrature import QuadratureDual, quadrature_dual
from ..chebyshev import ChebyshevTable
from ..dual import DEFAULT_ERROR, SLACK, hexed, reading
from ..shell.apart import AnyShell, Apart, read_shell
from ..shell.build import FINE_LIMITS, LEAST_ERROR, shells_of, within
from .asked import Asked, asked

LIMITS = (0.98, 0.95, 0.9, 0.8, 0.65, 0.5)
"""The largest |rho| of the polynomials: the first with which the bound is proven."""
VERSION = 2
_COEFFICIENT = 2e-4
_PAIR = 4e-6


@dataclass(frozen=True, slots=True, repr=False)
class SplitTable(Brief):
    """A tabulated dual for |rho| <= edge_rho, and a quadrature rule beyond.

    Attributes:
        name: the activation.
        text: its formula.
        far: the table, and the dual at u = v; None where the rule is next to the shells.
        near: the rule for |rho| beyond the largest |rho| of the table.
        asked: the error that was asked for.
        shells: tables of the whole dual for |rho| away from 1, that of the smallest first.
        missing: why there are none; empty where there are.
    """

    name: str
    text: str
    far: ChebyshevTable | None
    near: QuadratureDual
    asked: float
    shells: tuple[AnyShell, ...] = ()
    missing: str = ""
    _shown = ("low", "high", "error")

    @property
    def _span(self) -> tuple[float, float]:
        return _span_of(self.far, self.shells)

    @property
    def low(self) -> float:
        """The least variance."""
        return self._span[0]

    @property
    def high(self) -> float:
        """The largest variance."""
        return self._span[1]

    @property
    def single(self) -> bool:
        """Never for one variance."""
        return False

    @property
    def error(self) -> float:
        """The larger of the bounds of both parts, relative to sqrt(K(q11) K(q22))."""
        shells = max((t.error for t in self.shells), default=0.0)
        return max(self.asked, shells, 0.0 if self.far is None else self.far.error)

    def at(self, q11: float, q12: float, q22: float, root: float | None = None) -> Any:
        """`(value, dot)` in doubles; NaN outside the range.

        `root` is an accurate sqrt(q11 q22 - q12^2), for |rho| > edge_rho.
        """
        if not all(self.low * (1 - SLACK) <= q <= self.high * (1 + SLACK) for q in (q11, q22)):
            return nan, nan
        if self.far is not None and root == 0 and q11 == q22 and q12 > 0:
            return self.far.diagonal(q11)
        found = within(self.shells, q11, q12, q22, root)
        if found is not None:
            return found
        if q12 != q12:
            return nan, nan
        if self.far is not None:
            value, dot = self.far.at(q11, q12, q22)
            if value == value:
                return value, dot
        near = self.near.evaluate(q11, q12, q22, root=root)
        return float(near[0]), float(near[1])

    def to_json(self) -> dict[str, Any]:
        """Plain data; the rule is found again from the formula.

        Raises:
            BadData: the formula is not read back as what it is.
        """
        from ....errors import BadData
        from ....language import as_activation

        if as_activation(self.text).expr != self.near.activation.expr:
            raise BadData(
                f"the formula {self.text} is not read back as it is",
                where=self.name,
                hint="the table as it is: only its data cannot be kept",
            )
        far = None if self.far is None else hexed(asdict(self.far))
        return {
            "split": VERSION,
            "name": self.name,
            "text": self.text,
            "asked": self.asked.hex(),
            "far": far,
            "shells": [t.to_json() for t in self.shells],
            "missing": self.missing,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SplitTable:
        """The inverse of `to_json`.

        Raises:
            BadData: not such data, or of another version.
        """
        from ....language import as_activation
        from ...finite import cut_off

        with reading(data, "split", VERSION):
            kept = data["far"]
            far = None if kept is None else ChebyshevTable.from_json(kept)
            name, text, asked = str(data["name"]), str(data["text"]), float.fromhex(data["asked"])
            shells = tuple(map(read_shell, data["shells"]))
            missing = str(data.get("missing", ""))
            span = _span_of(far, shells)
        activation = as_activation(text)
        cut = cut_off(activation, span, asked)  # with infinitely many kinks the rule is of fewer
        rule = _rule(activation, span, asked) if cut is None else cut.made(_rule, span)
        return cls(name, text, far, rule, asked, shells, missing)


def _span_of(far: ChebyshevTable | None, shells: tuple[AnyShell, ...]) -> tuple[float, float]:
    """The range of variances of either."""
    if far is not None:
        return far.low, far.high
    first = shells[0]
    table = first.value if isinstance(first, Apart) else first
    return table.low, table.high


def applies(expr: Expr) -> bool:
    """Whether there are kinks away from 0 (and finitely many).

    Raises:
        Undecided: the kinks are not located.
    """
    from ....verify.functions.pieces import split

    return any(piece.hi != 0 for piece in split(expr)[:-1])


def read_either(data: Mapping[str, Any]) -> Any:
    """A `SplitTable`, a `KinkTable` or another table, from what its `to_json` gave.

    Raises:
        BadData: not such data, or of another version.
    """
    from ..bands.banded import read_table
    from .kinks import KinkTable

    if isinstance(data, Mapping) and "kinks" in data:
        return KinkTable.from_json(data)
    if isinstance(data, Mapping) and "split" in data:
        return SplitTable.from_json(data)
    return read_table(data)


def split_seconds(activation: Any, variances: Any, error: float) -> float:
    """About how many seconds of one core `split_table` takes, within a factor of three.

    Raises: as `split_table`, where that is seen without building it.
    """
    from ..build import span
    from ..scale import ordinary
    from .build import prepared

    low, high = span(variances)
    expr = ordinary(activation, (low, high))[0].expr
    failed: Undecided | None = None
    for edge_rho in FINE_LIMITS if error < LEAST_ERROR else LIMITS:
        try:
            found = prepared(expr, low, high, error, edge_rho)
        except Undecided as missed:
            failed = failed or missed
            continue
        count, terms = found.count, found.terms
        return count * (0.15 + terms * _COEFFICIENT) + count**2 * terms * _PAIR
    assert failed is not None
    raise failed


def split_table(
    activation: Any,
    variances: Any,
    *,
    error: float = DEFAULT_ERROR,
) -> SplitTable:
    """A table for |rho| up to 0.98 (or less, where that is not proven), and a rule beyond.

    Below an error of 1e-12 it is one for |rho| up to 0.95, with polynomials for either dual.

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
    from ....language import as_activation
    from ..scale import both
    from .build import far_table

    given = asked(activation, variances, error)
    if error < LEAST_ERROR:
        return _shells_alone(given, error)
    near = _rule(as_activation(given.expr), (given.low, given.high), error)
    failed: Undecided | None = None
    for edge_rho in LIMITS:
        try:
            far = far_table(given.scaled.expr, given.low, given.high, error, edge_rho)
        except Undecided as found:
            failed = failed or found
            continue
        inner, missing = shells_of(given, error)
        far = both(far, given.power)
        return SplitTable(given.name, str(given.expr), far, near, error, inner, missing)
    assert failed is not None
    raise failed


def _shells_alone(given: Asked, error: float) -> SplitTable:
    """Shells, and the rule beyond them."""
    from ....language import as_activation

    inner, missing = shells_of(given, error)
    if not inner:
        raise Undecided(missing, hint="a larger error, or a narrower range of variances")
    near = _rule(as_activation(given.expr), (given.low, given.high), error)
    return SplitTable(given.name, str(given.expr), None, near, error, inner)


def _rule(activation: Any, variances: tuple[float, float], error: float) -> QuadratureDual:
    from fractions import Fraction

    low, high = (Fraction(v) for v in variances)
    low, high = low * (1 - 2 * Fraction(SLACK)), high * (1 + 2 * Fraction(SLACK))
    near: QuadratureDual = quadrature_dual(activation, variances=(low, high), error=error)
    return near
