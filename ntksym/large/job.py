"""One tile: its data, its kernels, its place in the store.  What a worker runs."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .plan import Plan, Tile

Matrix = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Job:
    """What every tile of a run has in common; small, so that it travels to other machines.

    Attributes:
        net: the network.
        x: the path of a .npy file, or the array.
        y: the same for the columns, or None for x.
        store: the directory of the Zarr group.
        run: a name of this run, so that nothing kept from an earlier one is taken for it.
        plan: the tiles.
        kernels: "nngp" and "ntk", or one of them.
        dtype: of the stored numbers.
        target: "c" or "numpy".
        norms: the ends of the range of squared norms of all rows, and 0 where one is: all tiles are
            computed with the same code.
        width: the length of a row.
    """

    net: Any
    x: Any
    y: Any
    store: str
    run: str
    plan: Plan
    kernels: tuple[str, ...]
    dtype: str
    target: str
    norms: tuple[float, ...] = ()

    width: int = 1

    def kernel(self) -> Any:
        """The compiled kernel, once per program that runs tiles."""
        return _kept_kernel(self.net, self.target, self.dtype, self.norms, self.width)


def kernel_of(
    net: Any,
    target: str,
    dtype: str,
    norms: tuple[float, ...] = (),
    width: int = 1,
    variances: Any = None,
) -> Any:
    """The compiled kernel; with squared norms of rows of some width, made for their range."""
    from ..runtime import compile as compile_

    made = compile_(network_of(net), target=target, dtype=dtype, threads=1, variances=variances)
    if norms and hasattr(made, "cover"):
        made.cover(norms, width)
    return made


def network_of(net: Any) -> Any:
    """The network that a text or a TOML file specifies; anything else as it is."""
    from ..network import parse_spec

    return parse_spec(net) if isinstance(net, (str, Path)) else net


_kept_kernel = lru_cache(maxsize=4)(kernel_of)


def rows_of(source: Any, rows: slice) -> Matrix:
    """Rows of a .npy file (read through the memory map, so that only these are loaded)."""
    if isinstance(source, (str, Path)):
        return np.array(np.load(source, mmap_mode="r")[rows])
    return np.asarray(source[rows])


def fill_tile(job: Job, tile: Tile) -> tuple[int, ...]:
    """Work out a tile and store it, and its transpose where the matrix is symmetric.

    Returns:
        The check sums of what was stored, one per kernel: CRC-32 of the numbers by rows.
    """
    kernel = job.kernel()
    x = rows_of(job.x, tile.rows)
    diagonal = job.y is None and tile.i == tile.j
    y = None if diagonal else rows_of(job.x if job.y is None else job.y, tile.columns)
    found = kernel(x, y)
    sums = []
    for name in job.kernels:
        values = np.ascontiguousarray(getattr(found, name), dtype=job.dtype)
        target = open_array(job.store, name, job.run)
        target[tile.rows, tile.columns] = values
        sums.append(checksum(values))
        if job.plan.symmetric and not diagonal:
            target[tile.columns, tile.rows] = values.T
    return tuple(sums)


def stored_sums(job: Job, tile: Tile) -> tuple[int, ...]:
    """The check sums of a tile as it lies in the store; of both halves where they are mirrored."""
    sums = []
    for name in job.kernels:
        target = open_array(job.store, name, job.run)
        found = checksum(np.ascontiguousarray(target[tile.rows, tile.columns]))
        if job.plan.symmetric and tile.i != tile.j:
            mirrored = np.ascontiguousarray(target[tile.columns, tile.rows].T)
            found = found if checksum(mirrored) == found else -1
        sums.append(found)
    return tuple(sums)


def checksum(values: Matrix) -> int:
    """CRC-32 of a C-contiguous array."""
    return zlib.crc32(values.reshape(-1).view(np.uint8).data)


@lru_cache(maxsize=16)
def open_array(store: str, name: str, run: str) -> Any:
    """An array of the group, opened for writing once per run."""
    from ..extras import for_gram as need

    return need("zarr").open_array(store, path=name, mode="r+")
