"""Roots and logarithms: where they are not analytic, and the derivative in a form that shows it."""

from __future__ import annotations

import sympy as sp
from sympy import Expr

from ...functions import Phi
from ...symbols import x
from .ranges import LINE, range_of


def is_root(e: Expr) -> bool:
    """Whether it is a power of a function, the exponent a number that is not whole."""
    return bool(
        isinstance(e, sp.Pow) and not e.exp.has(x) and not e.exp.is_Integer and e.base.has(x)
    )


def branching(e: Expr) -> Expr | None:
    """The function under the root or logarithm that `e` is; None where it is surely positive."""
    if not (is_root(e) or (isinstance(e, sp.log) and len(e.args) == 1)):
        return None
    base = e.args[0]
    if not base.has(x) or isinstance(base, sp.Abs) or range_of(base, LINE).lo > 0:
        return None  # of a size the zeros are cuts already
    return base


def slope(e: Expr) -> Expr:
    """The derivative, of a root as p b^(p-1) b'.

    SymPy writes b^p/b, and splits 1/b = 1/(x (x - 1)): then 1/x seems to be a pole.  That of
    asin z = 2 atan(z/(1 + R)), R^2 = 1 - z^2, is z'/R.
    """
    if not any(map(is_root, e.atoms(sp.Pow))):
        return sp.diff(e, x)
    if isinstance(e, sp.Add):
        return sp.Add(*map(slope, e.args))
    if isinstance(e, sp.Mul):
        args = e.args
        return sp.Add(
            *(sp.Mul(slope(a), *args[:i], *args[i + 1 :]) for i, a in enumerate(args) if a.has(x))
        )
    if isinstance(e, sp.Pow) and not e.exp.has(x):
        return e.exp * e.base ** (e.exp - 1) * slope(e.base)
    if isinstance(e, sp.atan) and (legs := _legs(e.args[0])) is not None:
        z, other = legs
        return slope(z) / (2 * other)
    if len(e.args) == 1:
        return e.fdiff() * slope(e.args[0])
    return sp.diff(e, x)


def _legs(e: Expr) -> tuple[Expr, Expr] | None:
    """`(z, R)` where the expression is z/(1 + R) with z^2 + R^2 = 1, else None."""
    for below in (1 / a for a in sp.Mul.make_args(e) if isinstance(a, sp.Pow) and a.exp == -1):
        z, other = e * below, below - 1
        unit = (z**2 + other**2).replace(Phi, lambda t: (1 + sp.erf(t / sp.sqrt(2))) / 2)
        if sp.cancel(unit.replace(sp.sech, lambda t: sp.sqrt(1 - sp.tanh(t) ** 2))) == 1:
            return z, other
    return None
