"""Recipes: what a call of `compile` came to, so that the same call derives and generates nothing.

A recipe has the generated files and what else a kernel is made of.  Its key has what was asked,
spelled out, and a digest of the code of this package with the versions of what it derives with:
other code, other recipes.  The files are compiled as always, from a cache that knows the compiler
and the processor.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .cache import digest, recall, remember

FORMAT = "ntksym recipe 1"
"""Part of every key."""
DERIVED_WITH = ("sympy", "mpmath", "flint", "numpy", "scipy", "lark")
"""Packages whose versions are in every key."""
_WORDS = (".dist-info", ".egg-info")


def recipe_key(*parts: str | None) -> str | None:
    """The key of a request, or None where it, or the code that answers it, has no text."""
    code = makers()
    if code is None or any(p is None for p in parts) or not _own_rules():
        return None
    return digest((FORMAT, code, *(p for p in parts if p is not None)))


def read_recipe(key: str | None) -> Any:
    """The recipe, or None: there is none, or not a whole one."""
    data = None if key is None else recall(key)
    if data is None:
        return None
    try:
        return json.loads(data)
    except ValueError:
        return None


def write_recipe(key: str | None, recipe: Any) -> None:
    """Keep a recipe for the next time; nothing happens where the cache cannot be written."""
    if key is not None and recipe is not None:
        remember(key, json.dumps(recipe, separators=(",", ":")).encode("ascii"))


def _own_rules() -> bool:
    """Whether duals are made by the rules of this package, if any were loaded."""
    rules: Any = sys.modules.get("ntksym.numeric.rules")
    return rules is None or bool(rules.are_own())


@lru_cache(maxsize=1)
def makers() -> str | None:
    """A digest of the code that makes kernels; None where it was edited while this program ran.

    A note says what the files came to that have these sizes and times: reading all of them takes
    longer than the rest of a compile from the cache.
    """
    package = str(Path(__file__).resolve().parents[2])
    begun: float = sys.modules[__name__.partition(".")[0]].BEGUN  # type: ignore[attr-defined]
    try:
        files = [(path, os.stat(path)) for path in _sources(package)]
        if any(s.st_mtime >= begun for _, s in files):
            return None
        seen = digest((FORMAT, *(_told(path, s) for path, s in files)))
        code = (recall(seen) or b"").decode("ascii")
        if not code:
            code = _content(package, [path for path, _ in files])
            remember(seen, code.encode("ascii"))
    except OSError:  # a package in an archive, or a file that went away
        return None
    return digest((code, sys.version, *map(_version, DERIVED_WITH)))


def _told(path: str, s: os.stat_result) -> str:
    """What tells a file from what it was before an edit."""
    return f"{path} {s.st_dev} {s.st_ino} {s.st_size} {s.st_mtime_ns} {s.st_ctime_ns}"


def _content(package: str, paths: list[str]) -> str:
    h = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as stream:
            data = stream.read()
        h.update(f"{path[len(package) :]}:{len(data)}:".encode())
        h.update(data)
    return h.hexdigest()


def _sources(directory: str) -> list[str]:
    found = []
    for entry in sorted(os.scandir(directory), key=lambda e: e.name):
        if entry.is_dir(follow_symlinks=False):
            if entry.name != "__pycache__":
                found += _sources(entry.path)
        elif entry.name.endswith((".py", ".lark")):
            found.append(entry.path)
    return found


def _version(name: str) -> str:
    """Name and version of an installed package, as the directory beside it says."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        return f"{name}: none"
    home = Path(spec.origin).parent.parent
    own = name.replace("-", "_").lower()
    said = [d for d in _installed(str(home)) if own in d.partition("-")[0].lower()]
    return f"{name}: {' '.join(said)} {os.stat(spec.origin).st_size}"


@lru_cache(maxsize=4)
def _installed(home: str) -> tuple[str, ...]:
    return tuple(sorted(d for d in os.listdir(home) if d.endswith(_WORDS)))
