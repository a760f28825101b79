"""The command line as a program of its own: imports, streams, limits, interrupts, reports."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from cli_cases import data, run

from ntksym.cli import launch

# -- processes ---------------------------------------------------------------------------------------


def test_nothing_heavy_is_imported_for_the_version() -> None:
    code = (
        "import sys; from ntksym.cli import main\n"
        "try: main(['--version'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'sympy', 'numpy', 'flint', 'rich', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0].startswith("ntksym ")
    assert done.stdout.splitlines()[1] == "[]"


def test_importing_the_package_is_light_and_dual_stays_a_function() -> None:
    code = (
        "import sys, ntksym\n"
        "assert not {'sympy', 'click'} & set(sys.modules)\n"
        "import ntksym.network, ntksym.dual, ntksym.export.files\n"
        "assert callable(ntksym.dual) and callable(ntksym.export) and callable(ntksym.compile)\n"
        "missing = [n for n in ntksym.__all__ if getattr(ntksym, n, None) is None]\n"
        "assert not missing, missing\n"
        "print(ntksym.dual('max(x, 0)').diag)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "q/2\n", done.stderr


def test_a_closed_form_needs_no_arrays() -> None:
    """Rules for code, and NumPy with them, are imported where one is built."""
    code = (
        "import sys; from ntksym.cli import worker\n"
        "options = dict(expression='relu', params={}, steps=False, full=False, latex=True,\n"
        "    mean=False, gradients=False, why=False, method='auto', error=None, variance=None)\n"
        "made = worker.run({'command': 'derive', 'options': options, 'view': {}})\n"
        "print(made.get('error'), sorted({'numpy', 'ntksym.runtime'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "None []\n", done.stderr


def test_results_only_on_standard_output() -> None:
    done = run("derive", "gelu", "--json")
    assert done.returncode == 0
    assert done.stderr == ""
    assert data(done)["name"] == "gelu"


def test_the_same_bytes_under_every_hash_seed() -> None:
    outputs = {
        run("derive", "elu", "--json", env={"PYTHONHASHSEED": seed}).stdout for seed in ("0", "77")
    }
    assert len(outputs) == 1


def test_time_limit() -> None:
    before = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    done = run("prove", "scaled_elu", "--digits", "200", "--time-limit", "0.3", "--json")
    assert sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - before < 5
    assert done.returncode == 4
    assert data(done)["error"]["kind"] == "TimeLimit"


def test_no_file_of_the_current_directory_is_run(tmp_path: Any) -> None:
    for name in ("sympy", "json", "click", "flint"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('ran a file of this directory')\n")
    code = "import sys; sys.path.remove('') if '' in sys.path else None; from ntksym.cli import main; main(['derive', 'x'])"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr


def test_ascii_terminals_get_ascii() -> None:
    done = run("derive", "gelu", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "?" not in done.stdout


@pytest.mark.skipif(not shutil.which("ps"), reason="no ps to see programs with")
def test_interrupt() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ntksym", "prove", "scaled_elu", "--digits", "200"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_interruptible,
    )
    while not _children(process.pid):  # before that, Python itself may be starting
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert out == ""
    assert err.strip() == "error: interrupted"


@pytest.mark.parametrize("how", ["interrupt", "time limit"])
def test_a_command_that_is_stopped_leaves_no_compiler(how: str, tmp_path: Path) -> None:
    """Compilers are in sessions of their own: who kills the worker alone leaves them running."""
    slow, pids = tmp_path / "slow-cc", tmp_path / "pids"
    slow.write_text(f"#!/bin/sh\necho $$ > {pids}.new && mv {pids}.new {pids}\nexec sleep 60\n")
    slow.chmod(0o755)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    own = {"CC": str(slow), "TMPDIR": str(scratch), "NTKSYM_CACHE": str(tmp_path / "cache")}
    for limit in (2, 8, 32):  # seconds of a clock: a busy machine may not come to a compiler
        options = ["--time-limit", str(limit)] if how == "time limit" else []
        process = subprocess.Popen(
            [sys.executable, "-m", "ntksym", "doctor", *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | own,
            start_new_session=True,
            preexec_fn=_interruptible,
        )
        while not pids.exists() and process.poll() is None:
            time.sleep(0.02)
        if pids.exists() and how == "interrupt":
            os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
        if pids.exists() or how == "interrupt":
            break
    assert process.returncode == (130 if how == "interrupt" else 4), err
    assert how == "time limit" or err.strip() == "error: interrupted"
    with pytest.raises(ProcessLookupError):
        for _ in range(100):  # until it is not only dead, but gone
            os.killpg(int(pids.read_text()), 0)
            time.sleep(0.02)
    assert not list(scratch.iterdir())


def test_an_interrupt_while_the_program_loads() -> None:
    code = (
        "import sys, signal; from ntksym.cli import main\n"
        "class Late:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'click': signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Late()); main(['derive', 'relu'])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=_interruptible)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "\nerror: interrupted\n")


@pytest.mark.skipif(not shutil.which("ps"), reason="no ps to see programs with")
def test_a_worker_ends_with_the_program_that_started_it() -> None:
    long = "mish --variance 0.01:100 --method tabulated --error 1e-13".split()
    asked = subprocess.Popen(
        [sys.executable, "-m", "ntksym", "derive", *long],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    workers: list[str] = []
    while not workers:
        assert asked.poll() is None
        time.sleep(0.1)
        workers = _children(asked.pid)
    asked.kill()
    asked.wait()
    until = time.monotonic() + 10
    while any(_runs(worker) for worker in workers):
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_worker_whose_program_was_gone_before_it_read_ends_too() -> None:
    waits = "import time, ntksym.cli.cite as c; c.work = lambda *_: time.sleep(60); main()"
    asked = {"command": "cite", "options": {}, "view": {"progress": False}, "parent": os.getppid()}
    worker = subprocess.Popen(
        [sys.executable, "-P", "-c", launch._START.replace("main()", waits), json.dumps(sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    said, _ = worker.communicate(json.dumps(asked).encode(), timeout=30)
    assert worker.returncode != 0 and b'"outcome"' not in said


def _interruptible() -> None:
    """Before a program begins: what a shell started in the background ignores interrupts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _children(pid: int) -> list[str]:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True
    )
    return listed.stdout.split()


