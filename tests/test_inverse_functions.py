"""asin, acos, atanh and acosh in activations, and quotients of sin and cos: the same functions."""

from __future__ import annotations

from math import erf

import numpy as np
import pytest
import sympy as sp
from flint import fmpq
from sympy import Rational

from ntksym.activation import Activation
from ntksym.errors import BadActivation, NtksymError, TooLarge
from ntksym.language import as_activation, parse_activation
from ntksym.language.inverse import elementary
from ntksym.symbols import x
from ntksym.verify.balls import enclose_definition, enclose_expr
from ntksym.verify.functions.pieces import Piece, split
from ntksym.verify.functions.unwound import unwound
from ntksym.verify.surd import Surd

SAME = (
    sp.asin(sp.tanh(x)),
    sp.acos(sp.erf(x)),
    sp.acos(sp.tanh(x) ** 3),
    sp.asin(sp.sin(x)),
    sp.acos(sp.cos(3 * x)),
    sp.asin(x / (1 + sp.Abs(x))),
    sp.acos(x / sp.sqrt(1 + x**2)),
    sp.asin(2 / (1 + sp.exp(-x)) - 1),
    sp.atanh(sp.erf(x)),
    sp.atanh(sp.tanh(x) / 2),
    sp.atanh(x / (1 + sp.Abs(x))),
    sp.acosh(1 + x**2),
    sp.acosh(sp.cosh(x) + 2),
    sp.asin(sp.asin(sp.sin(x)) / 2),
    sp.atan(sp.tan(2 * x + 1)),
    sp.atan(sp.cot(x)) * x,
)


@pytest.mark.parametrize("expr", SAME, ids=str)
def test_the_same_function_without_the_name(expr: sp.Expr) -> None:
    plain = elementary(expr)
    assert not plain.has(sp.asin, sp.acos, sp.atanh, sp.acosh, sp.tan, sp.cot)
    for place in ("-9/4", "-1/3", "2/7", "3"):
        value = Rational(place)
        one, two = (enclose_expr(e, {x: value}) for e in (expr, plain))
        assert not abs(one.mid - two.mid) > one.rad + two.rad, (str(expr), place)


def _by_simpson(expr: sp.Expr) -> float:
    """E[s(u)s(v)] at variances 1 and correlation 1/2, to about 1e-5."""
    t, step = np.linspace(-9, 9, 2401, retstep=True)
    s = sp.lambdify(x, expr, ["numpy", {"erf": np.vectorize(erf)}])
    weight = np.exp(-(t[:, None] ** 2 - t[:, None] * t[None, :] + t[None, :] ** 2) / 1.5)
    return float(s(t) @ weight @ s(t) * step**2 / (2 * np.pi * np.sqrt(0.75)))


@pytest.mark.parametrize(
    ("text", "expr"),
    [
        ("asin(tanh(x))", sp.asin(sp.tanh(x))),
        ("arccos(erf(x))", sp.acos(sp.erf(x))),
        ("arctanh(tanh(x)/2)", sp.atanh(sp.tanh(x) / 2)),
        ("arcosh(1 + x^2)", sp.acosh(1 + x**2)),
        ("sec(tanh x)", sp.sec(sp.tanh(x))),
        ("x*coth(x)", (x + 1e-7) / sp.tanh(x + 1e-7)),
    ],
)
def test_values_by_another_quadrature(text: str, expr: sp.Expr) -> None:
    ball = enclose_definition(parse_activation(text), 1, "1/2", 1)
    assert ball.rel_digits >= 30
    assert float(ball.mid) == pytest.approx(_by_simpson(expr), rel=1e-4)


def test_slopes() -> None:
    gudermann = enclose_definition(parse_activation("asin(tanh(x))"), 1, "1/2", 1, derivative=True)
    sech = enclose_definition(parse_activation("sech(x)"), 1, "1/2", 1)
    assert abs(gudermann.mid - sech.mid) <= gudermann.rad + sech.rad
    act = parse_activation("atanh(erf(x))")
    mills = enclose_definition(act, 1, "1/2", 1, derivative=True, digits=6)
    assert mills.rel_digits >= 6


@pytest.mark.parametrize(
    ("text", "slope"),
    [
        ("asin(erf(x))", "exp(-x^2)/sqrt(pi)/sqrt(Phi(sqrt(2)*x))/sqrt(Phi(-sqrt(2)*x))"),
        ("acos(tanh(x)^3)", "-3*tanh(x)^2*sech(x)/sqrt(1 + tanh(x)^2 + tanh(x)^4)"),
    ],
)
def test_slopes_far_out(text: str, slope: str) -> None:
    """The leg of length sqrt(1 - z^2) tends to 0; against the slope by hand."""
    act, point = parse_activation(text), (1, "1/2", 1)
    ball = enclose_definition(act, *point, derivative=True, digits=6)
    by_hand = enclose_definition(parse_activation(slope), *point, digits=6)
    assert ball.rel_digits >= 6
    assert ball.overlaps(by_hand)


