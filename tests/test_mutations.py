"""Every claim of the book is judged; every wrong formula is refuted, no right one: seeded edits.

Whether an edit changed the function is decided by `formula_oracle`, which shares nothing with the
checker but the syntax tree.  An edit that did must be refuted; one that did not must not be; nothing
may stay undecided.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
from formula_oracle import names, points, same, values
from mutants import Mutant, mutants
from rewrites import rewrites
from sympy import Rational, Symbol

from ntksym.book import collect
from ntksym.check import check, enclose
from ntksym.check.judge import DIGITS, _differs, judge, take
from ntksym.claims import Claim
from ntksym.claims.decimals import rounding
from ntksym.claims.expectation import Expectation
from ntksym.claims.statement import FormulaWithoutValue, state
from ntksym.errors import NtksymError
from ntksym.language.parser import read_tree
from ntksym.verify.ball import Ball
from ntksym.verify.report import Verdict

BOOK = Path(__file__).resolve().parent.parent / "derivations"

READ_BY_USE = {"m", "mu", "m1", "m2", "weight_var", "sw2", "bias_var", "sb2"}
"""What a quantity means depends on whether the formula speaks of these: a mean is zero where it is
not mentioned.  An edit that removes the last mention makes another statement, not a wrong one."""


@dataclass(frozen=True, slots=True)
class Formula:
    """One true formula of the book: a claim, the part of it, and the text."""

    claim: Claim
    part: str
    text: str

    def mutated(self, mutant: Mutant) -> Claim:
        """The claim with the edited formula in the place of the true one."""
        if isinstance(self.claim.formula, dict):
            return replace(self.claim, formula={**self.claim.formula, self.part: mutant.text})
        return replace(self.claim, formula=mutant.text, latex="")


@lru_cache(maxsize=1)
def formulas() -> tuple[Formula, ...]:
    """Every true formula that is claimed exactly: no errata, no tolerances, no printed decimals."""
    from ntksym.latex import read_latex

    found = []
    for page in collect(BOOK).pages:
        for claim in page.claims:
            if claim.erratum or claim.tolerance:
                continue
            parts = claim.formula or claim.latex
            for part, text in (parts if isinstance(parts, dict) else {"": parts}).items():
                plain = read_latex(text).text if claim.latex else text
                if rounding(plain) is None:
                    found.append(Formula(claim, part, plain))
    return tuple(found)


def chosen(formula: Formula, count: int, seed: int) -> list[Mutant]:
    """Some mutants, of as many different kinds as there are."""
    random = Random(f"{formula.claim.id} {formula.part} {seed}")
    spoken = names(read_tree(formula.text))
    needed = spoken & (READ_BY_USE | ({"q"} if formula.claim.quantity == "hermite" else set()))
    fitting = (m for m in mutants(formula.text, random) if needed <= names(read_tree(m.text)))
    return list(islice(fitting, count))


def truth(formula: Formula, seed: int) -> tuple[list[Any], list[Any]]:
    """Points of the domain, and what the formula says there."""
    key = (repr(formula), seed)
    if key not in _TRUTH:
        at = points(formula.claim, seed)
        _TRUTH[key] = at, values(formula.text, at)
    return _TRUTH[key]


_TRUTH: dict[tuple[str, int], tuple[list[Any], list[Any]]] = {}


def faults(formula: Formula, count: int, seed: int) -> Iterator[str]:
    """What the checker gets wrong, as lines to read."""
    at, true = truth(formula, seed)
    assert None not in true, f"{formula.claim.id}: not defined at {at[true.index(None)]}"
    for mutant in chosen(formula, count, seed):
        equal = same(true, mutant.text, at)
        verdict, why = verdict_on(formula, mutant)
        right = verdict >= Verdict.ENCLOSED if equal else verdict is Verdict.REFUTED
        if not right:
            relation = "the same function" if equal else "another function"
            yield (
                f"{formula.claim.id} {formula.part} [{mutant.kind}] {relation}, "
                f"judged {verdict.name.lower()} {why}\n    {mutant.text}"
            )


def verdict_on(formula: Formula, mutant: Mutant) -> tuple[Verdict, str]:
    """The verdict on the edited part, as `check` finds it before it explains.

    A refutation needs one point, and `judge` takes the same points in the same order: where the
    first ones refute there is no need of the others.
    """
    try:
        statements = state(formula.mutated(mutant))
        parts = [s for s in statements if s.part == formula.part] or list(statements)
        if formula.claim.quantity in ("fixed_point", "edge_of_chaos"):
            parts = list(statements)
        worst: tuple[Verdict, str] = (Verdict.PROVED, "")
        for statement in parts:
            first, _ = take(statement, DIGITS, 2)
            if any(_differs(statement, sample) for sample in first):
                return Verdict.REFUTED, ""
            found = judge(statement)
            if found.verdict is Verdict.REFUTED:
                return Verdict.REFUTED, ""
            worst = min(worst, (found.verdict, found.error))
    except FormulaWithoutValue:
        return Verdict.REFUTED, ""
    except NtksymError as error:
        return Verdict.UNDECIDED, error.text
    return worst


@pytest.fixture(autouse=True)
def _definitions_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """All edits of one formula have one definition: enclose it once at each point."""
    monkeypatch.setattr(enclose, "expectation_ball", remembered)


@lru_cache(maxsize=1 << 14)
def _ball(e: Expectation, point: tuple[tuple[Symbol, Rational], ...], digits: int) -> Ball:
    return enclose_expectation(e, dict(point), digits)


enclose_expectation = enclose.expectation_ball


def remembered(e: Expectation, point: dict[Symbol, Rational], digits: int) -> Ball:
    """`expectation_ball`, with a memory."""
    return _ball(e, tuple(point.items()), digits)


PAIRS = ("nngp", "derivative", "covariance", "cross", "gradient", "ntk", "recursion")
"""Quantities whose formulas can use every name of a pair."""


def doubts(formula: Formula, count: int, seed: int) -> Iterator[str]:
    """Rewritings of a true formula that are not passed."""
    at, true = truth(formula, seed)
    pool = list(rewrites(formula.text, formula.claim.quantity in PAIRS))
    Random(f"{formula.claim.id} {formula.part} {seed}").shuffle(pool)
    for rewritten in pool[:count]:
        if None in values(rewritten.text, at):
            continue  # 1/(rho**(-2)) has no value at rho = 0
        assert same(true, rewritten.text, at), f"{formula.claim.id}: {rewritten}"
        verdict, why = verdict_on(formula, rewritten)
        if verdict < Verdict.ENCLOSED:
            yield (
                f"{formula.claim.id} {formula.part} [{rewritten.kind}] the same function, "
                f"judged {verdict.name.lower()} {why}\n    {rewritten.text}"
            )


CHUNKS = 24


@lru_cache(maxsize=1)
def claims() -> tuple[Claim, ...]:
    return tuple(c for page in collect(BOOK).pages for c in page.claims)


def of_chunk(chunk: int) -> list[Formula]:
    """The formulas of every `CHUNKS`-th claim."""
    ids = {c.id for c in claims()[chunk::CHUNKS]}
    return [f for f in formulas() if f.claim.id in ids]


def misjudged(claim: Claim) -> Iterator[str]:
    """Errata are refuted; everything else is enclosed or proved; nothing is undecided."""
    found = check(claim)
    if not found.as_expected:
        yield f"{claim.id}: {found.verdict.name.lower()} {found.error} {found.evidence}"
    elif found.verdict is Verdict.REFUTED and found.counterexample is None:
        yield f"{claim.id}: refuted without a counterexample"


def run(chunk: int, count: int, seed: int) -> list[str]:
    """The faults of the formulas of a chunk."""
    return [f for formula in of_chunk(chunk) for f in faults(formula, count, seed)]


def test_the_chunks_are_the_whole() -> None:
    assert sum(len(of_chunk(chunk)) for chunk in range(CHUNKS)) == len(formulas())


def test_there_are_enough() -> None:
    assert sum(len(chosen(f, 3, 0)) for f in formulas()) >= 1000


def test_the_oracle_sees_a_difference() -> None:
    """The oracle itself: edits that change nothing, and one that does."""
    claim = next(f.claim for f in formulas() if f.claim.id == "activations/relu.louart")
    at = points(claim, 0)
    true = values("sqrt(q1*q2)*acos(-rho)", at)
    assert same(true, "sqrt(q2)*sqrt(q1)*(pi - acos(rho))", at)
    assert same(true, "sqrt(q1*q2)*(pi/2 + asin(c/sqrt(q1*q2)))", at)
    assert not same(true, "sqrt(q1*q2)*acos(rho)", at)
    assert not same(true, "sqrt(q1*q2)*acos(-rho) + 10^-20*q1", at)
    assert not same(true, "sqrt(c)*acos(-rho)", at)


@pytest.mark.parametrize("kind", ["as claimed", "mutants", "rewritings"])
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_claims(chunk: int, kind: str) -> None:
    """Claims and both kinds of their edits one after the other: one enclosure for all three."""
    if kind == "as claimed":
        found = [f for claim in claims()[chunk::CHUNKS] for f in misjudged(claim)]
    elif kind == "mutants":
        found = run(chunk, 3, seed=0)
    else:
        found = [f for formula in of_chunk(chunk) for f in doubts(formula, 1, seed=0)]
    assert not found, "\n".join(found)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_more_rewritings(chunk: int, seed: int) -> None:
    found = [f for formula in of_chunk(chunk) for f in doubts(formula, 3, seed)]
    assert not found, "\n".join(found)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_more_mutants(chunk: int, seed: int) -> None:
    found = run(chunk, 6, seed)
    assert not found, "\n".join(found)
