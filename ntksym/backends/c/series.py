"""C for a Hermite series: coefficients per variance, then one polynomial in rho per entry.

The coefficients are polynomials in log q. Lanes are taken in groups; where all q11 (or q22) are
equal, theirs are made once.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

from ...lower.program import Program
from ...numeric.series.table import SeriesTable
from ..numpy.series import finish, largest_rho, series_functions
from .backend import C
from .text import array, in_lines

GROUP = 32
"""Lanes at a time: more than compilers unroll, so that they vectorise instead."""


@dataclass(frozen=True, slots=True)
class SeriesUnit:
    """A `DualUnit` of a `SeriesTable`."""

    table: SeriesTable

    @property
    def notes(self) -> tuple[str, ...]:
        """Terms, domain and proven bounds."""
        return self.table.lines()

    @property
    def programs(self) -> tuple[Program, ...]:
        """None: it needs no operation of the support header but the fused multiply-add."""
        return ()

    def c_functions(self, stem: str) -> str:
        """As in `DualUnit`; `<stem>_coefficients` and `<stem>_row_entries` may be used alone."""
        table, rows = self.table, _padded(self.table.rows)
        upper = stem.upper()
        text = _TEXT
        for name, row in (("SECOND", table.second), ("SLOPE", table.slope)):
            if row is not None:
                text = text.replace(f"@{name}@", _vector(f"{stem}_{name.lower()}", row))
        text = text.replace("@SLOPE@\n", "")
        text = text.replace("@ROWS@", _matrix(f"{stem}_rows", rows))
        text = text.replace("@BASIS@", _POINT if table.lo == table.hi else _RANGE)
        lo, hi = float(table.lo), float(table.hi)
        if table.lo != table.hi:
            scale = 2.0 / (log(hi) - log(lo))
            text = text.replace("@SCALE@", C.literal(scale))
            text = text.replace("@SHIFT@", C.literal(1.0 + scale * log(lo)))
        text = text.replace("@LO@", C.literal(lo)).replace("@HI@", C.literal(hi))
        text = text.replace("@RHO@", C.literal(largest_rho(table)))
        text = text.replace("@SQUARE@", "r[l] * r[l]" if table.step == 2 else "r[l]")
        value, _, slope = finish(table, "k[l]", "d[l]", "r[l]").partition(", ")
        text = text.replace("@VALUE@", value).replace("@DERIVATIVE@", slope)
        slopes = "INFINITY"
        if table.slope is not None:
            slopes = f"{stem}_at({stem}_slope, {len(table.slope)}, t) / q[i]"
        text = text.replace("@DIAGONAL@", slopes).replace("@SECONDS@", str(len(table.second)))
        text = text.replace("@SUMS@", _SUM if len(rows[0]) == 1 else _SUMS)
        text = text.replace("@GROUP@", str(GROUP)).replace("@TERMS@", str(len(rows)))
        text = text.replace("@DEGREES@", str(len(rows[0]))).replace("@STORE@", str(_store(rows)))
        return text.replace("@STEM@", stem).replace("@UPPER@", upper).lstrip("\n")

    def numpy_functions(self, stem: str) -> str:
        """As in `DualUnit`."""
        return series_functions(self.table, stem)


def _padded(rows: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
    """With zeros, so that sums can take four numbers at a time."""
    width = len(rows[0])
    wide = width if width == 1 else -(-width // 4) * 4
    out = [row + (0.0,) * (wide - width) for row in rows]
    return tuple(out + [(0.0,) * wide] * (-len(rows) % 4))


def _store(rows: tuple[tuple[float, ...], ...]) -> int:
    """How many groups of coefficients a thread keeps: about half a megabyte, at least four."""
    return max(4, min(32, (1 << 19) // (len(rows) * GROUP * 8)))


def _vector(name: str, values: tuple[float, ...]) -> str:
    return array(name, values).rstrip("\n")


def _matrix(name: str, rows: tuple[tuple[float, ...], ...]) -> str:
    joined = ",\n".join("  {" + in_lines(row, 4, "   ") + "}" for row in rows)
    return f"static const double {name}[{len(rows)}][{len(rows[0])}] = {{\n{joined}\n}};"


_RANGE = """static inline double @STEM@_place(double q)
{
  return q >= @LO@ && q <= @HI@ ? log(q) * @SCALE@ - @SHIFT@ : NAN;
}
"""

_POINT = """static inline double @STEM@_place(double q)
{
  return fabs(q - @LO@) <= 0x1p-48 * @LO@ ? 1.0 : NAN;
}
"""

_SUM = """    for (int l = 0; l < @UPPER@_GROUP; ++l) sum[l] = @STEM@_rows[n][0] * basis[0][l];
"""

_SUMS = """    for (int j = 0; j < @UPPER@_DEGREES; j += 4) {
      const double c0 = @STEM@_rows[n][j], c1 = @STEM@_rows[n][j + 1];
      const double c2 = @STEM@_rows[n][j + 2], c3 = @STEM@_rows[n][j + 3];
      for (int l = 0; l < @UPPER@_GROUP; ++l) {
        const double low = NTKSYM_MADD(c1, basis[j + 1][l], c0 * basis[j][l]);
        const double high = NTKSYM_MADD(c3, basis[j + 3][l], c2 * basis[j + 2][l]);
        sum[l] += low + high;
      }
    }
