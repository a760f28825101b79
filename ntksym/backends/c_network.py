"""C for a network: the layer map once, the loop over layers outside, vector lanes inside."""

from __future__ import annotations

from ..lower.near import formed
from ..lower.schedule import Kind, Schedule
from ._base import SourceFile, identifier
from .c import (
    C_FLOAT,
    C_MIXED,
    C,
    CBackend,
    Contract,
    extra_support,
    head,
    inline_function,
    single_is_enough,
)
from .c_blocks import LANES, WIDE, block_function
from .c_header import HEADER_NAME
from .c_layers import LayerText
from .c_near import near_call, near_functions, near_lanes
from .c_start import start_functions
from .near import NOTE

ROWS = 8
"""Rows of a tile that share the features of a block of columns."""

SHALLOW = 6
"""The largest depth for float arithmetic throughout: its errors, up to 1e-7 a layer, add up."""

DEEP = 12
"""The largest depth for variances and angles in float, unless an angle follows from the one before
exactly: errors of 1e-7 a layer grow where inputs that differ are driven apart."""


def floats_will_do(schedule: Schedule) -> bool:
    """Whether float results may come from float products and float layers."""
    exact = all(single_is_enough(k.pair) and not formed(k.pair) for k in schedule.kinds)
    return exact or len(schedule.steps) <= DEEP


