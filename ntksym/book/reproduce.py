"""A claim as the input of `ntksym check`: TOML, and a command where a line is enough."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from ..claims import Claim

_KEYS = (
    "id", "quantity", "activation", "f", "g", "definition", "formula", "latex", "where", "params",
    "names", "network", "n", "by", "derivative", "covariance", "tolerance", "source",
)  # fmt: skip
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml(claim: Claim) -> str:
    """The claim as a `[[claim]]` of a TOML file, without what the verdict does not rest on."""
    lines = ["[[claim]]"]
    for key in _KEYS:
        value = getattr(claim, key)
        if key == "covariance":
            value = {name: list(row) for name, row in value}
        if value not in ("", None, {}, ()):
            lines.append(f"{key} = {_value(value)}")
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(str(k))} = {_value(v)}" for k, v in value.items())
        return f"{{ {inside} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(v) for v in value)}]"
    return str(value) if isinstance(value, int) else _string(str(value))


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _string(key)


def _string(text: str) -> str:
    """A literal string where that is possible, so that backslashes stay as they are."""
    plain = "'" not in text and all(c.isprintable() for c in text)
    if "\\" in text and plain:
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def command(claim: Claim) -> str:
    """The command that checks the claim, or "" where it needs a file."""
    more = (
        claim.where, claim.params, claim.names, claim.network, claim.by, claim.derivative, claim.f,
        claim.g, claim.definition, claim.covariance, claim.tolerance, claim.latex,
    )  # fmt: skip
    simple = isinstance(claim.formula, str) and claim.formula and claim.activation
    if not simple or any(more) or claim.n is not None:
        return ""
    parts = ["--activation", claim.activation, "--quantity", claim.quantity]
    parts += ["--formula", str(claim.formula)]
    return "ntksym check " + " ".join(shlex.quote(p) for p in parts)
