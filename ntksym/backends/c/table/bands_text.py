"""The C of `c.table.bands`: what is the same for every table of a range of variances."""

from __future__ import annotations

ENTRY = """/* One pair of bands and one sign: the coefficients, how many powers every vector of
 * them has, how many coefficients every power has, and where they are. */
typedef struct {
  const double *from;
  const unsigned char *depth, *length;
  int powers, vectors, outer, inner, dot;
  double kappa;
} @STEM@_entry;

"""

LOOPS = """/* The powers of tau of a row, for all its coefficients. */
NTKSYM_FUSED static void @STEM@_row(const @STEM@_entry *e, double tau, double *row)
{
  enum { parts = @WIDE@ / (int)(sizeof(ntksym_lanes) / sizeof(double)) };
  const unsigned char *depth = e->depth;
  const ntksym_lanes zero = {0.0};
  for (int j = 0; j < e->powers; ++j) {
    const double *from = e->from + j * e->outer;
    for (int v = 0; v < e->vectors; ++v) {
      ntksym_lanes sum[parts], next;
      for (int u = 0; u < parts; ++u) sum[u] = zero;
      for (int i = *depth++; i-- > 0;) {
        for (int u = 0; u < parts; ++u) {
          memcpy(&next, from + i * e->inner + u * @STEM@_many, sizeof next);
          sum[u] = sum[u] * tau + next;
        }
      }
      for (int u = 0; u < parts; ++u) memcpy(row + u * @STEM@_many, &sum[u], sizeof next);
      row += @WIDE@;
      from += @WIDE@;
    }
  }
}

/* The polynomials in x for every power of t, of the dual and of the derivative dual, four vectors
 * of entries at a time. */
NTKSYM_FUSED static void @STEM@_sum(const @STEM@_entry *e, const double *row,
    const double *x, const double *t, double *value, double *slope)
{
  ntksym_lanes z[4], y[4], p[4], r[4], sum[4], also[4];
  const ntksym_lanes zero = {0.0};
  const int width = e->vectors * @WIDE@;
  const unsigned char *length = e->length + 2 * e->powers;
  for (int u = 0; u < 4; ++u) {
    memcpy(&z[u], x + u * @STEM@_many, sizeof zero);
    memcpy(&y[u], t + u * @STEM@_many, sizeof zero);
    sum[u] = also[u] = zero;
  }
  row += e->powers * width;
  for (int j = e->powers; j-- > 0;) {
    row -= width;
    length -= 2;
    const double *a = row + length[0], *b = row + e->dot + length[1];
    for (int u = 0; u < 4; ++u) p[u] = r[u] = zero;
    int m = (int)length[0] - (int)length[1];
    for (; m > 0; --m) {
      const double next = *--a;
      for (int u = 0; u < 4; ++u) p[u] = p[u] * z[u] + next;
    }
    for (; m < 0; ++m) {
      const double next = *--b;
      for (int u = 0; u < 4; ++u) r[u] = r[u] * z[u] + next;
    }
    while (a > row) {
      const double next = *--a, other = *--b;
      for (int u = 0; u < 4; ++u) p[u] = p[u] * z[u] + next;
      for (int u = 0; u < 4; ++u) r[u] = r[u] * z[u] + other;
    }
    for (int u = 0; u < 4; ++u) sum[u] = sum[u] * y[u] + p[u];
    for (int u = 0; u < 4; ++u) also[u] = also[u] * y[u] + r[u];
  }
  for (int u = 0; u < 4; ++u) {
    memcpy(value + u * @STEM@_many, &sum[u], sizeof zero);
    memcpy(slope + u * @STEM@_many, &also[u], sizeof zero);
  }
}

/* A group: n entries with the roots of their variances, covariances and roots of determinants. */
static void @STEM@_group(const @STEM@_entry *e, const double *axis, const double *row, size_t n,
    double s, const double *ys, const double *cs, const double *rs, double *value, double *slope)
{
  enum { step = 4 * @STEM@_many };
  double x[@CHUNK@], t[@CHUNK@];
  const double twice = 2.0 * (1.0 + e->kappa), kappa = e->kappa;
  const double centre = axis[0], half = axis[1], pole = axis[2];
  for (size_t l = 0; l < n; ++l) {
    x[l] = twice * rs[l] / (s * ys[l] + fabs(cs[l]) + kappa * rs[l]) - 1.0;
    t[l] = (ys[l] - centre) / ((ys[l] + pole) * half);
  }
  for (size_t l = n; l % step; ++l) x[l] = t[l] = 0.0;
  for (size_t l = 0; l < n; l += step) @STEM@_sum(e, row, x + l, t + l, value + l, slope + l);
}

"""

