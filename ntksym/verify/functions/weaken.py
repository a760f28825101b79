r"""Products of which every factor alone seems to grow: $e^{kg}(c+e^g)^{-n}$ and its kind.

Each rule replaces factors by one that is at least as large: section 3 of
`derivations/identities/enclosure.md`.
"""

from __future__ import annotations

from fractions import Fraction
from math import inf
from typing import Any

import sympy as sp

from ...symbols import x
from ..evaluate import constant, real_ball
from .ranges import Range, range_of, upper
from .stable import inverse_mills, shifted_exponential


def bounded_factors(factors: list[Any], domain: Range) -> list[Any]:
    """Factors with e^(kg) (c + e^g)^-n, c > 0 and 0 <= k <= n, weakened to (c + e^g)^(k-n).

    The derivatives of the logistic family need it: factor by factor they would seem to grow.
    Before that, log(1 + e^g)^-p, p > 0, is weakened to ((1 + e^g)/e^g)^p.
    For c < 0, where e^g >= m > |c| on the domain, e^g <= (e^g - |c|)/(1 - |c|/m).
    """
    for power in [a for a in factors if isinstance(a, sp.Pow)]:
        mills = inverse_mills(power, factors)
        if mills is not None:  # phi(t)/Phi(t) <= 1 + |t| <= 2 + t^2
            g, bell = mills
            rest = [a for a in factors if a is not power and a is not bell]
            more = [power.base ** (power.exp + 1)] if power.exp != -1 else []
            weaker = [sp.sqrt(2 * sp.pi), 2 + g**2, *more]
            return bounded_factors([*rest, *weaker], domain)
        if isinstance(power.base, sp.log) and power.exp.is_Rational and power.exp < 0:
            parts = shifted_exponential(power.base.args[0], x)
            if parts is not None and parts[0] == 1:  # log(1 + y) >= y/(1 + y)
                rest = sp.Mul(*(a for a in factors if a is not power))
                weaker = rest * sp.exp(parts[1] * power.exp) * power.base.args[0] ** -power.exp
                return bounded_factors(list(sp.Mul.make_args(weaker)), domain)
        if isinstance(power.base, sp.sech) and power.exp.is_positive:
            bounded = _under_sech(power, factors)
            if bounded is not None:
                return bounded_factors(bounded, domain)
        parts = shifted_exponential(power.base, x)
        if parts is None or not power.exp.is_Rational or power.exp > 0:
            continue
        loss = _loss(*parts, domain)
        if loss is None:
            continue
        for top in [a for a in factors if isinstance(a, sp.exp)]:
            k = sp.expand(sp.diff(top.args[0], x) / sp.diff(parts[1], x))
            left = sp.expand(top.args[0] - k * parts[1])
            if k.is_Rational and 0 <= k <= -power.exp and not left.has(x):
                rest = [a for a in factors if a is not power and a is not top]
                weaker = [loss**k, sp.exp(left), power.base ** (power.exp + k)]
                return bounded_factors([*rest, *weaker], domain)
    return factors


def _loss(c: Any, g: Any, domain: Range) -> Any | None:
    """A number K >= 1 with e^g <= K (c + e^g) on the domain, or None."""
    if c.is_positive:
        return sp.Integer(1)
    least = range_of(sp.exp(g), domain).lo
    size = upper(abs(real_ball(constant(c, {}))))
    if not least > size or least == inf:
        return None
    ratio = 1 / (1 - size / Fraction(least))
    return sp.Rational(ratio)


def _under_sech(power: Any, factors: list[Any]) -> list[Any] | None:
    """Factors with e^(kg) sech^n(c e^g), c, k > 0, weakened to 2^n (k/(e c n))^k.

    sech t <= 2 e^-t, and y^k e^(-cny) with y = e^g is largest at y = k/(cn).
    """
    c, e = power.base.args[0].as_independent(x, as_Add=False)
    if not isinstance(e, sp.exp) or not c.is_positive:
        return None
    for top in [a for a in factors if isinstance(a, sp.exp)]:
        k = (top.args[0] / e.args[0]).expand()
        if k.is_Rational and k > 0:
            n = power.exp
            rest = [a for a in factors if a is not power and a is not top]
            return [*rest, 2**n * (k / (sp.E * c * n)) ** k]
    return None
