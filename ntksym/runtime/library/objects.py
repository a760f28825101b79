"""The parts of a library as object files; those that networks share are made once, and early."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue

from ...backends import SourceFile
from ...errors import NtksymError
from ..gram.source import PRODUCT_FLAGS, VARIANTS_OF, gram_file
from ..gram.threads import allowed_cores, each
from .cache import obtain
from .compiler import (
    LEVELS,
    Compiler,
    Group,
    find_compiler,
    key_of,
    output,
    shared_library,
    written,
)
from .parts import Parts, is_ruled, is_single, shared_parts

LIGHT, FAR = ("-O1",), ("-O1", "-fgcse")
"""Instead of the first flag of the first of `LEVELS`: for most parts, and for those of rules."""
_END: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Beside:
    """What the thread of `compiled_beside` is told: names of functions, and when it is over."""

    wanted: SimpleQueue[tuple[str, ...]] = field(default_factory=SimpleQueue)
    over: threading.Event = field(default_factory=threading.Event)

    def end(self) -> None:
        """No part is begun any more."""
        self.over.set()
        self.wanted.put(_END)


_beside: ContextVar[_Beside | None] = ContextVar("beside", default=None)
"""The thread that compiles beside what derives."""


def objects_of(compiler: Compiler, parts: Parts, scratch: Path, keep: bool) -> list[str]:
    """The paths of the object files of all parts, compiled at the same time; shared ones are from
    the cache where they are in it.  An interrupt ends all compilers.  `compiled_beside` begins no
    other part: these are known, and what is not among them is not needed.

    Raises:
        NoCompiler: a part is refused.
        CannotWrite: a shared object can be stored nowhere.
    """
    if (beside := _beside.get()) is not None:
        beside.end()
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
            _compiled(_for(part, compiler), part, home)
            made[part] = str(home / "part.o")

    with group.joined():
        threads = len(jobs) if allowed_cores() > 1 else 1
        each(work, jobs, threads, lambda: None, group.end)
    return [made[part] for _, part in jobs]


@contextmanager
def compiled_beside(keep: bool, dtype: str | None = "float64") -> Iterator[None]:
    """What no network changes is compiled, by the compiler that is then known, in a thread of its
    own while the body derives and generates a network: the Gram loop (of no type for None), then
    the shared parts that `shared_parts_wanted` names, until the body asks for all of a library.
    What goes wrong there is raised where it is needed.
    """
    group = Group()
    told = _Beside()

    def make() -> None:
        with suppress(NtksymError), group.joined():
            for variant in VARIANTS_OF[dtype] if dtype else ():
                shared_library((gram_file(variant),), keep=keep, extra=PRODUCT_FLAGS)
            if allowed_cores() < 2:
                return
            compiler = _to_objects(find_compiler())
            for names in iter(told.wanted.get, _END):
                for part in shared_parts(_header(), names):
                    if not told.over.is_set():
                        _shared(compiler, part, keep)

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    before = _beside.set(told)
    try:
        with group.joined():
            yield
    finally:
        _beside.reset(before)
        told.end()
        thread.join()


def shared_parts_wanted(names: Iterable[str]) -> None:
    """Name, as soon as it is known, functions of shared parts that what is derived needs."""
    beside = _beside.get()
    if beside is not None and (named := tuple(names)):
        beside.wanted.put(named)


def _header() -> SourceFile:
    from ...backends.c.backend import support_file

    return support_file()


def _shared(compiler: Compiler, part: tuple[SourceFile, ...], keep: bool) -> Path:
    """The object file of a shared part, the same whatever folders the library's own parts need."""
    plain = tuple(f for f in compiler.flags if not f.startswith("-I"))
    compiler = _for(part, replace(compiler, flags=plain))

    def make(scratch: Path) -> bytes:
        return _compiled(compiler, part, scratch)

    return obtain(key_of(compiler, part), ".o", make, keep=keep)


def _compiled(compiler: Compiler, part: tuple[SourceFile, ...], home: Path) -> bytes:
    """The object file of a part."""
    return output(compiler, ["-c", f"-I{home}", *written(part, home)], home / "part.o")


def _for(part: tuple[SourceFile, ...], compiler: Compiler) -> Compiler:
    """For a part in double, the compiler with what GCC does at -O1 and the same vectors: a third to
    a half less time for code that is as fast.  What is added far out and what mends near pairs
    would take a quarter and an eighth more without `-fgcse`.  Not for layers in float.
    """
    flags = FAR if is_ruled(part) else () if is_single(part) else LIGHT
    if not flags or "-ftree-vectorize" not in compiler.flags:
        return compiler
    light = (g for f in compiler.flags for g in (flags if f == LEVELS[0][0] else (f,)))
    return replace(compiler, flags=tuple(light))


def _to_objects(compiler: Compiler) -> Compiler:
    return replace(compiler, flags=tuple(f for f in compiler.flags if f != "-shared"))
