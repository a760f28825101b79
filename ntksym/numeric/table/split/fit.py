r"""Chebyshev coefficients of a bilinear series in doubles, with a bound of all rounding.

$R = \sum_n(b_nb_n' + a_nb_n' + b_na_n')\rho^n$ at the nodes of both variances and of x: products
of matrices of doubles.  From values to coefficients in balls.
"""

from __future__ import annotations

from typing import Any

from ....errors import Undecided
from ...patience import check
from ..fit import POINTS, Fit
from ..variable import RADII, alias, correlation, lebesgue, nodes, spread, transform, unmapped

_UNIT = 2.0**-53
_BLOCK = 256
_BITS = 64


def bilinear_fit(b: Any, a: Any, sign: int, kappa: float, goal: Any) -> Fit:
    """The coefficients for rho = sign (1-t^2)/(1+t^2); `aliasing` holds the rounding too.

    Args:
        b: coefficients of the smooth part at the nodes, rows of doubles.
        a: the same of what was taken out.
        sign: of rho.
        kappa: of the variable x.
        goal: for what interpolation in x may add.

    Raises:
        Undecided: more points in x than `fit.POINTS` would be needed.
    """
    from flint import arb

    from ....precision import precision

    with precision(_BITS):
        scale = lebesgue(len(b)) ** 2
        reach = _reach(b, a, kappa)
        for points in POINTS:
            lost = min((alias(r, points - 1) * m).upper() for r, m in reach) * scale
            if lost < goal:
                break
        else:
            raise Undecided(f"interpolation in rho: {float(lost):.1e} with {POINTS[-1]} points")
        values, off = _values(b, a, sign, kappa, points)
        tensor = _coefficients(values)
        rounding = arb(off) * scale * lebesgue(points)
    return Fit(tensor, arb(0), (lost + rounding).upper(), points, arb(0), kappa)


def _reach(b: Any, a: Any, kappa: float) -> list[tuple[Any, Any]]:
    """`(r, M)`: bounds on ellipses of x."""
    import numpy as np
    from flint import arb

    one, two = np.abs(b).max(axis=0), np.abs(a).max(axis=0)
    sizes = (one * one + 2 * one * two) * (1 + 1e-12)
    out = []
    for text in RADII:
        grow = spread(text, kappa)
        if grow is None:
            break
        last = float(np.flatnonzero(sizes).max(initial=0))
        if last * float(grow.log().upper()) > 600:
            break
        powers = float(grow.upper()) ** np.arange(len(sizes)) * (1 + 1e-10)
        out.append((arb(text), arb(float((sizes * powers).sum() * (1 + 1e-10)))))
    return out


def _values(b: Any, a: Any, sign: int, kappa: float, points: int) -> tuple[Any, float]:
    """`(values, off)`: at [point, i, j], and a bound of the error of any."""
    import numpy as np

    both, count = b + 2 * a, b.shape[1]
    out = np.zeros((points, len(b), len(b)))
    for p, y in enumerate(nodes(points, _BITS)):
        check()
        rho = correlation(unmapped(y, kappa), sign)
        size = float(abs(rho).log().mid())
        powers = np.exp(size * np.arange(count))
        if sign < 0:
            powers[1::2] *= -1.0
        for start in range(0, count, _BLOCK):
            part = slice(start, start + _BLOCK)
            out[p] += (both[:, part] * powers[part]) @ b[:, part].T
    out = (out + out.transpose(0, 2, 1)) / 2
    sums = _BLOCK + (count + _BLOCK - 1) // _BLOCK + 12
    weight = np.arange(count) * 4.0 + 8.0  # the power is off by its exponent, whose size is below
    norms = np.sqrt((both**2).sum(axis=1)).max() * np.sqrt((b**2).sum(axis=1)).max()
    steep = np.sqrt(((weight * b) ** 2).sum(axis=1)).max() * np.sqrt((both**2).sum(axis=1)).max()
    return out, float(_UNIT * 1.01 * (sums * norms + steep))


def _coefficients(values: Any) -> Any:
    """Chebyshev coefficients [i][j][k] in balls."""
    from flint import arb, arb_mat

    points, many, _ = values.shape
    turn = transform(many, _BITS)
    back = turn.transpose()
    flat = []
    for plane in values:
        check()
        found = turn * arb_mat(many, many, [arb(v) for v in plane.ravel().tolist()]) * back
        flat.append(found.entries())
    over = transform(points, _BITS) * arb_mat(flat)
    columns = over.transpose().tolist()
    return [[columns[i * many + j] for j in range(many)] for i in range(many)]
