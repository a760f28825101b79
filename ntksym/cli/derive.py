"""`ntksym derive`: the closed forms of an activation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..errors import NoClosedForm
from .derive_gradients import diagonal_rows, exchanged, gradients_of, pair_rows
from .derive_gradients import payload as gradients_payload
from .options import (
    LEAPS,
    Command,
    formula_argument,
    method_options,
    read_params,
    shared,
    why_lines,
)
from .outcome import Line, Outcome, View

if TYPE_CHECKING:
    from ..activation import Activation
    from ..dual import Dual
    from ..gradients import DualGradients


@click.command(
    "derive",
    cls=Command,
    short_help="Closed forms: dual, derivative dual, diagonals, conditions.",
    examples=(
        'ntksym derive "max(x, 0)"',
        'ntksym derive "x*(1+erf(x/sqrt(2)))/2" --steps',
        'ntksym derive "max(x, alpha*x)" --param alpha=positive --json',
        'ntksym derive "heaviside(x)" --mean --latex',
        "ntksym derive gelu --gradients",
        "ntksym derive mish --method tabulated --variance 1 --why",
    ),
)
@formula_argument
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=WORD",
    help="An assumption (real, positive, negative, nonnegative, nonzero) or a number.",
)
@click.option("--mean", is_flag=True, help="Pre-activations with means m1 and m2.")
@click.option("--gradients", is_flag=True, help="Also derivatives in q11, q12 and parameters.")
@click.option("--steps", is_flag=True, help="The derivation, step by step, as LaTeX.")
@click.option("--latex", is_flag=True, help="LaTeX instead of text.")
@click.option("--full", is_flag=True, help="Every formula written out, no names for what repeats.")
@method_options
@shared("derive")
def command(
    expression: str,
    params: tuple[str, ...],
    mean: bool,
    gradients: bool,
    steps: bool,
    latex: bool,
    full: bool,
    method: str,
    error: float | None,
    variance: str | None,
    why: bool,
) -> dict[str, Any]:
    """Derive E[s(u) s(v)] and E[s'(u) s'(v)] for an activation s = EXPR.

    x is the input; every other name is a parameter. EXPR may be a catalogue name, or - to read
    standard input. (u, v) is Gaussian with covariance [[q11, q12], [q12, q22]].
    Where there is no closed form the expectations stand for themselves, with the method that code
    would use; --variance builds it and prints what is proven of it.
    """
    return {
        "expression": expression,
        "params": read_params(params),
        "mean": mean,
        "gradients": gradients,
        "steps": steps,
        "latex": latex,
        "full": full,
        "method": method,
        "error": error,
        "variance": variance,
        "why": why,
    }


def work(options: dict[str, Any], view: View) -> Outcome:
    """Derive, in the worker."""
    from ..dual import Dual
    from ..numeric.choose import choose
    from .derive_numeric import without_closed_form
    from .reading import build_rule, read_activation

    view.note("deriving")
    activation = read_activation(options["expression"], options["params"])
    choice = choose(
        activation,
        mean=options["mean"],
        method=options["method"],
        error=options["error"],
        variances=options["variance"],
        build=build_rule,
    )
    found = choice.dual
    if isinstance(found, Dual):
        full, mean = options["full"], options["mean"]
        slopes = gradients_of(found) if options["gradients"] else None
        if options["latex"]:
            lines = _latex(found, full, slopes)
        else:
            lines = _text(found, mean, view, full, slopes)
        payload = _payload(found, mean) | ({} if slopes is None else gradients_payload(slopes))
    else:
        if options["gradients"]:
            raise NoClosedForm(
                f"{activation.name}: there is no closed form to differentiate",
                hint="`ntksym export` writes code for the derivatives; without --gradients, "
                "what there is instead of a closed form",
            )
        payload, lines = without_closed_form(
            choice, view, latex=options["latex"], full=options["full"]
        )
    if options["steps"]:
        lines += [("", ""), *_steps(found)]
    if options["why"]:
        lines += why_lines((choice,), view.width)
    return Outcome({**payload, "choice": choice.record()}, tuple(lines))


def _payload(d: Dual, mean: bool) -> dict[str, Any]:
    from .. import symbols
    from ..display import linear

    # every formula of the object is in q11, q12, q22: the diagonal ones too
    on_diagonal = {symbols.q: symbols.q11, symbols.m: symbols.m1}

    return {
        "schema": "ntksym/derive/1",
        "activation": linear(d.activation.expr),
        "name": d.activation.name,
        "parameters": {p.name: assumption_of(p) for p in d.activation.params},
        "method": d.method,
        "nngp": linear(d.value),
        "derivative": linear(d.dot),
        "derivative_almost_everywhere": linear(d.dot_ae),
        "diagonal": linear(d.diag.xreplace(on_diagonal)),
        "diagonal_derivative": linear(d.diag_dot.xreplace(on_diagonal)),
        "diagonal_derivative_almost_everywhere": linear(d.diag_dot_ae.xreplace(on_diagonal)),
        "conditions": [linear(c) for c in d.conditions],
        "steps": [{"rule": s.rule, "before": s.before, "after": s.after} for s in d.steps],
        "convention": {
            "law": "(u, v) Gaussian with covariance [[q11, q12], [q12, q22]]",
            "means": ["m1", "m2"] if mean else ["0", "0"],
            "nngp": "E[s(u) s(v)]",
            "derivative": "d nngp/d q12 = E[s'(u) s'(v)], s' as a distribution",
            "diagonal": "u = v: q12 = q22 = q11" + (", m2 = m1" if mean else ""),
            "weight_var": "1",
            "bias_var": "0",
        },
    }


def assumption_of(p: Any) -> str:
    """The word for what is assumed of a parameter."""
    for word in ("positive", "negative", "nonnegative", "nonzero"):
        if getattr(p, f"is_{word}"):
            return word
    return "real"


def parameter_lines(activation: Activation) -> list[Line]:
    """What is assumed of the parameters, with inferred signs; nothing without parameters."""
    said = ", ".join(f"{p.name} {assumption_of(p)}" for p in activation.params)
    return [("", f"parameters: {said}")] if said else []


def _text(d: Dual, mean: bool, view: View, full: bool, slopes: DualGradients | None) -> list[Line]:
    from ..display import formulas

    lines: list[Line] = []
    known: list[tuple[Any, Any]] = []

    def put(rows: list[tuple[str, Any]]) -> None:
        shown, names = formulas(
            [(n.replace("^2", "²") if view.unicode else n, e) for n, e in rows],
            width=view.width,
            unicode=view.unicode,
            full=full,
            known=known,
        )
        lines.extend(shown)
        known.extend(names)

    put([("s(x)", d.activation.expr)])
    means = "means m1, m2" if mean else "mean 0"
    lines.append(("dim", f"(u, v) Gaussian, {means}, covariance [[q11, q12], [q12, q22]]"))
    if not d.continuous:
        lines.append(("dim", f"{LEAPS}; d/dq12 is infinite on the diagonal"))
    lines.append(("", ""))
    rows = [(name, expr) for name, _, expr in d.rows]
    put(rows[:-2])
    lines += [("dim", "diagonal, u = v of variance q" + (", mean m" if mean else "")), ("", "")]
    put(rows[-2:])
    if slopes is not None:
        lines += [("dim", f"derivatives; {exchanged(mean)}"), ("", "")]
        put([(name, e) for name, _, e in pair_rows(slopes)])
        lines += [("dim", "derivatives of the diagonal"), ("", "")]
        put([(name, e) for name, _, e in diagonal_rows(slopes)])
        lines += [("", f"in {p}: no closed form") for p in slopes.left_out]
    lines += parameter_lines(d.activation)
    lines += [("", line) for line in _validity(d, "E[s'(u)²]" if view.unicode else "E[s'(u)^2]")]
    lines.append(("", f"method: {d.method}"))
    return lines


def _latex(d: Dual, full: bool, slopes: DualGradients | None) -> list[Line]:
    conditions = _validity(d, r"\mathbb{E}[\sigma'(u)^2]") if d.conditions else []
    also = () if slopes is None else (*pair_rows(slopes), *diagonal_rows(slopes))
    block = d.latex(full=full, also=[(name, expr) for _, name, expr in also])
    return [("", block), *(("", f"% {line}") for line in conditions)]


def _validity(d: Dual, square: str) -> list[str]:
    """Where the formulas hold, and where the second moment of the derivative is finite."""
    apart = d.slope_conditions
    held = ", ".join(str(c) for c in d.conditions if c not in apart) or "all variances"
    finite = ", ".join(map(str, apart))
    return [f"valid for: {held}", *([f"{square} finite for: {finite}"] if apart else [])]


def _steps(d: Any) -> list[Line]:
    lines: list[Line] = []
    for number, step in enumerate(getattr(d, "steps", ()), start=1):
        lines.append(("title", f"{number}. {step.rule}"))
        lines += [("", f"   {step.before}"), ("", f"   = {step.after}")]
    return lines
