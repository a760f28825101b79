r"""Truncated powers with a Gaussian cutoff that take the kinks of an activation away.

At every kink k, $p_k(x) = \sum_{j<r} c_j (x-k)_+^j e^{-\alpha(x-k)^2/2}$ has the jumps of the
derivatives of s up to order r - 1: $s - \sum_k p_k$ is smooth to that order.  The dual of
$\sum p_k$ is closed (`closed`); the cutoff keeps every term about as large as s
(`derivations/identities/table_bound.md`, section 10).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, sqrt
from math import e as EULER
from typing import Any

from ....errors import Undecided
from ..contour import Line

_POINTS = 96
_CLOSER = 4
"""The circle of the Taylor coefficients is so much smaller than one of analyticity."""
_BITS = 256
_SPARE = 96
_MOST_SPARE = 1 << 14
_LOST = 1.5
"""Bits that the recurrences lose for every zeta sqrt(n)."""
_NOTHING = 1e-40


@dataclass(frozen=True, slots=True)
class Powers:
    """What is taken out of an activation, and out of its derivative.

    Attributes:
        kinks: the places, as `arb`; the truncated powers are at their midpoints.
        alpha: of the cutoff.
        value: for every kink the coefficients c_j, doubles.
        slope: the same of the derivative almost everywhere.
        off: a bound of the L^2 norm of what moving the kinks to their midpoints changes.
    """

    kinks: tuple[Any, ...]
    alpha: float
    value: tuple[tuple[float, ...], ...]
    slope: tuple[tuple[float, ...], ...]
    off: float

    @property
    def order(self) -> int:
        """r: jumps of derivatives below are taken out of the activation."""
        return len(self.value[0])

    def numbers(self, slope: bool) -> tuple[tuple[float, ...], ...]:
        """The coefficients of the activation, or of its derivative."""
        return self.slope if slope else self.value

    def least(self, slope: bool) -> int:
        """The lowest power that is there."""
        return min(
            next((j for j, c in enumerate(row) if c), len(row)) for row in self.numbers(slope)
        )


def hump(power: int, alpha: float) -> float:
    r"""The largest $y^je^{-\alpha y^2/2}$, y >= 0, rounded up."""
    return (power / (EULER * alpha)) ** (power / 2) * (1 + 1e-12) if power else 1.0


def powers_of(line: Line, order: int, alpha: float) -> Powers:
    """The truncated powers of an activation given by its pieces.

    Raises:
        Undecided: a piece that is not analytic about its kink.
    """
    from flint import arb

    from ....precision import precision

    value, spoiled, off = [], 0.0, 0.0
    with precision(_BITS):
        grown = [arb(0)] * order  # of exp(alpha y^2/2)
        grown[0] = arb(1)
        for j in range(2, order, 2):
            grown[j] = grown[j - 2] * arb(alpha) / j
        for i, kink in enumerate(line.kinks):
            pieces = line.side(1 if kink.mid() >= 0 else -1)
            low, high = (taylor(p, kink, order) for p in (pieces[i], pieces[i + 1]))
            jumps = [b - a for a, b in zip(low, high, strict=True)]
            exact = [
                sum((jumps[m] * grown[j - m] for m in range(j + 1)), arb(0)) for j in range(order)
            ]
            kept = [float(c.mid()) for c in exact]
            least = _NOTHING * max(map(abs, kept))
            kept = [0.0 if abs(c) < least else c for c in kept]
            lost = (float(abs(c - d).upper()) for c, d in zip(exact, kept, strict=True))
            spoiled += sum(d * hump(j, alpha) for j, d in enumerate(lost))
            moved = sqrt(float(kink.rad()))  # a step moves by the root of that in the norm
            for j, c in enumerate(kept):
                steep = (j + alpha + 1) ** 2 * (hump(max(j - 2, 0), alpha) + hump(j + 2, alpha) + 1)
                off += 4 * abs(c) * moved * steep
            value.append(tuple(kept))
        slopes = []
        for row in value:
            slope = [0.0] * (order + 1)
            for j, c in enumerate(row):
                if j:
                    slope[j - 1] += j * c
                slope[j + 1] -= alpha * c
                spoiled += (
                    4
                    * 2.0**-53
                    * abs(c)
                    * (j + alpha)
                    * (hump(max(j - 1, 0), alpha) + hump(j + 1, alpha))
                )
            slopes.append(tuple(slope))
    if not off + spoiled < 1e-9:
        raise Undecided("jumps of derivatives at a kink are too large for doubles")
    return Powers(line.kinks, alpha, tuple(value), tuple(slopes), off * (1 + 1e-9))


def taylor(func: Any, centre: Any, order: int) -> list[Any]:
    """Balls of the Taylor coefficients below `order` of an analytic function of balls.

    Raises:
        Undecided: no circle inside which it is analytic.
    """
    from flint import acb, arb, fmpq

    from ....precision import precision
    from ....verify.functions.strips import COVER_BITS, ellipse

    big = arb(4)
    most = None
    for _ in range(14):
        with precision(COVER_BITS):
            most = ellipse(func, centre.mid(), big, big)
        if most is not None:
            break
        big = big / 2
    if most is None:
        raise Undecided("a piece is not analytic about its kink")
    radius = big / _CLOSER
    turns = [acb.exp_pi_i(acb(arb(fmpq(2 * i, _POINTS)))) for i in range(_POINTS)]
    values = [func(acb(centre) + radius * w, False) for w in turns]
    folded = most * 2 * arb(_CLOSER) ** -_POINTS  # the coefficients that the sum cannot tell apart
    out = []
    for j in range(order):
        total = acb(0)
        for i, value in enumerate(values):
            total += value * turns[(-i * j) % _POINTS]
        found = (total / _POINTS / radius**j).real
        out.append(found + arb(0, (folded / big**j).upper()))
    return out


def parts(powers: Powers, slope: bool) -> list[Line]:
    """Every p_k as a function with one kink."""
    from flint import acb

    def piece(kink: Any, row: tuple[float, ...]) -> Any:
        def value(at: Any, analytic: bool) -> Any:
            y = at - kink
            total = acb(0)
            for c in reversed(row):
                total = total * y + c
            return total * (-powers.alpha * y * y / 2).exp()

        return value

    def nothing(at: Any, analytic: bool) -> Any:
        return acb(0)

    out = []
    for kink, row in zip(powers.kinks, powers.numbers(slope), strict=True):
        both = (nothing, piece(kink, row))
        out.append(Line((kink,), both, both))
    return out


def hermite_rows(powers: Powers, slope: bool, variances: Any, count: int, bits: int) -> list[Any]:
    r"""Balls of $E[p(\sqrt qZ)h_n(Z)]$, n < count, p = sum of the p_k, for every variance.

    Their radii are below 2^-bits times the largest of them.  With $y = z-\zeta$, $\beta = \alpha q$
    and $\sum_n h_n(z)\varphi(z)t^n/\sqrt{n!} = \varphi(z-t)$ the generating functions
    $M_j(t) = \int_\zeta^\infty y^je^{-\beta y^2/2}\varphi(z-t)\,dz$ satisfy
    $(1+\beta)M_{j+1} = jM_{j-1} + (t-\zeta)M_j$, with $\varphi(\zeta-t)$ on the right for j = 0
    too: all of them are $A\,M_0 + B\,\varphi(\zeta-t)$ with polynomials A and B in t.

    Raises:
        Undecided: no such balls.
    """
    from ....precision import precision
    from ...arith import ball
    from ...patience import check

    out = []
    far = max((float(abs(k).upper()) for k in powers.kinks), default=0.0)
    for q in variances:
        check()
        spare = _SPARE + ceil(_LOST * far * sqrt(count / float(q)))
        while True:
            with precision(bits + spare):
                row = _sum_of_kinks(powers, slope, ball(Fraction(q)), count)
                largest = max(abs(a).upper() for a in row)
                if max(a.rad() for a in row) <= largest * 2.0**-bits:
                    break
            spare *= 2
            if spare > _MOST_SPARE:
                raise Undecided("no enclosure of the Hermite coefficients of a truncated power")
        out.append(row)
    return out


def _sum_of_kinks(powers: Powers, slope: bool, q: Any, count: int) -> list[Any]:
    from flint import arb

    total = [arb(0)] * count
    for kink, row in zip(powers.kinks, powers.numbers(slope), strict=True):
        if any(row):
            found = _series(kink.mid(), row, powers.alpha, q, count)
            total = [a + b for a, b in zip(total, found, strict=True)]
    if not any(map(any, powers.numbers(slope))):
        return total
    root, out = arb(1), []
    for n, a in enumerate(total):  # a/sqrt(n!), from the coefficient of t^n
        root = root * n if n else root
        out.append(a * root.sqrt())
    return out


def _series(kink: Any, row: tuple[float, ...], alpha: float, q: Any, count: int) -> list[Any]:
    """The coefficients of t^n, n < count, of what one kink adds to the generating function."""
    from flint import arb, arb_poly

    dev = q.sqrt()
    zeta, beta = kink / dev, arb(alpha) * q
    one, both = 1 + beta, beta * zeta
    peak = (-zeta * zeta / 2).exp() / (2 * arb.pi()).sqrt()
    source = [peak, zeta * peak]  # of phi(zeta - t)
    first = _moments(zeta, beta, 2)
    known = [first[0], first[1] + zeta * first[0]]  # of M_0
    for n in range(2, count):
        known.append((source[n - 1] + both * known[-1] - beta * known[-2]) / (one * n))
        source.append((zeta * source[-1] - source[-2]) / n)
    step = arb_poly([-zeta / one, 1 / one])
    a, b = [arb_poly([1]), step], [arb_poly([]), arb_poly([1 / one])]
    for j in range(1, len(row) - 1):
        a.append(step * a[j] + a[j - 1] * (j / one))
        b.append(step * b[j] + b[j - 1] * (j / one))
    whole, edge, power = arb_poly([]), arb_poly([]), arb(1)
    for j, c in enumerate(row):
        whole, edge, power = whole + a[j] * (power * c), edge + b[j] * (power * c), power * dev
    found = whole * arb_poly(known[:count]) + edge * arb_poly(source[:count])
    return [found[n] for n in range(count)]


def _moments(zeta: Any, beta: Any, count: int) -> list[Any]:
    r"""$\int_\zeta^\infty(z-\zeta)^je^{-\beta(z-\zeta)^2/2}\varphi(z)\,dz$, j < count."""
    from flint import arb

    one = 1 + beta
    whole = (-zeta * zeta * beta / (2 * one)).exp() / one.sqrt()
    out = [whole * (zeta / (2 * one).sqrt()).erfc() / 2]
    out.append(((-zeta * zeta / 2).exp() / (2 * arb.pi()).sqrt() - zeta * out[0]) / one)
    for j in range(1, count - 1):
        out.append((j * out[j - 1] - zeta * out[j]) / one)
    return out[:count]
