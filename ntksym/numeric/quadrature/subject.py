"""What a rule is made for: the smooth pieces of an activation and of its derivative."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

from sympy import Expr, S, expand

from ...activation import Activation
from ...errors import BadActivation, Undecided
from ...symbols import x

BITS = 64
"""The working precision of bounds: a bound needs few digits, but every one of them upwards."""


@dataclass(frozen=True, slots=True)
class Growth:
    """|f(t)| <= c (1 + |t|)^k exp(b|t| + a t^2) for all real t; c, b, a >= 0 exact."""

    c: Fraction
    k: int
    b: Fraction
    a: Fraction


@dataclass(frozen=True, slots=True)
class Curve:
    """A real function: its smooth pieces in order, and its growth certificate on the line.

    There is none, None, for a function that is unbounded at 0.
    """

    pieces: tuple[Any, ...]
    growth: Growth | None


@dataclass(frozen=True, slots=True)
class Subject:
    """An activation with numbers for its parameters, and its derivative off the kinks.

    Attributes:
        expr: s, in `symbols.x` alone.
        value: s as a curve.
        slope: s' as a curve, with the same pieces.
        kinks: the ends between the pieces, as exact SymPy numbers.
        continuous: whether s has no jump, so that s' is all of its derivative.
        even: whether s is even or odd, so that both dual integrands are symmetric about 0.
    """

    expr: Expr
    value: Curve
    slope: Curve
    kinks: tuple[Expr, ...]
    continuous: bool
    even: bool

    @property
    def singular(self) -> bool:
        """Whether s' (or s) is unbounded at 0."""
        return self.value.growth is None or self.slope.growth is None

    def without_slope(self) -> Subject:
        """The same with 0 for s': for rules of E[s(u) s(v)] alone."""
        nothing = tuple(replace(piece, expr=S.Zero) for piece in self.slope.pieces)
        none = Growth(Fraction(0), 0, Fraction(0), Fraction(0))
        return replace(self, slope=Curve(nothing, none))

    @property
    def smooth(self) -> bool:
        """Whether there is one piece."""
        return not self.kinks


def subject_of(activation: Activation, params: Mapping[Any, Any]) -> Subject:
    """The subject of an activation at exact values of its parameters.

    Raises:
        BadActivation: not real, not defined on part of the line, or a parameter without a value.
        NotSquareIntegrable: faster than every Gaussian.
        Undecided: kinks that cannot be located, or no growth certificate.
    """
    from ...verify.balls import with_values

    return _subject(with_values(activation, params))


@lru_cache(maxsize=64)
def _subject(expr: Expr) -> Subject:
    from ...precision import precision
    from ...verify.functions.pieces import derivative, jumps, split
    from ...verify.functions.removable import continued_pieces

    with precision(4 * BITS):
        pieces = split(expr)
        slopes = derivative(pieces)
        if continued_pieces(pieces) != pieces:
            raise Undecided(
                f"{expr} is 0/0 at a point, where code at fixed nodes has no value",
                hint="the methods tabulated and series: they enclose it by its continuation",
            )
        curves: list[Curve] = []
        fan = [p.hi for p in pieces[:-1]] == [0]
        for part in (pieces, slopes):
            try:
                known = grown(part)
            except BadActivation:
                if not curves and not fan:
                    raise
                known = None  # s itself may be finite
            if known is None and not fan:
                raise _singular(expr)
            curves.append(Curve(part, known))
        continuous = not jumps(pieces, expr)
    if not expr.has(x):
        raise BadActivation(f"{expr} does not depend on x", hint="its dual is its square")
    kinks = tuple(p.hi for p in pieces[:-1])
    even = expr.xreplace({x: -x}) in (expr, -expr) or any(_mirrored(pieces, s) for s in (1, -1))
    return Subject(expr, curves[0], curves[1], kinks, continuous, even)


def _mirrored(pieces: tuple[Any, ...], sign: int) -> bool:
    """Whether each piece is seen to be sign times its mirror image, where s as a whole is not."""
    for left, right in zip(pieces, reversed(pieces), strict=True):
        ends = [None if end is None else expand(-end) for end in (left.hi, left.lo)]
        if ends != [None if end is None else expand(end) for end in (right.lo, right.hi)]:
            return False
        image = sign * left.expr.xreplace({x: -x})
        if image != right.expr and expand(image - right.expr) != 0:
            return False
    return True


def grown(pieces: tuple[Any, ...]) -> Growth | None:
    """One certificate for all pieces, None where one of them is unbounded at an end.

    Raises:
        BadActivation, NotSquareIntegrable, Undecided: as `verify.functions.growth.growth_of`.
    """
    from flint import arb

    from ...verify.functions.growth import growth_of
    from ..arith import upper

    found = [_grown(piece, growth_of((piece,))) for piece in pieces]
    if not all(c.is_finite() for c, *_ in found):
        return None
    c = sum((upper(f[0]) for f in found), Fraction(0))
    b = max(upper(f[2].max(arb(0))) for f in found)
    a = max(upper(f[3].max(arb(0))) for f in found)
    return Growth(c, max(f[1] for f in found), b, a)


def _grown(piece: Any, growth: Any) -> tuple[Any, int, Any, Any]:
    """(c, k, b, a) of one piece; on a bounded piece a constant, or the largest |f| if less."""
    from flint import arb

    from ...verify.evaluate import function
    from .intervals import largest

    zero, ends = arb(0), piece.ends()
    if any(end is None for end in ends):
        return growth.c, growth.k, growth.b, growth.a
    t = abs(ends[0]).max(abs(ends[1])).upper()
    rate = growth.b.max(zero) * t + growth.a.max(zero) * t * t
    most = growth.c * (1 + t) ** growth.k * rate.exp()
    seen = largest(function(piece.expr, x), ends)
    return (most.min(seen) if seen.is_finite() else most), 0, zero, zero


def _singular(expr: Expr) -> Undecided:
    return Undecided(
        f"{expr} or its derivative is singular at a kink: no rule with fixed nodes has a bound",
        hint="`eval` for single values; |x|^p and log|x| have closed forms; a weak singularity "
        "at 0 alone has a rule",
    )
