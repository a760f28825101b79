r"""C for the slopes of mixtures at large variances: differences of values, in polar coordinates.

Closed forms of slopes cancel to the square of the standard deviation (sigmoid linear units: 2e-10
at 1e3); values keep their digits at any variance.  With $M = \tfrac12\log q_{11}q_{22}$ and
$X = \tfrac12\log(q_{11}/q_{22})$ the derivatives at a fixed angle are those in M and X: values at a
few Chebyshev nodes give a polynomial, and its slope.  A mixture is smooth in M.  In X and in the
angle $\theta$ its nearest singularity is about $\sqrt{X^2 + \theta^2}$ away, or the width of its
steepest gate over the standard deviation, where that is more: nodes stay within a part of it, and
what is lost is eps over it.  Values are even in X: where it is nearly nothing beside that distance
the variable is its square, and what is lost goes with X.  $E[s''(u)s''(v)]$, the slope of the
derivative dual in the angle, is a value of the dual of $s'$.

`runtime.gradients.large` has the same in NumPy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...text import filled
from ...unit import DualUnit
from ..backend import C
from .chebyshev import matrix, middle, nodes

LARGE = 2.0**10
"""The variance beyond which slopes are differences: closed forms are off by about 1e-14 there."""
TOGETHER, UNLIKE = (14, 1.0), (12, 0.15)
"""Nodes, and half their interval: in M, and in X in units of how far it is smooth."""
LIKE, EVEN = 0.15, 4e-4
"""Half the interval of squares, which begins at 0, and the largest square that they are for, in
units of the square of that: the slope of a polynomial at an end of its interval is off by what its
values are times the square of the nodes, and further on more than one in X."""
STRETCH, PARALLEL = 2.0**26, 2.0**-10
r"""The $\sqrt{\det}/r$, r the larger standard deviation, from which on E[s''(u)s''(v)] is a power
of it: what is less is the square of a gate's width over it.  The first power, that of an s' that
tends to two numbers, is one at any angle; others are up to this sine, and beyond it slopes of the
derivative dual, as the dual of s' is right beside its size only."""
TURN = 12, 0.12
"""Nodes, and half their interval: in the angle, in units of its sine."""
WIDTH = 2.0
"""How far a gate T(cx + d) is smooth, in units of 1/c; its poles are at pi."""


@dataclass(frozen=True, slots=True)
class FarSlopes:
    """What the slopes of a mixture are made of where variances are large.

    Attributes:
        steep: the steepest slope of a gate.
        bend: (E[s'(u)s'(v)], E[s''(u)s''(v)]), or None: those of the closed form.
    """

    steep: float
    bend: DualUnit | None


def large_text(stem: str, found: FarSlopes) -> str:
    """C99 that defines `<stem>_large` and `<stem>_side_large`, and the values of s' that they need.

    `<stem>_large(n, q11, q12, q22, root, rows)`: where a variance is beyond `LARGE`, the five rows
    of n numbers that `ntksym_units_polar` gives, n at most SLOPE_LANES.
    `<stem>_side_large(n, q, rows)`: the same of the two for u = v.  Both need `<stem>_pairs` and
    `<stem>_diag`.
    """
    bend = found.bend
    text = "" if bend is None else bend.c_functions(f"{stem}_bend") + _BEND
    text += _TEXT.replace("@BENDS@", "" if bend is None else _BENDS)
    sizes = (TOGETHER[0], UNLIKE[0], TURN[0])
    half = TOGETHER[1]
    places = [nodes(count) for count in sizes]
    marks = {
        "@GROWN@": [math.exp(half * t) for t in places[0]],
        "@ALONG@": [w / half for w in middle(sizes[0])],
        "@PLACES@": places[1],
        "@MIDDLE@": middle(sizes[1]),
        "@MATRIX@": [v for line in matrix(sizes[1]) for v in line],
        "@STEPS@": [TURN[1] * t for t in places[2]],
        "@TURNED@": [w / TURN[1] for w in middle(sizes[2])],
    }
    written = {k: ",\n    ".join(map(C.literal, v)) for k, v in marks.items()}
    numbers = {
        "LARGE": LARGE,
        "WIDTH": WIDTH / found.steep,
        "LIKE": LIKE,
        "EVEN": EVEN,
        "HALF": UNLIKE[1],
    }
    numbers |= {"STRETCH": STRETCH, "PARALLEL": PARALLEL}
    written |= {f"@{k}@": C.literal(v) for k, v in numbers.items()}
    counts = zip(("@N@", "@M@", "@T@"), sizes, strict=True)
    return filled(text, written | {k: v for k, v in counts} | {"@STEM@": stem})


