r"""C for the derivatives of duals that are closed forms or sums over nodes, for gradients.

For every kind the values are those of its unit; the derivatives of K and of its derivative dual in
$q_{11}, q_{12}, q_{22}$ are the programs of `array.programs` in loops over nodes.  A table of a
range has those in the variances at a fixed angle (`c.gradient.table`); a series or a rule of a
range has these from values (`c.gradient.steps`), what is for one variance has none.  Without
programs, slopes in the angle are from values (`c.gradient.turns`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ....lower.program import Program
from ..._base import SourceFile
from ...array.programs import ArrayPrograms
from ...array.unit import ArrayUnit
from ...mixture.programs import LARGEST
from ...unit import DualUnit
from ...unit_schedule import labelled
from ..backend import C, Contract, extra_support, head, inline_function
from ..helpers.header import HEADER_NAME
from ..text import array
from .chebyshev import SLOPE
from .large import FarSlopes, large_text
from .steps import Span, steps_text
from .table import moved_text, moving_table
from .turns import turns_text

LANES = 64
"""Pairs at a time."""


@dataclass(frozen=True, slots=True)
class UnitSlopes:
    """A kind of layer: the unit of its values, what its derivatives are made of, or None.

    `span` is the range of variances where the values may be asked for slopes, if there is one, and
    `far` what slopes of a mixture are made of where variances are large, if C does that.
    """

    unit: DualUnit
    slopes: ArrayUnit | None
    span: Span | None = None
    far: FarSlopes | None = None

    @property
    def in_c(self) -> bool:
        """Whether the derivatives are written in C."""
        found = self.slopes
        return found is not None and found.point is None and isinstance(found.rule, ArrayPrograms)

    @property
    def moves(self) -> bool:
        """Whether C has the derivatives in the variances at a fixed angle, those of a table."""
        return self.slopes is None and moving_table(self.unit) is not None

    @property
    def steps(self) -> bool:
        """Whether C has these derivatives from values."""
        return self.slopes is None and self.span is not None and not self.moves


def unit_slopes_file(kinds: tuple[UnitSlopes, ...], contract: Contract) -> SourceFile:
    """The file with `ntksym_units_pairs<k>`, `_sides<k>`; `_polar<k>`, `_side_slopes<k>`, or
    without programs `_turns<k>`, `_smooth_turns<k>` and, of tables, `_moves<k>`.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    text = "\n".join([units_head(kinds, contract), units_text(kinds)])
    return SourceFile("units.c", text)


def units_head(
    kinds: tuple[UnitSlopes, ...], contract: Contract, more: tuple[Program, ...] = ()
) -> str:
    """The head of a file with these kinds and further programs, and what they all need.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    programs: tuple[Program, ...] = more
    notes: list[str] = []
    for k, kind in enumerate(kinds):
        programs += kind.unit.programs
        if kind.in_c and kind.slopes is not None:
            programs += kind.slopes.programs
        notes += labelled(f"dual{k}", kind.unit)
        if kind.far is not None and kind.far.bend is not None:
            programs += kind.far.bend.programs
    first = head(contract, programs).removesuffix(" */\n") + " *\n"
    first += "".join(f" * {line}".rstrip() + "\n" for line in notes) + " */\n"
    pieces = [first, f'#include "{HEADER_NAME}"\n']
    if support := extra_support(programs):
        pieces.append(support)
    return "\n".join(pieces)


def units_text(kinds: tuple[UnitSlopes, ...]) -> str:
    """The functions of `unit_slopes_file`.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    pieces = [f"enum {{ SLOPE_LANES = {LANES} }};\n"]
    if any(kind.slopes is None or kind.far is not None for kind in kinds):
        pieces.append(SLOPE)
    for k, kind in enumerate(kinds):
        stem = f"dual{k}"
        values = kind.unit.c_functions(stem)
        pieces.append(values)
        text = _VALUES
        table = moving_table(kind.unit) if kind.moves else None
        if table is not None:
            pieces.append(moved_text(table, stem, values))
        elif kind.steps and kind.span is not None:
            pieces.append(steps_text(stem, kind.span))
        if kind.moves or kind.steps:
            text += _MOVES
        if kind.slopes is None:
            text += turns_text(k, stem)
        if kind.in_c and kind.slopes is not None:
            rule = kind.slopes.rule
            if isinstance(rule, ArrayPrograms):
                pieces.append(_nodes(rule, stem))
                text += _SLOPES
            if kind.far is not None:
                pieces.append(large_text(stem, kind.far))
            large = "" if kind.far is None else _LARGE
            text = text.replace("@FAR@", large).replace("@FAR_SIDE@", large and _SIDE_LARGE)
        pieces.append(text.replace("@K@", str(k)).replace("@STEM@", stem))
    return "\n".join(pieces)


