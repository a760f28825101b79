"""Kernels with other numbers: the same code, to the bit what is compiled for them, at once."""

from __future__ import annotations

import gc
import pickle
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import ntksym
from ntksym.errors import BadSpec
from ntksym.network import Network, parse_spec
from ntksym.runtime.library import compiler
from ntksym.runtime.library.instances import _instances

LEAKY = "mlp:leaky_relu:depth=2,alpha=0.1,bias_var=0.2"
"""Compiled in C: code with its numbers, and without."""
SPECS = ("mlp:relu:depth=3", "mlp:gelu:depth=2,bias_var=1", LEAKY)
NUMBERS: tuple[dict[str, Any], ...] = (
    {"weight_var": 1.7, "bias_var": "1/10"},
    {"weight_var": 2.5},
    {"bias_var": 0},
    {"weight_var": (0.5, 2, 2, 2), "bias_var": 0.3},
)


def rows() -> Any:
    """Rows, some nearly parallel and opposite."""
    x = np.random.default_rng(1).standard_normal((9, 4))
    x[1], x[2], x[3] = x[0] * (1 + 1e-9), -x[0], x[0] + 1e-6 * x[4]
    return x


def values(k: Any, x: Any) -> tuple[Any, ...]:
    """Everything that a kernel gives, without slopes."""
    return (*k(x), *k(x, x[:3]), *k.diag(x), *k.gram(x @ x.T, (x * x).sum(1), (x * x).sum(1), 4))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_bits_are_those_of_the_network_that_has_the_numbers(dtype: str) -> None:
    x = rows()
    for spec in SPECS[dtype == "float32" :: 2]:
        net = parse_spec(spec)
        k = ntksym.compile(net, "numpy", dtype)
        for given in NUMBERS:
            many = given.get("weight_var")
            numbers = given | (
                {"weight_var": many[-net.depth - 1 :]} if type(many) is tuple else {}
            )
            one, other = k.at(**numbers), ntksym.compile(net.at(**numbers), "numpy", dtype)
            for a, b in zip(values(one, x), values(other, x), strict=True):
                assert a.dtype == dtype and np.array_equal(a, b), (spec, numbers)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_bits_in_c_are_those_of_code_that_has_the_numbers(dtype: str) -> None:
    x, k = rows(), ntksym.compile(LEAKY, dtype=dtype)
    for a, b in zip(values(k.at(weight_var=1), x), values(k, x), strict=True):
        assert a.dtype == dtype and np.array_equal(a, b)
    numpy = ntksym.compile(LEAKY, "numpy")
    for numbers in (NUMBERS[0], {"alpha": 0.7, "weight_var": (3, 1, 2)}):
        pairs = zip(values(k.at(**numbers), x), values(numpy.at(**numbers), x), strict=True)
        for a, b in pairs:
            assert np.abs(a - b).max() < (1e-14 if dtype == "float64" else 1e-6) * np.abs(b).max()


def test_kernels_of_unlike_numbers_run_at_the_same_time() -> None:
    x = rows()
    k = ntksym.compile(LEAKY)
    numbers = [1 + n / 7 for n in range(12)]
    alone = [k.at(weight_var=w)(x).ntk for w in numbers]
    made = [k.at(weight_var=w) for w in numbers]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda one: one(x).ntk, made * 3))
    assert all(np.array_equal(a, b) for a, b in zip(found, alone * 3, strict=True))
    again = pickle.loads(pickle.dumps(made))
    assert all(np.array_equal(one(x).ntk, b) for one, b in zip(again, alone, strict=True))


def test_instances_are_taken_again() -> None:
    """An optimiser loads no more libraries than it has kernels at a time."""
    k, x = ntksym.compile(LEAKY), rows()
    sizes = set()
    for n in range(6):
        one = k.at(weight_var=1 + n)
        one(x)
        held = _instances[one.sources, True]
        del one
        gc.collect()
        sizes.add(len(held._free))
    assert len(sizes) == 1


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_gradients_are_the_slopes_of_kernels_beside(target: str) -> None:
    x, h = rows()[3:], 1e-4
    k = ntksym.compile(LEAKY, target)
    middle = {"weight_var": 1.5, "bias_var": 0.3, "alpha": 0.25}
    slopes = k.at(**middle).gradient(x)
    for name, value in middle.items():
        above, below = (k.at(**{**middle, name: value + s * h}) for s in (1, -1))
        for label in ("nngp", "ntk"):
            found = (getattr(above(x), label) - getattr(below(x), label)) / (2 * h)
            given = getattr(slopes, f"d_{label}")[name]
            assert np.abs(found - given).max() < 1e-6 * np.abs(given).max(), (name, label)


