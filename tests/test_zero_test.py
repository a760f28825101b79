"""The zero test alone, without the balls beside it: it never proves a formula that is wrong."""

from __future__ import annotations

import pytest
from formula_oracle import points, same, values
from sympy import S, Symbol, asin, atan, cos, exp, pi, sin, sqrt
from test_mutations import chosen, formulas

from ntksym.check.proof import prove
from ntksym.check.reading import Reader
from ntksym.check.strict import StrictField, facts
from ntksym.check.zero import is_zero
from ntksym.claims.statement import state
from ntksym.errors import NtksymError
from ntksym.functions import Phi, Phi2
from ntksym.symbols import q, q11, q12, q22

CHUNKS = 12
DOMAIN = facts([q12**2 < q11 * q22])
r = q12 / sqrt(q11 * q22)
a = Symbol("a", real=True)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_mutant_is_proved(chunk: int) -> None:
    tried = 0
    for formula in formulas()[chunk :: 4 * CHUNKS]:
        at = points(formula.claim, 7)
        true = values(formula.text, at)
        for mutant in chosen(formula, 3, seed=7):
            if same(true, mutant.text, at):
                continue
            try:
                statements = state(formula.mutated(mutant))
            except NtksymError:
                continue
            own = [s for s in statements if s.part == formula.part] or statements
            shown_all = all(prove(s).lines for s in own)
            assert not shown_all, f"{formula.claim.id}: {mutant.text}"
            tried += 1
    assert tried


def shown(left: object, right: object) -> str:
    reader = Reader(StrictField((a, q, q11, q12, q22), DOMAIN))
    difference = reader.read(S(left)) + (-reader.read(S(right)))
    return is_zero(difference.num, reader, (q12,))


EQUAL = [
    (cos(2 * asin(r)), 1 - 2 * r**2),
    (sin(asin(r) / 2) ** 2, (1 - sqrt(1 - r**2)) / 2),
    (exp(a) * exp(-a), 1),
    ((1 + sqrt(q)) ** 3, 1 + 3 * sqrt(q) + 3 * q + q ** 2 / sqrt(q)),
    (1 / (1 + sqrt(1 + q)), (sqrt(1 + q) - 1) / q),
    (Phi(a) + Phi(-a), 1),
    (Phi2(a, -a, r) + Phi2(a, a, -r), Phi(a)),
    (sqrt((1 + q11) * (1 + q22) - q12**2), sqrt(1 + q11 + q22 + q11 * q22 - q12**2)),
    (sqrt(q11 + q22 - 2 * q12) ** 2, q11 + q22 - 2 * q12),
    (sqrt(pi + q) ** 2, pi + q),
    (asin(sqrt(q) / sqrt(1 + q)), atan(sqrt(q))),
]  # fmt: skip
DIFFERENT = [
    (asin(r) + atan(sqrt(q11 * q22 - q12**2) / q12), pi / 2),
    (sqrt((1 - q) ** 2), 1 - q),
    (sqrt((1 - q12) ** 2), 1 - q12),
    (sqrt(q12**2), q12),
    (asin(r), atan(r / (1 - r**2))),
    (Phi(a), Phi(-a)),
    (sqrt(q11 + q22), sqrt(q11) + sqrt(q22)),
    (sin(2 * asin(r)), 2 * r),
    (asin(2 * r**2 - 1), 2 * asin(r) - pi / 2),
]


@pytest.mark.parametrize(("left", "right"), EQUAL, ids=lambda e: str(e)[:40])
def test_equal(left: object, right: object) -> None:
    assert shown(left, right)


@pytest.mark.parametrize(("left", "right"), DIFFERENT, ids=lambda e: str(e)[:40])
def test_different(left: object, right: object) -> None:
    """Equal for some values of the names, not for all."""
    assert not shown(left, right)
