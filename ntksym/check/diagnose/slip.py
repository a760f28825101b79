"""The smallest single edit that makes the formula hold, alone or with a constant factor."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ...language.syntax import Node
from ...language.tree_text import write
from .candidate import Candidate, saying
from .constants import identify, scaled
from .edits import Edit, edits, exchanges
from .floats import close
from .ground import Ground
from .trees import Path, number, put, size

_FEW = 4


def mistaken(g: Ground) -> Iterator[Candidate]:
    """One function where another is meant, acos for asin, after which the values agree."""
    points = _points(g)
    for path, edit in exchanges(g.tree) if points else ():
        if all(close(_value(g, i, path, edit), g.target[i], 1e-7) for i in points):
            yield Candidate("slip", edit.say, put(path, edit.new), edit.weight)


def slips(g: Ground) -> Iterator[Candidate]:
    """Edits after which the values agree, small ones first; then those that leave a factor."""
    points = _points(g)
    if not points:
        return
    exact: list[tuple[int, int, int, Path, Edit]] = []
    factored: list[tuple[int, int, int, Path, Edit, Node]] = []
    for number_, (path, edit) in enumerate(edits(g.tree, g.vocabulary)):
        if number_ % 256 == 0 and g.late:
            break
        first = _value(g, points[0], path, edit)
        goal = g.target[points[0]]
        if close(first, goal, 1e-7):
            if all(close(_value(g, i, path, edit), g.target[i], 1e-7) for i in points[1:]):
                exact.append((edit.weight, size(edit.new), number_, path, edit))
        elif len(points) > 2 and first and math.isfinite(first):
            k = goal / first
            if all(close(k * _value(g, i, path, edit), g.target[i], 1e-9) for i in points[1:]):
                constant = identify(k, 64)
                if constant is not None:
                    row = (edit.weight, size(edit.new), number_, path, edit, constant)
                    factored.append(row)
    for _, _, _, path, edit in sorted(exact, key=lambda t: t[:3]):
        yield Candidate("slip", edit.say, put(path, edit.new), edit.weight)
    for _, _, _, path, edit, constant in sorted(
        factored, key=lambda t: (t[0], size(t[5]), *t[1:3])
    ):
        if constant != number(1):
            text = f"{edit.say()}, and a factor {write(constant)} is missing"
            tree = scaled(constant, put(path, edit.new))
            yield Candidate("slip", saying(text), tree, 10 + edit.weight)


def _value(g: Ground, i: int, path: Path, edit: Edit) -> float:
    place = g.places[i]
    return place.upward(path, place.value(edit.new))


def _points(g: Ground) -> list[int]:
    """A few samples where the target is a number that is not tiny."""
    usable = [i for i, t in enumerate(g.target) if math.isfinite(t) and abs(t) > 1e-9]
    count = len(usable)
    if count <= _FEW:
        return usable
    # far apart in the list, which runs from generic points to extreme ones
    return [usable[i] for i in (0, 1, 2, count // 2)]
