"""The value of a syntax tree in floats: the fast filter of the search, never evidence."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache

from ...language import to_text
from ...language.parser import read_tree
from ...language.syntax import (
    Call,
    Compare,
    Logic,
    Name,
    Negate,
    Node,
    Not,
    Number,
    Pair,
    Power,
    Product,
    Sum,
    Truth,
    children,
)
from ...language.table import canonical, functions
from . import special
from .trees import Path

NAN = math.nan
_CONSTANTS = {"pi": math.pi, "E": math.e, "EulerGamma": 0.5772156649015329, "oo": math.inf}


def _cbrt(z: float) -> float:
    return math.copysign(abs(z) ** (1 / 3), z)


def _sign(z: float) -> float:
    return float((z > 0) - (z < 0))


def _whole(n: float) -> int:
    if n != int(n):
        raise ValueError("not whole")
    return int(n)


def _factorial2(n: float) -> float:
    return float(math.prod(range(_whole(n), 0, -2)))


_TABLE: dict[str, Callable[..., float]] = {
    "max": max,
    "min": min,
    "abs": abs,
    "sign": _sign,
    "heaviside": lambda z, at=0.5: at if z == 0 else float(z > 0),
    "exp": math.exp,
    "expm1": math.expm1,
    "log": math.log,
    "log1p": math.log1p,
    "sqrt": math.sqrt,
    "cbrt": _cbrt,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "tanh": math.tanh,
    "sech": lambda z: 1 / math.cosh(z),
    "asinh": math.asinh,
    "atan": math.atan,
    "erf": math.erf,
    "erfc": math.erfc,
    "Phi": special.cdf,
    "phi": special.density,
    "Integer": lambda n: n,
    "Rational": lambda p, q=1.0: p / q,
    "hermite": special.hermite,
    "monomial": lambda n, z: z**n,
    "rectified_power": lambda n, z: max(z, 0.0) ** n,
    "asin": math.asin,
    "acos": math.acos,
    "atan2": math.atan2,
    "Phi2": special.phi2,
    "hyp2f1": special.hyp2f1,
    "OwenT": special.owen_t,
    "gamma": math.gamma,
    "factorial": lambda n: float(math.factorial(_whole(n))),
    "factorial2": _factorial2,
    "binomial": lambda n, k: float(math.comb(_whole(n), _whole(k))),
    "pow": lambda a, b: _power(a, b),
}


def _power(a: float, b: float) -> float:
    found = a**b
    if isinstance(found, complex):
        raise ValueError("not real")
    return float(found)


class Place:
    """Values at one point, with the values of all nodes of one tree kept.

    Trees that share nodes with it are evaluated along what is new in them only.
    """

    def __init__(self, names: Mapping[str, float], base: Node | None = None) -> None:
        self.names = {**_CONSTANTS, **names}
        self.kept: dict[int, float] = {}
        if base is not None:
            self.base = base
            self._keep(base)

    def _keep(self, node: Node) -> None:
        for child in children(node):
            self._keep(child)
        if not isinstance(node, (Pair, Compare, Logic, Not, Truth)):
            self.kept[id(node)] = self.value(node)

    def value(self, node: Node) -> float:
        """The value; NaN where it has none in the reals."""
        try:
            return self._value(node)
        except (ValueError, ZeroDivisionError, OverflowError, KeyError, TypeError):
            return NAN

    def _value(self, node: Node) -> float:
        known = self.kept.get(id(node))
        if known is not None:
            return known
        match node:
            case Number():
                return float(node.value)
            case Name():
                return self.names[node.name]
            case Negate():
                return -self._value(node.operand)
            case Sum():
                total = 0.0
                for sign, t in node.terms:
                    total += sign * self._value(t)
                return total
            case Product():
                found = 1.0
                for e, f in node.factors:
                    v = self._value(f)
                    found = found * v if e > 0 else found / v
                return found
            case Power():
                return _power(self._value(node.base), self._value(node.exponent))
            case Call():
                return self._call(node)
        raise ValueError("no number")

    def upward(self, path: Path, value: float) -> float:
        """The value of the whole tree with `value` at the end of the path; NaN as in `value`."""
        try:
            for node, i in reversed(path):
                value = self._with(node, i, value)
            return value
        except (ValueError, ZeroDivisionError, OverflowError, KeyError, TypeError):
            return NAN

    def _with(self, node: Node, i: int, value: float) -> float:
        """The value of a node whose child `i` has another value."""
        match node:
            case Negate():
                return -value
            case Sum():
                total = 0.0
                for j, (sign, t) in enumerate(node.terms):
                    total += sign * (value if i == j else self._value(t))
                return total
            case Product():
                found = 1.0
                for j, (e, f) in enumerate(node.factors):
                    v = value if i == j else self._value(f)
                    found = found * v if e > 0 else found / v
                return found
            case Power():
                if i == 0:
                    return _power(value, self._value(node.exponent))
                return _power(self._value(node.base), value)
            case Call():
                values = [self._value(a) for a in node.arguments]
                values[i] = value
                return self._function(canonical(node.name), values)
        raise ValueError("no number")

    def _call(self, node: Call) -> float:
        own = canonical(node.name)
        if own == "piecewise":
            for piece in node.arguments:
                if isinstance(piece, Pair) and self._holds(piece.condition):
                    return self._value(piece.value)
            raise ValueError("no piece")
        return self._function(own, [self._value(a) for a in node.arguments])

    def _function(self, own: str, values: list[float]) -> float:
        rule = _TABLE.get(own)
        if rule is not None:
            return float(rule(*values))
        params, tree = _entry(own)
        own_names = dict(zip(params, values[1:], strict=False))
        return Place({**self.names, "x": values[0], **own_names})._value(tree)

    def _holds(self, node: Node) -> bool:
        match node:
            case Truth():
                return node.value
            case Not():
                return not self._holds(node.operand)
            case Logic():
                found = [self._holds(n) for n in node.operands]
                return any(found) if node.word == "or" else all(found)
            case Compare():
                left = self._value(node.first)
                for op, n in node.rest:
                    right = self._value(n)
                    if not _RELATIONS[op](left, right):
                        return False
                    left = right
                return True
        raise ValueError("no condition")


_RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


@lru_cache(maxsize=256)
def _entry(name: str) -> tuple[tuple[str, ...], Node]:
    """A catalogue entry as (parameter names, tree in x)."""
    spec = functions()[name]
    from sympy import Symbol

    return tuple(p.name for p in spec.defaults), read_tree(
        to_text(spec.build(Symbol("x", real=True), *spec.defaults))
    )


def close(a: float, b: float, tolerance: float = 1e-8) -> bool:
    """Whether two floats agree to a relative tolerance; never for NaN or infinities."""
    return abs(a - b) <= tolerance * (abs(a) + abs(b)) + 1e-13 and math.isfinite(a)


__all__ = ["NAN", "Place", "close"]
