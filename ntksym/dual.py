"""Dual: the dual activation, its derivative, the diagonals, and the conditions they hold under."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sympy import Basic, Expr, latex, oo

from .activation import Activation
from .derivation import Derivation
from .errors import NtksymError
from .steps import Step, trace


class BrokenDerivation(NtksymError):
    """Two routes to one result differ: a bug of this library."""

    code = "E099"


@dataclass(frozen=True, slots=True)
class Dual:
    r"""Closed forms of an activation $s$, for $(u, v)$ Gaussian.

    The covariance of $(u, v)$ is [[q11, q12], [q12, q22]].  All are SymPy expressions in
    `symbols.q11, q12, q22` (and `m1, m2` with means), the diagonal ones in `symbols.q` (and `m`),
    and the parameters of the activation.  They hold for positive variances and
    $q_{12}^2 < q_{11} q_{22}$, under `conditions`; `Dual.at` takes degenerate covariances too.
    """

    activation: Activation
    value: Expr
    """$E[s(u)\\,s(v)]$: the dual activation (Daniely, Frostig & Singer 2016)."""
    dot: Expr
    """The derivative dual: the derivative of `value` in q12, which is $E[s'(u)\\,s'(v)]$ with
    $s'$ in the sense of distributions (Price 1958)."""
    dot_ae: Expr
    """The same with the almost-everywhere derivative; differs from `dot` where s jumps."""
    diag: Expr
    """$E[s(u)^2]$ for variance q."""
    diag_dot: Expr
    """$E[s'(u)^2]$ for variance q; infinite where s jumps."""
    diag_dot_ae: Expr
    """The same with the almost-everywhere derivative."""
    conditions: tuple[Basic, ...]
    method: str = "closed form"
    derivation: Derivation | None = field(default=None, repr=False, compare=False)

    @property
    def continuous(self) -> bool:
        """Whether the two derivative duals are one."""
        return bool(self.diag_dot != oo)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The derivation: rule, before and after, as LaTeX."""
        return trace(self.derivation) if self.derivation is not None else ()

    def at(self, q11: Any, q12: Any, q22: Any, *, derivative: bool = False) -> Expr:
        """The exact value at rational covariances, also where u and v are proportional or zero."""
        from sympy import Rational

        assert self.derivation is not None
        return self.derivation.at(Rational(q11), Rational(q12), Rational(q22), slope=derivative)

    def _repr_latex_(self) -> str:
        rows = [
            (r"\mathbb{E}[\sigma(u)\sigma(v)]", self.value),
            (r"\mathbb{E}[\sigma'(u)\sigma'(v)]", self.dot),
            (r"\mathbb{E}[\sigma(u)^2]", self.diag),
            (r"\mathbb{E}[\sigma'(u)^2]", self.diag_dot),
        ]
        body = r" \\ ".join(f"{name} &= {latex(e)}" for name, e in rows)
        return rf"$\displaystyle \begin{{aligned}} {body} \end{{aligned}}$"


def dual(activation: Any, *, mean: bool = False) -> Dual:
    r"""The closed-form dual of an activation.

    Args:
        activation: text of the activation language, a SymPy expression of one variable, an
            `Activation`, or the name of a catalogue entry.
        mean: for pre-activations with means m1 and m2 instead of centred ones.

    Raises:
        ParseError: text that is not a formula.
        BadActivation: not a real function of one variable.
        NoClosedForm: outside the class; the message names the factor or the product.
        NotSquareIntegrable: E[s(u)^2] is infinite for every variance.
    """
    from .language import as_activation

    return _dual(as_activation(activation), mean)


@lru_cache(maxsize=256)
def _dual(activation: Activation, mean: bool) -> Dual:
    d = Derivation.of(activation, centred=not mean)
    conditions = d.conditions
    if not d.price_holds and d.price_differs:
        raise BrokenDerivation(
            f"{activation.expr}: the derivative dual comes out differently by Price's theorem",
            tried=("d/dq12 of the dual", "the dual of the derivative"),
            hint="please report this expression",
        )
    diag_dot_ae = d.diag_dot_ae.expr
    return Dual(
        activation=activation,
        value=d.value.expr,
        dot=d.dot.expr,
        dot_ae=d.dot_ae.expr if d.jumps else d.dot.expr,
        diag=d.diag.expr,
        diag_dot=oo if d.jumps else diag_dot_ae,
        diag_dot_ae=diag_dot_ae,
        conditions=conditions,
        derivation=d,
    )
