r"""What stands beside and before the logistic functions: functions of the exact class.

$s(x) = P(x) + e(x) + \sum_p C_p(x)\,T^{(k_p)}(c_px + d_p)$ with P a polynomial, e and $C_p$ of the
term algebra: kinks, erf, Gaussians, exponentials, waves.  A node of the mixture is a gate or a
density, so every expectation is one of the exact engine, as far as that goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from sympy import Add, Expr, Poly, Symbol, default_sort_key

from ..errors import NtksymError
from ..exact import Exact, Field
from ..symbols import x
from ..terms import TermSum, decompose
from .arith import ball
from .evaluate import ball_value


@lru_cache(maxsize=256)
def terms_of(e: Expr) -> TermSum:
    """A function of x as a term sum, over the field of its own parameters.

    Raises:
        NoClosedForm: it is not of the term algebra.
    """
    params = sorted(e.free_symbols - {x}, key=default_sort_key)
    return decompose(e, Field(tuple(params)))


def in_class(e: Expr) -> bool:
    """Whether the term algebra holds it."""
    try:
        terms_of(e)
    except NtksymError:
        return False
    return True


def parted(e: Expr) -> tuple[Expr, Expr]:
    """(what is polynomial in x, the rest), summand by summand."""
    both: tuple[list[Expr], list[Expr]] = ([], [])
    for a in Add.make_args(e):
        both[not a.is_polynomial(x)].append(a)
    return Add(*both[0]), Add(*both[1])


@dataclass(frozen=True, slots=True)
class Size:
    r"""$c\,|x|^n\,e^{e + sx - tx^2/2}$, at least the size of one term; balls, t >= 0."""

    factor: Any
    power: int
    const: Any
    shift: Any
    tilt: Any


def sizes(e: Expr, values: Mapping[Symbol, Any]) -> Iterator[Size]:
    """Bounds of the terms of a function: steps and gates are at most 1, waves of size 1."""
    if e.is_polynomial(x):
        zero = ball(Fraction(0))
        for (n,), c in Poly(e, x).terms():
            yield Size(abs(ball_value(c, values)), n, zero, zero, zero)
        return

    def real(part: Exact) -> Any:
        return ball_value(part.split_imaginary()[0].expr, values)

    for key, c in terms_of(e).terms.items():
        one, two = (ball_value(part.expr, values) for part in c.split_imaginary())
        size = abs(one) if two == 0 else (one * one + two * two).sqrt()
        yield Size(size, key.power, real(key.const), real(key.shift), real(key.tilt))
