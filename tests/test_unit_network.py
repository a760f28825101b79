"""Duals as units of code: C and NumPy files that stand alone, ranges of variances, kernels on data.

What could be wrong: a layer that calls the wrong unit, a range that is too narrow (NaN in a valid
kernel), a unit used outside its range (a wrong number), files that need something beside them.

The units with a range are made here, from closed forms: what is tested is everything around them.
"""

from __future__ import annotations

import ctypes
import json
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from unit_cases import NEAR_ROWS, TABLES, ErringUnit, RangeUnit, data, library, load, vectors

import ntksym
from ntksym.backends import Contract
from ntksym.backends.c.backend import support_file
from ntksym.backends.c.network import units as c_unit_network
from ntksym.backends.numpy import unit_network as numpy_unit_network
from ntksym.backends.point_unit import PointUnit
from ntksym.backends.units import unit_of
from ntksym.errors import BadData, BadSpec, Undecided
from ntksym.numeric import rules as rules_module
from ntksym.numeric.choose import choose
from ntksym.numeric.mixture_build import mixture_dual
from ntksym.runtime.units import layers
from ntksym.runtime.units.layers import Wanted, first_range, needs_range, plan
from ntksym.runtime.units.network import compile_any, network_sources
from ntksym.runtime.units.ranged import RangedDual, RangedKernel, outward
from ntksym.runtime.units.rule_store import _kept, kept
from ntksym.verify.balls import enclose_definition


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Tables that are closed forms in a range; the list of what was built."""
    seen: list[tuple[str, float, float]] = []

    def make(activation: Any, variances: Any, error: float) -> Any:
        low, high = (float(v) for v in variances)
        if high > 1e6:
            raise Undecided("the range is too wide", hint="a narrower one")
        seen.append((activation.name, low, high))
        inner = RangeUnit(activation, unit_of(ntksym.dual(activation)), low, high)
        return PointUnit(inner, low) if low == high else inner

    rule = rules_module.Rule("tabulated", "3 ns", make)
    monkeypatch.setitem(rules_module.RULES, "tabulated", rule)
    _kept.cache_clear()
    yield seen
    _kept.cache_clear()


# -- units -----------------------------------------------------------------------------------------

POINTS = ((1.0, 0.5, 2.0), (9.0, -4.0, 2.5), (0.01, 0.005, 4.0), (1.0, 1.0, 1.0), (1.0, -1.0, 1.0))


@pytest.mark.parametrize("name", ["gelu", "silu"])
def test_a_unit_alone_agrees_with_enclosures(name: str, tmp_path: Path) -> None:
    found = ntksym.dual(name) if name == "gelu" else mixture_dual(name)
    unit, contract = unit_of(found), Contract("test", ("a dual",))
    module = load(numpy_unit_network.dual_file(name, unit, contract), tmp_path)
    files = (support_file(), c_unit_network.dual_file(name, unit, contract))
    lib = library(files, tmp_path, name)
    q11, q12, q22 = (np.array(z) for z in zip(*POINTS, strict=True))
    n = len(POINTS)
    k, d, k2, d2 = (np.empty(n) for _ in range(4))
    getattr(lib, f"ntksym_{name}")(ctypes.c_size_t(n), *vectors(q11, q12, q22, k, d))
    getattr(lib, f"ntksym_{name}_diag")(ctypes.c_size_t(n), *vectors(q11, k2, d2))
    seen = module.dual(q11, q12, q22)
    own = module.diagonal(q11)
    for i, point in enumerate(POINTS):
        exact = tuple(Fraction(z) for z in point)
        for slope, values in ((False, (k, seen[0])), (True, (d, seen[1]))):
            ball = enclose_definition(
                found.activation, *exact, derivative=slope, digits=17, floor=25
            )
            for value in values:
                assert float(value[i]) == pytest.approx(float(ball.mid), rel=2e-14, abs=2e-15)
    assert k2 == pytest.approx(own[0], rel=1e-14) and d2 == pytest.approx(own[1], rel=1e-14)
    assert np.isnan(module.dual(np.nan, 0.1, 1.0)[0])


def test_parameters_are_numbers_in_a_unit() -> None:
    dual = ntksym.dual("max(x, alpha*x)")
    with pytest.raises(BadSpec, match="'alpha' has no value"):
        unit_of(dual)
    text = unit_of(dual, {"alpha": 0.25}).c_functions("dual")
    assert "0x1.0000000000000p-2" in text or "0x1p-2" in text
    with pytest.raises(BadSpec, match="needs the variances it is for"):
        unit_of(choose("mish").dual)


# -- networks --------------------------------------------------------------------------------------


def test_the_files_of_a_network_stand_alone_and_agree(tmp_path: Path) -> None:
    """C and NumPy of a mixture beside a closed form, against the compiled kernel and each other."""
    net = ntksym.mlp(["tanh", "relu"], depth=2, weight_var=2, bias_var="1/10")
    blocks = tuple(
        (replace(n, dual=mixture_dual("tanh", nodes=5)) if n.activation.name == "tanh" else n, d)
        for n, d in net.blocks
    )
    net = replace(net, blocks=blocks)
    x, y = data(), data(3)
    (support, source), _ = network_sources(net, "two")
    (alone,), _ = network_sources(net, "two", target="numpy")
    assert "import" not in alone.text.split('"""', 2)[2].replace("import numpy as np", "")
    module = load(alone, tmp_path)
    nngp, ntk = module.kernel(x, y)
    lib = library((support, source), tmp_path, "two")
    k, t = np.empty((6, 3)), np.empty((6, 3))
    sizes = [ctypes.c_size_t(z) for z in (6, 3, 4)]
    assert lib.ntksym_two(*sizes, *vectors(x, y, k, t)) == 0
    assert nngp == pytest.approx(k, rel=1e-13) and ntk == pytest.approx(t, rel=1e-13)
    run = compile_any(net, "c", "float64", True, 1)(x, y)
    assert run.ntk == pytest.approx(t, rel=1e-13)
    own = module.kernel(x)
    assert (own[1] == own[1].T).all()


