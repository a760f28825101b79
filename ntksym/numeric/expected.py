r"""`ExpectedDual`: the dual of any activation as an unevaluated expectation.

Named functions $E[s(u)s(v)](q_{11}, q_{12}, q_{22})$ stand where a closed form would: a network
composes them, ball arithmetic encloses them, and code replaces them by a certified approximation.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from sympy import Basic, Expr, Lambda, latex, oo

from ..activation import Activation
from ..brief import Brief
from ..errors import NtksymError
from ..steps import Step
from ..symbols import q, q11, q12, q22, x
from .named import OfCovariance


class _Expected(OfCovariance):
    """An expectation under the Gaussian law of the covariance."""

    shown = "s(u)*s(v)"
    tex = r"\sigma(u)\,\sigma(v)"

    def _sympystr(self, printer: Any) -> str:
        body = printer._print(self.args[0].expr)
        return f"E[{self.shown} | s(x) = {body}]({self._where(printer)})"

    def _pretty(self, printer: Any) -> Any:
        """Short: the activation stands above it."""
        from sympy.printing.pretty.stringpict import prettyForm
        from sympy.printing.str import StrPrinter

        return prettyForm(f"E[{self.shown}]({self._where(StrPrinter())})")

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        where = self._where(printer)
        return rf"\mathbb{{E}}{power}\left[{self.tex}\right]\left({where}\right)"


class ExpectedDotAE(_Expected):
    """E[s'(u) s'(v)] at (q11, q12, q22), the derivative taken off the jumps of s."""

    nargs = 4
    shown = "s'(u)*s'(v)"
    tex = r"\sigma'(u)\,\sigma'(v)"


class ExpectedDot(_Expected):
    """The derivative of E[s(u) s(v)] in q12, at (q11, q12, q22), where s jumps."""

    nargs = 4
    shown = "Ds(u)*Ds(v)"
    tex = r"\mathrm{D}\sigma(u)\,\mathrm{D}\sigma(v)"


class ExpectedValue(_Expected):
    """E[s(u) s(v)] at (q11, q12, q22); its derivative in q12 is `ExpectedDot` (Price)."""

    nargs = 4

    def _slope(self) -> Any:
        jumps = has_jumps(Activation("s", self.args[0].expr))
        return ExpectedDot if jumps else ExpectedDotAE


class ExpectedDiagDot(_Expected):
    """The diagonal E[s'(u)^2] at q, the derivative taken off the jumps of s."""

    nargs = 2
    shown = "s'(u)^2"
    tex = r"\sigma'(u)^2"


class ExpectedDiag(_Expected):
    """The diagonal E[s(u)^2] at q."""

    nargs = 2
    shown = "s(u)^2"
    tex = r"\sigma(u)^2"


@dataclass(frozen=True, slots=True, repr=False)
class ExpectedDual(Brief):
    r"""The dual of an activation by its definition, with the fields of a `Dual`.

    Attributes:
        activation: s.
        method: how code would compute it: "tabulated", "series" or "quadrature".
    """

    activation: Activation
    method: str = "tabulated"
    _shown = ("method",)

    @property
    def value(self) -> Expr:
        """$E[s(u) s(v)]$, unevaluated, in `q11, q12, q22`."""
        return ExpectedValue(Lambda(x, self.activation.expr), q11, q12, q22)

    @property
    def dot(self) -> Expr:
        """The derivative of `value` in q12."""
        return self.dot_ae if self.continuous else ExpectedDot(*self.value.args)

    @property
    def dot_ae(self) -> Expr:
        """$E[s'(u) s'(v)]$ with the almost-everywhere derivative."""
        return ExpectedDotAE(*self.value.args)

    @property
    def diag(self) -> Expr:
        """$E[s(u)^2]$ for variance q."""
        return ExpectedDiag(Lambda(x, self.activation.expr), q)

    @property
    def diag_dot(self) -> Expr:
        """$E[s'(u)^2]$ for variance q; infinite where s jumps."""
        return self.diag_dot_ae if self.continuous else oo

    @property
    def diag_dot_ae(self) -> Expr:
        """The same with the almost-everywhere derivative."""
        return ExpectedDiagDot(Lambda(x, self.activation.expr), q)

    @property
    def conditions(self) -> tuple[Basic, ...]:
        """None are known."""
        return ()

    @property
    def continuous(self) -> bool:
        """Whether s has no jump, as far as its kinks can be located."""
        return not has_jumps(self.activation)

    @property
    def derivation(self) -> None:
        """None: nothing was derived."""
        return None

    @property
    def steps(self) -> tuple[Step, ...]:
        """The definition."""
        body = rf"\mathbb{{E}}[\sigma(u)\,\sigma(v)],\ \sigma(x) = {latex(self.activation.expr)}"
        return (Step("definition", latex(self.value), body),)

    def enclose(
        self,
        c11: Any,
        c12: Any,
        c22: Any,
        *,
        derivative: bool = False,
        digits: int = 30,
        params: Mapping[Any, Any] | None = None,
    ) -> Any:
        """A ball around the expectation at rational covariances, from the definition.

        Raises:
            BadCovariance: not positive semi-definite.
            BadActivation: a parameter without a value.
            Undecided: the accuracy was not reached.
        """
        from ..verify.balls import enclose_definition

        return enclose_definition(
            self.activation, c11, c12, c22, params=params, digits=digits, derivative=derivative
        )

    def lines(self) -> tuple[str, ...]:
        """What it is, in words."""
        return ("no closed form: the expectations stand for themselves",)


@lru_cache(maxsize=256)
def has_jumps(activation: Activation) -> bool:
    """Whether s jumps somewhere; False where its kinks cannot be located, or depend on names."""
    from ..precision import precision
    from ..verify.evaluate import real_ball
    from ..verify.functions.pieces import jumps, split

    if activation.params:
        return False
    try:
        with precision(128):
            heights = [real_ball(height) for _, height in jumps(split(activation.expr))]
            return any(not height.contains(0) for height in heights)
    except NtksymError:
        return False


_NEAR = 24
"""How far out infinitely many kinks are first located: 512 of them take seconds."""


@lru_cache(maxsize=256)
def admissible(activation: Activation) -> None:
    """Check by a growth certificate that E[s(u)^2] can be finite; parameters pass unchecked.

    Raises:
        BadActivation: not real or not defined on part of the line.
        NotSquareIntegrable: faster than every Gaussian.
        Undecided: no certificate, or kinks that cannot be located.
    """
    from ..precision import precision
    from ..verify.definition import factor
    from ..verify.functions.growth import growth_of
    from ..verify.functions.reach import REACH

    if activation.params:
        return
    read = partial(factor, activation.expr, derivative=False, distributional=False)
    with precision(256):
        with suppress(NtksymError):  # a bound where most kinks are not located holds as well
            if growth_of(read(reach=_NEAR).pieces).c.is_finite():
                return
        growth_of(read(reach=REACH).pieces)
