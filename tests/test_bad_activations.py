"""What is no activation, or has no kernel, or no certificate: the class, the text, and quickly."""

from __future__ import annotations

import json
import math
import time
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

from ntksym import Convention, best_dual, compile, dual, mlp, recurse
from ntksym.errors import (
    BadActivation,
    NotSquareIntegrable,
    NtksymError,
    ParseError,
    TooLarge,
    Undecided,
    UnknownName,
)
from ntksym.language import parse_activation
from ntksym.numeric.mixture_build import mixture_dual
from ntksym.numeric.quadrature import quadrature_dual
from ntksym.numeric.table import table_dual
from ntksym.symbols import x
from ntksym.verify.balls import enclose_definition
from ntksym.verify.functions.pieces import split

READING = (
    ("", ParseError, "the formula is empty"),
    ("   ", ParseError, "the formula is empty"),
    ("sqrt(x)", BadActivation, "sqrt(x) is not real"),
    ("log(x)", BadActivation, "log(x) is not real"),
    ("x^(1/3)", BadActivation, "x^(1/3) is not real"),
    ("asin(x)", BadActivation, "asin(x) is not real"),
    ("max(x, 0)^(-1/5)", BadActivation, "is infinite, or undefined, not only at single points"),
    ("x*log(max(x, 0))", BadActivation, "is infinite, or undefined, not only at single points"),
    ("gamma(x)", UnknownName, "gamma is known in claimed formulas only"),
    ("floor(x)", UnknownName, "there is no function 'floor'"),
    ("1e400", TooLarge, "a decimal exponent out of range"),
    ("exp(1000)*x", TooLarge, "a number beyond the range of doubles"),
    ("x + 1/0", ParseError, "division by zero"),
    ("x + oo", ParseError, "oo is not a number to calculate with"),
    ("oo*x", ParseError, "oo is not a number to calculate with"),
    ("nan*x", UnknownName, "the name 'nan' is not a number to calculate with"),
    ("zoo", UnknownName, "the name 'zoo' is not a number to calculate with"),
    ("max(x, -Inf)", UnknownName, "the name 'Inf' is not a number to calculate with"),
    ("I*x", BadActivation, "I, the imaginary unit, is not real"),
    ("x^x", BadActivation, "x^x is not real"),
    ("log(1 - x)", BadActivation, "is not real"),
    ("sqrt(1 - x^2)", BadActivation, "is not real"),
    ("x^1000", TooLarge, "the exponent 1000 is out of bounds"),
    ("piecewise((x, x > 0))", ParseError, "does not say its value everywhere"),
    ("x > 0", ParseError, "a condition cannot stand here"),
    ("x!", ParseError, "the character '!' is not part of the language"),
    ("max()", ParseError, "max"),
    ("x" * 5000, TooLarge, "5000 characters"),
    ("tanh(" * 100 + "x" + ")" * 100, TooLarge, "nested deeper than 64 levels"),
)

CHECKING = (
    ("exp(x^2)", NotSquareIntegrable, "not finite at this variance"),
    ("exp(exp(x))", NotSquareIntegrable, "faster than every Gaussian"),
    ("exp(x^3*sin(x))", NotSquareIntegrable, "faster than every Gaussian"),
    ("exp(x*log(1 + x^2)^2)", Undecided, "no bound a x^2 of its exponent is known"),  # finite
    ("1/x", BadActivation, "1/x is infinite at x = 0"),
    ("1/(x - 1)^2", BadActivation, "infinite at x = 1"),
    ("x/(x^2 - 2)", BadActivation, "infinite at x = -sqrt(2)"),
    ("1/sin(x)", BadActivation, "1/sin(x) is infinite at x = 0"),
    ("tan(x)", BadActivation, "tan(x) has poles on the real line"),
    ("sin(1/x)", Undecided, "too fast for a certificate: without end at x = 0"),
    ("x*sin(1/x)", Undecided, "without end at x = 0"),
    ("x^9*cos(1/x)", Undecided, "best enclosure: [2050033.80"),
    ("x^4*cos(1/(x - 1))", Undecided, "without end at x = 1"),
    ("sin(exp(x))", Undecided, "oscillates too fast for a certificate"),
    pytest.param(
        "cos(x^5)", Undecided, "oscillates too fast for a certificate", marks=pytest.mark.slow
    ),
    ("0^x", BadActivation, "0**x is infinite at x = -4"),
    ("cosh(x)^x", NotSquareIntegrable, "not finite at this variance"),
    ("x*y", BadActivation, "no value is given for the parameter 'y'"),
)


