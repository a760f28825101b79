r"""`MixtureDual`: the dual of the logistic family, a finite sum of closed forms, with a bound.

$\mathrm{sigmoid}(x) = E_K[\Phi(x/(2K))]$ with K Kolmogorov distributed: a scale mixture of normal
distribution functions (Andrews & Mallows 1974; Stefanski 1991).  With finitely many nodes every
expectation is one closed form per pair of nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any

from sympy import Add, Basic, Expr, Float, Lambda, Rational, Symbol, latex

from ..activation import Activation
from ..brief import Brief
from ..dyadic import fraction
from ..errors import BadActivation, Undecided, not_semi_definite
from ..precision import precision
from ..steps import Step
from ..symbols import q, q11, q12, q22, x
from .arith import ball, rounded_up
from .bound import MixtureBound, prove_bound
from .collinear import Pieces, collinear_pieces
from .error import DualBound, norm, product_bound
from .evaluate import ball_row, ball_value
from .logistic import LogisticSum, recognise
from .lowest import SMALL, gap, lowest
from .named import MixtureDiag, MixtureDiagDot, MixtureDot, MixtureValue
from .nodes import Mixture, mixture
from .pairs import A, B, Entry, PairForms, latex_of, letters_of, pair_forms

MOST_TERMS = 400
"""The most pairs of nodes that `MixtureDual.expr` writes out."""
_FINER = 2**24
"""The sum is known so many times better than the mixture approximates."""
_SIZE_BITS = 40
"""Of the size of a dual, which a bound is multiplied by."""


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A rigorous enclosure |true value - mid| <= rad, both exact."""

    mid: Fraction
    rad: Fraction

    def __float__(self) -> float:
        return float(self.mid)


