"""What a kernel's call gives: its arrays, fresh or the caller's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import BadData, BadSpec
from .checks import apart, output
from .gram.bands import Target

Only = Literal["nngp", "ntk"]


@dataclass(frozen=True, slots=True)
class KernelMatrices:
    """The two kernels: `nngp` and `ntk`, arrays of shape (n, m), or (n,) for a diagonal.

    `nngp, ntk = k(X)` takes them apart.
    """

    nngp: NDArray[Any]
    ntk: NDArray[Any]

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return iter((self.nngp, self.ntk))


def target_of(
    shape: tuple[int, int], dtype: np.dtype[Any], out: Any, only: Only | None, data: tuple[Any, ...]
) -> Target:
    """The arrays that a call fills; `data` are what it reads.

    Raises:
        BadData: an output of wrong shape or type, read-only, or that overlaps another array.
        BadSpec: `only` is no kernel.
    """
    if only not in (None, "nngp", "ntk"):
        raise BadSpec(f"only = {only!r}", hint='"nngp" or "ntk"')
    names = ("nngp", "ntk") if only is None else (only,)
    if out is None:
        made = {name: np.empty(shape, dtype=dtype) for name in names}
        return Target(made.get("nngp"), made.get("ntk"))
    if only is not None and isinstance(out, np.ndarray):
        out = (out,)
    if not isinstance(out, (tuple, list)) or len(out) != len(names):
        raise BadData(
            f"out: {' and '.join(names)} go to {len(names)} array{'s' if not only else ''}",
            hint="out=(K, T), or out=K with only=...",
        )
    found = {
        name: output(value, f"out[{k}]", shape, dtype)
        for k, (name, value) in enumerate(zip(names, out, strict=True))
    }
    apart(tuple((f"out[{k}]", a) for k, a in enumerate(found.values())), data)
    return Target(found.get("nngp"), found.get("ntk"))


def set_diagonal(array: NDArray[Any], values: NDArray[Any]) -> None:
    """Put values on the diagonal of a square array; where it is contiguous, as one slice of it."""
    if array.flags.c_contiguous:
        array.reshape(-1)[:: len(array) + 1] = values
    else:
        np.fill_diagonal(array, values)


def given_back(target: Target, only: Only | None) -> Any:
    """What the call returns: one array, or both."""
    if only is not None:
        return target.nngp if only == "nngp" else target.ntk
    assert target.nngp is not None and target.ntk is not None
    return KernelMatrices(target.nngp, target.ntk)
