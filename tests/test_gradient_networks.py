"""Gradients of networks of unlike layers and other conventions, beside differences of kernels."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from mpmath import MPContext

import ntksym
from ntksym.errors import BadData
from ntksym.network import Convention
from ntksym.runtime.gradients.network import NetworkGradient
from ntksym.runtime.gradients.rows import exact_spans
from ntksym.runtime.gradients.steps import Digits

CTX = MPContext()
CTX.dps = 60
STENCIL = ((1, 45), (2, -9), (3, 1))
"""(place, weight * 60) of a slope, antisymmetric; right to the sixth power of the step."""
STEP = Fraction(1, 2**8)
A, B = np.array([0.9, -1.1, 0.4]), np.array([0.3, 0.8, -0.7])

FROZEN = Convention("standard", trained=(True, False, True))
CASES: dict[str, tuple[Any, dict[str, Any], dict[str, Any]]] = {
    "unlike layers": (["relu", "erf", "gelu"], {"depth": 3}, {}),
    "kinks and waves": (["hardtanh", "sin"], {"depth": 2}, {}),
    "standard, a frozen layer": ("relu", {"width": [64, 128], "convention": FROZEN}, {}),
    "a bias from zero": ("erf", {"convention": Convention(bias_init="zero")}, {}),
    "a width": ("exp(-c*x**2)", {}, {"c": Fraction(3, 4)}),
    "one parameter of two layers": (["max(x, c*x)", "x*Phi(c*x)"], {}, {"c": Fraction(1, 4)}),
}


def network(case, numbers):
    """The network of a case with these numbers."""
    name, options, params = CASES[case]
    shared = {k: numbers[k] for k in ("weight_var", "bias_var")}
    params = {k: numbers[k] for k in params}
    return ntksym.mlp(name, **{"depth": 2, **options}, **shared, params=params)


def kernels(net, spans):
    """Both kernels in many digits, from the closed forms of values."""
    g = NetworkGradient(net, "numpy")
    found = g._forward(Digits(CTX), spans, len(A), g._closed())
    return CTX.matrix([found["nngp"], found["ntk"]])


@pytest.mark.parametrize("case", CASES)
def test_slopes_are_differences_of_kernels(case):
    """The numbers are dyadic, for layers take doubles; weights differ from layer to layer."""
    depth = CASES[case][1].get("depth", 2)
    weights = [Fraction(3, 2) - Fraction(k, 8) for k in range(depth + 1)]
    numbers = {"weight_var": weights, "bias_var": Fraction(1, 8), **CASES[case][2]}
    net, y = network(case, numbers), A + 1e-2 * B
    spans = exact_spans(CTX, A, y)
    found = NetworkGradient(net, None if case == "unlike layers" else "numpy")(A[None], y[None])

    def moved(name, step):
        if name in numbers:
            old = numbers[name]
            new = [v + step for v in old] if isinstance(old, list) else old + step
            return kernels(network(case, {**numbers, name: new}), spans)
        step = CTX.mpf(step.numerator) / step.denominator / 2**30
        x, c, y = (getattr(spans, f"g{q}") + step * (name == f"q{q}") for q in (11, 12, 22))
        det = CTX.sqrt(x * y - c * c)
        made = replace(spans, g11=x, g12=c, g22=y, area=det, apart=x - 2 * c + y, unlike=x - y)
        return kernels(net, made)

    for name in found.d_nngp:
        scale = 60 * STEP if name in numbers else 60 * STEP / 2**30
        total = CTX.matrix([0, 0])
        for place, weight in STENCIL:
            total += weight * (moved(name, place * STEP) - moved(name, -place * STEP))
        slopes = total * scale.denominator / scale.numerator
        for want, got in zip(slopes, (found.d_nngp, found.d_ntk), strict=True):
            assert got[name][0, 0] == pytest.approx(float(want), rel=1e-11), name


@pytest.mark.parametrize(
    ("activation", "size", "others"),
    [("x_cos", 30.0, ((0, 0), (0, 2))), ("gelu", 200.0, ((0, 2),))],
)
def test_what_one_layer_loses_is_not_multiplied_by_the_next(activation, size, others):
    """x cos(x) makes of a small angle one that is 20 times as large (1.6e-8 off before); GELU in
    three layers sees its width (5e-12 off)."""
    net = ntksym.mlp(activation, depth=3, weight_var=1.5, bias_var=0.125)
    g = ntksym.NetworkGradient(net, threads=1)
    x = np.array([[0.9, -1.1, 0.4], [0.3, 0.8, -0.7], [0.900003, -1.099992, 0.399993]]) * size
    for i, j in others:
        found, want = g(x[i : i + 1], x[j : j + 1]), g.exact(x[i], x[j])
        for k, slopes in (("nngp", found.d_nngp), ("ntk", found.d_ntk)):
            for v, plane in slopes.items():
                right, most = float(want[f"{k}/{v}"]), abs(float(want[k]))
                most = max(abs(right), most / (size**2 if v.startswith("q") else 1.0))
                assert abs(plane[0, 0] - right) <= 1e-12 * most, (k, v)


@pytest.mark.parametrize("target", ["numpy", None])
def test_slopes_where_s_jumps(target):
    """Of equal rows that in the bias is that of one point (NaN before); far out closed forms of a
    step times an exponential cancel (2e-10 off)."""
    x = np.array([[0.9, -1.1, 0.4]])
    net = ntksym.mlp("step", depth=1, weight_var=1.5, bias_var=0.125)
    found = NetworkGradient(net, target, threads=1)(x)
    assert found.d_nngp["bias_var"][0, 0] == pytest.approx(1.0, rel=1e-13)
    net = ntksym.mlp("step(x)*exp(-x/2)", depth=1, weight_var=1.5, bias_var=0.125)
    g = NetworkGradient(net, target, threads=1)
    x, y = 1e3 * x, np.array([[3e2, 8e2, -7e2]])
    found, want = g(x, y), g.exact(x[0], y[0])
    for k, slopes in (("nngp", found.d_nngp), ("ntk", found.d_ntk)):
        for v, plane in slopes.items():
            right, most = float(want[f"{k}/{v}"]), abs(float(want[k]))
            most = max(abs(right), most / (1e6 if v.startswith("q") else 1.0))
            assert abs(plane[0, 0] - right) <= 1e-12 * most, (k, v)


@pytest.mark.parametrize("activation", ["x*step(x - 1) + x/3", "step(x - 1) + max(x + 1, 0)"])
@pytest.mark.parametrize("apart", [1e-4, 1e-7])
def test_nearly_opposite_rows_of_what_jumps(activation, apart):
    """No jump of the first meets one of the opposite row: its slopes are finite but for what kinks
    make (6e-11 off before); that of the second meets a kink (7e-11)."""
    net = ntksym.mlp(activation, depth=2, weight_var=1.5, bias_var=0)
    g = NetworkGradient(net, "numpy", threads=1)
    x, z = np.array([0.6, 0.8, 0.3]), np.array([0.8, -0.6, 0.1])
    y = -(x + apart * z)
    found, want = g(x[None], y[None]), g.exact(x, y)
    for k, slopes in (("nngp", found.d_nngp), ("ntk", found.d_ntk)):
        for v in ("q11", "q12", "q22"):
            right = float(want[f"{k}/{v}"])
            assert abs(slopes[v][0, 0] - right) <= 1e-12 * abs(right), (k, v)


def test_many_digits_say_that_zeros_have_no_angle():
    """Without a bias; with one they are a point like others."""
    x, none = np.array([0.6, 0.8]), np.zeros(2)
    bare, biased = (
        NetworkGradient(ntksym.mlp("relu", depth=2, bias_var=b), "numpy") for b in (0, 1)
    )
    with pytest.raises(BadData, match="zeros has no angle"):
        bare.exact(x, none)
    assert biased(x[None], none[None]).nngp[0, 0] == float(biased.exact(x, none)["nngp"])
