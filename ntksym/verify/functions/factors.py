r"""The logarithm of a product of positive functions is the sum of their logarithms.

$\log\frac{1 + e^{3x}}{1 + e^{3x-3}}$ is bounded, but on a wide box both ends of the fraction
overflow and nothing is known of its sign.  Each part alone is plainly positive, and its growth is
known.  And $\log(g + \sqrt{g^2 + c})$, whose argument cancels far out on the left, is asinh.
"""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy import Expr

from ...functions import Phi
from ...symbols import x

_POSITIVE = (sp.exp, sp.cosh, sp.sech, sp.erfc, Phi)
"""Functions that are positive at every real argument."""


def in_parts(expr: Expr) -> Expr:
    """`expr` with log(f^a g^b) as a log f + b log g, where f and g are positive by their form.

    Both sides are the same real function; numbers stay in one logarithm.
    """
    if not expr.has(sp.log):
        return expr
    found: Expr = expr.replace(_is_log_of_parts, _sum_of_logs)
    found = found.replace(_is_asinh, _asinh)
    return found.replace(_is_log_of_sech, lambda e: -sp.log(sp.cosh(e.args[0].args[0])))


def _is_log_of_sech(e: Any) -> bool:
    return isinstance(e, sp.log) and isinstance(e.args[0], sp.sech)


def _is_log_of_parts(e: Any) -> bool:
    if not isinstance(e, sp.log) or not e.args[0].has(x):
        return False
    return e.args[0].func in (sp.Mul, sp.Pow) and _positive(e.args[0])


def _sum_of_logs(e: Any) -> Expr:
    rest, product = e.args[0].as_independent(x, as_Add=False)
    total: Expr = sp.log(rest)
    for factor in sp.Mul.make_args(product):
        if isinstance(factor, sp.exp):
            total += factor.args[0]
        else:
            base, power = factor.as_base_exp()
            total += power * sp.log(base)
    return total


def _is_asinh(e: Any) -> bool:
    return isinstance(e, sp.log) and _conjugates(e.args[0]) is not None


def _asinh(e: Any) -> Expr:
    g, c = _conjugates(e.args[0]) or (e, sp.Integer(1))
    return sp.asinh(g / sp.sqrt(c)) + sp.log(c) / 2


def _conjugates(e: Any) -> tuple[Expr, Expr] | None:
    """(g, c) where `e` is g + sqrt(g^2 + c), c > 0 a number; None for anything else."""
    if not isinstance(e, sp.Add) or not e.has(x):
        return None
    for root in e.args:
        if isinstance(root, sp.Pow) and root.exp == sp.Rational(1, 2):
            g = e - root
            c = (root.base - g**2).expand()
            if not c.has(x) and c.is_positive:
                return g, c
    return None


def _positive(e: Any) -> bool:
    """Whether `e` is positive for every real x, seen from its form; False where that is open."""
    if not e.has(x):
        return bool(e.is_positive)
    if isinstance(e, _POSITIVE):
        return True
    if isinstance(e, sp.Pow):
        return bool(e.exp.is_real and not e.exp.has(x) and _positive(e.base))
    if isinstance(e, sp.Mul):
        return all(_positive(a) for a in e.args)
    if isinstance(e, sp.Add):
        return all(_nonnegative(a) for a in e.args) and any(_positive(a) for a in e.args)
    return False


def _nonnegative(e: Any) -> bool:
    if isinstance(e, sp.Pow) and e.exp.is_even is True and e.exp.is_positive:
        return True
    if isinstance(e, sp.Mul):
        return all(_nonnegative(a) for a in e.args)
    if not e.has(x):
        return bool(e.is_nonnegative)
    return isinstance(e, sp.Abs) or _positive(e)
