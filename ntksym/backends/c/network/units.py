"""C for duals that are units: a dual on arrays, and a network with the loop over layers outside.

The entry points of a network are those of `c.network.file`: `_input`, `_layers`, `_diag`, `_pairs`,
`_tile` and the one for two matrices.
"""

from __future__ import annotations

from ....lower.program import Program
from ..._base import SourceFile, identifier
from ...near import GROWING, LOUD, NEAR, NOISE, SURE
from ...unit import DualUnit
from ...unit_schedule import UnitSchedule, labelled
from ..backend import C, Contract, extra_support, head, head_rows, inline_function
from ..blocks import LANES
from ..helpers.header import HEADER_NAME
from .near_text import c_near
from .numbers import SETTER, kept_numbers
from .text import WHOLE

STRIP = 256
"""Entries between two layers: long enough that what a unit does once per call is small."""


def dual_file(name: str, unit: DualUnit, contract: Contract) -> SourceFile:
    """The C file of a dual: `ntksym_<name>`, `_pairs`, `_rows` and `_diag`.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    safe = identifier(name, set()).rstrip("_")
    pieces = [_head(contract, labelled("dual", unit), unit.programs), f'#include "{HEADER_NAME}"\n']
    if support := extra_support(unit.programs):
        pieces.append(support)
    pieces += [f"enum {{ STRIP = {STRIP} }};\n", unit.c_functions("dual")]
    pieces.append(_DUAL.replace("@NAME@", f"ntksym_{safe}"))
    return SourceFile(f"{safe}.c", "\n".join(pieces))


def network_file(schedule: UnitSchedule, contract: Contract) -> SourceFile:
    """The C file of a network.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    name = identifier(schedule.name, set()).rstrip("_")
    pieces = [_head(contract, schedule.notes, schedule.programs)]
    pieces.append(f'#include "{HEADER_NAME}"\n#include <stdlib.h>\n')
    if support := extra_support(schedule.programs):
        pieces.append(support)
    pieces.append(_tables(schedule))
    pieces.append(inline_function(schedule.input, "input_rule"))
    pieces += [unit.c_functions(f"dual{k}") for k, unit in enumerate(schedule.kinds)]
    pieces.append(_switch(len(schedule.kinds)))
    pieces += (
        [c_near(_NEAR_CALLS.replace("@LANES@", str(LANES)), _flags(schedule))]
        if schedule.carries
        else []
    )
    mended = _MENDED.replace("@NEAR@", repr(NEAR)).replace("@GROWING@", repr(GROWING))
    mended = mended.replace("@SURE@", repr(SURE))
    mended = (
        mended.replace("@LOUD@", repr(LOUD))
        .replace("@NOISE@", repr(NOISE))
        .replace("@LANES@", str(LANES))
    )
    mended = mended if schedule.carries else ""
    whole = WHOLE.replace("@ROWS@", "2 * ((size_t)LAYERS + 1)")
    text = f"{_NETWORK}\n{whole}".replace("@MENDED@", mended)
    for mark, found in zip(("@INPUT_VALUES@", "@PAIR@", "@DIAG@"), _places(schedule), strict=True):
        text = text.replace(mark, found)
    text = (text if schedule.numbered else text + SETTER).replace("@NAME@", f"ntksym_{name}")
    pieces.append(text)
    return SourceFile(f"{name}.c", "\n".join(pieces))


def _head(contract: Contract, notes: tuple[str, ...], programs: tuple[Program, ...]) -> str:
    """The head comment, with what the units say: proven bounds and ranges."""
    body = head(contract, programs).removesuffix(" */\n")
    lines = [line for note in notes for line in head_rows(note)]
    return body + " *\n" + "".join(f" * {line}".rstrip() + "\n" for line in lines) + " */\n"


def _tables(schedule: UnitSchedule) -> str:
    """Constants: the number of layers, the kind and the numbers of each."""
    text = f"enum {{ LAYERS = {len(schedule.steps)}, STRIP = {STRIP} }};\n\n"
    kinds = ", ".join(str(s.kind) for s in schedule.steps)
    text += f"static const int layer_kind[LAYERS] = {{{kinds}}};\n"
    rows = [("vanishes", [int(s.vanishes) for s in schedule.steps])]
    if schedule.carries:
        rows += [("near", [s.carried for s in schedule.steps])]
        rows += [("straight", [int(s.straight) for s in schedule.steps])]
    for title, flags in rows:
        numbers = ", ".join(str(f) for f in flags)
        text += f"static const int layer_{title}[LAYERS] = {{{numbers}}};\n"
    if not schedule.numbered:
        return text + kept_numbers(len(schedule.numbers))
    for title, pair in (("layer_value", True), ("layer_diag_value", False)):
        lines = []
        for s in schedule.steps:
            five = s.pair if pair else s.diag
            lines.append("  {" + ", ".join(C.literal(v) for v in five) + "}")
        text += f"static const double {title}[LAYERS][5] = {{\n" + ",\n".join(lines) + "\n};\n"
    return text


