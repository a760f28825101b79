"""Start a worker, wait for it within the time limit, and stop it where it runs over."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from typing import Any

from ..errors import NtksymError, TimeLimit
from .outcome import CLEANING_SECONDS

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from ntksym.cli.worker import main; main()"
)


class InternalError(NtksymError):
    """A bug of this library."""

    code = "E099"

    def __init__(self, what: str, trace: str = "") -> None:
        super().__init__(what)
        self.trace = trace


class WorkerError(NtksymError):
    """An error of this library, from the worker: its record, its text and its exit status."""

    def __init__(self, record: dict[str, Any], text: str, status: int) -> None:
        super().__init__(str(record["what"]))
        self._record = record
        self._text = text
        self.exit_status = status

    @property
    def text(self) -> str:
        """The message as the worker made it."""
        return getattr(self, "_text", self.what)

    def record(self) -> dict[str, object]:
        """The record as the worker made it."""
        return dict(self._record)


def launch(
    command: str, options: dict[str, Any], view: dict[str, Any], time_limit: float, quiet: bool
) -> dict[str, Any]:
    """The outcome of a command (`payload`, `lines`, `status`) from a worker process.

    Raises:
        WorkerError: an error that the user can act on.
        TimeLimit: the worker ran over and was stopped.
        InternalError: the worker failed.
    """
    request = {"command": command, "options": options, "view": view, "time_limit": time_limit}
    request["parent"] = os.getpid()
    # -P keeps the current directory out of the path: a file there must not pass for a module.
    argv = [sys.executable, "-P", "-c", _START, json.dumps(sys.path)]
    process = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if quiet else None,
        start_new_session=True,
    )
    try:
        raw, _ = process.communicate(json.dumps(request).encode(), timeout=time_limit or None)
    except subprocess.TimeoutExpired:
        raise TimeLimit(
            f"stopped after {time_limit:g} s",
            where=f"ntksym {command}",
            hint="--time-limit SECONDS for more, or 0 for no limit",
        ) from None
    finally:
        _stop(process)
    answer = _answer(raw)
    if answer is None:
        raise InternalError(f"the worker ended with status {process.returncode} and no answer")
    if "internal" in answer:
        raise InternalError(answer["internal"]["what"], answer["internal"]["traceback"])
    if "error" in answer:
        raise WorkerError(answer["error"], answer["text"], answer["status"])
    outcome: dict[str, Any] = answer["outcome"]
    return outcome


def _answer(raw: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(raw)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the worker.  It is asked first, so that it ends the compilers that it started, which
    are in sessions of their own, and removes its temporary files; then it is made to.
    """
    if process.poll() is not None:
        return
    if not hasattr(os, "killpg"):
        process.kill()
        process.wait()
        return
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(CLEANING_SECONDS)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
