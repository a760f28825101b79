"""Long generated files are compiled in parts: the same functions, the same bits."""

from __future__ import annotations

import ctypes
import re
import subprocess
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

import ntksym
from ntksym.backends import Contract, SourceFile
from ntksym.backends.c.network.file import network_file
from ntksym.backends.source import without_rows
from ntksym.lower import lower_network
from ntksym.network import recurse
from ntksym.runtime import foreseen, fresh
from ntksym.runtime.engines import CNetwork, with_support
from ntksym.runtime.library import cache, compiler, objects, parts


def _sources(text, depth=2, floats=True):
    schedule = replace(lower_network(recurse(ntksym.mlp(text, depth=depth))), floats=floats)
    return with_support(network_file(schedule, Contract("a test", ("a network",))))


@pytest.fixture(scope="module")
def sources():
    """An activation that has no name: two kinks away from 0."""
    return _sources("min(max(x, -1/3), 5/4)")


def test_every_function_of_a_generated_file_is_found(sources):
    header, source = sources
    found = parts.pieces((header.text, source.text))
    for k, text in enumerate((header.text, source.text)):
        ends = sum(
            p.end < len(text) and text[p.end - 2 : p.end] == "\n}" for p in found if p.file == k
        )
        assert ends == text.count("\n}\n")
        assert sum(p.apart for p in found if p.file == k) >= text.count("\n" + parts.MARK)
    assert len({p.name for p in found}) == len(found)


def _defined(part):
    """The functions that a part defines and others may call."""
    return [p.name for p in parts.pieces(tuple(s.text for s in part)) if p.apart]


def test_parts_define_each_function_once_and_rare_ones_together(sources):
    made = parts.in_parts(sources)
    assert len(made.own) == 4 and len(made.shared) == 4 and made.several
    every = (*made.own, *made.shared)
    assert [k for k, p in enumerate(every) if parts.is_ruled(p)] == [1, 2]
    assert [k for k, p in enumerate(every) if parts.is_single(p)] == [1, 3]
    heads = [p for p in parts.pieces(tuple(s.text for s in sources)) if p.apart]
    homes = {}
    for k, part in enumerate((*made.own, *made.shared)):
        for name in _defined(part):
            assert name not in homes
            homes[name] = k
    assert {p.name for p in heads if p.file == 1} <= set(homes)
    assert homes["ntksym_network_tile"] == homes["layer0"] == 0
    assert homes["near_lanes"] == homes["near0"] == homes["near0_diag"] == 1
    assert homes["ntksym_network_diag"] == homes["layer0_diag"] == 0  # long in deep networks
    assert homes["ntksym_network_tile_f32"] == homes["block_f32"] == 3
    assert {homes["ntksym_block_Phi2"], homes["ntksym_direct_mean"]} == {4, 5}
    assert homes["ntksym_spline_dual"] == 6 and homes["ntksym_direct_small"] == 7
    assert homes["ntksym_direct_same"] == homes["ntksym_direct_mean"]
    others = [name for name in homes if re.search("_direct_(diag_)?dot_", name)]
    assert others and {homes[name] for name in others} == {2}


def test_what_networks_share_is_the_same_text_and_whole(sources):
    made = parts.in_parts(sources)
    assert made.shared == parts.shared_parts(sources[0], (*foreseen.ORTHANTS, *foreseen.SPLINES))
    gelu = parts.in_parts(_sources("x*(1+erf(x/sqrt(2)))/2"))
    assert not gelu.shared  # short functions of the header are in the part that calls them
    hat = parts.in_parts(_sources("max(1 - abs(x), 0)"))
    assert set(hat.shared) <= set(made.shared) and hat.shared
    for part in made.shared:
        calls = {w for s in part for w in re.findall(r"\w+", s.text)}
        assert calls >= set(_defined(part))


def test_functions_on_floats_are_a_part_where_they_are_long():
    pairs, *_, floats = parts.in_parts(_sources("max(x, 0)")).own
    assert {"ntksym_network_tile", "block"} <= set(_defined(pairs))
    assert {"ntksym_network_tile_f32", "block_f32"} <= set(_defined(floats))
    assert not any(name.endswith("_f32") for name in _defined(pairs))
    assert not {"layer0", "layer0f"} & {*_defined(pairs), *_defined(floats)}  # inlined in both


