"""What backends give: a file's name and its text.  Importing this loads nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A generated file: its name and its text."""

    name: str
    text: str


BY_ROWS = "/* sqrt(q11*q22 - q12^2) of the first layer for rows x and y"
"""What the two functions of a network in C begin with that take rows: the last one does it all."""


def without_rows(file: SourceFile) -> SourceFile:
    """The C file of a network for a program with Gram products of its own: a fifth less to compile.

    The file as it is where it has no such functions.
    """
    start = file.text.find(BY_ROWS)
    if start < 0:
        return file
    end = file.text.index("\n}\n", file.text.index("\n}\n", start) + 1) + 3
    return replace(file, text=file.text[:start] + file.text[end:])
