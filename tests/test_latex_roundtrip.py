r"""Our own LaTeX, and SymPy's, reads back: every entry of the catalogue, its dual, its slope."""

from __future__ import annotations

from functools import lru_cache

import pytest
import sympy
from sympy import Rational, Symbol

from ntksym.activations import catalogue
from ntksym.display import latex
from ntksym.dual import dual
from ntksym.errors import NoClosedForm, TooLarge
from ntksym.language import parse, to_text
from ntksym.latex import read_latex
from ntksym.symbols import q, q11, q12, q22, x
from ntksym.verify.balls import enclose_expr

VARIABLES = ("x", "q", "q11", "q12", "q22", "m", "m1", "m2")
POINT = {q11: Rational(13, 10), q12: Rational(2, 5), q22: Rational(9, 10), q: Rational(7, 10)}
BEYOND = frozenset(
    [
        ("clip", "value"),
        ("selu", "value"),
        ("selu", "dot"),
        ("selu", "diag"),
        ("selu", "diag_dot_ae"),
    ]
)
"""More parts or digits than the bounds of the language: their plain text is refused, too."""


@lru_cache(maxsize=1)
def expressions() -> dict[tuple[str, str], tuple[sympy.Expr, dict[str, Symbol]]]:
    found = {}
    for entry in catalogue():
        params = {p.name: p for p in entry.params}
        found[entry.name, "activation"] = (entry.expr, params)
        try:
            d = dual(entry)
        except NoClosedForm:
            continue
        for part in ("value", "dot", "diag", "diag_dot_ae"):
            found[entry.name, part] = (getattr(d, part), params)
    return found


def read(printed: str, params: dict[str, Symbol]) -> sympy.Expr:
    text = read_latex(printed).text
    return parse(text, variables=VARIABLES, formula=True, params=params)


@pytest.mark.parametrize("name", [e.name for e in catalogue()])
@pytest.mark.parametrize("printer", [latex, sympy.latex], ids=["ntksym", "sympy"])
def test_catalogue_reads_back(name: str, printer) -> None:
    parts = [(k, v) for k, v in expressions().items() if k[0] == name]
    assert parts
    for key, (expr, params) in parts:
        if expr is sympy.oo or key in BEYOND:
            continue
        found = read(printer(expr), params)
        if found == expr:
            continue
        point = POINT | {x: Rational(3, 7)}
        point |= {p: Rational(7 + 2 * k, 11) for k, p in enumerate(params.values())}
        a, b = (enclose_expr(e, point | {s: 1 for s in e.free_symbols - set(point)}, digits=15) for e in (expr, found))  # fmt: skip
        assert found.free_symbols == expr.free_symbols
        assert a.overlaps(b), (key, found)


@pytest.mark.parametrize(("name", "part"), sorted(BEYOND))
def test_beyond_the_bounds_of_the_language(name: str, part: str) -> None:
    expr, params = expressions()[name, part]
    with pytest.raises(TooLarge):
        parse(to_text(expr), variables=VARIABLES, formula=True, params=params)
    with pytest.raises(TooLarge):
        read_latex(latex(expr))


FUNCTIONS = [
    "atan2(a, b)",
    "hyp2f1(a, b, 1/2, x**2)",
    "gamma(a + 1/2)",
    "asin(x)**2",
    "log(a)**2",
    "Phi(a)**2*Phi2(a, b, x)",
    "OwenT(a, b)",
    "cbrt(a)",
    "max(0, x)**2",
    "abs(x - a)**3",
    "sign(x)",
    "asinh(x) + sinh(x)/cosh(x)",
    "erfc(x)*erf(x)",
    "piecewise((x, (x > 0) & (x < 1)), (a, (x > 3) | (x < -2)), (0, True))",
    "factorial(a)",
    "exp(-x**2/2)/sqrt(2*pi)",
    "a**b",
    "x**(3/2)",
]


@pytest.mark.parametrize("text", FUNCTIONS)
def test_functions_of_the_language_read_back(text: str) -> None:
    params = {"a": Symbol("a", positive=True), "b": Symbol("b", real=True)}
    expr = parse(text, formula=True, params=params)
    found = read(latex(expr), params)
    point = {x: Rational(2, 5), params["a"]: Rational(3, 7), params["b"]: Rational(5, 9)}
    assert enclose_expr(found, point, digits=15).overlaps(enclose_expr(expr, point, digits=15))
