"""A pointwise nonlinearity: the dual activation and its derivative."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sympy import Expr, nan, oo

from ... import symbols
from ...activation import Activation
from ...errors import NotSquareIntegrable
from ..convention import Convention
from ..state import KernelState


class DualForms(Protocol):
    """What the layer reads of a `Dual`."""

    @property
    def value(self) -> Expr:
        """E[s(u) s(v)]."""
        ...

    @property
    def dot(self) -> Expr:
        """Its derivative in q12."""
        ...

    @property
    def dot_ae(self) -> Expr:
        """The same with the almost-everywhere derivative."""
        ...

    @property
    def diag(self) -> Expr:
        """E[s(u)^2]."""
        ...

    @property
    def diag_dot(self) -> Expr:
        """E[s'(u)^2]."""
        ...

    @property
    def diag_dot_ae(self) -> Expr:
        """The same with the almost-everywhere derivative."""
        ...


@dataclass(frozen=True, slots=True)
class Nonlinearity:
    r"""$z = \sigma(h)$ entry by entry, after a layer whose outputs are Gaussian.

    Attributes:
        activation: $\sigma$, its parameters symbolic.
        values: numbers for its parameters; a parameter that is missing stays symbolic.
        dual: the forms, or None for those of `ntksym.numeric.choose`.
    """

    activation: Activation
    values: tuple[tuple[str, Expr], ...] = ()
    dual: DualForms | None = None

    def forms(self) -> DualForms:
        """The closed forms; where there are none a mixture, or unevaluated expectations.

        Raises:
            NotSquareIntegrable, BadActivation: the activation has no dual.
        """
        if self.dual is not None:
            return self.dual
        from ...numeric.choose import best_dual

        found: DualForms = best_dual(self.activation)
        return found

    def with_numbers(self) -> Expr:
        """s(x) with the numbers that are given for its parameters."""
        at = {p: v for p in self.activation.params for k, v in self.values if k == p.name}
        return self.activation.expr.subs(at)

    def kernel(self, state: KernelState, convention: Convention, index: int) -> KernelState:
        r"""$K = \mathbb{E}[\sigma(u)\sigma(v)]$ and $\dot K\,\Theta$ as the convention says.

        Raises:
            NotSquareIntegrable: a tangent kernel of an activation whose derivative almost
                everywhere is not integrable, such as |x|^(-1/4).
        """
        forms = self.forms()
        ae = convention.derivative == "almost_everywhere"
        dot, diag_dot = (forms.dot_ae, forms.diag_dot_ae) if ae else (forms.dot, forms.diag_dot)
        if dot is nan:
            raise NotSquareIntegrable(
                f"the derivative of {self.activation.name} is not integrable: no tangent kernel",
                hint="derivative=distributional: the slope of the dual in q12",
            )

        def pair(q11: Expr, q12: Expr, q22: Expr, theta: Expr | None) -> tuple[Expr, Expr | None]:
            at = {symbols.q11: q11, symbols.q12: q12, symbols.q22: q22}
            ntk = None if theta is None else dot.xreplace(at) * theta
            return forms.value.xreplace(at), ntk

        def diag(q: Expr, theta: Expr | None) -> tuple[Expr, Expr | None]:
            at = {symbols.q: q}
            if theta is None:
                return forms.diag.xreplace(at), None
            # The distributional slope of a jump is infinite on the diagonal, whatever theta > 0.
            ntk = oo if diag_dot is oo else diag_dot.xreplace(at) * theta
            return forms.diag.xreplace(at), ntk

        return state.map(pair, diag)
