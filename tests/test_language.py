"""What the language accepts, and the exact text of what it refuses."""

from __future__ import annotations

import pytest
import sympy
from sympy import (
    Abs,
    Heaviside,
    Integer,
    Max,
    Min,
    Piecewise,
    Rational,
    Symbol,
    asin,
    cos,
    cosh,
    erf,
    exp,
    log,
    pi,
    sin,
    sqrt,
    srepr,
    tanh,
)

from ntksym import activations
from ntksym.activation import Activation
from ntksym.errors import BadActivation, ParseError, UnknownName
from ntksym.functions import Phi, Phi2, density
from ntksym.language import as_activation, parse, parse_activation, parse_number, to_text
from ntksym.language.meanings import MEANINGS, listing
from ntksym.language.table import ALIASES, SPECIAL, functions
from ntksym.language.write import in_decimals
from ntksym.symbols import q11, q12, q22, x

a = Symbol("a", real=True)
b = Symbol("b", real=True)
alpha = Symbol("alpha", positive=True)

ACCEPTED = {
    "x": x,
    "x*(1+erf(x/sqrt(2)))/2": x * (1 + erf(x / sqrt(2))) / 2,
    "x**2 - 2*x + 1": x**2 - 2 * x + 1,
    "x^2": x**2,
    "-x^2": -(x**2),
    "2^-1*x": x / 2,
    "2**3**2*x": 512 * x,
    "--x": x,
    "-(x + 1)*a": sympy.Mul(-1, x + 1, a),
    "a/(2*(x + 1))": sympy.Mul(Rational(1, 2), a, 1 / (x + 1)),
    "a/(b/(2*x))": 2 * a * x / b,
    "2*(x + 1)": 2 * x + 2,
    "a - b - x": a - b - x,
    "a/b/x": a / b / x,
    "0.1*x": x / 10,
    ".5*x + 2.": x / 2 + 2,
    "1e-3*x": x / 1000,
    "1.5E+2*x": 150 * x,
    "Rational(1, 2)*x + Integer(3)": x / 2 + 3,
    "pi*x + E": pi * x + sympy.E,
    "max(x, 0)": Max(x, 0),
    "max(x-1,0)": Max(x - 1, 0),
    "max(0,2*x)": Max(0, 2 * x),
    "Max(0, x)": Max(0, x),
    "min(max(x, -1), 1)": Min(Max(x, -1), 1),
    "clip(x, -1, 1)": Min(Max(x, -1), 1),
    "clip(x, 0, oo)": Max(x, 0),
    "max(x, -oo)": x,
    "Phi(oo)*x": x,
    "abs(x) + Abs(x)": 2 * Abs(x),
    "x*||x| - 1|": x * Abs(Abs(x) - 1),
    "-|x|**3*max(|x|, 1)": -(Abs(x) ** 3) * Max(Abs(x), 1),
    "piecewise((1, x > 1 | |x| < 1/2), (0, True))": Piecewise(
        (1, (x > 1) | (Abs(x) < Rational(1, 2))), (0, True)
    ),
    "sign(x)": sympy.sign(x),
    "Heaviside(x - 1)": Heaviside(x - 1),
    "heaviside(x, 0)": Heaviside(x, 0),
    "step(x)": Heaviside(x),
    "Piecewise((x, x > 0), (0, True))": Piecewise((x, x > 0), (0, True)),
    "piecewise((x, x > 0), (0, x <= 0))": Piecewise((x, x > 0), (0, True)),
    "piecewise((1, (x > -1) & (x < 1)), (0, True))": Piecewise((1, (x > -1) & (x < 1)), (0, True)),
    "piecewise((1, -1 < x < 1), (0, True))": Piecewise((1, (x > -1) & (x < 1)), (0, True)),
    "piecewise((1, x > -1 and x < 1), (0, True))": Piecewise((1, (x > -1) & (x < 1)), (0, True)),
    "piecewise((0, (x < -1) | (x > 1)), (1, True))": Piecewise((0, (x < -1) | (x > 1)), (1, True)),
    "piecewise((0, not x > 1), (1, True))": Piecewise((0, x <= 1), (1, True)),
    "exp(-x**2/2)": exp(-(x**2) / 2),
    "sin(a*x + b)": sin(a * x + b),
    "x*cos(x)": x * cos(x),
    "sech(x)": 1 / cosh(x),
    "tan(x)": sympy.tan(x),
    "asinh(x)": sympy.asinh(x),
    "cbrt(x)": sympy.sign(x) * Abs(x) ** Rational(1, 3),
    "log(1 + exp(x))": log(1 + exp(x)),
    "log1p(x**2)": log(1 + x**2),
    "phi(x)": density(x),
    "x*Phi(x)": x * Phi(x),
    "relu(x - b)": Max(x - b, 0),
    "sigmoid(x)": 1 / (1 + exp(-x)),
    "logistic(2*x)": 1 / (1 + exp(-2 * x)),
    "swish(x)": x / (1 + exp(-x)),
    "softplus(x)": log(1 + exp(x)),
    "mish(x)": x * tanh(log(1 + exp(x))),
    "softsign(x)": x / (1 + Abs(x)),
    "gelu(2*x)": 2 * x * Phi(2 * x),
    "elu(x)": Piecewise((x, x > 0), (alpha * (exp(x) - 1), True)),
    "elu(x, 2)": Piecewise((x, x > 0), (2 * exp(x) - 2, True)),
    "alpha*elu(x)": alpha * Piecewise((x, x > 0), (alpha * (exp(x) - 1), True)),
    "leaky_relu(x, 1/100)": Max(x, 0) + Min(x, 0) / 100,
    "hermite(3, x)": x**3 - 3 * x,
    "He(2, 2*x)": 4 * x**2 - 1,
    "monomial(5, x)": x**5,
    "rectified_power(3, x)": Max(x, 0) ** 3,
    "pow(x, 3)": x**3,
    "abs(x)**0.123": Abs(x) ** Rational(123, 1000),
    "2**x": 2**x,
    "\u03b2*x + \u03c0": Symbol("beta", real=True) * x + pi,
    "\u03bb1*x": Symbol("lam1", real=True) * x,
    "\u03a6(x)": Phi(x),
    "x +\n  1": x + 1,
    "3": Integer(3),
}


