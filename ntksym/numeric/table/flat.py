r"""The error of interpolating flat functions: proven on dyadic intervals of $1 - |\rho|$.

A dual $\langle f, M_\rho g\rangle$ is analytic in the unit disc and bounded there by
$\|f\|\|g\|$ (Mehler).  On $[1-2d, 1-d]$ the difference to the interpolant is analytic in an
ellipse, so that its values at a few Chebyshev points bound it; close to 1 both are small, the flat
function because it grows with $1 - |\rho|$ (Price).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .patience import check
from .variable import alias, ellipse, lebesgue, nodes

_NODES = 40
_RADIUS = "4"
_MOST = 60


def interpolation_error(
    value: Callable[[Any], Any],
    majorant: Callable[[Any], Any],
    size: Any,
    coefficients: list[Any],
    kappa: float,
    goal: Any,
) -> Any:
    """A bound (`arb`) of |flat - interpolant| for all t in [0, 1], where it is below `goal`.

    Args:
        value: the flat function at t.
        majorant: a bound of it, not decreasing in t.
        size: a bound of it for |rho| < 1, complex too.
        coefficients: Chebyshev coefficients of the interpolant in x.
        kappa: of the variable.
        goal: where the majorant is below a quarter of it, no more intervals are needed.

    Raises:
        Undecided: the kinks are so close that too many intervals would be needed.
    """
    from flint import arb

    from ...errors import Undecided

    worst, low, radius = arb(0), arb(0), arb(_RADIUS)
    for step in range(_MOST):
        high = arb(1) / 4 if step == 0 else (low + 1) / 2 if step > 1 else arb(1) / 2
        centre, half = (low + high) / 2, (high - low) / 2
        here = arb(0)
        for y in nodes(_NODES, 256):
            check()
            x, t = _place(centre + half * y, kappa)
            here = here.max(abs(value(t) - clenshaw(coefficients, x)).upper())
        most = arb(0)
        for box in ellipse(radius, 48):
            x, _ = _place(centre + half * box, kappa)
            most = most.max(_majorant(coefficients, x))
        here = here * lebesgue(_NODES) + alias(radius, _NODES - 1) * (size + most)
        worst = worst.max(here.upper())
        if not worst < goal:
            return worst
        x, t = _place(high, kappa)
        rest = majorant(t).upper()
        if rest < goal / 4:
            break
        low = high
    else:
        raise Undecided("kinks so close together that their features are not resolved")
    # the interpolant on [-1, x]: a polynomial, bounded through its own Chebyshev points
    near = arb(0)
    for y in nodes(len(coefficients), 256):
        near = near.max(abs(clenshaw(coefficients, -1 + (x + 1) * (y + 1) / 2)).upper())
    return worst.max((rest + near * lebesgue(len(coefficients))).upper())


def _place(r: Any, kappa: float) -> tuple[Any, Any]:
    """`(x, t)` of |rho| = r, for `arb` and `acb`."""
    t = ((1 - r) / (1 + r)).sqrt()
    return 2 * (1 + kappa) * t / (1 + kappa * t) - 1, t


def clenshaw(coefficients: list[Any], x: Any) -> Any:
    """The Chebyshev series at x, |x| <= 1, by the cosine: no growth of radii."""
    angle = x.max(x * 0 - 1).min(x * 0 + 1).acos()
    total = coefficients[0]
    for k in range(1, len(coefficients)):
        total = total + coefficients[k] * (k * angle).cos()
    return total


def _majorant(coefficients: list[Any], x: Any) -> Any:
    """A bound of the series on a box: |T_k(x)| <= R^k on the ellipse R through the box."""
    from flint import arb

    total = (abs(x - 1) + abs(x + 1)).upper().max(arb(2)) / 2
    grow = (total + (total * total - 1).sqrt()).upper()
    out, power = arb(0), arb(1)
    for c in coefficients:
        out += abs(c) * power
        power = power * grow
    return out.upper()
