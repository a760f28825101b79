"""Pairs that are nearly parallel keep their digits through every layer, whatever the activation.

The reference is the whole recursion from the exact inner products of the rows, at 60 digits.
"""

from __future__ import annotations

from builtins import compile as compile_text
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from mpmath import MPContext
from sympy import Rational

from ntksym.backends import Contract
from ntksym.backends.c.network import file as c_network
from ntksym.backends.near import FEW, PANEL, quartic, rough
from ntksym.backends.numpy import network as numpy_network
from ntksym.backends.tables import legendre
from ntksym.language import as_activation
from ntksym.lower import lower_network
from ntksym.lower.near import EARLY, ODD, formed, parity
from ntksym.lower.schedule import evaluate_network
from ntksym.network import mlp, recurse
from ntksym.runtime import compile
from ntksym.runtime.kernel import CompiledKernel
from ntksym.runtime.later import Wanted
from ntksym.runtime.units.engines import CUnitNetwork, NumpyUnitNetwork
from ntksym.runtime.units.layers import plan

EPS = 2.0**-52
CONTRACT = Contract("a test", ("a test",))
PLACES = ((1e-2, 1.0), (1e-4, 1.001), (1e-7, 1.0), (1e-8, 1.03), (1e-12, 1.001))
"""Angle of a pair, ratio of its norms."""


