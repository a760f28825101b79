r"""From spectra at a few variances to Chebyshev coefficients in (t_1, t_2, x), with a proven error.

At every pair of variances the dual is interpolated in x at Chebyshev points in ball arithmetic;
the series is bounded on an ellipse by $\sum|c_n|\,(\sup|\rho|)^n$, the kink part by boxes.  The
interpolation in the variances is linear algebra; it enlarges errors by at most the square of the
Lebesgue constant $\Lambda \le 1 + (2/\pi)\log J$.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...errors import Undecided
from ..patience import check
from .bands.sums import Tensor, Turned, pairs_that_count, placed, values
from .spectra.kinks import power_bounds, power_duals
from .spectra.spectrum import Spectrum, pair_tail
from .variable import RADII, alias, correlation, lebesgue, nodes, spread, transform, unmapped

KINK_RADII = ("1.5", "2", "2.8", "3.8")
FINE_RADII = ("1.005", "1.01", "1.015", "1.02", "1.03", "1.04")
"""More ellipses for the terms of a long series."""
POINTS = (32, 48, 64, 96, 128, 192)
"""The numbers of interpolation points in x that are tried."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Chebyshev coefficients of one dual on one side of rho = 0, as `arb`.

    Attributes:
        tensor: [i1][i2][k], of $T_{i_1}(t_1)T_{i_2}(t_2)T_k(x)$.
        tail: what the series beyond the last coefficient can add.
        aliasing: what interpolation in x can add.
        points: the number of points in x.
        omitted: what the coefficients (i1, i2) that were not computed can add.
        kappa: of the variable x.
    """

    tensor: Tensor
    tail: Any
    aliasing: Any
    points: int
    omitted: Any
    kappa: float = 0.0


def worst_tail(spectra: list[Spectrum], others: list[Spectrum] | None = None) -> Any:
    """The largest tail of a pair of variances, the second of `others` where they are given."""
    from flint import arb

    second = spectra if others is None else others
    return max((pair_tail(a, b) for a in spectra for b in second), default=arb(0))


def fit(
    spectra: list[Spectrum],
    sign: int,
    kappa: float,
    goal: Any,
    bits: int,
    *,
    others: list[Spectrum] | None = None,
) -> Fit:
    """The coefficients for rho = sign (1-t^2)/(1+t^2), with interpolation errors below `goal`.

    With `others`, of as many coefficients, the second variance runs over those.

    Raises:
        Undecided: more points in x than `POINTS` would be needed.
    """
    from ...precision import precision

    with precision(bits + 64):
        scale = lebesgue(len(spectra)) * lebesgue(len(others or spectra))
        tail = (worst_tail(spectra, others) * scale).upper()
        terms, reach = majorant(spectra, others or spectra), _reach(spectra, others, sign, kappa)
        for points in POINTS:
            check()
            lost = (series_alias(terms, kappa, points) + _least(reach, points - 1)) * scale
            if lost < goal:
                tensor, omitted = _tensor(spectra, others, sign, kappa, points, goal, bits)
                return Fit(tensor, tail, lost.upper(), points, omitted, kappa)
    raise Undecided(f"interpolation in rho: {float(lost):.1e} with {POINTS[-1]} points")


def _reach(
    spectra: list[Spectrum], others: list[Spectrum] | None, sign: int, kappa: float
) -> list[tuple[Any, Any]]:
    """`(r, M)` for the kink part: bounds on ellipses; nothing where there is none."""
    from flint import arb

    if not spectra[0].kink:
        return []
    out = []
    for text in KINK_RADII:
        total = _kink_bound(spectra, others or spectra, text, kappa, sign)
        if total.is_finite():
            out.append((arb(text), total.upper()))
    return out or [(arb(2), arb("inf"))]


def series_alias(sizes: list[float], kappa: float, points: int) -> Any:
    r"""What interpolation adds to $\sum c_n\rho^n$, |c_n| <= sizes[n].

    For every n the best ellipse, or $1 + \Lambda$ for |rho^n| <= 1.
    """
    import numpy as np
    from flint import arb

    known = np.array(sizes)
    n = np.arange(len(known))
    best = np.full(len(known), float((1 + lebesgue(points)).log().upper()))
    for text in (*FINE_RADII, *RADII):
        grow = spread(text, kappa)
        if grow is None:
            break
        start = float(alias(arb(text), points - 1).log().upper())
        best = np.minimum(best, start + n * float(grow.log().upper()))
    return arb(float((known * np.exp(best)).sum() * (1 + 1e-9)))


def majorant(spectra: list[Spectrum], others: list[Spectrum]) -> list[float]:
    """Bounds of |c_n| for all pairs of variances."""
    import numpy as np

    def most(which: int, group: list[Spectrum]) -> Any:
        return np.max([s.sizes[which] for s in group], axis=0)

    one, two = (most(0, group) for group in (spectra, others))
    total = one * two
    if spectra[0].kink:
        p, q = (most(1, group) for group in (spectra, others))
        total = total + one * q + p * two
    found: list[float] = (total * (1 + 1e-14)).tolist()
    return found


def _kink_bound(
    spectra: list[Spectrum], others: list[Spectrum], radius: str, kappa: float, sign: int
) -> Any:
    """A bound, on an ellipse, of the kink part."""
    from flint import arb

    order = spectra[0].order
    one, two = (
        [max(abs(s.kink[0][j]).upper() for s in group) for j in range(order + 1)]
        for group in (spectra, others)
    )
    bounds = power_bounds(radius, kappa, sign, order)
    if bounds is None:
        return arb("inf")
    rows = zip(one, bounds, strict=True)
    return sum((a * d * m for a, row in rows for d, m in zip(two, row, strict=True)), arb(0))


def _least(reach: list[tuple[Any, Any]], degree: int) -> Any:
    from flint import arb

    return min(((alias(r, degree) * m).upper() for r, m in reach), default=arb(0))


def _tensor(
    spectra: list[Spectrum],
    others: list[Spectrum] | None,
    sign: int,
    kappa: float,
    points: int,
    goal: Any,
    bits: int,
) -> tuple[Tensor, Any]:
    """The coefficients, and a bound of those left out.

    Everything but rho is bilinear in the two variances: first the interpolants in tau of every
    Hermite coefficient, then only the pairs of their coefficients that count.
    """
    one = Turned.of(spectra, bits)
    two = one if others is None else Turned.of(others, bits)
    symmetric = others is None
    # |T_k| <= 1: the interpolant in x is at most Lambda times as large
    where, omitted = pairs_that_count(one, two, symmetric, lebesgue(points), goal)
    rhos = tuple(correlation(unmapped(y, kappa), sign) for y in nodes(points, bits + 64))
    found = transform(points, bits + 64) * values(one, two, where, rhos, (0, 1), goal)
    out = placed(found, where, (len(spectra), len(others or spectra)), symmetric)
    if one.kink:
        _add_kinks(out, spectra, others, sign, kappa, points, bits)
    return out, omitted


def _add_kinks(
    out: Tensor,
    spectra: list[Spectrum],
    others: list[Spectrum] | None,
    sign: int,
    kappa: float,
    points: int,
    bits: int,
) -> None:
    """Add the interpolant of the kink part to the coefficients."""
    from flint import arb_mat

    order, parts = spectra[0].order, []
    for group in (spectra, others or spectra):
        parts.append(transform(len(group), bits + 64) * arb_mat([list(s.kink[0]) for s in group]))
    if others is None:
        where = [(i, j) for i in range(len(spectra)) for j in range(i + 1)]
    else:
        where = [(i, j) for i in range(len(spectra)) for j in range(len(others))]
    rows = []
    for y in nodes(points, bits + 64):
        check()
        table = arb_mat(power_duals(unmapped(y, kappa), sign, order))
        product = parts[0] * table * parts[1].transpose()
        rows.append([product[i, j] for i, j in where])
    values = transform(points, bits + 64) * arb_mat(rows)
    for column, (i, j) in enumerate(where):
        out[i][j] = [c + values[k, column] for k, c in enumerate(out[i][j])]
        if others is None:
            out[j][i] = out[i][j]
