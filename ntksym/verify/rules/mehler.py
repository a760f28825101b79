r"""E[f(u) g(v)] by Mehler's series, for |rho| away from one: kinks, steep slopes and singularities.

$E = \sum_n \rho^n a_n b_n$ with $a_n = E[f(m_1 + s_1 X) h_n(X)]$: two rules of one variable
(`along`), whatever f and g are, and $|a_n| \le 1.0865\,E[|f|\,e^{X^2/4}]$ for all n bounds what is
left out.
"""

from __future__ import annotations

from math import ceil, log, log2, sqrt
from typing import Any

from flint import arb, ctx

from ...precision import precision
from ..functions.pieces import Piece
from ..law import Law
from ..safe import Exhausted, in_time
from .along import Rule, rule

MOST_PRODUCTS = 3_000_000
"""Nodes times terms: seconds."""


def mehler(f: tuple[Piece, ...], g: tuple[Piece, ...], law: Law, tol: Any) -> Any:
    """An enclosure (`arb`) of E[f(u) g(v)] with a radius of about `tol`; q11, q22, det, |q12| > 0.

    Raises:
        Exhausted: too near correlation one, or too many nodes.
        Undecided: no rule of one variable with a proven error.
    """
    rho = abs(arb(law.q12)) / arb(law.q11 * law.q22).sqrt()
    rate = -log(float(rho.upper()))
    fine = tol / 256
    terms = ceil((5 - float(fine.log())) / rate) + 8
    if terms > 4000:
        raise Exhausted("too many terms of Mehler's series at this correlation")
    same = f == g and law.q11 == law.q22 and law.m1 == law.m2
    extra = _growing(terms, sqrt(-2 * float(fine.log())))
    with precision(int(ctx.prec) + extra):
        first = rule(f, law.m1, law.q11, rho, fine)
        _affordable(first, terms)
        second = first if same else rule(g, law.m2, law.q22, rho, fine)
        _affordable(second, terms)
        a = _coefficients(first, terms)
        b = a if same else _coefficients(second, terms)
        sign, total, power = (1 if law.q12 > 0 else -1), arb(0), arb(1)
        for p, q in zip(a, b, strict=True):
            total += power * p * q
            power = power * rho * sign
        most = arb(0)
        for q in b:
            most = most.max(abs(q).upper())
        rest = first.mass * second.mass * abs(power) / (1 - rho)
        rest += (first.lost * second.mass + first.mass * second.lost) / (1 - rho)
        rest += first.error * most + second.error * first.mass
        return total + arb(0, rest.upper())


def _affordable(found: Rule, terms: int) -> None:
    if len(found.points) * terms > MOST_PRODUCTS:
        raise Exhausted("the activation changes too fast for a certificate: too many nodes")


def _growing(terms: int, far: float) -> int:
    """Bits lost in the recurrence, whose balls grow like exp(t sqrt n) under exp(-t^2/2)."""
    t = min(far, sqrt(terms))
    return int((t * sqrt(terms) - t * t / 2) * log2(2.7183)) + 16


def _coefficients(found: Rule, terms: int) -> list[Any]:
    """The sums over the nodes of weight times h_n, n < terms."""
    roots = [arb(n).sqrt() for n in range(terms + 1)]
    up = [arb(0)] + [1 / z for z in roots[1:]]
    ratio = [roots[n] * up[n + 1] for n in range(terms)]
    sums = [arb(0)] * terms
    for t, weight in found.points:
        in_time()
        before, here = arb(0), weight
        for n in range(terms):
            sums[n] += here
            before, here = here, t * up[n + 1] * here - ratio[n] * before
    return sums
