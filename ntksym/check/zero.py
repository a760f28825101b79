r"""The zero test: is a normal form the zero function on the domain of the claim?

Three steps, each a proof when it succeeds.  (1) The normal form has no term.  (2) Two arcsines
have proportional derivatives in every variable: then one is a rational multiple of the other plus
a constant, which is read off at covariance zero; put in, (1).  (3) The derivative in the covariance
is zero and so is the value at covariance zero, which lies in the connected domain.
"""

from __future__ import annotations

from sympy import Rational, Symbol

from ..exact import Exact
from ..gaussian.closed import Atom
from .normal import Normal
from .reading import Reader

_DEPTH = 3


def is_zero(form: Normal, reader: Reader, variables: tuple[Symbol, ...], depth: int = 0) -> str:
    """How it was shown that the form is zero; empty where it was not.

    Args:
        form: the normal form.
        reader: its reader.
        variables: the covariances, whose value zero is in the domain with everything between.
        depth: the number of derivatives taken so far.
    """
    if not form:
        return "the normal form of the difference is zero"
    # |f| has no derivative where f changes its sign, and sign(f) a derivative that misses its jump
    if reader.opaque or reader.field.absolutes:
        return ""
    related = _related(form, reader, variables)
    if related is not None:
        if not related:
            return "the difference is zero, with arcsines of proportional derivatives put together"
        form = related
    if depth == _DEPTH:
        return ""
    for c in variables:
        slope = form.diff(c)
        if len(slope.terms) > 60 or not is_zero(slope, reader, variables, depth + 1):
            continue
        try:
            start = form.substitute(c, form.field.integer(0))
        except ZeroDivisionError:
            continue
        if is_zero(start, reader, (), _DEPTH):
            return f"its derivative in {c} is zero, and its value at {c} = 0"
    return ""


def _related(form: Normal, reader: Reader, variables: tuple[Symbol, ...]) -> Normal | None:
    """The form with arcsines that depend on each other reduced to one; None if there are none."""
    arcs = [a for a in form.atoms if a.kind == "asin"]
    changed = None
    for i, first in enumerate(arcs):
        for second in arcs[:i]:
            relation = _relation(first, second, reader, variables)
            if relation is None:
                continue
            factor, constant = relation
            field = form.field
            value = Normal.atom(field, form.roots, second) * Normal.of(
                field.of(factor), form.roots
            ) + Normal.of(constant, form.roots)
            changed = (changed or form).exchange(first, value)
            break
    return changed


def _relation(
    first: Atom, second: Atom, reader: Reader, variables: tuple[Symbol, ...]
) -> tuple[Rational, Exact] | None:
    """(k, C) with asin(first) = k asin(second) + C on the domain."""
    symbols = [s for s in reader.field.atoms if isinstance(s, Symbol)]
    factor: Rational | None = None
    for symbol in symbols:
        slopes = [_slope(a, symbol) for a in (first, second)]
        if None in slopes:
            return None
        top, bottom = slopes
        if not bottom:
            if top:
                return None
            continue
        assert top is not None and bottom is not None
        k = (top / bottom).expr
        if not isinstance(k, Rational) or (factor is not None and k != factor):
            return None
        factor = k
    if not factor:
        return None
    for c in variables:
        ends = []
        for atom in (first, second):
            try:
                (value,) = (z.substitute(c, reader.field.integer(0)) for z in atom.args)
            except ZeroDivisionError:
                break
            angle = reader.asin(reader.element(value)).exact
            if angle is None:
                break
            ends.append(angle)
        if len(ends) == 2:
            return factor, ends[0] - ends[1] * reader.field.of(factor)
    return None


def _slope(atom: Atom, symbol: Symbol) -> Exact | None:
    (r,) = atom.args
    one = r.field.integer(1)
    rest = one - r * r
    if not rest.is_rational_function or not rest:
        return None
    return r.diff(symbol) / rest.sqrt()


__all__ = ["is_zero"]
