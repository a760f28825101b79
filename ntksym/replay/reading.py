"""Read a certificate file without trusting it: size, nesting, numbers and keys are bounded."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from .problem import BadCertificate

MOST_BYTES = 32_000_000
MOST_NESTING = 200
MOST_DIGITS = 4000


def read(path: str | Path) -> Any:
    """The JSON data of a file.

    Raises:
        BadCertificate: not readable, too large, nested too deeply, or not JSON of whole numbers.
    """
    try:
        with Path(path).open("rb") as stream:
            raw = stream.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise BadCertificate(f"the file cannot be read: {error}") from None
    return parse(raw)


def parse(raw: bytes) -> Any:
    """The data in JSON bytes; floats, NaN, huge integers and repeated keys are refused.

    Raises:
        BadCertificate: as `read`.
    """
    if len(raw) > MOST_BYTES:
        raise BadCertificate(f"more than {MOST_BYTES} bytes")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadCertificate(f"not UTF-8 text: {error.reason} at byte {error.start}") from None
    _check_nesting(text)
    try:
        return json.loads(
            text,
            parse_int=_integer,
            parse_float=_no_float,
            parse_constant=_no_float,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as error:
        raise BadCertificate(
            f"not JSON: {error.msg}", f"line {error.lineno} column {error.colno}"
        ) from None


def _check_nesting(text: str) -> None:
    depth, quoted, escaped = 0, False, False
    for c in text:
        if quoted:
            if escaped:
                escaped = False
            elif c == "\\":
                escaped = True
            elif c == '"':
                quoted = False
        elif c == '"':
            quoted = True
        elif c in "[{":
            depth += 1
            if depth > MOST_NESTING:
                raise BadCertificate(f"nested more than {MOST_NESTING} deep")
        elif c in "]}":
            depth -= 1


def _integer(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise BadCertificate(f"an integer of {len(text)} digits")
    return int(text)


def _no_float(text: str) -> Any:
    raise BadCertificate(f"{text[:30]} is not an exact number; only whole numbers and texts occur")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadCertificate("a key is repeated in one object")
    return found


def field(data: Any, key: str, kind: type, where: str) -> Any:
    """The value at `key`, of exactly that type.

    Raises:
        BadCertificate: missing, or of another type.
    """
    if not isinstance(data, dict) or key not in data:
        raise BadCertificate(f"the key {key!r} is missing", where)
    value = data[key]
    if type(value) is not kind:
        raise BadCertificate(f"{key!r} is not of the type {kind.__name__}", where)
    return value


def integer(value: Any, low: int, high: int, where: str) -> int:
    """A whole number between bounds.

    Raises:
        BadCertificate: something else.
    """
    if type(value) is not int or not low <= value <= high:
        raise BadCertificate(f"not a whole number from {low} to {high}", where)
    return value


def rational(value: Any, where: str) -> Fraction:
    """The exact number in a text such as "-3/2".

    Raises:
        BadCertificate: not such a text, or too long.
    """
    if type(value) is not str or len(value) > MOST_DIGITS:
        raise BadCertificate("not a rational number as text", where)
    top, slash, bottom = value.partition("/")
    if not _digits(top.removeprefix("-")) or (slash and not _digits(bottom)):
        raise BadCertificate(f"{value[:40]!r} is not a rational number such as '-3/2'", where)
    den = int(bottom) if slash else 1
    if den == 0:
        raise BadCertificate("a denominator is zero", where)
    return Fraction(int(top), den)


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
