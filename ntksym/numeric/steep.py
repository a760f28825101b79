r"""Singular points with an unbounded slope that is square integrable: $|x-1|^{0.7}$.

Lines next to them leave $e=s'-\tilde s'$, whose norm is a small power of the width of the strips;
but the line has the mean slope, so $\int e=0$, and for inputs that are not next to each other
$E[e(u)g(v)]$ is small: $E[g(v)\mid u]$ is smooth.  Equal inputs have a sum of their own.  All
this is bounded on the range alone, and values are NaN below it: section 16 of
`derivations/identities/quadrature.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import ceil, exp, fsum, inf, log2, nextafter, pi, sqrt
from typing import Any

from sympy import Add, Expr, Rational

from ..activation import Activation
from ..errors import Undecided
from ..precision import precision
from ..symbols import x
from .blunt import NAME, rarer_below, with_lines
from .finite import Cut
from .own import own_weights
from .quadrature.close import Close
from .quadrature.dual import QuadratureDual, quadrature_dual

_BITS = 384
_SHARE = 0.1
"""Of the error asked for, to what lines change."""
_NARROW = 44
"""Strips are 2^-44 wide: the ends of narrower ones are hardly two doubles."""
_FAR = 96
"""Kinks are apart from so many deviations of v given u on."""


@dataclass(frozen=True, slots=True)
class _End:
    """A singular end c of a piece, and its strip.

    Attributes:
        c: the end.
        side: 1 where the piece is to the right.
        piece: its number.
        size: a bound of the integral of |e| over the strip.
        norm: one of the norm of e there.
        density: $e^{-t^2/4Q}$, t the point of the strip that is nearest to 0.
    """

    c: Expr
    side: int
    piece: int
    size: Any
    norm: Any
    density: Any


def steep_dual(
    activation: Activation, variances: tuple[Fraction, Fraction], error: float
) -> QuadratureDual | None:
    """The dual by a rule of lines, mended for equal inputs; None where s' is bounded.

    Raises:
        Undecided: s' is not square integrable next to a point, or not to the error asked for.
        BadActivation, NotSquareIntegrable: as `quadrature_dual`.
    """
    from ..verify.functions.ends import odd_ends
    from ..verify.functions.pieces import derivative, number, split
    from ..verify.functions.removable import opened

    with precision(_BITS):
        pieces = opened(split(activation.expr))
        slopes = derivative(pieces)
        ends = [(c, side, i) for i, p in enumerate(pieces) for c, side, _ in odd_ends(p)]
        if not ends or not variances[0] > 0:
            return None
        found = [_end(pieces, slopes, end, variances[1]) for end in ends]
        off, close = _bounds(pieces, slopes, found, variances, _SHARE * error)
        left = (error - 2 * off - off * off) / (1 + off) ** 2 * (1 - 1e-12)
        widths: list[Expr] = [Rational(1, 2**_NARROW)] * len(ends)
        expr = with_lines(pieces, ends, widths)
        other = replace(activation, expr=expr)
        _, zero = rarer_below(ends, widths, variances[0])
        cut = Cut(other, activation, None, None, off, left, NAME, False, zero)
        beyond = max(abs(float(number(c).mid())) for c, _, _ in ends) + 1.0
        still = _at_zero(slopes) if zero else 0.0
    made: QuadratureDual = cut.made(
        lambda a, v, e: quadrature_dual(a, variances=v, error=e), variances
    )
    sizes = [_most_slope(close, variances[0], level.top, off, still) for level in made.levels]
    levels = tuple(
        replace(level, dot=nextafter(level.dot_relative * size, inf))
        for level, size in zip(made.levels, sizes, strict=True)
    )
    return replace(made, levels=levels, close=replace(close, parity=_parity(made, pieces, beyond)))


def _most_slope(close: Close, low: Fraction, top: Fraction, off: float, still: float) -> float:
    """At least E[s'(u)^2] for variances from `low` to `top`, and `still`.

    The sum for equal inputs is off by at most 2r of itself, and for a variance from q/4 to q at
    most twice that for q; each is rounded by far less than the slack.
    """
    both = list(zip(close.nodes, close.weights, strict=True))
    most, at = still, float(top)
    while at >= float(low):
        terms = [w * exp(-u * u / (2 * at)) / sqrt(2 * pi * at) for u, w in both]
        slack = 1e-9 * fsum(map(abs, terms))
        most = max(most, 2 * (fsum(terms) + slack) / (1 - 2 * off - 1e-9))
        at /= 4
    return most


def _at_zero(slopes: Any) -> float:
    """At least s'(0)^2 on either side of 0."""
    from flint import acb

    from ..verify.evaluate import function
    from .arith import rounded_up

    most = 0.0
    for piece in slopes:
        left, right = piece.ends()
        if (left is None or not left > 0) and (right is None or not right < 0):
            value = function(piece.expr, x)(acb(0), False).real
            most = max(most, rounded_up(value * value))
    return most


def _parity(made: QuadratureDual, pieces: Any, beyond: float) -> int:
    """The sign with which s' is even or odd: that of s, which is even or odd, turned."""
    from flint import acb

    from ..verify.evaluate import function

    if not made.subject.even:
        return 0
    first = function(pieces[0].expr, x)(acb(-beyond), False).real
    last = function(pieces[-1].expr, x)(acb(beyond), False).real
    return -1 if bool(abs(first - last) < abs(first + last)) else 1


def _end(pieces: Any, slopes: Any, end: Any, high: Fraction) -> _End:
    """The strip of an end, with what its line changes.

    Raises:
        Undecided: s' is not seen to be square integrable there.
    """
    from flint import acb, arb

    from ..verify.evaluate import function
    from ..verify.functions.ends import DISTANCE, local, near, odd_ends
    from ..verify.functions.pieces import number

    c, side, i = end
    delta = arb(2) ** -_NARROW
    written = [e for at, s, e in odd_ends(slopes[i]) if (at, s) == (c, side)]
    form = written[0] if written else local(slopes[i].expr, c, side)
    size = norm = arb(0)
    rest = []
    for term in Add.make_args(form):
        bound = near(term, delta)
        if bound is None or bound.power == 0:
            rest.append(term)
            continue
        size += bound.mass(-delta.log())
        norm += (bound * bound).mass(-delta.log()).sqrt()
    ball = function(Add(*rest), DISTANCE)(acb(arb(0).union(delta)), False)
    if not (ball.is_finite() and norm.is_finite()):
        raise Undecided(f"s' is not seen to be square integrable next to x = {c}")
    size += 2 * ball.real.rad() * delta
    norm += 2 * ball.real.rad() * delta.sqrt()
    nearest = (abs(number(c)) - delta).lower().max(arb(0))
    density = (-nearest * nearest * high.denominator / (4 * high.numerator)).exp().upper()
    return _End(c, side, i, (2 * size).upper(), norm.upper(), density)


def _bounds(
    pieces: Any, slopes: Any, ends: list[_End], variances: Any, goal: float
) -> tuple[float, Close]:
    r"""R with $|K-\tilde K|\le2r\|f_1\|\|f_2\|$ for both duals, and what is mended.

    Raises:
        Undecided: it is not below the goal.
    """
    from flint import arb

    from ..verify.functions.pieces import Piece, derivative, number
    from .quadrature.intervals import real_size
    from .quadrature.scale import least_square
    from .quadrature.subject import Curve

    low, high = (arb(v.numerator) / v.denominator for v in variances)
    least = [least_square(Curve(f, None), *variances) for f in (pieces, slopes)]
    if not all(v > 0 for v in least):
        raise Undecided("no lower bound of the dual on the diagonal")
    delta, root = arb(2) ** -_NARROW, (2 * arb.pi() * low).sqrt()
    sizes = [abs(number(e.c)) for e in ends]
    more = max(((2 * t + delta) * delta / (2 * low)).exp() - 1 for t in sizes)
    # Not next to each other: the conditional expectation has a slope.
    first = sum(
        (2 * e.size * delta * e.density / ((2 * arb.pi()).sqrt() * low) for e in ends), arb(0)
    )
    first *= (2 + more) / least[1].sqrt()
    sigma = float(((first / (goal / 2)) ** (arb(2) / 3)).upper())
    apart = 2.0 ** ceil(log2(_FAR * float(high.sqrt().upper()) * sigma))
    places = sorted({float(number(p.hi).mid()) for p in pieces[:-1]})
    gaps = [right - left for left, right in pairwise(places)]
    if not (sigma < 2.0**-10 and apart < 2.0**-6 and all(gap > 4 * apart for gap in gaps)):
        raise Undecided("inputs have no bound for their slopes until they are far apart")
    worst = first / arb(sigma) ** (arb(3) / 2)
    # Parallel, with kinks apart: s' is smooth where the other is singular.
    half = Rational(apart) / 2
    shrunk = tuple(
        Piece(None if p.lo is None else p.lo + half, None if p.hi is None else p.hi - half, p.expr)
        for p in slopes
    )
    ratio, dev = (high / low).sqrt(), high.sqrt().upper()
    reach = (ratio * max(sizes, key=float) + 1).upper()
    flat = real_size(Curve(shrunk, None), dev, reach)
    steep = real_size(Curve(derivative(shrunk), None), dev, reach)
    second = tail = arb(0)
    widest = dev * sigma  # of v given u
    small = (-arb(_FAR * _FAR) / 64).exp()  # a quarter of `apart` away, and half of the exponent
    for e, t in zip(ends, sizes, strict=True):
        far = t + delta
        grown = ((2 * ratio * far * apart + arb(apart) ** 2) / (4 * high)).exp()
        each = 2 * e.size * e.density * grown / root
        second += each * delta * (ratio * steep + far * flat / low)
        tail += small * each * 4 * (flat + e.norm / delta)
        tail += small * e.size * sum((f.size for f in ends), arb(0)) / (root * widest)
    worst = worst.max(2 * (second + tail) / least[1])
    singular = [(e.c, e.side, e.piece) for e in ends]
    nodes, weights, lost = own_weights(slopes, singular, (low, high), goal * least[1])
    worst = worst.max(lost / least[1])  # equal inputs
    kept = sum(((e.norm * delta) ** 2 * e.density**2 / root for e in ends), arb(0)).sqrt()
    off = (worst / 2).max(kept / least[0].sqrt()).upper()
    if not off <= goal / 2:
        raise Undecided(f"lines next to singular points leave {float(off):.1g} of the dual")
    odd = list(dict.fromkeys(float(number(e.c).mid()) for e in ends))
    kinks = (*odd, *(c for c in places if c not in odd))
    bound, apart = nextafter(float(off), inf), apart * (1 + 2.0**-20)
    return bound, Close(kinks, len(odd), nodes, weights, sigma, apart, 0)
