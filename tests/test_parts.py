"""Long generated files are compiled in parts: the same functions, the same bits."""

from __future__ import annotations

import ctypes
import subprocess
from dataclasses import replace

import numpy as np
import pytest

import ntksym
from ntksym.backends import Contract, SourceFile
from ntksym.backends.c.network import network_file
from ntksym.lower import lower_network
from ntksym.network import recurse
from ntksym.runtime import compiler, parts
from ntksym.runtime.engines import CNetwork, with_support


def _sources(text, depth=2):
    schedule = lower_network(recurse(ntksym.mlp(text, depth=depth)))
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


def test_parts_define_each_function_once_and_rare_ones_together(sources):
    made = parts.in_parts(sources)
    assert len(made) == 2
    heads = [p for p in parts.pieces(tuple(s.text for s in sources)) if p.apart]
    homes = {}
    for k, part in enumerate(made):
        for p in parts.pieces(tuple(s.text for s in part)):
            if p.apart:
                assert p.name not in homes
                homes[p.name] = k
    assert {p.name for p in heads if p.file == 1} <= set(homes)
    assert homes["ntksym_network_tile"] == homes["layer0"] == homes["ntksym_block_Phi2"] == 0
    assert homes["near_lanes"] == homes["ntksym_direct_mean"] == 1


def test_short_files_and_files_that_are_not_one_stay_whole(sources):
    relu = _sources("max(x, 0)")
    assert parts.in_parts(relu) == (relu,)
    two = (*sources, SourceFile("more.c", "int more(void) { return 1; }\n"))
    assert parts.in_parts(two) == (two,)


def _library(monkeypatch, cores, sources, folder):
    """The library as it is made with that many cores, and what it exports."""
    monkeypatch.setattr(compiler, "allowed_cores", lambda: cores)
    scratch = folder / str(cores)
    scratch.mkdir()
    found = compiler.find_compiler()
    quick = replace(found, flags=(*compiler.FLAGS, "-O1"))
    path = scratch / "library.so"
    path.write_bytes(compiler._built(quick, sources, scratch))
    assert (scratch / "part1").exists() == (cores > 1)
    names = subprocess.run(["nm", "-D", "--defined-only", path], capture_output=True, text=True)
    return ctypes.CDLL(str(path)), sorted(line.split()[-1] for line in names.stdout.splitlines())


def test_the_library_of_parts_gives_the_same_bits_and_symbols(monkeypatch, sources, tmp_path):
    rows = np.random.default_rng(5).standard_normal((70, 6))
    rows[1] = rows[0] * (1 + 1e-9)
    seen, values = [], []
    for cores in (1, 2):
        library, names = _library(monkeypatch, cores, sources, tmp_path)
        seen.append(names)
        engine = CNetwork.__new__(CNetwork)
        engine._count = 2
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

    def refuse(argv):
        calls.append(argv)
        return None if "-c" in argv else run(argv)

    monkeypatch.setattr(compiler, "_run", refuse)
    monkeypatch.setattr(compiler, "allowed_cores", lambda: 2)
    found = replace(compiler.find_compiler(), flags=(*compiler.FLAGS, "-O0"))
    made = compiler._built(found, sources, tmp_path)
    assert len(made) > 1000
    assert sum("-c" in argv for argv in calls) == 2 and "-c" not in calls[-1]
