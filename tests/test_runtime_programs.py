"""Kernels beside other programs: forks, memory, compilers that fail, caches that are damaged or full."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runtime_cases import TARGETS, data, same
from test_lower import relu_recursion

from ntksym.backends import SourceFile
from ntksym.runtime import compile
from ntksym.runtime.library import cache
from ntksym.runtime.library.compiler import load_library, shared_library


def run(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "default", "-c", PRELUDE + code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **environment},
        cwd=Path(__file__).parent,
    )


PRELUDE = """
import os, sys, resource
import numpy as np
from test_lower import relu_recursion
from ntksym.runtime import compile
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("target", TARGETS)
def test_fork_after_use(target: str) -> None:
    done = run(
        """
k = compile(relu_recursion(2), target=sys.argv[1], threads=3)
x = np.random.default_rng(0).normal(size=(400, 50))
before = k(x).ntk
child = os.fork()
if child == 0:
    os._exit(0 if (k(x).ntk == before).all() else 1)
status = os.waitpid(child, 0)[1]
assert (k(x).ntk == before).all()
sys.exit(os.waitstatus_to_exitcode(status))
""",
        target,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read there")
@pytest.mark.parametrize("target", TARGETS)
def test_memory_is_the_outputs(target: str) -> None:
    """At most 100 MB beyond the outputs; one kernel costs half."""
    done = run(
        """
def peak():
    text = open("/proc/self/status").read()
    return int(text.split("VmHWM:")[1].split()[0]) / 1e3
k = compile(relu_recursion(1), target=sys.argv[1], threads=2)
x = np.random.default_rng(0).normal(size=(2200, 20))
k(x[:300])
start = peak()
one = k(x, only="ntk")
first = peak() - start
del one
both = k(x)
print(first, peak() - start)
""",
        target,
    )
    assert done.returncode == 0, done.stderr
    one, both = map(float, done.stdout.split())
    assert one < 39 + 40 and both < 78 + 40


# -- compilers and caches ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["missing", "refuses", "silent", "rubbish"])
def test_without_a_compiler(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy instead, one warning that says how to get the speed, right numbers."""
    command = tmp_path / "cc"
    if kind != "missing":
        # works for the probe; then refuses, writes nothing, or what does not load
        then = {
            "refuses": "echo 'x.c:1: error: no' >&2; exit 1",
            "silent": "exit 0",
            "rubbish": 'echo no > "$out"',
        }[kind]
        command.write_text(
            "#!/bin/sh\n"
            'if [ "$1" = --version ]; then echo broken 1.0; exit 0; fi\n'
            'while [ $# -gt 0 ]; do [ "$1" = -o ] && out="$2"; last="$1"; shift; [ "$1" = -lm ] && break; done\n'
            f'case "$last" in *probe.c) : > "$out"; exit 0;; esac\n{then}\n'
        )
        command.chmod(0o755)
    monkeypatch.setenv("CC", str(command))
    monkeypatch.setenv("NTKSYM_CACHE", str(tmp_path / "cache"))
    with pytest.warns(RuntimeWarning) as caught:
        k = compile(relu_recursion(2))
    assert len(caught) == 1 and caught[0].filename == __file__
    text = str(caught[0].message)
    assert "the slower NumPy version is used. Install gcc or clang, or set CC" in text
    said = {
        "missing": "not found",
        "refuses": "x.c:1: error: no",
        "silent": "wrote nothing",
        "rubbish": "that loads",
    }
    assert said[kind] in text
    assert k.target == "numpy"
    x = data(20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert same(k(x), compile(relu_recursion(2), target="numpy")(x))
    with pytest.warns(RuntimeWarning, match="the slower NumPy version"):
        assert compile("relu").target == "numpy"


def test_two_programs_compile_at_once(tmp_path: Path) -> None:
    code = """
k = compile(relu_recursion(2), threads=1)
print(k(np.arange(6.0).reshape(3, 2)).ntk.tobytes().hex())
"""
    found: list[Any] = []
    environment = {"NTKSYM_CACHE": str(tmp_path / "cache")}
    others = [
        threading.Thread(target=lambda: found.append(run(code, **environment))) for _ in range(2)
    ]
    for t in others:
        t.start()
    for t in others:
        t.join()
    assert [f.returncode for f in found] == [0, 0], found[0].stderr + found[1].stderr
    assert found[0].stdout == found[1].stdout != ""
    names = sorted(f.name for f in (tmp_path / "cache").iterdir())
    notes = [n for n in names if n.endswith(cache.NOTE)]
    made = [n for n in names if n not in notes]
    libraries = [n for n in made if n.endswith(".so")]
    assert len(libraries) == 2 and not [n for n in names if n.startswith(".")]
    assert all(f"{n}.sha256" in made or n.endswith(".sha256") for n in made)
    assert 1 <= len(notes) <= 2  # the compiler, and a recipe unless a file was just edited


def poison(path: Path, kind: str) -> None:
    if kind == "changed":
        path.write_bytes(path.read_bytes()[:-8] + b"\0" * 8)
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "link":
        path.unlink()
        path.symlink_to("/etc/hostname")
    elif kind == "pipe":
        path.unlink()
        os.mkfifo(path)
    elif kind == "directory":
        path.unlink()
        path.mkdir()
    elif kind == "no sum":
        path.with_name(path.name + ".sha256").unlink()
    else:  # intact by its sum, and no library
        import hashlib

        path.write_bytes(b"not a library")
        total = hashlib.sha256(b"not a library").hexdigest()
        path.with_name(path.name + ".sha256").write_text(total)


KINDS = ["changed", "empty", "link", "directory", "no sum", "unloadable"]
KINDS += ["pipe"] if hasattr(os, "mkfifo") else []


@pytest.mark.parametrize("kind", KINDS)
def test_a_poisoned_cache(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NTKSYM_CACHE", str(tmp_path / "cache"))
    number = KINDS.index(kind) + 7
    source = (SourceFile("probe.c", f"int probe(void);\nint probe(void) {{ return {number}; }}\n"),)
    library = shared_library(source)  # stored, not loaded
    assert library.parent == tmp_path / "cache"
    poison(library, kind)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_library(source).probe() == number


def test_a_full_disk_for_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NTKSYM_CACHE", str(tmp_path / "cache"))
    real = cache.write_atomically

    def full(path: Path, data: bytes, mode: int = 0o644) -> None:
        if path.parent == tmp_path / "cache":
            raise OSError(28, "No space left on device")
        real(path, data, mode)

    monkeypatch.setattr(cache, "write_atomically", full)
    path = cache.obtain("full", ".bin", lambda _: b"x")
    assert path.read_bytes() == b"x" and path.parent == cache.process_directory()


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process")
def test_a_full_disk_for_all_files(tmp_path: Path) -> None:
    """Nothing can be written anywhere: NumPy from memory, one warning each, and the same numbers."""
    done = run(
        """
import warnings
import ntksym
resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))
with warnings.catch_warnings(record=True) as caught:
    k, f = compile(relu_recursion(2)), ntksym.ufunc("relu")
