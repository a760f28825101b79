"""`ntksym prove`: the verdict on the derived form, with its evidence."""

from __future__ import annotations

from typing import Any

import click

from .options import Command, formula_argument, read_params, shared
from .outcome import OK, REFUTED, UNDECIDED, Line, Outcome, View


@click.command(
    "prove",
    cls=Command,
    short_help="The verdict on the closed form: proved, enclosed, undecided, refuted.",
    examples=("ntksym prove gelu", 'ntksym prove "max(x, alpha*x)" --param alpha=positive --json'),
)
@formula_argument
@click.option(
    "--param", "params", multiple=True, metavar="NAME=WORD", help="An assumption or a number."
)
@click.option(
    "--digits", type=click.IntRange(5, 200), default=30, show_default=True, help="Digits per point."
)
@shared("prove")
def command(expression: str, params: tuple[str, ...], digits: int) -> dict[str, Any]:
    """Prove the derived form of s = EXPR by Price's theorem, and enclose it at rational points.

    The exit status is 0 for proved or enclosed, 1 for refuted, 3 for undecided or no closed form.
    A proof holds without the enclosures: under "not enclosed" are the points that they left open.
    """
    return {"expression": expression, "params": read_params(params), "digits": digits}


def work(options: dict[str, Any], view: View) -> Outcome:
    """Prove, in the worker."""
    from ..display import linear
    from ..verify import Verdict, prove
    from .eval import _record
    from .reading import read_activation

    activation = read_activation(options["expression"], options["params"])
    view.note("proving")
    report = prove(activation, digits=options["digits"], progress=view.note)
    points = [
        {
            "quantity": c.quantity,
            "at": [str(z) for z in c.point],
            "params": {name: str(value) for name, value in c.params},
            **_record(c),
        }
        for c in report.comparisons
    ]
    payload = {
        "schema": "ntksym/prove/1",
        "activation": linear(activation.expr),
        "verdict": str(report.verdict),
        "holds": report.holds,
        "evidence": list(report.evidence),
        "points": points,
    }
    style = "good" if report.holds else "bad"
    lines: list[Line] = [
        ("title", f"s(x) = {activation.expr}"),
        (style, str(report.verdict)),
        *(("", f"  {line}") for line in report.evidence),
    ]
    status = REFUTED if report.verdict == Verdict.REFUTED else (OK if report.holds else UNDECIDED)
    return Outcome(payload, tuple(lines), status)
