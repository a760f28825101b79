"""`ntksym eval`: enclosures of the definition and of the derived form at a point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .options import Command, formula_argument, read_params, shared
from .outcome import OK, REFUTED, UNDECIDED, Line, Outcome, View

if TYPE_CHECKING:
    from ..verify.report import Comparison

_NAMES = {
    "nngp": "E[s(u)s(v)]",
    "derivative": "E[s'(u)s'(v)]",
    "derivative_almost_everywhere": "E[s'(u)s'(v)] off the jumps",
    "diagonal": "E[s(u)^2]",
    "diagonal_derivative": "E[s'(u)^2]",
}
_WITH_JUMPS = {
    "derivative": "d/dq12 E[s(u)s(v)]",  # a density at the jumps: not the mean of a product
    "diagonal_derivative": "E[s'(u)^2] off the jumps",
}


@click.command(
    "eval",
    cls=Command,
    short_help="Proven digits at a point, from the definition and from the formula.",
    examples=(
        'ntksym eval "max(x, 0)" --at 1,1/2,2',
        'ntksym eval "max(x, alpha*x)" --at 1.3,0.4,0.7 --param alpha=0.1 --digits 40',
        "ntksym eval tanh --at 1,1/2,1 --json",
    ),
)
@formula_argument
@click.option("--at", "at", required=True, metavar="Q11,Q12,Q22", help="The covariance, exact.")
@click.option("--param", "params", multiple=True, metavar="NAME=NUMBER", help="A parameter.")
@click.option(
    "--digits", type=click.IntRange(1, 300), default=30, show_default=True, help="Digits to prove."
)
@shared("eval")
def command(expression: str, at: str, params: tuple[str, ...], digits: int) -> dict[str, Any]:
    """Enclose E[s(u) s(v)] and E[s'(u) s'(v)] for s = EXPR at exact numbers.

    Ball arithmetic encloses the definition (an integral) and the derived form, and says whether
    the two agree. Without a closed form only the definition is there. Decimals are exact.
    """
    return {"expression": expression, "at": at, "params": read_params(params), "digits": digits}


def work(options: dict[str, Any], view: View) -> Outcome:
    """Enclose, in the worker."""
    from ..display import linear
    from ..verify.prove import evaluate
    from .reading import read_with_values

    activation, values = read_with_values(options["expression"], options["params"])
    point = _point(options["at"])
    view.note("enclosing")
    method, comparisons = evaluate(activation, point, values, options["digits"])
    if method == "definition only" and any(c.definition is None for c in comparisons):
        comparisons = _with_mixture(activation, values, point, comparisons)
    refuted = any(c.agree is False for c in comparisons)
    known = [c for c in comparisons if c.definition is not None or c.divergent]
    closed = method == "closed form"
    open_ = len(known) < len(comparisons) or (closed and any(c.agree is None for c in comparisons))
    agree = False if refuted else (None if open_ or not closed else True)
    payload = {
        "schema": "ntksym/eval/1",
        "activation": linear(activation.expr),
        "at": {k: str(v) for k, v in zip(("q11", "q12", "q22"), point, strict=True)},
        "params": {**options["params"]},
        "digits": options["digits"],
        "method": method,
        "agree": agree,
        **{c.quantity: comparison_record(c) for c in comparisons},
    }
    status = REFUTED if refuted else (UNDECIDED if open_ else OK)
    head: list[Line] = [
        ("title", f"s(x) = {activation.expr}"),
        ("dim", "at q11, q12, q22 = " + ", ".join(str(z) for z in point)),
        ("", ""),
    ]
    jumps = any(c.quantity == "derivative_almost_everywhere" for c in comparisons)
    lines = [line for c in comparisons for line in _lines(c, closed, jumps)]
    return Outcome(payload, (*head, *lines, ("", f"method: {method}")), status)


def _with_mixture(
    activation: Any, values: Any, point: tuple[Any, Any, Any], comparisons: tuple[Comparison, ...]
) -> tuple[Comparison, ...]:
    """Where the integral is not enclosed, the best bound there is: that of the normal mixture."""
    from dataclasses import replace

    from ..errors import NoClosedForm, Undecided
    from ..numeric.mixture_build import mixture_dual
    from ..verify.ball import Ball

    out = []
    for c in comparisons:
        try:
            if c.definition is None and not c.divergent:
                slope = c.quantity != "nngp"
                found = mixture_dual(activation).enclose(*point, derivative=slope, params=values)
                ends = [v.numerator for v in (found.mid, found.rad)]
                down = [1 - v.denominator.bit_length() for v in (found.mid, found.rad)]
                mid, radius = Ball(ends[0], down[0], ends[1], down[1]).decimal(20)
                best = f"[{mid} +/- {radius}]"  # both are dyadic: the ball is exact
                c = replace(c, note=f"{c.note}; the best bound, by a mixture: {best}")
        except (NoClosedForm, Undecided):
            pass
        out.append(c)
    return tuple(out)


def _point(text: str) -> tuple[Any, Any, Any]:
    from ..errors import BadCovariance, ParseError
    from ..language import parse_number

    parts = text.split(",")
    if len(parts) != 3:
        raise BadCovariance(
            f"--at {text.strip()[:60]!r} is not three numbers",
            hint="--at Q11,Q12,Q22, as in 1,1/2,2",
        )
    try:
        a, c, b = (parse_number(part) for part in parts)
    except ParseError as error:
        raise BadCovariance(
            f"--at {text.strip()[:60]!r}: {error.what}", where=error.where, hint="--at 1,1/2,2"
        ) from error
    if a < 0 or b < 0 or c * c > a * b:
        raise BadCovariance(
            f"[[{a}, {c}], [{c}, {b}]] is not a covariance",
            hint="q11 >= 0, q22 >= 0 and q12^2 <= q11*q22",
        )
    return a, c, b


def ball_record(ball: Any, digits: int) -> dict[str, str] | None:
    """A ball as --json prints it: middle and radius in decimals; None stays None."""
    if ball is None:
        return None
    mid, radius = ball.decimal(digits + 2)
    return {"mid": mid, "radius": radius}


def comparison_record(c: Comparison) -> dict[str, Any]:
    """A comparison of the definition with a derived value, as --json prints it."""
    return {
        "definition": ball_record(c.definition, c.digits),
        "derived": ball_record(c.derived, c.digits),
        "agree": c.agree,
        "note": c.note,
    }


def _lines(c: Comparison, closed: bool, jumps: bool) -> list[Line]:
    def shown(ball: Any) -> str:
        if ball is None:
            return "not finite" if c.divergent else "not enclosed"
        mid, radius = ball.decimal(c.digits + 2)
        return f"[{mid} +/- {radius}]"

    names = _NAMES | _WITH_JUMPS if jumps else _NAMES
    lines: list[Line] = [("title", names.get(c.quantity, c.quantity))]
    lines.append(("", f"  definition    {shown(c.definition)}"))
    if closed:
        word, style = {
            True: ("agree", "good"),
            False: ("DISJOINT: the derived form is wrong", "bad"),
            None: ("undecided", "bad"),
        }[c.agree]
        lines.append(("", f"  derived form  {shown(c.derived)}"))
        lines.append((style, f"  {word}"))
    if c.note:
        lines.append(("dim", f"  {c.note}"))
    return [*lines, ("", "")]
