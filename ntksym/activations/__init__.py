"""The catalogue of known activations, one family per file."""

from __future__ import annotations

from functools import lru_cache

from ..activation import Activation
from ..errors import UnknownName
from . import bells as _bells
from . import exponentials as _exponentials
from . import logistic as _logistic
from . import normal as _normal
from . import polynomials as _polynomials
from . import rectified as _rectified
from . import thresholds as _thresholds
from . import waves as _waves
from .entry import Entry as _Entry
from .polynomials import hermite as hermite
from .polynomials import monomial as monomial
from .rectified import rectified_power as rectified_power

_FAMILIES = (
    _polynomials,
    _rectified,
    _thresholds,
    _normal,
    _exponentials,
    _bells,
    _waves,
    _logistic,
)


@lru_cache(maxsize=1)
def _by_name() -> dict[str, _Entry]:
    return {entry.name: entry for family in _FAMILIES for entry in family.ENTRIES}


def names() -> tuple[str, ...]:
    """The names of all known activations, in the order of the families; nothing is built."""
    return tuple(_by_name())


def catalogue() -> tuple[Activation, ...]:
    """Every known activation, in the order of the families; names are unique."""
    return tuple(entry.activation for entry in _by_name().values())


def named(name: str) -> Activation:
    """The catalogue entry of that name.

    Raises:
        UnknownName: no entry has that name; the hint is the nearest one.
    """
    if not isinstance(name, str):
        raise UnknownName(f"an object of type {type(name).__name__} is no name", hint='"gelu"')
    found = _by_name().get(name)
    if found is None:
        import difflib

        close = difflib.get_close_matches(name, sorted(_by_name()), n=1)
        raise UnknownName(
            f"the catalogue has no activation {name!r}",
            hint=f"did you mean {close[0]}?" if close else "a name that `ntksym catalogue` lists",
        )
    return found.activation


def __getattr__(name: str) -> Activation:
    """`activations.<name>` for every catalogue name, `abs` and `sign` among them."""
    found = _by_name().get(name)
    if found is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found.activation


def __dir__() -> list[str]:
    return sorted({*globals(), *_by_name()})
