"""Elements of a field as SymPy expressions that people want to read."""

from __future__ import annotations

from math import gcd
from typing import Any

from sympy import Abs, Add, Expr, I, Integer, Mul, Pow, Rational

from .element import Exact, reduced
from .field import Field
from .polynomial import Poly, poly_key


def pieces(z: Exact) -> list[Exact]:
    """Summands that print better apart: one per product of roots, and A*sqrt(f) + B/sqrt(f)
    for (A*f + B)/sqrt(f) where that is shorter.
    """
    out = []
    for ids, (num, den) in sorted(z.parts.items()):
        out += [
            Exact(z.field, {ids: reduced(p, den)}) for p in _by_radicand(z.field, ids, num, den)
        ]
    return out


def _by_radicand(field: Field, ids: tuple[int, ...], num: Poly, den: Poly) -> list[Poly]:
    for i in ids:
        f = None if i in field.towers else field.radicands[i]
        if f is None or len(f) < 3 or (den.gcd(f)) != f:
            continue
        quotient, rest = divmod(num, f)
        if quotient != 0 and rest != 0 and len(quotient) + len(rest) < len(num):
            return [quotient * f, rest]
    return [num]


def expression(z: Exact) -> Expr:
    """As a SymPy expression: common factors outside, irreducible factors inside."""
    if not z.parts:
        return Integer(0)
    field = z.field
    rows: list[tuple[int, int, dict[tuple[Any, ...], Rational]]] = []
    for ids, (num, den) in sorted(z.parts.items()):
        cn, fn = field.factor(num)
        cd, fd = field.factor(den)
        powers: dict[tuple[Any, ...], Rational] = {}
        for f, e in fn:
            powers[poly_key(f)] = powers.get(poly_key(f), Integer(0)) + e
        for f, e in fd:
            powers[poly_key(f)] = powers.get(poly_key(f), Integer(0)) - e
        for i in ids:
            if i in field.towers:
                powers[("tower", i)] = Rational(1, 2)
                continue
            if i in field.absolutes:
                powers[("absolute", i)] = Integer(1)
                continue
            k = poly_key(field.radicands[i])
            powers[k] = powers.get(k, Integer(0)) + Rational(1, 2)
        rows.append((cn, cd, powers))
    shared = {
        k: min(r[2].get(k, Integer(0)) for r in rows) for k in {k: None for r in rows for k in r[2]}
    }
    shared = {k: e for k, e in shared.items() if e != 0}
    top = gcd(*(abs(r[0]) for r in rows))
    bottom = 1
    for r in rows:
        bottom = bottom * r[1] // gcd(bottom, r[1])
    if len(rows) == 1:
        top = rows[0][0]
    inside = Add(
        *(
            Mul(
                Rational(cn * bottom, cd * top),
                *_powers(field, {k: e - shared.get(k, 0) for k, e in _all(powers, shared)}),
            )
            for cn, cd, powers in rows
        )
    )
    return Mul(Rational(top, bottom), *_powers(field, shared), inside)


def _powers(field: Field, powers: dict[tuple[Any, ...], Rational]) -> list[Expr]:
    out: list[Expr] = []
    for k, e in powers.items():
        if e == 0:
            continue
        if k and k[0] == "tower":
            out.append(Pow(field.towers[k[1]].expr, e))
            continue
        if k and k[0] == "absolute":
            out.append(Pow(Abs(field.poly_expr(field.absolutes[k[1]])), e))
            continue
        base = field.factor_expr(k)
        out.append(I if base == -1 else Pow(base, e))
    return out


def _all(
    powers: dict[tuple[Any, ...], Rational], shared: dict[tuple[Any, ...], Rational]
) -> list[tuple[tuple[Any, ...], Rational]]:
    """The exponents of one row, zero where a shared factor does not occur in it."""
    zero = Integer(0)
    return [(k, powers.get(k, zero)) for k in {**powers, **shared}]
