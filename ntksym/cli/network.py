"""`ntksym network`: the recursion of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .options import Command, shared, why_lines
from .outcome import Line, Outcome, View

if TYPE_CHECKING:
    from ..network import Recursion


@click.command(
    "network",
    cls=Command,
    short_help="Sigma and Theta of a network, layer by layer.",
    examples=(
        "ntksym network mlp:gelu:depth=3,weight_var=2,bias_var=0",
        'ntksym network "mlp:max(x, 0):depth=2,preset=jacot" --latex',
        'ntksym network "mlp:[gelu,relu,erf]:weight_var=2"',
        "ntksym network net.toml --unroll 2 --json",
    ),
)
@click.argument("spec", metavar="SPEC")
@click.option("--latex", is_flag=True, help="LaTeX instead of text.")
@click.option("--full", is_flag=True, help="Every formula written out, no names for what repeats.")
@click.option(
    "--unroll",
    type=click.IntRange(0, 6),
    default=None,
    metavar="DEPTH",
    help="Also Sigma and Theta composed up to this depth; they grow about threefold per layer.",
)
@click.option("--why", is_flag=True, help="Say by which method each dual is, and why.")
@shared("network")
def command(spec: str, latex: bool, full: bool, unroll: int | None, why: bool) -> dict[str, Any]:
    """Print the NNGP and NTK recursion of the network SPEC.

    SPEC is a TOML file or mlp:ACTIVATION:key=value,... with the keys depth (3), weight_var (1),
    bias_var (0; variances, no standard deviations),
    preset (ntk, jacot, he, arora, scikit_ntk), parametrization, input_scaling, bias_init, trained,
    derivative, width, and the parameters of the activation. ACTIVATION may be a list, one for each
    layer: [gelu,relu,erf]; in a file, [[layer]] tables have their own activation, weight_var and
    bias_var. An activation without a closed form stands as an expectation.
    """
    return {"spec": spec.strip(), "latex": latex, "full": full, "unroll": unroll, "why": why}


def work(options: dict[str, Any], view: View) -> Outcome:
    """Recurse, in the worker."""
    from ..network import parse_spec, recurse
    from ..numeric.choose import choose

    net = parse_spec(options["spec"])
    view.note("deriving")
    rec = recurse(net)
    full = options["full"]
    states = [] if options["unroll"] is None else list(rec.unrolled(options["unroll"]))
    unrolled = [(state.nngp12, state.ntk12) for state in states]
    if options["latex"]:
        body = [("", rf"{line} \\") for line in rec.latex_lines(full=full)]
        lines = [("", r"\begin{aligned}"), *body, ("", r"\end{aligned}")]
    else:
        from ..display import recursion_text

        rules = recursion_text(rec, width=view.width, unicode=view.unicode, full=full)
        lines = [*rules, *_unrolled_text(unrolled, view, full)]
    choices = [choose(a) for a in net.activations]
    if options["why"]:
        lines += why_lines(choices, view.width)
    payload = {**_payload(rec, unrolled), "choices": [c.record() for c in choices]}
    return Outcome(payload, tuple(lines))


def _payload(rec: Recursion, unrolled: list[tuple[Any, Any]]) -> dict[str, Any]:
    from ..display import linear

    layers = []
    for rule in rec.rules:
        values = {symbol.name: str(value) for symbol, value in rule.values}
        layers.append(
            {
                "name": rule.name,
                "nngp": linear(rule.nngp),
                "ntk": linear(rule.ntk),
                "nngp_diagonal": linear(rule.nngp_diag),
                "ntk_diagonal": linear(rule.ntk_diag),
                "values": values,
            }
        )
    conditions = dict.fromkeys(linear(c) for rule in rec.layers for c in rule.conditions)
    return {
        "schema": "ntksym/network/1",
        "name": rec.network.name,
        "depth": rec.network.depth,
        "activations": [linear(a.expr) for a in rec.network.activations],
        "convention": dict(rec.convention.items()),
        "input": layers[0],
        "layers": layers[1:],
        "conditions": list(conditions),
        "unrolled": [{"nngp": linear(k), "ntk": linear(t)} for k, t in unrolled],
    }


def _unrolled_text(unrolled: list[tuple[Any, Any]], view: View, full: bool) -> list[Line]:
    from ..display import formulas

    if not unrolled:
        return []
    sigma, theta = ("Σ", "Θ") if view.unicode else ("Sigma", "Theta")
    rows = [
        (f"{name}{depth}", expr)
        for depth, pair in enumerate(unrolled, start=1)
        for name, expr in zip((sigma, theta), pair, strict=True)
    ]
    lines, _ = formulas(rows, width=view.width, unicode=view.unicode, full=full)
    return [("", ""), ("title", "unrolled, in q11 = x.x, q12 = x.y, q22 = y.y"), ("", ""), *lines]
