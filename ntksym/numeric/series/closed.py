r"""Hermite coefficients in closed form, by differentiating a generating function.

$G(m) = E[s(\sqrt q Z + m)]$ is one expectation with a mean, which the engine gives in closed
form; $g_n = G^{(n)}(0) = E[s^{(n)}(\sqrt q Z)]$ and $a_n(q) = q^{n/2} g_n/\sqrt{n!}$.  G is a
sum of $P(m)\,e^{E_0 + E_1m - Cm^2/2}$, with or without a factor $\Phi(\alpha m + \beta)$; its
n-th derivative for symbolic n is Leibniz' rule with $\frac{d^k}{dm^k}e^{E_1m - Cm^2/2}\big|_0 =
C^{k/2} He_k(E_1/\sqrt C)$ and $\Phi^{(k)}(\beta) = He_{k-1}(-\beta)\varphi(\beta)$.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sympy import (
    Add,
    Dummy,
    Expr,
    Integer,
    Pow,
    Sum,
    Symbol,
    binomial,
    cos,
    exp,
    factorial,
    factorial2,
    ff,
    hermite_prob,
    pi,
    sin,
    sqrt,
)

from ...activation import Activation
from ...errors import NoClosedForm
from ...exact import Exact, Field
from ...functions import Phi, density
from ...gaussian import ClosedForm, Law, expect
from ...gaussian.closed import Atom
from ...symbols import m, q
from ...terms import decompose

N = Symbol("n", integer=True, nonnegative=True)
"""The index of a general coefficient."""


@dataclass(frozen=True, slots=True)
class GeneratingFunction:
    r"""$G(m) = E[s(\sqrt q Z + m)]$ as the engine's closed form, in `symbols.q` and `symbols.m`."""

    form: ClosedForm

    def derivative(self, n: int) -> Expr:
        r"""$g_n(q) = G^{(n)}(0)$ for a number n, in closed form."""
        return _derivatives(self, n).substitute(m, self.form.field.integer(0)).expr


@lru_cache(maxsize=4096)
def _derivatives(g: GeneratingFunction, n: int) -> ClosedForm:
    return g.form if n == 0 else _derivatives(g, n - 1).diff(m)


@dataclass(frozen=True, slots=True)
class GeneralTerm:
    """The formula of $g_n$ for every n from `start` on.

    Attributes:
        formula: in `q` and the index `N`; zero for a polynomial.
        start: the first n for which it holds.
    """

    formula: Expr
    start: int


@lru_cache(maxsize=128)
def generating_function(activation: Activation) -> GeneratingFunction:
    """The generating function of an activation.

    Raises:
        NoClosedForm: outside the class of closed forms.
    """
    if q in activation.expr.free_symbols or m in activation.expr.free_symbols:
        raise NoClosedForm(
            "a parameter has the name of the variance or of the mean",
            hint="another name for the parameter",
        )
    field = Field((q, m, *activation.params))
    terms = decompose(activation.expr, field)
    return GeneratingFunction(expect(Law.single(field, centred=False), terms))


@lru_cache(maxsize=128)
def general_term(g: GeneratingFunction) -> GeneralTerm | None:
    """The formula for symbolic n, or None where a term has none (a product of two gates)."""
    total: Expr = Integer(0)
    start = 0
    for (exponent, atom), coefficient in g.form.terms.items():
        found = _term(g.form.field, exponent, atom, coefficient)
        if found is None:
            return None
        total, start = total + found.formula, max(start, found.start)
    return GeneralTerm(total, start)


def _term(field: Field, exponent: Exact, atom: Atom, coefficient: Exact) -> GeneralTerm | None:
    polynomial = _taylor(field, coefficient, 64)
    bend = _taylor(field, exponent, 2)
    if polynomial is None or bend is None:
        return None
    e0, e1, e2 = (*bend, *[field.integer(0)] * 3)[:3]
    slope = offset = field.integer(0)
    if atom.kind == "Phi":
        line = _taylor(field, atom.args[0], 1)
        if line is None:
            return None
        offset, slope = (*line, field.integer(0))[:2]
    elif any(a.diff(m) for a in atom.args):
        return None
    degree = len(polynomial) - 1
    if slope:
        start, inner = degree + 1, _with_gate
    elif e1 or e2:
        start, inner = degree, None
    else:  # a polynomial: its derivatives vanish above its degree
        return GeneralTerm(Integer(0), degree + 1)
    total: Expr = Integer(0)
    for j, p in enumerate(polynomial):
        if not p:
            continue
        k = N - j
        here = (
            inner(k, e1, e2, slope, offset)
            if inner is not None
            else _real(k, p, e0, e1, e2) * _constant(atom)
        )
        factor = p.expr * exp(e0.expr) if inner is not None else Integer(1)
        total += ff(N, j) * factor * here
    return GeneralTerm(total, start)


