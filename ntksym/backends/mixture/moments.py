r"""Expectations of a pair of nodes by contraction: sums of products that do not cancel.

A family without offset is, at a node, a sum of $x^iG(Ax)$ and of
$x^i\mathrm{He}_k(Ax)\varphi(Ax)$ with $G = 2\Phi - 1$.  Under a normal law $E[X\,H]$ is the sum
over all contractions of X with H (Isserlis, Stein), and a density $\varphi(Au)$ only changes the
law: with $s^2 = 1 + A^2q_{11}$, $t^2 = 1 + B^2q_{22}$,
$R^2 = 1 + A^2q_{11} + B^2q_{22} + A^2B^2\det$ the covariance becomes

    density at u:      q11/s^2, q12/s^2, (q22 + A^2 det)/s^2
    density at v:      (q11 + B^2 det)/t^2, q12/t^2, q22/t^2
    densities at both: (q11 + B^2 det)/R^2, q12/R^2, (q22 + A^2 det)/R^2

All terms of $E[u^iG(Au)\,v^jG(Bv)]$ have the sign of a power of $q_{12}$.  Two factors of one
$\mathrm{He}_k(Au)$ contract to $A^2\mathrm{var}(u) - 1$, which is $-1/s^2$, or $-t^2/R^2$ with
both densities.  The form over a common denominator instead is a polynomial of many terms, which
cancel where large variances are nearly collinear.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache

from sympy import Expr, Poly, asin, pi, sqrt

from ...lower.build import Builder
from ...lower.kernel import REQUIRES_DIAG, REQUIRES_PAIR
from ...lower.program import Operand, Program
from ...numeric.logistic import LogisticSum, Part
from ...numeric.mixture import MixtureDual
from ...numeric.pairs import A, B
from ...symbols import q, q11, q12, q22, x

ZERO: Operand = Fraction(0)
ONE: Operand = Fraction(1)
PLAIN, GATE, BELL = 0, 1, 2
"""The factor of a side besides powers: none, G, the density."""


@dataclass(frozen=True, slots=True)
class Side:
    """x^power times G(Ax), or times He_hermite(Ax) and the density at Ax."""

    kind: int
    power: int
    hermite: int = 0

    @property
    def odd(self) -> bool:
        """Whether it changes sign with x."""
        return bool((self.power + self.hermite + (self.kind == GATE)) % 2)


Sums = tuple[tuple[Side, Expr], ...]
"""A family at a node: sides with coefficients in the node slope and the parameters."""


def contracts(dual: MixtureDual, families: tuple[int, int]) -> bool:
    """Whether two families are to be contracted.

    They can be where factors are polynomials and no part has an offset, is an integral, or is
    reduced.  The derived form is as good, and is kept, where factor and derivative are of degree
    and order 1 in all at most.
    """
    parts = [p for k in families for p in _parts(dual.form, dual, k)]
    if not all(p.factor.is_polynomial(x) for p in parts):
        return False
    if any(p.order < 0 or p.offset != 0 or p.reduced for p in parts):
        return False
    return any(p.order + Poly(p.factor, x).degree() > 1 for p in parts)


def _parts(form: LogisticSum, dual: MixtureDual, family: int) -> tuple[Part, ...]:
    where = dual.form.families[family]
    return tuple(p for p in form.parts if (p.slope, p.offset) == where)


def _sums(parts: tuple[Part, ...], node: Expr) -> Sums:
    """Every T^(k) of a family replaced by that of one node, by monomials of the factors."""
    found: dict[Side, Expr] = {}
    for p in parts:
        for (power,), c in Poly(p.factor, x).terms():
            if p.order == 0:
                side, coeff = Side(GATE, power), c
            else:
                side = Side(BELL, power, p.order - 1)
                coeff = 2 * c * (-1) ** (p.order - 1) * node**p.order
            found[side] = found.get(side, 0) + coeff
    return tuple((s, found[s]) for s in sorted(found, key=lambda s: (s.kind, s.power, s.hermite)))


def contracted(
    dual: MixtureDual, families: tuple[int, int], name: str, args: tuple[str, ...]
) -> Program:
    """(nngp, dot) of two families; on the diagonal where the arguments have no `root`."""
    diag = "root" not in args
    first, second = (dual.form.families[k][0] for k in families)
    b = Builder(args, root=None if diag else "root")
    law = _Law(b, (A * first, B * second), (q, q, q) if diag else (q11, q12, q22))
    outputs = []
    for label, form in (("nngp", dual.form), ("dot", dual.slope_form)):
        left = _sums(_parts(form, dual, families[0]), A)
        right = _sums(_parts(form, dual, families[1]), B)
        outputs.append((label, law.total(left, right)))
    return b.program(name, tuple(outputs), REQUIRES_DIAG if diag else REQUIRES_PAIR, "")


class _Law:
    """The expectations of one pair of node slopes, as lines of a program."""

    def __init__(
        self, b: Builder, slopes: tuple[Expr, Expr], variances: tuple[Expr, Expr, Expr]
    ) -> None:
        self.b, emit = b, b.emit
        u, c, v = (b.operand(e) for e in variances)
        self.slopes = tuple(b.operand(e) for e in slopes)
        first, second = self.slopes
        a2, b2 = emit("mul", first, first), emit("mul", second, second)
        over_u, over_v = emit("mul", a2, u), emit("mul", b2, v)
        one = ONE
        s2, t2 = emit("add", over_u, one), emit("add", over_v, one)
        both, more_u, more_v = emit("add", over_u, t2), u, v
        if "root" in b.args:  # on the diagonal det = 0
            cross = emit("mul", emit("mul", first, second), "root")
            det = emit("mul", "root", "root")
            both = emit("add", both, emit("mul", cross, cross))
            more_u = emit("add", u, emit("mul", b2, det))
            more_v = emit("add", v, emit("mul", a2, det))
        by_s, by_t, by_r = (emit("div", one, emit("sqrt0", e)) for e in (s2, t2, both))
        over_s, over_t, over_r = (emit("mul", e, e) for e in (by_s, by_t, by_r))
        self._laws: dict[tuple[bool, bool], tuple[Operand, ...]] = {}
        self._parts = {
            (False, False): (one, u, c, v),
            (True, False): (over_s, u, c, more_v),
            (False, True): (over_t, more_u, c, v),
            (True, True): (over_r, more_u, c, more_v),
        }
        self._inner = {
            (True, False): (emit("neg", over_s), None),
            (False, True): (None, emit("neg", over_t)),
            (True, True): (
                emit("neg", emit("mul", t2, over_r)),
                emit("neg", emit("mul", s2, over_r)),
            ),
        }
        single = b.operand(1 / sqrt(2 * pi))
        self._mass = {
            (False, False): one,
            (True, False): emit("mul", single, by_s),
            (False, True): emit("mul", single, by_t),
            (True, True): emit("mul", b.operand(1 / (2 * pi)), by_r),
        }
        lengths = sqrt(1 + slopes[0] ** 2 * variances[0]) * sqrt(1 + slopes[1] ** 2 * variances[2])
        self._angle = 2 * asin(slopes[0] * slopes[1] * variances[1] / lengths) / pi
        self.moment = cache(self._moment)

    def total(self, left: Sums, right: Sums) -> Operand:
        """The expectation of the product of two sums."""
        whole = ZERO
        for one, c in left:
            row = ZERO
            for two, d in right:
                if one.odd == two.odd:
                    row = self._added(row, self.b.operand(d), self.moment(one, two))
            whole = self._added(whole, self.b.operand(c), row)
        return whole

    def _added(self, total: Operand, *factors: Operand | int) -> Operand:
        """The total plus a product."""
        if ZERO in factors:
            return total
        product = ONE
        for f in factors:
            product = self.b.emit("mul", product, Fraction(f) if isinstance(f, int) else f)
        return self.b.emit("add", total, product)

    def _covariance(self, one: Side, two: Side) -> tuple[Operand, ...]:
        """(var u, cov, var v) under the densities of both sides."""
        key = (one.kind == BELL, two.kind == BELL)
        if key not in self._laws:
            scale, *entries = self._parts[key]
            self._laws[key] = tuple(self.b.emit("mul", e, scale) for e in entries)
        return self._laws[key]

    def _moment(self, one: Side, two: Side) -> Operand:
        """E[one(u) two(v)]: one factor is taken out and contracted with all others."""
        if one.odd != two.odd:
            return ZERO
        key = (one.kind == BELL, two.kind == BELL)
        if not (one.power or one.hermite or two.power or two.hermite):
            return self.b.operand(self._angle) if one.kind == GATE else self._mass[key]
        sides = (one, two)
        k = 0 if one.power or one.hermite else 1
        own, other = sides[k], sides[1 - k]
        cov = self._covariance(one, two)
        variance, across = cov[2 * k], cov[1]
        slope, far = self.slopes[k], self.slopes[1 - k]
        emit, out, lead = self.b.emit, ZERO, ONE
        if own.power:
            rest = replace(own, power=own.power - 1)
            twin: Operand = emit("mul", slope, variance)  # with a factor of He
        else:
            rest, lead = replace(own, hermite=own.hermite - 1), slope
            inner = self._inner[key][k]
            assert inner is not None  # a Hermite factor comes with a density
            twin = inner

        def at(mine: Side, yours: Side) -> Operand:
            return self.moment(mine, yours) if k == 0 else self.moment(yours, mine)

        if rest.power:
            down = at(replace(rest, power=rest.power - 1), other)
            out = self._added(out, rest.power, lead, variance, down)
        if rest.hermite:
            down = at(replace(rest, hermite=rest.hermite - 1), other)
            out = self._added(out, rest.hermite, twin, down)
        if rest.kind == GATE:
            bell = at(replace(rest, kind=BELL), other)
            out = self._added(out, 2, emit("mul", slope, variance), bell)
        if other.power:
            down = at(rest, replace(other, power=other.power - 1))
            out = self._added(out, other.power, lead, across, down)
        reach = emit("mul", far, emit("mul", lead, across))
        if other.hermite:
            down = at(rest, replace(other, hermite=other.hermite - 1))
            out = self._added(out, other.hermite, reach, down)
        if other.kind == GATE:
            out = self._added(out, 2, reach, at(rest, replace(other, kind=BELL)))
        return out
