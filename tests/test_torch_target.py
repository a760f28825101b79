"""The PyTorch target: values, closed-form backward, double backward, float32, networks."""

from __future__ import annotations

import shutil
import sys

import numpy as np
import pytest
from test_jax_target import (
    COVARIANCES,
    UNITS,
    compare,
    expected,
    far_out,
    many_digits,
    pairs_of_rows,
)

import ntksym
from ntksym.export.languages import array_sources
from ntksym.gradients import dual_gradients
from ntksym.runtime.engines import import_file

pytestmark = pytest.mark.filterwarnings("ignore")
POINTS = np.array(
    [
        (1.3, 0.4, 0.7),
        (2.0, 1.0, 3.0),
        (4.0, -3.9, 4.0),
        (1.0, 1.0, 1.0),
        (1.0, -1.0, 1.0),
        (1.0, 1.0 - 2.0**-40, 1.0),
    ]
)


@pytest.fixture(scope="module")
def torch():
    try:
        import torch
    except ImportError:
        pytest.skip("torch is not installed, or does not load")
    torch.set_num_threads(1)
    return torch


def written(thing, folder, label="made_torch", **options):
    (f,) = array_sources(thing, "torch", "made", **options)
    path = folder / f.name
    path.write_text(f.text, encoding="ascii")
    return import_file(path, label)


@pytest.mark.parametrize("name", ["relu", "gelu", "leaky_relu", "shifted_relu", "erf"])
def test_values_and_backward(torch, name, tmp_path):
    module = written(name, tmp_path)
    g = dual_gradients(name)
    q = [torch.tensor(c, dtype=torch.float64, requires_grad=True) for c in POINTS.T]
    params = [torch.tensor(0.75, dtype=torch.float64, requires_grad=True) for _ in g.names]
    both = module.dual(*q, *params)
    slopes = [torch.autograd.grad(v.sum(), q, retain_graph=True) for v in both]
    assert all(bool(torch.isfinite(s).all()) for row in slopes for s in row)
    program = g.program()
    for i in range(3):
        at = dict(zip(("q11", "q12", "q22"), POINTS[i], strict=True))
        want = program.evaluate(at | dict.fromkeys(g.names, 0.75))
        for k, label in enumerate(("nngp", "dot")):
            assert abs(both[k][i].item() - float(want[label])) < 1e-13
            for j, v in enumerate(("q11", "q12", "q22")):
                assert abs(slopes[k][j][i].item() - float(want[f"{label}_{v}"])) < 1e-12
    for p, by in zip(
        params, torch.autograd.grad(both[0][:3].sum(), params) if params else (), strict=True
    ):
        want = sum(
            float(
                program.evaluate(
                    dict(zip(("q11", "q12", "q22"), row, strict=True)) | {g.names[0]: 0.75}
                )[f"nngp_{g.names[0]}"]
            )
            for row in POINTS[:3]
        )
        assert p.shape == by.shape and abs(by.item() - want) < 1e-12


def test_first_and_second_derivatives_by_differences(torch, tmp_path):
    module = written("gelu", tmp_path)
    q = [torch.tensor(c[:3], dtype=torch.float64, requires_grad=True) for c in POINTS.T]
    assert torch.autograd.gradcheck(module.dual, q, atol=1e-6)
    assert torch.autograd.gradgradcheck(module.dual, q, atol=1e-5)
    with pytest.raises(RuntimeError):  # the check can fail
        torch.autograd.gradcheck(lambda a, b, c: module.dual(a, b.detach(), c), q)


def test_single_precision_nan_and_vmap(torch, tmp_path):
    module = written("gelu", tmp_path)
    single, double = (
        module.dual(*(torch.tensor(c).float().to(t) for c in POINTS.T))
        for t in (torch.float32, torch.float64)
    )
    for s, d in zip(single, double, strict=True):
        assert s.dtype == torch.float32 and torch.equal(s, d.float())
    bad = module.dual(torch.tensor([float("nan"), -1.0]), torch.zeros(2), torch.ones(2))
    assert bool(torch.isnan(bad[0]).all() and torch.isnan(bad[1]).all())
    for kind in (torch.bfloat16, torch.float16):
        half = module.dual(*(torch.tensor(v, dtype=kind) for v in (1.5, 0.25, 1.0)))
        assert half[0].dtype == torch.float32
        assert abs(half[0] - module.dual(1.5, 0.25, 1.0)[0]) < 1e-6
    with pytest.raises(TypeError, match="no complex number"):
        module.dual(torch.tensor(0.5j), 0.5, 1.0)
    mapped = torch.func.vmap(torch.func.grad(lambda a, c, b: module.dual(a, c, b)[0]))
    assert bool(torch.isfinite(mapped(*(torch.tensor(c) for c in POINTS.T))).all())


