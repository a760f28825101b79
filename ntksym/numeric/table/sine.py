r"""Kinks at 0: the even and the odd part in rho are analytic in $S = \sqrt{1-\rho^2}$.

Of the duals of truncated powers $J_{jk} = E_{jk}(S) + \rho\,O_{jk}(S)$ (`kinks`), Stein's
recurrence splits as $\rho^2 = 1 - S^2$, and starts at $E_{00} = 1/4$ and $2\pi O_{00} = f(S)$,
$f(S) = \arccos(S)/\sqrt{1-S^2} = \int_0^\infty dy/(\cosh y + S)$: analytic but on
$(-\infty, -1]$, and $|f(S)| \le f(\mathrm{Re}\,S)$.  So both signs of rho and both of its ends are
served by one pair of functions on [0, 1], in $x = 2w - 1$, $w = (1+\kappa)S/(1+\kappa S)$.

Where s is continuous dK/drho is bounded, so that E and O have no term linear in w: they are stored
as $e_0 + w^2G(x)$.  The proof is `derivations/identities/table_bound.md`, section 11.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..patience import check
from .spectra.kinks import half_moments
from .spectra.spectrum import Spectrum
from .variable import ellipse, nodes, transform, unmapped

KAPPAS = (0.0, 0.4, 1.0, 1.7, 2.6, 4.0)
"""The values of kappa that are tried."""
RADII = ("1.5", "2", "2.8", "3.8", "5", "6.5", "8.5")
"""Ellipses that are tried for the part of the kinks."""
_ARCS = 512
Line = list[Any]


def applies(value: list[Spectrum], slope: list[Spectrum]) -> bool:
    """Whether there are kinks, all at 0, of a function without a jump."""
    both = [*value, *slope]
    there = all(len(s.kink) == 1 for s in both)
    still = all(s.kink[0][0] == 0 for s in value if s.kink)
    return there and still and all(place == 0 for s in both for place in s.places)


def angle_over_sine(s: Any) -> Any:
    """f(S) = arccos(S)/sqrt(1 - S^2), for an `arb` in (-1, 1)."""
    return s.acos() / (1 - s * s).sqrt()


def parts(s: Any, start: Any, square: Any, order: int) -> tuple[list[Line], list[Line]]:
    """E_jk and O_jk, j, k <= order, from S, f(S) and rho^2; of bounds of these, bounds."""
    from flint import arb

    mu = half_moments(order + 1)
    peak = 1 / (2 * arb.pi()).sqrt()
    powers = [s * 0 + 1]
    for _ in range(order):
        powers.append(powers[-1] * s)
    even = [[s * 0 for _ in range(order + 1)] for _ in range(order + 1)]
    odd = [[s * 0 for _ in range(order + 1)] for _ in range(order + 1)]
    even[0][0], odd[0][0] = s * 0 + arb(1) / 4, start / (2 * arb.pi())
    for j in range(order + 1):
        for k in range(max(j, 1), order + 1):
            if k == 1 and j == 0:
                e, o = s * 0 + peak / 2, s * 0 + peak / 2
            elif j == 0:
                e = (k - 1) * even[0][k - 2]
                o = (k - 1) * odd[0][k - 2] + peak * powers[k - 1] * mu[k - 1]
            elif j == 1:
                e = peak * powers[k] * mu[k] + k * square * odd[0][k - 1]
                o = k * even[0][k - 1]
            else:
                e = (j - 1) * even[j - 2][k] + k * square * odd[j - 1][k - 1]
                o = (j - 1) * odd[j - 2][k] + k * even[j - 1][k - 1]
            even[j][k] = even[k][j] = e
            odd[j][k] = odd[k][j] = o
    return even, odd


@lru_cache(maxsize=256)
def at_node(points: int, index: int, kappa: float, order: int, bits: int) -> Any:
    """The two tables (`arb_mat`) at a Chebyshev point in x."""
    from flint import arb_mat

    s = unmapped(nodes(points, bits)[index], kappa)
    return tuple(arb_mat(t) for t in parts(s, angle_over_sine(s), 1 - s * s, order))


@lru_cache(maxsize=64)
def spread(radius: str, kappa: float) -> Any:
    """A bound of |1 - S^2| on an ellipse (`arb`); None where it holds the pole."""
    found = _reach(radius, kappa)
    return None if found is None else found[2]


@lru_cache(maxsize=64)
def _reach(radius: str, kappa: float) -> Any:
    """`(least Re S, most |S|, most |1 - S^2|)` on an ellipse, thus in it."""
    from flint import arb

    from ...precision import precision

    with precision(64):
        r = arb(radius)
        if kappa and not r + 1 / r < 2 * (1 + arb(2) / kappa):
            return None
        boxes = [unmapped(box, kappa) for box in ellipse(r, _ARCS)]
        least = min(s.real.lower() for s in boxes)
        most = max(abs(s).upper() for s in boxes)
        square = max(abs(1 - s * s).upper() for s in boxes)
        good = least.is_finite() and most.is_finite() and square.is_finite()
        return (least, most, square) if good else None


@lru_cache(maxsize=128)
def bounds(radius: str, kappa: float, order: int) -> Any:
    """Bounds of |E_jk| and |O_jk| on an ellipse of x; None where it reaches (-inf, -1]."""
    from ...precision import precision

    with precision(64):
        found = _reach(radius, kappa)
        if found is None or not found[0] > -1:
            return None
        least, most, square = found
        start = angle_over_sine(least).upper()
        return parts(most, start, square, order) if start.is_finite() else None


def deflated(line: Line) -> tuple[Any, Line]:
    r"""$e_0$ and the Chebyshev coefficients of G with $E = e_0 + \ldots w + w^2G$, w = (1 + x)/2.

    Division by 1 + x from the top: $q_{k-1} = 2(c_k - q_k) - q_{k+1}$, whose errors grow like k^2.
    The coefficients of G are numbers, not balls: what they are off by is seen from `inflated`.
    """
    first = sum((-c if k % 2 else c for k, c in enumerate(line)), line[0] * 0)
    once = _over(line)
    return first, [4 * q for q in _over(once)]


def _over(line: Line) -> Line:
    """The quotient of a Chebyshev series by 1 + x, its remainder left out."""
    from flint import arb

    out = [arb(0)] * (len(line) + 1)
    for k in range(len(line) - 1, 0, -1):
        out[k - 1] = (2 * (line[k].mid() - out[k]) - out[k + 1]).mid()
    out[0] = out[0] / 2
    return out[: max(len(line) - 1, 1)]


def inflated(line: Line) -> Line:
    """Chebyshev coefficients of e_0 + w^2 G from [e_0, those of G]."""
    from flint import arb

    if len(line) < 2:
        return list(line)
    half = arb(1) / 2
    out = times(times(line[1:], half, half), half, half)
    out[0] = out[0] + line[0]
    return out


def bent(line: Line, part: int, kappa: float, slope: Line) -> Line:
    r"""Chebyshev coefficients of what e_0 + w^2 G becomes in the derivative dual.

    With $v = 1/(1+\kappa S) = 1-\kappa w/(1+\kappa)$ and $B = -2(1+\kappa)^2(G+wG')$: of a part E
    it is $v^3B$, of a part O $e_0 + w^2G + v(1-w)(1+\frac{1-\kappa}{1+\kappa}w)B$.

    The derivative G' is that in x; `slope` has its coefficients.
    """
    from flint import arb

    grow, half = 1 + arb(kappa), arb(1) / 2
    total = times(slope, half, half)
    total = [
        -2 * grow * grow * (c + (line[k + 1] if k + 1 < len(line) else 0))
        for k, c in enumerate(total)
    ]
    less = arb(kappa) / (2 * grow)
    total = times(total, 1 - less, -less)
    if not part:
        return times(times(total, 1 - less, -less), 1 - less, -less)
    more = (1 - arb(kappa)) / (2 * grow)
    total = times(times(total, half, -half), 1 + more, more)
    own = inflated(line)
    long = max(len(own), len(total))
    both = ([*f, *[arb(0)] * (long - len(f))] for f in (own, total))
    return [a + b for a, b in zip(*both, strict=True)]


def times(line: Line, a: Any, b: Any) -> Line:
    """Chebyshev coefficients of (a + b x) times a series."""
    from flint import arb

    out = [a * c for c in line] + [arb(0)]
    for k, c in enumerate(line):
        out[k + 1] = out[k + 1] + b * c / (2 if k else 1)
        if k:
            out[k - 1] = out[k - 1] + b * c / 2
    return out


def reach(
    spectra: list[Spectrum], others: list[Spectrum], kappa: float, part: int
) -> list[tuple[Any, Any]]:
    """`(r, bound)` of a part of the duals of the kinks, on ellipses."""
    from flint import arb

    order = spectra[0].order
    one, two = (
        [max(abs(s.kink[0][j]).upper() for s in group) for j in range(order + 1)]
        for group in (spectra, others)
    )
    out = []
    for text in RADII:
        table = bounds(text, kappa, order)
        if table is None:
            break
        total = arb(0)
        for j, a in enumerate(one):
            for k, b in enumerate(two):
                total += a * b * table[part][j][k]
        out.append((arb(text), total.upper()))
    return out


def add(
    tensor: list[list[Line]],
    spectra: list[Spectrum],
    others: list[Spectrum],
    part: int,
    kappa: float,
    points: int,
    bits: int,
) -> None:
    """Add the interpolant of a part of the duals of the kinks, in place; no line is there twice."""
    from flint import arb_mat

    turned = []
    for group in (spectra, others):
        turn = transform(len(group), bits + 64)
        turned.append(turn * arb_mat([list(s.kink[0]) for s in group]))
    one, two = turned[0], turned[1].transpose()
    for k, table in enumerate(in_x(points, kappa, spectra[0].order, bits + 64, part)):
        check()
        product = (one * table * two).tolist()
        for row, line in zip(tensor, product, strict=True):
            for c, more in zip(row, line, strict=True):
                c[k] = c[k] + more


@lru_cache(maxsize=16)
def in_x(points: int, kappa: float, order: int, bits: int, part: int) -> tuple[Any, ...]:
    """The tables of a part (`arb_mat`) for every Chebyshev coefficient in x."""
    from flint import arb_mat

    size, rows = order + 1, []
    for index in range(points):
        check()
        table = at_node(points, index, kappa, order, bits)[part]
        rows.append([table[j, k] for j in range(size) for k in range(size)])
    found = transform(points, bits) * arb_mat(rows)
    return tuple(
        arb_mat(size, size, [found[k, i] for i in range(size * size)]) for k in range(points)
    )
