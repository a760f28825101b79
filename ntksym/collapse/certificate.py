"""The proof that a polynomial is near a power series with samples on intervals."""

from __future__ import annotations

from math import inf, nextafter
from typing import TYPE_CHECKING, Any

from flint import acb, arb

if TYPE_CHECKING:
    from .fit import Samples, Side


def prove(side: Side, samples: Samples, sizes: tuple[Any, Any]) -> tuple[float, float]:
    r"""Upper bounds of |P - F| on one side for both kernels.

    On every interval F - P is analytic in the ellipse, so its interpolant through the samples and
    the tail bound it; beyond the last one F changes by at most `samples.last` and P by what its
    coefficients allow.

    Args:
        side: the polynomials.
        samples: the values of F in balls.
        sizes: bounds of F on the unit disc.
    """
    found = []
    for which, series in enumerate((side.nngp, side.ntk)):
        terms = [arb(c) for c in series]
        worst = arb(0)
        for part, balls in zip(samples.parts, samples.balls, strict=True):
            size = sizes[which] + _largest(terms, side, part.boundary())
            gap = arb(0)
            for zeta, value in zip(part.nodes(), balls[which], strict=True):
                gap = gap.max(abs(value - _value(terms, side, acb(zeta)).real))
            worst = worst.max(part.lebesgue * gap + part.tail(size))
        low = samples.parts[-1].low
        ends = _value(terms, side, None).real, arb(samples.limit[which])
        step = samples.last[which] + _change(terms, side, (arb(low) / 2).exp() / arb(2).sqrt())
        worst = worst.max(abs(ends[0] - ends[1]) + step)
        found.append(_up(worst))
    return found[0], found[1]


def _argument(side: Side, s: Any) -> Any:
    """The argument of the Chebyshev polynomials: 2 w/top - 1."""
    top = arb(side.top)
    return 2 * s / (s + arb(side.scale)) / top - 1


def _value(terms: list[Any], side: Side, zeta: Any) -> Any:
    """P at s = sqrt(e^zeta/2), or at s = 0 for None, by Clenshaw's rule in balls."""
    s = acb(0) if zeta is None else (zeta / 2).exp() / acb(2).sqrt()
    u = _argument(side, s)
    ahead, after = acb(0), acb(0)
    for c in reversed(terms[1:]):
        ahead, after = c + 2 * u * ahead - after, ahead
    return terms[0] + u * ahead - after


def _largest(terms: list[Any], side: Side, boxes: tuple[Any, ...]) -> Any:
    """A bound of |P| on the boxes: |T_k(u)| <= R^k on the ellipse of u with parameter R."""
    worst = arb(0)
    for zeta in boxes:
        u = _argument(side, (zeta / 2).exp() / acb(2).sqrt())
        a = ((abs(u + 1) + abs(u - 1)) / 2).upper()
        a = arb(a).max(arb(1))
        ratio = a + (a * a - 1).sqrt()
        total, power = arb(0), arb(1)
        for c in terms:
            total += abs(c) * power
            power = (power * ratio).upper()
        worst = worst.max(total)
    return worst


def _change(terms: list[Any], side: Side, s: Any) -> Any:
    """A bound of |P(s') - P(0)| for 0 <= s' <= s: |T_k'| <= k^2."""
    slope = sum((abs(c) * k * k for k, c in enumerate(terms)), arb(0))
    return slope * 2 * s / (s + arb(side.scale)) / arb(side.top)


def _up(value: Any) -> float:
    top = float(value.upper())
    return nextafter(top, inf)
