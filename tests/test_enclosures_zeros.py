"""Kinks at zeros that are hard to locate: at irrational ends, double, endless beside few jumps."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy as sp
from flint import arb, ctx
from scipy.special import erf

from ntksym.errors import BadActivation
from ntksym.language import parse_activation
from ntksym.numeric.expected import admissible
from ntksym.precision import precision
from ntksym.symbols import x
from ntksym.verify.balls import enclose_definition
from ntksym.verify.functions import pieces, reach
from ntksym.verify.functions.isolated import Isolated
from ntksym.verify.functions.pieces import number
from ntksym.verify.functions.ranges import LINE, Range, range_of
from ntksym.verify.functions.roots import isolated_zeros
from ntksym.verify.functions.zeros import all_zeros

KINKED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "max(abs(x + pi)^1.5, (1 + abs(x))^0.3)": lambda z: np.maximum(
        abs(z + np.pi) ** 1.5, (1 + abs(z)) ** 0.3
    ),
    "max(abs(x^2 - 2)^0.7, 1/3)": lambda z: np.maximum(abs(z * z - 2) ** 0.7, 1 / 3),
    "min(abs(x + 2)^0.7, exp(-abs(x)))": lambda z: np.minimum(abs(z + 2) ** 0.7, np.exp(-abs(z))),
    "min(erf(x + 5), sign(x))": lambda z: np.minimum(erf(z + 5), np.sign(z)),
    "max(cos(pi*x + 1/7), step(x - 5))": lambda z: np.maximum(np.cos(np.pi * z + 1 / 7), z > 5),
    "piecewise((min(tanh(x), log(2 + cos(x - 2))), x > 0.3), (x, True))": lambda z: np.where(
        z > 0.3, np.minimum(np.tanh(z), np.log(2 + np.cos(z - 2))), z
    ),
    "min(cos(x), max(x, -1))": lambda z: np.minimum(np.cos(z), np.maximum(z, -1)),
    "clip(asinh(x + 1)/(2 + abs(x)), -5, 2)": lambda z: np.arcsinh(z + 1) / (2 + abs(z)),
    "min(asinh(x + 0.3), log(3 + abs(x)))": lambda z: np.minimum(
        np.arcsinh(z + 0.3), np.log(3 + abs(z))
    ),
}


@pytest.mark.parametrize("text", list(KINKED))
def test_kinks_are_located(text: str) -> None:
    z, step = np.linspace(-9, 9, 900_001, retstep=True)
    weight = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * step
    ball = enclose_definition(parse_activation(text).expr, 4, 0, 9)
    means = [np.sum(weight * KINKED[text](s * z)) for s in (2, 3)]
    assert ball.rel_digits >= 29
    assert abs(float(ball.mid) - means[0] * means[1]) < 1e-4 * max(1, abs(means[0] * means[1]))


def test_zeros_of_waves_are_those_of_an_interval() -> None:
    found = all_zeros(1 + sp.cos(x), sp.Integer(-4), sp.Integer(8))
    assert {sp.pi, -sp.pi} <= set(found)
    halves = {sp.pi / 6, 5 * sp.pi / 6}
    assert halves <= set(all_zeros(2 * sp.sin(x) - 1, sp.Integer(0), sp.Integer(3)))
    assert all_zeros(sp.sin(x) - 2, None, None) == ()
    double = set(all_zeros(sp.sin(x) - sp.cos(2 * x), sp.Integer(-3), sp.Integer(3)))
    assert {-sp.pi / 2, sp.pi / 6, 5 * sp.pi / 6} <= double
    tangent = set(all_zeros(sp.sin(x) ** 2 - sp.cos(x) - 1, sp.Integer(-4), sp.Integer(4)))
    assert {sp.pi, -sp.pi, sp.pi / 2} <= tangent


def test_values_that_are_not_reached_have_no_zeros() -> None:
    assert all_zeros(sp.erf(x + 5) + 1, None, sp.Integer(0)) == ()
    assert all_zeros(2 * sp.atan(x) - sp.pi, None, None) == ()


def test_ranges_of_switches() -> None:
    assert range_of(abs(x) + 2, LINE).lo == 2
    assert range_of(sp.Max(x, -1), Range(-3, 2)) == Range(-1, 2)
    assert range_of(sp.Min(x, sp.sign(x)), Range(-3, 2)) == Range(-3, 1)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_two_zeros_where_a_function_turns(n: int) -> None:
    """Where sin touches one, tanh is below it by 2 exp(-2x): the zeros are 4 exp(-x) apart."""
    g, turn = sp.sin(x) - sp.tanh(x), sp.pi / 2 + 2 * n * sp.pi
    zeros = isolated_zeros(g, Fraction(6 * n), Fraction(6 * n + 4))
    with precision(256):
        low, high = sorted((number(z) for z in zeros), key=float)
        at = number(turn)
        assert low < at < high
        assert low.rad() < arb(2) ** -240
        assert abs((high - low) / (4 * (-at).exp()) - 1) < arb("0.01")


def test_no_zeros_where_a_function_turns_before() -> None:
    assert isolated_zeros(sp.sin(x) - 1 - sp.exp(-x), Fraction(6), Fraction(10)) == ()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("max(tanh(x), sin(x))", 1),
        ("max(exp(x) - 1, sin(x))", 1),
        ("max(erf(x), cos(x))", 1),
        ("max(tanh(x), sin(x))", 10),
        ("max(erf(x), cos(x))", 5),
    ],
)
def test_pairs_of_kinks_without_end(text: str, size: int) -> None:
    """The nearest are 4 exp(-250) apart where deviations are 10, and exp(-7890) for erf."""
    z, step = np.linspace(-14, 14, 560_001, retstep=True)
    u = z * size
    one = np.cos(u) if "cos" in text else np.sin(u)
    two = np.expm1(u) if "exp" in text else np.tanh(u) if "tanh" in text else erf(u)
    mean = np.sum(np.exp(-z * z / 2) * np.maximum(one, two)) * step / np.sqrt(2 * np.pi)
    ball = enclose_definition(parse_activation(text).expr, size**2, 0, size**2)
    assert ball.rel_digits >= 30
    assert float(ball.mid) == pytest.approx(mean**2, rel=1e-7)


def test_two_zeros_thousands_of_bits_apart() -> None:
    """1 - erf is near exp(-x^2)/(x sqrt(pi)): at 20 pi the zeros are exp(-1976) apart."""
    turn = 20 * sp.pi
    zeros = isolated_zeros(sp.cos(x) - sp.erf(x), Fraction(61), Fraction(64))
    with precision(8192):
        low, high = sorted((number(z) for z in zeros), key=lambda z: bool(z > number(turn)))
        at = number(turn)
        assert low < at < high
        gap = (8 * (-at * at).exp() / (at * arb.pi().sqrt())).sqrt()
        assert abs((high - low) / gap - 1) < arb("0.001")


@pytest.mark.parametrize("derivative", [False, True])
def test_powers_of_other_bases_are_exponentials(derivative: bool) -> None:
    """2^x/(1 + 2^x) is sigmoid(x log 2): what divides is seen to be positive."""
    balls = [
        enclose_definition(parse_activation(text), 9, -4, "5/2", derivative=derivative)
        for text in ("2^x/(1 + 2^x)", "sigmoid(x*log(2))")
    ]
    assert all(ball.rel_digits >= 30 for ball in balls)
    assert balls[0].overlaps(balls[1])
    bounds = range_of((2 + sp.sin(x)) ** x, Range(0, 2))
    assert 0.999 < bounds.lo <= 1
    assert 9 <= bounds.hi < 9.001


def test_kinks_that_nearly_meet_are_told_apart_by_their_intervals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """sin(x) exceeds erf(x) by e^-3380 near 58: its sign there needs 8192 bits, the kinks do not."""
    bits: list[int] = []
    plain = pieces.number

    def watched(expr: Any) -> Any:
        if isinstance(expr, Isolated):
            bits.append(int(ctx.prec))
        return plain(expr)

    monkeypatch.setattr(pieces, "number", watched)
    pieces.split.cache_clear()
    found = pieces.split(parse_activation("max(sin(x), erf(x))").expr, 64)
    assert max(bits) <= 256
    inner = [p for p in found if p.expr == sp.sin(x) and p.lo is not None and p.hi is not None]
    assert sum(1 for p in inner if plain(p.lo) > 6) == 9


def test_a_bound_of_the_size_needs_few_of_infinitely_many_kinks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those of max(sin(x), erf(x)) up to 256 took 4 s; a pole farther out is still seen."""
    asked: list[int] = []
    plain = reach.split

    def watched(expr: Any, far: int | None = None, *more: Any) -> Any:
        asked.append(far or 0)
        return plain(expr, far, *more)

    monkeypatch.setattr(reach, "split", watched)
    admissible(parse_activation("max(sin(x), erf(x + 1/7))"))
    assert 0 < max(asked) <= 24
    with pytest.raises(BadActivation, match="infinite at x = 100"):
        admissible(parse_activation("max(sin(x), cos(x))/(x - 100)"))
    assert max(asked) > 100
