r"""E[f(u) g(v)] for f, g of the form a + b log|x|, in polar coordinates.

$\log|u| = \log s_1 + \log R + \log|\cos\theta|$ with R, theta independent, $R^2/2$ exponential:
$E\log R = (\log 2 - \gamma)/2$, $E\log^2 R = ((\log 2 - \gamma)^2 + \pi^2/6)/4$, both derivatives
of Euler's integral, and $E\log|\cos\theta| = -\log 2$.  The mean of
$\log|\cos\theta|\,\log|\cos(\theta - \varphi)|$ is integrated, each half of an arc with its
logarithm at the end t = 0 and $t = \tfrac L2 e^{-w}$.

The derivative of that mean in phi is an integral over the distance t from the zero of the second
cosine, where its tangent is a principal value; with $T = |\tan\varphi|$, $y = (\tan t/T)^{\pm1}$,
$\mp\frac2\pi\int_0^1\mathrm{artanh}\,y\,\big(\frac1{y(1+T^2y^2)} + \frac y{y^2+T^2}\big)dy$.
"""

from __future__ import annotations

from typing import Any

from flint import acb, arb

from ..functions.logform import Log
from ..law import Law
from ..safe import Divergent, integral


def log_pair(f: Log, g: Log, law: Law, tol: Any) -> Any:
    """An enclosure (`arb`) of E[f(u) g(v)]; means 0.

    Raises:
        Divergent: a variance of zero.
        Undecided: the integrator did not reach the goal.
    """
    if law.q11 == 0 or law.q22 == 0:
        raise Divergent("the logarithm is infinite at a variance of zero")
    (a, b), (c, d) = f.values(), g.values()
    first, second = a + b * arb(law.q11).log() / 2, c + d * arb(law.q22).log() / 2
    two, euler = arb(2).log(), arb.const_euler()
    mean = (two - euler) / 2
    square = mean * mean + arb.pi() * arb.pi() / 24
    line = mean - two
    goal = (tol / (16 * (abs(b * d).upper() + 1))).lower()
    both = square - 2 * mean * two + _angles(law, goal)
    return first * second + (first * d + second * b) * line + b * d * both


def _angles(law: Law, tol: Any) -> Any:
    """The mean over theta of log|cos(theta)| log|cos(theta - phi)|, cos(phi) the correlation."""
    pi = arb.pi()
    if law.singular:  # E log^2|cos|
        return arb(2).log() * arb(2).log() + pi * pi / 12
    root = arb(law.q11 * law.q22 - law.q12 * law.q12).sqrt()
    total = arb(0)
    for sign in (1, -1):  # the two arcs between the zeros; each occurs twice on the circle
        total += 4 * _half(arb.atan2(root, -sign * arb(law.q12)), tol)
    return total / (2 * pi)


def _half(length: Any, tol: Any) -> Any:
    """The integral of log sin(t) log sin(length - t) over [0, length/2]."""
    reach = length / 2
    scale = reach.log()
    width = ((1 / tol).log().max(arb(1)) + 12).mid()

    def smooth(t: Any, analytic: bool) -> tuple[Any, Any]:
        far = (length - t).sin().log(analytic=analytic)
        return far, t.sinc().log(analytic=analytic) + scale

    def integrand(w: Any, analytic: bool) -> Any:
        shrunk = (-w).exp()
        far, near = smooth(reach * shrunk, analytic)
        return shrunk * far * (near - w)

    value = integral(integrand, arb(0), width, tol=(tol / reach).lower()).real
    last = (-width).exp()
    far, near = smooth(acb(reach * arb(0).union(last)), False)
    rest = abs(far) * (abs(near) + width + 1) * last  # the integral of w e^-w beyond the end
    return reach * (value + arb(0, rest.upper()))


def log_slopes(f: Log, g: Log, law: Law, tol: Any) -> Any:
    """An enclosure (`arb`) of d/dq12 E[f(u) g(v)], the principal values of E[f'(u) g'(v)]; means 0.

    Raises:
        Divergent: infinite at this covariance.
        Undecided: the integrator did not reach the goal.
    """
    if law.singular or law.q11 == 0 or law.q22 == 0:
        raise Divergent("the slopes have no finite mean at this covariance")
    if law.q12 == 0:
        return arb(0)
    root = arb(law.q11 * law.q22 - law.q12 * law.q12).sqrt()
    scale = f.values()[1] * g.values()[1] * 2 / (arb.pi() * root)
    goal = (tol / (8 * (abs(scale).upper() + 1))).lower()
    total = _artanh(root / abs(arb(law.q12)), goal)
    return scale * total if law.q12 > 0 else -scale * total


def _artanh(t: Any, tol: Any) -> Any:
    """The integral of artanh(y) (1/(y (1 + t^2 y^2)) + y/(y^2 + t^2)) over [0, 1]."""
    half, two = arb("0.5"), arb(2).log()

    def inner(y: Any, analytic: bool) -> Any:
        s = y * y  # artanh(y)/y, at 0 as well
        return s.hypgeom_2f1(acb(half), acb(1), acb(3 * half)) * (
            1 / (1 + t * t * s) + s / (s + t * t)
        )

    def outer(w: Any, analytic: bool) -> Any:
        small = (-w).exp() / 2  # 1 - y
        y = 1 - small
        kernel = 1 / (y * (1 + t * t * y * y)) + y / (y * y + t * t)
        return small * kernel * ((2 - small).log(analytic=analytic) + w + two) / 2

    width = ((1 / tol).log().max(arb(1)) + 12).mid()
    value = integral(inner, arb(0), half, tol=tol) + integral(outer, arb(0), width, tol=tol)
    return value.real + arb(0, ((-width).exp() * (width + 3)).upper())  # the kernel is at most 4
