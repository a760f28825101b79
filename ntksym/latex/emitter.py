"""Tokens, and the bookkeeping while they are made: open brackets, arguments due, bounds."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import ParseError, TooLarge
from ..language.limits import MAX_DEPTH, MAX_NODES
from ..language.messages import caret
from .frames import FrameReader


@dataclass(frozen=True, slots=True)
class Token:
    """One token: `kind` is a terminal of the grammar."""

    kind: str
    at: int
    end: int
    text: str


CLOSING = {
    "RPAR": "LPAR",
    "RBRACK": "LBRACK",
    "RCURLY": "LCURLY",
    "RBAR": "LBAR",
    "RNORM": "LNORM",
    "RANGLE": "LANGLE",
    "RBRACE": "LBRACE",
    "ROPT": "LOPT",
    "END": "BEGIN",
}
OPENING = frozenset(CLOSING.values())
OPERANDS = frozenset(("NUMBER", "LETTER", "WORD", "INDICATOR", "PRIME", "BANG", *CLOSING))


@dataclass(slots=True)
class Emitter:
    """The position in the text, the open brackets, and the arguments that macros still take."""

    text: str
    names: frozenset[str]
    at: int = 0
    found: list[Token] = field(default_factory=list)
    open: list[Token] = field(default_factory=list)
    pending: int = 0
    """Arguments that come next: without braces, each is a single digit or letter."""
    waiting: list[int] = field(default_factory=list)
    """`pending` outside each bracket that is open."""
    frame: FrameReader = field(default_factory=FrameReader)

    # --- emitting -----------------------------------------------------------------------------

    def place(self, at: int) -> str:
        """The line with a caret at `at`."""
        return caret(self.text, at)

    def emit(self, kind: str, width: int, text: str = "") -> None:
        """Append a token and step over it."""
        at = self.at
        self.frame.content(self.text, at)
        token = Token(kind, at, at + width, text or self.text[at : at + width])
        self.at += width
        if kind in CLOSING:
            self.close(token)
        if kind in OPENING:
            if self.pending and kind not in ("LBRACE", "LOPT"):
                raise ParseError(
                    "the argument of a macro, or a script, needs braces",
                    where=self.place(at),
                    hint="{...} around the whole of it",
                )
            self.open.append(token)
            self.waiting.append(self.pending)
            self.pending = 0
            if len(self.open) > MAX_DEPTH:
                raise TooLarge(
                    f"the formula is nested deeper than {MAX_DEPTH} levels", where=self.place(at)
                )
        elif self.pending and kind not in ("LOPT", "FRAC", "SQRT", "SUP", "SUB"):
            self.pending -= 1
        # Indices are tokens, too, so this is the generous bound; the parts of what is read are
        # counted by the parser of the language.
        if len(self.found) > 6 * MAX_NODES:
            raise TooLarge(f"the formula has more than {MAX_NODES} parts", where=self.place(at))
        self.found.append(token)

    def close(self, token: Token) -> None:
        """Check that `token` closes the innermost bracket."""
        if not self.open:
            raise ParseError(
                f"{shown(token)} was never opened",
                where=self.place(token.at),
                hint=f"the {opener(token)} before it",
            )
        last = self.open.pop()
        self.pending = self.waiting.pop()
        if last.kind != CLOSING[token.kind]:
            raise ParseError(
                f"{shown(last)} is closed by {shown(token)}",
                where=self.place(token.at),
                hint=f"the {partner(last)} here",
            )

    def fence(self, kind: str, width: int, side: str = "") -> None:
        """A bracket; whether a bar opens or closes is seen from what is before it."""
        inner = self.open[-1].kind if self.open else ""
        if kind in ("BAR", "NORM"):
            before = self.found[-1].kind if self.found else ""
            closes = inner == "L" + kind and before in OPERANDS and before != inner
            left = side == "left" or (side != "right" and not closes)
            kind = ("L" if left else "R") + kind
        if kind == "LBRACK" and self.found and self.found[-1].kind == "SQRT":
            kind = "LOPT"
        elif kind == "RBRACK" and inner == "LOPT":
            kind = "ROPT"
        self.emit(kind, width)
        if kind == "ROPT":
            self.pending = 1


def shown(token: Token) -> str:
    """A bracket for an error."""
    if token.kind in ("BEGIN", "END"):
        return rf"\{token.kind.lower()}{{{token.text}}}"
    return f"the bracket {token.text}"


def partner(token: Token) -> str:
    """What closes `token`."""
    return {
        "LPAR": ")",
        "LBRACK": "]",
        "LOPT": "]",
        "LCURLY": r"\}",
        "LBRACE": "}",
        "LBAR": "|",
        "LNORM": r"\|",
        "LANGLE": r"\rangle",
        "BEGIN": r"\end",
    }[token.kind]


def opener(token: Token) -> str:
    """What opens the bracket that `token` closes."""
    return {
        "RPAR": "(",
        "RBRACK": "[",
        "ROPT": "[",
        "RCURLY": r"\{",
        "RBRACE": "{",
        "RBAR": "|",
        "RNORM": r"\|",
        "RANGLE": r"\langle",
        "END": r"\begin",
    }[token.kind]
