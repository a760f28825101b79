"""`ntksym prove`: the verdict on what is derived, closed form or not, with its evidence."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from .options import Command, formula_argument, method_options, read_params, shared
from .outcome import OK, REFUTED, UNDECIDED, Line, Outcome, View


@click.command(
    "prove",
    cls=Command,
    short_help="The verdict on what is derived: proved, enclosed, undecided, refuted.",
    examples=(
        "ntksym prove gelu",
        'ntksym prove "max(x, alpha*x)" --param alpha=positive --json',
        "ntksym prove tanh",
        "ntksym prove mish --variance 0.5:2 --error 1e-12",
    ),
)
@formula_argument
@click.option(
    "--param", "params", multiple=True, metavar="NAME=WORD", help="An assumption or a number."
)
@click.option(
    "--digits", type=click.IntRange(5, 200), default=30, show_default=True, help="Digits per point."
)
@partial(method_options, why=False)
@shared("prove")
def command(
    expression: str,
    params: tuple[str, ...],
    digits: int,
    method: str,
    error: float | None,
    variance: str | None,
) -> dict[str, Any]:
    """Prove the derived form of s = EXPR by Price's theorem, and enclose it at rational points.

    Without a closed form, or with --method, it is the mixture, series, table or rule that is
    checked: at exact points, hard ones among them, the definition is enclosed, and the
    approximation has to be within its proven bound. Tables are those of --variance, by default
    1 and 1/2:2.

    The exit status is 0 for proved or enclosed, 1 for refuted, 3 for undecided.
    A proof holds without the enclosures: under "not enclosed" are the points that they left open.
    """
    return {
        "expression": expression,
        "params": read_params(params),
        "digits": digits,
        "method": method,
        "error": error,
        "variance": variance,
    }


def work(options: dict[str, Any], view: View) -> Outcome:
    """Prove, in the worker."""
    from ..display import linear
    from ..numeric.verdict import prove
    from ..verify.report import Verdict
    from .eval import ball_record, comparison_record
    from .reading import build_rule, read_activation

    activation = read_activation(options["expression"], options["params"])
    view.note("proving")
    report = prove(
        activation,
        digits=options["digits"],
        progress=view.note,
        method=options["method"],
        error=options["error"],
        variances=options["variance"],
        build=build_rule,
    )
    points = [
        {
            "quantity": c.quantity,
            "at": [str(z) for z in c.point],
            "params": {name: str(value) for name, value in c.params},
            **comparison_record(c),
            "bound": ball_record(c.bound, 5),
        }
        for c in report.comparisons
    ]
    payload = {
        "schema": "ntksym/prove/1",
        "activation": linear(activation.expr),
        "method": report.method,
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
