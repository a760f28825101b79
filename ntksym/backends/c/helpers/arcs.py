"""C for the angle of a right triangle of known sides, in double and in single precision.

With legs |c|, s and hypotenuse h, t = s/(h + |c|) is the tangent of half the angle between |c| and
h: one division, no root, no cancellation.  All four functions are polynomials in it, and a
compiler shares what they share.  In duals t solves its equation s*t^2 + 2*|c|*t = s after one step
of Newton's method, which takes out what the roundings of h, of the sum and of the division leave:
near rho = -1 the kernel of ReLU is s*t^2, which has them twice.  Networks do without: their layers
leave that end.
"""

from __future__ import annotations

import re

from ...tables import ATAN_DEGREE, ATAN_DEGREE_FLOAT, atan_tail, pi_parts
from ..text import c_literal, polynomial


def arcs(kind: str = "") -> str:
    """The text of the functions; `kind` "f": for floats, names with a final f."""
    text = _TEXT + _TURNS if kind else _TEXT
    if kind:
        text = re.sub(r"(?<![\w.])(\d\.\d)(?![\w.])", r"\1f", text).replace("double", "float")
        text = text.replace("fabs(", "fabsf(").replace("copysign(", "copysignf(")
        text = text.replace("MADD(", "MADDF(").replace("uint64_t", "uint32_t")
    degree = ATAN_DEGREE_FLOAT if kind else ATAN_DEGREE
    high, low = pi_parts(single=bool(kind))
    high_double = pi_parts()[0]
    least = "0x1p-149f" if kind else "0x1p-1074"
    inverse = "UINT32_C(0x7ef311c7)" if kind else "UINT64_C(0x7fde623822fc16e6)"
    return (
        text.replace("@POLYNOMIAL@", _tail_text(degree, kind))
        .replace("@TWO_OVER_PI@", c_literal(2.0 / high_double, kind))
        .replace("@PI@", c_literal(high, kind))
        .replace("@PI_LOW@", c_literal(low, kind))
        .replace("@LEAST@", least)
        .replace("@INVERSE@", inverse)
        .replace("@F@", kind)
        .replace("@DEGREE@", str(degree))
    )


def _tail_text(degree: int, kind: str) -> str:
    return polynomial(atan_tail(degree), "u", kind=kind, chains=2).rstrip("\n")


_TEXT = r"""/* (atan(t) - t)/t^3 as a polynomial of degree @DEGREE@ in u = t^2, for 0 <= t <= 1. */
NTKSYM_LANE_FUNCTION double ntksym_op_atan_tail@F@(double u)
{
@POLYNOMIAL@
  return p;
}

/* tan(angle/2) of the triangle with legs |c| and s >= 0 and hypotenuse h; 1 for no triangle.  Here
 * and below no condition but for signs: a compiler would compute both sides of each, twice. */
NTKSYM_LANE_FUNCTION double ntksym_op_half_tan@F@(double s, double c, double h)
{
  const double sum = h + fabs(c), none = sum == 0.0 ? 1.0 : 0.0;
  return (s + none) / (sum + none);
}

/* The polynomial of the square of such a tangent. */
NTKSYM_LANE_FUNCTION double ntksym_op_tan_tail@F@(double t)
{
  return ntksym_op_atan_tail@F@(t * t);
}

/* tan(angle/2) to the nearer leg: always from the shorter one, since near s = 0 the other would
 * multiply a rounding error of c by 1 + 2/pi in every layer. */
NTKSYM_LANE_FUNCTION double ntksym_op_short_tan@F@(double s, double c, double h)
{
  const double ac = fabs(c), top = ac > s ? s : ac, other = ac > s ? ac : s;
  return top / ((h + other) + @LEAST@);
}

/* asin(c/h), h = hypot(c, s), to full relative accuracy, from t and p of the shorter leg. */
NTKSYM_LANE_FUNCTION double ntksym_op_asin_of@F@(double c, double s, double t, double p)
{
  const double a = 2.0 * NTKSYM_MADD(t * (t * t), p, t);
  return copysign(fabs(c) > s ? (0.5 * @PI@ - a) + 0.5 * @PI_LOW@ : a, c);
}

NTKSYM_LANE_FUNCTION double ntksym_op_asin3@F@(double c, double s, double h)
{
  const double t = ntksym_op_short_tan@F@(s, c, h);
  return ntksym_op_asin_of@F@(c, s, t, ntksym_op_tan_tail@F@(t));
}

/* The angle of the point (c, s), s >= 0, h = hypot(c, s); pi/2 where all are 0.  The angle to |c|,
 * with its sign, and 0 or pi. */
NTKSYM_LANE_FUNCTION double ntksym_op_angle_of@F@(double c, double t, double p)
{
  const double half = NTKSYM_MADD(t * (t * t), p, t);
  return NTKSYM_MADD(copysign(2.0, c), half, 0.5 * @PI@ - copysign(0.5 * @PI@, c));
}

/* 1/h within an eighth, from the exponent bits; finite at 0. */
NTKSYM_LANE_FUNCTION double ntksym_op_near_inverse@F@(double h)
{
  uint64_t bits;
  double inverse;
  memcpy(&bits, &h, sizeof bits);
  bits = @INVERSE@ - bits;
  memcpy(&inverse, &bits, sizeof inverse);
  return inverse;
}

/* tan(angle/2) after a step of Newton's method, s*t^2 + 2*|c|*t = s, whose slope is 2*h; and its
 * square, rounded once. */
NTKSYM_LANE_FUNCTION double ntksym_op_true_tan@F@(double s, double c, double h, double *square)
{
  const double t = ntksym_op_half_tan@F@(s, c, h);
  const double left = NTKSYM_MADD(-(s * t), t, NTKSYM_MADD(-2.0 * fabs(c), t, s));
  const double twice = left * ntksym_op_near_inverse@F@(h);
  *square = NTKSYM_MADD(t, t, t * twice);
  return NTKSYM_MADD(0.5, twice, t);
}

NTKSYM_LANE_FUNCTION double ntksym_op_angle3@F@(double s, double c, double h)
{
  double u;
  const double t = ntksym_op_true_tan@F@(s, c, h, &u);
  return ntksym_op_angle_of@F@(c, t, ntksym_op_atan_tail@F@(u));
}

/* s + c*angle(s, -c), the first arc-cosine kernel: h*(sin a - a*cos a) + pi*max(c, 0), where a is
 * the angle between |c| and h, and the first part is s*u*(1 - (1 - u)*P(u)), u = tan(a/2)^2. */
NTKSYM_LANE_FUNCTION double ntksym_op_arc_at@F@(double s, double c, double u, double p)
{
  const double bulge = NTKSYM_MADD(u - 1.0, p, 1.0);
  return NTKSYM_MADD(0.5 * @PI@, fabs(c) + c, (s * u) * bulge);
}

NTKSYM_LANE_FUNCTION double ntksym_op_arc_of@F@(double s, double c, double t, double p)
{
  return ntksym_op_arc_at@F@(s, c, t * t, p);
}

NTKSYM_LANE_FUNCTION double ntksym_op_arc3@F@(double s, double c, double h)
{
  double u;
  ntksym_op_true_tan@F@(s, c, h, &u);
  return ntksym_op_arc_at@F@(s, c, u, ntksym_op_atan_tail@F@(u));
}

/* h - c for h = hypot(c, s), accurate where s is small: h - |c| = s*tan(a/2). */
NTKSYM_LANE_FUNCTION double ntksym_op_gap_of@F@(double s, double c, double t)
{
  return NTKSYM_MADD(s, t, fabs(c) - c);
}

NTKSYM_LANE_FUNCTION double ntksym_op_gap3@F@(double s, double c, double h)
{
  double u;
  return ntksym_op_gap_of@F@(s, c, ntksym_op_true_tan@F@(s, c, h, &u));
}
"""