def rows(dtype: Any = float, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    xs, ys = [], []
    for angle, ratio in PLACES:
        x, z = rng.normal(size=(2, 6))
        z -= x * (x @ z) / (x @ x)
        z *= np.linalg.norm(x) / np.linalg.norm(z)
        xs.append(x)
        ys.append((x - 2 * np.sin(angle / 2) ** 2 * x + np.sin(angle) * z) * ratio)
    return (scale * np.array(xs)).astype(dtype), (scale * np.array(ys)).astype(dtype)


def network(names: str, depth: int = 3, weight: Any = 1, bias: Any = "1/10") -> Any:
    chosen: Any = names.split(" ")
    return mlp(chosen if len(chosen) > 1 else names, depth=depth, weight_var=weight, bias_var=bias)


@lru_cache(maxsize=16)
def reference(
    names: str, depth: int, weight: Any, bias: Any, dtype: Any = float, scale: float = 1.0
) -> Any:
    ctx = MPContext()
    ctx.dps = 60 if scale == 1.0 else 160
    schedule = lower_network(recurse(network(names, depth, weight, bias)))

    def inner(u: Any, v: Any) -> Any:
        exact = sum(Fraction(float(a)) * Fraction(float(b)) for a, b in zip(u, v, strict=True))
        return ctx.mpf(exact.numerator) / exact.denominator

    found = []
    for x, y in zip(*rows(dtype, scale), strict=True):
        found.append(evaluate_network(schedule, inner(x, x), inner(x, y), inner(y, y), 6, ctx))
    return found


@lru_cache(maxsize=8)
def compiled(case: Any, target: str) -> Any:
    """One kernel for all tests of the same network."""
    return compile(recurse(network(*case)), target=target, cache=False)


def worst(kernel: Any, exact: Any, dtype: Any = float, scale: float = 1.0) -> float:
    got = kernel(*rows(dtype, scale))
    errors = [
        abs(float(values[i, i] / e[k] - 1))
        for k, values in enumerate((got.nngp, got.ntk))
        for i, e in enumerate(exact)
    ]
    return max(errors)


CASES = (("hardtanh", 3, 1, "1/10"), ("relu6", 2, 2, 0), ("erf hardtanh relu", 3, 1, "1/10"))


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize("case", CASES, ids=lambda c: c[0])
def test_networks_of_closed_forms(case: Any, target: str) -> None:
    kernel = compiled(case, target)
    # relu6 is nearly homogeneous: what unlike norms make of parallel rows is a small difference
    goal = 1e-12 if case[0] == "relu6" else 1e-14
    assert worst(kernel, reference(*case)) < goal
    # norms of images: the slope keeps its digits where it is small, and what unlike norms make of
    # parallel rows is r^2 times less than its terms
    assert worst(kernel, reference(*case, float, 300.0), float, 300.0) < 2e-13


def test_the_first_angle_of_unlike_norms_in_generated_files() -> None:
    """Most of z - x is parallel to x: what is orthogonal is found twice, the products exact."""
    made = numpy_network.network_file(lower_network(recurse(network("erf", 1, 1, 0))), CONTRACT)
    module: dict[str, Any] = {}
    exec(compile_text(made.text, made.name, "exec"), module)
    ctx = MPContext()
    ctx.dps = 60
    for x, y in zip(*rows(), strict=True):
        a, b = ([Fraction(float(v)) for v in row] for row in (x, y))
        g11, g12, g22 = (
            sum(u * v for u, v in zip(*two, strict=True)) for two in ((a, a), (a, b), (b, b))
        )
        exact = g11 * g22 - g12**2
        root = ctx.sqrt(ctx.mpf(exact.numerator) / exact.denominator)
        first = 1.0, 0.0, 1.0, 0.0
        found = module["_root"](x[None], y[None], np.array([x @ y]), first)[0]
        assert abs(float(found / root - 1)) < 2e-15


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_bounded_layers_at_large_norms(target: str) -> None:
    """What unlike norms r make of parallel rows is of the order 1/r: its terms of the order r.

    Angles of 1e-12 of rows that differ by 1e-3 keep their digits, and the slope shows it there.
    """
    case = ("erf", 2, 2, "1/10")
    kernel = compile(recurse(network(*case)), target=target, cache=False)
    for scale in (1e4, 1e20, 1e70):
        exact = reference(*case, float, scale)
        assert worst(kernel, exact, float, scale) < 1e-11
        got = kernel(*rows(float, scale)).nngp
        assert max(abs(float(got[i, i] / e[0] - 1)) for i, e in enumerate(exact)) < 1e-14


@pytest.mark.parametrize("engine", [CUnitNetwork, NumpyUnitNetwork])
@pytest.mark.parametrize("case", [CASES[0], ("relu hardtanh", 2, 1, 0)], ids=lambda c: c[0])
def test_networks_of_units(case: Any, engine: Any) -> None:
    """The same layers as units; a homogeneous one keeps parallel inputs parallel."""
    made = engine(plan(network(*case)).schedule, CONTRACT, keep=False)
    kernel = CompiledKernel(
        made, name="units", target="c", dtype="float64", threads=1, sources=made.sources
    )
    assert worst(kernel, reference(*case)) < 1e-14


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_homogeneous_layers_of_any_degree(target: str) -> None:
    """Parallel rows stay parallel, whatever their norms: here a third and fifty times each other.

    Without biases the next root is an integral alone; from rounded covariances the NTK of parallel
    rows would have half of its digits.
    """
    case = ("max(x,0)^2 x^3 abs(x)^(3/2) relu", 4, 2, 0)
    x, z = rows()[0][:2]
    x = np.vstack([x, x / 3, 50 * x, -x, x + 1e-9 * z, 4 * x + 1e-5 * z])
    kernel = compile(recurse(network(*case)), target=target, cache=False)
    found, ctx = kernel(x), MPContext()
    ctx.dps = 60
    schedule = lower_network(recurse(network(*case)))
    for i in range(len(x)):
        for j in range(i):
            a, b = ([ctx.mpf(float(v)) for v in x[k]] for k in (i, j))
            aa, ab, bb = (ctx.fdot(u, v) for u, v in ((a, a), (a, b), (b, b)))
            exact = evaluate_network(schedule, aa, ab, bb, 6, ctx)
            for values, e in zip((found.nngp, found.ntk), exact, strict=True):
                size = np.sqrt(values[i, i]) * np.sqrt(values[j, j])
                assert abs(float(values[i, j] - e)) < 2e-14 * size, (i, j)


def test_floats_of_deep_networks() -> None:
    """Inputs that every layer drives apart: neither products nor angles in float are enough."""
    case = ("erf", 100, 2, 0)
    kernel = compile(recurse(network(*case)), dtype="float32", cache=False)
    assert worst(kernel, reference(*case, np.float32), np.float32) < 1e-6


def test_angles_that_grow() -> None:
    """The rounding of a covariance grows with the angle, also where no layer has a kink."""
    case = ("erf", 100, 2, "1/10")
    for target in ("c", "numpy"):
        kernel = compile(recurse(network(*case)), target=target, cache=False)
        assert worst(kernel, reference(*case)) < 3e-13


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_equal_rows_and_symmetry(target: str) -> None:
    kernel = compiled(CASES[0], target)
    x, y = rows()
    x = np.vstack([x, y, x[:2]])
    got, diag = kernel(x), kernel.diag(x)
    for values, own in ((got.nngp, diag.nngp), (got.ntk, diag.ntk)):
        assert (values == values.T).all() and (np.diag(values) == own).all()
        assert np.abs(values[[0, 1], [10, 11]] / own[:2] - 1).max() <= 2.0**-51


def test_what_is_mended() -> None:
    """Nothing after the last layer and where the root is exact; everything before a kink."""

    def carries(names: str) -> tuple[int, ...]:
        found = lower_network(recurse(network(names))).carries
        return tuple(n & 3 for n in found)

    assert carries("relu") == (0, 0, 0)
    assert carries("erf") == (1, 1, 0)
    assert carries("hardtanh") == (2, 2, 0)
    assert carries("erf relu gelu") == (2, 0, 0)
    assert carries("hardtanh relu erf") == (2, 0, 0)
    assert carries("sign") == (0, 0, 0)  # it jumps: its slope is not that of the dual


def test_early_and_odd_layers() -> None:
    """An angle may shrink before it grows; opposite rows stay opposite without a bias."""

    def carries(name: str, bias: str) -> tuple[int, ...]:
        return lower_network(recurse(mlp(name, 8, bias_var=bias))).carries

    young, old = 1 + EARLY, 1
    assert carries("erf", "1/10") == (*(young,) * 4, *(old,) * 3, 0)
    assert carries("sin", "0") == (*(young + ODD,) * 4, *(old + ODD,) * 3, 0)
    assert carries("gelu", "0")[0] == young
    assert carries("hardtanh", "0")[0] & ODD  # pieces of it change places


def test_odd_and_even_functions() -> None:
    """By the form or by the terms; the tails of a sum are no sign of it."""
    for text in ("erf(x)", "hardtanh", "softshrink(x)", "hardtanh(x)*exp(-x**2)", "tanh(x)"):
        assert parity(as_activation(text)) == -1, text
    for text in ("x*erf(x)", "max(1 - abs(x), 0)", "x*hardtanh(x)", "exp(-x**2)"):
        assert parity(as_activation(text)) == 1, text
    for text in ("max(x, -2)", "hardtanh(x + 1)", "relu", "hardtanh(x) + exp(-x**2)"):
        assert parity(as_activation(text)) == 0, text


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize(("name", "sign"), [("hardtanh", -1), ("x*erf(x)", 1)])
def test_nearly_opposite_rows(name: str, sign: int, target: str) -> None:
    """They are nearly parallel ones, mirrored: the same digits."""
    kernel = compile(network(name, 3, 2, 0), target=target, cache=False)
    x, y = rows()
    for opposite, alike in zip(tuple(kernel(x, -y)), tuple(kernel(x, y)), strict=True):
        assert np.allclose(sign * np.diag(opposite), np.diag(alike), rtol=1e-15, atol=0.0)


def test_opposite_rows_that_biases_make_parallel() -> None:
    """Then the angle is in the root alone; the covariance, a double, keeps half of its digits."""
    act: Any = as_activation("max(x - 1/2, 0) + min(x + 1/2, 0)")
    made = recurse(mlp(act, depth=12, weight_var="239/100", bias_var="1/10"))
    x, z = rows()[0][:2] / 4
    y = -x * (1 + 1e-3 * z)
    ctx = MPContext()
    ctx.dps = 60
    u, v = ([ctx.mpf(float(w)) for w in row] for row in (x, y))
    inner = ctx.fdot(u, u), ctx.fdot(u, v), ctx.fdot(v, v)
    exact = evaluate_network(lower_network(made), *inner, 6, ctx)
    for target in ("c", "numpy"):
        got = compile(made, target=target, cache=False)(x[None], y[None])
        for values, e in zip((got.nngp, got.ntk), exact, strict=True):
            assert abs(float(values[0, 0] / e - 1)) < 2e-15, target


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_rows_that_exchange_two_nearly_equal_numbers(target: str) -> None:
    """Their norms are equal: 1 - rho is below 1e-16, whatever rounding makes of the covariance."""
    x = np.random.default_rng(1).normal(size=(32, 6))
    x[:, 0] = x[:, 1] * (1.0 + np.geomspace(3e-12, 3e-9, 32))
    y = x[:, [1, 0, 2, 3, 4, 5]]
    kernel = compile(recurse(network("exp(-|x|)", 3, 3)), target=target, cache=False)
    found, own = kernel(x, y), kernel.diag(x)
    assert np.abs(np.diag(found.nngp) / own.nngp - 1).max() < 4e-15


def test_what_unlike_norms_make_of_parallel_rows() -> None:
    """At norms of images to ten digits and more, where its terms are r^2 times larger."""
    made = numpy_network.network_file(
        lower_network(recurse(network("hardtanh", 2, 1, 0))), CONTRACT
    )
    module: dict[str, Any] = {}
    exec(compile_text(made.text, made.name, "exec"), module)
    slope, _ = module["_near0"](module["LAYERS"][0][1])
    ctx = MPContext()
    ctx.dps = 30
    for r in (89.0, 300.0, 1e8):
        low, high = np.array([r * r]), np.array([r * r * np.exp(0.21)])
        spread = 0.5 * np.log1p((high - low) / low)
        steep, flat = (ctx.sqrt(float(v[0])) for v in (high, low))

        def gap(z: Any, steep: Any = steep, flat: Any = flat) -> Any:
            return 2 * (min(steep * z, 1) - flat * z) ** 2 * ctx.npdf(z)

        exact = ctx.quad(gap, [0, 1 / steep, 1 / flat])
        found = module["_near_apart"](slope, low, high, spread)[0]
        assert abs(float(found / exact - 1)) < 3e-12


def test_programs_of_near_pairs() -> None:
    """The slope is the derivative of the value; a bias is in neither."""
    ctx = MPContext()
    ctx.dps = 30
    kind = lower_network(recurse(network("relu6", 2, Rational(3, 2), "7/10"))).kinds[0]
    near = kind.near
    assert near is not None and formed(kind.pair) and kind.kinked
    given = {"weight_var": ctx.mpf(3) / 2}
    q11, q22 = ctx.mpf(2), ctx.mpf("0.9")

    def value(c: Any, which: str = "value") -> Any:
        root = ctx.sqrt(q11 * q22 - c * c)
        point = {"q11": q11, "q12": c, "q22": q22, "root": root, **given}
        return near.pair.evaluate({a: point[a] for a in near.pair.args}, ctx)[which]

    slope = value(ctx.mpf("0.7"), "slope")
    assert abs(ctx.diff(value, ctx.mpf("0.7")) / slope - 1) < 1e-12
    own = near.diag.evaluate({"q": q11, **given}, ctx)["value"]
    after = kind.diag.evaluate({"q": q11, "t12": ctx.one, **given, "bias_var": ctx.mpf("0.7")}, ctx)
    assert abs(after["nngp"] - own - ctx.mpf("0.7")) < 1e-25


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_layers_that_jump_are_not_mended(target: str) -> None:
    """The derivative almost everywhere is not that of the dual: 4 % off with it, 1e-3 apart."""
    jumping = "x*heaviside(abs(x)-1)"
    case = (jumping, 2, 1, 0)
    assert [k.near for k in lower_network(recurse(network(*case))).kinds] == [None]
    found = compiled(case, target)(*rows())
    for i, (angle, _) in enumerate(PLACES):
        for got, want in zip((found.nngp[i, i], found.ntk[i, i]), reference(*case)[i], strict=True):
            assert abs(got / float(want) - 1) < 1e-15 + 8 * EPS / angle**0.5


def test_tables_of_what_jumps_are_not_mended() -> None:
    """Two parts in a thousand off with the slope off the jump, for rows 1e-3 apart."""
    for text, mended in (("tanh(x)+sign(x)", False), ("tanh", True)):
        asked = Wanted("tabulated", 1e-3)
        found = plan(network(text, 2, 1, 0), asked, (1.0, 1.0)).schedule
        assert bool(found.steps[0].carried) == mended


def test_the_last_legendre_coefficients() -> None:
    """Zero for polynomials below their degree, one for their own."""
    nodes = [2 * t - 1 for t, _ in legendre(PANEL)]
    for k, row in enumerate(rough(), PANEL - 2):
        for n in range(PANEL - 2):
            assert abs(sum(r * t**n for r, t in zip(row, nodes, strict=True))) < 1e-14
        legendre_k = np.polynomial.legendre.legval(nodes, [0] * k + [1])
        assert abs(sum(r * p for r, p in zip(row, legendre_k, strict=True)) - 1) < 1e-13
    few = np.array([t for t, _ in legendre(FEW)])
    shares = [float(np.dot(quartic(FEW), few**n)) for n in (0, 2, 4)]
    assert np.abs(np.array(shares) - (0.0, 0.0, 16 / 105)).max() < 1e-14
    assert FEW * (FEW + 2) <= 64  # the nodes of one call fit into a block


def test_a_coefficient_that_is_zero_by_chance() -> None:
    """At norms of about 1890 the last of four coefficients was: 4e-10 of the NTK were lost."""
    net = recurse(mlp(as_activation("x*erf(x)"), depth=2, weight_var=1, bias_var="1/10"))
    r = np.geomspace(1850.0, 1930.0, 24)
    x, y = np.stack([r, 0 * r], 1), np.stack([r * np.cos(3.6e-3), r * np.sin(3.6e-3)], 1)
    fast, other = (compile(net, target=t, cache=False)(x, y).ntk for t in ("c", "numpy"))
    assert np.abs(np.diag(fast) / np.diag(other) - 1).max() < 1e-13


def test_networks_without_near_pairs_are_as_they_were() -> None:
    schedule = lower_network(recurse(network("relu", 20)))
    assert "near_root" not in c_network.network_file(schedule, CONTRACT).text
    kinked = lower_network(recurse(network("hardtanh", 20)))
    text = c_network.network_file(kinked, CONTRACT).text
    assert text.count("void near_roots(") == 1 and "measured, not proven" in text
