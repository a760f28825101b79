r"""SymPy's printers with the habits of papers.

A sum begins with a term that has no minus sign, if it has one: $(q_{11}+1)(q_{22}+1) - q_{12}^2$.
The step is $H$, since $\theta$ is the angle. Roots side by side are one: $\sqrt{2\pi}$,
$\sqrt{q_{11} q_{22}}$.
"""

from __future__ import annotations

from typing import Any

from sympy import Function, Integer, Mul, Pow, Rational, pi
from sympy.printing.latex import LatexPrinter
from sympy.printing.pretty.pretty import PrettyPrinter
from sympy.printing.pretty.pretty_symbology import pretty_use_unicode
from sympy.printing.pretty.stringpict import prettyForm

from .arranged import kept


def ordered_terms(expr: Any) -> list[Any]:
    """The terms of a sum in SymPy's order, but the first one without a minus sign first."""
    terms = list(expr.as_ordered_terms())
    first = next((t for t in terms if not t.as_coeff_Mul()[0].is_negative), terms[0])
    return [first, *(t for t in terms if t is not first)]


class Root(Function):
    """The square root of a product, which SymPy takes apart."""

    nargs = 1

    def _pretty(self, printer: Any) -> Any:
        return printer._print(Pow(self.args[0], Rational(1, 2), evaluate=False))

    def _latex(self, printer: Any) -> str:
        return rf"\sqrt{{{printer._print(self.args[0])}}}"


def _rooted(expr: Any) -> Any:
    """Products with one square root above the fraction bar and one below it."""
    if not getattr(expr, "args", ()):
        return expr
    expr = kept(expr, [_rooted(a) for a in expr.args])
    if not expr.is_Mul:
        return expr
    half = Rational(1, 2)
    number = expr.args[0] if expr.args[0].is_Rational else Integer(1)
    above, below = ([f.base for f in expr.args if f.is_Pow and f.exp == e] for e in (half, -half))
    rest = [f for f in expr.args if f != number and not (f.is_Pow and abs(f.exp) == half)]
    if pi in below:
        for root in (b for b in above if b.is_Integer):
            number, above, below = number * root, [b for b in above if b != root], [root, *below]
    if len(above) < 2 and len(below) < 2:
        return expr
    roots = [*([_root(above)] if above else []), *([1 / _root(below)] if below else [])]
    return Mul(*([] if number == 1 else [number]), *rest, *roots, evaluate=False)


def _root(parts: list[Any]) -> Any:
    """The root of the product, numbers in front."""
    if len(parts) == 1:
        return Pow(parts[0], Rational(1, 2))
    numbers = [p for p in parts if p.is_number]
    return Root(Mul(*numbers, *(p for p in parts if p not in numbers), evaluate=False))


class _Pretty(PrettyPrinter):  # type: ignore[misc]
    def _as_ordered_terms(self, expr: Any, order: Any = None) -> list[Any]:
        return ordered_terms(expr)

    def _print_Max(self, expr: Any) -> Any:
        form = self._print_Function(expr, func_name=type(expr).__name__.lower())
        form.binding = prettyForm.ATOM  # an exponent stands behind the bracket
        return form

    _print_Min = _print_Max

    def _print_Heaviside(self, expr: Any) -> Any:
        return prettyForm(*self._print_seq(expr.pargs, "(", ")").left("H"))


class _Latex(LatexPrinter):  # type: ignore[misc]
    def _print_Add(self, expr: Any, order: Any = None) -> str:
        """The terms; SymPy's own method multiplies a minus sign into (a + b)/2."""
        text = ""
        for i, term in enumerate(ordered_terms(expr)):
            number, rest = term.as_coeff_Mul()
            minus = i > 0 and term.could_extract_minus_sign()
            if minus and number.is_negative:
                parts = Mul.make_args(rest)
                term = rest if number == -1 else Mul(-number, *parts, evaluate=False)
            elif minus:
                term = -term
            body = self._print(term)
            if self._needs_add_brackets(term):
                body = rf"\left({body}\right)"
            text += (" - " if minus else " + ") * (i > 0) + body
        return text

    def _print_Mul(self, expr: Any) -> str:
        """No fractions inside a fraction: a factor that is a sum of fractions stands beside it."""
        beside = [f for f in expr.args if f.is_Add and any(map(_is_fraction, f.args))]
        rest = [f for f in expr.args if f not in beside]
        if len(beside) == 1 and _is_fraction(Mul(*rest)):
            front = self._print(Mul(*rest))
            return rf"{front} \left({self._print(beside[0])}\right)"
        return str(super()._print_Mul(expr))

    def _print_Heaviside(self, expr: Any, exp: Any = None) -> str:
        body = rf"H\left({', '.join(map(self._print, expr.pargs))}\right)"
        return body if exp is None else rf"{body}^{{{exp}}}"


def _is_fraction(expr: Any) -> bool:
    """Whether there is a denominator in sight."""
    return any(
        f.exp.could_extract_minus_sign() if f.is_Pow else f.is_Rational and f.q != 1
        for f in Mul.make_args(expr)
    )


def drawn(expr: Any, *, unicode: bool = True) -> tuple[list[str], int]:
    """Two-dimensional text of any width as lines, and which of them has the fraction bar."""
    before = pretty_use_unicode(unicode)
    try:
        form = _Pretty({"use_unicode": unicode})._print(_rooted(expr))
        lines = str(form.render(wrap_line=False)).splitlines()
    finally:
        pretty_use_unicode(before)
    return [line.rstrip() for line in lines], min(form.baseline, len(lines) - 1)


def latex(expr: Any, **options: Any) -> str:
    """LaTeX, with arcsin for asin; `options` go to SymPy's printer."""
    return str(_Latex({"inv_trig_style": "full", **options}).doprint(_rooted(expr)))
