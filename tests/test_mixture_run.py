"""Mixture duals as code: C and NumPy against enclosures, and in networks.

What could be wrong: a pair of nodes left out or counted twice, digits lost near rho = +-1 or for
huge and tiny variances, a network that composes the layers wrongly, an asymmetric matrix.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
from sympy import Rational

import ntksym
from ntksym.backends.mixture.programs import mixture_programs
from ntksym.errors import BadData, BadSpec
from ntksym.network import Convention, Network
from ntksym.numeric.mixture import MixtureDual
from ntksym.numeric.mixture_build import mixture_dual
from ntksym.runtime.units.layers import plan
from ntksym.runtime.units.mixture import compile_mixture
from ntksym.runtime.units.network import (
    compile_any,
    compile_numeric,
    needs_numeric,
    network_sources,
)

TARGETS = ("c", "numpy")
NODES = 5
"""Few nodes: what is tested is the code of a finite sum against that finite sum."""

STATES = [
    (1.0, 0.5, 2.0),
    (9.0, -4.0, 2.5),
    (100.0, 60.0, 100.0),
    (1.0, 0.999999, 1.0),
    (1.0, 1.0, 1.0),
    (1.0, -1.0, 1.0),
    (0.01, 0.005, 4.0),
    (1e-6, -5e-7, 1e-6),
    (0.0, 0.0, 1.0),
    (1e6, 9.99999e5, 1e6),
]


@cache
def _exact(d: MixtureDual, state: tuple[float, ...], slope: bool, **params: float) -> Fraction:
    return d.enclose(*map(Fraction, state), derivative=slope, params=params or None).mid


def _scale(d: MixtureDual, state: tuple[float, ...], slope: bool, **params: float) -> float:
    first, last = state[0], state[2]
    own = [float(_exact(d, (v, v, v), slope, **params)) for v in (first, last)]
    return float(np.sqrt(own[0] * own[1]))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "text",
    [
        "tanh",
        "sigmoid",
        "silu",
        "softplus",
        "1/cosh(x)**2",
        "log(cosh(x))",
        "x*tanh(x)",
        "tanhshrink",
    ],
)
def test_code_agrees_with_the_finite_sum(text: str, target: str) -> None:
    d = mixture_dual(text, nodes=NODES)
    k = compile_mixture(d, target)
    values = k(*np.array(STATES).T)
    own = k.diag([s[0] for s in STATES])
    for i, state in enumerate(STATES):
        for slope, pair, diag in ((False, values.nngp, own.nngp), (True, values.dot, own.dot)):
            scale = _scale(d, state, slope)
            gap = abs(Fraction(float(pair[i])) - _exact(d, state, slope))
            assert float(gap) <= 4e-15 * scale
            v = state[0]
            gap = abs(Fraction(float(diag[i])) - _exact(d, (v, v, v), slope))
            assert float(gap) <= 4e-15 * float(_exact(d, (v, v, v), slope))


@pytest.mark.parametrize("target", TARGETS)
def test_several_families_offsets_and_parameters(target: str) -> None:
    cases: tuple[tuple[str, dict[str, float]], ...] = (
        ("tanh(x) + sigmoid(3*x)", {}),
        ("3*tanh(2*x + 1) - x/2", {}),
        ("x*sigmoid(beta*x)", {"beta": 1.5}),
    )
    for text, params in cases:
        d = mixture_dual(text, nodes=3)
        k = compile_mixture(d, target)
        for state in STATES[:6]:
            found, own = k(*state, **params), k.diag(state[0], **params)
            for slope, value in ((False, found.nngp), (True, found.dot)):
                gap = abs(Fraction(float(value)) - _exact(d, state, slope, **params))
                assert float(gap) <= 8e-15 * _scale(d, state, slope, **params)
            v = (state[0],) * 3
            exact = float(_exact(d, v, False, **params))
            assert float(own.nngp) == pytest.approx(exact, rel=8e-15)
    with pytest.raises(BadData, match="'beta' has no value"):
        k(1.0, 0.5, 1.0)


def test_one_block_and_many_agree() -> None:
    """Blocks of lanes, with and without equal variances in a block, give the same numbers."""
    k = compile_mixture(mixture_dual("silu", nodes=NODES))
    rng = np.random.default_rng(3)
    q = rng.uniform(0.1, 3, 150)
    c = q * rng.uniform(-1, 1, 150)
    whole = k(q, c, q)
    other = q.copy()
    other[1::2] += 0.5
    mixed = k(q, c, other)
    single = [float(k(a, b, a).nngp) for a, b in zip(q, c, strict=True)]
    assert whole.nngp == pytest.approx(single, rel=1e-14)
    assert mixed.nngp[::2] == pytest.approx(whole.nngp[::2], rel=1e-14)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("text", ["tanh", "silu", "softplus"])
def test_huge_and_tiny_variances(text: str, target: str) -> None:
    """Right at every variance, NaN for what is none: never a finite wrong number."""
    d = mixture_dual(text, nodes=NODES)
    k = compile_mixture(d, target)
    for variance in (1e-300, 1e-20, 1e20, 1e60, 1e300):
        state = (variance, variance / 2, variance)
        exact = float(_exact(d, state, False))
        assert float(k(*state).nngp) == pytest.approx(exact, rel=1e-14)
    for variance in (np.inf, np.nan):
        beyond = k(np.array([1.0, variance]), 0.5, np.array([variance, 1.0]))
        assert np.isnan(beyond.nngp).all() and np.isnan(beyond.dot).all()
        assert np.isnan(k.diag(variance).nngp) and np.isnan(k.diag(variance).dot)


def test_the_code_of_a_wrong_node_is_found_out() -> None:
    d = mixture_dual("tanh", nodes=NODES)
    slopes = (*d.mixture.slopes[:-1], d.mixture.slopes[-1] * (1 + Fraction(1, 2**30)))
    planted = compile_mixture(replace(d, mixture=replace(d.mixture, slopes=slopes)))
    gap = float(planted(1.0, 0.5, 2.0).nngp) - float(_exact(d, (1.0, 0.5, 2.0), False))
    assert abs(gap) > 4e-15


def test_the_same_input_gives_the_same_source() -> None:
    one, two = (compile_mixture(mixture_dual("silu", nodes=NODES)).sources for _ in range(2))
    assert one == two
    programs = mixture_programs(mixture_dual("silu", nodes=NODES))
    assert len(programs.pairs) == 1 and len(programs.nodes) == NODES
    head = one[1].text.split("*/")[0]
    assert "|sigmoid(x) - sum| <=" in head and "E[s(u) s(v)]" in head


# -- networks --------------------------------------------------------------------------------------


def with_mixtures(net: Network, nodes: int = NODES) -> Network:
    """The network with a mixture for every activation of the logistic family."""
    blocks = tuple(
        (replace(n, dual=mixture_dual(n.activation, nodes=nodes)), dense)
        if n.activation.name not in ("relu", "erf", "step")
        else (n, dense)
        for n, dense in net.blocks
    )
    return replace(net, blocks=blocks)


def _data() -> np.ndarray[Any, Any]:
    x = np.random.default_rng(1).normal(size=(20, 5))
    x[7], x[8], x[9] = x[3], -x[3], x[3] * (1 + 1e-9)
    return x


@pytest.mark.parametrize("target", TARGETS)
def test_a_network_is_symmetric_with_its_diagonal(target: str) -> None:
    net = with_mixtures(ntksym.mlp("tanh", depth=3, weight_var=2, bias_var="1/10"))
    k = compile_numeric(net, target)
    x = _data()
    r = k(x)
    assert (r.ntk == r.ntk.T).all() and (r.nngp == r.nngp.T).all()
    assert (np.diag(r.ntk) == k.diag(x).ntk).all()
    assert r.nngp[3, 7] == r.nngp[3, 3]
    assert r.ntk[3, 7] == pytest.approx(r.ntk[3, 3], rel=2e-15)
    assert r.ntk[3, 9] == pytest.approx(r.ntk[3, 3], rel=1e-8)
    cross = k(x[:4], x[4:])
    assert cross.ntk == pytest.approx(r.ntk[:4, 4:], rel=1e-14)


def test_a_network_follows_the_recursion() -> None:
    """Sigma' = 2 K + 1/10, Theta' = Sigma' + 2 Kdot Theta, with the exact finite sums."""
    d = mixture_dual("tanh", nodes=NODES)
    k = compile_numeric(with_mixtures(ntksym.mlp("tanh", depth=2, weight_var=2, bias_var="1/10")))
    x = _data()[:2]
    q = [2 * float(a @ b) / 5 + 0.1 for a, b in ((x[0], x[0]), (x[0], x[1]), (x[1], x[1]))]
    theta = q[1]
    for _ in range(2):
        dot = float(_exact(d, tuple(q), True))
        values = [(q[0],) * 3, tuple(q), (q[2],) * 3]
        q = [2 * float(_exact(d, v, False)) + 0.1 for v in values]
        theta = q[1] + 2 * dot * theta
    r = k(x)
    assert r.nngp[0, 1] == pytest.approx(q[1], rel=1e-13)
    assert r.ntk[0, 1] == pytest.approx(theta, rel=1e-13)


