"""Owen's T by moments: the sum against its integral, and in C the same bits in every block."""

from __future__ import annotations

import numpy as np
import pytest
from mpmath import MPContext

import ntksym
from ntksym.backends.owen_series import DEGREE, MOST, fractions, last_moment


@pytest.mark.parametrize("a", [0.0, 1e-3, 0.4, 0.9, 1.0])
@pytest.mark.parametrize("w", [0.0, 1e-6, 0.3, 2.0, MOST])
def test_the_sum_of_moments_is_the_integral(a: float, w: float) -> None:
    moment = 0.0
    for c in reversed(last_moment()):
        moment = moment * 2 * w + c
    total = fractions()[DEGREE] * moment
    for k in range(DEGREE - 1, -1, -1):
        moment = 1 + 2 * w / (2 * k + 3) * moment
        total = total * a * a + fractions()[k] * moment
    ctx = MPContext()
    ctx.dps = 40
    exact = ctx.quad(lambda x: ctx.exp(w * (1 - x * x)) / (1 + (a * x) ** 2), [0, 0.5, 1])
    assert abs(total / exact - 1) <= 6e-16


def test_points_do_not_depend_on_their_block() -> None:
    """One variance for all points is a short cut, and must not show; nor must far points."""
    k = ntksym.compile("max(-1,min(1,x))")
    rho = np.linspace(-0.999, 0.999, 64)
    alike = k(np.ones(64), rho, np.ones(64))
    other = np.where(np.arange(64) % 2, 1.0, 0.04)
    mixed = k(other, rho * np.sqrt(other), np.ones(64))
    for name in ("nngp", "dot"):
        a, b = getattr(alike, name), getattr(mixed, name)
        np.testing.assert_array_equal(a[1::2], b[1::2])
        assert np.isfinite(b).all()
