"""`ntksym export`: a network or an activation as source code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import Command, shared
from .outcome import Outcome, View


@click.command(
    "export",
    cls=Command,
    short_help="A network or an activation as C or NumPy code.",
    examples=(
        "ntksym export mlp:relu:depth=3,weight_var=2 --target c --out build",
        "ntksym export gelu --target numpy --out build --force",
        "ntksym export net.toml --target c --out build --dry-run",
        "ntksym export --shelf codegen --check",
    ),
)
@click.argument("spec", metavar="SPEC", required=False, default="")
@click.option("--target", type=click.Choice(["c", "numpy"]), help="The language.")
@click.option("--out", "-o", "out", metavar="DIR", help="Where the files go.")
@click.option("--force", is_flag=True, help="Overwrite files that differ.")
@click.option("--dry-run", is_flag=True, help="Say what would be written.")
@click.option("--shelf", metavar="DIR", help="Write what DIR/manifest.toml lists, and its lock.")
@click.option("--check", is_flag=True, help="With --shelf: say what is not fresh, write nothing.")
@shared("export", time_limit=900.0)
def command(
    spec: str,
    target: str | None,
    out: str | None,
    force: bool,
    dry_run: bool,
    shelf: str | None,
    check: bool,
) -> dict[str, Any]:
    """Write the kernel of SPEC (a TOML file, mlp:..., or an activation) as source code.

    Files are written atomically; a file that is there and differs is kept unless --force.
    """
    if shelf is None:
        for value, name in ((spec, "SPEC"), (target, "--target"), (out, "--out")):
            if not value:
                raise click.UsageError(f"missing {name}")
        if check:
            raise click.UsageError("--check goes with --shelf")
    elif spec or target or out:
        raise click.UsageError("--shelf takes no SPEC, --target or --out")
    return {
        "shelf": shelf,
        "check": check,
        "spec": spec.strip(),
        "target": target,
        "out": out,
        "force": force,
        "dry_run": dry_run,
    }


def work(options: dict[str, Any], view: View) -> Outcome:
    """Export, in the worker."""
    from .. import export as export_

    view.note("generating")
    if options["shelf"] is not None:
        return _shelf(options["shelf"], options["check"], view)
    folder = Path(options["out"])
    if options["dry_run"]:
        files = _planned(options["spec"], options["target"], folder)
    else:
        written = export_(options["spec"], options["target"], folder, options["force"])
        files = [
            {"path": str(path), "bytes": path.stat().st_size, "state": "written"}
            for path in written
        ]
    payload = {
        "schema": "ntksym/export/1",
        "spec": options["spec"],
        "target": options["target"],
        "dry_run": options["dry_run"],
        "files": files,
    }
    shown = [f["path"] + (f"  ({f['state']})" if options["dry_run"] else "") for f in files]
    return Outcome(payload, tuple(("", line) for line in shown))


def _shelf(path: str, check: bool, view: View) -> Outcome:
    """Build a shelf, or say what is stale on it (exit status 1 when anything is)."""
    from ..export_shelf import build_shelf, check_shelf

    payload = {"schema": "ntksym/export/1", "shelf": path, "check": check}
    if check:
        stale = check_shelf(path)
        lines = tuple(("", line) for line in stale) or (("", "fresh"),)
        return Outcome({**payload, "stale": list(stale)}, lines, status=1 if stale else 0)
    worst = build_shelf(path, report=view.note)
    kernels = sorted(worst)
    return Outcome({**payload, "kernels": kernels}, (("", f"{len(kernels)} kernels written"),))


def _planned(spec: str, target: str, folder: Path) -> list[dict[str, Any]]:
    """What an export would do, from one into a directory that is thrown away."""
    from tempfile import TemporaryDirectory

    from .. import export as export_

    found = []
    with TemporaryDirectory(prefix="ntksym-export-") as scratch:
        for made in export_(spec, target, scratch):
            path, text = folder / made.name, made.read_bytes()
            state = "new"
            if path.exists():
                same = path.is_file() and path.read_bytes() == text
                state = "unchanged" if same else "differs: needs --force"
            found.append({"path": str(path), "bytes": len(text), "state": state})
    return found
