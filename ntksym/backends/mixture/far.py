r"""Variances beyond which an activation of the logistic family is its leading power.

Products of variances overflow long before the dual does.  With $s(x) \to c_\pm |x|^n$, n >= 0, a
standard deviation above $2^e$ may be a smaller one: $K(q_{11}, q_{12}, q_{22}) =
t^{-n} K(t^2q_{11}, tq_{12}, q_{22})$ as far as doubles can tell, for either input.

An s that is integrable, or the derivative of one that tends to two numbers, is different where
both inputs are large: it sees how far u and v are apart.  Such an expectation is
$\frac{1}{r} g(p)$, $r$ the smaller standard deviation and $p = \sqrt{\det}/\max(r_1, r_2)$ the
standard deviation of u - v where both are near 0, and $g(p) = \mathrm{const}/p$ for large p.  So
both standard deviations are divided by one number and p is kept, up to a large one; a ratio
$r_1/r_2$ is kept up to a large one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, exp, factorial, inf, log2, sqrt
from typing import Any

from sympy import Abs, Expr, Integer, Poly, expand, log
from sympy import exp as exact_exp

from ...lower.schedule import number
from ...numeric.beside import terms_of
from ...numeric.logistic import LogisticSum, Part
from ...numeric.mixture import MixtureDual
from ...symbols import x
from ...terms import Key

BITS = 62
"""Of the leading power that are right."""
LOST = 100
"""The exponent of the largest standard deviation where nothing is known of s far out: beyond it
products of variances overflow."""
APART, SKEW = 30, 36
"""Exponents of two: p in units of the width of s, and r_1/r_2, that are as good as infinite."""
ANGLE = 56
"""The angle p/r is then below 2 to minus this."""
_WIDE = 10.0
"""Where a gate or a Gaussian is over, in standard deviations."""
UNKNOWN = 40
"""Added where parameters decide."""


@dataclass(frozen=True, slots=True)
class Far:
    """How the state of a pair is brought down, by exponents of two.

    Where nothing is known of s far out (exponentials, waves) they are not, and values are NaN.

    Attributes:
        degree: of s; -1 where it is integrable.
        lead: of the largest standard deviation that stays; where s' is integrable of the smaller.
        apart: of the p that is as good as infinite.
    """

    degree: int
    lead: int
    apart: int
    known: bool = True

    @property
    def slope(self) -> int:
        """The degree of s'; -1 where it is integrable."""
        return max(self.degree - 1, -1)

    @property
    def start(self) -> float:
        """The variance above which anything is done."""
        return 4.0**self.lead

    @property
    def last(self) -> float:
        """The variances from here on have no value."""
        return inf if self.known else self.start


def far(dual: MixtureDual) -> Far:
    """What is known of an activation and its derivative far out."""
    if not dual.form.plain:
        ends = [_beyond(f) for f in (dual.form, dual.slope_form)]
        if dual.activation.params or None in ends:
            return Far(0, LOST, 0, known=False)
    known = not dual.activation.params
    steep = [abs(number(c)) for c, _ in dual.form.families] if known else [1.0]
    more = 0 if known else UNKNOWN
    apart = APART + more + max(0, ceil(-log2(min(steep))))
    lead = max(_lead(f) for f in (dual.form, dual.slope_form)) if known else BITS + more
    degree = max(_degree(p) for p in _ends(dual.form))
    if degree < 1:
        lead = max(lead, apart + ANGLE)
    return Far(degree, lead, apart)


def _degree(p: Poly) -> int:
    return -1 if p.is_zero else int(p.degree())


def _ends(form: LogisticSum) -> tuple[Poly, Poly]:
    """The polynomials that s tends to on both sides, in |x|."""
    if not form.plain:
        found = _beyond(form)
        assert found is not None  # `far` asks first
        return found[0], found[1]
    out = []
    for side in (1, -1):
        total = form.polynomial
        for p in form.parts:
            total += p.factor * _end(p, side)
        out.append(Poly(expand(total.subs(x, side * x)), x))
    return out[0], out[1]


def _beyond(form: LogisticSum) -> tuple[Poly, Poly, float] | None:
    """The same beside functions of the exact class, and the mass that these have near zero.

    None where one of them is no power far out.
    """
    out, mass = [], 0.0
    for side in (1, -1):
        total = form.polynomial + form.rest + sum(p.factor * _end(p, side) for p in form.parts)
        row: Expr = Integer(0)
        for key, c in terms_of(expand(total)).terms.items():
            size = abs(complex(c.expr))
            if key.tilt:
                mass += _bell(key, size)
                continue
            if key.shift:
                return None
            lines = [(complex(a.expr).real, complex(b.expr).real) for a, b in key.gates]
            places = [(abs(b) + _WIDE) / abs(a) for a, b in lines]
            here = all(a * side > 0 for a, _ in lines)
            if key.step is not None:
                places.append(abs(complex(key.step.expr)))
                here = here and side > 0
            mass += 2.0 * size * max(places, default=0.0) ** (key.power + 1)
            if here:
                row += c.expr * exact_exp(key.const.expr) * (side * x) ** key.power
        out.append(Poly(expand(row), x))
    for p in form.parts:
        for key, c in terms_of(p.factor).terms.items():
            if key.tilt:
                mass += _bell(key, abs(complex(c.expr)))
            elif key.shift.split_imaginary()[0]:
                return None
            else:
                size = Abs(c.expr * exact_exp(key.const.expr))
                mass += _mass(replace(p, factor=size * x**key.power))
    return out[0], out[1], mass


def _bell(key: Key, size: float) -> float:
    """At least the integral of a term with a Gaussian and a coefficient of this size."""
    t, s = (complex(e.expr).real for e in (key.tilt, key.shift))
    reach = (abs(s) / t + _WIDE / sqrt(t)) ** (key.power + 1)
    return 2.0 * size * exp(complex(key.const.expr).real + s * s / (2.0 * t)) * reach


def _end(p: Part, side: int) -> Expr:
    """What T^(k) of a part tends to, slopes taken as positive."""
    z = p.slope * x + p.offset
    limits: dict[int, Expr] = {-1: side * z - 2 * log(2), 0: Integer(side)}
    found = limits.get(p.order, Integer(0))
    if p.reduced:
        found -= {0: z / 2, 1: Integer(1) / 2}.get(p.order, Integer(0))
    return found


def _lead(form: LogisticSum) -> int:
    """The exponent from which on lower powers, and what is integrable, are below 2^-BITS."""
    ends = _ends(form)
    n = max(_degree(p) for p in ends)
    if n < 0:
        return 0
    top = max(_size(p.coeff_monomial(x**n)) for p in ends)
    found = None if form.plain else _beyond(form)
    rest = [(-1, found[2] if found else sum(_mass(p) for p in form.parts))]
    rest += [(j, max(_size(p.coeff_monomial(x**j)) for p in ends)) for j in range(n)]
    return max(ceil((BITS + log2(c / top)) / (n - j)) for j, c in rest if c)


def _mass(p: Part) -> float:
    """About the integral of |T^(k) less its limits| times the size of the factor."""
    steep = abs(number(p.slope))
    reach = (1.0 + abs(number(p.offset))) / steep
    terms = Poly(p.factor, x).terms()
    return float(sum(_size(c) * factorial(i) * 4.0 * reach ** (i + 1) for (i,), c in terms))


def _size(c: Any) -> float:
    return abs(number(Abs(c)))
