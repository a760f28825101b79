"""C for a tabulated dual of one variance; `c.table.bands` has those of a range.

`TableUnit` is the dual as a `DualUnit`.  The rounding of the arithmetic is part of the bound that
the table states.
"""

from __future__ import annotations

from dataclasses import dataclass

from ....lower.program import Program
from ....numeric.table import BandedDual, TableDual
from ....numeric.table.dual import SLACK
from ...numpy.table.bands import bands_notes, bands_numpy
from ...numpy.table.point import notes, numpy_text
from ..text import c_literal
from .bands import bands_text

LANES = 64


@dataclass(frozen=True, slots=True)
class TableUnit:
    """A tabulated dual as code."""

    table: TableDual | BandedDual

    @property
    def notes(self) -> tuple[str, ...]:
        """What it is, the proven bounds, the range."""
        t = self.table
        if isinstance(t, BandedDual):
            return bands_notes(t)
        return notes(t)

    @property
    def programs(self) -> tuple[Program, ...]:
        """None: there is no straight-line program inside."""
        return ()

    def c_functions(self, stem: str) -> str:
        """C99 that defines `<stem>_pairs` and `<stem>_diag`; it needs `ntksym.h`."""
        t = self.table
        if isinstance(t, TableDual) and t.single:
            return _single(t, stem) + _diag(t, stem)
        return bands_text(_banded(t), stem)

    def numpy_functions(self, stem: str) -> str:
        """NumPy that defines `<stem>_pairs` and `<stem>_diag`; `np` is NumPy."""
        t = self.table
        if isinstance(t, TableDual) and t.single:
            return numpy_text(t, stem)
        return bands_numpy(_banded(t), stem)


def _banded(t: TableDual | BandedDual) -> BandedDual:
    return t if isinstance(t, BandedDual) else BandedDual.of(t)


def _literal(value: float) -> str:
    text = c_literal(value)
    return f"({text})" if text.startswith("-") else text


def _steps(target: str, names: list[str], x: str, indent: str) -> str:
    """Statements that leave the polynomial in `target`."""
    text = f"{indent}double {target} = {names[-1]};\n"
    for name in reversed(names[:-1]):
        text += f"{indent}{target} = NTKSYM_MADD({target}, {x}, {name});\n"
    return text


_ARGUMENTS = (
    "size_t n, const double *q11, const double *q12, const double *q22,\n"
    "    const double *root, double *nngp, double *dot"
)


def _ok(t: TableDual, q: str) -> str:
    low, high = t.low * (1.0 - SLACK), t.high * (1.0 + SLACK)
    return f"({q} >= {c_literal(low)}) & ({q} <= {c_literal(high)})"


def _variable(t: TableDual, product: str) -> str:
    """Statements for x, from c, r and sqrt(q11 q22)."""
    kappa, twice = c_literal(t.kappa), c_literal(2.0 * (1.0 + t.kappa))
    return (
        f"      const double c = q12[l], r = root[l], size = fabs(c);\n"
        f"      const double x = {twice} * r / ({product} + size + {kappa} * r) - 1.0;\n"
    )


def _outcome(t: TableDual, scale: str) -> str:
    value, slope = "k", "d"
    if t.value.parity < 0:
        value = "(c < 0.0 ? -k : k)"
    if t.dot.parity < 0:
        slope = "(c < 0.0 ? -d : d)"
    if t.weighted:
        value = f"{scale} * {value}"
    return f"      nngp[l] = ok ? {value} : NAN;\n      dot[l] = ok ? {slope} : NAN;\n"


# -- one variance ------------------------------------------------------------------------------


def _sides(t: TableDual) -> bool:
    """Whether rho < 0 has polynomials of its own."""
    return not (t.value.parity and t.dot.parity)


def _single(t: TableDual, stem: str) -> str:
    text = ""
    q = c_literal(t.low)
    ok = f"{_ok(t, 'q11[l]')} & {_ok(t, 'q22[l]')} & (size <= {c_literal(t.low * (1.0 + SLACK))})"
    text += f"static void {stem}_pairs({_ARGUMENTS})\n{{\n"
    if not _sides(t):
        text += "  for (size_t l = 0; l < n; ++l) {\n" + _variable(t, q).replace("      ", "    ")
        text += _fixed(t, True, "    ") + f"    const int ok = {ok};\n"
        text += _outcome(t, q).replace("      ", "    ") + "  }\n}\n"
        return text
    text += f"  for (size_t start = 0; start < n; start += {LANES}) {{\n"
    text += f"    const size_t end = n - start < {LANES} ? n : start + {LANES};\n"
    text += "    int below = 0, above = 0;\n"
    text += "    for (size_t l = start; l < end; ++l) {\n"
    text += "      below |= q12[l] < 0.0;\n      above |= !(q12[l] < 0.0);\n    }\n"
    for head, plus in (("if (!below)", True), ("else if (!above)", False), ("else", None)):
        text += f"    {head}\n      for (size_t l = start; l < end; ++l) {{\n"
        inner = _variable(t, q)
        if plus is None:
            inner += _fixed(t, True, "      ", "p") + _fixed(t, False, "      ", "m")
            inner += "      const double k = c < 0.0 ? km : kp, d = c < 0.0 ? dm : dp;\n"
        else:
            inner += _fixed(t, plus, "      ")
        inner += f"      const int ok = {ok};\n" + _outcome(t, q)
        text += inner.replace("      ", "        ") + "      }\n"
    return text + "  }\n}\n"


def _fixed(t: TableDual, plus: bool, indent: str, mark: str = "") -> str:
    text = ""
    for target, sheet in (("k", t.value), ("d", t.dot)):
        rows = sheet.plus if plus or sheet.parity else sheet.minus
        text += _steps(target + mark, [_literal(m) for m in rows[0][0]], "x", indent)
    return text


# -- the diagonal ------------------------------------------------------------------------------


def _diag(t: TableDual, stem: str) -> str:
    text = f"static void {stem}_diag(size_t n, const double *q, double *nngp, double *dot)\n{{\n"
    text += "  for (size_t l = 0; l < n; ++l) {\n    const double v = q[l];\n"
    text += f"    const int ok = {_ok(t, 'v')};\n"
    for target, sheet in (("k", t.value), ("d", t.dot)):
        text += _steps(target, [_literal(m) for m in sheet.diag], "z", "    ")
    value = "v * k" if t.weighted else "k"
    text += f"    nngp[l] = ok ? {value} : NAN;\n    dot[l] = ok ? d : NAN;\n"
    return text + "  }\n}\n"
