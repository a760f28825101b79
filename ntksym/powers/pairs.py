r"""Expect: $E[u_\pm^p v_\pm^q]$ for a centred Gaussian pair, in closed form.

Let $h_n(p) = E[X_+^p\,He_n(X)]$, X standard normal, $p > -1$.  The derivative of
$x^{p+1} He_n(x) e^{-x^2/2}$ integrates to 0 on the half-line, and
$x\,He_n = He_{n+1} + n He_{n-1}$, $He_n' = n He_{n-1}$ turn that into
$h_{n+2} = (p - n)\,h_n$.  By Mehler (1866) the dual of two such functions is
$\sum_n h_n(p)\,h_n(q)\,\rho^n/n!$, so that three solutions of one equation appear,
$(1-\rho^2) y'' + (p+q-1)\rho\,y' - pq\,y = 0$:

- `EVEN`, $E[|u|^p |v|^q]$: $\frac{2^{(p+q)/2}}{\pi} \Gamma(\tfrac{p+1}2) \Gamma(\tfrac{q+1}2)\,
  {}_2F_1(-\tfrac p2, -\tfrac q2; \tfrac12; \rho^2)$;
- `ODD`, with signs: $\frac{2^{(p+q)/2+1}}{\pi} \Gamma(\tfrac p2+1) \Gamma(\tfrac q2+1)\,\rho\,
  {}_2F_1(\tfrac{1-p}2, \tfrac{1-q}2; \tfrac32; \rho^2)$;
- `HALF`, $E[u_+^p v_+^q]$, a quarter of their sum and the solution that vanishes at $\rho = -1$:
  $\frac{2^{(p+q)/2-1}\,\Gamma(1+p)\,\Gamma(1+q)}{\sqrt\pi\,\Gamma(\frac{3+p+q}2)}\,z^{(1+p+q)/2}\,
  {}_2F_1(\tfrac{1+q-p}2, \tfrac{1+p-q}2; \tfrac{3+p+q}2; z)$, $z = \tfrac{1+\rho}2$.

All times $q_{11}^{p/2} q_{22}^{q/2}$.  `HALF` has positive terms where p = q: no cancellation near
$\rho = -1$; and it is a polynomial in z times a power where p - q is an odd integer.
$E[u_+^p v_-^q]$ is `HALF` at $-\rho$.

The derivative in $q_{12}$ is $pq\,E[u_\pm^{p-1} v_\pm^{q-1}]$ (Price 1958): for p, q > 0 the
derivative of the power almost everywhere and as a distribution are one locally integrable
function, so that the two derivative duals agree; at p = 0 the second has the Dirac mass of the
jump, and for -1/2 < p < 0 it is a finite part: the formula is then the distributional one.  On the
diagonal $E[s'^2]$ is finite for p > 1/2 only.
"""

from __future__ import annotations

from sympy import Expr, Integer, Mul, Pow, Rational, asin, gamma, hyper, pi, rf, sqrt

from ..symbols import q11, q12, q22

MAX_POLYNOMIAL = 64

Parameters = tuple[Expr, Expr, Expr]

RHO = q12 / (sqrt(q11) * sqrt(q22))


def two_f_one(a: Expr, b: Expr, c: Expr, z: Expr) -> Expr:
    r"""${}_2F_1(a, b; c; z)$: a polynomial or a power where it is one, else SymPy's `hyper`."""
    for first in (a, b):
        if first.is_Integer and -MAX_POLYNOMIAL <= int(first) <= 0:
            total: Expr = Integer(0)
            for n in range(-int(first) + 1):
                total += rf(a, n) * rf(b, n) / rf(c, n) / rf(1, n) * z**n
            return total
    if c == a:
        return Pow(1 - z, -b)
    if c == b:
        return Pow(1 - z, -a)
    return hyper((a, b), (c,), z)


def _sides(p: Expr, q: Expr) -> Expr:
    return Mul(q11 ** (p / 2), q22 ** (q / 2))


def even(p: Expr, q: Expr) -> Expr:
    """E[|u|^p |v|^q], p, q > -1."""
    shape = two_f_one(*even_parameters(p, q), RHO**2)
    return even_constant(p, q) * _sides(p, q) * shape


