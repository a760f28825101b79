"""Collapsed networks as C and NumPy: as near to the layers as proven, on hard data too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flint import arb
from sympy import Rational

import ntksym
from ntksym.errors import BadData, BadSpec
from ntksym.network import parse_spec
from ntksym.precision import precision
from ntksym.runtime.deep.collapsed import CollapsedKernel
from ntksym.runtime.deep.collapsed_forms import collapsed_program, kept_collapse, record
from ntksym.runtime.deep.layers import sphere
from ntksym.runtime.kernel import CompiledKernel

HOMOGENEOUS = "mlp:relu:depth=20,weight_var=2,bias_var=0"
SQUARE = "mlp:x*abs(x):depth=2,weight_var=1,bias_var=0"
SPHERE = "mlp:erf:depth=5,weight_var=1,bias_var=1/10"


def hard_rows(sphere: bool) -> np.ndarray:
    """Random rows, and equal, opposite, nearly equal, nearly opposite and orthogonal ones."""
    rng = np.random.default_rng(11)
    x = rng.standard_normal((90, 12))
    x[1], x[2] = x[0], -x[0]
    x[3] = x[0] + 1e-8 * x[4]
    x[5] = -x[0] + 1e-6 * x[4]
    x[6] = 0.0
    x[6, 3] = 2.0
    x[7] = 0.0
    x[7, 5] = -3.0
    if not sphere:
        x[8], x[9], x[10] = 0.0, 3.7 * x[0], 1e-3 * x[0]
        return x
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize("dtype, eps", [("float64", 2e-13), ("float32", 1e-6)])
@pytest.mark.parametrize("spec", [HOMOGENEOUS, SQUARE, SPHERE])
def test_as_the_layers(spec: str, dtype: str, eps: float, target: str) -> None:
    network = parse_spec(spec)
    x = hard_rows(spec == SPHERE)
    k = CollapsedKernel(network, target=target, dtype=dtype, cache=True, threads=2)
    found = k(x)
    plain = ntksym.compile(network)(x)
    for name in ("nngp", "ntk"):
        values, expected = getattr(found, name), getattr(plain, name)
        assert values.dtype == dtype and (values == values.T).all()
        size = np.sqrt(np.diag(expected))
        error = np.abs(values - expected) / np.maximum(np.outer(size, size), 1e-300)
        assert error.max() <= eps, (name, np.unravel_index(error.argmax(), error.shape))
    np.testing.assert_array_equal(np.diag(found.ntk), k.diag(x).ntk)
    rows = k(x[:5], x[5:]).ntk
    np.testing.assert_allclose(rows, found.ntk[:5, 5:], rtol=0, atol=eps * np.diag(plain.ntk).max())


@pytest.mark.parametrize("dtype, eps", [("float64", 1e-14), ("float32", 5e-7)])
@pytest.mark.parametrize("spec", [HOMOGENEOUS, SQUARE])
def test_blocks_in_place_are_the_readable_form(spec: str, dtype: str, eps: float) -> None:
    """Rows of moderate norms go through `numpy.collapsed_tiles`, near ones and zeros do not."""
    k = CollapsedKernel(parse_spec(spec), target="numpy", dtype=dtype, cache=True, threads=1)
    rng = np.random.default_rng(3)
    x = rng.standard_normal((300, 30)).astype(dtype)
    x[:100] += 1.0  # blocks of one sign, and of both
    x[250] = x[0] * np.float32(1.5)
    made = k.for_data(x)
    engine: Any = made._engine
    assert engine.tiles is not None and engine.tiles.moderate(np.ones((2, 1)), dtype).all()
    fast = k(x)
    engine.tiles = None
    slow = CompiledKernel.__call__(made, x.astype(float))
    for name in ("nngp", "ntk"):
        a, b = getattr(fast, name), getattr(slow, name)
        size = np.sqrt(np.diag(b))
        assert (abs(a - b) / np.outer(size, size)).max() < eps and (a == a.T).all()


def test_near_duplicates_keep_their_digits() -> None:
    """An angle of 1e-8 after 20 layers: the layers' own recursion in balls is the judge."""
    k = CollapsedKernel(parse_spec(HOMOGENEOUS), target="c", dtype="float64", cache=True, threads=1)
    angle = 1e-8
    x = np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
    found = k(x).ntk[0, 1]
    c = kept_collapse(parse_spec(HOMOGENEOUS), None, 1e-12, True)
    with precision(1200):
        norm = (arb(x[1, 0]) ** 2 + arb(x[1, 1]) ** 2).sqrt()
        gap = 1 - arb(x[1, 0]) / norm
        value = c.angular.evaluator()(gap, 1)[1] * norm
        expected = float(value.mid())
    assert abs(found - expected) <= 1e-12 * 21


