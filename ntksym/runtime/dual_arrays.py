"""`CompiledDual`: a dual on arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..backends import SourceFile
from ..errors import BadData
from .arguments import read_parameter
from .checks import Array, covariances, is_covariance
from .gram.threads import in_strips
from .said import Said


@dataclass(frozen=True, slots=True)
class DualValues:
    """A dual and its derivative in q12, arrays of the shape of the input: `nngp, dot = d(...)`."""

    nngp: Array
    dot: Array

    def __iter__(self) -> Iterator[Array]:
        return iter((self.nngp, self.dot))


class DualEngine(Protocol):
    """What `CompiledDual` needs."""

    def pair(self, arrays: tuple[Array, ...], scalars: tuple[float, ...]) -> tuple[Array, Array]:
        """(nngp, dot) at flat arrays of q11, q12, q22."""
        ...

    def diag(self, arrays: tuple[Array, ...], scalars: tuple[float, ...]) -> tuple[Array, Array]:
        """(nngp, dot) at a flat array of q."""
        ...


class CompiledDual(Said):
    """A dual on arrays: `d(q11, q12, q22).nngp`, `.dot`; `d.diag(q)`.

    Parameters of the activation are keyword arguments.  Where s jumps or has a kink at 0, values at
    no variance are limits: `d.diag(0)` that of one input with itself, of correlation 1, as on the
    diagonals of networks; `d(0, 0, q)` and `d(0, 0, 0)` that of two inputs of correlation 0.
    """

    def __init__(
        self,
        engine: DualEngine,
        *,
        name: str,
        target: str,
        pair_params: tuple[str, ...],
        diag_params: tuple[str, ...],
        sources: tuple[SourceFile, ...],
    ) -> None:
        self._engine = engine
        self.name = name
        self.target = target
        self.params = tuple(sorted({*pair_params, *diag_params}))
        self._pair_params, self._diag_params = pair_params, diag_params
        self.sources = sources

    def __repr__(self) -> str:
        return f"<CompiledDual {self.name}: target={self.target}>"

    def __call__(
        self, q11: Any, q12: Any, q22: Any, *, strict: bool = False, **params: float | str
    ) -> DualValues:
        """The dual at covariances; the arrays broadcast.

        NaN in gives NaN out, and so does a negative variance.  A |q12| above sqrt(q11*q22) counts
        as equal to it; with `strict` it is an error when it is more than a rounding above.

        Raises:
            BadData: a missing or unknown parameter, or one that is no number; covariances that are
                not real, have masked elements or do not broadcast; with `strict`, a matrix that
                is not positive semi-definite.
        """
        arrays = covariances(q11=q11, q12=q12, q22=q22)
        if strict:
            is_covariance(arrays[0], arrays[1], arrays[2], self.name)
        flat = tuple(np.ascontiguousarray(a).ravel() for a in arrays)
        with np.errstate(all="ignore"):  # NaN and infinities pass, as in C
            flat = flat[0], within(*flat), flat[2]
            numbers = self._scalars(self._pair_params, params)
            nngp, dot = in_strips(lambda *part: self._engine.pair(part, numbers), *flat)
        negative = (flat[0] < 0.0) | (flat[2] < 0.0)
        nngp[negative], dot[negative] = np.nan, np.nan
        return DualValues(nngp.reshape(arrays[0].shape), dot.reshape(arrays[0].shape))

    def diag(self, q: Any, **params: float | str) -> DualValues:
        """The dual on the diagonal q11 = q22 = q12 = q.

        Raises:
            BadData: as for a call.
        """
        (array,) = covariances(q=q)
        flat = np.ascontiguousarray(array).ravel()
        numbers = self._scalars(self._diag_params, params)
        with np.errstate(all="ignore"):
            nngp, dot = in_strips(lambda *part: self._engine.diag(part, numbers), flat)
        nngp[flat < 0.0], dot[flat < 0.0] = np.nan, np.nan
        return DualValues(nngp.reshape(array.shape), dot.reshape(array.shape))

    def _scalars(self, names: tuple[str, ...], params: dict[str, float | str]) -> tuple[float, ...]:
        if unknown := sorted(set(params) - set(self.params)):
            raise BadData(
                f"{self.name} has no parameter {unknown[0]!r}",
                hint="its parameters: " + (", ".join(self.params) or "none"),
            )
        if missing := sorted(set(names) - set(params)):
            raise BadData(
                f"{self.name}: the parameter {missing[0]!r} has no value",
                hint=f"{missing[0]}=1.0 as a keyword argument",
            )
        return tuple(read_parameter(n, params[n], self.name) for n in names)


ROUNDING = 1.0 + 2.0**-50
"""A covariance is left as it is up to this multiple of the bound, which is rounded itself."""


def within(q11: Array, q12: Array, q22: Array) -> Array:
    """The covariance, or the nearest one that there is: |q12| <= sqrt(q11*q22)."""
    bound = np.where(q11 == q22, q11, np.sqrt(q11) * np.sqrt(q22))
    beyond = np.abs(q12) > bound * ROUNDING
    return np.where(beyond, np.copysign(bound, q12), q12) if beyond.any() else q12
