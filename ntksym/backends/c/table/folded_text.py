"""The C of `c.table.folded`: what is the same for every folded table."""

from __future__ import annotations

FLOATS_TEXT = """#ifndef NTKSYM_TABLE_FLOATS
#define NTKSYM_TABLE_FLOATS
/* A vector of floats has twice as many lanes; ntksym_widen makes doubles of half of one. */
#ifdef NTKSYM_EXTENDED
typedef float ntksym_floats __attribute__((vector_size(sizeof(ntksym_lanes))));
typedef float ntksym_half __attribute__((vector_size(sizeof(ntksym_lanes) / 2)));
#define NTKSYM_HALVES 2
#else
typedef float ntksym_floats, ntksym_half;
#define NTKSYM_HALVES 4
#endif
static inline ntksym_lanes ntksym_widen(const float *from)
{
  ntksym_half f;
  memcpy(&f, from, sizeof f);
#if defined(NTKSYM_EXTENDED) && defined(__AVX512F__)
  const ntksym_lanes to = {f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7]};
#elif defined(NTKSYM_EXTENDED) && defined(__AVX__)
  const ntksym_lanes to = {f[0], f[1], f[2], f[3]};
#elif defined(NTKSYM_EXTENDED)
  const ntksym_lanes to = {f[0], f[1]};
#else
  const ntksym_lanes to = f;
#endif
  return to;
}
#endif
enum {
  @STEM@_many = (int)(sizeof(ntksym_lanes) / sizeof(double)),
  @STEM@_floats = (int)(sizeof(ntksym_floats) / sizeof(float))
};
"""

ROW = """/* One pair of bands: a matrix with a row for every power of the row's tau, how many rows
 * every few of its columns have, what evaluates it, how wide it is, and the parts that are one
 * number; what is in floats has a matrix of its own. */
typedef struct {
  const double *from;
  const float *low;
  const unsigned char *depth, *low_depth;
  void (*sum)(const double *row, const float *low, int n, const double *x, const double *t,
      const float *xf, const float *tf@OUTPUTS@);
  int wide, low_wide;
  double kappa, more[2];
} @STEM@_entry;

static const @STEM@_entry @STEM@_tables[@COUNT@] = {
@TABLES@
};

/* The powers of tau of a row, for all its coefficients. */
NTKSYM_FUSED static void @STEM@_row(const @STEM@_entry *e, double tau, double *row,
    float *low)
{
  enum { parts = @WIDE@ / (int)(sizeof(ntksym_lanes) / sizeof(double)) };
  const ntksym_lanes zero = {0.0};
  const ntksym_floats none = {0.0f};
  const int wide = e->wide, wide_low = e->low_wide;
  const float tau_low = (float)tau;
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
  enum { small = 2 * @WIDE@ / @STEM@_floats };
  for (int v = 0; v < wide_low; v += 2 * @WIDE@) {
    ntksym_floats sum[small], next;
    const int deep = e->low_depth[v / (2 * @WIDE@)];
    const float *from = e->low + v + deep * wide_low;
    for (int u = 0; u < small; ++u) sum[u] = none;
    for (int i = 0; i < deep; ++i) {
      from -= wide_low;
      for (int u = 0; u < small; ++u) {
        memcpy(&next, from + u * @STEM@_floats, sizeof next);
        sum[u] = sum[u] * tau_low + next;
      }
    }
    for (int u = 0; u < small; ++u) memcpy(low + v + u * @STEM@_floats, &sum[u], sizeof next);
  }
}

"""

COLUMNS = """enum {
  @STEM@_step = 4 * @STEM@_many,
  @STEM@_space = @CHUNK@ + @BANDS@ * @STEM@_step
};

/* What a chunk of columns needs whatever the row, in the order of their bands: roots of the
 * variances, 1 over them (NaN outside the range), t.  `own`: where they come from; a band goes
 * from `first` to `end` and is filled up with its last column.  `straight`: all are of one band. */
typedef struct {
  size_t n;
  int straight, first[@BANDS@], end[@BANDS@];
  unsigned short own[@STEM@_space];
  double q[@CHUNK@], y[@STEM@_space], over[@STEM@_space], t[@STEM@_space];
  float tf[@STEM@_space];
} @STEM@_columns;

static const @STEM@_columns *@STEM@_fill(size_t n, const double *q22, @STEM@_columns *to)
{
  int band[@CHUNK@] = {0}, mixed = 0, i = 0;
  memcpy(to->q, q22, n * sizeof *q22);
  to->n = n;
@BANDS OF q22@  for (size_t l = 0; l < n; ++l) mixed |= band[l] ^ band[0];
  to->straight = !mixed;
  for (int g = 0; g < @BANDS@; ++g) {
    const double *axis = @STEM@_axis[g], centre = axis[0], half = axis[1], pole = axis[2];
    const int first = to->first[g] = i;
    for (size_t l = 0; l < n; ++l) {
      to->own[i] = (unsigned short)l;
      i += band[l] == g;
    }
    to->end[g] = i;
    for (; i % @STEM@_step; ++i) to->own[i] = to->own[i - 1];
    for (int j = first; j < i; ++j) to->t[j] = q22[to->own[j]];
    for (int j = first; j < i; ++j) {
      const double v = to->t[j], root = sqrt(v);
      to->y[j] = root;
      to->over[j] = ((v >= @LOW@) & (v <= @HIGH@)) ? 1.0 / root : NAN;
      to->t[j] = (root - centre) / ((root + pole) * half);
      to->tf[j] = (float)to->t[j];
    }
  }
  return to;
}

/* The rows of a tile have the same columns: a thread keeps what it found for the last few. */
static const @STEM@_columns *@STEM@_of(size_t n, const double *q22, @STEM@_columns *spare)
{
#ifdef NTKSYM_EXTENDED
  /* Aligned by name: GCC stores vectors there as aligned, and aligns the block of a thread less. */
  static __thread @STEM@_columns kept[@KEPT@] __attribute__((aligned(64)));
  unsigned long long bits;
  memcpy(&bits, q22, sizeof bits);
  spare = &kept[(bits * 0x9e3779b97f4a7c15ull >> 32) % @KEPT@];
  if (spare->n == n && memcmp(spare->q, q22, n * sizeof *q22) == 0) return spare;
#endif
  return @STEM@_fill(n, q22, spare);
}

"""

