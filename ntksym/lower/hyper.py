r"""Arguments of 2F1 in the correlation, as pairs (t, s) with z = t/(t + s).

Near $\rho = \pm 1$ the digits are in $1 - z$, which a rounded z has lost: for $z = \rho^2$ the pair
is $(q_{12}^2, \det)$, for $z = (1 + \rho)/2$ it is
$(\sqrt{q_{11}q_{22}} + q_{12}, \sqrt{q_{11}q_{22}} - q_{12})$, both formed from the root.
"""

from __future__ import annotations

from typing import Protocol

from sympy import Expr, Integer, sqrt

from .. import symbols as S
from .polynomial import DET, FAR, NEAR
from .program import Operand

_RHO = S.q12 / (sqrt(S.q11) * sqrt(S.q22))
_UP, _DOWN = (1 + _RHO) / 2, (1 - _RHO) / 2


class Lines(Protocol):
    """What is needed of a `Builder`."""

    def emit(self, op: str, *args: Operand, hint: str = "") -> Operand:
        """The operand of an operation."""
        ...

    def operand(self, e: Expr) -> Operand:
        """The operand of an expression."""
        ...

    def length(self, times: int = 1) -> Operand:
        """The product of a number and sqrt(q11 q22)."""
        ...


def half_angle(e: Expr) -> int | None:
    """1 for (1 + rho)/2, -1 for (1 - rho)/2, else None."""
    if e == _UP:
        return 1
    return -1 if e == _DOWN else None


def hyper_sides(b: Lines, z: Expr) -> tuple[Operand, Operand]:
    """The pair (t, s) of an argument."""
    turn = half_angle(z)
    if turn is not None:
        near, far = b.operand(NEAR), b.operand(FAR)
        return (far, near) if turn > 0 else (near, far)
    if z == _RHO**2:  # divided first: q12^2 and the determinant may leave the range
        length = b.length()
        rho = b.emit("div0", "q12", length, hint="rho")
        sine = b.emit("div0", b.operand(sqrt(DET)), length, hint="sine")
        return b.emit("mul", rho, rho, hint="square"), b.emit("mul", sine, sine, hint="square")
    at = b.operand(z)
    return at, b.operand(Integer(1) - z)
