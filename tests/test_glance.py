"""How fast Hermite coefficients fall, in doubles, against balls; looks that cost next to nothing."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest

from ntksym.errors import Undecided
from ntksym.language import as_activation
from ntksym.numeric.rules import RULES
from ntksym.numeric.series.enclosed import coefficients
from ntksym.numeric.series.glance import glance
from ntksym.precision import precision
from ntksym.verify.definition import factor


@pytest.mark.parametrize(
    "text", ["mish(x)", "x/(1+abs(x))", "max(x - 1, 0)*tanh(x)", "log(1 + exp(x))*sin(x)"]
)
def test_doubles_say_what_balls_say(text: str) -> None:
    activation, count = as_activation(text), 64
    with precision(128):
        pieces = factor(activation.expr, derivative=False, distributional=False).pieces
    found = glance(pieces, 7.0, count)
    assert found is not None
    sure = coefficients(activation, Fraction(49), count, bits=128)
    half = float(sure.rest) + sum(float(a) ** 2 for a in sure.values[count // 2 :])
    for got, want in zip(found, (float(sure.second), half, float(sure.rest)), strict=True):
        assert abs(got - want) <= 1e-13 * found[0]


def test_what_doubles_cannot_tell_is_not_told() -> None:
    with precision(128):
        for text, dev in (("tanh(x/9)", 1.0), ("sin(10000000*x)", 1.0), ("exp(x**2/5)", 2.0)):
            expr = as_activation(text).expr
            pieces = factor(expr, derivative=False, distributional=False).pieces
            assert glance(pieces, dev, 64) is None, text


@pytest.mark.parametrize("text", ["mish(x)", "gelu_tanh(x)", "log(1 + exp(x))*sin(x)", "atan(x)"])
def test_looks_at_wide_variances_take_no_time(text: str) -> None:
    """In balls they take time in proportion to the deviation: 10 s of a core each."""
    activation, variances = as_activation(text), (Fraction(16384), Fraction(32768))
    begin = time.thread_time()
    for name in ("tabulated", "series"):
        look = RULES[name].seconds
        assert look is not None
        for error in (1e-10, 1e-8):
            with pytest.raises(Undecided, match=r"(terms|coefficients)"):
                look(activation, variances, error)
    assert time.thread_time() - begin < 1.0