def test_short_files_and_files_that_are_not_one_stay_whole(sources):
    relu = _sources("max(x, 0)", floats=False)
    assert parts.in_parts(relu) == parts.Parts((relu,))
    two = (*sources, SourceFile("more.c", '#include "ntksym.h"\nint more(void) { return 1; }\n'))
    assert parts.in_parts(two) == parts.Parts((two,))
    assert not parts.in_parts(two).several


def test_a_file_that_includes_none_of_ours_is_a_part_beside_those_of_the_other(sources):
    alone = SourceFile("alone.c", "#include <math.h>\nint alone(void) { return 1; }\n")
    one, more = parts.in_parts(sources), parts.in_parts((*sources, alone))
    assert more == parts.Parts((*one.own, (alone,)), one.shared)
    assert parts.in_parts((alone,)) == parts.Parts(((alone,),))


def test_a_long_function_that_nothing_shared_calls_is_compiled_only_where_it_is_needed(sources):
    shared = parts.shared_parts(sources[0], (*foreseen.ORTHANTS, foreseen.SMALL))
    tilted = parts.in_parts(_sources("exp(-abs(x - 1/2))", depth=1)).shared
    assert set(tilted) > set(shared)
    (more,) = set(tilted) - set(shared)
    assert _defined(more) == ["ntksym_block_expPhi2"]
    mine = parts.in_parts(sources).shared
    assert "ntksym_block_expPhi2" not in {n for part in mine for n in _defined(part)}


def test_a_standing_text_is_the_same_part_whatever_file_has_it(sources):
    """The text itself, and nothing of the file that it was taken out of."""
    spline, small = parts.shared_parts(sources[0], foreseen.SPLINES)
    ramp = parts.in_parts(_sources("max(x - 1/3, 0)", depth=1))
    assert {spline, small} <= {*ramp.shared} and _defined(spline) == ["ntksym_spline_dual"]
    changed = replace(sources[1], text=sources[1].text.replace("ntksym_spline_term", "other_term"))
    assert spline not in parts.in_parts((sources[0], changed)).shared


def _library(monkeypatch, whole, sources, folder):
    """The library as it is made of one file or in parts, and what it exports."""
    if whole:
        monkeypatch.setattr(parts, "in_parts", lambda sources: parts.Parts((sources,)))
    scratch = folder / str(whole)
    scratch.mkdir()
    found = compiler.find_compiler()
    quick = replace(found, flags=(*compiler.FLAGS, "-O1"))
    path = scratch / "library.so"
    path.write_bytes(compiler._built(quick, sources, scratch, keep=False))
    assert (scratch / "part1").exists() != whole
    names = subprocess.run(["nm", "-D", "--defined-only", path], capture_output=True, text=True)
    return ctypes.CDLL(str(path)), sorted(line.split()[-1] for line in names.stdout.splitlines())


def test_the_library_of_parts_gives_the_same_bits_and_symbols(monkeypatch, sources, tmp_path):
    rows = np.random.default_rng(5).standard_normal((70, 6))
    rows[1] = rows[0] * (1 + 1e-9)
    seen, values = [], []
    for whole in (False, True):
        library, names = _library(monkeypatch, whole, sources, tmp_path)
        seen.append(names)
        engine = CNetwork.__new__(CNetwork)
        engine._count, engine._firsts = 2, {}
        engine._functions = {
            k: getattr(library, f"ntksym_network_{k}") for k in ("input", "diag", "tile")
        }
        for scale in (1e-6, 1.0, 1e4):
            x = rows * scale
            first = engine.first(6)
            q, t = engine.diag((x * x).sum(1), first)
            k, d = np.empty((70, 70)), np.empty((70, 70))
            engine.tile(x @ x.T, q, q, first, k, d)
            values.append((q, t, k, d))
    assert seen[0] == seen[1]
    for whole, made in zip(values[:3], values[3:], strict=True):
        for a, b in zip(whole, made, strict=True):
            assert np.array_equal(a, b, equal_nan=True)
    assert np.isfinite(values[4][2]).all()


