"""Duals that are no straight-line program in JAX, PyTorch and NumPy: values with derivatives.

`array.unit` gives for a choice of method what can be written: a table, a Hermite series, a normal
mixture, a closed form, a trapezoid rule.  Quadrature between kinks is not: its panels depend on the
entry.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Protocol

from ...dual import Dual
from ...errors import NtksymError, Undecided, UnsupportedOp
from ...language import as_activation
from ...lower.program import Program
from ...lower.schedule import number
from ...numeric.finite import cut_off
from ...numeric.mixture import MixtureDual
from ...numeric.quadrature import QuadratureDual
from ...numeric.quadrature.single import single_lattice
from ...numeric.series.table import SeriesTable
from ...numeric.table import BandedDual, KinkTable, SplitTable, TableDual, table_dual
from ...numeric.table.dilated.table import DilatedTable
from ...numeric.table.dyadic.table import DyadicTable
from ..point_unit import TOLERANCE
from ..text import upward
from ..units import parameter_values, refuse_unbuilt
from .chebyshev import HELPERS
from .module import ArrayBackend
from .programs import ArrayPrograms, closed_arrays, mixture_arrays
from .quadrature import ArrayQuadrature
from .series import DOTTED, ArraySeries
from .table import LINE, SIDES, ArrayTable
from .table_dilated import ArrayDilated
from .table_dyadic import ArrayDyadic
from .table_kinks import ArrayKinks


class Rule(Protocol):
    """A dual of numbers: a table or a series."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for the head."""
        ...

    def text(self, stem: str) -> str:
        """The four functions."""
        ...


LOOSER = 1e-10
"""The error of a table where none is proven with the one asked for: its head says so."""
_OF_PROGRAMS = (ArrayPrograms, ArrayQuadrature)


