"""The proof that a polynomial is near a power series with samples on intervals."""

from __future__ import annotations

from math import inf, nextafter
from typing import TYPE_CHECKING, Any

from flint import acb, arb

if TYPE_CHECKING:
    from .samples import Samples
    from .side import Side


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
        ends = _value(terms, side, None).real, arb(samples.end[which])
        step = samples.last[which] + _change(terms, side, (arb(low) / 2).exp() / arb(2).sqrt())
        worst = worst.max(abs(ends[0] - ends[1]) + step)
        found.append(_up(worst))
    return found[0], found[1]


def _argument(side: Side, s: Any) -> Any:
    """The variable of the powers: u = 2 w/top - 1."""
    top = arb(side.top)
    return 2 * s / (s + arb(side.scale)) / top - 1


def _value(terms: list[Any], side: Side, zeta: Any) -> Any:
    """P at s = sqrt(e^zeta/2), or at s = 0 for None, by Horner's rules in balls."""
    s = acb(0) if zeta is None else (zeta / 2).exp() / acb(2).sqrt()
    u = _argument(side, s)
    v, sums = 2 * u * u - 1, [acb(0), acb(0)]
    for which in (0, 1):
        for c in reversed(terms[which::2]):
            sums[which] = sums[which] * v + c
    return sums[0] + u * sums[1]


def _largest(terms: list[Any], side: Side, boxes: tuple[Any, ...]) -> Any:
    """A bound of |P| on the boxes: |T_k(u)| <= R^k on the ellipse about [-1, 1] through u."""
    worst = arb(0)
    sizes = [abs(c) for c in chebyshev_terms(terms)]
    for zeta in boxes:
        u = _argument(side, (zeta / 2).exp() / acb(2).sqrt())
        a = arb(((abs(u + 1) + abs(u - 1)) / 2).upper()).max(arb(1))
        ratio = a + (a * a - 1).sqrt()
        total, power = arb(0), arb(1)
        for c in sizes:
            total += c * power
            power = (power * ratio).upper()
        worst = worst.max(total)
    return worst


def chebyshev_terms(terms: list[Any]) -> list[Any]:
    """Chebyshev coefficients in u: T_k(v) = T_2k(u), 2 u T_2k(u) = T_{2k+1}(u) + T_{2k-1}(u)."""
    found = [arb(0)] * (len(terms) + 2)
    for k, c in enumerate(_of_powers(terms[::2])):
        found[2 * k] += c
    for k, c in enumerate(_of_powers(terms[1::2])):
        found[2 * k + 1] += c / 2
        found[abs(2 * k - 1)] += c / 2
    return found[: len(terms)]


def _of_powers(terms: list[Any]) -> list[Any]:
    """Those of a polynomial: Horner's rule with 2 v T_k = T_{k+1} + T_{k-1}."""
    found = [arb(0)] * (len(terms) + 2)
    for c in reversed(terms):
        moved = [arb(0)] * len(found)
        for k, value in enumerate(found[:-1]):
            moved[abs(k - 1)] += value / 2
            moved[k + 1] += value / 2
        moved[0] += c
        found = moved
    return found[: len(terms)]


def _change(terms: list[Any], side: Side, s: Any) -> Any:
    """A bound of |P(s') - P(0)| for 0 <= s' <= s: |T_k'| <= k^2 (Markov)."""
    slope = sum((abs(c) * k * k for k, c in enumerate(chebyshev_terms(terms))), arb(0))
    return slope * 2 * s / (s + arb(side.scale)) / arb(side.top)


def _up(value: Any) -> float:
    top = float(value.upper())
    return nextafter(top, inf)
