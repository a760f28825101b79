"""Monomials K x^a y^b ... in the variables, and simple factors, that fit a vector of values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ...language.syntax import Node
from .constants import identify, scaled
from .floats import close
from .ground import Ground
from .trees import name, number, power, product, quotient, root

_TOLERANCE = 3e-7
_SLACK = Fraction(1, 10**7)
_LARGEST = 6


@dataclass(frozen=True, slots=True)
class Basis:
    """Names and simple expressions, with their values at the samples.

    Attributes:
        variables: names that are independent of each other.
        atoms: other expressions.
    """

    variables: tuple[tuple[Node, tuple[float, ...]], ...]
    atoms: tuple[tuple[Node, tuple[float, ...]], ...]


def basis(g: Ground, atoms: Sequence[tuple[Node, Sequence[float]]]) -> Basis:
    """The basis of a search: the variables apart from the rest."""
    variables = []
    for n in g.vocabulary:
        expr = g.symbol(n)
        if expr is not None and expr.is_Symbol and n != "n":
            values = tuple(g.vector(name(n)))
            if not any(math.isnan(v) or v == 0 for v in values) and len(set(values)) > 1:
                variables.append((name(n), values))
    rest = [(a, tuple(v)) for a, v in atoms if a not in {x for x, _ in variables}]
    return Basis(tuple(variables), tuple(rest))


def fit(values: Sequence[float], b: Basis, height: int = 64) -> Node | None:
    """K times a monomial in the variables, or times a power of one atom, that has these values."""
    good = [i for i, v in enumerate(values) if math.isfinite(v) and abs(v) > 1e-200]
    if len(good) < min(3, len(values)) or not good or 2 * len(good) < len(values):
        return None
    found = _constant([values[i] for i in good], height)
    if found is not None:
        return found
    found = _monomial(values, good, b, height)
    if found is not None:
        return found
    for atom, at in b.atoms:
        e = _exponent(values, at, good)
        if e is None:
            continue
        rest = [_divide(values[i], at[i], e) for i in good]
        k = _constant(rest, height)
        if k is not None:
            return _with(k, [(atom, e)])
    return None


def _constant(values: Sequence[float], height: int) -> Node | None:
    if not all(close(v, values[0], _TOLERANCE) for v in values):
        return None
    middle = sorted(values)[len(values) // 2]
    return identify(middle, height, _SLACK)


def _exponent(values: Sequence[float], at: Sequence[float], good: list[int]) -> Fraction | None:
    """The exponent that two points suggest, a multiple of a half."""
    i = good[0]
    for j in good[1:]:
        if at[i] == 0 or at[j] == 0 or math.isnan(at[i]) or math.isnan(at[j]):
            return None
        step = math.log(abs(at[i] / at[j]))
        if abs(step) > 1e-3:
            return _half(math.log(abs(values[i] / values[j])) / step)
    return None


def _half(e: float) -> Fraction | None:
    near = round(2 * e)
    if near == 0 or abs(2 * e - near) > 1e-4 or abs(near) > 2 * _LARGEST:
        return None
    return Fraction(near, 2)


def _divide(v: float, base: float, e: Fraction) -> float:
    """The quotient v / base^e; NaN where that is not real or no double, as at large variances."""
    try:
        if e.denominator == 1:
            return v / base ** int(e)
        return v / base ** float(e) if base > 0 else math.nan
    except (OverflowError, ZeroDivisionError):
        return math.nan


def _monomial(values: Sequence[float], good: list[int], b: Basis, height: int) -> Node | None:
    count = len(b.variables)
    if count < 1 or len(good) < count + 2:
        return None
    rows = [
        [1.0, *(math.log(abs(at[i])) for _, at in b.variables), math.log(abs(values[i]))]
        for i in good
    ]
    solution = _solved(rows, count + 1)
    if solution is None:
        return None
    exponents = []
    for e in solution[1:]:
        near = round(2 * e)
        if abs(2 * e - near) > 1e-4 or abs(near) > 2 * _LARGEST:
            return None
        exponents.append(Fraction(near, 2))
    parts = [(node, at, e) for (node, at), e in zip(b.variables, exponents, strict=True) if e]
    rest = []
    for i in good:
        v = values[i]
        for _, at, exponent in parts:
            v = _divide(v, at[i], exponent)
        rest.append(v)
    k = _constant(rest, height)
    return None if k is None else _with(k, [(node, e) for node, _, e in parts])


def _solved(rows: list[list[float]], count: int) -> list[float] | None:
    """The solution of the first independent `count` equations, or None."""
    m = [row[:] for row in rows]
    for c in range(count):
        p = max(range(c, len(m)), key=lambda r: abs(m[r][c]))
        if abs(m[p][c]) < 1e-6:
            return None
        m[c], m[p] = m[p], m[c]
        for r in range(c + 1, len(m)):
            f = m[r][c] / m[c][c]
            if f:
                m[r] = [x - f * y for x, y in zip(m[r], m[c], strict=True)]
    if any(abs(row[count]) > 1e-5 for row in m[count:]):
        return None
    out = [0.0] * count
    for c in reversed(range(count)):
        rest = m[c][count] - sum(m[c][j] * out[j] for j in range(c + 1, count))
        out[c] = rest / m[c][c]
    return out


def _with(k: Node, parts: list[tuple[Node, Fraction]]) -> Node:
    """The product, halves collected under one root and negative powers under one bar."""
    above = _powers([(n, e) for n, e in parts if e > 0])
    below = _powers([(n, -e) for n, e in parts if e < 0])
    whole = quotient(above, below)
    return whole if k == number(1) else scaled(k, whole)


def _powers(parts: list[tuple[Node, Fraction]]) -> Node:
    whole = [n if e // 1 == 1 else power(n, int(e // 1)) for n, e in parts if e >= 1]
    half = [n for n, e in parts if e % 1]
    return product(*whole, *([root(product(*half))] if half else []))


__all__ = ["Basis", "basis", "fit"]