def _nodes(a: ArrayPrograms, stem: str) -> str:
    """`<stem>_slopes` and `<stem>_side_slopes` as sums over nodes."""
    m = a.parts
    labels = ["plain", *(f"single{i}" for i in range(len(m.singles)))]
    labels += [f"pair{i}" for i in range(len(m.pairs))]
    text = ""
    gates = {f"pair{i}" for i, pair in enumerate(m.pairs) if pair.gate is not None}
    for label, (pair, diag) in zip(labels, a.slopes, strict=True):
        if label not in gates:  # these have a formula of their own
            text += inline_function(pair, f"{stem}_{label}_slopes") + "\n"
        text += inline_function(diag, f"{stem}_{label}_side_slopes") + "\n"
    if m.nodes:
        for title, k in (("place", 0), ("share", 1)):
            text += array(f"{stem}_{title}", [C.literal(node[k]) for node in m.nodes])
    passed = [C.literal(v) for v in a.values]
    wide = 7 if a.kinks else 5
    state = ["q11[l]", "q12[l]", "q22[l]", "root[l]"]
    body = _sums(a, stem, "_slopes", state, passed, wide)
    edge = ""
    if a.kinks:
        edge = """    for (size_t l = 0; l < n; ++l)
      if (root[l] == 0.0) {
        out[2][l] = sum[5][l];
        out[3][l] = 0.0;
        out[4][l] = sum[6][l];
      }
"""
    text += _PAIR_SUM.replace("@BODY@", body).replace("@EDGE@", edge).replace("@WIDE@", str(wide))
    sides = _sums(a, stem, "_side_slopes", ["q[l]"], passed, 2)
    text += _SIDE_SUM.replace("@BODY@", sides)
    largest = C.literal(LARGEST)
    return text.replace("@LARGEST@", largest).replace("@STEM@", stem)


def _sums(
    a: ArrayPrograms, stem: str, suffix: str, state: list[str], passed: list[str], wide: int
) -> str:
    """The plain part, the sum over nodes and that over pairs of nodes, in lanes."""
    m = a.parts
    numbers = [f"v{i}" for i in range(wide)]
    ends = [f"&{v}" for v in numbers]
    text = f"    for (size_t l = 0; l < n; ++l) {{\n      double {', '.join(numbers)};\n"
    text += f"      {stem}_plain{suffix}({', '.join([*state, *passed, *ends])});\n"
    text += "".join(f"      sum[{i}][l] = {v};\n" for i, v in enumerate(numbers)) + "    }\n"
    adds = "".join(f"        sum[{i}][l] += weight * {v};\n" for i, v in enumerate(numbers))
    loop = _LOOP.replace("@NUMBERS@", ", ".join(numbers)).replace("@ADDS@", adds.rstrip("\n"))
    for i in range(len(m.singles)):
        args = ", ".join([*state, f"{stem}_place[a]", *passed, *ends])
        text += loop.replace("@OPEN@", f"for (int a = 0; a < {len(m.nodes)}; ++a) {{")
        text = text.replace("@CALL@", f"{stem}_single{i}{suffix}({args})")
        text = text.replace("@WEIGHT@", f"{stem}_share[a]").replace("@CLOSE@", "}")
    for i, pair in enumerate(m.pairs):
        scale = 1.0
        if suffix == "_side_slopes":
            scale = 2.0 if pair.twice else 1.0 if pair.same else 0.0
        if not scale:
            continue
        if pair.gate is not None and suffix == "_slopes":
            text += _gates(len(m.nodes), stem, pair.gate)
            continue
        args = ", ".join([*state, f"{stem}_place[a]", f"{stem}_place[b]", *passed, *ends])
        opening = f"for (int a = 0; a < {len(m.nodes)}; ++a)\n"
        opening += f"    for (int b = 0; b < {len(m.nodes)}; ++b) {{"
        text += loop.replace("@OPEN@", opening)
        text = text.replace("@CALL@", f"{stem}_pair{i}{suffix}({args})")
        weight = f"{C.literal(scale)} * {stem}_share[a] * {stem}_share[b]"
        text = text.replace("@WEIGHT@", weight).replace("@CLOSE@", "}")
    return text


