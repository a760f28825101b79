"""What a page shows of an activation: closed forms, the steps of the derivation, its curves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sympy import Add, Expr, oo

from ..abbreviations import arranged, latex_names, ordered_terms, presented, reflected
from ..display import latex
from ..errors import NtksymError
from .curves import Curves, activation_of, curves, drawable, series_curves
from .mathml import BadMath, from_sympy, mathml
from .plots import plot

if TYPE_CHECKING:
    from ..activation import Activation
    from ..dual import Dual

_WIDEST = 54
"""A sum that is wider than so many letters is broken between its terms."""
_LONGEST = 9_000
"""LaTeX longer than this is left to the terminal."""

_RULES = {
    "decompose": "Write the activation as a sum of terms",
    "tilt": "absorb exponentials into the law",
    "stein": "remove powers by parts",
    "half-space": "the probability of a half-space",
    "orthant": "the probability of a quadrant",
    "orthant of dimension three": "the probability of an octant",
    "constant": "a constant",
    "collect": "Collect the terms",
    "differentiate": "Differentiate the activation",
    "price": "Differentiate in the covariance, by Price's theorem",
    "diagonal": "Put u = v",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One closed form: MathML, and the right-hand side, written out, in the language and in LaTeX.

    What repeats has a name in the MathML; `Closed.named` says what it stands for.
    """

    math: str
    text: str
    latex: str


@dataclass(frozen=True, slots=True)
class Derived:
    """One step: what is done, the identities it uses, and the equation."""

    title: str
    rules: tuple[str, ...]
    math: str


@dataclass(frozen=True, slots=True)
class Closed:
    """An activation on a page.

    Attributes:
        name: catalogue name or text.
        title: in words, or "".
        definition: the function, as MathML.
        rows: its closed forms.
        named: MathML of what the names in the rows stand for.
        steps: how they were derived.
        conditions: MathML, where they hold.
        plots: `<svg>` elements.
        caption: what is drawn.
        reason: why there is no closed form, or "".
        refs: keys of the bibliography.
        command: what shows the same on a terminal.
    """

    name: str
    title: str
    definition: str
    rows: tuple[Row, ...] = ()
    named: tuple[str, ...] = ()
    steps: tuple[Derived, ...] = ()
    conditions: tuple[str, ...] = ()
    plots: tuple[str, ...] = ()
    caption: str = ""
    reason: str = ""
    refs: tuple[str, ...] = ()
    command: str = ""


def closed(text: str, anchor: str) -> Closed:
    """The closed forms, steps and plots of a catalogue name or text.

    Raises:
        ParseError, BadActivation: the text is no activation.
    """
    from ..dual import dual

    act = activation_of(text)
    command = f'ntksym derive "{text}" --steps'
    head = mathml(from_sympy(rf"\sigma(x) = {latex(act.expr)}"), block=True)
    title = act.title if act.name == text else ""
    try:
        found = dual(act)
    except NtksymError as error:
        drawn = series_curves(act) if not act.params else None
        plots = _plots(drawn, anchor) if drawn else ()
        return Closed(
            text,
            title,
            head,
            plots=plots,
            caption=_caption(drawn, "from 60 Hermite coefficients") if drawn and plots else "",
            reason=error.what,
            refs=act.refs,
            command=command,
        )
    drawn = curves(found)
    plots = _plots(drawn, anchor)
    return Closed(
        text,
        title,
        head,
        *_rows(found),
        _steps(found),
        tuple(mathml(from_sympy(latex(c))) for c in found.conditions),
        plots,
        _caption(drawn, "from the closed forms") if plots else "",
        refs=act.refs,
        command=command,
    )