def test_equal_layers_share_a_unit_and_other_parameters_do_not() -> None:
    net = ntksym.mlp("x*sigmoid(beta*x)", depth=3, params={"beta": 2})
    assert len(plan(net).schedule.kinds) == 1
    blocks = list(net.blocks)
    n, dense = blocks[1]
    blocks[1] = (replace(n, values=(("beta", ntksym.parse("3")),)), dense)
    made = plan(replace(net, blocks=tuple(blocks))).schedule
    assert [s.kind for s in made.steps] == [0, 1, 0]


# -- ranges ----------------------------------------------------------------------------------------


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Layers that ask for their own ranges."""
    monkeypatch.setattr(layers, "common_range", lambda steps, span: span)


def test_ranges_follow_the_layers(built: Any, apart: None) -> None:
    """Every layer gets a range that holds its variances, and not a much larger one."""
    net = ntksym.mlp("sin", depth=3, weight_var=3, bias_var="1/10")
    span = first_range(net, 0.5, 2.0)
    assert span == pytest.approx((1.6, 6.1))
    plan(net, TABLES, span)
    assert built[0] == ("sin", *span)
    q = np.linspace(*span, 50)
    for _, low, high in built[1:]:
        q = 3 * (1 - np.exp(-2 * q)) / 2 + 0.1
        assert low <= q.min() and q.max() <= high
        assert high / low < 1.1 * q.max() / q.min() + 0.05


def test_a_diagonal_map_that_falls_is_bounded_too(built: Any, apart: None) -> None:
    net = ntksym.mlp("cos", depth=2)
    plan(net, TABLES, (0.5, 3.0))
    q = (1 + np.exp(-2 * np.array([0.5, 3.0]))) / 2
    _, low, high = built[1]
    assert low <= q[1] and q[0] <= high and high - low < 0.2


def test_one_variance_stays_one(built: Any) -> None:
    net = ntksym.mlp("sin", depth=4)
    plan(net, TABLES, (1.0, 1.0))
    assert len(built) == 4
    assert all(high / low - 1 < 1e-10 for _, low, high in built)


def test_deep_layers_share_a_table_at_the_fixed_point(built: Any) -> None:
    net = ntksym.mlp("erf", depth=200, weight_var=2)
    made = plan(net, TABLES, (0.8, 1.2)).schedule
    assert len(made.kinds) == len(built) < 60 and len(made.steps) == 200


def test_closed_forms_keep_their_unit_where_tables_stand_beside(built: Any) -> None:
    net = ntksym.mlp(["relu", "mish"], depth=2)
    assert needs_range(net, Wanted()) and not needs_range(ntksym.mlp("tanh"), Wanted())
    with pytest.raises(BadSpec, match="needs the variances it is for"):
        plan(net)


# -- kernels on data -------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["c", "numpy"])
def test_a_kernel_is_made_for_the_data(target: str, built: Any) -> None:
    net = ntksym.mlp("sin", depth=2, weight_var=2, bias_var="1/10")
    k = compile_any(net, target, "float64", True, 1, method="tabulated")
    assert isinstance(k, RangedKernel) and not built and k.sources == ()
    plain = ntksym.compile(net, target=target)
    assert (k.taken, k.bound) == ("no call yet", 0.0)
    assert (plain.taken, plain.bound) == ("layers", 0.0)
    x = data()
    assert k(x).ntk == pytest.approx(plain(x).ntk, rel=1e-12)
    count = len(built)
    assert k(x * 1.01, x).ntk == pytest.approx(plain(x * 1.01, x).ntk, rel=1e-12)
    assert k.diag(x).ntk == pytest.approx(plain.diag(x).ntk, rel=1e-12)
    assert len(built) == count  # one range for data of one kind
    wide = x * np.array([[1e-2], [1], [1], [1], [1], [10]])
    assert k(wide).nngp == pytest.approx(plain(wide).nngp, rel=1e-12)
    assert len(built) > count and k.sources
    assert re.fullmatch(r"layers, made for variances [\d.e-]+ to [\d.]+", k.taken)
    for row in wide:  # one row alone has one variance: no reason for a table of its own
        k(row[None, :])
    assert len(built) == count + 1


def test_normalised_data_have_one_variance(built: Any) -> None:
    net = ntksym.mlp("sin", depth=2, weight_var=2)
    k, plain = compile_any(net, "c", "float64", True, 1, method="tabulated"), ntksym.compile(net)
    x = data()
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    assert k(x).ntk == pytest.approx(plain(x).ntk, rel=1e-12)
    assert len(built) == 2 and all(high / low - 1 < 1e-9 for _, low, high in built)
    assert k.taken == "layers, made for the variance 0.5"
    for scale in (1.1, 1.2, 1.3, 1.15):  # then a range that holds them all
        assert k(scale * x).ntk == pytest.approx(plain(scale * x).ntk, rel=1e-12)
    count = len(built)
    for scale in (1.0, 1.25, 1.15):
        k(scale * x)
    assert len(built) == count


@pytest.mark.parametrize("target", ["c", "numpy"])
@pytest.mark.parametrize("error", [1e-9, -1e-9])
def test_near_rows_in_units_that_err(
    target: str, error: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A covariance that the error of a layer puts above the variances is no reason for NaN.

    Values within the errors of the layers all the same; NaN where there is a reason.
    """

    def make(activation: Any, variances: Any, _: float) -> Any:
        low, high = (float(v) for v in variances)
        unit = RangeUnit(activation, unit_of(ntksym.dual(activation)), low, high)
        return ErringUnit(unit, error)

    rule = rules_module.Rule("tabulated", "3 ns", make)
    monkeypatch.setitem(rules_module.RULES, "tabulated", rule)
    _kept.cache_clear()
    net = ntksym.mlp("sin", depth=4, weight_var=2, bias_var="1/10")
    x = np.repeat(data(6, 4), 4, axis=0)
    x[1::2] = x[::2] + NEAR_ROWS[:, None] * np.random.default_rng(1).normal(size=(12, 4))
    x = np.vstack([x, x[:1], -x[:1]])
    k = compile_any(net, target, "float64", True, 1, method="tabulated")
    out, exact = k(x), ntksym.compile(net, target=target)(x)
    for name in ("nngp", "ntk"):
        found, true = getattr(out, name), getattr(exact, name)
        size = np.sqrt(np.outer(np.diag(true), np.diag(true)))
        assert (np.abs(found - true) <= 1e-7 * size).all(), name
    beyond = k.gram(np.array([[2**0.5, 1.6]]), np.ones(1), np.array([2.0, 2.0]), d=1).nngp
    assert abs(beyond[0, 0] - beyond[0, 1]) <= 1e-15 < beyond[0, 0]
    _kept.cache_clear()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_near_and_equal_rows_in_tables(dtype: str) -> None:
    """A table of variances in a range: C and NumPy, neighbours at 1e-7 and equal rows."""
    net = ntksym.mlp("mish", depth=2, weight_var=2, bias_var="1/10")
    x = data(5, 4)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    x *= np.array([[1.5], [1.5], [1.55], [1.6], [1.45]])
    x[1], x[3] = x[0] + 1e-7 * x[4], x[2]
    x = x.astype(dtype)
    for target in ("c", "numpy"):
        k = ntksym.compile(net, target=target, dtype=dtype)
        out, own = k(x), k.diag(x)
        for name in ("nngp", "ntk"):
            found, ends = getattr(out, name), getattr(own, name)
            assert np.isfinite(found).all()
            assert found[2, 3] == found[3, 2] == ends[2] == ends[3]
            assert abs(found[0, 1] - ends[0]) < 1e-6 * ends[0]


