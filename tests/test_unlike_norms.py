"""Rows of unlike norms in networks of nearly homogeneous functions (`lower.unlike`)."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
from mpmath import MPContext

from ntksym.language import as_activation
from ntksym.lower import lower_network
from ntksym.lower.schedule import evaluate_network
from ntksym.lower.unlike import Unlike
from ntksym.network import mlp, recurse
from ntksym.runtime import compile

CASES = (("gelu", "47/20", 0), ("x*erf(x)", "14/5", "1/10"))


def unlike(name: str) -> Unlike | None:
    net = mlp(as_activation(name), 2, weight_var=2, bias_var=0)
    near = lower_network(recurse(net)).kinds[0].near
    return None if near is None else near.unlike


@cache
def case(name: str, weight: Any, bias: Any) -> Any:
    """A network of 20 layers, rows of large and unlike norms, what they have with 50 digits."""
    made = recurse(mlp(as_activation(name), depth=20, weight_var=weight, bias_var=bias))
    ctx = MPContext()
    ctx.dps = 50
    x, z = np.random.default_rng(5).normal(size=(2, 6))
    z -= x * (x @ z) / (x @ x)
    rows = [(20 * x, 20 * r * (x + a * z)) for r in (3.7, 0.4, 1.2) for a in (0.0, 1e-9, 1e-3)]
    exact = []
    for u, v in rows:
        pairs = ((u, u), (u, v), (v, v))
        inner = [sum(Fraction(a) * Fraction(b) for a, b in zip(*p, strict=True)) for p in pairs]
        given: list[Any] = [ctx.mpf(i.numerator) / i.denominator for i in inner]
        own = [evaluate_network(lower_network(made), g, g, g, 6, ctx) for g in (given[0], given[2])]
        pair = evaluate_network(lower_network(made), given[0], given[1], given[2], 6, ctx)
        sizes = [ctx.sqrt(own[0][k] * own[1][k]) for k in range(2)]
        exact.append(list(zip(pair, sizes, strict=True)))
    return made, rows, exact


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize("given", CASES, ids=lambda c: c[0])
def test_deep_networks(given: Any, target: str) -> None:
    """Parallel rows 3.7 apart in norm had an NTK 100 to 3500 roundings off in 20 layers."""
    made, rows, exact = case(*given)
    kernel = compile(made, target=target, cache=False)
    got = kernel(np.array([u for u, _ in rows]), np.array([v for _, v in rows]))
    for values, which in ((got.nngp, 0), (got.ntk, 1)):
        for i, wanted in enumerate(exact):
            value, size = wanted[which]
            assert abs(float((values[i, i] - value) / size)) < 1e-14, (which, i)


@pytest.mark.parametrize(
    ("name", "degree", "from_small"),
    [("gelu", 1, True), ("x*erf(x)", 1, False), ("x^2*Phi(x)", 2, True), ("max(x-1,0)", 1, True)],
)
def test_the_determinant_of_parallel_inputs(name: str, degree: int, from_small: bool) -> None:
    """What the integrals of h say of it is what it is, with kinks too."""
    made = recurse(mlp(as_activation(name), 2, weight_var=2, bias_var=0))
    near = lower_network(made).kinds[0].near
    assert near is not None and near.unlike is not None
    h = near.unlike
    assert h.degree == degree and (h.least == 0.0) == from_small
    ctx = MPContext()
    ctx.dps = 40
    two = {"weight_var": ctx.mpf(2)}
    low, spread = ctx.mpf(9), ctx.mpf("0.3")

    def pair(p: Any, a: Any, b: Any) -> Any:
        root = ctx.zero
        given = {"q11": a, "q12": ctx.sqrt(a * b), "q22": b, "root": root, **two}
        return p.evaluate({k: given[k] for k in p.args}, ctx)["value"]

    def single(p: Any, q: Any) -> Any:
        return p.evaluate({k: {"q": q, **two}[k] for k in p.args}, ctx)["value"]

    high = low * ctx.exp(2 * spread)
    own = [single(near.diag, q) for q in (low, high)]
    exact = own[0] * own[1] - pair(near.pair, low, high) ** 2

    def at(x: Any) -> Any:
        return low * ctx.exp(2 * x)

    ctx.dps = 18
    kappa = ctx.exp(degree * spread)
    change = 2 * ctx.quad(
        lambda x: single(h.mixed, at(x)) * ctx.exp(2 * degree * (spread - x)), [0, spread]
    )

    def inner(y: Any) -> Any:
        return ctx.quad(
            lambda x: pair(h.pair, at(x), at(x + y)) * ctx.exp(degree * (2 * (spread - x) - y)),
            [0, spread - y],
            maxdegree=3,
        )

    ends = 2 * ctx.quad(inner, [0, spread], maxdegree=4)
    found = own[0] * ends - ((change - ends) / (2 * kappa)) ** 2
    assert abs(found / exact - 1) < 1e-9


def test_functions_that_are_not_nearly_homogeneous() -> None:
    """Bounded ones, homogeneous ones, what oscillates beside its leading power, or far from 0."""
    far = "max(x,0) + exp(-(x-12)^2)"
    for name in ("erf", "sin(x)", "x + sin(x)^2", "exp(-x^2)", far, "relu"):
        assert unlike(name) is None, name
