"""C for sums of Chebyshev polynomials in two variances and the angle: `numeric.table.chebyshev`.

Variances of one row being equal, their polynomials are summed once a row; then entries go through
in lanes, those of either sign of q12 together.
"""

from __future__ import annotations

from dataclasses import dataclass

from ....numeric.table.chebyshev import ChebyshevTable
from ....numeric.table.dual import SLACK
from ....numeric.table.pack import Rows
from ...text import filled
from ..text import array, c_literal

BLOCK = 16
"""Coefficients that go through equally many polynomials of tau_1."""
LANES = 64
"""Entries at a time."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """A table in blocks of `BLOCK` coefficients with equally many polynomials of tau_1.

    Attributes:
        depth: for every block the number of polynomials.
        numbers: for every block, T_0 first, its coefficients.
        place: where the coefficients of T_j T_k are in a summed row, j first.
        length: for every j the number of k.
    """

    depth: list[int]
    numbers: list[float]
    place: list[int]
    length: list[int]


def _layout(rows: Rows) -> _Layout:
    depth: dict[tuple[int, int], int] = {}
    for plane in rows:
        for j, line in enumerate(plane):
            for k in range(len(line)):
                depth[j, k] = depth.get((j, k), 0) + 1
    order = sorted(depth, key=lambda key: (-depth[key], key))
    depths, numbers = [], []
    for start in range(0, len(order), BLOCK):
        block = order[start : start + BLOCK]
        depths.append(depth[block[0]])
        for i in range(depths[-1]):
            part = [rows[i][j][k] if i < depth[j, k] else 0.0 for j, k in block]
            numbers += part + [0.0] * (BLOCK - len(part))
    index = {key: i for i, key in enumerate(order)}
    place = [index[j, k] for j in range(len(rows[0])) for k in range(len(rows[0][j]))]
    return _Layout(depths, numbers, place, [len(line) for line in rows[0]])


def _data(name: str, layout: _Layout) -> str:
    text = array(name, layout.numbers)
    for label, values in (
        ("depth", layout.depth),
        ("place", layout.place),
        ("length", layout.length),
    ):
        text += array(f"{name}_{label}", values, "unsigned short", 20)
    return text


def sums(far: ChebyshevTable, stem: str, near: tuple[str, str, str, str], last: str) -> str:
    """The Chebyshev sums, in code where `near` and `last` say what comes beside them.

    Args:
        far: the table.
        stem: of the names.
        near: functions before, the kind of an entry, its root, and what follows the sums.
        last: the last line of `<stem>_pairs`.
    """
    text, layouts = "", {}
    for mark, sheet in (("k", far.value), ("d", far.dot)):
        for side, rows in (("p", sheet.plus), ("m", sheet.minus)):
            if rows:
                layouts[mark + side] = _layout(rows)
                text += _data(f"{stem}_{mark}{side}", layouts[mark + side])
        text += array(f"{stem}_{mark}_own", list(sheet.diag))
    return text + _filled(far, stem, layouts, near, last)


def _filled(
    far: ChebyshevTable,
    stem: str,
    layouts: dict[str, _Layout],
    near: tuple[str, str, str, str],
    last: str,
) -> str:
    most = max(max(layout.length) for layout in layouts.values())
    first = max(len(s) for sheet in (far.value, far.dot) for s in (sheet.plus, sheet.minus))
    both = "km" in layouts
    rows, fill, added = "", "", {"p": "", "m": ""}
    for label, layout in layouts.items():
        name, size = f"{stem}_{label}", len(layout.place)
        rows += f"  double {label}[{len(layout.depth) * BLOCK}];\n"
        used = "above" if label[1] == "p" else "below"
        fill += (
            f"    if ({used if both else '1'})\n"
            f"      {stem}_row({name}, {name}_depth, {len(layout.depth)}, {name}_place, {size},"
            f" first, {label});\n"
        )
        out = "value" if label[0] == "k" else "slope"
        added[label[1]] += (
            f"        {stem}_sum({label}, {name}_length, {len(layout.length)}, basis, t + l,"
            f" {out} + l);\n"
        )
    text = _TEXT if both else _TEXT.replace("@MINUS@", "")
    turned = "(q12[at + slot[l]] < 0.0 ? -1.0 : 1.0) * "
    replaced = {
        "@BEFORE@": near[0],
        "@KIND@": near[1],
        "@CALL@": near[3],
        "@LAST@": last,
        "@MINUS@": _PASS.replace("@SUMS@", added["m"]).replace("@LESS@", "1"),
        "@PLUS@": _PASS.replace("@SUMS@", added["p"]).replace("@LESS@", "0"),
        "@ROOT@": near[2],
        "@SIDE@": "q12[at + l] < 0.0" if both else "0",
        "@SIGNK@": turned if far.value.parity < 0 else "",
        "@SIGND@": turned if far.dot.parity < 0 else "",
        "@ROWS@": rows,
        "@FILL@": fill,
        "@BLOCK@": str(BLOCK),
        "@LANES@": str(LANES),
        "@MOST@": str(most),
        "@FIRST@": str(first),
        "@WIDEST@": str(max(len(layout.place) for layout in layouts.values()) + BLOCK),
        "@LOW@": c_literal(far.low * (1.0 - SLACK)),
        "@HIGH@": c_literal(far.high * (1.0 + SLACK)),
        "@CENTRE@": c_literal(far.centre),
        "@HALF@": c_literal(far.half),
        "@LIMIT@": c_literal(far.edge_rho),
        "@KAPPA@": c_literal(far.kappa),
        "@TWICE@": c_literal(2.0 * (1.0 + far.kappa) * far.grow),
        "@OWNK@": str(len(far.value.diag)),
        "@OWND@": str(len(far.dot.diag)),
        "@STEM@": stem,
    }
    return filled(text, replaced)


_PASS = """      for (size_t l = 0; l < b; ++l)
        if (kind[l] == @LESS@) {
          const double c = fabs(q12[at + l]) / @LIMIT@, p = s * sqrt(q22[at + l]);
          const double r = @ROOT@;
          slot[m] = (unsigned char)l;
          x[m] = @TWICE@ * r / (p + c + @KAPPA@ * r) - 1.0;
          t[m++] = @STEM@_axis(q22[at + l]);
        }
      for (size_t l = 0; l < m; l += 4 * @STEM@_many) {
        @STEM@_basis(x + l, basis);
@SUMS@      }
      for (size_t l = 0; l < m; ++l) {
        nngp[at + slot[l]] = @SIGNK@value[l];
        dot[at + slot[l]] = @SIGND@slope[l];
      }
      m = 0;
