r"""`SeriesDual`: the dual as its Hermite series, symbolic where closed, certified where not.

$K(q_{11}, q_{12}, q_{22}) = \sum_n a_n(q_{11})\,a_n(q_{22})\,\rho^n$ (Mehler 1866; Daniely,
Frostig & Singer 2016), and for the derivative dual $\sum_n
n\,a_n(q_{11})\,a_n(q_{22})\,\rho^{n-1}/\sqrt{q_{11}q_{22}}$.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sympy import Basic, Expr, Lambda, Pow, Sum, factorial, latex, oo, sqrt

from ...activation import Activation
from ...brief import Brief
from ...errors import NoClosedForm, Undecided
from ...precision import precision
from ...steps import Step
from ...symbols import q, q11, q12, q22, x
from ..arith import ball
from .closed import GeneralTerm, GeneratingFunction, N, general_term, generating_function
from .closed import orthonormal as _orthonormal
from .enclosed import Coefficients, coefficients, rational, slope_moment
from .named import HermiteCoefficient
from .tail import Rest, slope_tail, value_tail
from .truncation import Truncation, truncation

MOST_TERMS = 4096
_FIRST = 32


@dataclass(frozen=True, slots=True, repr=False)
class SeriesDual(Brief):
    """The Hermite series of a dual.

    Attributes:
        activation: s.
        terms: how many terms the finite sums have (n < terms) where there is no closed form.
        closed: the generating function, or None outside the class.
        general: the formula for symbolic n, or None.
    """

    activation: Activation
    terms: int
    closed: GeneratingFunction | None
    general: GeneralTerm | None
    method: str = "series"

    # -- the fields of a `Dual` --------------------------------------------------------------------

    @property
    def value(self) -> Expr:
        r"""The dual: first terms and a `Sum` to infinity where closed, else the finite sum."""
        return self._series(False)

    @property
    def dot(self) -> Expr:
        """The derivative dual, term by term the derivative of `value` in q12."""
        return self._series(True)

    @property
    def diag(self) -> Expr:
        """The same at q11 = q22 = q12 = q."""
        return self.value.subs({q11: q, q22: q, q12: q})

    @property
    def diag_dot(self) -> Expr:
        """The same at q11 = q22 = q12 = q; the sum does not converge where s jumps."""
        return self.dot.subs({q11: q, q22: q, q12: q})

    @property
    def conditions(self) -> tuple[Basic, ...]:
        """None beyond E[s(u)^2] < oo."""
        return ()

    @property
    def exact(self) -> bool:
        """Whether `value` is the dual itself and not its first `terms` terms."""
        return self.general is not None

    def coefficient(self, n: int) -> Expr:
        r"""$a_n$ in `symbols.q`: the closed form for this n, else the named function."""
        if self.closed is None:
            return HermiteCoefficient(Lambda(x, self.activation.expr), n, q)
        return _orthonormal(self.closed.derivative(n), n)

    def _series(self, slope: bool) -> Expr:
        if self.closed is None or self.general is None:
            return self._finite(slope)
        down = 1 if slope else 0
        total: Expr = q12 * 0
        for n in range(down, self.general.start):
            g = self.closed.derivative(n)
            both = g.subs(q, q11) * g.subs(q, q22)
            total += both * q12 ** (n - down) / factorial(n - down)
        if self.general.formula == 0:
            return total
        g = self.general.formula
        body = g.subs(q, q11) * g.subs(q, q22) * Pow(q12, N - down) / factorial(N - down)
        return total + Sum(body, (N, max(self.general.start, down), oo))

    def _finite(self, slope: bool) -> Expr:
        name = Lambda(x, self.activation.expr)
        rho = q12 / sqrt(q11 * q22)
        both = HermiteCoefficient(name, N, q11) * HermiteCoefficient(name, N, q22)
        body = both * Pow(rho, N)
        if slope:
            body = N * both * Pow(rho, N - 1) / sqrt(q11 * q22)
        return Sum(body, (N, 1 if slope else 0, self.terms - 1))

    # -- numbers with bounds -----------------------------------------------------------------------

    def numbers(
        self, variance: Any, *, bits: int = 128, params: Mapping[Any, Any] | None = None
    ) -> tuple[Any, ...]:
        """`verify.Ball`s of a_0, ..., a_{terms-1} at an exact variance."""
        from ...verify.ball import Ball

        found = coefficients(self.activation, variance, self.terms, bits=bits, params=params)
        return tuple(Ball.from_arb(a) for a in found.values)

    def enclose(
        self,
        a: Any,
        c: Any,
        b: Any,
        *,
        derivative: bool = False,
        digits: int = 15,
        params: Mapping[Any, Any] | None = None,
    ) -> Any:
        """A `verify.Ball` of the dual at exact (q11, q12, q22) = (a, c, b), tail included.

        The number of terms is doubled until the radius is at most 10^-digits |value|, or
        10^-(digits + 15).

        Raises:
            BadCovariance: not positive semi-definite, or not exact rationals.
            Undecided: not reached with 4096 terms; the best ball is in the message.
        """
        from ...verify.ball import Ball
        from ...verify.law import Law, exact

        law = Law(exact(0), exact(0), exact(a), exact(c), exact(b))
        bits = int(3.33 * digits) + 40
        count, best = max(self.terms, _FIRST), None
        while True:
            with precision(bits + 32):
                value = self._ball(law, count, derivative, bits, dict(params or {}))
                if value.is_finite():
                    found = Ball.from_arb(value)
                    best = found if best is None or found.rad < best.rad else best
            if best is not None and (
                best.rel_digits >= digits or best.rad * 10 ** (digits + 15) <= 1
            ):
                return best
            count *= 2
            if count > MOST_TERMS:
                where = "no finite enclosure" if best is None else f"best enclosure: {best}"
                raise Undecided(
                    f"the Hermite series of {self.activation.expr} does not reach {digits} digits "
                    f"with {count // 2} terms",
                    where=where,
                    hint="a correlation further from 1, or another method",
                )

    def _ball(self, law: Any, count: int, slope: bool, bits: int, params: dict[Any, Any]) -> Any:
        from flint import arb

        sides = []
        for v in (law.q11, law.q22):
            variance = rational(v)
            found = coefficients(self.activation, variance, count, bits=bits, params=params)
            rest = found.rest
            bend = self._slope_rest(found, variance, bits, params) if slope else None
            sides.append((found.values, Rest(rest, bend, ball(variance))))
        (first, rest1), (second, rest2) = sides
        degenerate = law.q11 == 0 or law.q22 == 0
        root = (arb(law.q11) * arb(law.q22)).sqrt()
        if law.q11 * law.q22 == law.q12 * law.q12 and not degenerate:
            rho = arb(1 if law.q12 > 0 else -1)
        else:
            rho = arb(0) if degenerate else arb(law.q12) / root
        if slope and degenerate:
            raise Undecided(
                "the series of the derivative dual needs variances above 0",
                hint="`ntksym eval` for a variance of 0",
            )
        total = arb(0)
        for n in range(count - 1, -1, -1):  # Horner's rule
            if not slope:
                total = total * rho + first[n] * second[n]
            elif n:
                total = total * rho + n * first[n] * second[n]
        tail = (slope_tail if slope else value_tail)(abs(rho), count, rest1, rest2)
        if degenerate:
            tail = arb(0)
        return total / root + arb(0, tail) if slope else total + arb(0, tail)

    def _slope_rest(
        self, found: Coefficients, variance: Fraction, bits: int, params: dict[Any, Any]
    ) -> Any | None:
        second = slope_moment(self.activation, variance, bits=bits, params=params)
        if second is None:
            return None
        for n, value in enumerate(found.values):
            second = second - n * value * value / ball(variance)
        return second.upper()

    def truncation(
        self,
        rho_max: Any,
        variances: tuple[Any, Any],
        *,
        terms: int = 0,
        params: Mapping[Any, Any] | None = None,
    ) -> Truncation:
        """The proven error of the first `terms` terms for |rho| <= rho_max and these variances.

        It holds for every pair of variances in [lo, hi], not at samples.
        """
        count = terms or self.terms
        return truncation(self.activation, rho_max, variances, count, dict(params or {}))

    # -- words -------------------------------------------------------------------------------------

    @property
    def steps(self) -> tuple[Step, ...]:
        """The rules: expansion, generating function, the general coefficient."""
        out = [
            Step(
                "Hermite series",
                r"\mathbb{E}[s(u)s(v)]",
                r"\sum_n a_n(q_{11})\,a_n(q_{22})\,\rho^n",
            )
        ]
        if self.closed is not None:
            out.append(
                Step(
                    "generating function",
                    r"G(m) = \mathbb{E}[s(\sqrt q Z + m)]",
                    latex(self.closed.form.expr),
                )
            )
        if self.general is not None:
            left = rf"G^{{(n)}}(0),\ n \ge {self.general.start}"
            out.append(Step("its derivatives", left, latex(self.general.formula)))
        return tuple(out)

    def _repr_latex_(self) -> str:
        rows = (
            rf"\mathbb{{E}}[\sigma(u)\sigma(v)] &= {latex(self.value)}",
            rf"\mathbb{{E}}[\sigma'(u)\sigma'(v)] &= {latex(self.dot)}",
        )
        return r"$\displaystyle \begin{aligned} " + r" \\ ".join(rows) + r" \end{aligned}$"


def series_dual(
    activation: Any,
    *,
    terms: int = 0,
    error: float = 1e-10,
    rho_max: Any = 1,
    variances: tuple[Any, Any] = (1, 1),
    params: Mapping[Any, Any] | None = None,
) -> SeriesDual:
    """The Hermite series of a dual.

    Args:
        activation: an `Activation`, or what `language.as_activation` reads.
        terms: how many terms of the finite sums; 0: as many as `error` needs.
        error: of the dual, relative to sqrt(K(q11) K(q22)), for |rho| <= rho_max and variances in
            the range; proven.
        rho_max: the largest |rho|, exact: at most 1.
        variances: (lo, hi), exact, 0 < lo <= hi.
        params: exact values of the parameters, where `terms` is to be found.

    Raises:
        Undecided: 4096 terms do not reach `error`: the message has the best bound.
        NotSquareIntegrable: E[s(u)^2] is infinite.
    """
    from ...language import as_activation

    read = as_activation(activation)
    if not terms:
        terms = _needed(read, error, rho_max, variances, dict(params or {}))
    closed: GeneratingFunction | None
    try:
        closed = generating_function(read)
        general = general_term(closed)
    except NoClosedForm:
        closed = general = None
    return SeriesDual(read, terms, closed, general)


def _needed(
    activation: Activation,
    error: float,
    rho_max: Any,
    variances: tuple[Any, Any],
    params: dict[Any, Any],
) -> int:
    """The fewest terms, from the two ends of the range, checked for the whole range."""
    from .truncation import fewest

    return fewest(activation, error, rho_max, variances, params, MOST_TERMS)


__all__ = ["SeriesDual", "Truncation", "series_dual"]
