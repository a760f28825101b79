"""Generated C, element by element: a few eps in every regime, deep networks, floats, plain flags."""

from __future__ import annotations

import ctypes
import math
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpmath import MPContext
from sympy import Rational, Symbol, erf

from ntksym.activation import Activation
from ntksym.activations import named
from ntksym.backends import Contract
from ntksym.backends.c import backend as c_backend
from ntksym.backends.c.network import file as c_network
from ntksym.backends.tables import ATAN_DEGREE, ATAN_DEGREE_FLOAT, atan_tail, exp_tail, legendre
from ntksym.backends.tolerance import CLOSE
from ntksym.dual import dual
from ntksym.errors import BadActivation
from ntksym.lower import lower_dual, lower_dual_diag, lower_network
from ntksym.lower.schedule import Schedule, evaluate_network
from ntksym.lower.split import ALONG, BLOCK_OPS, split, stages
from ntksym.network import mlp, recurse
from ntksym.runtime import compile as compile_kernel
from ntksym.runtime.engines import import_file
from ntksym.runtime.library.compiler import find_compiler, shared_library
from ntksym.symbols import x as variable

PATH = Path(__file__).parents[1] / "codegen" / "bench" / "elementwise.py"
bench = import_file(PATH, "elementwise")

CONTRACT = Contract("a test", ("a test",))


def context(dps: int = 50) -> MPContext:
    ctx = MPContext()
    ctx.dps = dps
    return ctx


@pytest.fixture(scope="module")
def duals() -> dict[str, Any]:
    return {name: bench.Dual(name) for name in ("relu", "erf", "gelu", "sign", "shifted_relu")}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ["relu", "erf", "gelu", "sign"])
def test_four_eps_in_every_regime(name: str, dtype: str, duals: dict[str, Any]) -> None:
    for regime in bench.REGIMES:
        value, slope, nans, where = bench.worst(duals[name], regime, 20, dtype)
        assert max(value, slope) <= 4.0 and nans == 0, (regime, value, slope, nans, where)


def test_blocks_and_parameter_names(duals: dict[str, Any]) -> None:
    """130 points are two blocks and a rest; the parameter of this entry is called b."""
    d = duals["shifted_relu"]
    rows = list(bench.points("random", 130))
    nngp, dot = d(rows)
    for i in (0, 63, 64, 129):
        one = d([rows[i]])
        assert (one[0][0], one[1][0]) == (nngp[i], dot[i])
        exact = d.reference(rows[i], context(25))
        assert abs(float(exact[0]) - nngp[i]) < 1e-14 and abs(float(exact[1]) - dot[i]) < 1e-14
    single = d([tuple(map(float, np.float32(r))) for r in rows[:70]], "float32")
    assert np.allclose(single[0], nngp[:70], rtol=1e-5, atol=1e-6)


def test_rests_of_blocks() -> None:
    """Operations that take blocks whole: every length gives what the others give."""
    d = bench.Dual("hardtanh")
    rows = list(bench.points("random", 130))
    whole = d(rows)
    for n in (1, 7, 8, 9, 63, 65):
        part = d(rows[:n])
        assert all(np.array_equal(a[:n], b) for a, b in zip(whole, part, strict=True)), n


def test_nearly_equal_inputs_of_a_jump() -> None:
    """The exponent of the joint density is a difference of variances, not of their roots."""
    d = bench.Dual("hardshrink")
    for regime in ("near 1e-6", "near 1e-8"):
        assert max(bench.worst(d, regime, 6)[:2]) < 8.0


@pytest.mark.parametrize("name", ["b", "i", "n", "k", "y", "at", "out", "log"])
def test_no_parameter_is_mistaken_for_another_name(name: str) -> None:
    def values(called: str) -> Any:
        act = Activation("gate", erf(Symbol(called, positive=True) * variable))
        code = compile_kernel(act, target="c")
        got = code(np.array([1.3]), np.array([0.4]), np.array([0.7]), **{called: 0.75})
        return got.nngp[0], got.dot[0]

    assert values(name) == values("w")


def test_the_state_of_a_layer_is_no_parameter() -> None:
    act = Activation("gate", erf(Symbol("root", positive=True) * variable))
    with pytest.raises(BadActivation, match="'root' is taken in a layer"):
        lower_network(recurse(mlp(act, depth=2, params={"root": 1})))


def test_the_reference_lies_in_balls() -> None:
    lines: list[str] = []
    bench.check_balls(["relu", "gelu"], 3, lines.append)
    assert len(lines) == 2


# -- networks ----------------------------------------------------------------------------------