"""

_TEXT = """enum { @STEM@_many = (int)(sizeof(ntksym_lanes) / sizeof(double)) };

static inline double @STEM@_axis(double q)
{
  const double s = sqrt(q);
  return (s - @CENTRE@) / ((s + @CENTRE@) * @HALF@);
}

static inline int @STEM@_in(double q) { return (q >= @LOW@) & (q <= @HIGH@); }

/* The polynomials of tau_1, for all coefficients of a row. */
NTKSYM_FUSED static void @STEM@_row(const double *from, const unsigned short *depth,
    int blocks, const unsigned short *place, int count, const double *first, double *row)
{
  enum { parts = @BLOCK@ / (int)(sizeof(ntksym_lanes) / sizeof(double)) };
  double sorted[@WIDEST@];
  for (int block = 0; block < blocks; ++block) {
    ntksym_lanes sum[parts], next[parts];
    memset(sum, 0, sizeof sum);
    for (int i = 0; i < depth[block]; ++i) {
      memcpy(next, from, sizeof next);
      for (int u = 0; u < parts; ++u) sum[u] = sum[u] + next[u] * first[i];
      from += @BLOCK@;
    }
    memcpy(sorted + block * @BLOCK@, sum, sizeof sum);
  }
  for (int i = 0; i < count; ++i) row[i] = sorted[place[i]];
}

/* T_0, T_1, ... of four vectors of x. */
NTKSYM_FUSED static void @STEM@_basis(const double *x, ntksym_lanes basis[][4])
{
  ntksym_lanes z[4];
  memcpy(z, x, sizeof z);
  for (int u = 0; u < 4; ++u) {
    basis[0][u] = z[u] * 0.0 + 1.0;
    basis[1][u] = z[u];
    z[u] = z[u] + z[u];
  }
  for (int k = 2; k < @MOST@; ++k) {
    basis[k][0] = z[0] * basis[k - 1][0] - basis[k - 2][0];
    basis[k][1] = z[1] * basis[k - 1][1] - basis[k - 2][1];
    basis[k][2] = z[2] * basis[k - 1][2] - basis[k - 2][2];
    basis[k][3] = z[3] * basis[k - 1][3] - basis[k - 2][3];
  }
}