@pytest.mark.parametrize("text", ACCEPTED)
def test_accepted(text: str) -> None:
    assert srepr(parse(text)) == srepr(ACCEPTED[text])


@pytest.mark.parametrize("text", ACCEPTED)
def test_written_text_reads_back(text: str) -> None:
    expr = parse(text)
    words = {"alpha": "positive"} if alpha in expr.free_symbols else {}
    assert parse(to_text(expr), params=words) == expr


@pytest.mark.parametrize("text", ["sqrt(x)", "log(x)", "x**(1/3)", "sqrt(1 - x**2)", "log(x)*0.5"])
def test_not_real_on_the_line(text: str) -> None:
    with pytest.raises(BadActivation, match="is not real\n"):
        parse_activation(text)


def test_a_parameter_decides_whether_it_is_real() -> None:
    with pytest.raises(BadActivation) as caught:
        parse_activation("x*sqrt(s)", {"s": "real"})
    assert caught.value.text == (
        "x*sqrt(s) is not real\n  sqrt(s) at s = -2\n  use:   an assumption, such as s=positive"
    )
    assert parse_activation("x*sqrt(s)", {"s": "positive"}).params[0].is_positive
    assert parse_activation("x*sqrt(s)").params[0].is_positive  # nobody said otherwise


@pytest.mark.parametrize(
    "text",
    ["log(1 + x**2)", "sqrt(x**2 + 1)", "piecewise((sqrt(x), x > 0), (0, True))", "log(abs(x))"],
)
def test_real_roots_and_logarithms(text: str) -> None:
    assert parse_activation(text).expr == parse(text)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("real", {"is_real": True, "is_positive": None}),
        ("positive", {"is_positive": True}),
        ("negative", {"is_negative": True}),
        ("nonnegative", {"is_nonnegative": True, "is_positive": None}),
        ("nonzero", {"is_zero": False, "is_positive": None}),
    ],
)
def test_assumption_words(word: str, expected: dict[str, bool | None]) -> None:
    (p,) = parse_activation("k*x", {"k": word}).params
    assert {name: getattr(p, name) for name in expected} == expected


