"""exp(b x^2) with a parameter of either sign: its dual in closed form, at any variance."""

from __future__ import annotations

import numpy as np
import pytest
from flint import arb

from ntksym.dual import dual
from ntksym.language import as_activation
from ntksym.lower.lone import lone_root
from ntksym.precision import precision
from ntksym.runtime.compile import compile as compile_

EPS = 2.0**-52
PLACES = (
    (1.0, 0.5, 2.0, -0.5),
    (1e100, -0.5e100, 2e100, -3.0),
    (1e120, 0.999e120, 1e120, -0.5),
    (1e160, 0.3e160, 1e160, -0.5),
    (1e290, 1e289, 1e290, -0.25),
    (1e-200, 0.5e-200, 1e200, -0.5),
    (0.1, 0.09, 0.2, 0.75),  # a bell upside down: it has a dual at small variances
    (0.2, -0.1, 0.15, 0.75),
)


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_no_product_leaves_the_range_of_doubles(target: str) -> None:
    """K was 0 from variances of 1e155 on, its derivative from 1e103 on."""
    run = compile_(dual(as_activation("exp(b*x^2)")), target)
    for a, c, q, b in PLACES:
        found = run(np.array([a]), np.array([c]), np.array([q]), b=b)
        with precision(400):
            x, y, z, e = map(arb, (a, c, q, b))
            value = 1 / ((1 - 2 * e * x) * (1 - 2 * e * z) - (2 * e * y) ** 2).sqrt()
            slope = 4 * e * e * y * value**3
            for got, exact in ((found.nngp[0], value), (found.dot[0], slope)):
                assert float(abs(got - exact)) <= 4 * EPS * float(abs(exact)) + 5e-324


def test_other_duals_have_no_such_root() -> None:
    """Of a polynomial, and of a bell times x."""
    for text in ("x^2", "x*exp(-x^2/2)", "relu"):
        found = dual(as_activation(text))
        assert lone_root(found.value, found.dot) is None


def test_the_end_of_the_domain_is_infinite_in_many_digits_too() -> None:
    """exp(x^2/2) at variance 1, where `ntksym export --shelf` had divided by zero."""
    from mpmath import MPContext

    from ntksym.lower import lower_dual

    program = lower_dual(dual(as_activation("exp(b*x^2)")))
    found = program.evaluate({"q11": 1.0, "q12": 0.0, "q22": 1.0, "b": 0.5}, MPContext())
    assert found["nngp"] == found["nngp"] + 1
