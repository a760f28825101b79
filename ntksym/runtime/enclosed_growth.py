"""The growth of rounding through networks whose activations have no closed form.

Diagonals are all that it takes, and these are enclosed in ball arithmetic from the definition:
E[s(u)^2] and E[s'(u)^2] at the variance of each layer and beside it.
"""

from __future__ import annotations

from functools import lru_cache, partial
from math import inf
from typing import Any

from ..errors import Undecided
from ..lower.growth import Figures, Growth, composed, figures
from ..lower.schedule import number
from ..network.affine import affine_layers
from ..verify.prove import evaluate
from ..verify.report import Comparison

DIGITS = 11
"""Of the enclosures: central differences lose four, and figures have four."""
SETTLED = 1e-9
"""A relative change of the variance that no figure shows."""


def enclosed_growth(network: Any, variance: float | None) -> Growth:
    """The growth of errors through a network, whatever its activations.

    Three pairs of enclosures for each layer until the variance settles, 0.1 to 0.4 s a layer.

    Args:
        network: with numbers for all variances and parameters.
        variance: Sigma(x, x) of the first layer; by default that of rows of mean square one.

    Raises:
        Undecided: an expectation cannot be enclosed.
        BadActivation: an activation without an expression.
    """
    first, layers = affine_layers(network)
    if variance is None:
        values = dict(first.values)
        square = {name: 1 for name in ("q11", "q12", "q22", "d")}
        at = {s: square.get(s.name, values.get(s, s)) for s in first.nngp.free_symbols}
        variance = number(first.nngp.subs(at))
    found = []
    for layer in layers:
        offset, slope = number(layer.diag[0]), number(layer.diag[1])
        expr = layer.nonlinearity.with_numbers()
        found.append(((expr, offset, slope), partial(_figures, expr, offset, slope)))
    return composed(variance, found)


def _figures(expr: Any, offset: float, slope: float, q: float) -> Figures:
    """The figures of a layer whose variance is offset + slope*E[s(u)^2]."""

    def at(place: float) -> tuple[float, float]:
        square, steep, _ = _moments(expr, place)
        return offset + slope * square, slope * steep

    return figures(q, at, _moments(expr, q)[2], SETTLED)


@lru_cache(maxsize=1024)
def _moments(expr: Any, q: float) -> tuple[float, float, bool]:
    """E[s(u)^2], E[s'(u)^2] off the jumps, and whether there are none."""
    _, rows = evaluate(expr, (q, q, q), digits=DIGITS)
    square, steep = rows[:2]  # with a closed form, what its diagonals are comes after them
    return _value(square), _value(steep), steep.quantity == "derivative"


def _value(row: Comparison) -> float:
    if row.divergent:
        return inf
    if row.definition is None or row.definition.rel_digits < DIGITS - 1:
        raise Undecided(
            "the growth of rounding is not known: a diagonal could not be enclosed",
            where=f"{row.quantity} at variance {float(row.point[0]):.6g}",
            tried=[row.note] if row.note else [],
            hint="another variance; the bounds of approximations stand in the heads of `k.sources`",
        )
    return float(row.definition.mid)
