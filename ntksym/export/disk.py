"""Generated files on disk: each appears whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..backends import SourceFile
from ..errors import CannotWrite
from ..runtime.library.cache import write_atomically


def write_all(files: Iterable[SourceFile], folder: Path) -> tuple[Path, ...]:
    """Write the files below a folder; the paths written.

    Raises:
        CannotWrite: a directory cannot be made, or a file not be written.
    """
    written = []
    for f in files:
        path = folder / f.name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, f.text.encode("utf-8"))
        except OSError as error:
            raise CannotWrite(
                f"cannot write {path}", where=str(error), hint="another --out"
            ) from error
        written.append(path)
    return tuple(written)
