"""The JAX target: text without JAX; values, derivatives and transformations with it."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from mpmath import MPContext

import ntksym
from ntksym.backends._base import HYP2F1_FIXED
from ntksym.backends.array.helpers import SPELL, array_helpers
from ntksym.backends.hyper import connection
from ntksym.backends.numpy import units
from ntksym.errors import BadSpec, NoClosedForm, UnsupportedOp
from ntksym.export.languages import array_sources
from ntksym.gradients import dual_gradients
from ntksym.lower import OPS, lower_dual, lower_dual_diag, lower_network
from ntksym.lower.schedule import evaluate_network
from ntksym.network import recurse
from ntksym.runtime.engines import import_file

X = sp.Symbol("x")
NAMES = ("relu", "gelu", "leaky_relu", pytest.param("shifted_relu", marks=pytest.mark.slow))
POINTS = np.array(
    [
        (1.3, 0.4, 0.7),
        (2.0, 1.0, 3.0),
        (1.0, 1.0, 1.0),
        (1.0, -1.0, 1.0),
        (1.0, 1.0 - 2.0**-40, 1.0),
        (4.0, -3.9, 4.0),
    ]
)
INSIDE = (0, 1, 5)


def written(thing, folder, name="made", target="jax", **options):
    (f,) = array_sources(thing, target, name, **options)
    path = folder / f.name
    path.write_text(f.text, encoding="ascii")
    return import_file(path, name)


@pytest.fixture(scope="module")
def jax():
    found = pytest.importorskip("jax", reason="jax is not installed")
    before = found.config.jax_enable_x64
    found.config.update("jax_enable_x64", True)
    yield found
    found.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("target", ["jax", "torch"])
def test_generation_imports_neither_library_and_compiles_as_python(target):
    code = (
        "import sys\nfrom ntksym.export.languages import array_sources\n"
        f"(f,) = array_sources('gelu', {target!r})\ncompile(f.text, f.name, 'exec')\n"
        "sys.exit(bool({'jax', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_operation_is_spelled_2f1_of_numbers_only():
    assert set(OPS) - set(SPELL) == {"hyp2f1"} and HYP2F1_FIXED in SPELL


@pytest.mark.parametrize("p", ["1/3", "1/2", "13/10", "9/2", "21/2"])
def test_2f1_by_polynomials(p):
    start, half, ctx = -Fraction(p) / 2, Fraction(1, 2), MPContext()
    made: dict = {}
    exec(units._PREAMBLE + array_helpers(frozenset({"_hyp2f1"})), made)
    z = np.array([0.0, 1e-9, 0.3, 0.5, 0.50001, 0.9, 1 - 2.0**-30, 1.0])
    for a, c in ((start, half), (start + half, 3 * half), (start + 1, 3 * half)):
        y = z if c > 2 * a else z[:-1]  # infinite at 1
        found = made["_hyp2f1"](*connection(a, a, c).values(), y, 1.0 - y)
        given = [ctx.mpf(v.numerator) / v.denominator for v in (a, a, c)]
        want = np.array([ctx.hyp2f1(*given, at) for at in y], dtype=float)
        assert np.allclose(found, want, rtol=2e-14, atol=0)


def test_real_powers(jax, tmp_path):
    module, f = written("max(x, 0)**(3/2)", tmp_path), ntksym.ufunc("max(x, 0)**(3/2)")
    for got, want in zip(jax.jit(module.dual)(*POINTS.T), f(*POINTS.T), strict=True):
        assert np.allclose(got, want, rtol=1e-14, atol=1e-16)
    slope = jax.jit(jax.grad(lambda c: module.dual(1.3, c, 0.7)[1]))(0.4)
    h = 1e-4
    up, down = (float(f(1.3, 0.4 + s * h, 0.7)[1]) for s in (1, -1))
    assert abs(slope - (up - down) / (2 * h)) < 1e-8


def test_refusals():
    with pytest.raises(UnsupportedOp, match="in 'p'"):
        array_sources(ntksym.language.as_activation("abs(x)**p"), "jax")
    with pytest.raises(BadSpec, match="needs the variances it is for"):
        array_sources("mish", "jax")
    with pytest.raises(NoClosedForm):
        array_sources("mish", "jax", method="exact")
    with pytest.raises(UnsupportedOp, match="panels between kinks") as caught:
        array_sources("max(x - 1, 0)*tanh(x)", "jax", method="quadrature", variances=1)
    assert "--method tabulated" in caught.value.hint
    with pytest.raises(BadSpec, match="unknown target"):
        array_sources("relu", "fortran")


@pytest.mark.parametrize("name", NAMES)
def test_values_and_slopes(jax, name, tmp_path):
    module = written(name, tmp_path)
    g = dual_gradients(name)
    params = [0.75] * len(g.names)
    reference = g.program()
    inside = jax.jit(lambda *q: module.dual(*q, *params))
    nngp, dot = inside(*POINTS.T)
    slope = jax.jit(
        jax.vmap(
            jax.jacrev(lambda *q: jax.numpy.stack(module.dual(*q, *params)), argnums=(0, 1, 2))
        )
    )(*POINTS.T)
    assert all(np.isfinite(s).all() for s in slope)
    base = lower_dual(g.dual)
    for i, point in enumerate(POINTS):
        at = dict(zip(("q11", "q12", "q22"), point, strict=True)) | dict.fromkeys(g.names, 0.75)
        want = base.evaluate({a: at[a] for a in base.args})
        assert abs(nngp[i] - float(want["nngp"])) < 1e-13
        assert abs(dot[i] - float(want["dot"])) < 1e-13
        if i not in INSIDE:
            continue
        want = reference.evaluate(at)
        for k, v in enumerate(("q11", "q12", "q22")):
            assert abs(slope[k][i, 0] - float(want[f"nngp_{v}"])) < 1e-12
            assert abs(slope[k][i, 1] - float(want[f"dot_{v}"])) < 1e-12


def test_parameters_second_derivatives_and_forward_mode(jax, tmp_path):
    module = written("leaky_relu", tmp_path)
    g = dual_gradients("leaky_relu").program()
    q = tuple(POINTS[0])
    by_alpha = jax.jit(jax.grad(lambda a: module.dual(*q, a)[0]))(0.75)
    at = dict(zip(("q11", "q12", "q22"), q, strict=True)) | {"alpha": 0.75}
    want = g.evaluate(at)
    assert abs(by_alpha - float(want["nngp_alpha"])) < 1e-14
    second = jax.jit(jax.jacfwd(jax.grad(lambda c: module.dual(q[0], c, q[2], 0.75)[0])))(q[1])
    assert abs(second - float(want["dot_q12"])) < 1e-14
    edge = jax.jit(jax.hessian(lambda c: module.dual(1.0, c, 1.0, 0.75)[0]))(1.0)
    assert np.isfinite(edge)


def test_single_precision_and_nan(jax, tmp_path):
    """Floats are computed in doubles, with x64 or without."""
    module = written("mexican_hat", tmp_path)
    q = POINTS.T.astype(np.float32)
    double = jax.jit(module.dual)(*q.astype(np.float64))
    for x64 in (True, False):
        with module._x64(x64):
            single = jax.jit(module.dual)(*q)
        for s, d in zip(single, double, strict=True):
            assert s.dtype == np.float32
            assert np.all(np.abs(np.asarray(s, float) - d) <= 0.51 * 2.0**-23 * np.abs(d))
    bad = module.dual(np.array([np.nan, -1.0, 1.0]), np.array([0.0, 0.0, np.nan]), np.ones(3))
    assert np.isnan(bad[0]).all() and np.isnan(bad[1]).all()


def test_elementwise_has_the_argument_order_of_neural_tangents(jax, tmp_path):
    module = written("gelu", tmp_path)
    nngp_fn, d_nngp_fn = module.elementwise()
    assert nngp_fn(0.4, 1.3, 0.7) == module.dual(1.3, 0.4, 0.7)[0]
    slope = jax.vmap(jax.grad(nngp_fn))(*(POINTS[:, k] for k in (1, 0, 2)))
    assert np.allclose(slope, d_nngp_fn(POINTS[:, 1], POINTS[:, 0], POINTS[:, 2]), rtol=1e-14)


def test_network(jax, tmp_path):
    net = ntksym.mlp("relu", depth=3, weight_var=2, bias_var="1/100")
    module = written(net, tmp_path)
    x = np.random.default_rng(0).normal(size=(5, 4))
    x[1] = x[0] + 1e-9
    want = ntksym.compile(net, target="numpy")(x)
    found = jax.jit(lambda a: module.nngp_ntk(a, exact=True))(x)
    assert np.allclose(found[0], want.nngp, rtol=1e-13)
    assert np.allclose(found[1], want.ntk, rtol=1e-12)
    slope = jax.jit(jax.grad(lambda a, b: module.nngp_ntk(a, b, exact=True)[1].sum()))
    near = slope(np.array([[1.0, 1.0]]), np.array([[1.0, 1.0 + 1e-9]]))
    assert np.allclose(near, [[2.118198, 5.925634]], rtol=1e-6)
    assert np.isfinite(slope(x, x)).all()
    by_value = jax.jit(jax.grad(lambda v: module.nngp_ntk(x, values=v)[1].sum()))(module.VALUES)
    assert all(np.isfinite(leaf) for leaf in jax.tree_util.tree_leaves(by_value))


PLACES = ((1e-2, 1.0), (1e-4, 1.1), (1e-7, 1.0), (1e-9, 1.001), (1e-12, 1.1), (2.0, 1.0))
"""Angle of a pair, ratio of its norms."""


def pairs_of_rows() -> tuple[np.ndarray, np.ndarray]:
    rng, xs, ys = np.random.default_rng(3), [], []
    for angle, ratio in PLACES:
        x, z = rng.normal(size=(2, 6))
        z -= x * (x @ z) / (x @ x)
        z *= np.linalg.norm(x) / np.linalg.norm(z)
        xs.append(x)
        ys.append((x - 2 * np.sin(angle / 2) ** 2 * x + np.sin(angle) * z) * ratio)
    return np.array(xs), np.array(ys)


def many_digits(net: ntksym.Network, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(nngp, ntk) of the pairs of rows, from their exact inner products."""
    ctx, schedule = MPContext(), lower_network(recurse(net))
    ctx.dps = 50

    def inner(u: np.ndarray, v: np.ndarray) -> object:
        exact = sum(Fraction(float(a)) * Fraction(float(b)) for a, b in zip(u, v, strict=True))
        return ctx.mpf(exact.numerator) / exact.denominator

    found = [
        evaluate_network(schedule, inner(u, u), inner(u, v), inner(v, v), u.size, ctx)
        for u, v in zip(x, y, strict=True)
    ]
    return np.array(found, dtype=float)


