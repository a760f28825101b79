r"""Kinks away from 0, at one variance: duals of $(z-\beta)_+^j$, and where they are not analytic.

`pair_duals` gives $J_{jk} = E[(u-\beta)_+^j(v-\gamma)_+^k]$ by Stein's lemma.  For $\beta = \gamma$
it is analytic in t at rho = 1 (at -1 for $\beta = -\gamma$); else it is a polynomial in rho plus or
minus the dual of two half-lines that do not meet: a *flat* function, zero with all derivatives
(`derivations/identities/table_bound.md`, section 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .variable import correlation, ellipse, free, spread, tangent

_MERGED = 2.0**-230
_GRID = 256
PLACE_BITS = 320
"""At which places are found: the root of what a jump is moved by is a part of the error."""


def exact_places(found: list[Any]) -> tuple[tuple[Any, ...], list[Any]]:
    """Dyadic places for kinks that are known as balls, and how far each is from its kink at most.

    Those that agree, or agree up to the sign, within 2^-230 become equal: so it is known exactly
    which of them touch at rho = 1 or -1.
    """
    from flint import arb

    out: list[Any] = []
    moved = []
    for place in found:
        at = (place.mid() * 2**_GRID).floor().mid() * arb(2) ** -_GRID
        for known in out:
            for other in (known, -known):
                if abs(at - other) < _MERGED:
                    at = other
        out.append(at)
        moved.append(abs(place - at).upper())
    return tuple(out), moved


def touch(b: Any, c: Any, sign: int) -> bool:
    """Whether two places of `exact_places` meet at rho = sign; a lower precision would round."""
    from ..arith import working

    with working(PLACE_BITS):
        return bool(b == sign * c)


def displaced(coefficients: list[Any], place: Any, by: Any) -> Any:
    r"""A bound of the norm of $\sum_jc_j((z-b)_+^j - (z-b')_+^j)$, b' = `place`, |b-b'| <= `by`.

    At most $\sqrt{|b-b'|}$ for j = 0, and $j|b-b'|\,\||Z|+|b'|+1\|_{2(j-1)}^{j-1}$.
    """
    from flint import arb

    total = arb(0)
    if by == 0:
        return total
    norms = norm_of(max(len(coefficients) - 1, 1))
    for j, c in enumerate(coefficients):
        size = by.sqrt() if j == 0 else j * by * (norms[j - 1] + abs(place) + 1) ** (j - 1)
        total += abs(c) * size
    return total.upper()


def moments_above(c: Any, order: int) -> list[Any]:
    r"""$\mu_m(c) = E[(Z-c)_+^m]$, m <= order, for an `arb` or an `acb`."""
    from flint import arb

    above = (c / arb(2).sqrt()).erfc() / 2
    density = (-c * c / 2).exp() / (2 * arb.pi()).sqrt()
    out = [above, density - c * above]
    for m in range(2, order + 1):
        out.append((m - 1) * out[m - 2] - c * out[m - 1])
    return out[: order + 1]


def _recur(
    start: Any, first: list[Any], second: list[Any], b: Any, c: Any, rho: Any, order: int
) -> list[list[Any]]:
    """J from P(u > b, v > c), E[(v-c)_+^m | u = b] and E[(u-b)_+^m | v = c]."""
    from flint import arb

    root = (2 * arb.pi()).sqrt()
    at_b, at_c = (-b * b / 2).exp() / root, (-c * c / 2).exp() / root
    table = [[start * 0 for _ in range(order + 1)] for _ in range(order + 1)]
    table[0][0] = start
    for k in range(1, order + 1):
        below = at_c * second[0] if k == 1 else (k - 1) * table[0][k - 2]
        table[0][k] = below + rho * at_b * first[k - 1] - c * table[0][k - 1]
        below = at_b * first[0] if k == 1 else (k - 1) * table[k - 2][0]
        table[k][0] = below + rho * at_c * second[k - 1] - b * table[k - 1][0]
    for j in range(1, order + 1):
        for k in range(1, order + 1):
            below = at_b * first[k] if j == 1 else (j - 1) * table[j - 2][k]
            table[j][k] = below + k * rho * table[j - 1][k - 1] - b * table[j - 1][k]
    return table


def pair_duals(b: Any, c: Any, t: Any, sign: int, order: int) -> list[list[Any]]:
    """The table J[j][k] at rho = sign (1-t^2)/(1+t^2), in balls; 0 < t."""
    rho, big = correlation(t, sign), 2 * t / (1 + t * t)
    start = _quadrant(b, c, rho)
    first = _powers(big, moments_above((c - rho * b) / big, order))
    second = _powers(big, moments_above((b - rho * c) / big, order))
    return _recur(start, first, second, b, c, rho, order)


def _quadrant(b: Any, c: Any, rho: Any) -> Any:
    """P(u > b, v > c): symmetric in b and c, and asked for again by the derivative dual."""
    from flint import ctx

    first, second = sorted((_key(b), _key(c)))
    return _kept_quadrant(first, second, _key(rho), int(ctx.prec))


_Key = tuple[int, int, int, int]


def _key(value: Any) -> _Key:
    """A ball as integers."""
    (man, exp), (rad, low) = value.mid().man_exp(), value.rad().man_exp()
    return int(man), int(exp), int(rad), int(low)


@lru_cache(maxsize=8192)
def _kept_quadrant(b: _Key, c: _Key, rho: _Key, bits: int) -> Any:
    from flint import acb, arb

    from ...verify.bivariate import phi2
    from ..arith import working

    with working(bits):
        h, k, r = (acb(arb(v[:2], v[2:])) for v in (b, c, rho))
        return phi2(-h, -k, r).real


def _powers(big: Any, values: list[Any]) -> list[Any]:
    out, power = [], big * 0 + 1
    for v in values:
        out.append(power * v)
        power = power * big
    return out


def touching_bounds(
    b: Any, sign: int, radius: str, kappa: float, order: int
) -> list[list[Any]] | None:
    """Bounds on an ellipse for kinks b and sign b, where J is analytic in t; else None."""
    from flint import acb, arb

    if not free(radius, kappa):
        return None
    most = [[arb(0)] * (order + 1) for _ in range(order + 1)]
    for box in ellipse(arb(radius), 48):
        t = tangent(box, kappa)
        hull = acb(t.real.union(arb(0)), t.imag.union(arb(0)))
        square = 1 + hull * hull
        reach = abs(t) * abs((-b * b * square / 2).exp() / (arb.pi() * square))
        blur = arb(0, reach.upper())
        start = acb((b / arb(2).sqrt()).erfc() / 2 if sign > 0 else arb(0)) + acb(blur, blur)
        rho, big = correlation(t, sign), 2 * t / (1 + t * t)
        first = _powers(big, moments_above(sign * b * t, order))
        second = _powers(big, moments_above(b * t, order))
        table = _recur(start, first, second, acb(b), acb(sign * b), rho, order)
        for j in range(order + 1):
            for k in range(order + 1):
                most[j][k] = most[j][k].max(abs(table[j][k]).upper())
    return most


def norm_of(order: int) -> list[Any]:
    r"""$(E|Z|^{2j})^{1/(2j)}$, with 1 for j = 0."""
    from flint import arb

    out, moment = [arb(1)], arb(1)
    for j in range(1, order + 1):
        moment = moment * (2 * j - 1)
        out.append((moment.log() / (2 * j)).exp())
    return out


def polynomial_bounds(b: Any, c: Any, radius: str, kappa: float, order: int) -> Any:
    """Bounds on an ellipse of the polynomials in rho that are left without the flat parts."""
    grow = spread(radius, kappa)
    if grow is None:
        return None
    wide, m = grow + (1 + grow * grow).sqrt(), norm_of(order)
    out = []
    for j in range(order + 1):
        row = []
        for k in range(order + 1):
            one = (wide * m[j] + abs(b)) ** j * (m[k] + abs(c)) ** k
            two = (m[j] + abs(b)) ** j * (wide * m[k] + abs(c)) ** k
            row.append((one + two).upper())
        out.append(row)
    return out


@dataclass(frozen=True, slots=True)
class Flat:
    """The flat part of a pair of kinks: the dual of (z-b)_+ and (z-c)_+ at rho times `turn`.

    Attributes:
        b: the first kink of the flat pair.
        c: the second.
        turn: what the sign of rho is multiplied by.
        flip_j: whether odd j change the sign.
        flip_k: whether odd k change the sign.
        front: the sign in front.
    """

    b: Any
    c: Any
    turn: int
    flip_j: bool
    flip_k: bool
    front: int

    def sign(self, j: int, k: int) -> int:
        """The sign of the entry (j, k)."""
        odd = (j if self.flip_j else 0) + (k if self.flip_k else 0)
        return -self.front if odd % 2 else self.front


def flat_part(b: Any, c: Any, sign: int) -> Flat | None:
    """The flat part of J for kinks b, c near rho = sign; None where the kinks touch.

    Raises:
        Undecided: too close to tell.
    """
    from ...errors import Undecided
    from ..arith import working

    if touch(b, c, sign):
        return None
    with working(PLACE_BITS):
        gap = b - sign * c
    if gap.contains(0):
        raise Undecided("two kinks are too close to tell apart")
    if sign > 0:
        if gap < 0:
            return Flat(-b, c, -1, True, False, -1)
        return Flat(b, -c, -1, False, True, -1)
    if b + c > 0:
        return Flat(b, c, 1, False, False, 1)
    return Flat(-b, -c, 1, True, True, 1)
