"""Pieces of generated text that more than one target writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from ..numeric.arith import upward as upward

Rows = Iterable[Iterable[Sequence[float]]]


def filled(text: str, marks: Mapping[str, object]) -> str:
    """The text with every mark replaced, one after the other: a value may have later marks."""
    for mark, value in marks.items():
        text = text.replace(mark, str(value))
    return text


def closure(wanted: Iterable[str], needs: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """The wanted names, what they need, what that needs."""
    found: set[str] = set()
    left = list(wanted)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += needs.get(name, ())
    return frozenset(found)


class _Bounded(Protocol):
    """A proven bound, and the names and sizes of what it is the sum of."""

    @property
    def error(self) -> float: ...

    @property
    def parts(self) -> Iterable[tuple[str, float]]: ...


def bound_lines(
    value: _Bounded, dot: _Bounded, how: str = "the sum of", least: float = 1e-30
) -> list[str]:
    """The proven bounds of both duals of a table, with their parts from `least` on."""
    lines = []
    for what, one in (("value", value), ("derivative", dot)):
        lines.append(f"  {what} {upward(one.error)}, {how}")
        lines += [f"    {upward(size)} {name}" for name, size in one.parts if size >= least]
    return lines


def tuple_text(values: Sequence[float]) -> str:
    """Python text of a tuple of doubles in one line, each to the bit."""
    return "(" + ", ".join(map(repr, values)) + ("," if len(values) == 1 else "") + ")"


def column_text(values: Iterable[float]) -> str:
    """The same, a line for each."""
    return "(\n" + "".join(f"    {v!r},\n" for v in values) + ")"


def rows_text(rows: Rows) -> str:
    """Python text of the coefficients of a polynomial, a line for each power."""
    planes = []
    for plane in rows:
        lines = ",\n        ".join(tuple_text(line) for line in plane)
        planes.append(f"    (\n        {lines},\n    ),\n")
    return "(\n" + "".join(planes) + ")"
