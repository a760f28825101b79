"""About how large a function is under a normal law: what tolerances are relative to."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf, log
from typing import Any

from flint import arb

from ..errors import BadActivation, Undecided
from ..symbols import x
from .evaluate import constant, real_ball
from .functions.pieces import Piece
from .law import Law, exact
from .safe import precision
from .surd import Surd

_ORDINARY = 4
"""Powers of ten within which the size of an integrand does not change its tolerance."""
_SAMPLES = (-200, -130, -80, -40, -17, -11, -6, -2, 0, 2, 6, 11, 17, 40, 80, 130, 200)
"""Where an integrand is looked at for its size, in tenths of the deviation from the mean."""
_FARTHEST = 20_000
"""As far as they are spread where the largest is the last."""
_LARGEST = 10**6
"""The largest power of ten that functions are divided by."""
_USUAL = 40
_CLIMB = 30
_STEEP = 10
"""The fall of the logarithm to the next sample that shows a narrow bump."""
_GOLDEN = Fraction(382, 1000)


@dataclass(frozen=True, slots=True)
class _Look:
    """A function under the law of one variable, looked at in tenths of the deviation.

    Attributes:
        pieces: of the function.
        middle: the mean.
        spread: the deviation.
        found: the logarithm of its modulus, where that is finite; filled by `log`.
    """

    pieces: tuple[Piece, ...]
    middle: Fraction
    spread: Fraction
    found: dict[Fraction, float] = field(default_factory=dict)

    @classmethod
    def of(cls, pieces: tuple[Piece, ...], mean: Any, variance: Any) -> _Look:
        spread = Fraction(float(arb(variance).sqrt()))
        return cls(pieces, Fraction(int(mean.numer()), int(mean.denom())), spread)

    def log(self, k: Fraction | int) -> float:
        """The logarithm of the modulus at k tenths of the deviation; -oo where it is open."""
        k = Fraction(k)
        if k not in self.found:
            at = exact(self.middle + k / 10 * self.spread)
            ball, most = arb(at), -inf
            for piece in self.pieces:
                low, high = piece.ends()
                if (low is None or ball > low) and (high is None or ball < high):
                    with suppress(Undecided, BadActivation):
                        value = abs(real_ball(constant(piece.expr, {x: Surd.rational(at)})))
                        if value.is_finite() and value.mid() > 0:
                            most = max(most, float(value.mid().log()))
            self.found[k] = most
        return self.found[k]

    def weight(self, k: Fraction | int) -> float:
        """The same of the function times the root of the density."""
        return self.log(k) - (float(k) / 10) ** 2 / 4


def sizes_of(f: tuple[Piece, ...], g: tuple[Piece, ...], law: Law) -> tuple[int, int]:
    """Powers of ten for f and g, (0, 0) if both are about 1; the sum is that of the integrand.

    All tolerances are absolute, so that functions are brought to this size; nothing else depends
    on it.  Each for itself they say how large the integrand is where both variables agree; where
    one is not of size 1, it is looked for where both meet under the law.  Powers beyond `_LARGEST`,
    such as those of expectations that do not exist, are left alone.
    """
    sizes = _sizes(f, g, law)
    return sizes if max(map(abs, sizes)) <= _LARGEST else (0, 0)


def _sizes(f: tuple[Piece, ...], g: tuple[Piece, ...], law: Law) -> tuple[int, int]:
    with precision(256):
        one, two = _Look.of(f, law.m1, law.q11), _Look.of(g, law.m2, law.q22)
        first, second = _alone(one), _alone(two)
        if (first, second) == (0, 0) or law.q11 == 0 or law.q22 == 0:
            return first, second
        found = _together(one, two, law)
        if found is None:
            return first, second
        whole, part = (size / log(10) for size in found)
        if f == g and (law.m1, law.q11) == (law.m2, law.q22):  # one function stays one
            return round(whole / 2), round(whole / 2)
        return round(part), round(whole) - round(part)


def size_of(pieces: tuple[Piece, ...], mean: Any, variance: Any) -> int:
    """The power of ten of a function times the root of the density, 0 if it is about 1."""
    with precision(256):
        return _alone(_Look.of(pieces, mean, variance))


def _alone(look: _Look) -> int:
    """The same, at the working precision.

    From the best of the samples it climbs where that is steep: a narrow bump lies between two of
    them.
    """
    samples: tuple[int, ...] = _SAMPLES
    found: dict[int, float] = {}
    while True:
        found |= {k: size for k in samples if (size := look.weight(k)) > -inf}
        if not found:
            return 0
        order, best = sorted(found), max(found, key=lambda k: found[k])
        if best not in (order[0], order[-1]) or samples[-1] > _FARTHEST:
            break
        samples = tuple(3 * k for k in samples)  # exp(x) is largest at two variances
    if best in (order[0], order[-1]):
        # it grows as fast as the density falls: only the other factor makes it integrable
        top = max((found[k] for k in found if abs(k) <= _USUAL), default=found[best])
    else:
        place, top = order.index(best), found[best]
        beside = order[place - 1], order[place + 1]
        if any(top - found[k] > _STEEP for k in beside):
            top = _climb(look.weight, *map(Fraction, beside))[1]
    size = round(top / log(10))
    return size if abs(size) > _ORDINARY else 0


def _climb(weight: Callable[[Fraction], float], low: Fraction, high: Fraction) -> tuple[Any, float]:
    """(place, value): the largest that the golden section finds in between."""
    seen = {low: weight(low), high: weight(high)}
    for _ in range(_CLIMB):
        one, two = (low + (high - low) * g for g in (_GOLDEN, 1 - _GOLDEN))
        seen[one], seen[two] = weight(one), weight(two)
        low, high = (low, two) if seen[one] > seen[two] else (one, high)
    best = max(seen, key=lambda k: seen[k])
    return best, seen[best]


def _together(one: _Look, two: _Look, law: Law) -> tuple[float, float] | None:
    """Logarithms of the largest |f(u) g(v)| exp(-form/2) that a short search finds, and of f in it.

    The part of f has its share of the form, by the squares of the two variables.
    """
    rho = float((arb(law.q12) / arb(law.q11 * law.q22).sqrt()).mid())
    sign, rest = (1 if rho >= 0 else -1), 1 - rho * rho

    def joint(h: Fraction | int, k: Fraction | int) -> float:
        s, t = float(h) / 10, sign * float(k) / 10  # no cancellation where they are nearly equal
        near = (s - t) ** 2 / (2 * rest) if rest > 0 else (0.0 if s == t else inf)
        return one.log(h) + two.log(k) - near - s * t / (1 + abs(rho))

    places = sorted({*one.found, *two.found})
    pairs = {(h, k): joint(h, k) for h in places for k in places}
    place: Any = max(pairs, key=lambda pair: pairs[pair])
    (h, k), top = place, pairs[place]
    for step in (10, 3, 1) if top > -inf else ():
        for along in ((1, 0), (0, 1), (1, sign)):

            def line(t: Fraction, along: tuple[int, int] = along) -> float:
                return joint(h + along[0] * t, k + along[1] * t)  # noqa: B023

            width = Fraction(max(abs(h), abs(k), 10) * step, 20)
            t, value = _climb(line, -width, width)
            if value > top:
                h, k, top = h + along[0] * t, k + along[1] * t, value
    if top == -inf:
        return None
    share = h * h / (h * h + k * k) if h or k else 0
    return top, one.log(h) + float(share) * (top - one.log(h) - two.log(k))
