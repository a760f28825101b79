"""NumPy in place, block by block: the same numbers as the form that is to be read."""

from __future__ import annotations

import math
import operator
import tracemalloc
from typing import Any

import numpy as np
import pytest
from mpmath import MPContext

from ntksym.backends.numpy.rules import tape_of
from ntksym.backends.numpy.tables import atan_tails
from ntksym.backends.numpy.tiles import BITS, REACHES
from ntksym.lower.arguments import rough
from ntksym.lower.lines import PAIR
from ntksym.network import mlp
from ntksym.pipeline import kernel_programs
from ntksym.runtime import compile
from ntksym.runtime.gram.bands import HALF, Target
from ntksym.runtime.gram.tiles import TILE

EPS = 2.0**-52
BELLS = ("exp(-x**2)*sin(x)", "cos(7*x/4)*exp(-x**2/2)", "x*exp(-x**2)", "exp(-x**2)*cosh(x)")
NETS = ("relu", "erf", "gelu", "abs", "squared_relu", "cos", *BELLS, "relu(x)+erf(2*x)/3")


def data(n: int, d: int = 9, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) + rng.normal(size=d)


def both(net: Any, x: np.ndarray, dtype: str = "float64") -> tuple[Any, Any]:
    """The kernels, and those of the readable form alone."""
    k = compile(net, target="numpy", dtype=dtype, cache=False)
    assert k._engine.tiles is not None
    fast = k(x)
    k._engine.tiles = None
    return fast, k(x)


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """The largest difference relative to the diagonal."""
    size = np.sqrt(np.outer(np.diag(b), np.diag(b)))
    return float(np.max(np.abs(a - b) / size))


@pytest.mark.parametrize("activation", NETS)
def test_same_as_the_readable_form(activation: str) -> None:
    x = data(300)
    x[7] *= 3.0
    x[9] = -x[8]
    fast, slow = both(mlp(activation, depth=3, weight_var=1.5, bias_var=0.1), x)
    assert apart(fast.nngp, slow.nngp) < 16 * EPS
    assert apart(fast.ntk, slow.ntk) < 32 * EPS
    assert (fast.ntk == fast.ntk.T).all() and (fast.nngp == fast.nngp.T).all()


@pytest.mark.parametrize("variance", [1e-6, 1e-2, 1.0, 10.0, 1e4])
@pytest.mark.parametrize("activation", [*BELLS, "sin"])
def test_bells_and_waves_lose_a_few_units(activation: str, variance: float) -> None:
    """Without what rounding takes away, in forms with few roundings."""
    fast, slow = both(mlp(activation, depth=1), data(300, seed=1) * variance**0.5)
    assert apart(fast.nngp, slow.nngp) < 5 * EPS
    assert apart(fast.ntk, slow.ntk) < 5 * EPS


@pytest.mark.parametrize("activation", BELLS)
def test_rough_programs_are_the_same_in_exact_arithmetic(activation: str) -> None:
    pair = kernel_programs(mlp(activation, depth=1)).kinds[0].pair
    short = rough(pair)
    assert len(short.body) < len(pair.body) - 15
    assert "cross" in {let.op for let in pair.body} - {let.op for let in short.body}
    state = {"q11": 0.75, "q12": 0.25, "q22": 1.5, "root": math.sqrt(1.0625), "t12": 0.5}
    state |= {"n11": 0.1, "n22": 0.2, "bias_var": 0.5, "weight_var": 2.0}
    state |= {"r11": 0.75**0.5, "r22": 1.5**0.5, "s11": 0.1**0.5, "s22": 0.2**0.5}
    ctx = MPContext()
    ctx.prec = 300
    whole, left = pair.evaluate(state, ctx), short.evaluate(state, ctx)
    for label in ("nngp", "ntk"):
        assert abs(whole[label] - left[label]) < ctx.mpf(2) ** -40 * abs(whole[label])


