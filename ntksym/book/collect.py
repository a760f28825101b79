"""Collect: a folder of literate Python and Markdown files, read as a book.

The files are Python and are run: a book is trusted as its author is.
"""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from inspect import cleandoc
from pathlib import Path
from types import ModuleType
from typing import Any

from ..claims import Claim
from ..errors import NtksymError
from .records import BadBook, Book, Checks, Page

KIND_ORDER = ("activations", "layers", "networks", "identities")
"""Kinds that come first in the table of contents; others follow by name."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_AUTHOR_ERRORS = (
    NtksymError, SyntaxError, ImportError, NameError, TypeError, ValueError, AttributeError,
    LookupError, ArithmeticError, AssertionError, RuntimeError, OSError,
)  # fmt: skip


class _Loader(SourceFileLoader):
    """Runs a file of the book, and leaves no compiled file beside it."""

    def set_data(self, path: str, data: Any, **more: Any) -> None:
        """Write nothing."""


def collect(folder: str | os.PathLike[str]) -> Book:
    """The book in a folder: every `<kind>/<name>.py` and `<kind>/<name>.md`, claims included.

    `README.md` and names that begin with `_` or `.` are no pages.  A claim's id becomes
    `<kind>/<name>.<variable>`; one that carries its own id has it in place of the variable.

    Raises:
        BadBook: no such folder or no page in it; a file that cannot be run or has no title; an id
            that is used twice (upper and lower case are the same on many disks) or has odd
            characters; `ACTIVATIONS`, `CONVENTION` or `checks` of a wrong type.
    """
    root = Path(folder)
    if not root.is_dir():
        raise BadBook(f"there is no folder {str(root)!r}", hint="ntksym render derivations")
    pages = tuple(_page(root, path) for path in _files(root))
    if not pages:
        raise BadBook(
            f"{str(root)!r} has no pages", hint="files such as activations/relu.py, with a title"
        )
    _refuse_twice((p.key, p.path) for p in pages)
    _refuse_twice((c.id, p.path) for p in pages for c in p.claims)
    return Book(pages, root)


def _files(root: Path) -> list[Path]:
    found = [
        path
        for suffix in ("*.py", "*.md")
        for path in root.glob(f"*/{suffix}")
        if not path.name.startswith(("_", ".")) and not path.parent.name.startswith(("_", "."))
        if path.name != "README.md" and path.is_file()
    ]

    def place(path: Path) -> tuple[int, str, str]:
        kind = path.parent.name
        rank = KIND_ORDER.index(kind) if kind in KIND_ORDER else len(KIND_ORDER)
        return rank, kind, path.name

    return sorted(found, key=place)


def _page(root: Path, path: Path) -> Page:
    kind, name = path.parent.name, path.stem
    shown = path.relative_to(root).as_posix()
    for part in (kind, name):
        if not _NAME.fullmatch(part):
            raise BadBook(f"{part!r} cannot be part of an address", where=shown)
    if path.suffix == ".md":
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadBook("the file cannot be read", where=f"{shown}: {error}") from error
        title, prose = _title(text, shown)
        return Page(kind, name, shown, title, prose)
    module = _run(path, shown)
    title, prose = _title(cleandoc(module.__doc__ or ""), shown)
    return Page(
        kind,
        name,
        shown,
        title,
        prose,
        tuple(_claims(module, f"{kind}/{name}", shown)),
        _activations(module, shown),
        _checks(module, shown),
        _text(module, "CONVENTION", shown),
    )


def _run(path: Path, shown: str) -> ModuleType:
    name = f"ntksym_book_{path.parent.name}_{path.stem}"
    loader = _Loader(name, str(path))
    spec = spec_from_loader(name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    try:
        loader.exec_module(module)
    except _AUTHOR_ERRORS as error:
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__)
                 if f.filename == str(path)]  # fmt: skip
        place = f"{shown}, line {lines[-1]}" if lines else shown
        raise BadBook(
            "a file of the book does not run",
            where=f"{place}: {type(error).__name__}: {error}",
            hint=f"python {shown}",
        ) from error
    return module


def _title(text: str, shown: str) -> tuple[str, str]:
    first, _, rest = text.strip().partition("\n")
    if not first.startswith("# ") or not first[2:].strip():
        raise BadBook(
            "a page begins with its title", where=shown, hint='a first line such as "# ReLU"'
        )
    return first[2:].strip(), rest.strip()


def _claims(module: ModuleType, key: str, shown: str) -> Iterator[Claim]:
    seen: set[int] = set()
    for variable, value in vars(module).items():
        for name, claim in _named(variable, value):
            if id(claim) in seen:  # a second name for the same claim is not a second claim
                continue
            seen.add(id(claim))
            own = claim.id.removeprefix(f"{key}.") or name
            if not _ID.fullmatch(own):
                raise BadBook(f"{own!r} cannot be the id of a claim", where=shown)
            yield replace(claim, id=f"{key}.{own}")


def _named(variable: str, value: object) -> Iterator[tuple[str, Claim]]:
    """The claims of a module-level value: one, a sequence, or a mapping of names."""
    if isinstance(value, Claim):
        yield variable, value
    elif isinstance(value, Mapping) and not variable.startswith("__"):
        yield from ((str(k), c) for k, c in value.items() if isinstance(c, Claim))
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        rows = enumerate(value, start=1)
        yield from ((f"{variable.lower()}-{i}", c) for i, c in rows if isinstance(c, Claim))


def _activations(module: ModuleType, shown: str) -> tuple[str, ...]:
    found = getattr(module, "ACTIVATIONS", ())
    if isinstance(found, str) or not all(isinstance(a, str) for a in found):
        raise BadBook(
            "ACTIVATIONS is a tuple of names or texts", where=shown, hint='ACTIVATIONS = ("relu",)'
        )
    return tuple(found)


def _checks(module: ModuleType, shown: str) -> Checks | None:
    found: Checks | None = getattr(module, "checks", None)
    if found is not None and not callable(found):
        raise BadBook("checks is a function without arguments", where=shown)
    return found


def _text(module: ModuleType, name: str, shown: str) -> str:
    found = getattr(module, name, "")
    if not isinstance(found, str):
        raise BadBook(f"{name} is text", where=shown)
    return cleandoc(found)


def _refuse_twice(pairs: Iterator[tuple[str, str]]) -> None:
    first: dict[str, str] = {}
    for key, path in pairs:
        if other := first.get(key.lower()):
            places = path if other == path else f"{other} and {path}"
            raise BadBook(f"{key!r} is used twice", where=places)
        first[key.lower()] = path
