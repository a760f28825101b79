"""C for a network: the layer map once, the loop over layers outside, vector lanes inside."""

from __future__ import annotations

from ..lower.kernel import STATE
from ..lower.schedule import Schedule
from ._base import SourceFile, identifier
from .c import C, Contract, _wrap, extra_support, head, inline_function
from .c_header import HEADER_NAME

LANES = 64


def network_file(schedule: Schedule, contract: Contract) -> SourceFile:
    """The C file of a network.

    `ntksym_<name>_input` gives the four numbers of the first layer for an input dimension,
    `_diag` the diagonals of all layers, `_pairs` and `_tile` the kernels of pairs, and
    `ntksym_<name>` does it all for two matrices.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    name = identifier(schedule.name, set()).rstrip("_")
    pieces = [head(contract, schedule.programs)]
    pieces.append(f'#include "{HEADER_NAME}"\n#include <stdlib.h>\n')
    if support := extra_support(schedule.programs):
        pieces.append(support)
    pieces.append(_tables(schedule))
    pieces.append(inline_function(schedule.input, "input_rule"))
    for k, kind in enumerate(schedule.kinds):
        pieces.append(inline_function(kind.pair, f"layer{k}"))
        pieces.append(inline_function(kind.diag, f"layer{k}_diag"))
    values = "".join(f", {C.literal(v)}" for v in schedule.input_values)
    text = TEXT.replace("@NAME@", f"ntksym_{name}").replace("@INPUT_VALUES@", values)
    text = text.replace("@CASES@", _cases(schedule, pair=True))
    text = text.replace("@DIAG_CASES@", _cases(schedule, pair=False))
    text = text.replace("@COUNT@", str(len(schedule.steps)))
    pieces.append(text)
    return SourceFile(f"{name}.c", "\n".join(pieces))


def _width(schedule: Schedule, pair: bool) -> int:
    sizes = [len(s.pair_values if pair else s.diag_values) for s in schedule.steps]
    return max([1, *sizes])


def _tables(schedule: Schedule) -> str:
    """Constants: the number of layers, the kind and the values of each."""
    count = len(schedule.steps)
    text = f"enum {{ LAYERS = {count}, LANES = {LANES} }};\n\n"
    kinds = ", ".join(str(s.kind) for s in schedule.steps) or "0"
    text += f"static const unsigned char layer_kind[LAYERS + !LAYERS] = {{{kinds}}};\n"
    for title, pair in (("layer_value", True), ("layer_diag_value", False)):
        width = _width(schedule, pair)
        rows = []
        for s in schedule.steps:
            values = s.pair_values if pair else s.diag_values
            padded = [*values, *([0.0] * (width - len(values)))]
            rows.append("  {" + ", ".join(C.literal(v) for v in padded) + "}")
        text += f"static const double {title}[LAYERS + !LAYERS][{width}] = {{\n"
        text += (",\n".join(rows) or "  {0.0}") + "\n};\n"
    return text


def _cases(schedule: Schedule, pair: bool) -> str:
    text = ""
    for k, kind in enumerate(schedule.kinds):
        if pair:
            n = len(kind.pair.args) - len(STATE)
            start = f"layer{k}("
            state = ["x[i]", "c[i]", "y[i]", "root[i]", "t[i]", "nx[i]", "ny[i]"]
            state += ["rx[i]", "ry[i]", "sx[i]", "sy[i]"]
            items = state + [f"v[{j}]" for j in range(n)]
            items += ["&nc[i]", "&nt[i]", "&nroot[i]"]
        else:
            n = len(kind.diag.args) - 2
            start = f"layer{k}_diag("
            items = ["now[i]", "t[i]"] + [f"v[{j}]" for j in range(n)] + ["&next[i]", "&t[i]"]
        call = _wrap("          " + start, items).lstrip()
        text += f"      case {k}:\n        for (size_t i = 0; i < b; ++i)\n          {call};\n"
        text += "        break;\n"
    return text + "      default:\n        break;"


TEXT = r"""/* The first layer for inputs of dimension d: Sigma = in[0]*<x, y> + in[1] and
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
  const size_t b = n;
  double *t = ntk;
  for (size_t i = 0; i < n; ++i) {
    q[i] = in[0] * g[i] + in[1];
    t[i] = in[2] * g[i] + in[3];
  }
  for (size_t l = 0; l < @COUNT@; ++l) {
    const double *now = q + l * n;
    double *next = q + (l + 1) * n;
    const double *v = layer_diag_value[l];
    (void)v;
    switch (layer_kind[l]) {
@DIAG_CASES@
    }
  }
  for (size_t i = 0; i < (@COUNT@ + 1) * n; ++i) q[(@COUNT@ + 1) * n + i] = ntksym_op_sqrt0(q[i]);
}

/* Pairs: g12[i] = <x_i, y_i>.  The diagonal of layer l is qx[l*ldx + i*incx], and qy alike, so
 * that incx = 0 is one x against many y.  root is NULL, or the accurate
 * sqrt(q11*q22 - q12^2) of the first layer for nearly collinear inputs. */
void @NAME@_pairs(size_t n, const double *g12, const double *root0,
                  const double *qx, size_t incx, size_t ldx,
                  const double *qy, size_t incy, size_t ldy,
                  const double in[4], double *nngp, double *ntk)
{
  double x[LANES], y[LANES], nx[LANES], ny[LANES];
  double rx[LANES], ry[LANES], sx[LANES], sy[LANES];
  const double *px = qx + (@COUNT@ + 1) * ldx, *py = qy + (@COUNT@ + 1) * ldy;
  double c[LANES], t[LANES], root[LANES], nc[LANES], nt[LANES], nroot[LANES];
  for (size_t at = 0; at < n; at += LANES) {
    const size_t b = n - at < LANES ? n - at : LANES;
    for (size_t i = 0; i < b; ++i) {
      x[i] = qx[(at + i) * incx];
      y[i] = qy[(at + i) * incy];
      rx[i] = px[(at + i) * incx];
      ry[i] = py[(at + i) * incy];
      c[i] = in[0] * g12[at + i] + in[1];
      t[i] = in[2] * g12[at + i] + in[3];
    }
    if (root0)
      for (size_t i = 0; i < b; ++i) root[i] = root0[at + i];
    else
      for (size_t i = 0; i < b; ++i) root[i] = ntksym_op_rootdet(x[i], c[i], y[i]);
    for (size_t l = 0; l < @COUNT@; ++l) {
      const double *v = layer_value[l];
      (void)v;
      for (size_t i = 0; i < b; ++i) {
        nx[i] = qx[(l + 1) * ldx + (at + i) * incx];
        ny[i] = qy[(l + 1) * ldy + (at + i) * incy];
        sx[i] = px[(l + 1) * ldx + (at + i) * incx];
        sy[i] = py[(l + 1) * ldy + (at + i) * incy];
      }
      switch (layer_kind[l]) {
@CASES@
      }
      for (size_t i = 0; i < b; ++i) {
        x[i] = nx[i];
        y[i] = ny[i];
        rx[i] = sx[i];
        ry[i] = sy[i];
        c[i] = nc[i];
        t[i] = nt[i];
        root[i] = nroot[i];
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

/* Kernels of the rows of x (n x d) and y (m x d) into nngp and ntk (n x m), all by rows.
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
