r"""Expectations with Dirac terms: the distributional derivative dual of an activation that jumps.

$E[\delta(u - a)\, g(v)]$ is the density of $u$ at $a$ times $E[g(v) \mid u = a]$, and
$E[\delta(u - a)\,\delta(v - b)]$ the joint density.  The product of two Dirac terms in one
variable has no expectation: on the diagonal the derivative dual of a jump is infinite.
"""

from __future__ import annotations

from ..exact import Exact
from ..terms import TermSum
from .closed import ClosedForm
from .expect import expect
from .law import Law

Jumps = dict[Exact, TermSum]


def expect_with_jumps(law: Law, smooth: TermSum, jumps: Jumps) -> ClosedForm:
    r"""$E[s'(u)\,s'(v)]$ with $s' = $ smooth $+ \sum$ height $\delta(x - $ place$)$."""
    total = expect(law, smooth, smooth)
    for place, height in jumps.items():
        for i in (0, 1):
            factor, exponent = law.density(i, place)
            rest = expect(law.given(i, place), smooth)
            total = total + _times_constant(rest.scale(factor, exponent), height)
        given = law.given(0, place)
        factor, exponent = law.density(0, place)
        for other, other_height in jumps.items():
            factor2, exponent2 = given.density(0, other)
            both = ClosedForm.of(factor * factor2, exponent + exponent2)
            total = total + _times_constant(_times_constant(both, height), other_height)
    return total


def _times_constant(form: ClosedForm, height: TermSum) -> ClosedForm:
    out = ClosedForm(form.field)
    for key, c in height.terms.items():
        out = out + form.scale(c, key.const)
    return out