/* The sum over k for every T_j of tau_2, four vectors of entries at a time. */
NTKSYM_FUSED static void @STEM@_sum(const double *row, const unsigned short *length,
    int count, ntksym_lanes basis[][4], const double *t, double *out)
{
  ntksym_lanes y[4], now[4], before[4], sum[4];
  memcpy(y, t, sizeof y);
  memset(sum, 0, sizeof sum);
  for (int u = 0; u < 4; ++u) {
    now[u] = y[u] * 0.0 + 1.0;
    before[u] = y[u];
  }
  for (int j = 0; j < count; ++j) {
    ntksym_lanes p0 = y[0] * 0.0, p1 = p0, p2 = p0, p3 = p0;
    for (int k = 0; k < length[j]; ++k) {
      const double a = row[k];
      p0 = p0 + basis[k][0] * a;
      p1 = p1 + basis[k][1] * a;
      p2 = p2 + basis[k][2] * a;
      p3 = p3 + basis[k][3] * a;
    }
    row += length[j];
    sum[0] = sum[0] + p0 * now[0];
    sum[1] = sum[1] + p1 * now[1];
    sum[2] = sum[2] + p2 * now[2];
    sum[3] = sum[3] + p3 * now[3];
    for (int u = 0; u < 4; ++u) {
      const ntksym_lanes next = (y[u] + y[u]) * now[u] - before[u];
      before[u] = now[u];
      now[u] = next;
    }
  }
  memcpy(out, sum, sizeof sum);
}

static void @STEM@_diag(size_t n, const double *q, double *nngp, double *dot)
{
  for (size_t l = 0; l < n; ++l) {
    const double tau = @STEM@_axis(q[l]);
    double now = 1.0, before = tau, k = 0.0, d = 0.0;
    for (int j = 0; j < @OWNK@ || j < @OWND@; ++j) {
      const double next = 2.0 * tau * now - before;
      k += j < @OWNK@ ? @STEM@_k_own[j < @OWNK@ ? j : 0] * now : 0.0;
      d += j < @OWND@ ? @STEM@_d_own[j < @OWND@ ? j : 0] * now : 0.0;
      before = now;
      now = next;
    }
    nngp[l] = @STEM@_in(q[l]) ? k : NAN;
    dot[l] = @STEM@_in(q[l]) ? d : NAN;
  }
}

@BEFORE@static void @STEM@_pairs(size_t n, const double *q11, const double *q12, const double *q22,
    const double *root, double *nngp, double *dot)
{
@ROWS@  double first[@FIRST@ < 2 ? 2 : @FIRST@], x[@LANES@], t[@LANES@];
  double value[@LANES@], slope[@LANES@];
  ntksym_lanes basis[@MOST@ < 2 ? 2 : @MOST@][4];
  unsigned char kind[@LANES@], slot[@LANES@];
  for (size_t l = 0; l < @LANES@; ++l) x[l] = t[l] = 0.0;
  for (size_t start = 0, end; start < n; start = end) {
    const double q = q11[start], s = sqrt(q), tau = @STEM@_axis(q);
    double own_value, own_slope;
    int below = 0, above = 0;
    for (end = start; end < n && (q11[end] == q || end == start); ++end) {
      below |= q12[end] < 0.0; /* a row of the diagonal alone needs no polynomials */
      above |= !(q12[end] < 0.0) & !((root[end] == 0.0) & (q22[end] == q));
    }
    if (!@STEM@_in(q)) {
      for (size_t l = start; l < end; ++l) nngp[l] = dot[l] = NAN;
      continue;
    }
    (void)below;
    (void)above;
    @STEM@_diag(1, &q, &own_value, &own_slope);
    first[0] = 1.0;
    first[1] = tau;
    for (int i = 2; i < @FIRST@; ++i) first[i] = 2.0 * tau * first[i - 1] - first[i - 2];
@FILL@    for (size_t at = start; at < end; at += @LANES@) {
      const size_t b = end - at < @LANES@ ? end - at : @LANES@;
      size_t m = 0;
      for (size_t l = 0; l < b; ++l) {
        const double p = s * sqrt(q22[at + l]);
        const int in = @STEM@_in(q22[at + l]) & (q12[at + l] == q12[at + l]) & (p == p);
        const int same = (root[at + l] == 0.0) & (q22[at + l] == q) & (q12[at + l] > 0.0);
        kind[l] = !in ? 3 : (same ? 4 : @KIND@);
      }
@PLUS@@MINUS@      for (size_t l = 0; l < b; ++l) {
        if (kind[l] == 3) nngp[at + l] = dot[at + l] = NAN;
        if (kind[l] == 4) {
          nngp[at + l] = own_value;
          dot[at + l] = own_slope;
        }
      }
@CALL@    }
  }
@LAST@}
"""
