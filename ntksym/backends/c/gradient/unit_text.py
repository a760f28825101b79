"""The C of gradients of networks of units: places in capitals between @ are filled in."""

from __future__ import annotations

HALF = """\
/* 1/(2 q); 0 for rows of zeros, whose covariances are 0. */
static double half_over(double q) { return q == 0.0 ? 0.0 : 0.5 / q; }
"""

LAYER = """\
/* A layer on a tile of m columns, a multiple of 8: x has `width` numbers for each row, y rows of
 * ldy numbers; in either, the numbers of the next level are STATS of them further on. */
NTKSYM_BLOCK_FUNCTION void layer@J@(size_t rows, size_t m, const double *tx, size_t width,
                                    const double *y, size_t ldy, const double *v,
                                    int last, double (*s)[LANES * LANES])
{
  double q[LANES];
@SLOPES@  for (size_t i = 0; i < rows; ++i) {
    const double *x = tx + i * width, *xn = x + STATS, *yn = y + STATS * ldy;
    const double half = half_over(xn[0]);
    const size_t at = i * LANES;
    double o[OUTS][LANES], half_y[LANES];
    int alike[LANES];
    (void)half;
    rule@R@(m, s[K0] + at, s[D0] + at, s[NTK] + at, v, o);
    for (size_t l = 0; l < m; ++l) {
      const double c = s[COV][at + l], reach = xn[1] * yn[ldy + l]; /* the dual may err beyond */
      const double next = ntksym_op_clamp(o[@N@][l], -reach, reach);
      const int same = (s[ROOT][at + l] == 0.0) & (x[0] == y[l]) & (c > 0.0);
      s[COV][at + l] = same ? xn[0] : next;
      const int near = fabs(s[NTK][at + l] - x[2]) <= 0x1p-40 * fabs(x[2]);
      s[NTK][at + l] = same & near ? xn[2] : o[@T@][l];
      s[ROOT][at + l] = same ? 0.0 : ntksym_op_rootdet(xn[0], next, yn[l]);
      half_y[l] = half_over(yn[l]);
      alike[l] = same;
    }
@MOVES@  }
}

"""

ENDLESS = """\
/* s[ENDS]: infinite where a bias moves collinear rows apart like its root, and the slope of the
 * derivative dual goes like the reciprocal of the root of the determinant: as it is at the smaller
 * of two angles if it is 8 times as large there; else 0. */
static void endless@J@(size_t rows, size_t m, const double *tx, size_t width, const double *y,
                       double (*s)[LANES * LANES])
{
  static const double sines[2] = {0x1p-16, 0x1p-19};
  double q[LANES], c[LANES], r[LANES], bend[2][LANES];
  for (size_t i = 0; i < rows; ++i) {
    const size_t at = i * LANES;
    int any = 0;
    for (size_t l = 0; l < m; ++l) {
      s[ENDS][at + l] = 0.0;
      any |= (s[ROOT][at + l] == 0.0) & (s[DC + @BIAS@][at + l] != 0.0);
    }
    for (size_t k = 0; any && k < 2; ++k) {
      for (size_t l = 0; l < m; ++l) {
        const double size = sqrt(tx[i * width]) * sqrt(y[l]);
        q[l] = tx[i * width];
        r[l] = size * sines[k];
        c[l] = copysign(size * sqrt(1.0 - sines[k] * sines[k]), s[COV][at + l]);
      }
@BEND@    }
    for (size_t l = 0; any && l < m; ++l) {
      const double turn = s[DC + @BIAS@][at + l];
      if ((s[ROOT][at + l] == 0.0) & (turn != 0.0) & (fabs(bend[1][l]) > 4.0 * fabs(bend[0][l])))
        s[ENDS][at + l] = (bend[1][l] < 0.0) == (turn < 0.0) ? INFINITY : -INFINITY;
    }
  }
}

"""
"""As `runtime.gradients.endless`."""

BEND_NODES = """\
      double k0[LANES], d0[LANES], rows5[5 * LANES];
      pairs@K@(m, q, c, y, r, k0, d0);
      polar@K@(m, q, c, y, r, d0, rows5);
      memcpy(bend[k], rows5 + 3 * m, m * sizeof *q);
"""
BEND_VALUES = """\
      double unused[3][LANES];
      @TURNS@(m, q, c, y, r, unused[0], unused[1], unused[2], bend[k]);
"""

