"""C for means by panels: where the closed ones of `direct_text` cancel, or there are none."""

from __future__ import annotations

PANELS = r"""static inline double ntksym_direct_hermite(int order, double z)
{
  return order == 0 ? 1.0 : (order == 1 ? z : z * z - 1.0);
}

/* The same over a cell that is narrow beside t, in u itself: (u - m)/t would lose its width. */
NTKSYM_BLOCK_FUNCTION double ntksym_direct_narrow(const ntksym_direct_rule *s, int which, int order,
                                                  int cell, double below, double above, double t)
{
  const double low = ntksym_direct_low(s, cell), high = ntksym_direct_high(s, cell);
  const int upper = fabs(above) < fabs(below);
  const double base = upper ? high : low, gap = upper ? above : below;
  double u[@ENDS@], x[@PADDED@], y[@PADDED@], w[@PADDED@], v[@PADDED@], total = 0.0;
  int ends = 0;
  u[ends++] = low;
  for (int k = 0; k < s->cuts && ends < @ENDS@ - 1; ++k) {
    int j = ends;
    if (!(s->cut[k] > low && s->cut[k] < high)) continue;
    for (; u[j - 1] > s->cut[k]; --j) u[j] = u[j - 1];
    u[j] = s->cut[k];
    ++ends;
  }
  u[ends++] = high;
  for (int k = 0; k + 1 < ends; ++k) {
    const double length = u[k + 1] - u[k];
    for (int j = 0; j < @PADDED@; ++j) {
      const int n = j < @NODES@ ? j : @NODES@ - 1;
      const double shift = (u[k] - base) + length * ntksym_op_node@NODES@[n];
      const double at = (shift - gap) / t, e = -0.5 * at * at;
      y[j] = shift;
      x[j] = base + shift;
      w[j] = ntksym_op_weight@NODES@[n] * length * ntksym_op_exp_inside(e < -690.0 ? -690.0 : e);
      w[j] *= ntksym_direct_hermite(order, at);
    }
    ntksym_direct_values(s, which, cell, base, x, y, v);
    for (int j = 0; j < @NODES@; ++j) total += w[j] * v[j];
  }
  return total / t;
}

/* The integral over a cell by panels: E[s(u)] there, without the factor 1/sqrt(2 pi); of an order,
 * with the Hermite polynomial of z = (u - m)/t.  Its ends are at m - below and m - above. */
NTKSYM_BLOCK_FUNCTION double ntksym_direct_panels(const ntksym_direct_rule *s, int which, int order,
                                                  int cell, double m, double below, double above,
                                                  double t, double reach)
{
  double z[@ENDS@], x[@PADDED@], y[@PADDED@], w[@PADDED@], v[@PADDED@], total = 0.0;
  const double low = ntksym_direct_low(s, cell), high = ntksym_direct_high(s, cell);
  const double from = cell > 0 ? -below / t : low, to = cell < s->kinks ? -above / t : high;
  const int upper = fabs(to) < fabs(from);
  const double start = upper ? to : from, base = upper ? high : low;
  int ends;
  if (high - low < t) return ntksym_direct_narrow(s, which, order, cell, below, above, t);
  ends = ntksym_direct_ends(s, from, to, m, t, reach, s->cut, s->cuts, z);
  for (int k = 0; k + 1 < ends; ++k) {
    const double left = z[k], length = z[k + 1] - left;
    double part = 0.0;
    for (int j = 0; j < @PADDED@; ++j) {
      const int n = j < @NODES@ ? j : @NODES@ - 1;
      const double at = left + length * ntksym_op_node@NODES@[n], e = -0.5 * at * at;
      x[j] = m + t * at;
      y[j] = t * ((left - start) + length * ntksym_op_node@NODES@[n]);
      w[j] = ntksym_op_weight@NODES@[n] * length * ntksym_op_exp_inside(e < -690.0 ? -690.0 : e);
      w[j] *= ntksym_direct_hermite(order, at);
    }
    ntksym_direct_values(s, which, cell, base, x, y, v);
    for (int j = 0; j < @NODES@; ++j) part += w[j] * v[j];
    total += part;
  }
  return total;
}
"""
"""A part of the text there, with its marks."""
