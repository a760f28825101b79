"""What a check returns: verdict, evidence, counterexample, diagnosis, the formula that holds."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Rational

from ..brief import Brief, html
from ..claims import Claim
from ..verify.ball import Ball
from ..verify.report import Verdict

_STYLES = {"proved": "good", "enclosed": "good", "refuted": "bad"}


@dataclass(frozen=True, slots=True, repr=False)
class Counterexample(Brief):
    """An exact point where the formula and the definition differ: their balls are disjoint.

    Attributes:
        point: names to exact rationals.
        definition: the enclosure of the definition.
        formula: the enclosure of the formula; None where the formula is certainly not real there.
        part: which of several named values.
    """

    point: tuple[tuple[str, Rational], ...]
    definition: Ball
    formula: Ball | None
    part: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One explanation of an error, verified before it is printed.

    Attributes:
        kind: a stable word: factor, convention, sign, square, swap, other_activation,
            normalised_only, approximation, derivative_convention, ...
        text: one sentence for a person.
        verdict: what is known of the explanation: `PROVED` or `ENCLOSED`.
        formula: the formula, repaired by this explanation, in the language; may be empty.
    """

    kind: str
    text: str
    verdict: Verdict
    formula: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Judgement(Brief):
    """The verdict on one claim.

    Attributes:
        claim: the claim.
        verdict: see `Verdict`; for several named values, the weakest of theirs.
        evidence: lines: what was proved, what was enclosed, where.
        digits: the number of digits to which every enclosure agrees (0 if none).
        definition: the left-hand side, in the language.
        definition_latex: the same for a page.
        reading: the formula as it was read, in the language.
        formula_latex: the same for a page.
        counterexample: for `REFUTED`.
        diagnosis: what is wrong, most telling first; each verified.
        corrected: a formula that holds, in the language; empty when none is known.
        corrected_latex: the same for a page.
        error: why the claim could not be judged; the verdict is then `UNDECIDED`.
        seconds: the time it took.
        notes: how the claim was read, where that was not plain.
        positive: parameters that were read as positive although nothing said so.
    """

    claim: Claim
    verdict: Verdict
    evidence: tuple[str, ...] = ()
    digits: int = 0
    definition: str = ""
    definition_latex: str = ""
    reading: str = ""
    formula_latex: str = ""
    counterexample: Counterexample | None = None
    diagnosis: tuple[Diagnosis, ...] = ()
    corrected: str = ""
    corrected_latex: str = ""
    error: str = ""
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    positive: tuple[str, ...] = ()
    _shown = ("claim.quantity", "claim.formula", "claim.latex", "verdict")

    def lines(self) -> tuple[tuple[str, str], ...]:
        """(style, line) of what is printed: verdict, claim, evidence, what is wrong, what holds.

        Styles: "good", "bad" and "dim" (and that of the verdict) colour a terminal.
        """
        verdict = str(self.verdict)
        title = self.claim.id or self.claim.title or "claim"
        out = [(_STYLES.get(verdict, "dim"), f"{title}: {verdict.upper()}")]
        if self.definition:
            out.append(("dim", f"  {self.definition}"))
            printed = self.claim.formula if isinstance(self.claim.formula, str) else ""
            where = f"   where {self.claim.where}" if self.claim.where else ""
            out.append(("", f"  claimed: {printed or self.reading}{where}"))
        out += [("dim", f"  read as: {note}") for note in self.notes]
        out += [("", f"  {line}") for line in self.evidence]
        out += [("", f"  why: {d.text} ({d.verdict})") for d in self.diagnosis]
        repaired = [d.formula for d in self.diagnosis if d.formula]
        if repaired:
            out.append(("good", f"  repaired: {repaired[0]}"))
        if self.corrected and self.corrected not in repaired[:1]:
            out.append(("good", f"  what holds: {self.corrected}"))
        if self.error:
            first, *rest = self.error.splitlines()
            out += [("bad", f"  {first}"), *(("", f"  {line}") for line in rest)]
        return tuple(out)

    def __str__(self) -> str:
        return "\n".join(line for _, line in self.lines())

    def _repr_html_(self) -> str:
        (_, title), *rest = self.lines()
        told = self.definition_latex and self.formula_latex
        sign = r"\ne" if self.verdict is Verdict.REFUTED else "="
        formula = f"{self.definition_latex} {sign} {self.formula_latex}" if told else ""
        return html(title, (line.strip() for _, line in rest), formula)

    @property
    def as_expected(self) -> bool:
        """Whether errata are refuted, and everything else is at least enclosed."""
        if self.claim.erratum:
            return self.verdict is Verdict.REFUTED
        return self.verdict >= Verdict.ENCLOSED
