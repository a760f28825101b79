r"""Rearrangements that keep wide boxes finite: $1/(c+e^g)$, $\log(c+e^g)$, $\log\cosh g$, ...

A box with a large exponential has a radius as large as its midpoint, and $c + e^g$ seems to meet
zero.  The identities $\frac{1}{c+e^g} = \frac{e^{-g}}{1+ce^{-g}}$ (always) and
$\log(c+e^g) = g + \log(1+ce^{-g})$ avoid it: for $c > 0$ the second where $|ce^{-g}| < 1$, which
continues the logarithm from real g to any imaginary part; for other c where
$|\mathrm{Im}\, g| < 3/2$ and $\mathrm{Re}(1+ce^{-g}) > 0$, so that the imaginary parts add to less
than $\pi$.
For $\mathrm{Re}\,z < 0$ it is $\Phi(z) = e^{-z^2/2}\,U(\frac12, \frac12, \frac{z^2}2)/(2\sqrt\pi)$,
and the real part of U is positive (a Voigt profile): powers and logarithms of Phi continue theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import sympy as sp
from flint import acb, arb
from sympy import Expr, Symbol

from ...functions import Phi
from ..safe import Integrand
from .cuts import NAN
from .heights import wave

_PHASE = 1.5
"""Of exp(-w^2/2), so that what U adds, less than pi/2, leaves the principal logarithm."""


@dataclass(frozen=True, slots=True)
class Parts:
    """How the parts of an expression are read: as functions, and as balls of constants."""

    read: Callable[[Expr], Integrand]
    number: Callable[[Expr], Any]


Paired: TypeAlias = tuple[Expr, Integrand, int]
Plain: TypeAlias = Callable[[Any, Any, bool], Any]


def by_form(expr: Expr, x: Symbol, parts: Parts) -> Integrand | None:
    """The function of log(c + e^g), log cosh g, log Phi(g), asinh(e^g), sin g or cos g, or None."""
    read, number = parts.read, parts.number
    if isinstance(expr, sp.asinh) and (g := _exponent(expr.args[0], x)) is not None:
        return asinh_exp(read(g))
    if not isinstance(expr, sp.log) or len(expr.args) != 1:
        return wave(expr, x, read)
    inner = expr.args[0]
    if (shifted := shifted_exponential(inner, x)) is not None:
        return logarithm(number(shifted[0]), read(shifted[1]))
    for kind, rule in ((sp.cosh, log_cosh), (Phi, log_phi)):
        if isinstance(inner, kind):
            return rule(read(inner.args[0]))
    return None


def power_by_form(base: Expr, e: Any, x: Symbol, parts: Parts, plain: Plain) -> Integrand | None:
    """The function base^e, e an `fmpq`, for c + exp(g) and Phi(g); None for other bases.

    `plain(z, e, analytic)` is the principal power of a ball.
    """
    read, number = parts.read, parts.number
    whole = e.denom() == 1
    if isinstance(base, Phi) and not whole:
        return phi_power(read(base.args[0]), e, plain)
    shifted = None if whole and e > 0 else shifted_exponential(base, x)
    if shifted is None:
        return None
    c, g = number(shifted[0]), read(shifted[1])
    return inverse_power(c, g, -int(e.numer())) if whole else fractional_power(c, g, e, plain)


def shifted_exponential(expr: Expr, x: Symbol) -> tuple[Expr, Expr] | None:
    """`(c, g)` when the expression is c + exp(g) with c free of x, else None."""
    if not isinstance(expr, sp.Add):
        return None
    c, moving = expr.as_independent(x, as_Add=True)
    g = _exponent(moving, x) if c != 0 else None
    return None if g is None else (c, g)


def _exponent(term: Expr, x: Symbol) -> Expr | None:
    """The g of exp(g), or of a exp(h) with a number a > 0: g = h + log a."""
    a, f = term.as_independent(x, as_Add=False)
    if not isinstance(f, sp.exp) or not a.is_positive:
        return None
    return f.args[0] + sp.log(a)


def inverse_power(c: Any, g: Integrand, n: int) -> Integrand:
    """The function (c + exp(g))^-n, n >= 1."""

    def value(z: Any, analytic: bool) -> Any:
        w = g(z, analytic)
        if w.real.mid() > 0:
            small = (-w).exp()
            return (small / (1 + c * small)) ** n
        return (1 / (c + w.exp())) ** n

    return value


def _continued(c: Any, w: Any) -> bool | None:
    r"""Which form of c + e^w continues its logarithm from real w; None where neither does.

    For c > 0 the zeros are at $\mathrm{Re}\, w = \log c$, $|\mathrm{Im}\, w| \ge \pi$, and the cuts
    are put there: to the right it is w + log(1 + c e^-w) (True), to the left log(c + e^w) (False),
    whatever the imaginary part.
    """
    if not (c.imag.is_zero() and c.real > 0):
        return bool(w.real.mid() > 0 and abs(w.imag) < 1.5 and (1 + c * (-w).exp()).real > 0)
    if abs(c * (-w).exp()) < 1:
        return True
    return False if abs(w.imag) < 3 or abs(w.exp()) < c.real else None


def fractional_power(c: Any, g: Integrand, e: Any, plain: Plain) -> Integrand:
    """The function (c + exp(g))^e, continued from real g, e an `fmpq`; `plain(z, e, analytic)`."""

    def value(z: Any, analytic: bool) -> Any:
        w = g(z, analytic)
        right = _continued(c, w)
        if right:
            return (w * arb(e)).exp() * plain(1 + c * (-w).exp(), e, analytic)
        return NAN if right is None else plain(c + w.exp(), e, analytic)

    return value


def logarithm(c: Any, g: Integrand) -> Integrand:
    """The function log(c + exp(g)), continued from real g."""
    unit = c == 1

    def value(z: Any, analytic: bool) -> Any:
        w = g(z, analytic)
        right = _continued(c, w)
        if right:
            return w + (1 + c * (-w).exp()).log(analytic=analytic)
        if right is None:
            return NAN
        small = w.exp()
        if unit and abs(small) < 1:  # 1 + e^g would lose all of e^g far out: its root is meant
            return small.log1p()
        return (c + small).log(analytic=analytic)

    return value


def asinh_exp(g: Integrand) -> Integrand:
    r"""The function asinh(exp(g)), continued from real g, with cuts at Re g = 0, |Im g| >= pi/2."""

    def value(z: Any, analytic: bool) -> Any:
        w = g(z, analytic)
        far, small = (-2 * w).exp(), w.exp()
        if abs(far) < 1:
            return w + (1 + (1 + far).sqrt()).log()
        if not (abs(w.imag) < 1.5 or abs(small) < 1):
            return NAN
        root = (1 + small * small).sqrt(analytic=analytic)
        return (small + small * small / (1 + root)).log1p()

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
            return NAN
        inner = 1 + (-2 * far).exp()
        if inner.real > 0:
            return far - arb(2).log() + inner.log(analytic=analytic)
        return w.cosh().log(analytic=analytic) if abs(far.imag) < 1.5 else NAN

    return value


def paired(power: Expr, factors: list[Expr], x: Symbol, parts: Parts) -> Paired | None:
    """`(bell, f, m)` where f = bell/b^m is kept together, b the base of a power b^-n, n >= m.

    It is exp(-g^2/2)/Phi(g), and e^h/(c + e^g)^m with h - m g free of x: of two factors one may be
    huge where the other is tiny.
    """
    if not (power.exp.is_Integer and power.exp < 0):
        return None
    if (mills := inverse_mills(power, factors)) is not None:
        g, bell = mills
        return bell, bell_over_phi(parts.read(g)), 1
    bells = [f for f in factors if isinstance(f, sp.exp)]
    if bells and (shifted := shifted_exponential(power.base, x)) is not None:
        c, g = shifted
        for bell in bells:
            for m in range(-int(power.exp), 0, -1):
                rest = sp.expand(bell.args[0] - m * g)
                if not rest.has(x):
                    scale = parts.number(sp.exp(rest))
                    return bell, logistic(parts.number(c), parts.read(g), m, scale), m
    return None


def inverse_mills(power: Expr, factors: list[Expr]) -> tuple[Expr, Expr] | None:
    """`(g, bell)` where `power` is Phi(g)^-n, n >= 1, and the factor `bell` is exp(-g^2/2)."""
    if not isinstance(power.base, Phi) or not (power.exp.is_Integer and power.exp < 0):
        return None
    g = power.base.args[0]
    for bell in factors:
        if isinstance(bell, sp.exp) and sp.expand(bell.args[0] + g**2 / 2) == 0:
            return g, bell
    return None


def logistic(c: Any, g: Integrand, m: int, scale: Any) -> Integrand:
    """The function scale (e^g/(c + e^g))^m."""

    def value(z: Any, analytic: bool) -> Any:
        w = g(z, analytic)
        if w.real.mid() > 0:
            return scale / (1 + c * (-w).exp()) ** m
        small = w.exp()
        return scale * (small / (c + small)) ** m

    return value


def _scaled(w: Any) -> Any:
    """Phi(w) exp(w^2/2) on a box off the line to the left of 0; else NaN, or where it may be 0."""
    if w.imag.is_zero() or not w.real < 0:
        return NAN
    found = (w * w / 2).hypgeom_u(acb("0.5"), acb("0.5")) / (2 * acb.pi().sqrt())
    return found if found.real > 0 else NAN


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
        return _plain(w).log(analytic=analytic) if _principal(w) else NAN

    return value


def phi_power(g: Integrand, e: Any, plain: Plain) -> Integrand:
    """The function Phi(g)^e, continued from real g as `log_phi` is."""

    def value(z: Any, analytic: bool) -> Any:
        w = g(z, analytic)
        near = plain(_plain(w), e, analytic) if _principal(w) else NAN
        if near.rel_accuracy_bits() > 0:  # the other costs ten times that
            return near
        if (scaled := _scaled(w)).is_finite():
            return plain(scaled, e, analytic) * (-w * w / 2 * arb(e)).exp()
        return near

    return value


def _principal(w: Any) -> bool:
    """Whether the principal logarithm of Phi(w) is the one continued from real w."""
    return bool(w.real > 0 or abs(w.real * w.imag) < _PHASE)
