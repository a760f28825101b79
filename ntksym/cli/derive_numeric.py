"""What `ntksym derive` says where there is no closed form: mixtures, expectations, rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import LEAPS
from .outcome import Line, View

if TYPE_CHECKING:
    from ..numeric.choice import Choice
    from ..numeric.expected import ExpectedDual
    from ..numeric.mixture import MixtureDual
    from ..numeric.series.dual import SeriesDual


def without_closed_form(
    choice: Choice, view: View, *, latex: bool, full: bool
) -> tuple[dict[str, Any], list[Line]]:
    """The payload and the lines of a choice whose dual is not a closed form."""
    from ..numeric.choice import proven
    from ..numeric.endless import steep_slope
    from ..numeric.expected import ExpectedDual
    from ..numeric.mixture import MixtureDual
    from .derive import parameter_lines

    if isinstance(choice.dual, MixtureDual):
        return _mixture(choice.dual, view, latex, full)
    definition = ExpectedDual(choice.activation, choice.method)
    lines = _latex(definition) if latex else _definition(definition, view)
    payload = {**_head(choice), **_formulas(definition)}
    mark = "% " if latex else ""
    if hasattr(choice.dual, "truncation"):
        payload |= _series_formulas(choice.dual)
        lines = _series(choice, view, latex)
    lines += [] if latex else parameter_lines(choice.activation)
    if isinstance(choice.dual, ExpectedDual):
        lines.append(("", f"{mark}no closed form: the expectations stand for themselves"))
        for candidate in choice.candidates:
            if candidate.method == "exact" and "--param" in candidate.reason:
                lines.append(("", f"{mark}{candidate.reason}"))
        if without := steep_slope(choice.activation):
            lines.append(
                ("", f"{mark}{without}: no NTK; code of the NNGP alone: export --only nngp")
            )
            return {**payload, "without_ntk": without}, lines
        lines.append(("", f"{mark}method: {choice.method} (code; --variance LO:HI builds it)"))
        return payload, lines
    said = proven(choice.dual, choice.variances)
    lines += [("", mark + line) for line in said]
    lines.append(("", f"{mark}method: {choice.method}"))
    return {**payload, "bound": list(said)}, lines


def _head(choice: Choice) -> dict[str, Any]:
    from ..display import linear
    from .derive import assumption_of

    act = choice.activation
    return {
        "schema": "ntksym/derive/1",
        "activation": linear(act.expr),
        "name": act.name,
        "parameters": {p.name: assumption_of(p) for p in act.params},
        "method": choice.method,
    }


def _formulas(d: ExpectedDual) -> dict[str, Any]:
    from ..display import linear

    return {
        "nngp": linear(d.value),
        "derivative": linear(d.dot),
        "derivative_almost_everywhere": linear(d.dot_ae),
        "diagonal": linear(d.diag),
        "diagonal_derivative": linear(d.diag_dot),
        "diagonal_derivative_almost_everywhere": linear(d.diag_dot_ae),
        "conditions": [],
        "steps": [{"rule": s.rule, "before": s.before, "after": s.after} for s in d.steps],
    }


def _definition(d: ExpectedDual, view: View) -> list[Line]:
    """The activation, and the expectations that are meant."""
    from ..display import formula

    rows = formula("s(x)", d.activation.expr, width=view.width, unicode=view.unicode)
    lines: list[Line] = [("", row) for row in rows]
    law = "(u, v) Gaussian, mean 0, covariance [[q11, q12], [q12, q22]]"
    lines += [("", ""), ("dim", law), ("", "")]
    lines.append(("", "K(q11, q12, q22)    = E[s(u)*s(v)]"))
    lines.append(("", "Kdot(q11, q12, q22) = E[s'(u)*s'(v)]"))
    if not d.continuous:
        lines.append(("dim", LEAPS))
    lines.append(("", ""))
    return lines


def _latex(d: ExpectedDual) -> list[Line]:
    from ..display import latex

    rows = [rf"\sigma(x) &= {latex(d.activation.expr)} \\"]
    rows += [rf"K &= {latex(d.value)} \\", rf"\dot K &= {latex(d.dot_ae)} \\"]
    body: list[Line] = [("", row) for row in rows]
    return [("", r"\begin{aligned}"), *body, ("", r"\end{aligned}")]


def _series_formulas(found: SeriesDual) -> dict[str, Any]:
    from ..display import linear

    return {"nngp": linear(found.value), "derivative": linear(found.dot), "terms": found.terms}


def _series(choice: Choice, view: View, latex: bool) -> list[Line]:
    """The sums: without end where the coefficients are closed forms, else with their number."""
    from ..display import formula
    from ..display import latex as as_latex

    found = choice.dual
    if latex:
        rows = [rf"\sigma(x) &= {as_latex(choice.activation.expr)} \\"]
        rows += [rf"K &= {as_latex(found.value)} \\", rf"\dot K &= {as_latex(found.dot)} \\"]
        body: list[Line] = [("", row) for row in rows]
        return [("", r"\begin{aligned}"), *body, ("", r"\end{aligned}")]
    lines: list[Line] = []
    named = (
        ("s(x)", choice.activation.expr),
        ("E[s(u)s(v)]", found.value),
        ("E[s'(u)s'(v)]", found.dot),
    )
    for name, expr in named:
        rows_of = formula(name, expr, width=view.width, unicode=view.unicode)
        lines += [*(("", row) for row in rows_of), ("", "")]
    if not found.exact:
        lines.append(("", "a(n, q) = E[s(u) h_n(u/sqrt(q))], h_n the n-th Hermite polynomial"))
    return lines


def _mixture(
    d: MixtureDual, view: View, latex: bool, full: bool
) -> tuple[dict[str, Any], list[Line]]:
    """A sum over pairs of nodes: the generic pair, the nodes and the proven bounds."""
    from ..display import linear
    from ..numeric.pairs import letters_of
    from .derive import assumption_of, parameter_lines

    payload = {
        "schema": "ntksym/derive/1",
        "activation": linear(d.activation.expr),
        "name": d.activation.name,
        "parameters": {p.name: assumption_of(p) for p in d.activation.params},
        "method": d.method,
        "nodes": [[str(a), str(w)] for a, w in d.mixture],
        "latex": list(d.latex_lines()),
        "bound": list(d.mixture_bound.text()),
        "conditions": [linear(c) for c in d.conditions],
        "steps": [{"rule": s.rule, "before": s.before, "after": s.after} for s in d.steps],
    }
    node, weight = letters_of(d.forms)
    said = f"no closed form; a finite sum of closed forms over nodes {node}_i of weight {weight}_i"
    mark = "% " if latex else ""
    lines = _mixture_latex(d) if latex else _mixture_text(d, view, full)
    lines.append(("dim", f"{mark}{said}:"))
    lines += [("", mark + line) for line in d.lines()]
    lines += [] if latex else parameter_lines(d.activation)
    return payload, [*lines, ("", f"{mark}method: {d.method}")]


def _mixture_latex(d: MixtureDual) -> list[Line]:
    from ..display import latex
    from ..numeric.pairs import latex_of

    rows = [rf"\sigma(x) &= {latex(d.activation.expr)}"]
    rows += latex_of(r"\mathbb{E}[\sigma(u)\,\sigma(v)]", d.forms)
    rows += latex_of(r"\mathbb{E}[\sigma'(u)\,\sigma'(v)]", d.forms, dot=True)
    body: list[Line] = [("", rf"{row} \\") for row in rows]
    return [("", r"\begin{aligned}"), *body, ("", r"\end{aligned}")]


def _mixture_text(d: MixtureDual, view: View, full: bool) -> list[Line]:
    """Each dual as its sum of named parts, then the parts."""
    from ..display import formulas
    from ..numeric.pairs import letters_of, parts_of

    lines: list[Line] = []
    taken = [f"{name}{i}" for name in "KD" for i in range(3)]
    known: list[tuple[Any, Any]] = []

    def put(rows: list[tuple[str, Any]]) -> None:
        shown, names = formulas(
            rows, width=view.width, unicode=view.unicode, full=full, taken=taken, known=known
        )
        lines.extend(shown)
        known.extend(names)

    _, w = letters_of(d.forms)
    put([("s(x)", d.activation.expr)])
    lines += [("dim", "(u, v) Gaussian, mean 0, covariance [[q11, q12], [q12, q22]]"), ("", "")]
    for left, name, dot in (("E[s(u)s(v)]", "K", False), ("E[s'(u)s'(v)]", "D", True)):
        heads = ("", f"sum over k of {w}_k*", f"sum over i, k of {w}_i*{w}_k*")
        parts = [
            (f"{head}{name}{i}", f"{name}{i}", part)
            for i, (head, part) in enumerate(zip(heads, parts_of(d.forms, dot=dot), strict=True))
            if part != 0
        ]
        total = " + ".join(term for term, _, _ in parts) or "0"
        lines += [("", f"{left} {'≈' if view.unicode else '~'} {total}"), ("", "")]
        put([(part_name, part) for _, part_name, part in parts])
    return lines
