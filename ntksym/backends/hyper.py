r"""2F1(a, b; c; z) for generated code: the numbers of its expansion at z = 1, and the C text.

With $d = c - a - b = m + \varepsilon$, m the nearest integer, $w = 1 - z$ (if m < 0, of
$w^d\,{}_2F_1(c-a, c-b; c; z)$ instead), the two series of Gauss's connection formula are summed
as one, because each is infinite at $\varepsilon = 0$, where a logarithm appears:
$$F = h \sum_{n<m} \frac{(a)_n (b)_n}{(1-d)_n\,n!} w^n - \kappa\,w^m \sum_k \delta_k w^k,\quad
  \delta_0 = \frac{w^\varepsilon E - 1}\varepsilon,\quad
  E = \frac{\Gamma(a+d)\Gamma(b+d)\Gamma(1-\varepsilon)\Gamma(1+m)}
           {\Gamma(a+m)\Gamma(b+m)\Gamma(1+d)},$$
$h = \frac{\Gamma(c)\Gamma(d)}{\Gamma(a+d)\Gamma(b+d)}$,
$\kappa = \frac{(-1)^m\,\Gamma(c)\,\pi\varepsilon/\sin\pi\varepsilon\,(a)_m (b)_m}
{\Gamma(a+d)\Gamma(b+d)\Gamma(1-\varepsilon)\,m!}$.  $\delta_k$ is a divided difference in
$\varepsilon$ of a quotient of Gamma functions, and has a recurrence without division by
$\varepsilon$ (after Michel & Stoitsov 2008).  Where a, b, c are numbers, $h$, $\kappa$ and
$(E - 1)/\varepsilon$ are computed at generation; else by the C and Python libraries' Gamma.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Connection:
    """What the two series need, in the order of the arguments of the generated function.

    Attributes:
        a: after the exchange for m < 0.
        b: after the exchange.
        c: as given.
        m: the nearest integer of c - a - b.
        epsilon: c - a - b - m.
        lead: the power of w in front.
        head: h.
        scale: kappa.
        rate: (E - 1)/epsilon, or its limit.
    """

    a: float
    b: float
    c: float
    m: float
    epsilon: float
    lead: float
    head: float
    scale: float
    rate: float

    def values(self) -> tuple[float, ...]:
        """All nine numbers."""
        return astuple(self)


@lru_cache(maxsize=256)
def connection(a: Fraction, b: Fraction, c: Fraction) -> Connection:
    """The numbers for exact parameters, each correctly rounded."""
    from mpmath import MPContext

    m = round(c - a - b)
    lead = Fraction(0)
    if m < 0:
        lead, a, b = c - a - b, c - a, c - b
        m = round(c - a - b)
    exact = c - a - b - m
    ctx = MPContext()
    ctx.prec = 400

    def real(value: Fraction | int) -> Any:
        return ctx.mpf(value.numerator) / value.denominator

    d = c - a - b
    eps, over = real(exact), ctx.rgamma(real(a + d)) * ctx.rgamma(real(b + d)) * ctx.gamma(real(c))
    head = over * ctx.gamma(real(d)) if m > 0 else ctx.zero
    scale = (-1) ** m * over * ctx.rf(real(a), m) * ctx.rf(real(b), m)
    scale *= ctx.rgamma(1 - eps) / ctx.factorial(m) / ctx.sinc(ctx.pi * eps)
    if abs(exact) < Fraction(1, 2**64):  # the difference quotient: its limit is near enough
        rate = ctx.psi(0, real(a + m)) + ctx.psi(0, real(b + m)) - ctx.psi(0, 1)
        rate -= ctx.psi(0, 1 + m)
    else:
        tops = [real(a + d), real(b + d), 1 - eps, 1 + m]
        rate = (ctx.gammaprod(tops, [real(a + m), real(b + m), real(1 + d)]) - 1) / eps
    numbers = (a, b, c, Fraction(m), exact, lead)
    return Connection(*map(float, (*numbers, head, scale, rate)))


C_SUPPORT = r"""#ifndef NTKSYM_HYP2F1
#define NTKSYM_HYP2F1
/* 2F1(a, b; c; t/(t + s)), t, s >= 0, z = 1/2 at t = s = 0: the power series, or where z > 1/2 the
 * expansion in w = s/(t + s), both parts of the connection formula as one (N. Michel and M.
 * Stoitsov 2008).  m, epsilon, lead, head, scale, rate are its constants. */
