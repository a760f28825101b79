"""JAX and PyTorch where closed forms cancel: small variances, nearly parallel large ones, tails."""

from __future__ import annotations

import numpy as np
import pytest
from mpmath import MPContext
from test_jax_target import jax  # noqa: F401  the fixture
from test_torch_target import torch  # noqa: F401  the same
from test_torch_target import written as written_torch

import ntksym
from ntksym.backends import Contract
from ntksym.backends.numpy.backend import dual_file
from ntksym.lower import lower_dual, lower_dual_diag
from ntksym.runtime.engines import load_module

AT = {
    "hardtanh": [(4e3, 3999.6, 4e3), (5.0, 4.9999, 5.0), (2e3, -1999.8, 2e3)],
    "softshrink": [(1e-2, 2e-3, 2e-2), (3e-2, -1e-2, 1e-2), (2e-2, 2e-2 - 1e-9, 2e-2)],
    "hardsigmoid": [(200.0, -155.8, 190.0), (4e3, 3999.9, 4e3)],
    "elu": [(0.3, 10.94, 400.0), (0.05, 0.01, 0.07)],
    "snake": [(1e-3, 2e-4, 2e-3), (1e-2, -9e-3, 1e-2), (0.2, 0.1, 90.0), (0.0, 0.0, 1.0)],
}
GOAL, MOST = 20.0, 1e-12 / 2.0**-52
"""Eps of the size: of half of the values, and of all; small variances of waves and one-sided
exponentials are replaced where closed forms are off by more than 1e-12."""
INTEGRATED = 4.0
"""Of all values where the definition is integrated; closed forms are off by up to 1e54 there."""
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

    found = errors(name, dual)
    assert np.median(found) < GOAL and max(found) < (MOST if name == "snake" else INTEGRATED)
    q = [torch.tensor(c, requires_grad=True) for c in np.array(AT[name]).T]
    given = [torch.tensor(0.5, dtype=torch.float64)] * len(ntksym.dual(name).activation.params)
    slopes = torch.autograd.grad(module.dual(*q, *given)[0].sum(), q)
    assert all(bool(torch.isfinite(s).all()) for s in slopes)
    mapped = torch.vmap(lambda *at: module.dual(*at, *given)[0])(*(c.detach() for c in q))
    plain = module.dual(*(c.detach() for c in q), *given)[0]
    assert torch.allclose(mapped, plain, rtol=1e-12, atol=0.0)
    single = module.dual(*(c.detach().float() for c in q), *(g.float() for g in given))
    assert all(v.dtype == torch.float32 for v in single)


def test_elu_in_torch_is_what_numpy_has(torch, tmp_path):  # noqa: F811
    """Small variances and large ones; its closed form in balls takes minutes."""
    module = written_torch("elu", tmp_path)
    rows = np.array([(1e-3, 2e-4, 2e-3), (1e-8, -5e-9, 1e-8), (1e4, 9e3, 1e4), (1.0, 0.5, 2.0)])
    act = ntksym.dual("elu")
    pair, diag = lower_dual(act), lower_dual_diag(act)
    plain = load_module(dual_file("elu", pair, diag, Contract("test", ())), keep=False)
    found = module.dual(*(torch.tensor(c) for c in rows.T), torch.tensor(0.5, dtype=torch.float64))
    sides = [plain.dual(q, q, q, 0.5) for q in (rows[:, 0], rows[:, 2])]
    for k, want in enumerate(plain.dual(*rows.T, 0.5)):
        size = np.sqrt(sides[0][k] * sides[1][k])
        off = np.abs(found[k].numpy() - want) / size / 2.0**-52
        assert np.max(off) < MOST and off[1] < GOAL  # closed: 1e8 eps


@pytest.mark.parametrize("name", [n for n in AT if n != "snake"])
def test_jax_integrates_on_the_host(jax, name, tmp_path):  # noqa: F811
    """Under jit, vmap and grad, and in floats, whose values are those of doubles."""
    from test_jax_target import written

    module = written(name, tmp_path)
    given = [0.5] * len(ntksym.dual(name).activation.params)
    dual = jax.jit(module.dual)
    assert max(errors(name, dual)) < INTEGRATED
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


def test_jax_takes_small_variances_by_the_integral_of_the_slope(jax, tmp_path):  # noqa: F811
    from test_jax_target import written

    module = written("snake", tmp_path)
    assert max(errors("snake", jax.jit(module.dual))) < MOST
    slope = jax.jit(jax.vmap(jax.grad(lambda *q: module.dual(*q, 0.5)[0], 1)))(
        *np.array(AT["snake"][:3]).T
    )
    assert np.isfinite(slope).all()
