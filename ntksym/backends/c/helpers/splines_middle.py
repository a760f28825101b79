"""C for duals of splines that are not 0 at 0: from uncorrelated inputs on, see `lower.splines`."""

from __future__ import annotations

MIDDLE = r"""
typedef struct {
  double mean, slope, size; /* of s, of s', and at least the root of E[s^2], or of E[s'^2] */
} ntksym_spline_side;

/* The means of a spline of degree 0 or 1 of one input of variance q. */
static inline ntksym_spline_side ntksym_spline_means(const ntksym_direct_rule *s, int power,
                                                     int which, const double *d,
                                                     const double *leading, double q)
{
  const double r = sqrt(q);
  const int kinks = s->kinks, wide = 2 * s->degree + 3, left = s->groups[0] > 0;
  double top = 0.0, square = 0.0, before = -1.0, flat = 0.0, bends = 0.0, level = 0.0, curve = 0.0;
  ntksym_spline_side out;
  for (int k = 0; k <= kinks; ++k) {
    const double h = k < kinks ? s->kink[k] / r : 0.0;
    const double at = k < kinks ? ntksym_op_erf(@HALF@ * h) : 1.0;
    const int tail = k > 0 && before > 0.5;  /* far out the difference of the rest to 1 */
    const double part = tail ? ntksym_op_erfc(@HALF@ * (s->kink[k - 1] / r)) -
                                   (k < kinks ? ntksym_op_erfc(@HALF@ * h) : 0.0)
                        : at < -0.5 ? ntksym_op_erfc(-@HALF@ * h) -
                                   (k > 0 ? ntksym_op_erfc(-@HALF@ * (s->kink[k - 1] / r)) : 0.0)
                                    : at - before;
    top += leading[k] * part;
    square += leading[k] * leading[k] * part;
    if (k < kinks) {
      flat += d[k];
      bends += d[k] * ntksym_op_expm1(-0.5 * h * h);
      level += d[k] * s->kink[k] * at;
    }
    before = at;
  }
  top *= 0.5;
  curve = @BELL@ * (flat + bends);
  if (power == 0) {
    out.mean = top, out.slope = 0.0, out.size = sqrt(0.5 * square);
    return out;
  }
  { /* what both ends are at 0, without the kinks */
    const double *first = s->closed + s->degree + 2, *last = s->closed;
    double ends = left ? first[0] - first[1] * s->kink[0] : 0.0;
    for (int k = 0; k < kinks; ++k) last += s->groups[k] > 0 ? wide : 0;
    ends += s->groups[kinks] > 0 ? last[1] - last[2] * s->kink[kinks - 1] : 0.0;
    out.mean = r * curve + 0.5 * (ends + level);
  }
  out.slope = top;
  out.size = which ? sqrt(0.5 * square)
                   : sqrt(out.mean * out.mean + q * top * top + 0.5 * q * curve * curve);
  return out;
}

/* The dual, or that of the slope: what it is at q12 = 0, the slope there, and the integral of its
 * last derivative.  NaN for other degrees and where terms are much larger than the sum, or, if
 * `sized`, than the sizes of both inputs. */
static inline double ntksym_spline_middle(const ntksym_direct_rule *s, int power, int which,
                                          int sized, double q11, double q12, double q22,
                                          double root)
{
  const int kinks = s->kinks, same = q11 == q22, own = power - which, wide = 2 * s->degree + 3;
  const double turn = q12 < 0.0 ? -1.0 : 1.0, odd = (own + 1) % 2 ? turn : 1.0;
  double d[@KINKS@] = {0.0}, leading[@KINKS@ + 1] = {0.0}, constant, linear, total, sizes;
  double most, bare = 0.0;
  const double *row = s->closed;
  int twins = 1, first;
  ntksym_spline_side u, v;
  ntksym_spline_pair p;
  const double one = fabs(s->kink[0]), two = fabs(s->kink[s->kinks - 1]);
  const double reach = one > two ? one : two;
  if (power > 1 || @WIDEST@ * (reach * reach) < (q11 > q22 ? q11 : q22)) return NAN;
  for (int k = 0; k <= kinks; ++k) { /* what is smooth across all kinks is of that degree too */
    for (int n = power + 1; s->groups[k] > 0 && n <= s->degree; ++n)
      if (row[1 + n] != 0.0 || row[2 + s->degree + n] != 0.0) return NAN;
    row += s->groups[k] > 0 ? wide : 0;
  }
  if (!same && root < 0x1p-6 * fabs(q12)) return NAN; /* where it ends loses digits then */
  ntksym_spline_heights(s, power, d, leading);
  u = ntksym_spline_means(s, power, which, d, leading, q11);
  v = same ? u : ntksym_spline_means(s, power, which, d, leading, q22);
  constant = which ? u.slope * v.slope : u.mean * v.mean;
  linear = own > 0 ? q12 * (u.slope * v.slope) : 0.0;
  total = constant + linear;
  sizes = fabs(constant) + fabs(linear);
  if (q12 == 0.0) return total;
  p = ntksym_spline_of(q11, fabs(q12), q22, root, 1.0, own);
  for (int k = 0; k < kinks; ++k)
    if (s->kink[k] == 0.0) bare = ntksym_spline_bare(p.top, own, 1);
  for (int k = 0; k < kinks; ++k) /* pairs of +-k, of which one is taken off the other */
    twins &= s->kink[k] == -s->kink[kinks - 1 - k] && d[k] == -d[kinks - 1 - k];
  first = twins ? (kinks + 1) / 2 : 0;
  for (int i = first; i < kinks; ++i)
    for (int j = first; j <= (same ? i : kinks - 1); ++j) {
      const double sign = twins ? 2.0 * odd * turn : odd;
      const double times = sign * d[i] * d[j] * p.scale * (same && i != j ? 2.0 : 1.0);
      const double to = twins ? s->kink[j] : turn * s->kink[j];
      const double term = times * ntksym_spline_term(&p, s->kink[i], to, own, bare, 0.0, twins);
      total += term;
      sizes += fabs(term);
    }
  most = sized && u.size * v.size > fabs(total) ? u.size * v.size : fabs(total);
  return sizes <= @CANCEL_MIDDLE@ * most ? total : NAN;
}

"""
"""A part of the text of `splines`, with its marks."""