def _gates(count: int, stem: str, gate: tuple[float, float]) -> str:
    r"""The pairs of a plain gate: $K = C\sin^{-1}(aec/st)$, one root and one division each.

    With $R^2 = s^2t^2 - a^2e^2c^2$: $K_{11} = -Ca^3ec/(2s^2R)$, $\dot K = Cae/R$, and
    $\dot K_{11} = -Ca^3et^2/2R^3$, $\dot K_{12} = Ca^3e^3c/R^3$.
    """
    square, slope = gate
    text = _GATES.replace("@NODES@", str(count)).replace("@SLOPE@", C.literal(slope))
    return text.replace("@SCALE@", C.literal(2.0 / math.pi * square)).replace("@STEM@", stem)


_GATES = """    {
      double sx[@NODES@][SLOPE_LANES], sy[@NODES@][SLOPE_LANES], det[SLOPE_LANES];
      for (size_t l = 0; l < n; ++l) det[l] = root[l] * root[l];
      for (int i = 0; i < @NODES@; ++i) {
        const double a = @SLOPE@ * @STEM@_place[i], a2 = a * a;
        for (size_t l = 0; l < n; ++l) {
          sx[i][l] = 1.0 + a2 * q11[l];
          sy[i][l] = 1.0 + a2 * q22[l];
        }
      }
      for (int i = 0; i < @NODES@; ++i) {
        const double a = @SLOPE@ * @STEM@_place[i], a2 = a * a;
        const double share = @SCALE@ * @STEM@_share[i];
        double s[5][SLOPE_LANES];
        for (int j = 0; j < 5; ++j)
          for (size_t l = 0; l < n; ++l) s[j][l] = 0.0;
        for (int j = 0; j < @NODES@; ++j) {
          const double e = @SLOPE@ * @STEM@_place[j], e2 = e * e;
          const double ae = a * e, ae2 = ae * ae, weight = @STEM@_share[j] * ae;
          for (size_t l = 0; l < n; ++l) {
            const double square = ae2 * det[l] + (e2 * q22[l] + (a2 * q11[l] + 1.0));
            const double over = weight / sqrt(square), t2 = sy[j][l];
            const double cubed = over / square;
            s[0][l] += over;
            s[1][l] += over * e2 / t2;
            s[2][l] += cubed * t2;
            s[3][l] += cubed * e2;
            s[4][l] += cubed * ae2;
          }
        }
        for (size_t l = 0; l < n; ++l) {
          const double half = 0.5 * share;
          sum[0][l] -= half * a2 * q12[l] * s[0][l] / sx[i][l];
          sum[1][l] -= half * q12[l] * s[1][l];
          sum[2][l] -= half * a2 * s[2][l];
          sum[3][l] += share * q12[l] * s[4][l];
          sum[4][l] -= half * sx[i][l] * s[3][l];
        }
      }
    }
"""
_LOOP = """    @OPEN@
      const double weight = @WEIGHT@;
      for (size_t l = 0; l < n; ++l) {
        double @NUMBERS@;
        @CALL@;
@ADDS@
      }
    @CLOSE@
"""

