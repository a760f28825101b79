"""The rules that make a dual into code where there is no closed form, by name, cheapest first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from ..activation import Activation
from ..errors import BadActivation, BadSpec, Undecided
from ..waiting import told

Variances: TypeAlias = tuple[Fraction, Fraction]
LEAST = 2.0**-52
"""The least error of a rule: a double is not nearer to most numbers."""
LONGEST_KINKS = 27.0
"""Seconds: where a table for all rho is expected to take longer, it ends before rho = +-1."""
LONGEST_ASKED = 60.0
"""The same where there is twice that time, or no limit at all."""
PATIENCE_KINKS = 90.0
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


def built(
    rule: Rule,
    activation: Activation,
    variances: Variances | None,
    error: float,
    look: bool = False,
) -> Any:
    """The dual of a rule; lines on standard error say so where it takes long, and how much is left
    where that is known, or with `look` is found out.

    Raises:
        BadSpec: a parameter without a value, or no range.
        Undecided: an error that no double can have.
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
    refuse_beyond_doubles(activation, error)
    with told(title(rule, activation, variances, error), "building") as expected:
        asked = rule, activation, variances, error
        if asked in _LOOKED or (look and rule.seconds is not None):
            with suppress(Undecided):  # only a guess; the rule itself says what it cannot do
                expected.append(seconds_of(*asked))
        return rule.make(activation, variances, error)


_LOOKED: dict[tuple[Rule, Activation, Variances, float], float] = {}
_MANY = 256
"""Looks that are remembered."""


def seconds_of(rule: Rule, activation: Activation, variances: Variances, error: float) -> float:
    """`rule.seconds`, which is there, found out once.

    Raises:
        Undecided, NoClosedForm: as there.
    """
    asked = rule, activation, variances, error
    if asked not in _LOOKED:
        assert rule.seconds is not None
        seconds = rule.seconds(activation, variances, error)
        while len(_LOOKED) >= _MANY:
            _LOOKED.pop(next(iter(_LOOKED)), None)
        _LOOKED[asked] = seconds
    return _LOOKED[asked]


def title(rule: Rule, activation: Activation, variances: Variances | None, error: float) -> str:
    """What is built, in words."""
    span = "" if variances is None else f" for variances {_shown(variances)}"
    return f"{rule.name} dual of {activation.name}{span}, error {error:g}"


def _shown(variances: Variances) -> str:
    low, high = (f"{float(v):.6g}" for v in variances)
    return low if low == high else f"{low} to {high}"


def refuse_beyond_doubles(activation: Activation, error: float | None) -> None:
    """Nothing, where a double can have the error.

    Raises:
        Undecided: it cannot; the hint says what has more digits.
    """
    if error is not None and not error >= LEAST:
        raise Undecided(
            f"no code in float64 has an error of {error:g}",
            where=f"s(x) = {activation.expr}",
            hint=f"an error of at least {LEAST:.1g}; `ntksym eval` encloses values to any digits",
        )


_Make: TypeAlias = Callable[[Activation, Variances, float], Any]


def _off_points(make: _Make) -> _Make:
    """The same for an activation with singular points, where lines next to them stand for it.

    What is made raises as without them where they do not serve.
    """

    def made(activation: Activation, variances: Variances, error: float) -> Any:
        from .blunt import blunted
        from .patience import TooLong

        try:
            return make(activation, variances, error)
        except TooLong:
            raise
        except (BadActivation, Undecided) as said:
            blunt = blunted(activation, variances, error)
            if blunt is None:
                raise
            try:
                return blunt.made(make, variances)
            except TooLong:
                raise
            except (BadActivation, Undecided):
                raise said from None

    return made


def _within_reach(make: _Make) -> Callable[[Activation, Variances | None, float], Any]:
    """The same for an activation with infinitely many kinks: finitely many stand for them."""

    def made(activation: Activation, variances: Variances | None, error: float) -> Any:
        from .finite import cut_off

        assert variances is not None
        cut = cut_off(activation, variances, error)
        if cut is None:
            return make(activation, variances, error)
        return cut.made(make, variances)

    return made


@_off_points
def _single(activation: Activation, variances: Variances, error: float) -> Any:
    from .table.single import single_table

    return single_table(activation, variances[0], error)


