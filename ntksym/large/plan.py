"""Which tiles a Gram matrix is cut into, for a given amount of memory."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import BadSpec

RESERVE = 180 << 20
"""Bytes of an interpreter with NumPy, SciPy, Dask and Zarr loaded, and their thread pools."""
STEP = 64
FINE = 16
MOST = 1536
"""The largest side: larger tiles are no faster; smaller ones keep the disk at work from early on,
lose less at a kill, and leave memory to others."""
LEAST_BLOCKS = 5
"""Block rows of a matrix that one tile could hold: threads share it, and what is done is told and
kept where an entry takes milliseconds."""
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40}


@dataclass(frozen=True, slots=True)
class Tile:
    """One block of the matrix: block row and column, and the rows and columns it covers."""

    i: int
    j: int
    rows: slice
    columns: slice


@dataclass(frozen=True, slots=True)
class Plan:
    """The tiles of a run.

    Attributes:
        rows: the number of rows of the matrices.
        columns: the number of columns.
        side: the side of a tile; those at the edge are smaller.
        symmetric: whether only tiles on and above the diagonal are worked out.
        tile_bytes: what a thread needs while it works on a tile.
    """

    rows: int
    columns: int
    side: int
    symmetric: bool
    tile_bytes: int

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of block rows and block columns."""
        return math.ceil(self.rows / self.side), math.ceil(self.columns / self.side)

    def tile(self, i: int, j: int) -> Tile:
        """The tile in block row i and block column j."""
        return Tile(i, j, self._span(i, self.rows), self._span(j, self.columns))

    def tiles(self) -> Iterator[Tile]:
        """The tiles to work out, row by row."""
        down, across = self.shape
        for i in range(down):
            for j in range(i if self.symmetric else 0, across):
                yield self.tile(i, j)

    def _span(self, block: int, size: int) -> slice:
        return slice(block * self.side, min((block + 1) * self.side, size))


def plan_tiles(
    rows: int,
    columns: int,
    width: int,
    *,
    memory: int | str = "2GB",
    threads: int = 1,
    itemsize: int = 8,
    kernels: int = 2,
    symmetric: bool = False,
) -> Plan:
    """The largest tiles that fit, up to `MOST`, of a side that nearly divides the matrix.

    A store writes the blocks at the edge in full, so that a side of just over half the rows would
    double what goes to the disk.  Small matrices are cut too, into about `LEAST_BLOCKS` block rows.

    Args:
        rows: rows of the first data set.
        columns: rows of the second.
        width: the length of a row of data.
        memory: of the whole program, interpreter included: bytes, or text such as "2GB", "512 MiB".
        threads: tiles worked on at once.
        itemsize: bytes of a stored number.
        kernels: how many kernels are stored.
        symmetric: only tiles on and above the diagonal.

    Raises:
        BadSpec: not an amount of memory, or too little for the smallest tiles.
    """
    total = memory_bytes(memory)
    threads = max(1, threads)

    def need(side: int) -> int:
        # Inner products and both results in double, the stored results and the transposed copy
        # that a store encodes, and the rows of data in double and as they came.
        square = side * side * (8 + kernels * (8 + itemsize) + 2 * itemsize)
        return square + 2 * side * width * 16

    low, high = 1, max(1, math.ceil(min(MOST, max(rows, columns)) / STEP))
    share = (total - RESERVE) // threads
    if need(STEP) > share:
        least = RESERVE + threads * need(STEP)
        raise BadSpec(
            f"memory = {memory}: not enough for tiles of side {STEP}",
            where=f"{threads} thread{'s' if threads > 1 else ''}, rows of {width} numbers",
            hint=f"at least {math.ceil(least / 10**6)} MB, or fewer threads",
        )
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if need(middle * STEP) <= share else (low, middle - 1)
    side = low * STEP
    size = max(rows, columns)
    if size <= MOST:
        side = min(side, max(1, round(size / LEAST_BLOCKS / FINE)) * FINE)
    side = min(side, math.ceil(size / math.ceil(size / side) / FINE) * FINE)
    return Plan(rows, columns, side, symmetric, need(side))


def memory_bytes(memory: int | str) -> int:
    """An amount of memory in bytes: an integer, or a number with B, kB, MB, GB, TB, MiB, GiB.

    Raises:
        BadSpec: anything else.
    """
    text = str(memory).strip()
    found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?)\s*([A-Za-z]{0,3})", text)
    if not found or found[2].upper() not in _UNITS:
        raise BadSpec(
            f"{text[:40]!r} is not an amount of memory", hint="a number and a unit: 2GB, 512MiB"
        )
    return int(float(found[1]) * _UNITS[found[2].upper()])
