"""The C of `backends.near`: the roots of a block of nearly parallel pairs, in vector lanes.

Every step is a loop over pairs, and every node of a rule one call of the layer's dual on all of
them.  Smooth layers begin with four nodes: there the error of a rule falls geometrically, at the
rate of the Legendre coefficients, and pairs for which that is enough are done.  (Kinks away from 0
make layers as thin as the norms are unlike, which few nodes do not see.)
"""

from __future__ import annotations

from math import factorial

from ...near import (
    ALONG,
    FEW,
    LARGEST_ANGLE,
    LARGEST_UNLIKE,
    LEVELS,
    PANEL,
    SMALLER,
    TOLERANCE,
    UNLIKE,
    quartic,
    rough,
    shares,
)
from ...tables import legendre
from ...unlike import MOST
from ..blocks import LANES
from ..text import braced, horner

SHORT = (6e-7, 1.4e-5)
"""Spreads X whose cube and whose fourth power are below these, times the larger of X and the angle,
need two and three nodes: what they leave out is X^4/4320 and X^6/2e6 of a part X^2 of the square
of the next angle, less than 1e-16 of it."""
TERMS = 14
"""Of Taylor series about 0, for arguments up to 0.4: what is left out is below 1e-16 of them."""
ARTANH = 19
"""Terms of artanh(y)/y in y^2, y up to 0.4, below 1e-16 too."""