@pytest.mark.parametrize(
    "convention",
    [
        Convention(),
        Convention.jacot(),
        Convention.neural_tangents(1.5, 0.5),
        Convention.neural_tangents(1.5, 0.0, parametrization="standard", width=64),
        Convention(trained=(True, False, True), bias_var=Rational(1, 4)),
        Convention(bias_init="zero", bias_var=Rational(1, 4)),
    ],
    ids=lambda c: c.name or str(c.trained) + c.bias_init,
)
def test_closed_forms_run_the_same_way_as_in_a_compiled_network(convention: Convention) -> None:
    """The engine of numbers, fed with closed forms, against the compiled layer rules."""
    net = ntksym.mlp(["erf", "relu"], depth=2, convention=convention)
    x = _data()
    one, two = compile_numeric(net), ntksym.compile(net)
    assert one(x).nngp == pytest.approx(two(x).nngp, rel=1e-13, abs=1e-13)
    rows = [0, 1, 2, 4, 5, 6]  # the compiled layers carry the root of near-duplicates on
    assert one(x[rows]).ntk == pytest.approx(two(x[rows]).ntk, rel=1e-12)
    third = compile_numeric(net, "numpy")
    assert third(x[rows]).ntk == pytest.approx(one(x[rows]).ntk, rel=1e-12)
    assert third(x).ntk == pytest.approx(one(x).ntk, rel=1e-6)
    assert one.diag(x).ntk == pytest.approx(two.diag(x).ntk, rel=1e-13)