print(*(str(w.message) for w in caught), sep="\\n")
print(k(np.eye(3)).ntk[0, 1], f(1.0, 0.0, 1.0)[0] * 2 * np.pi)
""",
        NTKSYM_CACHE=str(tmp_path / "cache"),
        TMPDIR=str(tmp_path),
        PYTHONDONTWRITEBYTECODE="1",  # it would stand there cut off
    )
    assert done.returncode == 0, done.stderr
    first, second, numbers = done.stdout.splitlines()
    for said in (first, second):
        assert "nothing can be compiled: [Errno" in said and "TMPDIR" in said
    ntk, value = map(float, numbers.split())
    right = compile(relu_recursion(2), target="numpy")(np.eye(3)).ntk[0, 1]
    assert ntk == right and abs(value - 1) <= 1e-15
    assert not list(tmp_path.glob("ntksym-*"))


def test_an_interrupted_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file stays; nothing is left beside it; the next attempt works."""
    path = tmp_path / "entry.bin"
    cache.write_atomically(path, b"old")

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        cache.write_atomically(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old" and [f.name for f in tmp_path.iterdir()] == ["entry.bin"]
    # between the entry and its sum: the entry does not count
    monkeypatch.setenv("NTKSYM_CACHE", str(tmp_path / "cache"))
    entry = cache.obtain("half", ".bin", lambda _: b"one")
    entry.write_bytes(b"two")
    assert cache.obtain("half", ".bin", lambda _: b"three").read_bytes() == b"three"


def test_depth_costs_no_compile_time() -> None:
    """The layers are a loop over a table: the size of the code does not depend on depth."""
    sizes = []
    for depth in (10, 300):
        k = compile(relu_recursion(depth), target="c", threads=1)
        assert np.isfinite(k(data(3)).ntk).all()
        source = next(s.text for s in k.sources if s.name.endswith(".c"))
        sizes.append(source.count("static inline"))
    assert sizes[0] == sizes[1]