BY_NODES = r"""  for (size_t i = 0; i < rows; ++i) {
    const size_t at = i * LANES;
    double rows5[5 * LANES];
    for (size_t l = 0; l < m; ++l) q[l] = tx[i * width];
    pairs@K@(m, q, s[COV] + at, y, s[ROOT] + at, s[K0] + at, s[D0] + at);
    polar@K@(m, q, s[COV] + at, y, s[ROOT] + at, s[D0] + at, rows5);
    for (size_t k = 0; k < 5; ++k) memcpy(s[K1 + k] + at, rows5 + k * m, m * sizeof *q);
  }
"""
"""From the derivatives of sums over nodes."""

BY_VALUES = """\
  double c[LANES], r[LANES], k[LANES] = {0.0}, of_k[LANES], of_d[LANES], unused[3][LANES];
  for (size_t i = 0; i < rows; ++i) {
    const size_t at = i * LANES;
    for (size_t l = 0; l < m; ++l) q[l] = tx[i * width];
    pairs@K@(m, q, s[COV] + at, y, s[ROOT] + at, s[K0] + at, s[D0] + at);
    moves@K@(m, q, s[COV] + at, y, s[ROOT] + at, s[K0] + at, s[K1] + at, s[D1] + at);
    @TURNS@(m, q, s[COV] + at, y, s[ROOT] + at, unused[0], unused[1], unused[2], s[D12] + at);
  }
  for (size_t j = 0; j < m; ++j) {
    double x[LANES];
    for (size_t i = 0; i < rows; ++i) {
      const size_t e = i * LANES + j;
      q[i] = y[j];
      x[i] = tx[i * width];
      c[i] = s[COV][e];
      r[i] = s[ROOT][e];
      k[i] = s[K0][e];
    }
    moves@K@(rows, q, c, x, r, k, of_k, of_d);
    for (size_t i = 0; i < rows; ++i) {
      s[K2][i * LANES + j] = of_k[i];
      s[D2][i * LANES + j] = of_d[i];
    }
  }
"""
"""From slopes in the variances at a fixed angle, and in the angle of the values."""

MOVED = """    for (size_t l = 0; l < m; ++l) {
      const double turn = s[DC + @D@][at + l];
      const double of_k = s[D0][at + l] * turn@OFK@;
      const double of_d = s[D12][at + l] * turn@OFD@;
      const double c = o[@NK@][l] * of_k@NH@;
      s[DC + @D@][at + l] = @TURN@;
      s[DT + @D@][at + l] = o[@TK@][l] * of_k + o[@TD@][l] * of_d
                            + o[@TT@][l] * s[DT + @D@][at + l]@TH@;
    }
"""
"""One direction through a layer."""

TURNED = "last ? c : alike[l] ? 0.0 : c - s[COV][at + l] * (@SWING@)"
"""What rounding leaves at equal points is not nothing: it would be enlarged by the slopes there."""

SIDE = """\
/* The same on points: the variance, the NTK, the slope of the variance, its derivatives in the
 * hyper-parameters. */
NTKSYM_BLOCK_FUNCTION void side@J@(size_t b, double (*now)[LANES], const double *v,
                                   double (*out)[LANES])
{
  const size_t m = NTKSYM_ROUND_UP(b);
  double k[LANES], d[LANES], of_k[LANES], o[OUTS][LANES];
  sides@K@(m, now[0], k, d);
@SIDES@  rule@R@(m, k, d, now[1], v, o);
  for (size_t l = 0; l < m; ++l) {
    out[0][l] = o[@N@][l];
    out[1][l] = o[@T@][l];
    out[2][l] = o[@NK@][l] * of_k[l];
@HYPER@  }
}
"""

SIDE_NODES = """  double both[2 * LANES];
  side_slopes@K@(m, now[0], both);
  memcpy(of_k, both, m * sizeof *both);
"""
SIDE_MOVES = """  double of_d[LANES], none[LANES];
  memset(none, 0, sizeof none);
  moves@K@(m, now[0], now[0], now[0], none, k, of_k, of_d);
  for (size_t l = 0; l < m; ++l) of_k[l] *= 2.0;
"""
SIDE_STEPS = """  double of_d[LANES];
  @STEM@_side_steps(m, now[0], of_k, of_d);
"""

CASE = """      case @J@:
@ENDS@        layer@J@(rows, m, tx + l * STATS, width, y, ldy, layer_value[l], l + 1 == LAYERS,
                s);
        break;
"""

