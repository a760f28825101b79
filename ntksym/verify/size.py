"""About how large a function is under a normal law: what tolerances are relative to."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from math import inf, log
from typing import Any

from flint import arb

from ..errors import BadActivation, Undecided
from ..symbols import x
from .evaluate import constant, real_ball
from .functions.pieces import Piece
from .law import exact
from .safe import precision
from .surd import Surd

_ORDINARY = 4
"""Powers of ten within which the size of an integrand does not change its tolerance."""
_SAMPLES = (-200, -130, -80, -40, -17, -11, -6, -2, 0, 2, 6, 11, 17, 40, 80, 130, 200)
"""Where an integrand is looked at for its size, in tenths of the deviation from the mean."""
_USUAL = 40
_CLIMB = 30
_STEEP = 10
"""The fall of the logarithm to the next sample that shows a narrow bump."""
_GOLDEN = Fraction(382, 1000)


def size_of(pieces: tuple[Piece, ...], mean: Any, variance: Any) -> int:
    """The power of ten of a function times the root of the density, 0 if it is about 1.

    All tolerances are absolute, so that functions are brought to this size; nothing else depends
    on it.  From the best of the samples it climbs where that is steep: a narrow bump lies
    between two of them.
    """
    spread = Fraction(float(arb(variance).sqrt()))
    middle = Fraction(int(mean.numer()), int(mean.denom()))

    def weight(k: Fraction | int) -> float:
        """The logarithm of the size at k tenths of the deviation; -oo where it is open."""
        at = middle + Fraction(k) / 10 * spread
        ball, most = arb(exact(at)), -inf
        for piece in pieces:
            low, high = piece.ends()
            if (low is None or ball > low) and (high is None or ball < high):
                with suppress(Undecided, BadActivation):
                    value = abs(real_ball(constant(piece.expr, {x: Surd.rational(exact(at))})))
                    if value.is_finite() and value.mid() > 0:
                        most = max(most, float(value.mid().log()) - (float(k) / 10) ** 2 / 4)
        return most

    with precision(256):
        found = {k: size for k in _SAMPLES if (size := weight(k)) > -inf}
        if not found:
            return 0
        best = max(found, key=lambda k: found[k])
        if best in (_SAMPLES[0], _SAMPLES[-1]):
            # it grows as fast as the density falls: only the other factor makes it integrable
            best = max((k for k in found if abs(k) <= _USUAL), key=lambda k: found[k], default=best)
            top = found[best]
        else:
            place, top = _SAMPLES.index(best), found[best]
            beside = _SAMPLES[place - 1], _SAMPLES[place + 1]
            narrow = any(top - found[k] > _STEEP for k in beside if k in found)
            low, high = map(Fraction, beside)
            for _ in range(_CLIMB if narrow else 0):
                one, two = (low + (high - low) * g for g in (_GOLDEN, 1 - _GOLDEN))
                left, right = weight(one), weight(two)
                top = max(top, left, right)
                low, high = (low, two) if left > right else (one, high)
        size = round(top / log(10))
    return size if abs(size) > _ORDINARY else 0
