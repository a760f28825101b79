"""What the site says of one claim: its statement, verdict, evidence, correction and source."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from ..check import Judgement
from ..claims import QUANTITIES, Claim
from ..errors import NtksymError
from ..verify.ball import Ball
from ..verify.report import Verdict
from .bibliography import Source, entry, sources
from .closed import shown_activation
from .mathml import BadMath, from_sympy, mathml
from .reproduce import command, toml
from .typeset import typeset

GLYPHS = {
    Verdict.PROVED: "\u25a0",
    Verdict.ENCLOSED: "\u25ce",
    Verdict.SAMPLED: "\u2248",
    Verdict.UNDECIDED: "?",
    Verdict.REFUTED: "\u2715",
}
"""A sign for each verdict, so that no one needs its colour."""

MEANINGS = {
    Verdict.PROVED: "Formula and definition are equal wherever the conditions hold; the evidence"
    " says how that was proved.",
    Verdict.ENCLOSED: "At exact rational points both sides were enclosed in rigorous intervals,"
    " which overlap and are narrow. The digits are proved; equality everywhere is not.",
    Verdict.SAMPLED: "Both sides agree in floating point at several points. Not rigorous.",
    Verdict.UNDECIDED: "Neither proved, nor enclosed, nor refuted. Never counted as a pass.",
    Verdict.REFUTED: "At an exact rational point the enclosures of both sides are disjoint: a"
    " proof that the formula is wrong.",
}

_RELATIONS = {
    Verdict.PROVED: "=",
    Verdict.ENCLOSED: "=",
    Verdict.SAMPLED: r"\overset{?}{=}",
    Verdict.UNDECIDED: r"\overset{?}{=}",
    Verdict.REFUTED: r"\ne",
}
_PIECES = re.compile(r"\$([^$]+)\$|`([^`]+)`")
_DIGITS = 24


@dataclass(frozen=True, slots=True)
class Printed:
    """A formula as its source prints it, or as it was typed: MathML where it is LaTeX."""

    part: str
    math: str
    text: str


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A ball as text: the digits that both sides share, the rest, and the radius."""

    same: str
    rest: str
    radius: str


@dataclass(frozen=True, slots=True)
class Card:
    """A judged claim, ready for the templates; what ends in `math` or `html` is markup."""

    judgement: Judgement
    href: str
    page: str
    name: str
    title_html: str
    statement_math: str
    activation_math: str
    printed: tuple[Printed, ...]
    reading_math: str
    corrected: tuple[Printed, ...]
    corrected_checked: bool
    facts: tuple[tuple[str, str], ...]
    sources: tuple[Source, ...]
    keys: tuple[str, ...]
    toml: str
    command: str
    counterexample: tuple[tuple[tuple[str, str], ...], Enclosed, Enclosed | None] | None

    @property
    def claim(self) -> Claim:
        """The claim."""
        return self.judgement.claim

    @property
    def verdict(self) -> str:
        """The verdict, in a word."""
        return str(self.judgement.verdict)

    @property
    def glyph(self) -> str:
        """The sign of the verdict."""
        return GLYPHS[self.judgement.verdict]

    @property
    def meaning(self) -> str:
        """What the verdict says."""
        return MEANINGS[self.judgement.verdict]

    @property
    def expected(self) -> bool:
        """Whether the verdict is what the book says."""
        return self.judgement.as_expected

    @property
    def wrong(self) -> bool:
        """Whether it belongs to the errata: said to be wrong, or refuted."""
        return bool(self.claim.erratum) or self.judgement.verdict is Verdict.REFUTED

    @property
    def digits(self) -> str:
        """Digits that the enclosures agree to."""
        return str(self.judgement.digits) if self.judgement.digits else "\u2013"

    @property
    def seconds(self) -> str:
        """The time the verdict took."""
        return f"{self.judgement.seconds:.2f}"


