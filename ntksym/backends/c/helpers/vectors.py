"""C of log, log1p, tanh, sin and cos without branches: loops over them become vectors.

Those of the C library are called for one number at a time, tens of nanoseconds each.  These are
within 3 units in the last place, sin and cos of 1: what sums of many values need, and less than
closed forms do.  Sines of arguments beyond 2^40 are NaN.
"""

from __future__ import annotations

from dataclasses import replace

from ....lower.program import Program
from ..backend import C, inline_function

IN_LOOPS = """#ifndef NTKSYM_IN_LOOPS
/* Whatever is called in a loop must be a part of it, or it is no loop over vectors. */
#ifdef NTKSYM_EXTENDED
#define NTKSYM_IN_LOOPS static inline __attribute__((always_inline))
#else
#define NTKSYM_IN_LOOPS static inline
#endif
#endif
"""
VECTORS = """#ifndef NTKSYM_VECTOR_FUNCTIONS
#define NTKSYM_VECTOR_FUNCTIONS
/* log(u) + more, for u > 0 not subnormal and |more| far below 1: u = 2^k m with m about 1. */
NTKSYM_IN_LOOPS double ntksym_vector_log_near(double u, double more)
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
NTKSYM_IN_LOOPS double ntksym_vector_log(double a)
{
  const int tiny = a < 0x1p-1022;
  const double u = tiny ? a * 0x1p+54 : a;
  const double found = ntksym_vector_log_near(u, 0.0) - (tiny ? 0x1.2b708872320e2p+5 : 0.0);
  return a > 0.0 ? (a < INFINITY ? found : INFINITY) : (a == 0.0 ? -INFINITY : NAN);
}
NTKSYM_IN_LOOPS double ntksym_vector_log1p(double a)
{
  const double u = 1.0 + a;
  const double lost = a < 1.0 ? a - (u - 1.0) : 1.0 - (u - a);
  const double found = ntksym_vector_log_near(u, a < 0x1p+60 ? lost / u : 0.0);
  return u > 0.0 ? (a < INFINITY ? found : INFINITY) : (u == 0.0 ? -INFINITY : NAN);
}
NTKSYM_IN_LOOPS double ntksym_vector_tanh(double a)
{
  const double b = a < -20.0 ? -20.0 : (a > 20.0 ? 20.0 : a);
  const double p = ntksym_op_expm1(2.0 * b);
  return p / (p + 2.0);
}
#if defined(__FP_FAST_FMA) || defined(FP_FAST_FMA)
/* sin(a + turn pi/2), turn 0 or 1: with fused products what a is beyond k pi/2 is exact but for the
 * rest of pi/2 and one rounding; NaN where k has too many digits. */
NTKSYM_IN_LOOPS double ntksym_vector_wave(double a, double turn)
{
  const double k = fma(a, 0x1.45f306dc9c883p-1, 0x1.8p52) - 0x1.8p52, n = k + turn + 0x1.8p52;
  const double near = fma(k, -0x1.921fb54442d18p+0, a);
  const double r = fabs(a) < 0x1p+40
      ? fma(k, 0x1.f1976b7ed8fbcp-110, fma(k, -0x1.1a62633145c07p-54, near)) : NAN;
  const double z = r * r, w = z * z;
  const double s0 = fma(fma(0x1.5d93a5acfd57cp-33, z, -0x1.ae5e68a2b9cebp-26), w,
      fma(0x1.71de357b1fe7dp-19, z, -0x1.a01a019c161d5p-13));
  const double s = fma(fma(s0, w, fma(0x1.111111110f8a6p-7, z, -0x1.5555555555549p-3)), z * r, r);
  const double c0 = fma(fma(-0x1.8fae9be8838d4p-37, z, 0x1.1ee9ebdb4b1c4p-29), w,
      fma(-0x1.27e4f809c52adp-22, z, 0x1.a01a019cb159p-16));
  const double half = 0.5 * z, most = 1.0 - half;
  const double c = most + (((1.0 - most) - half)
      + w * fma(c0, w, fma(-0x1.6c16c16c15177p-10, z, 0x1.555555555554cp-5)));
  uint64_t bits, out;
  double found;
  memcpy(&bits, &n, sizeof bits);
  found = (bits & 1u) ? c : s;
  memcpy(&out, &found, sizeof out);
  out ^= (bits & 2u) << 62;
  memcpy(&found, &out, sizeof found);
  return found;
}
NTKSYM_IN_LOOPS double ntksym_vector_sin(double a) { return ntksym_vector_wave(a, 0.0); }
NTKSYM_IN_LOOPS double ntksym_vector_cos(double a) { return ntksym_vector_wave(a, 1.0); }
#else
NTKSYM_IN_LOOPS double ntksym_vector_sin(double a) { return sin(a); }
NTKSYM_IN_LOOPS double ntksym_vector_cos(double a) { return cos(a); }
#endif
#endif
"""

IN_VECTORS = replace(
    C,
    spell={
        **C.spell,
        "log": "ntksym_vector_log({0})",
        "log1p": "ntksym_vector_log1p({0})",
        "sin": "ntksym_vector_sin({0})",
        "cos": "ntksym_vector_cos({0})",
        "tanh": "ntksym_vector_tanh({0})",
    },
)
"""C whose programs may be run in vectors."""
SINGLY = frozenset({"pow", "sinh", "cosh", "gamma"})
"""Of these the C library has the only ones: programs with them take all from there."""


def in_loops(program: Program, name: str) -> str:
    """The program as a function of C that loops over vectors take in; it needs `support`."""
    single = any(line.op in SINGLY for line in program.body)
    text = inline_function(program, name, C if single else IN_VECTORS)
    return text.replace("static inline void", "NTKSYM_IN_LOOPS void", 1)


def support(texts: list[str]) -> str:
    """What the functions of `in_loops` need."""
    return IN_LOOPS + VECTORS * any("ntksym_vector" in text for text in texts)
