"""`ntksym gram`: the kernels of a data set, larger than memory."""

from __future__ import annotations

from typing import Any

import click

from .options import Command, shared
from .outcome import Outcome, View


@click.command(
    "gram",
    cls=Command,
    short_help="Gram matrices larger than memory, into a Zarr group.",
    examples=(
        "ntksym gram mlp:relu:depth=3,weight_var=2 X.npy --out K.zarr",
        "ntksym gram net.toml X.npy --columns Z.npy --out K.zarr --memory 500MB --dtype float32",
        "ntksym gram net.toml X.npy --out K.zarr --cluster tcp://scheduler:8786",
    ),
)
@click.argument("spec", metavar="SPEC")
@click.argument("data", metavar="X.npy")
@click.option("--out", "-o", "out", required=True, metavar="DIR", help="The Zarr group.")
@click.option("--columns", metavar="FILE", help="Other data for the columns (.npy).")
@click.option(
    "--memory", default="2GB", show_default=True, metavar="SIZE", help="Of the whole program."
)
@click.option(
    "--threads",
    type=click.IntRange(1, 4096),
    help="Tiles at once; by default as many as there are processors.",
)
@click.option(
    "--dtype",
    type=click.Choice(["float64", "float32"]),
    default="float64",
    show_default=True,
    help="Of the numbers stored.",
)
@click.option("--only", type=click.Choice(["nngp", "ntk"]), help="One kernel instead of both.")
@click.option(
    "--target",
    type=click.Choice(["c", "numpy"]),
    default="c",
    show_default=True,
    help="What computes; c needs a compiler.",
)
@click.option("--cluster", metavar="ADDRESS", help="A Dask scheduler that sees the same files.")
@click.option("--force", is_flag=True, help="Replace what is there.")
@shared("gram", time_limit=0.0)
def command(
    spec: str,
    data: str,
    out: str,
    columns: str | None,
    memory: str,
    threads: int | None,
    dtype: str,
    only: str | None,
    target: str,
    cluster: str | None,
    force: bool,
) -> dict[str, Any]:
    """Write the NNGP kernel and the NTK of the rows of X.npy into a Zarr group, by tiles.

    A run that was stopped goes on where it was when the same command is given again; DIR appears
    when it is whole. Rows with NaN or infinities are named; their entries are NaN.
    """
    return {
        "spec": spec.strip(),
        "data": data,
        "out": out,
        "columns": columns,
        "memory": memory,
        "threads": threads,
        "dtype": dtype,
        "only": only,
        "target": target,
        "cluster": cluster,
        "force": force,
    }


def work(options: dict[str, Any], view: View) -> Outcome:
    """Fill the tiles, in the worker."""
    import time

    from ..large import gram_to_zarr

    start = time.perf_counter()

    def progress(done: int, count: int) -> None:
        spent = time.perf_counter() - start
        left = f", about {spent / done * (count - done):.0f} s left" if done and spent > 2 else ""
        view.note(f"{done} of {count} tiles{left}")

    report = gram_to_zarr(
        options["spec"],
        options["data"],
        options["out"],
        Y=options["columns"],
        memory=options["memory"],
        threads=options["threads"],
        dtype=options["dtype"],
        kernels=(options["only"],) if options["only"] else ("nngp", "ntk"),
        target=options["target"],
        cluster=options["cluster"],
        force=options["force"],
        progress=progress,
    )
    n, m = report.shape
    payload = {
        "schema": "ntksym/gram/1",
        "spec": options["spec"],
        "path": options["out"],
        "kernels": list(report.kernels),
        "shape": [n, m],
        "dtype": report.dtype,
        "tile": report.side,
        "tiles": report.tiles,
        "resumed": report.resumed,
        "seconds": round(report.seconds, 3),
        "bytes": report.bytes,
        "not_finite": list(report.not_finite),
    }
    tiles = "1 tile" if report.tiles == 1 else f"{report.tiles} tiles"
    lines = [
        ("title", f"{options['out']}: {', '.join(report.kernels)}, {n} x {m}, {report.dtype}"),
        ("", f"{tiles} of side {report.side} in {report.seconds:.1f} s"),
    ]
    if report.resumed:
        lines.append(("", f"{report.resumed} tiles were there from an earlier run, and are whole"))
    return Outcome(payload, tuple(lines))