static inline double ntksym_op_hyp2f1_fixed(double a, double b, double c, double m, double epsilon,
                                            double lead, double head, double scale, double rate,
                                            double t, double s)
{
  const double all = t + s, z = all == 0.0 ? 0.5 : t / all, w = all == 0.0 ? 0.5 : s / all;
  const double front = lead == 0.0 ? 1.0 : pow(w, lead), d = m + epsilon;
  double total = 1.0, term = 1.0, delta, f = 1.0, power = 1.0;
  int n;
  if (!(z > 0.5) || d > 10.0) {
    for (n = 0; n < 1000; ++n) {
      term *= (a + n) * (b + n) / ((c + n) * (n + 1.0)) * z;
      total += term;
      if (!(fabs(term) > 0x1p-56 * fabs(total)) && n > -a && n > -b) break;
    }
    return front * total;
  }
  total = 0.0;
  term = head;
  for (n = 0; n < m; ++n) {
    total += term;
    power *= w;
    if (n + 1.0 < m) term *= (a + n) * (b + n) / ((1.0 - d + n) * (n + 1.0)) * w;
  }
  if (w == 0.0 && m > 0.0) return front * total;
  delta = log(w);
  if (epsilon != 0.0) delta = expm1(epsilon * delta) / epsilon;
  delta = (1.0 + epsilon * rate) * delta + rate;
  term = delta;
  for (n = 0; n < 200 && w > 0.0; ++n) {
    const double A = a + m + n, B = b + m + n, C = 1.0 + n - epsilon, E = 1.0 + m + n;
    const double below = (1.0 + n) * (E + epsilon), base = C * E;
    const double step = (base * (A + B + epsilon) - A * B * (C + E + epsilon)) / (base * below);
    delta = w * (delta * (A + epsilon) * (B + epsilon) / below + f * step);
    f *= w * A * B / base;
    term += delta;
    if (fabs(delta) < 0x1p-56 * fabs(term)) break;
  }
  return front * (total - power * scale * term);
}

/* (log Gamma(x + e) - log Gamma(x))/e, x > 0, also at e = 0. */
static inline double ntksym_op_gamma_rate(double x, double e)
{
  static const double stirling[8] = {@STIRLING@};
  double total = 0.0, l, p, y;
  int k;
  for (; x < 12.0; x += 1.0) total -= e == 0.0 ? 1.0 / x : log1p(e / x) / e;
  l = e == 0.0 ? 1.0 / x : log1p(e / x) / e;
  p = 1.0 / x;
  y = p * p;
  total += (x - 0.5) * l + log(x + e) - 1.0;
  for (k = 0; k < 8; ++k) {
    const double n = 2.0 * k + 1.0;
    total += stirling[k] * p * (e == 0.0 ? -n * l : expm1(-n * l * e) / e);
    p *= y;
  }
  return total;
}

NTKSYM_SPARE_FUNCTION double ntksym_op_hyp2f1(double a, double b, double c, double t, double s)
{
  double m = floor(c - a - b + 0.5), lead = 0.0, d, e, over, head, scale, rate;
  int n;
  if (!(a + b + c + t + s < INFINITY)) return a + b + c + t + s;
  if (m < 0.0) {
    lead = c - a - b;
    a = c - a;
    b = c - b;
    m = floor(c - a - b + 0.5);
  }
  d = c - a - b;
  e = d - m;
  over = tgamma(c) / (tgamma(a + d) * tgamma(b + d));
  head = m > 0.0 ? over * tgamma(d) : 0.0;
  scale = over / tgamma(1.0 - e) * (e == 0.0 ? 1.0 : @PI@ * e / sin(@PI@ * e));
  for (n = 0; n < m; ++n) scale *= -(a + n) * (b + n) / (n + 1.0);
  if (fabs(e) > 0.125 || !(a + m > 0.0) || !(b + m > 0.0)) {
    rate = tgamma(a + d) / tgamma(a + m) * (tgamma(b + d) / tgamma(b + m));
    rate = (rate * tgamma(1.0 - e) * tgamma(1.0 + m) / tgamma(1.0 + d) - 1.0) / e;
  } else {
    rate = ntksym_op_gamma_rate(a + m, e) + ntksym_op_gamma_rate(b + m, e);
    rate -= ntksym_op_gamma_rate(1.0 - e, e) + ntksym_op_gamma_rate(1.0 + m, e);
    if (e != 0.0) rate = expm1(e * rate) / e;
  }
  return ntksym_op_hyp2f1_fixed(a, b, c, m, e, lead, head, scale, rate, t, s);
}
#endif
"""


@lru_cache(maxsize=1)
def stirling() -> tuple[float, ...]:
    """The first eight B_2k/(2k(2k - 1)) of Stirling's series."""
    from mpmath import MPContext

    ctx = MPContext()
    ctx.prec = 120
    return tuple(
        float(ctx.bernoulli(2 * k) / (2 * k * (2 * k - 1)))  # 1/12, -1/360, 1/1260, ...
        for k in range(1, 9)
    )
