r"""C for duals by their definition, for every activation: a part of `ntksym.h`.

An activation gives its kinks, more ends of panels, the values of s and s' at points, and, where s
is a sum of terms $c\,x^n e^{bx}$ between its kinks, the coefficients of those about the kinks.
Then the inner mean is closed: with $z = (m + b t^2 - k)/t$,

$$\int_k^\infty (u-k)^j e^{b(u-k)} p(u)\,du = e^{b(m-k) + b^2t^2/2}\,t^j J_j(z),\qquad
J_{j+1} = z J_j + j J_{j-1},$$

with $J_0 = \Phi(z)$, $J_1 = \varphi(z) + z\Phi(z)$.  The sizes of its terms are added up beside
it: where, over all nodes, they are more than `CLOSE` times what the values add up to, the cells
where they are large are integrated by panels instead.
"""

from __future__ import annotations

import math

from ....lower.direct import MOST_KINKS, TAIL, TAIL_STEPS
from ....lower.direct_where import FIRST
from ...tables import legendre
from ...text import filled
from ..text import array, c_literal
from .direct_outer import OUTER
from .direct_panels import PANELS
from .direct_values import VALUES

NODES = 14
"""Gauss-Legendre nodes of a panel."""
PADDED = 16
"""The next multiple of 8: whole vectors."""
CLOSE = 8.0
MOST_ENDS = 256
"""Of panels: those of the activation, their images, and of the density."""


def direct_text() -> str:
    """The functions of `ntksym.h` for the operations `direct`."""
    nodes, weights = zip(*legendre(NODES), strict=True)
    spare = PADDED - NODES
    tables = array("ntksym_direct_node", (*nodes, *[nodes[-1]] * spare))
    tables += array("ntksym_direct_weight", (*weights, *[0.0] * spare))
    text = _TEXT.replace("@PANELS@", VALUES.lstrip() + PANELS).replace("@OUTER@", OUTER.lstrip())
    return filled(
        text,
        {
            "@TABLES@": tables,
            "@NODES@": str(NODES),
            "@PADDED@": str(PADDED),
            "@CLOSE@": str(CLOSE),
            "@MILLS@": c_literal(math.sqrt(math.pi / 2)),
            "@ENDS@": str(MOST_ENDS),
            "@KINKS@": str(MOST_KINKS),
            "@FIRST@": c_literal(FIRST),
            "@TAIL@": c_literal(TAIL),
            "@TAIL_COUNT@": str(2 * len(TAIL_STEPS)),
            "@TAIL_STEPS@": ", ".join(f"{v:.1f}, {-v:.1f}" for v in TAIL_STEPS),
        },
    )


