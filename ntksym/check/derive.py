"""The derived closed form of an expectation, with the proof of it where there is one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sympy import Expr, Symbol

from ..claims.expectation import Expectation
from ..errors import NoClosedForm, NotSquareIntegrable, TooLarge
from ..exact import Field
from ..gaussian import ClosedForm, Law, expect
from ..gaussian.deltas import expect_with_jumps
from ..gaussian.expect import group_pairs
from ..powers import expect as expect_powers
from ..symbols import m, m1, m2, q, q11, q12, q22, x
from ..terms import TermSum, decompose
from ..verify.price import prove_pair

_LAW = (q11, q12, q22, q, m1, m2, m)


@dataclass(frozen=True, slots=True)
class Derived:
    """A closed form.

    Attributes:
        value: the expectation, in the entries of its law and the parameters.
        proved: how, in one line; empty where the proof did not close.
    """

    value: Expr
    proved: str


def derived(e: Expectation) -> Derived | None:
    """The closed form of an expectation in the entries of its law, or None.

    Symbols of the law inside f and g are parameters of their own while the form is derived.
    """
    aside = {s: Symbol(f"of_{s.name}", **_assumptions(s)) for s in _LAW}
    f = e.f.xreplace(aside)
    g = None if e.g is None else e.g.xreplace(aside)
    back = {b: a for a, b in aside.items()}
    single = g is None or (e.law[2] == e.law[3] == e.law[4] and e.law[0] == e.law[1])
    if single:
        found = _single(f, g, e.slope, e.law[0] == 0)
        at = {m: e.law[0], q: e.law[-1]}
    else:
        assert g is not None
        found = _pair(f, g, e.slope, e.jumps, e.law[0] == 0 and e.law[1] == 0)
        at = dict(zip((m1, m2, q11, q12, q22), e.law, strict=True))
    if found is None:
        return None
    return Derived(found.value.xreplace({**at, **back}), found.proved)


def _assumptions(s: Symbol) -> dict[str, bool]:
    return {"positive": True} if s.is_positive else {"real": True}


def _params(*functions: Expr | None) -> tuple[Symbol, ...]:
    found: set[Symbol] = set()
    for f in functions:
        found |= set() if f is None else f.free_symbols - {x}
    return tuple(sorted(found, key=lambda s: s.name))


@lru_cache(maxsize=256)
def _pair(f: Expr, g: Expr, slope: bool, jumps: str, centred: bool) -> Derived | None:
    try:
        for opaque in (False, True):
            law_symbols = (q11, q12, q22, q) if centred else _LAW
            field = Field((*law_symbols, *_params(f, g)), opaque_roots=opaque)
            first = decompose(f, field)
            second = first if g == f else decompose(g, field)
            law = Law.pair(field, centred=centred)
            value = expect(law, first, second)
            if not field.towers:
                break
        proof = _price(law, first, second, value)
        if not slope:
            return Derived(value.expr, proof)
        if jumps == "ae":
            parts = (first.derivative(), second.derivative())
            smooth = expect(law, parts[0][0], parts[1][0])
            again = _price(law, parts[0][0], parts[1][0], smooth)
            return Derived(smooth.expr, again)
        form = value.diff(q12)
        if g == f:
            direct = expect_with_jumps(law, *first.derivative())
            proof = proof if direct == form else ""
        return Derived(form.expr, proof and proof + "; its derivative in q12")
    except NoClosedForm:
        powers = expect_powers(f, g, slope=slope, jumps=jumps) if centred else None
        if powers is None:
            return None
        lines = len(powers.proof.lines)
        proof = f"Mehler's series, {lines} zero tests" if powers.proof.holds else ""
        return Derived(powers.value, proof)
    except (NotSquareIntegrable, TooLarge):
        return None


def _price(law: Law, first: TermSum, second: TermSum, value: ClosedForm) -> str:
    """The Price proof of E[f(u) g(v)]; see `verify.price`."""
    if law.field.towers:
        return ""
    count = 0
    total = ClosedForm(law.field)
    for number, pair in enumerate(group_pairs(law, first, second)):
        here = pair.value()
        total = total + here
        for line in prove_pair(pair, here, f"pair {number + 1}"):
            if not line.holds:
                return ""
            count += 1
    return f"Price's theorem, {count} zero tests" if total == value else ""


@lru_cache(maxsize=256)
def _single(f: Expr, g: Expr | None, slope: bool, centred: bool) -> Derived | None:
    try:
        for opaque in (False, True):
            law_symbols = (q,) if centred else (q, m)
            field = Field((*law_symbols, *_params(f, g)), opaque_roots=opaque)
            terms = [decompose(h, field) for h in (f, g) if h is not None]
            if slope:
                terms = [t.derivative()[0] for t in terms]
            product = terms[0] if len(terms) == 1 else terms[0] * terms[1]
            value = expect(Law.single(field, centred=centred), product)
            if not field.towers:
                break
        proof = "" if field.towers else "Stein's lemma and tilts in one variable"
        return Derived(value.expr, proof)
    except (NoClosedForm, NotSquareIntegrable, TooLarge):
        return None
