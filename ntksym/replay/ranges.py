"""Outer bounds of an expression of x on an interval that may be infinite.

An end is an exact `arb` or a float infinity; every rounding goes outwards.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, TypeAlias

from flint import arb, fmpq

from .exact import Exact
from .normal import coefficients
from .problem import NotConfirmed
from .tree import Tree, X, has_x
from .value import Env, real, value

Range: TypeAlias = tuple[Any, Any]
"""(low, high)."""

LINE: Range = (-inf, inf)


def _infinite(a: Any) -> bool:
    return isinstance(a, float)


def _low(a: Any) -> Any:
    return a if _infinite(a) else (a.lower() if a.is_finite() else -inf)


def _high(a: Any) -> Any:
    return a if _infinite(a) else (a.upper() if a.is_finite() else inf)


def size(p: Range) -> Any:
    """The supremum of the absolute value: an exact `arb`, or infinity."""
    return inf if _infinite(p[0]) or _infinite(p[1]) else abs(p[0]).max(abs(p[1])).upper()


def add(p: Range, q: Range) -> Range:
    """The range of a sum."""
    low = -inf if _infinite(p[0]) or _infinite(q[0]) else _low(p[0] + q[0])
    return low, inf if _infinite(p[1]) or _infinite(q[1]) else _high(p[1] + q[1])


def _multiplied(a: Any, b: Any) -> Any:
    if not (_infinite(a) or _infinite(b)):
        return a * b
    if a == 0 or b == 0:
        return arb(0)
    return inf if (a > 0) == (b > 0) else -inf


def times(p: Range, q: Range) -> Range:
    """The range of a product."""
    low, high = inf, -inf
    for a in p:
        for b in q:
            end = _multiplied(a, b)
            low, high = _least(low, _low(end)), _most(high, _high(end))
    return low, high


def _least(a: Any, b: Any) -> Any:
    return b if b < a else a


def _most(a: Any, b: Any) -> Any:
    return b if b > a else a


def whole_power(p: Range, n: int) -> Range:
    """The range of an integer power, n >= 1."""
    found = p
    for _ in range(n - 1):
        found = times(found, p)
    if n % 2 == 0:
        found = (arb(0) if p[0] <= 0 and p[1] >= 0 else _most(arb(0), found[0]), found[1])
    return found


def inverse(p: Range) -> Range:
    """The range of the inverse; the line if p meets zero inside."""
    if (p[0] < 0 and p[1] > 0) or (p[0] == 0 and p[1] == 0):
        return LINE
    ends = [arb(0) if _infinite(e) else (None if e == 0 else 1 / e) for e in (p[1], p[0])]
    return -inf if ends[0] is None else _low(ends[0]), inf if ends[1] is None else _high(ends[1])


def _rising(name: str, low: Any, high: Any) -> Callable[[Range], Range]:
    """An increasing function of the line with these limits."""

    def bounds(p: Range) -> Range:
        def end(a: Any) -> Any:
            return (low if a < 0 else high) if _infinite(a) else getattr(a, name)()

        a, b = _low(end(p[0])), _high(end(p[1]))
        clip_low = a if _infinite(low) else _most(a, low)
        return clip_low, b if _infinite(high) else _least(b, high)

    return bounds


def _half_pi(p: Range) -> Range:
    found = _rising("atan", -arb(2), arb(2))(p)
    return found


def _log(p: Range) -> Range:
    if p[0] < 0:
        return LINE
    low = -inf if p[0] == 0 else (inf if _infinite(p[0]) else _low(p[0].log()))
    return low, inf if _infinite(p[1]) else (_high(p[1].log()) if p[1] > 0 else inf)


def _cosh(p: Range) -> Range:
    top = size(p)
    return arb(1), inf if _infinite(top) else _high(top.cosh())


_MONOTONE: dict[str, Callable[[Range], Range]] = {
    "exp": _rising("exp", arb(0), inf),
    "tanh": _rising("tanh", -arb(1), arb(1)),
    "erf": _rising("erf", -arb(1), arb(1)),
    "atan": _half_pi,
    "sinh": _rising("sinh", -inf, inf),
    "asinh": _rising("asinh", -inf, inf),
    "log": _log,
    "cosh": _cosh,
    "erfc": lambda p: add((arb(1), arb(1)), times((-arb(1), -arb(1)), _MONOTONE["erf"](p))),
    "Phi": lambda p: (arb(0), arb(1)),
    "sech": lambda p: (arb(0), arb(1)),
    "sin": lambda p: (-arb(1), arb(1)),
    "cos": lambda p: (-arb(1), arb(1)),
}


def constant(tree: Tree, env: Env) -> Range:
    """The range of a tree without x."""
    r = real(value(tree, env))
    return _low(r), _high(r)


def bounds(tree: Tree, domain: Range, env: Env) -> Range:
    """Outer bounds of the tree for x in the domain; the line where nothing is known."""
    if tree == X:
        return domain
    if not has_x(tree):
        return constant(tree, env)
    head, *args = tree
    if (square := quadratic(tree, env)) is not None:
        return _square(square, domain)
    if head in ("add", "mul"):
        found = bounds(args[0], domain, env)
        for a in args[1:]:
            found = (add if head == "add" else times)(found, bounds(a, domain, env))
        return found
    if head == "pow":
        return _power(args, domain, env)
    if head in _MONOTONE:
        return _MONOTONE[head](bounds(args[0], domain, env))
    return LINE


def exponent(tree: Tree, env: Env) -> Any:
    """A rational exponent as an `fmpq`, or None."""
    if has_x(tree):
        return None
    v = value(tree, env)
    return v.rational() if isinstance(v, Exact) else None


def _power(args: list[Tree], domain: Range, env: Env) -> Range:
    e = exponent(args[1], env)
    if e is None or abs(e.numer()) > 64 or e.denom() > 64:
        return LINE
    base, d = bounds(args[0], domain, env), int(e.denom())
    if d > 1:
        if base[0] < 0:
            return LINE
        ends = [a if _infinite(a) or a == 0 else a.root(d) for a in base]
        base = (_most(_low(ends[0]), arb(0)), _high(ends[1]))
    if e == 0:
        return arb(1), arb(1)
    found = whole_power(base, abs(int(e.numer())))
    return found if e > 0 else inverse(found)


def quadratic(tree: Tree, env: Env) -> tuple[Any, Any, Any] | None:
    """(a, b, c) as real balls if the tree is a x^2 + b x + c, a possibly zero; else None."""
    try:
        parts = coefficients(tree, X)
    except NotConfirmed:
        return None
    if parts is None or len(parts) > 3 or len(parts) < 2:
        return None
    balls = [_poly(p, env) for p in parts]
    if any(b is None for b in balls):
        return None
    c, b, a = [*balls, arb(0)][:3]
    return a, b, c


def _poly(poly: Any, env: Env) -> Any:
    """The value of coefficients made of rationals, roots, pi and symbols; None for others."""
    found = arb(0)
    for monomial, factor in poly.items():
        term = arb(fmpq(factor.numerator, factor.denominator))
        for atom, e in monomial:
            if atom == ("pi",):
                base = arb.pi()
            elif atom[0] == "prime":
                base = arb(atom[1])
            elif atom[0] == "sym" and atom[1] in env:
                base = real(env[atom[1]])
            else:
                return None
            term *= base ** arb(fmpq(e.numerator, e.denominator))
        found += term
    return found


def _square(abc: tuple[Any, Any, Any], domain: Range) -> Range:
    a, b, c = abc
    if a == 0:
        return add(times(domain, (_low(b), _high(b))), (_low(c), _high(c)))
    if a.contains(0):
        return LINE
    shift = b / (2 * a)
    rest = c - b * b / (4 * a)
    moved = whole_power(add(domain, (_low(shift), _high(shift))), 2)
    return add(times(moved, (_low(a), _high(a))), (_low(rest), _high(rest)))
