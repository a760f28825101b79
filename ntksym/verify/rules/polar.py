r"""E[f(u) g(v)] for powers on half-lines, in polar coordinates: one integral over an angle.

With $u = s_1 R\cos\theta$, $v = s_2 R\cos(\theta - \varphi)$, $\cos\varphi = r$, the radius is
Euler's integral and what is left of $E[u_+^p v_+^q]$ is
$$\frac{s_1^p s_2^q\,2^{(p+q)/2}\,\Gamma(\tfrac{p+q}2+1)}{2\pi}
  \int_0^L \sin^p t\,\sin^q(L - t)\,dt,\qquad L = \arccos(-r).$$
Each half of it has its branch point at the end t = 0, and $t = \tfrac L2 e^{-w}$ takes it away for
any p: the integrand decays like $e^{-(p+1)w}$, and its tail is bounded.  $E[u_+^p v_-^q]$ is the
same at -r.
"""

from __future__ import annotations

from typing import Any

from flint import acb, arb, fmpq

from ..evaluate import rational_power
from ..functions.radial import HalfLines, Power, moment
from ..law import Law
from ..safe import integral


def radial(f: HalfLines, g: HalfLines, law: Law, tol: Any) -> Any:
    """An enclosure (`arb`) of E[f(u) g(v)] with a radius of about `tol`; means 0, q11, q22 > 0.

    Raises:
        Undecided: infinite, or the integrator did not reach the goal.
    """
    if law.q12 == 0:
        return mean(f, law.q11) * mean(g, law.q22)
    s1, s2 = arb(law.q11).sqrt(), arb(law.q22).sqrt()
    same = ((f.right, g.right), (f.left, g.left))
    cross = ((f.right, g.left), (f.left, g.right))
    total = arb(0)
    if law.singular:
        for one, two in same if law.q12 > 0 else cross:
            for a in one:
                for b in two:
                    total += _scale(a, b, s1, s2) * moment(a.power + b.power)
        return total
    root = arb(law.q11 * law.q22 - law.q12 * law.q12).sqrt()
    count = 4 * (len(f.exponents) * len(g.exponents) + 1)
    known: dict[tuple[Any, Any, int], Any] = {}
    for sign, choices in ((1, same), (-1, cross)):
        length = arb.atan2(root, -sign * arb(law.q12))
        for one, two in choices:
            for a in one:
                for b in two:
                    p, q = a.power, b.power
                    size = _scale(a, b, s1, s2) * _radius(p + q)
                    key = (a.exponent, b.exponent, sign)
                    if key not in known:
                        goal = (tol / (count * (abs(size).upper() + 1))).lower()
                        known[key] = _half(p, q, length, goal) + _half(q, p, length, goal)
                    total += size * known[key]
    return total


def mean(f: HalfLines, var: Any) -> Any:
    """E[f(u)], u ~ N(0, var), var > 0."""
    dev, total = arb(var).sqrt(), arb(0)
    for t in (*f.right, *f.left):
        total += t.factor * dev ** arb(t.power) * moment(t.power)
    return total


def _scale(a: Power, b: Power, s1: Any, s2: Any) -> Any:
    return a.factor * b.factor * s1 ** arb(a.power) * s2 ** arb(b.power)


def _radius(total: Any) -> Any:
    """The integral over the radius, over 2 pi: 2^(t/2) Gamma(t/2 + 1)/(2 pi)."""
    return arb(2) ** arb(total / 2) * arb(total / 2 + 1).gamma() / (2 * arb.pi())


def _power(z: Any, e: Any, analytic: bool) -> Any:
    if isinstance(e, fmpq):
        return rational_power(z, e, analytic)
    return z.pow(acb(e), analytic=analytic)


def _half(p: Any, q: Any, length: Any, tol: Any) -> Any:
    """The integral of sin^p(t) sin^q(length - t) over [0, length/2], p, q > -1."""
    reach, rate = length / 2, arb(p + 1)
    front = reach**rate
    goal = (tol / front).lower()
    width = ((1 / goal).log().max(arb(1)) / rate + 1).mid()

    def smooth(t: Any, analytic: bool) -> Any:
        edge = _power(t.sinc(), p, analytic) if p != 0 else acb(1)
        return edge * _power((length - t).sin(), q, analytic) if q != 0 else edge

    def integrand(w: Any, analytic: bool) -> Any:
        return (-rate * w).exp() * smooth(reach * (-w).exp(), analytic)

    value = integral(integrand, arb(0), width, tol=goal).real
    last = (-width).exp()
    rest = abs(smooth(acb(reach * arb(0).union(last)), False)) * (-rate * width).exp() / rate
    return front * (value + arb(0, rest.upper()))