def test_rows_without_a_variance(built: Any) -> None:
    x = data()
    x[2] = 0
    net = ntksym.mlp("cos", depth=1)  # s(0) = 1: the mean of s(v)
    k = compile_any(net, "numpy", "float64", True, 1, method="tabulated")
    assert k(x).ntk == pytest.approx(ntksym.compile(net)(x).ntk, abs=1e-9)
    for target in ("c", "numpy"):  # s(0) = 0: the kernels are zero there
        net = ntksym.mlp("sin", depth=2)
        k = compile_any(net, target, "float64", True, 1, method="tabulated")
        assert k(x).ntk == pytest.approx(ntksym.compile(net)(x).ntk, rel=1e-13)
        assert (k(x).ntk[2] == 0).all() and k.diag(x).nngp[2] == 0
    x[2] = np.nan
    out = k(x).ntk
    assert np.isnan(out[2]).all() and np.isfinite(np.delete(np.delete(out, 2, 0), 2, 1)).all()


def test_data_outside_a_given_range(built: Any) -> None:
    net = ntksym.mlp("sin", depth=1)
    k = compile_any(net, "c", "float64", True, 1, method="tabulated", variances=(0.5, 2))
    x = data()
    x *= np.sqrt(4 / (x * x).sum(axis=1, keepdims=True))
    assert np.isfinite(k(x).ntk).all()
    with pytest.raises(BadData, match=r"a variance of 4 is outside 0\.5 to 2"):
        k(2 * x)
    assert len(built) == 1


