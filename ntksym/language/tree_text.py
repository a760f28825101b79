"""Syntax trees as text of the language, with no more brackets than it needs."""

from __future__ import annotations

from fractions import Fraction

from .syntax import (
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
)

_SUM, _PRODUCT, _UNARY, _POWER, _ATOM = range(5)


def write(node: Node) -> str:
    """Text that the language reads back to the same tree (up to offsets)."""
    return _write(node, _SUM)


def _write(node: Node, level: int) -> str:
    text, own = _bare(node)
    return f"({text})" if own < level else text


def _bare(node: Node) -> tuple[str, int]:
    match node:
        case Number():
            return _number(node.value)
        case Name():
            return node.name, _ATOM
        case Truth():
            return str(node.value), _ATOM
        case Negate():
            return "-" + _write(
                node.operand, _PRODUCT if isinstance(node.operand, Product) else _UNARY
            ), _UNARY
        case Sum():
            text = ""
            for i, (sign, t) in enumerate(node.terms):
                if isinstance(t, Negate) and (i or sign < 0):
                    sign, t = -sign, t.operand
                shown = _write(t, _PRODUCT)
                shown = f"({shown})" if i and shown.startswith("-") else shown
                text += (" + ", " - ")[sign < 0] + shown if i else "-"[: sign < 0] + shown
            return text, _SUM
        case Product():
            text = ""
            for i, (e, f) in enumerate(node.factors):
                shown = _write(f, _UNARY if i == 0 and e > 0 else _POWER)
                text += ("1/" if e < 0 else "") if i == 0 else "*/"[e < 0]
                text += shown
            return text, _PRODUCT
        case Power():
            return f"{_write(node.base, _ATOM)}**{_write(node.exponent, _ATOM)}", _POWER
        case Call():
            return f"{node.name}({', '.join(_write(a, _SUM) for a in node.arguments)})", _ATOM
        case Pair():
            return f"({_write(node.value, _SUM)}, {_write(node.condition, -1)})", _ATOM
        case Compare():
            rest = "".join(f" {op} {_write(n, _SUM)}" for op, n in node.rest)
            return _write(node.first, _SUM) + rest, -1
        case Logic():
            return f" {node.word} ".join(_write(n, _SUM) for n in node.operands), -1
        case Not():
            return f"not {_write(node.operand, _SUM)}", -1


def _number(value: Fraction) -> tuple[str, int]:
    if value.denominator == 1:
        return str(value.numerator), _ATOM
    for places in range(1, 60):
        scaled = value * 10**places
        if scaled.denominator == 1:
            digits = str(scaled.numerator).rjust(places + 1, "0")
            return f"{digits[:-places]}.{digits[-places:]}", _ATOM
    return f"{value.numerator}/{value.denominator}", _PRODUCT