_BEND = """
static const double @STEM@_turn_step[@T@] = {
    @STEPS@};
static const double @STEM@_turn_weight[@T@] = {
    @TURNED@};

/* E[s''(u)s''(v)]; far from the diagonal as a power, or from the derivative dual. */
static void @STEM@_bends(size_t n, const double *x, const double *c, const double *y,
                         const double *root, double *bend)
{
  double unused[SLOPE_LANES], cs[SLOPE_LANES], rs[SLOPE_LANES], k[SLOPE_LANES], d[SLOPE_LANES];
  double first[SLOPE_LANES], second[SLOPE_LANES], sum[SLOPE_LANES];
  int apart = 0;
  (void)@STEM@_bend_diag;
  @STEM@_bend_pairs(n, x, c, y, root, unused, bend);
  for (size_t l = 0; l < n; ++l) {
    sum[l] = 0.0;
    apart |= root[l] > @STRETCH@ * sqrt(x[l] > y[l] ? x[l] : y[l]);
  }
  if (!apart) return;
  for (int i = 0; i < @T@; ++i) {
    for (size_t l = 0; l < n; ++l) {
      const double r11 = sqrt(x[l]), r22 = sqrt(y[l]), sine = root[l] / r11 / r22;
      const double angle = atan2(sine, c[l] / r11 / r22) + sine * @STEM@_turn_step[i];
      cs[l] = r11 * cos(angle) * r22;
      rs[l] = r11 * sin(angle) * r22;
    }
    @STEM@_pairs(n, x, cs, y, rs, k, d);
    for (size_t l = 0; l < n; ++l) sum[l] += @STEM@_turn_weight[i] * d[l];
  }
  for (int i = 0; i < 2; ++i) {
    for (size_t l = 0; l < n; ++l)
      rs[l] = (i ? 0.5 : 1.0) * @STRETCH@ * sqrt(x[l] > y[l] ? x[l] : y[l]);
    for (size_t l = 0; l < n; ++l) {
      const double r11 = sqrt(x[l]), r22 = sqrt(y[l]), across = rs[l] / r11 / r22;
      const double along = r11 * sqrt(1.0 - across * across) * r22;
      cs[l] = root[l] / r11 / r22 > @PARALLEL@ ? (c[l] < 0.0 ? -along : along) : c[l];
    }
    @STEM@_bend_pairs(n, x, cs, y, rs, unused, i ? second : first);
  }
  for (size_t l = 0; l < n; ++l) {
    const double most = @STRETCH@ * sqrt(x[l] > y[l] ? x[l] : y[l]);
    const double sine = root[l] / sqrt(x[l]) / sqrt(y[l]);
    const double power = round(log2(fabs(second[l] / first[l])));
    const double near = first[l] * pow(most / root[l], power);
    if (root[l] > most)
      bend[l] = ((sine > @PARALLEL@) & (power != 1.0)) ? -sum[l] / sine / root[l] : near;
  }
}
"""

_BENDS = "  @STEM@_bends(n, x, c, y, root, rows[3]);\n"

