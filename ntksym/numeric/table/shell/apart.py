r"""`Apart`: a shell where the derivative dual has polynomials of its own.

Derivatives of polynomials round to 1e-12 at best, and of an activation that jumps the derivative
dual almost everywhere is not the derivative of the dual.  So either dual is one table here
(`derivations/identities/table_bound.md`, section 16).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from ....brief import Brief
from ..bands.banded import BandedDual
from .variable import Shell


@dataclass(frozen=True, slots=True, repr=False)
class Apart(Brief):
    """A shell as two tables: plain data.

    Attributes:
        value: the dual; what its polynomials have for the derivative dual is not used.
        dot: the derivative dual, almost everywhere, as if it were a dual.
    """

    value: BandedDual
    dot: BandedDual
    _shown = ("error",)

    @property
    def shell(self) -> Shell | None:
        """Where it is."""
        return self.value.shell

    @property
    def tables(self) -> tuple[BandedDual, BandedDual]:
        """Both."""
        return self.value, self.dot

    @property
    def error(self) -> float:
        """The larger of the proven relative bounds."""
        return max(self.value.error, self.dot.error)

    def at(self, q11: float, q12: float, q22: float, root: float | None = None) -> Any:
        """`(value, dot)` in doubles, as `TableDual.at`."""
        value, dot = (t.at(q11, q12, q22, root)[0] for t in (self.value, self.dot))
        return value, dot

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"apart": True, "value": self.value.to_json(), "dot": self.dot.to_json()}


AnyShell: TypeAlias = BandedDual | Apart


def changed(shell: AnyShell, change: Callable[[BandedDual], BandedDual]) -> AnyShell:
    """The same shell with its table, or both, changed."""
    if isinstance(shell, Apart):
        return replace(shell, value=change(shell.value), dot=change(shell.dot))
    return change(shell)


def shell_errors(shell: AnyShell) -> tuple[float, float]:
    """The proven bounds of the dual and of the derivative dual."""
    if isinstance(shell, Apart):
        return shell.value.error, shell.dot.error
    value, dot = ([getattr(p, name).error for p in shell.pairs] for name in ("value", "dot"))
    return max(value), max(dot)


def read_shell(data: Mapping[str, Any]) -> AnyShell:
    """The inverse of `to_json` of either kind.

    Raises:
        BadData: not such data, or of another version; what malformed data raise.
    """
    if data.get("apart"):
        value, dot = (BandedDual.from_json(data[name]) for name in ("value", "dot"))
        return Apart(value, dot)
    return BandedDual.from_json(data)
