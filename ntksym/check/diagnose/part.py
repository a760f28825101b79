"""Formulas that are right on a part of the domain only: unit variances, zero means, one sign."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sympy import Expr, Integer, Rational, StrictGreaterThan, StrictLessThan, Symbol

from ...claims.binding import rho
from ...claims.statement import Statement
from ...errors import NtksymError
from ...symbols import m, m1, m2, q, q11, q12, q22
from ...verify.report import Verdict
from ..judgement import Diagnosis
from .closed import closed_text
from .ground import Ground, settled

_LAW = (q11, q12, q22, q, m, m1, m2, rho)
_ONE, _ZERO, _HALF = Integer(1), Integer(0), Rational(1, 2)
_MOST = 6
"""Values of a parameter that are tried, of those written in the formula."""


def parts_of_the_domain(g: Ground) -> list[Diagnosis]:
    """The largest of the parts tried on which the formula as printed holds."""
    if len(g.siblings) > 1 or not g.siblings[0].variables:
        return []
    statement = g.siblings[0]
    for symbol in statement.variables:
        for positive in (True, False):
            if not _one_sided(g, symbol, positive):
                continue
            condition = (StrictGreaterThan if positive else StrictLessThan)(symbol, 0)
            verdict = _holds(replace(statement, conditions=(*statement.conditions, condition)))
            if verdict is not None:
                name = _shown(g, symbol)
                text = f"right only for {name} {'>' if positive else '<'} 0"
                return [Diagnosis("half_domain", text, verdict, closed_text(g))]
    for kind, text, values in _restrictions(statement):
        if g.late:
            return []
        verdict = _holds(statement.fixed(values))
        if verdict is not None:
            return [Diagnosis(kind, text, verdict, closed_text(g))]
    return []


def _restrictions(s: Statement) -> Iterator[tuple[str, str, dict[Symbol, Expr]]]:
    found = set(s.variables)
    means: dict[Symbol, Expr] = {x: _ZERO for x in (m, m1, m2) if x in found}
    if {q11, q22} <= found:
        yield "equal_variances_only", "right only where q11 = q22", {q22: q11}
        yield "normalised_only", "right only at q11 = q22 = 1", {q11: _ONE, q22: _ONE}
    if q in found:
        yield "normalised_only", "right only at q = 1", {q: _ONE}
    if means:
        shown = ", ".join(f"{x} = 0" for x in means)
        yield "centred_only", f"right only for a centred law: {shown}", means
        if q in found:
            text = "right only for a standard normal variable: m = 0 and q = 1"
            yield "centred_only", text, {**means, q: _ONE}
        if {q11, q22} <= found:
            text = f"right only at q11 = q22 = 1 with {shown}"
            yield "centred_only", text, {**means, q11: _ONE, q22: _ONE}
    for symbol in s.variables:
        if symbol in _LAW:
            continue
        own = () if symbol in s.rhs.free_symbols else _written(s.rhs)
        for value in (_ONE, _ZERO, *own):
            if value == 0 and symbol.is_nonzero:
                continue
            if (value == 1 and symbol.is_negative) or symbol.is_integer:
                continue
            text = f"right only for {symbol.name} = {value}"
            yield "special_case", text, {symbol: value}


def _written(formula: Expr) -> list[Expr]:
    """The numbers below one of a formula that may be the value of a parameter it does not name.

    With both signs, and 1 - each: (1 - 0.01)^2 may have been multiplied out.
    """
    small = sorted(z for z in formula.atoms(Rational) if 0 < abs(z) < 1 and z != _HALF)
    found = dict.fromkeys(w for z in small for w in (z, 1 - z, -z))
    return list(found)[:_MOST]


def _holds(statement: Statement) -> Verdict | None:
    try:
        return settled(statement)
    except NtksymError:
        return None


def _one_sided(g: Ground, symbol: Symbol, positive: bool) -> bool:
    """Whether the formula is right at the samples on one side of zero, and wrong on the other."""
    sides: tuple[list[bool], list[bool]] = ([], [])
    for _, s in g.samples:
        value = s.enclosure.point.get(symbol)
        if value is None or value == 0:
            return False
        right = s.formula is not None and s.formula.overlaps(s.definition)
        sides[(value > 0) != positive].append(right)
    inside, outside = sides
    return len(inside) >= 2 and all(inside) and bool(outside) and not any(outside)


def _shown(g: Ground, symbol: Symbol) -> str:
    name = next((n for n in g.vocabulary if g.symbol(n) == symbol), symbol.name)
    return "rho" if symbol == q12 and "rho" in g.vocabulary else name