def schedule(name: str, depth: int, bias: str = "1/10") -> Schedule:
    act = named(name)
    params = {p.name: Rational(3, 4) for p in act.params}
    weight = 2 if name == "relu" else 1
    net = mlp(name, depth=depth, weight_var=weight, bias_var=bias, params=params)
    return lower_network(recurse(net))


def library(s: Schedule) -> ctypes.CDLL:
    source = c_network.network_file(s, CONTRACT)
    return ctypes.CDLL(str(shared_library((c_backend.support_file(), source), keep=False)))


def at(a: Any) -> ctypes.c_void_p:
    return ctypes.c_void_p(a.ctypes.data)


def size(n: int) -> ctypes.c_size_t:
    return ctypes.c_size_t(n)


def diagonals(lib: ctypes.CDLL, g: Any, first: Any, layers: int) -> Any:
    q, t = np.empty((2 * layers + 2, len(g))), np.empty(len(g))
    lib.ntksym_network_diag(size(len(g)), at(g), at(first), at(q), at(t))
    return q


ANGLES = (0.0, 1e-8, 1e-6, 1e-3, 0.5, 1.6, 3.0, math.pi)


def pairs_of(dtype: str) -> tuple[Any, Any]:
    rng = np.random.default_rng(5)
    xs, ys = [], []
    for k, angle in enumerate(ANGLES):
        x, z = rng.normal(size=(2, 8))
        z -= x * (x @ z) / (x @ x)
        z *= np.linalg.norm(x) / np.linalg.norm(z)
        y = (
            x
            if angle == 0
            else -x
            if angle == math.pi
            else math.cos(angle) * x + math.sin(angle) * z
        )
        xs.append(x)
        ys.append(y * (2.5 if k % 3 == 2 else 1.0))
    return np.array(xs).astype(dtype).astype(float), np.array(ys).astype(dtype).astype(float)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("name", "depth"),
    [("relu", 3), ("relu", 20), ("relu", 100), ("abs", 100), ("erf", 3), ("gelu", 20)],
)
def test_networks_keep_their_digits(name: str, depth: int, dtype: str) -> None:
    """NTK and NNGP of equal, nearly equal, other and opposite rows, from accurate roots."""
    s = schedule(name, depth)
    lib, ctx, first = library(s), context(), np.empty(4)
    x, y = pairs_of(dtype)
    n, d = x.shape
    lib.ntksym_network_input(size(d), at(first))

    def inner(u: Any, v: Any) -> Any:
        return sum(ctx.mpf(float(a)) * ctx.mpf(float(b)) for a, b in zip(u, v, strict=True))

    exact = [(inner(u, u), inner(u, v), inner(v, v)) for u, v in zip(x, y, strict=True)]
    g = [np.array([float(e[k]) for e in exact]) for k in range(3)]
    qx, qy = (diagonals(lib, g[k], first, depth) for k in (0, 2))
    a, b = ctx.mpf(first[0]), ctx.mpf(first[1])
    dets = [(a * e[0] + b) * (a * e[2] + b) - (a * e[1] + b) ** 2 for e in exact]
    root = np.array([float(ctx.sqrt(max(det, 0))) for det in dets])
    arrays = [np.ascontiguousarray(v.astype(dtype)) for v in (g[1], root, qx, qy)]
    nngp, ntk = np.empty(n, dtype), np.empty(n, dtype)
    run = getattr(lib, "ntksym_network_pairs" + ("_f32" if dtype == "float32" else ""))
    run(size(n), at(arrays[0]), at(arrays[1]), at(arrays[2]), size(1), size(n),
        at(arrays[3]), size(1), size(n), at(first), at(nngp), at(ntk))  # fmt: skip
    goal = 1e-14 if dtype == "float64" else 1e-6
    for i, e in enumerate(exact):
        k, t = evaluate_network(s, *e, d, ctx)
        ends = [evaluate_network(s, e[j], e[j], e[j], d, ctx) for j in (0, 2)]
        sizes = [ctx.sqrt(ends[0][j] * ends[1][j]) for j in range(2)]
        assert abs(nngp[i] - k) <= goal * sizes[0], (ANGLES[i], nngp[i], float(k))
        assert abs(ntk[i] - t) <= goal * sizes[1], (ANGLES[i], ntk[i], float(t))
        if ANGLES[i] < 1:  # no cancellation between the layers: relative to the value
            assert abs(nngp[i] - k) <= goal * abs(k) and abs(ntk[i] - t) <= goal * abs(t)


