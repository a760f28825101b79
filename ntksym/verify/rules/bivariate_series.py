r"""Phi2 of real arguments by a Gauss rule, or by power series, with a bound on what is left out.

Plackett's integral from 0 to r is $\frac1{2\pi}\int_0^r g(x)\,dx$ with
$g(x) = \exp(-(h^2 - 2hkx + k^2)/(2(1-x^2)))/\sqrt{1-x^2}$, analytic in the unit disc.  By Mehler's
formula its Taylor coefficients are $He_n(h)He_n(k)e^{-(h^2+k^2)/2}/n!$, so by Cauchy and Schwarz
$|g| \le \exp(-(h^2+k^2)/(2(1+R)))/\sqrt{1-R^2}$ for $|x| \le R$.

The one from arccos(r), with $u = \sin\tau$, has the integrand $e^{-c/u^2} f(u^2)$, $c = (h-k)^2/2$,
$f(w) = \exp(-hk/(1+s))/s$, $s = \sqrt{1-w}$; $|f| \le \exp(\max(0, -hk))/\sqrt{1-R}$ for
$|w| \le R$, as 1/(1 + s) lies in the unit disc, to the right of 0.  Its series is integrated term
by term: $I_n = \int_0^U u^{2n}e^{-c/u^2}du$ has $(2n+1)I_n = U^{2n+1}e^{-c/U^2} - 2cI_{n-1}$ and
$I_0 = Ue^{-c/U^2} - \sqrt{\pi c}\,\mathrm{erfc}(\sqrt c/U)$.

At moderate precision Plackett's integral is one Gauss-Legendre rule in $t = \arcsin x$, where the
integrand is $\exp(-\frac{(h-k)^2}{4(1-\sin t)} - \frac{(h+k)^2}{4(1+\sin t)})$, at most 1 where
$|\mathrm{Re}\sin t| \le 1$.  As $\cos\delta\cosh\delta \le 1$ for $0 \le \delta \le \pi/2$, that
holds for $|\mathrm{Im}\,t| \le \pi/2 - |\mathrm{Re}\,t|$, and in there is the Bernstein ellipse of
$[0, \theta]$ with $(\rho^2 + \rho^{-2})/2 = (\pi/\theta - 1)^2$.

All are taken at the midpoints of the arguments; the radii enter by the slopes of Phi2.
"""

from __future__ import annotations

from math import log, sqrt
from typing import Any

from flint import arb, arb_series, ctx

from .gauss import Panel, nodes

FAR, DISC = 0.97, 0.9
"""R, of the first and of the second."""
SMALL = 0.3
"""Below this square of the sine of the angle the second series, of ratio 1/3 at most; the first has
0.87 at most."""
LOSS = 1 / log(2)
MOST_BITS = 512
"""Of a Gauss rule: with more, the nodes cost more than the terms of a series."""
MOST_NODES = 64


def summed(h: Any, k: Any, r: Any) -> Any:
    """An `arb` with Phi2(h, k; r), r in [0, 1); None where sums would lose too much.

    That is where terms are larger than the sum by more bits than the working precision has.
    """
    bits = int(ctx.prec)
    square = (1 - r) * (1 + r)
    if not (square > 0 and (h * h + k * k) * LOSS < bits):
        return None
    points = h.mid(), k.mid(), r.mid()
    found = _by_nodes(*points, bits) if bits <= MOST_BITS else None
    if found is None:
        found = (_near_one if square < SMALL else _near_zero)(*points, bits)
    return found + arb(0, _widening(h, k, r, square).upper())


def _widening(h: Any, k: Any, r: Any, square: Any) -> Any:
    """What the radii make of Phi2, at most."""
    apart = (h - k) * (h - k)  # a power of a ball about 0 is NaN
    slope = (-apart / (2 * square) - h * k / (1 + r)).exp() / (6 * square.sqrt())
    total = r.rad() * slope
    for one, other in ((h, k), (k, h)):
        beyond = cdf((other - r * one) / square.sqrt())
        total += one.rad() * ((-one * one / 2).exp() * beyond / 2)
    return total


