"""C for Owen's T, two of a kind on blocks of points: what Phi2 is made of.

The nodes of the quadrature are the outer loop and the points the inner one, so that a compiler
vectorises over points; nothing branches on a point.
"""

from __future__ import annotations

from ...owen_series import MOST, moments_text
from ...tables import OWEN_RULES, legendre
from ..text import array, c_literal


def owen() -> str:
    """The text of the functions, and the tables of nodes."""
    tables = ""
    for n, _ in OWEN_RULES:
        for k, title in enumerate(("node", "weight")):
            tables += array(f"ntksym_op_{title}{n}", tuple(rule[k] for rule in legendre(n)))
    text = tables + _TEXT.replace("@MANY@", str(OWEN_RULES[-1][0]))
    for mark, part in (("@BOTH@", _BOTH), ("@ENDS@", ENDS)):
        lines = part.strip("\n").split("\n")
        both = (line.replace("#", i) for line in lines for i in "12")
        text = text.replace(mark, "\n".join(both))
    text = text.replace("@TOGETHER@", TOGETHER.strip("\n"))
    text = text.replace("@MOST@", c_literal(MOST)).replace("@TWICE@", c_literal(2 * MOST))
    return text.replace("@MOMENTS@", moments_text())


_BOTH = """
    const double x# = fabs(h#[i]), far# = fabs(a#[i]), y# = far# < 37.0 ? far# : 37.0;
    const double low# = x# < far# ? x# : far#, high# = x# < far# ? far# : x#;
    const double ratio# = low# / (high# > 1e300 ? 1e300 : (high# == 0.0 ? 1.0 : high#));
    const double twice# = low# * low# < 2.0 * @MOST@ ? low# * low# : 2.0 * @MOST@;
    const double e# = ntksym_op_exp_inside(-0.5 * (y# * y#)), bell# = g#[i] * e#;
    const double q# = (0.5 * e#) * ntksym_op_mills(y#), t# = ratio# * ratio#;
"""
"""What both T of a pair need, # for 1 and 2."""
ENDS = """
    const double part# = (ratio# * sum#) * (bell# * 0x1.45f306dc9c883p-3), p# = p#_[i];
    const double gates# = p# + q#, of# = gates# - p#, half# = 0.5 * gates#, product# = p# * q#;
    const double left# = half# - product#, back# = left# - half#, whole# = left# - part#;
    const double last# = whole# - left#, cross# = ntksym_op_product_low(p#, q#, product#);
    const double less# = 0.5 * ((p# - (gates# - of#)) + (q# - of#)) - cross#;
    const double more# = (half# - (left# - back#)) - (product# + back#);
    const double gone# = (less# + more#) + ((left# - (whole# - last#)) - (part# + last#));
    const double size# = far# > x# ? whole# : part#, lost# = far# > x# ? gone# : 0.0;
"""
"""T of both from the sums of moments, `size#`, and what rounding took from it, `lost#`.

It needs ratio#, bell#, q#, the tail of far#, and p#_[i], that of x#."""

TOGETHER = """
    const double one = base[i] - first[i], of_one = one - base[i], both = one - second[i];
    const double of_both = both - one;
    const double low = ((base[i] - (one - of_one)) - (first[i] + of_one))
        + ((one - (both - of_both)) - (second[i] + of_both));
    out[i] = both + (low + lost[i]);
"""
"""base + lost - first - second into `out`."""

