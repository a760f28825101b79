r"""What a kink at 0 adds to a dual, in closed form: the duals of truncated powers.

$J_{jk} = E[u_+^j v_+^k]$ for unit variances and correlation rho, by Stein's lemma
(`derivations/identities/table_bound.md`, section 3):
$J_{jk} = (j-1)J_{j-2,k} + k\rho J_{j-1,k-1}$ for $j \ge 2$,
$J_{1k} = \varphi(0)S^k\mu_k + k\rho J_{0,k-1}$,
$J_{0k} = (k-1)J_{0,k-2} + \rho\varphi(0)S^{k-1}\mu_{k-1}$,
$J_{01} = (1+\rho)\varphi(0)/2$, $J_{00} = P(u, v > 0)$; $S = \sqrt{1-\rho^2}$, $\mu_k = E[Z_+^k]$.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..variable import correlation, ellipse, free, unmapped
from .elsewhere import moments_above

ORDER = 12
"""Jumps of derivatives up to this order are taken out of an activation."""
_POINTS = 64


def half_moments(count: int) -> list[Any]:
    r"""$\mu_k = E[Z_+^k]$, k < count, as `arb`."""
    from flint import arb

    out = [arb(1) / 2, 1 / (2 * arb.pi()).sqrt()]
    for k in range(2, count):
        out.append((k - 1) * out[k - 2])
    return out[:count]


def power_duals(t: Any, sign: int, order: int) -> list[list[Any]]:
    """The table J[j][k], j, k <= order, at rho = sign (1-t^2)/(1+t^2); t an `arb` or an `acb`."""
    from flint import arb

    mu = half_moments(order + 1)
    peak = 1 / (2 * arb.pi()).sqrt()
    rho = correlation(t, sign)
    big = 2 * t / (1 + t * t)
    powers = [big * 0 + 1]
    for _ in range(order):
        powers.append(powers[-1] * big)
    angle = t.atan() / arb.pi()
    table = [[rho * 0 for _ in range(order + 1)] for _ in range(order + 1)]
    table[0][0] = angle if sign < 0 else arb(1) / 2 - angle
    for k in range(1, order + 1):
        if k == 1:
            table[0][1] = (1 + rho) * peak / 2
        else:
            table[0][k] = (k - 1) * table[0][k - 2] + rho * peak * powers[k - 1] * mu[k - 1]
        table[k][0] = table[0][k]
    for k in range(1, order + 1):
        table[1][k] = peak * powers[k] * mu[k] + k * rho * table[0][k - 1]
        table[k][1] = table[1][k]
    for j in range(2, order + 1):
        for k in range(j, order + 1):
            table[j][k] = (j - 1) * table[j - 2][k] + k * rho * table[j - 1][k - 1]
            table[k][j] = table[j][k]
    return table


@lru_cache(maxsize=128)
def power_bounds(radius: str, kappa: float, sign: int, order: int) -> list[list[Any]] | None:
    """Bounds of |J[j][k]| on an ellipse of x; None where the ellipse holds a singularity."""
    from flint import arb

    from ....precision import precision

    with precision(64):
        if not free(radius, kappa):
            return None
        most = [[arb(0)] * (order + 1) for _ in range(order + 1)]
        for box in ellipse(arb(radius), 48):
            table = power_duals(unmapped(box, kappa), sign, order)
            for j in range(order + 1):
                for k in range(j, order + 1):
                    most[j][k] = most[k][j] = most[j][k].max(abs(table[j][k]).upper())
        return most


def hermite_values(at: Any, count: int) -> list[Any]:
    """The orthonormal h_n(at), n < count, in balls."""
    from flint import arb

    out = [arb(1), at]
    for n in range(1, count):
        out.append((at * out[n] - arb(n).sqrt() * out[n - 1]) / arb(n + 1).sqrt())
    return out[:count]


def power_coefficients(place: Any, order: int, count: int, bits: int) -> Any:
    r"""$\alpha_{jn} = E[(Z-b)_+^j h_n(Z)]$, an `arb_mat`: rows j <= order, n < count; None: b = 0.

    $j!\,\varphi(b)\,He_{n-j-1}(b)/\sqrt{n!}$ for n > j, and
    $\frac{j!}{(j-n)!\sqrt{n!}}\mu_{j-n}(b)$ below.
    """
    if place is None:
        return _power_coefficients(None, order, count, bits)
    # A ball that is not exact has no hash; its four numbers have, and make a ball around it.
    key = (place.mid().man_exp(), place.rad().man_exp())
    return _power_coefficients(key, order, count, bits)


@lru_cache(maxsize=16)
def _power_coefficients(key: Any, order: int, count: int, bits: int) -> Any:
    from flint import arb, arb_mat

    from ....precision import precision

    place = None if key is None else arb(*key)
    # the recurrence loses bits away from 0
    extra = 0 if place is None else int(2 * float(abs(place).upper()) * count**0.5) + 64
    with precision(bits + extra):
        at = arb(0) if place is None else place
        mu = half_moments(order + 1) if place is None else moments_above(at, order)
        peak = (-at * at / 2).exp() / (2 * arb.pi()).sqrt()
        values = hermite_values(at, count)
        rows = []
        for j in range(order + 1):
            row, whole = [], arb(j + 1).gamma()
            for n in range(count):
                if n <= j:
                    falling = whole / arb(j - n + 1).gamma()
                    row.append(falling / arb(n + 1).gamma().sqrt() * mu[j - n])
                else:
                    ratio = arb(1)  # (n-j-1)!/n!
                    for i in range(n - j, n + 1):
                        ratio = ratio / i
                    row.append(whole * peak * values[n - j - 1] * ratio.sqrt())
            rows.append(row)
        return arb_mat(rows)


def taylor(func: Any, centre: Any, order: int) -> list[Any] | None:
    """About the Taylor coefficients of a function at `centre`: numbers, no enclosures.

    By Cauchy's formula on a circle inside which the function is analytic; None where there is none.
    """
    from flint import acb, arb, fmpq

    from ....precision import precision
    from ....verify.functions.strips import COVER_BITS, ellipse

    radius = arb(2)
    for _ in range(12):
        with precision(COVER_BITS):
            if ellipse(func, centre.mid(), radius, radius) is not None:
                break
        radius = radius / 2
    else:
        return None
    radius = radius / 4
    turns = [acb.exp_pi_i(acb(arb(fmpq(2 * i, _POINTS)))) for i in range(_POINTS)]
    values = [func(acb(centre.mid()) + radius * w, False) for w in turns]
    out = []
    for j in range(order + 1):
        total = acb(0)
        for i, value in enumerate(values):
            total += value * turns[(-i * j) % _POINTS]
        out.append((total / _POINTS / radius**j).real)
    return out