"""

_TEXT = """
enum { @UPPER@_TERMS = @TERMS@, @UPPER@_DEGREES = @DEGREES@, @UPPER@_GROUP = @GROUP@,
       @UPPER@_STORE = @STORE@ };

/* Chebyshev coefficients, in log q, of the Hermite coefficients a_n(q), of E[s^2] and of
 * q E[s'^2]. */
@ROWS@
@SECOND@
@SLOPE@

/* The place of a variance in [-1, 1]; NaN outside the range of the proven bound. */
@BASIS@
/* A sum of Chebyshev polynomials, by Clenshaw's recurrence. */
static inline double @STEM@_at(const double *c, int size, double t)
{
  double b1 = 0.0, b2 = 0.0;
  for (int j = size - 1; j > 0; --j) {
    const double b = NTKSYM_MADD(2.0 * t, b1, c[j] - b2);
    b2 = b1;
    b1 = b;
  }
  return NTKSYM_MADD(t, b1, c[0] - b2);
}

/* a_n of a group of variances: a[n][l]. */
static void @STEM@_coefficients(const double *q, double (*a)[@UPPER@_GROUP])
{
  double basis[@UPPER@_DEGREES][@UPPER@_GROUP], t[@UPPER@_GROUP];
  for (int l = 0; l < @UPPER@_GROUP; ++l) {
    t[l] = @STEM@_place(q[l]);
    basis[0][l] = t[l] == t[l] ? 1.0 : NAN;
  }
  for (int j = 1; j < @UPPER@_DEGREES; ++j)
    for (int l = 0; l < @UPPER@_GROUP; ++l)
      basis[j][l] = j == 1 ? t[l] : NTKSYM_MADD(2.0 * t[l], basis[j - 1][l], -basis[j - 2][l]);
  for (int n = 0; n < @UPPER@_TERMS; ++n) {
    double sum[@UPPER@_GROUP];
    for (int l = 0; l < @UPPER@_GROUP; ++l) sum[l] = 0.0;
@SUMS@    for (int l = 0; l < @UPPER@_GROUP; ++l) a[n][l] = sum[l];
  }
}

/* a_n of one variance. */
static void @STEM@_one(double q, double *a)
{
  double basis[@UPPER@_DEGREES];
  const double t = @STEM@_place(q);
  basis[0] = t == t ? 1.0 : NAN;
  for (int j = 1; j < @UPPER@_DEGREES; ++j)
    basis[j] = j == 1 ? t : NTKSYM_MADD(2.0 * t, basis[j - 1], -basis[j - 2]);
  for (int n = 0; n < @UPPER@_TERMS; n += 4) {
    double s0 = 0.0, s1 = 0.0, s2 = 0.0, s3 = 0.0;
    for (int j = 0; j < @UPPER@_DEGREES; ++j) {
      s0 = NTKSYM_MADD(@STEM@_rows[n][j], basis[j], s0);
      s1 = NTKSYM_MADD(@STEM@_rows[n + 1][j], basis[j], s1);
      s2 = NTKSYM_MADD(@STEM@_rows[n + 2][j], basis[j], s2);
      s3 = NTKSYM_MADD(@STEM@_rows[n + 3][j], basis[j], s3);
    }
    a[n] = s0;
    a[n + 1] = s1;
    a[n + 2] = s2;
    a[n + 3] = s3;
  }
}

