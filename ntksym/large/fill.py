"""`gram_to_zarr`: the kernels of a data set as a Zarr group, tile by tile, on Dask."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadData, BadSpec, CannotWrite
from ..extras import for_gram as need
from ..runtime.arguments import read_dtype, read_target, read_threads
from ..waiting import followed
from .job import Job, fill_tile, network_of, stored_sums
from .plan import Plan, Tile, plan_tiles
from .source import Source, joined
from .store import Store, only_writer, open_store

KERNELS = ("nngp", "ntk")
Progress = Callable[[int, int], None]
Note = Callable[[Tile, tuple[int, ...]], None]


@dataclass(frozen=True, slots=True)
class GramReport:
    """What a run did.

    Attributes:
        path: the Zarr group.
        kernels: its arrays.
        shape: of each.
        dtype: of the numbers.
        side: of a tile.
        tiles: worked out in this run.
        resumed: found whole from an earlier run.
        seconds: on the clock.
        bytes: stored by this run, mirrored halves included.
        not_finite: how many rows of X, and of Y where there is one, have NaN or infinities; their
            rows and columns of the matrices are NaN.
    """

    path: Path
    kernels: tuple[str, ...]
    shape: tuple[int, int]
    dtype: str
    side: int
    tiles: int
    resumed: int
    seconds: float
    bytes: int
    not_finite: tuple[int, ...] = (0,)


def gram_to_zarr(
    net: Any,
    X: Any,
    out: str | Path,
    *,
    Y: Any = None,
    memory: int | str = "2GB",
    threads: int | None = None,
    dtype: str = "float64",
    kernels: tuple[str, ...] = KERNELS,
    target: str = "c",
    cluster: Any = None,
    force: bool = False,
    progress: Progress | None = None,
) -> GramReport:
    """The kernels of the rows of X and Y (default X) as a Zarr group of arrays `nngp` and `ntk`.

    A run that was killed goes on where it stopped when it is started again with the same
    arguments; `out` appears only when it is whole.  A `RuntimeWarning` names rows with NaN or
    infinities before the work begins: they give NaN.

    Args:
        net: what `ntksym.compile` takes: a network, or the text that specifies one.
        X: the path of a .npy file (n, d), read in parts, or an array.
        out: the directory of the group.
        Y: the same for the columns; by default X, and then the matrices are exactly symmetric.
        memory: of the whole program on this machine; of each worker on a cluster.
        threads: tiles at once; by default the processors.
        dtype: "float64" or "float32".
        kernels: what is stored.
        target: "c" or "numpy".
        cluster: the address of a Dask scheduler, or a `distributed.Client`; files must be where
            its workers see them.
        force: replace what is there.
        progress: called with the numbers of finished and of all tiles.

    Raises:
        BadSpec: too little memory, an unknown kernel or dtype, no scheduler at `cluster`.
        BadData: X and Y do not go together.
        CannotWrite: `out` is there, another run holds it, or the disk is full; what is done
            stays, to be resumed.
        MissingExtra: Dask or Zarr is not installed.
    """
    start = time.perf_counter()
    if not kernels or any(k not in KERNELS for k in kernels) or len(set(kernels)) < len(kernels):
        raise BadSpec(f"kernels = {kernels!r}", hint="one or both of: nngp, ntk")
    dtype, target = read_dtype(dtype), read_target(target)
    threads = read_threads(threads)
    x, y = Source.of(X, "X"), None if Y is None else Source.of(Y, "Y")
    columns = x if y is None else y
    if x.shape[1] != columns.shape[1]:
        raise BadData(
            f"X and Y have different numbers of columns: {x.shape[1]} and {columns.shape[1]}",
            hint="the same inputs in the same order",
        )
    plan = plan_tiles(
        x.shape[0],
        columns.shape[0],
        x.shape[1],
        memory=memory,
        threads=threads,
        itemsize=np.dtype(dtype).itemsize,
        kernels=len(kernels),
        symmetric=y is None,
    )
    network = network_of(net)
    sources = (x,) if y is None else (x, y)
    for name, source in zip("XY", sources, strict=False):
        if source.not_finite:
            warnings.warn(f"{name}: {source.said()}", RuntimeWarning, stacklevel=2)
    header = _header(network, x, y, plan, kernels, dtype)
    store = open_store(out, header, plan, kernels, dtype, force=force)
    with only_writer(store), _followed(progress, store.out) as report:
        job = Job(
            network,
            x.value,
            None if y is None else y.value,
            str(store.partial),
            store.run,
            plan,
            kernels,
            dtype,
            target,
            x.norms if y is None else joined(x.norms, y.norms),
            x.shape[1],
        )
        whole = [t for t in plan.tiles() if _is_whole(store, job, t)]
        kept = {(t.i, t.j) for t in whole}
        left = [t for t in plan.tiles() if (t.i, t.j) not in kept]
        count = len(kept) + len(left)
        report(len(kept), count)
        finished = len(kept)

        def note(tile: Tile, sums: tuple[int, ...]) -> None:
            nonlocal finished
            store.note(tile, sums)
            finished += 1
            report(finished, count)

        def flush(tile: Tile) -> None:
            store.flush(tile, kernels)

        try:
            if left and cluster is None:
                job.kernel()  # once, before threads ask for it
                _local(job, left, threads, note, flush)
            elif left:
                _remote(job, left, cluster, note)
        except OSError as error:
            raise CannotWrite(
                f"cannot write {store.partial}",
                where=str(error),
                hint="the same command again goes on from here",
            ) from error
        store.finish()
    size = np.dtype(dtype).itemsize * len(kernels)
    return GramReport(
        store.out,
        kernels,
        (plan.rows, plan.columns),
        dtype,
        plan.side,
        len(left),
        len(kept),
        time.perf_counter() - start,
        sum(_numbers(plan, t) for t in left) * size,
        tuple(source.not_finite for source in sources),
    )


@contextmanager
def _followed(progress: Progress | None, out: str | Path) -> Iterator[Progress]:
    """`progress`, or where there is none lines on standard error."""
    if progress is not None:
        yield progress
        return
    with followed(f"gram {out}", None) as tell:
        yield lambda done, count: tell(f"{done} of {count} tiles")


def _local(
    job: Job, tiles: list[Tile], threads: int, note: Note, flush: Callable[[Tile], None]
) -> None:
    """On the threads of this program: Dask's threaded scheduler, noted as tiles are finished.

    One more thread sees to it that what is finished goes to the disk while the others compute.
    """
    dask, callbacks = need("dask"), need("dask.callbacks")
    task = dask.delayed(fill_tile, pure=False, traverse=False)
    tasks = [task(job, tile) for tile in tiles]
    by_key = {t.key: tile for t, tile in zip(tasks, tiles, strict=True)}
    writes: list[Future[None]] = []
    with ThreadPoolExecutor(1) as disk:

        def finished(key: Any, sums: Any, graph: Any, state: Any, worker: Any) -> None:
            if key in by_key:
                note(by_key[key], sums)
                writes.append(disk.submit(flush, by_key[key]))

        try:
            with callbacks.Callback(posttask=finished):
                dask.compute(
                    *tasks,
                    scheduler="threads" if threads > 1 else "sync",
                    num_workers=threads,
                    optimize_graph=False,  # the keys stay as they are
                )
            for write in writes:
                write.result()
        finally:
            disk.shutdown(wait=False, cancel_futures=True)


def _remote(job: Job, tiles: list[Tile], cluster: Any, note: Note) -> None:
    """On the workers of a Dask cluster.

    Raises:
        BadSpec: no scheduler answers at the address.
    """
    distributed = need("distributed")
    own = isinstance(cluster, str)
    try:
        # as the default it would stay that of the whole program, also where nothing answers
        client = distributed.Client(cluster, set_as_default=False) if own else cluster
    except (OSError, ValueError) as error:
        raise BadSpec(
            f"no Dask scheduler answers at {cluster!r}",
            where=str(error),
            hint="the address that the scheduler prints, as tcp://HOST:8786; none for this machine",
        ) from error
    try:
        shared = client.scatter(job, broadcast=True, hash=False)
        futures = {client.submit(fill_tile, shared, t, pure=False): t for t in tiles}
        for future in distributed.as_completed(futures):
            note(futures[future], future.result())
    finally:
        if own:
            client.close()


def _is_whole(store: Store, job: Job, tile: Tile) -> bool:
    return (tile.i, tile.j) in store.done and store.done[tile.i, tile.j] == stored_sums(job, tile)


def _numbers(plan: Plan, t: Tile) -> int:
    count = (t.rows.stop - t.rows.start) * (t.columns.stop - t.columns.start)
    return int(count) * (2 if plan.symmetric and t.i != t.j else 1)


def _header(
    network: Any, x: Source, y: Source | None, plan: Plan, kernels: tuple[str, ...], dtype: str
) -> Mapping[str, Any]:
    from .. import __version__

    convention = getattr(network, "convention", None)
    return {
        "ntksym": __version__,
        "network": str(getattr(network, "name", network)),
        "layers": [repr(b) for b in getattr(network, "blocks", ())],
        "convention": {} if convention is None else {k: str(v) for k, v in convention.items()},
        "rows": plan.rows,
        "columns": plan.columns,
        "side": plan.side,
        "kernels": list(kernels),
        "dtype": dtype,
        "x_sha256": x.digest,
        "y_sha256": None if y is None else y.digest,
    }
