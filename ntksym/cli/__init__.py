"""The command line: `main` is the entry point; every command is one file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def main(args: Sequence[str] | None = None, prog_name: str = "ntksym", **extra: Any) -> None:
    """Run the command line and exit with its status (see `ntksym --help`)."""
    import sys

    try:
        from .app import cli, report_unexpected
    except KeyboardInterrupt:
        from .outcome import INTERRUPTED

        print("\nerror: interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)

    sys.excepthook = report_unexpected(sys.argv[1:] if args is None else args)
    cli.main(args=None if args is None else list(args), prog_name=prog_name, **extra)
