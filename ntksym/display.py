"""How results print as mathematics: two-dimensional Unicode, one line, LaTeX."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from re import finditer
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from sympy import Add, Expr, Rational, Symbol, oo

from .abbreviations import (
    Abbreviated,
    decimal_digits,
    drawn,
    fitting,
    laid_out,
    tidied,
)
from .abbreviations import latex as in_latex
from .functions import in_sympy_names
from .language.write import in_decimals
from .symbols import q11, q22

if TYPE_CHECKING:
    from .network import Recursion


def linear(expr: Any) -> str:
    """One line that SymPy can read; `Phi` is written through `erfc`, `Phi2` stays."""
    return str(tidied(in_sympy_names(expr))) if hasattr(expr, "replace") else str(expr)


def glimpse(expr: Any) -> str:
    """One line for a list: numbers of more than 12 digits are cut, as 1.050700987..."""

    def short(number: Any) -> Any:
        return Symbol(decimal_digits(abs(number), 10)) * (-1 if number < 0 else 1)

    numbers = expr.atoms(Rational)
    long = (z for z in numbers if max(abs(z.p), z.q) >= 10**12)
    return str(expr.xreplace({z: short(z) for z in long}))


def latex(expr: Any) -> str:
    """LaTeX, with arcsin for asin."""
    return in_latex(tidied(expr))


def formula(name: str, expr: Any, *, width: int = 80, unicode: bool = True) -> tuple[str, ...]:
    """`name = expr` as lines of two-dimensional text, at most `width` columns wide.

    A sum breaks between its terms.  What has a term wider than that, or too many lines, comes as
    text in lines of that width.
    """
    head = f"{name} = "
    return laid_out(head, expr, width, unicode) or _listed(head, expr, width)


def formulas(
    rows: Sequence[tuple[str, Any]],
    *,
    width: int = 80,
    unicode: bool = True,
    full: bool = False,
    taken: Iterable[str] = (),
    known: Iterable[tuple[Symbol, Any]] = (),
) -> tuple[list[tuple[str, str]], tuple[tuple[Symbol, Any], ...]]:
    """(style, line) of formulas that are read together, and the names that were given to parts.

    What repeats has a name, defined under "where"; `full` writes everything out. Names in `taken`
    are not used; those that formulas before have defined are `known`, and not defined again.
    """
    options = {"taken": tuple(taken), "known": tuple(known)}
    heads, exprs = [f"{name} = " for name, _ in rows], [expr for _, expr in rows]
    short = fitting(exprs, heads, width=width, unicode=unicode, full=full, **options)
    lines: list[tuple[str, str]] = []

    def put(name: str, expr: Any, indent: str = "") -> None:
        room = width - len(indent)
        lines.extend(("", indent + r) for r in formula(name, expr, width=room, unicode=unicode))

    for (name, _), expr in zip(rows, short.formulas, strict=True):
        put(name, expr)
        lines.append(("", ""))
    if short.names:
        twins = dict(short.twins)
        lines.append(("dim", "where"))
        for symbol, definition in short.names:
            name = _name(symbol, unicode)
            if definition.is_Rational:
                lines.append(("", f"  {name} = {decimal_digits(definition)}"))
            elif symbol not in twins:
                put(name, definition, "  ")
        if twins:
            note = wrap(_twin_note(short, unicode), max(24, width - 4))
            lines += [("dim", f"  {line}") for line in note]
        lines.append(("", ""))
    return lines, short.names


def _name(symbol: Symbol, unicode: bool) -> str:
    (line,), _ = drawn(symbol, unicode=unicode)
    return line


def _twin_note(short: Abbreviated, unicode: bool) -> str:
    def said(symbols: Iterable[Any]) -> str:
        return ", ".join(_name(s, unicode) for s in symbols)

    second, first = zip(*short.twins, strict=True)
    q1, q2 = (_name(s, unicode) for s in (q11, q22))
    are = "are" if len(second) > 1 else "is"
    return (
        f"{said(second)} {are} {said(first)} with {q1} and {q2}, and the indices 1 and 2, exchanged"
    )


def _listed(head: str, expr: Any, width: int) -> tuple[str, ...]:
    """The terms as text with their signs, as many on a line as fit; long ones go on further in."""
    terms = list(expr.as_ordered_terms()) if isinstance(expr, Expr) else [expr]
    lead = " " * (len(head) - 2)
    lines = [head.rstrip()]
    for i, term in enumerate(terms):
        text = str(term)
        if i:
            text = "- " + text[1:] if text.startswith("-") else "+ " + text
        if len(lines[-1]) + 1 + len(text) <= width:
            lines[-1] += " " + text
            continue
        first, *rest = _broken(text, max(24, width - len(head) - 2))
        lines += [lead + first] if i else [f"{lines.pop()} {first}"]
        lines += [lead + "    " + more for more in rest]
    return tuple(lines)


def _broken(text: str, room: int) -> Iterator[str]:
    """Pieces of at most `room` characters, cut before signs and factors, outside brackets best."""
    while len(text) > room:
        places = [m.start() for m in finditer(r" [+-] |(?<![* ])\*(?!\*)", text[: room + 2])]
        late = [i for i in places if room // 3 < i <= room] or [i for i in places if 0 < i <= room]
        if not late:
            break
        cut = max(late, key=lambda i: (text.count(")", 0, i) - text.count("(", 0, i), i))
        yield text[:cut]
        text = text[cut:].lstrip()
    yield text


def recursion_text(
    rec: Recursion, *, width: int = 80, unicode: bool = True, full: bool = False
) -> list[tuple[str, str]]:
    """The rules of a network as (style, line): conventions, input layer, runs of equal layers."""
    from .network.network import layers_named
    from .symbols import t12

    sigma, theta = ("Σ", "Θ") if unicode else ("Sigma", "Theta")
    lines: list[tuple[str, str]] = [("title", rec.network.name)]
    lines += [("dim", f"  {line}") for line in rec.network.conventions()]

    def put(*rows: tuple[str, Any]) -> None:
        lines.append(("", ""))
        shown, _ = formulas(rows, width=width, unicode=unicode, full=full, taken=("D",))
        lines.extend(shown[:-1])

    first = rec.input_rule
    values = dict(first.values)
    lines += [("", ""), ("title", "input layer"), ("dim", "  q12 is the inner product x.y")]
    put((f"{sigma}1", first.nngp.subs(values)), (f"{theta}1", first.ntk.subs(values)))
    for start, stop in rec.runs():
        rule = rec.layers[start]
        own, slope = rule.theta_parts()
        nngp = rule.nngp.subs(dict(rule.values))
        span = layers_named(start, stop)
        lines += [("", ""), ("title", f"{span}: s(x) = {in_decimals(rule.activation.expr)}")]
        if rule.activation.params:
            given = ", ".join(f"{s} = {v}" for s, v in rule.values if s in rule.activation.params)
            lines.append(("dim", f"  {given or 'parameters symbolic'}"))
        lines.append(("dim", f"  q11, q12, q22 = {sigma} and t12 = {theta} of the layer before"))
        shown = Symbol(f"{sigma}'") if own == nngp else own
        factor = Symbol("D") if slope.is_Add else slope
        tail = factor * t12
        theta_rule = tail if own == 0 else Add(shown, tail, evaluate=False)
        rows = [(f"{sigma}'", nngp), (f"{theta}'", theta_rule)]
        put(*rows, *([("D", slope)] if factor is not slope else []))
        if rule.ntk_diag is oo:
            infinite = f"{theta}' of an input with itself is infinite: E[s'(u)^2] is"
            lines += [("", ""), ("dim", f"  {infinite}")]
    return lines
