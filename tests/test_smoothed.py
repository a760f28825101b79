"""Even polynomials times a smooth step near opposite inputs: relative to the value."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from flint import acb
from mpmath import MPContext
from sympy import Integer

from ntksym import symbols as S
from ntksym.collapse.straight import Straight
from ntksym.dual import dual
from ntksym.language import as_activation
from ntksym.lower.build import Builder
from ntksym.lower.smoothed import Smoothed, opposite, smoothed
from ntksym.precision import precision
from ntksym.runtime.compile import compile as compile_

EPS = 2.0**-52
POINTS = (
    (5000.0, -5000.0, 5000.0),  # the terms of the closed form of x^2 Phi(x) are 5e9 times its value
    (8967.526374181285, -12769.88698252048, 18184.503367154466),
    (0.99, -0.99, 0.99),
    (320.0, -180.0, 120.0),
    (4e27, -4e27 * (1 - 2.0**-40), 4e27),  # the determinant is far above the rest, but its root not
    (1e90, -1e90, 1e90),
    (11.0, -1.36, 0.17),
)


@pytest.mark.parametrize(
    ("text", "target"),
    [("x**2*Phi(x)", "c"), ("x**2*Phi(x)", "numpy"), ("(1/3 + 2*x**2)*Phi(-x/2)", "numpy")],
)
def test_opposite_inputs_keep_the_digits_of_the_value(text: str, target: str) -> None:
    """Within 4 eps of the value, however far the terms of the closed form are above it."""
    d = dual(as_activation(text))
    found = compile_(d, target)(*zip(*POINTS, strict=True)).nngp
    with precision(2500):
        exact = Straight((d.value,), (S.q11, S.q12, S.q22))
        for at, got in zip(POINTS, found, strict=True):
            (value,) = exact(*map(acb, at))
            assert abs((got - value.real) / value.real) <= 4 * EPS, at


def test_higher_powers_by_fifteen_means() -> None:
    """x^4 Phi(x) at opposite inputs, where its dual is an integral over one of them."""
    b = Builder(("q11", "q12", "q22"))
    value = opposite(b, Fraction(0), Smoothed(((4, Integer(1)),), Integer(1)))
    p = b.program("means", (("nngp", value),))
    ctx = MPContext()
    for q in (1, 50):
        ctx.prec = 64  # more, and the closed form would be taken
        got = p.evaluate({"q11": q, "q12": -q, "q22": q}, ctx)["nngp"]
        ctx.prec = 100

        def density(x: Any, q: int = q) -> Any:
            both = ctx.ncdf(x) * ctx.ncdf(-x)
            return x**8 * both * ctx.npdf(x, 0, ctx.sqrt(q))

        exact = 2 * ctx.quad(density, [0, 2, 4, 8, 16, 32])
        assert abs(got / exact - 1) <= 2 * EPS


def test_products_of_huge_variances_are_left_to_the_closed_form() -> None:
    """Two doubles have no more room there; a value that is representable is right."""
    kernel = compile_(dual(as_activation("x**2*Phi(x)")), "numpy")
    found = kernel([1e200, 1e200], [0.0, -0.3e200], [1e-100, 1e200]).nngp
    assert abs(found[0] / 0.25e100 - 1) <= 4 * EPS
    assert found[1] == float("inf")


def test_what_is_taken() -> None:
    """One smooth step about 0, even powers, coefficients of one sign, no multiple of it alone."""
    for text in (
        "x*Phi(x)",
        "Phi(x)",
        "x**6*Phi(x)",
        "(x**2 - 1)*Phi(x)",
        "x**2*Phi(x + 1)",
        "x**2*Phi(x) + 1",
        "x**2*Phi(x)*exp(-x**2)",
        "max(x, 0)**2",
        "x**2",
    ):
        assert smoothed(as_activation(text)) is None, text
    found = smoothed(as_activation("-x**2*(1 - erf(x)) - (1 - erf(x))/3"))
    assert found is not None
    assert found.noise * 2 == 1
    assert [n for n, _ in found.powers] == [0, 2]
