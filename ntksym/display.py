"""How results print as mathematics: two-dimensional Unicode, one line, LaTeX."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sympy import Add, Eq, Expr, Symbol, pretty
from sympy import latex as sympy_latex

from .functions import in_sympy_names

MAX_ROWS = 60
"""A two-dimensional formula that is taller than this is given as text instead."""


def linear(expr: Any) -> str:
    """One line that SymPy can read; `Phi` is written through `erfc`, `Phi2` stays."""
    return str(in_sympy_names(expr)) if hasattr(expr, "replace") else str(expr)


def latex(expr: Any) -> str:
    """LaTeX, with arcsin for asin."""
    return str(sympy_latex(expr, inv_trig_style="full"))


def formula(name: str, expr: Any, *, width: int = 80, unicode: bool = True) -> tuple[str, ...]:
    """`name = expr` as lines of two-dimensional text, at most `width` columns wide.

    A sum breaks between its terms.  What has a term wider than that, or too many lines, comes as
    text with one term on each line, which the terminal may wrap.
    """
    head = f"{name} = "
    room = max(24, width - len(head) - 2)
    lines: list[str] = []
    for first, (body, axis) in _numbered(_rows(expr, room, unicode)):
        if max(map(len, body)) > room:
            return _listed(head, expr)
        sign = "" if first or body[axis].lstrip().startswith(("-", "−")) else "+ "
        lead = head if first else " " * len(head)
        blank = " " * len(lead + sign)
        if not first and len(body) > 1:
            lines.append("")
        lines += [(lead + sign if i == axis else blank) + row for i, row in enumerate(body)]
    if len(lines) > MAX_ROWS:
        return _listed(head, expr)
    return tuple(line.rstrip() for line in lines)


def _listed(head: str, expr: Any) -> tuple[str, ...]:
    """The terms as text, one on a line, each with its sign."""
    terms = list(expr.as_ordered_terms()) if isinstance(expr, Expr) else [expr]
    lines = [head + str(terms[0])]
    for term in terms[1:]:
        text = str(term)
        sign, text = ("- ", text[1:]) if text.startswith("-") else ("+ ", text)
        lines.append(" " * (len(head) - 2) + sign + text)
    return tuple(lines)


def _numbered(
    rows: Iterator[tuple[list[str], int]],
) -> Iterator[tuple[bool, tuple[list[str], int]]]:
    for i, row in enumerate(rows):
        yield i == 0, row


def _rows(expr: Any, room: int, unicode: bool) -> Iterator[tuple[list[str], int]]:
    """The formula as blocks of lines, each with its axis: as many terms as fit side by side."""
    terms = list(expr.as_ordered_terms()) if isinstance(expr, Expr) else [expr]
    while terms:
        block, count = _block(terms[:1], unicode), 1
        while count < len(terms):
            longer = _block(terms[: count + 1], unicode)
            if max(map(len, longer[0])) > room:
                break
            block, count = longer, count + 1
        yield block
        terms = terms[count:]


def _block(terms: list[Any], unicode: bool) -> tuple[list[str], int]:
    expr = terms[0] if len(terms) == 1 else Add(*terms, evaluate=False)
    body = [r.rstrip() for r in pretty(expr, use_unicode=unicode, wrap_line=False).splitlines()]
    return body, _axis(expr, len(body), unicode)


def _axis(expr: Any, height: int, unicode: bool) -> int:
    """The line of the fraction bar, where the equals sign belongs."""
    if height == 1 or not isinstance(expr, Expr):
        return 0
    probe = Eq(Symbol("lhs"), expr, evaluate=False)
    marked = pretty(probe, use_unicode=unicode, wrap_line=False).splitlines()
    found = [i for i, line in enumerate(marked) if line.startswith("lhs")]
    return min(found[0], height - 1) if found else 0
