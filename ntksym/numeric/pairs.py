r"""The closed forms of a generic pair of nodes, derived once, evaluated for all pairs.

With $A(z) = \sum_i w_i(2\Phi(a_iz) - 1)$ for $T(z) = \tanh(z/2)$, an activation of the logistic
family is $P(x) + \sum_f\sum_i w_i\,g_f(x; a_i)$, one family f per affine argument, P a polynomial
or another function of the exact class.  Its dual is
$E[P(u)P(v)] + \sum_f\sum_i w_i\,(E[P(u)g_f(v; a_i)] + E[g_f(u; a_i)P(v)])
+ \sum_{f,f'}\sum_{i,j} w_iw_j\,E[g_f(u; a_i)g_{f'}(v; a_j)]$, and every expectation is one closed
form in the node slopes `A` and `B`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sympy import Add, Expr, I, Integer, Symbol, asin, latex, pi, sqrt

from ..errors import NoClosedForm
from ..exact import Field
from ..functions import Phi, density
from ..gaussian import ClosedForm, Law, expect
from ..symbols import q, q11, q12, q22, x
from ..terms import TermSum, decompose
from .logistic import FAMILY, LogisticSum, Part

A = Symbol("node_a", positive=True)
"""The slope a_i of the node of u."""
B = Symbol("node_b", positive=True)
"""The slope a_j of the node of v."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One expectation and its derivative: in `q11, q12, q22`, or in `q`; and in `A`, `B`."""

    value: Expr
    dot: Expr


@dataclass(frozen=True, slots=True)
class PairForms:
    """The closed forms of an activation; families are numbered as in `LogisticSum.families`.

    Attributes:
        plain: E[P(u) P(v)].
        single: for each family E[P(u) g(v; B)] + E[g(u; B) P(v)].
        pairs: for each two families (f, g) E[g_f(u; A) g_g(v; B)], row by row.
        plain_diag: as `plain`, for u = v with variance q.
        single_diag: for each family 2 E[P(u) g(u; B)].
        pairs_diag: for each two families E[g_f(u; A) g_g(u; B)].
    """

    families: int
    plain: Entry
    single: tuple[Entry, ...]
    pairs: tuple[Entry, ...]
    plain_diag: Entry
    single_diag: tuple[Entry, ...]
    pairs_diag: tuple[Entry, ...]


def node_function(parts: tuple[Part, ...], node: Symbol) -> Expr:
    """g(x; a) of one family: every $T^{(k)}$ replaced by that of one node."""
    total = Integer(0)
    for p in parts:
        line = p.slope * x + p.offset
        gate, bell = 2 * Phi(node * line) - 1, density(node * line)
        if p.order < 0:  # the integral of the gate from 0
            middle = density(Integer(0))
            total += p.factor * (line * gate + 2 * bell / node - 2 * middle / node)
        elif p.order == 0:
            linear = 2 * node * line * density(Integer(0)) if p.reduced else Integer(0)
            total += p.factor * (gate - linear)
        else:
            sign = (-1) ** (p.order - 1)
            hermite = _hermite(p.order - 1, node * line)
            total += p.factor * 2 * node**p.order * sign * hermite * bell
    return total


def _hermite(n: int, z: Expr) -> Expr:
    """The probabilists' Hermite polynomial He_n."""
    before, now = Integer(0), Integer(1)
    for k in range(n):
        before, now = now, z * now - k * before
    return now


@lru_cache(maxsize=64)
def pair_forms(form: LogisticSum) -> PairForms:
    """The closed forms of the pairs of an activation.

    Raises:
        NoClosedForm: a parameter has the name of a node slope; an expectation is outside the exact
            engine, complex, or holds for some variances only; the activation jumps.
    """
    if {p.name for p in form.activation.params} & {A.name, B.name}:
        raise NoClosedForm(
            f"the parameter name {A.name!r} or {B.name!r} is taken",
            hint="another name for the parameter",
        )
    _, smooth, left, right = node_terms(form)
    groups = _groups(form)
    if form.plain:
        return _forms(groups, smooth, left, right)
    for terms in (smooth, *right):
        _admit(form, terms)
    try:
        found = _forms(groups, smooth, left, right)
    except NoClosedForm as failed:
        raise _unclosed(form, failed) from None
    entries = (found.plain, *found.single, *found.pairs)
    if any(e.value.has(I) or e.dot.has(I) for e in entries):
        raise _refused(form, "its pairs of nodes have Phi of complex arguments (a wave and a gate)")
    return found