@pytest.mark.parametrize(("name", "passes"), [("erf", 13), ("x*erf(x)", 34)])
def test_roots_under_erf_are_a_product_less_a_square(name: str, passes: int) -> None:
    """(1 + 2a)(1 + 2b) - 4c^2: neither ab nor the determinant, and the same number."""
    p = rough(kernel_programs(mlp(name, depth=1, weight_var=2, bias_var=0.01)).kinds[0].pair)
    lines, ends = tape_of(p, ("nngp", "ntk"), wide=True)
    assert not any(set(line.args) == {"q11", "q22"} for line in lines)
    assert sum(line.rank == PAIR for line in lines) <= passes
    ctx = MPContext()
    ctx.prec = 200
    a, b, c, t = map(ctx.mpf, ("1.3", "0.7", "0.9", "1.1"))
    given = {"q11": a, "q22": b, "q12": c, "t12": t, "root": ctx.sqrt(a * b - c * c)}
    given |= {"r11": ctx.sqrt(a), "r22": ctx.sqrt(b), "n11": a, "n22": b, "s11": a, "s22": b}
    given |= {"weight_var": ctx.mpf(2), "bias_var": ctx.mpf("0.01")}
    exact, values = p.evaluate(given, ctx), dict(given)
    work: dict[str, Any] = {"sqrt": ctx.sqrt, "arcsin": ctx.asin, "add": operator.add}
    work |= {"sub": operator.sub, "mul": operator.mul, "div": operator.truediv}
    for line in lines:
        args = [values[v] if isinstance(v, str) else ctx.mpf(v) for v in line.args]
        values[line.name] = work[line.op](*args)
    for label, end in zip(("nngp", "ntk"), ends, strict=True):
        assert abs(values[str(end)] - exact[label]) < 2.0**-50 * abs(exact[label])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", [1, 2, HALF, HALF + 1, 200, TILE + 1])
