"""The C of gradients that is the same for all: places in capitals between @ are filled in."""

from __future__ import annotations

MOVE = """  for (size_t i = 0; i < m; ++i) {
    const double a = ma[@D@][i], c = mc[@D@][i], dx = @DX@, dy = @DY@;
@OPEN@    const double n = @N@;
    mt[@D@][i] = @T@;
    mc[@D@][i] = n;
@KEPT@    (void)c;
    (void)a;
    (void)dx;
    (void)dy;
  }
  if (turn)
    for (size_t i = 0; i < m; ++i) {
      const double a = ma[@D@][i], dx = @DX@, dy = @DY@, dxn = @DXN@, dyn = @DYN@;
@TURN@      (void)a;
      (void)dx;
      (void)dy;
      (void)dxn;
      (void)dyn;
    }
"""
"""One direction: of the covariance, of the NTK, and then of the angle."""

OPEN = """    /* a bias moves collinear rows apart like its root: but those that were equal */
    const double lev = now[0][i] * (dx * hx + dy * w[0][i]) - c;
    const int none = x[0] == y[i] && now[0][i] > 0.0 && fabs(lev) <= 0x1p-26 * fabs(c);
    const double open = now[1][i] == 0.0 && !none ? lev : 0.0;
"""
"""The root times the direction of the angle, where rows are collinear."""

KEPT = """    ma[@D@][i] = now[1][i] == 0.0 ? open : now[1][i] * a;
"""
"""It is kept for the next angle."""

ANGLE = """      ma[@D@][i] = @NQ@ * a * w[3][i];
"""

FORMED = """      const double levn = dxn * hxn + dyn * w[1][i];
      ma[@D@][i] = (@N@ * levn - mc[@D@][i]) * w[4][i];
"""

SCALED = """      const double sx = dx * hx, sy = dy * w[0][i];
      const double lev = sx + sy, levn = dxn * hxn + dyn * w[1][i];
      const double unlike = rx * sx - ry[i] * sy;
      ma[@D@][i] = (@SWING@ * @NQ@ + @REST@) * w[4][i];
      (void)lev;
      (void)levn;
      (void)unlike;
"""

CALL = """      case @K@:
        layer@K@(b, x[0], xn[0], x[1], xn[1], y, yn, y + ldy, yn + ldy, now, @VALUE@, o);
        beside(m, kind_mirror[@K@], x, xn, y, yn, ldy, now, o, w);
        moves@K@(m, turn, x[1], x, xn, y, yn, ldy, y + ldy, now, o, mc, mt, ma, w);
        break;
"""

ROWS_APART = """\
/* The power of two that brings rows of this squared length near 1. */
static double near_one(double square)
{
  return square > 0.0 ? ldexp(1.0, -ilogb(square) / 2) : 1.0;
}

/* sum[0] + sum[1], two doubles, and the product of a and b. */
static void add_product(double *sum, double a, double b)
{
  const double p = a * b, whole = sum[0] + p, part = whole - sum[0];
  sum[1] += (sum[0] - (whole - part)) + (p - part) + fma(a, b, -p);
  sum[0] = whole;
}

/* Inner product, area, squared distance and difference of squared norms of two rows that are nearly
 * collinear, from the rows: inner products in two doubles give the part of y across x. */
NTKSYM_BLOCK_FUNCTION void rows_apart(size_t d, const double *x, const double *y, double norm,
                                      double *g, double *area, double *apart, double *unlike)
{
  double n[2] = {0.0, 0.0}, c[2] = {0.0, 0.0}, rest = 0.0, far = 0.0, differ = 0.0, own = 0.0;
  int equal = 1, opposite = 1;
  for (size_t k = 0; k < d; ++k) {
    const double gap = y[k] - x[k];
    far += gap * gap;
    differ -= gap * (x[k] + y[k]);
    own += y[k] * y[k];
    equal &= gap == 0.0;
    opposite &= x[k] + y[k] == 0.0;
  }
  const double sx = near_one(norm), sy = near_one(own);
  for (size_t k = 0; k < d; ++k) {
    add_product(n, sx * x[k], sx * x[k]);
    add_product(c, sx * x[k], sy * y[k]);
  }
  const double over = n[0] == 0.0 ? 1.0 : n[0], share = c[0] / over;
  const double small = (fma(-share, over, c[0]) + (c[1] - share * n[1])) / over;
  for (size_t k = 0; k < d; ++k) {
    const double across = fma(-share, sx * x[k], sy * y[k]) - small * (sx * x[k]);
    rest += across * across;
  }
  *g = equal ? norm : *g;
  *area = equal | opposite | !(rest > 0x1p-200) ? 0.0 : sqrt(norm) * sqrt(rest) / sy;
  *apart = far;
  *unlike = differ;
}
"""
"""Of nearly collinear rows, from the rows."""

