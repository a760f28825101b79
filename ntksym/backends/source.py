"""What backends give: a file's name and its text.  Importing this loads nothing else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A generated file: its name and its text."""

    name: str
    text: str
