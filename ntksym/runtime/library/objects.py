"""The parts of a library as object files; those that networks share are made once, and early."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from ...backends import SourceFile
from ...errors import NtksymError
from ..gram.loop import VARIANTS, gram_library
from ..gram.threads import allowed_cores, each
from .cache import obtain
from .compiler import LEVELS, Compiler, Group, find_compiler, key_of, output, written
from .parts import Parts, shared_parts


class _Answer:
    """Whether the network that is compiled needs shared parts; no until somebody says yes."""

    def __init__(self) -> None:
        self._known = threading.Event()
        self._yes = False

    def ask(self) -> None:
        self._yes = False
        self._known.clear()

    def say(self, yes: bool) -> None:
        self._yes = self._yes or yes
        self._known.set()

    def wait(self) -> bool:
        self._known.wait()
        return self._yes


_shared_wanted = _Answer()


def objects_of(compiler: Compiler, parts: Parts, scratch: Path, keep: bool) -> list[str]:
    """The paths of the object files of all parts, compiled at the same time; shared ones are from
    the cache where they are in it.  An interrupt ends all compilers.

    Raises:
        NoCompiler: a part is refused.
        CannotWrite: a shared object can be stored nowhere.
    """
    compiler = _to_objects(compiler)
    jobs = [*enumerate(parts.own), *((None, part) for part in parts.shared)]
    made: dict[tuple[SourceFile, ...], str] = {}
    group = Group.current()

    def work(job: tuple[int | None, tuple[SourceFile, ...]], space: None) -> None:
        number, part = job
        with group.joined():
            if number is None:
                made[part] = str(_shared(compiler, part, keep))
                return
            home = scratch / f"part{number}"
            home.mkdir()
            _compiled(_lightly(compiler) if part in parts.rare else compiler, part, home)
            made[part] = str(home / "part.o")

    with group.joined():
        each(work, jobs, len(jobs) if allowed_cores() > 1 else 1, lambda: None)
    return [made[part] for _, part in jobs]


@contextmanager
def compiled_beside(keep: bool, dtype: str | None = "float64") -> Iterator[None]:
    """What no network changes is compiled, by the compiler that is then known, in a thread of its
    own while the body derives and generates a network: the Gram loop (of no type for None), then
    the shared parts as soon as `shared_parts_wanted` says so.  What goes wrong there is raised
    where it is needed.
    """
    group = Group()

    def make() -> None:
        with suppress(NtksymError), group.joined():
            for variant in VARIANTS[dtype] if dtype else ():
                gram_library(variant, keep)
            if allowed_cores() < 2 or not _shared_wanted.wait():
                return
            from ...backends.c.backend import support_file

            compiler = _to_objects(find_compiler())
            for part in shared_parts(support_file()):
                _shared(compiler, part, keep)

    _shared_wanted.ask()
    beside = threading.Thread(target=make, daemon=True)
    beside.start()
    try:
        with group.joined():
            yield
    finally:
        shared_parts_wanted(False)
        beside.join()


def shared_parts_wanted(wanted: bool) -> None:
    """Say, as soon as it is known, whether the network that is derived needs shared parts."""
    _shared_wanted.say(wanted)


def _shared(compiler: Compiler, part: tuple[SourceFile, ...], keep: bool) -> Path:
    """The object file of a shared part, the same whatever folders the library's own parts need."""
    plain = tuple(f for f in compiler.flags if not f.startswith("-I"))
    compiler = replace(compiler, flags=plain)

    def make(scratch: Path) -> bytes:
        return _compiled(compiler, part, scratch)

    return obtain(key_of(compiler, part), ".o", make, keep=keep)


def _compiled(compiler: Compiler, part: tuple[SourceFile, ...], home: Path) -> bytes:
    """The object file of a part."""
    return output(compiler, ["-c", f"-I{home}", *written(part, home)], home / "part.o")


def _lightly(compiler: Compiler) -> Compiler:
    """The compiler with what GCC does at -O1, the same vectors included: a quarter less time."""
    level = {LEVELS[0][0]: "-O1"} if "-ftree-vectorize" in compiler.flags else {}
    return replace(compiler, flags=tuple(level.get(f, f) for f in compiler.flags))


def _to_objects(compiler: Compiler) -> Compiler:
    return replace(compiler, flags=tuple(f for f in compiler.flags if f != "-shared"))
