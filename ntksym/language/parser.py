"""Text to the syntax tree of what it means in this language."""

from __future__ import annotations

from .grammar import grammar
from .spelling import spelled
from .syntax import Node


def read_tree(text: str) -> Node:
    """The syntax tree of `text`, in the names of this language.

    Raises:
        TooLarge: more nodes or depth than the bounds of `limits` allow.
        ParseError: text that is not a formula.
        UnknownName: a module, or an option of a function, that is not known.
    """
    return spelled(text, grammar(text))