def test_rows_of_zeros_of_steep_powers(torch, tmp_path):
    """The derivative dual of |x|^0.3 is infinite for equal rows, and 0 with its slopes at zero."""
    module = written("abs(x)**(3/10)", tmp_path)
    rows = ([0.0, 0.0, 0.0], [0.0, 0.0, float("nan")], [0.0, 1.0, 1.0])
    q = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in rows]
    for k in module.dual(*q):
        slopes = torch.autograd.grad(k.sum(), q, retain_graph=True)
        assert all(not bool(torch.isnan(v[:2]).any()) for v in slopes)
        assert bool(torch.isnan(slopes[0][2]))


def test_infinite_slopes_of_what_is_not_read_stay_away(torch, tmp_path):
    """At equal rows the step has no finite slope of `dot`, and slopes 0 of the value."""
    module = written("heaviside(x)", tmp_path)
    q = [torch.ones(3, dtype=torch.float64, requires_grad=True) for _ in range(3)]
    for slope in (
        *torch.autograd.grad(module.dual(*q)[0].sum(), q),
        torch.func.vmap(torch.func.grad(lambda a, c, b: module.dual(a, c, b)[0]))(*q),
    ):
        assert bool((slope == 0.0).all())
    assert torch.isinf(torch.autograd.grad(module.dual(*q)[1].sum(), q)[0]).all()


def test_numpy_arrays_and_lists_count_as_tensors(torch, tmp_path):
    module = written("relu", tmp_path)
    want = module.dual(*(torch.tensor(c) for c in POINTS.T))
    for given in (POINTS.T, POINTS.T.tolist()):
        for one, other in zip(module.dual(*given), want, strict=True):
            assert torch.allclose(one.double(), other, atol=1e-6)


def test_whole_graphs_compile(torch, tmp_path, monkeypatch):
    module = written("relu", tmp_path)
    monkeypatch.setitem(sys.modules, "made_torch", module)
    q = [torch.tensor(c[:2]) for c in COVARIANCES.T]
    run = torch.compile(
        lambda *at: sum(module.dual(*at)).sum(), fullgraph=True, backend="aot_eager"
    )
    found = []
    for f in (run, lambda *at: sum(module.dual(*at)).sum()):
        at = [c.clone().requires_grad_() for c in q]
        found.append(torch.stack(torch.autograd.grad(f(*at), at)))
        assert torch.isfinite(f(*q))
    assert torch.allclose(*found, rtol=1e-13, atol=1e-15)


def test_the_default_compiler_takes_scalings_by_powers_of_two(torch, tmp_path, monkeypatch):
    if not shutil.which("g++"):
        pytest.skip("torch.compile needs a C++ compiler")
    module = written("relu", tmp_path)
    monkeypatch.setitem(sys.modules, "made_torch", module)
    for dtype, tiny in ((torch.float64, 2.0**-1000), (torch.float32, 2.0**-120)):
        at = [tiny * torch.tensor(c, dtype=dtype) for c in POINTS.T]
        run = torch.compile(module._rootdet_value, fullgraph=True)
        assert torch.allclose(run(*at), module._rootdet_value(*at), rtol=1e-6, atol=0.0)
        assert run(*at).gt(0.0).tolist()[:5] == [True, True, True, False, False]


def test_network(torch, tmp_path):
    net = ntksym.mlp("relu", depth=3, weight_var=2, bias_var="1/100")
    module = written(net, tmp_path)
    x = np.random.default_rng(0).normal(size=(5, 4))
    x[1] = x[0] + 1e-9
    want = ntksym.compile(net, target="numpy")(x)
    found = module.nngp_ntk(torch.tensor(x), exact=True)
    assert np.allclose(found[0], want.nngp, rtol=1e-13)
    assert np.allclose(found[1], want.ntk, rtol=1e-12)
    one = torch.tensor([[1.0, 1.0]], dtype=torch.float64, requires_grad=True)
    two = torch.tensor([[1.0, 1.0 + 1e-9]], dtype=torch.float64)
    (slope,) = torch.autograd.grad(module.nngp_ntk(one, two, exact=True)[1].sum(), one)
    assert np.allclose(slope.numpy(), [[2.118198, 5.925634]], rtol=1e-6)
    with pytest.raises(ValueError, match=r"x1 has the shape \(2,\).* one input is x1\[None, :\]"):
        module.nngp_ntk(one[0], two)
    with pytest.raises(ValueError, match="x1 has 2 features and x2 4"):
        module.nngp_ntk(one, torch.tensor(x))


