"""Recipes: the same call of `compile` derives nothing twice, and what it gives is the same."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import Dummy, Float, Function, Symbol, exp

import ntksym
from ntksym.errors import Undecided
from ntksym.runtime import fresh, later
from ntksym.runtime.deep import collapsed, collapsed_forms
from ntksym.runtime.later import Asked, Later
from ntksym.runtime.library import cache, compiler, recipes
from ntksym.runtime.library.spelled import spelled
from ntksym.symbols import x

SPEC = "mlp:relu:depth=2,weight_var=2,bias_var=1/10"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test."""
    monkeypatch.setenv("NTKSYM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(recipes, "makers", lambda: "code of this test")
    return tmp_path / "cache"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was derived, in order."""
    seen: list[Any] = []
    true = fresh.fresh

    def counted(net: Any, asked: Any) -> Any:
        seen.append(net)
        return true(net, asked)

    monkeypatch.setattr(fresh, "fresh", counted)
    return seen


def data(n: int = 9, d: int = 4) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(n, d))


def same(one: Any, two: Any, *arrays: Any) -> None:
    a, b = one(*arrays), two(*arrays)
    for name in ("nngp", "ntk") if hasattr(a, "ntk") else ("nngp", "dot"):
        assert np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("target", ["c", "numpy"])
def test_the_second_kernel_is_the_first(
    target: str, dtype: str, own: Path, made: list[Any]
) -> None:
    one, two = (ntksym.compile(SPEC, target, dtype, threads=1) for _ in range(2))
    assert made == [SPEC]
    same(one, two, data())
    for name in ("name", "target", "dtype", "threads", "sources", "bound"):
        assert getattr(one, name) == getattr(two, name)
    assert type(one) is type(two) and repr(one) == repr(two)
    assert two.sources[0].__class__ is one.sources[0].__class__
    third = copy.deepcopy(two)
    same(one, third, data())


def test_gradients_are_derived_where_they_are_asked_for(own: Path, made: list[Any]) -> None:
    one, two = (ntksym.compile(SPEC) for _ in range(2))
    a, b = one.gradient(data(3)), two.gradient(data(3))
    assert len(made) == 1 and sorted(a.d_ntk) == sorted(b.d_ntk)
    assert all(np.array_equal(a.d_ntk[k], b.d_ntk[k]) for k in a.d_ntk)


def test_deep_networks_stay_deep(own: Path, made: list[Any]) -> None:
    one, two = (ntksym.compile("mlp:relu:depth=12,weight_var=2") for _ in range(2))
    assert len(made) == 1 and repr(one) == repr(two)
    assert (one.depth, one.taken) == (two.depth, two.taken) == (12, "no call yet")
    wide = data(400, 3)
    same(one, two, wide)
    assert one.taken == two.taken and "layers" in one.taken
    flat = two._made()  # the network itself, read again
    assert flat.homogeneous


def test_objects_have_recipes_too(own: Path, made: list[Any]) -> None:
    net = ntksym.mlp("relu", depth=2, weight_var=2)
    one, two = ntksym.compile(net), ntksym.compile(ntksym.mlp("relu", depth=2, weight_var=2))
    assert len(made) == 1
    same(one, two, data())
    ntksym.compile(ntksym.mlp("relu", depth=2, weight_var=3))
    assert len(made) == 2


def test_duals_with_parameters(own: Path, made: list[Any]) -> None:
    one, two = (ntksym.compile("max(x, a*x)") for _ in range(2))
    assert len(made) == 1 and one.params == two.params == ("a",)
    k = one(1.0, 0.5, 2.0, a=0.1), two(1.0, 0.5, 2.0, a=0.1)
    assert k[0].nngp == k[1].nngp and k[0].dot == k[1].dot


def test_what_is_made_for_ranges_of_variances(own: Path, made: list[Any]) -> None:
    spec, wanted = "mlp:softsign:depth=1", {"method": "quadrature", "error": 1e-3}
    rows = data(5, 3)
    one = ntksym.compile(spec, target="numpy", **wanted)
    first = one(rows)
    two = ntksym.compile(spec, target="numpy", **wanted)
    assert len(made) == 1 and type(one) is type(two) and repr(one) == repr(two)
    from ntksym.runtime.units import network as numeric_network

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numeric_network, "kernel_at", lambda *_: pytest.fail("derived again"))
        second = two(rows)
        third = copy.deepcopy(two)(rows)
    assert np.array_equal(first.ntk, second.ntk) and np.array_equal(first.ntk, third.ntk)
    assert one.sources == two.sources


@pytest.mark.parametrize("harm", ["cut", "changed", "empty", "not JSON", "linked"])
def test_a_poisoned_recipe_is_made_again(harm: str, own: Path, made: list[Any]) -> None:
    good = ntksym.compile(SPEC, target="numpy")
    (path,) = [p for p in own.glob(f"*{cache.NOTE}") if b'"kernel"' in p.read_bytes()]
    data_of = path.read_bytes()
    if harm == "linked":
        path.rename(own / "elsewhere")
        path.symlink_to(own / "elsewhere")
    elif harm == "not JSON":
        path.unlink()
        cache.remember(path.name.removesuffix(cache.NOTE), b"{")
    else:
        bad = {"cut": data_of[:-40], "changed": data_of.replace(b"0.5", b"0.6"), "empty": b""}
        assert bad[harm] != data_of
        path.write_bytes(bad[harm])
    again = ntksym.compile(SPEC, target="numpy")
    assert len(made) == 2
    same(good, again, data())
    ntksym.compile(SPEC, target="numpy")
    assert len(made) == 2  # and it was mended


def test_a_cache_that_cannot_be_written(own: Path, made: list[Any]) -> None:
    own.write_text("a file in its place")
    one, two = (ntksym.compile(SPEC, target="numpy") for _ in range(2))
    same(one, two, data())
    assert own.read_text() == "a file in its place"


def test_nothing_is_left_behind_without_a_cache(own: Path, made: list[Any]) -> None:
    for _ in range(2):
        ntksym.compile(SPEC, cache=False)
    assert len(made) == 2 and not list(own.glob("*"))


def test_other_options_and_other_code_have_other_recipes(
    own: Path, made: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ntksym.compile(SPEC, target="numpy")
    ntksym.compile(SPEC, target="numpy", dtype="float32")
    ntksym.compile(SPEC, target="numpy", collapse=False)
    assert len(made) == 3
    monkeypatch.setattr(recipes, "makers", lambda: "edited code")
    ntksym.compile(SPEC, target="numpy")
    assert len(made) == 4
    monkeypatch.setattr(recipes, "makers", lambda: None)  # edited while the program ran
    for _ in range(2):
        ntksym.compile(SPEC, target="numpy")
    assert len(made) == 6


def test_the_digest_is_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ntksym, "BEGUN", float("inf"))
    plain = recipes.makers.__wrapped__()
    assert plain is not None and plain == recipes.makers.__wrapped__()
    true = recipes._sources
    monkeypatch.setattr(recipes, "_sources", lambda d: true(d)[1:])
    assert recipes.makers.__wrapped__() != plain
    monkeypatch.undo()
    monkeypatch.setattr(ntksym, "BEGUN", 0.0)
    assert recipes.makers.__wrapped__() is None


def test_files_that_were_not_touched_are_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NTKSYM_CACHE", str(tmp_path))
    monkeypatch.setattr(ntksym, "BEGUN", float("inf"))
    read: list[str] = []
    content = recipes._content

    def counted(package: str, paths: list[str]) -> str:
        read.extend(paths)
        return content(package, paths)

    monkeypatch.setattr(recipes, "_content", counted)
    makers = recipes.makers.__wrapped__  # the body: a program asks once
    plain = makers()
    many = len(read)
    assert many > 100 and makers() == plain and len(read) == many
    told = recipes._told
    monkeypatch.setattr(recipes, "_told", lambda path, s: told(path, s) + " touched")
    assert makers() == plain and len(read) == 2 * many  # other times, the same text
    for note in tmp_path.glob("*.note"):
        note.write_bytes(b"poisoned")
    assert makers() == plain and len(read) == 3 * many


def test_a_file_is_what_it_was(own: Path, made: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    text = '[network]\nactivation = "relu"\ndepth = 2\nweight_var = {}\n'
    path.write_text(text.format(2))
    ntksym.compile(str(path), target="numpy")
    two = ntksym.compile(str(path), target="numpy")
    assert len(made) == 1
    path.write_text(text.format(3))
    three = ntksym.compile(path, target="numpy")
    assert len(made) == 2
    assert np.array_equal(two.gradient(data(2)).nngp, two(data(2)).nngp) or np.allclose(
        two.gradient(data(2)).nngp, two(data(2)).nngp, rtol=1e-14
    )
    assert not np.allclose(three(data(2)).nngp, two(data(2)).nngp)
    with pytest.raises(ntksym.errors.BadSpec, match="cannot read"):
        ntksym.compile(tmp_path / "none.toml")


class Phi(Function):
    """A function of a user, with a name that is taken."""


def test_text_of_what_is_data_and_of_nothing_else() -> None:
    a, positive = Symbol("a", real=True), Symbol("a", positive=True)
    texts = [spelled(e) for e in (a * x, positive * x, exp(x), Float("0.1", 30), Float(0.1))]
    assert None not in texts and len(set(texts)) == len(texts)
    plain = [spelled(v) for v in (1, 1.0, True, "1", None, (1,), [1], (1, 1), ((1,), 1))]
    assert None not in plain and len(set(plain)) == len(plain)
    for strange in (np.tanh, lambda x: x, Dummy("a") * x, Phi(x), object(), np.float64(1)):
        assert spelled(strange) is None
    assert spelled((1, object())) is None
    net = ntksym.mlp("gelu", depth=100)
    assert spelled(net) == spelled(ntksym.mlp("gelu", depth=100)) != spelled(ntksym.mlp("gelu"))


def test_callables_are_sampled_every_time(own: Path, made: list[Any]) -> None:
    for _ in range(2):
        ntksym.compile(np.tanh, variances=1.0)
    assert len(made) == 2


def test_the_compiler_is_tried_once(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler._find.cache_clear()
    compiler._noted.cache_clear()
    found = compiler.find_compiler()
    assert not list(own.glob("*"))  # finding it writes nothing
    compiler._noted(found)
    compiler._find.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(compiler, "_run", lambda *given: pytest.fail("tried again"))
        assert compiler.find_compiler() == found
    compiler._find.cache_clear()
    for path in own.glob("*"):
        path.write_bytes(path.read_bytes()[:-1])
    assert compiler.find_compiler() == found
    compiler._noted.cache_clear()


PROGRAM = """
import sys, ntksym, numpy
k = ntksym.compile("mlp:gelu:depth=9")
ntk = k(numpy.eye(3)).ntk[0, 1].hex()
slow = not {"ntksym.network", "numpy.ma", "importlib.abc"}.isdisjoint(sys.modules)
print(ntk, "sympy" in sys.modules, slow)
assert not {"ntksym." + m for m in ("verify.balls", "numeric.series", "powers")} & {*sys.modules}
print(round(float(k.gradient(numpy.eye(2)).ntk[0, 1]), 9))
"""


def test_another_program_imports_no_algebra(tmp_path: Path) -> None:
    """The digest of the code is the true one here, which no other test of this file takes."""
    env = os.environ | {"NTKSYM_CACHE": str(tmp_path)}
    out = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=env, check=True
        )
        out.append(done.stdout.split())
    assert out[0][0] == out[1][0] and out[0][3] == out[1][3]
    assert out[0][1:3] == ["True", "True"]
    if recipes.makers.__wrapped__() is not None:  # no file was edited meanwhile
        assert out[1][1:3] == ["False", "False"]


def test_recipes_are_plain_data(own: Path) -> None:
    ntksym.compile(SPEC)
    notes = [p.read_bytes().partition(b"\n")[2] for p in own.glob(f"*{cache.NOTE}")]
    assert notes and all(isinstance(json.loads(n), (dict, list)) for n in notes)
    assert later.read_toml("relu") == "relu"


def test_old_notes_are_forgotten(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was used last stays; the cache does not grow without end."""
    monkeypatch.setattr(cache, "MOST", 6)
    for i in range(6):
        cache.remember(f"{i:064x}", b"x")
        os.utime(cache.cache_directory() / f"{i:064x}{cache.NOTE}", (i, i))
    assert cache.recall(f"{0:064x}") == b"x"  # its last use is now
    cache.remember(f"{6:064x}", b"y")
    kept = sorted(p.name[-len(cache.NOTE) - 1] for p in cache.cache_directory().glob("*.note"))
    assert kept == ["0", "5", "6"]


def test_old_libraries_are_forgotten_with_their_checksums(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "MOST", 4)
    keys = [f"{i:064x}" for i in range(5)]
    for i, key in enumerate(keys[:4]):
        path = cache.obtain(key, ".so", lambda _: b"x")
        os.utime(path, (i, i))
    old, new = own / f"{cache.TEMPORARY}old", own / f"{cache.TEMPORARY}new"
    old.touch()
    os.utime(old, (0, 0))
    new.touch()
    cache.remember(keys[0], b"a note is of another kind")
    cache.obtain(keys[0], ".so", lambda _: pytest.fail("it is there"))  # its last use is now
    cache.obtain(keys[4], ".so", lambda _: b"x")
    kept = {f"{key}.so{end}" for key in (keys[0], keys[4]) for end in ("", cache.SUM)}
    assert {p.name for p in own.iterdir()} == kept | {new.name, keys[0] + cache.NOTE}


def test_kernels_of_other_rules_are_not_kept(
    own: Path, made: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that somebody put in place of ours answers for itself, in this program only."""
    from ntksym.numeric.rules import RULES

    ntksym.compile(SPEC, target="numpy")
    with monkeypatch.context() as patch:
        patch.setitem(RULES, "tabulated", RULES["quadrature"])
        ntksym.compile(SPEC, target="numpy")
        ntksym.compile(SPEC, target="numpy")
        assert len(made) == 3  # neither read nor kept
    ntksym.compile(SPEC, target="numpy")
    assert len(made) == 3


def test_collapsed_networks_of_other_code_are_made_again(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    true = collapsed_forms.collapse

    def counted(*args: Any, **options: Any) -> Any:
        made.append(args)
        return true(*args, **options)

    monkeypatch.setattr(collapsed_forms, "collapse", counted)
    net = ntksym.mlp("relu", depth=2, weight_var=2)
    for _ in range(2):
        collapsed_forms.kept_collapse(net, None, 1e-6, True)
    assert len(made) == 1
    monkeypatch.setattr(recipes, "makers", lambda: "edited code")
    collapsed_forms.kept_collapse(net, None, 1e-6, True)
    assert len(made) == 2


@pytest.mark.parametrize("spec", ["mlp:relu:depth=2", "mlp:erf:depth=1"])
@pytest.mark.parametrize("target", ["c", "numpy"])
def test_collapsed_kernels_have_recipes(
    spec: str, target: str, own: Path, made: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = data()
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    one = ntksym.compile(spec, target=target, collapse=1e-6)
    one(rows)
    monkeypatch.setattr(collapsed, "_forms", lambda: pytest.fail("a form is made again"))
    two = ntksym.compile(spec, target=target, collapse=1e-6)
    same(one, two, rows)
    assert len(made) == 1 and repr(one) == repr(two)
    assert 0 < two.bound == one.bound <= 1e-6 and one.sources == two.sources


def test_errors_that_are_not_reached_are_remembered(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Undecided) as first:
        ntksym.compile("mlp:relu:depth=1", target="numpy", collapse=1e-20)
    asked = Asked("numpy", "float64", True, None, collapse=1e-20)
    monkeypatch.setattr(collapsed, "_forms", lambda: pytest.fail("searched again"))
    with pytest.raises(Undecided) as second:
        collapsed.collapsed_kernel(Later("mlp:relu:depth=1", 1), asked)
    assert first.value.text == second.value.text
