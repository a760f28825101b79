"""`ntksym export`: a network or an activation as source code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .options import Command, method_options, read_params, shared, why_lines
from .outcome import Line, Outcome, View

TARGETS = ("c", "numpy", "jax", "torch", "package")


@click.command(
    "export",
    cls=Command,
    short_help="A network or an activation as C, NumPy, JAX or PyTorch code, or a package.",
    examples=(
        "ntksym export mlp:relu:depth=3,weight_var=2 --target c --out build",
        "ntksym export gelu --target numpy --out build --force",
        "ntksym export mlp:gelu:depth=3 --target c --measure --out build",
        "ntksym export mish --target c --variance 0.5:4 --error 1e-12 --out build",
        "ntksym export mlp:mish:depth=3 --target numpy --variance 1 --out build --why",
        "ntksym export mlp:relu:depth=100,weight_var=2 --target c --collapse --out build",
        "ntksym export gelu --target package --out gelu_kernel",
        "ntksym export net.toml --target jax --out build --dry-run",
        "ntksym export --shelf codegen --check",
    ),
)
@click.argument("spec", metavar="SPEC", required=False, default="")
@click.option(
    "--target", type=click.Choice(TARGETS), help="The language, or a package with all of them."
)
@click.option("--out", "-o", "out", metavar="DIR", help="Where the files go.")
@click.option("--force", is_flag=True, help="Overwrite files that differ.")
@click.option("--dry-run", is_flag=True, help="Say what would be written.")
@click.option("--shelf", metavar="DIR", help="Write what DIR/manifest.toml lists, and its lock.")
@click.option("--check", is_flag=True, help="With --shelf: say what is not fresh, write nothing.")
@click.option(
    "--param", "params", multiple=True, metavar="NAME=NUMBER", help="A parameter of an activation."
)
@click.option(
    "--collapse", is_flag=True, help="All layers as one certified polynomial of the angle."
)
@click.option(
    "--measure", is_flag=True, help="Run closed forms at hard places; the errors go into the head."
)
@click.option(
    "--only", type=click.Choice(["nngp"]), help="That kernel alone, where there is no NTK."
)
@method_options
@shared("export", time_limit=900.0)
def command(
    spec: str,
    target: str | None,
    out: str | None,
    force: bool,
    dry_run: bool,
    shelf: str | None,
    check: bool,
    params: tuple[str, ...],
    collapse: bool,
    measure: bool,
    only: str | None,
    method: str,
    error: float | None,
    variance: str | None,
    why: bool,
) -> dict[str, Any]:
    """Write the kernel of SPEC (a TOML file, mlp:..., or an activation) as source code.

    Files are written atomically; a file that is there and differs is kept unless --force.

    Without a closed form code is made for a range of variances: --variance is that of the
    pre-activations of an activation, and of the inputs of a network, |x|^2/d.

    --collapse is for homogeneous activations without biases, or with --variance for inputs on a
    sphere: the file then costs what one layer costs, whatever the depth.
    """
    if shelf is not None and measure:
        raise click.UsageError("--shelf measures everything: without --measure")
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
        "params": read_params(params),
        "collapse": collapse,
        "measure": measure,
        "only": only,
        "method": method,
        "error": error,
        "variance": variance,
        "why": why,
    }


def work(options: dict[str, Any], view: View) -> Outcome:
    """Export, in the worker."""
    from ..export.files import generate, write_files

    view.note("generating")
    if options["shelf"] is not None:
        return _shelf(options["shelf"], options["check"], view)
    folder = Path(options["out"])
    made = generate(
        options["spec"],
        options["target"],
        method=options["method"],
        error=options["error"],
        variances=options["variance"],
        params=options["params"],
        collapse=options["collapse"],
        measure=options["measure"],
        only=options["only"],
    )
    if options["dry_run"]:
        files = [_planned(folder / f.name, f.text.encode("ascii")) for f in made.files]
    else:
        written = write_files(made.files, folder, force=options["force"])
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
        "choices": [choice.record() for choice in made.choices],
    }
    shown = [f["path"] + (f"  ({f['state']})" if options["dry_run"] else "") for f in files]
    lines: list[Line] = [("", line) for line in shown]
    if options["why"]:
        said = made.proven or ("every dual is a closed form",)
        lines += why_lines(made.choices, view.width) or tuple(("", line) for line in said)
    return Outcome(payload, tuple(lines))


def _shelf(path: str, check: bool, view: View) -> Outcome:
    """Build a shelf, or say what is stale on it (exit status 1 when anything is)."""
    from ..export.shelf import build_shelf, check_shelf, goal_lines

    payload = {"schema": "ntksym/export/1", "shelf": path, "check": check}
    if check:
        stale = check_shelf(path)
        lines = tuple(("", line) for line in stale) or (("", "fresh"),)
        return Outcome({**payload, "stale": list(stale)}, lines, status=1 if stale else 0)
    worst = build_shelf(path, report=view.note)
    kernels, reached = sorted(worst), goal_lines(worst)
    lines = tuple(("", line) for line in (f"{len(kernels)} kernels written", *reached))
    return Outcome({**payload, "kernels": kernels, "reached": list(reached)}, lines)


def _planned(path: Path, text: bytes) -> dict[str, Any]:
    """What an export would do with a file."""
    state = "new"
    if path.exists():
        same = path.is_file() and path.read_bytes() == text
        state = "unchanged" if same else "differs: needs --force"
    return {"path": str(path), "bytes": len(text), "state": state}
