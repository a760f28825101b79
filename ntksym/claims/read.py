"""Claims from TOML: every key is checked, one bad claim does not hide the others."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ..errors import BadSpec, NtksymError
from ..language.messages import nearest
from .claim import Claim

MAX_BYTES = 64_000_000
MAX_CLAIMS = 10_000
_LONGEST_TEXT = 20_000
_TOML = "[[claim]] tables; '...' around LaTeX, '''...''' around LaTeX with an apostrophe"

_TEXTS = tuple(
    f.name for f in fields(Claim) if f.name not in ("params", "names", "n", "covariance")
)
_TABLES = ("formula", "latex", "definition", "corrected")
_NETWORK = ("depth", "weight_var", "bias_var")
ALIASES = {"wrt": "by", "variable": "by", "define": "definition", "index": "n"}
"""Other spellings of keys."""
KEYS = (*_TEXTS, "params", "names", "n", "covariance", *_NETWORK)
"""The keys of a `[[claim]]` table."""


@dataclass(frozen=True, slots=True)
class BadClaim:
    """A claim that cannot be read: its id and why."""

    id: str
    error: NtksymError


def read_claims(source: str | Path) -> tuple[Claim | BadClaim, ...]:
    """The claims of a TOML file (a `Path`) or of TOML text.

    Raises:
        BadSpec: the file cannot be read, is too large, is not TOML, or has no `[[claim]]`.
    """
    text = _file(source) if isinstance(source, Path) else source
    if len(text) > MAX_BYTES:
        raise BadSpec(f"the claims are more than {MAX_BYTES} characters", hint="several files")
    try:
        data = tomllib.loads(text, parse_float=str)
    except ValueError as error:  # TOMLDecodeError, and whole numbers of thousands of digits
        raise BadSpec("not a TOML file", where=str(error)[:200], hint=_TOML) from None
    except RecursionError:
        raise BadSpec("not a TOML file", where="nested too deep", hint=_TOML) from None
    tables = data.pop("claim", None)
    if data:
        raise BadSpec(
            f"unknown key {sorted(data)[0]!r} outside of a claim", hint="[[claim]] tables only"
        )
    if not isinstance(tables, list) or not tables:
        raise BadSpec("there is no claim in the file", hint="a table [[claim]] for each")
    if len(tables) > MAX_CLAIMS:
        raise BadSpec(f"{len(tables)} claims in one file", hint=f"at most {MAX_CLAIMS}")
    out: list[Claim | BadClaim] = []
    seen: set[str] = set()
    for number, table in enumerate(tables, start=1):
        name = _name(table, number)
        try:
            if name in seen:
                raise BadSpec(f"two claims have the id {name!r}", hint="another id for one")
            seen.add(name)
            out.append(replace(read_claim(table), id=name))
        except NtksymError as error:
            out.append(BadClaim(name, error))
    return tuple(out)


def _file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadSpec(
            f"cannot read the claims: {error.strerror or error}",
            where=str(path),
            hint="a TOML file of [[claim]] tables",
        ) from error
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise BadSpec(
            "the file is not UTF-8 text", where=str(path), hint="save it as UTF-8"
        ) from None


def _name(table: Any, number: int) -> str:
    given = table.get("id") if isinstance(table, dict) else None
    if isinstance(given, str) and given.strip():
        return "".join(ch if ch.isprintable() else "?" for ch in given.strip()[:200])
    return f"claim-{number}"


def read_claim(table: Mapping[str, Any]) -> Claim:
    """One claim from a table of plain values.

    Raises:
        BadSpec: an unknown key, a value of the wrong type.
    """
    if not isinstance(table, Mapping):
        raise BadSpec("a claim is a table", hint="[[claim]]")
    for key in table:
        if key not in KEYS and key not in ALIASES:
            close = nearest(key, KEYS)
            raise BadSpec(
                f"unknown key {key[:60]!r}",
                tried=["known: " + ", ".join(KEYS)],
                hint=f"did you mean {close}?" if close else "",
            )
    table = {ALIASES.get(k, k): v for k, v in table.items()}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key in _TABLES and isinstance(value, Mapping):
            values[key] = {str(k): _text(f"{key}.{k}", v) for k, v in value.items()}
        elif key in ("params", "names"):
            values[key] = _words(key, value)
        elif key == "n":
            values[key] = _index(value)
        elif key == "covariance":
            values[key] = _covariance(value)
        elif key not in _NETWORK:
            values[key] = _text(key, value)
    claim = Claim(**values)
    return _with_network(claim, table)


def _text(key: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise BadSpec(f"{key} is text", where=f"{key} = {str(value)[:80]}", hint=f'{key} = "..."')
    text = str(value)
    if len(text) > _LONGEST_TEXT:
        raise BadSpec(f"{key} has {len(text)} characters", hint=f"at most {_LONGEST_TEXT}")
    return text


def _words(key: str, value: Any) -> dict[str, str]:
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return dict.fromkeys(value, "real")
    if not isinstance(value, Mapping):
        raise BadSpec(f"{key} is a table", hint=f'{key} = {{ a = "positive" }}')
    return {str(k): _text(f"{key}.{k}", v) for k, v in value.items()}


def _index(value: Any) -> int:
    try:
        found = int(value)
    except (TypeError, ValueError):
        raise BadSpec(f"n = {str(value)[:40]!r}", hint="a whole number, n = 3") from None
    if isinstance(value, bool) or str(found) != str(value):
        raise BadSpec(f"n = {str(value)[:40]!r}", hint="a whole number, n = 3")
    return found


def _covariance(value: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if isinstance(value, (list, tuple)) and all(len(row) == 2 for row in value):
        value = {row[0]: row[1] for row in value}
    if not isinstance(value, Mapping) or not all(
        isinstance(row, (list, tuple)) for row in value.values()
    ):
        raise BadSpec(
            "covariance is a table of rows", hint='covariance = { u = ["a", "c"], v = ["c", "b"] }'
        )
    return tuple(
        (str(k), tuple(_text(f"covariance.{k}", v) for v in row)) for k, row in value.items()
    )


def _with_network(claim: Claim, table: Mapping[str, Any]) -> Claim:
    """`activation`, `depth`, `weight_var`, `bias_var` as a network specification."""
    given = {k: _text(k, table[k]) for k in _NETWORK if k in table}
    if claim.quantity not in ("ntk", "recursion"):
        if given:
            raise BadSpec(
                f"{next(iter(given))} is for the quantities ntk and recursion",
                hint="another quantity, or without it",
            )
        return claim
    if claim.network not in ("", "mlp") or not claim.activation:
        if given:
            raise BadSpec("depth and variances are said in `network`", hint="one of the two")
        return claim
    if "depth" not in given:
        raise BadSpec(
            "a network needs its depth",
            hint='depth = 2, or network = ...; quantity = "layer" for one layer in Sigma before it',
        )
    quote = '"' if ":" in claim.activation else ""
    options = ",".join(f"{k}={v}" for k, v in given.items())
    return replace(claim, network=f"mlp:{quote}{claim.activation}{quote}:{options}")
