"""Derived definitions as one closed form: terms of the same function added up.

A definition is a combination of expectations, and each has a closed form of its own.  The gradient
of ReLU's dual is one of three that share asin(rho), which cancels.
"""

from __future__ import annotations

from sympy import Add, Expr, Mul, true

from ..claims.statement import Statement
from ..errors import NoClosedForm, TooLarge
from ..gaussian import ClosedForm
from ..gaussian.closed import ONE
from .normal import Normal, Product
from .reading import Reader
from .strict import StrictField, facts


def collected(statement: Statement, value: Expr) -> Expr:
    """The value with the terms of each function added up, where it has such a form; else itself.

    The normal form is that of the zero tests, so the two are equal wherever the statement holds.
    """
    known = facts(c for c in statement.conditions if c is not true)
    try:
        reader = Reader(StrictField(statement.variables, known))
        form = reader.read(value).whole
    except (NoClosedForm, TooLarge, ZeroDivisionError):
        return value
    if form is None or reader.opaque or reader.field.towers or reader.field.absolutes:
        return value
    return _expression(form)


def _expression(form: Normal) -> Expr:
    """The sum of closed forms of one function each, times the functions that go with it."""
    field, zero = form.field, form.field.integer(0)
    groups: dict[Product, ClosedForm] = {}
    for (exponent, product), c in form.terms.items():
        head, rest = (product[-1], product[:-1]) if product else (ONE, ())
        term = ClosedForm(field, {(exponent, head): c})
        groups[rest] = groups[rest] + term if rest in groups else term
    found = []
    for rest, group in groups.items():
        functions = (ClosedForm(field, {(zero, a): field.integer(1)}).expr for a in rest)
        found.append(Mul(group.expr, *functions))
    return Add(*found)
