"""Monomials and Hermite polynomials."""

from __future__ import annotations

from math import factorial

from sympy import Add, Expr, Integer, Pow

from ..activation import Activation
from ..errors import BadActivation
from ..symbols import x
from .entry import Entry

MAX_ORDER = 64


def check_order(order: int, least: int, what: str) -> int:
    """`order` itself, where it is an integer from `least` to 64.

    Raises:
        BadActivation: anything else.
    """
    if isinstance(order, bool) or not isinstance(order, int) or not least <= order <= MAX_ORDER:
        raise BadActivation(
            f"{what} {order!r} is out of range", hint=f"an integer from {least} to {MAX_ORDER}"
        )
    return order


def hermite_polynomial(order: int, argument: Expr) -> Expr:
    r"""The probabilists' Hermite polynomial, with leading coefficient 1.

    $He_n(z) = \sum_{k \le n/2} (-1)^k \frac{n!}{k!\,(n-2k)!\,2^k} z^{n-2k}$.

    Raises:
        BadActivation: an order that is not an integer from 0 to 64.
    """
    n = check_order(order, 0, "the order of a Hermite polynomial")
    return Add(
        *(
            Integer((-1) ** k * factorial(n) // (factorial(k) * factorial(n - 2 * k) * 2**k))
            * Pow(argument, n - 2 * k)
            for k in range(n // 2 + 1)
        )
    )


def hermite(order: int) -> Activation:
    """The activation $He_n(x)$ (probabilists', not normalised), named `hermite<n>`.

    Raises:
        BadActivation: an order that is not an integer from 0 to 64.
    """
    return _hermite(check_order(order, 0, "the order of a Hermite polynomial")).activation


def _hermite(order: int) -> Entry:
    return Entry(
        f"hermite{order}",
        lambda: hermite_polynomial(order, x),
        title=f"Hermite polynomial of degree {order} (probabilists')",
        refs=("daniely2016toward",),
    )


def monomial(degree: int) -> Activation:
    """The activation $x^n$, named `monomial<n>`.

    Raises:
        BadActivation: a degree that is not an integer from 0 to 64.
    """
    n = check_order(degree, 0, "the degree of a monomial")
    return Activation(f"monomial{n}", Pow(x, n), title=f"Monomial of degree {n}")


identity = Entry("identity", lambda: x, title="Identity (a linear network)")
square = Entry("square", lambda: x**2, title="Square")
cube = Entry("cube", lambda: x**3, title="Cube")
hermite2, hermite3, hermite4, hermite5 = (_hermite(n) for n in (2, 3, 4, 5))

ENTRIES = (identity, square, cube, hermite2, hermite3, hermite4, hermite5)
