"""Rules for code are built once: kept in memory, and in the verified cache where they are data."""

from __future__ import annotations

import json
import sys
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...activation import Activation
from ...errors import NtksymError, Undecided
from ...numeric.patience import TooLong, given_up, remaining
from ...numeric.rules import NNGP, RULES, Rule, Variances, built, title
from ...waiting import told
from ..library.cache import cache_directory, digest, is_intact, obtain, recall, remember

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
        return told(title(rule, activation, variances, error), "a look at how long it takes")

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
    rule, seconds = RULES.get(name, NNGP), remaining()
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
        return built(rule, activation, variances, error, look=True)

    def make(_: Path) -> bytes:
        try:
            text = built(rule, activation, variances, error, look=True).to_json()
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


@lru_cache(maxsize=1)
def _makers() -> str:
    """A digest of the code that rules are built and proven with: other code, other rules."""
    package = Path(__file__).resolve().parents[2]
    files = sorted(p for part in ("numeric", "verify") for p in (package / part).rglob("*.py"))
    return digest(tuple(p.read_text(encoding="utf-8") for p in files))
