r"""A proven bound of $e = A - T$ and its derivatives on the whole line, by ball arithmetic.

$T(z) = \tanh(z/2)$, A a `Mixture` with exact dyadic numbers, $e$ odd.  On $[0, Z]$ the line is cut
into short intervals; on each, the Taylor polynomial of $e'$ about the midpoint is formed in balls
(all cancellation happens in its coefficients, at high precision) and the remainder is bounded by
Cauchy's estimate on a disc.  Beyond Z monotone bounds hold.  The lemmas are in
`derivations/identities/mixture_bound.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import factorial
from typing import Any

from ..dyadic import fraction
from ..precision import precision
from .arith import ball, upper, upward
from .nodes import Mixture

TOP = 8
"""The highest derivative of e that is bounded."""
_RADIUS = Fraction(1, 8)
_DISC = Fraction(5, 2)
_TERMS = 26
_CUTS = 4
"""Sub-intervals on which a Taylor polynomial is evaluated."""


@dataclass(frozen=True, slots=True)
class Row:
    r"""One interval of $|z|$ and bounds there: $|e^{(k)}(z)| \le b_k$, k from -1 to `TOP`.

    In the first row, [0, z1], they are the factors of $|z|^{p_k}$ with $p_{-1} = 2$,
    $p_k = 1$ for even k and 0 for odd k.  In the last row, which has no end, the bound for
    k = -1 is the factor of $|z|$.
    """

    start: Fraction
    stop: Fraction | None
    bounds: tuple[Fraction, ...]

    def of(self, order: int) -> Fraction:
        """The bound for the derivative of that order."""
        return self.bounds[order + 1]


@dataclass(frozen=True, slots=True)
class MixtureBound:
    r"""What is proven of a mixture, in exact dyadic numbers.

    Attributes:
        relative: $|A(z) - T(z)| \le$ `relative` $|T(z)|$ for all real z.
        absolute: $|A(z) - T(z)| \le$ `absolute` for all real z.
        slope: $|A'(z) - T'(z)| \le$ `slope` for all real z.
        rows: bounds on intervals that cover $z \ge 0$.
    """

    relative: Fraction
    absolute: Fraction
    slope: Fraction
    rows: tuple[Row, ...]

    @property
    def sigmoid(self) -> Fraction:
        r"""$|\sigma(x) - \tfrac12 - \tfrac12 A(x)| \le$ this for all real x."""
        return self.absolute / 2

    def text(self) -> tuple[str, ...]:
        """The bounds as lines of text."""
        return (
            f"|tanh(z/2) - sum| <= {upward(self.relative)} |tanh(z/2)| for all real z",
            f"|sigmoid(x) - sum| <= {upward(self.sigmoid)} for all real x",
            f"|d/dz| of the first: <= {upward(self.slope)} for all real z",
        )


@lru_cache(maxsize=64)
def prove_bound(mixture: Mixture) -> MixtureBound:
    """The bound of a mixture, proven by computation with the bits that its least weight needs."""
    least = min(abs(w) for w in mixture.weights if w)
    bits = 160 + 3 * (least.denominator.bit_length() - least.numerator.bit_length())
    with precision(bits):
        return _prove(mixture)


def _prove(mixture: Mixture) -> MixtureBound:
    from flint import arb

    nodes = [(ball(a) * ball(a) / 2, ball(w) * ball(a) * (2 / arb.pi()).sqrt()) for a, w in mixture]
    end = _far(mixture)
    remainders = _remainders(mixture)
    rows, relative = [_first_row(nodes, remainders)], arb(0)
    radius = ball(_RADIUS)
    # T(z)/z falls, so on [0, r] the ratio e/T is at most sup |e/z| over T(r)/r
    relative = ball(rows[0].of(0)) * radius / (radius / 2).tanh()
    primitive = ball(rows[0].of(-1)) * radius * radius
    at = _RADIUS
    while at < end:
        stop = at + 2 * _RADIUS
        sups = _sups(mixture, nodes, at + _RADIUS, remainders)
        primitive += 2 * radius * sups[0]
        bounds = (upper(primitive), *(upper(s) for s in sups))
        rows.append(Row(at, stop, bounds))
        ratio = ball(bounds[1]) / (ball(at) / 2).tanh()
        relative = ratio if fraction(ratio.upper()) > fraction(relative.upper()) else relative
        at = stop
    tail = _tail(mixture, nodes, at)
    relative_tail = ball(tail.of(0)) / (ball(at) / 2).tanh()
    if fraction(relative_tail.upper()) > fraction(relative.upper()):
        relative = relative_tail
    eps = upper(relative)
    # |integral of e from 0| <= eps * integral of |T| <= eps |z|
    tail = Row(tail.start, None, (eps, *tail.bounds[1:]))
    first = rows[0].of(0) * _RADIUS
    absolute = max([first, *(row.of(0) for row in rows[1:]), tail.of(0)])
    slope = max([row.of(1) for row in rows] + [tail.of(1)])
    return MixtureBound(eps, absolute, slope, (*_merged(rows), tail))


def _far(mixture: Mixture) -> Fraction:
    """Where every Gaussian of A' is below 2^-100 or so, and the monotone bounds hold."""
    return max(Fraction(12) / min(mixture.slopes), Fraction(8))


