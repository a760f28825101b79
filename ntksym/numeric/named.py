r"""Named functions that stand for a mixture dual: $K_\sigma(q_{11}, q_{12}, q_{22})$.

The first argument is the activation as a `Lambda`, so that substituting a number for a parameter
works as everywhere.  `MixtureDual.expr` writes the function out as a finite sum.
"""

from __future__ import annotations

from typing import Any

from sympy import Expr, Function
from sympy.core.function import ArgumentIndexError


class _Named(Function):
    """A real function of an activation and a covariance."""

    letter = "K"

    def _eval_is_extended_real(self) -> bool:
        return True

    def _sympystr(self, printer: Any) -> str:
        where = ", ".join(printer._print(a) for a in self.args[1:])
        name = "Kdot" if "dot" in self.letter else "K"
        return f"{name}[{printer._print(self.args[0].expr)}]({where})"

    def _pretty(self, printer: Any) -> Any:
        from sympy.printing.pretty.stringpict import prettyForm

        return prettyForm(str(self))

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        body = printer._print(self.args[0].expr)
        where = ", ".join(printer._print(a) for a in self.args[1:])
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"{self.letter}{power}_{{{body}}}\left({where}\right)"


class MixtureDot(_Named):
    """The derivative dual E[s'(u) s'(v)] at (q11, q12, q22)."""

    nargs = 4
    letter = r"\dot K"


class MixtureValue(_Named):
    """The dual E[s(u) s(v)] at (q11, q12, q22); its derivative in q12 is `MixtureDot` (Price)."""

    nargs = 4

    def fdiff(self, argindex: int = 1) -> Expr:
        """The derivative in q12; the others are not provided.

        Raises:
            ArgumentIndexError: for q11 and q22.
        """
        if argindex != 3:
            raise ArgumentIndexError(self, argindex)
        return MixtureDot(*self.args)


class MixtureDiagDot(_Named):
    """The diagonal E[s'(u)^2] at q."""

    nargs = 2
    letter = r"\dot K"


class MixtureDiag(_Named):
    """The diagonal E[s(u)^2] at q."""

    nargs = 2
