"""C for exp and the normal distribution function: no branch, no call, so that loops vectorise.

exp by 2^k exp(r), |r| <= log(2)/2; the tail of the normal distribution by a polynomial of
(1 + 2x) exp(x^2) erfc(x) in (x - c)/(x + c) (after Shepherd & Laframboise 1981), with the square
in the exponent kept exact.
"""

from __future__ import annotations

from ...tables import (
    ERFCX_CENTRE,
    erf_series,
    erfcx_monomial,
    exp_constants,
    exp_tail,
    root_half_slip,
)
from ..text import c_literal, polynomial

MIDDLE = 0.875
"""About the reciprocal of the polynomial of (1 + 2x) exp(x^2) erfc(x)."""


def normal() -> str:
    """The text of the functions."""
    over, high, low = exp_constants()
    first_low, series = erfcx_monomial()
    return (
        _TEXT.replace("@EXP@", polynomial(exp_tail(), "r").rstrip("\n"))
        .replace("@ERFCX@", polynomial(series[1:], "t").rstrip("\n"))
        .replace("@FIRST@", c_literal(series[0]))
        .replace("@FIRST_LOW@", c_literal(first_low))
        .replace("@ERF@", polynomial(erf_series(), "u").rstrip("\n"))
        .replace("@OVER@", c_literal(over))
        .replace("@HIGH@", c_literal(high))
        .replace("@LOW@", c_literal(low))
        .replace("@CENTRE@", c_literal(ERFCX_CENTRE))
        .replace("@MIDDLE@", c_literal(MIDDLE))
        .replace("@SLIP@", c_literal(root_half_slip()))
        .replace("@LESS@", c_literal(MIDDLE * root_half_slip()))
    )