def test_mixtures_in_c_are_compiled_once_for_all_variances(monkeypatch: Any) -> None:
    net = parse_spec("mlp:sigmoid:depth=2,bias_var=1/3")
    x, numbers = rows(), {"weight_var": (3, 1, 2), "bias_var": (0.25, 0.5, 0)}
    k = ntksym.compile("mlp:sigmoid:depth=2")
    one, same = k.at(weight_var=1.5, bias_var="1/3"), k.at(weight_var=1)
    for a, b in zip(values(same, x), values(k, x), strict=True):
        assert np.array_equal(a, b)
    with monkeypatch.context() as m:
        m.setattr(compiler, "output", None)
        other = k.at(**numbers)
        third = other.at(weight_var=1)
    again = pickle.loads(pickle.dumps(other))
    for made, given in ((one, {"weight_var": 1.5}), (other, numbers), (third, {})):
        asked = net.at(**{"bias_var": numbers["bias_var"]} if made is third else given)
        for a, b in zip(values(made, x), values(ntksym.compile(asked, "numpy"), x), strict=True):
            assert np.abs(a - b).max() < 1e-14 * np.abs(b).max()
    for a, b in zip(values(other, x), values(again, x), strict=True):
        assert np.array_equal(a, b)


def test_what_has_no_closed_form_is_compiled_anew() -> None:
    k = ntksym.compile("mlp:tanh:depth=1", "numpy")
    x = rows()[4:]
    assert np.array_equal(
        k.at(weight_var=2)(x).ntk, ntksym.compile("mlp:tanh:depth=1,weight_var=2", "numpy")(x).ntk
    )


def test_ranged_and_collapsed_kernels() -> None:
    ranged = ntksym.compile("mlp:mish:depth=1", "numpy").at(weight_var=2)
    assert ranged._first(4) == (0.5, 0.0)
    flat = ntksym.compile("mlp:erf:depth=1", "numpy", collapse=True).at(weight_var=2)
    assert flat._network.convention.weight_var == 2 and flat.target == "numpy"


def test_networks_with_other_numbers() -> None:
    net = parse_spec("mlp:leaky_relu:depth=2,alpha=0.1")
    assert net.at(weight_var=2, alpha="1/3") == Network(
        net.input,
        tuple((n, d) for n, d in parse_spec("mlp:leaky_relu:depth=2,alpha=1/3").blocks),
        parse_spec("mlp:relu:depth=2,weight_var=2").convention,
        net.name,
    )
    arora = ntksym.mlp("max(x, 0)", 2, convention=ntksym.Convention.arora())
    assert str(arora.at(weight_var=3).convention.input_weight_var) == "1"
    each = net.at(bias_var=(0, 1, 2))
    assert [str(d.bias_var) for _, d in each.blocks] == ["1", "2"]
    assert each.at(bias_var=0) == net.at(bias_var=0)
    kind = np.float32
    assert net.at(weight_var=np.array([0.1, 1, 2], kind)) == net.at(weight_var=("1/10", 1, 2))
    assert net.at(alpha=np.array(0.1, kind)) == net.at(alpha="1/10")


def test_numbers_that_are_no_doubles_have_no_code() -> None:
    k = ntksym.compile(LEAKY, "numpy")
    for value, nearest in ((10**400, "inf"), (Fraction(1, 10**400), "0.0")):
        with pytest.raises(BadSpec, match=f"(?s)no double.*alpha, layer 1.*{nearest}"):
            k.at(alpha=value)


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"weight": 1}, "has no number 'weight'"),
        ({"weight_var": -1}, "is negative"),
        ({"bias_var": (1, 2)}, "has 2 entries, the network needs 4"),
        ({"weight_var": "two"}, "cannot read 'two' as a number"),
        ({"weight_var": float("nan")}, "nan"),
    ],
)
def test_bad_numbers(numbers: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSpec) as caught:
        parse_spec("mlp:relu:depth=3").at(**numbers)
    assert said in str(caught.value)
