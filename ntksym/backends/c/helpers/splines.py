"""C for duals of splines: see `lower.splines`."""

from __future__ import annotations

import math

from ....lower.direct import MOST_KINKS
from ....lower.splines import (
    CANCEL,
    CANCEL_MIDDLE,
    EDGE,
    FALLEN,
    LENGTH,
    NODES,
    OVER_PI_LOW,
    PANELS,
    RATIO,
    RISEN,
    TAIL,
    TWIN_RATIO,
    WIDEST,
)
from ...tables import legendre
from ...text import filled
from ..text import array, c_literal
from .splines_middle import MIDDLE


def splines_text() -> str:
    """The functions, and their Gauss rule."""
    nodes, weights = zip(*legendre(NODES), strict=True)
    pairs = tuple(zip(nodes, weights, strict=True))
    tables = array("ntksym_spline_away", tuple(v * v for v in nodes))
    tables += array("ntksym_spline_back", tuple((1.0 - v) * (1.0 + v) for v in nodes))
    tables += array("ntksym_spline_weight", tuple(2.0 * v * w for v, w in pairs))
    marks = {
        "@NODES@": NODES,
        "@KINKS@": MOST_KINKS,
        "@FALLEN@": c_literal(FALLEN),
        "@PAST@": c_literal(-math.sqrt(FALLEN)),
        "@END@": c_literal(math.sqrt(FALLEN)),
        "@RATIO@": c_literal(RATIO),
        "@TWIN@": c_literal(TWIN_RATIO),
        "@LENGTH@": c_literal(LENGTH),
        "@RISEN@": c_literal(RISEN),
        "@PANELS@": PANELS,
        "@CANCEL@": c_literal(CANCEL),
        "@OVER_PI@": c_literal(1 / math.pi),
        "@PI_LOW@": c_literal(OVER_PI_LOW),
        "@CANCEL_MIDDLE@": c_literal(CANCEL_MIDDLE),
        "@WIDEST@": c_literal(WIDEST),
        "@TAIL@": c_literal(TAIL),
        "@EDGE@": c_literal(EDGE),
        "@REST@": c_literal(2.0 * FALLEN + 6.0),
        "@BELL@": c_literal(1 / math.sqrt(2 * math.pi)),
    }
    return tables + filled(_TEXT.lstrip().replace("@MIDDLE@\n", MIDDLE.lstrip()), marks)