def _constant(atom: Atom) -> Expr:
    """An atom that does not depend on the mean."""
    form = {"1": Integer(1)}
    if atom.kind in form:
        return form[atom.kind]
    if atom.kind == "Phi":
        return Phi(atom.args[0].expr)
    raise NoClosedForm(f"a factor {atom.kind} in the generating function")


def _taylor(field: Field, e: Exact, most: int) -> list[Exact] | None:
    """The Taylor coefficients in m at 0 of a polynomial in m of degree <= most, else None."""
    zero = field.integer(0)
    out: list[Exact] = []
    for j in range(most + 1):
        at = e.substitute(m, zero)
        scale = 1
        for i in range(2, j + 1):
            scale *= i
        out.append(at * field.rational(1, scale))
        e = e.diff(m)
        if not e:
            while len(out) > 1 and not out[-1]:
                out.pop()
            return out
    return None


def _bell(k: Expr, e1: Expr, c: Expr) -> Expr:
    r"""$\frac{d^k}{dm^k}e^{e_1m - cm^2/2}$ at 0."""
    if c == 0:
        return Pow(e1, k)
    if c.is_positive is False or c.is_negative:
        i = Dummy("i", integer=True, nonnegative=True)
        body = factorial(k) / (factorial(i) * factorial(k - 2 * i))
        if e1 == 0:
            even = (1 + (-1) ** k) / 2
            return even * (-c / 2) ** (k / 2) * factorial(k) / factorial(k / 2)
        return Sum(body * e1 ** (k - 2 * i) * (-c / 2) ** i, (i, 0, k / 2))
    return c ** (k / 2) * _hermite(k, e1 / sqrt(c))


def _hermite(k: Expr, z: Expr) -> Expr:
    """He_k(z); at 0 written out: SymPy 1.14 has a wrong value there for symbolic k."""
    if z == 0:
        return cos(pi * k / 2) * factorial2(k - 1)
    return hermite_prob(k, z)


def _real(k: Expr, p: Exact, e0: Exact, e1: Exact, e2: Exact) -> Expr:
    """The real part of p exp(e0) times the k-th derivative: terms come in conjugate pairs."""
    c = (-(e2 + e2)).expr
    real, imag = e1.split_imaginary()
    if not imag:
        return p.expr * exp(e0.expr) * _bell(k, e1.expr, c)
    if real or c != 0:
        return p.expr * exp(e0.expr) * _bell(k, e1.expr, c)
    height, phase = e0.split_imaginary()
    cosine, sine = p.split_imaginary()
    angle = k * pi / 2 + phase.expr
    turn = cosine.expr * cos(angle) - sine.expr * sin(angle)
    return exp(height.expr) * Pow(imag.expr, k) * turn


def _with_gate(k: Expr, e1: Exact, e2: Exact, slope: Exact, offset: Exact) -> Expr:
    r"""$\frac{d^k}{dm^k}e^{e_1m + e_2m^2}\Phi(\alpha m + \beta)$ at 0, k >= 1."""
    a, b = slope.expr, offset.expr

    sign = -1 if a.is_negative else 1

    def gate(i: Expr) -> Expr:  # He_k(-z) = (-1)^k He_k(z)
        return sign * (sign * a) ** i * _hermite(i - 1, -sign * b) * density(b)

    if not e1 and not e2:
        return gate(k)
    c = (-(e2 + e2)).expr
    i = Dummy("i", integer=True, positive=True)
    rest = binomial(k, i) * _bell(k - i, e1.expr, c) * gate(i)
    return Add(_bell(k, e1.expr, c) * Phi(b), Sum(rest, (i, 1, k)))


def orthonormal(g: Any, n: Expr | int) -> Expr:
    r"""$a_n = q^{n/2} g_n/\sqrt{n!}$ from $g_n$."""
    index = n if isinstance(n, Expr) else Integer(n)
    return Pow(q, index / 2) * g / sqrt(factorial(index))
