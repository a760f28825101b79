"""Modules whose text is in no file.

Apart from what loads files: `importlib.abc` imports a tenth of what a kernel from the cache needs.
"""

from __future__ import annotations

from importlib.abc import SourceLoader
from typing import Any


class Held(SourceLoader):
    """The loader of a module whose text is given."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def get_filename(self, fullname: str) -> str:
        """What tracebacks show."""
        return f"<{fullname}>"

    def get_data(self, path: Any) -> bytes:
        """The text."""
        return self._data
