"""C for values of s and of its slope beside a kink, from how far it is away."""

from __future__ import annotations

VALUES = r"""
/* s, or its slope, in a cell at y from its lower or upper end, from the rows of `closed`: no
 * digit is lost however small y and s are.  Of several exponentials that cancel at the end, the
 * sum of the polynomials and what the exponentials add to it. */
NTKSYM_BLOCK_FUNCTION void ntksym_direct_beside(const ntksym_direct_rule *s, int which, int cell,
                                                int upper, size_t n, const double *y, double *out)
{
  const int cells = s->kinks + 1, wide = 2 * s->degree + 3, first = which * cells + cell;
  const int groups = s->groups[first], lone = groups == 1;
  const double *row = s->closed;
  for (int j = 0; j < first; ++j) row += s->groups[j] > 0 ? wide * s->groups[j] : 0;
  row += upper ? s->degree + 1 : 0;
  for (size_t i = 0; i < n; ++i) out[i] = 0.0;
  for (int j = s->degree; j >= 0; --j) {
    double sum = 0.0;
    for (int g = 0; g < groups; ++g) sum += row[g * wide + 1 + j];
    for (size_t i = 0; i < n; ++i) out[i] = out[i] * y[i] + sum;
  }
  for (int g = 0; g < groups; ++g) {
    const double *c = row + g * wide + 1, rate = row[g * wide - (upper ? s->degree + 1 : 0)];
    if (rate == 0.0) continue;
    for (size_t i = 0; i < n; ++i) {
      double sum = 0.0;
      for (int j = s->degree; j >= 0; --j) sum = sum * y[i] + c[j];
      if (lone) out[i] = sum * ntksym_op_exp(rate * y[i]);
      else out[i] += sum * ntksym_op_expm1(rate * y[i]);
    }
  }
}

/* The largest rate of the exponentials of a cell. */
static inline double ntksym_direct_rate(const ntksym_direct_rule *s, int which, int cell)
{
  const int cells = s->kinks + 1, wide = 2 * s->degree + 3, first = which * cells + cell;
  const double *row = s->closed;
  double most = 0.0;
  for (int j = 0; j < first; ++j) row += s->groups[j] > 0 ? wide * s->groups[j] : 0;
  for (int g = 0; g < s->groups[first]; ++g)
    most = fabs(row[g * wide]) > most ? fabs(row[g * wide]) : most;
  return most;
}

/* Whether y, from an end k of a cell, has digits that k + y has not; or, at k = 0, where they are
 * the same number, whether s is a sum of exponentials that may cancel there. */
static inline int ntksym_direct_finer(const ntksym_direct_rule *s, int which, int cell, double k,
                                      double y)
{
  const int groups = s->groups[which * (s->kinks + 1) + cell];
  const int end = (k == ntksym_direct_low(s, cell)) | (k == ntksym_direct_high(s, cell));
  if (k != 0.0 || groups < 2) return groups > 0 && fabs(y) < fabs(k);
  return end & (fabs(y) * ntksym_direct_rate(s, which, cell) < 1.0);
}

/* The same at the nodes x of a panel, which are at y from `base`: an end of the cell, or 0. */
static inline void ntksym_direct_values(const ntksym_direct_rule *s, int which, int cell,
                                        double base, const double *x, const double *y, double *out)
{
  const int upper = base == ntksym_direct_high(s, cell);
  const double most = fabs(y[0]) > fabs(y[@NODES@ - 1]) ? y[0] : y[@NODES@ - 1];
  if (ntksym_direct_finer(s, which, cell, base, most)) {
    ntksym_direct_beside(s, which, cell, upper, @NODES@, y, out);
  } else {
    double other[@PADDED@];
    s->point(@NODES@, x, s->given, which ? other : out, which ? out : other);
  }
}

/* The same at m alone: each has its own nearest kink. */
static inline void ntksym_direct_still(const ntksym_direct_rule *s, int which, const double *m,
                                       double (*gap)[@PADDED@], double *out)
{
  double other[@PADDED@];
  s->point(@PADDED@, m, s->given, which ? other : out, which ? out : other);
  for (int i = 0; s->kinks && i < @PADDED@; ++i) {
    int k = 0, cell;
    for (int j = 1; j < s->kinks; ++j) k = fabs(gap[j][i]) < fabs(gap[k][i]) ? j : k;
    cell = k + (gap[k][i] > 0.0);
    if (!s->live[which * (s->kinks + 1) + cell]) out[i] = 0.0;
    else if (ntksym_direct_finer(s, which, cell, s->kink[k], gap[k][i]))
      ntksym_direct_beside(s, which, cell, cell == k, 1, &gap[k][i], &out[i]);
  }
}

"""
"""A part of the text of `direct_text`, with its marks."""
