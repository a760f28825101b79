"""LaTeX to tokens, each with its place: macros, fences, letters, numbers.

Bounds are checked here, before anything is built.  A macro that is not known is an error with its
place and is never skipped.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import BadActivation, ParseError, TooLarge, UnknownName
from ..language.limits import MAX_CHARS
from ..language.messages import nearest, short
from . import macros
from .emitter import OPERANDS, Emitter, Token, partner, shown
from .letters import VARIANCES, check_word, letter_runs, marked

_MACRO = re.compile(r"\\(?:[A-Za-z]+\*?|.)", re.DOTALL)
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_MAX_DIGITS = 77
"""As many as `MAX_NUMBER_BITS` has."""
_SUBSCRIPT = re.compile(r"\s*_")
_BLANK = re.compile(r"\s*")
_LETTERS = re.compile(r"[A-Za-z]+")
_WORD = re.compile(r"\s*(?:\{([^{}\\$]*)\}|([A-Za-z]))")
_ENVIRONMENT = re.compile(r"\s*\{([A-Za-z]+\*?)\}")
_SKIP_LINE = re.compile(r"\\\\\s*(?:\[\s*-?[0-9.]+\s*(?:pt|em|ex|mm|cm)\s*\])?")
_FLOAT = re.compile(r"[0-9.]+[eE][+-]?[0-9]")

_OLD_FONT = re.compile(r"\{\s*(\\bf|\\bm)\s+(\\?[A-Za-z]+|1)\s*\}")
r"""A letter in braces with its font, as older papers write it: {\bf x}."""
_SINGLE = {
    "^": "SUP",
    "_": "SUB",
    "'": "PRIME",
    "!": "BANG",
    "{": "LBRACE",
    "}": "RBRACE",
    **dict.fromkeys("+-*/=<>,;:.", "OP"),
}
_INSTEAD = {"\u2212": "-", "\u2013": "-", "\u00b7": "*", "\u00d7": "*", "\u22c5": "*"}
_INSTEAD |= {"\u2264": "<=", "\u2265": ">=", "\u2032": "'"}
_HINTS = {
    "%": "the formula without comments",
    "#": "the formula without macro parameters",
    '"': "the formula without quotes",
    "`": "the formula without quotes",
    "@": "the formula alone",
    "\u221a": r"\sqrt{...}",
    "\u221e": "finite numbers",
    "\u222b": "the value of the integral, in closed form",
}


def tokenize(text: str, names: frozenset[str] = frozenset()) -> tuple[Token, ...]:
    """The tokens of `text` without its frame (`$...$`, `equation`), spaces and sizes.

    Args:
        text: LaTeX.
        names: letters that together are one name, such as `lam`.

    Raises:
        TooLarge: more characters, parts or nested brackets than `language.limits` allows.
        UnknownName: a macro that is not known, or that a formula cannot have.
        ParseError: any other text that is not a formula.
    """
    if not isinstance(text, str):
        raise BadActivation(f"text is needed, not {type(text).__name__}")
    if len(text) > MAX_CHARS:
        raise TooLarge(
            f"the LaTeX text has {len(text)} characters", hint=f"at most {MAX_CHARS} characters"
        )
    return Scanner(text, names).scan()


@dataclass(slots=True)
class Scanner(Emitter):
    """Text to tokens, one construct at a time."""

    def scan(self) -> tuple[Token, ...]:
        """All tokens of the text."""
        text = self.text
        while self.at < len(text):
            c = text[self.at]
            if c.isspace() or c == "~":
                self.at += 1
            elif c == "\\":
                self._macro()
            elif c == "$":
                width = 2 if text.startswith("$$", self.at) else 1
                self.frame.dollar(text, self.at, width)
                self.at += width
            elif c == "&":
                self._ampersand()
            elif c.isascii() and c.isalpha():
                self._letters()
            elif _NUMBER.match(text, self.at):
                self._number()
            elif c in macros.FENCES:
                self.fence(macros.FENCES[c], 1)
            else:
                self._single(c)
        if self.open:
            raise ParseError(
                f"{shown(self.open[-1])} is never closed",
                where=self.place(self.open[-1].at),
                hint=f"the {partner(self.open[-1])} after it",
            )
        return self.frame.finish(text, self.found)

    # --- characters ---------------------------------------------------------------------------

    def _single(self, c: str) -> None:
        if self.text.startswith("..", self.at) or c == "\u2026":
            # Not the end of a sentence: something is left out.
            raise UnknownName(
                "dots cannot be part of a formula",
                where=self.place(self.at),
                hint=macros.REFUSED[r"\dots"],
            )
        if c in macros.UNICODE:
            self.emit("LETTER", 1, macros.UNICODE[c])
        elif c == "{" and not self.pending and (found := _OLD_FONT.match(self.text, self.at)):
            self._marked((found[1],), found[2], found.end() - self.at)
        elif c in _SINGLE or c in _INSTEAD:
            c = _INSTEAD.get(c, c)
            wide = c in "<>" and self.text.startswith("=", self.at + 1)
            if c == ":" and self.text.startswith("=", self.at + 1):
                self.emit("OP", 2, "=")
            elif c in "^_":
                self._script(c)
            else:
                self.emit(_SINGLE.get(c, "OP"), 1 + wide, c + "=" * wide)
        else:
            what = repr(c) if c.isprintable() else f"U+{ord(c):04X}"
            raise ParseError(
                f"the character {what} has no place in a formula",
                where=self.place(self.at),
                hint=_HINTS.get(c, "LaTeX in ASCII letters, digits and macros"),
            )

    def _script(self, c: str) -> None:
        if self.pending:
            raise ParseError(
                f"{c} where the argument of a macro is needed",
                where=self.place(self.at),
                hint="braces around the argument",
            )
        self.emit(_SINGLE[c], 1)
        self.pending = 1

    def _number(self) -> None:
        if found := _FLOAT.match(self.text, self.at):
            raise ParseError(
                f"{found.group()!r}: e is Euler's number, or the exponent of a decimal",
                where=self.place(self.at),
                hint=r"10^{-3} for an exponent, \cdot for the product",
            )
        match = _NUMBER.match(self.text, self.at)
        if match is None:
            raise AssertionError("number() is called at a digit")
        source, start = match.group(), self.at
        if len(source) > _MAX_DIGITS:
            raise TooLarge(
                f"a number of {len(source)} digits",
                where=self.place(start),
                hint=f"at most {_MAX_DIGITS} digits",
            )
        while self.pending and self.at < match.end():
            # TeX takes one digit as an argument: \frac12 is a half.
            if self.text[self.at] == ".":
                break
            self.emit("NUMBER", 1)
        rest = match.end() - self.at
        if rest and self.at > start:
            raise ParseError(
                f"only the first digit of {source} is the argument here, as it is printed",
                where=self.place(self.at),
                hint=f"{{{source}}}, or braces around the one digit and a space",
            )
        if rest:
            self.emit("NUMBER", rest)

    def _letters(self) -> None:
        match = _LETTERS.match(self.text, self.at)
        if match is None:
            raise AssertionError("letters() is called at a letter")
        run = match.group()
        if self.pending:
            self.emit("LETTER", 1)
            return
        if run in VARIANCES and _SUBSCRIPT.match(self.text, match.end()):
            self.emit("WORD", len(run), run)
            return
        joined = self.at > 0 and self.text[self.at - 1].isalpha()
        if not joined:
            check_word(self.text, self.at, run, self.names)
        for part in letter_runs(run, self.names):
            self.emit("WORD" if len(part) > 1 else "LETTER", len(part), part)

    # --- macros -------------------------------------------------------------------------------

    def _macro(self) -> None:
        match = _MACRO.match(self.text, self.at)
        if match is None:
            raise ParseError(
                "the text ends with a backslash", where=self.place(self.at), hint="a macro"
            )
        name = match.group()
        if name.endswith("*") and name not in macros.WORDS:
            name = name[:-1]
        special: dict[str, Callable[[str], None]] = {
            "\\\\": self._new_line,
            r"\cr": self._new_line,
            r"\begin": self._environment,
            r"\end": self._environment,
            r"\label": self._argument_away,
            r"\tag": self._argument_away,
            r"\sqrt": self._root,
            r"\left": self._sized,
            r"\right": self._sized,
            r"\middle": self._sized,
        }
        if name in special:
            special[name](name)
        elif name in (r"\[", r"\]", r"\(", r"\)"):
            self.frame.bracket(self.text, self.at, name)
            self.at += 2
        elif name in macros.SPACES:
            if name[1:-1] in ("big", "Big", "bigg", "Bigg") and name[-1] in "lr":
                self._sized(name)
            else:
                self.at += len(name)
        elif name in macros.FENCES:
            self.fence(macros.FENCES[name], len(name))
        elif name in macros.FRACTIONS or name == r"\binom":
            self._not_argument(name)
            self.emit("FRAC", len(name))
            self.pending = 2
        elif name in macros.WORDS or name in macros.FONTS:
            self._word(name)
        else:
            self._plain(name)

    def _plain(self, name: str) -> None:
        width = len(name)
        if name in macros.FUNCTIONS:
            self.emit("FUNC", width)
        elif name in macros.LETTERS:
            self.emit("LETTER", width)
        elif name in macros.OPERATORS:
            # A star as a superscript is a star.
            star = self.pending and name in (r"\ast", r"\star")
            self.emit("OP", width, "*" if star else macros.OPERATORS[name])
        elif name == r"\prime":
            # Beside what it belongs to, without ^, it can only be the prime.
            beside = not self.pending and self.found and self.found[-1].kind in OPERANDS
            self.emit("PRIME" if beside else "OP", width, "'")
        elif name in macros.MARKS:
            self.emit("WORD", width, macros.MARKS[name])
        elif name in macros.REFUSED:
            raise UnknownName(
                f"{name} cannot be part of a formula",
                where=self.place(self.at),
                hint=macros.REFUSED[name],
            )
        else:
            close = nearest(name, macros.known())
            raise UnknownName(
                f"the macro {short(name)[1:-1].replace(2 * chr(92), chr(92))} is not known",
                where=self.place(self.at),
                hint=f"did you mean {close}?" if close else "the formula without own macros",
            )

    def _not_argument(self, name: str) -> None:
        if self.pending:
            raise ParseError(
                f"{name} as an argument needs braces",
                where=self.place(self.at),
                hint=f"{{{name}...}}",
            )

    def _root(self, name: str) -> None:
        self._not_argument(name)
        self.emit("SQRT", len(name))
        self.pending = 1

    def _sized(self, name: str) -> None:
        self.at += len(name)
        self._blank()
        side = "left" if name == r"\left" or name[-1] == "l" else "right"
        found = _MACRO.match(self.text, self.at)
        mark = found.group() if found else self.text[self.at : self.at + 1]
        if name == r"\middle" and mark in ("|", r"\vert"):
            self.emit("OP", len(mark), "mid")
        elif mark in macros.FENCES and name != r"\middle":
            self.fence(macros.FENCES[mark], len(mark), side)
        else:
            raise ParseError(
                f"{name} needs a bracket",
                where=self.place(self.at),
                hint=r"\left( ... \right), \left| ... \right|",
            )

    def _word(self, name: str) -> None:
        start = self.at
        match = _WORD.match(self.text, start + len(name))
        if match is None:
            marks, inner, end = marked(self.text, start)
            if name in macros.FONTS and inner:
                self._marked(marks, inner, end - start)
                return
            if name in macros.FONTS:
                what, hint = f"{name} needs one letter", f"{name}{{x}}', primes after the braces"
            else:
                what, hint = f"{name} needs a word in braces", f"{name}{{erf}}"
            raise ParseError(what, where=self.place(start), hint=hint)
        inner = " ".join((match.group(1) or match.group(2) or "").split())
        if name in macros.FONTS:
            self._marked((name,), inner, match.end() - start)
        elif not inner:
            self.at = match.end()
        else:
            self.emit("WORD", match.end() - start, inner)

    def _marked(self, marks: tuple[str, ...], inner: str, width: int) -> None:
        """A letter in a font: bold letters are vectors, and a bold 1 is the indicator."""
        letter = inner in macros.LETTERS or (len(inner) == 1 and inner.isalpha())
        plain = {*macros.ACCENTS, r"\vec", r"\mathcal"}
        if inner in ("1", "I") and not plain.intersection(marks):
            self.emit("INDICATOR", width)
        elif letter and macros.BOLD | macros.ACCENTS >= set(marks):
            self.emit("LETTER", width, inner)
        else:
            raise UnknownName(
                f"{''.join(marks)}{{{inner[:20]}}} is not known",
                where=self.place(self.at),
                hint="an expectation is given by its value, in closed form"
                if inner in ("E", "P", "V")
                else r"\mathbb{1} for the indicator, \mathbf{x} for a vector, plain letters",
            )

    # --- environments -------------------------------------------------------------------------

    def _blank(self) -> None:
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _new_line(self, name: str) -> None:
        match = _SKIP_LINE.match(self.text, self.at)
        width = match.end() - self.at if match else len(name)
        if self.open:
            self.emit("NEWLINE", width)
        else:
            self.frame.new_line(self.text, self.at)
            self.at += width

    def _ampersand(self) -> None:
        if self.open:
            self.emit("AMP", 1)
        else:
            self.frame.ampersand(self.text, self.at)
            self.at += 1

    def _argument_away(self, name: str) -> None:
        match = re.compile(r"\s*\{[^{}\\$]*\}").match(self.text, self.at + len(name))
        if match is None:
            raise ParseError(f"{name} needs braces", where=self.place(self.at), hint=f"{name}{{a}}")
        self.at = match.end()

    def _environment(self, name: str) -> None:
        match = _ENVIRONMENT.match(self.text, self.at + len(name))
        kind = match.group(1) if match else ""
        width = (match.end() if match else self.at) - self.at
        if kind in macros.TABLES:
            self.emit("BEGIN" if name == r"\begin" else "END", width, macros.TABLES[kind])
        elif kind in macros.FRAMES or kind in macros.FRAMES_MORE:
            self.frame.environment(self.text, self.at, name, kind)
            self.at += width
        else:
            close = nearest(kind, {*macros.TABLES, *macros.FRAMES})
            raise UnknownName(
                f"the environment {short(kind)} is not known",
                where=self.place(self.at),
                hint=f"did you mean {close}?" if close else "equation, align, cases",
            )
