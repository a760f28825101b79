"""Dual: the dual activation, its derivative, the diagonals, and the conditions they hold under."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Any

from sympy import Basic, Expr, Pow, Symbol, nan, oo

from .abbreviations import latex_rows, one_line
from .activation import Activation
from .brief import Brief
from .derivation import Derivation
from .errors import BadCovariance, NoClosedForm, NtksymError, not_semi_definite
from .symbols import x

if TYPE_CHECKING:  # not imported for kernels that are closed without powers, nor printed
    from .powers.derivation import PowerDerivation
    from .powers.logarithm import LogDerivation
    from .steps import Step


class BrokenDerivation(NtksymError):
    """Two routes to one result differ: a bug of this library."""

    code = "E099"


@dataclass(frozen=True, slots=True, repr=False)
class Dual(Brief):
    r"""Closed forms of an activation $s$, for $(u, v)$ Gaussian.

    The covariance of $(u, v)$ is [[q11, q12], [q12, q22]].  All are SymPy expressions in
    `symbols.q11, q12, q22` (and `m1, m2` with means), the diagonal ones in `symbols.q` (and `m`),
    and the parameters of the activation.  They hold for positive variances and
    $q_{12}^2 < q_{11} q_{22}$, under `conditions`; `Dual.at` takes degenerate covariances too.

    Attributes:
        activation: $s$.
        value: $E[s(u)\,s(v)]$, the dual activation (Daniely, Frostig & Singer 2016).
        dot: the derivative dual: the derivative of `value` in q12, which is $E[s'(u)\,s'(v)]$ with
            $s'$ in the sense of distributions (Price 1958).
        dot_ae: the same with the almost-everywhere derivative; differs from `dot` where s jumps.
        diag: $E[s(u)^2]$ for variance q.
        diag_dot: $E[s'(u)^2]$ for variance q; infinite where s jumps.
        diag_dot_ae: the same with the almost-everywhere derivative.
        conditions: what the formulas need beside positive variances; empty for all variances.
        method: "closed form".
        derivation: what `steps` and the proof are made from.
    """

    activation: Activation
    value: Expr
    dot: Expr
    dot_ae: Expr
    diag: Expr
    diag_dot: Expr
    diag_dot_ae: Expr
    conditions: tuple[Basic, ...]
    method: str = "closed form"
    derivation: Derivation | PowerDerivation | LogDerivation | None = field(
        default=None, repr=False, compare=False
    )
    _shown = ("method", "conditions")

    @property
    def continuous(self) -> bool:
        """Whether the two derivative duals are one."""
        return bool(self.diag_dot != oo or self.dot == self.dot_ae)

    @property
    def slope_conditions(self) -> tuple[Basic, ...]:
        """Those of `conditions` that only a finite $E[s'(u)^2]$ needs."""
        return tuple(getattr(self.derivation, "slope_conditions", ()))

    @property
    def steps(self) -> tuple[Step, ...]:
        """The derivation: rule, before and after, as LaTeX."""
        from .steps import trace, trace_powers

        if self.derivation is None:
            return ()
        if isinstance(self.derivation, Derivation):
            return trace(self.derivation)
        return trace_powers(self.derivation)

    def at(self, q11: Any, q12: Any, q22: Any, *, derivative: bool = False) -> Expr:
        r"""The exact value for a centred pair, also where u and v are proportional or zero.

        $E[s(u)\,s(v)]$, or with `derivative` $E[s'(u)\,s'(v)]$ with s' off the jumps of s.

        Args:
            q11: the variance of u: a rational number or its text ("1/2"); a float is what it holds.
            q12: the covariance, the same.
            q22: the variance of v, the same.
            derivative: for the derivative dual.

        Raises:
            BadCovariance: not three finite numbers, or not positive semi-definite.
        """
        from sympy import Rational

        assert self.derivation is not None
        given = (q11, q12, q22)
        try:
            if any(isinstance(z, float) and not isfinite(z) for z in given):  # SymPy makes it 0
                raise ValueError
            a, c, b = map(Rational, given)
        except (TypeError, ValueError):
            raise BadCovariance(
                f"({q11!r}, {q12!r}, {q22!r}) are not three finite rational numbers",
                hint='numbers, or text such as "1/2"',
            ) from None
        if a < 0 or b < 0 or a * b < c * c:
            raise not_semi_definite(a, c, b)
        return self.derivation.at(a, c, b, slope=derivative)

    @property
    def rows(self) -> tuple[tuple[str, str, Expr], ...]:
        """(name, name in LaTeX, expression) of the formulas, as they are printed.

        Where s jumps, E[s'(u)s'(v)] is that of s' off the jumps, and the derivative in q12 has a
        row of its own.
        """
        e = r"\mathbb{E}"
        slope = ("E[s'(u)s'(v)]", rf"{e}[\sigma'(u)\,\sigma'(v)]")
        jumped = (
            "d/dq12 E[s(u)s(v)]",
            rf"\partial_{{q_{{12}}}}{e}[\sigma(u)\,\sigma(v)]",
            self.dot,
        )
        rows = (
            ("E[s(u)s(v)]", rf"{e}[\sigma(u)\,\sigma(v)]", self.value),
            *(() if self.continuous else (jumped,)),
            (*slope, self.dot if self.continuous else self.dot_ae),
            ("E[s(u)^2]", rf"{e}[\sigma(u)^2]", self.diag),
            ("E[s'(u)^2]", rf"{e}[\sigma'(u)^2]", self.diag_dot_ae),
        )
        # 1/x, the derivative of log|x|, has no expectation off its singularity
        return tuple(row for row in rows if row[2] is not nan)

    def __str__(self) -> str:
        """The formulas, one a line."""
        lines = [f"s(x) = {self.activation.expr}"]
        return "\n".join([*lines, *(f"{name} = {one_line(expr)}" for name, _, expr in self.rows)])

    def latex(self, *, full: bool = False, also: Sequence[tuple[str, Expr]] = ()) -> str:
        """The formulas as an `aligned` block; what repeats has a name, unless `full`.

        `also` has further rows (name in LaTeX, expression), as derivatives of these.
        """
        named = [(r"\sigma(x)", self.activation.expr), *((n, e) for _, n, e in self.rows), *also]
        body = " \\\\\n".join(latex_rows(named, full=full)[0])
        return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex()}$"


def dual(activation: Any, *, mean: bool = False) -> Dual:
    r"""The closed-form dual of an activation.

    $K = \mathbb{E}[s(u)\,s(v)]$ and $\dot K = \partial K/\partial q_{12} =
    \mathbb{E}[s'(u)\,s'(v)]$ (Price 1958) for $(u, v) \sim N(m, [[q_{11}, q_{12}], [q_{12},
    q_{22}]])$, and the same for u = v.  `Dual.steps` is the derivation; `ntksym.prove`
    proves the result.

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
    try:
        d = Derivation.of(activation, centred=not mean)
    except NoClosedForm as error:
        from .powers.derivation import PowerDerivation
        from .powers.logarithm import LogDerivation

        powers = PowerDerivation.of(activation) or LogDerivation.of(activation)
        if powers is None:
            raise _with_signs(activation, error) from error
        if mean:
            raise NoClosedForm(
                f"no closed form: {activation.expr} with means that are not 0",
                tried=(*error.tried, "real powers of a centred pair"),
                hint="no means; or whole powers",
            ) from error
        return _of_powers(powers)
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


def _with_signs(activation: Activation, error: NoClosedForm) -> NoClosedForm:
    """The error, with the assumption that would help where powers have exponents of any sign."""
    from .powers.derivation import PowerDerivation

    exponents = [f.exp for f in activation.expr.atoms(Pow) if f.base.has(x)]
    open_ = {s for e in exponents for s in e.free_symbols if s.is_positive is None and s != x}
    known = {s: Symbol(s.name, positive=True) for s in open_}
    if not known or PowerDerivation.of(_renamed(activation, known)) is None:
        return error
    named = " ".join(f"--param {s.name}=positive" for s in sorted(open_, key=str))
    return NoClosedForm(
        f"no closed form of {activation.expr} for exponents of any sign: 0 to a negative power "
        "is infinite",
        tried=(*error.tried, "real powers of max(x, 0), max(-x, 0), abs(x)"),
        hint=f"{named}, or a number",
    )


def _renamed(activation: Activation, symbols: dict[Symbol, Symbol]) -> Activation:
    return Activation(activation.name, activation.expr.xreplace(symbols))


def _of_powers(d: PowerDerivation | LogDerivation) -> Dual:
    """Real powers of a centred pair, Gamma and 2F1; or log|x|, their limit."""
    return Dual(
        activation=d.activation,
        value=d.value,
        dot=d.dot,
        dot_ae=d.dot_ae,
        diag=d.diag,
        diag_dot=d.diag_dot,
        diag_dot_ae=d.diag_dot_ae,
        conditions=d.conditions,
        derivation=d,
    )