ENDS = """\
        if (l == 0)
          endless@J@(rows, m, tx, width, y, s);
        else
          memset(s[ENDS], 0, sizeof s[ENDS]);
"""

STORE = """      for (size_t k = 0, e = i * LANES; k < b; ++k, ++e) {
        const double half_y = half_over(ty[k]);
        (void)half_y;
        to[@P@ * plane + k] = @VALUE@;
      }
"""

TILES = """\
/* A tile of rows x b pairs from inner products, rows of LANES of s[GIVEN]: its first layer, all
 * others, and the output planes, whose rows are `apart` numbers apart; px is NULL where the rows
 * themselves are not known. */
NTKSYM_BLOCK_FUNCTION void tile(size_t rows, size_t b, size_t d, const double *px,
                                const double *py, const double *g11, const double *g22,
                                const double *tx, size_t width, const double *ty, size_t ldy,
                                const double *in, double *space, double *out, size_t apart,
                                size_t plane)
{
  double(*s)[LANES * LANES] = (double(*)[LANES * LANES])space;
  const size_t m = NTKSYM_ROUND_UP(b);
  const double a = in[0];
  for (size_t i = 0; i < rows; ++i) {
    const double half = half_over(tx[i * width]);
    for (size_t k = 0; k < m; ++k) {
      const size_t j = k < b ? k : b - 1, e = i * LANES + k;
      double g = s[GIVEN][i * LANES + j], area = ntksym_op_rootdet(g11[i], g, g22[j]), unlike;
      double gap = ntksym_op_max((g11[i] - g) + (g22[j] - g), 0.0);
      if (px && area * area <= 0.01 * g11[i] * g22[j])
        rows_apart(d, px + i * d, py + j * d, g11[i], &g, &area, &gap, &unlike);
      const double span = a * area, side = sqrt(a * in[1] * gap);
      const double large = span > side ? span : side, less = (span > side ? side : span) / large;
      const double root = large > 0.0 ? large * sqrt(1.0 + less * less) : span + side;
      const double c = a * g + in[1], over = root == 0.0 ? 0.0 : 1.0 / root;
      const double half_y = half_over(ty[j]);
      s[COV][e] = s[COV0][e] = c;
      s[NTK][e] = in[2] * g + in[3];
      s[ROOT][e] = s[ROOT0][e] = root;
      s[DC][e] = s[DC + 2][e] = 0.0;
      s[DC + 1][e] = a;
      s[DT][e] = in[2] / a * (c * half);
      s[DT + 1][e] = in[2];
      s[DT + 2][e] = in[2] / a * (c * half_y);
      for (size_t h = 0; h < HYPER; ++h) {
        const double *rise = in + 4 + 4 * h, along = rise[0] * g + rise[1];
        const double open = 0.5 * (rise[0] * in[1] + a * rise[1]);
        /* A bias moves collinear rows apart, like its root: the root times the angle's rise. */
        const double up = root > 0.0 ? root * (a * rise[0] * area * (area * over) +
                                               open * (gap * over))
                                     : open * gap;
        s[DC + 3 + h][e] = (root * (root * along * (2.0 * half)) - up * (c * 2.0 * half)) *
                           (2.0 * half_y);
        s[DT + 3 + h][e] = rise[2] * g + rise[3];
      }
    }
  }
  for (size_t l = 0; l < LAYERS; ++l) {
    const double *y = ty + l * STATS * ldy;
    switch (layer_kind[l]) {
@CASES@      default:
        break;
    }
  }
  for (size_t i = 0; i < rows; ++i) {
    const double half = half_over(tx[i * width]);
    double *to = out + i * apart;
@STORES@  }
}
"""

TILE = """      for (size_t i = 0; i < rows; ++i) {
        for (size_t k = 0; k < b; ++k)
          space[GIVEN * LANES * LANES + i * LANES + k] =
              inner(d, x + (at + i) * d, others + (j + k) * d);
        if (close) memset(close + (at + i) * many + j, 0, b);
      }
      tile(rows, b, d, x + at * d, others + j * d, g11, g22, tx, width, ty, LANES, in, space,
           out + at * many + j, many, plane);
"""

PAIR = """    space[GIVEN * LANES * LANES] = g12[i];
    tile(1, 1, 0, NULL, NULL, g11 + i, g22 + i, tx, width, tx + 8 * width, 8, in, space, out + i, n,
         n);
    if (close) close[i] = 0;
"""

CLOSE = """\
close is NULL or has n x m bytes, which become 0: no pair is left out.
 * """
