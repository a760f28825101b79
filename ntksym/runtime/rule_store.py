"""Rules for code are built once: kept in memory, and in the verified cache where they are data."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..activation import Activation
from ..errors import NtksymError, Undecided
from ..numeric.rules import RULES, Rule, Variances, built
from .cache import digest, obtain

PATIENCE = 2.0
"""Seconds after which a line on standard error says what is being built."""
FORMAT = "ntksym rule 1"
"""Part of every key."""


def kept(rule: Rule, activation: Activation, variances: Variances | None, error: float) -> Any:
    """As `rules.built`, but each at most once; failures too.

    Raises:
        Undecided, BadSpec: as `rules.built`.
    """
    found = _kept(rule.name, activation, variances, error)
    if isinstance(found, NtksymError):
        raise found
    return found


@lru_cache(maxsize=512)
def _kept(name: str, activation: Activation, variances: Variances | None, error: float) -> Any:
    rule = RULES[name]
    span = "" if variances is None else f" for variances {_shown(variances)}"
    try:
        with _told(f"ntksym: {name} dual of {activation.name}{span}, error {error:g}"):
            return _stored(rule, activation, variances, error)
    except NtksymError as failed:
        return failed


def _stored(rule: Rule, activation: Activation, variances: Variances | None, error: float) -> Any:
    """From the cache on disk where the dual of the rule can be written as JSON."""
    read = rule.read()
    if read is None:
        return built(rule, activation, variances, error)
    asked = (rule.name, str(activation.expr), str(variances), repr(error))
    key = digest((FORMAT, _makers(), *asked))

    def make(_: Path) -> bytes:
        try:
            text = built(rule, activation, variances, error).to_json()
        except Undecided as failed:  # as long to find out as a result is
            text = {"undecided": failed.record()}
        return (text if isinstance(text, str) else json.dumps(text)).encode("ascii")

    path = obtain(key, ".json", make)
    text = path.read_text(encoding="ascii")
    if text.startswith('{"undecided"'):
        said = json.loads(text)["undecided"]
        raise Undecided(said["what"], where=said["where"], tried=said["tried"], hint=said["hint"])
    return read(text)


@lru_cache(maxsize=1)
def _makers() -> str:
    """A digest of the code that rules are built and proven with: other code, other rules."""
    package = Path(__file__).resolve().parent.parent
    files = sorted(p for part in ("numeric", "verify") for p in (package / part).rglob("*.py"))
    return digest(tuple(p.read_text(encoding="utf-8") for p in files))


def _shown(variances: Variances) -> str:
    low, high = (f"{float(v):.6g}" for v in variances)
    return low if low == high else f"{low} to {high}"


@contextmanager
def _told(text: str) -> Iterator[None]:
    """Say on standard error what takes long, and when it is done."""
    start = time.monotonic()
    said = threading.Event()

    def say() -> None:
        said.set()
        sys.stderr.write(f"{text}: building ...\n")
        sys.stderr.flush()

    timer = threading.Timer(PATIENCE, say)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if said.is_set():
            sys.stderr.write(f"{text}: {time.monotonic() - start:.1f} s\n")
            sys.stderr.flush()
