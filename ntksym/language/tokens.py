"""Text to tokens: numbers, names and operators, each with its offset."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from ..errors import BadActivation, ParseError, TooLarge
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
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TAIL = re.compile(r"[A-Za-z0-9_]*")
_SINGLE = frozenset("+-^(),&|~")
"""Operators of one character that start no longer one."""
_OPERATORS = ("**", "<=", ">=", "==", "!=", "//", "*", "/", "<", ">")
_LONGEST_NAME = 63

_INSTEAD = {
    "\u2212": "-",
    "\u2013": "-",
    "\u00b7": "*",
    "\u00d7": "*",
    "\u2217": "*",
    "\u00f7": "/",
    "\u221a": "sqrt(...)",
    "\u00b2": "**2",
    "\u00b3": "**3",
    "\u221e": "oo",
    "\u2264": "<=",
    "\u2265": ">=",
    "[": "(",
    "]": ")",
    "{": "(",
    "}": ")",
    "=": "nothing: a formula has no = sign",
    "%": "nothing: there is no remainder",
    "!": "nothing: there is no factorial",
    ";": ",",
    ".": "names without a module: tanh(x), not np.tanh(x)",
    ":": "the formula alone, x is the input; or a network with its kind, mlp:relu:depth=2",
    "?": "piecewise((a, x > 0), (b, True)) for a choice",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One token: `kind` is "number", "name", "end", or the operator itself."""

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
        if c in " \t\r\n":
            at += 1
            continue
        if c in _SINGLE:
            # Brackets are counted here, so that a wall of them is refused at its 65th.
            depth += (c == "(") - (c == ")")
            if depth > MAX_DEPTH:
                raise TooLarge(
                    f"the formula is nested deeper than {MAX_DEPTH} levels", where=caret(text, at)
                )
            token, width = Token(c, at, c), 1
        else:
            token, width = _next(text, at)
        tokens.append(token)
        # Every operand is a node; signs, operators, commas and brackets are the other tokens.
        if len(tokens) > 3 * MAX_NODES:
            raise TooLarge(f"the formula has more than {MAX_NODES} parts", where=caret(text, at))
        at += width
    return (*tokens, Token("end", len(text), ""))


def _next(text: str, at: int) -> tuple[Token, int]:
    """The token at `at` and its width, where it is not one of `_SINGLE`."""
    c = text[at]
    if c in "*/<>":
        token = _operator(text, at)
        return token, len(token.text)
    if c in GREEK:
        tail = _TAIL.match(text, at + 1)
        rest = tail.group() if tail else ""
        token, width = Token("name", at, GREEK[c] + rest), 1 + len(rest)
    elif found := _NUMBER.match(text, at):
        token = Token("number", at, found.group(), _number(text, at, found.group()))
        return token, len(token.text)
    elif found := _NAME.match(text, at):
        token = Token("name", at, found.group())
        width = len(token.text)
    else:
        token = _operator(text, at)
        return token, len(token.text)
    if len(token.text) > _LONGEST_NAME:
        raise TooLarge(
            f"the name {short(token.text)} has {len(token.text)} characters",
            where=caret(text, at),
            hint=f"at most {_LONGEST_NAME} characters",
        )
    return token, width


def _operator(text: str, at: int) -> Token:
    for op in _OPERATORS:
        if text.startswith(op, at):
            return Token(op, at, op)
    c = text[at]
    shown = repr(c) if c.isprintable() else f"U+{ord(c):04X}"
    hint = "ASCII letters, digits and + - * / ^ ( ) , < > and Greek letters"
    if c in _INSTEAD:
        hint = _INSTEAD[c]
    elif c in "'\"":
        hint = "a formula without quotes inside it"
    raise ParseError(
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
