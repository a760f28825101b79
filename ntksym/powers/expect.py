"""Expect: E[f(u) g(v)] of two sums of real powers, with its proof."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Add, Expr, Rational

from ..zero_tests import Proof
from .derivation import pair_parts
from .halves import recognise
from .proof import prove_pair


@dataclass(frozen=True, slots=True)
class Expectation:
    """E[f(u) g(v)] or of the derivatives, in `symbols.q11, q12, q22`, for a centred pair.

    Attributes:
        value: the closed form.
        proof: its zero tests.
    """

    value: Expr
    proof: Proof


def expect(f: Expr, g: Expr, *, slope: bool = False, jumps: str = "ae") -> Expectation | None:
    """E[f(u) g(v)], or with `slope` E[f'(u) g'(v)]; None where f or g is no such sum.

    Args:
        f: a function of `symbols.x`.
        g: another.
        slope: the derivatives instead.
        jumps: "ae" for derivatives off 0, "distributional" with the Dirac masses of jumps.

    The powers are above -1/2, known or to be assumed; with `slope` and "ae" above 0 (or 0).
    """
    first, second = recognise(f), recognise(g)
    if first is None or second is None:
        return None
    exponents = (*first.exponents, *second.exponents)
    if any((p > Rational(-1, 2)) == False for p in exponents):  # noqa: E712  SymPy's false
        return None
    found = pair_parts(first, second)
    proof = prove_pair(first, second)
    if not slope:
        return Expectation(Add(*(t.coefficient * t.value for t in found)), proof)
    if jumps == "ae":
        if any(p.is_negative for p in exponents):
            return None
        found = tuple(t for t in found if t.p != 0 and t.q != 0)
    return Expectation(Add(*(t.coefficient * t.slope for t in found)), proof)
