"""About how large a function is under a normal law: what tolerances are relative to."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf, log, sqrt
from operator import itemgetter
from typing import Any

from flint import acb, arb

from ..errors import BadActivation, Undecided
from ..precision import precision
from ..symbols import x
from .evaluate import constant, real_ball
from .functions.pieces import Piece
from .law import Law, exact
from .surd import Surd

_ORDINARY = 4
"""Powers of ten within which the size of an integrand does not change its tolerance."""
_SAMPLES = (-200, -130, -80, -40, -17, -11, -6, -2, 0, 2, 6, 11, 17, 40, 80, 130, 200)
"""Where an integrand is looked at for its size, in tenths of the deviation from the mean."""
_FARTHEST = 20_000
"""As far as they are spread where the largest is the last."""
_LARGEST = 200_000
"""The largest power of ten that functions are divided by."""
_USUAL = 40
_CLIMB = 30
_STEEP = 10
"""The fall of the logarithm to the next sample that shows a narrow bump."""
_GOLDEN = (3 - sqrt(5)) / 2


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
    found: dict[float, float] = field(default_factory=dict)

    @classmethod
    def of(cls, pieces: tuple[Piece, ...], mean: Any, variance: Any) -> _Look:
        spread = Fraction(float(arb(variance).sqrt()))
        return cls(pieces, Fraction(int(mean.numer()), int(mean.denom())), spread)

    def log(self, k: float) -> float:
        """The logarithm of the modulus at k tenths of the deviation; -oo where it is open."""
        if k not in self.found:
            at = exact(self.middle + Fraction(k) / 10 * self.spread)
            # samples are exact, for what is special at them; between them a ball is enough
            ball, place, most = arb(at), Surd.rational(at) if k == int(k) else acb(at), -inf
            for piece in self.pieces:
                low, high = piece.ends()
                if (low is None or ball > low) and (high is None or ball < high):
                    with suppress(Undecided, BadActivation):
                        value = abs(real_ball(constant(piece.expr, {x: place})))
                        if value.is_finite() and value.mid() > 0:
                            most = max(most, float(value.mid().log()))
            self.found[k] = most
        return self.found[k]

    def weight(self, k: float) -> float:
        """The same of the function times the root of the density."""
        return self.log(k) - (k / 10) ** 2 / 4


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
        same = f == g and (law.m1, law.q11) == (law.m2, law.q22)
        one = _Look.of(f, law.m1, law.q11)
        two = one if same else _Look.of(g, law.m2, law.q22)
        first, second = _alone(one), _alone(two)
        if (first, second) == (0, 0) or law.q11 == 0 or law.q22 == 0:
            return first, second
        found = _together(one, two, law)
        if found is None:
            return first, second
        whole, part = (size / log(10) for size in found)
        if same:  # one function stays one
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
            top = _climb(look.weight, *beside)[1]
    size = round(top / log(10))
    return size if abs(size) > _ORDINARY else 0


def _climb(weight: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
    """(place, value): the largest that the golden section finds in between."""
    span = high - low
    ends = ((k, weight(k)) for k in (low, high))
    one, two = ((k, weight(k)) for k in (low + span * _GOLDEN, high - span * _GOLDEN))
    best = max(*ends, one, two, key=itemgetter(1))
    for _ in range(_CLIMB):
        if one[1] > two[1]:
            high, two = two[0], one
            place = low + (high - low) * _GOLDEN
            one = new = place, weight(place)
        else:
            low, one = one[0], two
            place = high - (high - low) * _GOLDEN
            two = new = place, weight(place)
        best = max(best, new, key=itemgetter(1))
    return best


def _together(one: _Look, two: _Look, law: Law) -> tuple[float, float] | None:
    """Logarithms of the largest |f(u) g(v)| exp(-form/2) that a short search finds, and of f in it.

    The part of f has its share of the form, by the squares of the two variables.
    """
    rho = float((arb(law.q12) / arb(law.q11 * law.q22).sqrt()).mid())
    sign, rest = (1 if rho >= 0 else -1), 1 - rho * rho

    def form(h: float, k: float) -> float:
        s, t = h / 10, sign * k / 10  # no cancellation where they are nearly equal
        near = (s - t) ** 2 / (2 * rest) if rest > 0 else (0.0 if s == t else inf)
        return near + s * t / (1 + abs(rho))

    def joint(h: float, k: float) -> float:
        return one.log(h) + two.log(k) - form(h, k)

    places = sorted({*one.found, *two.found})
    first, second = ([(k, look.log(k)) for k in places] for look in (one, two))
    top, h, k = max(
        ((a + b - form(h, k), h, k) for h, a in first for k, b in second), key=itemgetter(0)
    )
    for step in (10, 3, 1) if top > -inf else ():
        for along in ((1, 0), (0, 1), (1, sign)):

            def line(t: float, along: tuple[int, int] = along) -> float:
                return joint(h + along[0] * t, k + along[1] * t)  # noqa: B023

            width = max(abs(h), abs(k), 10) * step / 20
            t, value = _climb(line, -width, width)
            if value > top:
                h, k, top = h + along[0] * t, k + along[1] * t, value
    if top == -inf:
        return None
    share = h * h / (h * h + k * k) if h or k else 0
    return top, one.log(h) + share * (top - one.log(h) - two.log(k))