@pytest.mark.parametrize("name", ["relu", "gelu", "hardtanh"])
def test_tile_is_pairs(name: str) -> None:
    """Every place of a tile that is no multiple of the block, against one pair at a time."""
    s = schedule(name, 2)
    lib, first = library(s), np.empty(4)
    x = np.random.default_rng(1).normal(size=(70, 5))
    lib.ntksym_network_input(size(5), at(first))
    q = diagonals(lib, np.ascontiguousarray(np.sum(x * x, axis=1)), first, 2)
    gram = np.ascontiguousarray(x[:11] @ x.T)
    left = np.ascontiguousarray(q[:, :11])
    out = [np.full((11, 70), np.nan) for _ in range(4)]
    lib.ntksym_network_tile(
        size(11), size(70), at(gram), size(70), at(left), size(11), at(q), size(70), at(first),
        at(out[0]), at(out[1]), size(70))  # fmt: skip
    flat = np.ascontiguousarray(np.repeat(left, 70, axis=1))
    wide = np.ascontiguousarray(np.tile(q, (1, 11)))
    lib.ntksym_network_pairs(
        size(770), at(gram), None, at(flat), size(1), size(770), at(wide), size(1), size(770),
        at(first), at(out[2]), at(out[3]))  # fmt: skip
    rho = gram / np.sqrt(np.outer(np.diag(gram), np.sum(x * x, axis=1)))
    same = 1 - rho * rho > CLOSE["float64"]  # the others are left to who has the rows
    assert 740 < np.count_nonzero(same) < 770
    assert np.array_equal(out[0][same], out[2][same]) and np.array_equal(out[1][same], out[3][same])
    assert np.allclose(out[0], out[2], rtol=1e-5) and np.allclose(out[1], out[3], rtol=1e-5)
    single = [np.empty((11, 70), np.float32) for _ in range(2)]
    arrays = [np.ascontiguousarray(v.astype(np.float32)) for v in (gram, left, q)]
    lib.ntksym_network_tile_f32(
        size(11), size(70), at(arrays[0]), size(70), at(arrays[1]), size(11), at(arrays[2]),
        size(70), at(first), at(single[0]), at(single[1]), size(70))  # fmt: skip
    far = np.abs(gram / np.sqrt(np.outer(left[0], q[0]))) < 4.9
    assert np.allclose(single[0][far], out[0][far], rtol=1e-4, atol=1e-5)