def network_file(schedule: Schedule, contract: Contract) -> SourceFile:
    """The C file of a network.

    `ntksym_<name>_input` gives the four numbers of the first layer for an input dimension,
    `_diag` the diagonals of all layers, `_pairs` and `_tile` the kernels of pairs, `_pairs_f32`
    and `_tile_f32` the same on floats, and `ntksym_<name>` does it all for two matrices.

    Float arithmetic is used where the accuracy table allows it for every layer and the network
    is shallow; in deep ones only for the angles; else everything between the arrays is double.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    name = identifier(schedule.name, set()).rstrip("_")
    programs = (*schedule.programs, *schedule.near_programs)
    top, near = head(contract, programs), schedule.near_kinds
    if near:
        top = top.removesuffix(" */\n") + " *\n" + "".join(f" * {n}\n" for n in NOTE) + " */\n"
    pieces = [top, f'#include "{HEADER_NAME}"\n#include <stdlib.h>\n']
    if support := extra_support(programs):
        pieces.append(support)
    native = all(single_is_enough(k.pair) for k in schedule.kinds)
    pieces.append(_tables(schedule, native and len(schedule.steps) <= SHALLOW))
    pieces.append(inline_function(schedule.input, "input_rule", C))
    for k, kind in enumerate(schedule.kinds):
        pieces.append(_diag_function(k, kind))
    values = "".join(f", {C.literal(v)}" for v in schedule.input_values)
    text = FIRST_TEXT.replace("@INPUT_VALUES@", values)
    pieces.append(text.replace("@DIAG_CASES@", _diag_cases(schedule)))
    pieces += [near_functions(schedule)] if near else []
    doubles = [LayerText(k, kind, C) for k, kind in enumerate(schedule.kinds)]
    c = (C_FLOAT if len(schedule.steps) <= SHALLOW else C_MIXED) if native else C
    pieces += [start_functions("double", "double", ""), start_functions(c.real, "float", "_f32")]
    floats = [LayerText(k, kind, c) for k, kind in enumerate(schedule.kinds)]
    pieces += [layer.functions() for layer in doubles]
    pieces.append(_loops(doubles, C, "double", "", near))
    if native:
        pieces += [layer.functions() for layer in floats]
    pieces.append(_loops(floats if native else doubles, c, "float", "_f32", near))
    pieces.append(TEXT)
    whole = "\n".join(pieces).replace("@NAME@", f"ntksym_{name}")
    return SourceFile(f"{name}.c", whole.replace("@COUNT@", str(len(schedule.steps))))


def _loops(
    layers: list[LayerText], c: CBackend, stored: str, suffix: str, near: tuple[int, ...]
) -> str:
    """The functions `_pairs` and `_tile` on arrays of one type, with arithmetic of another."""
    tile, pairs = "", ""
    for k, layer in enumerate(layers):
        start, end = f"      case {k}: {{\n", "        break;\n      }\n"
        tile += start + _tile_case(layer, k in near) + end
        pairs += start + _pair_case(layer, k in near) + end
    width = max([1, *(layer.width for layer in layers)])
    swap = any(layer.staged or k in near for k, layer in enumerate(layers))
    text = (near_lanes(stored) if near else "") + LOOPS
    text = text.replace("@TILE_CASES@", tile.rstrip("\n"))
    text = text.replace("@PAIR_CASES@", pairs.rstrip("\n"))
    text = text.replace("@SPARE_FIRST@", "  Real fr[@WIDTH@][LANES];\n" if swap else "")
    text = text.replace("@SPARE@", "  Real next[3][LANES];\n" if swap else "")
    text = text.replace("@WIDTH@", str(width)).replace("@S@", suffix)
    return (
        text.replace("@VALUES@", "layer_value_f32" if c is C_FLOAT else "layer_value")
        .replace("Stored", stored)
        .replace("Real", c.real)
    )


def _side(layer: LayerText, which: int, count: str, q: str, inc: str, ld: str) -> str:
    """The lines that load the quantities of `count` points and call for their features."""
    call = layer.side(which, count)
    if not call:
        return ""
    return f"        load_side@S@({count}, {q}, {inc}, {ld}, l, side);\n        {call}\n"


def _tile_case(layer: LayerText, near: bool) -> str:
    text = _side(layer, 0, "rows", "qx", "1", "ldx") + _side(layer, 1, "b", "qy", "incy", "ldy")
    count = len(layer.parts.features[0]) + 3 * layer.scaled
    text += (
        "        for (size_t r = 0; r < rows; ++r) {\n          Real (*now)[LANES] = state[r];\n"
    )
    if layer.staged:
        if count:
            text += f"          for (size_t k = 0; k < {count}; ++k)\n"
            text += "            for (size_t i = 0; i < LANES; ++i) fr[k][i] = fx[k][r];\n"
        text += f"          {layer.name}(b, fr, fy, now, v, next);\n"
    else:
        if count:
            firsts = ", ".join(f"x{k} = fx[{k}][r]" for k in range(count))
            text += f"          const Real {firsts};\n"
        text += layer.loops("x@", "          ", "next" if near else "now")
    if near:
        text += "          " + near_call("qx + r", "0").replace("@AT@", "")
    if layer.staged or near:
        text += "          memcpy(now, next, sizeof next);\n"
    return text + "        }\n"


def _pair_case(layer: LayerText, near: bool) -> str:
    text = _side(layer, 0, "b", "qx + at * incx", "incx", "ldx")
    text += _side(layer, 1, "b", "qy + at * incy", "incy", "ldy")
    if layer.staged:
        text += f"        {layer.name}(b, fx, fy, now, v, next);\n"
    else:
        text += layer.loops("fx[@][i]", "        ", "next" if near else "now")
    if near:
        text += "        " + near_call("qx + at * incx", "incx").replace("@AT@", " + at * incy")
    if layer.staged or near:
        text += "        memcpy(now, next, sizeof next);\n"
    return text


def _width(schedule: Schedule, pair: bool) -> int:
    sizes = [len(s.pair_values if pair else s.diag_values) for s in schedule.steps]
    return max([1, *sizes])


def _tables(schedule: Schedule, native: bool) -> str:
    """Constants: the number of layers, the kind and the values of each."""
    count = len(schedule.steps)
    text = f"enum {{ LAYERS = {count}, LANES = {LANES}, ROWS = {ROWS}, WIDE = {WIDE} }};\n\n"
    kinds = ", ".join(str(s.kind) for s in schedule.steps) or "0"
    text += f"static const unsigned char layer_kind[LAYERS + !LAYERS] = {{{kinds}}};\n"
    tables = [("layer_value", True, C), ("layer_diag_value", False, C)]
    if native:
        tables.append(("layer_value_f32", True, C_FLOAT))
    if schedule.near_kinds:
        flags = ", ".join(str(int(carried)) for carried in schedule.carries)
        text += f"static const unsigned char layer_near[LAYERS + !LAYERS] = {{{flags}}};\n"
    for title, pair, c in tables:
        width = _width(schedule, pair)
        rows = []
        for s in schedule.steps:
            values = s.pair_values if pair else s.diag_values
            padded = [*values, *([0.0] * (width - len(values)))]
            rows.append("  {" + ", ".join(c.literal(v) for v in padded) + "}")
        text += f"static const {c.real} {title}[LAYERS + !LAYERS][{width}] = {{\n"
        text += (",\n".join(rows) or "  {0}") + "\n};\n"
    return text


def _diag_function(k: int, kind: Kind) -> str:
    """The function of one kind of layer on a block of diagonal entries."""
    places = {"q": "now_[0][i]", "t12": "now_[1][i]"}
    places |= {a: f"v_[{j}]" for j, a in enumerate(kind.diag.args[2:])}
    ends = {"nngp": "next_[0][i]", "ntk": "next_[1][i]"}
    rows = [f"double (*restrict {a})[{LANES}]" for a in ("now_", "next_")]
    signature = [rows[0], "const double *v_", rows[1]]
    return block_function(kind.diag, f"layer{k}_diag", signature, places, ends, C)


def _diag_cases(schedule: Schedule) -> str:
    text = ""
    for k in range(len(schedule.kinds)):
        text += f"        case {k}:\n          layer{k}_diag(b, now, v, next);\n          break;\n"
    return text + "        default:\n          break;"


FIRST_TEXT = r"""/* The first layer for inputs of dimension d: Sigma = in[0]*<x, y> + in[1] and
 * Theta = in[2]*<x, y> + in[3]. */
