"""From a dual of any kind to the unit that generated code is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..activation import Activation
from ..dual import Dual
from ..errors import BadSpec, UnsupportedOp, without_value
from ..lower.schedule import number
from ..numeric.expected import ExpectedDual
from ..numeric.mixture import MixtureDual
from ..verify.definition import two_slopes
from .closed_unit import ClosedUnit, closed_unit
from .mixture.programs import mixture_programs
from .mixture.rounding import rounding_note
from .point_unit import PointUnit
from .program_unit import ProgramUnit
from .unit import DualUnit


def unit_of(
    found: Any, values: Mapping[str, Any] | None = None, *, almost_everywhere: bool = True
) -> DualUnit:
    """The unit of a dual, with numbers for the parameters of its activation.

    `almost_everywhere` says which derivative dual of a jump is meant.

    Raises:
        BadSpec: a parameter without a value, or an expectation that no rule was built for.
        UnsupportedOp: a function without an operation, or an object that is no dual.
    """
    refuse_unbuilt(found)
    if isinstance(found, (Dual, MixtureDual)):
        numbers = tuple(_double(v) for v in parameter_values(found, values))
        return _program_unit(found, numbers, almost_everywhere)
    made = rule_unit(found)
    if made is not None:
        return made
    raise UnsupportedOp(f"{type(found).__name__} cannot be written as code")


def rule_unit(found: Any) -> DualUnit | None:
    """The unit of a table, a series or a quadrature rule, or of what is a unit itself; else None.

    A rule for one variance takes it with a tolerance.
    """
    from ..numeric.quadrature import QuadratureDual
    from ..numeric.series.table import SeriesTable
    from ..numeric.table import BandedDual, TableDual
    from ..numeric.table.dilated.table import DilatedTable
    from ..numeric.table.dyadic.table import DyadicTable
    from ..numeric.table.split.kinks import KinkTable
    from ..numeric.table.split.table import SplitTable
    from .c.quadrature import quadrature_unit
    from .c.series import SeriesUnit
    from .c.table.dilated import DilatedUnit
    from .c.table.dyadic import DyadicUnit
    from .c.table.kinks import KinkUnit
    from .c.table.point import TableUnit
    from .c.table.split import SplitUnit

    if isinstance(found, SplitTable):
        return SplitUnit(found)
    if isinstance(found, KinkTable):
        return KinkUnit(found)
    if isinstance(found, (TableDual, BandedDual)):
        table = TableUnit(found)
        return PointUnit(table, found.low) if found.single else table
    if isinstance(found, DilatedTable):
        return DilatedUnit(found)
    if isinstance(found, DyadicTable):
        return PointUnit(DyadicUnit(found), found.low)
    if isinstance(found, SeriesTable):
        series = SeriesUnit(found)
        return PointUnit(series, float(found.lo)) if found.lo == found.hi else series
    if isinstance(found, QuadratureDual):
        rule, (low, high) = quadrature_unit(found), found.variances
        return PointUnit(rule, float(high)) if low == high else rule
    if hasattr(found, "c_functions") and hasattr(found, "numpy_functions"):
        unit: DualUnit = found
        return unit
    return None


def _program_unit(
    found: Dual | MixtureDual, numbers: tuple[float, ...], almost_everywhere: bool
) -> ProgramUnit | ClosedUnit:
    what = f"K[{found.activation.expr}]"
    if isinstance(found, MixtureDual):
        bounds = "; ".join(found.mixture_bound.text())
        programs = mixture_programs(found)
        said = f"{what}: {len(found.mixture)} nodes; proven, rounding not counted: {bounds}"
        return ProgramUnit(programs, numbers, (said + rounding_note(programs),))
    notes = (f"{what}: closed form; its rounding is not measured",)
    return closed_unit(found, numbers, notes, almost_everywhere=almost_everywhere)


def off_jumps(found: Any, activation: Activation) -> bool:
    """Whether `dot` of the unit of a dual is E[s'(u) s'(v)] off the jumps of s, and s jumps.

    Closed forms have the derivative in q12 there, which is another number.
    """
    if isinstance(found, (Dual, MixtureDual)) or getattr(found, "continuous", False):
        return False
    return two_slopes(activation.expr)


def slope_said(found: Any, activation: Activation) -> str:
    """What `dot` of the unit of a dual is, for heads of files."""
    if not getattr(found, "slopes", True):
        return "dot = NaN: the kernel alone"
    if not off_jumps(found, activation):
        return "dot = d nngp/d q12"
    return "dot = E[s'(u) s'(v)], s' off the jumps of s: not d nngp/d q12"


def _double(value: Any) -> float:
    """The double nearest to a number or a SymPy number."""
    if isinstance(value, (int, float)):
        return float(value)
    return number(value)


def refuse_unbuilt(found: Any) -> None:
    """An expectation that no rule was built for is no code.

    Raises:
        BadSpec: it is one.
    """
    if isinstance(found, ExpectedDual):
        raise BadSpec(
            f"{found.activation.name}: the method {found.method!r} needs the variances it is for",
            hint="--variance LO:HI, or a number for normalised data; variances=(lo, hi) in Python",
        )


def parameter_values(
    found: Dual | MixtureDual, values: Mapping[str, Any] | None
) -> tuple[Any, ...]:
    """The values of the parameters of a dual, in their order.

    Raises:
        BadSpec: a parameter without a value.
    """
    given = values or {}
    for p in found.activation.params:
        if p.name not in given:
            raise without_value(p.name, found.activation.name)
    return tuple(given[p.name] for p in found.activation.params)
