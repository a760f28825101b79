"""Exported C of networks of mixtures, tables and series: their derivatives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_gradient_library import Exported

import ntksym
from ntksym.export.files import generate
from ntksym.runtime.gradients.units import UnitGradient

NETWORK = "depth=2,weight_var=2,bias_var=1/10"


def rows(n: int, low: float = 0.6, high: float = 1.7) -> Any:
    """Rows of these variances; two are equal, two nearly, two opposite."""
    rng = np.random.default_rng(4)
    x = rng.standard_normal((n, 4))
    x *= (np.sqrt(4.0 * np.linspace(low, high, n)) / np.sqrt(np.sum(x * x, axis=1)))[:, None]
    x[3], x[5], x[7] = x[2], x[4] * (1.0 + 1e-9), -x[6]
    return x


def check(found: dict[str, Any], want: Any, tolerance: float) -> None:
    for name, plane in found.items():
        kernel, _, wrt = name.partition("/")
        polar = wrt.startswith("polar ")
        table = getattr(want, ("polar_" if polar else "d_") + kernel) if wrt else None
        value = getattr(want, kernel) if table is None else table[wrt.removeprefix("polar ")]
        swapped = name.replace("q11", "@").replace("q22", "q11").replace("@", "q22")
        np.testing.assert_array_equal(plane, found[swapped].T)
        assert np.abs(plane - value).max() <= tolerance * max(1.0, np.abs(value).max()), name


def test_mixtures_are_those_of_the_runtime_beyond_a_tile(tmp_path: Path) -> None:
    """More rows than a tile, a row of NaN, and a matrix that is not symmetric."""
    made = Exported(f"mlp:tanh:{NETWORK}", tmp_path)
    x = rows(67)
    x[66] = np.nan
    (found, close), (part, _) = made.network(x), made.network(x[60:], x[:9])
    assert not close.any()
    assert all(np.isnan(p[66]).all() and np.isfinite(p[:66, :66]).all() for p in found.values())
    net = ntksym.mlp("tanh", depth=2, weight_var=2, bias_var="1/10")
    want = UnitGradient(net, target="numpy")(x[:9])
    for name in found:
        np.testing.assert_allclose(part[name][:6], found[name][60:66, :9], rtol=1e-13, atol=1e-14)
        found[name] = found[name][:9, :9]
    check(found, want, 3e-14)


@pytest.mark.parametrize("activation", ["tanh", "silu"])
def test_mixtures_keep_their_slopes_at_large_variances(activation: str, tmp_path: Path) -> None:
    """Equal, nearly equal, opposite and unlike rows of 1e3, 1e5 and 1e30, beside the runtime's."""
    made = Exported(f"mlp:{activation}:{NETWORK}", tmp_path)
    gradient = UnitGradient(ntksym.mlp(activation, depth=2, weight_var=2, bias_var="1/10"))
    for size in (1e3, 1e5, 1e30):
        x = size * rows(8)
        x[5] = x[4] * (1.0 + np.arange(4) / 8)
        x[6] /= 1e3
        (found, _), want = made.network(x), gradient(x)
        squares = np.sum(x * x, axis=1)
        both = np.sqrt(np.outer(squares, squares))
        units = {"q11": squares[:, None], "q22": squares[None], "q12": both}
        for name, plane in found.items():
            kernel, _, wrt = name.partition("/")
            wrt, polar = wrt.removeprefix("polar "), "polar " in wrt
            value = getattr(want, kernel)
            own = np.sqrt(np.outer(value.diagonal(), value.diagonal())) / units.get(wrt, 1.0)
            if wrt:
                value = getattr(want, ("polar_" if polar else "d_") + kernel)[wrt]
            error = np.abs(plane - value) / np.maximum(np.abs(value), own)
            assert error.max() < 1e-11, (name, size)


def test_a_bias_moves_collinear_rows_of_a_network_without_one_apart(tmp_path: Path) -> None:
    """Of units beside the closed form, infinite for kinks, and of exported C beside units."""
    x = np.array([[1.0, 0.5], [-1.0, -0.5], [2.0, 1.0], [-2.0, -1.0]])
    for name, depth in (("erf", 2), ("hardtanh", 1)):
        net = ntksym.mlp(name, depth=depth, weight_var="3/2", bias_var=0)
        found, want = (g(net, target="numpy")(x) for g in (UnitGradient, ntksym.NetworkGradient))
        for slopes, right in ((found.d_nngp, want.d_nngp), (found.d_ntk, want.d_ntk)):
            np.testing.assert_allclose(slopes["bias_var"], right["bias_var"], rtol=1e-11)
    made = Exported("mlp:tanh:depth=2,weight_var=2,bias_var=0", tmp_path)
    given = UnitGradient(ntksym.mlp("tanh", depth=2, weight_var=2, bias_var=0), threads=1)(x)
    check(made.network(x)[0], given, 3e-14)


