"""C for the series of the two halves of a function with a kink at 0: see `lower.halves`."""

from __future__ import annotations

from math import pi, sqrt

from ....lower.halves import TERMS, Halves, half_moment
from ...text import filled
from ..text import array, c_literal

LANES = 16
"""Points at once: the rows of so many stay in the fastest cache."""


def halves_sums() -> str:
    """The function that sums the series, for any activation."""
    count = TERMS[-1] + 1
    moments = tuple(half_moment(n) / sqrt(2 * pi) for n in range(count))
    tables = array("ntksym_halves_moment", moments)
    tables += array("ntksym_halves_over", (0.0, *(1 / n for n in range(1, count))))
    return tables + filled(_SUMS, {"@LANES@": str(LANES), "@ROWS@": str(count)})


def halves_function(label: str, series: Halves) -> str:
    """The function of one activation, on at most LANES points."""
    marks = {"@LABEL@": label, "@LANES@": str(LANES)}
    tables = array(f"ntksym_{label}_right", series.right)
    tables += array(f"ntksym_{label}_left", series.left)
    for name, used in zip(("same", "other"), series.used, strict=True):
        numbers = ", ".join(map(str, used))
        tables += f"static const signed char ntksym_{label}_{name}[] = {{{numbers}}};\n"
    steps = [f"most <= {c_literal(float(v))} ? {n}" for v, n in series.steps[:-1]]
    marks["@COUNT@"] = " : ".join([*steps, str(series.steps[-1][1])])
    return tables + filled(_OWN, marks)


_SUMS = r"""/* The sum of (a_m x_n + b_m y_n) h_mn, m + n <= count, n < used[m]; @LANES@ points. */
NTKSYM_BLOCK_FUNCTION void ntksym_halves_sum(int count, const signed char *used, const double *a,
    const double *b, const double *x, const double *y, const double *q11, const double *q12,
    const double *q22, const double *root, double *out)
{
  double row[3][@ROWS@][@LANES@], sums[@ROWS@][@LANES@], r1[@LANES@], r2[@LANES@];
  double t1[@LANES@], t2[@LANES@], c1[@LANES@], c2[@LANES@], e[@LANES@], f[@LANES@];
  const double *moment = ntksym_halves_moment, *over = ntksym_halves_over;
  int rows = 0;
  while (rows <= count && used[rows]) ++rows;
  for (int i = 0; i < @LANES@; ++i) {
    r1[i] = sqrt(q11[i]);
    r2[i] = sqrt(q22[i]);
    c1[i] = q12[i] / (q11[i] > 0.0 ? q11[i] : 1.0);
    c2[i] = q12[i] / (q22[i] > 0.0 ? q22[i] : 1.0);
    t1[i] = root[i] / (r1[i] > 0.0 ? r1[i] : 1.0);
    t2[i] = root[i] / (r2[i] > 0.0 ? r2[i] : 1.0);
    row[0][0][i] = ntksym_op_angle(root[i], -q12[i]) * 0x1.45f306dc9c883p-3;
    e[i] = r1[i];
    f[i] = r2[i];
  }
  for (int n = 1; n < used[0] && n <= count; ++n)
    for (int i = 0; i < @LANES@; ++i) {
      const double before = n == 1 ? r2[i] * moment[0] : q22[i] * row[0][n - 2][i];
      row[0][n][i] = (before + c1[i] * (e[i] * moment[n - 1])) * over[n];
      e[i] *= t1[i];
    }
  for (int i = 0; i < @LANES@; ++i) e[i] = r1[i];
  for (int m = 0; m < rows; ++m) {
    const int left = count - m + 1, end = used[m] < left ? used[m] : left;
    double(*own)[@LANES@] = row[m % 3];
    double(*one)[@LANES@] = row[(m + 2) % 3], (*two)[@LANES@] = row[(m + 1) % 3];
    double sum[@LANES@];
    if (m) {
      for (int i = 0; i < @LANES@; ++i) {
        const double before = m == 1 ? r1[i] * moment[0] : q11[i] * two[0][i];
        own[0][i] = (before + c2[i] * (f[i] * moment[m - 1])) * over[m];
        f[i] *= t2[i];
      }
      for (int n = 1; m == 1 && n < end; ++n)
        for (int i = 0; i < @LANES@; ++i) {
          e[i] *= t1[i];
          own[n][i] = e[i] * moment[n] + q12[i] * one[n - 1][i];
        }
    }
    for (int i = 0; i < @LANES@; ++i) sum[i] = 0.0;
    for (int n = end - 1; n > 0; --n) { /* the small ones first */
      const double w = a[m] * x[n] + b[m] * y[n], part = over[m];
      if (m > 1)
        for (int i = 0; i < @LANES@; ++i)
          own[n][i] = (q11[i] * two[n][i] + q12[i] * one[n - 1][i]) * part;
      for (int i = 0; i < @LANES@; ++i) sum[i] += w * own[n][i];
    }
    for (int i = 0; i < @LANES@; ++i)
      sums[m][i] = sum[i] + (a[m] * x[0] + b[m] * y[0]) * own[0][i];
  }
  for (int m = rows - 1; m >= 0; --m)
    for (int i = 0; i < @LANES@; ++i) out[i] += sums[m][i];
}
"""

_OWN = r"""/* The dual by the series of its halves, on @LANES@ points. */
NTKSYM_BLOCK_FUNCTION void ntksym_@LABEL@_series(const double *q11, const double *q12,
    const double *q22, const double *root, double *out)
{
  const double *a = ntksym_@LABEL@_right, *b = ntksym_@LABEL@_left;
  double most = 0.0, turned[@LANES@];
  for (int i = 0; i < @LANES@; ++i) {
    most = q11[i] > most ? q11[i] : most;
    most = q22[i] > most ? q22[i] : most;
    turned[i] = -q12[i];
    out[i] = 0.0;
  }
  const int count = @COUNT@;
  ntksym_halves_sum(count, ntksym_@LABEL@_same, a, b, a, b, q11, q12, q22, root, out);
  ntksym_halves_sum(count, ntksym_@LABEL@_other, a, b, b, a, q11, turned, q22, root, out);
}
"""
