"""The closed form of the definition as text of the language, where one is derived and is short."""

from __future__ import annotations

from ...errors import NtksymError
from ...language import to_text
from ...language.parser import read_tree
from ..proof import closed_form
from .ground import Ground

_LONG = 600


def closed_text(g: Ground) -> str:
    """A formula that holds, verified like every other; "" where there is none."""
    if len(g.siblings) > 1 or g.claim.quantity == "fixed_point":
        return ""
    statement = g.siblings[0]
    if statement.rounded is not None or statement.tolerance is not None:
        return ""
    try:
        value, _, _ = closed_form(statement)
        if value is None:
            return ""
        text = to_text(value)
        if len(text) > _LONG or g.verified(read_tree(text)) is None:
            return ""
    except NtksymError:
        return ""
    return text