void @NAME@_input(size_t d, double in[4])
{
  input_rule((double)d@INPUT_VALUES@, &in[0], &in[1], &in[2], &in[3]);
}

/* Number of layers. */
size_t @NAME@_layers(void) { return @COUNT@; }

/* Diagonals: g[i] = <x_i, x_i>; q has 2*(layers + 1) rows of n elements: Sigma(x, x) of
 * the first layer and after each layer, then the square roots of all these; ntk has n elements. */
void @NAME@_diag(size_t n, const double *g, const double in[4], double *q, double *ntk)
{
  double now[2][LANES], next[2][LANES];
  for (size_t at = 0; at < n; at += LANES) {
    const size_t b = n - at < LANES ? n - at : LANES;
    for (size_t i = 0; i < b + (WIDE - 1) && i < LANES; ++i) {
      const double x = g[at + (i < b ? i : b - 1)];
      now[0][i] = in[0] * x + in[1];
      now[1][i] = in[2] * x + in[3];
    }
    for (size_t i = 0; i < b; ++i) q[at + i] = now[0][i];
    for (size_t l = 0; l < @COUNT@; ++l) {
      const double *v = layer_diag_value[l];
      (void)v;
      switch (layer_kind[l]) {
@DIAG_CASES@
      }
      for (size_t i = 0; i < b; ++i) q[(l + 1) * n + at + i] = next[0][i];
      memcpy(now, next, sizeof now);
    }
    for (size_t i = 0; i < b; ++i) ntk[at + i] = now[1][i];
  }
  for (size_t i = 0; i < (@COUNT@ + 1) * n; ++i) q[(@COUNT@ + 1) * n + i] = ntksym_op_sqrt0(q[i]);
}
"""

LOOPS = r"""/* The four rows of layer l of b points: q, the next q, and the roots of both.  The last
 * point is repeated up to a multiple of WIDE. */
