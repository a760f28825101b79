"""Judging in processes of its own, so that a time limit can stop even a call that never returns.

Each process reads claims as lines of JSON and answers with lines of JSON; one that runs over its
time is killed and replaced.  Nothing is pickled.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from queue import SimpleQueue
from time import perf_counter
from typing import IO, Any

from ..claims import Claim
from ..claims.read import read_claim
from ..errors import NtksymError
from ..verify.report import Verdict
from .judgement import Judgement
from .record import claim_record, judgement, record

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from ntksym.check.pool import serve; serve()"
)
_START_SECONDS = 60.0


def check_in_processes(
    claims: tuple[Claim, ...],
    digits: int,
    time_limit: float,
    jobs: int | None,
    progress: Callable[[int, int, str], None] | None,
) -> tuple[Judgement, ...]:
    """The judgements, in order; a claim beyond its time is undecided."""
    count = max(1, min(jobs or os.cpu_count() or 1, len(claims)))
    idle: SimpleQueue[_Worker] = SimpleQueue()
    for _ in range(count):
        idle.put(_Worker())
    done = 0
    lock = threading.Lock()

    def one(claim: Claim) -> Judgement:
        nonlocal done
        worker = idle.get()
        try:
            return worker.judge(claim, digits, time_limit)
        finally:
            idle.put(worker)
            with lock:
                done += 1
                if progress is not None:
                    progress(done, len(claims), claim.id)

    try:
        with ThreadPoolExecutor(count) as threads:
            return tuple(threads.map(one, claims))
    finally:
        for _ in range(count):
            idle.get().stop()


class _Worker:
    """One process, started on first use and again after it was stopped."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def judge(self, claim: Claim, digits: int, seconds: float) -> Judgement:
        """The judgement, or an undecided one when the time is over."""
        if self.process is None:
            self._ask("{}", _START_SECONDS)
        request = json.dumps({"claim": claim_record(claim), "digits": digits})
        begin = perf_counter()
        answer = self._ask(request, seconds)
        reason = ""
        if answer is None:
            late = perf_counter() - begin >= seconds
            reason = f"stopped after {seconds:g} s: the time limit for one claim"
            if not late:
                reason = "internal error: the judging process ended"
        elif "internal" in (found := json.loads(answer)):
            self.stop()
            reason = f"internal error: {found['internal']}; please report it"
        if reason:
            spent = perf_counter() - begin
            return Judgement(claim, Verdict.UNDECIDED, error=reason, seconds=spent)
        return replace(judgement(claim, found), claim=claim)

    def _ask(self, line: str, seconds: float) -> str | None:
        process = self.process or self._start()
        assert process.stdin is not None and process.stdout is not None
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        finally:
            timer.cancel()
        if not answer.endswith("\n"):
            self.stop()
            return None
        return answer

    def _start(self) -> subprocess.Popen[str]:
        argv = [sys.executable, "-P", "-c", _START, json.dumps(sys.path)]
        self.process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        return self.process

    def stop(self) -> None:
        """End the process."""
        if self.process is None:
            return
        self.process.kill()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue
        self.process.wait()
        self.process = None


def _reporter(stream: IO[str]) -> Any:
    """What the process says when it ends by an error that is none of this library's."""

    def report(kind: type[BaseException], error: BaseException, trace: object) -> None:
        stream.write(json.dumps({"internal": f"{kind.__name__}: {error}"[:500]}) + "\n")
        stream.flush()

    return report


def serve() -> None:
    """Answer requests until standard input ends."""
    from .check import check_one, unreadable

    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # a stray print cannot mix with the answers
    sys.excepthook = _reporter(stream)
    for line in sys.stdin:
        request = json.loads(line)
        answer = {}
        if request:
            try:
                claim = read_claim(request["claim"])
                found = check_one(claim, request["digits"])
            except NtksymError as error:
                found = unreadable(Claim(id=request["claim"].get("id", "")), error)
            answer = record(found)
        stream.write(json.dumps(answer) + "\n")
        stream.flush()
