"""Enclosures: against known closed forms, golden digits, a naive quadrature, and planted errors."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import oracle
import pytest
from flint import arb
from sympy import (
    Abs,
    Heaviside,
    I,
    Max,
    Min,
    Piecewise,
    Rational,
    Symbol,
    asin,
    atan2,
    cos,
    erf,
    exp,
    hyper,
    log,
    pi,
    sign,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)

from ntksym.errors import BadActivation, BadCovariance, NotSquareIntegrable, Undecided
from ntksym.functions import Phi, Phi2
from ntksym.symbols import q11, q12, q22, x
from ntksym.verify.ball import Ball
from ntksym.verify.balls import _refine, enclose_definition, enclose_expr
from ntksym.verify.points import collinear_points, rational_points
from ntksym.verify.sampling import sample_definition

R = Rational
POINT = ("1.3", "0.4", "0.7")
relu, gelu = Max(x, 0), x * (1 + erf(x / sqrt(2))) / 2
elu = Piecewise((x, x > 0), (exp(x) - 1, True))
theta = asin(q12 / (sqrt(q11) * sqrt(q22)))
big = (1 + q11) * (1 + q22) - q12**2
CLOSED = {
    "relu": (relu, sqrt(q11 * q22 - q12**2) / (2 * pi) + q12 * theta / (2 * pi) + q12 / 4),
    "erf": (erf(x), 2 * asin(2 * q12 / (sqrt(2 * q11 + 1) * sqrt(2 * q22 + 1))) / pi),
    "gelu": (
        gelu,
        (
            (q12**2 + q11 * q22 * big) / ((1 + q11) * (1 + q22) * sqrt(big))
            + q12 * atan2(q12, sqrt(big))
        )
        / (2 * pi)
        + q12 / 4,
    ),
    "sin": (sin(x), exp(-(q11 + q22) / 2) * sinh(q12)),
    "exp": (exp(x), exp((q11 + q22) / 2 + q12)),
    "step": (Heaviside(x), R(1, 4) + theta / (2 * pi)),
    "threshold": (
        Heaviside(x - 1),
        Phi2(-1 / sqrt(q11), -1 / sqrt(q22), q12 / (sqrt(q11) * sqrt(q22))),
    ),
    "gauss": (exp(-(x**2) / 2), 1 / sqrt(big)),
}
WRONG = {
    "sign": ("relu", lambda e: e - q12 / 2),
    "factor": ("erf", lambda e: 2 * e),
    "swap": ("gauss", lambda e: e.subs(q11, q22)),
    "square": ("step", lambda e: R(1, 4) + theta**2 / (2 * pi)),
    "small": ("gelu", lambda e: e + R(1, 10**25)),
}
GOLDEN = {  # 28 to 31 digits at (1.3, 0.4, 0.7)
    "relu": (relu, "0.265378091518942334957693485095414"),
    "gelu": (gelu, "0.1880606767349957185744612330148010"),
    "tanh": (tanh(x), "0.150919764109141725129575006882304"),
    "silu": (x / (1 + exp(-x)), "0.1490367738235584086505292905"),
    "softplus": (log(1 + exp(x)), "0.7510699865891975905832324536"),
    "elu": (elu, "0.2632147652094554099024472080"),
    "hardswish": (x * Max(0, Min(6, x + 3)) / 6, "0.13355335622274750462989030125"),
    "hardtanh": (Max(-1, Min(1, x)), "0.193013869080486011911229970778"),
    "softsign": (x / (1 + Abs(x)), "0.070230983432997319478878415161"),
    "mish": (x * tanh(log(1 + exp(x))), "0.1925383355596472384262838809"),
}


def at(point) -> dict:
    return dict(zip((q11, q12, q22), point.values, strict=True))


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms_at_all_points(name: str) -> None:
    expr, form = CLOSED[name]
    for point in rational_points() + collinear_points():
        definition = enclose_definition(expr, *point.values)
        formula = enclose_expr(form, at(point))
        assert definition.overlaps(formula), f"{point}: {definition} and {formula}"
        for ball in (definition, formula):
            assert ball.rel_digits >= 30 or ball.rad <= Fraction(1, 10**45)


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_digits(name: str) -> None:
    expr, text = GOLDEN[name]
    ball = enclose_definition(expr, *POINT)
    last = Fraction(1, 10 ** len(text.split(".")[1]))
    assert abs(ball.mid - Fraction(text)) <= last + ball.rad
    assert ball.rel_digits >= 30


@pytest.mark.parametrize("name", WRONG)
def test_planted_errors_are_refuted(name: str) -> None:
    base, spoil = WRONG[name]
    expr, form = CLOSED[base]
    definition = enclose_definition(expr, *POINT)
    values = {q11: R("1.3"), q12: R("0.4"), q22: R("0.7")}
    assert definition.overlaps(enclose_expr(form, values))
    assert not definition.overlaps(enclose_expr(spoil(form), values))


@pytest.mark.parametrize("expr", [relu, gelu, tanh(x), x / (1 + Abs(x))], ids=str)
def test_more_digits_give_narrower_balls_that_agree(expr) -> None:
    balls = [enclose_definition(expr, *POINT, digits=d) for d in (10, 20, 40)]
    for wide, narrow in pairwise(balls):
        assert narrow.rad < wide.rad
        assert wide.overlaps(narrow)
        assert abs(wide.mid - narrow.mid) <= wide.rad  # the narrow midpoint is inside
    assert balls[2].rel_digits >= 40


TRICKY = [
    ("1", "0.999999", "1"),
    ("1", "0.999999999999", "1"),
    ("1", "-0.999", "1"),
    ("0.01", "0.005", "4"),
    ("100", "60", "100"),
]


@pytest.mark.parametrize("point", TRICKY, ids=str)
@pytest.mark.parametrize("name", ["tanh", "softsign", "mish", "elu", "hardtanh"])
def test_thirty_digits_at_awkward_points(name: str, point) -> None:
    assert enclose_definition(GOLDEN[name][0], *point).rel_digits >= 30


def test_lattice_and_panels_agree() -> None:
    """Two methods that share no bound: the lattice sum and the tensor panels."""
    from flint import fmpq

    from ntksym.precision import precision
    from ntksym.verify.functions.pieces import split
    from ntksym.verify.law import Law
    from ntksym.verify.rules.lattice import lattice
    from ntksym.verify.rules.tensor import tensor

    for expr in (tanh(x), log(1 + exp(x))):
        for c in (fmpq(99, 100), fmpq(-4, 5), fmpq(3, 10)):
            law = Law(fmpq(1, 5), fmpq(0), fmpq(1), c, fmpq(1))
            with precision(120):
                tol = arb(10) ** -25
                p, q = (
                    lattice(split(expr), split(expr), law, tol).value(),
                    tensor(split(expr), split(expr), law, tol),
                )
                assert p is not None and p.overlaps(q)
                assert p.rad() < 10 * tol and q.rad() < 10 * tol


NUMPY = {
    "relu": (relu, lambda t: np.maximum(t, 0), (0.0,)),
    "tanh": (tanh(x), np.tanh, ()),
    "softsign": (x / (1 + Abs(x)), lambda t: t / (1 + np.abs(t)), (0.0,)),
    "elu": (elu, lambda t: np.where(t > 0, t, np.expm1(t)), (0.0,)),
    "shifted": (Abs(x - R(1, 2)) * x, lambda t: np.abs(t - 0.5) * t, (0.5,)),
}


@pytest.mark.parametrize("name", NUMPY)
@pytest.mark.parametrize("means", [("0", "0"), ("0.5", "-0.3")], ids=str)
def test_against_a_naive_quadrature(name: str, means) -> None:
    expr, func, kinks = NUMPY[name]
    for point in (POINT, ("1", "-0.6", "2")):
        ball = enclose_definition(expr, *point, means=means)
        naive = oracle.expectation(
            func,
            func,
            *(float(q) for q in point),
            kinks_f=kinks,
            kinks_g=kinks,
            means=(float(means[0]), float(means[1])),
        )
        assert abs(float(ball.mid) - naive) < 1e-9


def test_two_functions() -> None:
    ball = enclose_definition(tanh(x), *POINT, other=cos(x) + x)
    naive = oracle.expectation(np.tanh, lambda t: np.cos(t) + t, 1.3, 0.4, 0.7)
    assert abs(float(ball.mid) - naive) < 1e-9
    swapped = enclose_definition(cos(x) + x, "0.7", "0.4", "1.3", other=tanh(x))
    assert ball.overlaps(swapped)


def test_derivative_is_the_slope_in_the_covariance() -> None:
    for expr in (relu, gelu, tanh(x)):
        slope = enclose_definition(expr, *POINT, derivative=True)
        h = R(1, 10**8)
        up = enclose_definition(expr, "1.3", R("0.4") + h, "0.7").mid
        down = enclose_definition(expr, "1.3", R("0.4") - h, "0.7").mid
        assert abs((up - down) / (2 * Fraction(1, 10**8)) - slope.mid) < Fraction(1, 10**12)


def test_distributional_derivative_of_jumps() -> None:
    density = 1 / (2 * pi * sqrt(q11 * q22 - q12**2))
    values = {q11: R("1.3"), q12: R("0.4"), q22: R("0.7")}
    step = enclose_definition(Heaviside(x), *POINT, derivative=True, jumps="distributional")
    assert step.overlaps(enclose_expr(density, values)) and step.rel_digits >= 30
    twice = enclose_definition(sign(x), *POINT, derivative=True, jumps="distributional")
    assert twice.overlaps(enclose_expr(4 * density, values))
    assert enclose_definition(sign(x), *POINT, derivative=True).mid == 0
    # a jump and a slope together: x H(x - 1), against the difference quotient
    expr, h = x * Heaviside(x - 1), R(1, 10**8)
    slope = enclose_definition(expr, *POINT, derivative=True, jumps="distributional")
    up = enclose_definition(expr, "1.3", R("0.4") + h, "0.7").mid
    down = enclose_definition(expr, "1.3", R("0.4") - h, "0.7").mid
    assert abs((up - down) / (2 * Fraction(1, 10**8)) - slope.mid) < Fraction(1, 10**12)
    with pytest.raises(BadActivation, match="no finite expectation"):
        enclose_definition(sign(x), 1, 1, 1, derivative=True, jumps="distributional")


def test_degenerate_variances() -> None:
    assert enclose_definition(relu, 0, 0, 0).mid == 0
    half = enclose_definition(exp(x), 0, 0, 2)
    assert half.overlaps(enclose_expr(exp(1), {}))
    assert enclose_definition(Heaviside(x), 0, 0, 0).contains(Fraction(1, 4))  # H(0) = 1/2


def test_parameters() -> None:
    a = Symbol("a", positive=True)
    leaky = Max(x, a * x)
    one = enclose_definition(leaky, *POINT, params={"a": "0.1"})
    two = enclose_definition(Max(x, x / 10), *POINT, params={a: 3})
    assert one.overlaps(two)
    with pytest.raises(BadActivation, match="no value is given for the parameter 'a'"):
        enclose_definition(leaky, *POINT)


REFUSED = [
    (relu, (1, 2, 1), BadCovariance, "not positive semi-definite"),
    (relu, (-1, 0, 1), BadCovariance, "not positive semi-definite"),
    (relu, (0.5, 0, 1), BadCovariance, "not an exact rational"),
    (exp(x**4), (1, 0, 1), NotSquareIntegrable, "faster than every Gaussian"),
    (exp(x**2), ("0.6", "0.1", "0.6"), NotSquareIntegrable, "not finite at this variance"),
    (exp(x**2), ("0.5", "0", "0.5"), NotSquareIntegrable, "not finite at this variance"),
    (sqrt(x), (1, 0, 1), BadActivation, "not real at x = "),
    (log(x), (1, 0, 1), BadActivation, "not real at x = "),
    (1 / x, (1, 0, 1), BadActivation, "infinite at x = 0"),
    (tan(x), (1, 0, 1), BadActivation, "poles"),
    (tanh(x) + 1 / x, (1, 0, 1), BadActivation, "infinite at x = 0"),
    (Piecewise((x, x > 0)), (1, 0, 1), BadActivation, "no value at x = "),
    (sign(sin(1 / x)), (1, 0, 1), Undecided, "cannot separate the zeros"),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda c: f"{c[0]} {c[1]}")
def test_refusals_say_why(case) -> None:
    expr, point, error, text = case
    with pytest.raises(error, match=text):
        enclose_definition(expr, *point)


def test_gaussian_growth_below_the_limit() -> None:
    ball = enclose_definition(exp(x**2), "0.2", "0.1", "0.2")
    det = (1 - R("0.4")) ** 2 - R("0.2") ** 2
    assert ball.overlaps(enclose_expr(1 / sqrt(det), {}))


PHI2 = [
    ("40", "-40", 1 - R(1, 10**12)),
    ("0.3", "0.3", 1 - R(1, 10**12)),
    ("1.5", "1.500001", 1 - R(1, 10**12)),
    ("0.5", "-0.7", -1 + R(1, 10**12)),
    ("-3", "2", R("0.75")),
    ("1", "2", R("-0.2")),
]


@pytest.mark.parametrize("case", PHI2, ids=str)
def test_phi2_against_its_conditional_integral(case) -> None:
    """Phi2(h, k; r) = E[1(X <= h) 1(Y <= k)], from the definition."""
    h, k, r = R(case[0]), R(case[1]), case[2]
    formula = enclose_expr(Phi2(h, k, r), {}, floor=45)
    definition = enclose_definition(
        Heaviside(h - x), 1, r, 1, other=Heaviside(k - x), floor=45, digits=30
    )
    assert formula.overlaps(definition)
    assert formula.rel_digits >= 30 or formula.rad <= Fraction(1, 10**45)


def test_phi2_of_conjugate_arguments_is_real() -> None:
    ball = enclose_expr(Phi2(R(1, 2) + I, R(1, 2) - I, R(1, 3)), {})
    assert ball.rel_digits >= 30
    with pytest.raises(BadActivation, match="not real"):
        enclose_expr(Phi(I), {})


def test_expressions() -> None:
    half = {x: R(1, 2)}
    assert enclose_expr(hyper([1, 1], [2], x), half).overlaps(enclose_expr(2 * log(2), {}))
    assert enclose_expr(sqrt(x**2 - R(1, 4)), half).rad_man == 0
    assert enclose_expr(asin(sqrt(x) * sqrt(2 * x) / sqrt(x)), half).overlaps(
        enclose_expr(pi / 2, {})
    )
    assert enclose_expr(Piecewise((1, x < 1), (2, True)), half).mid == 1
    with pytest.raises(Undecided, match="no value is given"):
        enclose_expr(x + q11, half)
    with pytest.raises(Undecided):
        enclose_expr(1 / (x - R(1, 2)), half)


def test_ball_text_encloses() -> None:
    third = Ball.from_arb(arb(1) / 3)
    for digits in (1, 3, 10, None):
        mid, rad = third.decimal(digits)
        assert abs(Fraction(mid) - third.mid) + third.rad <= Fraction(rad)
        assert third.mid_text(digits) == mid and third.radius_text(digits) == rad
    assert str(Ball(5, 0, 0, 0)) == "[5 +/- 0]"
    assert Ball.from_arb(third.to_arb()).contains(third.mid)
    assert math.isinf(Ball(5, 0, 0, 0).rel_digits)


def test_a_ball_around_zero_shows_no_digits_below_its_radius() -> None:
    for mid, rad, shown in (((3, -300), (1, -200), "0"), ((-3, -202), (5, -200), "-4.7e-61")):
        ball = Ball(*mid, *rad)
        text, radius = ball.decimal(32)
        assert text == shown
        assert abs(Fraction(text) - ball.mid) + ball.rad <= Fraction(radius)


def test_a_bound_far_above_the_value_is_no_enclosure() -> None:
    with pytest.raises(Undecided) as caught_:
        _refine(lambda *_: arb(5, 10**9), 30, None, lambda: "the value", 256)
    assert "no useful enclosure: the value is at most 1.01e+09 in size" in str(caught_.value)


def test_no_nan_ball() -> None:
    for bad in (arb("nan"), arb.pos_inf(), arb(0) / 0):
        with pytest.raises(Undecided, match="no finite enclosure"):
            Ball.from_arb(bad)


def test_balls_are_exact_sets() -> None:
    a, b = Ball(1, 0, 1, -2), Ball(3, -1, 1, -2)  # 1 +/- 1/4, 3/2 +/- 1/4
    assert a.overlaps(b)
    assert not Ball(1, 0, 1, -3).overlaps(b)
    assert Ball(1, -5, 1, -5).contains_zero and not Ball(2, -5, 1, -5).contains_zero


def test_sampling_is_near_and_says_estimate() -> None:
    sample = sample_definition(relu, *POINT, digits=12)
    assert abs(float(sample.value) - 0.2653780915189423) < 1e-11
    assert "estimated" in str(sample)
