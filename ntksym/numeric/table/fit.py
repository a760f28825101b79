r"""From spectra at a few variances to Chebyshev coefficients in (t_1, t_2, x), with a proven error.

At every pair of variances the dual is interpolated in x at Chebyshev points in ball arithmetic;
the series is bounded on an ellipse by $\sum|c_n|\,(\sup|\rho|)^n$, the kink part by boxes.  The
interpolation in the variances is linear algebra; it enlarges errors by at most the square of the
Lebesgue constant $\Lambda \le 1 + (2/\pi)\log J$.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ...errors import Undecided
from .elsewhere import flat_part, norm_of, pair_duals, polynomial_bounds, touch, touching_bounds
from .flat import interpolation_error
from .kinks import power_bounds, power_duals
from .patience import check
from .spectrum import Spectrum, pair_tail
from .variable import RADII, alias, correlation, lebesgue, nodes, spread, tangent, transform

KINK_RADII = ("1.5", "2", "2.8", "3.8")
FINE_RADII = ("1.005", "1.01", "1.015", "1.02", "1.03", "1.04")
"""More ellipses for the terms of a long series."""
POINTS = (32, 48, 64, 96, 128, 192)
"""The numbers of interpolation points in x that are tried."""
_FLAT_BITS = 136
"""For all orders: what is dear, the quadrants at the points of the proof, is found once."""
Tensor = list[list[list[Any]]]


@dataclass(frozen=True, slots=True)
class Fit:
    """Chebyshev coefficients of one dual on one side of rho = 0, as `arb`.

    Attributes:
        tensor: [i1][i2][k], of $T_{i_1}(t_1)T_{i_2}(t_2)T_k(x)$.
        tail: what the series beyond the last coefficient can add.
        aliasing: what interpolation in x can add.
        points: the number of points in x.
        omitted: what the coefficients (i1, i2) that were not computed can add.
    """

    tensor: Tensor
    tail: Any
    aliasing: Any
    points: int
    omitted: Any


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
    draft: bool = False,
    others: list[Spectrum] | None = None,
) -> Fit:
    """The coefficients for rho = sign (1-t^2)/(1+t^2), with interpolation errors below `goal`.

    A `draft` leaves out the proof for kinks that do not touch: to compare values of kappa.
    With `others`, of as many coefficients, the second variance runs over those.

    Raises:
        Undecided: more points in x than `POINTS` would be needed.
    """
    from ..arith import working

    with working(bits + 64):
        scale = lebesgue(len(spectra)) * lebesgue(len(others or spectra))
        tail = (worst_tail(spectra, others) * scale).upper()
        terms, reach = majorant(spectra, others or spectra), _reach(spectra, others, sign, kappa)
        for points in POINTS:
            check()
            lost = (series_alias(terms, kappa, points) + _least(reach, points - 1)) * scale
            if lost < goal:
                tensor, omitted = _tensor(spectra, others, sign, kappa, points, goal, bits)
                if not draft:
                    with working(_FLAT_BITS):
                        lost = lost + flat_error(spectra[0], sign, kappa, points, goal)
                if lost < 2 * goal:
                    return Fit(tensor, tail, lost.upper(), points, omitted)
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
        bounds = _kink_bounds(spectra, others or spectra, text, kappa, sign)
        total = sum(bounds, arb(0))
        if total.is_finite():
            out.append((arb(text), total.upper()))
    return out or [(arb(2), arb("inf"))]


def series_alias(sizes: list[Any], kappa: float, points: int) -> Any:
    r"""What interpolation adds to $\sum c_n\rho^n$, |c_n| <= sizes[n].

    For every n the best ellipse, or $1 + \Lambda$ for |rho^n| <= 1.
    """
    import numpy as np
    from flint import arb

    known = np.array([float(abs(c).upper()) for c in sizes])
    n = np.arange(len(known))
    best = np.full(len(known), float((1 + lebesgue(points)).log().upper()))
    for text in (*FINE_RADII, *RADII):
        grow = spread(text, kappa)
        if grow is None:
            break
        start = float(alias(arb(text), points - 1).log().upper())
        best = np.minimum(best, start + n * float(grow.log().upper()))
    return arb(float((known * np.exp(best)).sum() * (1 + 1e-9)))


def majorant(spectra: list[Spectrum], others: list[Spectrum]) -> list[Any]:
    """Bounds of |c_n| for all pairs of variances."""

    def most(rows: list[tuple[Any, ...]]) -> list[Any]:
        return [max(abs(a).upper() for a in column) for column in zip(*rows, strict=True)]

    one, two = (most([s.series for s in group]) for group in (spectra, others))
    if not spectra[0].kink:
        return [(a * b).upper() for a, b in zip(one, two, strict=True)]
    kinks = [most([s.kink_series for s in group]) for group in (spectra, others)]
    rest = zip(one, two, *kinks, strict=True)
    return [(a * b + a * q + p * b).upper() for a, b, p, q in rest]


def _kink_bounds(
    spectra: list[Spectrum], others: list[Spectrum], radius: str, kappa: float, sign: int
) -> list[Any]:
    """For every pair of kinks a bound, on an ellipse, of what is analytic of its part."""
    from flint import arb

    out = []
    places, order = spectra[0].places, spectra[0].order
    sizes, second = (
        [
            [max(abs(s.kink[i][j]).upper() for s in group) for j in range(order + 1)]
            for i in range(len(places))
        ]
        for group in (spectra, others)
    )
    for i, b in enumerate(places):
        for k, c in enumerate(places):
            if b == 0 and c == 0:
                bounds = power_bounds(radius, kappa, sign, order)
            elif touch(b, c, sign):
                bounds = touching_bounds(b, sign, radius, kappa, order)
            else:
                bounds = polynomial_bounds(b, c, radius, kappa, order)
            if bounds is None:
                return [arb("inf")]
            total = arb(0)
            for j, a in enumerate(sizes[i]):
                for m, d in enumerate(second[k]):
                    total += a * d * bounds[j][m]
            out.append(total.upper())
    return out


def _kink_values(
    places: tuple[Any, ...], order: int, kinks: list[Any], others: list[Any], t: Any, sign: int
) -> Any:
    """The kink part at one t, as a matrix; `kinks` has a matrix of coefficients for each place."""
    from flint import arb_mat

    total = None
    for i, b in enumerate(places):
        for k, c in enumerate(places):
            if b == 0 and c == 0:
                table = power_duals(t, sign, order)
            else:
                table = pair_duals(b, c, t, sign, order)
            part = kinks[i] * arb_mat(table) * others[k].transpose()
            total = part if total is None else total + part
    return total


def flat_error(one: Spectrum, sign: int, kappa: float, points: int, goal: Any) -> Any:
    """What interpolation in x can add for kinks that do not touch at rho = sign."""
    from flint import arb, arb_mat

    parts = []
    for i, b in enumerate(one.places):
        for k, c in enumerate(one.places):
            flat = flat_part(b, c, sign)
            if flat is not None:
                parts.append((flat, one.kink[i], one.kink[k]))
    if not parts:
        return arb(0)

    def both(t: Any) -> tuple[Any, Any]:
        total, most = arb(0), arb(0)
        for flat, left, right in parts:
            table = pair_duals(flat.b, flat.c, t, sign * flat.turn, one.order)
            for j, a in enumerate(left):
                for m, d in enumerate(right):
                    total += flat.sign(j, m) * a * d * table[j][m]
                    most += abs(a * d * table[j][m])
        return total, most

    size, m = arb(0), norm_of(one.order)
    for flat, left, right in parts:
        for j, a in enumerate(left):
            for k, d in enumerate(right):
                power = (m[j] + abs(flat.b)) ** j * (m[k] + abs(flat.c)) ** k
                size += abs(a * d) * power
    values = [[both(tangent(x, kappa))[0]] for x in nodes(points, 256)]
    found = transform(points, 256) * arb_mat(values)
    coefficients = [found[k, 0] for k in range(points)]
    if not 8 * (abs(coefficients[-1]) + abs(coefficients[-2])) < goal:
        return arb("inf")  # hopeless with so few points
    return interpolation_error(
        lambda t: both(t)[0], lambda t: both(t)[1], size.upper(), coefficients, kappa, goal
    )


def _least(reach: list[tuple[Any, Any]], degree: int) -> Any:
    from flint import arb

    return min(((alias(r, degree) * m).upper() for r, m in reach), default=arb(0))


@lru_cache(maxsize=8)
def _powers(count: int, kappa: float, sign: int, points: int, bits: int) -> Any:
    """The matrix of rho^n, n < count (columns), at the points in x (rows)."""
    from flint import arb, arb_mat

    rows = []
    for y in nodes(points, bits):
        rho, row = correlation(tangent(y, kappa), sign), [arb(1)]
        for _ in range(count - 1):
            row.append(row[-1] * rho)
        rows.append(row)
    return arb_mat(rows)


@dataclass(frozen=True, slots=True)
class Turned:
    """Chebyshev coefficients in tau of every Hermite coefficient, and their norms."""

    series: list[list[Any]]
    size: list[Any]
    kink: list[list[Any]]
    kink_size: list[Any]

    @classmethod
    def of(cls, spectra: list[Spectrum], bits: int) -> Turned:
        """Those of the spectra of a band."""
        from flint import arb, arb_mat

        turn = transform(len(spectra), bits + 64)
        series = (turn * arb_mat([list(s.series) for s in spectra])).tolist()
        kink, kink_size = series[:0], [arb(0)] * len(spectra)
        if spectra[0].kink:
            kink = (turn * arb_mat([list(s.kink_series) for s in spectra])).tolist()
            kink_size = [_norm(row) for row in kink]
        return cls(series, [_norm(row) for row in series], kink, kink_size)


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
    from flint import arb, arb_mat

    one = Turned.of(spectra, bits)
    two = one if others is None else Turned.of(others, bits)
    high, wide, count = len(spectra), len(others or spectra), len(spectra[0].series)
    where, omitted, least = [], arb(0), goal / (64 * high * wide)
    for i in range(high):
        for j in range(i + 1 if others is None else wide):
            # |T_k| <= 1: the interpolant in x is at most Lambda times as large
            most = one.size[i] * two.size[j]
            most += one.kink_size[i] * two.size[j] + one.size[i] * two.kink_size[j]
            most = (most * lebesgue(points)).upper()
            if most < least:
                omitted += most if i == j or others is not None else 2 * most
            else:
                where.append((i, j))
    columns = []
    for i, j in where:
        column = [a * b for a, b in zip(one.series[i], two.series[j], strict=True)]
        if one.kink:
            rest = zip(column, one.series[i], two.series[j], one.kink[i], two.kink[j], strict=True)
            column = [c + p * b + a * r for c, a, b, p, r in rest]
        columns.append(column)
    powers = _powers(count, kappa, sign, points, bits + 64)
    values = arb_mat(columns).transpose() if where else arb_mat(count, 0)
    values = transform(points, bits + 64) * (powers * values)
    out: Tensor = [[[arb(0)] * points for _ in range(wide)] for _ in range(high)]
    for place, (i, j) in enumerate(where):
        out[i][j] = [values[k, place] for k in range(points)]
        if others is None:
            out[j][i] = out[i][j]
    if one.kink:
        _add_kinks(out, spectra, others, sign, kappa, points, bits)
    return out, omitted.upper()


def _norm(row: list[Any]) -> Any:
    from flint import arb

    return sum((a * a for a in row), arb(0)).upper().sqrt().upper()


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

    places, order = spectra[0].places, spectra[0].order
    parts = []
    for group in (spectra, others or spectra):
        turn = transform(len(group), bits + 64)
        parts.append([turn * arb_mat([list(s.kink[i]) for s in group]) for i in range(len(places))])
    if others is None:
        where = [(i, j) for i in range(len(spectra)) for j in range(i + 1)]
    else:
        where = [(i, j) for i in range(len(spectra)) for j in range(len(others))]
    rows = []
    for y in nodes(points, bits + 64):
        check()
        product = _kink_values(places, order, parts[0], parts[1], tangent(y, kappa), sign)
        rows.append([product[i, j] for i, j in where])
    values = transform(points, bits + 64) * arb_mat(rows)
    for column, (i, j) in enumerate(where):
        out[i][j] = [c + values[k, column] for k, c in enumerate(out[i][j])]
        if others is None:
            out[j][i] = out[i][j]
