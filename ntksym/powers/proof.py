r"""Prove: the closed forms of `pairs`, for the exponents at hand, by zero tests.

Lemmas used, besides the arithmetic:

- Mehler (1866): for f, g in $L^2$ of the standard normal law,
  $E[f(u) g(v)] = \sum_n E[f He_n] E[g He_n] \rho^n/n!$, absolutely convergent for
  $|\rho| \le 1$; the value at 1 is $E[fg]$ and at -1 it is $E[f(X) g(-X)]$.
- On the half-line the derivative of $x^{p+1} He_n(x) e^{-x^2/2}$ integrates to 0 for p > -1.
- $E|X|^p$ is Euler's integral of $\Gamma((p+1)/2)$, and Gauss's ${}_2F_1(a,b;c;1)$.

`EVEN` and `ODD`: first coefficient, and ratio of coefficients, of two power series in rho.
`HALF` for $z = (1+\rho)/2$: the series solves a second-order equation in rho (from the ratio of the
coefficients); so does the closed form (from its own ratio, in z).  At z = 0 the exponents are 0 and
$\lambda = (1+p+q)/2 > 0$.  The series is 0 there, as $E[X_+^p (-X)_+^q] = 0$, hence a multiple of
the solution of exponent $\lambda$; the multiple is found at z = 1.

For powers in (-1, -1/2] and $|\rho| < 1$, where no diagonal is finite, the identity extends: both
sides are analytic in p and q there.

Zero tests are exact: polynomials expanded, Gamma functions by their recurrence.
"""

from __future__ import annotations

from sympy import (
    EulerGamma,
    Expr,
    Integer,
    Symbol,
    asin,
    expand,
    expand_log,
    fraction,
    gamma,
    log,
    together,
)

from ..symbols import q12
from ..zero_tests import Proof, ZeroTest
from . import pairs
from .derivation import Part, PowerDerivation, Row, parts
from .gammas import GammaProduct
from .halves import PowerSum
from .logarithm import LogDerivation

_N = Symbol("n", integer=True, nonnegative=True)
_K = Symbol("k", integer=True, nonnegative=True)


def prove_powers(d: PowerDerivation | LogDerivation) -> Proof:
    """The proof that `d.value` is E[s(u) s(v)] and `d.dot` its derivative in q12."""
    if isinstance(d, LogDerivation):
        return Proof((_hermite(), *_logarithm(), _logarithm_slope(d)))
    return prove_pair(d.terms, d.terms)


def prove_pair(f: PowerSum, g: PowerSum) -> Proof:
    """The proof that the `pair_parts` of f and g add up to E[f(u) g(v)], for powers above -1/2."""
    lines = [_hermite()]
    done: set[tuple[str, Expr, Expr]] = set()
    for first in f.rows:
        for second in g.rows:
            here = parts(first, second)
            lines.append(_split(first, second, here))
            for part in here:
                key = (part.family, part.p, part.q)
                if key not in done:
                    done.add(key)
                    lines += _FAMILIES[part.family](part.p, part.q)
                    lines += _slope(part)
                    if part.p == part.q == 0 and part.family != "even":
                        lines.append(_arcsine(part))
    return Proof(tuple(lines))


def _zero(e: Expr) -> bool:
    return bool(expand(e) == 0)


def _same(one: Expr, two: Expr) -> bool:
    return GammaProduct.of(one).equals(GammaProduct.of(two))


Hermite = dict[int, Expr]
"""sum of coefficient * He_(n + shift), by shift."""


def _times_x(f: Hermite) -> Hermite:
    """The rule x He_m = He_(m+1) + m He_(m-1)."""
    out: Hermite = {}
    for shift, c in f.items():
        out[shift + 1] = out.get(shift + 1, Integer(0)) + c
        out[shift - 1] = out.get(shift - 1, Integer(0)) + c * (_N + shift)
    return out