_TEXT = r"""/* Nodes of a panel, and more of no weight. */
@TABLES@
/* Duals by their definition, where their closed forms cancel: an integral of a mean. */
typedef struct {
  int kinks, cuts, centres, jumps, degree;
  const unsigned char *live;  /* of s, then of its slope: whether it is not zero in a cell */
  const signed char *groups;  /* the same: how many rows of `closed`; -1: s is not such a sum */
  const double *kink, *jump, *cut, *closed; /* rows: rate, coefficients about both ends */
  double far, grow, dies;
  void (*point)(size_t n, const double *x, const double *given, double *v, double *d);
  const double *given;
} ntksym_direct_rule;

static inline double ntksym_direct_low(const ntksym_direct_rule *s, int cell)
{
  return cell > 0 ? s->kink[cell - 1] : -INFINITY;
}

static inline double ntksym_direct_high(const ntksym_direct_rule *s, int cell)
{
  return cell < s->kinks ? s->kink[cell] : INFINITY;
}

/* How far the cell between two ends is from m, in standard deviations t. */
static inline double ntksym_direct_away(double from, double to, double m, double t)
{
  const double low = (from - m) / t, high = (m - to) / t, most = low > high ? low : high;
  return most > 0.0 ? most : 0.0;
}

/* How far from m something counts: beyond, the density, times the powers that s may have, is below
 * 2^-59 of that at the nearest cell where s is not zero, at `start`; 0 for nothing at all.  Bells
 * and smooth steps, up to `apart` from m, may be what s dies out from.  Where s grows, the
 * exponential moves the density by at most `moved`. */
static inline double ntksym_direct_beyond(double far, double start, double apart, double moved)
{
  const double most = apart < 37.0 ? apart : 37.0, from = start < most ? most : start;
  const double near = start < 37.0 + moved ? from : 0.0, to = sqrt(near * near + far) + moved;
  return start < 37.0 + moved ? to : 0.0;
}

static inline double ntksym_direct_reach(const ntksym_direct_rule *s, int which, double m, double t,
                                         double moved)
{
  double start = INFINITY, apart = 0.0;
  for (int cell = 0; cell <= s->kinks; ++cell)
    if (s->live[which * (s->kinks + 1) + cell]) {
      const double low = ntksym_direct_low(s, cell), high = ntksym_direct_high(s, cell);
      const double away = ntksym_direct_away(low, high, m, t);
      start = away < start ? away : start;
    }
  for (int k = 0; k < s->centres; ++k) {
    const double away = fabs(s->cut[k] - m) / t;
    apart = away > apart ? away : apart;
  }
  return ntksym_direct_beyond(s->far, start, apart, moved);
}

/* Ends of panels of a cell, in order; how many.  They are counted from `base`, which is at `start`
 * standard deviations t: from the mean, what is narrow beside t would lose its width. */
static inline int ntksym_direct_ends(const ntksym_direct_rule *s, int cell, double start,
                                     double base, double t, double reach, const double *more,
                                     int count, double *z)
{
  const double level[3] = {6.25, 27.0, s->far > 82.0 ? 60.0 : 82.0};
  const double low = (ntksym_direct_low(s, cell) - base) / t, least = -reach - start;
  const double high = (ntksym_direct_high(s, cell) - base) / t, most = reach - start;
  const double a = low > least ? low : least, b = high < most ? high : most;
  const double from = a + start, to = b + start;
  const double nearest = from > 0.0 ? from : (to < 0.0 ? -to : 0.0);
  int ends = 0;
  if (!(a < b)) return 0;
  z[ends++] = a;
  for (int k = ((s->grow > 0.0) | (s->centres > 0)) ? -16 : 0; k < 7 + count; ++k) {
    double at, step;
    int j = ends;
    if (k < 0) { /* where exponentials, bells and smooth steps move the density to */
      step = 9.5 + 3.5 * (-(k + 1) >> 1);
      at = (k & 1 ? -step : step) - start;
    } else if (k < 6) {
      step = sqrt(nearest * nearest + level[k >> 1]);
      at = (k & 1 ? -step : step) - start;
    } else {
      at = k == 6 ? -start : (more[k - 7] - base) / t;
    }
    if (!(at > a && at < b) || ends > @ENDS@ - 2) continue;
    for (; z[j - 1] > at; --j) z[j] = z[j - 1];
    z[j] = at;
    ++ends;
  }
  z[ends++] = b;
  return ends;
}

/* What rounding took from y*y/2, y = (gap + low)/(t*(1 + slip)): in a tail it costs digits. */
static inline double ntksym_direct_off(double gap, double low, double y, double t, double slip)
{
  const double square = y * y;
  return y * ((fma(-y, t, gap) + low) / t - y * slip) + 0.5 * fma(y, y, -square);
}

@PANELS@
/* One row of `closed` and one of its ends k, for many gaps m - k, which are t times `away`: the
 * integrals from there upwards (side 1) or downwards (-1), and the sums of the sizes of their
 * terms.  `tail` is Phi(-|away|): what is beyond the end without an exponential. */
NTKSYM_BLOCK_FUNCTION void ntksym_direct_side(double rate, const double *c, int degree, double sign,
                                              double t, const double *gap, const double *away,
                                              const double *side, const double *bell,
                                              const double *tail, double *value, double *size)
{
  double z[@PADDED@], y[@PADDED@], i0[@PADDED@], i1[@PADDED@], s0[@PADDED@], s1[@PADDED@];
  double power[@PADDED@], a[@PADDED@], grown[@PADDED@];
  if (rate != 0.0) {
    for (int i = 0; i < @PADDED@; ++i) {
      a[i] = rate * (gap[i] + 0.5 * rate * t * t);
      grown[i] = a[i] < -700.0 ? 0.0 : ntksym_op_exp(a[i]); /* no subnormals: they are slow */
    }
    for (int i = 0; i < @PADDED@; ++i) {
      const double at = side[i] * (away[i] + rate * t), size_of = fabs(at);
      const double far = size_of > 1e100 ? 1e100 : size_of;
      const double less = size_of > far ? far / size_of : 1.0; /* the ratio is 1/y there */
      /* exp(a)*Phi(-y) is the density at the end times Mills' ratio: nothing of it cancels */
      const double beyond = bell[i] * (@MILLS@ * ntksym_op_mills(far)) * less;
      const double whole = at < 0.0 ? 0.0 : grown[i];
      z[i] = at;
      i0[i] = at < 0.0 ? beyond : whole - beyond;
      s0[i] = beyond + whole * (1.0 + fabs(a[i]));
    }
  } else {
    for (int i = 0; i < @PADDED@; ++i) {
      const double at = side[i] * away[i], whole = at < 0.0 ? 0.0 : 1.0;
      z[i] = at;
      i0[i] = at < 0.0 ? tail[i] : whole - tail[i];
      s0[i] = tail[i] + whole;
    }
  }
  for (int i = 0; i < @PADDED@; ++i) {
    y[i] = fabs(z[i]);
    i1[i] = bell[i] + z[i] * i0[i];
    s1[i] = bell[i] + y[i] * s0[i];
    power[i] = sign * side[i];
  }
  for (; degree > 0 && c[degree] == 0.0;) --degree;
  for (int j = 0; j <= degree; ++j)
    for (int i = 0; i < @PADDED@; ++i) {
      const double i2 = z[i] * i1[i] + (j + 1.0) * i0[i], s2 = y[i] * s1[i] + (j + 1.0) * s0[i];
      value[i] += c[j] * power[i] * i0[i];
      size[i] += fabs(c[j] * power[i]) * s0[i];
      i0[i] = i1[i], s0[i] = s1[i], i1[i] = i2, s1[i] = s2, power[i] *= side[i] * t;
    }
}

/* E[s(u)], or E[s'(u)] without the jumps, for u of the means m and standard deviation t*(1 + slip);
 * by kinks k, `gap` and what rounding took from it, `low_gap`, have m - k: in a tail, m rounded
 * would cost many digits.  Where the terms of a cell add up to more than `CLOSE` times the mean, it
 * is integrated by panels if they are more than `allow`; else they are added to `lost`. */
NTKSYM_BLOCK_FUNCTION void ntksym_direct_mean(const ntksym_direct_rule *s, int which,
                                              const double *m, double (*gap)[@PADDED@],
                                              double (*low_gap)[@PADDED@], double t, double slip,
                                              const double *allow, double *out, double *lost)
{
  const int cells = s->kinks + 1, wide = 2 * s->degree + 3;
  const double *row = s->closed;
  const double moved = s->grow * t, over = s->far;
  double at[@KINKS@][@PADDED@], bell[@KINKS@][@PADDED@], tail[@KINKS@][@PADDED@];
  double side[@PADDED@], all[@PADDED@];
  double value[@KINKS@ + 1][@PADDED@], size[@KINKS@ + 1][@PADDED@];
  double reach[@PADDED@], start[@PADDED@], apart[@PADDED@], away[@KINKS@ + 1][@PADDED@];
  for (int i = 0; i < @PADDED@; ++i) {
    start[i] = INFINITY;
    apart[i] = lost[i] = all[i] = out[i] = 0.0;
  }
  if (!(t > 0.0)) {
    ntksym_direct_still(s, which, m, gap, out);
    return;
  }
  for (int k = 0; k < s->kinks; ++k)
    for (int i = 0; i < @PADDED@; ++i) {
      const double y = gap[k][i] / t, e = -0.5 * y * y, far = fabs(y) > 1e100 ? 1e100 : fabs(y);
      const double off = ntksym_direct_off(gap[k][i], low_gap[k][i], y, t, slip);
      const double inside = ntksym_op_exp_inside(e < -700.0 ? -700.0 : e);
      const double near = e < -700.0 ? 0.0 : inside;
      at[k][i] = y;
      bell[k][i] = 0x1.9884533d43651p-2 * (near - near * (e < -700.0 ? 0.0 : off));
      tail[k][i] = bell[k][i] * (@MILLS@ * ntksym_op_mills(far));
    }
  for (int cell = 0; cell < cells; ++cell) {
    const double low = ntksym_direct_low(s, cell), high = ntksym_direct_high(s, cell);
    for (int i = 0; i < @PADDED@; ++i) away[cell][i] = ntksym_direct_away(low, high, m[i], t);
    if (!s->live[which * cells + cell]) continue;
    for (int i = 0; i < @PADDED@; ++i)
      start[i] = away[cell][i] < start[i] ? away[cell][i] : start[i];
  }
  for (int k = 0; k < s->centres; ++k)
    for (int i = 0; i < @PADDED@; ++i) {
      const double y = fabs(s->cut[k] - m[i]) / t;
      apart[i] = y > apart[i] ? y : apart[i];
    }
  for (int i = 0; i < @PADDED@; ++i)
    reach[i] = ntksym_direct_beyond(over, start[i], apart[i], moved);
  for (int cell = 0; which && cell < cells; ++cell)
    row += s->groups[cell] > 0 ? wide * s->groups[cell] : 0;
  for (int cell = 0; cell < cells; ++cell) {
    const int groups = s->groups[which * cells + cell], first = cell > 0, last = cell < s->kinks;
    const double *next = row + (groups > 0 ? wide * groups : 0);
    int any = 0;
    for (int i = 0; i < @PADDED@; ++i) {
      const int near = away[cell][i] < reach[i];
      any |= near;
      side[i] = first ? 1.0 : -1.0;
      value[cell][i] = 0.0;
      size[cell][i] = (near & (groups < 0)) ? INFINITY : 0.0;
    }
    if (!s->live[which * cells + cell] || !any) {
      for (int i = 0; i < @PADDED@; ++i) size[cell][i] = 0.0;
      row = next;
      continue;
    }
    for (; row < next; row += wide) {
      /* between two kinks towards where the row dies out: from both ends exponentials overflow */
      for (int i = 0; first & last && i < @PADDED@; ++i)
        side[i] = at[cell - 1][i] + at[cell][i] + 2.0 * row[0] * t < 0.0 ? 1.0 : -1.0;
      if (first)
        ntksym_direct_side(row[0], row + 1, s->degree, 1.0, t, gap[cell - 1], at[cell - 1], side,
                           bell[cell - 1], tail[cell - 1], value[cell], size[cell]);
      if (last)
        ntksym_direct_side(row[0], row + 2 + s->degree, s->degree, -1.0, t, gap[cell], at[cell],
                           side, bell[cell], tail[cell], value[cell], size[cell]);
    }
    for (int i = 0; i < @PADDED@; ++i) all[i] += fabs(value[cell][i]);
  }
  for (int cell = 0; cell < cells; ++cell) {
    int any = 0, done = -1;
    for (int i = 0; i < @PADDED@; ++i) {
      const double most = size[cell][i], beyond = most <= @CLOSE@ * all[i] ? 0.0 : most;
      const int kept = beyond <= allow[i]; /* not NaN */
      any |= !kept;
      out[i] += kept ? value[cell][i] : 0.0;
      lost[i] += kept ? beyond : 0.0;
      size[cell][i] = beyond;
    }
    for (int i = 0; any && i < @PADDED@; ++i) {
      const int first = cell > 0 ? cell - 1 : 0, last = cell < s->kinks ? cell : 0;
      const double below[2] = {gap[first][i], low_gap[first][i]};
      const double above[2] = {gap[last][i], low_gap[last][i]};
      if (size[cell][i] <= allow[i]) continue;
      if (done >= 0 && m[i] == m[done])
        value[cell][i] = value[cell][done];
      else
        value[cell][i] = 0x1.9884533d43651p-2 * ntksym_direct_panels(s, which, 0, cell, m[i], below,
                                                                     above, t, slip, reach[i]);
      done = i;
      out[i] += value[cell][i];
    }
  }
}

@OUTER@
/* Where it is used: a bin of variances over the square of the unit, four times the one before. */
static inline int ntksym_direct_bin(double q, double unit, int bins)
{
  const double ratio = (q / unit) / unit / @FIRST@;
  uint64_t bits;
  int k;
  memcpy(&bits, &ratio, sizeof bits);
  k = ((int)((bits >> 52) & 0x7ffu) - 1023 + 2 * (bins / 2) + 4000) / 2 - 2000;
  return k < 0 ? 0 : (k > bins - 1 ? bins - 1 : k);
}
"""