def c_near(pairs: str, diag: str, unlike: str = "") -> str:
    """C that defines `near_roots` and `near_covariance`; `pairs`, `diag` and `unlike` (of
    `unlike_text`; empty where no kind is nearly homogeneous) are what they call.

    `static void near_pairs(int kind, const double *v, size_t n, const double *q11, const double
    *q12, const double *q22, const double *root, double *slope)` for n up to 64, arrays filled to
    the next multiple of 8, `static double near_diag(int kind, const double *v, double q)`, and the
    arrays `near_smooth` of what kinds have no kink, `near_far` of the standard deviations from
    which they are two numbers, and `near_loose` of `Near.loose`.
    """
    tables = ""
    for n in (FEW, PANEL):
        nodes, weights = zip(*legendre(n), strict=True)
        rows = (nodes, weights, *rough(n), quartic(n))
        tables += f"static const double near_rule{n}[5][{n}] = {{\n"
        tables += ",\n".join(f"  {braced(r)}" for r in rows) + "\n};\n"
    few = [[braced(x) for x in zip(*legendre(n), strict=True)] for n in ALONG]
    tables += f"static const int near_nodes[{len(ALONG)}] = {braced(ALONG)};\n"
    tables += f"static const double near_few[{len(ALONG)}][2][{max(ALONG)}] = {{\n"
    tables += ",\n".join(f"  {{{at},\n   {weight}}}" for at, weight in few)
    tables += "\n};\n"
    tables += f"static const double near_share[{SMALLER}] = {braced(shares(SMALLER))};\n"
    marks = {
        "SMALLER": str(SMALLER),
        "ANGLE": repr(LARGEST_ANGLE),
        "SPREAD": repr(LARGEST_UNLIKE),
        "MOST": repr(MOST),
        "TOLERANCE": repr(TOLERANCE),
        "LEVELS": str(LEVELS),
        "FEW": str(FEW),
        "PANEL": str(PANEL),
        "COUNT": str(LANES),
        "TWO": repr(SHORT[0]),
        "THREE": repr(SHORT[1]),
        "FOUR": repr(UNLIKE[0]),
        "FIVE": repr(UNLIKE[1]),
        "EXP": horner([1.0 / factorial(k) for k in range(TERMS)], "x", " " * 9),
        "SIN": horner([(-1) ** k / factorial(2 * k + 1) for k in range(TERMS // 2)], "s", " " * 9),
        "COS": horner([(-1) ** k / factorial(2 * k) for k in range(1 + TERMS // 2)], "s", " " * 9),
        "ARTANH": horner([1.0 / (2 * k + 1) for k in range(ARTANH)], "s", " " * 9),
    }
    text = _TEXT.replace("@UNLIKE@\n", unlike)
    for mark, some in _MIXED.items():
        text = text.replace(f"  @{mark}@\n", some if unlike else "")
    text = text.replace("@LEVEL@", " & !level[i]" if unlike else "")
    for mark, value in marks.items():
        text = text.replace(f"@{mark}@", value)
    return "\n".join((pairs.rstrip("\n"), diag, tables, text))


_MIXED = {
    "DECLARE": """\
  double of[2][@COUNT@];
  unsigned char level[@COUNT@]; /* which pairs are of a nearly homogeneous function */
""",
    "CHOOSE": """\
    level[i] = (lo[i] >= near_least[kind]) & (lo[i] > 0.0) & !straight;
    if (level[i]) {
      if (!(spread[i] < 0.4)) spread[i] = 0.5 * log(hi[i] / lo[i]);
      small = (angle[i] < @ANGLE@) & (spread[i] < @MOST@);
    }
""",
    "SUMS": """\
  left = 0;
  for (size_t i = 0; i < n; ++i)
    if ((angle[i] >= 0.0) & level[i]) place[left++] = i;
  if (left) {
    const double *const mixed[4] = {lo, hi, spread, across};
    near_pack(left, place, mixed, w);
    for (size_t k = 0; k < left; ++k) {
      const size_t i = place[k];
      const int turned = p[0][i] > p[2][i];
      of[0][k] = p[turned ? 5 : 4][i];
      of[1][k] = p[turned ? 4 : 5][i];
    }
    near_mixed(kind, v, left, w, of, total);
    for (size_t k = 0; k < left; ++k) along[place[k]] = total[k];
  }
""",
    "TAKE": "    if (level[i]) det = along[i];\n",
}
"""What is done for nearly homogeneous functions, by its place."""

_TEXT = """
/* For |x| <= 0.4. */
static inline double near_exp(double x)
{
  return @EXP@;
}

static inline double near_sin(double x)
{
  const double s = x * x;
  return x * (@SIN@);
}

static inline double near_cos(double x)
{
  const double s = x * x;
  return @COS@;
}

/* log(hi/lo)/2 where that is small; a larger number otherwise. */
static inline double near_spread(double lo, double hi)
{
  const double y = (0.5 * hi - 0.5 * lo) / (0.5 * hi + 0.5 * lo), s = y * y;
  const double found = y * (@ARTANH@);
  return y < 0.4 ? found : 1.0;
}

/* Of n pairs, p being q11, q22, r1 r2 and an angle x of each: the integrals of r1 r2 sin(t)
 * slope(t) over the angles t from start*x to x; how rough the slopes are; the last of their
 * Legendre coefficients over the one before, the larger of two estimates: one may be 0 by chance
 * (of few nodes, about 0, where slopes are even). */
NTKSYM_BLOCK_FUNCTION void near_panels(int kind, const double *v, size_t n, double (*p)[@COUNT@],
                                       double start, int nodes, double *total, double *rough,
                                       double *rate)
{
  double q12[@COUNT@], root[@COUNT@], slope[@COUNT@], last[3][@COUNT@];
  const double *rule = nodes == @PANEL@ ? near_rule@PANEL@[0] : near_rule@FEW@[0];
  const size_t m = NTKSYM_ROUND_UP(n);
  for (size_t i = 0; i < m; ++i) total[i] = last[0][i] = last[1][i] = last[2][i] = 0.0;
  for (int k = 0; k < nodes; ++k) {
    const double at = start + (1.0 - start) * rule[k], weight = (1.0 - start) * rule[nodes + k];
    const double r0 = rule[2 * nodes + k], r1 = rule[3 * nodes + k];
    const double r2 = nodes == @PANEL@ ? 0.0 : rule[4 * nodes + k];
    for (size_t i = 0; i < m; ++i) {
      const double t = p[3][i] * at;
      q12[i] = p[2][i] * near_cos(t);
      root[i] = p[2][i] * near_sin(t);
    }
    near_pairs(kind, v, n, p[0], q12, p[1], root, slope);
    for (size_t i = 0; i < m; ++i) {
      total[i] += weight * p[3][i] * (root[i] * slope[i]);
      last[0][i] += r0 * slope[i];
      last[1][i] += r1 * slope[i];
      last[2][i] += r2 * slope[i];
    }
  }
  for (size_t i = 0; i < m; ++i) {
    const double size = p[2][i] * p[3][i] * (p[3][i] * (1.0 - start));
    rough[i] = (fabs(last[0][i]) + fabs(last[1][i])) * size;
    const double rest = ntksym_op_max(fabs(last[1][i]), fabs(last[2][i]));
    rate[i] = fabs(last[0][i]) > 0.0 ? rest / fabs(last[0][i]) : 1.0;
  }
}

/* Of n pairs, p being the smaller variance lo, the larger hi, log(hi/lo)/2 and the angle:
 * E[(s(u) - s(v))^2] were u and v parallel. */
NTKSYM_BLOCK_FUNCTION void near_along(int kind, const double *v, size_t n, double (*p)[@COUNT@],
                                      double *total)
{
  double q11[@COUNT@], q12[@COUNT@], q22[@COUNT@], root[@COUNT@], slope[@COUNT@], w[@COUNT@];
  double up[@COUNT@], down[@COUNT@];
  const double *lo = p[0], *hi = p[1], *spread = p[2];
  const size_t m = NTKSYM_ROUND_UP(n);
  int more = 0, most = 0, far = 0, farther = 0;
  for (size_t i = 0; i < m; ++i) {
    const double x = spread[i], size = ntksym_op_max(x, p[3][i]);
    more |= x * x * x > @TWO@ * size;
    most |= (x * x) * (x * x) > @THREE@ * size;
    far |= x > @FOUR@;
    farther |= x > @FIVE@;
    total[i] = root[i] = 0.0;
  }
  const int rule = farther ? 4 : far ? 3 : more + (more & most), nodes = near_nodes[rule];
  const double *at = near_few[rule][0], *weight = near_few[rule][1];
  for (int k = 0; k < nodes; ++k) {
    for (size_t i = 0; i < m; ++i) {
      down[i] = near_exp(-spread[i] * at[k]);
      up[i] = near_exp(spread[i] * at[k]);
      q11[i] = hi[i];
      q12[i] = hi[i] * down[i];
      q22[i] = ntksym_op_max(q12[i] * down[i], lo[i]);
      w[i] = 2.0 * spread[i] * weight[k] * q12[i];
    }
    near_pairs(kind, v, n, q11, q12, q22, root, slope);
    for (size_t i = 0; i < m; ++i) {
      total[i] += w[i] * slope[i];
      q12[i] = lo[i] * up[i];
      q11[i] = ntksym_op_min(q12[i] * up[i], hi[i]);
      q22[i] = lo[i];
      w[i] = 2.0 * spread[i] * weight[k] * q12[i];
    }
    near_pairs(kind, v, n, q11, q12, q22, root, slope);
    for (size_t i = 0; i < m; ++i) total[i] -= w[i] * slope[i];
    for (int j = 0; j < nodes; ++j) {
      for (size_t i = 0; i < m; ++i) {
        const double rest = spread[i] - spread[i] * at[k];
        const double half = near_exp(rest * at[j]), square = lo[i] * up[i] * (half * half);
        q11[i] = ntksym_op_min(square * up[i], hi[i]);
        q22[i] = ntksym_op_max(square * down[i], lo[i]);
        q12[i] = sqrt(q11[i]) * sqrt(q22[i]);
        w[i] = 2.0 * spread[i] * weight[k] * (weight[j] * rest * square);
      }
      near_pairs(kind, v, n, q11, q12, q22, root, slope);
      for (size_t i = 0; i < m; ++i) total[i] -= w[i] * slope[i];
    }
  }
}

/* The same where a function may be two numbers with a point between them for large r: then, with
 * the ratio of the variances fixed, r times that is A + B/r^2 + ..., read off at smaller r. */
NTKSYM_BLOCK_FUNCTION void near_apart(int kind, const double *v, size_t n, double (*p)[@COUNT@],
                                      double *total)
{
  double t[@COUNT@], sum[@COUNT@], part[@COUNT@];
  int any = 0;
  for (size_t i = 0; i < NTKSYM_ROUND_UP(n); ++i) {
    t[i] = near_far[kind] < INFINITY ? ntksym_op_rescale(p[1][i], near_far[kind]) : 1.0;
    any |= t[i] < 1.0;
    p[0][i] = (p[0][i] * t[i]) * t[i];
    p[1][i] = (p[1][i] * t[i]) * t[i];
  }
  near_along(kind, v, n, p, total);
  if (!any) return;
  for (int k = 0; k < @SMALLER@; ++k) {
    if (k > 0) near_along(kind, v, n, p, part);
    for (size_t i = 0; i < NTKSYM_ROUND_UP(n); ++i) {
      double term = near_share[k] * (k > 0 ? part[i] : total[i]);
      for (int j = 0; j < @SMALLER@; ++j)
        if (j != k) term *= t[i] * t[i] - (double)(1 << j);
      sum[i] = k > 0 ? sum[i] + term : term;
      p[0][i] *= 0.5;
      p[1][i] *= 0.5;
    }
  }
  for (size_t i = 0; i < n; ++i)
    if (t[i] < 1.0) total[i] = t[i] * sum[i];
}

@UNLIKE@
/* `count` pairs of four numbers each, side by side; the last is repeated to a multiple of 8. */
static void near_pack(size_t count, const size_t *place, const double *const from[4],
                      double (*to)[@COUNT@])
{
  for (size_t k = 0; k < NTKSYM_ROUND_UP(count); ++k)
    for (int j = 0; j < 4; ++j) to[j][k] = from[j][place[k < count ? k : count - 1]];
}

/* sqrt(n11*n22 - n12^2) after the layer, where n12 is rounded and the pairs nearly parallel: from
 * d = E[(s(u) - s(v))^2] (times the variance of the weights), which is what unlike norms make of
 * parallel inputs, and twice the integral of the derivative dual over the angle.  `bias` is a
 * number where s is positively homogeneous, 0 unless of degree one: then parallel inputs stay
 * parallel without it.
 * Of each pair p has q11, q12, q22, the root before, n11, n22; `next` has the answer where d is not
 * finite and for pairs that are not near, and gets the others. */
NTKSYM_BLOCK_FUNCTION void near_roots(int kind, const double *v, double bias, size_t n,
                                      double (*p)[@COUNT@], double *next)
{
  double m[@COUNT@], angle[@COUNT@], spread[@COUNT@], lo[@COUNT@], hi[@COUNT@], x[@COUNT@];
  double across[@COUNT@], along[@COUNT@], w[4][@COUNT@], total[@COUNT@];
  double rough[@COUNT@], rate[@COUNT@];
  const double *const panel[4] = {p[0], p[2], m, x}, *const unlike[4] = {lo, hi, spread, angle};
  size_t place[@COUNT@], left = 0;
  const int straight = bias == bias;
  @DECLARE@
  for (int k = 0; k < 6; ++k)
    for (size_t i = n; i % 8; ++i) p[k][i] = p[k][n - 1];
  for (size_t i = 0; i < NTKSYM_ROUND_UP(n); ++i) {
    m[i] = sqrt(p[0][i]) * sqrt(p[2][i]);
    x[i] = angle[i] = ntksym_op_atan2(p[3][i], p[1][i]);
    lo[i] = ntksym_op_min(p[0][i], p[2][i]);
    hi[i] = ntksym_op_max(p[0][i], p[2][i]);
    spread[i] = near_spread(lo[i], hi[i]);
    across[i] = along[i] = 0.0;
  }
  for (size_t i = 0; i < n; ++i) {
    const int loose = p[3][i] > near_loose[kind] * sqrt(hi[i]);
    int small = (angle[i] < @ANGLE@) & (spread[i] < @SPREAD@ || straight) & !loose;
  @CHOOSE@
    if (!small) angle[i] = x[i] = -1.0;
    if (angle[i] > 0.0) place[left++] = i;
  }
  for (int halving = near_smooth[kind] ? -1 : 0; left; ++halving) {
    size_t kept = 0;
    near_pack(left, place, panel, w);
    near_panels(kind, v, left, w, 0.0, halving < 0 ? @FEW@ : @PANEL@, total, rough, rate);
    for (size_t k = 0; k < left; ++k) {
      const size_t i = place[k];
      const double asked = @TOLERANCE@ / angle[i], least = asked < 1e-3 ? asked : 1e-3;
      const double fall = halving < 0 ? rate[k] : ntksym_op_max(rate[k], 0.05);
      const double error = rough[k] * (near_smooth[kind] ? fall * fall * fall : 1.0);
      const int more = (error > least * (across[i] + total[k])) & (halving < @LEVELS@);
      if (more)
        place[kept++] = i;
      else
        across[i] += total[k];
    }
    left = kept;
    if (!left || halving < 0) continue;
    near_pack(left, place, panel, w);
    near_panels(kind, v, left, w, 0.5, @PANEL@, total, rough, rate);
    for (size_t k = 0; k < left; ++k) {
      across[place[k]] += total[k];
      x[place[k]] *= 0.5;
    }
  }
  for (size_t i = 0; i < n; ++i)
    if ((angle[i] >= 0.0) & (spread[i] > 0.0) & !straight@LEVEL@) place[left++] = i;
  if (left) {
    near_pack(left, place, unlike, w);
    near_apart(kind, v, left, w, total);
    for (size_t k = 0; k < left; ++k) along[place[k]] = total[k];
  }
  @SUMS@
  for (size_t i = 0; i < n; ++i) {
    const double s1 = sqrt(p[4][i]), s2 = sqrt(p[5][i]), size = s1 * s2, g = across[i];
    double det;
    if (straight) {
      const double scale = bias == 0.0 ? 0.0 : near_diag(kind, v, hi[i]) / hi[i];
      const double r = sqrt(hi[i]) - sqrt(lo[i]), whole = bias == 0.0 ? size : scale * m[i];
      det = (bias / size) * ((scale * (r * r) + 2.0 * g) / size) +
            (g / size) * ((2.0 * whole - g) / size);
    } else {
      const double d = (2.0 * g + along[i]) / size, t = (p[4][i] - p[5][i]) / size;
      det = 0.25 * (d * (2.0 * ((p[4][i] + p[5][i]) / size) - d) - t * t);
    }
  @TAKE@
    const double found = (ntksym_op_sqrt0(det) * s1) * s2;
    if ((angle[i] >= 0.0) & (det - det == 0.0)) next[i] = found;
  }
}

/* The covariance that belongs to a root below `sure` times the size, of the sign of `plain`; for
 * other pairs `plain`. */
static double near_covariance(double size, double root, double sure, double plain)
{
  const double sine = root / size;
  return sine < sure ? copysign(size * sqrt(1.0 - sine * sine), plain) : plain;
}
"""
