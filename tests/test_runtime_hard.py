"""The runtime with data, outputs, caches, compilers and machines that are not as one hopes."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
import pytest
from runtime_cases import EPS, TARGETS, data, same
from sympy import Rational
from test_lower import relu_recursion

import ntksym
from ntksym.errors import BadData, BadSpec
from ntksym.runtime import compile
from ntksym.runtime.addresses import address
from ntksym.runtime.gram import loop as gram_loop


@pytest.fixture(scope="module", params=TARGETS)
def kernel(request: pytest.FixtureRequest) -> Any:
    return compile(relu_recursion(2, 2, Rational(1, 10)), target=request.param, threads=2)


@pytest.fixture(scope="module", params=TARGETS)
def half(request: pytest.FixtureRequest) -> Any:
    net = relu_recursion(2, 2, Rational(1, 10))
    return compile(net, target=request.param, dtype="float32", threads=2)


# -- shapes and layouts --------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 95, 97, 193, 260])
def test_edges_of_tiles(kernel: Any, n: int) -> None:
    """Every entry of every shape against the same rows in another place of another matrix."""
    for d in (1, 3, 1025):
        x, y = data(n, d), data(n + 5, d, seed=1)
        whole, across = kernel(x), kernel(x, y)
        assert (whole.ntk == whole.ntk.T).all() and (whole.nngp == whole.nngp.T).all()
        stacked = kernel(np.vstack([x, y]))
        size = np.sqrt(np.outer(np.diag(stacked.ntk), np.diag(stacked.ntk)))
        worst = np.abs(stacked.ntk[:n, n:] - across.ntk) / size[:n, n:]
        assert worst.max() < 8 * EPS
        worst = np.abs(stacked.nngp[:n, :n] - whole.nngp) / size[:n, :n]
        assert worst.max() < 8 * EPS


def test_layouts_of_data(kernel: Any) -> None:
    x = data(40, 30)
    locked = x.copy()
    locked.flags.writeable = False
    plain = kernel(x)
    for other in (np.asfortranarray(x), x.astype(">f8"), locked, x.astype(np.longdouble)):
        assert same(kernel(other), plain)
    assert same(kernel(x[::-2, ::3]), kernel(np.ascontiguousarray(x[::-2, ::3])))
    assert same(kernel(x.astype(np.float16)), kernel(x.astype(np.float16).astype(float)))
    assert same(kernel(x.tolist()), plain)


def test_no_rows_and_one(kernel: Any) -> None:
    none, one = np.empty((0, 3)), data(1, 3)
    for a, b, shape in ((none, None, (0, 0)), (none, one, (0, 1)), (one, none, (1, 0))):
        out = kernel(a, b)
        assert out.nngp.shape == out.ntk.shape == shape
    assert kernel.diag(none).ntk.shape == (0,)
    assert kernel.gram(np.empty((0, 3)), np.empty(0), np.ones(3)).ntk.shape == (0, 3)
    assert kernel(one).ntk[0, 0] == kernel.diag(one).ntk[0]


def test_only_one_kernel(kernel: Any) -> None:
    x, y = data(120), data(30, seed=1)
    both = kernel(x, y)
    assert (kernel(x, y, only="nngp") == both.nngp).all()
    assert (kernel(x, y, only="ntk") == both.ntk).all()
    given = np.empty((120, 30))
    assert kernel(x, y, only="ntk", out=given) is given
    assert (given == both.ntk).all()
    g = x @ y.T, (x * x).sum(1), (y * y).sum(1)
    assert (kernel.gram(*g, d=7, only="ntk") == kernel.gram(*g, d=7).ntk).all()
    with pytest.raises(BadSpec, match="only = 'both'"):
        kernel(x, only="both")


def test_outputs_of_the_caller(kernel: Any) -> None:
    x = data(200)
    plain = kernel(x)
    wide = np.full((200, 230), -1.0), np.full((200, 230), -1.0)
    out = kernel(x, out=(wide[0][:, 7:207], wide[1][:, 7:207]))
    assert out.nngp.base is wide[0] and same(out, plain)
    for w in wide:
        assert (w[:, :7] == -1.0).all() and (w[:, 207:] == -1.0).all()


def locked() -> np.ndarray:
    out = np.empty((4, 4))
    out.flags.writeable = False
    return out


@pytest.mark.parametrize(
    ("out", "text"),
    [
        (
            (np.empty((4, 4)), np.empty((4, 5))),
            r"out\[1\]: shape \(4, 5\), the kernel has \(4, 4\)",
        ),
        ((np.empty((4, 4)), np.empty((4, 4), "f4")), r"out\[1\]: <f4, the kernel gives float64"),
        ((np.empty((4, 4), ">f8"), np.empty((4, 4))), r"out\[0\]: >f8"),
        ((locked(), np.empty((4, 4))), r"out\[0\]: read-only"),
        ((np.empty((4, 4), order="F"), np.empty((4, 4))), r"out\[0\]: its rows are not contiguous"),
        ((np.empty((4, 8))[:, ::2], np.empty((4, 4))), r"out\[0\]: its rows are not contiguous"),
        ((np.empty((8, 4))[::-2], np.empty((4, 4))), r"out\[0\]: its rows are not contiguous"),
        (([[0.0] * 4] * 4, np.empty((4, 4))), r"out\[0\]: an array is needed, not list"),
        (np.empty((4, 4)), "out: nngp and ntk go to 2 arrays"),
        ((np.empty((4, 4)),), "out: nngp and ntk go to 2 arrays"),
    ],
)
def test_outputs_that_cannot_be_filled(kernel: Any, out: Any, text: str) -> None:
    with pytest.raises(BadData, match=text):
        kernel(data(4), out=out)


def test_outputs_that_are_interleaved_share_nothing(kernel: Any) -> None:
    x = np.random.default_rng(0).standard_normal((70, 3))
    both = np.empty((70, 140))
    found = kernel(x, out=(both[:, :70], both[:, 70:]))
    assert found.ntk.base is both
    plain = kernel(x)
    assert (both == np.concatenate([plain.nngp, plain.ntk], axis=1)).all()


def test_outputs_that_overlap(kernel: Any) -> None:
    x, both = data(4, 4), np.empty((5, 4))
    with pytest.raises(BadData, match=r"out\[1\] overlaps out\[0\] in memory"):
        kernel(x, out=(both[:4], both[1:]))
    with pytest.raises(BadData, match=r"out\[0\] overlaps the data in memory"):
        kernel(x, out=(x, np.empty((4, 4))))
    before = x.copy()
    with pytest.raises(BadData, match=r"out\[0\] overlaps the data in memory"):
        kernel(data(4, 4), x, out=(x[::1], np.empty((4, 4))))
    assert (x == before).all()


def test_outputs_of_unlike_layout(kernel: Any) -> None:
    x = data(100)
    out = np.empty((100, 100)), np.empty((100, 150))[:, :100]
    assert same(kernel(x, out=out), kernel(x))


def test_several_rounds_of_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = data(210, 40), data(500, 40, seed=1)
    for dtype in ("float64", "float32"):
        k = compile(relu_recursion(2, 2, Rational(1, 10)), dtype=dtype, threads=2)
        whole, across = k(x), k(x, y)
        for packed in (1, 192 * 40 * 8, 3 * 192 * 40 * 8):
            monkeypatch.setattr(gram_loop, "PACKED", packed)
            assert same(k(x), whole) and same(k(x, y), across)
        monkeypatch.undo()


# -- values ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite(kernel: Any, bad: float) -> None:
    """They give NaN in their rows and columns, and nowhere else."""
    x = data(200)
    good, hit = kernel(x), [3, 150]
    x[3, 1] = x[150, 6] = bad
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out, across, diag = kernel(x), kernel(x, data(50, seed=1)), kernel.diag(x)
    kept = np.delete(np.arange(200), hit)
    for name in ("nngp", "ntk"):
        values = getattr(out, name)
        off = values[hit][:, kept]
        assert np.isnan(off).all() and np.isnan(values[np.ix_(kept, hit)]).all()
        assert not np.isfinite(np.diag(values)[hit]).any()
        assert (values[np.ix_(kept, kept)] == getattr(good, name)[np.ix_(kept, kept)]).all()
        assert np.isnan(getattr(across, name)[hit]).all()
        assert np.isfinite(getattr(across, name)[kept]).all()
        assert np.array_equal(getattr(diag, name), np.diag(values), equal_nan=True)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("target", TARGETS)
def test_rows_that_are_lost_do_not_matter_to_others(target: str, dtype: str) -> None:
    """Many of them too, and where the angles of all others are small, or nearly right."""
    k = compile(relu_recursion(2, 2, Rational(1, 10)), target=target, dtype=dtype, threads=2)
    close, turned = data(1) + 0.2 * data(90), np.eye(64) + 1e-3 * data(64, 64)
    for bad, rows in ((np.nan, close), (np.inf, turned), (1e200, data(90)), (1e200, close)):
        x = rows.astype(dtype)
        y, kept = x.copy(), np.arange(len(x)) % 4 > 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            y[~kept, 1] = bad
            out, good = k(y), k(x)
        for name in ("nngp", "ntk"):
            assert np.isnan(getattr(out, name)[np.ix_(~kept, kept)]).all()
            values = (getattr(o, name)[np.ix_(kept, kept)] for o in (out, good))
            assert np.array_equal(*values)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("target", TARGETS)
def test_equal_rows_have_the_kernels_of_one(target: str, dtype: str) -> None:
    """Bit for bit, by the angle zero that the rows give, in another matrix too."""
    k = compile(relu_recursion(2, 2, Rational(1, 10)), target=target, dtype=dtype, threads=2)
    x = data(40).astype(dtype)
    x[20:30] = x[:10]
    x[5] = x[25] = 0.0
    own, inside, across = k.diag(x), k(x), k(x, x.copy())
    for name in ("nngp", "ntk"):
        ends = getattr(own, name)
        assert (np.diag(getattr(across, name)) == ends).all()
        assert (np.diag(getattr(inside, name)[:10, 20:30]) == ends[:10]).all()
        assert (np.diag(getattr(inside, name)[20:30, :10]) == ends[:10]).all()


def test_inner_products_that_are_not_finite(kernel: Any) -> None:
    g, q = np.full((3, 2), 0.5), np.array([1.0, np.nan, 1.0])
    g[2, 1] = np.nan
    out = kernel.gram(g, q, np.ones(2))
    expected = np.array([[True, True], [False, False], [True, False]])
    assert (np.isfinite(out.ntk) == expected).all()


def test_overflow_is_said(kernel: Any) -> None:
    x = data(5)
    x[2] *= 1e160
    with pytest.warns(RuntimeWarning, match="the variance of row 2 of X is inf") as caught:
        out = kernel(x)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert not np.isfinite(out.ntk[2]).any() and np.isfinite(np.delete(out.ntk[0], 2)).all()


def test_rows_whose_variances_add_up_to_infinity_are_there(kernel: Any) -> None:
    x = np.full((20, 1), 0.3e154)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out, one = kernel(x), kernel(x[:1])
    assert np.isfinite(out.ntk).all() and (out.ntk == one.ntk).all()


def test_addresses() -> None:
    """Of arrays that may be written and of those that may not, with gaps, and of none."""
    a = np.arange(12.0).reshape(3, 4)
    fixed = a.copy()
    fixed.flags.writeable = False
    for found in (a, a[1:], a[:, 1::2], a.T, fixed, np.empty((0, 4)), a.astype(np.float32)):
        assert address(found) == found.ctypes.data


def test_a_small_call_does_little_in_python() -> None:
    """Calls are counted, 237 where every array is asked for its address by name: times of
    microseconds do not hold where tests run.
    """
    k = compile(relu_recursion(2), target="c", threads=1)
    x = data(5)
    k(x)
    calls: list[str] = []
    sys.setprofile(lambda frame, event, arg: calls.append(event))
    try:
        k(x)
    finally:
        sys.setprofile(None)
    assert sum(event in ("call", "c_call") for event in calls) < 190


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("power", [-497, -300, 300, 497])
def test_size_does_not_matter(target: str, power: int) -> None:
    """1e-150 to 1e150, near-duplicates and opposite rows included: scaling is exact."""
    k = compile(relu_recursion(3), target=target)
    x = data(6, 5)
    x[1] = x[0] * (1 + 1e-9)
    x[2] = x[0] + 1e-8 * x[3]
    x[4] = -x[0]
    plain, scaled = k(x), k(np.ldexp(x, power))
    for name in ("nngp", "ntk"):
        back = np.ldexp(getattr(scaled, name), -2 * power)
        assert np.abs(back / getattr(plain, name) - 1).max() < 8 * EPS


def test_zero_rows_and_subnormals(kernel: Any) -> None:
    x = data(5)
    x[1], x[2] = 0.0, 5e-324
    x[3] *= 1e-160
    out = kernel(x)
    assert np.isfinite(out.ntk).all() and (out.ntk == out.ntk.T).all()
    assert (out.ntk[1] == out.ntk[2]).all()


def test_float32_is_accurate(half: Any) -> None:
    """Against double: near-duplicates, opposite rows and unlike norms included."""
    x = data(300, 60).astype(np.float32)
    x[1::4] = x[::4] * np.float32(1 + 2**-20)
    x[2::4] = x[::4] + np.float32(1e-4) * x[3::4]
    x[5] = -x[7]
    x[9] *= np.float32(1e3)
    reference = compile(relu_recursion(2, 2, Rational(1, 10)))(x)
    got = half(x)
    assert got.ntk.dtype == np.float32 and (got.ntk == got.ntk.T).all()
    for name in ("nngp", "ntk"):
        exact = getattr(reference, name)
        assert np.abs(getattr(got, name) / exact - 1).max() < 1e-6
    assert (np.diag(got.ntk) == np.diag(reference.ntk).astype(np.float32)).all()


@pytest.mark.usefixtures("quick_c")
@pytest.mark.parametrize(
    ("text", "bias"),
    [
        ("relu", "0"),
        ("relu", "1/10"),
        ("leaky_relu(x, 1/10)", "1/10"),
        ("gelu", "0"),
        ("erf", "1/10"),
        ("hardtanh", "0"),
    ],
)
def test_zero_rows_in_float32(text: str, bias: str) -> None:
    """As in double: zeros without a bias, the kernel of the bias with one."""
    x = data(5).astype(np.float32)
    x[1] = 0
    net = ntksym.mlp(text, depth=2, weight_var=2, bias_var=bias)
    for target in TARGETS:
        wide, got = (compile(net, target=target, dtype=t) for t in ("float64", "float32"))
        for given in ((x,), (x, x.copy())):
            exact, found = wide(*(g.astype(np.float64) for g in given)), got(*given)
            for name in ("nngp", "ntk"):
                gap = np.abs(getattr(found, name) - getattr(exact, name)).max()
                assert gap <= 2e-6 * np.abs(getattr(exact, name)).max()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("scale", [1e-9, 1e-6, 1e-3, 1.0, 1e6])
def test_a_bias_larger_than_the_inputs(target: str, scale: float) -> None:
    """Covariances that a bias makes nearly collinear keep all digits, against 60-digit arithmetic."""
    from mpmath import MPContext

    from ntksym.lower import lower_network
    from ntksym.lower.schedule import evaluate_network

    recursion = relu_recursion(3, 2, Rational(1, 10))
    x = data(5, 4) * scale
    x[4], x[1] = x[3] * (1 + 1e-9), 0.0
    got = compile(recursion, target=target)(x)
    ctx = MPContext()
    ctx.dps = 60
    schedule = lower_network(recursion)
    for i in range(5):
        for j in range(i):
            rows = [[ctx.mpf(float(v)) for v in x[k]] for k in (i, j)]
            g11, g12, g22 = (ctx.fdot(rows[a], rows[b]) for a, b in ((0, 0), (0, 1), (1, 1)))
            nngp, ntk = evaluate_network(schedule, g11, g12, g22, 4, ctx)
            assert abs(float(got.nngp[i, j] / nngp - 1)) < 10 * EPS
            assert abs(float(got.ntk[i, j] / ntk - 1)) < 10 * EPS


def test_float32_of_any_size(half: Any) -> None:
    """1e-18 to 1e18: the result is representable, products of variances are not."""
    x = data(50, 60)
    net = compile(relu_recursion(2, 2, Rational(1, 10)))
    for scale in (1e-18, 1e-9, 1e9, 1e17):
        given = (x * scale).astype(np.float32)
        out, exact = half(given), net(given)
        assert np.abs(out.ntk / exact.ntk - 1).max() < 1e-6