@pytest.mark.parametrize(
    ("activation", "options"),
    [
        ("tanh(x) + max(x, 0)", {}),
        (
            "max(x, -x/3) + x*exp(-x^2/2)",
            {"method": "tabulated", "error": 1e-6, "variances": ("1", "3/2")},
        ),
    ],
    ids=["mixture", "table"],
)
def test_a_bias_of_0_moves_collinear_rows_apart_like_its_root(
    activation: str, options: dict[str, Any], tmp_path: Path
) -> None:
    """The NTK of a kink has an infinite slope there, as `k.gradient` says; equal rows have none."""
    made = Exported(f"mlp:{activation}:depth=1,weight_var=1,bias_var=0", tmp_path, **options)
    x = 1.15 * np.array([[1.0], [-1.0], [0.95], [-0.95]])
    slopes = made.network(x)[0]["ntk/bias_var"]
    assert np.isfinite(slopes.diagonal()).all()
    assert (slopes[~np.eye(4, dtype=bool)] == -np.inf).all()
    apart = (np.sqrt(2.0) * x @ [row] for row in ((0.8, 0.6), (0.6, 0.8)))
    assert np.isfinite(made.network(*apart)[0]["ntk/bias_var"]).all()


def test_sigmoid_linear_units_far_out_are_relu(tmp_path: Path) -> None:
    """Slopes in the variances at a fixed angle of equal and of nearly parallel rows, deep down."""
    made = Exported(f"mlp:silu:{NETWORK}", tmp_path)
    x = 1e30 * rows(8)
    x[5] = x[4] * (1.0 + np.arange(4) / 8)
    want = ntksym.NetworkGradient(ntksym.mlp("relu", depth=2, weight_var=2, bias_var="1/10"))(x)
    net = ntksym.mlp("silu", depth=2, weight_var=2, bias_var="1/10")
    of_c, of_runtime = made.network(x)[0], UnitGradient(net)(x)
    for plane in (of_c["ntk/polar q11"], of_runtime.polar_ntk["q11"]):
        np.testing.assert_allclose(plane, want.polar_ntk["q11"], rtol=1e-11)


@pytest.mark.parametrize(
    ("activation", "options"),
    [
        ("x/(1+exp(-beta*x))", {}),
        ("sin(beta*x)", {"method": "tabulated", "error": 1e-6, "variances": ("1", "3/2")}),
    ],
)
def test_slopes_in_a_parameter_that_scales(
    activation: str, options: dict[str, Any], tmp_path: Path
) -> None:
    """Of sums over nodes beside the runtime's, and of a table beside the closed form's."""
    spec = f"mlp:{activation}:beta=5/4,depth=1,bias_var=1/10"
    made = Exported(spec, tmp_path, **options)
    x, net = rows(9, 1.0 + 1e-9, 1.5 - 1e-9), ntksym.parse_spec(spec)
    want = ntksym.NetworkGradient(net, "numpy")(x) if options else UnitGradient(net)(x)
    found = made.network(x)[0]
    assert {"nngp/beta", "ntk/beta"} <= set(found)
    check(found, want, 2e-4 if options else 3e-14)


FORCED = {
    "series": ("erf", {"method": "series", "error": 1e-6}, 2e-4),
    "table": ("gelu", {"method": "tabulated", "error": 1e-6}, 2e-4),
    "rule": ("gelu", {"method": "quadrature", "error": 1e-6}, 2e-4),
}
"""How, for what closed form, and how near the slopes of values are to its derivatives."""


@pytest.mark.parametrize("how", FORCED)
def test_slopes_of_values_are_near_those_of_the_closed_form(how: str, tmp_path: Path) -> None:
    """Up to the ends of the range, where no value beyond is asked for."""
    activation, options, tolerance = FORCED[how]
    spec = f"mlp:{activation}:depth=1,bias_var=1/10"
    made = Exported(spec, tmp_path, variances=("1", "3/2"), **options)
    x = rows(9, 1.0 + 1e-9, 1.5 - 1e-9)
    want = ntksym.NetworkGradient(ntksym.mlp(activation, depth=1, bias_var="1/10"), "numpy")(x)
    check(made.network(x)[0], want, tolerance)
    outside = made.network(x[:1], 1.6 * x[:2])[0]
    assert all(np.isnan(plane).all() for plane in outside.values())


def test_one_pair_from_inner_products(tmp_path: Path) -> None:
    made = Exported("mlp:sigmoid:depth=1,bias_var=1/3", tmp_path)
    x = rows(8)[[0, 1, 2, 4, 6]]
    (whole, _), g = made.network(x[:2], x[2:]), x @ x.T
    i, j = (v.ravel() for v in np.mgrid[0:2, 2:5])
    found = made.pairs(x.shape[1], g[i, i], g[i, j], g[j, j])
    for name, plane in whole.items():
        np.testing.assert_allclose(found[name], plane.ravel(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("spec", "options", "why"),
    [
        ("abs(x)**p", {}, "no closed form for the derivative in 'p'"),
        ("atan(x)", {"method": "series", "variances": 1, "error": 1e-4}, "range of variances, not"),
        ("mish", {"variances": 1}, "need a range of variances, not one"),
        ("mlp:mish:depth=1", {"variances": 1}, "need a range of variances, not one"),
        ("max(tanh(x), x/2 - 1)", {"variances": 1, "error": 1e-6}, "form kinks away from 0"),
        ("mlp:relu:depth=9,weight_var=2", {"collapse": True}, "not of collapsed layers"),
    ],
)
def test_what_has_no_derivatives_in_c_says_why(spec: str, options: Any, why: str) -> None:
    files = {f.name: f.text for f in generate(spec, "c", **options).files}
    header = next(t for name, t in files.items() if name.endswith(".h") and name != "ntksym.h")
    assert not any(name.endswith("_gradient.c") for name in files)
    said = " ".join(header.split("*/")[0].replace("\n *", " ").split())
    assert "No gradient function: " in said and why in said