NTKSYM_BLOCK_FUNCTION void load_side@S@(size_t b, const Stored *q, size_t inc, size_t ld,
                                        size_t l, Real (*restrict side)[LANES])
{
  const size_t at[4] = {l, l + 1, @COUNT@ + 1 + l, @COUNT@ + 2 + l};
  for (size_t k = 0; k < 4; ++k) {
    const Stored *from = q + at[k] * ld;
    for (size_t i = 0; i < b; ++i) side[k][i] = (Real)from[i * inc];
    for (size_t i = b; i % WIDE; ++i) side[k][i] = side[k][b - 1];
  }
}

/* Up to ROWS x LANES pairs: rows of x against a block of y. */
NTKSYM_BLOCK_FUNCTION void block@S@(size_t rows, size_t b, const Stored *g12, size_t ldg,
                                    const Stored *root0, const Stored *qx, size_t ldx,
                                    const Stored *qy, size_t incy, size_t ldy,
                                    const double in[4], Stored *nngp, Stored *ntk, size_t ldo)
{
  Real state[ROWS][3][LANES], side[4][LANES], fx[@WIDTH@][LANES], fy[@WIDTH@][LANES];
@SPARE_FIRST@@SPARE@  const size_t m = (b + (WIDE - 1)) & ~(size_t)(WIDE - 1);
  const Real a0 = (Real)in[0], a1 = (Real)in[1], a2 = (Real)in[2], a3 = (Real)in[3];
  Real sx[3][LANES], sy[3][LANES];
  if (!root0) {
    start_side@S@(rows, qx, 1, sx);
    start_side@S@(b, qy, incy, sy);
  }
  for (size_t r = 0; r < rows; ++r) {
    const Stored *g = g12 + r * ldg;
    Real (*now)[LANES] = state[r];
    for (size_t i = 0; i < b; ++i) {
      now[0][i] = a0 * g[i] + a1;
      now[2][i] = a2 * g[i] + a3;
    }
    for (size_t i = b; i < m; ++i) {
      now[0][i] = now[0][b - 1];
      now[2][i] = now[2][b - 1];
    }
    if (root0)
      for (size_t i = 0; i < m; ++i) now[1][i] = root0[i < b ? i : b - 1];
    else {
      const Real down = sx[0][r], q1 = sx[1][r], up = sx[2][r];
      for (size_t i = 0; i < m; ++i)
        now[1][i] = scaled_root@S@(now[0][i], down, q1, up, sy[0][i], sy[1][i], sy[2][i]);
    }
  }
  for (size_t l = 0; l < @COUNT@; ++l) {
    const Real *v = @VALUES@[l];
    (void)v;
    switch (layer_kind[l]) {
@TILE_CASES@
      default:
        break;
    }
  }
  for (size_t r = 0; r < rows; ++r) {
    for (size_t i = 0; i < b; ++i) nngp[r * ldo + i] = (Stored)state[r][0][i];
    for (size_t i = 0; i < b; ++i) ntk[r * ldo + i] = (Stored)state[r][2][i];
  }
  (void)fx;
  (void)fy;
  (void)side;
}

/* Pairs: g12[i] = <x_i, y_i>.  The diagonal of layer l is qx[l*ldx + i*incx], and qy alike, so
 * that incx = 0 is one x against many y.  root is NULL, or the accurate
 * sqrt(q11*q22 - q12^2) of the first layer for nearly collinear inputs. */