@pytest.mark.parametrize("bias", [0, "1/10"])
def test_derivatives_of_layers_with_kinks_are_polar(torch, bias, tmp_path):
    """Beside many digits: at angles of 1e-9 traced ones are 1e-8 off and second ones 40 times too
    large; without a bias, rows of zeros had NaN."""
    net = ntksym.mlp("hardtanh", depth=1, weight_var="3/2", bias_var=bias)
    module, g = written(net, tmp_path), ntksym.NetworkGradient(net, "numpy")
    x, z = np.array([0.6, 0.8, -0.3]), np.array([0.5, -0.3, 0.9])

    def slope(k, a, b):
        a = torch.tensor(a[None], requires_grad=True)
        return torch.autograd.grad(module.nngp_ntk(a, torch.tensor(b[None]))[k].sum(), a)[0][0]

    for y, goals in ((z, (1e-14, 1e-14)), (x + 1e-9 * z, (1e-13, 1e-8))):
        o = g.exact(x, y)
        for k, name in enumerate(("nngp", "ntk")):
            parts = zip(x, y, strict=True)
            slopes = o[f"{name}/q11"], o[f"{name}/q12"]
            want = [2 * float(u) * slopes[0] + float(v) * slopes[1] for u, v in parts]
            assert np.abs(slope(k, x, y).numpy() - np.array(want, float)).max() < goals[k]
    none = slope(0, 0.0 * x, z).numpy()
    short = slope(0, 1e-9 * np.cross(x, z), z).numpy()
    assert np.abs(none - short).max() < 1e-8
    near = torch.tensor((x + 1e-9 * z)[None])
    for other, most in ((near, 0.6), (torch.tensor(z[None]), 0.2)):
        twice = torch.autograd.functional.hessian(
            lambda a, o=other: module.nngp_ntk(a, o)[0].sum(), torch.tensor(x[None])
        )
        assert torch.isfinite(twice).all() and 0.1 < twice.abs().max() < most


def test_root_of_a_sum_with_the_number_0_on_the_diagonal(torch, tmp_path):
    net = ntksym.mlp("gelu(x) + sin(x)", depth=1)
    x = np.random.default_rng(0).normal(size=(4, 3))
    want = ntksym.compile(net, target="numpy", cache=False)(x)
    for a, b in zip(written(net, tmp_path).nngp_ntk(torch.tensor(x)), want, strict=True):
        assert np.allclose(a, b, rtol=1e-14)


@pytest.mark.parametrize("name, options", UNITS)
def test_units(torch, name, options, tmp_path):
    module = written(name, tmp_path, **options)
    q = [torch.tensor(c, dtype=torch.float64, requires_grad=True) for c in COVARIANCES.T]
    both = module.dual(*q)
    slopes = [torch.autograd.grad(v.sum(), q, retain_graph=True) for v in both]
    values = tuple(v.detach().numpy() for v in both)
    compare(name, options, values, tuple(tuple(s.numpy() for s in row) for row in slopes))
    one = torch.tensor(1.0, dtype=torch.float64)
    bend = torch.autograd.functional.hessian(lambda c: module.dual(one, c, one)[0], one)
    assert abs(bend.item() - expected(name, 1.0, 1.0, 1.0)["dot_q12"]) < 1e-5
    single = module.dual(*(torch.tensor(c, dtype=torch.float32) for c in COVARIANCES.T))
    for s, d in zip(single, both, strict=True):
        assert s.dtype == torch.float32
        assert torch.allclose(s.double(), d.detach(), atol=3e-6, equal_nan=True)
    bad = module.dual(torch.tensor([float("nan"), -1.0]), torch.zeros(2), torch.ones(2))
    assert bool(torch.isnan(bad[0]).all() and torch.isnan(bad[1]).all())


