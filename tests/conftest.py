"""What the whole run shares: bytecode, the command line in this process, quick C."""

from __future__ import annotations

import gc
import json
import os
import shlex
import shutil
import sys
from typing import Any

import pytest

# About a hundred tests start an interpreter of their own.  Where no bytecode may be written each of
# them compiles the package anew, which takes longer than most of what they test.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Formulas and balls are many small objects in few cycles: looking for cycles as often as Python does
# takes a sixth of a derivation.
gc.set_threshold(100_000, 10, 10)


def pytest_collection_finish() -> None:
    """What was imported and collected stays until the end: no collection walks through it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def quick_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """C in a third of the compiler's time, for what is compared in numbers: -Og has the bits of the usual
    flags, since neither contracts or reorders anything (`test_quick_c_has_the_same_bits`).
    """
    usual = os.environ.get("CC", "cc")
    if shutil.which(shlex.split(usual)[0]) and shutil.which("sh"):
        monkeypatch.setenv("CC", f"sh -c 'exec \"$@\" -Og' quick {usual}")


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