/* Correlations, NaN where the bound does not hold, and 1/sqrt(q11 q22). */
static inline void @STEM@_rho(const double *x, const double *c, const double *y, double *r,
                              double *over)
{
  for (int l = 0; l < @UPPER@_GROUP; ++l) {
    const double scale = sqrt(x[l] * y[l]), rho = c[l] / scale;
    const double inside = rho > 1.0 ? 1.0 : rho < -1.0 ? -1.0 : rho;
    r[l] = fabs(rho) <= @RHO@ ? inside : NAN;
    over[l] = 1.0 / scale;
  }
}

/* From the sums to the dual and the derivative dual. */
static inline void @STEM@_finish(const double *r, const double *over, const double *k,
                                 const double *d, double *nngp, double *dot)
{
  for (int l = 0; l < @UPPER@_GROUP; ++l) {
    nngp[l] = @VALUE@;
    dot[l] = (@DERIVATIVE@) * over[l];
  }
  (void)r;
}

/* A group of entries: coefficients of one variance against those of a group. */
static void @STEM@_row_entries(const double *NTKSYM_RESTRICT a,
                               const double (*NTKSYM_RESTRICT b)[@UPPER@_GROUP], const double *x,
                               const double *c, const double *y, double *nngp, double *dot)
{
  double r[@UPPER@_GROUP], s[@UPPER@_GROUP], k[@UPPER@_GROUP], d[@UPPER@_GROUP];
  double over[@UPPER@_GROUP];
  @STEM@_rho(x, c, y, r, over);
  for (int l = 0; l < @UPPER@_GROUP; ++l) {
    s[l] = @SQUARE@;
    k[l] = d[l] = 0.0;
  }
  for (int n = @UPPER@_TERMS - 4; n >= 0; n -= 4) {
    const double a0 = a[n], a1 = a[n + 1], a2 = a[n + 2], a3 = a[n + 3];
    for (int l = 0; l < @UPPER@_GROUP; ++l) {
      double u = k[l], v = NTKSYM_MADD(d[l], s[l], u);
      u = NTKSYM_MADD(u, s[l], a3 * b[n + 3][l]);
      v = NTKSYM_MADD(v, s[l], u);
      u = NTKSYM_MADD(u, s[l], a2 * b[n + 2][l]);
      v = NTKSYM_MADD(v, s[l], u);
      u = NTKSYM_MADD(u, s[l], a1 * b[n + 1][l]);
      d[l] = NTKSYM_MADD(v, s[l], u);
      k[l] = NTKSYM_MADD(u, s[l], a0 * b[n][l]);
    }
  }
  @STEM@_finish(r, over, k, d, nngp, dot);
}

/* A group of entries with products p[n] of coefficients that all of them share. */
static void @STEM@_fixed_entries(const double *p, const double *x, const double *c,
                                 const double *y, double *nngp, double *dot)
{
  double r[@UPPER@_GROUP], s[@UPPER@_GROUP], k[@UPPER@_GROUP], d[@UPPER@_GROUP];
  double over[@UPPER@_GROUP];
  @STEM@_rho(x, c, y, r, over);
  for (int l = 0; l < @UPPER@_GROUP; ++l) {
    s[l] = @SQUARE@;
    k[l] = d[l] = 0.0;
  }
  for (int n = @UPPER@_TERMS - 4; n >= 0; n -= 4) {
    const double p0 = p[n], p1 = p[n + 1], p2 = p[n + 2], p3 = p[n + 3];
    for (int l = 0; l < @UPPER@_GROUP; ++l) {
      double u = k[l], v = NTKSYM_MADD(d[l], s[l], u);
      u = NTKSYM_MADD(u, s[l], p3);
      v = NTKSYM_MADD(v, s[l], u);
      u = NTKSYM_MADD(u, s[l], p2);
      v = NTKSYM_MADD(v, s[l], u);
      u = NTKSYM_MADD(u, s[l], p1);
      d[l] = NTKSYM_MADD(v, s[l], u);
      k[l] = NTKSYM_MADD(u, s[l], p0);
    }
  }
  @STEM@_finish(r, over, k, d, nngp, dot);
}

/* What the last groups of variances gave, one store per thread: in a Gram matrix the same columns
 * come back for every row.  Where the compiler has no thread-local storage there is none. */
