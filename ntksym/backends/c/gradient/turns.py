r"""C for the slopes of a dual in the angle, from its values at a few angles.

The polynomial through the values at Chebyshev nodes about the angle, or, for angles near those of
equal and opposite inputs, at nodes from that pole on; there those of smooth activations go by the
square of the angle.  Cosines and sines of sums need those of the nodes alone.
"""

from __future__ import annotations

import math

from ..backend import C
from .chebyshev import matrix, middle, nodes

NODES, HALF = 8, 0.03
"""Chebyshev nodes, and half the length of their interval, in logarithms and angles."""


def turns_text(k: int, stem: str) -> str:
    """C99 that defines `ntksym_units_turns<k>` and `ntksym_units_smooth_turns<k>`.

    Of K and of the derivative dual they give the slopes in the angle at fixed variances (`of_`),
    and those in q12 (`along_`): 0 where these are infinite, at equal and opposite inputs.
    """
    places = nodes(NODES)
    first = [HALF * (1.0 + t) for t in places]
    roots = [math.sqrt(v) for v in first]
    marks = {
        "@STEPS@": [f(HALF * t) for t in places for f in (math.cos, math.sin)],
        "@FIRST@": [f(v) for line in (first, roots) for v in line for f in (math.cos, math.sin)],
        "@MIDDLE@": [w / HALF for w in middle(NODES)],
        "@MATRIX@": [v for line in matrix(NODES) for v in line],
        "@NEAR@": [math.tan(HALF), math.tan(math.sqrt(HALF))],
        "@HALF@": [HALF],
    }
    text = _TEXT
    shapes = {"@STEPS@": (NODES, 2), "@FIRST@": (2, NODES, 2)}
    for mark, values in marks.items():
        literals = [C.literal(v) for v in values]
        for size in reversed(shapes.get(mark, ())[1:]):
            rows = range(0, len(literals), size)
            literals = ["{" + ", ".join(literals[i : i + size]) + "}" for i in rows]
        text = text.replace(mark, ",\n    ".join(literals))
    text = text.replace("@NODES@", str(NODES)).replace("@STEM@", stem)
    return text + "".join(
        _CALL.replace("@NAME@", name).replace("@SMOOTH@", flag).replace("@STEM@", stem)
        for name, flag in ((f"turns{k}", "0"), (f"smooth_turns{k}", "1"))
    )


_TEXT = """
/* Slopes of values in the angle; `smooth`: small angles go by their squares. */
static void @STEM@_turns(int smooth, size_t n, const double *q11, const double *q12,
    const double *q22, const double *root, double *of_nngp, double *of_dot, double *along_nngp,
    double *along_dot)
{
  enum { nodes = @NODES@, chunk = 256 };
  static const double steps[nodes][2] = {
    @STEPS@};
  static const double first[2][nodes][2] = {
    @FIRST@};
  static const double middle[nodes] = {
    @MIDDLE@};
  static const double matrix[nodes * nodes] = {
    @MATRIX@};
  static const double limits[2] = {
    @NEAR@};
  const double half = @HALF@;
  double cs[chunk], rs[chunk], k[nodes][chunk], d[nodes][chunk];
  for (size_t at = 0; at < n; at += chunk) {
    const size_t b = n - at < chunk ? n - at : chunk;
    const double *c = q12 + at, *r = root + at;
    for (int i = 0; i < nodes; ++i) {
      const double cosine = steps[i][0], sine = steps[i][1];
      for (size_t l = 0; l < b; ++l) {
        const double reach = fabs(c[l]), length = sqrt(c[l] * c[l] + r[l] * r[l]);
        const int near = r[l] < limits[smooth] * reach;
        const double across = near ? length * first[smooth][i][0] : reach * cosine - r[l] * sine;
        rs[l] = near ? length * first[smooth][i][1] : r[l] * cosine + reach * sine;
        cs[l] = c[l] < 0.0 ? -across : across;
      }
      @STEM@_pairs(b, q11 + at, cs, q22 + at, rs, k[i], d[i]);
    }
    for (size_t l = 0; l < b; ++l) {
      const double reach = fabs(c[l]), sign = c[l] < 0.0 ? -1.0 : 1.0;
      const int near = r[l] < limits[smooth] * reach;
      double turn = 1.0, ratio = r[l] == 0.0 ? 0.0 : 1.0 / r[l], of_k = 0.0, of_d = 0.0;
      if (near) {
        const double angle = atan2(r[l], reach), length = sqrt(c[l] * c[l] + r[l] * r[l]);
        const double x = (smooth ? angle * angle : angle) / half - 1.0;
        double weight[nodes];
        chebyshev_slope(nodes, matrix, x, weight, 1);
        for (int i = 0; i < nodes; ++i) {
          of_k += weight[i] / half * k[i][l];
          of_d += weight[i] / half * d[i][l];
        }
        if (smooth) {
          ratio = 2.0 / length * (r[l] == 0.0 ? 1.0 : angle * length / r[l]);
          turn = 2.0 * angle;
        }
      } else {
        for (int i = 0; i < nodes; ++i) {
          of_k += middle[i] * k[i][l];
          of_d += middle[i] * d[i][l];
        }
      }
      of_nngp[at + l] = sign * turn * of_k;
      of_dot[at + l] = sign * turn * of_d;
      along_nngp[at + l] = -sign * ratio * of_k;
      along_dot[at + l] = -sign * ratio * of_d;
    }
  }
}
"""

_CALL = """
/* Slopes in the angle and in q12 of the values. */
void ntksym_units_@NAME@(size_t n, const double *q11, const double *q12, const double *q22,
    const double *root, double *of_nngp, double *of_dot, double *along_nngp, double *along_dot)
{
  @STEM@_turns(@SMOOTH@, n, q11, q12, q22, root, of_nngp, of_dot, along_nngp, along_dot);
}
"""
