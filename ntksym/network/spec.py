"""Networks from text: `mlp:ACTIVATION:depth=3,weight_var=2`, or a small TOML file.

Nothing in a specification is evaluated: activations go through the formula parser, numbers through
the number parser, and every key is checked.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..errors import BadSpec, NtksymError
from ..language.messages import nearest
from .convention import Convention
from .network import MAX_DEPTH, Network, mlp, not_a_network

MAX_BYTES = 65_536

PRESETS = ("ntk", "jacot", "he", "arora", "scikit_ntk")

_CONVENTION = (
    "parametrization",
    "input_scaling",
    "input_weight_var",
    "bias_init",
    "trained",
    "derivative",
    "width",
)
_NUMBERS = ("weight_var", "bias_var")
_NETWORK = ("kind", "activation", "depth", "name", "preset", *_NUMBERS, *_CONVENTION)
_LAYER = ("activation", *_NUMBERS, "width")
_INPUT = _NUMBERS
_TOP = ("network", "params", "input", "layer")


def parse_spec(source: str | Path) -> Network:
    """The network that a text or a TOML file says.

    Text: `mlp:ACTIVATION[:key=value,...]`; quote an activation that holds a colon; a list is
    `[1, 2, 2]`, also of activations, one for each layer; keys are those of the file's `[network]`
    table, and the activation's parameters.

    File:

        [network]
        kind = "mlp"
        activation = "elu"
        depth = 3
        weight_var = 2
        [params]
        alpha = "1/2"

    or, instead of `activation` and `depth`, one `[[layer]]` table (activation, weight_var,
    bias_var, width) for each hidden layer, and `[input]` (weight_var, bias_var).

    Raises:
        BadSpec: the file, the key and the keys that are allowed, with the nearest one.
        ParseError: an activation that is not a formula.
    """
    if not isinstance(source, (str, os.PathLike)):
        raise BadSpec(
            f"an object of type {type(source).__name__} does not say a network",
            hint='text such as "mlp:relu:depth=3", or the path of a TOML file',
        )
    text = str(source)
    if not isinstance(source, Path) and ":" in text and not text.endswith(".toml"):
        return _from_text(text)
    return _from_file(Path(source))


def as_network(given: Any) -> Network:
    """A network as it is, or what a text or a TOML file says.

    Raises:
        BadSpec: text that says an activation, or an object that is neither network nor text.
        BadSpec, ParseError: as `parse_spec`.
    """
    if isinstance(given, Network):
        return given
    if isinstance(given, Path) or (isinstance(given, str) and _says(given)):
        return parse_spec(given)
    raise not_a_network(given)


def _says(text: str) -> bool:
    """Whether text is meant for a network: the name of an activation is not."""
    return ":" in text or text.endswith(".toml")


# -- text ------------------------------------------------------------------------------------------


def _from_text(text: str) -> Network:
    kind, _, rest = text.partition(":")
    if kind.strip() != "mlp":
        raise BadSpec(
            f"unknown kind of network {kind.strip()[:40]!r}",
            where=text[:120],
            hint="mlp:ACTIVATION:depth=3,weight_var=2,bias_var=0, or the path of a .toml file",
        )
    activation, options = _split_activation(rest.strip(), text)
    table: dict[str, Any] = {"activation": _listed(activation)}
    params: dict[str, str] = {}
    for part in _split_commas(options):
        key, equals, value = (z.strip() for z in part.partition("="))
        if not equals or not key or not value:
            raise BadSpec(f"{part!r} is not key=value", where=text[:120], hint="as in depth=3")
        if ":" in value and "=" in value:
            raise BadSpec(
                "a colon between two options: commas separate them",
                where=text[:120],
                hint=part.replace(":", ",")[:120],
            )
        if key in table or key in params:
            raise BadSpec(f"{key} is given twice", where=text[:120], hint=f"one {key}=...")
        if key in _NETWORK:
            table[key] = _value(value)
        else:
            params[key] = value
    return _network(table, params, text[:120], open_keys=True)


def _split_activation(rest: str, text: str) -> tuple[str, str]:
    if rest[:1] in ("'", '"'):
        end = rest.find(rest[0], 1)
        if end < 0:
            raise BadSpec(
                "a quote without its end", where=text[:120], hint="mlp:'max(x, 0)':depth=3"
            )
        activation, tail = rest[1:end], rest[end + 1 :].strip()
        if tail and not tail.startswith(":"):
            raise BadSpec(
                "a colon must follow the activation",
                where=text[:120],
                hint="mlp:'max(x, 0)':depth=3",
            )
        return activation, tail[1:]
    activation, _, options = rest.partition(":")
    if not activation.strip():
        raise BadSpec("no activation", where=text[:120], hint="mlp:gelu:depth=3")
    return activation.strip(), options


def _listed(activation: str) -> str | list[str]:
    """The activations of `[gelu, relu]`; brackets without a comma are those of a formula."""
    if not (activation.startswith("[") and activation.endswith("]")):
        return activation
    parts = list(_split_commas(activation[1:-1]))
    return parts if len(parts) > 1 else activation


def _split_commas(options: str) -> Iterable[str]:
    depth, start = 0, 0
    for i, ch in enumerate(options):
        depth += (ch in "[(") - (ch in "])")
        if ch == "," and depth == 0:
            yield options[start:i].strip()
            start = i + 1
    if options[start:].strip():
        yield options[start:].strip()


def _value(text: str) -> Any:
    if text.startswith("[") and text.endswith("]"):
        return [_value(part) for part in _split_commas(text[1:-1])]
    return {"true": True, "false": False}.get(text.lower(), text)


# -- file ------------------------------------------------------------------------------------------


def _from_file(path: Path) -> Network:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as err:
        raise BadSpec(
            f"cannot read the network file: {err.strerror or err}",
            where=str(path),
            hint=f"a .toml file, or text such as {_example(path)}; an activation alone is none",
        ) from err
    return parse_toml(raw, str(path))


def _example(path: Path) -> str:
    """The text of a network of what may be an activation, not the path of a file."""
    alone = not path.suffix and len(path.parts) == 1
    return f"mlp:{str(path)[:60]}:depth=3" if alone else "mlp:gelu:depth=3"


def parse_toml(raw: bytes, path: str) -> Network:
    """The network that the bytes of a TOML file say; `path` is for messages.

    Raises:
        BadSpec, ParseError: as `parse_spec`.
    """
    if len(raw) > MAX_BYTES:
        raise BadSpec(
            f"the file is larger than {MAX_BYTES} bytes",
            where=path,
            hint="a file of [network] or [[layer]] tables",
        )
    try:
        data = tomllib.loads(raw.decode("utf-8"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as err:
        raise BadSpec(
            f"not a TOML file: {err}", where=path, hint="a file of [network] or [[layer]] tables"
        ) from err
    _check_keys(data, _TOP, path)
    table = _table(data, "network", path)
    _check_keys(table, _NETWORK, f"{path} [network]")
    params = _table(data, "params", path)
    layers = data.get("layer", [])
    if not isinstance(layers, list) or not all(isinstance(z, dict) for z in layers):
        raise BadSpec("layer is not a list of tables", where=path, hint="[[layer]]")
    first = _table(data, "input", path)
    _check_keys(first, _INPUT, f"{path} [input]")
    if layers:
        table = _with_layers(table, first, layers, path)
    elif first:
        raise BadSpec(
            "[input] without [[layer]]",
            where=path,
            hint="weight_var = [1, 2, 2, 2] in [network], the input layer first",
        )
    return _network(table, params, f"{path} [network]", open_keys=False)


def _table(data: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    found = data.get(key, {})
    if not isinstance(found, dict):
        raise BadSpec(f"{key} is not a table", where=where, hint=f"[{key}]")
    return found


def _with_layers(
    table: dict[str, Any], first: dict[str, Any], layers: list[dict[str, Any]], where: str
) -> dict[str, Any]:
    """The `[network]` table with lists in it, one entry per layer."""
    merged = dict(table)
    depth = table.get("depth", len(layers))
    if depth != len(layers):
        raise BadSpec(
            f"depth = {depth}, but there are {len(layers)} [[layer]] tables",
            where=where,
            hint="no depth: the tables are counted",
        )
    merged["depth"] = len(layers)
    for i, layer in enumerate(layers):
        _check_keys(layer, _LAYER, f"{where} [[layer]] {i + 1}")
    defaults = {"weight_var": 1, "bias_var": 0}
    for key in _NUMBERS:
        if any(key in z for z in (first, *layers)):
            base = table.get(key, defaults[key])
            if isinstance(base, list):
                raise BadSpec(
                    f"{key} is given in [network] and in [[layer]]",
                    where=where,
                    hint="a list in [network], or numbers in [[layer]]",
                )
            merged[key] = [z.get(key, base) for z in (first, *layers)]
    if any("width" in z for z in layers):
        if not all("width" in z or "width" in table for z in layers):
            raise BadSpec(
                "width is given for some layers only",
                where=where,
                hint="width in [network] for the others",
            )
        merged["width"] = [z.get("width", table.get("width")) for z in layers]
    acts = [z.get("activation", table.get("activation")) for z in layers]
    if None in acts:
        raise BadSpec(
            f"[[layer]] {acts.index(None) + 1} has no activation",
            where=where,
            hint="activation in the layer, or one for all in [network]",
        )
    merged["activation"] = acts
    return merged


def _check_keys(table: Mapping[str, Any], allowed: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in allowed:
            raise _unknown(key, allowed, where)


def _unknown(key: str, allowed: Iterable[str], where: str) -> BadSpec:
    close = nearest(key, allowed)
    guess = f"did you mean {close}? " if close else _meant(key, allowed)
    return BadSpec(
        f"unknown key {key[:60]!r}", where=where, hint=guess + "keys: " + ", ".join(sorted(allowed))
    )


def _meant(key: str, allowed: Iterable[str]) -> str:
    """The variance that is meant where a key says a standard deviation, or another letter."""
    words = key.lower().split("_")
    if not {"std", "sigma", "var", "variance"} & {*words}:
        return ""
    meant = "bias_var" if {"b", "bias"} & {*words} else "weight_var"
    square = "" if {"var", "variance"} & {*words} else ", the square of the standard deviation"
    return f"did you mean {meant}{square}? " if meant in allowed else ""


# -- both ------------------------------------------------------------------------------------------


def _network(
    table: Mapping[str, Any], params: Mapping[str, Any], where: str, *, open_keys: bool
) -> Network:
    kind = table.get("kind", "mlp")
    if kind != "mlp":
        raise BadSpec(f"unknown kind of network {kind!r}", where=where, hint="mlp")
    if "activation" not in table:
        raise BadSpec("no activation", where=where, hint='activation = "gelu"')
    try:
        acts = _read_activations(table["activation"])
        names = {p.name for act in acts for p in act.params}
        for key in params:
            if key not in names:
                # In text a key that is no parameter is more likely a misspelt option.
                raise _unknown(key, {*_NETWORK, *names} if open_keys else names, where)
        single = len(acts) == 1 and not isinstance(table["activation"], list)
        return mlp(
            acts[0] if single else acts,
            _depth(table["depth"]) if "depth" in table else None,
            weight_var=_plain(table.get("weight_var")),
            bias_var=_plain(table.get("bias_var")),
            width=_plain(table.get("width")),
            params={k: _plain(v) for k, v in params.items()},
            convention=_convention(table),
            name=str(table.get("name", "")),
        )
    except BadSpec as err:
        if err.where:
            raise
        raise BadSpec(err.what, where=where, tried=err.tried, hint=err.hint) from err


def _read_activations(given: Any) -> tuple[Any, ...]:
    from ..language import as_activation

    texts = given if isinstance(given, list) else [given]
    if not all(isinstance(t, str) for t in texts):
        raise BadSpec(f"activation = {given!r}", hint="a formula in quotes")
    return tuple(as_activation(t) for t in texts)


def _depth(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 8:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise BadSpec(f"depth = {value!r}", hint=f"a whole number from 1 to {MAX_DEPTH}")


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, Decimal) else value


def _convention(table: Mapping[str, Any]) -> Convention:
    from dataclasses import replace

    preset = table.get("preset", "ntk")
    if preset not in PRESETS:
        close = nearest(str(preset), PRESETS)
        raise BadSpec(
            f"unknown preset {preset!r}",
            hint=(f"did you mean {close}? " if close else "") + "one of: " + ", ".join(PRESETS),
        )
    base = Convention() if preset == "ntk" else getattr(Convention, preset)()
    chosen: dict[str, Any] = {
        k: _plain(table[k]) for k in _CONVENTION if k in table and k != "width"
    }
    if isinstance(chosen.get("trained"), list):
        chosen["trained"] = tuple(chosen["trained"])
    try:
        return replace(base, **chosen) if chosen else base
    except NtksymError as err:
        raise BadSpec(err.what, hint=err.hint) from err
