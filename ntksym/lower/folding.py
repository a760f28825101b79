"""Exact arithmetic on the numbers of a program, and the identities of 0 and 1."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from .program import Operand

_FOLDS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "max": max,
    "min": min,
}


def fold(op: str, args: tuple[Operand, ...]) -> Operand | None:
    """The operand that op(args) is without a new line, or None."""
    if len(args) == 1:
        a = args[0]
        if isinstance(a, str) or op not in ("neg", "sqrt0", "abs"):
            return None
        if op == "sqrt0":
            return Fraction(a) if a in (0, 1) else None
        return -Fraction(a) if op == "neg" else abs(Fraction(a))
    if op == "select":
        return _selected(*args)
    if len(args) != 2:
        return None
    a, b = args
    if not isinstance(a, str) and not isinstance(b, str):
        if op in _FOLDS:
            return _FOLDS[op](Fraction(a), Fraction(b))
        return Fraction(a) / Fraction(b) if op == "div" and b else None
    if op == "add" and a == 0:
        return b
    if op in ("add", "sub") and b == 0:
        return a
    if op == "mul" and a == 1:
        return b
    if op in ("mul", "div", "div0") and b == 1:
        return a
    return None


def _selected(a: Operand, b: Operand, x: Operand, y: Operand) -> Operand | None:
    if x == y:
        return x
    if isinstance(a, str) or isinstance(b, str):
        return None
    return x if a <= b else y
