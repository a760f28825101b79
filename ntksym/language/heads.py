"""What stands before a formula: `lambda z:`, `f(z) =`, `y =`, `z -> `; the letter of its input."""

from __future__ import annotations

import re

_LETTER = r"(?P<letter>[A-Za-z]\w*)"
_NAME = r"(?:[A-Za-z]\w*|[\u03b1-\u03c9\u03d5])"
_HEADS = tuple(
    re.compile(head, re.ASCII)
    for head in (
        rf"lambda\s++{_LETTER}\s*+:",
        rf"{_LETTER}\s*+(?:\u21a6|\u27fc|->|=>)",
        rf"\(\s*+{_LETTER}\s*+\)\s*+(?:\u21a6|\u27fc|->|=>)",
        rf"{_NAME}\s*+\(\s*+{_LETTER}\s*+\)\s*+:?=(?!=)",
        rf"(?!x\s*+:?=){_NAME}\s*+:?=(?!=)",
    )
)


def without_head(text: str) -> tuple[str, str]:
    """The formula, blank where its head was so that columns stay, and the name of its input.

    The input is `x` where the head names none.
    """
    start = len(text) - len(text.lstrip())
    for head in _HEADS:
        if found := head.match(text, start):
            letter = found.groupdict().get("letter") or "x"
            return " " * found.end() + text[found.end() :], letter
    return text, "x"