def _runs(pid: str) -> bool:
    listed = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True)
    return listed.stdout.strip()[:1] not in ("", "Z")


@pytest.mark.parametrize("debug", [False, True])
def test_internal_errors_have_a_report_and_no_traceback(tmp_path: Any, debug: bool) -> None:
    # The worker imports the command by name: a copy of cite with a bug stands in for it.
    code = (
        "import sys, ntksym.cli.launch as launch\n"
        "launch._START = launch._START.replace('main()',"
        " 'import ntksym.cli.cite as c; c.work = lambda o, v: 1 // 0; main()')\n"
        "from ntksym.cli import main\n"
        "main(sys.argv[1:])"
    )
    args = ["cite", "relu"] + (["--debug"] if debug else [])
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True)
    assert done.returncode == 70
    assert done.stdout == ""
    assert "this is a bug of ntksym, not of the input" in done.stderr
    assert "ZeroDivisionError" in done.stderr
    assert ("Traceback" in done.stderr) == debug


def test_a_reader_that_leaves_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ntksym", "catalogue", "relu"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert error == ""


def test_reasons_are_folded_to_the_width() -> None:
    from types import SimpleNamespace

    from ntksym.cli.options import why_lines

    reasons = ("one: " + "word " * 40, "  |f(x) - sum| <= 1e-15")
    choice = SimpleNamespace(activation=SimpleNamespace(expr="x"), lines=reasons)
    shown = [text for _, text in why_lines((choice,), 60)]
    assert max(map(len, shown)) <= 60 and " ".join(shown).count("word") == 40
    assert shown[3].startswith("    word") and shown[-1] == "    |f(x) - sum| <= 1e-15"


def test_progress_in_a_file_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ntksym.cli import outcome
    from ntksym.cli.terminal import Settings

    assert Settings().view()["log"] and not Settings(quiet=True).view()["log"]
    clock = [0.0]
    monkeypatch.setattr(outcome, "monotonic", lambda: clock[0])
    view = outcome.View(log=True, said=[0.0])
    for clock[0] in (1.0, 29.0, 31.0, 32.0, 62.0):
        view.note(f"{clock[0]:g} of 99 tiles")
    outcome.View().note("nothing")
    assert capsys.readouterr().err == "ntksym: 31 of 99 tiles\nntksym: 62 of 99 tiles\n"