@pytest.mark.parametrize("spec, variances", [("tanh", None), ("mish", ("1/2", "1"))])
def test_unit_networks(torch, spec, variances, tmp_path):
    net = ntksym.parse_spec(f"mlp:{spec}:depth=2,weight_var=2,bias_var=1/10")
    module = written(net, tmp_path, variances=variances)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 4))
    x *= (np.sqrt(4 * rng.uniform(0.6, 0.9, 5)) / np.linalg.norm(x, axis=1))[:, None]
    x[1] = x[0] + 1e-7 * x[2]
    want = ntksym.compile(net, target="numpy")(x)
    found = module.nngp_ntk(torch.tensor(x), exact=True)
    assert np.allclose(found[0], want.nngp, rtol=0, atol=1e-9)
    assert np.allclose(found[1], want.ntk, rtol=0, atol=1e-9)
    z = torch.tensor(x, requires_grad=True)
    (slope,) = torch.autograd.grad(module.nngp_ntk(z, exact=True)[1].sum(), z)
    assert bool(torch.isfinite(slope).all())


def test_rows_of_zeros_and_equal_rows_beside_a_trapezoid_rule(torch, tmp_path):
    net = ntksym.parse_spec("mlp:atan(x):depth=2,weight_var=1/2")
    options = {"method": "quadrature", "variances": ("1/10", "1/2"), "error": 1e-6}
    module = written(net, tmp_path, **options)
    x = torch.tensor([[0.5, 0.3], [0.0, 0.0], [-0.5, -0.3]], dtype=torch.float64)
    k, t = module.nngp_ntk(x)
    assert bool((k[1] == 0.0).all() and (t[1] == 0.0).all())
    assert abs(k[0, 0] + k[0, 2]) < 1e-15 and abs(t[0, 0] + t[0, 2]) < 1e-15 and k[0, 0] > 0.0
    rows = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(module.nngp_ntk(rows)[0].sum(), rows)
    assert bool(torch.isfinite(slope).all())


@pytest.mark.parametrize("name", ["hardtanh", "erf"])
def test_nearly_parallel_rows(torch, name, tmp_path):
    net = ntksym.mlp(name, depth=3, weight_var=1, bias_var="1/10")
    module, (x, y) = written(net, tmp_path), pairs_of_rows()
    for dtype, goal in ((np.float64, 1e-14), (np.float32, 2e-6)):
        a, b = x.astype(dtype), y.astype(dtype)
        want = many_digits(net, a, b)
        found = module.nngp_ntk(torch.tensor(a), torch.tensor(b))
        for k in (0, 1):
            assert np.abs(np.diag(found[k]) / want[:, k] - 1).max() < goal
    if name == "hardtanh":  # a kink reads the angle, which inner products have lost
        worse = module.nngp_ntk(torch.tensor(x), torch.tensor(y), exact=False)[1]
        assert np.abs(np.diag(worse) / many_digits(net, x, y)[:, 1] - 1).max() > 1e-12
    rows = torch.tensor(np.vstack([x, y, x[:1]]), requires_grad=True)
    (slope,) = torch.autograd.grad(module.nngp_ntk(rows)[1].sum(), rows)
    assert bool(torch.isfinite(slope).all())
    u, v = torch.tensor(x), torch.tensor(y)
    one = torch.func.vmap(lambda s, t: module.nngp_ntk(s[None], t[None])[1][0, 0])(u, v)
    assert torch.allclose(one, module.nngp_ntk(u, v)[1].diagonal(), rtol=1e-14, atol=0)


def test_units_carry_the_angle_of_nearly_parallel_rows(torch, tmp_path):
    net = ntksym.mlp("tanh", depth=3, weight_var=1, bias_var="1/10")
    module, (x, y) = written(net, tmp_path), pairs_of_rows()
    want = ntksym.compile(net, target="numpy")(x, y)
    found = module.nngp_ntk(torch.tensor(x), torch.tensor(y))
    for one, other in zip(found, (want.nngp, want.ntk), strict=True):
        assert np.abs(np.diag(one) / np.diag(other) - 1).max() < 1e-13


def test_gradients_at_angles_where_steps_are_steep(torch, tmp_path):
    """Hard tanh at rows of 1e3 is a step in the angle: a fixed rule lost 4 digits of the NTK."""
    net = ntksym.mlp("hardtanh", depth=2, bias_var="1/8")
    module, angle = written(net, tmp_path), 5e-2
    x, y = np.array([[1e3, 0]]), 1e3 * np.array([[np.cos(angle), np.sin(angle)]])
    rows = torch.tensor(x, requires_grad=True)
    exact = ntksym.NetworkGradient(net, "numpy").input_gradient(x, y)
    for value, want in zip(module.nngp_ntk(rows, torch.tensor(y)), exact, strict=True):
        (found,) = torch.autograd.grad(value.sum(), rows, retain_graph=True)
        assert np.abs(found.numpy() - want[0]).max() < 1e-11 * np.abs(want).max()


