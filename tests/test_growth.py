"""What networks make of rounding: the bound holds at any angle and is reached at small ones."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest
from mpmath import MPContext

from ntksym.backends import Contract
from ntksym.backends.c.network import file as c_network
from ntksym.backends.numpy import network as numpy_network
from ntksym.errors import UnsupportedOp
from ntksym.lower import lower_network
from ntksym.lower.growth import growth
from ntksym.lower.schedule import Schedule, evaluate_network
from ntksym.network import Convention, mlp, recurse
from ntksym.runtime import compile as compile_
from ntksym.runtime.enclosed_growth import enclosed_growth

CONTRACT = Contract("a test", ("a test",))


def scheduled(names: str, depth: int, weight: Any, bias: Any) -> Schedule:
    chosen: Any = names.split(" ")
    net = mlp(chosen if len(chosen) > 1 else names, depth=depth, weight_var=weight, bias_var=bias)
    return lower_network(recurse(net))


def correlation(schedule: Schedule, angle: Any, length: Any, ctx: MPContext) -> Any:
    """nngp over the size of the diagonals of (1, 0) and length*(cos, sin), and that size."""
    g = (ctx.mpf(1), length * ctx.cos(angle), length**2)
    value = evaluate_network(schedule, *g, 1, ctx)[0]
    own = [evaluate_network(schedule, x, x, x, 1, ctx)[0] for x in (g[0], g[2])]
    return value, ctx.sqrt(own[0] * own[1])


@pytest.mark.parametrize(
    ("names", "depth", "weight", "bias"),
    [("sin", 8, "2.31", 0), ("erf", 6, 3, "1/10"), ("relu", 5, 2, "1/10"), ("gelu erf", 2, 2, 0)],
)
def test_no_perturbation_changes_more(names: str, depth: int, weight: Any, bias: Any) -> None:
    schedule = scheduled(names, depth, weight, bias)
    found = growth(schedule)
    ctx = MPContext()
    ctx.dps = 40
    small = ctx.mpf(10) ** -12
    worst = 0.0
    for angle in ("1e-6", "1e-2", "0.5", "1.5", "3"):
        at = ctx.mpf(angle)
        for turn, stretch in ((1, 0), (0, 1), (1, 1), (1, -1)):
            moved = correlation(schedule, at + turn * small, 1 + stretch * small, ctx)
            value, size = correlation(schedule, at, ctx.mpf(1), ctx)
            worst = max(worst, float(abs(moved[0] - value) / size / small))
    assert worst <= found.inputs * (1 + 1e-6)
    assert found.inputs <= 40 * worst  # the bound is of all angles, and of both changes


@pytest.mark.parametrize(("name", "weight"), [("sin", "2.31"), ("erf", 3)])
def test_small_angles_grow_by_the_bound(name: str, weight: Any) -> None:
    schedule = scheduled(name, 8, weight, 0)
    ctx = MPContext()
    ctx.dps = 60
    angle = ctx.mpf(10) ** -15
    value, size = correlation(schedule, angle, ctx.mpf(1), ctx)
    after = ctx.sqrt(1 - (value / size) ** 2)
    assert float(after / angle) == pytest.approx(growth(schedule).angle, rel=1e-6)


def test_homogeneous_layers_keep_angles() -> None:
    schedule = scheduled("relu", 100, 2, 0)
    for variance in (2.0, 1e-30):
        found = growth(schedule, variance)
        got = (found.variance, found.angle, found.inputs, found.layers)
        assert got == pytest.approx((variance, 1.0, 2.0, 202.0), rel=1e-4)


@pytest.mark.parametrize("derivative", ["distributional", "almost_everywhere"])
@pytest.mark.parametrize("names", [["sign"] * 3, ["step", "gelu"], ["gelu", "x + sign(x - 1)"]])
def test_jumps_have_no_bound(names: list[str], derivative: str) -> None:
    net = mlp(names, convention=Convention(derivative=derivative))
    schedule = lower_network(recurse(net))
    found = growth(schedule)
    assert found.angle == found.inputs == found.layers == math.inf
    if derivative == "almost_everywhere":  # the other has infinite diagonals: no code
        text = c_network.network_file(schedule, CONTRACT).text
        assert "Growth     with depth: no bound, an activation jumps" in text


@pytest.mark.parametrize(("name", "depth"), [("gelu", 600), ("x**2", 12)])
def test_variances_beyond_doubles_have_no_figures(name: str, depth: int) -> None:
    schedule = scheduled(name, depth, 1, 0)
    found = growth(schedule)
    assert found.inputs == found.layers == math.inf
    assert not 2.0**-1022 < found.last < 2.0**1023
    text = c_network.network_file(schedule, CONTRACT).text
    assert "Growth     with depth: not known, the variances leave the range of doubles." in text


def test_a_thousand_layers_take_no_second() -> None:
    net = mlp("sin", depth=1000)  # its variance falls as one over the depth: no two layers alike
    lower_network(recurse(mlp("sin", depth=2)))
    start = time.process_time()
    found = growth(lower_network(recurse(net)))
    assert time.process_time() - start < 2.0  # 0.2 here; 7.5 with a context for each evaluation
    assert found.last == pytest.approx(1e-3, rel=0.02) and found.inputs < 3


@pytest.mark.parametrize("backend", [c_network, numpy_network])
def test_heads_say_it(backend: Any) -> None:
    text = backend.network_file(scheduled("sin", 20, "2.31", 0), CONTRACT).text
    found = growth(scheduled("sin", 20, "2.31", 0))
    assert f"by at most {found.inputs:.2g} e," in text
    assert f"errors e of all 20 layers too by {found.layers:.2g} e." in text


def test_kernels_say_it() -> None:
    k = compile_(mlp("erf", depth=20, weight_var=3), "numpy")
    assert k.growth() == growth(scheduled("erf", 20, 3, 0))
    assert k.growth().angle > k.growth(1.0).angle > 20.0
    flat = compile_(mlp("relu", depth=3, weight_var=2), "numpy", collapse=True)
    with pytest.raises(UnsupportedOp, match="no layers"):
        flat.growth()
    with pytest.raises(UnsupportedOp, match="no layers"):
        flat.for_data([[1.0, 0.0]]).growth()
    tables = compile_("mlp:sin:depth=2", "numpy", method="tabulated")
    assert tables.growth() == growth(lower_network(recurse(mlp("sin", depth=2))))


@pytest.mark.parametrize("names", ["relu", "erf"])
def test_enclosures_of_diagonals_give_the_same(names: str) -> None:
    """The convention and parameters are in both; four digits are what central differences have."""
    convention = Convention(parametrization="standard")
    net = mlp(names, depth=3, weight_var=2, bias_var="1/3", width=64, convention=convention)
    want = growth(lower_network(recurse(net)))
    found = enclosed_growth(net, None)
    for name in ("variance", "angle", "inputs", "layers", "last"):
        assert getattr(found, name) == pytest.approx(getattr(want, name), rel=1e-4), name


def test_kernels_without_closed_forms_say_it() -> None:
    assert compile_("mlp:[gelu,mish]:depth=2", "numpy").growth().angle < math.inf
    k = compile_("mlp:tanh:depth=2,weight_var=3", "numpy", method="mixture")
    found = k.growth()
    assert found.variance == 3.0 and k.growth(3.0) == found
    # The same turn of one row, by the kernel itself, near equal rows: sqrt(chi) of both layers.
    angle = 1e-3
    rows = np.sqrt(2.0) * np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
    value = k(rows).nngp
    after = math.sqrt(2 * (1 - value[0, 1] / value[0, 0]))
    assert after / angle == pytest.approx(found.angle, rel=1e-5)
    jumps = compile_("mlp:heaviside(sin(x)):depth=2", "numpy")
    assert jumps.growth().angle == math.inf
