"""Jumping activations at large variances: no cancellation, no overflow."""

from __future__ import annotations

from fractions import Fraction
from math import pi

import pytest
from mpmath import MPContext
from sympy import Rational

from ntksym.activations import named
from ntksym.dual import dual
from ntksym.language import parse_activation
from ntksym.lower import lower_dual
from ntksym.lower.build import Builder
from ntksym.lower.conditioning import overflows
from ntksym.lower.scales import _far
from ntksym.lower.spread import spread_out
from ntksym.runtime import compile as compile_
from ntksym.symbols import q, q11, q12, q22

STEPPED = "piecewise((x/10 - 1/10, x <= 1), (min(6, x), True))"
MIXED = "piecewise((x-1, x<0), (x**2, True))"


def _values(text: str, point: tuple[float, float, float]) -> list[float]:
    ctx = MPContext()
    ctx.dps = 900
    p = lower_dual(dual(parse_activation(text)))
    at = {k: ctx.mpf(v) for k, v in zip(("q11", "q12", "q22"), point, strict=True)}
    return [float(v) for v in p.evaluate(at, ctx).values()]


def test_the_rule_for_large_variances_knows_jumps() -> None:
    found = _far(parse_activation(STEPPED))
    assert found is not None
    assert found.jumps and found.steps
    assert found.bare[1] == float("inf") > found.bare[0]
    smooth = _far(parse_activation("min(6, max(0, x))"))
    assert smooth is not None and not smooth.jumps
    assert "jumps" not in smooth.digest()


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize(
    "point", [(1.8e10, 1.7e10, 1.9e10), (1.8e10, -3e9, 2.5e12), (2e150, 1.5e150, 1.9e150)]
)
def test_a_jump_and_a_slope_that_ends(point: tuple[float, float, float], target: str) -> None:
    """E[s s] is about q/200 of terms of order q: the closed form loses digits."""
    f = compile_(dual(parse_activation(STEPPED)), target)
    got = f(*point)
    ctx = MPContext()
    ctx.dps = 60
    value, dot = _exact(point, ctx)
    size = float(ctx.sqrt(_exact((point[0],) * 3, ctx)[0] * _exact((point[2],) * 3, ctx)[0]))
    assert abs(float(got.nngp) - float(value)) <= 2e-15 * size
    assert abs(float(got.dot) - float(dot)) <= 2e-15 * size / (point[0] * point[2]) ** 0.5


def _exact(point: tuple[float, float, float], ctx: MPContext) -> tuple[float, float]:
    """The closed form alone, in many digits."""
    d = dual(parse_activation(STEPPED))
    same = point[0] == point[1] == point[2]
    b = Builder(("q11", "q12", "q22"))
    exprs = (d.diag.xreplace({q: q11}), q11 * q12 * q22) if same else (d.value, d.dot)
    p = b.program("closed", (("value", b.operand(exprs[0])), ("dot", b.operand(exprs[1]))))
    found = p.evaluate({k: ctx.mpf(v) for k, v in zip(p.args, point, strict=True)}, ctx)
    return found["value"], found["dot"]


def test_quotients_that_overflow_are_taken_term_by_term() -> None:
    d = dual(parse_activation(MIXED))
    for e in (d.value, d.dot):
        assert overflows((e,), Fraction(10**120))
        found = spread_out(e)
        assert found != e
        assert not overflows((found,), Fraction(10**120))
        at = {q11: Rational(3, 2), q12: Rational(-1, 3), q22: Rational(4, 5)}
        numbers = [v.xreplace(at).n(30) for v in (e, found)]
        assert abs(numbers[0] - numbers[1]) < 1e-25


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_monomials_over_a_variance_do_not_cancel(target: str) -> None:
    """Of odd and even powers under a smooth step, nearly equal and opposite inputs: 3e5 eps."""
    d = dual(parse_activation("(x^2 + x)*Phi(3*x)"))
    kernel = compile_(d, target)
    for point in ((739.32, 828.87, 929.29), (1472.4, -1378.6, 1290.9)):
        at = {s: Rational(v) for s, v in zip((q11, q12, q22), point, strict=True)}
        exact = float(d.dot.xreplace(at).n(40, maxn=2000))
        sides = [float(d.diag_dot.xreplace({q: Rational(v)}).n(30)) for v in point[::2]]
        got = float(kernel(*point).dot)
        assert abs(got - exact) <= 9e-16 * (sides[0] * sides[1]) ** 0.5, point


def test_what_does_not_overflow_stays_as_it_is() -> None:
    for name in ("relu", "gelu", "elu", "step", "abs", "cubed_relu"):
        d = dual(named(name))
        assert spread_out(d.value) == d.value
        assert spread_out(d.dot) == d.dot