def _rows(found: Dual) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """The closed forms and the names in them."""
    pair = r"E[\sigma(u)\,\sigma(v)]"
    slope = r"E[\sigma'(u)\,\sigma'(v)]"
    rows: list[tuple[str, Expr]] = [(pair, found.value)]
    if found.continuous:
        rows.append((slope, found.dot))
    else:
        rows.append((rf"\partial_{{q_{{12}}}}{pair}", found.dot))
        rows.append((rf"{slope}_{{\text{{a.e.}}}}", found.dot_ae))
    rows.append((r"E[\sigma(u)^2]", found.diag))
    if found.continuous and found.diag_dot != oo:
        rows.append((r"E[\sigma'(u)^2]", found.diag_dot))
    short = presented(expr for _, expr in rows)
    shown = (
        _row(name, arranged(named), arranged(reflected(expr)))
        for (name, expr), named in zip(rows, short.formulas, strict=True)
    )
    where = latex_names(short, unbroken=True)
    names = (mathml(from_sympy(line.replace("&", "", 1)), block=True) for line in where)
    return tuple(row for row in shown if row), tuple(names)


def _row(name: str, shown: Expr, expr: Expr) -> Row | None:
    from ..language import to_text

    equation = _equation(name, shown)
    if len(equation) > _LONGEST:
        return None
    return Row(mathml(equation, block=True), to_text(expr), from_sympy(latex(expr)))


def _equation(name: str, expr: Expr) -> str:
    """`name = expr`; a long sum as lines of a width that can be read."""
    right = from_sympy(latex(expr))
    terms = ordered_terms(expr) if isinstance(expr, Add) else []
    if len(terms) < 2 or _width(right) <= _WIDEST:
        return f"{name} = {right}"
    lines: list[str] = []
    used = 0
    for term in terms:
        one = from_sympy(latex(term))
        signed = one if not lines or one.startswith("-") else f"+ {one}"
        if lines and used + _width(one) <= _WIDEST:
            lines[-1] += f" {signed}"
            used += _width(one)
        else:
            lines.append((r"&\quad " if lines else f"{name} &= ") + signed)
            used = _width(one)
    return r"\begin{aligned}" + r" \\ ".join(lines) + r"\end{aligned}"


def _width(text: str) -> int:
    """About how many letters wide LaTeX is; a fraction is as wide as its wider half."""
    text = re.sub(r"\\(?:left|right|operatorname|text|mathrm|sqrt|quad|,|;|!)", "", text)
    while (m := re.search(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", text)) or (
        m := re.search(r"\{([^{}]*)\}()", text)
    ):
        text = text[: m.start()] + max(m[1], m[2], key=_letters) + text[m.end() :]
    return _letters(text)


def _letters(text: str) -> int:
    return len(re.sub(r"\\[A-Za-z]+", "x", re.sub(r"[\s_^{}]", "", text)))


def _steps(found: Dual) -> tuple[Derived, ...]:
    out = []
    for step in found.steps:
        rules = tuple(step.rule.partition(" (")[0].split(" + "))
        words = [_RULES.get(rule, rule) for rule in rules]
        title = ", ".join(words)
        before, after = from_sympy(step.before), from_sympy(step.after)
        if len(before) + len(after) > _LONGEST:
            continue
        try:
            shown = mathml(f"{before} = {after}", block=True)
        except BadMath:
            continue
        out.append(Derived(title[0].upper() + title[1:], rules, shown))
    return tuple(out)


def _plots(drawn: Curves, anchor: str) -> tuple[str, ...]:
    out = []
    if drawable(drawn.function):
        out.append(plot(drawn.function, x="x", title="The activation", anchor=f"{anchor}-f"))
    if drawable(drawn.duals):
        title = "The dual and the derivative dual over the correlation, for unit variances"
        out.append(plot(drawn.duals, x="correlation \u03c1", title=title, anchor=f"{anchor}-k"))
    return tuple(out)


def _caption(drawn: Curves, how: str) -> str:
    given = ", ".join(f"{name} = {value}" for name, value in drawn.params)
    return f"q\u2081\u2081 = q\u2082\u2082 = 1{', ' + given if given else ''}; {how}."


def shown_activation(text: str) -> str:
    """An activation as a LaTeX equation, or "" where the text is none by itself."""
    try:
        act: Activation = activation_of(text)
    except NtksymError:
        return ""
    return from_sympy(rf"\sigma(x) = {latex(act.expr)}")
