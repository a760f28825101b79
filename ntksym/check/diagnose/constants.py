"""Recognised constants: square roots of rationals times powers of pi, or of e."""

from __future__ import annotations

import math
from fractions import Fraction

from ...language.syntax import Negate, Node, Number, Product
from .floats import Place
from .trees import name, names_in, negative, number, power, product, quotient, root

_PI = Fraction(314159265358979323846264338327950288, 10**35)
_E = Fraction(271828182845904523536028747135266250, 10**35)
_POWERS = (0, -2, 2, -1, 1, -4, 4, -3, 3, -6, 6)
_HEIGHT = 5000
_SLACK = Fraction(1, 10**11)


def identify(value: float, height: int = _HEIGHT, slack: Fraction = _SLACK) -> Node | None:
    """`value` as sqrt(p/q) pi^(k/2), or sqrt(p/q) e^(k/2), to a relative slack; None otherwise.

    A guess, of which the caller verifies what follows from it.
    """
    if not math.isfinite(value) or value == 0 or not 1e-6 < abs(value) < 1e6:
        return None
    square = Fraction(value) ** 2
    for k in _POWERS:
        found = _rational(square / _PI**k, height if k == 0 else height // 2, slack)
        if found is not None:
            return _tree(found, k, "pi", value < 0)
    for k in (1, -1, 2, -2, 4, -4):
        found = _rational(square / _E**k, min(100, height), slack)
        if found is not None:
            return _tree(found, k, "E", value < 0)
    return None


def scaled(constant: Node, node: Node) -> Node:
    """`constant*node`, the constant put together with those in front of the node."""
    if isinstance(node, Negate):
        return negative(scaled(constant, node.operand))
    if not isinstance(node, Product):
        return _times(constant, node)
    value, rest = Place({}).value(constant), []
    for e, f in node.factors:
        if names_in(f) and set(names_in(f)) - {"pi", "E"}:
            rest.append((e, f))
        else:
            value *= Place({}).value(f) ** e
    whole = identify(value)
    if whole is None or not any(e > 0 for e, _ in rest):
        return _times(constant, node)
    found = _times(whole, product(*(f for e, f in rest if e > 0)))
    for e, f in rest:
        found = found if e > 0 else quotient(found, f)
    return found


def _times(constant: Node, node: Node) -> Node:
    """`node/2` rather than `1/2*node`."""
    match constant:
        case Negate(operand=inner):
            return negative(_times(inner, node))
        case Product(factors=((1, Number(value=top)), (-1, bottom))) if top == 1:
            return quotient(node, bottom)
        case _:
            return product(constant, node)


def _rational(value: Fraction, height: int, slack: Fraction) -> Fraction | None:
    """The rational of small height next to a value; squares may be as high as `height` squared."""
    near = value.limit_denominator(height * 4)
    if near == 0 or abs(near - value) > 2 * slack * value:
        return None
    top, bottom = near.numerator, near.denominator
    if max(top, bottom) > height and not (_square(top) and _square(bottom)):
        return None
    return near


def _square(n: int) -> bool:
    return math.isqrt(n) ** 2 == n


def _tree(square: Fraction, k: int, base: str, minus: bool) -> Node:
    """The text of sqrt(square) base^(k/2), as a paper prints it."""
    outer_top, inner_top = _split(square.numerator)
    outer_bottom, inner_bottom = _split(square.denominator)
    letter = name(base)
    top: list[Node] = [number(outer_top)]
    bottom: list[Node] = [number(outer_bottom)]
    whole, half = divmod(abs(k), 2)
    side = top if k > 0 else bottom
    if whole:
        side.append(letter if whole == 1 else power(letter, whole))
    above: list[Node] = [number(inner_top)]
    below: list[Node] = [number(inner_bottom)]
    if half:
        (above if k > 0 else below).append(letter)
    over, under = product(*above), product(*below)
    if over != number(1):
        top.append(root(quotient(over, under)))
    elif under != number(1):
        bottom.append(root(under))
    found = quotient(product(*top), product(*bottom))
    return negative(found) if minus else found


def _split(n: int) -> tuple[int, int]:
    """(s, r) with n = s^2 r and r without square factors."""
    outside, d = 1, 2
    while d * d <= n:
        while n % (d * d) == 0:
            n //= d * d
            outside *= d
        d += 1
    return outside, n


__all__ = ["identify", "scaled"]