def node_terms(form: LogisticSum) -> tuple[Field, TermSum, list[TermSum], list[TermSum]]:
    """What stands beside the parts, and every family at a node of slope `A` and of slope `B`."""
    field = Field((q11, q12, q22, q, A, B, *form.activation.params))
    smooth = TermSum(field, {})
    if form.polynomial != 0 or form.rest != 0:
        smooth = decompose(form.polynomial + form.rest, field)
    left, right = ([decompose(node_function(g, n), field) for g in _groups(form)] for n in (A, B))
    return field, smooth, left, right


def _groups(form: LogisticSum) -> list[tuple[Part, ...]]:
    """The parts of each family."""
    return [
        tuple(p for p in form.parts if (p.slope, p.offset) == family) for family in form.families
    ]


def _admit(form: LogisticSum, terms: TermSum) -> None:
    """One law for all variances, and a derivative that is a function.

    Raises:
        NoClosedForm: the sum has neither.
    """
    if terms.derivative()[1]:
        raise _refused(form, "it jumps: the derivative of the sum is no function")
    for key in terms.terms:
        if key.tilt and not key.tilt.split_imaginary()[0].is_positive():
            raise _refused(form, f"exp(-({key.tilt.expr})*x**2/2) may grow: finite for some q only")


def _refused(form: LogisticSum, why: str) -> NoClosedForm:
    act = form.activation
    return NoClosedForm(
        f"{act.name or act.expr}: no mixture, {why}",
        tried=(FAMILY,),
        hint="--why shows which methods apply",
    )


def _unclosed(form: LogisticSum, failed: NoClosedForm) -> NoClosedForm:
    """What a pair of nodes lacks, said of the activation."""
    beside = [p.factor for p in form.parts if not p.factor.is_polynomial(x)]
    what = f"the factor {beside[0]}" if beside else f"{form.rest}"
    found = _refused(form, f"a kink or a gate in {what} beside those of the nodes")
    return NoClosedForm(
        found.what,
        where="each node is a gate; the exact engine has two gates, or three centred ones",
        tried=(*found.tried, *failed.tried),
        hint=found.hint,
    )


def _forms(
    groups: list[tuple[Part, ...]], smooth: TermSum, left: list[TermSum], right: list[TermSum]
) -> PairForms:
    """The closed forms of what stands alone, and of the families in `A` and in `B`."""
    field = smooth.field
    pair, one = Law.pair(field), Law.single(field)
    single = [expect(pair, smooth, g) + expect(pair, g, smooth) for g in right]
    pairs = [expect(pair, f, g) for f in left for g in right]
    slope = smooth.derivative()[0]
    d_left = [g.derivative()[0] for g in left]
    d_right = [g.derivative()[0] for g in right]
    entries = [_entry(p) for p in pairs]
    diagonal = [
        Entry(expect(one, f * g).expr, expect(one, df * dg).expr)
        for f, df in zip(left, d_left, strict=True)
        for g, dg in zip(right, d_right, strict=True)
    ]
    for i, group in enumerate(groups):
        if (whole := integral_pair(group)) is not None:
            at = i * len(groups) + i
            entries[at] = Entry(whole, entries[at].dot)
            on_diagonal = whole.xreplace({q11: q, q12: q, q22: q})
            diagonal[at] = Entry(on_diagonal, diagonal[at].dot)
    return PairForms(
        len(groups),
        _entry(expect(pair, smooth, smooth)),
        tuple(_entry(s) for s in single),
        tuple(entries),
        Entry(expect(one, smooth * smooth).expr, expect(one, slope * slope).expr),
        tuple(
            Entry(
                expect(one, (smooth * g).scale(field.integer(2))).expr,
                expect(one, (slope * d).scale(field.integer(2))).expr,
            )
            for g, d in zip(right, d_right, strict=True)
        ),
        tuple(diagonal),
    )


