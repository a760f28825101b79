"""Define: an activation is a real function of one symbol `x`, with parameters and references."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Symbol, latex, nan, oo, zoo

from .errors import BadActivation
from .symbols import RESERVED, x


@dataclass(frozen=True, slots=True)
class Activation:
    r"""A real function $\sigma(x)$ of one real variable, as a SymPy expression in `symbols.x`.

    Every other free symbol is a parameter; parameters are real, and keep the assumptions they
    carry (`positive`, `negative`, `nonzero`, ...), which decide signs of square roots.

    Raises:
        BadActivation: a parameter that is not real, or that has a reserved name.
    """

    name: str
    expr: Expr
    title: str = ""
    refs: tuple[str, ...] = ()
    """Keys of `references.bib`."""

    def __post_init__(self) -> None:
        for p in self.params:
            if p.name in RESERVED:
                raise BadActivation(
                    f"{self.name}: the parameter name {p.name!r} is taken",
                    hint="another name; these have a meaning: " + ", ".join(sorted(RESERVED)),
                )
            if not p.is_extended_real:
                raise BadActivation(
                    f"{self.name}: the parameter {p.name!r} is not known to be real",
                    hint=f"Symbol({p.name!r}, real=True), or positive=True",
                )

    @property
    def params(self) -> tuple[Symbol, ...]:
        """The parameters, sorted by name."""
        found = self.expr.free_symbols - {x}
        return tuple(sorted((s for s in found if isinstance(s, Symbol)), key=lambda s: s.name))

    def __call__(self, argument: Expr) -> Expr:
        """The expression with `argument` for the input."""
        return self.expr.xreplace({x: argument})

    def with_params(self, **values: object) -> Activation:
        """The activation with numbers (or SymPy expressions) for some parameters.

        Raises:
            BadActivation: a name that is not a parameter; values at which the activation is not
                finite, such as b = 0 in exp(x/b).
        """
        by_name = {p.name: p for p in self.params}
        if unknown := sorted(set(values) - set(by_name)):
            raise BadActivation(
                f"{self.name} has no parameter {unknown[0]!r}",
                hint="its parameters: " + (", ".join(by_name) or "none"),
            )
        from sympy import Rational  # exact: a float means the decimal that was typed

        def exact(value: object) -> Expr:
            if isinstance(value, Expr):
                return value
            if isinstance(value, (float, int, str)):
                return Rational(str(value))
            raise BadActivation(
                f"{self.name}: cannot use {value!r} as a parameter",
                hint="a number, or text such as '1/2'",
            )

        mapping = {by_name[k]: exact(val) for k, val in values.items()}
        expr = self.expr.subs(mapping)
        if expr.has(oo, -oo, zoo, nan) and not self.expr.has(oo, -oo, zoo, nan):
            at = ", ".join(f"{k} = {v}" for k, v in mapping.items())
            raise BadActivation(f"{self.name} is not finite for {at}", hint="another value")
        return Activation(self.name, expr, self.title, self.refs)

    def _repr_latex_(self) -> str:
        return f"$\\sigma(x) = {latex(self.expr)}$"
