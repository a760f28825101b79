r"""The difference of two standard deviations where a program is given it.

Near $\rho = 1$ the exponents of joint densities are differences of these over the root of the
determinant.  $(q_{11} - q_{22})/(r_1 + r_2)$ from rounded variances is off by eps times the larger
of them; the difference from the rows is not.
"""

from __future__ import annotations

from sympy import Add, Expr, sqrt

from .. import symbols as S
from .program import Operand


class Apart:
    """Which operands are multiples of q11 - q22 and of sqrt(q11) + sqrt(q22).

    Attributes:
        name: of the argument that carries sqrt(q11) - sqrt(q22).
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._unlike: dict[Operand, Expr] = {}
        self._lengths: dict[Operand, Expr] = {}

    def note(self, e: Expr, value: Operand) -> None:
        """Remember what an expression was lowered to, if it is one of these."""
        if not isinstance(e, Add) or len(e.args) != 2 or not isinstance(value, str):
            return
        for kept, pair, sign in (
            (self._unlike, (S.q11, S.q22), -1),
            (self._lengths, (sqrt(S.q11), sqrt(S.q22)), 1),
        ):
            first, second = (e.coeff(s) for s in pair)
            if first != 0 and first == sign * second and not first.has(S.q11, S.q12, S.q22):
                kept[value] = first

    def quotient(self, a: Operand, b: Operand) -> Expr | None:
        """What to multiply the difference by for a/b; None where a/b is no multiple of it."""
        if a not in self._unlike or b not in self._lengths:
            return None
        return self._unlike[a] / self._lengths[b]
