"""Integer polynomials in the generators of a field, and their canonical keys."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

SLOTS = 32
"""Generators of the polynomial ring: five of the law, the rest for parameters and constants."""

Poly = Any
"""An integer polynomial, `flint.fmpz_mpoly`."""


def poly_key(p: Poly) -> tuple[Any, ...]:
    """A hashable canonical form of a polynomial: (((slot, exponent), ...), coefficient) pairs."""
    return _known_key(_Written(p))


class _Written:
    """A polynomial by its text: it has no hash, and its text costs a fifth of its exponents."""

    __slots__ = ("p", "text")

    def __init__(self, p: Poly) -> None:
        self.p = p
        self.text = str(p)

    def __hash__(self) -> int:
        return hash(self.text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Written) and self.text == other.text


@lru_cache(maxsize=1 << 14)
def _known_key(written: _Written) -> tuple[Any, ...]:
    # generators have the same names in every field, so that the text says slots and exponents
    return tuple(
        [
            (tuple([(i, int(e)) for i, e in enumerate(exponents) if e]), int(c))
            for exponents, c in zip(written.p.monoms(), written.p.coeffs(), strict=True)
        ]
    )
