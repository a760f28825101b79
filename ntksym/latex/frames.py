"""What stands around a formula: dollars, brackets, `equation`, `align` with one line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import ParseError
from ..language.messages import caret

if TYPE_CHECKING:
    from .emitter import Token

_PARTNER = {r"\]": r"\[", r"\)": r"\("}
_ALIGNED = frozenset(("align", "align*", "aligned", "split", "eqnarray", "eqnarray*"))


_SIGNS = ("+", "-", r"\cdot", r"\times")


@dataclass(slots=True)
class FrameReader:
    """The frames that are open; a formula is inside all of them, and there is one formula.

    Attributes:
        open: the frames that are open, outermost first.
        started: the formula has begun.
        closed: a frame has been closed, so the formula is over.
        line_end: where a line of the formula ended; -1 before.
    """

    open: list[str] = field(default_factory=list)
    started: bool = False
    closed: bool = False
    line_end: int = -1

    def begin(self, text: str, at: int, frame: str) -> None:
        """Open a frame; only before the formula."""
        if self.started or self.closed:
            raise ParseError(
                f"{frame} after the formula has begun",
                where=caret(text, at),
                hint="one formula, inside its $ or equation",
            )
        self.open.append(frame)

    def end(self, text: str, at: int, frame: str, shown: str) -> None:
        """Close the innermost frame."""
        if not self.open or self.open[-1] != frame:
            raise ParseError(
                f"{shown} closes nothing",
                where=caret(text, at),
                hint=f"the end of {self.open[-1]}" if self.open else "the formula without it",
            )
        self.open.pop()
        self.closed = True

    def dollar(self, text: str, at: int, width: int) -> None:
        """`$` or `$$`."""
        mark = "$" * width
        if self.open and self.open[-1] == mark:
            self.end(text, at, mark, mark)
        else:
            self.begin(text, at, mark)

    def bracket(self, text: str, at: int, name: str) -> None:
        r"""`\[`, `\]`, `\(` or `\)`."""
        if name in _PARTNER:
            self.end(text, at, _PARTNER[name], name)
        else:
            self.begin(text, at, name)

    def environment(self, text: str, at: int, name: str, kind: str) -> None:
        r"""`\begin{kind}` or `\end{kind}`."""
        if name == r"\begin":
            self.begin(text, at, kind)
        else:
            self.end(text, at, kind, rf"\end{{{kind}}}")

    def new_line(self, text: str, at: int) -> None:
        r"""`\\` outside of tables: the end of the one line."""
        self.line_end = at

    def ampersand(self, text: str, at: int) -> None:
        """`&`, which aligns."""
        if not (set(self.open) & _ALIGNED):
            raise ParseError(
                "& outside of align and cases", where=caret(text, at), hint="the formula without &"
            )

    def content(self, text: str, at: int) -> None:
        """Something of the formula."""
        if self.line_end >= 0 and text.startswith(_SIGNS, at) and set(self.open) & _ALIGNED:
            # A line that begins with a sign goes on with the sum or product.
            self.line_end = -1
        if self.line_end >= 0:
            raise ParseError(
                "the formula has more than one line",
                where=caret(text, self.line_end),
                hint="one line: one formula, or the sum without line breaks",
            )
        if self.closed and text[at] not in ".,;":
            raise ParseError(
                "text after the end of the formula",
                where=caret(text, at),
                hint="one formula, inside its $ or equation",
            )
        self.started = True

    def finish(self, text: str, found: list[Token]) -> tuple[Token, ...]:
        """The tokens without the punctuation of the sentence."""
        if self.open:
            raise ParseError(
                f"{self.open[-1]} is never closed",
                where=caret(text, len(text)),
                hint="its end after the formula",
            )
        while found and found[-1].kind == "OP" and found[-1].text in (".", ",", ";"):
            found.pop()
        if not found:
            raise ParseError("the formula is empty", hint=r"a formula such as \frac{x}{2}")
        return tuple(found)
