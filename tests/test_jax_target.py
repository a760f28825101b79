"""The JAX target: text without JAX; values, derivatives and transformations with it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

import ntksym
from ntksym.backends.array_helpers import SPELL
from ntksym.errors import BadSpec, NoClosedForm, UnsupportedOp
from ntksym.export_languages import array_sources
from ntksym.gradients import dual_gradients
from ntksym.lower import OPS, lower_dual

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


def written(thing, folder, name="made", target="jax"):
    (f,) = array_sources(thing, target, name)
    path = folder / f.name
    path.write_text(f.text, encoding="ascii")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
        "import sys\nfrom ntksym.export_languages import array_sources\n"
        f"(f,) = array_sources('gelu', {target!r})\ncompile(f.text, f.name, 'exec')\n"
        "sys.exit(bool({'jax', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_operation_but_2f1_is_spelled():
    assert set(OPS) - set(SPELL) == {"hyp2f1"}


def test_refusals():
    with pytest.raises(UnsupportedOp, match="hyp2f1"):
        array_sources("abs(x)**(1/3)", "jax")
    with pytest.raises(NoClosedForm):
        array_sources("mish", "jax")
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
    module = written("gelu", tmp_path)
    single = jax.jit(module.dual)(*(jax.numpy.asarray(q, "float32") for q in POINTS.T))
    double = jax.jit(module.dual)(*POINTS.T)
    for s, d in zip(single, double, strict=True):
        assert s.dtype == np.float32 and np.allclose(s, d, atol=3e-6)
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
