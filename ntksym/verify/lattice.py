r"""E[f(u) g(v)] for two functions analytic in a strip: a lattice sum, one polynomial product.

With $x = jh$, $y = kh$ the density of correlation r > 0 is, up to a constant,
$e^{-x^2/(2(1+r))}\,e^{-y^2/(2(1+r))}\,e^{-r (x-y)^2/(2(1-r^2))}$, so the double sum is
$\sum_m T_m \sum_{j-k=m} F_j G_k$ and costs one multiplication of polynomials.  The error of the
trapezoid rule is the contour lemma of `derivations/identities/enclosure.md`, section 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import acb, arb, fmpz, fmpz_poly

from ..errors import Undecided
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
        grid = None
        for shrink in (1.0, 0.5, 0.25):  # a narrower strip has a smaller bound at its ends
            first = _strip(f[0], s.m1, s.s1, sigma, tol, length + 4, shrink)
            same = f == g and law.q11 == law.q22 and law.m1 == law.m2
            second = first if same else _strip(g[0], s.m2, s.s2, sigma, tol, length + 4, shrink)
            if first is None or second is None:
                return None
            grid = _grid(first, second, sigma, length, tol)
            if grid is not None:
                break
    if grid is None:
        return None
    step, count, error = grid
    flip = -1 if law.q12 < 0 else 1
    value = _sum(f[0], g[0], law, step, count, flip, tol)
    return value + arb(0, (error + lost_x + lost_y).upper())


def _grid(
    first: _Strip, second: _Strip, sigma: Any, length: Any, tol: Any
) -> tuple[Any, int, Any] | None:
    """`(step, count, error)`, or None where the box or the number of nodes is too small."""
    sizes, box = first.size * second.size, length + 4
    rate = (16 * (sizes + 1) / tol).log()
    step = _step(first, sigma, rate).min(_step(second, sigma, rate))
    step = (step.min(arb(1)) * _ROUND).mid()  # any exact number will do
    while length < box:  # the half-integer edges must be far enough for the ends of the contour
        count = int(float((length / step).mid())) + 1
        edge = (count + arb(1) / 2) * step
        if 2 * count + 1 > MOST_NODES or not edge < box:
            return None
        error = _errors(first, second, step, edge, sigma) * sizes
        if error < tol:
            return step, count, error
        length += arb(1) / 2
    return None


def _strip(
    piece: Piece, mean: Any, dev: Any, sigma: Any, tol: Any, box: Any, shrink: float
) -> _Strip | None:
    """The strip that allows the largest step, from a decreasing list of widths."""
    func, rate = function(piece.expr, x), (16 / tol).log()
    half = sigma * (2 * rate).sqrt() * shrink
    best: _Strip | None = None
    best_step = arb(0)
    for _ in range(30):
        if _useless(func, mean, dev * box, dev * half, 4 * rate):
            half = half * 0.82
            continue
        columns = min(160, max(16, int(float(box / half)) + 1))
        size = strip(func, mean - dev * box, mean + dev * box, dev * half, columns)
        if size is not None:
            candidate = _Strip(half.lower(), size)
            step = _step(candidate, sigma, rate + (size + 1).log())
            if best is None or step > best_step:
                best, best_step = candidate, step
            elif (best.size + 1).log() < 4 * rate:  # else a bound without use
                return best
        half = half * 0.82
    return best


def _useless(func: Any, mean: Any, reach: Any, height: Any, most: Any) -> bool:
    """Whether |f| is above e^most somewhere on the upper edge: no bound on this strip serves."""
    for n in range(-8, 9):
        value = abs(func(acb(mean + reach * n / 8, height), False))
        if value.is_finite() and value.lower() > 1 and value.log() > most:
            return True
    return False


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


def _sum(f: Piece, g: Piece, law: Law, h: Any, count: int, flip: int, tol: Any) -> Any:
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
    scale = h**2 / (2 * arb.pi() * sigma)
    value = _weighted(fs, gs[::-1] if flip > 0 else gs, r * h**2 / (2 * sigma**2), tol / scale / 8)
    return value * scale


def _weighted(fs: list[Any], gs: list[Any], quad: Any, tol: Any) -> Any:
    """The sum over j, k of f_j g_k exp(-quad (j + k - last)^2), to about `tol`.

    The samples are rounded to a common power of two, so that their product is one of integer
    polynomials, which the wide range of the samples does not slow down; the error is bounded by
    sums of the moduli (section 5 of the lemmas).
    """
    size_f, size_g = (sum((abs(t) for t in ts), arb(0)).upper() for ts in (fs, gs))
    if not (size_f.is_finite() and size_g.is_finite()):
        raise Undecided("the activation has no finite value at a node")
    fine = tol / (8 * (size_f + size_g + 1) * len(fs))
    bits = max(8, 4 - int(float((fine.log() / arb(2).log()).lower())))
    ints_f, lost_f = _rounded(fs, bits)
    ints_g, lost_g = (ints_f, lost_f) if gs is fs else _rounded(gs, bits)
    product = (fmpz_poly(ints_f) * fmpz_poly(ints_g)).coeffs()
    error = lost_f * size_g + (size_f + lost_f) * lost_g
    centre, total, unit = len(fs) - 1, arb(0), arb(2) ** (-2 * bits)
    least = arb(2) ** (-2 * bits)
    for m in range(centre + 1):
        t = (-quad * m * m).exp()
        if t < least:
            error += t.upper() * size_f * size_g
            break
        pair = [product[n] for n in {centre + m, centre - m} if n < len(product)]
        total += t * int(sum(pair, fmpz(0)))
    return total * unit + arb(0, error.upper())


def _rounded(values: list[Any], bits: int) -> tuple[list[int], Any]:
    """Integers near 2^bits times the values, and a bound of the sum of the errors."""
    out, lost = [], arb(len(values)) * arb(2) ** -bits
    for value in values:
        man, exp = value.mid().man_exp()
        shift = int(exp) + bits
        out.append(int(man) << shift if shift >= 0 else int(man) >> -shift)
        lost += value.rad()
    return out, lost.upper()