_TEXT = """
static const double @STEM@_grown[@N@] = {
    @GROWN@};
static const double @STEM@_along[@N@] = {
    @ALONG@};
static const double @STEM@_apart[@M@] = {
    @PLACES@};
static const double @STEM@_middle[@M@] = {
    @MIDDLE@};
static const double @STEM@_matrix[@M@ * @M@] = {
    @MATRIX@};

/* Slopes at a fixed angle of pairs of large variances. */
static void @STEM@_far(size_t n, const double *x, const double *c, const double *y,
                       const double *root, double (*rows)[SLOPE_LANES])
{
  double weight[@M@][SLOPE_LANES], unlike[SLOPE_LANES], middle[SLOPE_LANES], half[SLOPE_LANES];
  double m_k[SLOPE_LANES], m_d[SLOPE_LANES], x_k[SLOPE_LANES], x_d[SLOPE_LANES];
  double xs[SLOPE_LANES], cs[SLOPE_LANES], ys[SLOPE_LANES], rs[SLOPE_LANES];
  double k[SLOPE_LANES], d[SLOPE_LANES];
  int like[SLOPE_LANES];
@BENDS@  for (size_t l = 0; l < n; ++l) {
    const double r11 = sqrt(x[l]), r22 = sqrt(y[l]), sine = root[l] / r11 / r22;
    const double smooth = @WIDTH@ / (r11 > r22 ? r11 : r22), wide = sine > smooth ? sine : smooth;
    const double both = log(r11 / r22), size = sqrt(both * both + wide * wide);
    m_k[l] = m_d[l] = x_k[l] = x_d[l] = 0.0;
    unlike[l] = both;
    like[l] = both * both < @EVEN@ * (wide * wide);
    middle[l] = like[l] ? @LIKE@ * (wide * wide) : 0.0;
    half[l] = like[l] ? middle[l] : @HALF@ * (size < 1.0 ? size : 1.0);
    for (int i = 0; i < @M@; ++i) weight[i][l] = @STEM@_middle[i];
    if (like[l]) /* the square of X, from 0 on */
      chebyshev_slope(@M@, @STEM@_matrix, both * both / half[l] - 1.0, &weight[0][l], SLOPE_LANES);
  }
  for (int i = 0; i < @N@; ++i) {
    const double m = @STEM@_grown[i];
    for (size_t l = 0; l < n; ++l) {
      xs[l] = x[l] * m;
      cs[l] = c[l] * m;
      ys[l] = y[l] * m;
      rs[l] = root[l] * m;
    }
    @STEM@_pairs(n, xs, cs, ys, rs, k, d);
    for (size_t l = 0; l < n; ++l) {
      m_k[l] += @STEM@_along[i] * k[l];
      m_d[l] += @STEM@_along[i] * d[l];
    }
  }
  for (int i = 0; i < @M@; ++i) {
    for (size_t l = 0; l < n; ++l) {
      const double to = middle[l] + half[l] * @STEM@_apart[i];
      const double step = exp(like[l] ? sqrt(to > 0.0 ? to : 0.0) - unlike[l] : to);
      xs[l] = x[l] * step;
      ys[l] = y[l] / step;
    }
    @STEM@_pairs(n, xs, c, ys, root, k, d);
    for (size_t l = 0; l < n; ++l) {
      x_k[l] += weight[i][l] * k[l];
      x_d[l] += weight[i][l] * d[l];
    }
  }
  for (size_t l = 0; l < n; ++l) {
    const double turn = (like[l] ? 2.0 * unlike[l] : 1.0) / half[l];
    rows[0][l] = 0.5 * (m_k[l] + turn * x_k[l]) / x[l];
    rows[1][l] = 0.5 * (m_k[l] - turn * x_k[l]) / y[l];
    rows[2][l] = 0.5 * (m_d[l] + turn * x_d[l]) / x[l];
    rows[4][l] = 0.5 * (m_d[l] - turn * x_d[l]) / y[l];
  }
}

/* The same in place of what closed forms give, where a variance is large. */
static void @STEM@_large(size_t n, const double *q11, const double *q12, const double *q22,
                         const double *root, double *out)
{
  double x[SLOPE_LANES], c[SLOPE_LANES], y[SLOPE_LANES], r[SLOPE_LANES], rows[5][SLOPE_LANES];
  size_t place[SLOPE_LANES], many = 0;
  for (size_t l = 0; l < n; ++l)
    if (q11[l] > @LARGE@ || q22[l] > @LARGE@) {
      x[many] = q11[l];
      c[many] = q12[l];
      y[many] = q22[l];
      r[many] = root[l];
      rows[3][many] = out[3 * n + l];
      place[many++] = l;
    }
  if (!many) return;
  @STEM@_far(many, x, c, y, r, rows);
  for (size_t i = 0; i < 5; ++i)
    for (size_t l = 0; l < many; ++l) out[i * n + place[l]] = rows[i][l];
}

/* The same for u = v. */
static void @STEM@_side_large(size_t n, const double *q, double *out)
{
  for (size_t l = 0; l < n; ++l) {
    double at[@N@], k[@N@], d[@N@], of_k = 0.0, of_d = 0.0;
    if (!(q[l] > @LARGE@)) continue;
    for (int i = 0; i < @N@; ++i) at[i] = q[l] * @STEM@_grown[i];
    @STEM@_diag(@N@, at, k, d);
    for (int i = 0; i < @N@; ++i) {
      of_k += @STEM@_along[i] * k[i];
      of_d += @STEM@_along[i] * d[i];
    }
    out[l] = of_k / q[l];
    out[n + l] = of_d / q[l];
  }
}
"""
