"""Prove: the verdict on the derived forms of an activation, by proof and by enclosure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from math import log10
from typing import Any

from sympy import Expr, Rational, Symbol, nan, oo, zoo

from ..activation import Activation
from ..derivation import Derivation
from ..dual import Dual, dual
from ..errors import BadActivation, NoClosedForm, Undecided
from ..powers import prove_powers
from ..symbols import q, q11, q12, q22
from ..zero_tests import Proof
from .asked import Point, read_digits, read_number, read_point, read_points
from .ball import Ball
from .balls import enclose_definition, enclose_expr, with_values
from .definition import two_slopes
from .price import prove_value
from .report import Comparison, Report, Verdict
from .safe import Divergent

Params = tuple[tuple[str, Rational], ...]

_POSITIVE = (Rational(3, 2), Rational(2, 3), Rational(5, 4))
_REAL = (Rational(-3, 4), Rational(5, 4), Rational(1, 3))


def prove(
    activation: Any,
    *,
    digits: int = 30,
    points: Sequence[tuple[Any, Any, Any]] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """The verdict on the derived dual of an activation, with its evidence.

    `PROVED`: every zero test of the Price proof closes, and no enclosure disagrees.  `ENCLOSED`:
    at every point, balls of `digits` digits around the definition and around the derived form
    overlap.  `REFUTED`: they are disjoint somewhere, which would be a bug of this library.

    Raises:
        NoClosedForm: there is no derived form to prove.
        BadSpec: `digits` is no number of digits.
        BadCovariance: `points` are none.
    """
    from ..language import as_activation

    act = as_activation(activation)
    digits = read_digits(digits)
    d = dual(act)
    assert d.derivation is not None
    proof: Proof
    if isinstance(d.derivation, Derivation):
        proof = prove_value(d.derivation)
        line = _proof_line(proof)
    else:
        proof = prove_powers(d.derivation)
        line = _power_line(proof)
    comparisons: list[Comparison] = []
    chosen = _points(d, points)
    for number, (point, params) in enumerate(chosen):
        if progress is not None:
            progress(f"enclosing at point {number + 1} of {len(chosen)}")
        comparisons += compare(d, point, params, digits)
    report = _report(act, proof.holds, line, comparisons)
    if report.verdict is Verdict.UNDECIDED and not any(c.agree for c in comparisons):
        if progress is not None:
            progress("sampling")
        return _sampled(d, report, chosen[:2])
    return report


def _sampled(d: Dual, report: Report, chosen: Sequence[tuple[Point, Params]]) -> Report:
    """The report, raised to `SAMPLED` where quadrature of the definition agrees: no bound."""
    from .sampling import sample_definition

    fewest = 99.0
    for point, params in chosen:
        values = _values(d.activation, point, params)
        try:
            sample = sample_definition(d.activation, *point, params=dict(params))
            derived = float(enclose_expr(d.value, values, digits=18).mid)
        except Undecided as error:
            note = f"no sample: {error.what}"
            return replace(report, evidence=(*report.evidence, note))
        gap = abs(float(sample.value) - derived) / max(abs(derived), 1e-300)
        fewest = min(fewest, -log10(max(gap, 1e-16)))
    if not chosen or fewest < 8:
        return report
    line = f"sampled: quadrature agrees to {fewest:.0f} digits at {len(chosen)} points; no bound"
    return replace(report, verdict=Verdict.SAMPLED, evidence=(*report.evidence, line))


def _proof_line(proof: Proof) -> str:
    if proof.obstacle:
        return f"no proof: {proof.obstacle}"
    if proof.failed:
        return f"no proof: not zero: {', '.join(proof.failed[:4])}"
    return (
        f"Price's theorem: {len(proof.lines)} zero tests, all zero "
        "(derivatives in the covariance, values at covariance zero)"
    )


def _power_line(proof: Proof) -> str:
    if proof.failed:
        return f"no proof: not zero: {', '.join(proof.failed[:4])}"
    return (
        f"Mehler's series: {len(proof.lines)} zero tests, all zero "
        "(ratios of coefficients, Gamma functions at the ends, Price's theorem)"
    )


def _report(act: Activation, proved: bool, line: str, comparisons: Sequence[Comparison]) -> Report:
    wrong = [c for c in comparisons if c.agree is False]
    open_ = [c for c in comparisons if c.agree is None]
    agreed = [c for c in comparisons if c.agree and not c.divergent]
    evidence = [line]
    if agreed:
        balls = [b for c in agreed for b in (c.definition, c.derived) if b]
        widest, said = max((b.rad for b in balls), default=0), ""
        if widest >= 1:  # of a value of many digits, possibly beyond the doubles
            widest = max(b.rad / max(Fraction(1), abs(b.mid)) for b in balls)
            said = ", relative to values above 1"
        evidence.append(
            f"{len(agreed)} enclosures of the definition overlap the derived form, "
            f"{agreed[0].digits} digits, widest radius {float(widest):.1e}{said}"
        )
    evidence += [f"disjoint balls: {describe(c)}" for c in wrong]
    evidence += gathered("no finite value on either side", [c for c in comparisons if c.divergent])
    # a proof holds without enclosures; where there is none, an open point leaves all open
    evidence += gathered("not enclosed" if proved else "undecided", open_)
    if wrong:
        verdict = Verdict.REFUTED
    elif proved:
        verdict = Verdict.PROVED
    else:
        verdict = Verdict.ENCLOSED if agreed and not open_ else Verdict.UNDECIDED
    return Report(act.name, verdict, tuple(evidence), tuple(comparisons))


def gathered(word: str, comparisons: Sequence[Comparison]) -> list[str]:
    """One line for each quantity and reason: the first point, and how many more there are."""
    groups: dict[tuple[str, str], list[Comparison]] = {}
    for c in comparisons:
        groups.setdefault((c.quantity, c.note), []).append(c)
    lines = []
    for (_, note), group in groups.items():
        first = describe(group[0]).removesuffix(note).rstrip(": ")
        more = f" and at {len(group) - 1} more points" if len(group) > 1 else ""
        lines.append(f"{word}: {first}{more}" + (f": {note}" if note else ""))
    return lines


def describe(c: Comparison) -> str:
    """One line on a comparison: where, and both balls."""
    where = ", ".join(str(z) for z in c.point)
    params = "".join(f", {k}={v}" for k, v in c.params)
    balls = [b for b in (c.definition, c.derived) if b is not None]
    known = " and ".join(map(str, balls))
    if len(balls) == 1:
        known = ("definition " if c.derived is None else "derived form ") + known
    head = f"{c.quantity} at ({where}{params})"
    return ": ".join(part for part in (head, known, c.note) if part)


def _points(d: Dual, points: Sequence[tuple[Any, Any, Any]] | None) -> list[tuple[Point, Params]]:
    """Exact points with parameter values, where the conditions of validity hold."""
    from .points import collinear_points, rational_points

    base = (*rational_points(), *collinear_points()) if points is None else points
    exact = read_points(base)
    scales = (Rational(1), Rational(1, 10), Rational(1, 1000)) if points is None else (Rational(1),)
    out: list[tuple[Point, Params]] = []
    for i, point in enumerate(exact):
        params = parameters(d.activation, i)
        for scale in scales:
            scaled = (point[0] * scale, point[1] * scale, point[2] * scale)
            if _valid(d, scaled, params) and (points is not None or _finite(d, scaled, params)):
                out.append((scaled, params))
                break
    return out


def parameters(act: Activation, turn: int) -> Params:
    """Values that fit the assumptions; another set for every point."""
    values = []
    for j, p in enumerate(act.params):
        if p.is_positive or p.is_nonnegative:
            value = _POSITIVE[(turn + j) % 3]
        elif p.is_negative or p.is_nonpositive:
            value = -_POSITIVE[(turn + j) % 3]
        else:
            value = _REAL[(turn + j) % 3]
        values.append((p.name, value))
    return tuple(values)


def _valid(d: Dual, point: Point, params: Params) -> bool:
    at = _values(d.activation, point, params)
    return all(bool(c.subs({**at, q: max(point[0], point[2])})) for c in d.conditions)


def _finite(d: Dual, point: Point, params: Params) -> bool:
    """Whether E[s(u)^2] is finite at both variances: rules near correlation one rest on it."""
    return all(_valid(d, (var, var, var), params) for var in (point[0], point[2]))


def _values(act: Activation, point: Point, params: Params) -> dict[Symbol, Rational]:
    named = dict(params)
    values = {p: named[p.name] for p in act.params}
    return {q11: point[0], q12: point[1], q22: point[2], **values}


def compare(d: Dual, point: Point, params: Params, digits: int = 30) -> tuple[Comparison, ...]:
    """Definition against derived form at one point: dual, derivative dual, and the diagonals.

    At degenerate covariances the derived form is that of the law on a line (or at zero).
    """
    return _compare(d.activation, d, point, params, digits, d.continuous)


def definitions(
    activation: Activation, point: Point, params: Params, digits: int
) -> tuple[Comparison, ...]:
    """The definition of dual and derivative dual, off the jumps, at one point."""
    return _compare(activation, None, point, params, digits, True)


def evaluate(
    activation: Any,
    point: tuple[Any, Any, Any],
    params: Mapping[str, Any] | None = None,
    digits: int = 30,
) -> tuple[str, tuple[Comparison, ...]]:
    """(method, comparisons) for any activation; without a closed form only the definition is there.

    A comparison has the balls around definition and formula: of $E[s(u) s(v)]$, where $s$ jumps
    and the covariance is regular of its derivative in $q_{12}$, and of $E[s'(u) s'(v)]$.

    Args:
        activation: as `ntksym.dual` takes it.
        point: exact (q11, q12, q22), numbers or their text ("5/2"), also degenerate ones.
        params: exact values of parameters, by name.
        digits: relative digits of the balls.

    Raises:
        BadCovariance, NotSquareIntegrable, BadActivation, Undecided: see `enclose_definition`;
            a point that is not three numbers, a parameter that the activation does not have.
        BadSpec: `digits` is no number of digits.
    """
    from ..language import as_activation

    act = as_activation(activation)
    exact, digits = read_point(point), read_digits(digits)
    given = {name: read_number(value, name) for name, value in (params or {}).items()}
    known = {p.name for p in act.params}
    if unknown := sorted(given.keys() - known):
        raise BadActivation(
            f"{act.name} has no parameter {unknown[0]!r}",
            hint=f"its parameters: {', '.join(sorted(known)) or 'none'}",
        )
    values = tuple((p.name, given[p.name]) for p in act.params if p.name in given)
    try:
        found: Dual | None = dual(act)
    except NoClosedForm:
        found = None
    method = "closed form" if found is not None else "definition only"
    one = found.continuous if found is not None else not two_slopes(with_values(act, dict(values)))
    return method, _compare(act, found, exact, values, digits, one)


def _compare(
    act: Activation, d: Dual | None, point: Point, params: Params, digits: int, one: bool
) -> tuple[Comparison, ...]:
    """`one`: whether the slope in q12 and the mean of the product of slopes are the same."""
    named = dict(params)
    degenerate = point[0] * point[2] == point[1] ** 2
    rows: list[tuple[str, bool, str]] = [("nngp", False, "ae")]
    if one:
        rows.append(("derivative", True, "ae"))
    else:
        if not degenerate:
            rows.append(("derivative", True, "distributional"))
        rows.append(("derivative_almost_everywhere", True, "ae"))
    out = []
    for quantity, derivative, jumps in rows:
        definition, note, ends = _ball(
            partial(
                enclose_definition,
                act,
                *point,
                params=named,
                digits=digits,
                derivative=derivative,
                jumps=jumps,
            )
        )
        derived = None
        if d is not None:
            expr = _derived(d, point, derivative, jumps, degenerate)
            derived, extra, none = _formula(expr, _values(act, point, params), digits)
            ends, note = ends and none, note or extra
        out.append(Comparison(quantity, point, params, definition, derived, digits, note, ends))
    if d is not None and degenerate and point[0] == point[1] == point[2] and point[0] > 0:
        out += _diagonals(d, point, params, digits, out)
    return tuple(out)


def _derived(d: Dual, point: Point, derivative: bool, jumps: str, degenerate: bool) -> Expr:
    if degenerate:
        assert d.derivation is not None
        return d.derivation.at(*point, slope=derivative)
    if not derivative:
        return d.value
    return d.dot if jumps == "distributional" else d.dot_ae


def _diagonals(
    d: Dual, point: Point, params: Params, digits: int, known: list[Comparison]
) -> list[Comparison]:
    values = {**_values(d.activation, point, params), q: point[0]}
    names = (("diagonal", d.diag), ("diagonal_derivative", d.diag_dot_ae))
    out = []
    for (name, expr), reference in zip(names, (known[0], known[-1]), strict=True):
        derived, note, none = _formula(expr, values, digits)
        both = none and reference.divergent
        ball = reference.definition
        out.append(Comparison(name, point, params, ball, derived, digits, note, both))
    return out


def _formula(
    expr: Expr, values: Mapping[Symbol, Rational], digits: int
) -> tuple[Ball | None, str, bool]:
    """As `_ball`, of a derived form: oo where it is infinite, nan where it is no integral."""
    if expr in (oo, -oo, zoo, nan):
        said = "no integral" if expr is nan else "infinite"
        return None, f"the derived form is {said}", True
    return _ball(partial(enclose_expr, expr, values, digits=digits))


def _ball(run: Callable[[], Ball]) -> tuple[Ball | None, str, bool]:
    """The enclosure, or why there is none and whether the expectation diverges."""
    try:
        return run(), "", False
    except Undecided as error:
        parts = (error.what, error.where, *error.tried)
        return None, "; ".join(p for p in parts if p), isinstance(error, Divergent)


__all__ = [
    "Params",
    "Point",
    "compare",
    "definitions",
    "describe",
    "evaluate",
    "gathered",
    "parameters",
    "prove",
]
