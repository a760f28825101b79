r"""Rearrangements that keep wide boxes finite: $1/(c+e^g)$, $\log(c+e^g)$, $\log\cosh g$, ...

A box with a large exponential has a radius as large as its midpoint, and $c + e^g$ seems to meet
zero.  The identities $\frac{1}{c+e^g} = \frac{e^{-g}}{1+ce^{-g}}$ (always) and
$\log(c+e^g) = g + \log(1+ce^{-g})$ (where $|\mathrm{Im}\, g| < 3/2$ and
$\mathrm{Re}(1+ce^{-g}) > 0$, so that the imaginary parts add to less than $\pi$) avoid it.
For $\mathrm{Re}\,z < 0$ it is $\Phi(z) = e^{-z^2/2}\,U(\frac12, \frac12, \frac{z^2}2)/(2\sqrt\pi)$,
and the real part of U is positive (a Voigt profile).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
from flint import acb, arb
from sympy import Expr, Symbol

from ...functions import Phi
from ..safe import Integrand

_PHASE = 1.5
"""Of exp(-w^2/2), so that what U adds, less than pi/2, leaves the principal logarithm."""


def shifted_exponential(expr: Expr, x: Symbol) -> tuple[Expr, Expr] | None:
    """`(c, g)` when the expression is c + exp(g) with c free of x, else None."""
    if not isinstance(expr, sp.Add):
        return None
    c, moving = expr.as_independent(x, as_Add=True)
    return (c, moving.args[0]) if c != 0 and isinstance(moving, sp.exp) else None


def inverse_power(c: Any, g: Integrand, n: int) -> Integrand:
    """The function (c + exp(g))^-n, n >= 1."""

    def value(z: Any, analytic: bool) -> Any:
        w = g(z, analytic)
        if w.real.mid() > 0:
            small = (-w).exp()
            return (small / (1 + c * small)) ** n
        return (1 / (c + w.exp())) ** n

    return value


def fractional_power(c: Any, g: Integrand, e: Any, plain: Callable[..., Any]) -> Integrand:
    """The function (c + exp(g))^e, principal branch, e an `fmpq`; `plain(z, e, analytic)`."""

    def value(z: Any, analytic: bool) -> Any:
        w = g(z, analytic)
        if w.real.mid() > 0 and abs(w.imag) < 1.5:
            inner = 1 + c * (-w).exp()
            if inner.real > 0:
                return (w * arb(e)).exp() * plain(inner, e, analytic)
        return plain(c + w.exp(), e, analytic)

    return value


def logarithm(c: Any, g: Integrand) -> Integrand:
    """The function log(c + exp(g)), principal branch."""
    unit = c == 1

    def value(z: Any, analytic: bool) -> Any:
        w = g(z, analytic)
        if w.real.mid() > 0 and abs(w.imag) < 1.5:
            inner = 1 + c * (-w).exp()
            if inner.real > 0:
                return w + inner.log(analytic=analytic)
        small = w.exp()
        if unit and abs(small) < 1:  # 1 + e^g would lose all of e^g far out: its root is meant
            return small.log1p()
        return (c + small).log(analytic=analytic)

    return value


def log_cosh(g: Integrand) -> Integrand:
    r"""The function log(cosh(g)), continued from real g: |g| - log 2 + log(1 + exp(-2|g|)).

    It is even, and for Re g > 0 analytic whatever Im g; the two sides meet where |Im g| < pi/2,
    and a box that meets Re g = 0 elsewhere has no value.
    """

    def value(z: Any, analytic: bool) -> Any:
        w = g(z, analytic)
        far = -w if w.real.mid() < 0 else w
        if not (far.real > 0 or abs(far.imag) < 1.5):
            return acb("nan")
        inner = 1 + (-2 * far).exp()
        if inner.real > 0:
            return far - arb(2).log() + inner.log(analytic=analytic)
        return w.cosh().log(analytic=analytic) if abs(far.imag) < 1.5 else acb("nan")

    return value


def inverse_mills(power: Expr, factors: list[Expr]) -> tuple[Expr, Expr] | None:
    """`(g, bell)` where `power` is Phi(g)^-n, n >= 1, and the factor `bell` is exp(-g^2/2)."""
    if not isinstance(power.base, Phi) or not (power.exp.is_Integer and power.exp < 0):
        return None
    g = power.base.args[0]
    for bell in factors:
        if isinstance(bell, sp.exp) and sp.expand(bell.args[0] + g**2 / 2) == 0:
            return g, bell
    return None


def _scaled(w: Any) -> Any:
    """Phi(w) exp(w^2/2) on a box off the line to the left of 0; else NaN, or where it may be 0."""
    if w.imag.is_zero() or not w.real < 0:
        return acb("nan")
    found = (w * w / 2).hypgeom_u(acb("0.5"), acb("0.5")) / (2 * acb.pi().sqrt())
    return found if found.real > 0 else acb("nan")


def _plain(w: Any) -> Any:
    return (-w / arb(2).sqrt()).erfc() / 2


def bell_over_phi(g: Integrand) -> Integrand:
    """The function exp(-g^2/2)/Phi(g)."""

    def value(z: Any, analytic: bool) -> Any:
        w = g(z, analytic)
        if (scaled := _scaled(w)).is_finite():
            return 1 / scaled
        return (-w * w / 2).exp() / _plain(w)

    return value


def log_phi(g: Integrand) -> Integrand:
    """The function log(Phi(g)), continued from real g: not the principal logarithm far out."""

    def value(z: Any, analytic: bool) -> Any:
        w = g(z, analytic)
        if (scaled := _scaled(w)).is_finite():
            return scaled.log(analytic=analytic) - w * w / 2
        if not (w.real > 0 or abs(w.real * w.imag) < _PHASE):
            return acb("nan")
        return _plain(w).log(analytic=analytic)

    return value