_PAIR_SUM = """
static void @STEM@_slope_lanes(size_t n, const double *q11, const double *q12, const double *q22,
                               const double *root, double (*out)[SLOPE_LANES])
{
  double sum[@WIDE@][SLOPE_LANES];
@BODY@    for (int i = 0; i < 5; ++i)
      for (size_t l = 0; l < n; ++l)
        out[i][l] = q11[l] <= @LARGEST@ && q22[l] <= @LARGEST@ ? sum[i][l] : NAN;
@EDGE@}
"""

_SIDE_SUM = """
static void @STEM@_side_slope_lanes(size_t n, const double *q, double (*out)[SLOPE_LANES])
{
  double sum[2][SLOPE_LANES];
@BODY@    for (int i = 0; i < 2; ++i)
      for (size_t l = 0; l < n; ++l) out[i][l] = q[l] <= @LARGEST@ ? sum[i][l] : NAN;
}
"""

_VALUES = """
/* K and its derivative dual at n covariances; root is the accurate sqrt(q11*q22 - q12^2). */
void ntksym_units_pairs@K@(size_t n, const double *q11, const double *q12, const double *q22,
                           const double *root, double *nngp, double *dot)
{
  @STEM@_pairs(n, q11, q12, q22, root, nngp, dot);
}

/* The same for u = v. */
void ntksym_units_sides@K@(size_t n, const double *q, double *nngp, double *dot)
{
  @STEM@_diag(n, q, nngp, dot);
}
"""

_MOVES = """
/* From K, the derivatives in q11 of K and of its derivative dual at fixed q22 and angle. */
void ntksym_units_moves@K@(size_t n, const double *q11, const double *q12, const double *q22,
                           const double *root, const double *nngp, double *of_nngp, double *of_dot)
{
  @STEM@_moved(n, q11, q12, q22, root, nngp, of_nngp, of_dot);
}
"""

_SLOPES = """
/* From the derivative dual, five rows of n: K_q11, K_q22, and the derivative dual's in q11, q12 and
 * q22; those in q11 and q22 at a fixed angle. */
void ntksym_units_polar@K@(size_t n, const double *q11, const double *q12, const double *q22,
                           const double *root, const double *dot, double *out)
{
  double part[5][SLOPE_LANES], rows[5 * SLOPE_LANES];
  for (size_t at = 0; at < n; at += SLOPE_LANES) {
    const size_t b = n - at < SLOPE_LANES ? n - at : SLOPE_LANES;
    @STEM@_slope_lanes(b, q11 + at, q12 + at, q22 + at, root + at, part);
    for (size_t l = 0; l < b; ++l) {
      const double first = ntksym_op_div0(0.5 * q12[at + l], q11[at + l]);
      const double second = ntksym_op_div0(0.5 * q12[at + l], q22[at + l]);
      rows[l] = part[0][l] + first * dot[at + l];
      rows[b + l] = part[1][l] + second * dot[at + l];
      rows[2 * b + l] = part[2][l] + first * part[3][l];
      rows[3 * b + l] = part[3][l];
      rows[4 * b + l] = part[4][l] + second * part[3][l];
    }
@FAR@    for (size_t i = 0; i < 5; ++i)
      for (size_t l = 0; l < b; ++l) out[i * n + at + l] = rows[i * b + l];
  }
}

/* Two rows of n: the slopes of both for u = v. */
void ntksym_units_side_slopes@K@(size_t n, const double *q, double *out)
{
  double part[2][SLOPE_LANES];
  for (size_t at = 0; at < n; at += SLOPE_LANES) {
    const size_t b = n - at < SLOPE_LANES ? n - at : SLOPE_LANES;
    @STEM@_side_slope_lanes(b, q + at, part);
    for (size_t i = 0; i < 2; ++i)
      for (size_t l = 0; l < b; ++l) out[i * n + at + l] = part[i][l];
  }
@FAR_SIDE@}
"""

_LARGE = """    @STEM@_large(b, q11 + at, q12 + at, q22 + at, root + at, rows);
"""

_SIDE_LARGE = """  @STEM@_side_large(n, q, out);
"""
