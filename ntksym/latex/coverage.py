"""Whether the pieces of a function cover the line, as `x < -1`, `-1 <= x <= 1`, `x > 1` do."""

from __future__ import annotations

from dataclasses import replace

from ..language.syntax import Compare, Name, Node, Pair, Truth
from ..language.tree_text import write

_LEFT, _RIGHT = "-oo", "oo"


def covered(pairs: list[Pair]) -> list[Pair]:
    """The pieces, with the last one for all that is left where together they cover the line.

    Single points between `x < 0` and `x > 0` then go to the last piece.  Ends are compared as they
    are written, so that the pieces cover the line whatever the values of parameters are; where
    that is not seen, the pieces stay as they are.
    """
    last = pairs[-1] if pairs else None
    if last is None or isinstance(last.condition, Truth):
        return pairs
    spans = [_span(p.condition) for p in pairs]
    if len({s[0] for s in spans if s}) != 1 or None in spans:
        return pairs
    reached, ends = {_LEFT}, {(s[1], s[2]) for s in spans if s}
    while found := {high for low, high in ends if low in reached} - reached:
        reached |= found
    if _RIGHT not in reached:
        return pairs
    return [*pairs[:-1], replace(last, condition=Truth(last.at, True))]


def _span(condition: Node) -> tuple[str, str, str] | None:
    """The variable of a condition, and the ends between which it holds; None for other forms."""
    if not isinstance(condition, Compare):
        return None
    nodes = [condition.first, *(n for _, n in condition.rest)]
    upward = {op[0] for op, _ in condition.rest}
    if len(upward) != 1 or len(nodes) > 3:
        return None
    if upward == {">"}:
        nodes.reverse()
    middle = 1 if len(nodes) == 3 else (0 if isinstance(nodes[0], Name) else 1)
    variable = nodes[middle]
    if not isinstance(variable, Name):
        return None
    low = write(nodes[middle - 1]) if middle else _LEFT
    high = write(nodes[middle + 1]) if middle + 1 < len(nodes) else _RIGHT
    return variable.name, low, high
