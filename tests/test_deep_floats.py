"""Float layers of deep networks: the gap goes from layer to layer, and errors do not add up."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from ntksym import compile, mlp, recurse
from ntksym.backends import Contract
from ntksym.backends.c.fuse import fused
from ntksym.backends.c.network import file as c_network
from ntksym.backends.c.network.steady import TURNED, carried, steady
from ntksym.lower import lower_layer, lower_network
from ntksym.lower.split import split
from ntksym.network import parse_spec

LEAKY = "max(x, x/5)"
CONTRACT = Contract("test", ("kernels",))


def spec(act: str, depth: int, weight: str, bias: str) -> str:
    return f"mlp:{act}:depth={depth},weight_var={weight},bias_var={bias}"


def rows() -> Any:
    """Float rows at all angles: equal, nearly equal, opposite, and of unlike norms."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((90, 40))
    for i in range(10, 90):
        a, b = x[i % 10], rng.standard_normal(40)
        b -= a * (a @ b) / (a @ a)
        b *= np.linalg.norm(a) / np.linalg.norm(b)
        angle = np.pi * rng.uniform() if i % 2 else 10.0 ** rng.uniform(-6, 0)
        x[i] = (np.cos(angle) * a + np.sin(angle) * b) * (3.0 if i % 7 == 0 else 1.0)
    x[20], x[30] = x[0], -x[1]
    return x.astype(np.float32)


@pytest.mark.parametrize(
    "act, depth, weight, bias",
    [
        ("relu", 20, "2", "0.01"),
        ("relu", 100, "2", "0"),
        ("abs", 20, "1", "0.01"),
        (LEAKY, 100, "1.9", "0.02"),
    ],
)
def test_deep_floats_are_accurate(act: str, depth: int, weight: str, bias: str) -> None:
    x, text = rows(), spec(act, depth, weight, bias)
    single = compile(text, dtype="float32", cache=False, threads=1, collapse=False)
    got = single(x)
    exact = compile(text, target="numpy", cache=False, collapse=False)(x.astype(float))
    for name in ("nngp", "ntk"):
        a, b = getattr(got, name), getattr(exact, name)
        scale = np.sqrt(np.diag(b)[:, None] * np.diag(b))
        assert (np.abs(a - b) / scale).max() < 1e-6
        assert (a == a.T).all()
        assert (np.diag(a) == getattr(single.diag(x), name)).all()
    assert single._engine._single is not None  # floats it was


def layers_only(text: str) -> float:
    """The largest error of the NTK when both types are given the same inner products."""
    kernel = compile(text, dtype="float32", cache=False, threads=1, collapse=False)
    engine = kernel._engine
    squares = np.full(64, 16.0)
    first = engine.first(16)
    levels, own = engine.diag(squares, first)
    g = 16 * np.cos(np.random.default_rng(1).uniform(0.23, np.pi, (64, 64)))
    g = np.ascontiguousarray(g.astype(np.float32))
    exact = [np.empty(g.shape) for _ in range(2)]
    engine.tile(g.astype(float), levels, levels, first, *exact)
    stem = "ntksym_" + engine.sources[-1].name.removesuffix(".c")
    run = getattr(engine._library, stem + "_tile_f32")
    from ntksym.runtime.engines import array_size, pointer

    half, given = levels.astype(np.float32), np.array(first)
    found = [np.empty(g.shape, np.float32) for _ in range(2)]
    sizes = [array_size(n) for n in (64, 64)]
    line = array_size(64)
    run.restype = None
    run(*sizes, pointer(g), line, pointer(half), line, pointer(half), line, pointer(given),
        pointer(found[0]), pointer(found[1]), line)  # fmt: skip
    return float((np.abs(found[1] - exact[1]) / own[0]).max())


def test_errors_do_not_grow_with_depth() -> None:
    shallow, deep = (layers_only(spec("relu", n, "2", "0")) for n in (5, 100))
    assert deep < 4e-7 and deep < 3 * shallow


def test_where_the_gap_is_carried() -> None:
    def whether(text: str) -> bool:
        return c_network.from_gap(lower_network(recurse(parse_spec(text))))

    assert whether(spec("relu", 3, "2", "0")) and whether(spec("abs", 3, "1", "0"))
    assert not whether(spec("erf", 3, "2", "0.01"))  # its root is formed from the covariance
    mixed = recurse(mlp("relu", depth=1)), recurse(mlp("abs", depth=1))
    first, second = (lower_network(r) for r in mixed)
    one = dataclasses.replace(first, kinds=first.kinds + second.kinds)
    assert not c_network.from_gap(one)  # the gap of q12 and that of |q12|


def test_angles_in_half_turns_are_the_same_numbers() -> None:
    for act in ("relu", LEAKY, "erf"):
        p = split(lower_layer(recurse(mlp(act, depth=1)).layers[0])).pair
        form = steady(p, gap=False)
        assert {let.op for let in form.body} & set(TURNED.values())
        assert not {let.op for let in form.body} & set(TURNED)
        assert [label for label, _ in form.outputs] == [label for label, _ in p.outputs]
    assert carried(p) is None  # erf


def test_constants_of_relu_are_exact() -> None:
    schedule = lower_network(recurse(parse_spec(spec("relu", 20, "2", "0"))))
    p = split(schedule.kinds[0].pair).pair
    lane = fused(p, steady(p, gap=True))
    values = {let.name: let for let in lane.numbers.body}
    from ntksym.backends._base import constant_values

    used = {a for let in lane.body if let.name not in values for a in let.args if a in values}
    found = constant_values(lane.numbers)
    assert used and all(found[str(a)] == 0.5 for a in used)  # w/(2 pi) times pi


def test_only_what_is_asked_is_generated() -> None:
    schedule = lower_network(recurse(parse_spec(spec("gelu", 2, "2", "0.1"))))
    both = c_network.network_file(schedule, CONTRACT).text
    doubles = dataclasses.replace(schedule, floats=False)
    text = c_network.network_file(doubles, CONTRACT).text
    assert "_tile_f32(" in both and "_f32" not in text and len(text) < 0.8 * len(both)
