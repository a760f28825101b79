"""What the catalogue lists: a name, and a formula that is built when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from sympy import Expr

from ..activation import Activation


@dataclass(frozen=True, slots=True)
class Entry:
    """An activation of the catalogue that is not built yet: all of them take a tenth of a second.

    Attributes:
        name: of the activation.
        formula: gives its expression.
        title: as in `Activation`.
        refs: as in `Activation`.
    """

    name: str
    formula: Callable[[], Expr]
    title: str = ""
    refs: tuple[str, ...] = ()

    @property
    def activation(self) -> Activation:
        """The activation, built once."""
        return _built(self)


@lru_cache(maxsize=256)
def _built(entry: Entry) -> Activation:
    return Activation(entry.name, entry.formula(), title=entry.title, refs=entry.refs)
