"""The C of a network that is the same for all: places in capitals between @ are filled in."""

from __future__ import annotations

from ...source import BY_ROWS

FIRST_TEXT = r"""/* The first layer for inputs of dimension d: Sigma = in[0]*<x, y> + in[1] and
 * Theta = in[2]*<x, y> + in[3]. */
void @NAME@_input(size_t d, double in[4])
{
@NUMBERS@  input_rule((double)d@INPUT_VALUES@, &in[0], &in[1], &in[2], &in[3]);
}

/* Number of layers. */
size_t @NAME@_layers(void) { return @COUNT@; }

/* Diagonals: g[i] = <x_i, x_i>; q has 2*(layers + 1) rows of n elements: Sigma(x, x) of
 * the first layer and after each layer, then the square roots of all these; ntk has n elements. */
void @NAME@_diag(size_t n, const double *g, const double in[4], double *q, double *ntk)
{
  double now[2][LANES], next[2][LANES];
@REST@  for (size_t at = 0; at < n; at += LANES) {
    const size_t b = n - at < LANES ? n - at : LANES;
@NO_REST@    for (size_t i = 0; i < b + (WIDE - 1) && i < LANES; ++i) {
      const double x = g[at + (i < b ? i : b - 1)];
      now[0][i] = in[0] * x + in[1];
      now[1][i] = in[2] * x + in[3];
    }
    for (size_t i = 0; i < b; ++i) q[at + i] = now[0][i];
    for (size_t l = 0; l < @COUNT@; ++l) {
@DIAG_VALUES@      (void)v;
      switch (layer_kind[l]) {
@DIAG_CASES@
      }
@CORRECT@      for (size_t i = 0; i < b; ++i) q[(l + 1) * n + at + i] = next[0][i];
      memcpy(now, next, sizeof now);
    }
    for (size_t i = 0; i < b; ++i) ntk[at + i] = now[1][i];
  }
  for (size_t i = 0; i < (@COUNT@ + 1) * n; ++i) q[(@COUNT@ + 1) * n + i] = ntksym_op_sqrt0(q[i]);
}
"""

CORRECT = {
    "@REST@": "  double rest[2][LANES], left[2][LANES]; /* what the doubles lack */\n",
    "@NO_REST@": "    memset(rest, 0, sizeof rest);\n",
    "@CORRECT@": """\
      memset(left, 0, sizeof left);
      switch (layer_kind[l]) {
@CASES@
      }
      memcpy(rest, left, sizeof rest);
""",
}
"""What diagonals in double-double add."""

LOOPS = r"""/* The four rows of layer l of b points: q, the next q, and the roots of both.  The last
 * point is repeated up to a multiple of WIDE. */
NTKSYM_BLOCK_FUNCTION void load_side@S@(size_t b, const Stored *q, size_t inc, size_t ld,
                                        size_t l, Real (*NTKSYM_RESTRICT side)[LANES])
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
  Real state[ROWS][@STATES@][LANES], side[4][LANES], fx[@WIDTH@][LANES], fy[@WIDTH@][LANES];
@SPARE_FIRST@@SPARE@@CARE@  const size_t m = NTKSYM_ROUND_UP(b);
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
@BLOCK_GAP@@NEAR_ROW@  }
  for (size_t l = 0; l < @COUNT@; ++l) {
@VALUES@    (void)v;
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
 * that incx = 0 is one x against many y.  root0 is NULL, or the accurate
 * sqrt(q11*q22 - q12^2) of the first layer for nearly collinear inputs. */
void @NAME@_pairs@S@(size_t n, const Stored *g12, const Stored *root0,
                     const Stored *qx, size_t incx, size_t ldx,
                     const Stored *qy, size_t incy, size_t ldy,
                     const double in[4], Stored *nngp, Stored *ntk)
{
  Real now[@STATES@][LANES], side[4][LANES], fx[@WIDTH@][LANES], fy[@WIDTH@][LANES];
@SPARE@@CARE_PAIRS@  for (size_t at = 0; at < n; at += LANES) {
    const size_t b = n - at < LANES ? n - at : LANES;
    const size_t m = NTKSYM_ROUND_UP(b);
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
@PAIRS_GAP@@NEAR_PAIRS@    for (size_t k = 0; k < @STATES@; ++k)
      for (size_t i = b; i < m; ++i) now[k][i] = now[k][b - 1];
    for (size_t l = 0; l < @COUNT@; ++l) {
@PAIR_VALUES@      (void)v;
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

NEAR_ROW = r"""    near_start@S@(b, qx + (@COUNT@ + 1) * ldx + r, 0,
                  qy + (@COUNT@ + 1) * ldy, incy, now[1], root0 ? KEPT : LOST, care[r]);
"""
"""Which pairs of a row were nearly parallel from the start."""

NEAR_PAIRS = r"""    near_start@S@(b, qx + (@COUNT@ + 1) * ldx + at * incx, incx,
                  qy + (@COUNT@ + 1) * ldy + at * incy, incy, now[1], root0 ? KEPT : 0, care);