CORE = r"""/* What directions share, of a layer from the tables x, y to xn, yn: o[0..4] are the next
 * covariance, NTK, root, difference of lengths and the slope of the covariance.  Equal points stay
 * equal, and opposite ones collinear where mirror is not 0; points that layers made equal have an
 * NTK of their own.  w: 1/(2 q) of the second point before
 * and after, the quotient of the roots, 1/root. */
NTKSYM_BLOCK_FUNCTION void beside(size_t m, int mirror, const double *x, const double *xn,
                                  const double *y, const double *yn, size_t ldy,
                                  double (*NTKSYM_RESTRICT now)[LANES],
                                  double (*NTKSYM_RESTRICT o)[LANES],
                                  double (*NTKSYM_RESTRICT w)[LANES])
{
  const double x0 = x[0], n0 = xn[0], t0 = xn[2], rx = x[1], sx = xn[1];
  for (size_t i = 0; i < m; ++i) {
    const int collinear = (now[1][i] == 0.0) & (x0 == y[i]), same = collinear & (now[0][i] > 0.0);
    const int turned = collinear & !same & (mirror != 0);
    o[0][i] = same ? n0 : turned ? mirror * n0 : o[0][i];
    o[1][i] = same & (fabs(now[2][i] - x[2]) <= 0x1p-40 * fabs(x[2])) ? t0 : o[1][i];
    o[2][i] = same | turned ? 0.0 : o[2][i];
  }
  for (size_t i = 0; i < m; ++i) {
    const double root = o[2][i], inverse = root == 0.0 ? 0.0 : 1.0 / root;
    const double lengths = (rx * y[ldy + i]) / (sx * yn[ldy + i]);
    const double limit = lengths / sqrt(fabs(o[4][i]) * lengths);
    w[0][i] = 0.5 / y[i];
    w[1][i] = 0.5 / yn[i];
    w[3][i] = root == 0.0 ? (limit < INFINITY ? limit : 0.0) : now[1][i] * inverse;
    w[4][i] = inverse;
  }
}

/* The first layer of a row of pairs, and the directions after it.  in: slope and offset of the
 * covariance, of the NTK, then the same derived in each hyper-parameter. */
NTKSYM_BLOCK_FUNCTION void start(size_t m, const double *in, const double *x, const double *y,
                                 size_t ldy, double (*NTKSYM_RESTRICT g)[LANES],
                                 double (*NTKSYM_RESTRICT now)[LANES],
                                 double (*NTKSYM_RESTRICT mc)[LANES],
                                 double (*NTKSYM_RESTRICT mt)[LANES],
                                 double (*NTKSYM_RESTRICT ma)[LANES])
{
  const double a = in[0], b = in[1], own = in[2], ratio = own / a, half = 0.5 / x[0], rx = x[1];
  for (size_t i = 0; i < m; ++i) {
    const double c = a * g[0][i] + b, area = a * g[1][i], half_y = 0.5 / y[i];
    const double gap = sqrt(a * b * g[2][i]), large = area > gap ? area : gap;
    const double less = (area > gap ? gap : area) / large;
    const double root = large > 0.0 ? large * sqrt(1.0 + less * less) : area + gap;
    now[0][i] = c;
    now[1][i] = root;
    now[2][i] = own * g[0][i] + in[3];
    now[3][i] = ntksym_op_div0(a * g[3][i], rx + y[ldy + i]);
    mc[0][i] = c * half;
    mc[1][i] = -root;
    mc[2][i] = c * half_y;
    mc[3][i] = a;
    for (size_t d = 0; d < 3; ++d) mt[d][i] = ratio * mc[d][i];
    mt[3][i] = own;
    ma[0][i] = ma[2][i] = ma[3][i] = 0.0;
    ma[1][i] = 1.0;
  }
  for (size_t h = 0; h < HYPER; ++h) {
    const double *s = in + 4 + 4 * h;
    for (size_t i = 0; i < m; ++i) {
      const double root = now[1][i], c = now[0][i], area = g[1][i];
      const double along = s[0] * g[0][i] + s[1];
      const double over = root == 0.0 ? 0.0 : 1.0 / root;
      const double rise = a * s[0] * area * (area * over) +
                          0.5 * (s[0] * b + a * s[1]) * (g[2][i] * over);
      mc[4 + h][i] = along;
      mt[4 + h][i] = s[2] * g[0][i] + s[3];
      ma[4 + h][i] = (rise * (c / x[0]) - root * (along / x[0])) / y[i];
    }
  }
}

/* One row of pairs, b of at most LANES, from inner products g12 to the output planes; px is NULL
 * where the rows themselves are not known. */
NTKSYM_BLOCK_FUNCTION void row(size_t b, size_t d, const double *px, const double *py, double g11,
                               const double *g22, const double *g12, const double *x0,
                               const double *y0, size_t ldy, const double *in, double *out,
                               size_t plane, unsigned char *near)
{
  double g[4][LANES], now[4][LANES], o[OUTS][LANES], w[5][LANES], c0[LANES], half_y[LANES];
  double mc[DIRS][LANES], mt[DIRS][LANES], ma[DIRS][LANES];
  const size_t m = NTKSYM_ROUND_UP(b);
  const double half = 0.5 / x0[0];
  const int wide = @WIDE@;
  int close[LANES];
  for (size_t i = 0; i < m; ++i) {
    const size_t j = i < b ? i : b - 1;
    g[0][i] = g12[j];
    g[1][i] = ntksym_op_rootdet(g11, g12[j], g22[j]);
    g[2][i] = ntksym_op_max((g11 - g12[j]) + (g22[j] - g12[j]), 0.0);
    g[3][i] = g11 - g22[j];
    close[i] = 0;
  }
  for (size_t i = 0; i < b; ++i)
    if (px && g[1][i] * g[1][i] <= 0.01 * g11 * g22[i])
      rows_apart(d, px, py + i * d, g11, &g[0][i], &g[1][i], &g[2][i], &g[3][i]);
  for (size_t k = 0; k < 4; ++k)
    for (size_t i = b; i < m; ++i) g[k][i] = g[k][b - 1];
  start(m, in, x0, y0, ldy, g, now, mc, mt, ma);
  for (size_t i = 0; i < m; ++i) {
    c0[i] = now[0][i];
    half_y[i] = 0.5 / y0[i];
  }
  for (size_t l = 0; l < LAYERS; ++l) {
    const double *x = x0 + l * STATS, *xn = x + STATS;
    const double *y = y0 + l * STATS * ldy, *yn = y + STATS * ldy;
    const int kind = layer_kind[wide][l], turn = layer_turn[wide][l];
    const int mirror = kind_mirror[kind] != 0;
@FAR@    if (kind_kinked[kind])
      for (size_t i = 0; i < m; ++i) {
        const double sine = now[1][i] / (x[1] * y[ldy + i]), gap = now[3][i] / x[1];
        const int same = (now[1][i] == 0.0) & (x[0] == y[i]) & ((now[0][i] > 0.0) | mirror);
        close[i] |= !same & (sine * sine + gap * gap < @ENTRY@);
      }
    switch (kind) {
@CASES@
      default:
        break;
    }
    if (turn && kind_formed[kind])
      for (size_t i = 0; i < m; ++i) {
        const double sine = o[2][i] / (xn[1] * yn[ldy + i]);
        const int same = (now[1][i] == 0.0) & (x[0] == y[i]) & ((now[0][i] > 0.0) | mirror);
        close[i] |= !same & (sine * sine < @CLOSE@);
      }
    memcpy(now[0], o[0], sizeof now[0]);
    memcpy(now[1], o[2], sizeof now[0]);
    memcpy(now[2], o[1], sizeof now[0]);
    memcpy(now[3], o[3], sizeof now[0]);
  }
#define STORE(p, value) \
  for (size_t i = 0; i < b; ++i) out[(p) * plane + i] = (value)
@STORES@
#undef STORE
  for (size_t i = 0; i < b; ++i) near[i] = (unsigned char)close[i];
}
"""
"""From the covariances of a row of pairs to the output planes."""