#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L && !defined(__STDC_NO_THREADS__)
#define @UPPER@_OWN _Thread_local
#elif defined(NTKSYM_EXTENDED)
#define @UPPER@_OWN __thread
#endif
/* By name: GCC stores vectors there as aligned, and aligns the block of a thread less. */
#ifdef NTKSYM_EXTENDED
#define @UPPER@_ALIGNED __attribute__((aligned(64)))
#else
#define @UPPER@_ALIGNED
#endif

static const double (*@STEM@_known(const double *q, double (*spare)[@UPPER@_GROUP]))[@UPPER@_GROUP]
{
#ifdef @UPPER@_OWN
  static @UPPER@_OWN struct {
    double q[@UPPER@_GROUP], a[@UPPER@_TERMS][@UPPER@_GROUP];
    int full;
  } store[@UPPER@_STORE] @UPPER@_ALIGNED;
  uint64_t key = 0, word;
  for (int l = 0; l < @UPPER@_GROUP; l += @UPPER@_GROUP / 4) {
    memcpy(&word, q + l, sizeof word);
    key = (key ^ word) * UINT64_C(0x9e3779b97f4a7c15);
  }
  const int at = (int)((key >> 40) % @UPPER@_STORE);
  if (!store[at].full || memcmp(store[at].q, q, sizeof store[at].q) != 0) {
    @STEM@_coefficients(q, store[at].a);
    memcpy(store[at].q, q, sizeof store[at].q);
    store[at].full = 1;
  }
  (void)spare;
  return (const double (*)[@UPPER@_GROUP])store[at].a;
#else
  @STEM@_coefficients(q, spare);
  return (const double (*)[@UPPER@_GROUP])spare;
#endif
}

static int @STEM@_same(size_t n, const double *q)
{
  for (size_t i = 1; i < n; ++i)
    if (q[i] != q[0]) return 0;
  return 1;
}

static void @STEM@_pairs(size_t n, const double *q11, const double *q12, const double *q22,
                         const double *root, double *nngp, double *dot)
{
  double a[@UPPER@_TERMS][@UPPER@_GROUP], b[@UPPER@_TERMS][@UPPER@_GROUP];
  double one[@UPPER@_TERMS], p[@UPPER@_TERMS], unit[@UPPER@_TERMS];
  double x[@UPPER@_GROUP], c[@UPPER@_GROUP], y[@UPPER@_GROUP];
  double k[@UPPER@_GROUP], d[@UPPER@_GROUP];
  const int left = n && @STEM@_same(n, q11), right = n && @STEM@_same(n, q22);
  (void)root;
  for (int m = 0; m < @UPPER@_TERMS; ++m) unit[m] = 1.0;
  if (left) @STEM@_one(q11[0], one);
  if (right) {
    @STEM@_one(q22[0], p);
    if (left)
      for (int m = 0; m < @UPPER@_TERMS; ++m) p[m] *= one[m];
  }
  for (size_t at = 0; at < n; at += @UPPER@_GROUP) {
    const size_t many = n - at < @UPPER@_GROUP ? n - at : @UPPER@_GROUP;
    for (size_t l = 0; l < @UPPER@_GROUP; ++l) {
      const size_t i = at + (l < many ? l : 0);
      x[l] = q11[i];
      c[l] = q12[i];
      y[l] = q22[i];
    }
    if (left && right) {
      @STEM@_fixed_entries(p, x, c, y, k, d);
    } else if (right) {
      @STEM@_row_entries(p, @STEM@_known(x, a), x, c, y, k, d);
    } else if (left) {
      @STEM@_row_entries(one, @STEM@_known(y, b), x, c, y, k, d);
    } else {
      @STEM@_coefficients(x, a);
      @STEM@_coefficients(y, b);
      for (int m = 0; m < @UPPER@_TERMS; ++m)
        for (int l = 0; l < @UPPER@_GROUP; ++l) b[m][l] *= a[m][l];
      @STEM@_row_entries(unit, (const double (*)[@UPPER@_GROUP])b, x, c, y, k, d);
    }
    for (size_t l = 0; l < many; ++l) {
      nngp[at + l] = k[l];
      dot[at + l] = d[l];
    }
  }
}

static void @STEM@_diag(size_t n, const double *q, double *nngp, double *dot)
{
  for (size_t i = 0; i < n; ++i) {
    const double t = @STEM@_place(q[i]);
    nngp[i] = @STEM@_at(@STEM@_second, @SECONDS@, t);
    dot[i] = t == t ? @DIAGONAL@ : NAN;
  }
}
"""