def test_other_spheres_make_other_kernels() -> None:
    k = CollapsedKernel(parse_spec(SPHERE), target="numpy", dtype="float64", cache=True, threads=1)
    x = hard_rows(True)
    assert (k.bound, k.taken) == (1e-12, "no call yet")
    for scale in (1.0, 2.0):
        plain = ntksym.compile(parse_spec(SPHERE))(scale * x)
        np.testing.assert_allclose(k(scale * x).ntk, plain.ntk, rtol=0, atol=1e-11)
    assert len(k._made) == 2
    assert k.taken == f"one polynomial, proven to {k.for_data(2.0 * x).bound:.1e}"
    assert 0 < k.bound == max(k.for_data(s * x).bound for s in (1.0, 2.0)) < 1e-12


@pytest.mark.parametrize("spec", ["mlp:relu:depth=2", "mlp:sin:depth=1,bias_var=1/10"])
def test_the_standard_parametrisation_has_the_dimension_of_the_data(spec: str) -> None:
    network = parse_spec(spec + ("," if "=" in spec else ":") + "parametrization=standard,width=64")
    k = ntksym.compile(network, target="numpy", collapse=1e-9)
    for d in (3, 12):
        x = np.random.default_rng(d).standard_normal((9, d))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        plain = ntksym.compile(network, target="numpy", collapse=False)(x)
        np.testing.assert_allclose(k(x).ntk, plain.ntk, rtol=0, atol=2e-9 * plain.ntk.max())
        assert k.diag(x).ntk == pytest.approx(np.diag(plain.ntk), rel=2e-9)
    with pytest.raises(BadSpec, match="the NTK depends on the number of inputs"):
        kept_collapse(network, Rational(1), 1e-9, True)


def test_rows_that_are_on_no_sphere() -> None:
    k = CollapsedKernel(parse_spec(SPHERE), target="numpy", dtype="float64", cache=True, threads=1)
    with pytest.raises(BadData, match="do not lie on a sphere") as caught:
        k(hard_rows(False))
    assert "squared norms from" in caught.value.where and "collapse=False" in caught.value.hint


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_off_the_sphere_is_nan(target: str) -> None:
    k = CollapsedKernel(parse_spec(SPHERE), target=target, dtype="float64", cache=True, threads=1)
    x = hard_rows(True)
    inner = k.for_data(x)
    stray = np.vstack([x[:4], 1.001 * x[4:8]])
    with pytest.warns(RuntimeWarning, match="variance of row 4 of X is nan"):
        found = inner(stray)
    assert np.isnan(found.ntk[4:]).all() and np.isnan(found.nngp[:, 4:]).all()
    assert np.isfinite(found.ntk[:4, :4]).all()


def test_the_file_says_what_is_proven() -> None:
    c = kept_collapse(parse_spec(SPHERE), Rational(1, 2), 1e-12, True)
    program = collapsed_program(c)
    assert "5 layers as one polynomial of the angle" in program.notes[0]
    assert "Sigma(x, x) = 0.5" in program.notes[0]
    assert "proven" in program.notes[1] and max(c.error) <= 1e-12
    again = kept_collapse(parse_spec(SPHERE), Rational(1, 2), 1e-12, True)
    assert record(again) == record(c)


def test_deep_networks_take_the_polynomial_where_it_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    from ntksym.runtime.deep import layers as deep

    assert not deep.pays(deep.SHALLOW - 1, 10**12) and not deep.pays(20, 10**4)
    assert deep.pays(20, 2000**2) and deep.pays(100, 2000**2) and not deep.pays(1000, 1000**2)
    monkeypatch.setattr(deep, "pays", lambda depth, entries, dtype: entries >= 50 * 50)
    x = hard_rows(False)
    k = ntksym.compile(HOMOGENEOUS)
    plain = ntksym.compile(HOMOGENEOUS, collapse=False)
    assert "polynomial" in repr(k) and "polynomial" not in repr(plain)
    found, expected = k(x), plain(x)
    assert k.taken == f"one polynomial, proven to {k.bound:.1e}" and 0 < k.bound <= 2e-14
    for name in ("nngp", "ntk"):
        a, b = getattr(found, name), getattr(expected, name)
        size = np.sqrt(np.diag(b))
        error = np.abs(a - b) / np.maximum(np.outer(size, size), 1e-300)
        assert error.max() <= 2e-14 and (a == a.T).all()
        np.testing.assert_array_equal(np.diag(a), getattr(k.diag(x), name))
    np.testing.assert_array_equal(k(x[:4]).ntk, plain(x[:4]).ntk)
    assert k.taken == "layers: the matrix is small" and k.bound == 0.0