def integral_pair(group: tuple[Part, ...]) -> Expr | None:
    r"""E[g(u; A) g(v; B)] without cancellation, for a family that is a multiple of U alone.

    With $n = ab\,q_{12}$, $s^2 = 1 + a^2q_{11}$, $t^2 = 1 + b^2q_{22}$ (slopes included) the
    derived form $\tfrac{2}{\pi ab}(n \arcsin\tfrac{n}{st} + \sqrt{s^2t^2 - n^2} - s - t + 1)$
    loses all digits for small variances; it equals $\tfrac{2}{\pi ab}(\tfrac{a^2q_{11}}{s + 1}
    \tfrac{b^2q_{22}}{t + 1} + n\arcsin\tfrac{n}{st} - \tfrac{n^2}{st + \sqrt{s^2t^2 - n^2}})$.
    """
    if len(group) != 1 or group[0].order != -1 or group[0].offset != 0 or group[0].factor.has(x):
        return None
    (part,) = group
    a, b = A * part.slope, B * part.slope
    n, s, t = a * b * q12, sqrt(1 + a**2 * q11), sqrt(1 + b**2 * q22)
    rest = sqrt((1 + a**2 * q11) * (1 + b**2 * q22) - n**2)
    bent = a**2 * q11 / (s + 1) * (b**2 * q22 / (t + 1))
    # U(cx) in the engine is the integral of the gate in z = cx, so that a and b are not scaled
    return (
        part.factor**2 * 2 / (pi * A * B) * (bent + n * asin(n / (s * t)) - n**2 / (s * t + rest))
    )


def _entry(value: ClosedForm) -> Entry:
    return Entry(value.expr, value.diff(q12).expr)


def letters_of(forms: PairForms) -> tuple[str, str]:
    """The letters that nodes and weights are shown with: a and w, or what no parameter has."""
    groups = (*forms.single, *forms.pairs)
    plain = (forms.plain.value, *(e.value for e in groups))
    taken = {s.name.split("_")[0] for e in plain for s in e.free_symbols if s not in (A, B)}
    node, weight = (next((n for n in names if n not in taken), names[-1]) for names in _LETTERS)
    return node, weight


_LETTERS = (("a", "c", "g", "h", "eta"), ("w", "p", "y", "omega"))
"""Letters for nodes and for weights, the usual one first."""


def parts_of(forms: PairForms, *, dot: bool = False) -> tuple[Expr, Expr, Expr]:
    """What stands alone, under the sum over k of w_k, and under that over i, k of w_i w_k.

    In the nodes `a_i` and `a_k`, with another letter where a parameter has this one; of the
    derivative with `dot`; a part that is missing is 0.
    """
    node, _ = letters_of(forms)
    shown = {A: Symbol(f"{node}_i", positive=True), B: Symbol(f"{node}_k", positive=True)}
    groups = ((forms.plain,), forms.single, forms.pairs)
    found = [Add(*((e.dot if dot else e.value) for e in group)) for group in groups]
    plain, single, pairs = (e.xreplace(shown) for e in found)
    return plain, single, pairs


def latex_of(value: Expr | str, forms: PairForms, *, dot: bool = False) -> tuple[str, ...]:
    """The sum of the forms over the nodes as lines of LaTeX, of which `value` is the left side."""
    left = value if isinstance(value, str) else latex(value)
    _, w = letters_of(forms)
    heads = ("", rf"\sum_k {w}_k ", rf"\sum_{{i, k}} {w}_i {w}_k ")
    lines: list[str] = []
    for head, part in zip(heads, parts_of(forms, dot=dot), strict=True):
        if part != 0:
            body = latex(part, inv_trig_style="full")
            body = rf"\left({body}\right)" if head else body
            lines.append((r"&\quad + " if lines else rf"{left} &\approx ") + head + body)
    return tuple(lines) or (f"{left} &= 0",)
