r"""Infinitely many kinks: finitely many stand for them where u is within so many deviations.

$\tilde s = s$ on $[-A, B]$, a constant on either side, continuous.  With
$\varepsilon_q^2 \ge E[(s-\tilde s)(u)^2]$ from the growth certificate and
$r = \max_q \varepsilon_q/\|s\|_q$, both duals are off by at most $2r + r^2$, relative to
$\sqrt{K(q_{11})K(q_{22})}$, and what is relative to $\tilde K$ grows by $(1 + r)^2$
(`derivations/identities/quadrature.md`, section 9).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from math import ceil, inf, nextafter
from typing import Any

from sympy import Expr, Heaviside, Piecewise, S, sign

from ..activation import Activation
from ..errors import Undecided
from ..symbols import x
from .arith import rounded_up
from .patience import check

_SHARE = 0.02
"""Of the error asked for, to what is cut off."""
_STEP = 1.08
_FARTHEST = 60.0
"""Standard deviations."""
_MOST = 200
"""Kinks on the part that is kept."""
_BITS = 128
NAME = "kinks farther out"
"""Of the part of a bound."""


@dataclass(frozen=True, slots=True)
class Cut:
    """An activation with finitely many kinks in the place of one with infinitely many.

    Attributes:
        activation: the one with finitely many.
        whole: the one it stands for.
        left, right: where it becomes constant.
        off: r of the two duals, the larger one.
        error: what is left to be proven for the other one.
    """

    activation: Activation
    whole: Activation
    left: Expr
    right: Expr
    off: float
    error: float

    def restored(self, found: Any) -> Any:
        """The dual of the whole from that of the part: named so, and its bounds larger."""
        from .quadrature.dual import QuadratureDual

        if isinstance(found, QuadratureDual):
            return replace(
                found,
                activation=self.whole,
                levels=tuple(self._level(found, level) for level in found.levels),
            )
        named = {"name": self.whole.name, "text": str(self.whole.expr)}
        if hasattr(found, "far"):
            near = {"near": self.restored(found.near)} if hasattr(found, "near") else {}
            return replace(found, **named, far=self._both(found.far), **near)
        return replace(self._both(found), **named)

    def _both(self, found: Any) -> Any:
        return replace(found, value=self._sheet(found.value), dot=self._sheet(found.dot))

    def _sheet(self, sheet: Any) -> Any:
        more = self._more(sheet.error)
        parts = (*sheet.parts, (NAME, more - sheet.error))
        return replace(sheet, error=more, parts=parts)

    def _more(self, error: float) -> float:
        r = self.off
        return nextafter((error * (1 + r) ** 2 + 2 * r + r * r) * (1 + 1e-14), inf)

    def _level(self, found: Any, level: Any) -> Any:
        curves = found.subject.value, found.subject.slope
        extra = [self._more(0.0) * _most_square(c.pieces, level.top) for c in curves]
        return replace(
            level,
            value=nextafter(level.value + extra[0], inf),
            dot=nextafter(level.dot + extra[1], inf),
            value_relative=self._more(level.value_relative),
            dot_relative=self._more(level.dot_relative),
        )


def cut_off(activation: Activation, variances: tuple[Any, Any], error: float) -> Cut | None:
    """The activation with finitely many kinks that stands for one with infinitely many.

    None where they are finitely many.

    Args:
        activation: with numbers for its parameters.
        variances: the range (low, high) that it is for.
        error: of which a small share is spent.

    Raises:
        Undecided: infinitely many that may be jumps, too many, or no bound far out.
    """
    return _cut_off(activation, variances, error)


@lru_cache(maxsize=32)
def _cut_off(
    activation: Activation, variances: tuple[Fraction, Fraction], error: float
) -> Cut | None:
    from ..verify.functions.pieces import split
    from ..verify.safe import Endless

    try:
        split(activation.expr)
    except Endless:
        if activation.expr.has(sign, Heaviside, Piecewise):
            raise
    else:
        return None
    low, high = (Fraction(v) for v in variances)
    dev, length = float(high) ** 0.5, 6.0
    while length < _FARTHEST:
        check()
        found = _part(activation.expr, length * dev)
        off = _off(activation.expr, found, low, high)
        if off <= _SHARE * error / 2:
            part = replace(activation, expr=found[0])
            left = (error - 2 * off - off * off) / (1 + off) ** 2 * (1 - 1e-12)
            return Cut(part, activation, found[1], found[2], off, left)
        length *= _STEP
    raise Undecided(
        f"{activation.expr}: the kinks within {_FARTHEST:g} standard deviations are not enough "
        f"for an error of {error:g}",
        hint="smaller variances, or a larger error",
    )


def _part(expr: Expr, length: float) -> tuple[Expr, Expr, Expr]:
    """`(s~, -A, B)`, A and B at least `length`: at the next kinks, if they are near."""
    from ..verify.functions.pieces import number, split

    reach = ceil(length * 1.3) + 1
    pieces = list(split(expr, reach)[1:-1])
    if len(pieces) > _MOST:
        raise Undecided(
            f"{expr}: more than {_MOST} kinks for |x| <= {reach}",
            hint="smaller variances, or a larger error",
        )
    while len(pieces) > 1 and number(pieces[-1].lo) >= length:
        pieces.pop()
    while len(pieces) > 1 and number(pieces[0].hi) <= -length:
        pieces.pop(0)
    left, right = pieces[0].lo, pieces[-1].hi
    assert left is not None and right is not None
    branches = [(pieces[0].expr.subs(x, left), x < left)]
    branches += [(p.expr, x < p.hi) for p in pieces]
    branches.append((pieces[-1].expr.subs(x, right), S.true))
    return Piecewise(*branches, evaluate=False), left, right


def _off(whole: Expr, part: tuple[Expr, Expr, Expr], low: Fraction, high: Fraction) -> float:
    """What is left out over the least norm on the range, the larger of those of s and of s'."""
    from flint import arb

    from ..precision import precision
    from ..verify.functions.growth import growth_of
    from ..verify.functions.pieces import Piece, derivative, number, split
    from ..verify.law import tail

    expr, left, right = part
    with precision(_BITS):
        inside = split(expr)
        far = (Piece(None, left, whole), Piece(right, None, whole), inside[0], inside[-1])
        law = _one(high)
        reach = (-number(left)).min(number(right)).lower() / arb(law.q11).sqrt()
        worst = arb(0)
        for pieces, kept in ((far, inside), (derivative(far), derivative(inside))):
            growth = growth_of(pieces)  # certificates add up: it bounds |s| + |s~|
            least = _least_square(kept, low, high)
            if not least > 0:
                raise Undecided(f"{whole}: no lower bound of the dual on the diagonal")
            worst = worst.max((tail(growth, growth, law, reach) / least).sqrt().upper())
        worst = (worst / (1 - worst)).upper()  # the norm was that of s~
        return nextafter(float(worst), inf) if worst.is_finite() and worst >= 0 else inf


def _least_square(pieces: tuple[Any, ...], low: Fraction, high: Fraction) -> Any:
    from .quadrature.scale import least_square
    from .quadrature.subject import Curve
    from .table.spectra.spectrum import second_moment

    if low == high:
        return second_moment(pieces, low, _BITS // 4).lower()
    return least_square(Curve(pieces, None), low, high)


def _most_square(pieces: tuple[Any, ...], high: Fraction) -> float:
    """At least E[s(u)^2] for all variances up to `high`: a certificate grows with |u|."""
    from flint import arb

    from ..precision import precision
    from ..verify.functions.growth import growth_of
    from ..verify.law import tail

    with precision(_BITS):
        growth = growth_of(pieces)
        return rounded_up(tail(growth, growth, _one(high), arb(0)))


def _one(variance: Fraction) -> Any:
    """The law of u = v."""
    from flint import fmpq

    from ..verify.law import Law

    v = fmpq(variance.numerator, variance.denominator)
    return Law(v * 0, v * 0, v, v, v)