@pytest.mark.parametrize(("text", "kind", "what"), READING)
def test_refused_where_it_is_read(text: str, kind: type[NtksymError], what: str) -> None:
    with pytest.raises(kind) as caught:
        parse_activation(text)
    assert what in caught.value.what
    with pytest.raises(kind):
        dual(text)


@pytest.mark.parametrize(("text", "kind", "what"), CHECKING)
def test_refused_where_it_is_enclosed(text: str, kind: type[NtksymError], what: str) -> None:
    activation = parse_activation(text)
    start = time.process_time()
    with pytest.raises(kind) as caught:
        enclose_definition(activation, 1, "0.5", 1)
    # the allowance of an enclosure is 14 s; waves without end at a point are seen at once
    assert time.process_time() - start < (2 if "without end" in what else 15)
    assert what in caught.value.text
    assert "use:" in caught.value.text or kind is BadActivation


def test_a_power_that_is_not_square_integrable() -> None:
    with pytest.raises(NotSquareIntegrable) as caught:
        enclose_definition(parse_activation("1/x"), 1, "0.5", 1, derivative=True)
    assert caught.value.text == (
        "|x|**(-1) is not square-integrable at 0: E[s(u)^2] is infinite\n"
        "  use:   a power above -1/2"
    )


@pytest.mark.parametrize(
    ("command", "text"),
    [("derive", "1/x"), ("prove", "floor(x)"), ("eval", ""), ("eval", "sign(sin(1/x))")],
)
def test_commands_answer_with_an_error_and_no_traceback(call: Any, command: str, text: str) -> None:
    at = ["--at", "1,1/2,1"] if command == "eval" else []
    result = call(command, text, *at, "--json")
    assert result.exit_code in (2, 3)
    assert "Traceback" not in result.output
    record = json.loads(result.stdout)
    if "error" not in record:
        assert record["agree"] is None and "cannot separate the zeros" in record["nngp"]["note"]


@pytest.mark.parametrize(
    ("text", "at"),
    [("log(abs(cos(x)))", "x = -pi/2:"), ("log(abs(x - 5)) + log(abs(x + 1/3))", "x = -1/3:")],
)
def test_of_many_poles_the_nearest_to_zero_is_named(text: str, at: str) -> None:
    with pytest.raises(NtksymError) as caught:
        enclose_definition(parse_activation(text), 1, "0.5", 1, derivative=True)
    assert "is infinite at " + at in caught.value.what


def test_a_python_callable_is_told_where_to_go() -> None:
    for bad in (abs, lambda z: z, np.tanh):
        with pytest.raises(BadActivation) as caught:
            dual(bad)
        assert "sampled_dual takes a Python callable" in caught.value.text
    with pytest.raises(BadActivation) as caught:
        dual(3)
    assert "callable" not in caught.value.text


@pytest.mark.parametrize("expr", [sympy.zoo, sympy.oo * x, sympy.nan, sympy.I * x, sympy.log(x)])
def test_expressions_that_are_no_real_functions(expr: sympy.Expr) -> None:
    for read in (dual, best_dual):
        with pytest.raises(BadActivation, match=r"is not (finite|real)"):
            read(expr)


