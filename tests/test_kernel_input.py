"""Kernels copied, pickled, and given inner products, spheres and arrays of every kind."""

from __future__ import annotations

import copy
import os
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ntksym
from ntksym.backends.numpy.tables import arcsin_ratio
from ntksym.errors import BadData, BadSpec, UnsupportedOp
from ntksym.large import plan_tiles
from ntksym.runtime.library import compiler

R = np.random.default_rng(0)
X = R.normal(size=(40, 5))
MADE = [("c", "mlp:relu:depth=2,bias_var=0.1"), ("numpy", "mlp:relu:depth=2,bias_var=0.1")]


@pytest.fixture(
    scope="module", params=[*MADE, ("c", "mlp:tanh:depth=1"), ("numpy", "mlp:erf:depth=2")]
)
def kernel(request: pytest.FixtureRequest) -> Any:
    return ntksym.compile(request.param[1], target=request.param[0])


@pytest.mark.parametrize(
    "again", [lambda k: pickle.loads(pickle.dumps(k)), copy.deepcopy, copy.copy]
)
def test_kernels_travel(kernel: Any, again: Any) -> None:
    kernel.gradient(X[:2])
    other = again(kernel)
    assert np.array_equal(other(X).ntk, kernel(X).ntk)
    assert np.array_equal(other.gradient(X[:2]).ntk, kernel.gradient(X[:2]).ntk)


def test_equal_points_from_inner_products(kernel: Any) -> None:
    x = X.copy()
    x[7], x[9] = x[2], 0.0
    g = x @ x.T
    q = np.einsum("ij,ij->i", x, x)  # another order of summation: equal up to a rounding
    found, own = kernel.gram(g, q, q, 5), kernel.gram(np.diag(q), q, q, 5)
    for name in ("nngp", "ntk"):
        values = getattr(found, name)
        assert (values == values.T).all()
        assert (np.diag(values) == np.diag(getattr(own, name))).all()
        assert values[2, 7] == values[7, 2] == pytest.approx(values[2, 2], rel=1e-15)
    for d in (2.5, True, 0, 2**70):
        with pytest.raises(BadSpec, match=rf"d = {d}"):
            kernel.gram(g, q, q, d)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_inner_products_above_the_norms_count_as_that(kernel: Any, sign: float) -> None:
    q1, q2 = np.array([1.0, 4.0, 0.25]), np.array([9.0, 1.0])
    most = sign * np.sqrt(q1[:, None] * q2)
    held, within = kernel.gram(most, q1, q2), kernel.gram(0.5 * most, q1, q2)
    for times in (1.0 + 1e-9, 1.5, 1e100):
        given = times * most
        given[2, 1] = 0.5 * most[2, 1]
        kept = given.copy()
        found = kernel.gram(given, q1, q2)
        assert (given == kept).all()  # it is the caller's
        for name in ("nngp", "ntk"):
            values, want = getattr(found, name), getattr(held, name).copy()
            want[2, 1] = getattr(within, name)[2, 1]
            np.testing.assert_allclose(values, want, rtol=1e-14, atol=1e-300)
    assert np.isnan(kernel.gram(sign * np.full((3, 2), np.inf), q1, q2).ntk).all()
    with pytest.raises(BadData, match="exceeds"):
        kernel.gram(1.5 * most, q1, q2, strict=True)


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="a shell script")
def test_a_compiler_that_hangs_is_stopped_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "cc"
    script.write_text(f"#!/bin/sh\n(sleep 60; touch '{tmp_path}/woke')\necho done\n")
    script.chmod(0o755)
    monkeypatch.setattr(compiler, "ANSWER_LIMIT", 0.2)
    monkeypatch.setenv("CC", str(script))
    with pytest.warns(RuntimeWarning, match="does not run"):
        made = ntksym.compile("mlp:relu:depth=1,bias_var=1/3", cache=False)
    # a child that was left running would hold the pipes until it has written this
    assert made.target == "numpy" and not (tmp_path / "woke").exists()


