"""A function of x on complex boxes: finite answers only where it is certainly analytic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from flint import acb, arb, fmpq

from .exact import Exact
from .problem import NotConfirmed
from .tree import Tree, X, has_x
from .value import NAN, Env, ball, rational_power, value

Function: TypeAlias = Callable[[Any], Any]

_ENTIRE = ("exp", "sin", "cos", "sinh", "cosh", "erf", "erfc", "erfi")
_MEROMORPHIC = ("tan", "tanh", "sech")


def compiled(tree: Tree, env: Env) -> Function:
    """A callable from `acb` to `acb`; constants are taken at the precision of this call.

    Raises:
        NotConfirmed: a function that is not analytic, such as abs, is left in the tree.
    """
    if tree == X:
        return lambda z: z
    if not has_x(tree):
        fixed = ball(value(tree, env))
        return lambda z: fixed
    head, *args = tree
    if head == "pow":
        return _power(args[0], args[1], env)
    parts = [compiled(a, env) for a in args]
    if head in ("add", "mul"):
        return _fold(parts, head == "add")
    inner = parts[0]
    if head in _ENTIRE:
        return lambda z: getattr(inner(z), head)()
    if head in _MEROMORPHIC:  # infinite at a pole: not finite on a box that meets one
        return lambda z: getattr(inner(z), head)()
    if head == "Phi":
        root = arb(2).sqrt()
        return lambda z: (-inner(z) / root).erfc() / 2
    if head == "log":
        return lambda z: inner(z).log(analytic=True)
    if head == "atan":
        return lambda z: _off(inner(z), "atan", imaginary=True)
    if head in ("asin", "acos", "atanh"):
        return lambda z: _off(inner(z), head, imaginary=False)
    if head == "asinh":
        return lambda z: _asinh(inner(z))
    raise NotConfirmed(f"{head} is not a function that this checker integrates")


def _power(base: Tree, exponent: Tree, env: Env) -> Function:
    if has_x(exponent):
        raise NotConfirmed("a power with x in the exponent is not written with exp")
    inner, fixed = compiled(base, env), value(exponent, env)
    e = fixed.rational() if isinstance(fixed, Exact) else None
    if e is not None:
        q = fmpq(e)
        return lambda z: rational_power(inner(z), q, True)
    other = ball(fixed)
    return lambda z: inner(z).pow(other, analytic=True)


def _fold(parts: list[Function], adding: bool) -> Function:
    first, *rest = parts

    def folded(z: Any) -> Any:
        result = first(z)
        for part in rest:
            result = result + part(z) if adding else result * part(z)
        return result

    return folded


def _off(z: Any, name: str, *, imaginary: bool) -> Any:
    """The function where z surely misses its rays from +-1 (or +-i) outwards, else NaN."""
    across, along = (z.real, z.imag) if imaginary else (z.imag, z.real)
    return getattr(z, name)() if abs(along) < 1 or not across.contains(0) else NAN


def _asinh(z: Any) -> Any:
    """log(z + sqrt(z^2 + 1)) on the right half plane, odd."""
    left = bool(z.real.mid() < 0)
    w = -z if left else z
    found = (w + (w * w + 1).sqrt(analytic=True)).log(analytic=True)
    return -found if left else found


def bounded(func: Function, left: Any, right: Any, height: Any, most: Any, depth: int) -> bool:
    """Whether |func| <= `most` is proved on [left, right] x i[-height, height], by cutting."""
    return _bounded(func, left, right, -height, height, most, depth)


def _bounded(
    func: Function, left: Any, right: Any, low: Any, high: Any, most: Any, depth: int
) -> bool:
    found = func(acb(left.union(right), low.union(high)))
    if found.is_finite() and abs(found) <= most:
        return True
    if depth == 0 or (found.is_finite() and abs(found) > most):
        return False
    if (right - left).mid() > (high - low).mid():
        middle = ((left + right) / 2).mid()
        halves = ((left, middle, low, high), (middle, right, low, high))
    else:
        middle = ((low + high) / 2).mid()
        halves = ((left, right, low, middle), (left, right, middle, high))
    return all(_bounded(func, *half, most, depth - 1) for half in halves)


def bounded_on_ellipse(
    func: Function, centre: Any, semi: Any, height: Any, most: Any, depth: int = 9
) -> bool:
    """Whether |func| <= `most` is proved on the ellipse with these semi-axes."""
    columns = 8
    for i in range(columns):
        a, b = 2 * i - columns, 2 * i + 2 - columns
        near = min(abs(a), abs(b))
        top = height * (1 - arb(near * near) / (columns * columns)).sqrt()
        left, right = centre + semi * a / columns, centre + semi * b / columns
        if not bounded(func, left.lower(), right.upper(), top.upper(), most, depth):
            return False
    return True