def _places(schedule: UnitSchedule) -> tuple[str, str, str]:
    """The arguments of the rule of the first layer after `d`; where the numbers of layer l start,
    for pairs and for diagonals.
    """
    if schedule.numbered:
        values = "".join(f", {C.literal(v)}" for v in schedule.input_values)
        return values, "layer_value[l]", "layer_diag_value[l]"
    kept, count = "layer_numbers(NULL)", len(schedule.input_values)
    values = "".join(f", {kept}[{k}]" for k in range(count))
    return values, f"{kept} + {count} + 5 * l", f"{kept} + {count} + 5 * (LAYERS + l)"


def _flags(schedule: UnitSchedule) -> str:
    """No kind is known to be smooth."""
    zeros = ", ".join("0" for _ in schedule.kinds)
    known = {s.kind: s.far for s in schedule.steps}
    far = ", ".join(C.literal(known[k]) for k in range(len(schedule.kinds)))
    never = ", ".join("INFINITY" for _ in schedule.kinds)
    return (
        f"static const unsigned char near_smooth[] = {{{zeros}}};\n"
        f"static const double near_far[] = {{{far}}};\n"
        f"static const double near_loose[] = {{{never}}};\n"
    )


def _switch(count: int) -> str:
    """Which unit: one function for pairs, one for diagonals."""
    pairs = "".join(
        f"  case {k}: dual{k}_pairs(n, q11, q12, q22, root, nngp, dot); break;\n"
        for k in range(count)
    )
    diag = "".join(f"  case {k}: dual{k}_diag(n, q, nngp, dot); break;\n" for k in range(count))
    return _SWITCH.replace("@PAIRS@", pairs).replace("@DIAG@", diag)


_SWITCH = """static void dual_pairs(int kind, size_t n, const double *q11, const double *q12,
                       const double *q22, const double *root, double *nngp, double *dot)
{
  switch (kind) {
@PAIRS@  default: break;
  }
}

static void dual_diag(int kind, size_t n, const double *q, double *nngp, double *dot)
{
  switch (kind) {
@DIAG@  default: break;
  }
}
"""

_NEAR_CALLS = """/* The slope of a unit for nearly parallel pairs, times the variance of weights. */
static void near_pairs(int kind, const double *v, size_t n, const double *q11, const double *q12,
                       const double *q22, const double *root, double *slope)
{
  double value[@LANES@];
  dual_pairs(kind, n, q11, q12, q22, root, value, slope);
  for (size_t i = 0; i < n; ++i) slope[i] *= v[1];
  for (size_t i = n; i % 8; ++i) slope[i] = slope[n - 1];
}

static double near_diag(int kind, const double *v, double q)
{
  double value, slope;
  dual_diag(kind, 1, &q, &value, &slope);
  return v[1] * value;
}
"""

_MENDED = """      if (layer_near[l]) {
        const double *rx = qx + (LAYERS + 1 + l) * ldx + at * incx, *sx = rx + ldx;
        const double *ry = qy + (LAYERS + 1 + l) * ldy + at * incy, *sy = ry + ldy;
        const double *lastx = qx + (2 * LAYERS + 1) * ldx + at * incx;
        const double *lasty = qy + (2 * LAYERS + 1) * ldy + at * incy;
        int any = 0, near[STRIP];
        for (size_t i = 0; i < b; ++i) {
          const double size = sx[i * incx] * sy[i * incy], before = rx[i * incx] * ry[i * incy];
          const double grown = after[i] / size, was = root[i] / before;
          const int grows = grown * grown + @NOISE@ > was * was;
          const int loud = (size > @LOUD@) | (lastx[i * incx] * lasty[i * incy] > @LOUD@);
          const double least = (layer_near[l] & 2) | loud ? @NEAR@ : 0.0;
          near[i] = (after[i] < (grows ? @GROWING@ : least) * size) & (next[i] > 0.0);
          any |= near[i];
        }
        for (size_t i = 0; any && i < b;) {
          double p[6][@LANES@], found[@LANES@];
          size_t place[@LANES@], count = 0;
          for (; i < b && count < @LANES@; ++i) {
            const int same = (root[i] == 0.0) & (x[i] == y[i]);
            if (!near[i] || same) continue;
            p[0][count] = x[i];
            p[1][count] = c[i];
            p[2][count] = y[i];
            p[3][count] = root[i];
            p[4][count] = qx[(l + 1) * ldx + (at + i) * incx];
            p[5][count] = qy[(l + 1) * ldy + (at + i) * incy];
            found[count] = after[i];
            place[count++] = i;
          }
          if (!count) continue;
          near_roots(layer_kind[l], v, layer_straight[l] ? v[0] : NAN, count, p, found);
          for (size_t k = 0; k < count; ++k) {
            const size_t j = place[k];
            after[j] = found[k];
            next[j] = near_covariance(sx[j * incx] * sy[j * incy], found[k], @SURE@, next[j]);
          }
        }
      }
"""