def test_nearly_parallel_rows(jax, tmp_path):
    """The angle is taken from x - y and carried by integrals: nothing is lost by default."""
    net = ntksym.mlp("erf", depth=3, weight_var=2, bias_var="1/10")
    x, y = pairs_of_rows()
    module = written(net, tmp_path)
    for dtype, goal in ((np.float64, 1e-14), (np.float32, 1e-6)):
        a, b = x.astype(dtype), y.astype(dtype)
        want = many_digits(net, a, b)
        found = jax.jit(module.nngp_ntk)(a, b)
        for k in (0, 1):
            assert found[k].dtype == dtype
            assert np.abs(np.diag(found[k]) / want[:, k] - 1).max() < goal
    rows = np.vstack([x, y, x[:1]])
    slope = jax.jit(jax.grad(lambda a: module.nngp_ntk(a)[1].sum()))(rows)
    assert np.isfinite(slope).all()
    mapped = jax.vmap(lambda u, v: module.nngp_ntk(u[None], v[None])[1][0, 0])(x, y)
    assert np.abs(mapped / np.diag(module.nngp_ntk(x, y)[1]) - 1).max() < 1e-14


# -- activations without closed form: tables, series, mixtures -------------------------------------

UNITS = (
    ("mish", {"variances": ("1/2", "2")}),
    ("mish", {"variances": 1}),
    ("tanh", {}),
    ("tanh", {"method": "series", "variances": ("1/2", "2"), "error": 1e-8}),
    ("tanh", {"method": "quadrature", "variances": ("1/2", "2")}),
)
COVARIANCES = np.array(
    [
        (1.3, 0.4, 0.7),
        (1.7, -0.9, 0.6),
        (1.0, 1.0, 1.0),
        (1.0, -1.0, 1.0),
        (1.0, 1.0 - 1e-9, 1.0),
        (1.0, 0.3, 1.0),
    ]
)