@dataclass(frozen=True, slots=True)
class ArrayUnit:
    """What is written for one dual.

    Attributes:
        rule: a table, a series, or programs.
        point: the one variance it is for, or None.
        said: lines for the head about a bound that is not the one asked for.
    """

    rule: Rule | ArrayPrograms | ArrayQuadrature
    point: float | None = None
    said: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for the head of the file."""
        if self.point is None:
            return (*self.said, *self.rule.notes)
        return (
            *self.rule.notes,
            f"Variances within {TOLERANCE:g} of {self.point:.17g}, relatively (32 units of the "
            "last place in",
            "single precision), count as it: the inputs are scaled.  Derivatives in q11 and q22",
            "are those of scaled inputs, so right along the sphere and none across it; a range",
            "of variances gives all.",
        )

    @property
    def inside(self) -> float:
        """A variance that the unit takes: what stands for a zero that is dealt with elsewhere."""
        if isinstance(self.rule, (ArrayTable, ArrayDilated, ArrayKinks)):
            return float((self.rule.table.low * self.rule.table.high) ** 0.5)
        if isinstance(self.rule, ArraySeries):
            return float(float(self.rule.table.lo * self.rule.table.hi) ** 0.5)
        if isinstance(self.rule, ArrayDyadic):
            return self.rule.table.low
        if isinstance(self.rule, ArrayQuadrature):
            return float(self.rule.rule.top)
        return 1.0

    @property
    def programs(self) -> tuple[Program, ...]:
        """The programs inside."""
        return self.rule.programs if isinstance(self.rule, _OF_PROGRAMS) else ()

    def text(self, stem: str, backend: ArrayBackend) -> str:
        """Python that defines `_<stem>` of (q11, q12, q22, root) and `_<stem>_diag` of q.

        Both return (nngp, dot) and have their derivatives by `_pair_rule`.

        Raises:
            UnsupportedOp: an operation that the target cannot spell.
        """
        inner = stem if self.point is None else f"{stem}_one"
        if isinstance(self.rule, _OF_PROGRAMS):
            body = self.rule.text(inner, backend)
        else:
            body = self.rule.text(inner)
        body = body.rstrip("\n") + _RULES.replace("@STEM@", inner)
        if self.point is not None:
            more = _POINT.replace("@Q@", repr(self.point)).replace("@ONE@", inner)
            body += more.replace("@HALF@", repr(0.5 / self.point)).replace(
                "@NEAR@", repr(TOLERANCE)
            )
            body += _RULES
        return body.replace("@STEM@", stem)


def array_unit(
    found: Any, activation: Any, values: dict[str, Any] | None = None, sense: str = "distributional"
) -> ArrayUnit:
    """The unit of a dual of any method.

    Args:
        found: the dual.
        activation: whose dual it is.
        values: numbers for its parameters.
        sense: of the derivative of a jump, as in `gradients`.

    Raises:
        BadSpec: a parameter without a value.
        UnsupportedOp: a dual that cannot be written here, or a function without an operation.
    """
    refuse_unbuilt(found)
    said: tuple[str, ...] = ()
    if isinstance(found, BandedDual):
        found, said = _one_band(found)
    if isinstance(found, QuadratureDual):
        return ArrayUnit(ArrayQuadrature(_one_rule(found)))
    if isinstance(found, TableDual):
        jumps, kinks = roughness(activation)
        rule = ArrayTable(found, kinks, jumps)
        return ArrayUnit(rule, found.low if found.single else None, said)
    if isinstance(found, DyadicTable):
        return ArrayUnit(ArrayDyadic(found, roughness(activation)[0]), found.low)
    if isinstance(found, DilatedTable):
        return ArrayUnit(ArrayDilated(found))
    if isinstance(found, SeriesTable):
        return ArrayUnit(ArraySeries(found), float(found.lo) if found.lo == found.hi else None)
    if isinstance(found, (MixtureDual, Dual)):
        numbers = tuple(number(v) for v in parameter_values(found, values))
        if isinstance(found, MixtureDual):
            return ArrayUnit(mixture_arrays(found, numbers))
        return ArrayUnit(closed_arrays(found, numbers, sense))
    if isinstance(found, KinkTable):
        return ArrayUnit(ArrayKinks(found))
    if isinstance(found, SplitTable):
        raise UnsupportedOp(
            f"{activation.name}: its table for kinks away from 0 over this range has a quadrature "
            "rule near rho = 1 and -1, which array code does not have",
            hint="a narrower range or a larger error; rows of one norm and variances=1 "
            "(--variance 1), which have a table of the angle alone; or the targets "
            '"c" and "numpy" (values only)',
        )
    raise UnsupportedOp(
        f"{type(found).__name__} cannot be written as array code with derivatives",
        hint='method="tabulated" or "series" with variances=(lo, hi) (--method tabulated '
        '--variance LO:HI), or the targets "c" and "numpy" (values only)',
    )


def _one_band(found: BandedDual) -> tuple[TableDual | QuadratureDual, tuple[str, ...]]:
    """The same range in one band: arrays have no cheap choice among polynomials by entry.

    A trapezoid rule, which costs more an entry, where no polynomial reaches the error; where that
    is not proven either a table of `LOOSER`, and lines that say so.
    """
    span, failed = (found.low, found.high), None
    for error in (found.error, LOOSER):
        try:
            table = _table(found, error)
        except Undecided as missed:
            failed = failed or missed
        else:
            if error <= found.error:
                return table, ()
            return table, (
                f"The bound is {upward(table.error)}, of one table for the whole range: array",
                f"code has no bands, with which {upward(found.error)} is proven for C and NumPy.",
            )
        with suppress(NtksymError):
            rule = single_lattice(found.text, Fraction(span[0]), Fraction(span[1]), found.error)
            return rule, ()
        if found.error >= LOOSER:
            break
    assert failed is not None
    raise UnsupportedOp(
        f"{found.name}: variances {found.low:g} to {found.high:g} need a table in "
        f"{len(found.bands)} bands, which array code does not have ({failed.what})",
        hint=f"a narrower range {_NARROWER}",
    )


def _table(found: BandedDual, error: float) -> TableDual:
    """The same range in one band, kinks far out left out where they may be.

    Raises:
        Undecided: the error is not proven.
    """
    activation, span = as_activation(found.text), (found.low, found.high)
    cut = cut_off(activation, span, error)

    def one(given: Any, variances: Any, within: float) -> Any:
        return table_dual(given, variances, error=within, banded=False)

    made = one(activation, span, error) if cut is None else cut.made(one, span)
    if not isinstance(made, TableDual):  # pragma: no cover - one band was asked for
        raise TypeError(type(made).__name__)
    return made


def _one_rule(found: QuadratureDual) -> QuadratureDual:
    """The same range with one trapezoid rule: arrays have no choice among rules by entry."""
    span = found.variances

    def one(given: Any, variances: Any, within: float) -> Any:
        return single_lattice(str(given.expr), *variances, within)

    try:  # what kinks far out change is in the bound
        cut = cut_off(found.activation, span, found.error, found.slopes)
        used = replace(found.activation, expr=found.subject.expr)
        made = one(used, span, found.error) if cut is None else cut.made(one, span)
    except Undecided as failed:
        raise UnsupportedOp(
            f"{found.activation.name}: its quadrature has panels between kinks or near poles, "
            f"which array code does not have ({failed.what})",
            hint='method="tabulated" (--method tabulated --variance Q or LO:HI); of kinks away '
            f"from 0 one variance; a narrower range {_NARROWER}",
        ) from None
    if not isinstance(made, QuadratureDual):  # pragma: no cover - a trapezoid rule was asked for
        raise TypeError(type(made).__name__)
    return made


_NARROWER = (
    "(--variance LO:HI; rows of one norm need one number only), a larger error (--error); or the "
    'targets "c" and "numpy" (values only)'
)


def roughness(activation: Any) -> tuple[bool, bool]:
    """(whether s jumps, whether s or its derivative does); what cannot be decided counts as yes."""
    from ...verify.functions.pieces import derivative, jumps, split

    try:
        pieces = split(activation.expr)
        level = bool(jumps(pieces, activation.expr))
        return level, level or bool(jumps(derivative(pieces)))
    except NtksymError:
        return True, True


def shared_helpers(units: tuple[ArrayUnit, ...], backend: ArrayBackend) -> str:
    """The functions that units of a kind share, each once."""
    text = ""
    powers = any(isinstance(u.rule, ArrayTable) for u in units)
    sums = any(isinstance(u.rule, ArrayKinks) for u in units)
    if powers or sums:
        own = (backend.polynomials,) * powers + (backend.sums, HELPERS) * sums
        text += "\n\n".join(t.rstrip("\n") for t in (*own, SIDES, *(LINE,) * powers)) + "\n\n\n"
    if any(isinstance(u.rule, ArraySeries) for u in units):
        text += DOTTED
    return text.strip("\n")


_RULES = """


