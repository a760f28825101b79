r"""E[f(u) g(v)] for two functions analytic in a strip: a lattice sum, one polynomial product.

With $x = jh$, $y = kh$ the density of correlation r > 0 is, up to a constant,
$e^{-x^2/(2(1+r))}\,e^{-y^2/(2(1+r))}\,e^{-r (x-y)^2/(2(1-r^2))}$, so the double sum is
$\sum_m T_m \sum_{j-k=m} F_j G_k$ and costs one multiplication of polynomials.  The error of the
trapezoid rule is the contour lemma of `derivations/identities/enclosure.md`, section 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import acb, arb, arb_poly

from ..symbols import x
from .evaluate import function
from .growth import growth_of
from .law import Law, cut
from .pieces import Piece
from .safe import precision
from .strips import COVER_BITS, strip

MOST_NODES = 12_000
_ROUND = 0.999
"""A hair below the computed step, so that rounding does not spoil the goal."""


@dataclass(frozen=True, slots=True)
class _Strip:
    """|f| <= size on |Im x| <= half (x in units of the deviation), |x| <= the box."""

    half: Any
    size: Any


def lattice(f: tuple[Piece, ...], g: tuple[Piece, ...], law: Law, tol: Any) -> Any | None:
    """An enclosure (`arb`), or None when the method does not apply or would be too large."""
    if len(f) > 1 or len(g) > 1 or law.q12 == 0:
        return None
    bound_f, bound_g = growth_of(f), growth_of(g)
    length, lost_x = cut(bound_f, bound_g, law, tol / 4)
    length_y, lost_y = cut(bound_g, bound_f, law.swapped(), tol / 4)
    length = length.max(length_y)
    s = law.scales()
    sigma = s.rest / s.s2
    with precision(COVER_BITS):
        rate = (16 / tol).log()
        box = length + 4
        first = _strip(f[0], s.m1, s.s1, sigma, rate, box)
        second = _strip(g[0], s.m2, s.s2, sigma, rate, box)
        if first is None or second is None:
            return None
        sizes = first.size * second.size
        step = _step(first, sigma, (16 * (sizes + 1) / tol).log()).min(
            _step(second, sigma, (16 * (sizes + 1) / tol).log())
        )
        step = (step.min(arb(1)) * _ROUND).mid()  # any exact number will do
        while True:  # the half-integer edges must be far enough for the ends of the contour
            count = int(float((length / step).mid())) + 1
            edge = (count + arb(1) / 2) * step
            error = _errors(first, second, step, edge, sigma) * sizes
            if error < tol or 2 * count + 1 > MOST_NODES:
                break
            length += arb(1) / 2
            if not length < box:
                return None
        if not edge < box or 2 * count + 1 > MOST_NODES:
            return None
    flip = -1 if law.q12 < 0 else 1
    value = _sum(f[0], g[0], law, step, count, flip)
    return value + arb(0, (error + lost_x + lost_y).upper())


def _strip(piece: Piece, mean: Any, dev: Any, sigma: Any, rate: Any, box: Any) -> _Strip | None:
    """The strip that allows the largest step, from a decreasing list of widths."""
    func = function(piece.expr, x)
    half = sigma * (2 * rate).sqrt()
    best: _Strip | None = None
    best_step = arb(0)
    for _ in range(30):
        columns = min(160, max(16, int(float(box / half)) + 1))
        size = strip(func, mean - dev * box, mean + dev * box, dev * half, columns)
        if size is not None:
            candidate = _Strip(half.lower(), size)
            step = _step(candidate, sigma, rate + (size + 1).log())
            if best is not None and not step > best_step:
                return best
            best, best_step = candidate, step
        half = half * 0.82
    return best


def _step(s: _Strip, sigma: Any, rate: Any) -> Any:
    """The step h with 2 pi a/h - a^2/(2 sigma^2) = rate."""
    a = s.half.min(sigma * (2 * rate).sqrt())
    return 2 * arb.pi() * a / (rate + a**2 / (2 * sigma**2))


def _errors(first: _Strip, second: _Strip, h: Any, length: Any, sigma: Any) -> Any:
    """The trapezoid error divided by sup|f| sup|g|: both variables, lines and ends."""
    pi, root = arb.pi(), (2 * arb.pi()).sqrt()
    density = (-(length**2) / 2).exp() / root
    total = arb(0)
    for s, mass, end_mass in (
        (first, arb(1), arb(1)),
        (second, 1 + h / root, 1 + h / (root * sigma)),
    ):
        a = s.half.min((2 * pi * sigma**2 / h).lower())
        line = 2 * (a**2 / (2 * sigma**2)).exp() / ((2 * pi * a / h).exp() - 1)
        total += line * mass + 4 * h / pi * density * end_mass
    return total.upper()


def _sum(f: Piece, g: Piece, law: Law, h: Any, count: int, flip: int) -> Any:
    s = law.scales()
    r, sigma = abs(s.slope) / s.s2, s.rest / s.s2
    weight = 1 / (2 * (1 + r))
    damp = [(-weight * (j * h) ** 2).exp() for j in range(count + 1)]

    def samples(piece: Piece, mean: Any, dev: Any) -> list[Any]:
        func, unit = function(piece.expr, x), dev * h
        return [
            func(acb(mean + j * unit), False).real * damp[abs(j)] for j in range(-count, count + 1)
        ]

    fs = samples(f, s.m1, s.s1)
    same = f.expr == g.expr and law.q11 == law.q22 and law.m1 == law.m2
    gs = fs if same else samples(g, s.m2, s.s2)
    product = (arb_poly(fs) * arb_poly(gs[::-1] if flip > 0 else gs)).coeffs()
    total, quad = arb(0), r * h**2 / (2 * sigma**2)
    for m in range(2 * count + 1):
        t = (-quad * m * m).exp()
        if m == 0:
            total += product[2 * count]
            continue
        for n in (2 * count + m, 2 * count - m):
            if n < len(product):
                total += t * product[n]
    return total * h**2 / (2 * arb.pi() * sigma)
