"""Values of closed forms in ball arithmetic: what the engine writes, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sympy import (
    Add,
    E,
    Expr,
    Mul,
    Pow,
    Rational,
    Symbol,
    acosh,
    asin,
    asinh,
    atan,
    atanh,
    cos,
    cosh,
    erf,
    exp,
    log,
    pi,
    sech,
    sin,
    sinh,
    tan,
    tanh,
)

from ..errors import UnsupportedOp
from ..functions import Phi, Phi2

_METHODS = {
    kind: kind.__name__
    for kind in (
        acosh, asin, asinh, atan, atanh, cos, cosh, erf, exp, log, sech, sin, sinh, tan, tanh,
    )
}  # fmt: skip
"""Functions that `flint.arb` has under the same name; most occur in constants only."""


def ball_value(e: Expr, values: Mapping[Symbol, Any]) -> Any:
    """A `flint.arb` that contains the value of `e` at balls for its symbols.

    Raises:
        UnsupportedOp: a function that closed forms of mixtures do not have.
    """
    from flint import arb

    if isinstance(e, Symbol):
        return values[e]
    if isinstance(e, Rational):
        return arb(int(e.p)) / int(e.q)
    if isinstance(e, Add):
        total = arb(0)
        for a in e.args:
            total += ball_value(a, values)
        return total
    if isinstance(e, Mul):
        total = arb(1)
        for a in e.args:
            total *= ball_value(a, values)
        return total
    if isinstance(e, Pow) and isinstance(e.exp, Rational):
        return _power(ball_value(e.base, values), e.exp)
    if isinstance(e, Pow):
        return ball_value(e.base, values) ** ball_value(e.exp, values)
    if e is pi:
        return arb.pi()
    if e is E:
        return arb(1).exp()
    arguments = [ball_value(a, values) for a in e.args]
    if type(e) in _METHODS:
        return getattr(arguments[0], _METHODS[type(e)])()
    if isinstance(e, Phi):
        return normal(arguments[0])
    if isinstance(e, Phi2):
        return bivariate(*arguments)
    raise UnsupportedOp(f"{type(e).__name__} has no ball arithmetic here", where=str(e))


def _power(base: Any, exponent: Rational) -> Any:
    whole, half = int(exponent.p), int(exponent.q)
    if half == 1:
        return base**whole
    if half == 2:
        return base.sqrt() ** whole
    return (base.log() * whole / half).exp()


def normal(z: Any) -> Any:
    """The standard normal distribution function of a ball."""
    from flint import arb

    return (-z / arb(2).sqrt()).erfc() / 2


def bivariate(h: Any, k: Any, r: Any) -> Any:
    r"""$\Phi_2(h, k; r)$, |r| < 1, by the integral of the density over the correlation.

    Plackett 1954, with $r = \sin t$.  FLINT's integrator drops exceptions of the integrand, so
    that it is kept free of them: only arithmetic, cos, sin and exp of balls.

    Raises:
        UnsupportedOp: the integral does not converge.
    """
    from flint import acb, arb, ctx

    top = r.asin()
    form = acb(h * h + k * k), acb(2 * h * k)

    def integrand(t: Any, _: bool) -> Any:
        c = (t * top).cos()
        return ((form[1] * (t * top).sin() - form[0]) / (2 * c * c)).exp()

    value = acb.integral(integrand, 0, 1, abs_tol=arb(2) ** (20 - ctx.prec), rel_tol=0)
    if not value.is_finite():
        raise UnsupportedOp("the bivariate normal integral did not converge", where=f"r = {r}")
    return normal(h) * normal(k) + value.real * top / (2 * arb.pi())
