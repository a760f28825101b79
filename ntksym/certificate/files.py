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


def folder_for(path: str | Path) -> Path:
    """The folder of a file to be written, which is there: asked before long work begins.

    Raises:
        CannotWrite: it is not, or the path is that of a folder.
    """
    target = Path(path)
    folder = target.absolute().parent
    if not folder.is_dir() or target.is_dir():
        raise CannotWrite(
            f"{target} cannot be written",
            where="it is a folder" if target.is_dir() else f"there is no folder {folder}",
            hint="a file in a folder that is there",
        )
    return folder


def write(path: str | Path, certificates: Sequence[dict[str, Any]]) -> None:
    """Write the certificates to one JSON file; an existing file is replaced at once.

    Raises:
        CannotWrite: the directory is missing or not writable; the old file is as it was.
    """
    target = Path(path)
    data = {"schema": SCHEMA, "certificates": list(certificates)}
    text = json.dumps(data, indent=1, sort_keys=True, ensure_ascii=True) + "\n"
    scratch = ""
    folder = folder_for(target)
    try:
        number, scratch = tempfile.mkstemp(prefix=".certificate-", dir=folder)
        with os.fdopen(number, "w", encoding="ascii") as stream:
            stream.write(text)
        os.chmod(scratch, 0o644)
        os.replace(scratch, target)
    except (OSError, ValueError) as error:
        if scratch and os.path.exists(scratch):
            os.unlink(scratch)
        # The error of the system names the scratch file, which the reader has never seen.
        reason = getattr(error, "strerror", None) or str(error)
        raise CannotWrite(
            f"{target} cannot be written", where=reason, hint="another place"
        ) from error
