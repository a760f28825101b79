"""Network: a description, nothing computed; and `mlp`, which makes the usual one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sympy import Expr

from ..activation import Activation
from ..brief import Brief
from ..errors import BadSpec
from ..language.write import in_decimals
from .convention import NTK, WIDTH, Convention
from .layers import Dense, Input, Nonlinearity
from .numbers import exact

MAX_DEPTH = 100_000
"""A bound on depth: a program loops over layers, a description lists them."""


@dataclass(frozen=True, slots=True, repr=False)
class Network(Brief):
    """A fully connected network: an input layer, then nonlinearity and dense layer in turn.

    Attributes:
        input: the first dense layer.
        blocks: (nonlinearity, dense layer) for each hidden layer; the last dense layer is the
            readout.
        convention: what the layers do not say themselves.
        name: for titles and file names.

    Raises:
        BadSpec: no nonlinearity, or a parameter name that the convention uses itself.
    """

    input: Input
    blocks: tuple[tuple[Nonlinearity, Dense], ...]
    convention: Convention = NTK
    name: str = "network"
    _shown = ("depth", "convention.parametrization")

    def __post_init__(self) -> None:
        if not self.blocks:
            raise BadSpec("a network without a nonlinearity", hint="depth of at least 1")
        taken = {WIDTH.name} if self.convention.parametrization == "standard" else set()
        for activation in self.activations:
            for p in activation.params:
                if p.name in taken:
                    raise BadSpec(
                        f"{activation.name}: the parameter {p.name!r} is taken by the convention",
                        hint="another name for it",
                    )
        trained = self.convention.trained
        if trained != "all" and len(trained) != self.depth + 1:
            raise BadSpec(
                f"convention: trained has {len(trained)} entries for {self.depth + 1} dense layers",
                hint="one entry for each dense layer, the input layer first",
            )

    @property
    def depth(self) -> int:
        """The number of nonlinearities; the readout is not counted."""
        return len(self.blocks)

    @property
    def activations(self) -> tuple[Activation, ...]:
        """The distinct activations, in order of appearance."""
        return tuple(dict.fromkeys(n.activation for n, _ in self.blocks))

    def at(self, **numbers: Any) -> Network:
        """The same network with other numbers.

        Args:
            numbers: `weight_var` and `bias_var`, each one for every layer or a sequence or
                array of `depth + 1`, input first; parameters of the activations by name.  One
                `weight_var` leaves a first layer alone whose variance is the convention's
                `input_weight_var`.

        Raises:
            BadSpec: a variance, a length or a parameter that does not fit, or another name.
        """
        layers = [self.input.dense, *(dense for _, dense in self.blocks)]
        convention, values = self.convention, dict(numbers)
        for key in ("weight_var", "bias_var"):
            if key not in values:
                continue
            given = values.pop(key)
            own = _spread(key, given, len(layers))
            layers = [replace(v, **{key: w}) for v, w in zip(layers, own, strict=True)]
            if not _is_list(given):
                convention = replace(convention, name="", **{key: given})
        known = {p.name for a in self.activations for p in a.params}
        if unknown := sorted(set(values) - known):
            raise BadSpec(
                f"{self.name} has no number {unknown[0]!r}",
                hint="one of: " + ", ".join(("weight_var", "bias_var", *sorted(known))),
            )
        made = {n: _renumbered(n, values) for n, _ in self.blocks}
        blocks = zip((made[n] for n, _ in self.blocks), layers[1:], strict=True)
        return replace(
            self,
            input=replace(self.input, dense=layers[0]),
            blocks=tuple(blocks),
            convention=convention,
        )

    def __str__(self) -> str:
        """The name, the convention, and one line for each run of equal layers."""
        found = [f"input layer{_own(self.input.dense)}"] if _own(self.input.dense) else []
        for start, stop, own in self._own_numbers():
            of = f"s(x) = {in_decimals(self.blocks[start][0].activation.expr)}{own}"
            found.append(f"{layers_named(start, stop)}: {of}")
        return "\n  ".join([self.name, *self.conventions(), *found])

    def conventions(self) -> tuple[str, ...]:
        """The convention as lines of text, without variances that every layer says itself."""
        dense = [self.input.dense, *(d for _, d in self.blocks)]
        taken = [
            key for key in ("weight_var", "bias_var") if any(getattr(d, key) is None for d in dense)
        ]
        return self.convention.describe(tuple(taken))

    def described(self) -> tuple[str, ...]:
        """What heads of files say of it: depth, activations, convention, and layers that differ."""
        lines = [f"layers: {self.depth}"]
        lines += [f"activation {a.name}: s(x) = {in_decimals(a.expr)}" for a in self.activations]
        lines += self.conventions()
        layers = self._own_numbers()
        first = _own(self.input.dense)
        if first:
            lines.append(f"input layer{first}")
        if first or len(layers) > 1 or any(own for _, _, own in layers):
            lines += [
                f"{layers_named(start, stop)}: {self.blocks[start][0].activation.name}{own}"
                for start, stop, own in layers
            ]
        return tuple(lines)

    def _own_numbers(self) -> tuple[tuple[int, int, str], ...]:
        """Ranges [start, stop) of equal layers, and what they say themselves."""
        found = []
        for start, stop in runs(self.blocks):
            nonlinearity, dense = self.blocks[start]
            values = "".join(f", {key} = {value}" for key, value in nonlinearity.values)
            found.append((start, stop, values + _own(dense)))
        return tuple(found)

    def _repr_latex_(self) -> str:
        from .recursion import recurse

        return recurse(self)._repr_latex_()


def mlp(
    activation: Any,
    depth: int | None = None,
    *,
    weight_var: Any = None,
    bias_var: Any = None,
    convention: Convention | None = None,
    width: Any = None,
    params: Mapping[str, Any] | None = None,
    name: str = "",
) -> Network:
    """A fully connected network with one activation, or one for each layer.

    Args:
        activation: text, a SymPy expression or an `Activation`; a sequence of `depth` of them for
            another one in each layer.
        depth: the number of nonlinearities; the readout after the last is not counted. By default
            as many as there are activations in a sequence, otherwise 3.
        weight_var: the weight variance (default 1), or a sequence of `depth + 1`, input first.
        bias_var: the bias variance (default 0: no bias), or a sequence of `depth + 1`.
        convention: every other choice; `weight_var` and `bias_var` given here win over it.
        width: for the "standard" parametrisation: the width of the hidden layers, or a sequence of
            `depth`.
        params: numbers for the parameters of the activation; those without stay symbolic.
        name: for titles; the names of the activations and the depth by default.

    Raises:
        BadSpec: a depth, a variance, a length or a parameter that does not fit.
        ParseError: text that is not a formula.
    """
    if depth is None:
        depth = (len(activation) or 3) if _is_list(activation) else 3
    if isinstance(depth, bool) or not isinstance(depth, int) or not 1 <= depth <= MAX_DEPTH:
        raise BadSpec(f"depth = {depth!r}", hint=f"a whole number from 1 to {MAX_DEPTH}")
    base = NTK if convention is None else convention
    given = {"weight_var": weight_var, "bias_var": bias_var, "width": width}
    single: dict[str, Any] = {k: v for k, v in given.items() if v is not None and not _is_list(v)}
    if single:
        # A variance given here is for every layer, also the first.
        if "weight_var" in single:
            single["input_weight_var"] = None
        base = replace(base, name="", **single)
    dense = depth + 1
    weights = _spread("weight_var", weight_var, dense)
    biases = _spread("bias_var", bias_var, dense)
    widths = (None, *_spread("width", width, depth))
    listed = _activations(activation, depth)
    made = {id(a): _nonlinearity(a, params) for a in listed}
    acts = [made[id(a)] for a in listed]
    layers = [Dense(w, b, n) for w, b, n in zip(weights, biases, widths, strict=True)]
    title = name or _title([a.activation.name for a in acts])
    return Network(Input(layers[0]), tuple(zip(acts, layers[1:], strict=True)), base, title)


def _title(names: Sequence[str]) -> str:
    """The names of the activations and how often each follows itself: `gelu x2, relu`."""
    found = runs(names)
    parts = [
        names[start] + (f" x{stop - start}" if stop - start > 1 or len(found) == 1 else "")
        for start, stop in found
    ]
    return ", ".join(parts if len(parts) <= 4 else [*parts[:2], "...", parts[-1]])


def runs(items: Sequence[Any]) -> tuple[tuple[int, int], ...]:
    """Ranges [start, stop) of neighbouring items that are equal."""
    starts = [i for i, item in enumerate(items) if not i or items[i - 1] != item]
    return tuple(zip(starts, (*starts[1:], len(items)), strict=True))


def layers_named(start: int, stop: int) -> str:
    """The words for the layers of a range [start, stop): they are counted from 1 there."""
    return f"layer {start + 1}" if stop - start == 1 else f"layers {start + 1} to {stop}"


def _own(dense: Dense) -> str:
    """What a dense layer says itself, not the convention."""
    given = ((key, getattr(dense, key)) for key in ("weight_var", "bias_var", "width"))
    return "".join(f", {key} = {value}" for key, value in given if value is not None)


def not_a_network(given: Any) -> BadSpec:
    """The error for an object where a network is needed."""
    return BadSpec(
        f"an object of type {type(given).__name__} is not a network",
        hint='ntksym.mlp("relu", depth=3), or parse_spec("mlp:relu:depth=3")',
    )


def _is_list(value: Any) -> bool:
    if getattr(value, "ndim", 0) == 1:  # an array of NumPy, or of another library
        return True
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _spread(what: str, value: Any, count: int) -> tuple[Expr | None, ...]:
    if not _is_list(value):
        return (None,) * count
    if len(value) != count:
        raise BadSpec(
            f"{what} has {len(value)} entries, the network needs {count}",
            hint="one value, or one for each "
            + ("hidden layer" if what == "width" else "dense layer, the input layer first"),
        )
    return tuple(exact(v, f"{what} of layer {i + 1}") for i, v in enumerate(value))


def _activations(given: Any, depth: int) -> list[Any]:
    if not _is_list(given):
        return [given] * depth
    if len(given) != depth:
        raise BadSpec(
            f"{len(given)} activations for depth {depth}", hint="one, or one for each layer"
        )
    return list(given)


def _renumbered(layer: Nonlinearity, values: Mapping[str, Any]) -> Nonlinearity:
    """The nonlinearity with other numbers for those of its parameters that are named."""
    names = {p.name for p in layer.activation.params}
    own = {k: v for k, v in values.items() if k in names}
    if not own:
        return layer
    made = _nonlinearity(layer.activation, dict(layer.values) | own)
    return replace(layer, values=made.values)


def _nonlinearity(given: Any, params: Mapping[str, Any] | None) -> Nonlinearity:
    act = given if isinstance(given, Activation) else _read(given)
    known = {p.name: p for p in act.params}
    values = []
    for key in sorted(params or {}):
        if key not in known:
            raise BadSpec(
                f"{act.name} has no parameter {key!r}",
                hint="its parameters: " + (", ".join(known) or "none"),
            )
        value = exact((params or {})[key], key)
        _fits(known[key], value)
        values.append((key, value))
    act.with_params(**dict(values))  # refuses values at which it is not finite
    return Nonlinearity(act, tuple(values))


def _fits(symbol: Expr, value: Expr) -> None:
    for word in ("positive", "negative", "nonnegative", "nonpositive", "nonzero"):
        if getattr(symbol, f"is_{word}") and getattr(value, f"is_{word}") is False:
            raise BadSpec(
                f"{symbol} = {value}, but {symbol} is {word}",
                hint=f"a {word} number, or the number in the formula itself",
            )


def _read(given: Any) -> Activation:
    from ..language import as_activation

    return as_activation(given)
