"""The C of `c_folded`: what is the same for every folded table."""

from __future__ import annotations

ROW = """/* One pair of bands: a matrix with a row for every power of the row's tau, how many rows
 * every few of its columns have, what evaluates it, how wide it is, and the parts that are one
 * number. */
typedef struct {
  const double *from;
  const unsigned char *depth;
  void (*sum)(const double *row, const double *x, const double *t@OUTPUTS@);
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

SUM = """/* The polynomials of the parts in x and their derivatives, four vectors of entries at a
 * time; the coefficients are polynomials in t. */
NTKSYM_TABLE_FUSED static void @SUM@(const double *row, const double *x, const double *t@OUTPUTS@)
{
  ntksym_lanes z[4], y[4], c0[4], c1[4]@NAMES@;
  const ntksym_lanes zero = {0.0};
  for (int u = 0; u < 4; ++u) {
    memcpy(&z[u], x + u * @STEM@_many, sizeof zero);
    memcpy(&y[u], t + u * @STEM@_many, sizeof zero);
    c0[u] = c1[u] = zero;
  }
@POLYNOMIALS@  for (int u = 0; u < 4; ++u) {
@STORES@  }
}

"""

GROUP = """/* A group: n entries with roots of variances, covariances and roots of determinants. */
static void @STEM@_group(const @STEM@_entry *e, const double *axis, const double *row, size_t n,
    double s, const double *ys, const double *cs, const double *rs, double *value, double *slope)
{
  enum { step = 4 * @STEM@_many };
  double x[@CHUNK@ + 64], t[@CHUNK@ + 64], rho[@CHUNK@], steep[@CHUNK@]@ARRAYS@;
  const double twice = 2.0 * (1.0 + e->kappa), kappa = e->kappa;
  const double centre = axis[0], half = axis[1];
  if (kappa == 0.0)
    for (size_t l = 0; l < n; ++l) {
      const double over = 1.0 / (s * ys[l]), sine = rs[l] * over;
      rho[l] = cs[l] * over;
      x[l] = 2.0 * (sine * sine) - 1.0;
      steep[l] = -4.0;
    }
  else
    for (size_t l = 0; l < n; ++l) {
      const double over = 1.0 / (s * ys[l]), sine = rs[l] * over, square = sine * sine;
      const double less = 1.0 / (1.0 + kappa * square);
      rho[l] = cs[l] * over;
      x[l] = twice * square * less - 1.0;
      steep[l] = -2.0 * twice * (less * less);
    }
  for (size_t l = 0; l < n; ++l) t[l] = (ys[l] - centre) / ((ys[l] + centre) * half);
  for (size_t l = n; l % step; ++l) x[l] = t[l] = 0.0;
  for (size_t l = 0; l < n; l += step) e->sum(row, x + l, t + l@GIVEN@);
  for (size_t l = 0; l < n; ++l) {
    value[l] = s * ys[l] * (@VALUE@);
    slope[l] = @DOT@;
  }
}

"""

PAIRS = """static void @STEM@_pairs(@ARGUMENTS@)
{
  double row[@ROW@ + 1], y[@CHUNK@];
  for (size_t start = 0, end; start < n; start = end) {
    const double q = q11[start], s = sqrt(q);
    const int in = (q >= @LOW@) & (q <= @HIGH@), mine = @BAND q@;
    const @STEM@_entry *tables = @STEM@_tables + mine * @BANDS@;
    const double *axis = @STEM@_axis[mine];
    const double tau = (s - axis[0]) / ((s + axis[0]) * axis[1]);
    int last = -1;
    for (end = start + 1; end < n && q11[end] == q; ++end) {}
    if (!in) {
      for (size_t l = start; l < end; ++l) nngp[l] = dot[l] = NAN;
      continue;
    }
    for (size_t at = start; at < end; at += @CHUNK@) {
      const size_t b = end - at < @CHUNK@ ? end - at : @CHUNK@;
      double *k = nngp + at, *d = dot + at;
      for (size_t l = 0; l < b; ++l) y[l] = sqrt(q22[at + l]);
@ORDER@      for (size_t l = 0; l < b; ++l) {
        const double v = q22[at + l];
        const int ok =
            (v >= @LOW@) & (v <= @HIGH@) & (fabs(q12[at + l]) <= s * y[l] * @SLACK@);
        k[l] = ok ? k[l] : NAN;
        d[l] = ok ? d[l] : NAN;
      }
    }
  }
}

"""

PLAIN = """      if (last < 0) @STEM@_row(tables, tau, row);
      last = 0;
      @STEM@_group(tables, axis, row, b, s, y, q12 + at, root + at, k, d);
"""

GROUPED = """      unsigned short own[@CHUNK@ + 1];
      const double v = q22[at];
      const int g = @BAND v@;
      int band[@CHUNK@], mixed = 0;
      for (size_t l = 0; l < b; ++l) {
        const double v = q22[at + l];
        band[l] = @BAND v@;
        mixed |= band[l] ^ g;
      }
      if (!mixed) {
        if (g != last) @STEM@_row(tables + g, tau, row);
        last = g;
        @STEM@_group(tables + g, @STEM@_axis[g], row, b, s, y, q12 + at, root + at, k, d);
      } else {
        double ys[@CHUNK@], cs[@CHUNK@], rs[@CHUNK@], value[@CHUNK@], slope[@CHUNK@];
        size_t i = 0;
        for (int g = 0; g < @BANDS@ && i < b; ++g) {
          const size_t first = i;
          for (size_t l = 0; l < b; ++l) {
            own[i] = (unsigned short)l;
            i += band[l] == g;
          }
          if (i == first) continue;
          for (size_t j = first; j < i; ++j) {
            const size_t l = own[j];
            ys[j] = y[l];
            cs[j] = q12[at + l];
            rs[j] = root[at + l];
          }
          if (g != last) @STEM@_row(tables + g, tau, row);
          last = g;
          @STEM@_group(tables + g, @STEM@_axis[g], row, i - first, s, ys + first, cs + first,
              rs + first, value + first, slope + first);
        }
        for (size_t j = 0; j < b; ++j) {
          k[own[j]] = value[j];
          d[own[j]] = slope[j];
        }
      }
"""
