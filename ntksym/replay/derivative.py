"""The derivative of an expression tree in x, by the rules of calculus and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from .problem import NotConfirmed
from .tree import ONE, ZERO, Tree, X, has_x, rat

MINUS_ONE, TWO = rat(-1), rat(2)


def add(*parts: Tree) -> Tree:
    """A sum without zeros."""
    kept = [p for p in parts if p != ZERO]
    return kept[0] if len(kept) == 1 else (("add", *kept) if kept else ZERO)


def mul(*parts: Tree) -> Tree:
    """A product without ones; zero if a factor is zero."""
    if ZERO in parts:
        return ZERO
    kept = [p for p in parts if p != ONE]
    return kept[0] if len(kept) == 1 else (("mul", *kept) if kept else ONE)


def power(base: Tree, exponent: Tree) -> Tree:
    """A power; the exponents 0 and 1 are resolved."""
    if exponent in (ZERO, ONE):
        return ONE if exponent == ZERO else base
    return ("pow", base, exponent)


def negative(tree: Tree) -> Tree:
    """Minus the tree."""
    return mul(MINUS_ONE, tree)


def _density(z: Tree) -> Tree:
    root = power(mul(TWO, ("pi",)), rat(-1, 2))
    return mul(root, ("exp", mul(rat(-1, 2), power(z, TWO))))


def _bell(z: Tree, sign: int) -> Tree:
    return mul(TWO, power(("pi",), rat(-1, 2)), ("exp", mul(rat(sign), power(z, TWO))))


def _over(z: Tree) -> Tree:
    return power(z, MINUS_ONE)


_RULES: dict[str, Callable[[Tree], Tree]] = {
    "exp": lambda z: ("exp", z),
    "log": _over,
    "sin": lambda z: ("cos", z),
    "cos": lambda z: negative(("sin", z)),
    "tan": lambda z: add(ONE, power(("tan", z), TWO)),
    "sinh": lambda z: ("cosh", z),
    "cosh": lambda z: ("sinh", z),
    "tanh": lambda z: add(ONE, negative(power(("tanh", z), TWO))),
    "sech": lambda z: negative(mul(("sech", z), ("tanh", z))),
    "asinh": lambda z: power(add(ONE, power(z, TWO)), rat(-1, 2)),
    "atan": lambda z: _over(add(ONE, power(z, TWO))),
    "atanh": lambda z: _over(add(ONE, negative(power(z, TWO)))),
    "asin": lambda z: power(add(ONE, negative(power(z, TWO))), rat(-1, 2)),
    "acos": lambda z: negative(power(add(ONE, negative(power(z, TWO))), rat(-1, 2))),
    "erf": lambda z: _bell(z, -1),
    "erfc": lambda z: negative(_bell(z, -1)),
    "erfi": lambda z: _bell(z, 1),
    "Phi": _density,
}


def derivative(tree: Tree) -> Tree:
    """d/dx of a tree of smooth functions.

    Raises:
        NotConfirmed: no rule for a function in it.
    """
    if tree == X:
        return ONE
    if not has_x(tree):
        return ZERO
    head, *args = tree
    if head == "add":
        return add(*(derivative(a) for a in args))
    if head == "mul":
        terms = [mul(*args[:i], derivative(a), *args[i + 1 :]) for i, a in enumerate(args)]
        return add(*terms)
    if head == "pow" and not has_x(args[1]):
        below = add(args[1], MINUS_ONE)
        if args[1][0] == "rat":
            below = rat(args[1][1] - args[1][2], args[1][2])
        return mul(args[1], power(args[0], below), derivative(args[0]))
    if head in _RULES:
        return mul(_RULES[head](args[0]), derivative(args[0]))
    raise NotConfirmed(f"no derivative rule for {head}")