def even_parameters(p: Expr, q: Expr) -> Parameters:
    """(a, b, c) of `even`."""
    return -p / 2, -q / 2, Rational(1, 2)


def even_constant(p: Expr, q: Expr) -> Expr:
    """What multiplies the 2F1 of `even`, at unit variances."""
    return 2 ** ((p + q) / 2) / pi * gamma((p + 1) / 2) * gamma((q + 1) / 2)


def even_slope(p: Expr, q: Expr) -> Expr:
    """The derivative of `even` in q12."""
    a, b, c = even_parameters(p, q)
    shape = RHO * two_f_one(a + 1, b + 1, c + 1, RHO**2)
    return p * q * even_constant(p, q) * _sides(p - 1, q - 1) * shape


def odd(p: Expr, q: Expr) -> Expr:
    """E[sgn(u) |u|^p sgn(v) |v|^q], p, q > -1."""
    if p == 0 and q == 0:
        return 2 / pi * asin(RHO)
    shape = RHO * two_f_one(*odd_parameters(p, q), RHO**2)
    return odd_constant(p, q) * _sides(p, q) * shape


def odd_parameters(p: Expr, q: Expr) -> Parameters:
    """(a, b, c) of `odd`."""
    return (1 - p) / 2, (1 - q) / 2, Rational(3, 2)


def odd_constant(p: Expr, q: Expr) -> Expr:
    """What multiplies rho times the 2F1 of `odd`, at unit variances."""
    return 2 ** ((p + q) / 2 + 1) / pi * gamma(p / 2 + 1) * gamma(q / 2 + 1)


def odd_slope(p: Expr, q: Expr) -> Expr:
    """The derivative of `odd` in q12."""
    a, b, c = odd_parameters(p, q)
    return odd_constant(p, q) * _sides(p - 1, q - 1) * two_f_one(a, b, c - 1, RHO**2)


def half(p: Expr, q: Expr, turn: int = 1) -> Expr:
    """E[u_+^p v_+^q]; with `turn` = -1, E[u_+^p v_-^q]; p, q > -1."""
    if p == 0 and q == 0:
        return Rational(1, 4) + turn * asin(RHO) / (2 * pi)
    z = (1 + turn * RHO) / 2
    shape = z ** half_exponent(p, q) * two_f_one(*half_parameters(p, q), z)
    return half_constant(p, q) * _sides(p, q) * shape


def half_exponent(p: Expr, q: Expr) -> Expr:
    """The power of z in `half`."""
    return (1 + p + q) / 2


def half_parameters(p: Expr, q: Expr) -> Parameters:
    """(a, b, c) of `half`."""
    return (1 + q - p) / 2, (1 + p - q) / 2, (3 + p + q) / 2


def half_constant(p: Expr, q: Expr) -> Expr:
    """What multiplies the function of z in `half`, at unit variances."""
    top = 2 ** ((p + q) / 2 - 1) * gamma(1 + p) * gamma(1 + q)
    return top / sqrt(pi) / gamma((3 + p + q) / 2)


def half_slope(p: Expr, q: Expr, turn: int = 1) -> Expr:
    """The derivative of `half` in q12."""
    z = (1 + turn * RHO) / 2
    a, b, c = half_parameters(p, q)
    shape = z ** (half_exponent(p, q) - 1) * two_f_one(a, b, c - 1, z)
    return turn * half_slope_constant(p, q) * _sides(p - 1, q - 1) * shape


def half_slope_constant(p: Expr, q: Expr) -> Expr:
    """What multiplies the function of z in `half_slope`."""
    top = 2 ** ((p + q) / 2 - 2) * gamma(1 + p) * gamma(1 + q)
    return top / sqrt(pi) / gamma((1 + p + q) / 2)


def moment(p: Expr) -> Expr:
    r"""$E|X|^p = 2^{p/2}\,\Gamma(\tfrac{p+1}2)/\sqrt\pi$ for a standard normal X, p > -1."""
    return 2 ** (p / 2) * gamma((p + 1) / 2) / sqrt(pi)
