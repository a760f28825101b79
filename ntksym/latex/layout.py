"""Tokens to layout: rows of items with scripts, fences, fractions, roots and tables.

The grammar is `grammar.lark`, read by lark's LALR(1) parser, which recurses nowhere; the tokens
come from `tokens`, not from a lexer of lark.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import ParseError
from ..language.messages import caret
from .emitter import Token


@dataclass(frozen=True, slots=True)
class Leaf:
    """A letter, word, number, function, operator or indicator."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Group:
    """`{...}`, which is not printed."""

    row: Row


@dataclass(frozen=True, slots=True)
class Fence:
    """A bracket: `kind` is PAR, BRACK, CURLY, BAR, NORM or ANGLE."""

    kind: str
    row: Row


@dataclass(frozen=True, slots=True)
class Fraction:
    r"""`\frac{top}{bottom}`, or `\binom` of the two."""

    macro: str
    top: Row
    bottom: Row


@dataclass(frozen=True, slots=True)
class Root:
    r"""`\sqrt[index]{row}`."""

    index: Row | None
    row: Row


@dataclass(frozen=True, slots=True)
class Table:
    """`cases` or `matrix`: lines of cells."""

    kind: str
    lines: tuple[tuple[Row, ...], ...]


Body = Leaf | Group | Fence | Fraction | Root | Table


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a row, with what is attached to it.

    Attributes:
        at: offset of its first character.
        end: offset after its last character.
        body: what it is.
        sub: the subscript, or None.
        sup: the superscript, or None.
        primes: the number of primes.
        bangs: the number of factorial signs.
    """

    at: int
    end: int
    body: Body
    sub: Row | None = None
    sup: Row | None = None
    primes: int = 0
    bangs: int = 0

    @property
    def plain(self) -> bool:
        """Nothing is attached to it."""
        return self.sub is None and self.sup is None and not self.primes and not self.bangs


Row = tuple[Item, ...]


def arrange(text: str, tokens: tuple[Token, ...]) -> Row:
    """The row that `tokens` lay out; `text` is the source, for the errors.

    Raises:
        ParseError: a script without a base, two superscripts, a macro without its argument.
    """
    import lark

    try:
        tree = _parser().parse(tokens)
    except lark.exceptions.UnexpectedInput as error:
        token = getattr(error, "token", None)
        if token is None or token.type == "$END":
            raise ParseError(
                "the formula ends too early",
                where=caret(text, tokens[-1].end),
                hint="the argument that the last macro or script needs",
            ) from None
        raise ParseError(
            f"{text[token.start_pos : token.end_pos]} cannot stand here",
            where=caret(text, token.start_pos),
            hint=_hint(token.type),
        ) from None
    return _row(text, tree.children[0])


def _hint(kind: str) -> str:
    return {
        "SUP": "something before ^ to raise to a power",
        "SUB": "something before _ that has an index",
        "PRIME": "a name before the prime",
        "BANG": "a number before the factorial sign",
        "AMP": "& only between the cells of cases",
        "NEWLINE": r"\\ only between the lines of cases",
    }.get(kind, "the argument of the macro or script before it, in braces")


@lru_cache(maxsize=1)
def _parser() -> Any:
    import lark
    from lark.lexer import Lexer

    class Tokens(Lexer):
        """What lark asks of a lexer: our tokens, as its own."""

        def __init__(self, _conf: Any) -> None:
            pass

        def lex(self, data: Iterable[Token]) -> Iterator[Any]:
            for t in data:
                yield lark.Token(t.kind, t.text, start_pos=t.at, end_pos=t.end)

    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return lark.Lark(grammar, parser="lalr", lexer=Tokens, maybe_placeholders=False)


# --- lark's tree to records; as deep as the brackets, which the tokens bound ------------------


def _row(text: str, tree: Any) -> Row:
    items = (_item(text, child) for child in tree.children)
    # TeX sets the spaces around a sign by an empty group: ={}&
    return tuple(i for i in items if not (i.plain and i.body == Group(())))


def _item(text: str, tree: Any) -> Item:
    atom, *scripts = tree.children
    at, end = _span(atom)
    found = Item(at, end, _body(text, atom))
    for script in scripts:
        kind, (at, end) = script.data, _span(script)
        if kind == "prime":
            found = replace(found, end=end, primes=found.primes + 1)
        elif kind == "bang":
            found = replace(found, end=end, bangs=found.bangs + 1)
        elif (found.sup if kind == "sup" else found.sub) is not None:
            raise ParseError(
                f"a second {'superscript' if kind == 'sup' else 'subscript'}",
                where=caret(text, at),
                hint="braces, which say what belongs to what: {x^a}^b or x^{a^b}",
            )
        elif kind == "sup":
            sup = _argument(text, script.children[1])
            if len(sup) == 1 and sup[0].plain and sup[0].body == Leaf("OP", "'"):
                found = replace(found, end=end, primes=found.primes + 1)
            else:
                found = replace(found, end=end, sup=sup)
        else:
            found = replace(found, end=end, sub=_argument(text, script.children[1]))
    return found


def _argument(text: str, tree: Any) -> Row:
    if tree.data == "group":
        return _row(text, tree.children[1])
    token = tree.children[0]
    return (Item(token.start_pos, token.end_pos, Leaf(token.type, str(token))),)


def _body(text: str, atom: Any) -> Body:
    # An atom that is a group or a fence is a node above it; the other forms have their own name.
    node = atom.children[0] if atom.data == "atom" else atom
    parts = node.children
    match str(node.data):
        case "leaf":
            return Leaf(parts[0].type, str(parts[0]))
        case "group":
            return Group(_row(text, parts[1]))
        case "fence":
            return Fence(parts[0].type[1:], _row(text, parts[1]))
        case "frac":
            return Fraction(str(parts[0]), _argument(text, parts[1]), _argument(text, parts[2]))
        case "root":
            index = _row(text, parts[2]) if len(parts) > 2 else None
            return Root(index, _argument(text, parts[-1]))
        case _:
            lines = (p for p in parts if getattr(p, "data", "") == "line")
            cells = (tuple(c for c in line.children if hasattr(c, "data")) for line in lines)
            return Table(str(parts[0]), tuple(tuple(_row(text, c) for c in line) for line in cells))


def _span(tree: Any) -> tuple[int, int]:
    """Offsets of the first and after the last token of a tree, which is never empty."""
    first = last = tree
    while hasattr(first, "children"):
        first = first.children[0]
    while hasattr(last, "children"):
        last = next(c for c in reversed(last.children) if getattr(c, "children", True))
    return first.start_pos, last.end_pos
