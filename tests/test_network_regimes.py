"""Deep networks from rows, against the recursion in ball arithmetic: what used to lose digits.

Planted: a kernel that is off, NaN, and a matrix that is not symmetric are found.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx

BENCH = Path(__file__).resolve().parents[1] / "codegen" / "bench"
sys.path.insert(0, str(BENCH))
import network_regimes as regimes  # noqa: E402
from network_references import Chain  # noqa: E402
from network_report import report  # noqa: E402
from network_rows import rows  # noqa: E402

from ntksym.activations import named  # noqa: E402
from ntksym.language.define import parse_activation  # noqa: E402
from ntksym.network import Convention, mlp, recurse  # noqa: E402
from ntksym.runtime import compile as compile_  # noqa: E402

TARGETS = ("c", "numpy")


def worst(name: str, regime: str, depth: int, target: str, bias: str = "0") -> regimes.Worst:
    act = named(name)
    weight = regimes.gain(act)
    net = regimes.network(act, depth, weight, bias)
    data = rows(regime, 5, "float64")
    known = regimes.References(Chain(recurse(net)), *data, (depth,), 60.0)
    seen = regimes.Worst(target, "float64", depth, regime)
    record = regimes.Record(name, weight, bias, 5, 0.0)
    regimes.compare(compile_(net, target), known, seen, record)
    assert seen.checked >= 3 and not record.not_symmetric and not record.wrong_diagonal
    return seen


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    ("name", "regime", "depth", "bias", "most"),
    [
        ("relu", "near 1e-8", 20, "1/10", 1e-14),
        # kinks appear as the variance grows, and the angle shrank for ten layers before
        ("gelu", "near 1e-6", 100, "1/10", 3e-14),
        ("sin", "near 1e-6", 100, "1/10", 1e-10),  # the angle shrinks first, and then grows
        ("sin", "opposite", 100, "0", 1e-10),  # mirrored
        ("gelu", "unlike", 20, "0", 2.5e-14),  # four nodes left 6e-14 where norms are unlike
        ("abs", "random", 100, "0", 1e-14),  # small angles from cosines lost 1e-13 of the NTK
        ("hardtanh", "mixed", 3, "0", 1e-14),  # E[s'(u)^2] at large variances
    ],
)
def test_deep_networks_keep_the_digits(
    name: str, regime: str, depth: int, bias: str, most: float, target: str
) -> None:
    seen = worst(name, regime, depth, target, bias)
    assert not seen.bad and seen.worst <= most, seen


def test_layers_of_many_kinds() -> None:
    """Activations, variances and biases of their own in every layer, standard parametrisation."""
    depth, acts = 10, ("relu", "erf", "sin")
    net = mlp(
        [acts[k % 3] for k in range(depth)],
        depth,
        weight_var=[("2", "43/20", "3/2")[k % 3] for k in range(depth + 1)],
        bias_var=[("0", "1/10")[k % 2] for k in range(depth + 1)],
        width=512,
        convention=Convention(parametrization="standard"),
    )
    chain, kernel = Chain(recurse(net)), compile_(net, "c", threads=1)
    record = regimes.Record("many", "", "", 3, 0.0)
    for regime in ("random", "near 1e-6", "opposite", "unlike"):
        known = regimes.References(chain, *rows(regime, 3, "float64"), (depth,), 60.0)
        seen = regimes.Worst("c", "float64", depth, regime)
        regimes.compare(kernel, known, seen, record)
        assert seen.checked == 3 and not seen.bad and seen.worst < 4e-15, seen
    assert not record.not_symmetric and not record.wrong_diagonal
    x = np.concatenate(rows("near 1e-6", 130, "float64"))
    for n in (0, 1, 5, 257):
        one = kernel(x[:n])
        for threads in (2, 64):
            many = compile_(net, "c", threads=threads)(x[:n])
            assert np.array_equal(one.nngp, many.nngp) and np.array_equal(one.ntk, many.ntk)
    across, back = kernel(x, x[:9]), kernel(x[:9], x)
    for a, b, own in zip(across, back, kernel.diag(x), strict=True):  # the last bits may differ
        assert (abs(a - b.T) <= 4e-15 * np.sqrt(np.outer(own, own[:9]))).all()


def test_floats_in_deep_networks() -> None:
    """A hundred layers of floats lost 2e-6: NumPy takes doubles there."""
    leaky = next(iter(regimes.kernels(["leaky_relu"]))).exact
    net = regimes.network(leaky, 100, regimes.gain(leaky), "1/10")
    x, y = rows("orthogonal", 12, "float32")
    both = np.concatenate([x, y])
    floats, doubles = (compile_(net, "numpy", d)(both) for d in ("float32", "float64"))
    for a, b in ((floats.nngp, doubles.nngp), (floats.ntk, doubles.ntk)):
        size = np.sqrt(np.outer(np.diag(b), np.diag(b)))
        assert (abs(a - b) / size).max() < 1e-6


@pytest.mark.parametrize("target", TARGETS)
def test_a_bias_that_swamps_the_kernel(target: str) -> None:
    """Kernels of 1e-29 beside a bias of 1/10 make angles of 1e-14, which double in every layer."""
    gabor = next(iter(regimes.kernels(["gabor"]))).exact
    net = regimes.network(gabor, 60, regimes.gain(gabor), "1/10")
    x, y = rows("scales", 3, "float64")
    known = regimes.References(Chain(recurse(net), 1e30), x[1:2], y[1:2], (60,), 60.0)
    assert np.linalg.norm(x[1]) > 1e29 and float(known.found[0][60].nngp.mid()) < 0.5
    seen = regimes.Worst(target, "float64", 60, "scales")
    regimes.compare(compile_(net, target), known, seen, regimes.Record("gabor", "", "", 1, 0.0))
    assert seen.checked == 1 and seen.nngp < 4e-15 and seen.ntk < 4e-14, seen


@pytest.mark.parametrize("target", TARGETS)
def test_rows_of_zeros_beside_large_ones(target: str) -> None:
    """exp(q/2) Phi(-sqrt(q)) with an exponent rounded once was off by q/2 units."""
    net = mlp(parse_activation("exp(-abs(x))"), 1, weight_var="1")
    kernel = compile_(net, target)
    for small in (0.0, 1e-170, 1e-100, 1e-20):  # the square of the second is 0
        for large in (1e3, 1.7e4):
            with ctx.workprec(200):
                half = arb(large) ** 2 / 2
                mean = half.exp() * half.sqrt().erfc()
                found = arb(float(kernel(np.array([[small]]), np.array([[large]])).nngp[0, 0]))
                assert abs(float((found - mean) / mean)) < 1e-16 * large


@pytest.mark.parametrize("target", TARGETS)
def test_rows_as_large_as_1e150(target: str) -> None:
    """q^2/(q + 1) overflowed on the diagonal of GELU where the kernel does not."""
    for name in ("gelu", "hardswish"):
        net = regimes.network(named(name), 3, "2", "0")
        x = np.ones((2, 3)) * np.array([[1e-145], [1e145]])
        found = compile_(net, target).diag(x)
        assert np.isfinite(found.ntk).all() and (found.nngp > 0).all()
        ratio = found.ntk[1] / found.nngp[1]
        assert ratio == pytest.approx(4.0, abs=1e-13)  # as ReLU: each layer adds one


def test_tiny_rows_where_an_exponential_and_a_constant_cancel() -> None:
    """1/2 - exp(-2 q)/2 apart, beside other terms, was 0 for q below eps."""
    kernel = compile_(mlp(parse_activation("max(x, 0) + sin(x)"), 1, weight_var="1"), "numpy")
    for size in (1e-145, 1e-9, 1e-4):
        q = size * size
        exact = 2.5 * q - 1.5 * q * q  # q/2 + q (1 - q/2) + q - q^2
        assert kernel.diag(np.array([[size]])).nngp[0] == pytest.approx(exact, rel=1e-15, abs=0.0)


def test_planted_errors_are_found() -> None:
    act = named("relu")
    net = regimes.network(act, 3, "2", "0")
    data = rows("random", 3, "float64")
    known = regimes.References(Chain(recurse(net)), *data, (3,), 60.0)
    right = compile_(net, "numpy")

    class Wrong:
        def __call__(self, *rows: Any) -> Any:
            found = right(*rows)
            found.ntk[0] *= 1 + 1e-9
            found.nngp[1] = np.nan
            return found

        diag = right.diag

    seen = regimes.Worst("numpy", "float64", 3, "random")
    record = regimes.Record("relu", "2", "0", 3, 0.0)
    regimes.compare(Wrong(), known, seen, record)
    assert (
        seen.own >= seen.ntk > 1e-10 and seen.bad and record.not_symmetric and record.wrong_diagonal
    )
    page = report([record])
    assert page.count("1 networks, 0 comparisons") == 1 and "not exactly symmetric: 2" in page
