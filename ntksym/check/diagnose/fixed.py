"""True fixed points in floats, for the filter: roots of q = weight_var E[s^2] + bias_var."""

from __future__ import annotations

from collections.abc import Callable

from sympy import Integer

from ...claims.binding import Binding
from ...claims.expectation import Expectation
from ...language import to_text
from ...language.parser import read_tree
from ...language.syntax import Node
from ...symbols import q
from ..derive import derived
from .floats import NAN, Place

_GRID = tuple(10 ** (k / 8) for k in range(-48, 49))


def fixed_points(binding: Binding, places: tuple[Place, ...]) -> tuple[float, ...]:
    """The one fixed point at each place; NaN where there is none, or more than one."""
    if binding.f is None:
        return (NAN,) * len(places)
    found = derived(Expectation(binding.fix(binding.f) ** 2, None, (Integer(0), q)))
    if found is None:
        return (NAN,) * len(places)
    tree = read_tree(to_text(found.value))
    return tuple(_root(_gap(tree, p)) for p in places)


def _gap(tree: Node, place: Place) -> Callable[[float], float]:
    names = place.names
    weight, bias = names.get("weight_var", 1.0), names.get("bias_var", 0.0)
    return lambda v: weight * Place({**names, "q": v}).value(tree) + bias - v


def _root(f: Callable[[float], float]) -> float:
    values = [f(v) for v in _GRID]
    signs = [i for i in range(len(_GRID) - 1) if values[i] * values[i + 1] < 0]
    if len(signs) != 1:
        return NAN
    low, high = _GRID[signs[0]], _GRID[signs[0] + 1]
    for _ in range(120):
        middle = (low + high) / 2
        if (f(middle) > 0) == (values[signs[0]] > 0):
            low = middle
        else:
            high = middle
    return (low + high) / 2