_TEXT = r"""/* 2^k for an integer -1022 <= k <= 1023 given as a double, by its exponent bits. */
NTKSYM_LANE_FUNCTION double ntksym_op_power2(double k)
{
  const double shifted = k + 0x1.80000000003ffp52;
  uint64_t bits;
  double result;
  memcpy(&bits, &shifted, sizeof bits);
  bits <<= 52;
  memcpy(&result, &bits, sizeof result);
  return result;
}

/* (exp(r) - 1 - r)/r^2 for |r| <= log(2)/2. */
NTKSYM_LANE_FUNCTION double ntksym_op_exp_tail(double r)
{
@EXP@
  return p;
}

/* exp(x) for |x| < 700. */
NTKSYM_LANE_FUNCTION double ntksym_op_exp_inside(double x)
{
  const double k = NTKSYM_MADD(x, @OVER@, 0x1.8p52) - 0x1.8p52;
  const double r = NTKSYM_MADD(k, -@LOW@, NTKSYM_MADD(k, -@HIGH@, x));
  return (1.0 + NTKSYM_MADD(r * r, ntksym_op_exp_tail(r), r)) * ntksym_op_power2(k);
}

/* exp(a) in two doubles, the second to a few digits; 0 where the first leaves the range. */
NTKSYM_LANE_FUNCTION double ntksym_op_exp_parts(double a, double *low)
{
  const double x = a < -746.0 ? -746.0 : (a > 710.0 ? 710.0 : a);
  const double k = NTKSYM_MADD(x, @OVER@, 0x1.8p52) - 0x1.8p52;
  const double k1 = (0.5 * k + 0x1.8p52) - 0x1.8p52;
  const double s1 = ntksym_op_power2(k1), s2 = ntksym_op_power2(k - k1);
  const double r = NTKSYM_MADD(k, -@LOW@, NTKSYM_MADD(k, -@HIGH@, x));
  const double t = NTKSYM_MADD(r * r, ntksym_op_exp_tail(r), r), e = 1.0 + t;
  *low = fabs(a) < 690.0 ? (((1.0 - e) + t) * s1) * s2 : 0.0;
  return (e * s1) * s2;
}

NTKSYM_LANE_FUNCTION double ntksym_op_exp(double a)
{
  double low;
  return ntksym_op_exp_parts(a, &low);
}

NTKSYM_LANE_FUNCTION double ntksym_op_expm1(double a)
{
  const double x = a < -50.0 ? -50.0 : (a > 710.0 ? 710.0 : a);
  const double k = NTKSYM_MADD(x, @OVER@, 0x1.8p52) - 0x1.8p52;
  const double k1 = (0.5 * k + 0x1.8p52) - 0x1.8p52;
  const double s1 = ntksym_op_power2(k1), s2 = ntksym_op_power2(k - k1);
  const double r = NTKSYM_MADD(k, -@LOW@, NTKSYM_MADD(k, -@HIGH@, x));
  const double e = NTKSYM_MADD(r * r, ntksym_op_exp_tail(r), r);
  return k > 60.0 ? ((1.0 + e) * s1) * s2 : NTKSYM_MADD(e, s1 * s2, s1 * s2 - 1.0);
}

/* The rounding error of p = x*x, for |x| < 1e100. */
NTKSYM_LANE_FUNCTION double ntksym_op_square_low(double x, double p)
{
#if defined(__FP_FAST_FMA) || defined(FP_FAST_FMA)
  return fma(x, x, -p);
#else
  const double wide = 134217729.0 * x;
  const double high = wide - (wide - x), low = x - high;
  return ((high * high - p) + 2.0 * (high * low)) + low * low;
#endif
}

/* The same of p = x*y. */
NTKSYM_LANE_FUNCTION double ntksym_op_product_low(double x, double y, double p)
{
#if defined(__FP_FAST_FMA) || defined(FP_FAST_FMA)
  return fma(x, y, -p);
#else
  const double wide = 134217729.0 * x, other = 134217729.0 * y;
  const double high = wide - (wide - x), low = x - high;
  const double above = other - (other - y), below = y - above;
  return ((high * above - p) + (high * below + low * above)) + low * below;
#endif
}

/* exp(x*x)*erfc(x) for x >= 0, over 1 + `low`, which is what rounding took from a polynomial and
 * from its quotient. */
NTKSYM_LANE_FUNCTION double ntksym_op_erfcx_parts(double x, double *low)
{
  /* (x - c)/(x + c), with fewer roundings near x = 0, where the polynomial is steep */
  const double t = 2.0 * x / (x + @CENTRE@) - 1.0, below = 1.0 + 2.0 * x;
@ERFCX@
  const double whole = NTKSYM_MADD(t, p, @FIRST@), value = whole / below;
  const double rest = NTKSYM_MADD(t, p, @FIRST@ - whole) + @FIRST_LOW@;
  /* the polynomial is from 1 to 1.3: its reciprocal is about @MIDDLE@ */
#if defined(__FP_FAST_FMA) || defined(FP_FAST_FMA)
  *low = @MIDDLE@ * (fma(-value, (1.0 - below) + 2.0 * x, fma(-value, below, whole)) + rest);
#else
  *low = @MIDDLE@ * rest;
#endif
  return value;
}

NTKSYM_LANE_FUNCTION double ntksym_op_erfcx(double x)
{
  double low;
  const double value = ntksym_op_erfcx_parts(x, &low);
  return NTKSYM_MADD(value, low, value);
}

/* exp(y*y/2)*erfc(y/sqrt(2)) for y >= 0, over 1 + `low`: sqrt(1/2) is rounded too. */
NTKSYM_LANE_FUNCTION double ntksym_op_mills_parts(double y, double *low)
{
  double rest;
  const double value = ntksym_op_erfcx_parts(0x1.6a09e667f3bcdp-1 * y, &rest);
  *low = rest + NTKSYM_MADD(-@LESS@, value, @SLIP@);
  return value;
}

NTKSYM_LANE_FUNCTION double ntksym_op_mills(double y)
{
  double low;
  const double value = ntksym_op_mills_parts(y, &low);
  return NTKSYM_MADD(value, low, value);
}

/* exp(a)*Phi(-x) for x >= 0 where a - x*x/2 is not much larger than a. */
NTKSYM_LANE_FUNCTION double ntksym_op_tail(double a, double x)
{
  const double y = x > 1e100 ? 1e100 : x;
  const double square = y * y, low = ntksym_op_square_low(y, square);
  const double half = 0.5 * square, main = a - half;
  const double back = main - a;
  double rest;
  const double scaled = ntksym_op_mills_parts(y, &rest);
  const double lost = (((a - (main - back)) - (half + back)) - 0.5 * low) + rest;
  const double bell = 0.5 * ntksym_op_exp(main), value = bell * scaled;
#if defined(__FP_FAST_FMA) || defined(FP_FAST_FMA)
  const double off = fma(value, lost, fma(bell, scaled, -value));
#else
  const double off = value * lost;
#endif
  return value + (fabs(off) < value ? off : 0.0); /* none where the value overflows */
}

/* The normal distribution function, with relative accuracy in the lower tail. */
NTKSYM_LANE_FUNCTION double ntksym_op_Phi(double z)
{
  const double x = fabs(z);
  const double tail = ntksym_op_tail(0.0, x > 40.0 ? 40.0 : x);
  return z < 0.0 ? tail : 1.0 - tail;
}

static inline double ntksym_op_erfc(double x)
{
  const double y = fabs(x) > 28.0 ? 28.0 : fabs(x);
  const double square = y * y, low = ntksym_op_square_low(y, square);
  double rest;
  const double scaled = ntksym_op_erfcx_parts(y, &rest);
  const double tail = ntksym_op_exp(-square) * NTKSYM_MADD(scaled, rest - low, scaled);
  return x < 0.0 ? 2.0 - tail : tail + (x - x);
}

NTKSYM_LANE_FUNCTION double ntksym_op_erf(double x)
{
  const double y = fabs(x) > 1.0 ? 1.0 : fabs(x), u = y * y;
  const double far = 1.0 - ntksym_op_erfc(fabs(x));
@ERF@
  return copysign(fabs(x) < 1.0 ? y * p : far, x);
}

/* exp(a)*Phi(z), where exp may overflow and Phi underflow. */
NTKSYM_LANE_FUNCTION double ntksym_op_expPhi(double a, double z)
{
  /* of exponents beyond 1e16 the correction has no digit, nor a sign */
  const double tail = fabs(ntksym_op_tail(a, fabs(z))), whole = ntksym_op_exp(a);
  return z < 0.0 ? tail : whole - (whole < INFINITY ? tail : 0.0);
}

NTKSYM_BLOCK_FUNCTION void ntksym_block_Phi(size_t n, const double *z, double *restrict out)
{
  for (size_t i = 0; i < NTKSYM_ROUND_UP(n); ++i) out[i] = ntksym_op_Phi(z[i]);
}

NTKSYM_BLOCK_FUNCTION void ntksym_block_expPhi(size_t n, const double *a, const double *z,
                                               double *restrict out)
{
  const size_t m = NTKSYM_ROUND_UP(n);
  int alike = 1;
  for (size_t i = 0; i < m; ++i) alike &= a[i] == a[0];
  if (alike) { /* of one point against many */
    const double first = a[0], whole = ntksym_op_exp(first);
    for (size_t i = 0; i < m; ++i) {
      const double tail = fabs(ntksym_op_tail(first, fabs(z[i])));
      out[i] = z[i] < 0.0 ? tail : whole - (whole < INFINITY ? tail : 0.0);
    }
  } else
    for (size_t i = 0; i < m; ++i) out[i] = ntksym_op_expPhi(a[i], z[i]);
}
"""
