"""JAX and PyTorch: slopes at large variances, where closed forms of them cancel."""

from __future__ import annotations

import numpy as np
import pytest
from mpmath import MPContext
from test_jax_target import jax  # noqa: F401  the fixture
from test_jax_target import written as written_jax
from test_torch_target import torch  # noqa: F401  the same
from test_torch_target import written as written_torch

import ntksym
from ntksym.gradients import dual_gradients
from ntksym.lower import lower_dual_diag

AT = {
    "hardtanh": [
        (4e6, 1e6, 5e6),
        (3e20, -1e20, 2e20),
        (7.0, 2.0, 3.0),
        (4e10, 4e10, 4e10),
        (1e149, -3e148, 1e150),
    ],
    "elu": [(4e6, 1e6, 5e6), (4e10, -1e10, 3e10)],
}
"""Closed forms are off by 1e-12 to 1e57 of the kernel over the variance, but at the usual place."""
ENTRIES = ("q11", "q12", "q22")
GIVEN = 0.5


def wanted(name):
    """Slopes of both duals at `AT`, and the kernels over the variances, in many digits."""
    ctx, found = MPContext(), []
    ctx.dps = 500 if name != "elu" else 100
    given = dual_gradients(name)
    pair, diag = given.program(), lower_dual_diag(given.dual)
    params = dict.fromkeys(given.names, ctx.mpf(GIVEN))
    for x, c, y in AT[name]:
        at = dict(zip(ENTRIES, (x, c, y), strict=True)) | params
        right = pair.evaluate(at, ctx)
        ends = [diag.evaluate({"q": q, **params}, ctx) for q in (x, y)]
        for k in ("nngp", "dot"):
            size = ctx.sqrt(ends[0][k]) * ctx.sqrt(ends[1][k])
            for v, q in zip(ENTRIES, (x, np.sqrt(x) * np.sqrt(y), y), strict=True):
                found.append((float(right[f"{k}_{v}"]), float(size / q)))
            found += [(float(right[f"{k}_{p}"]), float(size)) for p in given.names]
    return found


def compare(name, slopes):
    """`slopes`: of nngp, then of dot, in q11, q12, q22 and parameters, arrays over `AT`."""
    rows = (v for both in zip(*map(np.transpose, slopes), strict=True) for v in np.ravel(both))
    for got, (right, unit) in zip(rows, wanted(name), strict=True):
        if np.isfinite(right):
            assert abs(got - right) <= 1e-12 * max(abs(right), unit), (got, right)


@pytest.mark.parametrize("name", AT)
def test_torch(torch, name, tmp_path):  # noqa: F811
    module = written_torch(name, tmp_path)
    q = [torch.tensor(c, requires_grad=True) for c in np.array(AT[name]).T]
    own = [torch.full_like(q[0], GIVEN, requires_grad=True) for _ in dual_gradients(name).names]
    slopes = []
    for k in (0, 1):
        found = torch.autograd.grad(module.dual(*q, *own)[k].sum(), [*q, *own])
        slopes.append([g.numpy() for g in found])
    compare(name, slopes)
    ends = torch.autograd.grad(module.diagonal(q[0], *own)[0].sum(), q[0])[0]
    own_diag, ctx = dual_gradients(name).diag_program(), MPContext()
    ctx.dps = 200
    for q11, got in zip(q[0].tolist(), ends.tolist(), strict=True):
        right = own_diag.evaluate({"q": q11, **dict.fromkeys(own_diag.args[1:], GIVEN)}, ctx)
        assert abs(got - right["nngp_q"]) * q11 <= 1e-12 * right["nngp"]


def test_jax_under_jit(jax, tmp_path):  # noqa: F811
    module = written_jax("hardtanh", tmp_path)
    q = np.array(AT["hardtanh"]).T

    def weighted(w, *q):
        nngp, dot = module.dual(*q)
        return w[0] @ nngp + w[1] @ dot

    one = jax.grad(weighted, (1, 2, 3))
    run = jax.jit(jax.vmap(one, ((0, 0), 0, 0, 0)))
    ones, none = np.ones((len(q[0]), 1)), np.zeros((len(q[0]), 1))
    at = [v[:, None] for v in q]
    compare("hardtanh", [[np.ravel(v) for v in run(w, *at)] for w in ((ones, none), (none, ones))])


def test_networks_in_torch(torch, tmp_path):  # noqa: F811
    """Slopes in the rows, beside those of `NetworkGradient`: off by 1e-5 of the kernel at 1e6."""
    net = ntksym.mlp("hardtanh", depth=2, weight_var=1.5, bias_var=0.1)
    module = written_torch(net, tmp_path, "made_torch_far")
    g = ntksym.NetworkGradient(net, threads=1)
    for size in (1.0, 1e6, 1e20):
        x, y = np.array([[0.6, 0.8]]) * size, np.array([[0.5, -0.3]]) * size
        rows = torch.tensor(x, requires_grad=True)
        both = module.nngp_ntk(rows, torch.tensor(y))
        for kernel, want in zip(both, g.input_gradient(x, y), strict=True):
            (found,) = torch.autograd.grad(kernel.sum(), rows, retain_graph=True)
            off = np.abs(found.numpy() - want[0]).max() * size
            assert off <= 1e-12 * max(kernel.item(), np.abs(want).max() * size)


def test_nearly_parallel_rows_of_unlike_lengths(torch, tmp_path):  # noqa: F811
    """Rows of 2e3 that are 1e-7 apart: slopes from nodes about the pair were off by 2e-7."""
    net = ntksym.mlp("hardtanh", depth=1, weight_var=1.5)
    module = written_torch(net, tmp_path, "made_torch_rays")
    x = 2e3 * np.array([0.6, 0.8])
    y = (1.0 + 3e-7) * (x + 2e-4 * np.array([-0.8, 0.6]))
    right = ntksym.NetworkGradient(net, "numpy").exact(x, y)
    rows = torch.tensor(x[None], requires_grad=True)
    both = module.nngp_ntk(rows, torch.tensor(y[None]))
    for kernel, name in zip(both, ("nngp", "ntk"), strict=True):
        (found,) = torch.autograd.grad(kernel.sum(), rows, retain_graph=True)
        slopes = right[f"{name}/q11"], right[f"{name}/q12"]
        want = [2 * float(u) * slopes[0] + float(v) * slopes[1] for u, v in zip(x, y, strict=True)]
        want = np.array(want, float) * 2e3
        off = np.abs(found.numpy()[0] * 2e3 - want).max()
        assert off <= 2e-10 * max(kernel.item(), np.abs(want).max())


def test_networks_in_jax(jax, tmp_path):  # noqa: F811
    """The same; not compiled, which takes half a minute."""
    net = ntksym.mlp("hardtanh", depth=1, weight_var=1.5, bias_var=0.1)
    module = written_jax(net, tmp_path)
    x, y = np.array([[0.6, 0.8]]) * 1e6, np.array([[0.5, -0.3]]) * 1e6
    want = ntksym.NetworkGradient(net, threads=1).input_gradient(x, y)[1]
    with jax.disable_jit():
        found = jax.grad(lambda x: module.nngp_ntk(x, y, exact=False)[1].sum())(x)
    assert np.abs(found - want[0]).max() <= 1e-12 * np.abs(want).max()
