"""The data of a run: where it is or what it is, and what one reading of all rows says of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadData
from ..runtime.checks import numbers, real_array

PART = 16 << 20
"""Bytes of rows that are read at a time."""


@dataclass(frozen=True, slots=True)
class Source:
    """Data, and what is known of its rows.

    Attributes:
        value: the path of the file, or the array.
        shape: (n, d).
        digest: by which a run is recognised when it is resumed.
        norms: the least and the largest positive squared norm, after 0 where there is a row of
            zeros.
        not_finite: how many rows have NaN or infinities.
        first: the first of them, or -1.
    """

    value: Any
    shape: tuple[int, int]
    digest: str
    norms: tuple[float, ...]
    not_finite: int = 0
    first: int = -1

    @staticmethod
    def of(given: Any, name: str) -> Source:
        """The data of a .npy file or an array, all rows read once.

        Raises:
            BadData: no such file, another format, or no real numbers of shape (n, d).
        """
        value, array = _opened(given, name)
        array = numbers(array, name, 2)
        if array.size == 0:
            raise BadData(
                f"{name}: no numbers, shape {array.shape}", hint="at least one row and one column"
            )
        digest = hashlib.sha256(f"{array.dtype.str} {array.shape}".encode())
        step = max(1, PART // max(1, array[:1].nbytes))
        norms: tuple[float, ...] = ()
        bad, first = 0, -1
        for at in range(0, len(array), step):
            part = np.ascontiguousarray(array[at : at + step])
            digest.update(part.data)
            data = real_array(part, name, 2)
            norms = joined(norms, _norms(data))
            if (wrong := np.flatnonzero(~np.isfinite(data).all(axis=1))).size:
                first = at + int(wrong[0]) if first < 0 else first
                bad += wrong.size
        shape = int(array.shape[0]), int(array.shape[1])
        return Source(value, shape, digest.hexdigest(), norms, bad, first)

    def said(self) -> str:
        """What is wrong with the rows that are not finite."""
        return (
            f"{self.not_finite} of {self.shape[0]} rows with NaN or infinity, the first is row "
            f"{self.first}: their entries of the kernels are NaN"
        )


def _opened(given: Any, name: str) -> tuple[Any, Any]:
    """What a worker is told, and the array: of a file a memory map."""
    if not isinstance(given, (str, Path)):
        array = numbers(given, name, 2)
        return array, array
    path = Path(given).absolute()
    wanted = "np.save(file, X) with an array (n, d) of floats"
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise BadData(
            f"{name}: there is no file {given}", hint="the path of a .npy file"
        ) from error
    except OSError as error:
        raise BadData(
            f"{name}: {given} cannot be read", where=str(error), hint="the path of a .npy file"
        ) from error
    except (ValueError, EOFError) as error:
        raise BadData(f"{name}: {given} is not a .npy file of numbers", hint=wanted) from error
    if not isinstance(array, np.ndarray):
        with array:
            inside = ", ".join(array.files)
        raise BadData(
            f"{name}: {given} is an archive of arrays, not one array",
            where=f"in it: {inside}"[:200],
            hint=f'np.save("{name}.npy", np.load("{path.name}")[NAME])',
        )
    return str(path), array


def _norms(rows: Any) -> tuple[float, ...]:
    """The ends of the range of the squared norms of rows that have one."""
    with np.errstate(all="ignore"):
        squares = np.einsum("ij,ij->i", rows, rows)
    return joined(tuple(squares[np.isfinite(squares)].tolist()), ())


def joined(one: tuple[float, ...], other: tuple[float, ...]) -> tuple[float, ...]:
    """The ends of two ranges of squared norms together."""
    both = {*one, *other}
    positive = both - {0.0}
    ends = (min(positive), max(positive)) if positive else ()
    return (0.0, *ends) if 0.0 in both else ends
