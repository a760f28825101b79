"""Seeded draws over the whole range of doubles: never NaN, infinite or wrong where the kernel is one.

Variances 1e-300 to 1e300, equal, of like size and far apart; correlations -1, 0, 1, within 1e-16 to
1e-1 of them, and between.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from mpmath import MPContext
from test_scales import balls, subject

from ntksym.dual import dual
from ntksym.lower import lower_dual_diag
from ntksym.runtime import compile as compile_

EPS = 2.0**-52
Point = tuple[float, float, float]


def drawn(seed: int, count: int) -> list[Point]:
    """Covariances (q11, q12, q22), positive semi-definite as the exact numbers that they are."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        a, b = (float(v) for v in 10.0 ** rng.uniform(-300, 300, size=2))
        if (like := int(rng.integers(0, 4))) < 2:
            b = a if like == 0 else min(max(a * float(10.0 ** rng.uniform(-8, 8)), 1e-300), 1e300)
        near = float(10.0 ** rng.uniform(-16, -1))
        rho = (-1.0, near - 1, 0.0, float(rng.uniform(-1, 1)), 1 - near, 1.0, near)[
            int(rng.integers(0, 7))
        ]
        c = rho * (math.sqrt(a) * math.sqrt(b)) if abs(rho) != 1.0 or a != b else rho * a
        while Fraction(c) ** 2 > Fraction(a) * Fraction(b):
            c = math.nextafter(c, 0.0)
        found.append((a, c, b))
    return found


TEXTS = (
    "step(x)*x*exp(-x^2)",
    "exp(-x^2)*sin(x)",
    "(1-x^2)*exp(-x^2/2)",
    "x*cos(x)",
    "sin(2*x)+2*exp(-(x-1)^2)",
    "(2*x+1)*erf(x)",
    "hermite5",
    "x^2*abs(x)",
    "gelu",
)


@pytest.mark.parametrize("text", TEXTS)
def test_duals_at_any_scale(text: str) -> None:
    d = dual(subject(text))
    kernel, own, ctx = compile_(d, "numpy"), lower_dual_diag(d), MPContext()
    ctx.dps = 40
    points = drawn(11, 60)
    with np.errstate(all="ignore"):
        got = kernel(*(np.array(column) for column in zip(*points, strict=True)))
    checked = 0
    for i, (a, c, b) in enumerate(points):
        exact = balls(d, a, c, b, 2600)
        sides = [own.evaluate({"q": v}, ctx) for v in (a, b)]
        for k, label in enumerate(("nngp", "dot")):
            size = ctx.sqrt(sides[0][label]) * ctx.sqrt(sides[1][label])
            if 1e-290 < size < 1e290:
                found = float((got.nngp, got.dot)[k][i])
                assert abs(float((exact[k] - found).mid()) / size) <= 6 * EPS, (label, a, c, b)
                checked += 1
    assert checked >= 40


@pytest.mark.parametrize("target", ("c", "numpy"))
@pytest.mark.parametrize(
    ("text", "part"),
    [("exp(-abs(x))", 1.0), ("step(x)*exp(-x)", 0.5), ("exp(-x^2)*(1+sign(x-1))", 0)],
)
def test_points_seen_from_far_away(text: str, part: float, target: str) -> None:
    """E[s(u)]E[s(v)] where v is large: s(v) is a point of the mass of s."""
    ctx = MPContext()
    kernel, big = compile_(dual(subject(text)), target), 1e300
    for small in (1e-200, 1e-9, 1.0):
        sides = math.sqrt(small) * math.sqrt(big)
        found = [kernel(*map(np.array, ([small], [r * sides], [big]))) for r in (0, 0.5, -0.9, 1)]
        assert all(np.isfinite(k.nngp[0]) and k.nngp[0] >= 0 for k in found)
        assert not any(np.isnan(k.dot[0]) for k in found)
        mean = part * ctx.exp(ctx.mpf(small) / 2) * ctx.erfc(ctx.sqrt(ctx.mpf(small) / 2))
        mass = 2 * part / ctx.sqrt(2 * ctx.pi * ctx.mpf(big))
        if part:
            assert abs(found[0].nngp[0] / (mean * mass) - 1) <= 8 * EPS