_DUAL = """/* Pairs with the accurate sqrt(q11*q22 - q12^2) given. */
void @NAME@_pairs(size_t n, const double *q11, const double *q12, const double *q22,
                  const double *root, double *nngp, double *dot)
{
  dual_pairs(n, q11, q12, q22, root, nngp, dot);
}

/* One x against n of y: variances x and y[i], covariances c[i]; root is NULL, or the accurate
 * sqrt(x*y - c*c) for nearly collinear inputs. */
void @NAME@_rows(size_t n, double x, const double *c, const double *y, const double *root,
                 double *nngp, double *dot)
{
  double xs[STRIP], roots[STRIP];
  for (size_t l = 0; l < STRIP; ++l) xs[l] = x;
  for (size_t at = 0; at < n; at += STRIP) {
    const size_t b = n - at < STRIP ? n - at : STRIP;
    for (size_t l = 0; l < b; ++l)
      roots[l] = root ? root[at + l] : ntksym_op_rootdet(x, c[at + l], y[at + l]);
    dual_pairs(b, xs, c + at, y + at, roots, nngp + at, dot + at);
  }
}

/* The dual and the derivative dual at n covariances. */
void @NAME@(size_t n, const double *q11, const double *q12, const double *q22,
            double *nngp, double *dot)
{
  double roots[STRIP];
  for (size_t at = 0; at < n; at += STRIP) {
    const size_t b = n - at < STRIP ? n - at : STRIP;
    for (size_t l = 0; l < b; ++l)
      roots[l] = ntksym_op_rootdet(q11[at + l], q12[at + l], q22[at + l]);
    dual_pairs(b, q11 + at, q12 + at, q22 + at, roots, nngp + at, dot + at);
  }
}

/* The same on the diagonal q11 = q22 = q12 = q. */
void @NAME@_diag(size_t n, const double *q, double *nngp, double *dot)
{
  dual_diag(n, q, nngp, dot);
}
"""