def expected(name: str, q11: float, q12: float, q22: float) -> dict[str, float]:
    """A dual of a smooth activation and its derivatives, by a product Gauss-Hermite rule."""
    s = {"mish": X * sp.tanh(sp.log(1 + sp.exp(X))), "tanh": sp.tanh(X)}[name]
    f = [sp.lambdify(X, s.diff(X, k), "numpy") for k in range(4)]
    z, w = np.polynomial.hermite_e.hermegauss(160)
    w = np.outer(w, w) / w.sum() ** 2
    root = np.sqrt(max(q11 * q22 - q12**2, 0.0))
    u = np.sqrt(q11) * z[:, None] + 0.0 * z
    v = (q12 * z[:, None] + root * z) / np.sqrt(q11)

    def mean(i: int, j: int) -> float:
        return float((w * f[i](u) * f[j](v)).sum())

    return {
        "nngp": mean(0, 0),
        "dot": mean(1, 1),
        "nngp_q11": mean(2, 0) / 2,
        "nngp_q22": mean(0, 2) / 2,
        "dot_q11": mean(3, 1) / 2,
        "dot_q12": mean(2, 2),
        "dot_q22": mean(1, 3) / 2,
    }


BOUNDS = {"nngp": 2e-10, "dot": 2e-10, "nngp_q11": 2e-8, "nngp_q22": 2e-8}
"""Of values the proven ones; of derivatives what is seen, times ten; the others 1e-5."""


