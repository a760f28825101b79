"""Gaussian expectations of many functions in floats on one grid: a filter, never evidence.

Nodes are split at zero, where most kinks are; functions with other kinks come out to three or four
digits, which is enough to choose whom to ask for an enclosure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from ...language import to_text
from ...language.parser import read_tree
from ...language.syntax import Node
from .floats import NAN, Place
from .special import gauss_legendre

_NODES = 20
_WIDTH = 7.0


class Pair:
    """The law of (u, v) at one point, with weights for E[f(u) f(v)] and its derivative in q12."""

    def __init__(
        self, q11: float, q12: float, q22: float, m1: float = 0.0, m2: float = 0.0
    ) -> None:
        self.u, self.v = _axis(m1, q11), _axis(m2, q22)
        det = q11 * q22 - q12 * q12
        scale = 1 / (2 * math.pi * math.sqrt(det))
        self.weights: list[list[float]] = []
        self.slopes: list[list[float]] = []
        for a, wa in self.u:
            row, slope = [], []
            for b, wb in self.v:
                x, y = a - m1, b - m2
                energy = (q22 * x * x - 2 * q12 * x * y + q11 * y * y) / (2 * det)
                w = wa * wb * scale * math.exp(-energy)
                score = (q22 * x - q12 * y) * (q11 * y - q12 * x) / det**2 + q12 / det
                row.append(w)
                slope.append(w * score)
            self.weights.append(row)
            self.slopes.append(slope)

    def expect(self, f: Node, *, slope: bool = False) -> float:
        """E[f(u) f(v)], or its derivative in q12, which is E[f'(u) f'(v)]."""
        fu = _values(f, self.u)
        fv = _values(f, self.v)
        matrix = self.slopes if slope else self.weights
        return math.fsum(
            a * math.fsum(w * b for w, b in zip(row, fv, strict=True))
            for a, row in zip(fu, matrix, strict=True)
        )


class Single:
    """The law of u at one point."""

    def __init__(self, q: float, m: float = 0.0) -> None:
        self.u = tuple(
            (a, w * math.exp(-((a - m) ** 2) / (2 * q)) / math.sqrt(2 * math.pi * q))
            for a, w in _axis(m, q)
        )

    def expect(self, f: Node, exponent: int) -> float:
        """E[f(u)^exponent]."""
        return math.fsum(
            w * v**exponent for (_, w), v in zip(self.u, _values(f, self.u), strict=True)
        )


def _axis(m: float, q: float) -> tuple[tuple[float, float], ...]:
    low, high = m - _WIDTH * math.sqrt(q), m + _WIDTH * math.sqrt(q)
    cuts = [low, 0.0, high] if low < 0 < high else [low, (low + high) / 2, high]
    return tuple(
        ((a + b) / 2 + (b - a) / 2 * t, (b - a) / 2 * w)
        for a, b in pairwise(cuts)
        for t, w in gauss_legendre(_NODES)
    )


def _values(f: Node, axis: Sequence[tuple[float, float]]) -> list[float]:
    out = []
    for at, _ in axis:
        value = Place({"x": at}).value(f)
        out.append(value if abs(value) < 1e60 else NAN)
    return out


@lru_cache(maxsize=1)
def closed_entries() -> tuple[tuple[str, str, Node], ...]:
    """(name, text, tree) of every catalogue entry without parameters."""
    from ...activations import catalogue

    found = []
    for entry in catalogue():
        if not entry.params:
            text = to_text(entry.expr)
            found.append((entry.name, entry.name, read_tree(text)))
    for text in ("erf(x/sqrt(2))", "erf(sqrt(pi)*x/2)", "erf(x*sqrt(2))", "sign(x)*x**2",
                 "cos(x) + sin(x)", "exp(-x**2)", "exp(-x)"):  # fmt: skip
        found.append((text, text, read_tree(text)))
    return tuple(found)