def _hermite() -> ZeroTest:
    r"""$(p+1) He_n + x He_n' - x^2 He_n = (p-n) He_n - He_{n+2}$, so $h_{n+2} = (p-n) h_n$."""
    p = Symbol("p")
    once: Hermite = {0: Integer(1)}
    total = {0: p + 1, 2: Integer(1)}
    total[0] -= p - _N
    for shift, c in _times_x({-1: _N}).items():  # He_n' = n He_(n-1)
        total[shift] = total.get(shift, Integer(0)) + c
    for shift, c in _times_x(_times_x(once)).items():
        total[shift] = total.get(shift, Integer(0)) - c
    return ZeroTest("h_(n+2) = (p - n) h_n", all(_zero(c) for c in total.values()))


def _ratio(parameters: pairs.Parameters, p: Expr, q: Expr, start: int) -> bool:
    """Whether n!-weighted Hermite coefficients n = start + 2k have the ratio of the 2F1 in rho^2.

    (a + k)(b + k)/((c + k)(k + 1)) against (p - n)(q - n)/((n + 1)(n + 2)).
    """
    a, b, c = parameters
    n = 2 * _K + start
    one = (a + _K) * (b + _K) * (n + 1) * (n + 2)
    return _zero(one - (p - n) * (q - n) * (c + _K) * (_K + 1))


def _even(p: Expr, q: Expr) -> list[ZeroTest]:
    label = f"E[|u|^{p} |v|^{q}]"
    first = _same(pairs.even_constant(p, q), pairs.moment(p) * pairs.moment(q))
    return [
        ZeroTest(f"{label}: the coefficient of 1", first),
        ZeroTest(f"{label}: the ratio", _ratio(pairs.even_parameters(p, q), p, q, 0)),
    ]


def _odd(p: Expr, q: Expr) -> list[ZeroTest]:
    label = f"E[sgn(u)|u|^{p} sgn(v)|v|^{q}]"
    first = _same(pairs.odd_constant(p, q), pairs.moment(p + 1) * pairs.moment(q + 1))
    return [
        ZeroTest(f"{label}: the coefficient of rho", first),
        ZeroTest(f"{label}: the ratio", _ratio(pairs.odd_parameters(p, q), p, q, 1)),
    ]


def _half(p: Expr, q: Expr) -> list[ZeroTest]:
    label = f"E[u_+^{p} v_+^{q}]"
    a, b, c = pairs.half_parameters(p, q)
    power, n = pairs.half_exponent(p, q), _N
    # (n+1)(n+2) k_(n+2) = (p-n)(q-n) k_n is (1 - r^2) y'' + (p+q-1) r y' - p q y = 0, in r:
    m, s = pairs.half_exponent(p, q) + _K, p + q - 1
    of_series = (p - n) * (q - n) - n * (n - 1) + s * n - p * q
    # in z, where it is z(1-z) y'' + (p+q-1)(z - 1/2) y' - p q y = 0, for y = z^power sum f_k z^k:
    below = (m + 1) * m - s / 2 * (m + 1)  # of f_(k+1)
    above = m * (m - 1) - s * m + p * q  # of f_k
    in_z = below * (a + _K) * (b + _K) - above * (c + _K) * (_K + 1)
    gauss = gamma(c) * gamma(c - a - b) / gamma(c - a) / gamma(c - b)
    ends = _same(pairs.half_constant(p, q) * gauss, pairs.moment(p + q) / 2)
    return [
        ZeroTest(f"{label}: the equation, in rho", _zero(of_series)),
        ZeroTest(f"{label}: the exponent at z = 0", _zero(power * (power - 1) - s / 2 * power)),
        ZeroTest(f"{label}: the equation, in z", _zero(in_z)),
        ZeroTest(f"{label}: the value at z = 1", ends),
    ]


_FAMILIES = {"even": _even, "odd": _odd, "half": _half}


def _split(first: Row, second: Row, here: tuple[Part, ...]) -> ZeroTest:
    """E[(a u_+^p + b u_-^p)(c v_+^q + d v_-^q)] = (ac + bd) K(rho) + (ad + bc) K(-rho)."""
    (p, a, b), (q, c, d) = first, second
    same, cross = a * c + b * d, a * d + b * c
    for part in here:
        if part.family == "half":
            same, cross = (
                (same - part.coefficient, cross)
                if part.turn > 0
                else (same, cross - part.coefficient)
            )
        else:
            sign = 1 if part.family == "even" else -1
            same -= 2 * part.coefficient
            cross -= 2 * sign * part.coefficient
    return ZeroTest(f"powers ({p}, {q}): the half-lines", _zero(same) and _zero(cross))


