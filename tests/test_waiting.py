"""What takes long says so, on standard error and in time; nothing else is written there."""

from __future__ import annotations

import importlib
import json
import threading
import time
from typing import Any

import numpy as np
import pytest

import ntksym
from ntksym import waiting
from ntksym.cli import outcome, worker
from ntksym.cli.terminal import Settings
from ntksym.runtime import fresh as fresh_module


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal where tasks of a fiftieth of a second are long."""
    monkeypatch.setattr(waiting, "PATIENCE", 0.02)
    monkeypatch.setattr(waiting, "_is_watched", lambda: True)


@pytest.mark.usefixtures("soon")
def test_the_innermost_task_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with waiting.told("compile x", "compiling"):
        with waiting.told("table of x", "building"):
            time.sleep(0.15)
        inner = capsys.readouterr().err
    assert inner.startswith("ntksym: table of x: building, not done yet\n")
    assert "ntksym: table of x: building, ended after 0." in inner
    assert "compile" not in inner + capsys.readouterr().err  # its own next line is ten seconds off


def test_in_a_file_what_is_soon_done_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(waiting, "PATIENCE", 0.01)
    with waiting.told("x", "building"):
        time.sleep(0.05)
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("soon")
def test_long_work_from_python_names_its_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ntksym.numeric import verdict

    checks = importlib.import_module("ntksym.check.check")

    def slow(*_: Any, progress: Any = None, **__: Any) -> str:
        if progress is not None:
            progress("at point 1 of 12")
        time.sleep(0.15)
        return "found"

    monkeypatch.setattr(verdict, "prove_closed", slow)
    monkeypatch.setattr(checks, "check_one", slow)
    assert verdict.prove("relu") == "found"
    said = capsys.readouterr().err
    assert said.startswith("ntksym: prove relu: at point 1 of 12, not done yet\n")
    claim = ntksym.Claim(id="mine", activation="relu", quantity="nngp", formula="q12")
    ntksym.check((claim,))
    assert "ntksym: check: judged 0 of 1 claims: mine, not done yet\n" in capsys.readouterr().err
    steps: list[str] = []
    verdict.prove("relu", progress=steps.append)
    assert steps == ["at point 1 of 12"] and capsys.readouterr().err == ""


@pytest.mark.usefixtures("soon")
def test_compiling_says_so_and_calls_do_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    monkeypatch.setenv("NTKSYM_CACHE", str(tmp_path))
    made = fresh_module.fresh

    def slow(*given: Any) -> Any:
        time.sleep(0.1)
        return made(*given)

    monkeypatch.setattr(fresh_module, "fresh", slow)
    k = ntksym.compile("mlp:relu", target="numpy", cache=False)
    said = capsys.readouterr().err
    assert "ntksym: compile mlp:relu: deriving, generating, compiling, not done yet\n" in said
    assert "compiling, ended after" in said
    X = np.eye(2)
    begun = count_threads(monkeypatch)
    k(X)
    assert begun == [] and capsys.readouterr().err == ""
    k.gradient(X)
    k.gradient(X)
    assert len(begun) == 1  # the first call alone compiles


@pytest.mark.usefixtures("soon")
def test_a_kernel_for_a_range_says_so_when_it_is_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ntksym.runtime.units.ranged import RangedDual

    def make(span: Any) -> Any:
        time.sleep(0.1)
        return lambda *q, **_: q

    k = RangedDual(make, name="mish", target="numpy")
    k(1.0, 0.5, 2.0)
    said = capsys.readouterr().err
    assert said.startswith("ntksym: compile mish for variances 1 to 2: deriving, gener")
    begun = count_threads(monkeypatch)
    k(1.5, 0.5, 2.0)
    assert begun == []


def count_threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that are begun from now on."""
    begun: list[str] = []
    tell = waiting._tell

    def counted(task: Any, line: Any, done: threading.Event) -> None:
        begun.append(line())
        tell(task, line, done)

    monkeypatch.setattr(waiting, "_tell", counted)
    return begun


def test_every_command_shows_that_time_passes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command that notes nothing too, and what is built inside it by its own name."""
    from types import SimpleNamespace

    monkeypatch.setattr(outcome, "BEAT", 0.01)
    clock = [0.0]
    monkeypatch.setattr(outcome, "monotonic", lambda: clock[0])

    def work(options: Any, view: Any) -> outcome.Outcome:
        view.note("proving")
        clock[0] = 61.0
        time.sleep(0.1)
        with waiting.told("table of x", "building"):
            time.sleep(0.1)
        return outcome.Outcome({}, ())

    monkeypatch.setattr(worker, "import_module", lambda _: SimpleNamespace(work=work))

    def said(**view: Any) -> str:
        clock[0] = 0.0
        asked = {"command": "slow", "options": {}, "view": view}
        assert "outcome" in worker.run(json.loads(json.dumps(asked)))
        return capsys.readouterr().err

    shown = said(progress=True).split("\r\x1b[K")
    assert shown[1] == "proving" and {"proving (61 s)", "table of x: building (61 s)"} <= {*shown}
    assert said(log=True) == "ntksym: proving\n"
    assert said() == ""
    quiet, as_json = Settings(quiet=True).view(), Settings(json=True).view()
    assert not quiet["log"] and not as_json["log"]  # an error is JSON there


def test_a_long_line_keeps_its_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    view = outcome.View(width=40, progress=True, begun=outcome.monotonic() - 9.0)
    view.note("x" * 100)
    shown = capsys.readouterr().err.removeprefix("\r\x1b[K")
    assert len(shown) == 39 and shown.endswith("x (9 s)")
