"""How the tests run the command line, and read its one JSON object."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from click.testing import Result


def run(
    *args: str, env: dict[str, str] | None = None, **kwargs: Any
) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "ntksym", *args],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **(env or {})},
        **kwargs,
    )


def data(result: Result | subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The one JSON object on standard output."""
    lines = result.stdout.splitlines()
    assert len(lines) == 1, result.stdout
    found: dict[str, Any] = json.loads(lines[0])
    return found