@pytest.mark.parametrize("text", ["log(x^2)", "log(3*x^4) - log(3)", "log(4*x^2) - log(4)"])
def test_the_logarithm_of_a_square_is_one_of_a_size(text: str) -> None:
    """log(x^2) = 2 log|x| is square-integrable, and both spellings have the same value."""
    factor = 4 if "x^4" in text else 2
    plain = enclose_definition(parse_activation(f"{factor}*log(abs(x))"), 1, "0.5", 2)
    assert enclose_definition(parse_activation(text), 1, "0.5", 2).overlaps(plain)
    assert plain.rel_digits > 15


def test_linear_and_constant_networks_run() -> None:
    """No layer has anything to compute: every target spells that."""
    data = np.linspace(-1, 1, 12).reshape(4, 3)
    for text in ("x", "1", "0"):
        for target in ("c", "numpy"):
            kernel = compile(mlp(text, depth=2), target=target)(data)
            assert np.isfinite(kernel.ntk).all() and (kernel.nngp == kernel.nngp.T).all()


def test_bounded_oscillation_is_a_number() -> None:
    """sin(x^2) oscillates at infinity, but slowly enough under the Gaussian."""
    ball = enclose_definition(parse_activation("sin(x^2)"), "0.01", "0.005", "0.04", digits=30)
    assert ball.rel_digits >= 30


@pytest.mark.parametrize("text", ["abs(x)^(-1/4)", "log(abs(x))"])
def test_no_tangent_kernel_without_an_integrable_derivative(text: str) -> None:
    """E[s'(u) s'(v)] is no integral there; the slope of the dual exists off the diagonal."""
    with pytest.raises(NotSquareIntegrable) as caught:
        recurse(mlp(text, depth=1))
    assert "is not integrable: no tangent kernel" in caught.value.text
    assert "use:   derivative=distributional" in caught.value.text
    given = Convention(derivative="distributional")
    assert recurse(mlp(text, depth=1, convention=given)).theta[-1].has(sympy.nan) is False


def test_hints_for_what_people_write() -> None:
    for text, hint in (("|x", "abs(x) or |x|"), ("e^x + e*log(e - x)", "abs(x) or max(x, 0)")):
        with pytest.raises(NtksymError) as caught:
            parse_activation(text)
        assert hint in caught.value.text


# -- singularities that are none, and those that are ------------------------------------------


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("sin(x)/x", 1, 1), ("(exp(x) - 1)/x", "1/2", 2), ("max(x, 0) + (1 - cos(x))/x^2", 2, 2)],
)
def test_removable_points_are_continued_by_the_rules(text: str, low: object, high: object) -> None:
    """0/0 at 0: the table encloses what `eval` encloses, value and derivative."""
    activation = parse_activation(text)
    lo, hi = (Fraction(str(v)) for v in (low, high))
    made = table_dual(activation, (lo, hi), error=1e-9)
    assert made.error <= 1e-9
    for a, rho, b in ((lo, Fraction(1, 2), lo), (hi, Fraction(-3, 4), hi), (hi, Fraction(1), hi)):
        got = made.at(*map(float, (a, rho * a, b, a * (1 - rho**2) ** Fraction(1, 2))))
        for value, slope in zip(got, (False, True), strict=True):
            point, square = (a, rho * a, b), (a, a, a)
            want, size = (
                enclose_definition(activation, *at, derivative=slope, digits=12).mid
                for at in (point, square)
            )
            assert abs(value - float(want)) <= 1.01e-9 * float(size)


def test_a_rule_with_nodes_says_why_it_does_not_take_removable_points() -> None:
    with pytest.raises(Undecided, match="0/0 at a point") as caught:
        quadrature_dual("sin(x)/x", variances=(1, 2))
    assert "tabulated" in caught.value.text
    assert best_dual("sin(x)/x").method == "tabulated"
    with pytest.raises(BadActivation, match=r"cos(.x.)/x is infinite at x = 0"):
        best_dual("cos(x)/x")


