"""The generated C on compilers that have nothing but C, and what may stand in `CC`."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ntksym
from ntksym.backends.c.helpers.header import header
from ntksym.errors import NoCompiler
from ntksym.export.files import generate
from ntksym.runtime.library import compiler

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "closed form": ("gelu", {}),
    "table of a range": ("mish", {"variances": ("1/2", "2"), "error": 1e-6}),
    "table of kinks": ("max(tanh(x), x/2 - 1)", {"variances": 1, "error": 1e-6}),
    "mixture": ("tanh", {}),
    "series": ("atan", {"method": "series", "variances": 1, "error": 1e-6}),
}
FLAGS = ("-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wvla", "-Werror", "-fPIC")
BEYOND_C = re.compile(r"__attribute__|vector_size|__thread|__builtin_convert|#\s*pragma")


def command() -> tuple[str, ...]:
    """The compiler; skips where there is none."""
    try:
        return compiler.find_compiler().command
    except NoCompiler:
        pytest.skip("no C compiler")


def run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:2000]
    return done.stdout


def own_lines(text: str, folder: Path) -> str:
    """What a preprocessor made of the files of a folder."""
    mine, kept = False, []
    for line in text.splitlines():
        if line.startswith("# "):
            mine = str(folder) in line
        elif mine:
            kept.append(line)
    return "\n".join(kept)


@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")
def test_an_exported_network_is_cpp_and_its_consumer_too(tmp_path: Path) -> None:
    """GCC takes no array that a loop fills for one that nothing was written to, either, and no
    layer declares what only other layers use."""
    ntksym.export("mlp:[hardtanh,x^2]:weight_var=1", "c", tmp_path)
    sources = [str(path) for path in sorted(tmp_path.glob("*.c"))]
    assert len(sources) == 3
    run("g++", "-std=c++17", "-fsyntax-only", "-x", "c++", *sources)
    (network,) = (s for s in sources if s.endswith("_mlp.c"))
    flags = ("-std=c99", "-Wall", "-Wextra", "-Wshadow", "-Werror")
    for more in ("-O2", "-O1 -DNTKSYM_PORTABLE"):
        run(*command(), *flags, *more.split(), "-c", "-o", os.devnull, network)


@pytest.mark.parametrize("kind", KINDS)
def test_without_extensions_the_values_are_the_same(kind: str, tmp_path: Path) -> None:
    spec, options = KINDS[kind]
    files = generate(spec, "c", **options).files
    for f in files:
        (tmp_path / f.name).write_text(f.text)
    name = next(f.name for f in files if f.name.endswith(".c"))
    function = f"ntksym_{name.removesuffix('.c')}"
    variances = (0.6, 1.0, 1.9) if options.get("variances") != 1 else (1.0,)
    rho = np.cos(np.linspace(0.0, np.pi, 41))
    points = np.array(
        [(a, r * np.sqrt(a * b), b) for a in variances for b in variances for r in rho]
    )
    q11, q12, q22 = (np.ascontiguousarray(c) for c in points.T)
    found = []
    for more in ((), ("-DNTKSYM_PORTABLE",)):
        out = tmp_path / f"made{len(more)}.so"
        source = str(tmp_path / name)
        run(
            *command(), *FLAGS, "-ffp-contract=off", *more, "-shared", "-o", str(out), source, "-lm"
        )
        made = np.empty((2, len(q11)))
        given = [a.ctypes.data_as(ctypes.c_void_p) for a in (q11, q12, q22, *made)]
        getattr(ctypes.CDLL(str(out)), function)(ctypes.c_size_t(len(q11)), *given)
        assert np.isfinite(made[0]).all()
        found.append(made)
    assert np.abs(found[1] - found[0]).max() <= 2e-15 * np.abs(found[0]).max()
    plain = own_lines(run(*command(), "-E", "-DNTKSYM_PORTABLE", str(tmp_path / name)), tmp_path)
    assert "ntksym_" in plain and not BEYOND_C.search(plain)


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_a_compiler_with_a_space_in_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(script(tmp_path / "my tools" / "cc", f'exec "{shutil.which(command()[0])}" "$@"'))
    monkeypatch.setenv("CC", path)
    assert compiler.find_compiler().command == (path,)
    monkeypatch.setenv("CC", f"'{path}' -DMINE")
    assert compiler.find_compiler().command == (path, "-DMINE")
    monkeypatch.setenv("CC", "an 'open quote")
    with pytest.raises(NoCompiler, match="an 'open quote: not found"):
        compiler.find_compiler()


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="a shell script")
def test_a_compiler_that_does_not_end_is_not_asked_for_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes long is no refusal of -march=native, which would be remembered."""
    path = script(
        tmp_path / "cc", f'[ "$1" = --version ] && exit; echo >> "{tmp_path}/asked"; sleep 9'
    )
    monkeypatch.setattr(compiler, "FIRST_LIMIT", 0.2)
    monkeypatch.setenv("CC", str(path))
    with pytest.raises(NoCompiler, match=r"does not compile a line of C in 0\.2 s"):
        compiler.find_compiler()
    assert (tmp_path / "asked").read_text() == "\n"


def test_what_is_chosen_by_several_conditions_stands_in_parentheses() -> None:
    """Clang warns of `a & b ? c : d`, and readers ask which comes first."""
    sources = Path(ntksym.__file__).parent / "backends" / "c"
    loose = re.compile(r"[^&|(]*\([^()]*\) [&|] \([^()]*\) \?")
    found = [
        f"{path.name}:{n}: {line.strip()}"
        for path in sorted(sources.rglob("*.py"))
        for n, line in enumerate(path.read_text().splitlines(), 1)
        if loose.search(line)
    ]
    assert not found


def test_clang_is_told_that_both_sides_of_a_condition_are_computed() -> None:
    """Its warnings of & and | between conditions are part of -Wall, and -Werror refuses them."""
    text = header()
    for name in ("bitwise-instead-of-logical", "bitwise-conditional-parentheses"):
        line = f'#pragma clang diagnostic ignored "-W{name}"\n'
        assert "#ifdef __clang__" in text[: text.index(line)].rpartition("#endif")[2]