def test_loops_vectorise_and_plain_flags_work(tmp_path: Path) -> None:
    s = schedule("relu", 3)
    source = c_network.network_file(s, CONTRACT)
    (tmp_path / "ntksym.h").write_text(c_backend.support_file().text)
    (tmp_path / source.name).write_text(source.text)
    command = list(find_compiler().command)
    strict = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-Wno-unused-function",
              "-Wno-unused-const-variable", "-O2", "-shared", "-fPIC"]  # fmt: skip
    done = subprocess.run(
        [*command, *strict, source.name, "-o", "plain.so", "-lm"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    plain, best = ctypes.CDLL(str(tmp_path / "plain.so")), library(s)
    x = np.random.default_rng(3).normal(size=(9, 4))
    gram, results = np.ascontiguousarray(x @ x.T), []
    for lib in (plain, best):
        first, k, t = np.empty(4), np.empty((9, 9)), np.empty((9, 9))
        lib.ntksym_network_input(size(4), at(first))
        q = diagonals(lib, np.ascontiguousarray(np.diag(gram)), first, 3)
        lib.ntksym_network_tile(size(9), size(9), at(gram), size(9), at(q), size(9), at(q), size(9),
                                at(first), at(k), at(t), size(9))  # fmt: skip
        results.append((k, t))
    assert np.allclose(results[0], results[1], rtol=2e-15, atol=0)
    told_by = subprocess.run([*command, "-v"], capture_output=True, text=True).stderr
    if "gcc version" not in told_by:
        pytest.skip("only gcc says what it vectorised")
    flags = [f for f in find_compiler().flags if f != "-shared"]
    done = subprocess.run(
        [*command, *flags, "-fopt-info-vec-optimized", "-c", source.name, "-o", "x.o"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    rows = source.text.split("\n")
    calls = [k for k, row in enumerate(rows) if row.strip().startswith(("layer0(x", "layer0f(x"))]
    loops = {max(j for j in range(k) if "for (size_t i" in rows[j]) + 1 for k in calls}
    told = {
        int(line.split(":")[1]) for line in done.stderr.split("\n") if "loop vectorized" in line
    }
    assert len(loops) == 2 and loops <= told, (loops, told)


def test_quick_c_has_the_same_bits(request: pytest.FixtureRequest) -> None:
    """What `quick_c` compiles, against the usual flags: a dual, a network, floats, near rows."""

    def results(dtype: str) -> list[Any]:
        x, y = (z.astype(dtype) for z in pairs_of(dtype))
        q, c, w = (np.sum(a * b, axis=1) for a, b in ((x, x), (x, y), (y, y)))
        dual_ = compile_kernel("hardtanh", dtype=dtype)(q, c, w)
        kernel = compile_kernel(mlp("gelu", depth=2, bias_var="1/10"), dtype=dtype)(x, y)
        return [dual_.nngp, dual_.dot, kernel.nngp, kernel.ntk]

    usual = [results(dtype) for dtype in ("float64", "float32")]
    before = find_compiler().command
    request.getfixturevalue("quick_c")
    assert find_compiler().command != before
    for one, two in zip(usual, [results(d) for d in ("float64", "float32")], strict=True):
        assert all(map(np.array_equal, one, two))


# -- tables and parts --------------------------------------------------------------------------


def test_stated_errors_of_polynomials() -> None:
    ctx = context(40)
    for degree, bits in ((ATAN_DEGREE, 52), (ATAN_DEGREE_FLOAT, 27)):
        p = [ctx.mpf(c) for c in atan_tail(degree)]
        for k in range(1, 101):
            t = ctx.mpf(k) / 100
            value = t + t**3 * ctx.polyval(p[::-1], t * t)
            assert abs(value / ctx.atan(t) - 1) < ctx.mpf(2) ** -bits
    p = [ctx.mpf(c) for c in exp_tail()]
    for k in range(-50, 51):
        r = ctx.log(2) * k / 100
        assert abs((1 + r + r * r * ctx.polyval(p[::-1], r)) / ctx.exp(r) - 1) < 2.0**-55
    for n in (12, 14, 20):
        rule = legendre(n)
        assert abs(sum(w * x**5 for x, w in rule) - 1 / 6) < 1e-16


def test_parts_compose_to_the_layer() -> None:
    ctx = context(30)
    kind = schedule("gelu", 2).kinds[0]
    whole, parts = kind.pair, split(kind.pair)
    names = ("q11", "q12", "q22", "root", "t12", "n11", "n22", "r11", "r22", "s11", "s22")
    point = dict(
        zip(names, map(ctx.mpf, (2, "0.5", 3, 2, "0.7", 1, 2, "1.4", "1.7", 1, "1.4")), strict=True)
    )
    point |= {"weight_var": ctx.one, "bias_var": ctx.mpf("0.1")}
    features: dict[str, Any] = {}
    for p in (parts.first, parts.second):
        features |= p.evaluate({a: point[a] for a in p.args}, ctx)
    values = {a: features[a] if a in features else point[a] for a in parts.pair.args}
    assert parts.pair.evaluate(values, ctx) == whole.evaluate(point, ctx)
    assert len(parts.features[0]) >= 3
    assert not any(
        let.op in ("sqrt0", "div") and set(let.args) & {"q11", "q22"} for let in parts.pair.body
    )


def test_stages_compose_to_the_program() -> None:
    ctx = context(25)
    p = lower_dual(dual("hardtanh"))
    every = stages(p)
    assert len(every) > 2 and [bool(stage.blocks) for stage in every[-2:]] == [True, False]
    known: dict[str, Any] = {"q11": ctx.one, "q12": ctx.mpf("0.3"), "q22": 2 * ctx.one}
    from ntksym.lower import OPS

    for stage in every:
        assert not any(let.op in BLOCK_OPS | ALONG for let in stage.program.body)
        known |= stage.program.evaluate({a: known[a] for a in stage.program.args}, ctx)
        for block in stage.blocks:
            known[block.fills] = OPS[block.op].meaning(ctx, *(known[r] for r in block.reads))
    assert {"nngp": known["nngp"], "dot": known["dot"]} == p.evaluate(
        {"q11": 1, "q12": ctx.mpf("0.3"), "q22": 2}, ctx
    )


def test_large_and_small_data_give_numbers() -> None:
    for name in ("erf", "gelu", "hardtanh", "abs"):
        derived = dual(name)
        pair, diag = lower_dual(derived), lower_dual_diag(derived)
        source = c_backend.dual_file(name, pair, diag, CONTRACT)
        lib = ctypes.CDLL(str(shared_library((c_backend.support_file(), source), keep=False)))
        q = np.array([1e-300, 1e-200, 1e200, 1e300])
        for rho in (-1.0, -0.5, 0.0, 0.5, 1.0):
            c, k, t = rho * q, np.empty(4), np.empty(4)
            getattr(lib, f"ntksym_{name}")(size(4), at(q), at(c), at(q), at(k), at(t))
            assert np.isfinite(k).all() and np.isfinite(t).all(), (name, rho, k, t)