def test_the_data_decide_for_what_is_not_homogeneous(monkeypatch: pytest.MonkeyPatch) -> None:
    from ntksym.runtime.deep import layers as deep

    monkeypatch.setattr(deep, "pays", lambda depth, entries, dtype: True)
    spec = SPHERE.replace("depth=5", "depth=8")
    k, plain = ntksym.compile(spec), ntksym.compile(spec, collapse=False)
    x = hard_rows(True)
    found, expected = k(x), plain(x)
    assert k.taken.startswith("one polynomial")
    size = np.sqrt(np.diag(expected.ntk))
    assert (np.abs(found.ntk - expected.ntk) / np.outer(size, size)).max() <= 2e-14
    stray = x * (1 + 1e-13 * np.arange(len(x)))[:, None]
    np.testing.assert_array_equal(k(stray).ntk, plain(stray).ntk)
    assert k.taken == "layers: the rows are on no sphere"
    assert deep.sphere([x, x])[0] == 1.0 and deep.sphere([x, 2 * x])[0] is None


def test_what_cannot_be_proven_keeps_its_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    from ntksym.runtime.deep import layers as deep

    monkeypatch.setattr(deep, "pays", lambda depth, entries, dtype: True)
    monkeypatch.setitem(deep.ERROR, "float64", 1e-17)
    spec = HOMOGENEOUS.replace("depth=20", "depth=8")
    k, x = ntksym.compile(spec, target="numpy"), hard_rows(False)
    for _ in range(2):
        found = k(x).ntk
        assert k.taken == "layers: an error of 1e-17 is not reached"
    np.testing.assert_array_equal(
        found, ntksym.compile(spec, target="numpy", collapse=False)(x).ntk
    )
    slow = ntksym.compile("mlp:elu:depth=8,alpha=1", target="numpy")
    slow(x[:3])
    assert slow.taken.startswith("layers: a proof for kinks") and "collapse=True" in slow.taken


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_float_rows_are_on_a_sphere_up_to_their_rounding(
    monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    """Rows made of length one in float: a polynomial, as near to the layers as floats are."""
    from ntksym.runtime.deep import layers as deep

    monkeypatch.setattr(deep, "pays", lambda depth, entries, dtype: True)
    spec = "mlp:relu:depth=12,weight_var=2,bias_var=1/100"
    x = hard_rows(True).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    squares = (x.astype(float) ** 2).sum(axis=1)
    assert deep.SPHERE["float64"] < np.ptp(squares) <= deep.SPHERE["float32"]
    k = ntksym.compile(spec, target=target, dtype="float32")
    found = k(x)
    assert "on a sphere, from which norms differ by up to" in k.taken
    expected = ntksym.compile(spec, collapse=False)(x.astype(float))
    for name in ("nngp", "ntk"):
        a, b = getattr(found, name), getattr(expected, name)
        size = np.sqrt(np.diag(b))
        assert a.dtype == np.float32 and (a == a.T).all()
        assert (np.abs(a - b) / np.outer(size, size)).max() <= 5e-7
        np.testing.assert_array_equal(np.diag(a), getattr(k.diag(x), name))
    stray = x * np.linspace(1, 1 + 1e-6, len(x), dtype=np.float32)[:, None]
    k(stray)
    assert k.taken == "layers: the rows are on no sphere"
    double = ntksym.compile(spec, target=target)
    double(x.astype(float))
    assert double.taken == "layers: the rows are on no sphere"


def test_rows_that_are_not_finite_are_on_every_sphere() -> None:
    rows = np.array([[0.6, 0.8], [1.0, 0.0], [np.nan, 1.0], [0.0, np.inf]])
    assert sphere([rows[:2]]) == sphere([rows]) == (1.0, 0.0)
    assert sphere([rows[2:]]) == (None, 0.0)
    assert sphere([rows, 0.5 * rows])[0] is None
