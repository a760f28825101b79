"""How records show themselves: one line in place of all that is in them; HTML for notebooks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, Field, fields, is_dataclass
from html import escape
from operator import attrgetter
from typing import Any, ClassVar

WIDTH = 60
"""A text or formula longer than this is cut."""
MOST = 400
"""The most characters of a line."""
_PARTS = 80
"""A formula of more parts is not written out: printing takes longer than a glance is worth."""
_TITLES = ("name", "subject", "title", "activation", "network", "dual", "angular", "function")


class Brief:
    """A record (dataclass with `repr=False`) whose `repr` is one line.

    It is `<Class title: what is said>`: the title is the name of the activation or network that the
    record is of; what is said are the attributes in `_shown` (`a.b` for one of a field), or else
    the fields that differ from their defaults. Long ones are cut or counted.
    """

    __slots__ = ()
    _shown: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        title, skipped = _title(self)
        own = [f for f in fields(self) if f.repr and f.name != skipped]  # type: ignore[arg-type]
        names = self._shown or tuple(f.name for f in own if _telling(f, getattr(self, f.name)))
        found = ((n.rpartition(".")[2], attrgetter(n)(self)) for n in names)
        said = ", ".join(f"{n}={glance(v)}" for n, v in found if not _empty(v))
        head = f"{type(self).__name__} {title}".rstrip()
        return f"<{cut(f'{head}: {said}' if said else head, MOST)}>"


def cut(text: str, most: int = WIDTH) -> str:
    """One line of at most `most` characters; an ellipsis stands for what is left out."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def glance(value: Any) -> str:
    """A value in a few words: numbers and short formulas as they are, the rest cut or counted."""
    if isinstance(value, str):
        return cut(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"array of {value.shape}"
    if isinstance(value, tuple | list):
        return _several(value)
    if isinstance(value, dict):
        return _several([f"{k}: {glance(v)}" for k, v in value.items()], "{}")
    if is_dataclass(value) and not isinstance(value, type):
        spoken = "__str__" in vars(type(value))
        return _title(value)[0] or (cut(str(value)) if spoken else type(value).__name__)
    if hasattr(value, "args") and _more_than(value, _PARTS):
        return f"({type(value).__name__} of more than {_PARTS} parts)"
    if str(value).startswith("<") and " at 0x" in str(value):
        return type(value).__name__
    return cut(str(value))


def html(title: str, lines: Iterable[str], formula: str = "") -> str:
    """A title, a formula in LaTeX, and lines, for a notebook."""
    rows = "".join(f"<li>{escape(line)}</li>" for line in lines)
    shown = f"<p>$\\displaystyle {escape(formula)}$</p>" if formula else ""
    return f"<b>{escape(title)}</b>{shown}<ul>{rows}</ul>"


def _several(values: Any, brackets: str = "()") -> str:
    inner = ", ".join(map(glance, values[:4])) if len(values) <= 4 else ""
    if (inner and len(inner) <= WIDTH) or not values:
        return f"{brackets[0]}{inner}{brackets[1]}"
    return f"({len(values)} entries)"


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | tuple | dict) and not value)


def _telling(field: Field[Any], value: Any) -> bool:
    """Whether a field is worth a word: it is not what it is by default."""
    given: Any = field.default
    if field.default_factory is not MISSING:
        given = field.default_factory()
    return given is MISSING or type(given) is not type(value) or bool(given != value)


def _title(record: Any) -> tuple[str, str]:
    """What a record is of, and the field that says so."""
    for name in _TITLES:
        value = getattr(record, name, "")
        if isinstance(value, str) and value:
            return cut(value), name
        if is_dataclass(value) or hasattr(value, "name"):
            return cut(getattr(value, "name", "")) or _title(value)[0], name
    return "", ""


def _more_than(formula: Any, most: int) -> bool:
    """Whether a formula has more parts than that; it is not walked further."""
    waiting, seen = [formula], 0
    while waiting and seen <= most:
        seen += 1
        waiting.extend(getattr(waiting.pop(), "args", ()))
    return seen > most
