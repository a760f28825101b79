r"""The slope of a dual in q12 where the derivative of the activation is not integrable.

With m the means and P the inverse of the covariance, the density has
$\partial_{q_{12}}\log\varphi = z_1 z_2 - P_{12}$, $z = P(w - m)$, $w = (u, v)$; so that
$$\partial_{q_{12}} E[f(u)g(v)] = E[f(u)g(v)\,(z_1z_2 - P_{12})]$$
for any f, g whose products with polynomials have an expectation: nothing is differentiated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flint import fmpq

from ..law import Law
from ..safe import Divergent

Moment = Callable[[int, int, Any], Any]
"""(i, j, tol) -> an enclosure of E[u^i f(u) v^j g(v)] with a radius of about tol."""


def score_slope(moment: Moment, law: Law, tol: Any) -> Any:
    """An enclosure (`arb`) of d/dq12 E[f(u) g(v)]; not for singular covariances.

    Raises:
        Divergent: the covariance is singular.
        Undecided: what `moment` raises.
    """
    if law.singular:
        raise Divergent("the slope in q12 has no finite value at this covariance")
    terms = {at: c for at, c in _polynomial(law).items() if c != 0}
    total = 0
    for (i, j), c in terms.items():
        total += c * moment(i, j, tol / (len(terms) * max(abs(c), fmpq(1))))
    return total


def _polynomial(law: Law) -> dict[tuple[int, int], Any]:
    """Coefficients of u^i v^j in z_1 z_2 - P_12, exact."""
    det = law.q11 * law.q22 - law.q12 * law.q12
    a, b, c = law.q22 / det, -law.q12 / det, law.q11 / det  # P
    first = {(1, 0): a, (0, 1): b, (0, 0): -(a * law.m1 + b * law.m2)}
    second = {(1, 0): b, (0, 1): c, (0, 0): -(b * law.m1 + c * law.m2)}
    out: dict[tuple[int, int], Any] = {(0, 0): -b}
    for (i, j), p in first.items():
        for (k, n), q in second.items():
            out[i + k, j + n] = out.get((i + k, j + n), fmpq(0)) + p * q
    return out