@_within_reach
def _tabulated(activation: Activation, variances: Variances, error: float) -> Any:
    from .patience import TooLong, at_most, remaining
    from .table import table_dual
    from .table.dilated.build import dilated_table
    from .table.dilated.kind import applies as dilates
    from .table.shell.build import LEAST_ERROR
    from .table.split.cost import kink_seconds
    from .table.split.kinks import kink_table
    from .table.split.table import applies, split_table

    low, high = variances
    if low < high and applies(activation.expr):
        left = remaining()
        hurry = left is not None and left < 2 * LONGEST_ASKED
        longest = LONGEST_KINKS if hurry else LONGEST_ASKED
        if kink_seconds(activation, variances, error) <= longest:
            try:
                with at_most(PATIENCE_KINKS):
                    return kink_table(activation, variances, error=error)
            except Undecided:  # then only as far as |rho| stays away from 1
                pass
        return split_table(activation, variances, error=error)
    if low == high:
        return _single(activation, variances, error)
    if dilates(activation.expr):
        return dilated_table(activation, variances, error)
    try:
        return table_dual(activation, variances, error=error)
    except TooLong:
        raise
    except Undecided as said:
        if error >= LEAST_ERROR:
            raise
        try:  # either dual for itself, as far as |rho| stays away from 1
            return split_table(activation, variances, error=error)
        except TooLong:
            raise
        except Undecided:
            raise said from None


def _table_seconds(activation: Activation, variances: Variances, error: float) -> float:
    from .blunt import blunted
    from .finite import cut_off
    from .table import table_cost
    from .table.dilated.build import dilated_seconds
    from .table.dilated.kind import applies as dilates
    from .table.single import single_seconds
    from .table.split.cost import kink_seconds
    from .table.split.table import applies, split_seconds

    low, high = variances
    if (cut := cut_off(activation, variances, error)) is not None:
        activation, error = cut.activation, cut.error
    if low < high and applies(activation.expr):
        seconds = kink_seconds(activation, variances, error)
        return seconds if seconds <= LONGEST_KINKS else split_seconds(activation, variances, error)
    if low == high:
        try:
            return single_seconds(activation, low, error)
        except (BadActivation, Undecided):
            if (blunt := blunted(activation, variances, error)) is None:
                raise
            return single_seconds(blunt.activation, low, blunt.error)
    if dilates(activation.expr):
        return dilated_seconds(activation.expr, variances, error)
    return table_cost(activation, variances, error=error).seconds


def _series(activation: Activation, variances: Variances | None, error: float) -> Any:
    from .series.table import series_table

    assert variances is not None
    return series_table(activation, variances=variances, error=error)


def _series_seconds(activation: Activation, variances: Variances, error: float) -> float:
    """Nothing: what is not refused at once ends soon, or is given up."""
    from .series.table import MOST
    from .series.truncation import refuse_narrow

    refuse_narrow(activation, error, variances[1], MOST)
    return 0.0


@_off_points
def _plain_quadrature(activation: Activation, variances: Variances, error: float) -> Any:
    from .quadrature import quadrature_dual

    return quadrature_dual(activation, variances=variances, error=error)


@_within_reach
def _quadrature(activation: Activation, variances: Variances, error: float) -> Any:
    from .patience import TooLong
    from .steep import steep_dual

    try:
        return _plain_quadrature(activation, variances, error)
    except TooLong:
        raise
    except (BadActivation, Undecided) as said:
        try:
            found = steep_dual(activation, variances, error)
        except TooLong:
            raise
        except (BadActivation, Undecided):
            raise said from None
        if found is None:
            raise
        return found


def _nngp(activation: Activation, variances: Variances | None, error: float) -> Any:
    from .nngp import nngp_dual

    assert variances is not None
    return nngp_dual(activation, variances, error)


def _read_table() -> Callable[[str], Any]:
    import json

    from .table.dilated.table import DilatedTable
    from .table.dyadic.table import DyadicTable
    from .table.split.table import read_either

    def read(text: str) -> Any:
        data = json.loads(text)
        if isinstance(data, dict) and "dilated" in data:
            return DilatedTable.from_json(data)
        if isinstance(data, dict) and "dyadic" in data:
            return DyadicTable.from_json(data)
        return read_either(data)

    return read


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
        Rule("series", "tens of nanoseconds an entry", _series, seconds=_series_seconds),
        Rule("quadrature", "microseconds to milliseconds an entry", _quadrature),
    )
}
"""By name, cheapest first."""
NNGP = Rule("nngp", "microseconds to milliseconds an entry; no NTK", _nngp)
"""What gives E[s(u) s(v)] alone."""
_OWN = dict(RULES)


def are_own() -> bool:
    """Whether `RULES` is what this package has: nothing that others made is kept for later."""
    return RULES == _OWN