def _slope(part: Part) -> list[ZeroTest]:
    """The derivative in rho term by term, and Price's theorem where p and q are not 0."""
    p, q = part.p, part.q
    label = f"d/dq12, {part.family}, powers ({p}, {q})"
    lines = []
    if part.family == "even":
        a, b, c = pairs.even_parameters(p, q)
        front = p * q * pairs.even_constant(p, q)
        lines.append(ZeroTest(f"{label}: term by term", _zero(2 * a * b - p * q * c)))
        lower = pairs.odd_constant(p - 1, q - 1) if p * q != 0 else None
    elif part.family == "odd":
        _, _, c = pairs.odd_parameters(p, q)
        front = pairs.odd_constant(p, q)
        step = (2 * _K + 3) * (c - 1 + _K) - (2 * _K + 1) * (c + _K)
        lines.append(ZeroTest(f"{label}: term by term", _zero(step)))
        lower = pairs.even_constant(p - 1, q - 1) if p * q != 0 else None
    else:
        power, (_, _, c) = pairs.half_exponent(p, q), pairs.half_parameters(p, q)
        front = pairs.half_slope_constant(p, q)
        step = (power + _K + 1) * (c - 1 + _K) - (power + _K) * (c + _K)
        same = _same(front, pairs.half_constant(p, q) * power / 2)
        lines.append(ZeroTest(f"{label}: term by term", _zero(step) and same))
        lower = pairs.half_constant(p - 1, q - 1) if p * q != 0 else None
    if lower is not None:
        lines.append(ZeroTest(f"{label}: Price's theorem", _same(front, p * q * lower)))
    return lines


def _logarithm() -> list[ZeroTest]:
    """The terms l_n^2/n! and arcsin^2/2 have one equation and one start, n = 0, 1, 2; see there."""
    p, n, r = Symbol("p"), _N, Symbol("r")
    slope = ((p - n) * Symbol("h") + 0).diff(p)  # d/dp of h_(n+2), the part with h_n itself
    step = ((p - n) * Symbol("l")).xreplace({p: Integer(0)})
    y = asin(r) ** 2 / 2
    equation = together(expand((1 - r**2) * y.diff(r, 2) - r * y.diff(r)) - 1)
    ratio = n**2 - (n * (n - 1) + n)  # (n+1)(n+2) c_(n+2) = n^2 c_n against the equation
    starts = [y.diff(r, k).subs(r, 0) - expected for k, expected in enumerate((0, 0, 1))]
    moment = pairs.moment(p)
    first = moment.diff(p).subs(p, 0) + (EulerGamma + log(2)) / 2
    return [
        ZeroTest(
            "l_(n+2) = h_n - n l_n", _zero(slope - Symbol("h")) and _zero(step + n * Symbol("l"))
        ),
        ZeroTest("log: the equation of the series", _zero(ratio)),
        ZeroTest("log: the equation of arcsin^2/2", _zero(fraction(equation)[0])),
        ZeroTest("log: the first three coefficients", all(_zero(s) for s in starts)),
        ZeroTest("E log|X|", _zero(expand_log(expand(first.doit())))),
    ]


def _logarithm_slope(d: LogDerivation) -> ZeroTest:
    """Both sides have the sign of arcsin(rho)."""
    gap = (d.value.diff(q12) ** 2 - d.dot**2) / asin(pairs.RHO) ** 2
    return ZeroTest("log: d/dq12", _zero(fraction(together(gap))[0]))


def _arcsine(part: Part) -> ZeroTest:
    """The arcsine of two jumps: its derivative (both sides are positive), its value at q12 = 0."""
    upright = Part(part.family, part.coefficient, part.p, part.q)
    gap = together(upright.value.diff(q12) ** 2 - upright.slope**2)
    start = upright.value.xreplace({q12: Integer(0)})
    expected = Integer(0) if part.family == "odd" else pairs.moment(Integer(0)) ** 2 / 4
    return ZeroTest(
        f"{part.family}, powers (0, 0): the arcsine",
        _zero(fraction(gap)[0]) and _zero(start - expected),
    )