def cdf(z: Any) -> Any:
    """The standard normal distribution function of an `acb` or `arb`."""
    return (-z / arb(2).sqrt()).erfc() / 2


def _count(bits: float, ratio: Any) -> int:
    """Terms of a series of this ratio until 2^-bits."""
    return 2 + int(bits / (LOSS * -float(ratio.log().upper())))


def _by_nodes(h: Any, k: Any, r: Any, bits: int) -> Any:
    """None where the rule would have too many nodes."""
    theta = r.asin()
    if not theta > 0:
        return cdf(h) * cdf(k) if r == 0 else None
    s = ((arb.pi() / theta - 1) ** 2).lower()
    if not s > 1:
        return None
    square = s + ((s - 1) * (s + 1)).sqrt()  # rho^2
    front = theta / 2 * arb(64) / 15 / (1 - 1 / square)
    count = 2 + int((bits + 8) / (LOSS * float(square.log().lower())))
    if count > MOST_NODES:
        return None
    squares, twice, total = (h * h + k * k) / 2, h * k, arb(0)
    for t, weight in nodes(Panel(arb(0), theta, count, arb(0))):
        sine, cosine = t.sin_cos()
        total += weight * ((twice * sine - squares) / (cosine * cosine)).exp()
    error = (front * square**-count).upper()
    return cdf(h) * cdf(k) + (total + arb(0, error)) / (2 * arb.pi())


def _near_zero(h: Any, k: Any, r: Any, bits: int) -> Any:
    if r == 0:
        return cdf(h) * cdf(k)
    ratio = r / arb(FAR)
    count = _count(bits + 8, ratio)
    more = LOSS * float((abs(h) + abs(k)).upper()) * sqrt(count) + 32  # of the recurrence
    with ctx.workprec(bits + int(more)):
        disc, squares = arb(FAR), h * h + k * k
        most = (-squares / (2 * (1 + disc))).exp() / (1 - disc * disc).sqrt()
        total, power = arb(0), r * (-squares / 2).exp()  # r^(n+1)/n! with the weights
        (a, b), (before_a, before_b) = (arb(1), arb(1)), (arb(0), arb(0))
        for n in range(count):
            total += a * b * power / (n + 1)
            a, before_a = h * a - n * before_a, a
            b, before_b = k * b - n * before_b, b
            power *= r / (n + 1)
        tail = (most * r * ratio**count / (1 - ratio)).upper()
        return cdf(h) * cdf(k) + (total + arb(0, tail)) / (2 * arb.pi())


def _near_one(h: Any, k: Any, r: Any, bits: int) -> Any:
    prod = h * k
    with ctx.workprec(2 * bits + 64):  # so that 1 - r is exact enough
        square = (1 - r) * (1 + r)
        c = (h - k) * (h - k) / 2
        over = c / square
    if over > bits:  # exp(-c/u^2) is below 2^-bits
        rest = (arb(0).max(-prod / (1 + r)) - bits).exp().upper()
        return cdf(h.min(k)) + arb(0, rest)
    lost = LOSS * float((over + abs(prod)).upper()) + 32
    with ctx.workprec(bits + int(lost)):
        disc = arb(DISC)
        root, edge, ratio = square.sqrt(), (-over).exp(), square / disc
        most = arb(0).max(-prod).exp() / (1 - disc).sqrt()
        count = _count(bits + lost, ratio)
        cap, ctx.cap = ctx.cap, count
        try:
            s = arb_series([1, -1], prec=count).sqrt()
            f = (-prod / (1 + s)).exp() / s
        finally:
            ctx.cap = cap
        part = root * edge - (arb.pi() * c).sqrt() * over.sqrt().erfc()
        total, power = arb(0), root * edge
        for n in range(count):
            total += f[n] * part
            power *= square
            part = (power - 2 * c * part) / (2 * n + 3)
        tail = (most * root * edge * ratio**count / (1 - ratio)).upper()
        return cdf(h.min(k)) - (total + arb(0, tail)) / (2 * arb.pi())
