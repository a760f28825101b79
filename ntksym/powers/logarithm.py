r"""log|x|, the limit of $(|x|^p - 1)/p$ as p goes to 0: it closes.

The derivative in p of $h_{n+2} = (p - n)\,h_n$ (see `pairs`) at p = 0, where $h_0 = 1$ is the only
one that is not 0, gives $l_2 = 1$ and $l_{n+2} = -n\,l_n$ for $l_n = E[\log|X|\,He_n(X)]$, n even.
Then $y = \sum_{n \ge 2} l_n^2 \rho^n/n!$ solves $(1-\rho^2) y'' - \rho y' = 1$, $y(0) = y'(0) = 0$,
which is $\tfrac12 \arcsin^2\rho$; and $l_0 = E\log|X| = -(\gamma + \log 2)/2$.  So
$$E[\log|u|\,\log|v|] = \tfrac14 (\log\tfrac{q_{11}}2 - \gamma)(\log\tfrac{q_{22}}2 - \gamma)
  + \tfrac12 \arcsin^2\rho .$$
The derivative 1/x is no locally integrable function: the derivative dual is the distributional one
(principal values), $\arcsin(\rho)/\sqrt{q_{11}q_{22} - q_{12}^2}$, infinite on the diagonal.
With another power the limit is a derivative of 2F1 in a parameter, which does not close.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sympy import (
    Abs,
    Add,
    Basic,
    EulerGamma,
    Expr,
    Mul,
    Pow,
    Rational,
    asin,
    expand,
    expand_log,
    log,
    nan,
    oo,
    pi,
    sqrt,
    zoo,
)

from ..activation import Activation
from ..symbols import q, q11, q12, q22, x
from .pairs import RHO


@dataclass(frozen=True)
class LogDerivation:
    """The closed forms of offset + slope*log|x|, for a centred pair."""

    activation: Activation
    offset: Expr
    slope: Expr

    @classmethod
    def of(cls, activation: Activation) -> LogDerivation | None:
        """The derivation, or None where the activation is not such a function."""
        offset: Expr = Rational(0)
        slope: Expr = Rational(0)
        for term in Add.make_args(expand(activation.expr)):
            if not term.has(x):
                offset += term
                continue
            rest, f = term.as_independent(x, as_Add=False)
            found = _modulus(f.args[0]) if isinstance(f, log) and len(f.args) == 1 else None
            if found is None:
                return None
            factor, power = found
            offset += rest * expand_log(log(factor))
            slope += rest * power
        return cls(activation, offset, slope) if slope != 0 else None

    def _mean(self, variance: Expr) -> Expr:
        """E[s(u)] for a variance."""
        return self.offset + self.slope * (log(variance) - log(2) - EulerGamma) / 2

    @cached_property
    def value(self) -> Expr:
        """E[s(u) s(v)]."""
        return self._mean(q11) * self._mean(q22) + self.slope**2 * asin(RHO) ** 2 / 2

    @cached_property
    def dot(self) -> Expr:
        """The derivative of `value` in q12: s' in the sense of distributions (Price 1958)."""
        return self.slope**2 * asin(RHO) / sqrt(q11 * q22 - q12**2)

    @property
    def dot_ae(self) -> Expr:
        """NaN: 1/x is not integrable, so that there is no expectation."""
        return nan

    @cached_property
    def diag(self) -> Expr:
        """E[s(u)^2] for variance q."""
        return self._mean(q) ** 2 + self.slope**2 * pi**2 / 8

    @property
    def diag_dot(self) -> Expr:
        """Infinite."""
        return oo

    diag_dot_ae = diag_dot

    @property
    def conditions(self) -> tuple[Basic, ...]:
        """None: every variance."""
        return ()

    def at(self, a: Rational, c: Rational, b: Rational, *, slope: bool = False) -> Expr:
        """E[s(u) s(v)] at exact covariances; NaN for the derivative, infinite at variance zero."""
        if slope:
            return nan
        if a == 0 or b == 0:
            return zoo
        return self.value.subs({q11: a, q12: c, q22: b})


def _modulus(e: Expr) -> tuple[Expr, Expr] | None:
    """(c, k) with e = c |x|^k and c > 0, or None."""
    factor: Expr = Rational(1)
    power: Expr = Rational(0)
    for f in Mul.make_args(e):
        base, k = (f.base, f.exp) if isinstance(f, Pow) else (f, Rational(1))
        if not f.has(x):
            factor *= f
        elif isinstance(base, Abs) and not k.has(x):
            inner, rest = base.args[0].as_independent(x, as_Add=False)
            if rest != x:
                return None
            factor, power = factor * Abs(inner) ** k, power + k
        elif base == x and k.is_even:
            power += k
        else:
            return None
    return (factor, power) if factor.is_positive and power != 0 else None
