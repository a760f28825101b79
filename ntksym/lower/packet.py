r"""Duals of a polynomial times a bell that is not about 0, without cancellation.

With $s(x) = p(x)\,e^{-\alpha(x - \mu)^2/2}$ the two bells and the joint density are together the
dual of the bell alone, $K_0$, times a normal density of the variances $\Sigma'$ (see `tilt`) and
the means
$$m_1 = \mu + \nu_1 = \alpha\mu\,\frac{q_{11} + q_{12} + \alpha\det}D, \qquad
\nu_1 = -\mu\,\frac{1 + \alpha(q_{22} - q_{12})}D,$$
and alike with the other variance for $m_2$.  So by Mehler's series, finite here,
$$E[s(u)s(v)] = K_0 \sum_n \frac{q_{12}'^n}{n!}\,M_n(m_1, q_{11}')\,M_n(m_2, q_{22}'), \qquad
M_n(m, q) = \sum_j p^{(n+2j)}(m)\,\frac{q^j}{2^j j!},$$
and the derivative dual likewise with $p' - \alpha(x - \mu)p$ for p.  A polynomial is formed of
powers of m or of $\nu$, whichever is smaller: about $\mu$ the powers of m cancel, about 0 those of
$\nu$.  As one polynomial over a power of D the dual cancels where variances are not small.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from sympy import Add, Expr, Integer, Mul, Pow, exp, expand, factorial

from .. import symbols as S
from ..activation import Activation
from ..dual import Dual, dual
from ..symbols import x
from .polynomial import DET
from .products import Products
from .program import Operand

Coefficients = tuple[Expr, ...]
"""Of a polynomial, the constant first."""


@dataclass(frozen=True, slots=True)
class Packet:
    """The rate and the centre of the bell, the polynomial, and the dual of the bell alone."""

    rate: Expr
    centre: Expr
    polynomial: Expr
    bell: Dual

    @property
    def slope(self) -> Expr:
        """The polynomial of the derivative of s."""
        return self.polynomial.diff(x) - self.rate * (x - self.centre) * self.polynomial

    def pair(self, b: Products) -> tuple[Operand, Operand]:
        """The dual and its derivative, in a builder with q11, q12, q22."""
        a, mu = self.rate, self.centre
        below = b.operand(1 + a * (S.q11 + S.q22) + a**2 * DET)
        widths = [b.emit("div", b.operand(q + a * DET), below) for q in (S.q11, S.q22)]
        both = b.emit("div", "q12", below)
        places = []
        for own, other in ((S.q11, S.q22), (S.q22, S.q11)):
            near = b.operand(own + S.q12 + a * DET)
            m = b.emit("div", b.emit("mul", near, b.operand(a * mu)), below)
            far = b.operand(1 + a * (other - S.q12))
            places.append((m, b.emit("div", b.emit("mul", far, b.operand(-mu)), below)))
        return self._ends(b, b.operand(self.bell.value), places, widths, both)

    def diagonal(self, b: Products) -> tuple[Operand, Operand]:
        """The same of u = v, in a builder with q."""
        a, mu = self.rate, self.centre
        below = b.operand(1 + 2 * a * S.q)
        width = b.emit("div", "q", below)
        m = b.emit("mul", width, b.operand(2 * a * mu))
        places = [(m, b.emit("div", b.operand(-mu), below))] * 2
        return self._ends(b, b.operand(self.bell.diag), places, [width] * 2, width)

    def _ends(
        self,
        b: Products,
        bell: Operand,
        places: list[tuple[Operand, Operand]],
        widths: list[Operand],
        both: Operand,
    ) -> tuple[Operand, Operand]:
        found = []
        for p in (self.polynomial, self.slope):
            means = [
                _means(b, p, self.centre, place, width)
                for place, width in zip(places, widths, strict=True)
            ]
            total: Operand = Fraction(0)
            for n in reversed(range(len(means[0]))):  # by Horner's rule, in q12'/n
                total = b.emit("mul", total, b.emit("mul", both, b.operand(Pow(n + 1, -1))))
                total = b.emit("add", total, b.emit("mul", means[0][n], means[1][n]))
            found.append(b.emit("mul", bell, total))
        return found[0], found[1]


@lru_cache(maxsize=256)
def packet(activation: Activation, rate: Expr, f: Expr) -> Packet | None:
    """The parts of exp(-rate x^2/2) f; None where f is no polynomial times one exponential of x."""
    found: dict[Expr, Expr] = {}
    for term in Add.make_args(f):
        grown = Mul(*(part for part in Mul.make_args(term) if isinstance(part, exp)))
        found[grown] = found.get(grown, Integer(0)) + term / grown
    grown, polynomial = found.popitem()
    polynomial = expand(polynomial)
    if found or not isinstance(grown, exp) or not polynomial.is_polynomial(x):
        return None
    centre = expand(grown.args[0]).coeff(x, 1) / rate
    if centre == 0:
        return None
    alone = Activation(f"bell of {activation.name}", grown * exp(-rate * x**2 / 2))
    return Packet(rate, centre, polynomial, dual(alone))


def _means(
    b: Products, p: Expr, mu: Expr, place: tuple[Operand, Operand], width: Operand
) -> list[Operand]:
    """M_n for every n up to the degree of p."""
    about = _coefficients(p), _coefficients(p.xreplace({x: x + mu}))
    smaller = [b.emit("abs", end) for end in place]
    values: list[Operand] = []
    for k in range(len(about[0])):
        near, far = (
            _value(b, _derivative(cs, k), end) for cs, end in zip(about, place, strict=True)
        )
        values.append(b.emit("select", *smaller, near, far, hint="value"))
    means: list[Operand] = []
    for n in range(len(values)):
        total: Operand = Fraction(0)
        for j in reversed(range((len(values) - n + 1) // 2)):
            share = b.operand(1 / (2**j * factorial(j)))
            total = b.emit(
                "add", b.emit("mul", total, width), b.emit("mul", values[n + 2 * j], share)
            )
        means.append(total)
    return means


def _coefficients(p: Expr) -> Coefficients:
    p = expand(p)
    degree = max(term.as_coeff_exponent(x)[1] for term in Add.make_args(p))
    return tuple(p.coeff(x, n) for n in range(int(degree) + 1))


def _derivative(coefficients: Coefficients, k: int) -> Coefficients:
    """Of the k-th derivative."""
    pairs = enumerate(coefficients[k:])
    return tuple(c * factorial(n + k) / factorial(n) for n, c in pairs)


def _value(b: Products, coefficients: Coefficients, at: Operand) -> Operand:
    """By Horner's rule."""
    total: Operand = Fraction(0)
    for c in reversed(coefficients):
        total = b.emit("add", b.emit("mul", total, at), b.operand(c))
    return total