def compare(name: str, options: dict, values: tuple, slopes: tuple) -> None:
    """Values (2 arrays) and slopes[which][variable] against the rule."""
    point = options.get("variances") == 1
    for i, at in enumerate(COVARIANCES):
        if point and not at[0] == at[2] == 1.0:
            assert all(np.isnan(v[i]) for v in values)
            continue
        want = expected(name, *at)
        found = {"nngp": values[0][i], "dot": values[1][i]}
        for k, label in enumerate(("nngp", "dot")):
            for j, v in enumerate(("q11", "q12", "q22")):
                found[f"{label}_{v}"] = slopes[k][j][i]
        assert abs(found["nngp_q12"] - want["dot"]) < 2e-10
        for key, value in want.items():
            if point and key.endswith(("q11", "q22")):
                continue  # of scaled inputs
            assert abs(found[key] - value) < BOUNDS.get(key, 1e-5), (key, at)


@pytest.mark.parametrize(
    "name, options", (*UNITS[1:3], pytest.param(*UNITS[4], marks=pytest.mark.slow))
)
def test_units(jax, name, options, tmp_path):
    module = written(name, tmp_path, **options)
    values = jax.jit(module.dual)(*COVARIANCES.T)
    jacobian = jax.jacrev(lambda *q: jax.numpy.stack(module.dual(*q)), argnums=(0, 1, 2))
    found = jax.jit(jax.vmap(jacobian))(*COVARIANCES.T)
    slopes = tuple(tuple(np.asarray(s)[:, k] for s in found) for k in (0, 1))
    compare(name, options, tuple(map(np.asarray, values)), slopes)
    bend = jax.hessian(lambda c: module.dual(1.0, c, 1.0)[0])(1.0)
    assert abs(bend - expected(name, 1.0, 1.0, 1.0)["dot_q12"]) < 1e-5
    single = module.dual(*(jax.numpy.asarray(q, "float32") for q in COVARIANCES.T))
    for s, d in zip(single, values, strict=True):
        assert s.dtype == np.float32 and np.allclose(s, d, atol=3e-6, equal_nan=True)
    bad = module.dual(np.array([np.nan, -1.0, 1.0]), np.array([0.0, 0.0, np.nan]), np.ones(3))
    assert np.isnan(bad[0]).all() and np.isnan(bad[1]).all()


