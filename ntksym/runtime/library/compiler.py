"""The system's C compiler: found, asked what it can do, called with a list, never a shell."""

from __future__ import annotations

import ctypes
import json
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ...backends import SourceFile
from ...errors import CannotWrite, NoCompiler, NoRoom
from .cache import digest, obtain, recall, remember

if TYPE_CHECKING:  # nothing is run where all is in the cache
    import subprocess

FLAGS = (
    "-std=c99",
    "-fPIC",
    "-shared",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-trapping-math",
)
"""Never -ffast-math: `cross` needs the rounding of IEEE arithmetic, and old toolchains would switch
off subnormal numbers for the whole process."""

LEVELS = (
    (
        "-O2",
        "-ftree-vectorize",
        "-fvect-cost-model=dynamic",
        "--param=max-inline-insns-single=200",
        "--param=max-inline-insns-auto=30",
        "--param=inline-min-speedup=15",
    ),
    ("-O3",),
)
"""What GCC inlines and vectorises at -O3, without what takes it a third longer and gains nothing
here; for compilers that do not take it, -O3."""
CANDIDATES = ("cc", "gcc", "clang")
TIME_LIMIT = 120
"""Seconds for generated code."""
ANSWER_LIMIT = 20
"""Seconds for a question about the compiler."""
FIRST_LIMIT = 60
"""Seconds for one line of C: some compilers make their own library when they are first called."""
_HINT = 'target="numpy", which needs no compiler; or install gcc or clang, or set CC'

ROOM = "free space on the disk, or TMPDIR set to a directory that has some"


@dataclass(frozen=True, slots=True)
class Compiler:
    """A working compiler: its command, what it says it is, the flags it takes."""

    command: tuple[str, ...]
    identity: str
    flags: tuple[str, ...]


def find_compiler() -> Compiler:
    """The compiler named by `CC`, else the first of cc, gcc, clang that works.

    Raises:
        NoCompiler: none does.
    """
    return _find(os.environ.get("CC", ""), os.environ.get("PATH", ""))


@lru_cache(maxsize=8)
def _find(chosen: str, path: str) -> Compiler:
    tried: list[str] = []
    for candidate in [chosen] if chosen else CANDIDATES:
        words = _words(candidate)
        found = shutil.which(words[0]) if words else None
        if found is None:
            tried.append(f"{candidate}: not found")
            continue
        made = _known((found, *words[1:])) or _tried((found, *words[1:]))
        if isinstance(made, Compiler):
            return made
        tried.append(f"{candidate}: {made}")
    raise NoCompiler("no working C compiler", tried=tried, hint=_HINT)


def _words(candidate: str) -> list[str]:
    """A command and its arguments; what is a program with spaces in its path is one word."""
    with suppress(ValueError):
        if shutil.which(candidate) is None:
            return shlex.split(candidate)
    return [candidate]


def _tried(command: tuple[str, ...]) -> Compiler | str:
    """The compiler of a command, or what is wrong with it."""
    answer = _run([*command, "--version"], ANSWER_LIMIT)
    if answer is None or answer.returncode:
        return "does not run"
    for machine in (("-march=native",), ()):
        for level in LEVELS:
            flags = (*level, *FLAGS, *machine)
            try:
                works = _works(command, flags)
            except OSError as error:
                raise _no_room(str(error)) from error
            if works:
                return Compiler(command, answer.stdout.split("\n")[0], flags)
            if works is None:
                return f"does not compile a line of C in {FIRST_LIMIT} s"
    return "does not compile a C99 file"


def _known(command: tuple[str, ...]) -> Compiler | None:
    """What an earlier program found out about a command, or None."""
    key = _about(command)
    data = None if key is None else recall(key)
    if data is None:
        return None
    said = json.loads(data)
    return Compiler(command, said["identity"], tuple(said["flags"]))


@lru_cache(maxsize=8)
def _noted(compiler: Compiler) -> None:
    """Say to later programs what was found out, once."""
    key = _about(compiler.command)
    if key is not None and recall(key) is None:
        said = {"identity": compiler.identity, "flags": compiler.flags}
        remember(key, json.dumps(said).encode("ascii"))


def _about(command: tuple[str, ...]) -> str | None:
    """A key of a command, the file that it names and the processor; None where there is no file."""
    try:
        info = os.stat(command[0])
    except OSError:
        return None
    file = (info.st_size, info.st_mtime_ns, info.st_ino, info.st_dev)
    where = os.path.realpath(command[0])
    return digest(
        ("compiler 1", where, *command, *map(str, file), *LEVELS[0], *FLAGS, _processor())
    )


def _run(
    argv: list[str], limit: float, home: Path | None = None
) -> subprocess.CompletedProcess[str] | None:
    """What a command did; None where it does not start, or was stopped after `limit` seconds.

    It is stopped with what it started itself: a script that calls a compiler may wait for that.
    Its own temporary files go to `home`, since one that is stopped leaves them.
    """
    import subprocess

    pipe = subprocess.PIPE
    try:
        with subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
            errors="replace",
            start_new_session=True,
            env=None if home is None else os.environ | {"TMPDIR": str(home)},
        ) as child:
            try:
                with Group.current().holds(child):
                    out, said = child.communicate(timeout=limit)
            except BaseException as stopped:
                _stop(child)
                child.wait()  # after an interrupt `with` does not
                if isinstance(stopped, subprocess.TimeoutExpired):
                    return None
                raise
    except OSError:
        return None
    return subprocess.CompletedProcess(argv, child.returncode, out, said)


