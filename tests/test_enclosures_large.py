"""Waves, bumps and kinks of the scale of one under a variance of 10^4."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flint import arb

from ntksym.errors import Undecided
from ntksym.language import parse_activation
from ntksym.verify.balls import enclose_definition
from ntksym.verify.functions.rates import Growth
from ntksym.verify.rules.lattice import Lattice

FAR = (10**4, 9 * 10**3, 10**4)


def test_a_wave_that_falls_has_a_strip() -> None:
    r"""$\sin(x)/x = \int_0^1 \cos(sx)\,ds$, so that E is a plane integral of two Gaussians."""
    s, step = np.linspace(0, 0.16, 1601, retstep=True)
    a, b = s[:, None], s[None, :]
    weight = np.ones(1601)
    weight[0] = 0.5
    q11, q12, q22 = FAR
    both = sum(np.exp(-(q11 * a * a + 2 * k * q12 * a * b + q22 * b * b) / 2) for k in (1, -1))
    ball = enclose_definition(parse_activation("sin(x)/x"), *FAR)
    assert ball.rel_digits >= 30
    assert float(ball.mid) == pytest.approx(weight @ both @ weight * step**2 / 2, rel=1e-9)


@pytest.mark.parametrize(
    ("text", "digits", "near"),
    [
        ("max(sin(x), cos(x))*exp(-x^2/8)", 5, 1 / 4063.96),
        ("(exp(x)-1)/x*exp(-x^2)", 9, 1 / 7337.94),
    ],
)
def test_what_is_too_small_to_matter_has_no_nodes(text: str, digits: int, near: float) -> None:
    """A bump at 0 meets the density there: E is (integral of s)^2 over 2 pi sqrt(det), nearly."""
    ball = enclose_definition(parse_activation(text), *FAR, digits=digits)
    assert ball.rel_digits >= digits
    assert float(ball.mid) == pytest.approx(near, rel=1e-3)


@pytest.mark.parametrize(
    ("text", "slope"),
    [
        ("1 - exp(-exp(x))", lambda u: np.exp(np.minimum(u, 99) - np.exp(np.minimum(u, 99)))),
        ("asinh(exp(x))", lambda u: 1 / np.sqrt(1 + np.exp(-2 * np.maximum(u, -300)))),
    ],
)
def test_slopes_that_seem_to_grow_exponentially(text: str, slope: Any) -> None:
    """At correlation one half, by the trapezoid rule: the growth of a product is not its factors'."""
    ball = enclose_definition(parse_activation(text), 10**4, 5000, 10**4, derivative=True, digits=9)
    u, step = np.linspace(-600, 600, 2401, retstep=True)
    form = (u[:, None] ** 2 - u[:, None] * u + u**2) / 1.5e4
    both = slope(u) @ np.exp(-form) @ slope(u) * step**2 / (2 * np.pi * np.sqrt(0.75e8))
    assert ball.rel_digits >= 9
    assert float(ball.mid) == pytest.approx(float(both), rel=1e-6)


def test_the_rate_of_a_sum_is_that_of_its_last_term() -> None:
    bump, one = Growth(arb(1), 0, arb(2), arb(-1)), Growth(arb(3), 0, arb(0), arb(0))
    for total in (bump + one, one + bump):
        assert total.b == 0
        assert total.a == 0
        assert total.c.overlaps(3 + arb(1).exp())
    wide = Growth(arb(1), 0, arb(2), arb(-1) / 1000)
    assert (wide + one).b == 2


@pytest.mark.parametrize("derivative", [False, True], ids=["value", "slope"])
@pytest.mark.parametrize(
    ("irrational", "below", "above"),
    [
        ("abs(x)^pi*tanh(x)", "abs(x)^(333/106)*tanh(x)", "abs(x)^(355/113)*tanh(x)"),
        ("max(0,x)^sqrt(2)*cos(x)", "max(0,x)^(1393/985)*cos(x)", "max(0,x)^(3363/2378)*cos(x)"),
    ],
)
def test_irrational_powers(irrational: str, below: str, above: str, derivative: bool) -> None:
    """They lie between two rational ones, which have rules of their own."""
    value, low, high = (
        enclose_definition(parse_activation(text), 1, "1/2", 1, derivative=derivative, digits=12)
        for text in (irrational, below, above)
    )
    assert value.rel_digits >= 12
    assert min(low.mid, high.mid) < value.mid < max(low.mid, high.mid)


def test_numbers_of_a_million_digits_are_refused_at_once() -> None:
    with pytest.raises(Undecided, match="no growth certificate"):
        enclose_definition(parse_activation("abs(x)^abs(x)"), *FAR)


@pytest.mark.parametrize(
    ("text", "slope", "limit"),
    [
        ("sigmoid(50*(x - 1))", True, 1 / (160 * np.pi)),
        ("tanh(10*x) + x/10", False, 1 / 3 + 10 * np.sqrt(2 / np.pi) + 50),
    ],
)
def test_narrow_bends_take_panels(
    monkeypatch: pytest.MonkeyPatch, text: str, slope: bool, limit: float
) -> None:
    """A lattice as fine as the bend has 10^5 nodes; a step and a line are near enough to both."""
    point = (100, 60, 100) if slope else (10**4, 5000, 10**4)
    nodes: list[int] = []
    monkeypatch.setattr(Lattice, "value", lambda grid: nodes.append(grid.nodes))
    ball = enclose_definition(parse_activation(text), *point, derivative=slope)
    assert nodes == []
    assert ball.rel_digits >= 30
    assert float(ball.mid) == pytest.approx(limit, rel=1e-2)
