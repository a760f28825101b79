r"""Pairs of nodes where terms of low order cancel at 0: the sides of the sums that do not.

By Mehler's expansion (Price 1958), with $A_n(q) = E[s^{(n)}(\sqrt q Z)]$,
$$E[s(u)s(v)] = \sum_{n<m} A_n(q_{11})A_n(q_{22})\frac{q_{12}^n}{n!}
+ \sum_{n\ge m} A_n(q_{11})A_n(q_{22})\frac{q_{12}^n}{n!},$$
m the order of the zero of s at 0.  The second sum is one over pairs of nodes, without cancellation:
what is left of a closed form beyond its Taylor polynomial.  In the first the Taylor polynomials of
the nodes below degree m, which add up to zero with the polynomial of s, are left out wherever the
variance is small: $E[x^{2p}\varphi(ax)] = \varphi(0)(2p-1)!!\,q^p\sigma^{-2p-1}$ with
$\sigma^2 = 1 + a^2q$ less its Taylor terms is one power of $a^2q/(\sigma+1)$ times a polynomial.
"""

from __future__ import annotations

from sympy import Expr, Integer, Poly

from ...numeric.logistic import Part
from ...symbols import x

GATE = -1
POWER = -2
"""The order of x^p G(ax), and of x^p alone."""
Key = tuple[int, int]
"""(p, k): x^p times the k-th derivative of the density at ax, G = 2 Phi - 1 for k = -1."""
Sides = dict[Key, Expr]


def sides(parts: tuple[Part, ...], node: Expr) -> Sides:
    """A family at one node: every T^(k) replaced by that of the node."""
    out: Sides = {}
    for p in parts:
        for (power,), c in Poly(p.factor, x).terms():
            key = (power, p.order - 1)
            factor = c if p.order == 0 else 2 * c * node * p.slope ** (1 - p.order)
            out[key] = out.get(key, Integer(0)) + factor
    return out


def powers(plain: Expr) -> Sides:
    """A polynomial."""
    if plain == 0:
        return {}
    return {(power, POWER): c for (power,), c in Poly(plain, x).terms()}


def derivative(given: Sides, slope: Expr) -> Sides:
    """The derivative in x; `slope` is that of the densities and gates."""
    out: Sides = {}

    def add(key: Key, c: Expr) -> None:
        out[key] = out.get(key, Integer(0)) + c

    for (p, k), c in given.items():
        if p:
            add((p - 1, k), p * c)
        if k >= 0:
            add((p, k + 1), c)
        elif k == GATE:
            add((p, 0), 2 * slope * c)
    return out
