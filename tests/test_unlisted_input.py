"""What people type who have not read the language: signs of parameters, foreign names, kinks."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from flint import arb

import ntksym
from ntksym.cli.eval import work as evaluated
from ntksym.cli.outcome import View
from ntksym.cli.reading import read_activation, read_with_values
from ntksym.errors import BadActivation, NtksymError, UnsupportedOp
from ntksym.language import as_activation, parse_activation, parse_number
from ntksym.network import parse_spec
from ntksym.numeric.table.spectra.kinks import power_coefficients
from ntksym.precision import precision
from ntksym.symbols import q12, x


def signs(text: str) -> dict[str, str]:
    """The inferred sign of each parameter."""
    return {
        p.name: "positive" if p.is_positive else "negative" if p.is_negative else "open"
        for p in parse_activation(text).params
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(x + sqrt(x^2 + b))/2", {"b": "positive"}),
        ("sqrt(x^2 - c)*d", {"c": "negative", "d": "open"}),
        ("log(1 + max(x, 0)*b)", {"b": "positive"}),
        ("sqrt(x^2 + a) + sqrt(x^2 - b)", {"a": "positive", "b": "negative"}),
        ("sqrt(2*g)*x", {"g": "positive"}),
    ],
)
def test_roots_and_logarithms_say_the_sign(text: str, found: dict[str, str]) -> None:
    assert signs(text) == found


@pytest.mark.parametrize("text", ["sqrt(x + b)", "sqrt(a*x)", "sqrt(x^2 + a - b)"])
def test_no_sign_makes_it_real(text: str) -> None:
    with pytest.raises(BadActivation, match="is not real"):
        parse_activation(text)


def test_numbers_are_put_in_before_it_is_asked_whether_it_is_real() -> None:
    act, values = read_with_values("sqrt(x^2 + a - b)", {"a": "3", "b": "1"})
    assert str(act.expr) == "sqrt(x**2 + 2)" and values == {}
    act, values = read_with_values("(x + sqrt(x^2 + b))/2", {"b": "0"})
    assert str(act.expr) == "x/2 + Abs(x)/2" and values == {}
    act, values = read_with_values("(x + sqrt(x^2 + b))/2", {"b": "4"})
    assert [p.name for p in act.params] == ["b"] and values == {"b": 4}
    assert str(read_activation("sqrt(x^2 + a - b)", {"a": "3", "b": "1"}).expr) == "sqrt(x**2 + 2)"
    with pytest.raises(BadActivation, match="is not real"):
        read_with_values("sqrt(x^2 + b)", {"b": "-1"})
    with pytest.raises(BadActivation, match="'b' needs a value"):
        read_with_values("sqrt(x^2 + a)*b", {"a": "1"})
    with pytest.raises(BadActivation, match="elu needs alpha positive"):
        read_with_values("elu", {"alpha": "-1"})
    assert parse_spec("mlp:(x + sqrt(x^2 + b))/2:depth=2,b=4").blocks
    half = parse_number("1/2")
    assert str(parse_activation("max(x, c)", values={"c": half}).expr) == "Max(1/2, x)"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("sinc(x)", "sin(z)/z"),
        ("floor(x)", "jumps without end only where"),
        ("x mod 1", "jumps without end only where"),
        ("x % 1", "jumps without end only where"),
        ("log2(1 + abs(x))", "log(z)/log(2)"),
        ("Softmax(x)", "this one mixes several"),
        ("a(3)", "a*(...) for a product"),
        ("quick_gelu", "z*sigmoid(1.702*z)"),
        ("x ? 1 : 0", "a comparison such as x > 0"),
        ("reluu(x)", "did you mean relu?"),
        ("max + x", "max(a, b, ...)"),
        ("integrate(x, x)", "the formula that it gives"),
        ("rand(x)", "is random"),
        ("max(z, 0)", "x in place of z  (for a constant, declare the parameter: z=real)"),
        ("a*tanh(t)", "x in place of one of a, t"),
        ("elu(t)", "x in place of t "),
    ],
)
def test_what_to_write_instead(text: str, hint: str) -> None:
    with pytest.raises(NtksymError) as failed:
        parse_activation(text)
    assert hint in failed.value.hint


def test_functions_that_only_sympy_has() -> None:
    t = sympy.Symbol("t")
    for expr, text in (
        (sympy.sinc(2 * t), "sin(2*x)/(2*x)"),
        (t * sympy.sech(t), "x*sech(x)"),
        (t * sympy.coth(t), "x*cosh(x)/sinh(x)"),
        (sympy.asec(2 + t**2), "acos(1/(2 + x^2))"),
        (sympy.acot(t), "sign(x)*pi/2 - atan(x)"),
    ):
        assert as_activation(expr).expr == parse_activation(text).expr
    for expr in (sympy.besselj(0, t), t * sympy.gamma(1 + t**2), sympy.fresnels(t)):
        with pytest.raises(BadActivation, match="is not a function of the language") as refused:
            as_activation(expr)
        assert "sampled_dual" in refused.value.hint
    scale = sympy.gamma(sympy.Symbol("p", positive=True))  # of a parameter it is a number
    assert ntksym.dual(scale * x).value == scale**2 * q12
    for expr in (sympy.floor(t), t - sympy.floor(t), sympy.Mod(t, 2), sympy.ceiling(t)):
        with pytest.raises(BadActivation, match="jumps without end only where"):
            ntksym.dual(expr)


def test_values_at_which_nothing_is_finite() -> None:
    text, what = "log(1 + exp(b*x))/b", "is not finite for b = 0"
    with pytest.raises(BadActivation, match=what):
        read_with_values(text, {"b": "0"})
    with pytest.raises(BadActivation, match=what):
        parse_activation(text).with_params(b=0)
    with pytest.raises(BadActivation, match=what):
        parse_spec(f"mlp:{text}:depth=1000,b=0")


def test_a_constant_that_is_meant() -> None:
    assert parse_activation("b", {"b": "real"}).params
    assert parse_activation("max(z, 0)", values={"z": parse_number("2")}).expr == 2
    assert parse_activation("3/2").params == ()


def test_the_density_at_a_jump_is_not_called_a_mean() -> None:
    """E[s'(u)s'(v)] of a step is 0; dK/dq12 is not."""
    options = {"expression": "heaviside(x)", "params": {}, "at": "1,1/2,1", "digits": 10}
    lines = [text for _, text in evaluated(options, View()).lines]
    assert "d/dq12 E[s(u)s(v)]" in lines and "E[s'(u)s'(v)] off the jumps" in lines
    assert "E[s'(u)s'(v)]" not in lines


def test_the_command_line_says_an_inferred_sign() -> None:
    from ntksym.cli.derive import work

    options = {
        "expression": "(x + sqrt(x^2 + b))/2",
        "params": {},
        "mean": False,
        "gradients": False,
        "steps": False,
        "latex": False,
        "full": False,
        "method": "auto",
        "error": None,
        "variance": None,
        "why": False,
    }
    assert "parameters: b positive" in [text for _, text in work(options, View()).lines]


def test_kinks_at_places_that_are_not_exact() -> None:
    """A ball has no hash where it is not exact: 1/3 over the deviation of variance 2."""
    with precision(120):
        place = arb(1) / 3 / arb(2).sqrt()
        one, two = (power_coefficients(p, 1, 6, 120).tolist() for p in (place, place.mid()))
    assert not place.is_exact()
    for left, right in zip(one, two, strict=True):
        assert all(a.overlaps(b) for a, b in zip(left, right, strict=True))
        assert all(a.rad() < 1e-25 for a in left)


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_closed_forms_that_no_backend_spells_become_tables_for_code(target: str) -> None:
    """Phi of complex arguments: a formula for people, and a table for machines."""
    text = "abs(x)*sin(x)"
    assert ntksym.choose(text).method == "exact"
    assert ntksym.choose(text, code=True, variances=1).method == "tabulated"
    rows = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, -1.0]])
    found = ntksym.compile(f"mlp:{text}:depth=1,input_scaling=false", target=target)(rows)
    dual = ntksym.compile(text, target=target, variances=1)(1.0, rows @ rows.T, 1.0)
    np.testing.assert_allclose(found.nngp, dual.nngp, atol=1e-13)
    ball = ntksym.evaluate(text, (1, "3/5", 1))[1][0].definition
    assert dual.nngp[0, 1] == pytest.approx(ball.mid_man * 2.0**ball.mid_exp, abs=1e-10)
    with pytest.raises(UnsupportedOp, match="complex arguments"):
        ntksym.compile(f"mlp:{text}:depth=1", target=target, method="exact")(rows)