def test_half_precision_counts_as_single_and_complex_numbers_are_refused(jax, tmp_path):
    module = written("relu", tmp_path)
    exact = module.dual(1.5, 0.25, 1.0)
    for kind in ("bfloat16", "float16"):
        q = [jax.numpy.asarray(v, kind) for v in (1.5, 0.25, 1.0)]
        found = module.dual(*q)
        assert all(v.dtype == np.float32 for v in found) and np.allclose(found, exact, atol=1e-6)
        slope = jax.grad(lambda c, q=q: module.dual(q[0], c, q[2])[0])(q[1])
        assert slope.dtype == q[1].dtype and abs(float(slope) - exact[1]) < 4e-3
    with pytest.raises(TypeError, match="no complex number"):
        module.dual(1.0, 0.5j, 1.0)


FAR = np.array([(800.0, 240.0, 800.0), (9.0, 0.0, 4e6), (1e8, -9e7, 1e8), (2.0, 0.5, 1.0)])


def far_out(array, dual, diagonal):
    """The closed form of hard tanh has terms of the size of q: 300 eps of the kernel at 800."""
    pair, diag = lower_dual(ntksym.dual("hardtanh")), lower_dual_diag(ntksym.dual("hardtanh"))

    def own(q):
        return np.array([float(diag.evaluate({"q": q})[k]) for k in ("nngp", "dot")])

    found = np.array(dual(*(array(c) for c in FAR.T.copy()))).T
    for (q11, q12, q22), values in zip(FAR, found, strict=True):
        at = {"q11": q11, "q12": q12, "q22": q22}
        want = [float(pair.evaluate(at)[k]) for k in ("nngp", "dot")]
        assert np.all(np.abs(values - want) < 1e-15 * np.sqrt(own(q11) * own(q22))), at
    same = [float(v) for v in diagonal(array(800.0))]
    assert np.all(np.abs(same / own(800.0) - 1.0) < 1e-15)


def test_large_variances_of_kinks(jax, tmp_path):
    module = written("hardtanh", tmp_path)
    far_out(jax.numpy.asarray, jax.jit(module.dual), jax.jit(module.diagonal))


@pytest.mark.slow
@pytest.mark.parametrize("spec, variances", [("tanh", None), ("mish", ("1/2", "1"))])
def test_unit_networks(jax, spec, variances, tmp_path):
    net = ntksym.parse_spec(f"mlp:{spec}:depth=2,weight_var=2,bias_var=1/10")
    module = written(net, tmp_path, variances=variances)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 4))
    x *= (np.sqrt(4 * rng.uniform(0.6, 0.9, 5)) / np.linalg.norm(x, axis=1))[:, None]
    x[1] = x[0] + 1e-7 * x[2]
    want = ntksym.compile(net, target="numpy")(x)
    found = jax.jit(lambda a: module.nngp_ntk(a, exact=True))(x)
    assert np.allclose(found[0], want.nngp, rtol=0, atol=1e-9)
    assert np.allclose(found[1], want.ntk, rtol=0, atol=1e-9)
    slope = jax.jit(jax.grad(lambda a: module.nngp_ntk(a, exact=True)[1].sum()))(x)
    step = 1e-5 * rng.normal(size=x.shape)
    up, down = (ntksym.compile(net, target="numpy")(x + s * step).ntk.sum() for s in (1, -1))
    assert abs((slope * step).sum() - (up - down) / 2) < 1e-6 * 1e-5 * 100


def test_gradients_of_nearly_equal_rows_keep_their_digits(jax, tmp_path):
    """ReLU with a bias: what unlike norms make of the angle is not formed from the norms."""
    net = ntksym.mlp("relu", depth=2, weight_var=2, bias_var="1/100")
    module = written(net, tmp_path)
    x = np.random.default_rng(1).standard_normal((2, 5))
    y = x[:1] + 1e-9 * x[1:]
    want = ntksym.NetworkGradient(net, "numpy").input_gradient(x[:1], y)
    slope = jax.grad(lambda a: module.nngp_ntk(a, y)[1].sum())(x[:1])
    error = np.max(np.abs(np.asarray(slope)[0] - want[1][0, 0]))
    assert error < 1e-14 * np.max(np.abs(want[1])), error
