"""C of log, log1p and tanh without branches: compilers make loops over vectors of them.

Those of the C library are called for one number at a time, tens of nanoseconds each.  These are
within 3 units in the last place, for all arguments: what sums of many values need, and less than
closed forms do.
"""

from __future__ import annotations

from dataclasses import replace

from ..backend import C

VECTORS = """#ifndef NTKSYM_VECTOR_FUNCTIONS
#define NTKSYM_VECTOR_FUNCTIONS
/* log(u) + more, for u > 0 not subnormal and |more| far below 1: u = 2^k m with m about 1. */
static inline double ntksym_vector_log_near(double u, double more)
{
  uint64_t bits, up, down;
  double k, m;
  memcpy(&bits, &u, sizeof bits);
  bits += UINT64_C(0x3ff0000000000000) - UINT64_C(0x3fe6a09e667f3bcd);
  up = (bits >> 52) | UINT64_C(0x4330000000000000);
  down = (bits & UINT64_C(0xfffffffffffff)) + UINT64_C(0x3fe6a09e667f3bcd);
  memcpy(&k, &up, sizeof k);
  memcpy(&m, &down, sizeof m);
  k -= 0x1.00000000003ffp+52;
  const double f = m - 1.0, half = 0.5 * f * f, s = f / (2.0 + f), z = s * s, w = z * z;
  const double odd = NTKSYM_MADD(NTKSYM_MADD(0x1.39a09d078c69fp-3, w, 0x1.c71c51d8e78afp-3), w,
      0x1.999999997fa04p-2) * w;
  const double even = NTKSYM_MADD(NTKSYM_MADD(NTKSYM_MADD(0x1.2f112df3e5244p-3, w,
      0x1.7466496cb03dep-3), w, 0x1.2492494229359p-2), w, 0x1.5555555555593p-1) * z;
  const double low = s * (half + (odd + even)) + (k * 0x1.a39ef35793c76p-33 + more);
  return k * 0x1.62e42feep-1 - ((half - low) - f);
}
static inline double ntksym_vector_log(double a)
{
  const int tiny = a < 0x1p-1022;
  const double u = tiny ? a * 0x1p+54 : a;
  const double found = ntksym_vector_log_near(u, 0.0) - (tiny ? 0x1.2b708872320e2p+5 : 0.0);
  return a > 0.0 ? (a < INFINITY ? found : INFINITY) : (a == 0.0 ? -INFINITY : NAN);
}
static inline double ntksym_vector_log1p(double a)
{
  const double u = 1.0 + a;
  const double lost = a < 1.0 ? a - (u - 1.0) : 1.0 - (u - a);
  const double found = ntksym_vector_log_near(u, a < 0x1p+60 ? lost / u : 0.0);
  return u > 0.0 ? (a < INFINITY ? found : INFINITY) : (u == 0.0 ? -INFINITY : NAN);
}
static inline double ntksym_vector_tanh(double a)
{
  const double b = a < -20.0 ? -20.0 : (a > 20.0 ? 20.0 : a);
  const double p = ntksym_op_expm1(2.0 * b);
  return p / (p + 2.0);
}
#endif
"""

IN_VECTORS = replace(
    C,
    spell={
        **C.spell,
        "log": "ntksym_vector_log({0})",
        "log1p": "ntksym_vector_log1p({0})",
        "tanh": "ntksym_vector_tanh({0})",
    },
)
"""C whose programs may be run in vectors; it needs `VECTORS`."""
