r"""C for the slopes of a dual in its variances, from its values at a few variances.

The polynomial through the values at Chebyshev nodes about $\log q$, in an interval that does not
leave the range of the dual: near an end of the range it is not in the middle of the nodes.
"""

from __future__ import annotations

import math

from ...text import filled
from ..backend import C
from .chebyshev import matrix, nodes
from .turns import HALF, NODES

Span = tuple[float, float]


def steps_text(stem: str, span: Span) -> str:
    """C99 that defines `<stem>_moved` as for tables, and `<stem>_side_steps`.

    `<stem>_moved(n, q11, q12, q22, root, nngp, of_nngp, of_dot)`: the derivatives in q11 of K and
    of the derivative dual at fixed q22 and angle.  `<stem>_side_steps(n, q, of_nngp, of_dot)`: in
    q, for u = v.  Both need `<stem>_pairs` and `<stem>_diag`, values on variances `span`.
    """
    low, high = span
    half = min(HALF, 0.5 * math.log(high / low)) * (1.0 - 2.0**-20)
    rows = [", ".join(C.literal(v) for v in line) for line in matrix(NODES)]
    marks = {
        "@GROWN@": ",\n    ".join(C.literal(math.exp(half * t)) for t in nodes(NODES)),
        "@MATRIX@": ",\n    ".join(rows),
        "@LEAST@": C.literal(low * math.exp(half)),
        "@MOST@": C.literal(high * math.exp(-half)),
        "@HALF@": C.literal(half),
        "@NODES@": str(NODES),
        "@STEM@": stem,
    }
    text = _TEXT
    return filled(text, marks)


_TEXT = """
static const double @STEM@_grown[@NODES@] = {
    @GROWN@};

/* The middle of the nodes for a variance: NaN stays NaN. */
static double @STEM@_base(double q)
{
  return q < @LEAST@ ? @LEAST@ : (q > @MOST@ ? @MOST@ : q);
}

/* The weights of the values at base*grown[i] in the slope at q. */
static void @STEM@_weights(double q, double base, double *weight)
{
  static const double matrix[@NODES@ * @NODES@] = {
    @MATRIX@};
  const double x = q == base ? 0.0 : log(q / base) / @HALF@;
  chebyshev_slope(@NODES@, matrix, x, weight, 1);
  for (int i = 0; i < @NODES@; ++i) weight[i] /= @HALF@ * q;
}

/* The derivatives in q11 of K and of its derivative dual at fixed q22 and angle. */
NTKSYM_BLOCK_FUNCTION void @STEM@_moved(size_t n, const double *q11, const double *q12,
    const double *q22, const double *root, const double *nngp, double *of_nngp, double *of_dot)
{
  enum { chunk = 64 };
  double xs[chunk], cs[chunk], rs[chunk], k[chunk], d[chunk], weight[@NODES@][chunk];
  for (size_t at = 0; at < n; at += chunk) {
    const size_t b = n - at < chunk ? n - at : chunk;
    const double *q = q11 + at, *c = q12 + at, *r = root + at;
    for (size_t l = 0; l < b; ++l) {
      double now[@NODES@];
      if (l && q[l] == q[l - 1])
        for (int i = 0; i < @NODES@; ++i) now[i] = weight[i][l - 1];
      else
        @STEM@_weights(q[l], @STEM@_base(q[l]), now);
      for (int i = 0; i < @NODES@; ++i) weight[i][l] = now[i];
      of_nngp[at + l] = of_dot[at + l] = 0.0 * nngp[at + l]; /* NaN outside the range */
    }
    for (int i = 0; i < @NODES@; ++i) {
      for (size_t l = 0; l < b; ++l) {
        xs[l] = @STEM@_base(q[l]) * @STEM@_grown[i];
        const double scale = sqrt(xs[l] / q[l]);
        cs[l] = c[l] * scale;
        rs[l] = r[l] * scale;
      }
      @STEM@_pairs(b, xs, cs, q22 + at, rs, k, d);
      for (size_t l = 0; l < b; ++l) {
        of_nngp[at + l] += weight[i][l] * k[l];
        of_dot[at + l] += weight[i][l] * d[l];
      }
    }
  }
}

/* The derivatives in q of both for u = v. */
NTKSYM_BLOCK_FUNCTION void @STEM@_side_steps(size_t n, const double *q, double *of_nngp,
                                             double *of_dot)
{
  for (size_t l = 0; l < n; ++l) {
    double weight[@NODES@], at[@NODES@], k[@NODES@], d[@NODES@], one, two;
    @STEM@_diag(1, q + l, k, d);
    one = two = 0.0 * k[0]; /* NaN outside the range */
    @STEM@_weights(q[l], @STEM@_base(q[l]), weight);
    for (int i = 0; i < @NODES@; ++i) at[i] = @STEM@_base(q[l]) * @STEM@_grown[i];
    @STEM@_diag(@NODES@, at, k, d);
    for (int i = 0; i < @NODES@; ++i) {
      one += weight[i] * k[i];
      two += weight[i] * d[i];
    }
    of_nngp[l] = one;
    of_dot[l] = two;
  }
}
"""
