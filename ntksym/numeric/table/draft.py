"""A look at a dual in doubles, to choose the variable: nothing of it is proven or kept."""

from __future__ import annotations

from typing import Any

from sympy import Expr

from ...symbols import x
from .spectra.kinks import power_duals
from .spectra.spectrum import Spectrum
from .variable import correlation, nodes, unmapped

_POINTS = 96
_NOISE = 1e-14


def sizes(
    one: Spectrum, kappas: tuple[float, ...], budget: float, two: Spectrum | None = None
) -> list[int]:
    """How many Chebyshev coefficients one variance needs, or two, for every kappa."""
    import numpy as np

    from ...precision import precision

    other = one if two is None else two
    a, b = (np.array([float(v) for v in s.series]) for s in (one, other))
    c = a * b
    if one.kink:
        p, r = (np.array([float(v) for v in s.kink_series]) for s in (one, other))
        c += p * b + a * r
    where = np.cos(np.pi * (2 * np.arange(_POINTS) + 1) / (2 * _POINTS))
    turn = np.cos(np.outer(np.arange(_POINTS), np.arccos(where)))
    out = []
    for kappa in kappas:
        rho = np.array([correlation(unmapped(y, kappa), 1) for y in where])
        values = np.polynomial.polynomial.polyval(rho, c)
        if one.kink:
            with precision(53):
                values = values + np.array(
                    [_kink(one, other, y, kappa) for y in nodes(_POINTS, 53)]
                )
        found = np.abs(turn @ values) * 2 / _POINTS
        rest = np.cumsum(found[::-1])[::-1]
        least = max(budget, _POINTS * _NOISE * float(abs(values).max()))
        out.append(int((rest > least).sum()))
    return out


def _kink(one: Spectrum, two: Spectrum, y: Any, kappa: float) -> float:
    from flint import arb_mat

    row, column = arb_mat([list(one.kink[0])]), arb_mat([[d] for d in two.kink[0]])
    table = power_duals(unmapped(y, kappa), 1, one.order)
    return float((row * arb_mat(table) * column)[0, 0])


def mirrored(expr: Expr) -> int:
    """1 where s is certainly even, -1 where it is certainly odd, else 0."""
    from ...verify.functions.pieces import split

    pieces = split(expr)
    signs = {1, -1}
    for left, right in zip(pieces, reversed(pieces), strict=True):
        if (left.hi is None) != (right.lo is None):
            return 0
        if left.hi is not None and left.hi + right.lo != 0:
            return 0
        turned = left.expr.xreplace({x: -x})
        signs = {s for s in signs if turned == s * right.expr or _same(turned, s * right.expr)}
    return signs.pop() if len(signs) == 1 else 0


def _same(one: Expr, two: Expr) -> bool:
    from sympy import expand

    return bool(expand(one - two) == 0)