@pytest.mark.parametrize("target", ("c", "numpy"))
@pytest.mark.parametrize(
    ("text", "depth", "ntk"),
    [  # E[s(z)^2] and E[s'(z)^2] of far rows, over q and 1: 1/2 and 1/2 + 1/8, or 1 and 1 + 9/2
        ("x*Phi(2*x)+sin(x)/2", 1, 1 / 2 + 5 / 8),
        ("x*Phi(2*x)+sin(x)/2", 3, (1 + 5 / 4 + (5 / 4) ** 2 + (5 / 4) ** 3) / 8),
        ("x*erf(x)+sin(3*x)", 1, 1 + 11 / 2),
    ],
)
def test_far_rows_of_a_sum_with_waves(text: str, depth: int, ntk: float, target: str) -> None:
    """Squares of a variance overflow; the waves are a constant in E[s'(u)^2] at any of them."""
    kernel = compile_(f"mlp:{text}:depth={depth}", target=target)
    for row in (1e40, 1e77, 1e80, 1e153):
        found = kernel.diag([[row]])
        assert abs(float(found.ntk[0]) / row / row / ntk - 1) <= 16 * EPS, row
    both = kernel([[1e153, 0.0], [6e152, 8e152]])
    assert both.ntk[0, 0] == kernel.diag([[1e153, 0.0]]).ntk[0] and np.isfinite(both.ntk).all()


@pytest.mark.parametrize("text", ["x^2*Phi(x)", "x^2*Phi(x)+cos(x)", "x^3*Phi(x)+sin(x)"])
def test_far_diagonals_of_powers(text: str) -> None:
    """No product on the way overflows before the value does."""
    degree = int(text[2])
    q = 10.0 ** (290 // degree)
    found = compile_(f"mlp:{text}:depth=1", target="numpy").diag([[math.sqrt(q)]])
    moment = math.prod(range(1, 2 * degree, 2)) / 2  # E[z^(2n); z > 0]
    assert abs(float(found.nngp[0]) / (moment * q**degree) - 1) <= 1e-12
    slope = degree**2 * math.prod(range(1, 2 * degree - 2, 2)) / 2
    assert abs(float(found.ntk[0]) / ((moment + slope) * q**degree) - 1) <= 1e-12


@pytest.mark.parametrize("target", ("c", "numpy"))
def test_powers_that_jump_far_out(target: str) -> None:
    """Squares of variances overflow before the value does; beyond, values are infinite, not NaN."""
    d = dual(subject("step(x)*(x^2+1)"))
    kernel, own, ctx = compile_(d, target), lower_dual_diag(d), MPContext()
    points = [p for p in drawn(3, 150) if max(p[0], p[2]) > 1e100]
    with np.errstate(all="ignore"):
        found = kernel(*map(np.array, zip(*points, strict=True)))
    assert not np.isnan(found.nngp).any() and not np.isnan(found.dot).any()
    checked = 0
    for got, (a, c, b) in zip(found.nngp, points, strict=True):
        size = ctx.sqrt(own.evaluate({"q": a}, ctx)["nngp"] * own.evaluate({"q": b}, ctx)["nngp"])
        if size < 1e300:
            exact = balls(d, a, c, b, 2600)[0]
            assert abs(float((exact - got).mid()) / size) <= 4 * EPS, (a, c, b)
            checked += max(a, b) > 1e155
    assert checked >= 20


@pytest.mark.parametrize("target", ("c", "numpy"))
def test_two_inputs_far_from_an_exponential(target: str) -> None:
    """Both see the mass of s at 0: p(0, 0) times its square; gates are 1e100 deviations away."""
    kernel, q = (
        compile_(dual(subject("max(x, 0)*exp(-x)")), target),
        np.array([1e190, 1e220, 1e279]),
    )
    found = kernel(q, q / 2, q).nngp
    assert np.all(np.abs(found * (2 * math.pi * math.sqrt(0.75)) * q - 1) <= 8 * EPS)


@pytest.mark.parametrize("target", ("c", "numpy"))
def test_numerators_beyond_the_range_of_doubles(target: str) -> None:
    """Far out a wave adds nothing to x^2*Phi(x): not even 0 times infinity."""
    found = compile_(dual(subject("x^2*Phi(x)+x*sin(2*x)")), target)
    plain = compile_(dual(subject("x^2*Phi(x)")), target)
    size = np.logspace(20, 100, 9)
    for rho in (0.0, 0.5, -0.5):
        got, known = (k(size, rho * size, size) for k in (found, plain))
        for one, two in ((got.nngp, known.nngp), (got.dot, known.dot)):
            np.testing.assert_allclose(one, two, rtol=16 * EPS, atol=0.0, err_msg=str(rho))


@pytest.mark.parametrize("target", ("c", "numpy"))
def test_unlike_inputs_beside_exponentials_that_overflow(target: str) -> None:
    """E[(sinh u + u)(sinh v + v)] is 0 at q12 = 0, at any variance: not 0 times infinity."""
    size = np.logspace(2, 140, 24)
    found = compile_(dual(subject("sinh(x)+x")), target)(size, 0.0 * size, size)
    assert not np.any(found.nngp)