FAR = """    for (size_t i = 0; i < m; ++i) {
      const double most = x[0] > y[i] ? x[0] : y[i], sine = now[1][i] / (x[1] * y[ldy + i]);
      close[i] |= 2 * !(most <= @SOUND@);
      close[i] |= (most > @PARALLEL@) & (sine * sine < @SINE@);
    }
"""
"""Marks in front of a layer, of pairs whose variances are large."""

LARGE = r"""#define MOST @MOST@

/* Whether one of m variances, or one of a row of pairs in front of a layer, is beyond MOST. */
static int beyond(size_t m, const double *q)
{
  int found = 0;
  for (size_t i = 0; i < m; ++i) found |= q[i] > MOST;
  return found;
}

static int large(size_t m, const double *x, const double *y, size_t ldy)
{
  int found = 0;
  for (size_t l = 0; l < LAYERS; ++l)
    found |= beyond(1, x + l * STATS) | beyond(m, y + l * STATS * ldy);
  return found;
}
"""
"""Which layers are taken."""

OTHER = """/* The plane that each plane becomes when the two points change places. */
static const unsigned char other_plane[PLANES] = {@OTHER@};
"""

BANDS = r"""\
/* Rows [from, to) of x (n x d) against the rows of y (m x d); from is a multiple of LANES.
 *
 * g11 and g22 are squared norms, g12 (n x m) inner products; tx has n rows of (LAYERS + 1) * STATS
 * numbers, ty (LAYERS + 1) * STATS rows of ldy >= m rounded up to LANES numbers: for each level the
 * variance, its root, Theta(x, x), the derivatives of the variance in that of the first level and
 * in each hyper-parameter.  out has PLANES planes of n x m numbers, near n x m bytes: not 0 where a
 * pair needs more digits.  With symmetric, y is x, and the lower half is the transposed upper one.
 *
 * Planes:
@PLANES@
 */
void @NAME@(size_t from, size_t to, size_t n, size_t m, size_t d, const double *x, const double *y,
            const double *g11, const double *g22, const double *g12, const double *tx,
            const double *ty, size_t ldy, const double *in, int symmetric, double *out,
            unsigned char *near)
{
  const size_t plane = n * m;
  for (size_t j = symmetric ? from : 0; j < m; j += LANES) {
    const size_t b = m - j < LANES ? m - j : LANES;
    for (size_t i = from; i < to; ++i)
      row(b, d, x + i * d, y + j * d, g11[i], g22 + j, g12 + i * m + j,
          tx + i * (LAYERS + 1) * STATS, ty + j, ldy, in, out + i * m + j, plane,
          near + i * m + j);
    if (!symmetric) continue;
    for (size_t p = 0; p < PLANES; ++p) {
      const double *upper = out + p * plane;
      double *lower = out + other_plane[p] * plane;
      for (size_t k = j; k < j + b; ++k)
        for (size_t i = from; i < to && i < k; ++i) lower[k * m + i] = upper[i * m + k];
    }
    for (size_t k = j; k < j + b; ++k)
      for (size_t i = from; i < to && i < k; ++i) near[k * m + i] = near[i * m + k];
  }
}
"""
"""What the runtime calls: it fills the tables, and makes the inner products."""
