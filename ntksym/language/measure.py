"""How large the expression of a syntax tree will be, before any of it is built."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ..errors import NoValue, TooLarge
from .limits import (
    MAX_ALL_EXTREMES,
    MAX_BITS,
    MAX_DEGREE,
    MAX_DENOMINATOR,
    MAX_EXPONENT,
    MAX_EXTREMES,
    MAX_ORDER,
    MAX_PIECES,
    MAX_POWER_BITS,
    MAX_SIZE,
)
from .messages import caret
from .syntax import Call, Name, Negate, Node, Number, Power, Product, Sum, children
from .table import canonical, functions


@dataclass(frozen=True, slots=True)
class Measure:
    """Upper bounds on an expression.

    Attributes:
        size: nodes.
        degree: polynomial degree.
        bits: bits of the largest number in it.
        extremes: arguments of max and min.
        open: arguments of the outermost max or min.
        value: the number, where it is a rational number.
    """

    size: int = 1
    degree: int = 0
    bits: int = 1
    extremes: int = 0
    open: int = 0
    value: Fraction | None = None


def bits(value: Fraction) -> int:
    """Bits of numerator and denominator together."""
    return value.numerator.bit_length() + value.denominator.bit_length()


def measure(text: str, node: Node) -> Measure:
    """The bounds on what `node` builds; `text` is the source, for the errors.

    Raises:
        TooLarge: beyond the bounds of `limits`.
        NoValue: a division by zero between numbers.
    """
    found = _measure(text, node)
    for quantity, bound, what in (
        (found.size, MAX_SIZE, "the expression would have {} parts"),
        (found.degree, MAX_DEGREE, "the expression would have degree {}"),
        (found.bits, MAX_BITS, "the expression would have numbers of {} bits"),
        (found.extremes, MAX_ALL_EXTREMES, "max and min have {} arguments together"),
        (found.open, MAX_EXTREMES, "a max or min has {} arguments"),
    ):
        if quantity > bound:
            raise TooLarge(
                what.format(quantity), where=caret(text, node.at), hint=f"at most {bound}"
            )
    return found


def _join(parts: list[Measure]) -> Measure:
    """A node above `parts` that is a function of them."""
    return Measure(
        size=1 + sum(p.size for p in parts),
        degree=max((p.degree for p in parts), default=0),
        bits=max((p.bits for p in parts), default=1),
        extremes=sum(p.extremes for p in parts),
    )


def _measure(text: str, node: Node) -> Measure:
    match node:
        case Number():
            return Measure(bits=bits(node.value), value=node.value)
        case Name():
            return Measure(degree=1)
        case Negate():
            below = measure(text, node.operand)
            value = None if below.value is None else -below.value
            return Measure(below.size + 2, below.degree, below.bits, below.extremes, value=value)
        case Sum():
            return _sum(text, node)
        case Product():
            return _product(text, node)
        case Power():
            return _power(text, node)
        case Call():
            return _call(text, node)
        case _:
            return _join([measure(text, c) for c in children(node)])


def _sum(text: str, node: Sum) -> Measure:
    parts = [measure(text, t) for _, t in node.terms]
    total: Fraction | None = Fraction(0)
    for (sign, _), part in zip(node.terms, parts, strict=True):
        total = None if total is None or part.value is None else total + sign * part.value
    return Measure(
        size=1 + sum(p.size for p in parts) + 2 * sum(s < 0 for s, _ in node.terms),
        degree=max(p.degree for p in parts),
        bits=len(parts) + sum(p.bits for p in parts),
        extremes=sum(p.extremes for p in parts),
        value=total,
    )


def _product(text: str, node: Product) -> Measure:
    parts = [measure(text, f) for _, f in node.factors]
    total: Fraction | None = Fraction(1)
    for (power, factor), part in zip(node.factors, parts, strict=True):
        if power < 0 and part.value == 0:
            raise NoValue("division by zero", where=caret(text, factor.at))
        if total is None or part.value is None:
            total = None
        else:
            total = total * part.value if power > 0 else total / part.value
    return Measure(
        size=1 + sum(p.size for p in parts) + 2 * sum(s < 0 for s, _ in node.factors),
        degree=sum(p.degree for p in parts),
        bits=sum(p.bits for p in parts),
        extremes=sum(p.extremes for p in parts),
        value=total,
    )


def _power(text: str, node: Power) -> Measure:
    base, exponent = measure(text, node.base), measure(text, node.exponent)
    size = 1 + base.size + exponent.size
    extremes = base.extremes + exponent.extremes
    n = exponent.value
    if n is None:
        # A number to an irrational or symbolic power stays as it is written.
        return Measure(size, base.degree + exponent.degree, max(base.bits, exponent.bits), extremes)
    if abs(n) > MAX_EXPONENT or n.denominator > MAX_DENOMINATOR:
        shown = str(n) if bits(n) < 64 else f"of {bits(n)} bits"
        raise TooLarge(
            f"the exponent {shown} is out of bounds",
            where=caret(text, node.exponent.at),
            hint=f"-{MAX_EXPONENT} to {MAX_EXPONENT}, with denominators of at most "
            f"{MAX_DENOMINATOR}",
        )
    times = -(-abs(n.numerator) // n.denominator)
    if base.bits * times > MAX_POWER_BITS:
        raise TooLarge(
            f"the power would have numbers of {base.bits * times} bits",
            where=caret(text, node.at),
            hint=f"at most {MAX_POWER_BITS} bits",
        )
    if base.value == 0 and n < 0:
        raise NoValue("division by zero", where=caret(text, node.at))
    value = base.value**n.numerator if base.value is not None and n.denominator == 1 else None
    return Measure(size, base.degree * times, base.bits * max(times, 1), extremes, value=value)


def _call(text: str, node: Call) -> Measure:
    parts = [measure(text, a) for a in node.arguments]
    name = canonical(node.name)
    joined = _join(parts)
    if name in ("piecewise", "pow"):
        if len(parts) > MAX_PIECES:
            raise TooLarge(
                f"piecewise has {len(parts)} pieces",
                where=caret(text, node.at),
                hint=f"at most {MAX_PIECES}",
            )
        return joined
    spec = functions()[name]
    degree, copies, nodes = spec.degree, spec.copies, spec.nodes
    extra_bits, extremes, opened, value = 0, spec.copies * joined.extremes, 0, None
    if spec.order:
        n = parts[0].value if parts else None
        if n is None or n.denominator != 1 or not 0 <= n <= MAX_ORDER:
            raise TooLarge(
                f"{node.name}: the first argument is an integer from 0 to {MAX_ORDER}",
                where=caret(text, node.arguments[0].at),
                hint=spec.usage,
            )
        degree = max(1, int(n))
        if name == "hermite":
            copies, nodes, extra_bits = degree // 2 + 1, 3 * degree, 4 * degree
    if name in ("max", "min"):
        # Nested ones of one kind are merged; counting both kinds together is the safe side.
        opened = sum(p.open or 1 for p in parts)
        extremes += opened
    elif name in ("clip", "rectified_power") or "relu" in name or "hard" in name:
        opened, extremes = 2, extremes + 4
    if name in ("Integer", "Rational") and all(p.value is not None for p in parts):
        values = [p.value for p in parts if p.value is not None]
        if len(values) == 2 and values[1] == 0:
            raise NoValue("division by zero", where=caret(text, node.at))
        value = values[0] / values[1] if len(values) == 2 else values[0]
    total = joined.bits * degree + extra_bits
    if degree > 1 and total > MAX_POWER_BITS:
        raise TooLarge(
            f"the power would have numbers of {total} bits",
            where=caret(text, node.at),
            hint=f"at most {MAX_POWER_BITS} bits",
        )
    return Measure(
        size=nodes + copies * joined.size,
        degree=degree * joined.degree,
        bits=total,
        extremes=extremes,
        open=opened,
        value=value,
    )