def card(judgement: Judgement) -> Card:
    """The card of a judged claim of a book; its id is `<kind>/<page>.<name>`."""
    claim = judgement.claim
    page, _, name = claim.id.partition(".")
    found = sources(claim.source)
    corrected, checked = _corrected(judgement)
    return Card(
        judgement,
        f"{claim.id}.html",
        page,
        name,
        text_html(claim.title) or escape(name),
        _statement(judgement),
        math_of(shown_activation(claim.activation)) if claim.activation else "",
        _printed(claim),
        math_of(from_sympy(judgement.formula_latex), block=True),
        corrected,
        checked,
        tuple(_facts(claim)),
        found,
        _keys(found),
        toml(claim),
        command(claim),
        _counterexample(judgement),
    )


def text_html(text: str) -> str:
    """Plain text as HTML; `$...$` is mathematics and backticks are code, nothing else is markup."""
    out, last = [], 0
    for m in _PIECES.finditer(text):
        out.append(escape(text[last : m.start()]))
        if m[1] is not None:
            out.append(math_of(m[1]))
        else:
            out.append(f"<code>{escape(m[2])}</code>")
        last = m.end()
    return "".join((*out, escape(text[last:])))


def math_of(latex: str, *, block: bool = False) -> str:
    """MathML, or the LaTeX as code where it cannot be read; "" for ""."""
    if not latex:
        return ""
    try:
        return mathml(latex, block=block)
    except BadMath:
        return f'<code class="tex">{escape(latex)}</code>'


def _statement(j: Judgement) -> str:
    """Definition, relation and formula; the relation never says more than the verdict."""
    rows = []
    several = len(formulas := _formulas(j.claim)) > 1
    for part, formula in formulas:
        relation = _RELATIONS[j.verdict]
        if several and j.verdict is Verdict.REFUTED:  # one part is; nothing is said of the others
            known = j.counterexample is not None and j.counterexample.part == part
            relation = relation if known else _RELATIONS[Verdict.UNDECIDED]
        elif relation == "=" and j.claim.tolerance:
            relation = r"\approx"
        definition = _definition(j, part, several)
        rows.append(f"{definition} &{relation} {formula}" if definition else f"& {formula}")
    if not all(formula for _, formula in formulas):
        said = j.claim.formula
        text = said if isinstance(said, str) else "; ".join(f"{k} = {v}" for k, v in said.items())
        return f'<code class="tex">{escape(text)}</code>'
    if len(rows) == 1:
        return math_of(rows[0].replace("&", "", 1), block=True)
    return math_of(r"\begin{aligned}" + r" \\ ".join(rows) + r"\end{aligned}", block=True)


def _formulas(claim: Claim) -> list[tuple[str, str]]:
    """(part, LaTeX): as printed, else as typed; "" for a text that is no formula."""
    if claim.latex:
        return [(part, _right_side(text)) for part, text in _table(claim.latex)]
    return [(part, typed(text)) for part, text in _table(claim.formula)]


def _right_side(latex: str) -> str:
    """What follows the last equals sign of an equation, where it stands outside of braces."""
    depth = last = 0
    for i, c in enumerate(latex):
        depth += (c == "{") - (c == "}") + latex.startswith(r"\begin", i)
        depth -= latex.startswith(r"\end", i)
        if c == "=" and depth == 0:
            last = i + 1
    return latex[last:].strip()


def _definition(j: Judgement, part: str, several: bool) -> str:
    """The left-hand side of one part, as LaTeX."""
    claim = j.claim
    if claim.definition:
        return typed(dict(_table(claim.definition)).get(part, ""))
    if claim.quantity == "hermite":
        head = "a_n" if claim.n is None else f"a_{{{claim.n}}}"
    else:
        head = from_sympy(j.definition_latex)
    return rf"\text{{{part}: }} {head}" if several else head


def typed(text: str) -> str:
    """The LaTeX of text of the language, or "" where it is none."""
    try:
        return typeset(text)
    except (NtksymError, LookupError):
        return ""


def _table(value: str | Mapping[str, str]) -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [("", value)] if value else []
    return list(value.items())


