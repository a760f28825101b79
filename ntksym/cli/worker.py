"""The worker: one command in a process of its own, which can be stopped at any moment.

The request is JSON on standard input, the answer JSON on standard output; whatever a library
prints goes to standard error instead.  Nothing is pickled.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from importlib import import_module
from types import TracebackType
from typing import IO, Any

from ..errors import NtksymError
from ..waiting import shown_by
from .outcome import CLEANING_SECONDS, Outcome, View

GRACE_SECONDS = 10
WATCH_SECONDS = 0.5


def run(request: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request: {"outcome": ...} or {"error": ...}.

    Anything but an error of this library passes through: it is an internal error.
    """
    module = import_module(f"{__package__}.{request['command']}")
    view = View(**request["view"])
    try:
        with view.beating(), shown_by(view.during):
            outcome: Outcome = module.work(request["options"], view)
    except NtksymError as error:
        return {"error": error.record(), "text": error.text, "status": error.exit_status}
    return {
        "outcome": {
            "payload": outcome.payload,
            "lines": [list(line) for line in outcome.lines],
            "status": outcome.status,
        }
    }


def main() -> None:
    """Read the request, run it, write the answer."""
    gc.set_threshold(100_000, 50, 100)  # imports make many objects and hardly any garbage
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # from here on, a stray print cannot mix with the answer
    sys.excepthook = _reporter(stream)
    signal.signal(signal.SIGTERM, _stopped)
    request = json.load(sys.stdin)
    warnings.showwarning = _warner(bool(request["view"]["progress"]))
    _end_with(request["parent"])
    _limit_cpu(request.get("time_limit"))
    answer = run(request)
    if request["view"]["progress"]:
        sys.stderr.write("\r\x1b[K")
    _write(stream, answer)


def _write(stream: IO[str], answer: dict[str, Any]) -> None:
    json.dump(answer, stream)
    stream.flush()


def _reporter(stream: IO[str]) -> Any:
    def report(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        text = "".join(traceback.format_exception(kind, error, trace))
        name = f"{kind.__name__}: {error}"
        _write(stream, {"internal": {"what": name[:2000], "traceback": text[-20_000:]}})

    return report


def _warner(live: bool) -> Callable[..., None]:
    """How a warning looks on the command line: its text, without the line of the library.

    Where progress is shown on the last line, that line is cleared first.
    """

    def warn(message: Warning | str, *_: object, **__: object) -> None:
        clear = "\r\x1b[K" if live else ""
        sys.stderr.write(f"{clear}warning: {message}\n")
        sys.stderr.flush()

    return warn


def _stopped(*_: object) -> None:
    """Leave as after Ctrl-C, which ends compilers and removes temporary files; say nothing."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    raise KeyboardInterrupt


def _end_with(parent: int) -> None:
    """End this program, and a compiler that it started, when the one that asked is gone.

    It may have gone before the request was read: then the parent is another already.
    """
    if not hasattr(os, "killpg") or os.getpgrp() != os.getpid():
        return  # Windows, or started by hand: the group is not its own

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(CLEANING_SECONDS)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def _limit_cpu(seconds: float | None) -> None:
    """A second line of defence: a worker whose parent died does not run for ever."""
    if not seconds:
        return
    try:
        import resource
    except ImportError:  # not on Windows
        return
    # Compiled code may use several threads, so processor time can pass faster than the clock.
    most = int(seconds * (os.cpu_count() or 1)) + GRACE_SECONDS
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (most, hard))
