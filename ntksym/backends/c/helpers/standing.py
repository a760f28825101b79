"""Standing texts: parts of generated files that are the same in all files that have them.

They need nothing but `ntksym.h`; they are not in it because few files have them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache


def _splines() -> str:
    from .splines import splines_text

    return splines_text()


def _small() -> str:
    from .direct_small import small_text

    return small_text()


def _halves() -> str:
    from .halves import halves_sums

    return halves_sums()


_TEXTS: dict[str, Callable[[], str]] = {
    "ntksym_spline_dual": _splines,
    "ntksym_direct_small": _small,
    "ntksym_halves_sum": _halves,
}
"""By a function that each defines, and that others call."""


def standing_texts(names: Collection[str]) -> tuple[str, ...]:
    """The standing texts that define some of these functions."""
    return tuple(_text(name) for name in _TEXTS if name in names)


@lru_cache(maxsize=len(_TEXTS))
def _text(name: str) -> str:
    return _TEXTS[name]()
