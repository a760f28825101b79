"""What the whole run shares: bytecode, the command line in this process, quick C."""

from __future__ import annotations

import gc
import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from typing import Any

import pytest

# About a hundred tests start an interpreter of their own.  Where no bytecode may be written each of
# them compiles the package anew, which takes longer than most of what they test.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Imports and collection make many objects that stay: looking for cycles as often as Python does takes
# two seconds of them.
gc.set_threshold(100_000, 10, 10)


def pytest_collection_finish() -> None:
    """What was imported and collected stays until the end: no collection walks through it again."""
    gc.collect()
    gc.freeze()


USUAL = {
    "backends", "bench_activations", "c_lanes", "c_vectors", "cli_programs", "codegen",
    "generated_accuracy", "generated_kernels", "gradient_library", "gradient_unit_library",
    "hash_seeds", "kernel_input", "large", "neighbours", "package", "parts", "portable_c",
    "readme", "recipes", "renumbered", "runtime", "runtime_hard", "runtime_programs",
    "sanitizers", "series_code", "soon", "threads", "ufunc",
}  # fmt: skip
"""Files of tests that are about the compiler, or prove the numbers of the usual flags: of every
operation, every dual of the catalogue, networks, floats and exported gradients."""


def _quick(patch: pytest.MonkeyPatch) -> None:
    usual = os.environ.get("CC", "cc")
    if shutil.which(shlex.split(usual)[0]) and shutil.which("sh"):
        patch.setenv("CC", f"sh -c 'exec \"$@\" -Og' quick {usual}")


@pytest.fixture
def quick_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """C in a third of the compiler's time, for what is compared in numbers: -Og has the bits of the
    usual flags, since neither contracts or reorders anything (`test_quick_c_has_the_same_bits`).
    """
    _quick(monkeypatch)


@pytest.fixture(scope="module", autouse=True)
def quick_files(request: pytest.FixtureRequest) -> Iterator[None]:
    """Quick C for every test of a file that is not in `USUAL`."""
    if request.path.stem.removeprefix("test_") in USUAL:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        _quick(patch)
        yield


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command line in this process: the worker's code is called instead of started.

    What a process of its own adds (streams, limits, interrupts) is in test_cli_programs.py.
    """
    from click.testing import CliRunner

    from ntksym.cli import options as cli_options
    from ntksym.cli import worker
    from ntksym.cli.app import cli
    from ntksym.cli.launch import WorkerError

    def near(command: str, options: dict, view: dict, time_limit: float, quiet: bool) -> Any:
        answer = worker.run({"command": command, "options": options, "view": view})
        answer = json.loads(json.dumps(answer))  # what a pipe would do to it
        if "error" in answer:
            raise WorkerError(answer["error"], answer["text"], answer["status"])
        return answer["outcome"]

    monkeypatch.setattr(cli_options, "launch", near)
    return lambda *args, **kwargs: CliRunner().invoke(cli, list(args), **kwargs)
