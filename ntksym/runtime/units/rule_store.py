"""Rules for code are built once: kept in memory, and in the verified cache where they are data."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...activation import Activation
from ...errors import NtksymError, Undecided
from ...numeric.patience import TooLong, given_up, remaining
from ...numeric.rules import RULES, Rule, Variances, built
from ..library.cache import cache_directory, digest, is_intact, obtain, recall, remember

PATIENCE = 2.0
"""Seconds after which a line on standard error says what is being built."""
AGAIN = 10.0
"""Seconds between the lines after that."""
SUFFIX = ".json"
LATE = ".late"
"""Of the entry that says in how many seconds a rule was not built."""
_AGAIN_MORE = 1.25
"""With so many times the seconds it is tried again."""
FORMAT = "ntksym rule 2"
"""Part of every key."""


class Kept:
    """As `rules.built`, but each at most once; failures too."""

    def __call__(
        self, rule: Rule, activation: Activation, variances: Variances | None, error: float
    ) -> Any:
        """The dual of a rule.

        Raises:
            Undecided, BadSpec: as `rules.built`.
            TooLong: likewise; raised at once where it was not built in about that time before.
        """
        found = _kept(rule.name, activation, variances, error)
        if isinstance(found, NtksymError):
            raise found
        return found

    def known(
        self, rule: Rule, activation: Activation, variances: Variances | None, error: float
    ) -> bool:
        """Whether the cache on disk has it."""
        name = _key(rule, activation, variances, error) + SUFFIX
        return rule.reader is not None and is_intact(cache_directory() / name)

    @staticmethod
    def looking(
        rule: Rule, activation: Activation, variances: Variances | None, error: float
    ) -> AbstractContextManager[Any]:
        """Lines on standard error while a look at how long building takes is itself long."""
        return _told(_title(rule, activation, variances, error), "a look at how long it takes")

    @staticmethod
    @lru_cache(maxsize=64)
    def tell(line: str) -> None:
        """Write a line to standard error, each once."""
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


kept = Kept()
"""How rules are built at run time."""


@lru_cache(maxsize=512)
def _kept(name: str, activation: Activation, variances: Variances | None, error: float) -> Any:
    rule, seconds = RULES[name], remaining()
    late = _key(rule, activation, variances, error) + LATE
    if seconds is not None and (noted := recall(late)) is not None:
        if seconds <= _AGAIN_MORE * float(noted) and not kept.known(
            rule, activation, variances, error
        ):
            raise given_up(seconds)
    try:
        return _stored(rule, activation, variances, error)
    except TooLong:  # says nothing about the table: only the time is kept
        if seconds is not None:
            remember(late, f"{seconds:.3f}".encode("ascii"))
        raise
    except NtksymError as failed:
        return failed


def _stored(rule: Rule, activation: Activation, variances: Variances | None, error: float) -> Any:
    """From the cache on disk where the dual of the rule can be written as JSON."""
    read = rule.read()
    if read is None:
        return _announced(rule, activation, variances, error)

    def make(_: Path) -> bytes:
        try:
            text = _announced(rule, activation, variances, error).to_json()
        except TooLong:
            raise
        except Undecided as failed:  # as long to find out as a result is
            text = {"undecided": failed.record()}
        return (text if isinstance(text, str) else json.dumps(text)).encode("ascii")

    path = obtain(_key(rule, activation, variances, error), SUFFIX, make)
    text = path.read_text(encoding="ascii")
    if text.startswith('{"undecided"'):
        said = json.loads(text)["undecided"]
        raise Undecided(said["what"], where=said["where"], tried=said["tried"], hint=said["hint"])
    return read(text)


def _key(rule: Rule, activation: Activation, variances: Variances | None, error: float) -> str:
    asked = (rule.name, str(activation.expr), str(variances), repr(error))
    return digest((FORMAT, _makers(), *asked))


def _announced(
    rule: Rule, activation: Activation, variances: Variances | None, error: float
) -> Any:
    """`rules.built`, with lines on standard error where it takes long."""
    with _told(_title(rule, activation, variances, error), "building") as expected:
        if rule.seconds is not None and variances is not None and not activation.params:
            with suppress(Undecided):  # only a guess; the rule itself says what it cannot do
                expected.append(rule.seconds(activation, variances, error))
        return built(rule, activation, variances, error)


def _title(rule: Rule, activation: Activation, variances: Variances | None, error: float) -> str:
    span = "" if variances is None else f" for variances {_shown(variances)}"
    return f"ntksym: {rule.name} dual of {activation.name}{span}, error {error:g}"


@lru_cache(maxsize=1)
def _makers() -> str:
    """A digest of the code that rules are built and proven with: other code, other rules."""
    package = Path(__file__).resolve().parents[2]
    files = sorted(p for part in ("numeric", "verify") for p in (package / part).rglob("*.py"))
    return digest(tuple(p.read_text(encoding="utf-8") for p in files))


def _shown(variances: Variances) -> str:
    low, high = (f"{float(v):.6g}" for v in variances)
    return low if low == high else f"{low} to {high}"


def core_seconds() -> Callable[[], float]:
    """A function for any thread: seconds of a core that the calling one has used from now on.

    Those of the clock where the system does not say.
    """
    try:
        own = time.pthread_getcpuclockid(threading.get_ident())
    except AttributeError:
        begin = time.monotonic()
        return lambda: time.monotonic() - begin
    used = time.clock_gettime(own)
    return lambda: time.clock_gettime(own) - used


def clock_seconds(expected: float, worked: float, passed: float) -> float:
    """Seconds of the clock until `expected` seconds of a core are used up, at the pace so far.

    One second at full pace is counted too: the first moments say nothing yet.
    """
    return (expected - worked) * max((passed + 1) / (worked + 1), 1.0)


@contextmanager
def _told(text: str, doing: str) -> Iterator[list[float]]:
    """Say on standard error what takes long, about how much is left, and when it is done.

    The list that is given out may be told the seconds of one core it is likely to take.
    """
    start, worked = time.monotonic(), core_seconds()
    expected: list[float] = []
    done = threading.Event()

    def say() -> None:
        wait = PATIENCE
        while not done.wait(wait):
            wait = AGAIN
            passed = time.monotonic() - start
            left = clock_seconds(expected[0], worked(), passed) if expected else 0.0
            rest = f"about {left:.0f} s left" if left > 0.5 else "not done yet"
            sys.stderr.write(f"{text}: {doing}, {rest}\n")
            sys.stderr.flush()

    teller = threading.Thread(target=say, daemon=True)
    teller.start()
    try:
        yield expected
    finally:
        done.set()
        teller.join()
        if time.monotonic() - start > PATIENCE:
            sys.stderr.write(f"{text}: {doing}, ended after {time.monotonic() - start:.1f} s\n")
            sys.stderr.flush()
