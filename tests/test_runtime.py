"""The runtime: Gram matrices that are exactly symmetric, checked data, a cache that checks itself."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpmath import MPContext
from scipy.sparse import csr_array
from sympy import Rational
from test_lower import relu_recursion

from ntksym.errors import BadData, BadSpec, NoCompiler
from ntksym.lower import lower_network
from ntksym.lower.schedule import evaluate_network
from ntksym.runtime import compile
from ntksym.runtime.library import cache, compiler

EPS = 2.0**-52
TARGETS = ("c", "numpy")


@pytest.fixture(scope="module", params=TARGETS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return compile(relu_recursion(3, 2, Rational(1, 10)), target=request.param, cache=False)


def data(n: int, d: int = 7, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d))


def test_symmetric_with_the_exact_diagonal(kernel: Any) -> None:
    x = data(530)  # three bands
    out = kernel(x)
    for k in (out.nngp, out.ntk):
        assert (k == k.T).all()
    assert (np.diag(out.nngp) == kernel.diag(x).nngp).all()
    assert (np.diag(out.ntk) == kernel.diag(x).ntk).all()
    assert np.linalg.eigvalsh(out.ntk)[0] > 0


def test_two_arguments_agree_with_one(kernel: Any) -> None:
    x = data(40)
    one, two = kernel(x), kernel(x, x[5:12])
    assert two.nngp.shape == (40, 7)
    assert np.abs(one.ntk[:, 5:12] / two.ntk - 1).max() < 8 * EPS


def test_targets_agree() -> None:
    x, y = data(60), data(50, seed=1)
    a, b = (compile(relu_recursion(5), target=t, cache=False)(x, y) for t in TARGETS)
    assert np.abs(a.nngp / b.nngp - 1).max() < 16 * EPS
    assert np.abs(a.ntk / b.ntk - 1).max() < 16 * EPS


@pytest.mark.parametrize("bias", [0, Rational(1, 10)])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("angle", [1e-8, 1e-6, 1e-3, 1.0])
def test_near_duplicates_keep_their_digits(target: str, bias: Any, angle: float) -> None:
    """A stored covariance loses half of the digits here: 5e-9 at an angle of 1e-8."""
    recursion = relu_recursion(20, 2, bias)
    x = np.array([[1.0, 0.0, 0.5]])
    y = np.array([[1.0, angle, 0.5]])
    got = compile(recursion, target=target, cache=False)(x, y)
    ctx = MPContext()
    ctx.dps = 60
    inner = lambda a, b: sum(ctx.mpf(float(s)) * ctx.mpf(float(t)) for s, t in zip(a, b))  # noqa: E731, B905
    pairs = inner(x[0], x[0]), inner(x[0], y[0]), inner(y[0], y[0])
    nngp, ntk = evaluate_network(lower_network(recursion), *pairs, 3, ctx)
    assert abs(float(got.nngp[0, 0] / nngp - 1)) < 40 * EPS
    assert abs(float(got.ntk[0, 0] / ntk - 1)) < 40 * EPS


@pytest.mark.parametrize("target", TARGETS)
def test_scale_and_zero_rows(target: str) -> None:
    k = compile(relu_recursion(3), target=target, cache=False)
    x = data(4)
    reference = k(x)
    for scale in (2.0**-330, 2.0**330):
        out = k(x * scale)
        assert np.abs(out.ntk / scale / scale / reference.ntk - 1).max() < 1e-13
    x[1] = 0.0
    out = k(x)
    assert (out.nngp[1] == 0.0).all() and (out.nngp[:, 1] == 0.0).all()
    assert np.isfinite(out.ntk).all()


def test_collinear_rows(kernel: Any) -> None:
    x = data(3)
    out = kernel(np.vstack([x, 3.7 * x, -x]))
    assert np.isfinite(out.ntk).all()


def test_gram_from_inner_products(kernel: Any) -> None:
    x, y = data(20), data(30, seed=3)
    out = kernel.gram(x @ y.T, (x * x).sum(1), (y * y).sum(1), d=7)
    assert np.abs(out.ntk / kernel(x, y).ntk - 1).max() < 1e-13


def test_integers_and_float32(kernel: Any) -> None:
    x = np.arange(12).reshape(4, 3)
    assert (kernel(x).ntk == kernel(x.astype(float)).ntk).all()
    half = compile(relu_recursion(2), target="numpy", dtype="float32", cache=False)
    out = half(x)
    assert out.ntk.dtype == np.float32 and (out.ntk == out.ntk.T).all()


def test_fresh_outputs(kernel: Any) -> None:
    x = data(5)
    first = kernel(x)
    first.nngp[:] = 0
    assert (kernel(x).nngp != 0).all()


@pytest.mark.parametrize(
    ("x", "y", "text"),
    [
        ([1.0, 2.0], None, r"\(n, d\) is needed, not \(2,\)\n.*X\.reshape\(1, -1\) for one input"),
        (np.ones((2, 2, 2)), None, r"not \(2, 2, 2\)\n.*X\.reshape\(len\(X\), -1\)"),
        (1.0, None, r"not \(\)\n  use:   a row for each input"),
        ("X.npy", None, r"not the text 'X\.npy'\n.*np\.load\(\"X\.npy\"\)"),
        (None, None, "real numbers are needed, not NoneType"),
        (np.array([[1, 2.5]], dtype=object), None, r"not object\n.*X\.astype\(float\)"),
        (
            csr_array(np.eye(2)),
            None,
            r"a sparse array \(csr_array\)[^\n]*\n  use:   X\.toarray\(\)",
        ),
        (np.empty((3, 0)), None, r"X: rows without columns, shape \(3, 0\)"),
        (np.ma.masked_equal([[1.0, 2.0]], 2.0), None, "X: 1 masked element\n"),
        ([["a", "b"]], None, "X: real numbers are needed"),
        ([[1j, 2.0]], None, r"X: real numbers are needed, not complex128\n.*X\.real"),
        ([[1.0, 2.0]], [[1.0]], "different numbers of columns: 2 and 1"),
        ([[1.0], [1.0, 2.0]], None, "X: rows of different lengths"),
    ],
)
def test_bad_data(kernel: Any, x: Any, y: Any, text: str) -> None:
    with pytest.raises(BadData, match=text):
        kernel(x, y)


def test_bad_gram(kernel: Any) -> None:
    with pytest.raises(BadData, match=r"G has shape \(2, 2\), the squared norms say \(3, 2\)"):
        kernel.gram(np.ones((2, 2)), np.ones(3), np.ones(2))
    with pytest.raises(BadData, match="q1: a variance is negative"):
        kernel.gram(np.ones((2, 2)), np.array([1.0, -1.0]), np.ones(2))


def test_unknown_target_and_dtype() -> None:
    with pytest.raises(BadSpec, match="unknown target 'fortran'"):
        compile(relu_recursion(1), target="fortran")
    with pytest.raises(BadSpec, match=r"numpy; for a module, ntksym export \.\.\. --target jax"):
        compile(relu_recursion(1), target="jax")
    with pytest.raises(BadSpec, match=r"type list says neither(.|\n)*ntksym\.mlp\(\[\"gelu\""):
        compile(["gelu", "relu"])
    with pytest.raises(BadSpec, match="unknown dtype 'float16'"):
        compile(relu_recursion(1), dtype="float16")


# -- compiler and cache --------------------------------------------------------------------------


def test_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "/nonexistent")
    with pytest.raises(NoCompiler, match="no working C compiler") as caught:
        compiler.find_compiler()
    assert 'target="numpy"' in caught.value.text
    assert "/nonexistent: not found" in caught.value.text
    assert compile(relu_recursion(1), target="numpy", cache=False)(data(2)).ntk.shape == (2, 2)


def test_never_fast_math() -> None:
    assert not {"-ffast-math", "-Ofast"} & set(compiler.find_compiler().flags)
    assert np.finfo(float).tiny / 2 != 0.0


def test_cache_is_private_and_reused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NTKSYM_CACHE", str(tmp_path / "cache"))
    compile(relu_recursion(1))
    folder = tmp_path / "cache"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    libraries = sorted(folder.glob("*.so"))  # the network, and the Gram loop if not loaded yet
    assert libraries
    before = [f.stat().st_ino for f in libraries]  # one that is written again is another file
    compile(relu_recursion(1))
    assert [f.stat().st_ino for f in sorted(folder.glob("*.so"))] == before


def test_changed_binary_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NTKSYM_CACHE", str(tmp_path / "cache"))
    made: list[int] = []

    def make(_: Path) -> bytes:
        made.append(1)
        return b"content"

    path = cache.obtain("key", ".bin", make)
    cache.obtain("key", ".bin", make)
    assert len(made) == 1
    path.write_bytes(b"tampered")
    assert cache.obtain("key", ".bin", make).read_bytes() == b"content"
    assert len(made) == 2


def test_links_and_open_directories_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, real, link = tmp_path / "open", tmp_path / "real", tmp_path / "link"
    opened.mkdir()
    opened.chmod(0o777)
    real.mkdir(mode=0o700)
    link.symlink_to(real)
    for folder in (opened, link):
        monkeypatch.setenv("NTKSYM_CACHE", str(folder))
        path = cache.obtain("key", ".bin", lambda _: b"x")
        assert path.parent == cache.process_directory()
        assert not list(folder.iterdir())
    assert stat.S_IMODE(os.stat(cache.process_directory()).st_mode) == 0o700


def test_unwritable_cache_falls_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    monkeypatch.setenv("NTKSYM_CACHE", str(blocked / "below"))
    assert compile(relu_recursion(1), target="numpy")(data(2)).nngp.shape == (2, 2)
    assert cache.cache_directory() == cache.process_directory()


def test_compiled_dual() -> None:
    for target in TARGETS:
        d = compile("leaky_relu", target=target, cache=False)
        out = d(np.ones((2, 1)), np.array([0.5, 1.0]), 1.0, alpha=0.1)
        assert out.nngp.shape == (2, 2)
        assert abs(d.diag(2.0, alpha=0.1).nngp - 1.01) < 4 * EPS
        with pytest.raises(BadData, match="the parameter 'alpha' has no value"):
            d(1.0, 0.5, 1.0)
        with pytest.raises(BadData, match="no parameter 'beta'"):
            d(1.0, 0.5, 1.0, alpha=1.0, beta=2.0)


def test_network_objects() -> None:
    from ntksym import activations
    from ntksym.network import mlp

    x = data(6)
    net = mlp(activations.gelu, depth=2, weight_var=1, bias_var=1)
    a, b = (compile(net, target=t, cache=False)(x) for t in TARGETS)
    assert np.abs(a.ntk / b.ntk - 1).max() < 16 * EPS


def test_results_come_apart() -> None:
    x = data(3)
    k, dual = compile("mlp:relu:depth=1", target="numpy"), compile("relu", target="numpy")
    nngp, ntk = k(x)
    assert (nngp == k(x).nngp).all() and (ntk == k(x).ntk).all() and len(list(k.diag(x))) == 2
    value, dot = dual(1.0, 0.5, 2.0)
    assert (value, dot) == (dual(1.0, 0.5, 2.0).nngp, dual(1.0, 0.5, 2.0).dot)


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_covariances_that_are_none(target: str) -> None:
    """A negative variance is NaN; an excess is clamped, or named when `strict`."""
    code = compile("relu", target=target)
    out = code(np.array([-1.0, 1.0]), np.array([0.0, 1.0 + 1e-15]), 1.0)
    assert np.isnan(out.nngp[0]) and np.isnan(out.dot[0])
    assert out.nngp[1] == pytest.approx(0.5, rel=1e-14)
    assert np.isnan(code.diag(-1.0).nngp)
    assert code(1.0, 1.0 + 1e-15, 1.0, strict=True).nngp == pytest.approx(0.5, rel=1e-14)
    with pytest.raises(BadData) as caught:
        code(np.ones(3), np.array([0.0, 1.5, 1.1]), np.ones(3), strict=True)
    assert caught.value.text == (
        "relu: |q12| exceeds sqrt(q11*q22)\n  worst at index [1]: by 0.5\n"
        "  use:   strict=False clamps it to the bound"
    )
    with pytest.raises(BadData, match="a variance is negative"):
        code(-1.0, 0.0, 1.0, strict=True)
