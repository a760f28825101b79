r"""Kinks far out: others stand for s where u is within so many deviations.

$\tilde s = s$ on $[-A, B]$.  Of infinitely many kinks or jumps it is a constant on either side,
what s ends with there; of finitely many the outermost pieces that are kept go on, so that there
are fewer kinks.  With
$\varepsilon_q^2 \ge E[(s-\tilde s)(u)^2]$ from the growth certificate and
$r = \max_q \varepsilon_q/\|s\|_q$, both duals are off by at most $2r + r^2$, relative to
$\sqrt{K(q_{11})K(q_{22})}$, and what is relative to $\tilde K$ grows by $(1 + r)^2$
(`derivations/identities/quadrature.md`, section 9).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from math import ceil, inf, nextafter
from typing import Any

from sympy import Expr, Piecewise, S

from ..activation import Activation
from ..errors import NtksymError, Undecided
from ..precision import precision
from ..symbols import x
from .arith import rounded_up
from .patience import check

_SHARE = 0.02
"""Of the error asked for, to what is cut off."""
_STEP = 1.08
_FARTHEST = 60.0
"""Standard deviations."""
_NEAREST = 6.0
"""Of finitely many kinks those within so many are kept."""
_BELOW = 64
"""Below the least variance over this a certificate bounds what is there."""
_MOST = 200
"""Kinks on the part that is kept."""
BITS, _ROUGH = 128, 16
NAME = "kinks farther out"
"""Of the part of a bound."""


@dataclass(frozen=True, slots=True)
class Cut:
    """An activation with fewer kinks in the place of one with kinks far out.

    Attributes:
        activation: the one with fewer.
        whole: the one it stands for.
        left, right: where they begin to differ far out; None where they do not.
        off: r of the two duals, the larger one.
        error: what is left to be proven for the other one.
        part: the name of that part of a bound.
        below: whether r times the least norm on the range bounds what they leave at all smaller
            variances too.
        zero: whether both are one function next to 0.
    """

    activation: Activation
    whole: Activation
    left: Expr | None
    right: Expr | None
    off: float
    error: float
    part: str = NAME
    below: bool = True
    zero: bool = True

    def made(self, make: Callable[[Activation, Any, float], Any], variances: Any) -> Any:
        """What a rule makes of this one, for the whole.

        Raises:
            NtksymError: as `make`, of the whole: the other is nothing that anybody wrote.
        """
        try:
            return self.restored(make(self.activation, variances, self.error))
        except NtksymError as failed:
            if isinstance(self.activation.expr, Piecewise):  # not a word such as x
                failed.say(str(self.activation.expr), self.whole.name)
            raise

    def restored(self, found: Any) -> Any:
        """The dual of the whole from that of the part: named so, and its bounds larger."""
        from .quadrature.dual import QuadratureDual
        from .table.shell.apart import changed

        if isinstance(found, QuadratureDual):
            return replace(
                found,
                activation=self.whole,
                levels=tuple(self._level(found, level) for level in found.levels),
                least=found.least if self.below else found.variances[0],
                zero=found.zero and self.zero,
            )
        named = {"name": self.whole.name, "text": str(self.whole.expr)}
        if hasattr(found, "far"):
            near: dict[str, Any] = {}
            if hasattr(found, "near"):
                near = {"near": self.restored(found.near), "asked": self._more(found.asked)}
            shells = tuple(changed(t, self.restored) for t in found.shells)
            far = None if found.far is None else self._both(found.far)
            return replace(found, **named, far=far, shells=shells, **near)
        if hasattr(found, "pairs"):
            return replace(found, **named, pairs=tuple(self._both(p) for p in found.pairs))
        if hasattr(found, "bounds"):
            return replace(found, **named, bounds=tuple(self._more(b) for b in found.bounds))
        return replace(self._both(found), **named)

    def _both(self, found: Any) -> Any:
        return replace(found, value=self._sheet(found.value), dot=self._sheet(found.dot))

    def _sheet(self, sheet: Any) -> Any:
        more = self._more(sheet.error)
        parts = (*sheet.parts, (self.part, more - sheet.error))
        return replace(sheet, error=more, parts=parts)

    def _more(self, error: float) -> float:
        r = self.off
        return nextafter((error * (1 + r) ** 2 + 2 * r + r * r) * (1 + 1e-14), inf)

    def _level(self, found: Any, level: Any) -> Any:
        curves, low = (found.subject.value, found.subject.slope), found.variances[0]
        larger = 1 / (1 - self.off) ** 2 * (1 + 1e-14)  # the norm of s over that of the other one
        extra = [self._more(0.0) * larger * _most(c.pieces, low, level.top) for c in curves]
        return replace(
            level,
            value=nextafter(level.value + extra[0], inf),
            dot=nextafter(level.dot + extra[1], inf),
            value_relative=self._more(level.value_relative),
            dot_relative=self._more(level.dot_relative),
        )


def cut_off(
    activation: Activation, variances: tuple[Any, Any], error: float, slopes: bool = True
) -> Cut | None:
    """The activation that stands for one with kinks far out; None where there are none.

    Of finitely many kinks as many are left out as may be, and none where that cannot be bounded.

    Args:
        activation: with numbers for its parameters.
        variances: the range (low, high) that it is for.
        error: of which a small share is spent.
        slopes: whether the derivative dual is wanted too.

    Raises:
        Undecided: too many, or no bound far out.
    """
    return _cut_off(activation, variances, error, slopes)


@lru_cache(maxsize=32)
def _cut_off(
    activation: Activation, variances: tuple[Fraction, Fraction], error: float, slopes: bool
) -> Cut | None:
    from ..verify.functions.pieces import Piece, split
    from ..verify.safe import Endless

    low, high = (Fraction(v) for v in variances)
    try:
        split(activation.expr)
    except Endless:
        pass
    else:
        return _fewer(activation, (low, high), error, slopes)
    goal = _SHARE * error / 2
    dev, length = float(high) ** 0.5, 6.0
    while length < _FARTHEST:
        check()
        found = _part(activation.expr, length * dev)
        ends = found[1:]
        inside = split(found[0])
        outer = (Piece(None, ends[0], activation.expr), Piece(ends[1], None, activation.expr))
        far = (*outer, inside[0], inside[-1])
        off = _off(far, inside, _nearest(ends), (low, high), goal, slopes)
        if off <= goal:
            return _cut(activation, found[0], ends, off, error)
        length *= _STEP
    raise Undecided(
        f"{activation.name}: the kinks within {_FARTHEST:g} standard deviations are not enough "
        f"for an error of {error:g}",
        hint="smaller variances, or a larger error",
    )


def _part(expr: Expr, length: float) -> tuple[Expr, Expr, Expr]:
    """`(s~, -A, B)`, A and B at least `length`: at the next kinks, if they are near."""
    from ..verify.functions.pieces import number, split

    reach = ceil(length * 1.3) + 1
    pieces = list(split(expr, reach, ())[1:-1])
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


def _cut(
    whole: Activation, expr: Expr, ends: tuple[Expr | None, Expr | None], off: float, error: float
) -> Cut:
    left = (error - 2 * off - off * off) / (1 + off) ** 2 * (1 - 1e-12)
    return Cut(replace(whole, expr=expr), whole, *ends, off, left)


def _fewer(
    activation: Activation, span: tuple[Fraction, Fraction], error: float, slopes: bool
) -> Cut | None:
    """With the fewest of finitely many kinks; None where all are needed."""
    from ..verify.functions.pieces import Piece, number, split

    pieces, high = split(activation.expr), span[1]
    with precision(BITS):
        places = [number(p.hi) for p in pieces[:-1]]
    sizes, goal = [float(abs(place).lower()) for place in places], _SHARE * error / 2
    for least in sorted({size for size in sizes if size > _NEAREST * float(high) ** 0.5}):
        check()
        first = sum(p < 0 and size >= least for p, size in zip(places, sizes, strict=True))
        last = first + sum(size < least for size in sizes)
        kept = list(pieces[first : last + 1])
        left, right = kept[0].lo, kept[-1].hi
        kept[0] = Piece(None, kept[0].hi, kept[0].expr)
        kept[-1] = Piece(kept[-1].lo, None, kept[-1].expr)
        outer = (*pieces[:first], *pieces[last + 1 :])
        outer += (Piece(None, left, kept[0].expr),) if left is not None else ()
        outer += (Piece(right, None, kept[-1].expr),) if right is not None else ()
        try:
            off = _off(outer, tuple(kept), _nearest((left, right)), span, goal, slopes)
        except NtksymError:  # a piece that does not go on
            continue
        if off <= goal:
            branches = [(p.expr, x < p.hi) for p in kept[:-1]] + [(kept[-1].expr, S.true)]
            expr = Piecewise(*branches, evaluate=False) if len(kept) > 1 else kept[0].expr
            return _cut(activation, expr, (left, right), off, error)
    return None


def _nearest(ends: tuple[Expr | None, Expr | None]) -> Any:
    """The distance from 0 of the nearer one."""
    from ..verify.functions.pieces import number

    with precision(BITS):
        sizes = [abs(number(end)).lower() for end in ends if end is not None]
        return min(sizes)


def _off(
    far: Any,
    inside: Any,
    reach: Any,
    span: tuple[Fraction, Fraction],
    goal: float,
    slopes: bool,
) -> float:
    """What is left out over the least norm on the range, the larger of those of s and of s'.

    Args:
        far: the pieces of both functions where they differ.
        inside: those of the one that stands for the other.
        reach: they are equal for |x| less than that.
        span: the variances.
        goal: what is surely more is not told from infinity.
        slopes: whether s' counts.
    """
    from flint import arb

    from ..verify.functions.growth import growth_of
    from ..verify.functions.pieces import derivative
    from .table.spectra.norms import second_moment

    low, high = span
    with precision(BITS):
        law = _one(high)
        reach = (reach / arb(law.q11).sqrt()).lower()
        worst = arb(0)
        curves = [(far, inside)]
        if slopes:
            curves.append((derivative(far), derivative(inside)))
        for pieces, kept in curves:
            if all(p.expr == 0 for p in (*pieces, *kept)):  # the slope of steps
                continue
            growth = growth_of(pieces)  # certificates add up: it bounds |s| + |s~|
            lost = _beyond(growth, law, reach)
            with nullcontext() if slopes else suppress(Undecided):  # singular points are allowed
                if not lost <= goal * goal * second_moment(kept, high, _ROUGH).upper():
                    return inf  # the least on the range takes longer
            least = _least_square(kept, low, high)
            if not least > 0:
                raise Undecided(f"{inside[0].expr}: no lower bound of the dual on the diagonal")
            worst = worst.max((lost / least).sqrt().upper())
        worst = (worst / (1 - worst)).upper()  # the norm was that of s~
        return nextafter(float(worst), inf) if worst.is_finite() and worst >= 0 else inf


def _beyond(growth: Any, law: Any, reach: Any) -> Any:
    r"""A bound of $E[g(u)^2;|Z| > L]$, u = DZ, g = c (1 + |u|)^k e^{...}.

    Of powers alone $(1+Dz)^{2k} \le (1+DL)^{2k}(z/L)^{2k}$ beyond L.
    """
    from flint import arb

    from ..verify.law import tail

    if growth.a == 0 and growth.b == 0 and reach > 0:
        k = int(growth.k)
        moment = arb(2) ** k * (reach * reach / 2).gamma_upper(arb(2 * k + 1) / 2) / arb.pi().sqrt()
        grown = (1 + arb(law.q11).sqrt() * reach) / reach
        return (growth.c**2 * grown ** (2 * k) * moment).upper()
    return tail(growth, growth, law, reach)


def _least_square(pieces: tuple[Any, ...], low: Fraction, high: Fraction) -> Any:
    from .quadrature.scale import least_square
    from .quadrature.subject import Curve
    from .table.spectra.norms import second_moment

    if low == high:
        with suppress(Undecided):
            return second_moment(pieces, low, BITS // 4).lower()
    return least_square(Curve(pieces, None), low, high)


def most_moment(pieces: tuple[Any, ...], high: Fraction, power: int) -> float | None:
    """At least E[|s(u)|^m], m even, for all variances up to `high`; None where it has no bound."""
    try:
        most = _most_square(tuple(replace(p, expr=p.expr ** (power // 2)) for p in pieces), high)
    except NtksymError:
        return None
    return most if most < inf else None


def _most(pieces: tuple[Any, ...], low: Fraction, high: Fraction) -> float:
    r"""At least E[s(u)^2] for all variances up to `high`, less than a certificate may say.

    For $q/4\le q'\le q$ the density of N(0, q') is at most twice that of N(0, q).
    """
    from .table.spectra.norms import second_moment

    known = most = _most_square(pieces, high)
    if not low > 0:
        return known
    with precision(BITS), suppress(NtksymError):
        at, found = high, 0.0
        while at > low / _BELOW:
            check()
            found = max(found, rounded_up(2 * second_moment(pieces, at, _ROUGH)))
            at /= 4
        most = max(found, _most_square(pieces, at))
    return min(known, most)


def _most_square(pieces: tuple[Any, ...], high: Fraction) -> float:
    """At least E[s(u)^2] for all variances up to `high`: a certificate grows with |u|."""
    from flint import arb

    from ..verify.functions.growth import Growth, growth_of
    from ..verify.law import tail
    from .arith import ball
    from .quadrature.subject import grown

    with precision(BITS):
        known = grown(pieces)
        if known is None:
            growth = growth_of(pieces)
        else:
            growth = Growth(ball(known.c), known.k, ball(known.b), ball(known.a))
        return rounded_up(tail(growth, growth, _one(high), arb(0)))


def _one(variance: Fraction) -> Any:
    """The law of u = v."""
    from flint import fmpq

    from ..verify.law import Law

    v = fmpq(variance.numerator, variance.denominator)
    return Law(v * 0, v * 0, v, v, v)
