"""SymPy to text of the language: the inverse of `parse`."""

from __future__ import annotations

from typing import Any

from sympy import Expr
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
