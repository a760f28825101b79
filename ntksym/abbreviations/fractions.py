"""Sums as papers print them, where only some terms have something in common.

Terms with one denominator stand over one fraction bar, and a factor of some terms before a bracket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

from sympy import Add, Integer, Mul, Pow, Rational, pi

Size = Callable[[Any], int]

MOST = 12
"""Sums of more terms stay as they are: nobody reads them, and the pairs become many."""


def powers_of(term: Any) -> tuple[Any, dict[Any, Any]]:
    """The rational number in front of a product, and the exponent of each of its bases."""
    number, rest = term.as_coeff_Mul()
    return number, dict(map(base_of, Mul.make_args(rest)))


def base_of(factor: Any) -> tuple[Any, Any]:
    """The base and the rational exponent of a factor."""
    if factor.is_Pow and factor.exp.is_Rational:
        return factor.base, factor.exp
    return factor, Integer(1)


def over_one_bar(expr: Any, size: Size, product: Callable[[list[Any]], Any]) -> Any:
    """The sum with each two terms over their common denominator, where that is shorter.

    a/(b c) + d/(b^2 c) is (a b + d)/(b^2 c).  `size` counts the signs of a formula, `product` makes
    one without multiplying out.
    """
    terms = list(expr.args)
    while 1 < len(terms) <= MOST:
        found = []
        for pair in combinations(terms, 2):
            joined = _joined(pair, product)
            if joined is not None:
                found.append((size(joined) - size(Add(*pair, evaluate=False)), joined, pair))
        saved, joined, pair = min(found, key=lambda row: row[0], default=(0, None, (None, None)))
        if saved >= 0:
            break
        terms = [t for t in terms if t not in pair] + [joined]
    return Add(*terms) if len(terms) > 1 else terms[0]


def _joined(pair: tuple[Any, Any], product: Callable[[list[Any]], Any]) -> Any:
    """Both terms over one bar; None where they share no sum or name below it."""
    numbers, powers = zip(*map(powers_of, pair), strict=True)
    if not all(n.is_Rational for n in numbers):
        return None
    below = [{b: e for b, e in p.items() if e < 0 and not b.is_number} for p in powers]
    if not (below[0].keys() & below[1].keys()):
        return None
    least = {b: min(p.get(b, Integer(0)) for p in below) for b in {**below[0], **below[1]}}
    if not all((p.get(b, 0) - e).is_Integer for p in powers for b, e in least.items()):
        return None
    common = [b for b in powers[0] if b.is_number and b in powers[1]]
    least |= {b: min(p[b] for p in powers) for b in common}
    bottom = Rational(1, max(int(n.q) for n in numbers))
    bar = product([bottom, *(Pow(b, e) for b, e in least.items())])
    above = Add(*(product([t, 1 / bar]) for t in pair))
    return product([bar, above]) if above.is_Add else None


def partly_taken_out(expr: Any, size: Size, taken_out: Callable[[Any], Any]) -> Any:
    """The sum with the factors that some of its terms share before a bracket of those.

    (1 - a)^2 b/(2 pi) + (1 - a)^2 c/(2 pi) + d is (1 - a)^2 (b + c)/(2 pi) + d.
    """
    while expr.is_Add and 2 < len(expr.args) <= MOST:
        rest = [
            Add(taken_out(Add(*some)), *(t for t in expr.args if t not in some))
            for some in _alike(expr.args)
        ]
        best = min(rest, key=size, default=expr)
        if size(best) >= size(expr):
            break
        expr = best
    return expr


def _alike(terms: tuple[Any, ...]) -> Iterator[list[Any]]:
    """Terms that share a sum, a function, or pi below: of polynomials nothing is taken out."""
    powers = [powers_of(t)[1] for t in terms]
    bases = dict.fromkeys(b for p in powers for b in p)
    for base in bases:
        if base.is_Add or base.is_Function or base == pi:
            some = [t for t, p in zip(terms, powers, strict=True) if base in p]
            if 1 < len(some) < len(terms):
                yield some
