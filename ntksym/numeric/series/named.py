"""The named function $a_n(q)$ that stands for a Hermite coefficient without a closed form."""

from __future__ import annotations

from typing import Any

from sympy import Function


class HermiteCoefficient(Function):
    r"""$a_n(q) = E[s(\sqrt q Z)\,h_n(Z)]$; arguments: s as a `Lambda`, n, q."""

    nargs = 3

    def _eval_is_extended_real(self) -> bool:
        return True

    def _sympystr(self, printer: Any) -> str:
        return f"a({printer._print(self.args[1])}, {printer._print(self.args[2])})"

    def _pretty(self, printer: Any) -> Any:
        from sympy.printing.pretty.stringpict import prettyForm

        return prettyForm(str(self))

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        n, q = (printer._print(a) for a in self.args[1:])
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"a_{{{n}}}{power}\left({q}\right)"
