"""Text to tokens: numbers, names and operators, each with its offset."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

from ..errors import BadActivation, ParseError, TooLarge
from .elsewhere import instead
from .limits import (
    MAX_CHARS,
    MAX_DECIMAL_EXPONENT,
    MAX_DEPTH,
    MAX_NODES,
    MAX_NUMBER_BITS,
)
from .messages import caret, short
from .names import GREEK

_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_STRING = re.compile(r"'[A-Za-z_]*'|\"[A-Za-z_]*\"")
_TAIL = re.compile(r"[0-9_][A-Za-z0-9_]*|")
"""What belongs to a Greek letter: an index. So `\u03c0x` is a product and `\u03c3_w` a name."""
_POSITIVE_PART = re.compile(r"_\+(?=\s*(?:$|[-+*/^)\]},<>\u00b2\u00b3]))")
_OPERATORS = ("**", "<=", ">=", "==", "!=", "//", "*", "/", "<", ">")
_LONGEST_NAME = 63

_SAME = {
    "\u2212": "-",
    "\u2013": "-",
    "\u00b7": "*",
    "\u22c5": "*",
    "\u00d7": "*",
    "\u2217": "*",
    "\u00f7": "/",
    "\u2264": "<=",
    "\u2265": ">=",
    "[": "(",
    "]": ")",
    "{": "(",
    "}": ")",
} | {c: c for c in "+-^(),&|~=?:"}
"""Characters that are a token, and its kind."""
ROOTS = {"\u221a": "sqrt", "\u221b": "cbrt"}
_INSTEAD = {
    "\u221e": "oo",
    "\u21a6": "nothing before the formula: x is the input",
    "=": "nothing: a formula has no = sign",
    "%": instead("mod"),
    "!": "nothing: there is no factorial",
    ";": "a comma between arguments, and a point in decimals: max(0.5*x, 0)",
    ".": "a dot in numbers, or between a module and its function: np.tanh(x)",
    ":": "the formula alone, x is the input; a network, mlp:relu:depth=2, where one is asked for",
    "?": "piecewise((a, x > 0), (b, True)) for a choice",
    "\\": "names without a backslash: tanh(x); `ntksym check --latex` reads LaTeX",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    `kind` is "number", "name", "string", "end", "power" (a raised number), "root", "_+" (the
    positive part), or the operator itself as ASCII spells it; every bracket is of the kind ( or ).
    """

    kind: str
    at: int
    text: str
    value: Fraction | None = None


def tokenize(text: str) -> tuple[Token, ...]:
    """The tokens of `text`, with one of kind "end" last.

    Raises:
        TooLarge: more characters, digits or tokens than the bounds of `limits` allow.
        ParseError: a character that is not part of the language.
    """
    if not isinstance(text, str):
        raise BadActivation(f"text is needed, not {type(text).__name__}")
    if len(text) > MAX_CHARS:
        raise TooLarge(
            f"the text has {len(text)} characters", hint=f"at most {MAX_CHARS} characters"
        )
    tokens: list[Token] = []
    at = depth = 0
    while at < len(text):
        c = text[at]
        if c.isspace():
            at += 1
            continue
        if (kind := _SAME.get(c)) and not text.startswith("==", at):
            # Brackets are counted here, so that a wall of them is refused at its 65th.
            depth += (kind == "(") - (kind == ")")
            if depth > MAX_DEPTH:
                raise TooLarge(
                    f"the formula is nested deeper than {MAX_DEPTH} levels", where=caret(text, at)
                )
            token, width = Token(kind, at, c), 1
        else:
            token, width = _next(text, at)
        tokens.append(token)
        # Every operand is a node; signs, operators, commas and brackets are the other tokens.
        if len(tokens) > 3 * MAX_NODES:
            raise TooLarge(f"the formula has more than {MAX_NODES} parts", where=caret(text, at))
        at += width
    return (*tokens, Token("end", len(text), ""))


