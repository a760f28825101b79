"""C for operations `direct`: whether a value is so small that its closed form lost its digits.

Where s, or its slope, has one sign, all that the definition adds up has one too, and its digits are
those of the value.  The terms of the closed form are of the order of the size, sqrt(K(q11) K(q22)).
Only for rho below -1/8: elsewhere values of one sign are of the order of their size.
"""

from __future__ import annotations

from ....lower.small import NODES, WEIGHTS
from ..text import array


def small_text() -> str:
    """The function, and its Gauss-Hermite nodes."""
    tables = array("ntksym_direct_place", NODES) + array("ntksym_direct_share", WEIGHTS)
    return tables + _SMALL.lstrip()


_SMALL = r"""
static inline int ntksym_direct_turned(double q11, double q12, double q22)
{
  return 8.0 * q12 < -(sqrt(q11) * sqrt(q22));
}

/* Whether s, or its slope, has one sign, and the value is below so many times its size. */
NTKSYM_BLOCK_FUNCTION int ntksym_direct_small(const ntksym_direct_rule *s, int which, double closed,
    double below, double q11, double q22)
{
  double x[8], v[8], d[8], low = 0.0, high = 0.0, size = below;
  for (int side = 0; side < 2; ++side) {
    const double root = sqrt(side ? q22 : q11), unit = which && s->jumps ? root : 1.0;
    double sum = 0.0;
    for (int j = 0; j < 8; ++j) x[j] = root * ntksym_direct_place[j];
    s->point(8, x, s->given, v, d);
    for (int j = 0; j < 8; ++j) {
      const double own = which ? d[j] : v[j], part = (which && !s->jumps ? d[j] : v[j]) / unit;
      low = own < low ? own : low;
      high = own > high ? own : high;
      sum += ntksym_direct_share[j] * (part * part);
    }
    size *= sqrt(sum);
  }
  for (int k = 0; which && k < s->kinks; ++k) {
    low = s->jump[k] < low ? s->jump[k] : low;
    high = s->jump[k] > high ? s->jump[k] : high;
  }
  return (low == 0.0 || high == 0.0) && !(fabs(closed) >= size && size > 0.0);
}

"""
