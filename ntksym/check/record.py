"""Judgements as JSON, and back: schema `ntksym/check/1`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sympy import Rational

from ..claims import Claim
from ..verify.ball import Ball
from ..verify.report import Verdict
from .judgement import Counterexample, Diagnosis, Judgement


def record(j: Judgement) -> dict[str, Any]:
    """A judgement in plain values; rationals are text, balls are exact and readable."""
    return {
        "id": j.claim.id,
        "quantity": j.claim.quantity,
        "verdict": str(j.verdict),
        "evidence": list(j.evidence),
        "digits": j.digits,
        "definition": j.definition,
        "definition_latex": j.definition_latex,
        "formula": j.reading,
        "formula_latex": j.formula_latex,
        "counterexample": _counterexample(j.counterexample),
        "diagnosis": [
            {"kind": d.kind, "text": d.text, "verdict": str(d.verdict), "formula": d.formula}
            for d in j.diagnosis
        ],
        "corrected": j.corrected,
        "corrected_latex": j.corrected_latex,
        "notes": list(j.notes),
        "positive": list(j.positive),
        "error": j.error,
        "source": j.claim.source,
        "expected": "refuted" if j.claim.erratum else "holds",
        "seconds": round(j.seconds, 3),
    }


def judgement(claim: Claim, data: Mapping[str, Any]) -> Judgement:
    """The judgement that `record` wrote."""
    against = data["counterexample"]
    return Judgement(
        claim,
        Verdict[data["verdict"].upper()],
        tuple(data["evidence"]),
        data["digits"],
        data["definition"],
        data["definition_latex"],
        data["formula"],
        data["formula_latex"],
        None if against is None else _read_counterexample(against),
        tuple(
            Diagnosis(d["kind"], d["text"], Verdict[d["verdict"].upper()], d["formula"])
            for d in data["diagnosis"]
        ),
        data["corrected"],
        data["corrected_latex"],
        data["error"],
        data["seconds"],
        tuple(data["notes"]),
        tuple(data["positive"]),
    )


def _counterexample(c: Counterexample | None) -> dict[str, Any] | None:
    if c is None:
        return None
    return {
        "point": {name: str(value) for name, value in c.point},
        "definition": _ball(c.definition),
        "formula": None if c.formula is None else _ball(c.formula),
        "part": c.part,
    }


def _ball(b: Ball) -> dict[str, Any]:
    mid, rad = b.decimal()
    return {"mid": mid, "rad": rad, "exact": [b.mid_man, b.mid_exp, b.rad_man, b.rad_exp]}


def _read_counterexample(data: Mapping[str, Any]) -> Counterexample:
    formula = data["formula"]
    return Counterexample(
        tuple((name, Rational(value)) for name, value in data["point"].items()),
        Ball(*data["definition"]["exact"]),
        None if formula is None else Ball(*formula["exact"]),
        data["part"],
    )


def claim_record(claim: Claim) -> dict[str, Any]:
    """A claim in plain values; `claims.read.read_claim` reads it back."""
    found = asdict(claim)
    found["covariance"] = [[name, list(row)] for name, row in claim.covariance]
    if found["n"] is None:
        del found["n"]
    if not found["covariance"]:
        del found["covariance"]
    return {k: v for k, v in found.items() if v not in ("", {})}
