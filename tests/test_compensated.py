"""Sums whose terms are larger than they are: what rounding takes from them is added."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from flint import arb
from mpmath import MPContext
from sympy import Rational

from ntksym import symbols as S
from ntksym.dual import dual
from ntksym.language import as_activation
from ntksym.lower.kernel import lower_dual
from ntksym.precision import precision
from ntksym.runtime.compile import compile as compile_
from ntksym.verify.balls import enclose_expr

EPS = 2.0**-52
CASES = (
    (
        "relu6",
        (78.91289041547655, 64.73909388663941, 61.556238802263024),
        "10.47740051886277168227",
    ),
    (
        "triangle",
        (0.13059206780801585, 0.03577716246926872, 0.13059206780801585),
        "0.5103517562162101575425",
    ),
    (
        "selu",
        (22.86658761377233, 20.931274810014386, 19.159764658616336),
        "0.6850164892392840665279",
    ),
)
"""Digits of the closed form over balls; of SELU the derivative.

The first two were off by 4.6 and 5.9 eps of the size in C and NumPy.
"""


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_terms_larger_than_their_sum_keep_four_eps(target: str) -> None:
    for name, point, digits in CASES:
        kernel = compile_(as_activation(name), target)
        label = "dot" if name == "selu" else "nngp"
        got = float(np.ravel(getattr(kernel(*([v] for v in point)), label))[0])
        sides = [getattr(kernel.diag([v]), label) for v in (point[0], point[2])]
        size = float(np.sqrt(sides[0] * sides[1])[0])
        with precision(120):
            assert abs(arb(got) - arb(digits)) <= 3.3 * EPS * size, name


@pytest.mark.parametrize("text", ["hardtanh", "elu", "max(x, -2)*exp(-x/3)", "selu"])
def test_in_exact_arithmetic_a_rest_is_nothing(text: str) -> None:
    """Constants are split into a double and its rest, which must not be counted twice."""
    ctx = MPContext()
    ctx.dps = 60
    d = dual(
        as_activation(text).with_params(alpha=Rational(1, 3))
        if text == "elu"
        else as_activation(text)
    )
    p = lower_dual(d)
    assert any(let.op == "cross" for let in p.body)
    at = {"q11": Fraction(2), "q12": Fraction(5, 4), "q22": Fraction(3)}
    found = p.evaluate({k: ctx.mpf(v.numerator) / v.denominator for k, v in at.items()}, ctx)
    for label, closed in (("nngp", d.value), ("dot", d.dot)):
        ball = enclose_expr(closed, {getattr(S, k): v for k, v in at.items()}, digits=30)
        want = ctx.mpf(ball.mid.numerator) / ball.mid.denominator
        assert abs(found[label] - want) <= ctx.mpf(10) ** -28 * abs(want)


@pytest.mark.parametrize("name", ["relu", "gelu", "erf", "cos", "hardshrink", "x*cos(x)"])
def test_sums_that_do_not_cancel_are_as_they_were(name: str) -> None:
    """Nor are those with a zero whose terms are of the kernel's size, or formed of waves."""
    p = lower_dual(dual(as_activation(name)))
    assert all(let.args[1] != 2**900 for let in p.body if let.op == "select")
