"""The exact text of what the language refuses."""

from __future__ import annotations

import pytest

from ntksym.errors import (
    BadActivation,
    NoValue,
    NtksymError,
    ParseError,
    TooLarge,
    UnknownName,
)
from ntksym.language import parse, parse_activation


def line(source: str, column: int) -> str:
    return f"\n  {source}\n  {' ' * (column - 1)}^\n  column {column}"


REFUSED: dict[str, tuple[type[NtksymError], str]] = {
    "": (ParseError, "the formula is empty\n  use:   a formula in x, such as max(x, 0)"),
    "1/2x": (
        ParseError,
        "an operator is missing" + line("1/2x", 4) + "\n  use:   /2*x, or /(2*x)",
    ),
    "x^2y": (
        ParseError,
        "an operator is missing" + line("x^2y", 4) + "\n  use:   ^2*y, or ^(2*y)",
    ),
    "2.5f*x": (
        ParseError,
        "an operator is missing" + line("2.5f*x", 4) + "\n  use:   2.5, or 2.5*f",
    ),
    "sin 2*x": (
        ParseError,
        "an operator is missing" + line("sin 2*x", 5) + "\n  use:   sin(2) or sin(2...)",
    ),
    "tanh(x)(3)": (
        ParseError,
        "an operator is missing" + line("tanh(x)(3)", 8) + "\n  use:   (...)*(...)",
    ),
    "max(x, 0,1)": (
        ParseError,
        "a comma between two numbers"
        + line("max(x, 0,1)", 9)
        + "\n  use:   0.1 for a decimal; one of the two alone is enough otherwise",
    ),
    "\u221ax^2": (
        ParseError,
        "a power after a root can be read in two ways"
        + line("\u221ax^2", 3)
        + "\n  use:   sqrt(x^2) or sqrt(x)^2",
    ),
    "sin\u207b\u00b9(x)": (
        ParseError,
        "a function to the power -1 can be read in two ways"
        + line("sin\u207b\u00b9(x)", 4)
        + "\n  use:   1/sin(...), or the inverse function by its name",
    ),
    "x.relu()": (
        UnknownName,
        "there is no module 'x'"
        + line("x.relu()", 1)
        + "\n  use:   relu(x), with the argument in brackets",
    ),
    "nn.gelu(x)": (
        ParseError,
        "libraries differ in the default of approximate, or have none"
        + line("nn.gelu(x)", 1)
        + "\n  use:   gelu(x), or gelu_tanh(x) for the approximation",
    ),
    "softplus(x, threshold=20)": (
        ParseError,
        "softplus has no option 'threshold' here"
        + line("softplus(x, threshold=20)", 1)
        + "\n  use:   log(1 + exp(beta*x))/beta, which PyTorch rounds to x beyond the threshold;"
        " piecewise((x, beta*x > 20), (log(1 + exp(beta*x))/beta, True)) for exactly that",
    ),
    "max[x, 0)": (
        ParseError,
        "')' cannot stand here"
        + line("max[x, 0)", 9)
        + "\n  use:   a number, a name or a bracket before it",
    ),
    "x y": (ParseError, "an operator is missing" + line("x y", 3) + "\n  use:   x*y"),
    "(x": (ParseError, "the bracket ( is never closed" + line("(x", 1) + "\n  use:   a ) after it"),
    "x)": (ParseError, "the bracket ) was never opened" + line("x)", 2)),
    "x + (|x > 1)": (
        ParseError,
        "the bar | is never closed"
        + line("x + (|x > 1)", 6)
        + "\n  use:   abs(x) or |x| for absolute values; or for alternatives",
    ),
    "2|x|": (ParseError, "an operator is missing" + line("2|x|", 2) + "\n  use:   ...*|...|"),
    "|x||x|": (
        ParseError,
        "an operator is missing" + line("|x||x|", 4) + "\n  use:   |...|*|...|",
    ),
    "x|x|": (
        ParseError,
        "the formula ends too early"
        + line("x|x|", 5)
        + "\n  use:   a product with an absolute value is x*|x|",
    ),
    "x +": (
        ParseError,
        "the formula ends too early"
        + line("x +", 4)
        + "\n  use:   a number, a name or a bracket at the end",
    ),
    "x * * 2": (
        ParseError,
        "'*' cannot stand here"
        + line("x * * 2", 5)
        + "\n  use:   a number, a name or a bracket before it",
    ),
    "x // 2": (ParseError, "there is no // in the language" + line("x // 2", 3) + "\n  use:   /"),
    "x = 3": (
        ParseError,
        "the character '=' is not part of the language"
        + line("x = 3", 3)
        + "\n  use:   nothing: a formula has no = sign",
    ),
    "relu:depth=2": (
        ParseError,
        "the character ':' is not part of the language"
        + line("relu:depth=2", 5)
        + "\n  use:   the formula alone, x is the input; a network, mlp:relu:depth=2, where one is asked for",
    ),
    "x\x1b": (
        ParseError,
        "the character U+001B is not part of the language"
        + line("x?", 2)
        + "\n  use:   ASCII letters, digits and + - * / ^ ( ) , < > and Greek letters",
    ),
    "softplu(x)": (
        UnknownName,
        "there is no function 'softplu'"
        + line("softplu(x)", 1)
        + "\n  use:   did you mean softplus?",
    ),
    "x + HEAVSIDE(x)": (
        UnknownName,
        "there is no function 'HEAVSIDE'"
        + line("x + HEAVSIDE(x)", 5)
        + "\n  use:   did you mean heaviside?",
    ),
    "Zork(x)": (
        UnknownName,
        "there is no function 'Zork'"
        + line("Zork(x)", 1)
        + "\n  use:   max, min, abs, sign, heaviside, exp, expm1, log, log1p, sqrt, cbrt, sin, cos,"
        " tan, cot, sec, csc, sinh, cosh, tanh, sech, csch, coth, asinh, acosh, atanh, asin, acos, atan,"
        " erf, erfc, Phi, phi, hermite, monomial, rectified_power, piecewise, or a name of the catalogue",
    ),
    "gamma(x)": (
        UnknownName,
        "gamma is known in claimed formulas only, not in activations"
        + line("gamma(x)", 1)
        + "\n  use:   ntksym catalogue --functions lists what an activation may use",
    ),
    "x*q12": (
        UnknownName,
        "the name 'q12' is taken",
    ),
    "x*lambda": (
        UnknownName,
        "the name 'lambda' is a reserved word of Python, C or C++"
        + line("x*lambda", 3)
        + "\n  use:   another name",
    ),
    "x*a__b": (
        UnknownName,
        "the name 'a__b' has a double underscore" + line("x*a__b", 3) + "\n  use:   another name",
    ),
    "erf(x, 2)": (
        ParseError,
        "erf takes 1 argument, not 2" + line("erf(x, 2)", 1) + "\n  use:   erf(z)",
    ),
    "clip(x, 1)": (
        ParseError,
        "clip takes 1 or 3 arguments, not 2"
        + line("clip(x, 1)", 1)
        + "\n  use:   clip(z) or clip(z, a, b)",
    ),
    "sine(x, 1)": (
        ParseError,
        "sine takes 1 or 3 arguments, not 2"
        + line("sine(x, 1)", 1)
        + "\n  use:   sine(z) or sine(z, a, phase)",
    ),
    "relu + 1": (
        ParseError,
        "relu is a function" + line("relu + 1", 1) + "\n  use:   relu(x)",
    ),
    "x > 0": (
        ParseError,
        "a condition cannot stand here"
        + line("x > 0", 3)
        + "\n  use:   conditions only in piecewise((x, x > 0), (0, True))",
    ),
    "piecewise((x, x == 0), (1, True))": (
        ParseError,
        "a condition cannot use =="
        + line("piecewise((x, x == 0), (1, True))", 17)
        + "\n  use:   < <= > >=: single points do not matter to an expectation",
    ),
    "piecewise((x, x > 0))": (
        ParseError,
        "piecewise does not say its value everywhere"
        + line("piecewise((x, x > 0))", 1)
        + "\n  use:   a last piece with the condition True: (0, True)",
    ),
    "piecewise(x, x > 0)": (
        ParseError,
        "piecewise takes pairs of a value and a condition"
        + line("piecewise(x, x > 0)", 1)
        + "\n  use:   piecewise((x, x > 0), (0, True))",
    ),
    "piecewise((x, x), (0, True))": (
        ParseError,
        "a condition is needed here"
        + line("piecewise((x, x), (0, True))", 15)
        + "\n  use:   a comparison such as x > 0, or True",
    ),
    "elu(elu(x))": (
        ParseError,
        "a condition cannot depend on a piecewise function"
        + line("elu(elu(x))", 1)
        + "\n  use:   max, min, abs or clip inside conditions, or the pieces written out",
    ),
    "hardshrink(x, elu(1))*elu(x, elu(x, 1))": (
        ParseError,
        "a condition cannot depend on a piecewise function"
        + line("hardshrink(x, elu(1))*elu(x, elu(x, 1))", 23)
        + "\n  use:   max, min, abs or clip inside conditions, or the pieces written out",
    ),
    "x/(a/(b - b))": (NoValue, "division by zero" + line("x/(a/(b - b))", 9)),
    "1/0 + x": (NoValue, "division by zero" + line("1/0 + x", 3)),
    "x/(1 - 1)": (NoValue, "division by zero" + line("x/(1 - 1)", 6)),
    "log(0)*x": (NoValue, "division by zero" + line("log(0)*x", 1)),
    "x + oo": (
        ParseError,
        "oo is not a number to calculate with"
        + line("x + oo", 5)
        + "\n  use:   oo only as an argument of max, min, clip or Phi, or in a condition",
    ),
    "max(x, oo)": (ParseError, "the value is not a finite number" + line("max(x, oo)", 1)),
    "1,5*x": (
        ParseError,
        "a comma outside brackets"
        + line("1,5*x", 2)
        + "\n  use:   one formula; a decimal point is .",
    ),
    "relu,depth=3": (
        ParseError,
        "a comma outside brackets"
        + line("relu,depth=3", 5)
        + "\n  use:   a colon before the options of a network: mlp:relu:depth=3",
    ),
    "x*I": (
        BadActivation,
        "I, the imaginary unit, is not real"
        + line("x*I", 3)
        + "\n  use:   sin and cos for exp(I*x)",
    ),
    "x*sqrt(-1)": (
        BadActivation,
        "the value is not real" + line("x*sqrt(-1)", 3) + "\n  use:   a real function of x",
    ),
    "log(-2) + x": (
        BadActivation,
        "the value is not real" + line("log(-2) + x", 1) + "\n  use:   a real function of x",
    ),
    "x**65": (
        TooLarge,
        "the exponent 65 is out of bounds"
        + line("x**65", 4)
        + "\n  use:   -64 to 64, with denominators of at most 1000000",
    ),
    "((9**64)**64)**64": (
        TooLarge,
        "the power would have numbers of 20480 bits"
        + line("((9**64)**64)**64", 9)
        + "\n  use:   at most 4096 bits",
    ),
    "exp(exp(exp(exp(100))))": (
        TooLarge,
        "a number beyond the range of doubles"
        + line("exp(exp(exp(exp(100))))", 9)
        + "\n  use:   numbers up to 1.8e308",
    ),
    "hermite(x, x)": (
        TooLarge,
        "hermite: the first argument is an integer from 0 to 64"
        + line("hermite(x, x)", 9)
        + "\n  use:   hermite(n, z)",
    ),
}