_TURNS = r"""
/* angle, arc and asin over pi: the right angle and c itself are then exact, along all layers. */
NTKSYM_LANE_FUNCTION double ntksym_op_angle_turns@F@(double c, double t, double p)
{
  const double half = NTKSYM_MADD(t * (t * t), p, t);
  return NTKSYM_MADD(copysign(@TWO_OVER_PI@, c), half, 0.5 - copysign(0.5, c));
}

NTKSYM_LANE_FUNCTION double ntksym_op_arc_turns@F@(double s, double c, double t, double p)
{
  const double u = t * t, bulge = NTKSYM_MADD(u - 1.0, p, 1.0);
  return NTKSYM_MADD((s * u) * bulge, 0.5 * @TWO_OVER_PI@, 0.5 * (fabs(c) + c));
}

NTKSYM_LANE_FUNCTION double ntksym_op_asin_turns@F@(double c, double s, double t, double p)
{
  const double a = NTKSYM_MADD(t * (t * t), p, t) * @TWO_OVER_PI@;
  return copysign(fabs(c) > s ? 0.5 - a : a, c);
}
"""


def mixed_arcs() -> str:
    """The same in doubles, with floats for what is small: names end in m.

    The error is that of a float relative to the angle between |c| and h, not to the value: along
    a deep network, where that angle shrinks, errors do not add up.  What underflows in a float
    (kernels of 1e-60) stays a double.
    """
    high, low = pi_parts()
    return _MIXED.replace("@PI@", c_literal(high)).replace("@PI_LOW@", c_literal(low))


_MIXED = r"""/* The angle with tangent t of its half, 0 <= t <= 1, to single precision. */
NTKSYM_LANE_FUNCTION double ntksym_op_twice_atanm(double top, double below)
{
  const float t = (float)(top / below), u = t * t;
  return (double)(2.0f * NTKSYM_MADDF(t * u, ntksym_op_atan_tailf(u), t));
}

NTKSYM_LANE_FUNCTION double ntksym_op_asin3m(double c, double s, double h)
{
  const double ac = fabs(c), sum = h + (ac < s ? s : ac);
  const double a = ntksym_op_twice_atanm(ac < s ? ac : s, sum == 0.0 ? 1.0 : sum);
  return copysign(ac < s ? a : 0.5 * @PI@ - a, c);
}

NTKSYM_LANE_FUNCTION double ntksym_op_angle3m(double s, double c, double h)
{
  const double sum = h + fabs(c), a = ntksym_op_twice_atanm(s, sum == 0.0 ? 1.0 : sum);
  return sum == 0.0 ? 0.5 * @PI@ : (c < 0.0 ? @PI@ - a : a);
}

NTKSYM_LANE_FUNCTION double ntksym_op_arc3m(double s, double c, double h)
{
  const double sum = h + fabs(c);
  const float t = (float)(s / (sum == 0.0 ? 1.0 : sum)), u = t * t;
  const float bulge = NTKSYM_MADDF(u - 1.0f, ntksym_op_atan_tailf(u), 1.0f);
  return s * (double)(u * bulge) + (c > 0.0 ? @PI@ * c : 0.0);
}

NTKSYM_LANE_FUNCTION double ntksym_op_gap3m(double s, double c, double h)
{
  const double sum = h + fabs(c);
  const float t = (float)(s / (sum == 0.0 ? 1.0 : sum));
  return c > 0.0 ? s * (double)t : h - c;
}
"""
