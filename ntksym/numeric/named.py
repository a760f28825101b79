r"""Named functions that stand for a dual; those of a mixture, $K_\sigma(q_{11}, q_{12}, q_{22})$.

`MixtureDual.expr` writes the function out as a finite sum.
"""

from __future__ import annotations

from typing import Any

from sympy import Expr, Function
from sympy.core.function import ArgumentIndexError


class OfCovariance(Function):
    """A real function of an activation and a covariance.

    The first argument is the activation as a `Lambda`, so that substituting a number for a
    parameter works as everywhere.
    """

    def _eval_is_extended_real(self) -> bool:
        return True

    def _where(self, printer: Any) -> str:
        return ", ".join(printer._print(a) for a in self.args[1:])

    def fdiff(self, argindex: int = 1) -> Expr:
        """The derivative of a dual in q12 (Price); the others are not provided.

        Raises:
            ArgumentIndexError: for q11 and q22, and of anything but a dual.
        """
        slope = self._slope() if argindex == 3 else None
        if slope is None:
            raise ArgumentIndexError(self, argindex)
        return slope(*self.args)

    def _slope(self) -> Any:
        """The function that is the derivative in q12; None where it has no name."""
        return None


class _Mixture(OfCovariance):
    """A letter for the function, the activation at its foot."""

    letter = "K"

    def _sympystr(self, printer: Any) -> str:
        name = "Kdot" if "dot" in self.letter else "K"
        return f"{name}[{printer._print(self.args[0].expr)}]({self._where(printer)})"

    def _pretty(self, printer: Any) -> Any:
        from sympy.printing.pretty.stringpict import prettyForm

        return prettyForm(str(self))

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        body = printer._print(self.args[0].expr)
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"{self.letter}{power}_{{{body}}}\left({self._where(printer)}\right)"


class MixtureDot(_Mixture):
    """The derivative dual E[s'(u) s'(v)] at (q11, q12, q22)."""

    nargs = 4
    letter = r"\dot K"


class MixtureValue(_Mixture):
    """The dual E[s(u) s(v)] at (q11, q12, q22); its derivative in q12 is `MixtureDot` (Price)."""

    nargs = 4

    def _slope(self) -> Any:
        return MixtureDot


class MixtureDiagDot(_Mixture):
    """The diagonal E[s'(u)^2] at q."""

    nargs = 2
    letter = r"\dot K"


class MixtureDiag(_Mixture):
    """The diagonal E[s(u)^2] at q."""

    nargs = 2