def test_what_cannot_be_proven_is_an_error_at_the_call(built: Any) -> None:
    k = compile_any(ntksym.mlp("sin", depth=1), "numpy", "float64", True, 1, method="tabulated")
    with pytest.raises(Undecided, match="the range is too wide"):
        k(data() * np.array([[1], [1], [1], [1], [1], [1e6]]))


def test_a_dual_is_made_for_its_variances(built: Any) -> None:
    d = compile_any("sin", "c", "float64", True, 1, method="tabulated")
    assert isinstance(d, RangedDual)
    plain = ntksym.compile("sin")
    q = np.array([0.5, 1.0, 2.0])
    assert d(q, 0.3, 1.0).dot == pytest.approx(plain(q, 0.3, 1.0).dot, rel=1e-13)
    assert d.diag(q).nngp == pytest.approx(plain.diag(q).nngp, rel=1e-13)
    assert len(built) == 1
    with pytest.raises(BadSpec, match="'a' has no value"):
        compile_any("sin(a*x)", "c", "float64", True, 1, method="tabulated")


def test_ranges_are_rounded_outward() -> None:
    low, high = outward(0.7, 3.1)
    assert low <= 0.7 and high >= 3.1 and high / low < 2 * 3.1 / 0.7
    assert outward(1.0, 1.0 + 1e-13) == (1.0, 1.0)


def test_a_table_is_kept_as_data_and_so_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The second process reads what the first one built, if nothing was touched in between."""
    monkeypatch.setenv("NTKSYM_CACHE", str(tmp_path / "cache"))
    made: list[float] = []

    class Data:
        def __init__(self, error: float) -> None:
            self.error = error

        def to_json(self) -> dict[str, float]:
            return {"error": self.error}

    def make(activation: Any, variances: Any, error: float) -> Data:
        made.append(error)
        if error < 1e-12:
            raise Undecided("the bound 1e-12 was proven", hint="a larger error")
        return Data(error)

    def reader() -> Any:
        return lambda text: Data(json.loads(text)["error"])

    rule = rules_module.Rule("tabulated", "3 ns", make, reader)
    monkeypatch.setitem(rules_module.RULES, "tabulated", rule)
    act, span = ntksym.named("mish"), (Fraction(1), Fraction(1))
    for _ in range(2):
        _kept.cache_clear()
        assert kept(rule, act, span, 1e-6).error == 1e-6
        with pytest.raises(Undecided, match="1e-12 was proven"):
            kept(rule, act, span, 1e-13)
    assert made == [1e-6, 1e-13] and kept.known(rule, act, span, 1e-6)
    assert not kept.known(rule, act, span, 1e-7)
    for path in (tmp_path / "cache").glob("*.json"):
        path.write_bytes(b"{}")  # touched: made again
    _kept.cache_clear()
    assert kept(rule, act, span, 1e-6).error == 1e-6 and made == [1e-6, 1e-13, 1e-6]
    _kept.cache_clear()
