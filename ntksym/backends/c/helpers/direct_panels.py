"""C for means by panels: where the closed ones of `direct_text` cancel, or there are none."""

from __future__ import annotations

PANELS = r"""/* The integral over a cell by panels: E[s(u)] there, without the factor
 * 1/sqrt(2 pi); of an order, with the Hermite polynomial of z = (u - m)/t.  Its ends are at
 * m - below and m - above, each of two numbers; the deviation is t*(1 + slip). */
NTKSYM_BLOCK_FUNCTION double ntksym_direct_panels(const ntksym_direct_rule *s, int which, int order,
                                                  int cell, double m, const double *below,
                                                  const double *above, double t, double slip,
                                                  double reach)
{
  double z[@ENDS@], x[@PADDED@], y[@PADDED@], w[@PADDED@], v[@PADDED@], total = 0.0;
  const double low = ntksym_direct_low(s, cell), high = ntksym_direct_high(s, cell);
  const double from = cell > 0 ? -below[0] / t : low;
  const double to = cell < s->kinks ? -above[0] / t : high;
  const int upper = fabs(to) < fabs(from);
  const double *gap = upper ? above : below;
  const double start = s->kinks ? (upper ? to : from) : 0.0;
  const double off = s->kinks ? start * slip + (fma(start, t, gap[0]) + gap[1]) / t : 0.0;
  const double base = s->kinks ? (upper ? high : low) : m;
  /* where the end is farther from the mean than anything counts, from the mean */
  const int far = fabs(start) > reach;
  const double gone = far ? 0.0 : start;
  const int ends =
      ntksym_direct_ends(s, cell, gone, far ? m : base, t, reach, s->cut, s->cuts, z);
  for (int k = 0; k + 1 < ends; ++k) {
    /* from what the panel is nearer to: the end of the cell, or the mean */
    const int near = fabs(z[k] + gone) + fabs(z[k + 1] + gone) < fabs(z[k]) + fabs(z[k + 1]);
    const double shift = near ? gone : 0.0, rest = near ? 0.0 : gone;
    const double origin = near || far ? m : base, back = far ? start : shift;
    const double left = z[k] + shift, length = (z[k + 1] + shift) - left;
    double part = 0.0;
    for (int j = 0; j < @PADDED@; ++j) {
      const double away = left + length * ntksym_direct_node[j], at = away + rest;
      const double square = at * at, e = -0.5 * square, moved = at - rest;
      /* of a node beside an end that is in a tail, where the density is steep */
      const double fine = ((away - moved) + (rest - (at - moved))) - (rest != 0.0 ? off : 0.0);
      const double lost = at * fine + 0.5 * fma(at, at, -square);
      y[j] = t * (away - back);
      x[j] = origin + t * away;
      w[j] = ntksym_direct_weight[j] * length * ntksym_op_exp_inside(e < -700.0 ? -700.0 : e);
      w[j] -= w[j] * (e < -700.0 ? 1.0 : lost);
      v[j] = at;
    }
    for (int j = 0; order && j < @PADDED@; ++j) w[j] *= order == 1 ? v[j] : v[j] * v[j] - 1.0;
    ntksym_direct_values(s, which, cell, base, x, y, v);
    for (int j = 0; j < @NODES@; ++j) part += w[j] * v[j];
    total += part;
  }
  return total;
}
"""
"""A part of the text there, with its marks."""
