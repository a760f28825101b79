"""Values much smaller than sqrt(K(q11) K(q22)): generated code keeps their digits too."""

from __future__ import annotations

from fractions import Fraction
from math import inf

import pytest
from flint import acb
from sympy import Rational

from ntksym import symbols as S
from ntksym.collapse.straight import Straight
from ntksym.dual import dual
from ntksym.language import as_activation
from ntksym.lower import lower_dual
from ntksym.lower.program import Let, Program
from ntksym.lower.rounding import of_value
from ntksym.lower.scales import _direct
from ntksym.lower.small import SMALL, SMALL_SLOW, one_signed, small_below
from ntksym.precision import precision
from ntksym.runtime.compile import compile as compile_

EPS = 2.0**-52
Point = tuple[float, float, float]


def lost(text: str, target: str, points: tuple[Point, ...], which: tuple[int, ...]) -> float:
    """The worst error at (q11, rho, q22) relative to the value, in eps."""
    d = dual(as_activation(text))
    kernel = compile_(d, target)
    worst = 0.0
    for a, rho, b in points:
        c = rho * (a * b) ** 0.5
        with precision(900):
            exact = Straight((d.value, d.dot), (S.q11, S.q12, S.q22))(acb(a), acb(c), acb(b))
            found = kernel([a], [c], [b])
            for k in which:
                got, value = (found.nngp[0], found.dot[0])[k], exact[k].real
                worst = max(worst, float(abs((got - value) / value)) / EPS)
    return worst


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("(1-x^2)*exp(-x^2/2)", "c"),
        ("(1-x^2)*exp(-x^2/2)", "numpy"),
        ("sin(x)*exp(-x^2)", "numpy"),
    ],
)
def test_bells_that_change_sign(text: str, target: str) -> None:
    """Values are 1e-3 of the size, and sums of positive terms in the closed form."""
    points = ((400.0, 0.3, 0.01), (400.0, -1 + 2.0**-9, 0.01), (5.0, -0.7, 5.0))
    assert lost(text, target, points, (0, 1)) <= 4


def test_rounding_is_seen() -> None:
    """A sum that cancels loses its digits, one of positive terms does not; overflow is infinite."""
    good = lower_dual(dual(as_activation("(1-x^2)*exp(-x^2/2)")))
    assert of_value(good, {}, 100.0) < 4
    one = Let("one", "add", ("q11", Fraction(1)))
    cancels = (one, Let("left", "sub", ("one", Fraction(1))))
    overflows = (Let("two", "mul", ("q11", "q11")), Let("left", "mul", ("two", "q11")))
    for body, expected in ((cancels, 100.0), (overflows, inf)):
        p = Program("p", ("q11", "q12", "q22"), body, (("nngp", "left"),))
        assert of_value(p, {}, 100.0) >= expected


@pytest.mark.parametrize(("text", "target"), [("relu6", "c"), ("max(x + 1/2, 0)", "numpy")])
def test_kinks_of_one_sign_near_opposite_inputs(text: str, target: str) -> None:
    """The terms of the closed form are up to 1e22 times the value: the definition has one sign."""
    points = ((5.0, -0.7, 5.0), (5.0, -1 + 2.0**-8, 5.0), (1.0, -1 + 2.0**-30, 1.0))
    assert lost(text, target, points, (0, 1)) <= 4.5


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_one_side_grows_and_the_other_stays(target: str) -> None:
    """The value is of the order of a deviation, terms are of that of a variance: 1e3 eps lost."""
    points = ((5.2e6, -1 + 2.0**-10, 1e6), (6.7e6, -1 + 2.0**-20, 3.6e6))
    assert lost("max(x, 1/2)", target, points, (0,)) <= 4


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_both_inputs_in_the_tail_of_a_kink(target: str) -> None:
    """Exponents are 14 to 256 there: panels as short as the integrand falls, entries not rounded."""
    points = ((5.0, -1 + 2.0**-8, 5.0), (1.0, -1 + 2.0**-8, 1.0), (400.0, -0.7, 0.01))
    assert lost("max(x - 1/2, 0)", target, (*points, (0.2, -0.96875, 0.3)), (0, 1)) <= 4


def test_means_of_steps_two_deviations_away() -> None:
    """The rounding of a standard deviation counts four times there, alike at all nodes."""
    assert lost("max(x, 1/2)", "numpy", ((0.3, -0.7, 2.0),), (1,)) <= 3


def test_which_duals_have_one_sign() -> None:
    """By values and slopes, jumps included; parameters are looked at when the code runs."""
    for text, signs in (
        ("relu6", (True, True)),
        ("hardtanh", (False, True)),
        ("hardshrink", (True, True)),
    ):
        rule = _direct(as_activation(text))
        assert rule is not None and one_signed(rule) == signs, text
    rule = _direct(as_activation("hardshrink").with_params(lam=Rational(1, 2)))
    assert rule is not None and one_signed(rule) == (False, True)
    rule = _direct(as_activation("max(0, 1 - abs(x))"))
    assert rule is not None and one_signed(rule) == (True, False)


def test_smooth_steps_are_integrated_later() -> None:
    """Means that are integrals cost thousands of times the closed form: only far smaller values."""
    for text, below in (("relu6", SMALL), ("probit", None), ("Phi(3*x - 2)", SMALL_SLOW)):
        rule = _direct(as_activation(text))
        assert (rule and small_below(rule, 0)) == below, text
    points = ((2.0, -1 + 2.0**-10, 2.0), (0.3, -0.99, 0.4))
    assert lost("Phi(3*x - 2)", "c", points, (0, 1)) <= 4
    assert lost("Phi(3*x - 2)", "c", ((2.0, -0.75, 0.5), (3.0, -0.875, 3.0)), (0, 1)) <= 100