def test_strips_of_tiles_on_the_diagonal(n: int, dtype: str) -> None:
    """Pairs that are nearly collinear within a strip, across two of them, and across two tiles."""
    x = data(n)
    x[min(n - 1, 3)] = x[0]
    x[min(n - 1, HALF)] = x[min(n - 1, 1)] * (1 + 1e-7)
    x[n - 1] = -x[n // 2]
    net = mlp("relu", depth=2, weight_var=2, bias_var=0.01)
    fast, slow = both(net, x.astype(dtype), dtype)
    eps = float(np.finfo(dtype).eps)
    for a, b in ((fast.nngp, slow.nngp), (fast.ntk, slow.ntk)):
        assert a.shape == (n, n) and (a == a.T).all()
        assert (np.diag(a) == np.diag(b)).all()
        assert apart(a, b) < 16 * eps


def test_a_strip_is_stored_with_its_transpose() -> None:
    value = np.arange(1.0, 13.0).reshape(2, 6)
    out = np.zeros((10, 10))
    Target(out, None).put(slice(3, 5), slice(3, 9), (value, value), True)
    assert (out == out.T).all()
    assert (out[3, 3:9] == value[0]).all() and (out[4, 4:9] == value[1, 1:]).all()
    assert np.count_nonzero(out) == 2 * 11 - 2  # nothing else is written


@pytest.mark.parametrize("angle", [0.0, 1e-12, 1e-8, 1e-4, 0.03])
def test_near_duplicates_among_others(angle: float) -> None:
    x = data(280)
    x[5] = x[4] + angle * x[3]
    fast, slow = both(mlp("relu", depth=20, weight_var=2, bias_var=0.01), x)
    for a, b in ((fast.nngp, slow.nngp), (fast.ntk, slow.ntk)):
        assert np.abs(a / b - 1).max() < 64 * EPS
        assert abs(a[4, 5] / b[4, 5] - 1) < 4 * EPS


def test_deep_networks_where_all_angles_shrink() -> None:
    """After some layers no pair is far from collinear: the other set of layers goes on."""
    x = data(130)
    x[1] *= 2.0
    for net in (
        mlp("relu", depth=60, weight_var=2, bias_var=2),
        mlp("erf", depth=30, weight_var=1, bias_var=1),
    ):
        fast, slow = both(net, x)
        assert apart(fast.nngp, slow.nngp) < 256 * EPS
        assert apart(fast.ntk, slow.ntk) < 1e-13


@pytest.mark.parametrize("depth", [3, 20])
def test_floats(depth: int) -> None:
    x = data(300)
    x[5], x[7], x[9] = x[4] * (1 + 1e-6), x[6] + 1e-3 * x[8], x[10] * 2
    net = mlp("relu", depth=depth, weight_var=2, bias_var=0.01)
    x = x.astype(np.float32)
    half = compile(net, target="numpy", dtype="float32", cache=False)
    assert half._engine.tiles.single
    out, exact = half(x), compile(net, target="numpy", cache=False)(x)
    assert out.ntk.dtype == np.float32
    for a, b in ((out.nngp, exact.nngp), (out.ntk, exact.ntk)):
        assert np.abs(a / b - 1).max() < (1e-6 if depth == 3 else 2e-6)
        assert (a == a.T).all()
    assert (np.diag(out.ntk) == np.diag(exact.ntk).astype(np.float32)).all()


@pytest.mark.parametrize("scale", [2.0**-400, 2.0**-60, 2.0**400])
def test_extreme_scales_take_the_readable_form(scale: float) -> None:
    x = data(20) * scale
    x[3] = 0.0
    fast, slow = both(mlp("relu", depth=2, weight_var=2, bias_var=0), x)
    assert (fast.nngp == slow.nngp).all() and (fast.ntk == slow.ntk).all()


def test_rows_that_are_not_numbers_stay_alone() -> None:
    x = data(20)
    k = compile(mlp("erf", depth=2, weight_var=2, bias_var=0.1), target="numpy", cache=False)
    good = k(x)
    x[3, 0], x[5, 1] = np.nan, np.inf
    out = k(x)
    rest = [i for i in range(20) if i not in (3, 5)]
    assert np.isnan(out.ntk[3]).all() and np.isnan(out.ntk[:, 5]).all()
    assert apart(out.ntk[np.ix_(rest, rest)], good.ntk[np.ix_(rest, rest)]) < 16 * EPS


def test_from_inner_products() -> None:
    x = data(30)
    x[5] = x[4]
    k = compile(mlp("gelu", depth=3, weight_var=2, bias_var=0.1), target="numpy", cache=False)
    squares = (x * x).sum(1)
    g = np.einsum("id,jd->ij", x, x)
    out = k.gram(g, squares, squares, d=9)
    assert apart(out.ntk, k(x).ntk) < 1e-13
    assert np.isfinite(out.ntk).all()


@pytest.mark.parametrize("bits", sorted(BITS.values()))
@pytest.mark.parametrize("reach", REACHES)
def test_polynomials_of_the_arc_tangent(reach: int, bits: int) -> None:
    ctx = MPContext()
    ctx.dps = 40
    terms = [ctx.mpf(c) for c in atan_tails(reach, bits)]
    for k in range(1, 60):
        u = ctx.mpf(k) / (59 * reach)
        t = ctx.sqrt(u)
        exact = (ctx.atan(t) - t) / (t * u)
        found = ctx.polyval(terms[::-1], u)
        assert abs(found - exact) < ctx.mpf(2) ** -bits + ctx.mpf(2) ** -54
    assert len(terms) <= 20


@pytest.mark.parametrize("rows", ["random", "cluster"])
@pytest.mark.parametrize("target", ["c", "numpy"])
def test_memory_is_the_outputs_and_tiles(target: str, rows: str) -> None:
    """All that NumPy allocates, one thread: outputs, and the same few MB for any size."""
    k = compile("mlp:relu:depth=2", target=target, threads=1)
    x = data(1500) if rows == "random" else 1.0 + 1e-6 * data(1500)
    k(x[:300])
    tracemalloc.start()
    try:
        found = k(x)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.nngp.nbytes + found.ntk.nbytes <= peak
    assert peak < found.nngp.nbytes + found.ntk.nbytes + 12e6, peak
