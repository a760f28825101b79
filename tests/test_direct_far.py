"""A tiny variance, or none, beside a huge one, where s cancels at its kink: against an integral."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from flint import arb

from ntksym.dual import dual
from ntksym.language import as_activation
from ntksym.lower.far import NODES, far_rule
from ntksym.precision import precision
from ntksym.runtime.compile import compile as compile_

EPS = 2.0**-52
RATES = {"elu": 1, "celu": 0.5}
"""(exp(b*x) - 1)/b below 0, x above."""
PAIRS = ((1.3e-8, 0.37, 1.7e20), (2.1e-60, -0.999, 1.1e4), (1e-8, 0.5, 1e20))


def text_of(rate: float) -> str:
    """The activation."""
    return "piecewise((x, x > 0), ((exp(b*x) - 1)/b, True))".replace("b", f"({rate})")


def tail(e: Any, y: Any) -> Any:
    """exp(e)*P(Z > y)."""
    half = y * y / 2
    if not y > 20:
        return e.exp() * (y / arb(2).sqrt()).erfc() / 2
    mills = half.hypgeom_u(arb(1) / 2, arb(1) / 2)
    return (e - half).exp() * mills / (2 * arb.pi().sqrt())


def mean(rate: Any, m: Any, t: Any) -> tuple[Any, Any]:
    """E[s(v)] and E[s'(v)], v of mean m and deviation t."""
    z = m / t
    above = tail(arb(0), -z)
    bell = t * (-z * z / 2).exp() / (2 * arb.pi()).sqrt()
    grown = tail(rate * m + rate * rate * t * t / 2, z + rate * t)
    return m * above + bell + (grown - (1 - above)) / rate, above + grown


def exact(rate: float, q11: float, q12: float, q22: float) -> tuple[Any, Any]:
    """Both duals, q11 the smaller one: Gauss-Legendre, octave by octave from 0."""
    nodes = [arb.legendre_p_root(20, k, weight=True) for k in range(20)]
    b, r, turn = arb(rate), arb(q11).sqrt(), arb(q12) / arb(q11)
    t = ((arb(q11) * arb(q22) - arb(q12) ** 2) / arb(q11)).sqrt()
    totals = [arb(0), arb(0)]
    for side in (1, -1):
        low, high = arb(0), arb(2) ** -30
        while high <= 16:
            for z, w in nodes:
                x = side * (low + (high - low) * (z + 1) / 2)
                u, weight = r * x, w * (high - low) / 2 * (-x * x / 2).exp()
                below = (b * u).expm1() / b, (b * u).exp()
                own = (u, arb(1)) if side > 0 else below
                for k, value in enumerate(mean(b, turn * u, t)):
                    totals[k] += weight * own[k] * value
            low, high = high, 2 * high
    return totals[0] / (2 * arb.pi()).sqrt(), totals[1] / (2 * arb.pi()).sqrt()


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
def test_a_tiny_variance_beside_a_huge_one(rate: float, target: str) -> None:
    """Exponents of the closed form are as large as the variance, and their rounding is too."""
    at = [(a, r * a**0.5 * b**0.5, b) for a, r, b in PAIRS]
    kernel = compile_(dual(as_activation(text_of(rate))), target)
    columns = [np.array(v) for v in zip(*at, strict=True)]
    there, back = kernel(*columns), kernel(*columns[::-1])
    for i, p in enumerate(at):
        with precision(320):
            value, slope = exact(rate, *p)
            size = (arb(p[0]) * arb(p[2])).sqrt()
            for found in (there, back):
                assert abs(arb(found.nngp[i]) - value) <= 4 * EPS * size, p
                assert abs(arb(found.dot[i]) - slope) <= 4 * EPS, p


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
def test_no_variance_beside_a_huge_one(rate: float, target: str) -> None:
    """u = 0: the dual is s(0) E[s(v)] = 0, its derivative s'(0) E[s'(v)]."""
    kernel = compile_(dual(as_activation(text_of(rate))), target)
    large = np.array([1e4, 1.7e8, 1.7e20, 1e60, 1e150])
    for columns in ((0 * large, 0 * large, large), (large, 0 * large, 0 * large)):
        found = kernel(*columns)
        assert np.all(found.nngp == 0.0)
        for q, dot in zip(large, found.dot, strict=True):
            with precision(1200):
                _, slope = mean(arb(rate), arb(0), arb(float(q)).sqrt())
                assert abs(arb(float(dot)) - slope) <= 4 * EPS, q


@pytest.mark.parametrize("text", ["exp(-abs(x))", "heaviside(x - 1)*exp(-x)"])
@pytest.mark.parametrize("target", ["c", "numpy"])
def test_equal_inputs_of_a_huge_variance_have_the_diagonal(text: str, target: str) -> None:
    """Of E[exp(-2|u|)] and E[exp(-2u); u > 1] the density at 0 is left."""
    whole = 1 if text.startswith("exp") else np.exp(-2) / 2
    large = np.array([1.3e9, 1.7e20, 1.9e60, 1.3e150])
    found = compile_(dual(as_activation(text)), target)(large, large, large).nngp
    assert np.allclose(found * np.sqrt(2 * np.pi * large), whole, rtol=1e-8, atol=0)


@pytest.mark.parametrize("text", ["max(x - 1, 0)*exp(-x)", "heaviside(x - 1)*exp(-x)"])
@pytest.mark.parametrize("target", ["c", "numpy"])
def test_tails_beside_a_huge_variance_are_numbers(text: str, target: str) -> None:
    """Where one kernel underflows, so does the dual; where none does, the dual is within both."""
    a, b = np.array([1.3e-8, 0.013, 0.9]), np.array([1.3e150] * 3)
    kernel = compile_(dual(as_activation(text)), target)
    sizes = [kernel(q, q, q).nngp for q in (a, b)]
    for rho in (-0.3, 0.0, 0.3, 0.999):
        found = kernel(a, rho * np.sqrt(a) * np.sqrt(b), b)
        assert np.all(np.abs(found.nngp) <= np.sqrt(sizes[0]) * np.sqrt(sizes[1]) * (1 + 1e-12))
        assert np.all(np.isfinite(found.dot))


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_the_derivative_far_out_on_the_diagonal(target: str) -> None:
    """1/2 + exp(2 q) Phi(-2 sqrt(q)): the exponents are taken from each other to all digits."""
    large = np.array([7e3, 1.3e9, 7.7e12, 1.7e20])
    found = compile_(dual(as_activation(text_of(1))), target).diag(large).dot
    for q, dot in zip(large, found, strict=True):
        with precision(600):
            root = 2 * arb(float(q)).sqrt()
            exact_dot = arb(1) / 2 + tail(2 * arb(float(q)), root)
            assert abs(arb(float(dot)) - exact_dot) <= 4 * EPS, q


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_two_rates_of_decay_have_panels_of_their_own(target: str) -> None:
    """The integral of (exp(-x) - exp(-2 x))^2 over x > 0 is 1/12, times the density at 0."""
    d = dual(as_activation("piecewise((exp(-x) - exp(-2*x), x > 0), (0, True))"))
    large = np.array([1.3e18, 1.7e20])
    found = compile_(d, target)(large, large, large).nngp
    assert np.allclose(found * np.sqrt(2 * np.pi * large) * 12, 1, rtol=8 * EPS, atol=0)


def decaying(m: Any, t: Any) -> tuple[Any, Any]:
    """E[exp(-v); v > 1] and E[(v - 1) exp(-v); v > 1], v of mean m and deviation t."""
    y = (1 - m) / t + t
    flat = tail(t * t / 2 - m, y)
    bell = (-1 - ((1 - m) / t) ** 2 / 2).exp() / (2 * arb.pi()).sqrt()
    return flat, t * (bell - y * flat)


def decayed(q11: float, q12: float, q22: float) -> tuple[Any, ...]:
    """Duals of exp(-x) and of (x - 1)*exp(-x) beyond 1, each with that of the derivative."""
    a, b, c = arb(q11), arb(q22), arb(q12)
    det, total = a * b - c * c, [arb(0), arb(0), arb(0)]
    nodes = [arb.legendre_p_root(30, k, weight=True) for k in range(30)]
    ends = [arb(0)] + [arb(2) ** k for k in range(-3, 7)]
    for low, high in pairwise(ends):
        for z, w in nodes:
            y = low + (high - low) * (z + 1) / 2
            flat, line = decaying((1 + y) * c / a, (det / a).sqrt())
            weight = w * (high - low) / 2 * (-((1 + y) ** 2) / (2 * a) - 1 - y).exp()
            for k, value in enumerate((flat, y * line, (1 - y) * (flat - line))):
                total[k] += weight * value
    flats, lines, slopes = (v / (2 * arb.pi() * a).sqrt() for v in total)
    jump = (-2 - (a + b - 2 * c) / (2 * det)).exp() / (2 * arb.pi() * det.sqrt())
    for q in (a, b):
        bell = (-1 - 1 / (2 * q)).exp() / (2 * arb.pi() * q).sqrt()
        jump -= bell * decaying(c / q, (det / q).sqrt())[0]
    return flats, flats + jump, lines, slopes


@pytest.mark.parametrize("text", ["heaviside(x - 1)*exp(-x)", "max(x - 1, 0)*exp(-x)"])
@pytest.mark.parametrize("target", ["c", "numpy"])
def test_what_is_narrow_beside_the_deviation_keeps_its_width(text: str, target: str) -> None:
    """Panels about a kink, of a length of 1, where the deviation is 1e10 and the mean as large."""
    at = [(a, r * a**0.5 * b**0.5, b) for a, r, b in ((5.3, -0.3, 1.7e20), (1.3, -0.9, 1e35))]
    columns = [np.array(v) for v in zip(*at, strict=True)]
    kernel = compile_(dual(as_activation(text)), target)
    found = kernel(*columns)
    sizes = [kernel.diag(v) for v in columns[::2]]
    for i, p in enumerate(at):
        with precision(800):
            value, slope = decayed(*p)[:2] if text.startswith("heaviside") else decayed(*p)[2:]
            assert abs(arb(found.nngp[i]) - value) <= 4 * EPS * abs(value), p
            least = (arb(sizes[0].dot[i]) * arb(sizes[1].dot[i])).sqrt()
            if not least.is_finite():  # the derivative jumps
                least = (arb(sizes[0].nngp[i] / p[0]) * arb(sizes[1].nngp[i] / p[2])).sqrt()
            assert abs(arb(found.dot[i]) - slope) <= 4 * EPS * abs(slope).max(least), p


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_what_overflows_is_infinite(target: str) -> None:
    """E[exp(u + v); u, v > 1] > exp(709): no difference of two numbers that overflow is formed."""
    kernel = compile_(dual(as_activation("heaviside(x - 1)*exp(x)")), target)
    b = np.array([1e4, 1e10, 1e20, 1e76, 1e80, 1e100, 1e150])
    for a, rho, large in (
        (0.9, 0.3, b),
        (0.9, -0.3, b),
        (1.3e-8, 0.3, b[1:]),
        (1.3e-8, -0.3, b[1:]),
    ):
        small = np.full_like(large, a)
        found = kernel(small, rho * a**0.5 * np.sqrt(large), large)
        assert np.all(found.nngp == np.inf) and np.all(found.dot == np.inf), (a, rho)


@pytest.mark.parametrize(
    ("text", "mass"),
    [
        ("exp(-abs(x)/10)", 20.0),
        ("exp(-1000*abs(x))", 0.002),
        ("abs(x)-x*erf(10*x)", 0.005),
        ("abs(x-1)*exp(-abs(x))", 2 + 2 / np.e),
        ("exp(-abs(x))-exp(-30*abs(x))", 2 - 2 / 30),
    ],
)
def test_panels_of_what_dies_out_are_as_long_as_they_may(text: str, mass: float) -> None:
    """Of any width, or widths: the second part of |x| - x*erf(10 x) was off by 1e9 eps before."""
    found = far_rule(as_activation(text))
    assert found is not None and len(found.nodes) <= 256
    assert abs(sum(found.weights) / mass - 1) <= 4 * EPS


@pytest.mark.parametrize(("at", "tilt"), [(10, 1), (15, 0.5), (50, 1), (200, 1)])
def test_a_hill_far_from_zero_is_in_the_rule(at: int, tilt: float) -> None:
    """Nothing is there in many digits between 0 and the hill, which was missed."""
    rule = far_rule(as_activation(f"max(x, 0) + exp(-{Fraction(tilt)}*(x - {at})^2)"))
    assert rule is not None and max(rule.nodes) > at and len(rule.nodes) % NODES == 0
    assert abs(sum(rule.weights) - np.sqrt(np.pi / tilt)) < 8 * EPS


def test_no_rule_leaves_out_one_of_two_hills() -> None:
    """More nodes than are worth it: there is none."""
    assert far_rule(as_activation("max(x, 0) + exp(-x^2) + exp(-(x - 50)^2)")) is None