def _next(text: str, at: int) -> tuple[Token, int]:
    """The token at `at` and its width, where it is not one of `_SAME`."""
    c = text[at]
    if c in GREEK:
        tail = _TAIL.match(text, at + 1)
        rest = tail.group() if tail else ""
        token, width = Token("name", at, GREEK[c] + rest), 1 + len(rest)
    elif found := _NUMBER.match(text, at):
        token = Token("number", at, found.group(), _number(text, at, found.group()))
        return token, len(token.text)
    elif _POSITIVE_PART.match(text, at):
        return Token("_+", at, "_+"), 2
    elif found := _NAME.match(text, at):
        name = found.group()
        # x_+ is the positive part of x where nothing follows that could be added.
        if len(name) > 1 and name[-1] == "_" and _POSITIVE_PART.match(text, found.end() - 1):
            name = name[:-1]
        token = Token("name", at, name)
        width = len(name)
    elif found := _STRING.match(text, at):
        return Token("string", at, found.group()), len(found.group())
    else:
        return _sign(text, at)
    if len(token.text) > _LONGEST_NAME:
        raise TooLarge(
            f"the name {short(token.text)} has {len(token.text)} characters",
            where=caret(text, at),
            hint=f"at most {_LONGEST_NAME} characters",
        )
    return token, width


def _sign(text: str, at: int) -> tuple[Token, int]:
    """An operator, a root, a raised number or a fraction that is one character."""
    c = text[at]
    for op in _OPERATORS:
        if text.startswith(op, at):
            return Token(op, at, op), len(op)
    if c in ROOTS:
        return Token("root", at, c), 1
    kind, _, _ = unicodedata.decomposition(c).partition(" ")
    if kind == "<fraction>":
        over, _, under = unicodedata.normalize("NFKC", c).partition("\u2044")
        if under:
            return Token("number", at, c, Fraction(int(over), int(under))), 1
    end = at
    while end < len(text) and unicodedata.decomposition(text[end]).startswith("<super>"):
        end += 1
    digits = unicodedata.normalize("NFKC", text[at:end]).replace("\u2212", "-")
    if re.fullmatch("-?[0-9]+", digits):
        value = _number(text, at, digits.lstrip("-")) * (-1 if digits[0] == "-" else 1)
        return Token("power", at, text[at:end], value), end - at
    raise foreign(text, at)


def foreign(text: str, at: int) -> ParseError:
    """The error of a character that is not part of the language, or not there."""
    c = text[at]
    shown = repr(c) if c.isprintable() else f"U+{ord(c):04X}"
    hint = "ASCII letters, digits and + - * / ^ ( ) , < > and Greek letters"
    if c in _INSTEAD:
        hint = _INSTEAD[c]
    elif c in "'\"":
        hint = "a formula without quotes inside it"
    return ParseError(
        f"the character {shown} is not part of the language", where=caret(text, at), hint=hint
    )


def _number(text: str, at: int, source: str) -> Fraction:
    mantissa, _, exponent = source.lower().partition("e")
    whole, _, decimals = mantissa.partition(".")
    digits = (whole + decimals).lstrip("0")
    # 10**77 < 2**256 < 10**78: compare lengths before int() sees the digits.
    if len(digits) > 78 or (digits and int(digits).bit_length() > MAX_NUMBER_BITS):
        raise TooLarge(
            f"a number of {len(digits)} digits",
            where=caret(text, at),
            hint=f"at most {MAX_NUMBER_BITS} bits, which is 77 digits",
        )
    if len(exponent) > 6 or abs(int(exponent or 0)) > MAX_DECIMAL_EXPONENT or len(decimals) > 600:
        raise TooLarge(
            "a decimal exponent out of range",
            where=caret(text, at),
            hint=f"exponents from -{MAX_DECIMAL_EXPONENT} to {MAX_DECIMAL_EXPONENT}",
        )
    power = int(exponent or 0) - len(decimals)
    value = int(digits or 0)
    return Fraction(value * 10**power) if power >= 0 else Fraction(value, 10**-power)
