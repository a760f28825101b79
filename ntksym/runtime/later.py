"""Networks that are derived when they are asked for, and what was asked of `compile`."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..brief import WIDTH, cut
from ..errors import UnsupportedOp
from .library.recipes import recipe_key
from .library.spelled import spelled

if TYPE_CHECKING:
    from ..lower.growth import Growth

Range = tuple[float, ...]
"""The least and the largest variance; (0, low, high) where rows of zeros are taken too."""
MOST = 1 << 20
"""Bytes of a file that are read; a longer one is refused when it is parsed."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How duals are to be computed: what `choose` takes."""

    method: str = "auto"
    error: float | None = None
    tables: float | None = None
    """What tables are proven to that are built instead of mixtures; None: mixtures stay."""
    finer: tuple[float, ...] = ()
    """Errors of tables that are tried in order before the default one, where none was asked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of a call of `compile`, checked."""

    target: str
    dtype: str
    cache: bool
    threads: int
    method: str = "auto"
    error: float | None = None
    variances: Any = None
    collapse: bool | float | None = None
    tables: float | None = None

    def key(self, net: Any, *parts: str) -> str | None:
        """The key of a recipe, or None: what is asked has no text, or nothing is to be kept."""
        if not self.cache:
            return None
        plain = spelled((self.target, self.dtype, self.method, self.error, self.collapse))
        return recipe_key(spelled_net(net), plain, spelled(self.variances), *parts)

    def span_key(self, net: str | None, *parts: str) -> str | None:
        """The key of what is made for one range of variances; `net` is spelled out."""
        if not self.cache:
            return None
        plain = spelled((self.target, self.dtype, self.method, self.error, self.tables))
        return recipe_key(net, plain, *parts)

    @property
    def wanted(self) -> Wanted:
        """How duals are to be computed."""
        return Wanted(self.method, self.error, self.tables)

    def on(self, target: str) -> Asked:
        """The same for another target."""
        return replace(self, target=target)


@dataclass(frozen=True, slots=True)
class TomlText:
    """A file that says a network, as it was when it was read."""

    path: str
    text: str


def spelled_net(net: Any) -> str | None:
    """Text that says what was given to `compile`, or None."""
    if isinstance(net, TomlText):
        return f"toml:{net.text}"
    return spelled(net)


def named(net: Any) -> str:
    """What was given to `compile`, in a few words."""
    said = net.path if isinstance(net, TomlText) else getattr(net, "name", "") or str(net)
    return cut(" ".join(str(said).split()), WIDTH)


def network_of(net: Any) -> Any:
    """What a text or a file says; anything else as it is.

    Raises:
        BadSpec, ParseError: as `ntksym.parse_spec`.
    """
    if isinstance(net, TomlText):
        from ..network.spec import parse_toml

        return parse_toml(net.text.encode("utf-8", "surrogateescape"), net.path)
    if isinstance(net, os.PathLike) or is_spec(net):
        from ..network import parse_spec

        return parse_spec(Path(net) if isinstance(net, os.PathLike) else net)
    return net


def is_spec(net: Any) -> bool:
    """Whether it is text that says a network: `mlp:...`, or the path of a TOML file."""
    return isinstance(net, str) and (net.startswith("mlp:") or net.endswith(".toml"))


def is_network(net: Any) -> bool:
    """Whether it is a network, a recursion or the text of one, and no activation or dual."""
    return (
        isinstance(net, TomlText)
        or is_spec(net)
        or hasattr(net, "blocks")
        or (hasattr(net, "input_rule"))
    )


@dataclass(frozen=True, slots=True)
class Later:
    """A network and its recursion, which are derived again where they are needed.

    Attributes:
        net: what was given: a text, a network, a recursion.
        depth: the number of nonlinearities.
    """

    net: Any
    depth: int

    def network(self) -> Any:
        """The network itself."""
        found = network_of(self.net)
        return getattr(found, "network", found)

    def recursion(self) -> Any:
        """Its recursion."""
        from ..network import recurse

        found = network_of(self.net)
        return found if hasattr(found, "input_rule") else recurse(found)


def read_toml(net: Any) -> Any:
    """A path of a TOML file as what the file says; anything else, or no such file, as it is."""
    if not isinstance(net, os.PathLike) and not (isinstance(net, str) and net.endswith(".toml")):
        return net
    try:
        with open(net, "rb") as stream:
            return TomlText(os.fspath(net), stream.read(MOST).decode("utf-8", "surrogateescape"))
    except OSError:
        return net


def found_recursion(network: Any) -> Any:
    """What gradients take: the recursion itself, or that of a `Later`."""
    return network.recursion() if isinstance(network, Later) else network


def found_network(network: Any) -> Any:
    """The network itself, or that of a `Later`."""
    return network.network() if isinstance(network, Later) else network


def growth_of(network: Any, variance: float | None) -> Growth:
    """`CompiledKernel.growth` of a network, a recursion or a `Later`.

    Raises:
        Undecided: an activation without a closed form whose diagonals could not be enclosed.
        BadActivation: one without an expression.
    """
    from ..lower import lower_network
    from ..lower.growth import growth

    later = network if isinstance(network, Later) else Later(network, 0)
    try:
        return growth(lower_network(later.recursion()), variance)
    except UnsupportedOp:
        from .enclosed_growth import enclosed_growth

        return enclosed_growth(later.network(), variance)