ARGUMENTS = (
    "size_t n, const double *q11, const double *q12, const double *q22,\n"
    "    const double *root, double *nngp, double *dot"
)

PAIRS = (
    f"static void @STEM@_pairs({ARGUMENTS})"
    + """
{
  double row[@ROW@], p[@CHUNK@], y[@CHUNK@], k[@CHUNK@], d[@CHUNK@];
  for (size_t start = 0, end; start < n; start = end) {
    const double q = q11[start], s = sqrt(q);
    const int in = (q >= @LOW@) & (q <= @HIGH@), mine = @BAND q@;
    const @STEM@_entry *tables = @STEM@_tables + mine * @GROUPS@;
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
      for (size_t l = 0; l < b; ++l) {
        y[l] = sqrt(q22[at + l]);
        p[l] = s * y[l];
      }
@ORDER@@SIGNS@      for (size_t l = 0; l < b; ++l) {
        const double v = q22[at + l];
        const int ok = (v >= @LOW@) & (v <= @HIGH@) & (fabs(q12[at + l]) <= p[l] * @SLACK@);
        nngp[at + l] = ok ? @SCALE@k[l] : NAN;
        dot[at + l] = ok ? d[l] : NAN;
      }
    }
  }
}

"""
)

PLAIN = """      if (last < 0) @STEM@_row(tables, tau, row);
      last = 0;
      @STEM@_group(tables, axis, row, b, s, y, q12 + at, root + at, k, d);
"""

GROUPED = """      unsigned char group[@CHUNK@];
      unsigned present = 0;
      for (size_t l = 0; l < b; ++l) {
@NAMES@        group[l] = (unsigned char)(@GROUP@);
      }
      for (size_t l = 0; l < b; ++l) present |= 1u << group[l];
      const int alone = (present & (present - 1)) == 0;
      if (alone) {
        const int g = group[0];
        if (g != last) @STEM@_row(tables + g, tau, row);
        last = g;
        @STEM@_group(tables + g, @STEM@_axis[g / @SIDES@], row, b, s, y, q12 + at, root + at, k, d);
      }
      for (int g = 0; !alone && g < @GROUPS@; ++g) {
        if (!(present >> g & 1)) continue;
        unsigned short own[@CHUNK@ + 1];
        double ys[@CHUNK@], cs[@CHUNK@], rs[@CHUNK@], value[@CHUNK@], slope[@CHUNK@];
        size_t m = 0;
        for (size_t l = 0; l < b; ++l) {
          own[m] = (unsigned short)l;
          m += group[l] == g;
        }
        for (size_t i = 0; i < m; ++i) {
          const size_t l = own[i];
          ys[i] = y[l];
          cs[i] = q12[at + l];
          rs[i] = root[at + l];
        }
        if (g != last) @STEM@_row(tables + g, tau, row);
        last = g;
        @STEM@_group(tables + g, @STEM@_axis[g / @SIDES@], row, m, s, ys, cs, rs, value, slope);
        for (size_t i = 0; i < m; ++i) {
          k[own[i]] = value[i];
          d[own[i]] = slope[i];
        }
      }
"""

DIAGONAL = """static void @STEM@_diag(size_t n, const double *q, double *nngp, double *dot)
{
  for (size_t l = 0; l < n; ++l) {
    const double v = q[l], s = sqrt(v);
    const int ok = (v >= @LOW@) & (v <= @HIGH@), band = @BAND@;
    const double *axis = @STEM@_axis[band];
    const double *a = @STEM@_diag_k[band], *b = @STEM@_diag_d[band];
    const double z = (s - axis[0]) / ((s + axis[2]) * axis[1]);
    double k = a[0], d = b[0];
    for (int i = 1; i < @KSIZE@; ++i) k = NTKSYM_MADD(k, z, a[i]);
    for (int i = 1; i < @DSIZE@; ++i) d = NTKSYM_MADD(d, z, b[i]);
    nngp[l] = ok ? @OWN@k : NAN;
    dot[l] = ok ? d : NAN;
  }
}
"""
