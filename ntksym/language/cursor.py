"""The place of a parser in its tokens: bounds, open brackets, and errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import ParseError, TooLarge
from .limits import MAX_DEPTH, MAX_NODES
from .messages import caret
from .syntax import Node
from .tokens import Token, foreign

RELATIONS = ("<", "<=", ">", ">=", "==", "!=")
_CLOSING = {"(": ")", "[": "]", "{": "}", "|": "|"}
_OPTION = re.compile(r",\s*\w+\s*=")
"""What follows a comma where a network was meant and its colon forgotten."""


@dataclass(slots=True)
class Cursor:
    """The position in the tokens, and what has been used of the bounds."""

    text: str
    tokens: tuple[Token, ...]
    position: int = 0
    depth: int = 0
    nodes: int = 0
    open: list[Token] = field(default_factory=list)
    """The brackets that are open."""

    @property
    def token(self) -> Token:
        """The next token."""
        return self.tokens[self.position]

    def advance(self) -> Token:
        """The next token, which is used up."""
        found = self.token
        self.position += 1
        return found

    def count(self, node: Node) -> Node:
        """The node, which counts towards `MAX_NODES`."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise TooLarge(
                f"the formula has more than {MAX_NODES} parts", where=caret(self.text, node.at)
            )
        return node

    def inside(self, read: Callable[[], Node]) -> Node:
        """`read()` one level deeper."""
        if self.depth >= MAX_DEPTH:
            raise TooLarge(
                f"the formula is nested deeper than {MAX_DEPTH} levels",
                where=caret(self.text, self.token.at),
            )
        self.depth += 1
        node = read()
        self.depth -= 1
        return node

    def close(self) -> None:
        """The bracket or bar that closes the innermost open one."""
        if self.token.text != _CLOSING[self.open[-1].text]:
            self.refuse()
        self.advance()
        self.open.pop()

    def missing(self, hint: str) -> ParseError:
        """The error where an operator is missing before the token."""
        return ParseError(
            "an operator is missing", where=caret(self.text, self.token.at), hint=hint
        )

    def never_closed(self) -> ParseError:
        """The error of the innermost bracket, or bar, that is open."""
        opened = self.open[-1]
        bar = opened.kind == "|"
        return ParseError(
            f"the {'bar' if bar else 'bracket'} {opened.text} is never closed",
            where=caret(self.text, opened.at),
            hint="abs(x) or |x| for absolute values; or for alternatives"
            if bar
            else f"a {_CLOSING[opened.text]} after it",
        )

    def refuse(self) -> None:
        """Raise the error for a token that cannot stand where it stands."""
        token = self.token
        if token.kind in ("=", "?", ":", "string"):
            raise foreign(self.text, token.at)
        if token.kind == "end":
            if self.open:
                raise self.never_closed()
            raise ParseError(
                "the formula ends too early",
                where=caret(self.text, token.at),
                hint="a product with an absolute value is x*|x|"
                if self.position and self.tokens[self.position - 1].kind == "|"
                else "a number, a name or a bracket at the end",
            )
        if token.kind == ")" and not self.open:
            raise ParseError(
                f"the bracket {token.text} was never opened", where=caret(self.text, token.at)
            )
        if token.kind == "//":
            raise ParseError(
                "there is no // in the language", where=caret(self.text, token.at), hint="/"
            )
        if token.kind == "," and not self.open:
            raise ParseError(
                "a comma outside brackets",
                where=caret(self.text, token.at),
                hint="a colon before the options of a network: mlp:relu:depth=3"
                if _OPTION.match(self.text, token.at)
                else "one formula; a decimal point is .",
            )
        if self.open and self.open[-1].kind == "|" and token.kind in (*RELATIONS, ")", ",", "&"):
            raise self.never_closed()
        raise ParseError(
            f"{token.text!r} cannot stand here",
            where=caret(self.text, token.at),
            hint="a number, a name or a bracket before it"
            if token.kind not in ("number", "name", "(")
            else "an operator before it",
        )