@pytest.mark.parametrize("text", REFUSED)
def test_refused_with_this_text(text: str) -> None:
    kind, message = REFUSED[text]
    with pytest.raises(kind) as caught:
        parse_activation(text)
    assert type(caught.value) is kind
    if text == "x*q12":  # the list of taken names grows with `symbols`
        assert caught.value.text.startswith(message) and line(text, 3) in caught.value.text
    else:
        assert caught.value.text == message


def test_place_in_several_lines() -> None:
    with pytest.raises(UnknownName) as caught:
        parse("x +\n  eerf(x)")
    assert caught.value.where == "  eerf(x)\n  ^\nline 2, column 3"


def test_long_line_is_cut_around_the_caret() -> None:
    with pytest.raises(UnknownName) as caught:
        parse("x + " * 60 + "eerf(x)" + " + x" * 60)
    shown, mark, column = caught.value.where.splitlines()
    assert column == "column 241"
    assert len(shown) < 80
    assert shown[mark.index("^") :].startswith("eerf")


@pytest.mark.parametrize(
    "text", ["sqrt(2)*sin(sqrt(2*g)*x + pi/4)", "exp(sqrt(g)*x - g)", "x*log(g)"]
)
def test_a_root_of_a_parameter_says_that_it_is_positive(text: str) -> None:
    (g,) = parse_activation(text).params
    assert g.is_positive
    with pytest.raises(BadActivation, match="is not real"):
        parse_activation(text, {"g": "negative"})
    with pytest.raises(BadActivation, match="is not real"):
        parse_activation("sqrt(x - g)")


@pytest.mark.parametrize(("text", "close"), [("sofplus", "did you mean softplus?"), ("zzzzqq", "")])
def test_a_bare_unknown_name_is_no_constant(text: str, close: str) -> None:
    with pytest.raises(UnknownName) as caught:
        parse_activation(text)
    assert str(caught.value) == (
        f"there is no activation {text!r}\n"
        f"  use:   {close or 'an expression in x, or a name of the catalogue'}"
        f"  (for a constant, declare the parameter: {text}=real)"
    )
    assert parse_activation(text, {text: "real"}).params