def test_gradients_of_nearly_equal_rows_keep_their_digits(torch, tmp_path):
    """ReLU with a bias: what unlike norms make of the angle is not formed from the norms."""
    net = ntksym.mlp("relu", depth=3, weight_var=2, bias_var="1/100")
    module = written(net, tmp_path)
    x = np.random.default_rng(1).standard_normal((2, 5))
    exact = ntksym.NetworkGradient(net, "numpy")
    for gap in (1e-5, 1e-9):
        y = x[:1] + gap * x[1:]
        rows = torch.tensor(x[:1], requires_grad=True)
        for value, want in zip(
            module.nngp_ntk(rows, torch.tensor(y)), exact.input_gradient(x[:1], y), strict=True
        ):
            (slope,) = torch.autograd.grad(value.sum(), rows, retain_graph=True)
            error = np.max(np.abs(slope.numpy()[0] - want[0, 0]))
            assert error < 1e-14 * np.max(np.abs(want)), (gap, error)


def test_large_variances_of_kinks(torch, tmp_path):
    module = written("hardtanh", tmp_path)
    far_out(lambda v: torch.tensor(v, dtype=torch.float64), module.dual, module.diagonal)
    q = torch.tensor([[2.0], [800.0]], dtype=torch.float64)
    every = torch.func.vmap(module.dual)(q, 0.5 * q, q)  # where no entry can be chosen by value
    assert torch.equal(torch.stack(every), torch.stack(module.dual(q, 0.5 * q, q)))


def test_slopes_of_one_sided_exponentials_at_large_variances(torch, tmp_path):
    """ELU at 1e6: the rest of the growing exponential was 0 from 2e5 on, the slope in q12 -9.6e-8."""
    q = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (1e6, 3e5, 1.4e6, 1.3)]
    module = written("elu", tmp_path)
    nngp, dot = module.dual(*q)
    slopes = [v.item() for v in torch.autograd.grad(dot, q, retain_graph=True)]
    # dual_gradients("elu").program() in 60 digits
    assert dot.item() == pytest.approx(0.291277119445948, rel=1e-12)
    right = (-2.0987825429644e-08, 1.3905404205230e-07, -1.4976974546404e-08, 3.6834473043482e-04)
    assert slopes == pytest.approx(right, rel=1e-5)
    assert torch.autograd.grad(nngp, q)[3].item() == pytest.approx(-324.0047698613492, rel=1e-10)


@pytest.mark.parametrize("name", ["hardtanh", "x + sin(x)^2", "exp(-x^2)"])
def test_networks_of_rows_of_any_size(torch, name, tmp_path):
    """Closed forms alone were inf and NaN at variances of 1e280, and off by 1e-6 at 1e12."""
    net = ntksym.mlp(name, depth=3, weight_var="3/2", bias_var="1/10")
    module, kernel = written(net, tmp_path), ntksym.compile(net, target="numpy")
    rows = np.random.default_rng(5).normal(size=(4, 3))
    for scale in (1e-140, 1e-6, 1e-3, 1.0, 1e3, 1e6, 1e140):
        for found, exact in zip(
            module.nngp_ntk(torch.tensor(scale * rows)), kernel(scale * rows), strict=True
        ):
            size = np.sqrt(np.diag(exact))
            assert (abs(found.numpy() - exact) <= 2e-14 * size[:, None] * size).all(), scale


def test_matrices_are_symmetric_and_diagonals_are_those_of_one_row(torch, tmp_path):
    module = written(ntksym.mlp("gelu", depth=2, weight_var=2, bias_var="1/10"), tmp_path)
    x = torch.tensor(np.random.default_rng(6).normal(size=(13, 3)), requires_grad=True)
    nngp, ntk = module.nngp_ntk(x)
    for found in (nngp, ntk):
        assert torch.equal(found, found.T)
        alone = torch.cat([module.nngp_ntk(row[None])[found is ntk][0] for row in x])
        assert torch.equal(found.diagonal(), alone)
    nngp.sum().backward()
    (other,) = torch.autograd.grad(module.nngp_ntk(x, x.detach())[0].sum(), x)
    assert torch.allclose(x.grad, 2.0 * other, rtol=1e-12, atol=1e-12)
