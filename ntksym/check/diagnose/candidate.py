"""An explanation before it is verified, and the comparison of values that suggests it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...language.syntax import Node
from .constants import identify
from .floats import close


@dataclass(frozen=True, slots=True)
class Candidate:
    """A repaired formula with what it would explain.

    Attributes:
        kind: the stable word.
        say: the sentence, made when it is needed.
        tree: the repaired formula.
        weight: small for a small change.
    """

    kind: str
    say: Callable[[], str]
    tree: Node
    weight: int = 1


def saying(text: str) -> Callable[[], str]:
    """A sentence that is known already."""
    return lambda: text


def same(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether two vectors of values agree, at three points at least where there are so many.

    Points where the first has no value (the formula as printed is not real there) do not count
    against it: the enclosures decide later.
    """
    good = 0
    for x, y in zip(a, b, strict=True):
        if math.isnan(x) or math.isnan(y):
            continue
        if not close(x, y):
            return False
        good += 1
    return good >= min(3, len(a))


def ratio(target: Sequence[float], values: Sequence[float], *, exact: bool = True) -> float | None:
    """The constant K with target = K values, or None."""
    found: float | None = None
    good = 0
    for t, v in zip(target, values, strict=True):
        if math.isnan(t) or math.isnan(v):
            continue
        if t == 0 or v == 0:
            if abs(t - v) < 1e-20:
                continue
            return None
        k = t / v
        if found is None:
            found = k
        elif not close(found, k, 1e-9 if exact else 1e-3):
            return None
        good += 1
    return found if good >= min(3, len(target)) else None


def constant(target: Sequence[float], values: Sequence[float], height: int = 400) -> Node | None:
    """The recognised constant K with target = K values, or None."""
    found = ratio(target, values)
    return None if found is None else identify(found, height)
