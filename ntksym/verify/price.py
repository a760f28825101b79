r"""The Price proof: the closed form of a dual is proved, pair of groups by pair of groups.

Let $M_{ij}(c) = E[u^i v^j \prod 1\{A_l \le b_l\}]$ under the tilted law with its covariance
$c = \mathrm{Cov}(u, v)$ made a variable of its own.  By Price's theorem
$M_{ij}'(c) = E[\partial_u(\cdot)\,\partial_v(\cdot)]$, and $M_{ij}(0)$ is a product of expectations
in one variable.  A function with the right derivative on an interval and the right value at one
point of it is the right function.  Both are zero tests in a canonical form (`exact.Field`).
Then the value at the true covariance is the engine's.

What this rests on, besides the arithmetic: the tilt lemma, Price's theorem and Stein's lemma for
one gate (derivations/identities).  It uses nothing of the two-gate recursion it proves.
"""

from __future__ import annotations

from dataclasses import replace

from ..derivation import Derivation
from ..exact import Exact
from ..gaussian import ClosedForm, Law
from ..gaussian.expect import GroupPair, Moments, group_pairs
from ..symbols import c12
from ..zero_tests import Proof, ZeroTest


def prove_value(d: Derivation) -> Proof:
    """The proof that `d.value` is E[s(u) s(v)] and `d.dot` its derivative dual."""
    if d.field.towers:
        return Proof((), "nested square roots: the zero test is not decided there")
    lines: list[ZeroTest] = []
    total = ClosedForm(d.field)
    for number, pair in enumerate(group_pairs(d.law, d.terms, d.terms)):
        value = pair.value()
        total = total + value
        lines += prove_pair(pair, value, f"pair {number + 1}")
    lines.append(ZeroTest("the pairs add up to the dual", total == d.value))
    lines.append(
        ZeroTest("d/dq12 of the dual is the dual of the derivative", d.dot == d.dot_direct)
    )
    return Proof(tuple(lines))


def prove_pair(pair: GroupPair, value: ClosedForm, label: str) -> list[ZeroTest]:
    """The zero tests of one pair of groups."""
    field = pair.law.field
    tilted = pair.tilted.law
    free = field.gen(c12)
    (a, _), (_, b) = tilted.cov
    law = Law(field, tilted.mean, ((a, free), (free, b)))
    moments = Moments(law, pair.spaces, lambda: label)
    left = Law(field, (law.mean[0],), ((a,),))
    right = Law(field, (law.mean[1],), ((b,),))
    sides = (
        Moments(left, [s for s in pair.spaces if s.variable == 0], lambda: label),
        Moments(
            right, [replace(s, variable=0) for s in pair.spaces if s.variable == 1], lambda: label
        ),
    )
    needed = [(n, k) for n in pair.polynomials[0] for k in pair.polynomials[1]]
    lines: list[ZeroTest] = []
    done: set[tuple[int, int]] = set()
    while needed:
        n, k = needed.pop()
        if (n, k) in done:
            continue
        done.add((n, k))
        if n and k:
            needed.append((n - 1, k - 1))
        here = moments.value((n, k))
        slope = _price_side(moments, pair, n, k)
        lines.append(ZeroTest(f"{label}: dM({n},{k})/dc", here.diff(c12) == slope))
        start = here.substitute(c12, field.integer(0))
        base = _times(sides[0].value((n,)), sides[1].value((k,)))
        lines.append(ZeroTest(f"{label}: M({n},{k}) at c = 0", start == base))
    again = ClosedForm(field)
    for n, c in pair.polynomials[0].items():
        for k, e in pair.polynomials[1].items():
            again = again + moments.value((n, k)).substitute(c12, tilted.cov[0][1]).scale(c * e)
    const = pair.keys[0].const + pair.keys[1].const
    again = again.scale(pair.tilted.factor, pair.tilted.exponent + const)
    lines.append(ZeroTest(f"{label}: the value at the covariance of the law", again == value))
    return lines


def _price_side(moments: Moments, pair: GroupPair, n: int, k: int) -> ClosedForm:
    """E[d/du(u^n gates of u) d/dv(v^k gates of v)] from the lower moments.

    d/du of the indicator of {z Z - slope*u <= bound} is slope times the density of the boundary.
    """
    field = moments.field
    first: list[tuple[int, tuple[int, ...], Exact]] = []
    second: list[tuple[int, tuple[int, ...], Exact]] = []
    if n:
        first.append((n - 1, (), field.integer(n)))
    if k:
        second.append((k - 1, (), field.integer(k)))
    for i, s in enumerate(pair.spaces):
        (first if s.variable == 0 else second).append((n if s.variable == 0 else k, (i,), s.slope))
    out = ClosedForm(field)
    for p, on1, c1 in first:
        for r, on2, c2 in second:
            out = out + moments.value((p, r), tuple(sorted((*on1, *on2)))).scale(c1 * c2)
    return out


def _times(f: ClosedForm, g: ClosedForm) -> ClosedForm:
    """The product of two one-variable forms (at most one Phi in each)."""
    from ..gaussian.closed import ONE, Atom

    out = ClosedForm(f.field)
    for (e1, a1), c1 in f.terms.items():
        for (e2, a2), c2 in g.terms.items():
            if ONE in (a1, a2):
                atom = a2 if a1 == ONE else a1
            else:
                atom = Atom("Phi2", (*a1.args, *a2.args, f.field.integer(0)))
            out = out + ClosedForm.of(c1 * c2, e1 + e2, atom)
    return out
