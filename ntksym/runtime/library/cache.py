"""A private cache of compiled routines: a directory of ours, contents checked before use.

Threats kept out: another user's files, symbolic links, half-written files, a changed binary.  A
directory that does not pass is not repaired: a fresh private one is used for this process.
"""

from __future__ import annotations

import atexit
import hashlib
import math
import os
import stat
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from ...errors import CannotWrite

NO_WAIT = getattr(os, "O_NONBLOCK", 0)
"""A pipe in the place of a file must not make us wait."""
NOTE = ".note"
"""The suffix of what `remember` stores."""
SUM = ".sha256"
"""The suffix of the checksum beside an entry."""
TEMPORARY = ".ntksym-"
"""How the names of files begin that are being written."""
MOST = 1024
"""Entries of one kind (suffix).  When there are more, the half that was not used for longest goes:
an edit of the package, or another version of it, makes everything of the code before it useless."""
STALE = 86400.0
"""Seconds after which a temporary file is one that its writer left when it was killed."""


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
    return path.with_name(path.name + SUM)


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
        if not is_intact(path):
            return _made(path, make)
        _used(path)
        return path


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
        _forget(path.parent)
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
    _used(path)
    stored, _, rest = data.partition(b"\n")
    return rest if stored == hashlib.sha256(rest).hexdigest().encode() else None


def remember(key: str, data: bytes) -> None:
    """Store bytes with their SHA-256 in one file; where that cannot be done nothing is stored."""
    whole = hashlib.sha256(data).hexdigest().encode() + b"\n" + data
    with suppress(OSError, CannotWrite):
        directory = cache_directory()
        write_atomically(directory / f"{key}{NOTE}", whole, mode=0o600)
        _forget(directory)


def _used(path: Path) -> None:
    """Note the last use of an entry in its time of change."""
    with suppress(OSError, NotImplementedError):
        os.utime(path, follow_symlinks=False)


def _forget(directory: Path) -> None:
    """Keep at most `MOST` entries of every kind, those that were used last."""
    kinds: dict[str, list[os.DirEntry[str]]] = {}
    left = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.startswith(TEMPORARY):
                left.append(entry)
            elif not entry.name.endswith(SUM):
                kinds.setdefault(Path(entry.name).suffix, []).append(entry)
    for kind in kinds.values():
        if len(kind) > MOST:
            aged = sorted((_age(e), e.path) for e in kind)
            for _, path in aged[: len(aged) - MOST // 2]:
                _remove(path)
    limit = time.time() - STALE
    for entry in left:
        if _age(entry) < limit:
            _remove(entry.path)


def _age(entry: os.DirEntry[str]) -> float:
    """The time of the last use; the end of time for what another program has just removed."""
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except FileNotFoundError:
        return math.inf


def _remove(path: str) -> None:
    """Remove an entry with its checksum; one that is in use may refuse, and goes another time."""
    with suppress(OSError):
        Path(path).unlink(missing_ok=True)
        _sum_path(Path(path)).unlink(missing_ok=True)


def _place(path: Path, data: bytes) -> None:
    write_atomically(path, data, mode=0o700)
    write_atomically(_sum_path(path), hashlib.sha256(data).hexdigest().encode(), mode=0o600)


def write_atomically(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write through a temporary file in the same directory and `os.replace`.

    Raises:
        OSError: as the system says; the target is then as it was.
    """
    import tempfile

    handle, name = tempfile.mkstemp(dir=path.parent, prefix=TEMPORARY)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
