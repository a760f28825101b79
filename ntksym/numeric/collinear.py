r"""Pairs of nodes where one pre-activation is a multiple of the other: one variable is left.

With kinks beside the mixture the closed forms of two variables have arcs that end there, where ball
arithmetic has no value; $E[g(u)\,h(\tau u)]$ has one.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from sympy import Expr, Rational, sqrt

from ..gaussian import Law, expect
from ..terms import TermSum
from .logistic import LogisticSum
from .pairs import node_terms

Pieces = tuple[Expr, list[Expr], list[Expr]]
"""What stands alone, with one node for each family, with two for each two families."""


def collinear_pieces(
    form: LogisticSum, a: Fraction, c: Fraction, b: Fraction, slope: bool
) -> tuple[Pieces, Fraction]:
    """The expectations at c*c = a*b in `q` and the nodes, and the variance that q is.

    With `slope` those of the derivatives off the kinks.
    """
    first, second = (a, b) if a else (b, a)
    if not first:
        return _pieces(form, Rational(0), Rational(0), slope), Fraction(1)
    ratio = sqrt(Rational(second) / Rational(first))
    return _pieces(form, Rational(1), ratio if c >= 0 else -ratio, slope), first


@lru_cache(maxsize=64)
def _pieces(form: LogisticSum, first: Expr, second: Expr, slope: bool) -> Pieces:
    field, smooth, left, right = node_terms(form)
    one = Law.single(field)

    def at(f: TermSum, scale: Expr) -> TermSum:
        return (f.derivative()[0] if slope else f).affine(field.of(scale), field.integer(0))

    plain = at(smooth, first), at(smooth, second)
    near, far = ([at(g, scale) for g in right] for scale in (first, second))
    single = [expect(one, plain[0] * g + f * plain[1]).expr for f, g in zip(near, far, strict=True)]
    pairs = [expect(one, at(f, first) * g).expr for f in left for g in far]
    return expect(one, plain[0] * plain[1]).expr, single, pairs