_@STEM@ = _pair_rule(@STEM@_value, @STEM@_partials)
_@STEM@_diag = _pair_rule(
    @STEM@_diag_value,
    @STEM@_diag_partials,
)
"""

_POINT = '''

def _@STEM@_near(q):
    """The one variance, or NaN."""
    near = _abs(q - @Q@) <= _max(@NEAR@ + 0.0 * q, 32.0 * _slack(q)) * @Q@
    return _where(near, @Q@ + 0.0 * q, float("nan") + 0.0 * q)


def _@STEM@_scaled(q11, q12, q22, root):
    q = _@STEM@_near(q11) + 0.0 * _@STEM@_near(q22)
    scale = 2.0 - (q11 + q22) * @HALF@
    return q, q12 * scale, root * scale, scale


def @STEM@_value(q11, q12, q22, root):
    """The pair (nngp, dot); NaN for other variances."""
    q, c, root, _ = _@STEM@_scaled(q11, q12, q22, root)
    return _@ONE@(q, c, q, root)


def @STEM@_partials(q11, q12, q22, root):
    """The derivatives of nngp and of dot for scaled inputs."""
    q, c, root, scale = _@STEM@_scaled(q11, q12, q22, _held(root, q11, q12, q22))
    of_nngp, of_dot = @ONE@_partials(q, c, q, root)
    turn = -q12 * @HALF@
    return tuple(
        (turn * along, scale * along, turn * along, 0.0 * root)
        for along in (of_nngp[1], of_dot[1])
    )


def @STEM@_diag_value(q):
    """The pair (nngp, dot) for u = v."""
    return _@ONE@_diag(_@STEM@_near(q))


def @STEM@_diag_partials(q):
    """None: the inputs are scaled."""
    return (0.0 * q,), (0.0 * q,)
'''