@pytest.mark.parametrize("text", ["sqrt(Phi(x))", "x*cbrt(Phi(-x))"])
def test_powers_of_tails(text: str) -> None:
    """Price's theorem by a difference: roots of Phi far out have no principal branch to keep to."""
    act, h = parse_activation(text), Rational(1, 10**6)
    above, below = (enclose_definition(act, 9, 4 + e, 9, digits=15).mid for e in (h, -h))
    slope = enclose_definition(act, 9, 4, 9, derivative=True, digits=10)
    assert slope.rel_digits >= 10
    assert float(slope.mid) == pytest.approx(float((above - below) / (2 * h)), rel=1e-8)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("asin(x)", BadActivation, "asin(x) is not real\n  asin(x) at x = -3.125"),
        ("acos(2*tanh x)", BadActivation, "is not real\n  acos(2*tanh(x)) at x = -3.125"),
        ("atanh(x/2)", BadActivation, "at x = -3.125\n  use:   an argument between -1 and 1"),
        ("acosh(x^2)", BadActivation, "at x = -0.375\n  use:   an argument of 1 or more"),
        ("acot(x)", NtksymError, "pi/2 - atan(z), which is continuous, or atan(1/z)"),
        ("asin(asin(asin(asin(asin(sin(x)/9)))))", TooLarge, "at most 4 deep"),
    ],
)
def test_refused_when_read(text: str, error: type[NtksymError], said: str) -> None:
    with pytest.raises(error) as caught:
        parse_activation(text)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sec(x)", "1/cos(x) is infinite between x = -2 and x = -3/2, where cos(x) is zero"),
        ("cot(x)", "1/sin(x) is infinite at x = 0"),
        ("coth(x)", "is infinite at x = 0"),
        ("asin(x/10)", "sqrt(1 - x**2/100) + 1 is not real at x = 16"),
    ],
)
def test_refused_for_its_poles(text: str, said: str) -> None:
    with pytest.raises(BadActivation) as caught:
        enclose_definition(parse_activation(text), 1, "1/2", 1)
    assert said in str(caught.value)


def test_sympy_expressions_too() -> None:
    t = sp.Symbol("t")
    assert as_activation(sp.asin(sp.tanh(t))).expr == 2 * sp.atan(sp.tanh(x / 2))
    assert isinstance(as_activation(sp.acosh(sp.cosh(t))), Activation)


def test_sawtooths_are_straight_between_their_kinks() -> None:
    """Where they were arctangents of fractions, tables of them took too long to be tried."""
    for text, slopes in (("acos(cos(x))", {1, -1}), ("asin(-cos(3*x + 1))", {3, -3})):
        pieces = split(parse_activation(text).expr, 6)[1:-1]
        assert {p.expr.diff(x) for p in pieces} == slopes
        for piece in pieces:
            value = enclose_expr(piece.expr, {x: (middle := Rational(round(_middle(piece), 9)))})
            assert abs(value.mid - _triangle(text, float(middle))) < 1e-13
    for angle, turned in ((x**2, True), (4 * sp.atan(1 / x), False)):  # that one has a jump
        fraction = sp.sin(angle) / (1 + sp.Abs(sp.cos(angle)))
        found = unwound(fraction, Surd.rational(fmpq(1, 3)), lambda g, at: 1)
        assert (found is not None) == turned


def _middle(piece: Piece) -> float:
    assert piece.lo is not None and piece.hi is not None
    return float((piece.lo + piece.hi) / 2)


def _triangle(text: str, at: float) -> float:
    return float(np.arccos(np.cos(at)) if "acos" in text else np.arcsin(-np.cos(3 * at + 1)))


def test_a_sawtooth_with_jumps_has_its_kernel() -> None:
    """atan(tan x) was refused for the poles of tan; off its jumps it is x less a constant."""
    act = parse_activation("atan(tan(x))")
    value = enclose_definition(act, 1, "1/2", 1)
    terms = [
        (-1) ** (k + j) / (k * j) * np.exp(-2 * k**2 - 2 * j**2) * np.sinh(2 * k * j)
        for k in range(1, 9)
        for j in range(1, 9)
    ]  # of the Fourier series of s, (-1)^(k+1) sin(2kx)/k
    assert value.rel_digits >= 30
    assert float(value.mid) == pytest.approx(sum(terms), rel=1e-14)
    slope = enclose_definition(act, 1, "1/2", 1, derivative=True)
    assert float(slope.mid) == pytest.approx(1, rel=1e-14)