def _printed(claim: Claim) -> tuple[Printed, ...]:
    printed = (Printed(part, math_of(text, block=True), text) for part, text in _table(claim.latex))
    rest = _table(claim.formula)
    return (*printed, *(Printed(p, math_of(typed(text), block=True), text) for p, text in rest))


def _corrected(j: Judgement) -> tuple[tuple[Printed, ...], bool]:
    """The formula that holds: the one that was checked, else the one that the book states."""
    if j.corrected:
        shown = from_sympy(j.corrected_latex) or typed(j.corrected)
        return (Printed("", math_of(shown, block=True), j.corrected),), True
    stated = _table(j.claim.corrected)
    return tuple(
        Printed(part, math_of(typed(text), block=True), text) for part, text in stated
    ), False


def _facts(claim: Claim) -> list[tuple[str, str]]:
    """Everything else the claim says, as (name, HTML)."""

    def code(text: str) -> str:
        return f"<code>{escape(text)}</code>"

    def pairs(table: Mapping[str, str], between: str) -> str:
        return ", ".join(code(k) + between + escape(v) for k, v in table.items())

    facts = [("Quantity", f"{code(claim.quantity)}: {escape(QUANTITIES.get(claim.quantity, ''))}")]
    plain = (
        ("Definition", "; ".join(f"{k} {v}".strip() for k, v in _table(claim.definition))),
        ("f", claim.f),
        ("g", claim.g),
        ("Network", claim.network),
        ("Index n", "" if claim.n is None else str(claim.n)),
        ("Derivative in", claim.by),
        ("Conditions", claim.where),
        ("Relative tolerance", claim.tolerance),
    )
    facts += [(name, code(text)) for name, text in plain if text]
    if claim.params:
        facts.append(("Parameters", pairs(claim.params, " ")))
    if claim.names:
        facts.append(("Names of the source", pairs(claim.names, " is ")))
    if claim.derivative:
        facts.append(("Derivative", escape(claim.derivative.replace("_", " "))))
    if claim.covariance:
        rows = "; ".join(f"{name}: {', '.join(row)}" for name, row in claim.covariance)
        facts.append(("Covariance", code(rows)))
    return facts


def _keys(found: tuple[Source, ...]) -> tuple[str, ...]:
    """Keys of the bibliography: sources first, then keys that the text of a source mentions."""
    from .. import references

    named = [s.key for s in found if s.key]
    words = {w for s in found for w in re.findall(r"[a-z]+\d{4}[a-z]+", s.text + s.place)}
    return tuple(dict.fromkeys([*named, *(k for k in references.keys() if k in words)]))


def source_html(source: Source, root: str) -> str:
    """A source as HTML: a link into the list of papers, or its text with keys made links."""

    def link(key: str) -> str:
        return f'<a href="{root}papers.html#{key}">{escape(entry(key).label)}</a>'

    if source.key:
        return link(source.key) + (f", {escape(source.place)}" if source.place else "")
    from .. import references

    known = set(references.keys())
    parts = re.split(r"([a-z]+\d{4}[a-z]+)", source.text)
    return "".join(link(p) if p in known else escape(p) for p in parts)


def _counterexample(
    j: Judgement,
) -> tuple[tuple[tuple[str, str], ...], Enclosed, Enclosed | None] | None:
    c = j.counterexample
    if c is None:
        return None
    point = tuple((name, str(value)) for name, value in c.point)
    if c.part:
        point = (("part", c.part), *point)
    if c.formula is None:
        mid, radius = _decimal(c.definition)
        return point, Enclosed("", mid, radius), None
    one, two = _decimal(c.definition), _decimal(c.formula)
    same = posixpath.commonprefix([one[0], two[0]])
    if "e" in same or "e" in one[0][len(same) :] + two[0][len(same) :]:
        same = ""  # mantissas of different exponents share no digits
    left = Enclosed(same, one[0][len(same) :], one[1])
    return point, left, Enclosed(same, two[0][len(same) :], two[1])


def _decimal(ball: Ball) -> tuple[str, str]:
    return ball.decimal(min(_DIGITS, max(3, int(min(60.0, ball.rel_digits)) + 1)))
