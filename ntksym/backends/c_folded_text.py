"""The C of `c_folded`: what is the same for every folded table."""

from __future__ import annotations

ROW = """/* One pair of bands: a matrix with a row for every power of the row's tau, how many rows
 * every few of its columns have, what evaluates it, how wide it is, and the parts that are one
 * number. */
typedef struct {
  const double *from;
  const unsigned char *depth;
  void (*sum)(const double *row, size_t n, const double *x, const double *t@OUTPUTS@);
  int wide;
  double kappa, more[2];
} @STEM@_entry;

static const @STEM@_entry @STEM@_tables[@COUNT@] = {
@TABLES@
};

/* The powers of tau of a row, for all its coefficients. */
NTKSYM_TABLE_FUSED static void @STEM@_row(const @STEM@_entry *e, double tau, double *row)
{
  enum { parts = @WIDE@ / (int)(sizeof(ntksym_lanes) / sizeof(double)) };
  const ntksym_lanes zero = {0.0};
  const int wide = e->wide;
  for (int v = 0; v < wide; v += @WIDE@) {
    ntksym_lanes sum[parts], next;
    const int deep = e->depth[v / @WIDE@];
    const double *from = e->from + v + deep * wide;
    for (int u = 0; u < parts; ++u) sum[u] = zero;
    for (int i = 0; i < deep; ++i) {
      from -= wide;
      for (int u = 0; u < parts; ++u) {
        memcpy(&next, from + u * @STEM@_many, sizeof next);
        sum[u] = sum[u] * tau + next;
      }
    }
    for (int u = 0; u < parts; ++u) memcpy(row + v + u * @STEM@_many, &sum[u], sizeof next);
  }
}

"""

SUM = """/* The polynomials of the parts in x and their derivatives, two vectors of entries at a
 * time; the coefficients are polynomials in t. */
NTKSYM_TABLE_FUSED static void @SUM@(const double *row, size_t n, const double *x,
    const double *t@OUTPUTS@)
{
  const ntksym_lanes zero = {0.0};
  for (size_t l = 0; l < n; l += 2 * @STEM@_many) {
    ntksym_lanes z[2], y[2], c0[2], c1[2], c2[2]@NAMES@;
    for (int u = 0; u < 2; ++u) {
      memcpy(&z[u], x + l + u * @STEM@_many, sizeof zero);
      memcpy(&y[u], t + l + u * @STEM@_many, sizeof zero);
      c0[u] = c1[u] = c2[u] = zero;
    }
@POLYNOMIALS@    for (int u = 0; u < 2; ++u) {
@STORES@    }
  }
}

"""

COLUMNS = """/* What a chunk of columns needs whatever the row, in the order of their bands: roots
 * of the variances, 1 over them (NaN outside the range), t.  `own`: where they come from. */
typedef struct {
  size_t n;
  int band, mixed, first[@BANDS@ + 1];
  unsigned short own[@CHUNK@ + 1];
  double q[@CHUNK@], y[@CHUNK@], over[@CHUNK@], t[@CHUNK@ + 64];
} @STEM@_columns;

static const @STEM@_columns *@STEM@_fill(size_t n, const double *q22, @STEM@_columns *to)
{
  int band[@CHUNK@] = {0}, mixed = 0;
  size_t i = 0;
  memcpy(to->q, q22, n * sizeof *q22);
  to->n = n;
@BANDS OF q22@  for (size_t l = 0; l < n; ++l) mixed |= band[l] ^ band[0];
  to->band = band[0];
  to->mixed = mixed;
  for (int g = 0; g < @BANDS@; ++g) {
    to->first[g] = (int)i;
    for (size_t l = 0; l < n && i < n; ++l) {
      to->own[i] = (unsigned short)l;
      i += band[l] == g;
    }
  }
  to->first[@BANDS@] = (int)i;
  for (size_t j = 0; j < n; ++j) {
    const double v = q22[to->own[j]];
    const double *axis = @STEM@_axis[band[to->own[j]]];
    to->y[j] = sqrt(v);
    to->over[j] = (v >= @LOW@) & (v <= @HIGH@) ? 1.0 / to->y[j] : NAN;
    to->t[j] = (to->y[j] - axis[0]) / ((to->y[j] + axis[2]) * axis[1]);
  }
  for (size_t j = n; j < n + 64; ++j) to->t[j] = 0.0;
  return to;
}

/* The rows of a tile have the same columns: a thread keeps what it found for the last few. */
static const @STEM@_columns *@STEM@_of(size_t n, const double *q22, @STEM@_columns *spare)
{
#if defined(__GNUC__)
  static __thread @STEM@_columns kept[@KEPT@];
  unsigned long long bits;
  memcpy(&bits, q22, sizeof bits);
  spare = &kept[(bits * 0x9e3779b97f4a7c15ull >> 32) % @KEPT@];
  if (spare->n == n && memcmp(spare->q, q22, n * sizeof *q22) == 0) return spare;
#endif
  return @STEM@_fill(n, q22, spare);
}

"""

