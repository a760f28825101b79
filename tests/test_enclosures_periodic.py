"""Expectations of periodic functions by their Fourier coefficients, against rules that use none."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from flint import arb

import ntksym.verify.definition as definition
from ntksym.language import parse_activation
from ntksym.symbols import x
from ntksym.verify.ball import Ball
from ntksym.verify.balls import enclose_definition
from ntksym.verify.functions.periods import wave_parts
from ntksym.verify.prove import evaluate

FAR = (10**4, 9 * 10**3, 10**4)


def _meet(one: Ball, two: Ball) -> bool:
    return abs(one.mid - two.mid) <= one.rad + two.rad


@pytest.mark.parametrize("derivative", [False, True], ids=["value", "slope"])
@pytest.mark.parametrize("text", ["max(0, sin(x))", "x*abs(sin(x)) + cos(2*x)", "exp(sin(x))"])
def test_as_the_other_rules(monkeypatch: pytest.MonkeyPatch, text: str, derivative: bool) -> None:
    act, means = parse_activation(text), ("1/3", "-1/2")
    point = ("3/2", "-2/5", "4/5")

    def found() -> Ball:
        return enclose_definition(act, *point, means=means, derivative=derivative, digits=12)

    fourier = found()
    assert fourier.rel_digits >= 12
    monkeypatch.setattr(definition, "periodic", lambda *_, **__: None)
    assert _meet(fourier, found())


def test_kinks_without_end_at_a_large_variance() -> None:
    """Far apart u and v are independent and even over the period: the mean, squared."""
    ball = enclose_definition(parse_activation("max(0, sin(x))"), *FAR)
    assert ball.rel_digits >= 30
    assert arb(float(ball.mid)).overlaps(arb(float(1 / sp.pi**2), 1e-15))
    root = enclose_definition(parse_activation("sqrt(abs(sin(x)))"), *FAR, digits=15)
    mean = sp.gamma(sp.Rational(3, 4)) / (sp.sqrt(sp.pi) * sp.gamma(sp.Rational(5, 4)))
    assert float(root.mid) == pytest.approx(float(mean**2), rel=1e-14)
    log = enclose_definition(parse_activation("log(abs(sin(x)))"), *FAR, digits=15)
    assert float(log.mid) == pytest.approx(float(sp.log(2) ** 2), rel=1e-14)


def test_singular_slopes() -> None:
    """d/dq12 of the value is the slope: Price's theorem, by a difference."""
    act = parse_activation("sqrt(abs(sin(x)))")
    above, below = (enclose_definition(act, 1, f"{k}/1000", 1, digits=9).mid for k in (501, 499))
    slope = enclose_definition(act, 1, "1/2", 1, derivative=True, digits=9)
    assert slope.rel_digits >= 9
    assert float(slope.mid) == pytest.approx(float(above - below) * 500, rel=1e-4)


def test_infinitely_many_jumps() -> None:
    """The square wave is the slope of the triangle wave acos(cos x), whose kinks other rules cut."""
    square = enclose_definition(parse_activation("sign(sin(x))"), 1, "1/2", 1)
    triangle = enclose_definition(parse_activation("acos(cos(x))"), 1, "1/2", 1, derivative=True)
    assert square.rel_digits >= 30
    assert _meet(square, triangle)


@pytest.mark.parametrize("text", ["sign(sin(x))", "x*sign(sin(2*x)) + heaviside(cos(2*x))"])
def test_slope_of_infinitely_many_jumps(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """By the coefficients, and by the slope of the density."""
    act, means = parse_activation(text), ("1/3", "-1/5")

    def found() -> Ball:
        return enclose_definition(
            act, 1, "1/2", 2, means=means, digits=6, derivative=True, jumps="distributional"
        )

    fourier = found()
    assert fourier.rel_digits >= 6
    monkeypatch.setattr(definition, "periodic", lambda *_, **__: None)
    assert _meet(fourier, found())


def test_infinitely_many_jumps_have_two_slopes() -> None:
    """Off the jumps it is 0; far out sinh and cosh of q12, of first coefficients, are equal."""
    _, rows = evaluate("step(sin(x))", (100, 60, 100))
    named = {c.quantity: c.definition for c in rows}
    value, slope = named["nngp"], named["derivative"]
    assert value is not None and slope is not None
    assert slope.rel_digits >= 30
    assert float(slope.mid) == pytest.approx(float(value.mid - sp.Rational(1, 4)), rel=1e-9)
    assert named["derivative_almost_everywhere"] == Ball(0, 0, 0, 0)


def test_infinitely_many_jumps_near_correlation_one() -> None:
    """Against the Fourier series of the square wave in doubles, where it has 2500 terms."""
    near = enclose_definition(parse_activation("sign(sin(x))"), 1, "0.999999", 1)
    n = np.arange(1, 5002, 2)[:, None]
    m = n + np.arange(-20, 21, 2)
    m = np.where(m > 0, m, 10**9)
    share = [np.exp(-((n - m) ** 2 + s * 2e-6 * n * m + (1 - s) * 2 * n * m) / 2) for s in (1, -1)]
    series = np.sum((share[0] - share[1]) / (n * m)) * 8 / np.pi**2
    assert near.rel_digits >= 30
    assert float(near.mid) == pytest.approx(float(series), rel=1e-12)


@pytest.mark.parametrize(
    ("text", "slope"),
    [("sign(sin(x))*tanh(x)", True), ("piecewise((x, sin(x) > 0), (x^2, True))", False)],
)
def test_infinitely_many_jumps_beside_other_functions(text: str, slope: bool) -> None:
    """Beyond the reach of the cuts the jumps stay, and only their bounds are used."""
    value = enclose_definition(parse_activation(text), 1, 0, 1, derivative=slope)
    step = 2.0**-12
    z = (np.arange(-12, 12, step) + step / 2)[None, :]
    sine = np.sign(np.sin(z))
    s = sine / np.cosh(z) ** 2 if slope else np.where(sine > 0, z, z * z)
    mean = float(np.sum(s * np.exp(-z * z / 2)) * step / np.sqrt(2 * np.pi))
    assert value.rel_digits >= 29 or abs(mean) < 1e-6
    assert float(value.mid) == pytest.approx(mean**2, rel=1e-5, abs=1e-12)


def test_parts() -> None:
    s, c = sp.sin(sp.pi * x / 2), sp.cos(sp.pi * x / 3 + 1)
    assert wave_parts(sp.Max(s, c)) == ((0, sp.pi / 6, sp.Max(s, c)),)
    assert dict((p, f) for p, _, f in wave_parts(x * sp.Abs(s) + 3 * x + 1)) in (
        {1: sp.Abs(s), 0: sp.Integer(1)},
        {1: sp.Integer(3), 0: sp.Integer(1)},
    )
    for other in (sp.sin(x**2), x**2 * s, s * sp.exp(-x), sp.sin(x) * sp.sin(sp.pi * x), x + 1):
        assert wave_parts(other) == ()