def test_a_logarithm_away_from_0_is_integrated_through() -> None:
    """E[s(u)^2] is finite, whichever way it is written; the derivative has no integral."""
    one, two = (parse_activation(t) for t in ("log((x-1)^2)", "2*log(abs(x - 1))"))
    first = enclose_definition(one, 1, "0.5", 2, digits=12)
    assert first.overlaps(enclose_definition(two, 1, "0.5", 2, digits=12))
    with pytest.raises(Undecided, match=r"the derivative: .* infinite at x = 1"):
        enclose_definition(one, 1, "0.5", 2, derivative=True)


def test_kinks_of_rational_functions() -> None:
    """clip(softsign(x), -1/2, 1/2) bends at -1 and 1: zeros of numerators."""
    activation = parse_activation("clip(softsign(x), -1/2, 1/2)")
    assert {-1, 1} <= {piece.hi for piece in split(activation.expr)[:-1]}
    ball = enclose_definition(activation, 1, 1, 1, digits=15)
    t = np.linspace(-12, 12, 480_001)
    s = np.clip(t / (1 + abs(t)), -0.5, 0.5)
    want = np.sum(s * s * np.exp(-t * t / 2)) * (t[1] - t[0]) / math.sqrt(2 * math.pi)
    assert abs(float(ball.mid) - want) < 1e-9 and ball.rel_digits >= 15


# -- what the commands say --------------------------------------------------------------------


@pytest.mark.parametrize("text", ["abs(x)^(-1/4)", "log(abs(x))", "cbrt(x)"])
def test_a_proof_stands_where_an_integral_diverges(call: Any, text: str) -> None:
    """No side has a finite value there, which agrees; exit status 0, and nothing is undecided."""
    result = call("prove", text)
    assert result.exit_code == 0 and "proved" in result.stdout
    assert "undecided" not in result.stdout
    assert result.stdout.count("not enclosed: derivative at") == 0
    assert "no finite value on either side: diagonal_derivative" in result.stdout


def test_infinite_on_both_sides_agrees(call: Any) -> None:
    result = call("eval", "cbrt(x)", "--at", "1,1,1")
    assert result.exit_code == 0 and result.stdout.count("not finite") == 4
    assert "undecided" not in result.stdout
    for text in ("log(abs(x))", "abs(x)^(-1/4)"):
        result = call("eval", text, "--at", "0,0,2")
        assert result.exit_code == 0 and result.stdout.count("not finite") == 4
    finite = call("eval", "cbrt(x)", "--at", "1,1/2,1")
    assert finite.exit_code == 0 and "not finite" not in finite.stdout


def test_an_infinite_diagonal_is_said(call: Any) -> None:
    said = "Θ' of an input with itself is infinite"
    for text, infinite in (("cbrt(x)", True), ("sqrt(abs(x))", True), ("cbrt(x)^2", False)):
        shown = call("network", f"mlp:{text}")
        assert shown.exit_code == 0 and (said in shown.stdout) == infinite
    for target in ("c", "numpy"):
        kernel = compile(mlp("cbrt(x)", depth=1), target=target)(np.eye(3) + 0.5)
        assert np.isinf(kernel.ntk.diagonal()).all()
        assert np.isfinite(kernel.ntk[~np.eye(3, dtype=bool)]).all()


def test_a_steep_activation_has_the_bound_of_its_mixture(call: Any) -> None:
    r"""tanh(x/e) is the sign under logistic noise: K = 2/pi (asin r - e^2 pi^2/12 r/sqrt(1-r^2)).

    What is left out is of order e^4.
    """
    result = call("eval", "tanh(10^6*x)", "--at", "1,1/2,1")
    assert result.exit_code == 0 and "[0.3333333333330310334" in result.stdout
    ball = mixture_dual("tanh(10^6*x)").enclose(1, Fraction(1, 2), 1)
    want = 1 / 3 - 1e-12 * math.pi / 6 * 0.5 / math.sqrt(0.75)
    assert abs(float(ball) - want) <= float(ball.rad) + 1e-16 and ball.rad < Fraction(2, 10**15)