def test_methods_mix_and_parameters_have_values() -> None:
    net = with_mixtures(ntksym.mlp(["relu", "silu", "erf"], depth=3, weight_var=2))
    r = compile_numeric(net, threads=2)(_data())
    assert np.isfinite(r.ntk).all()
    named = ntksym.mlp("x*sigmoid(beta*x)", depth=1, params={"beta": "3/2"})
    fixed = ntksym.mlp("x*sigmoid(3*x/2)", depth=1)
    one, two = (compile_numeric(with_mixtures(n))(_data()) for n in (named, fixed))
    assert one.ntk == pytest.approx(two.ntk, rel=1e-13)
    with pytest.raises(BadSpec, match="'beta' has no value"):
        plan(with_mixtures(ntksym.mlp("x*sigmoid(beta*x)", depth=1)))


def test_the_source_of_a_network_says_what_is_proven() -> None:
    (support, source), _ = network_sources(with_mixtures(ntksym.mlp("tanh", depth=2)))
    assert support.name == "ntksym.h" and source.name == "network.c"
    assert "|tanh(z/2) - sum| <=" in source.text.split("*/")[0]
    assert source.text.count("dual0_block(size_t") == 1  # two layers, one dual


def test_a_recursion_shows_the_named_dual() -> None:
    net = with_mixtures(ntksym.mlp("tanh", depth=2))
    text = ntksym.recurse(net)._repr_latex_()
    assert r"K_{\tanh{\left(x \right)}}" in text and r"\dot K_{" in text


def test_compile_takes_what_has_a_mixture() -> None:
    net = with_mixtures(ntksym.mlp("tanh", depth=1))
    assert needs_numeric(net) and needs_numeric(ntksym.recurse(net)) and needs_numeric("silu")
    assert not needs_numeric("relu") and not needs_numeric(ntksym.mlp("relu"))
    x = _data()
    one, two = (compile_any(n, "c", "float64", True, 1) for n in (net, ntksym.recurse(net)))
    assert (one(x).ntk == two(x).ntk).all()
    k = compile_any(mixture_dual("silu", nodes=NODES), "numpy", "float64", True, 1)
    assert k.target == "numpy" and np.isfinite(k(1.0, 0.5, 1.0).nngp)
