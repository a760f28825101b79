"""The rules that make a dual into code where there is no closed form, by name, cheapest first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from ..activation import Activation
from ..errors import BadSpec, Undecided

Variances: TypeAlias = tuple[Fraction, Fraction]
LONGEST_KINKS = 30.0
"""Seconds: where a table for all rho is expected to take longer, it ends before rho = +-1."""
PATIENCE_KINKS = 75.0
"""Seconds after which such a table is given up, where it takes longer than expected."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A way to approximate a dual with a proven bound.

    Attributes:
        name: as in `--method`.
        cost: of an entry and layer in generated C, in words.
        make: (activation, variances, error) -> a dual that becomes a unit of code.
        reader: gives the function that reads what `to_json` of such a dual wrote.
        seconds: about how long `make` takes, found out in less than a second; it raises what
            `make` would raise where that is seen at once.
    """

    name: str
    cost: str
    make: Callable[[Activation, Variances | None, float], Any]
    reader: Callable[[], Callable[[str], Any] | None] | None = None
    seconds: Callable[[Activation, Variances, float], float] | None = None

    def read(self) -> Callable[[str], Any] | None:
        """The function from JSON text, where its duals are plain data; else None."""
        return None if self.reader is None else self.reader()


Build: TypeAlias = Callable[[Rule, Activation, "Variances | None", float], Any]


def built(rule: Rule, activation: Activation, variances: Variances | None, error: float) -> Any:
    """The dual of a rule.

    Raises:
        BadSpec: a parameter without a value, or no range.
        Undecided: the error cannot be proven; the best bound is in the message.
    """
    if activation.params:
        name = activation.params[0].name
        raise BadSpec(
            f"the parameter {name!r} has no value",
            where=f"method {rule.name}, s(x) = {activation.expr}",
            hint=f"give {name} a number: a rule is built for fixed parameters",
        )
    if variances is None:
        raise BadSpec(
            f"the method {rule.name!r} needs the variances it is for",
            hint="--variance LO:HI, or a number for normalised data; variances=(lo, hi) in Python",
        )
    return rule.make(activation, variances, error)


def _tabulated(activation: Activation, variances: Variances | None, error: float) -> Any:
    from .table import table_dual
    from .table.patience import at_most
    from .table.split import applies, split_table
    from .table.split_kinks import kink_seconds, kink_table

    assert variances is not None
    low, high = variances
    if low < high and applies(activation.expr):
        if kink_seconds(activation, variances, error) <= LONGEST_KINKS:
            try:
                with at_most(PATIENCE_KINKS):
                    return kink_table(activation, variances, error=error)
            except Undecided:  # then only as far as |rho| stays away from 1
                pass
        return split_table(activation, variances, error=error)
    return table_dual(activation, low if low == high else variances, error=error)


def _table_seconds(activation: Activation, variances: Variances, error: float) -> float:
    from .table import table_cost
    from .table.split import applies, split_seconds
    from .table.split_kinks import kink_seconds

    low, high = variances
    if low < high and applies(activation.expr):
        seconds = kink_seconds(activation, variances, error)
        return seconds if seconds <= LONGEST_KINKS else split_seconds(activation, variances, error)
    return table_cost(activation, low if low == high else variances, error=error).seconds


def _series(activation: Activation, variances: Variances | None, error: float) -> Any:
    from .series.table import series_table

    assert variances is not None
    return series_table(activation, variances=variances, error=error)


def _quadrature(activation: Activation, variances: Variances | None, error: float) -> Any:
    from .quadrature import quadrature_dual

    assert variances is not None
    return quadrature_dual(activation, variances=variances, error=error)


def _read_table() -> Callable[[str], Any]:
    import json

    from .table.split import read_either

    return lambda text: read_either(json.loads(text))


RULES = {
    rule.name: rule
    for rule in (
        Rule(
            "tabulated",
            "an entry costs about what ReLU does for one variance, 2 to 7 times that for a range",
            _tabulated,
            _read_table,
            _table_seconds,
        ),
        Rule("series", "tens of nanoseconds an entry", _series),
        Rule("quadrature", "microseconds to milliseconds an entry", _quadrature),
    )
}
"""By name, cheapest first."""
_OWN = dict(RULES)


def are_own() -> bool:
    """Whether `RULES` is what this package has: nothing that others made is kept for later."""
    return RULES == _OWN
