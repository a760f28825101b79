"""Check claims: read each one, judge its statements, explain what is wrong, give what holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter
from typing import Any, overload

from ..abbreviations import gathered, reflected
from ..claims import Claim
from ..claims.binding import undeclared
from ..claims.read import read_claim
from ..claims.statement import FormulaWithoutValue, formulas_of, state
from ..display import latex
from ..errors import BadSpec, NtksymError
from ..language import to_text
from ..verify.report import Verdict
from ..waiting import followed
from .collected import collected
from .judge import DIGITS, Finding, Sample, judge
from .judgement import Counterexample, Judgement
from .proof import closed_form

Progress = Callable[[int, int, str], None]

_LONGEST_CORRECTION = 1500


@overload
def check(
    claims: Claim | None = None,
    *,
    digits: int = ...,
    time_limit: float | None = ...,
    jobs: int | None = ...,
    progress: Progress | None = ...,
    **fields: Any,
) -> Judgement: ...


@overload
def check(
    claims: Iterable[Claim],
    *,
    digits: int = ...,
    time_limit: float | None = ...,
    jobs: int | None = ...,
    progress: Progress | None = ...,
) -> tuple[Judgement, ...]: ...


def check(
    claims: Claim | Iterable[Claim] | None = None,
    *,
    digits: int = DIGITS,
    time_limit: float | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
    **fields: Any,
) -> Judgement | tuple[Judgement, ...]:
    """The verdict on published formulas: proved, enclosed, sampled, undecided or refuted.

    Args:
        claims: one `Claim`, or many; or none, and the fields of one as keywords:
            `check(activation="relu", quantity="nngp", formula="...")`.
        digits: relative digits of the enclosures.
        time_limit: seconds for each claim; the judging then runs in processes of its own, and a
            claim that takes longer is undecided.
        jobs: how many of these processes; by default one for each processor.
        progress: called with (done, total, id).
        **fields: see `claims`.

    Returns:
        A `Judgement` for one claim, a tuple of them for many, in their order.

    Raises:
        BadSpec: keywords that are not fields of a claim, or an object that is no claim.
    """
    if claims is None:
        claims = read_claim(fields)
    elif fields:
        raise BadSpec(
            f"claims, and {next(iter(fields))} of another one: not both",
            hint="check(claims), or check(activation=..., quantity=..., formula=...)",
        )
    if isinstance(claims, Claim):
        (found,) = check((claims,), digits=digits, time_limit=time_limit, progress=progress)
        return found
    listed = tuple(claims) if isinstance(claims, Iterable) else (claims,)
    for one in listed:
        if not isinstance(one, Claim):
            raise BadSpec(f"an object of type {type(one).__name__} is no claim", hint="Claim(...)")
    if time_limit is not None and listed:
        from .pool import check_in_processes

        with _followed(progress) as report:
            return check_in_processes(listed, digits, time_limit, jobs, report)
    out = []
    with _followed(progress) as report:
        for number, claim in enumerate(listed):
            report(number, len(listed), claim.id)
            out.append(check_one(claim, digits))
        report(len(listed), len(listed), "")
    return tuple(out)


@contextmanager
def _followed(progress: Progress | None) -> Iterator[Progress]:
    """`progress`, or where there is none lines on standard error."""
    if progress is not None:
        yield progress
        return
    with followed("check", None) as tell:
        yield lambda done, total, name: tell(f"judged {done} of {total} claims: {name}")


def check_one(claim: Claim, digits: int = DIGITS) -> Judgement:
    """The judgement on one claim; an error of reading is an undecided claim with the reason."""
    begin = perf_counter()
    try:
        found = _judged(claim, digits)
    except FormulaWithoutValue as error:
        line = f"the formula has no value anywhere: {error.what}"
        found = Judgement(claim, Verdict.REFUTED, (line,), error=error.text)
    except NtksymError as error:
        found = unreadable(claim, error)
    return replace(found, seconds=perf_counter() - begin)


def unreadable(claim: Claim, error: NtksymError) -> Judgement:
    """The judgement on a claim that cannot be judged."""
    return Judgement(claim, Verdict.UNDECIDED, error=error.text)


def _judged(claim: Claim, digits: int) -> Judgement:
    texts, notes = formulas_of(claim)
    findings = [judge(s, digits) for s in state(claim, texts)]
    positive = _as_positive(claim, findings)
    if positive is not None:
        again = [judge(s, digits) for s in state(positive, texts)]
        if all(f.verdict is not Verdict.REFUTED for f in again):
            names = ", ".join(n for n in positive.params if n not in claim.params)
            notes = (*notes, f"read with {names} > 0: it does not hold for every real {names}")
            findings, claim_read = again, positive
        else:
            claim_read = claim
    else:
        claim_read = claim
    worst = min(findings, key=lambda f: f.verdict)
    added = tuple(n for n in claim_read.params if n not in claim.params)
    found = _composed(claim_read, findings, worst, texts, notes)
    return replace(found, claim=claim, positive=added)


def _as_positive(claim: Claim, findings: list[Finding]) -> Claim | None:
    """The claim with undeclared parameters positive, where only negative values refute it."""
    refuted = [f for f in findings if f.verdict is Verdict.REFUTED]
    names = undeclared(claim) if refuted else ()
    if not names:
        return None
    for finding in refuted:
        against = finding.against
        if against is None or not any(name in names and value < 0 for name, value in against.point):
            return None
    return replace(claim, params={**claim.params, **dict.fromkeys(names, "positive")})


def _composed(
    claim: Claim,
    findings: list[Finding],
    worst: Finding,
    texts: dict[str, str],
    notes: tuple[str, ...],
) -> Judgement:
    several = len(findings) > 1
    evidence = []
    for f in findings:
        head = f"{f.statement.part}: " if several else ""
        evidence += [head + line for line in f.evidence]
    base = Judgement(
        claim,
        worst.verdict,
        tuple(dict.fromkeys(evidence)),
        min(f.digits for f in findings),
        "; ".join(dict.fromkeys(f.statement.meaning for f in findings)),
        r",\quad ".join(dict.fromkeys(f.statement.meaning_latex for f in findings)),
        _joined(texts),
        _joined_latex({f.statement.part: latex(f.statement.rhs) for f in findings}),
        error=worst.error,
        notes=notes,
    )
    if worst.verdict is not Verdict.REFUTED or worst.against is None:
        return base
    from .diagnose import diagnose

    part = worst.statement.part
    explained = diagnose(claim, worst, texts[_key(part, texts)])
    corrected = _corrected(claim, worst)
    text, tex = ("", "") if corrected is None else corrected
    if not text and explained:
        text = next((d.formula for d in explained if d.formula), "")
    assert worst.against is not None
    return replace(
        base,
        counterexample=_counterexample(worst.against, part),
        diagnosis=explained,
        corrected=text,
        corrected_latex=tex,
    )


def _key(part: str, texts: dict[str, str]) -> str:
    """The key of the formula that a part comes from (Hermite parts have an index after it)."""
    if part in texts:
        return part
    head = part.split("n=")[0].rstrip(", ")
    return head if head in texts else next(iter(texts))


def _counterexample(s: Sample, part: str) -> Counterexample:
    return Counterexample(s.point, s.definition, s.formula, part)


def _corrected(claim: Claim, f: Finding) -> tuple[str, str] | None:
    """The derived closed form, where it is short enough to read."""
    # of a fixed point the definition is the map at the claimed value, which is no formula for it
    if f.statement.lets or claim.quantity in ("fixed_point", "edge_of_chaos"):
        return None
    value, _, proved = closed_form(f.statement)
    if value is None or not proved:
        return None
    forms = [reflected(form) for form in (value, collected(f.statement, value))]
    text, value = min(
        ((to_text(form), form) for plain in forms for form in (plain, gathered(plain))),
        key=lambda pair: len(pair[0]),
    )
    return (text, latex(value)) if len(text) <= _LONGEST_CORRECTION else None


def _joined(parts: dict[str, str]) -> str:
    if len(parts) == 1:
        return next(iter(parts.values()))
    return "; ".join(f"{part} = {text}" for part, text in parts.items())


def _joined_latex(parts: dict[str, str]) -> str:
    if len(parts) == 1:
        return next(iter(parts.values()))
    return r",\quad ".join(rf"\text{{{part}}} = {text}" for part, text in parts.items())


__all__ = ["check", "check_one", "unreadable"]
