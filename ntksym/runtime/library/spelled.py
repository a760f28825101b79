"""A network or an activation as text: equal text, equal kernels, in this program and the next.

Only what is data is spelled: text, numbers, formulas of functions of SymPy and of this library, and
the dataclasses made of them.  Everything else (callables, duals, symbols that are equal to nothing
but themselves) has no text, and what is made of it is not recalled.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import Any

PLAIN = (str, int, float, bool, type(None), Fraction)


class Unspelled(Exception):
    """A part has no text."""


def spelled(value: Any) -> str | None:
    """Text that says a value and its type, or None."""
    try:
        return _spelled(value, {})
    except Unspelled:
        return None


def _spelled(value: Any, known: dict[int, str]) -> str:
    kind = type(value)
    if kind in PLAIN:
        return f"{kind.__name__}:{value!r}"
    if kind in (tuple, list):
        inner = ",".join(_spelled(v, known) for v in value)
        return f"{kind.__name__}({inner})"
    if id(value) not in known:  # held by what is being spelled: the id stays its own
        known[id(value)] = _record(value, known) if _is_record(kind) else _formula(value)
    return known[id(value)]


def _is_record(kind: type) -> bool:
    home = kind.__module__
    ours = home == "ntksym.activation" or home.startswith("ntksym.network.")
    return ours and hasattr(kind, "__dataclass_fields__")


def _record(value: Any, known: dict[int, str]) -> str:
    from .cache import digest

    parts = [type(value).__qualname__]
    for name in type(value).__dataclass_fields__:
        parts += [name, _spelled(getattr(value, name), known)]
    return digest(tuple(parts))


def _formula(value: Any) -> str:
    sympy = sys.modules.get("sympy")
    if sympy is None or not isinstance(value, sympy.Expr):
        raise Unspelled
    for part in sympy.preorder_traversal(value):
        home = type(part).__module__
        if not home.startswith(("sympy.", "ntksym.")) or isinstance(part, sympy.Dummy):
            raise Unspelled
    return f"formula:{sympy.srepr(value)}"
