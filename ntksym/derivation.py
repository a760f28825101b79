"""One derivation: an activation decomposed once, and every expectation taken from it.

`dual` shows the results as SymPy expressions; `verify` proves them; both read this object, which
keeps the exact closed forms.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property, lru_cache

from sympy import Basic, Expr, Gt, Rational, true

from .activation import Activation
from .errors import NotSquareIntegrable, NtksymError
from .exact import Exact, Field
from .gaussian import ClosedForm, Law, expect
from .gaussian.deltas import Jumps, expect_with_jumps
from .gaussian.expect import group_pairs
from .symbols import m, m1, m2, q, q11, q12, q22, x
from .terms import TermSum, decompose


@dataclass(frozen=True)
class Derivation:
    """The closed forms of one activation, under a centred law or one with means."""

    activation: Activation
    centred: bool = True
    opaque_roots: bool = False

    @staticmethod
    def of(activation: Activation, *, centred: bool = True) -> Derivation:
        """The derivation, with roots of numbers as atoms where they would end up nested; one for
        all that ask.
        """
        return _of(activation, centred)

    def __getstate__(self) -> dict[str, object]:
        """What was asked: the closed forms, which FLINT holds, are derived again where needed."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @cached_property
    def field(self) -> Field:
        """The field of all coefficients: law, then parameters by name."""
        law = (q11, q12, q22, q) if self.centred else (q11, q12, q22, q, m1, m2, m)
        return Field((*law, *self.activation.params), opaque_roots=self.opaque_roots)

    @cached_property
    def terms(self) -> TermSum:
        """The activation as a term sum."""
        return decompose(self.activation.expr, self.field)

    @cached_property
    def slope(self) -> tuple[TermSum, Jumps]:
        """The derivative off the kinks, and the jumps of the activation."""
        return self.terms.derivative()

    @property
    def jumps(self) -> bool:
        """Whether the activation is discontinuous."""
        return bool(self.slope[1])

    @cached_property
    def law(self) -> Law:
        """The law of (u, v)."""
        return Law.pair(self.field, centred=self.centred)

    @cached_property
    def single(self) -> Law:
        """The law of u alone, with variance q."""
        return Law.single(self.field, centred=self.centred)

    # -- the closed forms ----------------------------------------------------------------------

    @cached_property
    def value(self) -> ClosedForm:
        """E[s(u) s(v)]."""
        return expect(self.law, self.terms, self.terms)

    @cached_property
    def dot(self) -> ClosedForm:
        """D E[s(u) s(v)] / d q12: the derivative dual in the sense of distributions (Price)."""
        return self.value.diff(q12)

    @cached_property
    def dot_direct(self) -> ClosedForm:
        """E[s'(u) s'(v)] from the derivative itself, Dirac terms included: the second route."""
        smooth, jumps = self.slope
        return expect_with_jumps(self.law, smooth, jumps)

    @cached_property
    def dot_ae(self) -> ClosedForm:
        """E[s'(u) s'(v)] with the almost-everywhere derivative."""
        return expect(self.law, self.slope[0], self.slope[0])

    @cached_property
    def mean(self) -> ClosedForm:
        """E[s(u)] for variance q."""
        return expect(self.single, self.terms)

    @cached_property
    def diag(self) -> ClosedForm:
        """E[s(u)^2] for variance q; multiplied first, never by substitution."""
        return expect(self.single, self.terms * self.terms)

    @cached_property
    def diag_dot_ae(self) -> ClosedForm:
        """E[s'(u)^2] with the almost-everywhere derivative, for variance q."""
        smooth, _ = self.slope
        return expect(self.single, smooth * smooth)

    @property
    def price_holds(self) -> bool:
        """Whether the two routes to the derivative dual meet in one canonical form."""
        return self.dot == self.dot_direct

    @property
    def price_differs(self) -> bool:
        """Whether the two routes differ as numbers: then this library has a bug.

        Forms that differ in shape only (nested roots, logarithms in denominators) do not; they
        are left to the proofs, which say that they did not close.
        """
        small = {q11: Rational(13, 100), q12: Rational(4, 100), q22: Rational(7, 100)}
        means = {m1: Rational(1, 3), m2: Rational(-1, 4)}
        values = {p: Rational(3, 4) * (-1 if p.is_negative else 1) for p in self.activation.params}
        at = {**small, **means, **values}
        one, two = (complex(f.expr.xreplace(at)) for f in (self.dot, self.dot_direct))
        return not abs(one - two) <= 1e-6 * max(abs(one), abs(two), 1e-6)

    # -- validity ------------------------------------------------------------------------------

    @cached_property
    def conditions(self) -> tuple[Basic, ...]:
        """Where the closed forms hold: every tilt leaves a law (I + QT positive definite).

        At q11 = q12 = q22 = q they are the conditions of the diagonal.

        Raises:
            NotSquareIntegrable: nowhere.
        """
        found: dict[Basic, None] = {}
        one = self.field.integer(1)
        for pair in group_pairs(self.law, self.terms, self.terms):
            tilts = [k.tilt for k in pair.keys]
            if all(not t or t.is_positive() for t in tilts):
                continue
            for i, t in enumerate(tilts):
                found[_positive(one + self.law.cov[i][i] * t)] = None
            found[_positive(pair.tilted.jacobian)] = None
        for condition in found:
            if condition == False:  # noqa: E712  SymPy's false
                raise NotSquareIntegrable(
                    f"{self.activation.expr}: E[s(u)^2] is infinite for every variance",
                    hint="a function that grows more slowly: there is no kernel of this one",
                )
        return tuple(c for c in found if c is not true)

    def at(self, a: Rational, c: Rational, b: Rational, *, slope: bool = False) -> Expr:
        """E[s(u) s(v)] (or of the a.e. derivatives) at exact covariances, degenerate ones included.

        Where v is a multiple of u the law has one dimension, and so does the expectation.
        """
        field = self.field
        f = self.slope[0] if slope else self.terms
        var_u, cov, var_v = (field.of(z) for z in (a, c, b))
        zero = field.integer(0)
        if a * b != c * c:
            law = Law(field, (zero, zero), ((var_u, cov), (cov, var_v)))
            return expect(law, f, f).expr
        if a == 0 or b == 0:
            first, second = (_constant_or_mean(f, z) for z in (var_u, var_v))
            return first.expr * second.expr
        scale: Exact = (var_v / var_u).sqrt()
        other = f.affine(scale if c > 0 else -scale, zero)
        return expect(Law(field, (zero,), ((var_u,),)), f * other).expr


def _constant_or_mean(f: TermSum, variance: Exact) -> ClosedForm:
    zero = f.field.integer(0)
    if not variance:
        return expect(Law(f.field, (zero,), ((f.field.integer(1),),)), f.at_limit(zero))
    return expect(Law(f.field, (zero,), ((variance,),)), f)


@lru_cache(maxsize=256)
def _of(activation: Activation, centred: bool) -> Derivation:
    d = Derivation(activation, centred)
    plain = d.value is not None and not d.field.towers
    return d if plain else Derivation(activation, centred, opaque_roots=True)


def _positive(z: Exact) -> Basic:
    return Gt(z.expr, 0)


@lru_cache(maxsize=256)
def parity(activation: Activation) -> int:
    """-1 where s(-x) = -s(x) off the kinks, 1 where it is s(x), by form or by terms; else 0."""
    e = activation.expr
    mirrored = e.xreplace({x: -x})
    if mirrored in (e, -e):
        return 1 if mirrored == e else -1
    try:
        derived = Derivation.of(activation)
        turned = derived.terms.affine(derived.field.integer(-1), derived.field.integer(0))
        return 1 if not derived.terms - turned else -1 if not derived.terms + turned else 0
    except NtksymError:
        return 0
