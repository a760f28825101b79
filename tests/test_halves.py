"""Functions with a kink at 0 alone, at small variances: the series of their two halves."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import acb

from ntksym import symbols as S
from ntksym.backends.c.helpers.price import price_functions
from ntksym.collapse.straight import Straight
from ntksym.dual import dual
from ntksym.language import as_activation
from ntksym.lower.kernel import lower_dual
from ntksym.lower.price import small_program
from ntksym.precision import precision
from ntksym.runtime.compile import compile as compile_

EPS = 2.0**-52
TEXTS = ("selu", "1 - exp(-abs(x))", "max(1 - exp(-2*x), 0) - min(x, 0)/3", "sinh(abs(x)/2)")
ROWS = tuple(
    (a, rho * (a * b) ** 0.5, b)
    for a, b in ((1e-40, 3e-40), (1e-9, 0.06), (0.002, 0.001), (0.06, 0.062))
    for rho in (0.0, -0.8, 0.999999, -1.0 + 2.0**-45)
)


@pytest.mark.parametrize(
    ("text", "target"), [*((t, "numpy") for t in TEXTS), *((t, "c") for t in TEXTS[:2])]
)
def test_small_variances_need_no_integral(text: str, target: str) -> None:
    """Nearly equal, opposite and independent inputs, of like and unlike variances."""
    d = dual(as_activation(text))
    small = small_program(d.activation)
    assert small is not None and small.series is not None
    assert small.series.below >= Fraction(1, 16)
    found = compile_(d, target)(*(list(v) for v in zip(*ROWS, strict=True))).nngp
    with precision(400):
        pair, own = Straight((d.value,), (S.q11, S.q12, S.q22)), Straight((d.diag,), (S.q,))
        for (a, c, b), got in zip(ROWS, found, strict=True):
            value = pair(acb(a), acb(c), acb(b))[0]
            size = (own(acb(a))[0] * own(acb(b))[0]).real.sqrt()
            assert abs((got - value.real) / size) <= 3 * EPS, (a, c, b)


def test_what_the_code_sums() -> None:
    """The sums of one activation in C; none where another kink adds what the series has not."""
    text = price_functions((lower_dual(dual(as_activation("selu"))),))
    assert text.count("ntksym_halves_sum(int count") == 1 and "_series(a, c, b, r, sum)" in text
    other = small_program(as_activation("max(x, 0) + max(x - 3, 0)*exp(-x)"))
    assert other is None or other.series is None


def test_terms_that_count() -> None:
    """Of max(1 - exp(-x), 0) only one half has any, and none is of inputs of unlike signs."""
    small = small_program(as_activation("max(1 - exp(-x), 0)"))
    assert small is not None and small.series is not None
    assert not any(small.series.left) and not any(small.series.used[1])
    assert small.series.right[:4] == (0.0, 1.0, -1.0, 1.0)
