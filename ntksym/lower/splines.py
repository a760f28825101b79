r"""Splines: duals as integrals of exponentials alone.

Where s is zero on one side of 0, with $s(x) = \sum_i d_i (x - k_i)_+^p/p!$, Price's theorem
p + 1 times gives

$$E[s(u)s(v)] = \int_{-r_1 r_2}^{q_{12}} \frac{(q_{12} - t)^p}{p!}
\sum_{ij} d_i d_j\,\varphi_2(k_i, k_j; t)\,dt, \qquad r_i^2 = q_{ii},$$

since s(u)s(-u r2/r1) is zero.  No term cancels where the $d_i d_j$ have one sign, so the digits are
those of the value, where the terms of the closed form are of the order of
$\sqrt{K(q_{11})K(q_{22})}$.  With $\sigma^2 = (1 - \rho)/(1 + \rho)$ for the correlation
$\rho = t/(r_1 r_2)$, with $a = |h + k|/\sqrt8$, $b = |h - k|/\sqrt8$ for the scaled kinks h, k and
$g = a\sigma - b/\sigma$,

$$\varphi_2\,dt = -\frac{1}{\pi}\,e^{-\max(h^2, k^2)/2}\,e^{-g^2}\,\frac{d\sigma}{1 + \sigma^2}.$$

g grows with sigma, so where the integrand has fallen far enough is known; a Gauss rule of the
square root of the way there takes exponentials and bells alike.

Where s is zero only about 0, it is such a spline and another one turned round, whose dual with it
is that at $-q_{12}$.  Where it is not zero there, and p is at most 1, the integral begins at
$q_{12} = 0$, which is $\sigma = 1$, where dual and derivative are products of means of one input;
kinks at -k and k with opposite $d_i$ are one integral then, with
$1 - e^{-hk(1/\sigma^2 - \sigma^2)/2}$, whose two parts would cancel at large variances.
"""

from __future__ import annotations

from itertools import pairwise

from ..terms import TermSum
from ..terms.cells import Cell
from .closed_rows import MOST_POWERS

OVER_PI_LOW = -6.182238607512211e-17
"""What the double next to 1/pi lacks of it, over it."""
NODES = 32
"""Of the Gauss rule: 2^-56 for the exponentials and bells that there are."""
FALLEN = 42.0
"""Where exp(-g^2) has fallen by so much as an exponent, the integral ends."""
RISEN = 4.0
"""So much further for every power of (q12 - t) above the first, by which the integrand rises."""
LENGTH, RATIO = 3.0, 8.0
"""Panels are so long, and so many times where they begin more: there are poles at sigma = +-i.

These, and the whole way, over 1 + floor(p/2): the integrand is a bell times sigma^(2p).
"""
TWIN_RATIO = 4.0
"""The same where a twin with one kink turned round is taken off: another exponential."""
WIDEST = 16.0
"""Variances, in squares of the outermost kink, beyond which panels from 0 lose digits."""
PANELS = 7
"""More of them are not worth it: the kinks are a small part of a standard deviation."""
TAIL = 0.5
"""Below so many squares of the unit Phi2 loses digits of its value, if no kink is at 0."""
EDGE = 2.0
"""The same where the square of the correlation is at most a half, so that values are small."""
CANCEL = 3.0
"""Terms of unlike signs may add up to so many times the sum."""
CANCEL_MIDDLE = 1.5
"""The same where the integral begins at 0: of means of one input, which have lost digits before."""


def spline_power(found: tuple[Cell, ...], pieces: tuple[TermSum, ...]) -> int:
    """The p of the sum above, with a polynomial added; -1 where s is none.

    On which side of 0 the kinks are may depend on parameters: the code looks.
    """
    if len(found) < 2 or any(
        k.tilt or k.shift or k.gates or k.power > MOST_POWERS for p in pieces for k in p.terms
    ):
        return -1
    degrees = set()
    for cell, (one, two) in zip(found[:-1], pairwise(pieces), strict=True):
        step, place = two - one, cell[1]
        if place is None:
            return -1
        degree = max((k.power for k in step.terms), default=0)
        degrees.add(degree)
        for _ in range(degree):
            if step.at(place):
                return -1
            step = step.derivative()[0]
    return degrees.pop() if len(degrees) == 1 else -1