def test_bad_rows_are_nan_on_the_diagonal_too(kernel: Any) -> None:
    x = X.copy()
    x[3, 1] = np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out, diag, grad = kernel(x), kernel.diag(x), kernel.gradient(x[2:4])
    assert np.isnan(out.ntk[3]).all() and np.isnan(diag.ntk[3]) and np.isnan(diag.nngp[3])
    assert np.isfinite(np.delete(diag.ntk, 3)).all() and np.isnan(grad.ntk[1, 1])
    with pytest.raises(BadData, match="without columns"):
        kernel.gradient(np.empty((3, 0)))
    with pytest.raises(BadData, match="an array is needed, not MaskedArray"):
        kernel(X, out=(np.ma.array(np.empty((40, 40))), np.empty((40, 40))))


def test_a_kernel_on_a_sphere() -> None:
    k = ntksym.compile("mlp:gelu:depth=2", collapse=True)
    x = X / np.linalg.norm(X, axis=1)[:, None]
    whole, q = k(x), np.ones(40)
    assert k.gram(x @ x.T, q, q, 5).ntk == pytest.approx(whole.ntk, rel=1e-9)
    assert k(x[:0]).ntk.shape == (0, 0) and k(x, x[:0]).ntk.shape == (40, 0)
    x[3, 0] = np.nan
    found = k(x).ntk
    assert np.isnan(found[3]).all() and np.array_equal(found[4:, 4:], whole.ntk[4:, 4:])
    with pytest.raises(BadData, match="rows do not lie on a sphere"):
        k(2.0 * X)
    for bad in ("X.npy", X[0], X.astype(complex), None):
        with pytest.raises(BadData):
            k(bad)
    with pytest.raises(UnsupportedOp, match="no derivatives"):
        k.gradient(X)


@pytest.mark.parametrize("reach", [2, 4, 8])
def test_ratios_of_the_arc_sine(reach: int) -> None:
    top, bottom = arcsin_ratio(reach, 26)
    x = np.sqrt(np.linspace(1e-3, 1.0 / reach, 999))
    z = x * x
    found = x + x * z * np.polyval(top[::-1], z) / np.polyval(bottom[::-1], z)
    assert np.abs(found / np.arcsin(x) - 1).max() < 2.0**-26 + 2.0**-50


def test_floats_with_arcs_of_their_own() -> None:
    """Float tiles by ratios, and by NumPy's functions, which some processors have as vector code."""
    half = ntksym.compile("mlp:relu:depth=3", target="numpy", dtype="float32")
    exact = ntksym.compile("mlp:relu:depth=3", target="numpy")(X).ntk
    module = half._engine.tiles._module
    was = module.VECTOR
    try:
        for vector in (False, True):
            module.VECTOR = vector
            assert np.abs(half(X).ntk / exact - 1).max() < 1e-6
    finally:
        module.VECTOR = was


@pytest.mark.parametrize("n", [8000, 8100, 20000, 1537])
def test_tiles_nearly_divide_the_matrix(n: int) -> None:
    plan = plan_tiles(n, n, 784, memory="2GB", threads=2, symmetric=True)
    stored = (plan.shape[0] * plan.side) ** 2
    assert plan.side <= 1536 and stored <= 1.05 * n * n


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_a_dual_at_the_ends_of_the_range_warns_of_nothing(target: str) -> None:
    dual = ntksym.compile("piecewise(((x - 1)/10, x <= 1), (min(x, 6), True))", target=target)
    q = np.array([1e-320, 1.0, 1e200, 1e306, np.inf, np.nan])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = dual(q, q / 2, q)
        own = dual.diag(q)
    assert np.isfinite(found.nngp[:3]).all() and np.isfinite(own.nngp[:3]).all()
    assert np.isnan(found.nngp[-1]) and np.isnan(own.nngp[-1])