GROUP = """/* A group: n entries with their columns, covariances and roots of determinants. */
static void @STEM@_group(const @STEM@_entry *e, const double *row, size_t n, double s,
    const double *ys, const double *overs, const double *t, const double *cs, const double *rs,
    double *value, double *slope)
{
  enum { step = 2 * @STEM@_many };
  double x[@CHUNK@ + 64], rho[@CHUNK@], steep[@CHUNK@]@ARRAYS@;
  const double one = 1.0 + e->kappa, kappa = e->kappa, inverse = 1.0 / s;
@BEND@  for (size_t l = n; l % step; ++l) x[l] = 0.0;
  e->sum(row, n, x, t@GIVEN@);
  for (size_t l = 0; l < n; ++l) {
    const int ok = fabs(rho[l]) <= @SLACK@;
    value[l] = ok ? s * ys[l] * (@VALUE@) : NAN;
    slope[l] = ok ? @DOT@ : NAN;
  }
}

"""

PAIRS = """static void @STEM@_pairs(@ARGUMENTS@)
{
  double row[@ROW@ + 1];
  @STEM@_columns spare;
  for (size_t start = 0, end; start < n; start = end) {
    const double q = q11[start], s = sqrt(q);
    const int in = (q >= @LOW@) & (q <= @HIGH@), mine = @BAND q@;
    const @STEM@_entry *tables = @STEM@_tables + mine * @BANDS@;
    const double *axis = @STEM@_axis[mine];
    const double tau = (s - axis[0]) / ((s + axis[2]) * axis[1]);
    int last = -1;
    for (end = start + 1; end < n && q11[end] == q; ++end) {}
    if (!in) {
      for (size_t l = start; l < end; ++l) nngp[l] = dot[l] = NAN;
      continue;
    }
    for (size_t at = start; at < end; at += @CHUNK@) {
      const size_t b = end - at < @CHUNK@ ? end - at : @CHUNK@;
      double *k = nngp + at, *d = dot + at;
      const @STEM@_columns *c = @STEM@_of(b, q22 + at, &spare);
@ORDER@    }
  }
}

"""

PLAIN = """      if (last < 0) @STEM@_row(tables, tau, row);
      last = 0;
      @STEM@_group(tables, row, b, s, c->y, c->over, c->t, q12 + at, root + at, k, d);
"""

GROUPED = """      if (!c->mixed) {
        const int g = c->band;
        if (g != last) @STEM@_row(tables + g, tau, row);
        last = g;
        @STEM@_group(tables + g, row, b, s, c->y, c->over, c->t, q12 + at, root + at, k, d);
      } else {
        double cs[@CHUNK@], rs[@CHUNK@], value[@CHUNK@], slope[@CHUNK@];
        for (size_t j = 0; j < b; ++j) {
          cs[j] = q12[at + c->own[j]];
          rs[j] = root[at + c->own[j]];
        }
        for (int g = 0; g < @BANDS@; ++g) {
          const int i = c->first[g], m = c->first[g + 1] - i;
          if (!m) continue;
          if (g != last) @STEM@_row(tables + g, tau, row);
          last = g;
          @STEM@_group(tables + g, row, (size_t)m, s, c->y + i, c->over + i, c->t + i, cs + i,
              rs + i, value + i, slope + i);
        }
        for (size_t j = 0; j < b; ++j) {
          k[c->own[j]] = value[j];
          d[c->own[j]] = slope[j];
        }
      }
"""
