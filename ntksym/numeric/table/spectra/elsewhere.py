r"""Kinks away from 0, at one variance: duals of $(z-\beta)_+^j$ by Stein's lemma.

`pair_dual` sums $J_{jk} = E[(u-\beta)_+^j(v-\gamma)_+^k]$ over the powers of two kinks
(`derivations/identities/table_bound.md`, section 5).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ....dyadic import integers
from ..dyadic.quadrant import Key, quadrant
from ..variable import correlation

_MERGED = 2.0**-230
_GRID = 256
_ORDER = 12
"""Up to this order what both duals need is made at once."""
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


def power_norm(kinks: list[Any], places: Any) -> Any:
    r"""$E[(\sum_{ij}D_{ij}(Z-b_i)_+^j)^2]$: pairs of kinks, about the larger of both places."""
    from flint import arb, arb_poly

    total = arb(0)
    for i, (one, b) in enumerate(zip(kinks, places, strict=True)):
        for k, (two, c) in enumerate(zip(kinks[: i + 1], places, strict=False)):
            start = b.max(c)
            product = arb_poly(list(one))(arb_poly([start - b, 1]))
            product *= arb_poly(list(two))(arb_poly([start - c, 1]))
            values = product.coeffs()
            moments = moments_above(start, max(len(values) - 1, 0))
            part = sum((a * m for a, m in zip(values, moments, strict=True)), arb(0))
            total += part if i == k else 2 * part
    return total


def moments_above(c: Any, order: int) -> list[Any]:
    r"""$\mu_m(c) = E[(Z-c)_+^m]$, m <= order, for an `arb` or an `acb`."""
    from flint import arb

    above = (c / arb(2).sqrt()).erfc() / 2
    density = (-c * c / 2).exp() / (2 * arb.pi()).sqrt()
    out = [above, density - c * above]
    for m in range(2, order + 1):
        out.append((m - 1) * out[m - 2] - c * out[m - 1])
    return out[: order + 1]


def _rows(
    start: Any, first: list[Any], second: list[Any], b: Any, c: Any, rho: Any, order: int
) -> list[Any]:
    r"""The polynomials $g_j(y) = \sum_kJ_{jk}y^k/k!$, up to y^order; above is something else.

    From P(u > b, v > c), E[(v-c)_+^m | u = b] and E[(u-b)_+^m | v = c]:
    $g_j = (j-1)g_{j-2} + (\rho y-b)g_{j-1}$ and terms where a derivative meets the step.
    """
    from flint import arb, arb_poly

    root = (2 * arb.pi()).sqrt()
    at_b, at_c = (-b * b / 2).exp() / root, (-c * c / 2).exp() / root
    row = [start]
    for k in range(1, order + 1):
        below = at_c * second[0] if k == 1 else (k - 1) * row[k - 2]
        row.append(below + rho * at_b * first[k - 1] - c * row[k - 1])
    scale = _inverse_factorials(order)
    line, edge = (
        arb_poly([-b, rho]),
        at_b * arb_poly([v * s for v, s in zip(first, scale, strict=True)]),
    )
    out = [arb_poly([v * s for v, s in zip(row, scale, strict=True)])]
    for j in range(1, order + 1):
        below = edge if j == 1 else (j - 1) * out[j - 2]
        out.append(below + line * out[j - 1] + rho * at_c * second[j - 1])
    return out


def _inverse_factorials(order: int) -> list[Any]:
    from flint import arb

    out = [arb(1)]
    for k in range(1, order + 1):
        out.append(out[-1] / k)
    return out


def _contracted(rows: Any, left: Any, right: Any) -> Any:
    """The sum of left_j right_k J_jk."""
    total = sum((a * g for a, g in zip(left[1:], rows[1:], strict=False)), left[0] * rows[0])
    value, whole = right[0] * total[0], 1
    for k in range(1, len(right)):
        whole *= k
        value += right[k] * whole * total[k]
    return value


def pair_dual(b: Any, left: Any, c: Any, right: Any, t: Any, sign: int) -> Any:
    r"""$E[\sum_j l_j(u-b)_+^j\,\sum_k r_k(v-c)_+^k]$ at rho = sign (1-t^2)/(1+t^2), 0 < t <= 1.

    What does not depend on the coefficients is kept: both duals need it.

    Raises:
        Undecided: whether the kinks touch is open.
    """
    from flint import ctx

    first, second = integers(b), integers(c)
    if first > second:
        first, second, left, right = second, first, right, left
    order = max(len(left) - 1, len(right) - 1, _ORDER)
    rows = _kept_rows(first, second, integers(t), sign, order, int(ctx.prec))
    return _contracted(rows, left, right)


@lru_cache(maxsize=4096)
def _kept_rows(b_key: Key, c_key: Key, t_key: Key, sign: int, order: int, bits: int) -> Any:
    from flint import arb

    from ....precision import precision

    with precision(PLACE_BITS):
        b, c, t = (arb(v[:2], v[2:]) for v in (b_key, c_key, t_key))
    with precision(bits):
        rho, big = correlation(t, sign), 2 * t / (1 + t * t)
        start = quadrant(b, c, t, sign)
        first, second = (_beyond(rho * x - y, big, order) for x, y in ((b, c), (c, b)))
        return _rows(start, first, second, b, c, rho, order)


def _beyond(mean: Any, dev: Any, order: int) -> list[Any]:
    """E[y_+^m], m <= order, for y of this mean and standard deviation."""
    from flint import arb

    at, square = mean / dev, dev * dev
    above = (-at / arb(2).sqrt()).erfc() / 2
    out = [above, mean * above + dev * (-at * at / 2).exp() / (2 * arb.pi()).sqrt()]
    for m in range(2, order + 1):
        out.append((m - 1) * square * out[m - 2] + mean * out[m - 1])
    return out


def norm_of(order: int) -> list[Any]:
    r"""$(E|Z|^{2j})^{1/(2j)}$, with 1 for j = 0."""
    from flint import arb

    out, moment = [arb(1)], arb(1)
    for j in range(1, order + 1):
        moment = moment * (2 * j - 1)
        out.append((moment.log() / (2 * j)).exp())
    return out
