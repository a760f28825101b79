"""From judgements to certificates that an independent checker can replay."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sympy import Symbol

from ..certificate import certify, write
from ..claims import Claim
from ..claims.statement import Statement, formulas_of, state
from ..errors import NtksymError
from ..verify.report import Verdict
from .judge import Finding, judge
from .judgement import Judgement

_POINTS = 3


def write_certificate(path: str | Path, judgements: Sequence[Judgement]) -> tuple[int, list[str]]:
    """Write the certificates of judgements; how many there are, and why others have none.

    Each holds exact integers only: the expressions as trees, the points, pieces, panels, bounds and
    balls, and the versions.  `ntksym verify-certificate` replays them with code of its own.

    Raises:
        CannotWrite: the file cannot be written; nothing is half-written.
    """
    found: list[dict[str, Any]] = []
    missing: list[str] = []
    for j in judgements:
        try:
            found += certificates(j)
        except NtksymError as error:
            missing.append(f"{j.claim.id}: {error.what}")
    write(path, found)
    return len(found), missing


def certificates(j: Judgement) -> list[dict[str, Any]]:
    """The certificates of one judgement: one for each statement that decides it.

    Raises:
        Undecided: the judgement has no verdict to certify, or it cannot be replayed.
        NtksymError: the claim cannot be read.
    """
    texts, _ = formulas_of(j.claim)
    statements = state(_as_read(j), texts)
    if j.verdict is Verdict.REFUTED:
        findings = [f for f in map(judge, statements) if f.verdict is Verdict.REFUTED]
        return [_one(j, findings[0])]
    return [_one(j, judge(s)) for s in statements]


def _as_read(j: Judgement) -> Claim:
    """The claim with the assumptions that the judgement added."""
    from dataclasses import replace

    return replace(j.claim, params={**j.claim.params, **dict.fromkeys(j.positive, "positive")})


def _one(j: Judgement, f: Finding) -> dict[str, Any]:
    statement = _written_out(f.statement)
    good = [s for s in f.samples if s.formula is not None or s.not_real]
    chosen = [f.against] if f.against is not None else good[:_POINTS]
    name = j.claim.id + (f"/{statement.part}" if statement.part else "")
    return certify(
        name,
        j.claim.quantity,
        statement.text,
        statement.lhs,
        statement.expectations,
        statement.rhs,
        [dict(s.enclosure.point) for s in chosen if s is not None],
        f.verdict,
        proof=f.proof.lines,
    )


def _written_out(statement: Statement) -> Statement:
    """The statement without names for the layers of a network."""
    from dataclasses import replace

    values: dict[Symbol, Any] = {}
    for symbol, part in statement.lets:
        values[symbol] = part.xreplace(values)
    return replace(statement, lets=(), lhs=statement.lhs.xreplace(values))
