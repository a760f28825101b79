"""What can be read in two ways, or is something else than it looks: refused with both readings."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from ..errors import UnknownName
from ..language.messages import nearest, short
from ..language.table import functions
from .layout import Fence, Fraction, Item, Leaf, Row

if TYPE_CHECKING:
    from .reading import Reader


def stray(reader: Reader, item: Item, op: str) -> NoReturn:
    """Refuse an operator that no sum has."""
    hints = {
        "=": "one formula, or one equation with its left-hand side",
        ",": r"one formula; a decimal point is .; (a, b) only after a function",
        ";": r"; only in \Phi_2(h, k; r) and {}_2F_1(a, b; c; z)",
        ".": "a decimal point has digits after it",
        "mid": r"\middle| only in {}_2F_1",
    }
    if op in ("<", ">", "<=", ">=", "!=", "and", "or"):
        reader.refuse(
            "a condition cannot stand here", item.at, r"conditions in cases or \mathbb{1}[x>0]"
        )
    shown = reader.source((item,))
    reader.refuse(f"{shown} cannot stand here", item.at, hints.get(op, "+ - \\cdot or /"))


def adjacent(reader: Reader, row: Row, spans: list[tuple[int, int]], pos: int, slash: int) -> None:
    """Refuse neighbours that are not, or not clearly, a product."""
    item, (start, end) = row[pos], spans[-1]
    body = item.body
    if slash == len(spans) - 1:
        above = reader.source(row[: start - 1])
        below, rest = reader.source(row[start:end]), reader.source(row[pos:])
        reader.refuse(
            f"{above}/{below} {rest} is ambiguous",
            item.at,
            rf"\frac{{{above}}}{{{below}}} {rest} or \frac{{{above}}}{{{below} {rest}}}",
        )
    if slash >= 0:
        # a/b \cdot c d: the product after the slash is one thing for some readers.
        reader.refuse(
            "a product after a slash is ambiguous", item.at, r"\frac{a}{b} for the quotient"
        )
    before = row[end - 1]
    # After a bracket, a fraction or a root, 2^n is a factor; after a name it is a lost index.
    power = item.sup is not None and not isinstance(before.body, Leaf)
    if isinstance(body, Leaf) and body.kind == "NUMBER" and not power:
        left = reader.source(row[start:end])
        bare = isinstance(before.body, Leaf) and before.plain
        scripts = f", {left}^{body.text} or {left}_{body.text}" if bare else ""
        reader.refuse(
            f"the number {body.text} after {left} is not clearly a factor",
            item.at,
            rf"{left} \cdot {body.text}{scripts}",
        )
    last = before.body
    if (
        isinstance(last, Leaf)
        and last.kind == "NUMBER"
        and isinstance(body, Fraction)
        and _number_row(body.top)
        and _number_row(body.bottom)
    ):
        reader.refuse(
            "a number before a fraction of numbers is a product or a mixed number",
            item.at,
            r"\cdot between them, or one fraction",
        )


def two_slashes(reader: Reader, row: Row, mark: Item) -> NoReturn:
    """Refuse a/b/c."""
    reader.refuse(
        f"{reader.source(row)} has two slashes",
        mark.at,
        r"\frac{a}{b}, or brackets: (a/b)/c",
    )


def determinant(reader: Reader, item: Item, body: Fence) -> None:
    """Refuse the bars around a matrix."""
    single = len(body.row) == 1 and body.row[0].sub is None
    inner = body.row[0].body if single else None
    if isinstance(inner, Leaf) and inner.text in (r"\Sigma", r"\Lambda", "K", "C", "Q"):
        reader.refuse(
            f"{reader.source((item,))} is a determinant, or an absolute value",
            item.at,
            "q_{11} q_{22} - q_{12}^2 for the determinant",
        )


def derivative(reader: Reader, item: Item, body: Fraction) -> None:
    r"""Refuse `\frac{d}{dx}`, which would be a quotient of products."""
    leads = [row[0].body for row in (body.top, body.bottom) if row]
    both = len(leads) == 2 and all(isinstance(b, Leaf) and b.text == "d" for b in leads)
    after = body.bottom[1].body if len(body.bottom) > 1 else None
    if both and isinstance(after, Leaf) and after.kind != "OP":
        reader.refuse(
            f"{reader.source((item,))} is a derivative, or a quotient of products with d",
            item.at,
            "the derivative, written out",
        )


def unknown_word(reader: Reader, item: Item, word: str) -> NoReturn:
    """Refuse a word that is neither a function nor a name."""
    names = {*functions(), *reader.long_names}
    close = word.lower() if word.lower() in names else nearest(word, names)
    raise UnknownName(
        f"there is no function or name {short(word)}",
        where=reader.place(item.at),
        hint=f"did you mean \\mathrm{{{close}}}?"
        if close
        else f"names={{{word!r}: 'a_name'}} where it is a name",
    )


def _number_row(row: Row) -> bool:
    return len(row) == 1 and isinstance(row[0].body, Leaf) and row[0].body.kind == "NUMBER"
