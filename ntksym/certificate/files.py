"""Certificates on disk: all in one file, which is there completely or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import CannotWrite
from .record import SCHEMA


def write(path: str | Path, certificates: Sequence[dict[str, Any]]) -> None:
    """Write the certificates to one JSON file; an existing file is replaced at once.

    Raises:
        CannotWrite: the directory is missing or not writable; the old file is as it was.
    """
    target = Path(path)
    data = {"schema": SCHEMA, "certificates": list(certificates)}
    text = json.dumps(data, indent=1, sort_keys=True, ensure_ascii=True) + "\n"
    scratch = ""
    try:
        number, scratch = tempfile.mkstemp(prefix=".certificate-", dir=target.parent)
        with os.fdopen(number, "w", encoding="ascii") as stream:
            stream.write(text)
        os.chmod(scratch, 0o644)
        os.replace(scratch, target)
    except (OSError, ValueError) as error:
        if scratch and os.path.exists(scratch):
            os.unlink(scratch)
        raise CannotWrite(f"{target} cannot be written", where=str(error)) from error
