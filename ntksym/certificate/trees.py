"""SymPy expressions as the plain expression trees of a certificate."""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy import Expr, Symbol
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Boolean, BooleanFalse, BooleanTrue, Not, Or

from .. import functions
from ..errors import Undecided
from ..symbols import x

Json = Any
"""Lists, texts, whole numbers, true, false and null."""

_NAMES: dict[type, str] = {
    sp.Add: "add",
    sp.Mul: "mul",
    sp.exp: "exp",
    sp.sin: "sin",
    sp.cos: "cos",
    sp.tan: "tan",
    sp.sinh: "sinh",
    sp.cosh: "cosh",
    sp.tanh: "tanh",
    sp.sech: "sech",
    sp.asin: "asin",
    sp.acos: "acos",
    sp.atan: "atan",
    sp.asinh: "asinh",
    sp.acosh: "acosh",
    sp.atanh: "atanh",
    sp.atan2: "atan2",
    sp.erf: "erf",
    sp.erfc: "erfc",
    sp.erfi: "erfi",
    sp.gamma: "gamma",
    sp.Abs: "abs",
    sp.sign: "sign",
    sp.Heaviside: "heaviside",
    sp.Max: "max",
    sp.Min: "min",
    sp.re: "re",
    sp.im: "im",
    sp.conjugate: "conj",
    And: "and",
    Or: "or",
    Not: "not",
}
_CONSTANTS = {sp.pi: "pi", sp.E: "E", sp.I: "I", sp.EulerGamma: "EulerGamma"}
_RELATIONS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}
_OWN = ("Phi", "Phi2", "OwenT")


def tree(expr: Expr | Boolean) -> Json:
    """The expression as nested lists; equal expressions give equal lists.

    Raises:
        Undecided: a function that certificates do not know.
    """
    if isinstance(expr, sp.Rational):
        return ["rat", str(expr.p), str(expr.q)]
    if isinstance(expr, sp.Float):
        num, den = expr.as_integer_ratio()
        return ["rat", str(num), str(den)]
    if isinstance(expr, Symbol):
        return ["sym", expr.name]
    if expr in _CONSTANTS:
        return [_CONSTANTS[expr]]
    if isinstance(expr, (BooleanTrue, BooleanFalse)):
        return ["true" if expr else "false"]
    if isinstance(expr, Relational):
        return [_RELATIONS[expr.rel_op], tree(expr.lhs), tree(expr.rhs)]
    if isinstance(expr, sp.Piecewise):
        return ["piecewise", *(["case", tree(e), tree(c)] for e, c in expr.args)]
    if isinstance(expr, sp.Pow):
        return _power(expr)
    if isinstance(expr, sp.log):
        if len(expr.args) == 1:
            return ["log", tree(expr.args[0])]
        quotient: Expr = sp.log(expr.args[0]) / sp.log(expr.args[1])
        return tree(quotient)
    if isinstance(expr, sp.hyper) and len(expr.ap) == 2 and len(expr.bq) == 1:
        return ["hyp2f1", *(tree(a) for a in (*expr.ap, *expr.bq, expr.argument))]
    name = _NAMES.get(type(expr)) or _own(expr)
    if name is None:
        raise Undecided(
            f"certificates do not know the function {type(expr).__name__}",
            hint="the verdict holds without a certificate",
        )
    return [name, *(tree(a) for a in expr.args)]


def _power(expr: Expr) -> Json:
    base, e = expr.args
    if e.has(x):
        exponent: Expr = e * sp.log(base)
        return ["exp", tree(exponent)]
    return ["pow", tree(base), tree(e)]


def _own(expr: Expr | Boolean) -> str | None:
    for name in _OWN:
        kind = getattr(functions, name, None)
        if kind is not None and isinstance(expr, kind):
            return name
    return None