void @NAME@_pairs@S@(size_t n, const Stored *g12, const Stored *root0,
                     const Stored *qx, size_t incx, size_t ldx,
                     const Stored *qy, size_t incy, size_t ldy,
                     const double in[4], Stored *nngp, Stored *ntk)
{
  Real now[3][LANES], side[4][LANES], fx[@WIDTH@][LANES], fy[@WIDTH@][LANES];
@SPARE@  for (size_t at = 0; at < n; at += LANES) {
    const size_t b = n - at < LANES ? n - at : LANES;
    const size_t m = (b + (WIDE - 1)) & ~(size_t)(WIDE - 1);
    if (incx == 0) {
      block@S@(1, b, g12 + at, 0, root0 ? root0 + at : NULL, qx, ldx, qy + at * incy, incy, ldy,
               in, nngp + at, ntk + at, 0);
      continue;
    }
    for (size_t i = 0; i < b; ++i) {
      const double g = (double)g12[at + i], q12 = in[0] * g + in[1];
      now[0][i] = (Real)q12;
      now[2][i] = (Real)(in[2] * g + in[3]);
      now[1][i] = root0 ? (Real)root0[at + i]
                        : (Real)ntksym_op_rootdet((double)qx[(at + i) * incx], q12,
                                                  (double)qy[(at + i) * incy]);
    }
    for (size_t k = 0; k < 3; ++k)
      for (size_t i = b; i < m; ++i) now[k][i] = now[k][b - 1];
    for (size_t l = 0; l < @COUNT@; ++l) {
      const Real *v = @VALUES@[l];
      (void)v;
      switch (layer_kind[l]) {
@PAIR_CASES@
        default:
          break;
      }
    }
    for (size_t i = 0; i < b; ++i) {
      nngp[at + i] = (Stored)now[0][i];
      ntk[at + i] = (Stored)now[2][i];
    }
  }
  (void)fx;
  (void)fy;
  (void)side;
}

/* A tile of n x m pairs: row i of g12, nngp, ntk starts at i*ldg and i*ldo. */
void @NAME@_tile@S@(size_t n, size_t m, const Stored *g12, size_t ldg,
                    const Stored *qx, size_t ldx, const Stored *qy, size_t ldy,
                    const double in[4], Stored *nngp, Stored *ntk, size_t ldo)
{
  for (size_t j = 0; j < m; j += LANES)
    for (size_t i = 0; i < n; i += ROWS)
      block@S@(n - i < ROWS ? n - i : ROWS, m - j < LANES ? m - j : LANES, g12 + i * ldg + j, ldg,
               NULL, qx + i, ldx, qy + j, 1, ldy, in, nngp + i * ldo + j, ntk + i * ldo + j, ldo);
}
"""

TEXT = r"""/* Kernels of the rows of x (n x d) and y (m x d) into nngp and ntk (n x m), all by rows.
 * Returns 0, or 1 when memory ran out.  Inner products are plain sums; use _tile with a matrix
 * product of your own where speed matters. */
int @NAME@(size_t n, size_t m, size_t d, const double *x, const double *y,
           double *nngp, double *ntk)
{
  double in[4];
  double *g = malloc((n + m) * sizeof *g + 1);
  double *q = malloc((n + m) * 2 * (@COUNT@ + 1) * sizeof *q + 1);
  double *row = malloc((m > n ? m : n) * sizeof *row + 1);
  if (!g || !q || !row) {
    free(g);
    free(q);
    free(row);
    return 1;
  }
  @NAME@_input(d, in);
  for (size_t i = 0; i < n + m; ++i) {
    const double *v = i < n ? x + i * d : y + (i - n) * d;
    g[i] = 0.0;
    for (size_t k = 0; k < d; ++k) g[i] += v[k] * v[k];
  }
  @NAME@_diag(n, g, in, q, row);
  @NAME@_diag(m, g + n, in, q + n * 2 * (@COUNT@ + 1), row);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < m; ++j) {
      row[j] = 0.0;
      for (size_t k = 0; k < d; ++k) row[j] += x[i * d + k] * y[j * d + k];
    }
    @NAME@_pairs(m, row, NULL, q + i, 0, n, q + n * 2 * (@COUNT@ + 1), 1, m, in,
                 nngp + i * m, ntk + i * m);
  }
  free(g);
  free(q);
  free(row);
  return 0;
}
"""
