"""Formulas as lines of a page or a terminal: where sums break, with names for what cannot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sympy import Add, Expr, Mul

from .arranged import gathered, printed
from .names import Abbreviated, arranged, decimal_digits, presented
from .printers import drawn, latex, ordered_terms

MAX_ROWS = 60
"""A two-dimensional formula that is taller than this is given as text instead."""


NARROW = 20
"""Sums of more nodes that are factors have names where a formula is too wide without."""


MOST_SIGNS = 3000
"""For formulas of more signs no other names are tried: no page holds them either way."""


PAGE = 88
"""What fits into a line of an article, in the columns that a formula takes in two-dimensional text:
`q_{11} q_{22}` takes 27 of the 345 points of LaTeX's own page, and 7 columns."""


HEAD = 16
"""What the name and the sign of equality take of it."""


def laid_out(head: str, expr: Any, width: int, unicode: bool) -> tuple[str, ...]:
    """The two-dimensional lines; none where a term is too wide, or they are too many."""
    room = max(24, width - len(head) - 2)
    expr = _arranged(expr, room, unicode)
    lines: list[str] = []
    tall = False
    for terms, minus in broken(expr, room, unicode):
        body, axis = drawn(_sum(terms), unicode=unicode)
        if max(map(len, body)) > room:
            return ()
        sign = "- " if minus else "+ "
        first = not lines
        if first or body[axis].lstrip().startswith("- "):
            sign = ""
        lead = head if first else " " * len(head)
        blank = " " * len(lead + sign)
        if not first and (tall or len(body) > 1):
            lines.append("")
        tall = len(body) > 1
        lines += [(lead + sign if i == axis else blank) + row for i, row in enumerate(body)]
    return tuple(line.rstrip() for line in lines) if len(lines) <= MAX_ROWS else ()


def broken(expr: Any, room: int, unicode: bool = True) -> Iterator[tuple[list[Any], bool]]:
    """The terms of a formula in lines: as many as fit side by side.

    Each with whether it is one term, not the first, whose minus sign was left out.
    """
    terms = ordered_terms(expr) if isinstance(expr, Expr) else [expr]
    whole = len(terms)
    while terms:
        count = 1
        while count < len(terms) and _width(_sum(terms[: count + 1]), unicode) <= room:
            count += 1
        if count == 1 and len(terms) < whole:
            factor, rest = terms[0].as_coeff_Mul()
            if factor.is_negative is True:
                parts = Mul.make_args(rest)
                rest = rest if factor == -1 else Mul(-factor, *parts, evaluate=False)
                yield [rest], True
                terms = terms[1:]
                continue
        yield terms[:count], False
        terms = terms[count:]


def fitting(
    exprs: Sequence[Any],
    heads: Sequence[str],
    *,
    width: int,
    unicode: bool = True,
    full: bool = False,
    **options: Any,
) -> Abbreviated:
    """The formulas `presented`, with more names where only these let them be drawn in that width.

    `options` are those of `presented`.
    """
    best = presented(exprs, full=full, **options)
    if full or sum(map(printed, exprs)) > MOST_SIGNS:
        return best

    def drawable(short: Abbreviated) -> int:
        pairs = zip(heads, short.formulas, strict=True)
        return sum(bool(laid_out(head, e, width, unicode)) for head, e in pairs)

    fit = drawable(best)
    if fit < len(exprs):
        more = presented(exprs, **options, long=0, wide=NARROW)
        best = more if drawable(more) > fit else best
    return best


def latex_rows(
    rows: Sequence[tuple[str, Any]],
    *,
    full: bool = False,
    taken: Sequence[str] = (),
    **options: Any,
) -> tuple[list[str], Abbreviated]:
    r"""`name &= formula` in LaTeX for formulas that are read together, and the names in them.

    What repeats has a name; rows of names come after. Sums that are wider than a page go on in rows
    `&\quad + terms`. `full` writes everything out, in one row each; `options` are those of SymPy's
    printer.
    """
    heads = [" " * HEAD for _ in rows]
    short = fitting([e for _, e in rows], heads, width=PAGE, full=full, taken=taken)
    lines = [
        _latex_row(name, formula, options, full)
        for (name, _), formula in zip(rows, short.formulas, strict=True)
    ]
    return lines + latex_names(short, **options), short


def latex_names(short: Abbreviated, *, unbroken: bool = False, **options: Any) -> list[str]:
    """`name &= definition` in LaTeX for each name; `unbroken` in one row each."""
    twins, lines = dict(short.twins), []
    for symbol, definition in short.names:
        name = latex(symbol)
        if symbol in twins:
            lines.append(rf"{name} &= {latex(twins[symbol])} \text{{ with }} 1 \leftrightarrow 2")
        elif definition.is_Rational:
            digits = decimal_digits(definition).replace("...", r"\ldots")
            lines.append(f"{name} &= {digits}")
        else:
            lines.append(_latex_row(name, definition, options, unbroken))
    return lines


def _latex_row(name: str, expr: Any, options: dict[str, Any], unbroken: bool) -> str:
    if unbroken or not isinstance(expr, Expr):
        return f"{name} &= {latex(arranged(expr), **options)}"
    room = PAGE - HEAD
    parts: list[str] = []
    for terms, minus in broken(_arranged(expr, room, True), room):
        text = latex(_sum(terms), **options)
        if parts and minus:
            text = f"- {text}"
        elif parts and not text.startswith("-"):
            text = f"+ {text}"
        parts.append(text)
    return f"{name} &= " + " \\\\\n&\\quad ".join(parts)


def _arranged(expr: Any, room: int, unicode: bool) -> Any:
    """With common factors outside, but for sums that have to go on in the next line."""
    if not isinstance(expr, Expr):
        return expr
    whole = gathered(expr)
    if expr.is_Add and _width(whole, unicode) > room:
        return Add(*map(gathered, expr.args))
    return whole


def _width(expr: Any, unicode: bool) -> int:
    return max(map(len, drawn(expr, unicode=unicode)[0]))


def _sum(terms: list[Any]) -> Any:
    return terms[0] if len(terms) == 1 else Add(*terms, evaluate=False)