@pytest.mark.parametrize("scale", [1e-100, 1.0, 1e95, 1e140])
def test_degrees_one_and_two_beside_a_jump(scale: float) -> None:
    point = (1.6 * scale, 1.1 * scale, 3.0 * scale)
    got = compile_(dual(parse_activation(MIXED)), "c")(*point)
    value, dot = _values(MIXED, point)
    assert float(got.nngp) == pytest.approx(value, rel=1e-14)
    assert float(got.dot) == pytest.approx(dot, rel=1e-14)


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize(
    ("text", "point"),
    [
        (MIXED, (1.6e-224, -1.96e-13, 5.6e198)),
        ("step(x)*(x^3-x)", (4.9e-254, 2e-261, 1.25e-268)),
        ("step(x)*(x^3-x)", (4.5e33, 4.8e40, 8.5e47)),
    ],
)
def test_variances_far_apart_and_far_from_one(
    text: str, point: tuple[float, float, float], target: str
) -> None:
    """Neither the guard of a variance that is divided by nor a product of several shows."""
    d = dual(parse_activation(text))
    with_exact = {s: Rational(v) for s, v in zip((q11, q12, q22), point, strict=True)}
    value = float(d.value.xreplace(with_exact).n(40, maxn=2000))
    assert float(compile_(d, target)(*point).nngp) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize(
    ("text", "mean", "square", "point"),
    [
        ("step(x)*max(1-x,0)", 1 / 2, 1 / 3, (1.64e179, 2.0e179, 1.01e180)),
        ("step(x)*max(1-x,0)", 1 / 2, 1 / 3, (1.7e166, -2e163, 1e161)),
        ("step(x)*exp(-x^2)", pi**0.5 / 2, (pi / 8) ** 0.5, (1.6e30, 3e116, 2e204)),
    ],
)
def test_slopes_of_what_dies_out_fall_faster_than_its_value(
    text: str, mean: float, square: float, point: tuple[float, float, float], target: str
) -> None:
    """E[s'(u)s'(v)] is q12/(2 pi R^3) times the integral of s squared: K/q falls less."""
    a, c, b = point
    root = (a - c / b * c) ** 0.5 * b**0.5
    size = square / (2 * pi) ** 0.5 / (a**0.25 * b**0.25) / (a**0.5 * b**0.5)
    got = float(compile_(dual(parse_activation(text)), target)(*point).dot)
    assert abs(got - c / root / root / root * mean**2 / (2 * pi)) <= 4.5 * 2.0**-52 * size


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_a_difference_over_a_sum_of_roots_does_not_overflow(target: str) -> None:
    """(81 q11 - 100 q22) sqrt(q11) is past the range of doubles at 1e251, over the sum it is not.

    So far above the kinks only x/10 below 0 counts, which is homogeneous.
    """
    f = compile_(dual(parse_activation(STEPPED)), target)
    large, less = f(6.3e251, -2.8e251, 2.7e251), f(6.3e201, -2.8e201, 2.7e201)
    assert float(large.nngp) == pytest.approx(float(less.nngp) * 1e50, rel=1e-13)


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize("text", ["(x^2-1)*step(x)", "(x^3-x+2)*step(x)", "(x^2-1)*sign(x)"])
def test_what_cancels_over_the_root_is_taken_out(text: str, target: str) -> None:
    """Over the root the polynomials of the two inputs leave the jump, and nothing of their size.

    Before: 131 eps at 1e3, NaN where products of four entries overflow.
    """
    d = dual(parse_activation(text))
    f = compile_(d, target)
    ctx = MPContext()
    ctx.dps = 100
    b = Builder(("q11", "q12", "q22"))
    p = b.program("closed", (("dot", b.operand(d.dot)),))
    points = [
        (scale, sign * scale * (1.0 - near), scale * wide)
        for scale in (1e-100, 1.0, 1e3, 1e20, 1e140)
        for near, wide in ((1e-12, 1.0), (3e-9, 1.0 + 1e-9), (0.7, 1.6))
        for sign in (1, -1)
    ]
    if "x^3" not in text:
        points.append((1e177, 9.9999e176, 1e177))
    for one, both, two in points:
        at = ({"q11": ctx.mpf(one), "q12": ctx.mpf(c), "q22": ctx.mpf(two)} for c in (both, -both))
        exact, other = (p.evaluate(v, ctx)["dot"] for v in at)
        assert abs(float(f(one, both, two).dot) - exact) <= 4 * 2.0**-52 * max(
            abs(exact), abs(other)
        )


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize(
    ("point", "exact", "size"),
    [
        ((0.12, 3.2650857034387317, 89.0), -0.0028420115836594998, 0.0727),
        ((0.439, 9.68821281888796, 214.0), -0.0020796488266080493, 0.0164),
        ((0.01, 0.9425490549037753, 89.0), -0.0010966177511635312, 0.256),
    ],
)
def test_by_parts_from_the_length_on_which_s_falls(
    point: tuple[float, float, float], exact: float, size: float, target: str
) -> None:
    """Not from half of the unit, its kink: 35 eps of the size were lost by parts.

    The exact numbers are the closed form over balls.
    """
    f = compile_(dual(parse_activation("step(x + 1/2)*exp(-x)")), target)
    assert abs(float(f(*point).dot) - exact) <= 4 * 2.0**-52 * size
