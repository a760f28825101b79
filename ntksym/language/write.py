"""SymPy to text of the language: the inverse of `parse`."""

from __future__ import annotations

from typing import Any

from sympy import Expr, Rational, Symbol
from sympy.printing.str import StrPrinter


class _Writer(StrPrinter):
    """SymPy's own text, but for functions that the language spells differently."""

    def _print_hyper(self, expr: Any) -> str:
        above, below = expr.ap, expr.bq
        if (len(above), len(below)) != (2, 1):
            return str(super()._print_hyper(expr))
        return f"hyp2f1({self.stringify((*above, *below, expr.argument), ', ')})"


def to_text(expr: Expr) -> str:
    """The text that `parse` reads back to `expr`; the same expression gives the same text.

    For an `e` that `parse` returned, `parse(to_text(e))` is the same function, and the same
    expression unless SymPy left `e` in a form that it does not give to what is typed: a sign in
    front of a sum, roots of numbers that are not combined.
    The parameters need their assumptions again.  Reading can refuse what was
    written: numbers beyond the bounds on text, or a nested Piecewise that SymPy has shortened.
    """
    return str(_Writer({"order": None}).doprint(expr))


def in_decimals(expr: Expr) -> str:
    """One line to be read: fractions of many digits are decimals where those are exact, shorter."""
    many = {z: _decimal(z) for z in expr.atoms(Rational) if z.q >= MANY}
    exact = {z: d for z, d in many.items() if (z * 10**MOST).is_Integer}
    return str(expr.xreplace({z: d for z, d in exact.items() if len(str(d)) < len(str(z))}))


MANY, MOST = 10**6, 50
"""Denominators from here on may become decimals, of at most so many digits."""


def _decimal(number: Any) -> Expr:
    whole, rest = divmod(abs(int(number * 10**MOST)), 10**MOST)
    digits = Symbol(f"{whole}.{rest:0{MOST}d}".rstrip("0"))
    return -digits if number < 0 else digits
