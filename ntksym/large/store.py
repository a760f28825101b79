"""The Zarr group of a run: made, resumed after a kill, and put in place when it is whole.

The group is `<out>.partial` until the last tile is in it; then it is renamed to `<out>`.  A journal
beside the arrays has one line per finished tile, with its check sums; a line that was cut off, or a
tile that is not what its line says, is worked out again.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CannotWrite
from ..extras import for_gram as need
from .plan import Plan, Tile

JOURNAL = "journal.txt"
HEADER = "run.json"
SCHEMA = "ntksym/gram/1"


@dataclass(frozen=True, slots=True)
class Store:
    """The group of a run.

    Attributes:
        out: where it will be.
        partial: where it is until it is whole.
        run: the name of the run.
        done: the check sums of the tiles that the journal lists.
    """

    out: Path
    partial: Path
    run: str
    done: Mapping[tuple[int, int], tuple[int, ...]]

    def note(self, tile: Tile, sums: tuple[int, ...]) -> None:
        """A line of the journal: this tile is stored.

        After a power failure it may be there without the tile; the check sums tell.
        """
        line = " ".join(map(str, (tile.i, tile.j, *sums))) + "\n"
        with (self.partial / JOURNAL).open("a", encoding="ascii") as file:
            file.write(line)

    def flush(self, tile: Tile, kernels: tuple[str, ...]) -> None:
        """Wait until the tile, and its mirror image, is on the disk and not in memory only.

        Raises:
            OSError: as the system says, a full disk included.
        """
        for name in kernels:
            for i, j in {(tile.i, tile.j), (tile.j, tile.i)}:
                path = self.partial / name / "c" / str(i) / str(j)
                try:
                    number = os.open(path, os.O_RDWR)  # Windows flushes what can be written only
                except FileNotFoundError:  # a matrix that is not symmetric has no mirror image
                    continue
                try:
                    os.fsync(number)
                finally:
                    os.close(number)

    def finish(self) -> None:
        """Put the group in its place; a kill on the way leaves one that can be resumed.

        Raises:
            CannotWrite: it cannot be renamed.
        """
        group = need("zarr").open_group(str(self.partial), mode="r+")
        group.attrs["complete"] = True
        try:
            if self.out.exists():
                shutil.rmtree(self.out)
            self.partial.rename(self.out)
            for name in (JOURNAL, HEADER):
                (self.out / name).unlink(missing_ok=True)
        except OSError as error:
            raise CannotWrite(
                f"cannot rename {self.partial}",
                where=str(error),
                hint="all of it is there: the same command again renames it",
            ) from error


def open_store(
    out: str | Path,
    header: Mapping[str, Any],
    plan: Plan,
    kernels: tuple[str, ...],
    dtype: str,
    *,
    force: bool = False,
) -> Store:
    """The group of a run: the one that was left unfinished, or a new one.

    Raises:
        CannotWrite: `out` is there (without `force`), what was left unfinished is another run, or
            the directory cannot be written.
    """
    place = Path(out).absolute()
    partial = place.with_name(place.name + ".partial")
    if place.exists() and not (place / "zarr.json").is_file():
        raise CannotWrite(
            f"{place} is there, and is not a Zarr group", hint="another name; it is not replaced"
        )
    if place.exists() and not force:
        raise CannotWrite(f"{out} is there", hint="--force to replace it, or another name")
    given = {"schema": SCHEMA, **header}
    if partial.exists():
        found = _header(partial)
        if found is not None and {k: v for k, v in found.items() if k != "run"} == given:
            return Store(place, partial, str(found["run"]), _journal(partial, len(kernels)))
        if not force:
            raise CannotWrite(
                f"{partial.name} was left by another run",
                where=_differences(given, found),
                hint="--force to begin anew, or another name",
            )
        shutil.rmtree(partial)
    run = uuid.uuid4().hex
    begun = partial.with_name(f"{partial.name}-{run}")  # whole, or not there, under its own name
    try:
        _create(begun, given, plan, kernels, dtype)
        text = json.dumps({**given, "run": run}, indent=1)
        (begun / HEADER).write_text(text + "\n", encoding="ascii")
        begun.rename(partial)
    except OSError as error:
        shutil.rmtree(begun, ignore_errors=True)
        if _header(partial) is not None:
            raise CannotWrite(
                f"another run has begun {partial.name}", hint="wait for it, or stop it"
            ) from error
        raise CannotWrite(
            f"cannot write {partial}",
            where=str(error),
            hint="a folder that can be written, with room",
        ) from error
    return Store(place, partial, run, {})


def _create(
    partial: Path, header: Mapping[str, Any], plan: Plan, kernels: tuple[str, ...], dtype: str
) -> None:
    group = need("zarr").open_group(str(partial), mode="w")
    group.attrs.update({**header, "complete": False})
    for name in kernels:
        group.create_array(
            name,
            shape=(plan.rows, plan.columns),
            chunks=(min(plan.side, plan.rows), min(plan.side, plan.columns)),
            dtype=dtype,
            compressors=None,  # kernels hardly compress, and it costs more than it saves
            fill_value=float("nan"),
            dimension_names=("row", "column"),
        )


_SAID = {
    "ntksym": "the version of ntksym",
    "side": "the tiles (the memory and the threads given decide them)",
    "x_sha256": "the numbers in X",
    "y_sha256": "the numbers in Y",
    "dtype": "the dtype",
}
"""What the reader knows the keys of a header as, where that is something else."""


def _differences(given: Mapping[str, Any], found: Mapping[str, Any] | None) -> str:
    """In what the run that was left differs from the one that is asked for."""
    if found is None:
        return f"its {HEADER} cannot be read"
    keys = [k for k in given if found.get(k) != given[k]]
    return "differs in: " + ", ".join(_SAID.get(k, k) for k in keys)


def _header(partial: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((partial / HEADER).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "run" in found else None


def _journal(partial: Path, kernels: int) -> dict[tuple[int, int], tuple[int, ...]]:
    try:
        text = (partial / JOURNAL).read_text(encoding="ascii")
    except FileNotFoundError:
        return {}
    found = {}
    for line in text.split("\n")[:-1]:  # what follows the last newline was cut off
        parts = line.split()
        if len(parts) == 2 + kernels and all(p.lstrip("-").isdigit() for p in parts):
            i, j, *sums = map(int, parts)
            found[i, j] = tuple(sums)
    return found


@contextmanager
def only_writer(store: Store) -> Iterator[None]:
    """Hold the journal, so that no second run writes to the same group.

    Raises:
        CannotWrite: another run holds it.
    """
    try:
        import fcntl
    except ImportError:  # not on Windows: there the rename fails while files are open
        yield
        return
    with (store.partial / JOURNAL).open("a", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CannotWrite(
                f"another run is writing {store.partial.name}", hint="wait for it, or stop it"
            ) from error
        yield
