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
"""Eps of the size: of half of the values, and of all; closed forms that are off by more than 1e-12
(by 1e17 eps: soft shrink in its tail) are replaced."""


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
    assert np.median(found) < GOAL and max(found) < MOST
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


def test_jax_takes_small_variances_by_the_integral_of_the_slope(jax, tmp_path):  # noqa: F811
    from test_jax_target import written

    module = written("snake", tmp_path)
    assert max(errors("snake", jax.jit(module.dual))) < MOST
    slope = jax.jit(jax.vmap(jax.grad(lambda *q: module.dual(*q, 0.5)[0], 1)))(
        *np.array(AT["snake"][:3]).T
    )
    assert np.isfinite(slope).all()
