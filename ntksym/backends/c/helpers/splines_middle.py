"""C for duals of splines that are not 0 at 0: from uncorrelated inputs on, see `lower.splines`."""

from __future__ import annotations

MIDDLE = r"""
typedef struct {
  double mean, slope, size; /* of s, of s', and at least the root of E[s^2], or of E[s'^2] */
} ntksym_spline_side;

/* The integrals of exp(-x^2/2) from h >= 0 on, over a length, and of the same times the line from
 * `first` to `last`: where that has one sign no term cancels, as differences of erf do. */
static inline void ntksym_spline_part(double h, double length, double first, double last,
                                      double *mass, double *line)
{
  const double most = sqrt(h * h + @REST@) - h, to = length < most ? length : most;
  const double end = length < most ? last : first + (last - first) * (most / length);
  double masses[8] = {0.0}, lines[8] = {0.0};
  for (int i = 0; i < @NODES@; i += 8)
    NTKSYM_ROLLED for (int j = 0; j < 8; ++j) {
      const double near = ntksym_spline_back[i + j], far = ntksym_spline_away[i + j];
      const double x = h + to * far, e = -0.5 * (x * x);
      const double value = ntksym_op_exp_inside(e < -690.0 ? -690.0 : e);
      const double bell = ntksym_spline_weight[i + j] * value;
      masses[j] += bell;
      lines[j] += bell * (near * first + far * end);
    }
  for (int j = 0; j < 4; ++j) masses[j] += masses[j + 4], lines[j] += lines[j + 4];
  *mass = to * ((masses[0] + masses[2]) + (masses[1] + masses[3]));
  *line = to * ((lines[0] + lines[2]) + (lines[1] + lines[3]));
}

/* The same for x = u/r from `low` to `high`, where the line has two values: by what is on both
 * sides of 0, from there on. */
static inline void ntksym_spline_piece(double low, double high, double at_low, double at_high,
                                       double lift, double r, double *mass, double *line)
{
  const int below = low > -INFINITY, above = high < INFINITY;
  const double none = below ? at_low - lift * low : at_high - lift * high;
  const double inside = below & above ? (at_low * high - at_high * low) / (high - low) : none;
  *mass = *line = 0.0;
  for (int side = -1; side <= 1; side += 2) {
    const double near = side < 0 ? -high : low, far = side < 0 ? -low : high;
    const double from = near > 0.0 ? near : 0.0, rest = (far - from) / r;
    const double first = near > 0.0 ? (side < 0 ? at_high : at_low) : inside;
    const double last = side < 0 ? at_low : at_high, length = rest < 1e3 ? rest : 1e3;
    const double end = far < INFINITY ? last : first + side * lift * (length * r);
    double masses, lines;
    if (!(far > from)) continue;
    ntksym_spline_part(from / r, far < INFINITY ? rest : length, first, end, &masses, &lines);
    *mass += masses;
    *line += lines;
  }
}

/* The means of a spline of degree 0 or 1 of one input of variance q. */
static inline ntksym_spline_side ntksym_spline_means(const ntksym_direct_rule *s, int power,
                                                     int which, const double *d,
                                                     const double *leading, double q)
{
  const double r = sqrt(q), *row = s->closed;
  const int kinks = s->kinks, wide = 2 * s->degree + 3;
  double mean = 0.0, top = 0.0, square = 0.0, flat = 0.0, bends = 0.0;
  ntksym_spline_side out;
  for (int k = 0; k <= kinks; ++k) {
    double mass, line;
    if (k < kinks) {
      const double h = s->kink[k] / r;
      flat += d[k];
      bends += d[k] * ntksym_op_expm1(-0.5 * h * h);
    }
    if (s->groups[k] <= 0) continue;
    ntksym_spline_piece(ntksym_direct_low(s, k), ntksym_direct_high(s, k), row[1],
                        row[2 + s->degree], power ? leading[k] : 0.0, r, &mass, &line);
    top += leading[k] * mass;
    square += leading[k] * leading[k] * mass;
    mean += line;
    row += wide;
  }
  top *= @BELL@, square *= @BELL@, mean *= @BELL@;
  if (power == 0) {
    out.mean = top, out.slope = 0.0, out.size = sqrt(square);
    return out;
  }
  {
    const double curve = @BELL@ * (flat + bends);
    out.mean = mean, out.slope = top;
    out.size = which ? sqrt(square)
                     : sqrt(mean * mean + q * top * top + 0.5 * q * curve * curve);
  }
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
  double most, bare = 0.0, part = 0.0, parts = 0.0;
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
      const double times = sign * d[i] * d[j] * (same && i != j ? 2.0 : 1.0);
      const double to = twins ? s->kink[j] : turn * s->kink[j];
      const double term = times * ntksym_spline_term(&p, s->kink[i], to, own, bare, 0.0, twins);
      part += term; /* what all have in common does not spoil how they cancel */
      parts += fabs(term);
    }
  total += ntksym_spline_scaled(&p, part);
  sizes += p.scale * parts;
  most = sized && u.size * v.size > fabs(total) ? u.size * v.size : fabs(total);
  return sizes <= @CANCEL_MIDDLE@ * most ? total : NAN;
}

"""
"""A part of the text of `splines`, with its marks."""
