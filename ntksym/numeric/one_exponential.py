r"""Formulas in one exponential $E = e^{cx}$, and powers of $T(z) = \tanh(z/2)$, of $(1 - T)/2$."""

from __future__ import annotations

from math import comb, gcd, lcm

from sympy import Dummy, Expr, Integer, Poly, Rational, default_sort_key, exp, expand, factor_list

from ..symbols import x


def one_exponential(e: Expr) -> tuple[Expr, Expr, Expr] | None:
    """(c, e with exp(c*x) as a symbol, the symbol), where all exponents are multiples of c*x."""
    found = [a for a in e.atoms(exp) if a.has(x)]
    if not found:
        return None
    slopes = {}
    for a in found:
        line = expand(a.args[0])
        slope = line.coeff(x, 1)
        offset = expand(line - slope * x)
        if offset.has(x) or slope.has(x):
            return None
        slopes[a] = (slope, offset)
    first = min((s for s, _ in slopes.values()), key=default_sort_key)
    ratios = {a: s / first for a, (s, _) in slopes.items()}
    if not all(r.is_Rational for r in ratios.values()):
        return None
    unit = Rational(
        gcd(*(int(r.p) for r in ratios.values())), lcm(*(int(r.q) for r in ratios.values()))
    )
    base = Dummy("E", positive=True)
    values = {a: exp(slopes[a][1]) * base ** int(ratios[a] / unit) for a in found}
    body = e.xreplace(values)
    if body.has(exp) and any(a.has(x) for a in body.atoms(exp)):
        return None
    return first * unit, body, base


def factors_of(e: Expr, base: Expr) -> tuple[Expr, int, list[tuple[int, Expr, int]]] | None:
    """(constant, a, [(m, kappa, n)]) with e = constant * E^a * prod (E^m + kappa)^n, or None."""
    if not e.is_polynomial(base) or e.has(x):
        return None
    constant, listed = factor_list(e, base)
    shift = 0
    kinds: list[tuple[int, Expr, int]] = []
    for factor, n in listed:
        terms = Poly(factor, base).terms()
        if len(terms) == 1:
            ((power,), c) = terms[0]
            shift += power * n
            constant *= c**n
        elif len(terms) == 2 and terms[1][0] == (0,):
            ((step,), lead), (_, last) = terms
            kappa = last / lead
            if kappa.is_positive is not True:
                return None
            kinds.append((step, kappa, n))
            constant *= lead**n
        else:
            return None
    return constant, shift, kinds


def power_of_gate(n: int) -> dict[int | None, Expr]:
    """((1 - T)/2)**n as {order: coefficient} of T^(order); None is the constant."""
    total: dict[int | None, Expr] = {}
    for k in range(n + 1):
        weight = Rational((-1) ** k, 2**n) * comb(n, k)
        for order, c in power_of_tanh(k).items():
            total[order] = total.get(order, Integer(0)) + weight * c
    return total


def power_of_tanh(n: int) -> dict[int | None, Expr]:
    r"""$T^n$ as {order: coefficient} of $T^{(order)}$; None is the constant.

    $T^{n+1} = T^{n-1} - \tfrac2n (T^n)'$, from $T' = (1 - T^2)/2$.
    """
    if n == 0:
        return {None: Integer(1)}
    before: dict[int | None, Expr] = {None: Integer(1)}
    now: dict[int | None, Expr] = {0: Integer(1)}
    for k in range(1, n):
        after = dict(before)
        for order, c in now.items():
            if order is not None:
                after[order + 1] = after.get(order + 1, Integer(0)) - c * Rational(2, k)
        before, now = now, after
    return {order: c for order, c in now.items() if c}
