"""One-sided powers near opposite inputs: relative to the value, however small it is."""

from __future__ import annotations

import pytest
from flint import acb

from ntksym import symbols as S
from ntksym.collapse.straight import Straight
from ntksym.dual import dual
from ntksym.language import as_activation
from ntksym.lower.wedge import one_sided
from ntksym.precision import precision
from ntksym.runtime.compile import compile as compile_

EPS = 2.0**-52


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize("text", ["max(x, 0)**2", "max(-x, 0)**4", "max(x, 0)**2 + max(x, 0)"])
def test_opposite_inputs_keep_the_digits_of_the_value(text: str, target: str) -> None:
    """The terms of the closed form are up to 1e39 times the value."""
    d = dual(as_activation(text))
    kernel = compile_(d, target)
    for a, rho, b in ((1.0, -1 + 2.0**-30, 1.0), (2.0, -1 + 2.0**-9, 0.5), (5.0, -0.7, 5.0)):
        c = rho * (a * b) ** 0.5
        with precision(600):
            exact = Straight((d.value, d.dot), (S.q11, S.q12, S.q22))(acb(a), acb(c), acb(b))
            found = kernel([a], [c], [b])
            for got, value in zip((found.nngp[0], found.dot[0]), exact, strict=True):
                most = 4 if "**4" in text else 6  # squares keep what rounding takes, for speed
                assert abs((got - value.real) / value.real) <= most * EPS, (a, rho, b)


def test_only_one_sided_powers_are_taken() -> None:
    """No jump, no second side, no other kink, no power below two alone."""
    for text in ("max(x, 0)", "abs(x)**3", "step(x)*x**2 + step(x)", "max(x - 1, 0)**2", "x**2"):
        assert one_sided(as_activation(text)) is None, text
    powers, slopes = one_sided(as_activation("max(-x, 0)**3")) or ({}, {})
    assert list(powers.items()) == [(3, 1)] and list(slopes.items()) == [(2, 3)]