_TEXT = r"""
/* What is integrated over sigma, or over 1/sigma with a and b exchanged: `ntksym_spline_term`. */
typedef struct {
  double a, b;            /* g = a*sigma - b/sigma */
  double from, top, rest; /* where the integral begins, of the correlation itself, between them */
  double g;               /* where it begins, and the sign of the steps */
  double sign;
  double twin; /* less the same with one kink turned round: exp(-twin*(1/sigma^2 - sigma^2)) */
  double peak, least; /* g is counted from `least`, at the peak or the end; 0: from the start */
} ntksym_spline_way;

/* A panel from `off` to `off + length`, counted from `from`; `steps` are the nodes on it. */
static inline double ntksym_spline_panel(const ntksym_spline_way *s, double off, double length,
                                         const double *steps, int power)
{
  const double a = s->a, b = s->b, from = s->from, sign = s->sign;
  const double first = sign < 0.0 ? 0.0 : s->g, start = s->g, rest = s->rest, top = s->top;
  double gap[@NODES@], value[@NODES@], sums[8] = {0.0};
  for (int i = 0; i < @NODES@; ++i) {
    const double way = off + length * steps[i], x = from + sign * way;
    const double square = 1.0 + x * x, both = from * x, part = 1.0 / (square * both);
    const double under = part * both, more = way * (a + b * (square * part));
    const double g = start + more, e = (sign < 0.0 ? g : more) * (g + first);
    gap[i] = (way + rest) * (x + top) * under;
    value[i] = ntksym_op_exp_inside(e > 690.0 ? -690.0 : -e) * under;
  }
  for (int i = 0; s->peak > 0.0 && i < @NODES@; ++i) {
    const double x = from - (off + length * steps[i]), square = 1.0 + x * x;
    const double up = ((from - off - length) - s->peak) + length * ntksym_spline_away[i];
    const double g = s->least + up * (a + b / (s->peak * x)), e = g * g;
    value[i] = ntksym_op_exp_inside(e > 690.0 ? -690.0 : -e) / square;
  }
  for (int k = 0; k < power; ++k)
    for (int i = 0; i < @NODES@; ++i) value[i] *= gap[i];
  for (int i = 0; s->twin > 0.0 && i < @NODES@; ++i) {
    const double x = from + sign * (off + length * steps[i]), square = x * x;
    const double e = s->twin * (sign * ((1.0 - x) * (1.0 + x)) * (1.0 + square) / square);
    value[i] *= -ntksym_op_expm1(e > 690.0 ? -690.0 : -e);
  }
  for (int i = 0; i < @NODES@; i += 8)
    NTKSYM_ROLLED for (int j = 0; j < 8; ++j)
      sums[j] += ntksym_spline_weight[i + j] * value[i + j];
  return length * (((sums[0] + sums[4]) + (sums[1] + sums[5])) +
                   ((sums[2] + sums[6]) + (sums[3] + sums[7])));
}

/* The panels from `near`, where g is 0 or the integral begins, to `far`; NaN if they are many. */
static inline double ntksym_spline_panels(const ntksym_spline_way *s, double near, double far,
                                          int power)
{
  const double *steps = s->sign < 0.0 ? ntksym_spline_back : ntksym_spline_away;
  const double both = sqrt(s->twin), early = s->sign > 0.0 ? both / @END@ : @END@ / both;
  const double alone = both > 0.0 ? early : 0.0; /* where the twin begins or ends to count */
  const double steep = 1 + power / 2, ratio = @RATIO@ / steep;
  const double length = (far - near < @LENGTH@ ? far - near : @LENGTH@) / steep;
  double sum = 0.0, at = near;
  for (int panel = 0; at < far; ++panel) {
    const int bell = !(s->b < 0x1p-28 * at);
    const double more =
        s->twin > 0.0 ? at + @TWIN@ * at : at + ((bell ? 0.0 : length) + ratio * at);
    const double next = at < alone && (alone < more || !bell) ? alone : more;
    const double to = next < far ? next : far;
    if (panel == @PANELS@) return NAN;
    sum += ntksym_spline_panel(s, s->sign < 0.0 ? s->from - to : at - s->from, to - at, steps,
                               power);
    at = to;
  }
  return sum;
}

/* sigma where a*sigma - b/sigma is g. */
static inline double ntksym_spline_at(double a, double b, double g)
{
  const double root = sqrt(g * g + 4.0 * (a * b));
  return g > 0.0 ? (g + root) / (2.0 * a) : 2.0 * b / (root - g);
}

/* With both kinks at 0 there is no exponential; it is the integral to infinity, or to 1. */
static inline double ntksym_spline_bare(double top, int power, int near)
{
  double total = 0.0;
  for (int far = top < 1.0; far >= near; --far) {
    /* from sigma = max(top, 1) on over 1/sigma */
    const double least = top < 1.0 ? 1.0 : top, length = far ? 1.0 - top : 1.0 / least;
    double sum = 0.0;
    for (int i = 0; i < @NODES@; ++i) {
      const double way = length * ntksym_spline_away[i];
      const double sigma = far ? top + way : 1.0, tau = far ? 1.0 : length - way;
      const double under = 1.0 / (tau * tau + sigma * sigma);
      const double fine = top < 1.0 ? sigma - top * tau : top * way;
      const double gap = (far ? way : fine) * (sigma + top * tau) * under;
      double value = ntksym_spline_weight[i] * under;
      for (int k = 0; k < power; ++k) value *= gap;
      sum += value;
    }
    total += length * sum;
  }
  return total;
}

typedef struct {
  double q11, q12, q22, root, wide1, wide2; /* the last ones sqrt(8 q) */
  double top, det, det_low, end, scale; /* `end` of sigma; 1/pi and the unit of gap^power */
  double sum, sum_low; /* sqrt(q11 q22) + q12 where a rounded q12 has lost the angle, else 0 */
  double less;         /* what `scale` lacks, over it */
} ntksym_spline_pair;

/* exp(-n/(2 d)), both of two doubles, the second ones small. */
static inline double ntksym_spline_exp(double n, double n_low, double d, double d_low)
{
  const double e = n / d, low = ((fma(-e, d, n) + n_low) - e * d_low) / d;
  const double value = ntksym_op_exp(-0.5 * e);
  return value - value * (0.5 * low);
}

/* sum + low + x*y, to two doubles. */
static inline void ntksym_spline_add(double *sum, double *low, double x, double y)
{
  const double product = x * y, more = *sum + product, back = more - *sum;
  *low += ((*sum - (more - back)) + (product - back)) + fma(x, y, -product);
  *sum = more;
}

/* The integral of exp(-g^2 - max(h^2, k^2)/2)*gap^power/(1 + sigma^2) over sigma up to `end`, for
 * two kinks: NaN where it would take many panels, 0 where it is below `least` times that without
 * kinks.  A twin is taken off: the same with the second kink turned round. */
static inline double ntksym_spline_term(const ntksym_spline_pair *p, double one, double two,
                                        int power, double bare, double least, int twin)
{
  const double x = fabs(one), y = fabs(two), h = x / p->wide1, k = y / p->wide2;
  const int first = h >= k; /* the kink of u is the larger one, in standard deviations */
  const int apart = (one < 0.0) != (two < 0.0) && x > 0.0 && y > 0.0;
  const double q = first ? p->q11 : p->q22, wide = first ? p->wide1 : p->wide2;
  const double far = first ? x : y, near = (first ? y : x) * (apart ? -1.0 : 1.0);
  /* |h - k| from the squares, whose difference has digits where that of h and k has lost them */
  const double xx = x * x, yy = y * y, other = yy * p->q11;
  const double squares = (fma(xx, p->q22, -other) - fma(yy, p->q11, -other)) +
                         (fma(x, x, -xx) * p->q22 - fma(y, y, -yy) * p->q11);
  const double sum_of = h + k, over = (x * p->wide2 + y * p->wide1) * (p->wide1 * p->wide2);
  const double gap_of = 8.0 * (fabs(squares) / over);
  const double a = apart ? gap_of : sum_of, b = apart ? sum_of : gap_of;
  const double product = far * p->q12, cut = fma(near, q, -product) - fma(far, p->q12, -product);
  const double g = p->sum > 0.0 ? a * p->top - b / p->top : 2.0 * (cut / (wide * p->root));
  const double square = g > 0.0 ? g * g : 0.0;
  const double bound = 4.0 * (first ? h * h : k * k) + square;
  const double both = twin ? 4.0 * (h * k) : 0.0;
  double sum = 0.0, start = p->top, begin = g > 0.0 ? g : 0.0;
  if (x == 0.0 && y == 0.0) return bare;
  if (!(bound < 690.0)) return bound > 750.0 && bound < 1e300 ? 0.0 : NAN;
  if (ntksym_op_exp_inside(-bound) < least) return 0.0;
  if (g < 0.0) { /* over 1/sigma, beyond the peak */
    const double back = g < @PAST@ ? @PAST@ : g, top = 1.0 / p->top;
    const double from = g < @PAST@ ? ntksym_spline_at(b, a, @END@) : top;
    /* the rounding of g at the top is larger than that of where the peak is */
    const int loose = a * b < back * back;
    start = ntksym_spline_at(a, b, 0.0);
    start = start < p->end ? start : p->end;
    const double peak = loose ? 1.0 / start : 0.0, lowest = start < p->end ? 0.0 : b - a;
    const ntksym_spline_way s = {b, a, from, top, top - from, back, -1.0, both, peak, lowest};
    const double to = 1.0 / start;
    sum = ntksym_spline_panels(&s, to, from, power);
    /* g where the other part begins: of the order of its rounding, and the same for both */
    if (!loose) begin = back + (from - to) * (b + a / (from * to));
    for (int i = 0; i < power; ++i) sum *= p->top * p->top;
  }
  {
    const double fallen = @FALLEN@ + (power > 1 ? @RISEN@ * (power - 1) : 0.0);
    const double far_off = ntksym_spline_at(a, b, sqrt(square + fallen));
    const ntksym_spline_way s = {a, b, start, p->top, start - p->top, begin, 1.0, both, 0.0, 0.0};
    sum += ntksym_spline_panels(&s, start, far_off < p->end ? far_off : p->end, power);
  }
  if (g > 0.0) {
    const double xy = x * y;
    double n = 0.0, low = 0.0, sum_n;
    if (p->sum > 0.0) { /* n/d is a square and 2 x y over the sum, which keep their digits */
      const double sizes = 0.25 * (gap_of * (p->wide1 * p->wide2) / p->root);
      return sum * ntksym_op_exp(-sizes * sizes) *
             ntksym_spline_exp(2.0 * xy, 2.0 * fma(x, y, -xy), p->sum, p->sum_low);
    }
    ntksym_spline_add(&n, &low, xx, p->q22);
    ntksym_spline_add(&n, &low, yy, p->q11);
    ntksym_spline_add(&n, &low, -2.0 * xy, p->q12);
    low += fma(x, x, -xx) * p->q22 + fma(y, y, -yy) * p->q11 - 2.0 * fma(x, y, -xy) * p->q12;
    sum_n = n + low;
    return sum * ntksym_spline_exp(sum_n, (n - sum_n) + low, p->det, p->det_low);
  }
  return sum * ntksym_spline_exp(far * far, fma(far, far, -(far * far)), q, 0.0);
}

/* The numbers of a covariance, for integrals from -sqrt(q11 q22), or from 0 if `end` is 1. */
static inline ntksym_spline_pair ntksym_spline_of(double q11, double q12, double q22, double root,
                                                  double end, int own)
{
  const double one = q11 * q22, two = q12 * q12, whole = sqrt(one), square = root * root;
  const double det = one - two, back = det - one; /* unless the root knows it better */
  const double low = ((one - (det - back)) - (two + back)) +
                     (fma(q11, q22, -one) - fma(q12, q12, -two));
  const int known = fabs((det - square) + low) <= 0x1p-49 * square;
  ntksym_spline_pair p = {q11, q12, q22, root, sqrt(8.0 * q11), sqrt(8.0 * q22), 0.0, 0.0, 0.0,
                          end, @OVER_PI@, 0.0, 0.0, @PI_LOW@};
  /* the unit of the gap with what rounding took from it, which the value has as often */
  const double lacks = 0.5 * ((fma(-whole, whole, one) + fma(q11, q22, -one)) / whole);
  const double sides = whole + fabs(q12), near = whole - sides;
  const double more = (near + fabs(q12)) + lacks;
  double unit;
  if (!known && root <= q12) {
    const double rest = (fma(-whole, whole, one) + fma(q11, q22, -one)) / whole;
    const double apart = square / (whole + q12), twice = 2.0 * whole;
    p.sum = twice - apart;
    p.sum_low = ((twice - p.sum) - apart) + rest;
  }
  p.top = q12 < 0.0 ? (whole - q12) / root : root / (whole + q12);
  p.det = known ? det + low : square;
  p.det_low = known ? (det - p.det) + low : fma(root, root, -square);
  unit = q12 < 0.0 ? p.det / sides : sides;
  for (int k = 0; k < own; ++k) {
    const double left = fma(-unit, sides, p.det) + p.det_low - unit * more;
    p.scale *= unit;
    p.less += (q12 < 0.0 ? left / sides : more) / unit;
  }
  return p;
}

/* The heights d; the coefficients of x^power of the pieces are `leading`. */
static inline void ntksym_spline_heights(const ntksym_direct_rule *s, int power, double *d,
                                         double *leading)
{
  const int wide = 2 * s->degree + 3;
  const double *row = s->closed;
  double before = 0.0;
  for (int k = 0; k <= s->kinks; ++k) {
    const int any = s->groups[k] > 0;
    leading[k] = any ? row[1 + (k > 0 ? 0 : s->degree + 1) + power] : 0.0;
    if (k > 0) d[k - 1] = leading[k] - before;
    before = any ? row[2 + s->degree + power] : 0.0;
    row += any ? wide : 0;
  }
}

/* What two kinks at 0 add, closed: of s for own = 1, of its slope for own = 0. */
static inline double ntksym_spline_arc(const ntksym_spline_pair *p, int own)
{
  const double h = sqrt(p->q11) * sqrt(p->q22);
  const double arc = own ? ntksym_op_arc3(p->root, p->q12, h)
                         : ntksym_op_angle3(p->root, -p->q12, h);
  /* a short arc is as the third power of the root, which is rounded */
  const double lacks = (fma(-p->root, p->root, p->det) + p->det_low) / (2.0 * (h * h));
  return (arc + ((own ? p->root * lacks : 0.0) + arc * @PI_LOW@)) * (0.5 * @OVER_PI@);
}

/* A sum of terms with what all have in common. */
static inline double ntksym_spline_scaled(const ntksym_spline_pair *p, double sum)
{
  const double value = sum * p->scale;
  return value + value * p->less;
}

/* Whether a kink that is not at 0 is so far out that the closed form loses digits of the value. */
static inline int ntksym_spline_tail(int any, double unit, double q11, double q12, double q22)
{
  const double least = (q11 < q22 ? q11 : q22) / (unit * unit);
  const int apart = 2.0 * q12 * q12 <= q11 * q22;
  return any & ((least < @TAIL@) | ((least < @EDGE@) & apart));
}

@MIDDLE@
/* The dual, of s = sum d (x - k)_+^power/power!, or of its slope, where s is 0 at 0.  NaN where it
 * is not right here: s is not, variances far from usual, terms of unlike signs that cancel.  What
 * is left of 0 is turned round: with what is right of it, it has the covariance -q12.  `middle`: 0
 * if only that will do, 1 if s has one sign, and digits of small values count, else 2. */
NTKSYM_BLOCK_FUNCTION double ntksym_spline_dual(const ntksym_direct_rule *s, int power, int which,
                                                int middle, double q11, double q12, double q22,
                                                double root)
{
  const int kinks = s->kinks, same = q11 == q22, own = power - which;
  double d[@KINKS@], leading[@KINKS@ + 1], bare[2] = {0.0}, total[2] = {0.0}, sizes[2] = {0.0};
  double scale = 1.0, alone = 0.0, sums[2] = {0.0};
  int zero = 0, bares = 0;
  ntksym_spline_pair p[2];
  if (!(root > 0.0) || !(q11 > 1e-140 && q11 < 1e140) || !(q22 > 1e-140 && q22 < 1e140))
    return NAN;
  while (zero < kinks && (s->live[zero] || s->kink[zero] < 0.0)) ++zero;
  if (s->live[zero] || (zero > 0 && s->kink[zero - 1] > 0.0))
    return middle ? ntksym_spline_middle(s, power, which, middle > 1, q11, q12, q22, root) : NAN;
  if (middle && !same && root < 0x1p-6 * fabs(q12)) return NAN; /* where it ends loses digits */
  ntksym_spline_heights(s, power, d, leading);
  for (int k = 0; k < kinks; ++k) bares |= kinks > 1 || s->kink[k] == 0.0;
  for (int far = 0; far < 1 + (zero > 0 && zero < kinks); ++far) {
    p[far] = ntksym_spline_of(q11, far ? -q12 : q12, q22, root, INFINITY, own);
    if (bares) bare[far] = ntksym_spline_bare(p[far].top, own, 0);
  }
  for (int k = 2; k <= power; ++k) scale *= k * (k > own ? (double)k : 1.0);
  for (int i = 0; i < kinks; ++i)
    for (int j = 0; j <= (same ? i : kinks - 1); ++j) {
      /* from 0 outwards */
      const int at = i < kinks - zero ? zero + i : kinks - 1 - i;
      const int to = j < kinks - zero ? zero + j : kinks - 1 - j;
      const int far = (at < zero) != (to < zero), odd = far && (power + 1 + which) % 2;
      const double twice = same && i != j ? 2.0 : 1.0;
      const double times = d[at] * d[to] * (odd ? -twice : twice), unit = p[far].scale;
      const double so_far = fabs(sums[0] * p[0].scale + (far ? sums[1] * unit : 0.0));
      const double least = 0x1p-58 * so_far / (fabs(times) * unit * bare[far] + 0x1p-1000);
      const int closed = own < 2 && s->kink[at] == 0.0 && s->kink[to] == 0.0;
      const double term =
          times * ntksym_spline_term(&p[far], fabs(s->kink[at]), fabs(s->kink[to]), own, bare[far],
                                     kinks > 1 ? least : 0.0, 0);
      if (closed) alone += times;
      else total[far] += term;
      sizes[far] += fabs(term);
      sums[far] += term;
    }
  if (!(sizes[0] > 0.0 && sizes[0] <= @CANCEL@ * fabs(sums[0])) ||
      !(sizes[1] <= @CANCEL@ * fabs(sums[1])))
    return middle ? ntksym_spline_middle(s, power, which, middle > 1, q11, q12, q22, root) : NAN;
  if (alone != 0.0) /* of two kinks at 0 by their arc, which has more digits */
    alone *= ntksym_spline_arc(&p[0], own);
  /* what all have in common, last: it does not spoil how they cancel */
  return (alone + (ntksym_spline_scaled(&p[0], total[0]) +
                   (total[1] != 0.0 ? ntksym_spline_scaled(&p[1], total[1]) : 0.0))) *
         scale;
}

"""