_NETWORK = r"""/* The first layer for inputs of dimension d: Sigma = in[0]*<x, y> + in[1] and
 * Theta = in[2]*<x, y> + in[3]. */
void @NAME@_input(size_t d, double in[4])
{
  input_rule((double)d@INPUT_VALUES@, &in[0], &in[1], &in[2], &in[3]);
}

/* Number of layers. */
size_t @NAME@_layers(void) { return LAYERS; }

/* Diagonals: g[i] = <x_i, x_i>; q has 2*(layers + 1) rows of n elements: Sigma(x, x) of
 * the first layer and after each layer, then the square roots of all these; ntk has n elements. */
void @NAME@_diag(size_t n, const double *g, const double in[4], double *q, double *ntk)
{
  double value[STRIP], slope[STRIP];
  for (size_t i = 0; i < n; ++i) {
    q[i] = in[0] * g[i] + in[1];
    ntk[i] = in[2] * g[i] + in[3];
  }
  for (size_t l = 0; l < LAYERS; ++l) {
    const double *now = q + l * n, *v = @DIAG@;
    double *next = q + (l + 1) * n;
    for (size_t at = 0; at < n; at += STRIP) {
      const size_t b = n - at < STRIP ? n - at : STRIP;
      dual_diag(layer_kind[l], b, now + at, value, slope);
      if (layer_vanishes[l])
        for (size_t i = 0; i < b; ++i)
          if ((now[at + i] == 0.0) & (ntk[at + i] == 0.0)) value[i] = slope[i] = 0.0;
      for (size_t i = 0; i < b; ++i) {
        next[at + i] = v[0] + v[1] * value[i];
        ntk[at + i] = v[2] + v[3] * value[i] + v[4] * slope[i] * ntk[at + i];
      }
    }
  }
  for (size_t i = 0; i < (LAYERS + 1) * n; ++i) q[(LAYERS + 1) * n + i] = ntksym_op_sqrt0(q[i]);
}

/* Pairs: g12[i] = <x_i, y_i>.  The diagonal of layer l is qx[l*ldx + i*incx], and qy alike, so
 * that incx = 0 is one x against many y.  root0 is NULL, or the accurate
 * sqrt(q11*q22 - q12^2) of the first layer for nearly collinear inputs.
 * Equal inputs stay equal at any depth: their covariance is the diagonal, rounding included.
 * After a layer |Sigma(x, y)| is at most sqrt(Sigma(x, x) Sigma(y, y)), which the errors of the
 * three may exceed: bringing it down to that adds no error, it is at most the largest of theirs.
 * (A few units of rounding more, so that equal and opposite inputs stay exactly that.) */
void @NAME@_pairs(size_t n, const double *g12, const double *root0,
                  const double *qx, size_t incx, size_t ldx,
                  const double *qy, size_t incy, size_t ldy,
                  const double in[4], double *nngp, double *ntk)
{
  double x[STRIP], y[STRIP], c[STRIP], t[STRIP], root[STRIP], value[STRIP], slope[STRIP];
  double next[STRIP], after[STRIP], next_x[STRIP], next_y[STRIP], most[STRIP];
  for (size_t at = 0; at < n; at += STRIP) {
    const size_t b = n - at < STRIP ? n - at : STRIP;
    for (size_t i = 0; i < b; ++i) {
      x[i] = qx[(at + i) * incx];
      y[i] = qy[(at + i) * incy];
      c[i] = in[0] * g12[at + i] + in[1];
      t[i] = in[2] * g12[at + i] + in[3];
    }
    if (root0)
      for (size_t i = 0; i < b; ++i) root[i] = root0[at + i];
    else
      for (size_t i = 0; i < b; ++i) root[i] = ntksym_op_rootdet(x[i], c[i], y[i]);
    for (size_t l = 0; l < LAYERS; ++l) {
      const double *v = @PAIR@;
      dual_pairs(layer_kind[l], b, x, c, y, root, value, slope);
      if (layer_vanishes[l])
        for (size_t i = 0; i < b; ++i)
          if (((x[i] == 0.0) | (y[i] == 0.0)) & (t[i] == 0.0)) value[i] = slope[i] = 0.0;
      for (size_t i = 0; i < b; ++i) {
        next_x[i] = qx[(l + 1) * ldx + (at + i) * incx];
        next_y[i] = qy[(l + 1) * ldy + (at + i) * incy];
        most[i] = (1.0 + 0x1p-50) * qx[(LAYERS + 2 + l) * ldx + (at + i) * incx] *
                  qy[(LAYERS + 2 + l) * ldy + (at + i) * incy];
      }
      for (size_t i = 0; i < b; ++i) {
        const int same = (root[i] == 0.0) & (x[i] == y[i]) & (c[i] > 0.0);
        const double found = v[0] + v[1] * value[i];
        const double kept = found > most[i] ? most[i] : found < -most[i] ? -most[i] : found;
        next[i] = same ? next_x[i] : kept;
        t[i] = v[2] + v[3] * value[i] + v[4] * slope[i] * t[i];
      }
      /* Apart, so that all of it is vector code: a root under a condition is not. */
      for (size_t i = 0; i < b; ++i)
        after[i] = ntksym_op_rootdet(next_x[i], next[i], next_y[i]);
      for (size_t i = 0; i < b; ++i)
        after[i] = ((root[i] == 0.0) & (x[i] == y[i]) & (c[i] > 0.0)) ? 0.0 : after[i];
@MENDED@      for (size_t i = 0; i < b; ++i) {
        x[i] = next_x[i];
        y[i] = next_y[i];
        c[i] = next[i];
        root[i] = after[i];
      }
    }
    for (size_t i = 0; i < b; ++i) {
      nngp[at + i] = c[i];
      ntk[at + i] = t[i];
    }
  }
}

/* A tile of n x m pairs: row i of g12, nngp, ntk starts at i*ldg and i*ldo. */
void @NAME@_tile(size_t n, size_t m, const double *g12, size_t ldg,
                 const double *qx, size_t ldx, const double *qy, size_t ldy,
                 const double in[4], double *nngp, double *ntk, size_t ldo)
{
  for (size_t i = 0; i < n; ++i)
    @NAME@_pairs(m, g12 + i * ldg, NULL, qx + i, 0, ldx, qy, 1, ldy, in,
                 nngp + i * ldo, ntk + i * ldo);
}
"""
