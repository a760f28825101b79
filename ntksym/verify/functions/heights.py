r"""Waves of a phase that bends, on wide boxes: how high a phase g goes off the real line.

$|\sin g|$ and $|\cos g|$ are at most $\cosh \mathrm{Im}\,g$.  A root on a wide box loses its
imaginary part: that of $\sqrt{1 + z^4}$ on $[30, 31] \times i[0, 0.1]$ seems to be 40 and is 7.
Where g is analytic between a box and the real line, and real there,
$\mathrm{Im}\,g(x+iy) = \int_0^y \mathrm{Re}\,g'(x+it)\,dt$.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
from flint import acb, arb
from sympy import Expr, Symbol

from ..safe import Integrand

_WAVES = {sp.sin: acb.sin, sp.cos: acb.cos}
_WIDE = 2.0**-12
"""Narrower boxes lose little."""


def wave(expr: Expr, x: Symbol, read: Callable[[Expr], Integrand]) -> Integrand | None:
    """The integrand of sin(g) or cos(g) where g has roots or functions; None of another form."""
    kind = _WAVES.get(type(expr))
    if kind is None or expr.args[0].is_polynomial(x):
        return None
    phase, slope = read(expr.args[0]), read(sp.diff(expr.args[0], x))

    def value(z: Any, analytic: bool) -> Any:
        w = phase(z, analytic)
        if analytic and z.rad() > _WIDE and w.is_finite():
            below = acb(z.real, z.imag.union(arb(0)))
            ground, rise = phase(acb(z.real), True), slope(below, True)
            if ground.imag.is_zero() and rise.is_finite() and phase(below, True).is_finite():
                w = acb(w.real, w.imag.intersection(z.imag * rise.real))
        return kind(w)

    return value
