"""Certificates: what an independent checker needs to confirm a verdict, as JSON-ready data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from fractions import Fraction
from math import floor, log10
from typing import Any

import sympy as sp
from flint import acb, arb
from sympy import Expr, Symbol

from ..claims.expectation import Expectation
from ..errors import BadActivation, Undecided
from ..precision import precision
from ..verify.ball import Ball
from ..verify.balls import enclose_expr
from ..verify.evaluate import ball, constant, real_ball
from ..verify.report import Verdict
from ..verify.surd import Surd
from .expectation import enclosed, rational_of
from .numbers import ball_record
from .trees import tree

SCHEMA = "ntksym/certificate/1"
_DIGITS = 20
"""Relative accuracy of the intervals."""
_MOST_DIGITS = 48
"""For a refutation they are doubled up to here, until the intervals are disjoint."""

Point = dict[Symbol, sp.Rational]
Expectations = Sequence[tuple[Symbol, Expectation]]
"""What placeholders stand for."""


def certify(
    claim_id: str,
    quantity: str,
    formula_text: str,
    lhs: Expr,
    expectations: Expectations,
    rhs: Expr,
    points: Sequence[Point],
    verdict: Verdict,
    *,
    proof: Sequence[str] = (),
) -> dict[str, Any]:
    """A certificate of one verdict, ready for `json.dump`.

    Refuted: at one of the points, the interval of the definition and that of the formula are
    disjoint (only such points are kept).  Enclosed and proved: at every point both are narrow and
    overlap.

    Args:
        claim_id: the name of the claim.
        quantity: what it is about.
        formula_text: the formula as printed.
        lhs: the definition, in the symbols of `expectations` and the variables.
        expectations: what the placeholders stand for.
        rhs: the formula, in the variables.
        points: an exact value for every variable, at one or more points.
        verdict: refuted, enclosed or proved.
        proof: lines that say what was proved; the checker says that it did not replay them.

    Raises:
        Undecided: the verdict cannot be certified: irrational covariances, an unknown function, no
            point that refutes, or another verdict.
        BadCovariance, BadActivation, NotSquareIntegrable: as `enclose_definition`.
    """
    if verdict not in (Verdict.REFUTED, Verdict.ENCLOSED, Verdict.PROVED) or not points:
        raise Undecided(f"there is no certificate for the verdict {verdict}")
    rows = [_enclosure(lhs, expectations, rhs, p, verdict, _DIGITS) for p in points]
    if any(_around_zero(row) for row in rows):
        # a value of zero has no relative digits: what is left of cancelled terms must be small
        rows = [_enclosure(lhs, expectations, rhs, p, verdict, 2 * _DIGITS) for p in points]
    if verdict is Verdict.REFUTED:
        rows = [r for r in rows if r["relation"] != "overlap"]
        if not rows:
            raise Undecided("at none of the points the intervals are disjoint")
    elif any(r["relation"] != "overlap" for r in rows):
        raise Undecided("the intervals are disjoint at one of the points")
    found: dict[str, Any] = {
        "schema": SCHEMA,
        "claim": {"id": claim_id, "quantity": quantity, "formula": formula_text},
        "verdict": str(verdict),
        "statement": {
            "lhs": tree(lhs),
            "rhs": tree(rhs),
            "expectations": [_statement(s, e) for s, e in expectations],
        },
        "enclosures": rows,
        "versions": versions(),
    }
    if proof:
        found["proof"] = list(proof)
    found["sha256"] = digest(found)
    _replayed(found)
    return found


def _around_zero(row: dict[str, Any]) -> bool:
    man, exp, rad, rad_exp = (int(n) for n in row["lhs"])
    return abs(man) * Fraction(2) ** exp <= rad * Fraction(2) ** rad_exp


def _replayed(found: dict[str, Any]) -> None:
    """Nothing leaves here that the checker does not confirm; the checker uses nothing of this.

    Raises:
        Undecided: it was not confirmed.
    """
    from ..replay import verify

    result = verify(found)
    if not result.ok:
        raise Undecided(
            "the certificate was not confirmed when it was replayed",
            where=result.lines[-1],
            hint="the verdict holds without a certificate",
        )


def digest(data: dict[str, Any]) -> str:
    """SHA-256 of everything but the hash itself, in canonical JSON."""
    body = {k: v for k, v in data.items() if k != "sha256"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def versions() -> dict[str, str]:
    """The versions of what computed the certificate."""
    import platform

    import flint

    from .. import __version__

    return {
        "ntksym": __version__,
        "python": platform.python_version(),
        "python-flint": str(flint.__version__),
        "flint": str(flint.__FLINT_VERSION__),
        "sympy": str(sp.__version__),
    }


def _statement(symbol: Symbol, e: Expectation) -> dict[str, Any]:
    return {
        "symbol": symbol.name,
        "f": tree(e.f),
        "g": None if e.g is None else tree(e.g),
        "law": [tree(entry) for entry in e.law],
        "slope": e.slope,
        "jumps": e.jumps,
    }


def _enclosure(
    lhs: Expr,
    expectations: Expectations,
    rhs: Expr,
    point: Point,
    verdict: Verdict,
    digits: int,
) -> dict[str, Any]:
    while True:
        row = _at(lhs, expectations, rhs, point, digits)
        if verdict is not Verdict.REFUTED or row["relation"] != "overlap":
            return row
        if digits >= _MOST_DIGITS:
            return row
        digits = min(2 * digits, _MOST_DIGITS)


def _at(
    lhs: Expr, expectations: Expectations, rhs: Expr, point: Point, digits: int
) -> dict[str, Any]:
    bits = 10 * ((digits * 10 // 3 + 64) // 10)
    names = [s.name for s in point]
    if len(set(names)) != len(names):
        raise Undecided("two variables of one name")
    with precision(2 * bits + 64):
        env: dict[Symbol, Any] = {s: Surd.rational(rational_of(v)) for s, v in point.items()}
        found = [enclosed(e, point, digits) for _, e in expectations]
        values = dict(env)
        for (symbol, _), f in zip(expectations, found, strict=True):
            values[symbol] = acb(f.ball)
        left = real_ball(constant(lhs, values), "the definition")
        if not left.is_finite():
            raise Undecided("the definition has no finite value at a point")
        spread = (2 * left.rad()).max(abs(left.mid()) * arb(10) ** -(digits + 1))
        record: dict[str, Any] = {
            "point": {s.name: str(v) for s, v in sorted(point.items(), key=lambda i: i[0].name)},
            "bits": bits,
            "expectations": [f.record for f in found],
            "lhs": ball_record(left, spread.upper()),
        }
        try:
            right = _formula(rhs, point, digits)
        except BadActivation:
            part = ball(constant(rhs, env)).imag
            wide = (abs(part.mid()) * arb(10) ** -digits).upper()
            return {**record, "rhs": ball_record(part, wide), "relation": "not real"}
        record["rhs"] = [str(right.mid_man), right.mid_exp, str(right.rad_man), right.rad_exp]
        own = _interval(record["lhs"])
    if not own.overlaps(right):
        return {**record, "relation": "disjoint"}
    wide_radius = max(own.rad, right.rad)
    return {**record, "relation": "overlap", "radius": _power_of_ten(wide_radius)}


def _interval(row: list[Any]) -> Ball:
    return Ball(int(row[0]), row[1], int(row[2]), row[3])


def _formula(rhs: Expr, point: Point, digits: int) -> Ball:
    """The formula, in a ball a little wider than it need be."""
    inner = enclose_expr(rhs, dict(point), digits=digits + 6)
    size = max(abs(inner.mid), Fraction(1, 10**6))
    radius = inner.rad + size / 10**digits
    numerator = -(-radius.numerator * 2**400 // radius.denominator)  # rounded up
    return Ball(inner.mid_man, inner.mid_exp, numerator, -400)


def _power_of_ten(radius: Fraction) -> str:
    """A power of ten of at least the radius, as text."""
    if radius == 0:
        return f"1/{10**60}"
    k = floor(log10(float(radius))) + 1 if float(radius) > 0 else -300
    while Fraction(10) ** k < radius:
        k += 1
    return str(Fraction(10) ** k)