"""
"""The same of pairs; without a root of the rows all are given the care."""

BLOCK_GAP = r"""    for (size_t i = 0; i < m; ++i) {
      const Stored *own = qy + (@COUNT@ + 1) * ldy + (i < b ? i : b - 1) * incy;
      const Real length = (Real)qx[(@COUNT@ + 1) * ldx + r] * (Real)own[0];
      now[3][i] = ntksym_op_gap3f(now[1][i], @INNER@, length);
    }
"""
"""The gap of the first layer of a row of pairs, where it is a fourth state."""

PAIRS_GAP = r"""    for (size_t i = 0; i < b; ++i) {
      const Real length = (Real)qx[(@COUNT@ + 1) * ldx + (at + i) * incx] *
                          (Real)qy[(@COUNT@ + 1) * ldy + (at + i) * incy];
      now[3][i] = ntksym_op_gap3f(now[1][i], @INNER@, length);
    }
"""
"""The same of pairs."""

WHOLE = f"{BY_ROWS} with squared norms g11, g22 and inner"
WHOLE += """
 * product g12, from the part of y - x (or y + x) orthogonal to x where that is the shorter. */
static double @NAME@_root(size_t d, const double *x, const double *y, double g11, double g12,
                          double g22, const double in[4])
{
  const double norm = sqrt(g11), other = sqrt(g22);
  const double rho = norm > 0.0 && other > 0.0 ? g12 / norm / other : 0.0;
  const double bias = ntksym_op_sqrt0(in[0]) * ntksym_op_sqrt0(in[1]);
  double gap = ntksym_op_sqrt0((g11 - g12) + (g22 - g12));
  if (rho * rho <= 0.9975)
    return hypot(in[0] * norm * other * sqrt(1.0 - rho * rho), bias * gap);
  const int alike = other <= 2.0 * norm && norm <= 2.0 * other;
  int e1 = 0, e2 = 0;
  frexp(norm, &e1);
  frexp(other, &e2);
  if (alike) e2 = e1;
  const double down = ldexp(1.0, -e1), low = ldexp(1.0, -e2), side = g12 < 0.0 ? down : -down;
  double along = 0.0, apart = 0.0, area = 0.0, left = 0.0;
  for (size_t k = 0; k < d; ++k) {
    const double far = y[k] * low - x[k] * down;
    along += x[k] * down * (y[k] * low + x[k] * side);
    apart += far * far;
  }
  along /= norm * down * (norm * down);
  for (size_t k = 0; k < d; ++k) {
    const double z = fma(-along, x[k] * down, y[k] * low + x[k] * side);
    area += z * z;
    left += x[k] * down * z; /* rounding of `along`, where unlike norms make it large */
  }
  left /= norm * down;
  area = area > left * left ? area - left * left : 0.0;
  if (alike) gap = ldexp(sqrt(apart), e2);
  return hypot(in[0] * norm * ldexp(sqrt(area), e2), bias * gap);
}

/* Kernels of the rows of x (n x d) and y (m x d) into nngp and ntk (n x m), all by rows.
 * Returns 0, or 1 when memory ran out.  Inner products are plain sums; use _tile with a matrix
 * product of your own where speed matters.  Rows that are nearly parallel have their angle from
 * x - y, which the inner product has lost. */
int @NAME@(size_t n, size_t m, size_t d, const double *x, const double *y,
           double *nngp, double *ntk)
{
  double in[4];
  double *g = (double *)malloc((n + m) * sizeof *g + 1);
  double *q = (double *)malloc((n + m) * @ROWS@ * sizeof *q + 1);
  double *row = (double *)malloc((m > n ? m : n) * sizeof *row + 1);
  double *root = (double *)malloc(m * sizeof *root + 1);
  if (!g || !q || !row || !root) {
    free(g);
    free(q);
    free(row);
    free(root);
    return 1;
  }
  @NAME@_input(d, in);
  for (size_t i = 0; i < n + m; ++i) {
    const double *v = i < n ? x + i * d : y + (i - n) * d;
    g[i] = 0.0;
    for (size_t k = 0; k < d; ++k) g[i] += v[k] * v[k];
  }
  @NAME@_diag(n, g, in, q, row);
  @NAME@_diag(m, g + n, in, q + n * @ROWS@, row);
  const double *qy = q + n * @ROWS@;
  for (size_t i = 0; i < n; ++i) {
    int near = 0;
    for (size_t j = 0; j < m; ++j) {
      row[j] = 0.0;
      for (size_t k = 0; k < d; ++k) row[j] += x[i * d + k] * y[j * d + k];
      const double c = in[0] * row[j] + in[1];
      root[j] = ntksym_op_rootdet(q[i], c, qy[j]);
      if (!(root[j] > 0.05 * sqrt(q[i]) * sqrt(qy[j]))) {
        root[j] = @NAME@_root(d, x + i * d, y + j * d, g[i], row[j], g[n + j], in);
        near = 1;
      }
    }
    @NAME@_pairs(m, row, near ? root : NULL, q + i, 0, n, qy, 1, m, in, nngp + i * m, ntk + i * m);
  }
  free(g);
  free(q);
  free(row);
  free(root);
  return 0;
}
"""
"""The kernels of all pairs of rows; `@ROWS@` is how many numbers `_diag` leaves for each row."""
