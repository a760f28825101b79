"""Writing a site: all of it or nothing, and never over files that a render did not write."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ..errors import CannotWrite

MARKER = ".ntksym-site"
"""The file that says which files of a folder a render wrote, one on each line."""


def check_target(out: Path) -> None:
    """Nothing, where `out` can be written.

    Raises:
        CannotWrite: a file, a link, a folder that is not empty and was not made by a render, or
            one that has files which the render did not write.
    """
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise CannotWrite(f"{str(out)!r} is not a folder", hint="another --out")
    if not out.is_dir():
        return
    present = {p.relative_to(out).as_posix() for p in out.rglob("*") if not p.is_dir()}
    if not present and not any(out.iterdir()):
        return
    if MARKER not in present:
        raise CannotWrite(
            f"{str(out)!r} is not empty, and was not made by ntksym render",
            hint="an empty or new folder for --out",
        )
    try:
        own = {MARKER, *(out / MARKER).read_text(encoding="utf-8").splitlines()}
    except (OSError, UnicodeDecodeError) as error:
        raise CannotWrite(
            f"{out / MARKER} cannot be read",
            where=str(error),
            hint="an empty or new folder for --out",
        ) from error
    if foreign := sorted(present - own):
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise CannotWrite(
            f"{str(out)!r} has files that ntksym render did not write",
            where=f"{foreign[0]}{more}",
            hint="move them away, or another --out",
        )


def write_site(files: Mapping[str, str], out: Path) -> None:
    """Write a site: to a folder beside `out`, which then takes its place.

    Args:
        files: paths with forward slashes to contents.
        out: made anew; what an earlier render wrote there goes.

    Raises:
        CannotWrite: as `check_target`, or the disk refuses; what was there is then still there.
    """
    check_target(out)
    out = Path(os.path.abspath(out))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{out.name}.new-", dir=out.parent))
    except OSError as error:
        raise _refusal(out, error) from error
    try:
        for name, text in files.items():
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        listed = "".join(f"{name}\n" for name in sorted(files))
        (fresh / MARKER).write_text(listed, encoding="utf-8", newline="\n")
        fresh.chmod(0o755)
        _exchange(fresh, out)
    except OSError as error:
        raise _refusal(out, error) from error
    finally:
        if fresh.exists():
            shutil.rmtree(fresh, ignore_errors=True)


def _exchange(fresh: Path, out: Path) -> None:
    """Put `fresh` where `out` is; on failure `out` is as it was."""
    if not out.exists():
        fresh.rename(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.old-", dir=out.parent))
    out.rename(old / "site")
    try:
        fresh.rename(out)
    except OSError:
        (old / "site").rename(out)
        old.rmdir()
        raise
    shutil.rmtree(old, ignore_errors=True)


def _refusal(out: Path, error: OSError) -> CannotWrite:
    return CannotWrite(f"cannot write {str(out)!r}", where=str(error), hint="another --out")