@dataclass(frozen=True, slots=True, repr=False)
class MixtureDual(Brief):
    r"""The dual of an activation of the logistic family.

    Attributes:
        activation: s.
        form, slope_form: s and s' as functions times $T^{(k)}(cx + d)$, $T(z) = \tanh(z/2)$.
        mixture: the nodes, $T(z) \approx \sum_i w_i(2\Phi(a_iz) - 1)$.
        mixture_bound: what is proven of them.
        forms: the closed forms of a generic pair of nodes.
    """

    activation: Activation
    form: LogisticSum
    slope_form: LogisticSum
    mixture: Mixture
    mixture_bound: MixtureBound
    forms: PairForms
    method: str = "mixture"
    _sizes: dict[tuple[Fraction, bool, int], Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    # -- the fields of a `Dual`: named functions, which a network composes -----------------------
    _shown = ("method",)

    @property
    def value(self) -> Expr:
        """$E[s(u) s(v)]$ as a named function of `q11, q12, q22`; `expr` writes it out."""
        return MixtureValue(Lambda(x, self.activation.expr), q11, q12, q22)

    @property
    def dot(self) -> Expr:
        """The derivative dual, the derivative of `value` in q12."""
        return MixtureDot(Lambda(x, self.activation.expr), q11, q12, q22)

    @property
    def dot_ae(self) -> Expr:
        """As `dot`: no sum jumps."""
        return self.dot

    @property
    def diag(self) -> Expr:
        """$E[s(u)^2]$ as a named function of `q`."""
        return MixtureDiag(Lambda(x, self.activation.expr), q)

    @property
    def diag_dot(self) -> Expr:
        """$E[s'(u)^2]$ as a named function of `q`."""
        return MixtureDiagDot(Lambda(x, self.activation.expr), q)

    @property
    def diag_dot_ae(self) -> Expr:
        """As `diag_dot`."""
        return self.diag_dot

    @property
    def conditions(self) -> tuple[Basic, ...]:
        """None: every closed form of a pair holds for all covariances."""
        return ()

    @property
    def continuous(self) -> bool:
        """Always true."""
        return True

    @property
    def derivation(self) -> None:
        """None: there is no single derivation, but one for the generic pair."""
        return None

    @property
    def steps(self) -> tuple[Step, ...]:
        """The rules: the mixture, the generic pair of nodes for two families, its derivative."""
        node, weight = letters_of(self.forms)
        names = {A: f"{node}_i", B: f"{node}_k"}
        shown = r"\tanh(z/2) = \mathbb{E}\left[2\,\Phi(z/(2K)) - 1\right]"
        made = rf"\sum_i {weight}_i \left(2\,\Phi({node}_i z) - 1\right)"
        out = [Step("mixture of normal laws", shown, made)]
        for pair in self.forms.pairs:
            for rule, e in (("pair of nodes", pair.value), ("price", pair.dot)):
                body = latex(e, symbol_names=names, inv_trig_style="full")
                left = r"\mathbb{E}[g_i(u)\,g_k(v)]"
                out.append(
                    Step(rule, left if rule != "price" else r"\partial_{q_{12}}" + left, body)
                )
        return tuple(out)

    def at(self, c11: Any, c12: Any, c22: Any, *, derivative: bool = False) -> Expr:
        """The finite sum at rational covariances, as a number of 30 digits."""
        found = self.enclose(c11, c12, c22, derivative=derivative)
        return Float(Rational(found.mid), 30)

    # -- the symbolic result ---------------------------------------------------------------------

    def expr(self, count: int | None = None, *, dot: bool = False) -> Expr:
        """The dual as one finite sum in `q11, q12, q22`, with exact nodes.

        `count` nodes instead of those of the mixture: a sum for reading; its error is that of
        `mixture(count)`.

        Raises:
            ValueError: more than `MOST_TERMS` pairs.
        """
        nodes = self.mixture if count is None else mixture(count)
        if len(nodes) ** 2 > MOST_TERMS:
            raise ValueError(f"{len(nodes)} nodes are {len(nodes) ** 2} terms; give a count")

        def pick(e: Entry) -> Expr:
            return e.dot if dot else e.value

        exact = [(Rational(a), Rational(w)) for a, w in nodes]
        terms = [pick(self.forms.plain)]
        for single in self.forms.single:
            terms += [w * pick(single).xreplace({B: a}) for a, w in exact]
        for pair in self.forms.pairs:
            terms += [
                w1 * w2 * pick(pair).xreplace({A: a1, B: a2})
                for a1, w1 in exact
                for a2, w2 in exact
            ]
        return Add(*terms)

    # -- rigorous values -------------------------------------------------------------------------

    def enclose(
        self,
        c11: Any,
        c12: Any,
        c22: Any,
        *,
        derivative: bool = False,
        params: Mapping[Any, Any] | None = None,
    ) -> Enclosure:
        """The dual of the activation itself, with the proven bound of the mixture in the radius.

        Raises:
            BadCovariance: not positive semi-definite rationals.
            BadActivation: a parameter without a value.
            Undecided: the ball arithmetic gives no finite enclosure.
        """
        a, c, b = (Fraction(str(v)) for v in (c11, c12, c22))
        if a < 0 or b < 0 or c * c > a * b:
            raise not_semi_definite(a, c, b)
        with precision(self._bits(a, b)):
            values = self._values(params)
            at, pieces = values | _at(a, c, b), self._pieces(False, derivative)
            if c * c == a * b and not self.form.plain:  # kinks have arcs, which end here
                pieces, at = _collinear(self.form, a, c, b, derivative, values)
            limit = self._limit(a, b, derivative, values)[0]
            sums = self._lean(pieces, at, lambda z: z.rad() * _FINER <= limit.lower(), a == b)
            if not (sums.is_finite() and limit.is_finite()):
                raise Undecided("no finite enclosure", hint="a smaller variance")
            low, high = sums - limit, sums + limit
            bottom, top = fraction(low.lower()), fraction(high.upper())
        return Enclosure((bottom + top) / 2, (top - bottom) / 2)

    def bound(
        self,
        c11: Any,
        c22: Any,
        *,
        params: Mapping[Any, Any] | None = None,
        code: bool = False,
    ) -> DualBound:
        """The proven distance of the finite sum from the dual, for every q12; no rounding in it.

        With `code`, of what generated code computes: where terms cancel at 0 (`lowest`) it leaves
        them out at small variances.
        """
        a, b = (Fraction(str(v)) for v in (c11, c22))
        with precision(self._bits(a, b)):
            values = self._values(params)
            found = [self._limit(a, b, slope, values, code) for slope in (False, True)]
        (value, value_rel), (dot, dot_rel) = found
        return DualBound(*(rounded_up(v) for v in (value, dot, value_rel, dot_rel)))

    def worst(self) -> float:
        """The largest proven relative error of code, of both duals, at q = 1/100 and q = 100."""
        found = [self.bound(v, v, code=True) for v in CHECKED + EDGES[: _cancels(self)]]
        return max(max(b.value_relative, b.dot_relative) for b in found)

    def _bits(self, *variances: Fraction) -> int:
        """The working precision: the smallest weight, and 1 - 1/q in an arcsine, keep digits."""
        least = min(self.mixture.weights)
        small = max(0, least.denominator.bit_length() - least.numerator.bit_length())
        large = max(int(v).bit_length() for v in variances)
        return 180 + 3 * small + 3 * large

    def _values(self, params: Mapping[Any, Any] | None) -> dict[Symbol, Any]:
        given = {getattr(k, "name", k): Fraction(str(v)) for k, v in (params or {}).items()}
        for p in self.activation.params:
            if p.name not in given:
                raise BadActivation(
                    f"no value is given for the parameter {p.name!r}",
                    hint=f"params={{{p.name!r}: ...}}",
                )
        return {p: ball(given[p.name]) for p in self.activation.params}

    def _pieces(self, diag: bool, slope: bool) -> Pieces:
        f = self.forms
        if diag:
            plain, single, pairs = f.plain_diag, f.single_diag, f.pairs_diag
        else:
            plain, single, pairs = f.plain, f.single, f.pairs

        def pick(e: Entry) -> Expr:
            return e.dot if slope else e.value

        return pick(plain), [pick(e) for e in single], [pick(e) for e in pairs]

    def _sum(self, pieces: Pieces, values: dict[Symbol, Any], even: bool) -> Any:
        """The sum over nodes and pairs; two nodes may change places where `even`, as u and v may
        where they have one variance: then one order of each two is summed twice.
        """
        plain, single, pairs = pieces
        nodes = [(ball(a), ball(w)) for a, w in self.mixture]
        total = ball_value(plain, values)
        for i, (a, w) in enumerate(nodes):
            for e in (e for e in single if e != 0):
                total += w * ball_value(e, {**values, B: a})
            rest = nodes[i:] if even else nodes
            rows = [ball_row(e, {**values, A: a}, B, [b for b, _ in rest]) for e in pairs]
            for k, ((_, z), *found) in enumerate(zip(rest, *rows, strict=True)):
                both = w * z * (2 if even and k else 1)
                total = sum((both * value for value in found), total)
        return total

    def _lean(
        self, pieces: Pieces, values: dict[Symbol, Any], narrow: Callable[[Any], bool], even: bool
    ) -> Any:
        """The sum with half the bits where that is narrow enough, else with all of them."""
        from flint import ctx

        with precision(ctx.prec // 2):
            total = self._sum(pieces, values, even)
        return total if total.is_finite() and narrow(total) else self._sum(pieces, values, even)

    def _limit(
        self, a: Fraction, b: Fraction, slope: bool, values: dict[Symbol, Any], code: bool = False
    ) -> Any:
        """(bound, bound over sqrt(K K)) of one dual."""
        form = self.slope_form if slope else self.form
        found = lowest(form) if code else None
        whole = found is None and form.plain
        rough = self if whole else of_nodes(self.activation, mixture(ROUGH if form.plain else FEW))
        one, e1 = rough.size(a, slope, values)
        two, e2 = (one, e1) if a == b else rough.size(b, slope, values)
        if not whole:  # the gap of what code sums, and the sizes of s
            one, two = ((low, (top + e).upper()) for (low, top), e in ((one, e1), (two, e2)))
            e1, e2 = (gap(self.mixture_bound, form, v, values) for v in (a, b))
        return product_bound((one, e1), (two, e2))

    def size(self, v: Fraction, slope: bool, values: dict[Symbol, Any]) -> Any:
        """((from, to), gap): bounds of the L^2 norms of the sum and of s, and of s minus the sum.

        The lower end is that of s.
        """
        from flint import ctx

        if values:
            return self._size(v, slope, values)
        asked = v, slope, ctx.prec
        if asked not in self._sizes:
            self._sizes[asked] = self._size(v, slope, values)
        return self._sizes[asked]

    def _size(self, v: Fraction, slope: bool, values: dict[Symbol, Any]) -> Any:
        from flint import arb

        pieces, at = self._pieces(True, slope), {**values, q: ball(v)}
        if not (v or self.form.plain):
            pieces, at = _collinear(self.form, v, v, v, slope, values)
        square = self._lean(pieces, at, lambda z: z.rel_accuracy_bits() >= _SIZE_BITS, True)
        low, top = (end.max(arb(0)).mid().sqrt() for end in (square.lower(), square.upper()))
        form = self.slope_form if slope else self.form
        lost = norm(self.mixture_bound, form, v, values).upper()
        return ((low.lower() - lost).lower(), top.upper()), lost

    def lines(self) -> tuple[str, ...]:
        """What it is, the nodes and the proven bounds, as lines of text."""
        head = f"{len(self.mixture)} nodes, {len(self.mixture) ** 2} pairs per family"
        n, m = letters_of(self.forms)
        rows = [f"  {n} = {float(a):.17g}, {m} = {float(w):.17g}" for a, w in self.mixture]
        return (head, *self.mixture_bound.text(), *rows)

    def _repr_latex_(self) -> str:
        """The sum over pairs of nodes, with the generic pair written out."""
        body = self.latex_lines()
        return r"$\displaystyle \begin{aligned} " + r" \\ ".join(body) + r" \end{aligned}$"

    def latex_lines(self) -> tuple[str, ...]:
        """The dual as lines of LaTeX: what stands alone, the sums over nodes and over pairs."""
        return latex_of(self.value, self.forms)


def _collinear(
    form: LogisticSum,
    a: Fraction,
    c: Fraction,
    b: Fraction,
    slope: bool,
    values: dict[Symbol, Any],
) -> tuple[Pieces, dict[Symbol, Any]]:
    pieces, variance = collinear_pieces(form, a, c, b, slope)
    return pieces, {**values, q: ball(variance)}


def _at(a: Fraction, c: Fraction, b: Fraction) -> dict[Symbol, Any]:
    return {q11: ball(a), q12: ball(c), q22: ball(b)}


CHECKED = (Fraction(1, 100), Fraction(100))
"""The variances at which the number of nodes is decided."""
EDGES = (Fraction(1, 10**4), *SMALL)
"""More, where terms cancel at 0."""
ROUGH = 12
"""Nodes for the size of such an activation."""
FEW = 9
"""The same where there is more than polynomials beside the mixture: pairs of nodes may be dear."""


def _cancels(dual: MixtureDual) -> int:
    """3 where code leaves terms out at small variances, 1 where parts are reduced, else 0."""
    if (lowest(dual.form), lowest(dual.slope_form)) != (None, None):
        return len(EDGES)
    return int(any(p.reduced for p in dual.form.parts))


@lru_cache(maxsize=128)
def of_nodes(activation: Activation, chosen: Mixture) -> MixtureDual:
    """The dual with the nodes of `chosen`, and their proven bound."""
    form = recognise(activation)
    return MixtureDual(
        activation, form, form.derivative(), chosen, prove_bound(chosen), pair_forms(form)
    )