GROUP = """/* The columns of a band, `at` to `end`, with a row: few enough at a time to stay near.
 * cs, rs, nngp, dot: covariances, roots of determinants and both duals, in the order given. */
static void @STEM@_group(const @STEM@_entry *e, const double *row, const float *low,
    const @STEM@_columns *c, int at, int end, double s, const double *cs, const double *rs,
    double *nngp, double *dot)
{
  const double one = 1.0 + e->kappa, kappa = e->kappa, inverse = 1.0 / s;
  for (; at < end; at += @BLOCK@) {
    const int n = end - at < @BLOCK@ ? end - at : @BLOCK@;
    const int whole = c->straight, wide = (n + @STEM@_step - 1) / @STEM@_step * @STEM@_step;
    const unsigned short *own = c->own + at;
    const double *ys = c->y + at, *overs = c->over + at;
    float xf[@BLOCK@];
    double q12[@BLOCK@], root[@BLOCK@], x[@BLOCK@], rho[@BLOCK@], steep[@BLOCK@]@ARRAYS@;
    double value[@BLOCK@], slope[@BLOCK@];
    if (whole) {
      memcpy(q12, cs + at, (size_t)n * sizeof *cs);
      memcpy(root, rs + at, (size_t)n * sizeof *rs);
    } else
      for (int l = 0; l < n; ++l) {
        q12[l] = cs[own[l]];
        root[l] = rs[own[l]];
      }
@PLAIN@@BEND@    for (int l = n; l < wide; ++l) x[l] = 0.0;
    for (int l = 0; l < wide; ++l) xf[l] = (float)x[l];
    e->sum(row, low, n, x, c->t + at, xf, c->tf + at@GIVEN@);
    for (int l = 0; l < n; ++l) {
      const int ok = fabs(rho[l]) <= @SLACK@;
      value[l] = ok ? @SCALE@(@VALUE@) : NAN;
      slope[l] = ok ? @DOT@ : NAN;
    }
    if (whole) {
      memcpy(nngp + at, value, (size_t)n * sizeof *nngp);
      memcpy(dot + at, slope, (size_t)n * sizeof *dot);
    } else
      for (int l = 0; l < n; ++l) {
        nngp[own[l]] = value[l];
        dot[own[l]] = slope[l];
      }
  }
}

"""

PAIRS = """static void @STEM@_pairs(@ARGUMENTS@)
{
  double row[@ROW@ + 1];
  float low[@LOW ROW@ + 1];
  @STEM@_columns spare;
  for (size_t start = 0, end; start < n; start = end) {
    const double q = q11[start], s = sqrt(q);
    const int in = (q >= @LOW@) & (q <= @HIGH@), mine = @BAND q@;
    const @STEM@_entry *tables = @STEM@_tables + mine * @BANDS@;
    const double *axis = @STEM@_axis[mine];
    const double tau = (s - axis[0]) / ((s + axis[2]) * axis[1]);
    int last = -1;
    for (end = start + 1; n - end >= @BLOCK@; end += @BLOCK@) { /* many equal ones at a time */
      int same = 0;
      for (size_t l = end; l < end + @BLOCK@; ++l) same += q11[l] == q;
      if (same < @BLOCK@) break;
    }
    for (; end < n && q11[end] == q; ++end) {}
    if (!in) {
      for (size_t l = start; l < end; ++l) nngp[l] = dot[l] = NAN;
      continue;
    }
    for (size_t at = start; at < end; at += @CHUNK@) {
      const size_t b = end - at < @CHUNK@ ? end - at : @CHUNK@;
      const @STEM@_columns *c = @STEM@_of(b, q22 + at, &spare);
      for (int g = 0; g < @BANDS@; ++g) {
        if (c->first[g] == c->end[g]) continue;
        if (g != last) @STEM@_row(tables + g, tau, row, low);
        last = g;
        @STEM@_group(tables + g, row, low, c, c->first[g], c->end[g], s, q12 + at, root + at,
            nngp + at, dot + at);
      }
    }
  }
}

"""
