"""The manifest of the shelf: what `codegen/` is to hold, in TOML, by hand."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path

from ..errors import BadSpec
from .files import TARGETS
from .lowered import Lowered, lower_any

BUDGET = 64.0
"""Errors above this many eps stop an export unless the manifest allows more (`eps_max`)."""


def sha256(text: str) -> str:
    """SHA-256 of ASCII text, in hexadecimal."""
    return hashlib.sha256(text.encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """One `[[kernel]]` of the manifest."""

    name: str
    activation: str
    network: str
    targets: tuple[str, ...]
    values: tuple[tuple[str, float], ...]
    eps_max: float

    def lower(self) -> Lowered:
        """The programs of the entry."""
        if self.network:
            return lower_any(self.network, self.name)
        from ..activations import named

        return lower_any(named(self.activation), self.name)


def read_manifest(path: Path) -> tuple[Entry, ...]:
    """The entries of a manifest, in order.

    Raises:
        BadSpec: not TOML, an unknown key, a name twice, neither an activation nor a network.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSpec(
            f"cannot read {path}", where=str(error), hint="a TOML file of [[kernel]] tables"
        ) from error
    known = {"name", "activation", "network", "targets", "values", "eps_max"}
    entries: list[Entry] = []
    for row in data.get("kernel", []):
        if unknown := sorted(set(row) - known):
            raise BadSpec(
                f"unknown key {unknown[0]!r}", where=f"{path}: {row}", hint=", ".join(sorted(known))
            )
        if ("activation" in row) == ("network" in row):
            raise BadSpec(
                "an activation or a network is needed",
                where=f"{path}: {row}",
                hint="one of the two",
            )
        name = str(row.get("name", row.get("activation", "")))
        if not name or name in {e.name for e in entries}:
            raise BadSpec(
                f"the name {name!r} is missing or used twice", where=str(path), hint='name = "..."'
            )
        entries.append(
            Entry(
                name,
                str(row.get("activation", "")),
                str(row.get("network", "")),
                tuple(row.get("targets", TARGETS)),
                tuple(sorted((k, float(v)) for k, v in row.get("values", {}).items())),
                float(row.get("eps_max", BUDGET)),
            )
        )
    return tuple(entries)