def _remainders(mixture: Mixture) -> list[Any]:
    r"""For k = 0..TOP+1: a bound of the Taylor remainder of $e^{(k)}$ on a short interval.

    On $|t| \le R < \pi$ about a real point, $|T| \le \tan(R/2)$ and
    $|2\Phi(az) - 1| \le 1 + aR\sqrt{2/\pi}\,e^{a^2R^2/2}$; the coefficients of $e$ are at most
    $M/R^n$.
    """
    from flint import arb

    disc, radius = ball(_DISC), ball(_RADIUS)
    most = (disc / 2).tan()
    for a, w in mixture:
        y = ball(a) * disc
        most += abs(ball(w)) * (1 + y * (2 / arb.pi()).sqrt() * (y * y / 2).exp())
    found = []
    for k in range(TOP + 2):
        # sum over n >= N of n!/(n-k)! M R^-n r^(n-k); the ratio of terms is below (N+1)r/((N+1-k)R)
        n = _TERMS + 1
        first = most * (factorial(n) // factorial(n - k)) * radius ** (n - k) / disc**n
        ratio = radius / disc * (n + 1) / (n + 1 - k)
        found.append(first / (1 - ratio))
    return found


def _slope_series(nodes: list[tuple[Any, Any]], centre: Any) -> list[Any]:
    """Taylor coefficients of e' = sum c exp(-t z^2) - T' about a point, `_TERMS` of them."""
    from flint import arb_series, ctx

    before = ctx.cap
    ctx.cap = _TERMS
    try:
        total = arb_series([0], prec=_TERMS)
        for t, c in nodes:
            total += c * arb_series([-t * centre * centre, -2 * t * centre, -t]).exp()
        # T' = 2 s (1 - s) with the sigmoid s = 1/(1 + exp(-z))
        s = 1 / (1 + arb_series([-centre, -1]).exp())
        total -= 2 * s * (1 - s)
        return [total[i] for i in range(_TERMS)]
    finally:
        ctx.cap = before


def _value(mixture: Mixture, z: Any) -> Any:
    from flint import arb

    total = -(z / 2).tanh()
    for a, w in mixture:
        total += ball(w) * (ball(a) * z / arb(2).sqrt()).erf()
    return total


def _sups(
    mixture: Mixture, nodes: list[tuple[Any, Any]], centre: Fraction, remainders: list[Any]
) -> list[Any]:
    """Bounds of |e^(k)|, k = 0..TOP, on the interval about a centre."""
    slope = _slope_series(nodes, ball(centre))
    coefficients = [_value(mixture, ball(centre))]
    coefficients += [c / (i + 1) for i, c in enumerate(slope)]
    return _sup(coefficients, remainders)


def _sup(coefficients: list[Any], remainders: list[Any]) -> list[Any]:
    """Upper bounds on [-r, r] of the size of a function and of its derivatives.

    The function is a polynomial plus a remainder; each part of the interval gets the polynomial
    about its own midpoint, so that a sum of sizes is near the truth.
    """
    from flint import arb, arb_poly

    found = [arb(0) for _ in range(TOP + 1)]
    width = _RADIUS / _CUTS
    half = ball(width)
    whole = arb_poly(coefficients)
    for i in range(_CUTS):
        moved = whole(arb_poly([ball(-_RADIUS + (2 * i + 1) * width), 1]))
        size = arb_poly([abs(c).upper() for c in moved.coeffs()])
        for k in range(TOP + 1):
            found[k] = found[k].max((size(half) + remainders[k]).upper())
            size = size.derivative()
    return found


def _first_row(nodes: list[tuple[Any, Any]], remainders: list[Any]) -> Row:
    """On [0, r], where e is odd: sup |e'| bounds e/z, sup |e'''| bounds e''/z, and so on."""
    from flint import arb

    sups = _sup(_slope_series(nodes, arb(0)), remainders[1:])
    bounds: list[Fraction] = [upper(sups[0] / 2)]
    for order in range(TOP + 1):
        # even order: |e^(k)(z)| <= |z| sup |e^(k+1)|; odd order: sup |e^(k)| itself
        bounds.append(upper(sups[order if order % 2 == 0 else order - 1]))
    return Row(Fraction(0), _RADIUS, tuple(bounds))


def _tail(mixture: Mixture, nodes: list[tuple[Any, Any]], at: Fraction) -> Row:
    r"""Bounds for all $z \ge Z$: $|T^{(k)}| \le 4e^{-Z}$, and $z^je^{-a^2z^2/2}$ falls."""
    from flint import arb

    z = ball(at)
    rest = 4 * (-z).exp()
    total = abs(ball(sum(mixture.weights, Fraction(-1)))) + rest
    for a, w in mixture:
        total += abs(ball(w)) * (ball(a) * z / arb(2).sqrt()).erfc()
    bounds = [Fraction(0), upper(total)]
    for k in range(TOP):
        size = rest
        for (a, _), (t, c) in zip(mixture, nodes, strict=True):
            reach = ball(a) * z
            hermite = sum(h * reach**j for j, h in enumerate(_absolute_hermite(k)))
            size += abs(c) * ball(a) ** k * hermite * (-t * z * z).exp()
        bounds.append(upper(size))
    return Row(at, None, tuple(bounds))


def _absolute_hermite(k: int) -> list[int]:
    """The sizes of the coefficients of He_k, lowest first."""
    sizes = [0] * (k + 1)
    for j in range(k // 2 + 1):
        sizes[k - 2 * j] = factorial(k) // (factorial(j) * factorial(k - 2 * j) * 2**j)
    return sizes


def _merged(rows: list[Row]) -> tuple[Row, ...]:
    """Neighbouring rows joined where the table would be long: the first 8, then by growing runs."""
    out, i = [], 0
    while i < len(rows):
        run = 1 if i < 8 else min(1 + i // 8, 16)
        part = rows[i : i + run]
        bounds = tuple(max(r.bounds[k] for r in part) for k in range(TOP + 2))
        out.append(Row(part[0].start, part[-1].stop, bounds))
        i += run
    return tuple(out)