def test_parts_that_the_compiler_refuses_are_compiled_as_one_file(monkeypatch, sources, tmp_path):
    calls = []
    run = compiler._run

    def refuse(argv, *rest):
        calls.append(argv)
        return None if "-c" in argv else run(argv, *rest)

    monkeypatch.setattr(compiler, "_run", refuse)
    found = replace(compiler.find_compiler(), flags=(*compiler.FLAGS, "-O0"))
    made = compiler._built(found, sources, tmp_path, keep=False)
    assert len(made) > 1000
    assert sum("-c" in argv for argv in calls) >= 1 and "-c" not in calls[-1]


@pytest.mark.parametrize("text", ["max(x, 0)", "erf(x)", "min(max(x, -1/3), 5/4)"])
def test_no_part_is_refused(monkeypatch, tmp_path, text):
    asked = []
    run = compiler._run
    monkeypatch.setattr(compiler, "_run", lambda *given: asked.append(run(*given)) or asked[-1])
    quick = replace(compiler.find_compiler(), flags=(*compiler.FLAGS, "-O0"))
    assert compiler._built(quick, _sources(text), tmp_path, keep=False)
    assert len(asked) > 2 and all(done.returncode == 0 for done in asked)


def test_all_but_layers_in_float_is_compiled_with_less_effort(monkeypatch, sources, tmp_path):
    asked = []
    monkeypatch.setattr(objects, "output", lambda c, given, out: asked.append((c.flags, given)))
    monkeypatch.setattr(objects, "obtain", lambda key, suffix, make, keep: make(tmp_path))
    found, made = compiler.Compiler(("cc",), "", compiler.LEVELS[0]), parts.in_parts(sources)
    rest = compiler.LEVELS[0][1:]
    for part in made.shared:
        assert objects._shared(found, part, keep=False) is None
        assert asked.pop()[0] == (*objects.LIGHT, *rest)
    objects.objects_of(found, parts.Parts(made.own), tmp_path, keep=False)
    assert len(asked) == 4
    for flags, given in asked:
        (number,) = (k for k in range(4) if f"part{k}" in given[-1])
        assert flags == (*(objects.LIGHT, objects.FAR, objects.FAR, ("-O2",))[number], *rest)
    other = replace(found, flags=compiler.LEVELS[1])
    assert objects._for(made.own[1], other) == other


def test_shared_parts_are_compiled_once(monkeypatch, tmp_path):
    monkeypatch.setenv("NTKSYM_CACHE", str(tmp_path / "cache"))
    calls = []
    run = compiler._run

    def counted(argv, *rest):
        calls.append([a for a in argv if a.endswith(".c")])
        return run(argv, *rest)

    monkeypatch.setattr(compiler, "_run", counted)
    common = lambda: sum(a.endswith("part.c") for files in calls for a in files)  # noqa: E731
    compiler.shared_library(_sources("max(1 - abs(x), 0)", depth=1), extra=("-O0",))
    first = common()
    compiler.shared_library(_sources("max(1 - abs(x), -1/7)", depth=1), extra=("-O0",))
    assert first >= 1 and common() == first
    stored = sorted((tmp_path / "cache").glob("*.o"))
    assert len(stored) == first
    for path in stored:
        path.write_bytes(b"poisoned")
    made = compiler.shared_library(_sources("max(2 - abs(x), 0)", depth=1), extra=("-O0",))
    assert common() == 2 * first and ctypes.CDLL(str(made))


def test_a_compile_makes_the_shared_parts_beside_that_are_wanted(monkeypatch):
    made, loops, enough = [], [], threading.Event()
    monkeypatch.setattr(objects, "shared_library", lambda files, **_: loops.append(files[0].name))
    monkeypatch.setattr(objects, "allowed_cores", lambda: 2)

    def note(compiler, part, keep):
        made.append(part)
        if len(made) == 4:
            enough.set()

    monkeypatch.setattr(objects, "_shared", note)
    names = (*foreseen.ORTHANTS, *foreseen.SPLINES)
    with objects.compiled_beside(keep=True):
        objects.shared_parts_wanted(foreseen.ORTHANTS)
        objects.shared_parts_wanted(foreseen.SPLINES)
        assert enough.wait(20)
    assert made == list(parts.shared_parts(with_support(SourceFile("a.c", ""))[0], names))
    made.clear()
    with objects.compiled_beside(True, "float32"):
        objects.shared_parts_wanted(())
    objects.shared_parts_wanted(names)  # nobody compiles: nobody listens
    assert not made and loops == [f"ntksym_gram_{v}.c" for v in ("dd", "ff", "df")]


