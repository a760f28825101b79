"""A private cache of compiled routines: a directory of ours, contents checked before use.

Threats kept out: another user's files, symbolic links, half-written files, a changed binary.  A
directory that does not pass is not repaired: a fresh private one is used for this process.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from ..errors import CannotWrite

NO_WAIT = getattr(os, "O_NONBLOCK", 0)
"""A pipe in the place of a file must not make us wait."""
NOTE = ".note"
"""The suffix of what `remember` stores."""
MOST_NOTES = 1024
"""When there are more, the half that was not used for longest goes: an edit of the package makes
every note of the code before it useless."""


def default_directory() -> Path:
    """`$NTKSYM_CACHE`, else `$XDG_CACHE_HOME/ntksym`, else `~/.cache/ntksym`."""
    if chosen := os.environ.get("NTKSYM_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "ntksym"


def is_private(directory: Path) -> bool:
    """Whether it is a real directory, owned by this user, that no other user can write."""
    try:
        info = os.lstat(directory)
    except OSError:
        return False
    if not stat.S_ISDIR(info.st_mode):
        return False
    if hasattr(os, "geteuid") and info.st_uid != os.geteuid():
        return False
    return not info.st_mode & 0o022 and os.access(directory, os.W_OK | os.X_OK)


def cache_directory() -> Path:
    """The cache, made with mode 0700; or a private directory of this process.

    Raises:
        CannotWrite: not even a temporary directory can be made.
    """
    wanted = default_directory()
    try:
        wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return process_directory()
    return wanted if is_private(wanted) else process_directory()


@lru_cache(maxsize=1)
def process_directory() -> Path:
    """A fresh private directory, removed when the process ends.

    Raises:
        CannotWrite: it cannot be made.
    """
    import shutil
    import tempfile

    try:
        made = Path(tempfile.mkdtemp(prefix="ntksym-"))
    except OSError as error:
        raise CannotWrite(
            "no directory for compiled code", where=str(error), hint="set TMPDIR or NTKSYM_CACHE"
        ) from error
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def digest(parts: tuple[str, ...]) -> str:
    """SHA-256 of the parts, each with its length, in hexadecimal."""
    h = hashlib.sha256()
    for part in parts:
        data = part.encode()
        h.update(f"{len(data)}:".encode())
        h.update(data)
    return h.hexdigest()


def read_regular(path: Path) -> bytes | None:
    """The bytes of a regular file, not through a symbolic link; None if there is none."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | NO_WAIT)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        return None
    with os.fdopen(handle, "rb") as stream:
        return stream.read()


def is_intact(path: Path) -> bool:
    """Whether the file has the SHA-256 that was stored beside it when it was made."""
    data, stored = read_regular(path), read_regular(_sum_path(path))
    if data is None or stored is None:
        return False
    return hashlib.sha256(data).hexdigest() == stored.decode("ascii", "replace").strip()


def _sum_path(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def obtain(key: str, suffix: str, make: Callable[[Path], bytes], *, keep: bool = True) -> Path:
    """The path of an entry, made by `make(scratch directory)` unless an intact one is there.

    `keep=False` uses the directory of this process: nothing outlives it.  Threads that ask for the
    same entry wait for the one that makes it.

    Raises:
        CannotWrite: the entry cannot be written anywhere.
    """
    directory = cache_directory() if keep else process_directory()
    path = directory / f"{key}{suffix}"
    with _making.setdefault(path, threading.Lock()):
        return path if is_intact(path) else _made(path, make)


_making: dict[Path, threading.Lock] = {}
if hasattr(os, "register_at_fork"):  # nobody in the child will open what another thread holds
    os.register_at_fork(after_in_child=_making.clear)


def _made(path: Path, make: Callable[[Path], bytes]) -> Path:
    """Where the entry came to be written."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="ntksym-build-") as scratch:
        data = make(Path(scratch))
    try:
        _place(path, data)
    except OSError:
        path = process_directory() / path.name
        try:
            _place(path, data)
        except OSError as error:
            raise CannotWrite(
                "compiled code cannot be stored", where=str(error), hint="set NTKSYM_CACHE"
            ) from error
    return path


def recall(key: str) -> bytes | None:
    """What `remember` stored, whole and unchanged; else None."""
    try:
        path = cache_directory() / f"{key}{NOTE}"
    except CannotWrite:
        return None
    data = read_regular(path)
    if data is None:
        return None
    with suppress(OSError):
        os.utime(path, follow_symlinks=False)  # its last use
    stored, _, rest = data.partition(b"\n")
    return rest if stored == hashlib.sha256(rest).hexdigest().encode() else None


def remember(key: str, data: bytes) -> None:
    """Store bytes with their SHA-256 in one file; where that cannot be done nothing is stored."""
    whole = hashlib.sha256(data).hexdigest().encode() + b"\n" + data
    with suppress(OSError, CannotWrite):
        directory = cache_directory()
        write_atomically(directory / f"{key}{NOTE}", whole, mode=0o600)
        _forget(directory)


def _forget(directory: Path) -> None:
    """Keep at most `MOST_NOTES` notes, those that were used last."""
    with os.scandir(directory) as entries:
        notes = [e for e in entries if e.name.endswith(NOTE)]
    if len(notes) <= MOST_NOTES:
        return
    aged = []
    for note in notes:
        with suppress(FileNotFoundError):  # another program was faster
            aged.append((note.stat(follow_symlinks=False).st_mtime, note.path))
    for _, path in sorted(aged)[: len(aged) - MOST_NOTES // 2]:
        Path(path).unlink(missing_ok=True)


def _place(path: Path, data: bytes) -> None:
    write_atomically(path, data, mode=0o700)
    write_atomically(_sum_path(path), hashlib.sha256(data).hexdigest().encode(), mode=0o600)


def write_atomically(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write through a temporary file in the same directory and `os.replace`.

    Raises:
        OSError: as the system says; the target is then as it was.
    """
    import tempfile

    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".ntksym-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
