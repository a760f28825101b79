"""JAX and PyTorch where closed forms cancel: small variances, nearly parallel large ones, tails."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from mpmath import MPContext
from test_jax_target import jax  # noqa: F401  the fixture
from test_torch_target import torch  # noqa: F401  the same
from test_torch_target import written as written_torch

import ntksym
from ntksym.lower import lower_dual, lower_dual_diag

AT = {
    "hardtanh": [(4e3, 3999.6, 4e3), (5.0, 4.9999, 5.0), (2e3, -1999.8, 2e3)],
    "softshrink": [(1e-2, 2e-3, 2e-2), (3e-2, -1e-2, 1e-2), (2e-2, 2e-2 - 1e-9, 2e-2)],
    "hardsigmoid": [(200.0, -155.8, 190.0), (4e3, 3999.9, 4e3)],
    "elu": [(0.3, 10.94, 400.0), (0.05, 0.01, 0.07), (1e-8, -5e-9, 1e-8), (0.1, 2e-4, 2e-3)],
    "snake": [(1e-3, 2e-4, 2e-3), (1e-2, -9e-3, 1e-2), (0.2, 0.1, 90.0), (0.0, 0.0, 1.0)],
}
GOAL = 4.0
"""Eps of the size: closed forms are off by up to 1e54 there, at small variances by up to 1e8."""
FAR_APART = [(297.5, -10000.7, 336207.6), (1.8e-91, -6217153.0, 2.1e104), (4837.6, 4366.7, 3941.8)]


def errors(name: str, dual) -> list[float]:
    """Both values against the closed form in 50 digits, in eps of sqrt(K(q11) K(q22))."""
    ctx, found = MPContext(), []
    ctx.dps = 50
    act = ntksym.dual(name)
    pair, diag = lower_dual(act), lower_dual_diag(act)
    given = {p.name: 0.5 for p in act.activation.params}
    got = np.array([np.asarray(v) for v in dual(*np.array(AT[name]).T, *given.values())])
    for i, (q11, q12, q22) in enumerate(AT[name]):
        at = {"q11": ctx.mpf(q11), "q12": ctx.mpf(q12), "q22": ctx.mpf(q22)}
        want = pair.evaluate(at | given, ctx)
        sides = [diag.evaluate({"q": at[q]} | given, ctx) for q in ("q11", "q22")]
        for k, label in enumerate(("nngp", "dot")):
            size = ctx.sqrt(sides[0][label] * sides[1][label])
            size = max(size if ctx.isfinite(size) else 0, abs(want[label]))
            error = abs(ctx.mpf(float(got[k, i])) - want[label])
            found.append(float(error / size) / 2.0**-52 if size else float(error))
    return found


@pytest.mark.parametrize("name", AT)
def test_torch(torch, name, tmp_path):  # noqa: F811
    module = written_torch(name, tmp_path)

    def dual(*columns):
        return module.dual(*(torch.tensor(c, dtype=torch.float64) for c in columns))

    assert max(errors(name, dual)) < GOAL
    q = [torch.tensor(c, requires_grad=True) for c in np.array(AT[name]).T]
    given = [torch.tensor(0.5, dtype=torch.float64)] * len(ntksym.dual(name).activation.params)
    slopes = torch.autograd.grad(module.dual(*q, *given)[0].sum(), q)
    assert all(bool(torch.isfinite(s).all()) for s in slopes)
    mapped = torch.vmap(lambda *at: module.dual(*at, *given)[0])(*(c.detach() for c in q))
    plain = module.dual(*(c.detach() for c in q), *given)[0]
    assert torch.allclose(mapped, plain, rtol=1e-12, atol=0.0)
    single = module.dual(*(c.detach().float() for c in q), *(g.float() for g in given))
    assert all(v.dtype == torch.float32 for v in single)


def test_small_values_of_one_sign_keep_their_digits(torch, tmp_path):  # noqa: F811
    """Nearly opposite inputs: a value of 1/1300 of its size was off by 179 eps of itself."""
    name, b, ctx = "shifted_relu", -0.5, MPContext()
    ctx.dps = 40
    at = {"q11": 17.932604688495445, "q12": -29.859948424674254, "q22": 49.720704851807355, "b": b}
    want = lower_dual(ntksym.dual(name)).evaluate({k: ctx.mpf(v) for k, v in at.items()}, ctx)
    columns = [torch.tensor([v], dtype=torch.float64) for v in at.values()]
    got = ctx.mpf(float(written_torch(name, tmp_path).dual(*columns)[0]))
    assert abs(got - want["nngp"]) <= GOAL * 2.0**-52 * want["nngp"]


def test_graphs_with_rules_on_the_host_compile(torch, tmp_path, monkeypatch):  # noqa: F811
    """NumPy is one operator of the graph: compiled, also mapped, it gives what it gives at once."""
    module = written_torch("elu", tmp_path, "elu_on_the_host")  # which no other test compiled
    monkeypatch.setitem(sys.modules, module.__name__, module)  # where the compiler looks names up
    (label,) = (k for k in module._NUMPY_RULES if k.startswith("price_"))
    at = torch.tensor([(1e-3, 2e-4, 2e-3, 1.4e-3, 0.5), (1.0, 0.5, 2.0, 1.3, 0.5)]).double().T
    used, closed = torch.tensor([True, False]), torch.tensor([7.0, 7.0]).double()

    def run(used, closed, *at):
        return module._by_numpy(label, used, at, closed)

    plain = run(used, closed, *at)
    assert plain[0] != 7.0 and plain[1] == 7.0
    for f in (run, torch.vmap(run)):
        whole = torch.compile(f, fullgraph=True, backend="eager")
        assert torch.equal(whole(used, closed, *at), plain)


@pytest.mark.parametrize("name", AT)
def test_jax_integrates_on_the_host(jax, name, tmp_path):  # noqa: F811
    """Under jit, vmap and grad, and in floats, whose values are those of doubles."""
    from test_jax_target import written

    module = written(name, tmp_path)
    given = [0.5] * len(ntksym.dual(name).activation.params)
    dual = jax.jit(module.dual)
    assert max(errors(name, dual)) < GOAL
    q = np.array(AT[name] + FAR_APART).T
    whole = np.array(dual(*q, *given))
    mapped = np.array(jax.jit(jax.vmap(lambda *q: module.dual(*q, *given)))(*q))
    assert np.all(np.abs(mapped - whole) <= 1e-15 * np.abs(whole))  # fused in another way
    at = jax.numpy.asarray(AT[name][0])
    slopes = jax.jit(jax.grad(lambda q: module.dual(*q, *given)[0]))(at)
    assert np.isfinite(slopes).all()
    single = q[:, np.all((np.abs(q) > 1e-30) & (np.abs(q) < 1e30), axis=0)].astype(np.float32)
    found, wide = (
        np.array(dual(*single.astype(t), *(np.asarray(v, t) for v in given)))
        for t in (np.float32, np.float64)
    )
    assert found.dtype == np.float32
    assert np.all(np.abs(found - wide) < 8 * 2.0**-23 * (1.0 + np.abs(wide)))


def test_doubles_reach_the_host_without_x64(jax, tmp_path):  # noqa: F811
    """Callbacks of JAX make floats of doubles there: NumPy is sent their bits."""
    from test_jax_target import written

    module = written("elu", tmp_path)
    (label,) = (k for k in module._NUMPY_RULES if k.startswith("price_"))
    at = np.array([(1e-3, 2e-4, 2e-3, 1.4e-3, 0.5), (1.0, 0.5, 2.0, 1.3, 0.5)], np.float32).T
    used = np.array([True, False])

    def parts(*at):
        value = module._by_numpy(label, used, at, 0.0 * at[0] + 7.0)
        above = value.astype(np.float32).astype(np.float64)
        return above, value - above

    with module._x64(False):
        above, below = map(np.ravel, jax.vmap(jax.jit(module._in_doubles(parts)))(*at[:, None]))
    want = module._numpy_values(label, used, *at.astype(np.float64))[0]
    found = np.asarray(above, np.float64) + np.asarray(below, np.float64)
    assert found[1] == 7.0 and abs(found[0] - want) <= 2.0**-45 * want


def test_second_derivatives_in_floats_without_x64(jax, tmp_path):  # noqa: F811
    from test_jax_target import written

    module, c = written("gelu", tmp_path), np.array([0.25, -0.5])
    with module._x64(False):
        slope = jax.hessian(lambda c: module.dual(1.5, c, 2.0)[0])
        bend = jax.vmap(jax.jit(slope))(c.astype(np.float32))
    above, below = (module.dual(1.5, c + step, 2.0)[1] for step in (1e-6, -1e-6))
    assert bend.dtype == np.float32 and np.allclose(bend, (above - below) / 2e-6, rtol=1e-6)


@pytest.mark.parametrize("name", ["selu", "relu6", "gelu"])
def test_floats_are_numbers_where_constants_have_many_digits(torch, name, tmp_path):  # noqa: F811
    """Over a common denominator the constants of SELU are integers of 1e62, which no float holds."""
    module = written_torch(name, tmp_path)
    q = np.array([(1.0, 0.5, 1.0), (0.24, 0.06, 0.1), (2.0, -1.0, 5.0)]).T
    wide, single = (
        np.array([np.asarray(v) for v in module.dual(*(torch.tensor(c, dtype=t) for c in q))])
        for t in (torch.float64, torch.float32)
    )
    assert np.all(np.abs(single - wide) < 1e-5 * np.maximum(np.abs(wide), 0.1))
