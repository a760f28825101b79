"""What an export makes: files, and why they compute as they do."""

from __future__ import annotations

from dataclasses import dataclass

from ..backends import SourceFile
from ..numeric.choice import Choice


@dataclass(frozen=True, slots=True)
class Made:
    """Generated files, why the duals in them are computed as they are, and what C lacks.

    There are no choices where every dual is a closed form: there is nothing to choose.  `proven`
    is said of a network that is one polynomial, which has no duals.
    """

    files: tuple[SourceFile, ...]
    choices: tuple[Choice, ...]
    lacks: str = ""
    proven: tuple[str, ...] = ()
