r"""Truncated powers with a Gaussian cutoff that take the kinks of an activation away.

At every kink k, $p_k(x) = \sum_{j<r} c_j (x-k)_+^j e^{-\alpha(x-k)^2/2}$ has the jumps of the
derivatives of s up to order r - 1: $s - \sum_k p_k$ is smooth to that order.  The dual of
$\sum p_k$ is closed (`closed`); the cutoff keeps every term about as large as s
(`derivations/identities/table_bound.md`, section 10).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import e as EULER
from typing import Any

from ....errors import Undecided
from ..contour import Line

_POINTS = 96
_CLOSER = 4
"""The circle of the Taylor coefficients is so much smaller than one of analyticity."""
_BITS = 256
_SPARE = 96
_NOTHING = 1e-40


@dataclass(frozen=True, slots=True)
class Powers:
    """What is taken out of an activation, and out of its derivative.

    Attributes:
        kinks: the places, as `arb`.
        alpha: of the cutoff.
        value: for every kink the coefficients c_j, doubles.
        slope: the same of the derivative almost everywhere.
        off: a bound of the L^2 norm by which the rounding of the coefficients spoils smoothness.
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

    value, off = [], 0.0
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
            off += sum(d * hump(j, alpha) for j, d in enumerate(lost))
            value.append(tuple(kept))
        slopes = []
        for row in value:
            slope = [0.0] * (order + 1)
            for j, c in enumerate(row):
                if j:
                    slope[j - 1] += j * c
                slope[j + 1] -= alpha * c
                off += (
                    4
                    * 2.0**-53
                    * abs(c)
                    * (j + alpha)
                    * (hump(max(j - 1, 0), alpha) + hump(j + 1, alpha))
                )
            slopes.append(tuple(slope))
    if not off < 1e-9:
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

    With $w^{(j)}_n = \int_\zeta^\infty(z-\zeta)^je^{-\beta(z-\zeta)^2/2}h_n\varphi$,
    $\beta = \alpha q$: $(1+\beta)\sqrt n\,w^{(j)}_n = jw^{(j-1)}_{n-1} + \beta\zeta w^{(j)}_{n-1} -
    \beta\sqrt{n-1}\,w^{(j)}_{n-2}$, and $h_{n-1}(\zeta)\varphi(\zeta)$ for $jw^{(j-1)}_{n-1}$
    where j = 0.
    """
    from ....precision import precision
    from ...arith import ball
    from ...patience import check

    out = []
    with precision(bits + _SPARE):
        roots = _roots(count, bits + _SPARE)
        for q in variances:
            check()
            total: list[Any] | None = None
            for kink, row in zip(powers.kinks, powers.numbers(slope), strict=True):
                found = _hermite(kink, row, powers.alpha, ball(Fraction(q)), count, roots)
                total = (
                    found if total is None else [a + b for a, b in zip(total, found, strict=True)]
                )
            out.append(total)
    return out


def _roots(count: int, bits: int) -> list[Any]:
    from flint import arb

    return [arb(n).sqrt() for n in range(count + 1)]


def _hermite(
    kink: Any, row: tuple[float, ...], alpha: float, q: Any, count: int, roots: list[Any]
) -> list[Any]:
    from flint import arb

    dev = q.sqrt()
    zeta, beta = kink / dev, arb(alpha) * q
    one = 1 + beta
    peak = (-zeta * zeta / 2).exp() / (2 * arb.pi()).sqrt()
    start = _moments(zeta, beta, len(row) + 1)
    source = [peak, zeta * peak]  # h_n(zeta) phi(zeta)
    for n in range(1, count):
        source.append((zeta * source[n] - roots[n] * source[n - 1]) / roots[n + 1])
    first = [beta * zeta / (one * roots[n]) for n in range(1, count)]
    second = [beta * roots[n - 1] / (one * roots[n]) for n in range(1, count)]
    third = [1 / (one * roots[n]) for n in range(1, count)]
    total = [arb(0)] * count
    before, power = source, arb(1)
    for j, c in enumerate(row):
        w = [start[j], start[j + 1] + zeta * start[j]]
        scale = max(j, 1)
        a, b = w[1], w[0]
        for n in range(2, count):
            a, b = scale * third[n - 1] * before[n - 1] + first[n - 1] * a - second[n - 1] * b, a
            w.append(a)
        if c:
            factor = power * c
            total = [t + factor * v for t, v in zip(total, w, strict=True)]
        before, power = w, power * dev
    return total


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