class Group:
    """The commands that several threads run for one purpose: an interrupt ends them all."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[str]] = []
        self._over = False

    @staticmethod
    def current() -> Group:
        """That of this thread, else a new one."""
        return _group.get() or Group()

    @contextmanager
    def joined(self) -> Iterator[None]:
        """What this thread runs is in the group, and an interrupt of this thread ends the group."""
        before = _group.set(self)
        try:
            yield
        except BaseException as error:
            if not isinstance(error, Exception):
                self.end()
            raise
        finally:
            _group.reset(before)

    def end(self) -> None:
        """No command of the group goes on, and none begins."""
        self._over = True
        for child in tuple(self._running):
            _stop(child)

    @contextmanager
    def holds(self, child: subprocess.Popen[str]) -> Iterator[None]:
        """The command ends with the group, at once if that has ended."""
        self._running.append(child)
        try:
            if self._over:
                _stop(child)
            yield
        finally:
            self._running.remove(child)


_group: ContextVar[Group | None] = ContextVar("group", default=None)


def _stop(child: subprocess.Popen[str]) -> None:
    """End a command and what it started."""
    import signal

    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    else:
        child.kill()


def _works(command: tuple[str, ...], flags: tuple[str, ...]) -> bool | None:
    """Whether it takes the flags; None where it was stopped, or does not start."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="ntksym-build-") as scratch:
        source = Path(scratch) / "probe.c"
        source.write_text(
            "#include <math.h>\ndouble probe(double x) { return fma(x, x, erfc(x)); }\n"
        )
        argv = [*command, *flags, "-o", str(Path(scratch) / "probe.so"), str(source), "-lm"]
        done = _run(argv, FIRST_LIMIT, Path(scratch))
        return None if done is None else done.returncode == 0


def shared_library(
    sources: tuple[SourceFile, ...], *, keep: bool = True, extra: tuple[str, ...] = ()
) -> Path:
    """The path of the shared library of these files, compiled at most once.

    `extra` flags come after the usual ones.  The key is the text of the sources, the command with
    its flags and what the compiler and the machine are; the file is checked against its SHA-256
    before it is returned.

    Raises:
        NoCompiler: none is found, or it refuses the source.
        NoRoom: its files cannot be written.
    """
    compiler = find_compiler()
    if keep:
        _noted(compiler)
    compiler = replace(compiler, flags=(*compiler.flags, *extra))

    def make(scratch: Path) -> bytes:
        return _built(compiler, sources, scratch, keep)

    try:
        return obtain(key_of(compiler, sources), ".so", make, keep=keep)
    except OSError as error:
        raise _no_room(str(error)) from error
    except CannotWrite as error:
        raise _no_room(error.where) from error


def _no_room(why: str) -> NoRoom:
    return NoRoom(f"nothing can be compiled: {why}", hint=ROOM)


def key_of(compiler: Compiler, sources: tuple[SourceFile, ...]) -> str:
    """What tells these files, compiled this way on this machine, from others."""
    import platform

    texts = tuple(part for s in sources for part in (s.name, s.text))
    machine = (platform.machine(), platform.system(), _processor())
    return digest((*texts, *compiler.command, *compiler.flags, compiler.identity, *machine))


def _built(compiler: Compiler, sources: tuple[SourceFile, ...], scratch: Path, keep: bool) -> bytes:
    """A shared library, compiled in parts where that takes less time.

    Raises:
        NoCompiler: it refuses the source.
    """
    from .objects import objects_of
    from .parts import in_parts

    parts = in_parts(sources)
    if parts.several:
        with suppress(NoCompiler):  # an odd compiler may yet take the file whole
            return _linked(compiler, objects_of(compiler, parts, scratch, keep), scratch)
    return _linked(compiler, [f"-I{scratch}", *written(sources, scratch)], scratch)


def _linked(compiler: Compiler, given: list[str], scratch: Path) -> bytes:
    return output(compiler, [*given, "-lm"], scratch / "out.so")


def output(compiler: Compiler, given: list[str], out: Path) -> bytes:
    """What the compiler makes of the given arguments.

    Raises:
        NoCompiler: it refuses them.
    """
    argv = [*compiler.command, *compiler.flags, "-o", str(out), *given]
    done = _run(argv, TIME_LIMIT, out.parent)
    if done is None or done.returncode:
        said = "it did not end in time" if done is None else done.stderr.strip()[-2000:]
        raise NoCompiler("the C compiler refused the generated source", where=said, hint=_HINT)
    if not out.is_file():
        said = done.stderr.strip()[-2000:] or f"{compiler.command[0]} said nothing"
        raise NoCompiler("the C compiler ended well and wrote nothing", where=said, hint=_HINT)
    return out.read_bytes()


def written(sources: tuple[SourceFile, ...], directory: Path) -> list[str]:
    """The files in a directory; the paths of those that are compiled."""
    for s in sources:
        (directory / s.name).write_text(s.text, encoding="ascii")
    return [str(directory / s.name) for s in sources if s.name.endswith(".c")]


def load_library(
    sources: tuple[SourceFile, ...], *, keep: bool = True, extra: tuple[str, ...] = ()
) -> ctypes.CDLL:
    """The library of these files, loaded; a stored one that does not load is made again.

    Raises:
        NoCompiler: none is found, it refuses the source, or what it makes does not load.
        NoRoom: its files cannot be written.
    """
    tried = []
    for stored in (keep, False):
        path = shared_library(sources, keep=stored, extra=extra)
        try:
            return ctypes.CDLL(str(path))
        except OSError as error:
            tried.append(str(error))
            path.unlink(missing_ok=True)
    raise NoCompiler("the C compiler makes no library that loads", tried=tried, hint=_HINT)


@lru_cache(maxsize=1)
def _processor() -> str:
    """What -march=native depends on: a cache may be shared by unlike machines."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as stream:
            for line in stream:
                if line.startswith(("flags", "Features")):
                    return line.strip()
    except OSError:
        pass
    import platform

    return platform.processor()
