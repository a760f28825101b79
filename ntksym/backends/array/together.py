"""Calls of one long function on several arguments, written as one call.

A compiler of whole modules writes the code of a function again for each of its calls: in the dual
of SELU 41 times that of erfcx.  Calls that do not need each other take their arguments stacked
along a new first axis.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

LONG = frozenset({"_expPhi2", "_Phi2", "_expPhi", "_Phi", "_mills"})
"""Functions whose code is longer than that of taking arguments together."""
_CALL = re.compile(r"(\w+)\((.*)\)")

Line = tuple[str, str]


def together(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The same lines, names and values, in another order, with calls of `LONG` functions joined.

    What is short goes before what is long; of the long functions whose arguments are there, first
    one that is not waited for by calls of itself.
    """
    left, made = list(lines), []
    while left:
        kept, short = _without_long(left)
        made += short
        left = kept
        ready = _ready(left)
        if not ready:
            break
        waiting = {_long(value) for line in left if line not in ready for value in line[1:]}
        names = list(dict.fromkeys(_long(value) for _, value in ready))
        chosen = next((n for n in names if n not in waiting), names[0])
        calls = [line for line in ready if _long(line[1]) == chosen]
        made.append(_joined(chosen, calls))
        left = [line for line in left if line not in calls]
    return tuple(made)


def _long(value: str) -> str:
    """The long function that a value is one call of, or nothing."""
    found = _CALL.fullmatch(value)
    if found is None or found[1] not in LONG:
        return ""
    depth = 0
    for k, letter in enumerate(found[2]):
        depth += (letter == "(") - (letter == ")")
        if depth < 0 and k < len(found[2]):
            return ""  # the last parenthesis is that of another call
    return found[1]


def _needs(value: str, names: set[str]) -> bool:
    return not names.isdisjoint(re.findall(r"\w+", value))


def _without_long(lines: list[Line]) -> tuple[list[Line], list[Line]]:
    """Long calls and what needs them; the other lines."""
    kept: list[Line] = []
    short: list[Line] = []
    names: set[str] = set()
    for line in lines:
        if _long(line[1]) or _needs(line[1], names):
            kept.append(line)
            names.add(line[0])
        else:
            short.append(line)
    return kept, short


def _ready(lines: list[Line]) -> list[Line]:
    """The long calls that need no other line."""
    names = {name for name, _ in lines}
    return [line for line in lines if _long(line[1]) and not _needs(line[1], names)]


def _joined(function: str, calls: list[Line]) -> Line:
    if len(calls) == 1:
        return calls[0]
    given = ((value.removeprefix(f"{function}(").removesuffix(")")) for _, value in calls)
    rows = ", ".join(f"({arguments},)" for arguments in given)
    return ", ".join(name for name, _ in calls), f"_together({function}, {rows})"
