"""The compiled Gram loop: bands of rows handed to threads, every tile from product to store."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..addresses import address
from ..checks import Array
from ..library.compiler import load_library
from .source import COLUMNS, PRODUCT_FLAGS, ROWS, gram_file
from .threads import each

FEW = 64
PACKED = 1 << 26
"""Bytes that the packed columns of Y may take; more columns are done in several rounds."""
SPAN = 16 * COLUMNS
"""Columns of a band that one thread works on at a time."""
LINE = 64
"""Bytes of a line of the cache."""

First = tuple[float, float, float, float]


class _Gram(ctypes.Structure):
    """`struct gram` of the C file."""

    _fields_ = (
        *((k, ctypes.c_size_t) for k in ("n", "m", "d", "levels", "first", "last", "ldk", "ldt")),
        *((k, ctypes.c_int) for k in ("symmetric", "single")),
        *((k, ctypes.c_void_p) for k in ("x", "panels", "qx", "qy", "sx", "sy")),
        *((k, ctypes.c_void_p) for k in ("dx", "dy", "gx", "gy", "tx", "ty", "ix", "iy")),
        ("inputs", ctypes.c_double * 4),
        *((k, ctypes.c_void_p) for k in ("tile", "pairs", "nngp", "ntk")),
    )


@dataclass(frozen=True, slots=True)
class Layers:
    """The functions of a network in a shared library, as addresses; `single` in float or None."""

    tile: int
    pairs: int
    single: int | None


def variant_of(layers: Layers, dtype: Any, floats: bool = True) -> str:
    """The variant that fills arrays of a type, with layers on floats where there are and may be."""
    return "dd" if dtype == np.float64 else "ff" if floats and layers.single is not None else "df"


@dataclass(frozen=True)
class Side:
    """The rows of one argument: as given (float or double), squared norms, diagonals.

    `own` is Theta(x, x) after the last layer; it has no entries where only norms are given.
    """

    rows: NDArray[Any]
    squares: Array
    levels: Array
    own: Array

    @cached_property
    def whole(self) -> bool:
        """Whether no row is lost, as a sum of all that must be finite tells; False says nothing."""
        with np.errstate(all="ignore"):
            return isfinite(np.add.reduce(self.squares) + np.add.reduce(self.levels, axis=None))

    @cached_property
    def lost(self) -> NDArray[np.bool_]:
        """Rows without a kernel: not finite themselves, or of infinite variance in a layer."""
        if self.whole:
            return np.zeros(len(self.squares), np.bool_)
        inner = self.levels[: max(1, len(self.levels) // 2 - 1)]
        lost: NDArray[np.bool_] = ~(np.isfinite(self.squares) & np.isfinite(inner).all(axis=0))
        return lost

    @property
    def quiet(self) -> Array:
        """The diagonals, NaN for rows that are lost: what these are must not matter to others."""
        if self.whole or not (lost := self.lost).any():
            return self.levels
        return np.where(lost, np.nan, self.levels)


@dataclass(frozen=True, slots=True)
class Loop:
    """The compiled loop of one variant: what fills bands, what packs columns, columns of a panel.

    The library is held by its functions.
    """

    run: Any
    pack: Any
    lanes: int


@lru_cache(maxsize=8)
def gram_library(variant: str, keep: bool = True) -> Loop:
    """The compiled loop of one variant: compilers take a third of the time for each.

    Raises:
        NoCompiler: there is none.
        CannotWrite: the library cannot be stored.
    """
    library = load_library((gram_file(variant),), keep=keep, extra=PRODUCT_FLAGS)
    library.ntksym_gram_size.restype = ctypes.c_size_t
    library.ntksym_gram_lanes.restype = ctypes.c_size_t
    if library.ntksym_gram_size() != ctypes.sizeof(_Gram):
        raise AssertionError("struct gram has another layout in C than in Python")
    size, place = ctypes.c_size_t, ctypes.c_void_p
    run = getattr(library, f"ntksym_gram_{variant}")
    run.argtypes, run.restype = [place, *[size] * 4, place, place], None
    pack = getattr(library, f"ntksym_gram_pack_{variant[0]}")
    pack.argtypes, pack.restype = [size, size, place, place], None
    return Loop(run, pack, int(library.ntksym_gram_lanes(int(variant == "ff"))))


def fill(
    layers: Layers,
    first: First,
    x: Side,
    y: Side | None,
    nngp: NDArray[Any] | None,
    ntk: NDArray[Any] | None,
    threads: int,
    keep: bool,
) -> None:
    """Fill the outputs (n, m), rows contiguous; y None: symmetric, the diagonal is left alone.

    Float outputs are computed in float where the network has float layers and all variances are
    of moderate size, else in double and rounded.
    """
    wanted = nngp if nngp is not None else ntk
    assert wanted is not None
    n, m = wanted.shape
    both = x if y is None else y
    moderate = wanted.dtype == np.float32 and _moderate(x) and _moderate(both)
    kind = variant_of(layers, wanted.dtype, moderate)
    real = np.float32 if kind == "ff" else np.float64
    loop = gram_library(kind, keep)
    left = np.ascontiguousarray(x.rows, dtype=real)
    right = left if y is None else np.ascontiguousarray(y.rows, dtype=real)
    d = left.shape[1]
    same_kind = x.rows.dtype == both.rows.dtype
    sx = x.rows if same_kind else x.rows.astype(np.float64)
    sy = both.rows if same_kind else both.rows.astype(np.float64)
    qx = x.levels.astype(real, copy=False)
    qy = qx if y is None else y.levels.astype(real, copy=False)
    ix = inverse_root(x.levels[0]).astype(real, copy=False)
    iy = ix if y is None else inverse_root(y.levels[0]).astype(real, copy=False)
    slab = _slab(m, d, left.itemsize, loop.lanes)
    panels = _aligned(-(-min(slab, m) // loop.lanes) * loop.lanes * d, real)
    rows_at, packed = address(left), address(panels)
    columns_at = rows_at if y is None else address(right)
    one = tuple(map(address, (qx, sx, x.levels, x.squares, x.own, ix)))
    two = one
    if y is not None:
        two = tuple(map(address, (qy, sy, y.levels, y.squares, y.own, iy)))
    job = _Gram(  # the arrays above live as long as this call
        n=n,
        m=m,
        d=d,
        levels=len(x.levels),
        ldk=_step(nngp),
        ldt=_step(ntk),
        symmetric=int(y is None),
        single=int(sx.dtype == np.float32),
        x=rows_at,
        panels=packed,
        qx=one[0],
        qy=two[0],
        sx=one[1],
        sy=two[1],
        dx=one[2],
        dy=two[2],
        gx=one[3],
        gy=two[3],
        tx=one[4],
        ty=two[4],
        ix=one[5],
        iy=two[5],
        inputs=(ctypes.c_double * 4)(*first),
        tile=layers.single if kind == "ff" else layers.tile,
        pairs=layers.pairs,
        nngp=None if nngp is None else address(nngp),
        ntk=None if ntk is None else address(ntk),
    )
    at_job, work_size = ctypes.addressof(job), 3 * ROWS * COLUMNS
    row = d * left.itemsize

    def workspace() -> tuple[NDArray[Any], Array]:
        return _aligned(work_size, real), np.empty(len(x.levels) * FEW)

    for start in range(0, m, slab):
        stop = min(start + slab, m)
        job.first, job.last = start, stop

        def pack_part(at: int, _: Any, start: int = start, stop: int = stop) -> None:
            rows = min(COLUMNS, stop - at)
            loop.pack(rows, d, columns_at + at * row, packed + (at - start) * row)

        each(pack_part, range(start, stop, COLUMNS), threads, lambda: None)

        def band(place: tuple[int, int, int], space: tuple[NDArray[Any], Array]) -> None:
            top, left_edge, right_edge = place
            bottom = min(top + ROWS, n)
            work, few = address(space[0]), address(space[1])
            loop.run(at_job, top, bottom, left_edge, right_edge, work, few)

        each(band, _bands(n, start, stop, y is None), threads, workspace)


def _aligned(count: int, real: Any) -> NDArray[Any]:
    """An array without values whose first element begins a line of the processor's cache: vectors
    that lie in two lines are loaded twice.
    """
    item = np.dtype(real).itemsize
    space = np.empty(count + LINE // item, dtype=real)
    skip = -address(space) % LINE // item
    return space[skip : skip + count]


def _step(a: NDArray[Any] | None) -> int:
    """Elements from one row to the next."""
    if a is None:
        return 0
    return a.strides[0] // a.itemsize if len(a) > 1 else a.shape[1]


def _bands(n: int, start: int, stop: int, symmetric: bool) -> Iterable[tuple[int, int, int]]:
    for top in range(0, n, ROWS):
        for at in range(start, stop, SPAN):
            end = min(at + SPAN, stop)
            if not (symmetric and end <= top):
                yield top, at, end


def _slab(m: int, d: int, item: int, lanes: int) -> int:
    """Columns packed at a time: all, or a multiple of a tile's columns, or of a panel's."""
    fits = PACKED // (d * item)
    if fits >= m:
        return m
    if fits >= COLUMNS:
        return fits // COLUMNS * COLUMNS
    return max(lanes, fits // lanes * lanes)


def inverse_root(g: Array) -> Array:
    """1/sqrt(Sigma(x, x)), and 0 where that is 0: never close to anything."""
    inverse: Array = np.zeros(g.shape)
    np.divide(1.0, np.sqrt(g), out=inverse, where=g > 0.0)
    return inverse


MODERATE = 2.0**60


def _moderate(side: Side) -> bool:
    """Whether float has range enough for products of variances; zero and lost rows included."""
    kept = slice(None) if side.whole else ~side.lost
    for a in (side.squares[kept], side.levels[: len(side.levels) // 2, kept]):
        if not np.isfinite(a).all() or (a > MODERATE).any():
            return False
        if ((a < 1.0 / MODERATE) & (a != 0.0)).any():
            return False
    return True