def test_assumptions_that_do_not_fit() -> None:
    with pytest.raises(BadActivation) as caught:
        parse_activation("k*x", {"k": "even"})
    assert caught.value.text == (
        "the parameter 'k' cannot be 'even'\n"
        "  use:   one of: real, positive, negative, nonnegative, nonzero"
    )
    with pytest.raises(BadActivation) as caught:
        parse_activation("k*x", {"kk": "real"})
    assert caught.value.text == "k*x has no parameter 'kk'\n  use:   its parameters: k"
    with pytest.raises(BadActivation, match="the parameter 'x' is"):
        parse_activation("k*x", {"x": "real"})
    with pytest.raises(BadActivation, match="the parameter 'erf' is a function"):
        parse_activation("k*x", {"erf": "real"})


def test_name_is_the_text_unless_given() -> None:
    assert parse_activation(" max(x,\n 0) ").name == "max(x, 0)"
    assert parse_activation("\u03b1*x").name == "alpha*x"
    assert parse_activation("max(x, 0)", name="mine").name == "mine"
    assert parse_activation("gelu") is activations.gelu
    assert parse_activation("swish") is activations.silu
    assert parse_activation("elu", {"alpha": "nonzero"}).params[0].is_positive is None


def test_formulas_have_their_own_variables_and_functions() -> None:
    names = ("q11", "q12", "q22")
    got = parse("asin(q12/(sqrt(q11)*sqrt(q22)))/(2*pi) + Phi2(1, 2, q12)", variables=names)
    assert got == asin(q12 / (sqrt(q11) * sqrt(q22))) / (2 * pi) + Phi2(1, 2, q12)
    assert to_text(got) == "Phi2(1, 2, q12) + asin(q12/(sqrt(q11)*sqrt(q22)))/(2*pi)"
    assert parse(to_text(got), variables=names) == got
    assert parse("alpha*q11", variables=names, params={"alpha": "positive"}) == alpha * q11
    series = parse("hyp2f1(1/2, 1/2, 3/2, q12)", variables=names)
    assert to_text(series) == "hyp2f1(1/2, 1/2, 3/2, q12)"
    with pytest.raises(UnknownName, match="did you mean q12"):
        parse("q13", variables=names, open_names=False)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", Rational(1, 10)),
        ("-2/3", Rational(-2, 3)),
        ("1e-3", Rational(1, 1000)),
        ("3*2**-4", Rational(3, 16)),
        (" 7 ", Integer(7)),
    ],
)
def test_numbers(text: str, value: Rational) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize("text", ["sqrt(2)", "x", "", "pi", "nan", "inf", "oo", "1 2", "sqrt(-1)"])
def test_not_numbers(text: str) -> None:
    with pytest.raises(ParseError):
        parse_number(text)


def test_sympy_expressions() -> None:
    t, plain = Symbol("t"), Symbol("x")
    assert as_activation(Max(t, 0)).expr == Max(x, 0)
    assert as_activation(plain * Symbol("k")).params == (Symbol("k", real=True),)
    kept = as_activation(plain * Symbol("k", positive=True)).params[0]
    assert kept.is_positive
    assert as_activation(sympy.Float("0.1") * t).expr == x / 10
    assert as_activation(sqrt(t**2)).expr == Abs(x)
    assert as_activation(activations.relu) is activations.relu
    assert as_activation(Integer(2)).expr == 2
    assert as_activation(t * sympy.sinh(t)).name == "x*sinh(x)"