@pytest.mark.parametrize("known", [False, True])
def test_what_is_not_begun_when_the_parts_are_known_or_the_body_ends_is_left(
    monkeypatch, tmp_path, known
):
    made, begun, go = [], threading.Event(), threading.Event()
    monkeypatch.setattr(objects, "shared_library", lambda files, **_: None)
    monkeypatch.setattr(objects, "allowed_cores", lambda: 2)

    def slow(compiler, part, keep):
        made.append(threading.current_thread())
        begun.set()
        assert go.wait(20)

    monkeypatch.setattr(objects, "_shared", slow)
    with pytest.raises(KeyError), objects.compiled_beside(keep=True):
        objects.shared_parts_wanted(foreseen.ORTHANTS)
        assert begun.wait(20)
        if known:
            objects.objects_of(compiler.find_compiler(), parts.Parts(()), tmp_path, keep=True)
            go.set()
            made[0].join(20)
            assert not made[0].is_alive()
        else:
            threading.Timer(0.05, go.set).start()
        raise KeyError
    assert len(made) == 1


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("max(x, 0)", []),
        ("erf(x)", []),
        ("max(1 - abs(x), 0)", [foreseen.ORTHANTS, foreseen.SPLINES]),
        ("exp(-abs(x - 1/2))", [foreseen.ORTHANTS, foreseen.TILTED]),
        ("max(x, 0) + min(exp(x) - 1, 0)", [foreseen.ORTHANTS, foreseen.HALVES]),
    ],
)
def test_what_is_wanted_is_said_before_the_network_is_lowered(monkeypatch, text, wanted):
    said = []
    monkeypatch.setattr(foreseen, "shared_parts_wanted", lambda n: n and said.append(n))
    net = ntksym.mlp(text, depth=2)
    foreseen.say_early(net)
    foreseen.say_rules(net)
    assert said == wanted
    shared = parts.in_parts(_sources(text)).shared
    header = _sources(text)[0]
    assert set(shared) == set(parts.shared_parts(header, [n for names in said for n in names]))


def test_a_compile_says_first_what_it_wants(monkeypatch, tmp_path):
    monkeypatch.setenv("NTKSYM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(objects, "shared_library", lambda files, **_: None)
    said = []

    def lowered(recursion):
        raise InterruptedError

    monkeypatch.setattr(fresh, "lower_network", lowered)
    monkeypatch.setattr(foreseen, "shared_parts_wanted", said.append)
    with pytest.raises(InterruptedError):
        ntksym.compile(ntksym.mlp("max(1 - abs(x), 0)", depth=2))
    assert said == [foreseen.ORTHANTS, foreseen.SPLINES]


def test_threads_that_ask_for_the_same_entry_wait_for_one(monkeypatch, tmp_path):
    monkeypatch.setenv("NTKSYM_CACHE", str(tmp_path / "cache"))
    calls, found = [], []

    def make(scratch):
        calls.append(scratch)
        time.sleep(0.05)
        return b"made"

    def ask():
        found.append(cache.obtain("key", ".o", make))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1 and len(set(found)) == 1 and found[0].read_bytes() == b"made"


@pytest.mark.parametrize("text", ["max(x, 0)", "x*Phi(x)"])
def test_what_does_it_all_is_not_in_the_library_of_the_runtime(text, tmp_path, monkeypatch):
    """It has Gram products of its own; the file that users are given has that function."""
    monkeypatch.setenv("NTKSYM_CACHE", str(tmp_path))
    sources = _sources(text, floats=False)
    engine = CNetwork.__new__(CNetwork)
    engine._open(sources, 2, keep=True)
    assert engine.sources == sources and "int ntksym_network(" in sources[-1].text
    assert hasattr(engine._library, "ntksym_network_tile")
    assert not hasattr(engine._library, "ntksym_network")
    lean = without_rows(sources[-1])
    assert "malloc" in sources[-1].text and "malloc" not in lean.text
    assert without_rows(lean) == lean
