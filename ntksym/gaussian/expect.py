r"""The expectation of products: tilt, half-spaces, Stein's recursion, orthant probabilities.

One pair of groups (terms that share everything but the power) is tilted once; its gates become
half-spaces $\{A_i \le b_i\}$ of an enlarged Gaussian vector; Stein's lemma removes the powers,
$$E[w_j f] = m_j E[f] + \sum_k \mathrm{Cov}(w_j, w_k)\, E[\partial_k f],$$
where the derivative of an indicator is minus the density of $A_i$ at $b_i$ times the conditional
expectation given $A_i = b_i$.  What is left is a probability of one or two half-spaces (or three
centred ones).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from sympy import Expr, pi

from ..errors import NoClosedForm
from ..exact import Exact, Field
from ..terms import Key, TermSum
from .closed import ONE, Atom, ClosedForm
from .law import Law, Matrix, Tilt, Vector, tilt


@dataclass(frozen=True, slots=True)
class HalfSpace:
    """{z*Z - slope*w_j <= bound}, with Z a standard normal variable of its own; z is 0 or 1."""

    variable: int
    slope: Exact
    bound: Exact
    noisy: bool


def half_spaces(key: Key, variable: int, field: Field) -> list[HalfSpace]:
    """The gates of a term in variable `variable`: H(w - k) and Phi(a*w + b)."""
    out = []
    if key.step is not None:
        out.append(HalfSpace(variable, field.integer(1), -key.step, False))
    out += [HalfSpace(variable, a, b, True) for a, b in key.gates]
    return out


class Moments:
    """E[w^e prod 1{A_i <= b_i}] under one law, for all exponents e, memoised."""

    def __init__(self, law: Law, spaces: list[HalfSpace], source: Callable[[], str]) -> None:
        self.field = law.field
        self.spaces = spaces
        self.source = source  # the text is for an error only, and takes longer than the rest
        self.n = len(law.mean)
        zero = self.field.integer(0)
        slopes = [[-s.slope if s.variable == j else zero for j in range(self.n)] for s in spaces]
        mean = list(law.mean)
        cov = [list(row) for row in law.cov]
        for i, s in enumerate(spaces):
            mean.append(-(s.slope * law.mean[s.variable]))
            with_w = [-(s.slope * law.cov[s.variable][j]) for j in range(self.n)]
            with_a = [with_w[spaces[k].variable] * slopes[k][spaces[k].variable] for k in range(i)]
            own = s.slope * s.slope * law.cov[s.variable][s.variable]
            if s.noisy:
                own = own + self.field.integer(1)
            for j in range(self.n):
                cov[j].append(with_w[j])
            for k in range(i):
                cov[self.n + k].append(with_a[k])
            cov.append([*with_w, *with_a, own])
        self._laws: dict[tuple[int, ...], tuple[list[Exact], list[list[Exact]], Exact, Exact]] = {
            (): (mean, cov, self.field.integer(1), zero)
        }
        self._memo: dict[tuple[tuple[int, ...], tuple[int, ...]], ClosedForm] = {}

    def _law(self, on: tuple[int, ...]) -> tuple[list[Exact], list[list[Exact]], Exact, Exact]:
        """(mean, covariance, factor, exponent) given A_i = b_i for i in `on`, with its density."""
        if on not in self._laws:
            mean, cov, factor, exponent = self._law(on[:-1])
            a = self.n + on[-1]
            var = cov[a][a]
            over = var.inverse()
            gap = self.spaces[on[-1]].bound - mean[a]
            gains = [row[a] * over for row in cov]
            new_mean = [mu + g * gap for mu, g in zip(mean, gains, strict=True)]
            new_cov = [
                [c - gains[i] * cov[a][j] for j, c in enumerate(row)] for i, row in enumerate(cov)
            ]
            density = (self.field.of(2 * pi) * var).sqrt().inverse()
            self._laws[on] = (
                new_mean,
                new_cov,
                factor * density,
                exponent - gap * gap * over * self.field.rational(1, 2),
            )
        return self._laws[on]

    def value(self, e: tuple[int, ...], on: tuple[int, ...] = ()) -> ClosedForm:
        """E[w^e prod of the other indicators; A_i = b_i for i in `on`] (a density in those)."""
        if (e, on) not in self._memo:
            self._memo[e, on] = self._stein(e, on) if any(e) else self._probability(on)
        return self._memo[e, on]

    def _stein(self, e: tuple[int, ...], on: tuple[int, ...]) -> ClosedForm:
        mean, cov, _, _ = self._law(on)
        j = max(range(self.n), key=lambda i: e[i])
        less = tuple(n - (i == j) for i, n in enumerate(e))
        out = ClosedForm(self.field)
        if mean[j]:
            out = out + self.value(less, on).scale(mean[j])
        for k in range(self.n):
            if less[k] and cov[j][k]:
                lower = tuple(n - (i == k) for i, n in enumerate(less))
                out = out + self.value(lower, on).scale(cov[j][k] * less[k])
        for i in range(len(self.spaces)):
            if i not in on and cov[j][self.n + i]:
                # tuples of conditions are sorted: densities do not depend on their order
                given = tuple(sorted((*on, i)))
                out = out - self.value(less, given).scale(cov[j][self.n + i])
        return out

    def _probability(self, on: tuple[int, ...]) -> ClosedForm:
        mean, cov, factor, exponent = self._law(on)
        left = [i for i in range(len(self.spaces)) if i not in on]
        deviations = {i: cov[self.n + i][self.n + i].sqrt() for i in left}
        heights = {i: (self.spaces[i].bound - mean[self.n + i]) / deviations[i] for i in left}

        def correlation(i: int, j: int) -> Exact:
            return cov[self.n + i][self.n + j] / (deviations[i] * deviations[j])

        match left:
            case []:
                return ClosedForm.of(factor, exponent)
            case [i]:
                return ClosedForm.of(factor, exponent, Atom("Phi", (heights[i],)))
            case [i, j]:
                atom = Atom("Phi2", (heights[i], heights[j], correlation(i, j)))
                return ClosedForm.of(factor, exponent, atom)
            case [i, j, k] if not any(heights.values()):
                # E. g. Kendall & Stuart 15.7: 1/8 + sum of asin(r)/(4 pi)
                out = ClosedForm.of(factor * self.field.rational(1, 8), exponent)
                for a, b in ((i, j), (i, k), (j, k)):
                    arc = Atom("asin", (correlation(a, b),))
                    out = out + ClosedForm.of(factor / self.field.of(4 * pi), exponent, arc)
                return out
        raise NoClosedForm(
            f"no closed form: {self.source()} is the probability of {len(left)} half-spaces",
            tried=("orthants of dimension two", "centred orthants of dimension three"),
            hint="`ntksym eval` for its value with a bound",
        )


@dataclass(frozen=True)
class GroupPair:
    """The expectation of two groups (or of one, for a single variable) under a law."""

    law: Law
    keys: tuple[Key, ...]
    polynomials: tuple[dict[int, Exact], ...]

    @cached_property
    def tilted(self) -> Tilt:
        """The law after the tilt."""
        tilts: Vector = tuple(k.tilt for k in self.keys)
        shifts: Vector = tuple(k.shift for k in self.keys)
        return tilt(self.law, tilts, shifts)

    @cached_property
    def spaces(self) -> list[HalfSpace]:
        """All gates as half-spaces."""
        return [s for i, k in enumerate(self.keys) for s in half_spaces(k, i, self.law.field)]

    def value(self) -> ClosedForm:
        """The expectation of the product of the groups."""
        field = self.law.field

        def source() -> str:
            factors = (str(TermSum(field, {k: field.integer(1)}).expr) for k in self.keys)
            return f"E[{' * '.join(factors)}]"

        moments = Moments(self.tilted.law, self.spaces, source)
        out = ClosedForm(field)
        if len(self.keys) == 1:
            for n, c in self.polynomials[0].items():
                out = out + moments.value((n,)).scale(c)
        else:
            for n, c in self.polynomials[0].items():
                for k, d in self.polynomials[1].items():
                    out = out + moments.value((n, k)).scale(c * d)
        const = self.keys[0].const
        for key in self.keys[1:]:
            const = const + key.const
        return out.scale(self.tilted.factor, self.tilted.exponent + const)


def group_pairs(law: Law, *factors: TermSum) -> list[GroupPair]:
    """All pairs of groups of a product f(u) g(v), or the groups of f(u)."""
    if len(factors) == 1:
        return [GroupPair(law, (k,), (p,)) for k, p in factors[0].groups().items()]
    return [
        GroupPair(law, (k1, k2), (p1, p2))
        for k1, p1 in factors[0].groups().items()
        for k2, p2 in factors[1].groups().items()
    ]


def expect(law: Law, *factors: TermSum) -> ClosedForm:
    r"""$E[f(u)\,g(v)]$ (two factors, a pair law) or $E[f(u)]$ (one factor) in closed form.

    Raises:
        NoClosedForm: a product of more gates than there are rules for.
    """
    out = ClosedForm(law.field)
    for pair in group_pairs(law, *factors):
        out = out + pair.value()
    return out


def value_at(f: TermSum, point: Exact) -> Expr:
    """f(point), where f has no step; that of a wave with a phase by sin and cos, without I."""
    form = ClosedForm(f.field)
    for key, c in f.at(point).terms.items():
        form = form + ClosedForm.of(c, key.const)
    return form.expr


__all__ = [
    "ONE",
    "GroupPair",
    "HalfSpace",
    "Matrix",
    "Moments",
    "expect",
    "group_pairs",
    "value_at",
]