def test_sympy_expressions_refused() -> None:
    t, w = Symbol("t"), Symbol("w")
    with pytest.raises(BadActivation) as caught:
        as_activation(t * w)
    assert caught.value.text == (
        "a function of 2 variables: t, w\n"
        "  use:   name the input x; every other symbol is then a parameter"
    )
    cases = {
        sympy.Function("f")(t): "f is not a function of the language",
        sympy.Integral(exp(t), (t, 0, t)): "Integral is not a function of the language",
        sympy.Derivative(sympy.Function("f")(t), t): "Derivative is not a function",
        sympy.DiracDelta(t): "DiracDelta is not a function of the language",
        sympy.I * t: "is not real",
        Symbol("x") * Symbol("a; system()"): "is not an identifier",
        Symbol("x") * Symbol("int"): "is a reserved word",
        Symbol("x") * Symbol("q11"): "is taken",
        Symbol("x") * Symbol("k", imaginary=True): "is not real",
        Symbol("x") * Symbol("x", real=True): "two different symbols are named 'x'",
        t + sympy.oo * t: "is not finite",
        exp(sympy.I * t): "is not real",
    }
    for expr, message in cases.items():
        with pytest.raises(BadActivation) as caught:
            as_activation(expr)
        assert message in caught.value.text, expr


@pytest.mark.parametrize("thing", [1, 1.5, None, ["x"], x > 0])
def test_other_objects(thing: object) -> None:
    with pytest.raises(BadActivation, match="is not an activation"):
        as_activation(thing)  # type: ignore[arg-type]


def test_activation_type() -> None:
    assert isinstance(parse_activation("x"), Activation)


def test_parameters_that_calls_bring() -> None:
    assert parse_activation("elu(x)").params[0].is_positive
    assert parse_activation("elu(x) + leaky_relu(x)").params == (Symbol("alpha", real=True),)
    assert parse_activation("leaky_relu(x) + elu(x)").params == (Symbol("alpha", real=True),)
    assert parse_activation("elu(x)", {"alpha": "negative"}).params[0].is_negative


def test_text_must_be_text() -> None:
    with pytest.raises(BadActivation, match="text is needed, not bytes"):
        parse(b"x")  # type: ignore[arg-type]


def test_every_function_is_listed_with_its_meaning() -> None:
    entries = {e.name: e for e in listing()}
    assert set(entries) == {*functions(), *SPECIAL}
    assert set(entries) - set(activations.names()) <= set(MEANINGS) <= set(entries)
    assert {a for e in entries.values() for a in e.aliases} == set(ALIASES)
    assert all(e.meaning and e.usage.startswith(f"{e.name}(") for e in entries.values())


@pytest.mark.parametrize(("name", "same"), [
    ("expm1(x)", "exp(x) - 1"), ("sech(x)", "1/cosh(x)"), ("erfc(x)", "1 - erf(x)"),
    ("rectified_power(3, x)", "max(x, 0)^3"), ("hermite(2, x)", "x^2 - 1"),
    ("phi(x)", "exp(-x^2/2)/sqrt(2*pi)"), ("log1p(x^2)", "log(1 + x^2)"), ("|x|", "abs(x)"),
])  # fmt: skip
def test_meanings_are_right(name: str, same: str) -> None:
    left, right = (parse_activation(text).expr for text in (name, same))
    for value in (Rational(-4, 3), Rational(1, 2), Rational(7, 3)):
        assert abs(sympy.N((left - right).subs(x, value), 30)) < 1e-25


def test_fractions_of_many_digits_are_shown_as_their_decimals():
    expr = activations.selu.expr
    text = in_decimals(expr)
    assert text.startswith("1.0507009873554804934193349852946*Piecewise(") and "/" not in text
    assert parse(text, params={}) == expr
    assert in_decimals(x / 2**30 - x**2 / 3) == "-x**2/3 + x/1073741824"  # exact, and longer