_TEXT = r"""/* Sums of exp(-half*u)/(1 + u) over the nodes, u = (a*node)^2; one division for two. */
NTKSYM_BLOCK_FUNCTION void ntksym_block_owen_sum(size_t n, int count, const double *node,
                                         const double *weight, const double *a,
                                         const double *half, double *total)
{
  const size_t m = NTKSYM_ROUND_UP(n);
  for (int j = 0; j < count; j += 2) {
    const double n0 = node[j], n1 = node[j + 1], w0 = weight[j], w1 = weight[j + 1];
    for (size_t i = 0; i < m; ++i) {
      const double x0 = a[i] * n0, x1 = a[i] * n1, u0 = x0 * x0, u1 = x1 * x1;
      const double e0 = w0 * ntksym_op_exp_inside(-half[i] * u0);
      const double e1 = w1 * ntksym_op_exp_inside(-half[i] * u1);
      total[i] += (e0 * (1.0 + u1) + e1 * (1.0 + u0)) / ((1.0 + u0) * (1.0 + u1));
    }
  }
}

/* Owen's T(h, ah/h) as below, on those of n <= NTKSYM_BLOCK points where min(|h|, |ah|)^2/2 >
 * @MOST@, by Gauss-Legendre on the smooth integrand; px is Phi(-|h|). */
NTKSYM_BLOCK_FUNCTION void ntksym_block_owen_far(size_t n, const double *h, const double *ah,
                                         const double *px, double *out)
{
  const size_t m = NTKSYM_ROUND_UP(n);
  double a[NTKSYM_BLOCK], half[NTKSYM_BLOCK], total[NTKSYM_BLOCK];
  for (size_t i = 0; i < m; ++i) {
    const double x = fabs(h[i]), y = fabs(ah[i]);
    const double top = x < y ? x : y, far = x < y ? y : x;
    const double big = far < 40.0 ? far : 40.0; /* beyond, the integral underflows */
    const double ratio = top / (far > 1e300 ? 1e300 : (far == 0.0 ? 1.0 : far));
    /* Beyond x*a = 9 the integrand is below 1e-17 of its peak. */
    a[i] = ratio * big > 9.0 ? 9.0 / big : ratio;
    half[i] = 0.5 * big * big;
    total[i] = 0.0;
  }
  ntksym_block_owen_sum(n, @MANY@, ntksym_op_node@MANY@, ntksym_op_weight@MANY@, a, half, total);
  for (size_t i = 0; i < m; ++i) {
    const double x = fabs(h[i]), y = fabs(ah[i]), qx = px[i], qy = ntksym_op_Phi(-y);
    const double low = x < y ? x : y;
    const double t = a[i] * total[i] * ntksym_op_exp(-half[i]) * 0x1.45f306dc9c883p-3;
    const double size = y > x ? 0.5 * (qx + qy) - qx * qy - t : t;
    out[i] = low * low > 2.0 * @MOST@ ? copysign(size, ah[i]) : out[i];
  }
}

/* Phi(-|h|) and exp(-h*h/2), once where all h are one number; with the accuracy of Phi. */
NTKSYM_BLOCK_FUNCTION void ntksym_block_tails(size_t n, const double *h, double *restrict tail,
                                      double *restrict bell)
{
  const size_t m = NTKSYM_ROUND_UP(n);
  int alike = 1;
  for (size_t i = 0; i < m; ++i) alike &= h[i] == h[0];
  if (alike) {
    const double t = ntksym_op_Phi(-fabs(h[0])), b = ntksym_op_exp(-0.5 * (h[0] * h[0]));
    for (size_t i = 0; i < m; ++i) tail[i] = t;
    for (size_t i = 0; i < m; ++i) bell[i] = b;
  } else
    for (size_t i = 0; i < m; ++i) {
      tail[i] = ntksym_op_Phi(-fabs(h[i]));
      bell[i] = ntksym_op_exp(-0.5 * (h[i] * h[i]));
    }
}

/* base + lost - T(h, ah/h) - T(k, bk/k), T of D. B. Owen, on n <= NTKSYM_BLOCK points; ah and bk
 * are products, so that h = 0 needs no division.  The halves of gates in T are those of the base:
 * what rounding takes from their sums, and took from the base, is added at the end.
 * ph and gh are Phi(-|h|) and exp(-h*h/2), |h| <= 40.
 * T(x, a), a <= 1, is a sum of moments, or where min(x, ax)^2/2 > @MOST@, Gauss-Legendre. */
NTKSYM_BLOCK_FUNCTION void ntksym_block_owen(size_t n, const double *base, double *lost,
                                     const double *const h[2],
                                     const double *const ah[2], const double *const ph[2],
                                     const double *const gh[2], double *restrict out)
{
  const size_t m = NTKSYM_ROUND_UP(n);
  const double *h1 = h[0], *h2 = h[1], *a1 = ah[0], *a2 = ah[1];
  const double *p1_ = ph[0], *p2_ = ph[1], *g1 = gh[0], *g2 = gh[1];
  double first[NTKSYM_BLOCK], second[NTKSYM_BLOCK], most = 0.0;
  for (size_t i = 0; i < m; ++i) {
@BOTH@
@MOMENTS@
@ENDS@
    first[i] = copysign(size1, a1[i]) + (x1 - x1) * 0.0;
    second[i] = copysign(size2, a2[i]) + (x2 - x2) * 0.0;
    lost[i] -= copysign(1.0, a1[i]) * lost1 + copysign(1.0, a2[i]) * lost2;
  }
  for (size_t i = 0; i < m; ++i) {
    const double x1 = fabs(h1[i]), y1 = fabs(a1[i]), x2 = fabs(h2[i]), y2 = fabs(a2[i]);
    most = ntksym_op_max(most, x1 < y1 ? x1 : y1);
    most = ntksym_op_max(most, x2 < y2 ? x2 : y2);
  }
  if (most * most > 2.0 * @MOST@) {
    ntksym_block_owen_far(n, h1, a1, p1_, first);
    ntksym_block_owen_far(n, h2, a2, p2_, second);
  }
  for (size_t i = 0; i < m; ++i) {
@TOGETHER@
  }
}
"""
