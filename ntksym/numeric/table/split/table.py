r"""`SplitTable`: a range of variances where kinks are away from 0.

For $|\rho| \le \lambda$ = `edge_rho` the dual is the table of
$\sum_n (\lambda^{n/2}a_n)(\lambda^{n/2}a_n')\,(\rho/\lambda)^n$: an ordinary table in the
correlation $\rho/\lambda$, whose coefficients are smooth in the variance although the kinks move.
Nearer to $\pm1$ the certified quadrature rule takes over.  The diagonal is a polynomial of its own
(`derivations/identities/table_bound.md`, section 7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sympy import Expr

from ....brief import Brief
from ....errors import Undecided
from ...quadrature import QuadratureDual, quadrature_dual
from ..bands.banded import BandedDual
from ..chebyshev import ChebyshevTable
from ..dual import DEFAULT_ERROR, SLACK, hexed, reading
from ..shell.build import shells_of, within
from .asked import asked

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
        far: the table, and the dual at u = v.
        near: the rule for |rho| beyond the largest |rho| of the table.
        asked: the error that was asked for.
        shells: tables of the whole dual for |rho| away from 1, that of the smallest first.
        missing: why there are none; empty where there are.
    """

    name: str
    text: str
    far: ChebyshevTable
    near: QuadratureDual
    asked: float
    shells: tuple[BandedDual, ...] = ()
    missing: str = ""
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
        """The larger of the bounds of both parts, relative to sqrt(K(q11) K(q22))."""
        return max([self.far.error, self.asked, *(t.error for t in self.shells)])

    def at(self, q11: float, q12: float, q22: float, root: float | None = None) -> Any:
        """`(value, dot)` in doubles; NaN outside the range.

        `root` is an accurate sqrt(q11 q22 - q12^2), for |rho| > edge_rho.
        """
        first, second = self.far.axis(q11), self.far.axis(q22)
        if root == 0 and q11 == q22 and q12 > 0:
            return self.far.diagonal(q11)
        found = within(self.shells, q11, q12, q22, root)
        if found is not None:
            return found
        value, dot = self.far.at(q11, q12, q22)
        if value == value or q12 != q12 or first != first or second != second:
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
            raise BadData(f"the formula {self.text} is not read back as it is", where=self.name)
        far = hexed(asdict(self.far))
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
            far = ChebyshevTable.from_json(data["far"])
            name, text, asked = str(data["name"]), str(data["text"]), float.fromhex(data["asked"])
            shells = tuple(BandedDual.from_json(t) for t in data["shells"])
            missing = str(data.get("missing", ""))
        activation, span = as_activation(text), (far.low, far.high)
        cut = cut_off(activation, span, asked)  # with infinitely many kinks the rule is of fewer
        if cut is None:
            rule = _rule(activation, span, asked)
        else:
            rule = cut.restored(_rule(cut.activation, span, cut.error))
        return cls(name, text, far, rule, asked, shells, missing)


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
    for edge_rho in LIMITS:
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


def _rule(activation: Any, variances: tuple[float, float], error: float) -> QuadratureDual:
    from fractions import Fraction

    low, high = (Fraction(v) for v in variances)
    low, high = low * (1 - 2 * Fraction(SLACK)), high * (1 + 2 * Fraction(SLACK))
    near: QuadratureDual = quadrature_dual(activation, variances=(low, high), error=error)
    return near
