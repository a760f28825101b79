r"""Functions that are sums of powers of |x| on each half-line, read from their smooth pieces.

Their expectations need no integral in the radius: $E|X|^p$ is Euler's integral of the Gamma
function.  This is the only place where a power may be infinite at a point.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy as sp
from flint import arb, fmpq
from sympy import Expr

from ...errors import NotSquareIntegrable
from ...symbols import x
from ..evaluate import constant, real_ball
from ..safe import Divergent
from .pieces import Piece, split


@dataclass(frozen=True, slots=True)
class Power:
    """coefficient * |x|^exponent."""

    exponent: Expr
    coefficient: Expr

    @property
    def power(self) -> Any:
        """The exponent as `fmpq`, an irrational one as `arb`."""
        if self.exponent.is_Rational:
            return fmpq(int(self.exponent.p), int(self.exponent.q))
        return real_ball(constant(self.exponent, {}), self.exponent)

    @property
    def factor(self) -> Any:
        """The coefficient as `arb` at the working precision."""
        return real_ball(constant(self.coefficient, {}), self.coefficient)


@dataclass(frozen=True, slots=True)
class HalfLines:
    """Powers on x > 0 (`right`) and on x < 0 (`left`)."""

    right: tuple[Power, ...]
    left: tuple[Power, ...]

    @property
    def exponents(self) -> tuple[Expr, ...]:
        """All exponents, with repetition."""
        return tuple(t.exponent for t in (*self.right, *self.left))

    @property
    def whole(self) -> bool:
        """Whether every exponent is a nonnegative integer: other methods do as well then."""
        return all(p.is_Integer and p >= 0 for p in self.exponents)


@lru_cache(maxsize=256)
def half_lines(pieces: tuple[Piece, ...]) -> HalfLines | None:
    """The powers on the two half-lines, or None where the pieces are anything else."""
    if len(pieces) > 2 or (len(pieces) == 2 and pieces[0].hi != 0):
        return None
    right, left = _powers(pieces[-1].expr, 1), _powers(pieces[0].expr, -1)
    return None if right is None or left is None else HalfLines(right, left)


def degree(expr: Expr) -> sp.Rational | None:
    """The rational p of s(a x) = a^p s(x) for a > 0, None where there is no one such p."""
    lines = half_lines(split(expr))
    powers = set(lines.exponents) if lines is not None else set()
    p = powers.pop() if len(powers) == 1 else None
    return p if p is not None and p.is_Rational else None


def tidy(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The same pieces, with x**p for what SymPy writes as x**(p + 1)/x; others stay."""
    lines = half_lines(pieces)
    if lines is None or lines.whole:
        return pieces
    sides = [(x, lines.right)] if len(pieces) == 1 else [(-x, lines.left), (x, lines.right)]
    return tuple(
        Piece(piece.lo, piece.hi, sp.Add(*(t.coefficient * base**t.exponent for t in powers)))
        for piece, (base, powers) in zip(pieces, sides, strict=True)
    )


def integrable(pieces: tuple[Piece, ...]) -> None:
    """Nothing, if no power of a function on half-lines is -1 or less.

    Raises:
        Divergent: one is: there is no expectation as an integral.
        NotSquareIntegrable: nor has the function a dual whose derivative could be meant.
    """
    lines = half_lines(pieces)
    for p in lines.exponents if lines is not None else ():
        if p <= -sp.Rational(3, 2):
            raise NotSquareIntegrable(
                f"|x|**({p + 1}) is not square-integrable at 0: E[s(u)^2] is infinite",
                hint="a power above -1/2",
            )
        if p <= -1:
            raise Divergent(
                f"|x|**({p}) is not integrable at 0: the expectation is no integral",
                hint="the derivative in q12 of the dual, which exists",
            )


def singular(pieces: tuple[Piece, ...]) -> bool:
    """Whether the function is infinite at 0 but integrable there."""
    lines = half_lines(pieces)
    return lines is not None and any(-1 < p < 0 for p in lines.exponents)


def moment(p: Any) -> Any:
    """E[X_+^p] for a standard normal X and an `fmpq` p > -1: 2^(p/2 - 1) Gamma((p+1)/2)/sqrt(pi).

    Raises:
        Divergent: p <= -1: infinite.
    """
    if not p > -1:
        raise Divergent("the expectation is infinite at this covariance")
    return arb(2) ** arb(p / 2 - 1) * arb((p + 1) / 2).gamma() / arb.pi().sqrt()


def _powers(expr: Expr, side: int) -> tuple[Power, ...] | None:
    """The powers of |x| where x has the sign `side`."""
    out = []
    for term in sp.Add.make_args(sp.expand(expr)):
        if term == 0:
            continue
        total, coefficient = sp.Integer(0), sp.Integer(1)
        for f in sp.Mul.make_args(term):
            found = _factor(f, side)
            if found is None:
                return None
            total, coefficient = total + found[0], coefficient * found[1]
        out.append(Power(total, coefficient))
    return tuple(out)


def _factor(f: Expr, side: int) -> tuple[Expr, Expr] | None:
    """(exponent, coefficient) of one factor."""
    if not f.has(x):
        return sp.Integer(0), f
    base, e = f.as_base_exp()
    if e.free_symbols or not e.is_real:
        return None
    slope, rest = base.as_independent(x, as_Add=False)
    if rest != x or slope.has(x):
        return None
    slope = slope * side
    if e.is_Integer:
        return e, slope**e
    return (e, slope**e) if slope.is_positive else None
