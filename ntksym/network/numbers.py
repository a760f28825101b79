"""Numbers of a network, read exactly: `0.1` is 1/10, text goes through the number parser."""

from __future__ import annotations

from fractions import Fraction
from numbers import Integral, Real

from sympy import Expr, Rational, Symbol

from ..errors import BadSpec, ParseError


def exact(value: object, what: str) -> Expr:
    """The SymPy number (or symbolic expression) that `value` says.

    A float, of NumPy too, means the decimal that was typed: `0.1` is 1/10.

    Raises:
        BadSpec: not a number; `what` names the quantity in the message.
    """
    if isinstance(value, Expr):
        return value
    if getattr(value, "shape", None) == () and not isinstance(value, Real):
        value = value[()]  # type: ignore[index]  # an array of no dimension holds one number
    if isinstance(value, bool):
        pass
    elif isinstance(value, Integral):
        return Rational(int(value))
    elif isinstance(value, Fraction):
        return Rational(value)
    elif isinstance(value, (Real, str)):
        from ..language import parse_number

        try:
            return parse_number(str(value))
        except ParseError as err:
            raise BadSpec(
                f"{what}: cannot read {str(value)[:60]!r} as a number",
                hint="an integer, a decimal or a fraction such as 1/3 (or in Python a symbol)",
            ) from err
    raise BadSpec(
        f"{what}: cannot use {value!r}",
        hint="an integer, a decimal, a fraction such as 1/3, or a SymPy symbol",
    )


def variance(value: object, what: str) -> Expr:
    """An exact number that is not negative, or a symbol.

    Raises:
        BadSpec: not a number, or negative.
    """
    found = exact(value, what)
    if found.is_negative:
        raise BadSpec(f"{what} = {found} is negative", hint="a variance, at least 0")
    if not isinstance(found, Symbol) and not found.is_number:
        raise BadSpec(f"{what} = {found}", hint="a number or one symbol")
    if found.is_number and not found.is_finite:
        raise BadSpec(f"{what} = {found} is not finite", hint="a variance, at least 0")
    return found
