"""What would have to stand at a place: the formula inverted down to each node.

At every node the value that makes the formula true is computed at every sample, and recognised:
the node times, plus, or replaced by, a constant times a monomial or a simple expression.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from statistics import NormalDist

from ...language.syntax import Call, Name, Negate, Node, Number, Power, Product, Sum, children
from ...language.table import canonical
from ...language.tree_text import write
from .atoms import atoms
from .candidate import Candidate
from .constants import identify, scaled
from .floats import NAN, Place, close
from .ground import Ground
from .monomial import Basis, basis, fit
from .trees import (
    Path,
    call,
    name,
    number,
    power,
    product,
    put,
    size,
    total,
)
from .words import short

_NORMAL = NormalDist()


def holes(g: Ground) -> Iterator[Candidate]:
    """Repairs of one node by a recognised factor, term or replacement."""
    if g.single or not any(g.values):
        return
    b = basis(g, atoms(g))
    yield from _down(g, g.tree, (), list(g.target), b)


def _down(g: Ground, node: Node, path: Path, needed: list[float], b: Basis) -> Iterator[Candidate]:
    if g.late:
        return
    values = g.vector(node)
    good = sum(1 for n in needed if math.isfinite(n))
    if good < 3:
        return
    yield from _here(g, node, path, needed, values, b)
    for i, child in enumerate(children(node)):
        below = [
            NAN if math.isnan(n) else _inverse(p, node, i, n)
            for p, n in zip(g.places, needed, strict=True)
        ]
        yield from _down(g, child, (*path, (node, i)), below, b)


def _here(
    g: Ground, node: Node, path: Path, needed: list[float], values: list[float], b: Basis
) -> Iterator[Candidate]:
    ratios = [n / v if v else NAN for n, v in zip(needed, values, strict=True)]
    gaps = [
        n - v if abs(n - v) > 1e-11 * (abs(n) + abs(v)) else NAN
        for n, v in zip(needed, values, strict=True)
    ]
    leaf = isinstance(node, (Number, Name))
    extra = fit(ratios, b)
    if extra is not None and extra != number(1):
        yield _found(f"the factor {write(extra)} is missing at {short(node)}", path,
                     scaled(extra, node) if not leaf else product(node, extra), 4)  # fmt: skip
    extra = fit(gaps, b)
    if extra is not None:
        sign, term = (-1, extra.operand) if isinstance(extra, Negate) else (1, extra)
        word = "is missing" if sign > 0 else "is not subtracted"
        yield _found(f"the term {write(term)} {word} at {short(node)}", path,
                     total((1, node), (sign, term)), 5, term)  # fmt: skip
    other = fit(needed, b)
    if other is not None:
        yield _found(f"{short(node)} where {write(other)} is meant", path, other, 4 + (not leaf))
    e = _power(needed, values)
    if e is not None and not leaf:
        yield _found(f"the exponent {write(e)} is missing at {short(node)}", path,
                     power(node, e), 4)  # fmt: skip
    if not isinstance(node, Number):
        yield from _indexed(g, node, path, needed, values)
    logs = [math.log(r) if r > 0 and not close(r, 1.0) else NAN for r in ratios]
    inside = fit(logs, b, 32)
    if inside is not None and any(isinstance(n, Name) for n in _nodes(inside)):
        factor = call("exp", inside)
        yield _found(f"the factor {write(factor)} is missing at {short(node)}", path,
                     product(node, factor), 5)  # fmt: skip


def _indexed(
    g: Ground, node: Node, path: Path, needed: list[float], values: list[float]
) -> Iterator[Candidate]:
    """An exponent K n that is missing."""
    if "n" not in g.vocabulary:
        return
    found: list[float] = []
    for p, n, v in zip(g.places, needed, values, strict=True):
        index = p.names["n"]
        if index and n > 0 and v > 0 and abs(math.log(v)) > 1e-3:
            found.append(math.log(n) / math.log(v) / index)
    if len(found) < 3 or not all(close(k, found[0], 1e-7) for k in found):
        return
    k = identify(found[0], 16)
    if k is not None:
        e = scaled(k, name("n"))
        text = f"the exponent {write(e)} is missing at {short(node)}"
        yield _found(text, path, power(node, e), 4)


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in children(node):
        yield from _nodes(child)


def _found(text: str, path: Path, new: Node, weight: int, added: Node | None = None) -> Candidate:
    """A repair; the shortest is tried first, by what is added to a node or stands in its place."""
    cost = 10 * weight + size(new if added is None else added)
    return Candidate("slip", lambda: text, put(path, new), cost)


def _power(needed: list[float], values: list[float]) -> Node | None:
    """The exponent e with needed = values^e, a simple number."""
    found: float | None = None
    for n, v in zip(needed, values, strict=True):
        if not (math.isfinite(n) and math.isfinite(v)):
            continue
        if n <= 0 or v <= 0 or abs(math.log(v)) < 1e-3:
            return None
        e = math.log(n) / math.log(v)
        if found is not None and not close(found, e, 1e-6):
            return None
        found = e
    if found is None or close(found, 1.0) or abs(found) > 12:
        return None
    near = round(4 * found)
    return identify(near / 4) if near and abs(4 * found - near) < 1e-4 else None


def _inverse(place: Place, node: Node, i: int, needed: float) -> float:
    """The value of child `i` with which the node has the value needed; NaN where unknown."""
    try:
        return _inverted(place, node, i, needed)
    except (ValueError, ZeroDivisionError, OverflowError):
        return NAN


def _inverted(place: Place, node: Node, i: int, needed: float) -> float:
    match node:
        case Negate():
            return -needed
        case Sum():
            others = math.fsum(s * place.value(t) for j, (s, t) in enumerate(node.terms) if j != i)
            return node.terms[i][0] * (needed - others)
        case Product():
            rest = 1.0
            for j, (e, f) in enumerate(node.factors):
                if j != i:
                    rest = rest * place.value(f) if e > 0 else rest / place.value(f)
            return needed / rest if node.factors[i][0] > 0 else rest / needed
        case Power():
            base, exponent = place.value(node.base), place.value(node.exponent)
            if i == 1:
                return math.log(needed) / math.log(base)
            if needed < 0:
                return -((-needed) ** (1 / exponent)) if exponent % 2 == 1 else NAN
            size_ = float(needed ** (1 / exponent))
            return -size_ if base < 0 and exponent % 2 == 0 else size_
        case Call():
            own = canonical(node.name)
            if own == "atan2":
                y, x = (place.value(a) for a in node.arguments)
                return x * math.tan(needed) if i == 0 else y / math.tan(needed)
            rule = _INVERSES.get(own)
            if rule is not None and len(node.arguments) == 1:
                return rule(needed, place.value(node.arguments[0]))
            return _secant(place, node, i, needed)
    return NAN


def _secant(place: Place, node: Node, i: int, needed: float) -> float:
    """The root next to the value that stands there, by the secant method."""
    x0 = place.value(children(node)[i])
    x1 = x0 + 1e-3 * (1 + abs(x0))
    path = ((node, i),)
    y0, y1 = (place.upward(path, x) - needed for x in (x0, x1))
    for _ in range(40):
        if not (math.isfinite(y0) and math.isfinite(y1)) or y1 == y0:
            return NAN
        x0, x1, y0 = x1, x1 - y1 * (x1 - x0) / (y1 - y0), y1
        y1 = place.upward(path, x1) - needed
        if abs(x1 - x0) <= 1e-13 * abs(x1) or abs(y1) <= 1e-15 * abs(needed):
            return x1
    return NAN


def _square(y: float, z: float) -> float:
    return y * y if y >= 0 else NAN


def _arc(inverse: Callable[[float], float]) -> Callable[[float, float], float]:
    def rule(y: float, z: float) -> float:
        return inverse(y) if abs(y) <= math.pi else NAN

    return rule


_INVERSES: dict[str, Callable[[float, float], float]] = {
    "exp": lambda y, z: math.log(y),
    "log": lambda y, z: math.exp(y),
    "expm1": lambda y, z: math.log1p(y),
    "log1p": lambda y, z: math.expm1(y),
    "sqrt": _square,
    "asin": _arc(math.sin),
    "acos": _arc(math.cos),
    "atan": _arc(math.tan),
    "asinh": lambda y, z: math.sinh(y),
    "sin": lambda y, z: math.asin(y),
    "cos": lambda y, z: math.copysign(math.acos(y), z),
    "sinh": lambda y, z: math.asinh(y),
    "cosh": lambda y, z: math.copysign(math.acosh(y), z),
    "tanh": lambda y, z: math.atanh(y),
    "Phi": lambda y, z: _NORMAL.inv_cdf(y),
    "erf": lambda y, z: _NORMAL.inv_cdf((1 + y) / 2) / math.sqrt(2),
    "erfc": lambda y, z: -_NORMAL.inv_cdf(y / 2) / math.sqrt(2),
    "phi": lambda y, z: math.copysign(math.sqrt(-2 * math.log(y * math.sqrt(2 * math.pi))), z),
}

__all__ = ["holes"]
