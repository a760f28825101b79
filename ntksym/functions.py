r"""The functions of the field that SymPy lacks: `Phi` and `Phi2`.

They are notation with just enough behaviour: exact special values, derivatives, an mpmath
evaluation, a LaTeX form.  Everything else rewrites to what SymPy knows: `Phi(z)` is
`erfc(-z/sqrt(2))/2`.
"""

from __future__ import annotations

from typing import Any

import mpmath
from mpmath.libmp import prec_to_dps
from sympy import (
    DiracDelta,
    Expr,
    Function,
    Integer,
    Min,
    Rational,
    S,
    asin,
    default_sort_key,
    erfc,
    exp,
    pi,
)
from sympy import sqrt as sp_sqrt

from .symbols import x


def density(z: Expr) -> Expr:
    r"""The standard normal density $\varphi(z) = e^{-z^2/2}/\sqrt{2\pi}$."""
    return exp(-(z**2) / 2) / sp_sqrt(2 * pi)


class Phi(Function):
    r"""The standard normal distribution function $\Phi(z) = P(Z \le z)$."""

    nargs = 1
    is_extended_real = None

    @classmethod
    def eval(cls, z: Expr) -> Expr | None:
        """The exact values at zero and the infinities."""
        if z is S.Zero:
            return Rational(1, 2)
        if z is S.Infinity:
            return S.One
        if z is S.NegativeInfinity:
            return S.Zero
        return None

    def fdiff(self, argindex: int = 1) -> Expr:
        """The normal density."""
        return density(self.args[0])

    def _eval_is_extended_real(self) -> bool | None:
        real: bool | None = self.args[0].is_extended_real
        return real

    def _eval_is_positive(self) -> bool | None:
        return self._eval_is_extended_real()

    def _eval_conjugate(self) -> Expr:
        return Phi(self.args[0].conjugate())

    def _eval_rewrite_as_erfc(self, z: Expr, **_: Any) -> Expr:
        return erfc(-z / sp_sqrt(2)) / 2

    def _eval_rewrite_as_erf(self, z: Expr, **_: Any) -> Expr:
        from sympy import erf

        return (1 + erf(z / sp_sqrt(2))) / 2

    def _eval_evalf(self, prec: int) -> Expr:
        return self._eval_rewrite_as_erfc(*self.args)._eval_evalf(prec)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        body = rf"\Phi\left({printer._print(self.args[0])}\right)"
        return body if exp is None else rf"{body}^{{{exp}}}"


class Phi2(Function):
    r"""The standard bivariate normal distribution function $\Phi_2(h, k; r) = P(X \le h, Y \le k)$.

    `X` and `Y` are standard normal with correlation `r`.  Symmetric in `h` and `k`, which are
    therefore kept in a canonical order.  Drezner & Wesolowsky 1990; Plackett 1954 for
    $\partial_r \Phi_2 = \varphi_2(h, k; r)$.
    """

    nargs = 3

    @classmethod
    def eval(cls, h: Expr, k: Expr, r: Expr) -> Expr | None:
        """The exact values at infinities, at r = 0, 1 and at the origin; the canonical order."""
        if h is S.NegativeInfinity or k is S.NegativeInfinity:
            return S.Zero
        if h is S.Infinity:
            return Phi(k)
        if k is S.Infinity:
            return Phi(h)
        if r is S.Zero:
            return Phi(h) * Phi(k)
        if r is S.One and h.is_extended_real and k.is_extended_real:
            return Phi(h) if h == k else Phi(Min(h, k))
        if h is S.Zero and k is S.Zero:
            return Rational(1, 4) + asin(r) / (2 * pi)
        if default_sort_key(k) < default_sort_key(h):
            return cls(k, h, r)
        return None

    def fdiff(self, argindex: int = 1) -> Expr:
        """Density times conditional distribution in h and k; the joint density in r."""
        h, k, r = self.args
        s = sp_sqrt(1 - r**2)
        if argindex == 1:
            return density(h) * Phi((k - r * h) / s)
        if argindex == 2:
            return density(k) * Phi((h - r * k) / s)
        return exp(-(h**2 - 2 * r * h * k + k**2) / (2 * s**2)) / (2 * pi * s)

    def _eval_is_extended_real(self) -> bool | None:
        return True if all(a.is_extended_real for a in self.args) else None

    def _eval_evalf(self, prec: int) -> Expr | None:
        from sympy import Float, I

        with mpmath.workprec(prec + 20):
            args = [mpmath.mpmathify(a._eval_evalf(prec + 20)) for a in self.args]
            if any(not isinstance(a, (mpmath.mpf, mpmath.mpc)) for a in args):
                return None
            value = phi2(mpmath.mp, *args)
            if isinstance(value, mpmath.mpc) and value.imag:
                return Float(value.real, prec_to_dps(prec)) + I * Float(
                    value.imag, prec_to_dps(prec)
                )
            return Float(value.real, prec_to_dps(prec))

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        h, k, r = (printer._print(a) for a in self.args)
        body = rf"\Phi_2\left({h}, {k}; {r}\right)"
        return body if exp is None else rf"{body}^{{{exp}}}"


def phi2(ctx: Any, h: Any, k: Any, r: Any) -> Any:
    r"""`Phi2` by quadrature in an mpmath context, for real or complex `h`, `k`.

    $\Phi_2(h,k;r) = \Phi(h)\Phi(k) + \frac1{2\pi}\int_0^{\arcsin r}
    \exp\!\big(-\tfrac{h^2 + k^2 - 2hk\sin t}{2\cos^2 t}\big)\,dt$ (Plackett 1954).  Good to the
    context's precision for moderate arguments; it carries no bound (`verify.balls` does).
    """

    def cdf(z: Any) -> Any:
        return ctx.erfc(-z / ctx.sqrt(2)) / 2

    if r == 1:
        return cdf(min(h, k))
    if r == -1:
        return max(ctx.zero, cdf(h) - cdf(-k))
    top = ctx.asin(r)

    def integrand(t: Any) -> Any:
        c = ctx.cos(t)
        return ctx.exp(-(h * h + k * k - 2 * h * k * ctx.sin(t)) / (2 * c * c))

    points = [ctx.mpf(0), top / 2, 3 * top / 4, 7 * top / 8, 15 * top / 16, top]
    return cdf(h) * cdf(k) + ctx.quad(integrand, points) / (2 * ctx.pi)


def in_sympy_names(expr: Expr) -> Expr:
    """The expression with `Phi` written through `erfc`, so that plain SymPy can read its text.

    `Phi2` stays: SymPy has no bivariate normal distribution function.
    """
    return expr.replace(Phi, lambda z: Integer(1) * erfc(-z / sp_sqrt(2)) / 2)


def slope_off_jumps(e: Expr) -> Expr:
    """The derivative in x, off the jumps."""
    found: Expr = e.diff(x).replace(DiracDelta, lambda *_: Integer(0))
    return found
