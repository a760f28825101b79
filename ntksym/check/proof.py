"""The proof of a statement: the derived definition minus the formula is the zero function."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Symbol, hyper, true

from ..claims.statement import Statement
from ..errors import NoClosedForm, TooLarge
from ..powers import is_zero as is_zero_power
from .derive import derived
from .reading import Reader
from .strict import StrictField, facts
from .zero import is_zero


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof, or what stood in its way.

    Attributes:
        lines: what was shown; empty without a proof.
        value: the derived closed form of the definition, or None.
        obstacle: why there is no proof.
    """

    lines: tuple[str, ...]
    value: Expr | None
    obstacle: str = ""


def closed_form(statement: Statement) -> tuple[Expr | None, tuple[str, ...], bool]:
    """(value, lines, proved): the definition with every expectation in closed form.

    The layers of a network stay names in the value: see `Statement.lets`.
    """
    values: dict[Symbol, Expr] = {}
    lines: dict[str, None] = {}
    proved = True
    for symbol, e in statement.expectations:
        found = derived(e)
        if found is None:
            return None, (), False
        values[symbol] = found.value
        proved = proved and bool(found.proved)
        if found.proved:
            lines[f"closed form of the definition: {found.proved}"] = None
    if not statement.expectations and statement.meaning.startswith(("Theta", "Sigma")):
        lines["the recursion of the network, layer by layer, in derived duals"] = None
    return statement.lhs.xreplace(values), tuple(lines), proved


def prove(statement: Statement) -> Proof:
    """The proof that definition and formula are one function on the domain."""
    value, lines, proved = closed_form(statement)
    if value is None:
        return Proof((), None, "the definition has no closed form that the zero tests here compare")
    if statement.rounded is not None or statement.tolerance is not None:
        return Proof((), value, "a claim of approximate equality")
    # a variance that may be zero: the statement extends from the positive ones by continuity
    positive = {
        s: Symbol(s.name, positive=True)
        for s in statement.variables
        if s.is_nonnegative and not s.is_positive and not s.is_integer
    }
    if positive:
        statement, value = statement.fixed(positive), value.subs(positive)
    if value.has(hyper) and proved and is_zero_power(value - statement.rhs):
        return Proof((*lines, "definition - formula: equal Gamma products and 2F1"), value)
    known = facts(c for c in statement.conditions if c is not true)
    covariances = tuple(c for c, _, _ in known)
    try:
        reader = Reader(StrictField(statement.variables, known))
        for symbol, part in statement.lets:
            reader.given[symbol] = reader.read(part)
        difference = reader.read(value) + (-reader.read(statement.rhs))
    except (NoClosedForm, TooLarge) as error:
        return Proof((), value, error.what)
    except ZeroDivisionError:
        return Proof((), value, "a denominator is the zero function")
    if reader.field.towers:
        return Proof((), value, "nested square roots: the zero test is not decided there")
    shown = is_zero(difference.num, reader, covariances)
    if not shown:
        return Proof((), value, "the difference has a normal form that is not visibly zero")
    if not proved:
        return Proof((), value, "the closed form of the definition is derived, not proved")
    return Proof((*lines, f"definition - formula: {shown}"), value)
