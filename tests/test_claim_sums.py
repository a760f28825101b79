"""Sums in claimed formulas: published series, their values, and what is left undecided."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from flint import fmpq

from ntksym.check import check
from ntksym.claims.scope import Scope, free_names
from ntksym.errors import BadActivation, NoValue, NtksymError, ParseError, TooLarge, Undecided
from ntksym.latex import read_latex
from ntksym.precision import precision
from ntksym.verify.balls import enclose_expr
from ntksym.verify.evaluate import constant, real_ball
from ntksym.verify.report import Verdict
from ntksym.verify.surd import Surd

RHO = sympy.Symbol("rho", real=True)
ARCSIN = r"\frac{2}{\pi} \sum_{k=0}^{\infty} \frac{((2k-1)!!)^2}{(2k+1)!} \rho^{2k+1}"
RELU = (
    r"\hat\sigma(\rho) = \frac{1}{\pi} + \frac{\rho}{2}"
    r" + \frac{1}{\pi} \sum\limits_{n \ge 1} \frac{((2n-3)!!)^2}{(2n)!} \rho^{2n}"
)


def value(text: str, rho: tuple[int, int]) -> tuple[mpmath.mpf, mpmath.mpf]:
    """The ball around a formula, as midpoint and radius."""
    expr = Scope({"rho": RHO}, {"_": lambda e: e}).read(text)
    with precision(160):
        found = real_ball(constant(expr, {RHO: Surd.rational(fmpq(*rho))}))
        mid, rad = found.mid().str(45, radius=False), found.rad().str(5, radius=False)
    return mpmath.mpf(mid), mpmath.mpf(rad)


@pytest.mark.parametrize(
    ("activation", "fields"),
    [
        ("sign", {"latex": ARCSIN}),
        ("sqrt(2)*relu(x)", {"latex": RELU}),
        ("sin", {"latex": r"\sum_{m=0}^\infty a_m^2 \rho^{2m+1}, \quad \text{where } a_m = "
                          r"\frac{1}{\sqrt{e (2m+1)!}}"}),
        ("sign", {"formula": "2/pi*Sum(binomial(2*n, n)*rho^(2*n+1)/(4^n*(2*n+1)), n, 0, oo)"}),
        ("x^3 - x", {"formula": "Sum(factorial(n + 1)*rho^n, n, 0, 3) - 1 + 2*rho - 6*rho^2"
                                " - 18*rho^3"}),
    ],
)  # fmt: skip
def test_published_series_are_enclosed(activation: str, fields: dict[str, str]) -> None:
    found = check(activation=activation, quantity="normalised", **fields)
    assert found.verdict >= Verdict.ENCLOSED, (found.error, found.evidence)


@pytest.mark.parametrize(
    "latex",
    [ARCSIN.replace("^2}", "}", 1), ARCSIN.replace("k=0", "k=1"), ARCSIN.replace(r"\infty", "6")],
)
def test_series_with_a_slip_are_refuted(latex: str) -> None:
    found = check(activation="sign", quantity="normalised", latex=latex)
    assert found.verdict is Verdict.REFUTED and found.corrected == "2*asin(rho)/pi"


@pytest.mark.parametrize(
    ("text", "rho", "exact"),
    [
        ("Sum(factorial(2*n)*rho^(2*n+1)/(4^n*factorial(n)^2*(2*n+1)), n, 0, oo)", (1, 1),
         lambda r: mpmath.asin(r)),
        ("Sum(n^2*rho^n, n, 0, oo)", (-9, 10), lambda r: r * (1 + r) / (1 - r) ** 3),
        ("Sum((n - 3)*(n - 1)*rho^n, n, 0, oo)", (1, 2), lambda r: mpmath.mpf(4)),
        ("Sum(rho^n/gamma(n/2 + 1), n, 0, oo)", (7, 3),
         lambda r: mpmath.exp(r * r) * (1 + mpmath.erf(r))),
        ("Sum(binomial(-1/2, n)*rho^n, n, 0, oo)", (3, 5), lambda r: 1 / mpmath.sqrt(1 + r)),
        ("Sum(binomial(7, n)*rho^n, n, 0, oo)", (5, 1), lambda r: (1 + r) ** 7),
        ("Sum(binomial(-3, n)*rho^n, n, 0, oo)", (1, 5), lambda r: (1 + r) ** -3),
        ("Sum(((1 + (-1)^n)/2)^2*rho^n/n^2, n, 1, oo)", (19, 20),
         lambda r: mpmath.polylog(2, r * r) / 4),
        ("Sum(rho^n/(n^2 + 1), n, -2, oo)", (1, 2),
         lambda r: mpmath.nsum(lambda n: r**n / (n**2 + 1), [-2, mpmath.inf])),
        ("Sum(exp(-n)*rho^n/factorial2(2*n), n, 0, oo)", (3, 1),
         lambda r: mpmath.exp(r / (2 * mpmath.e))),
        ("Sum(factorial2(n - 1)*rho^n/factorial(n), n, 0, oo)", (3, 2),
         lambda r: mpmath.nsum(lambda n: mpmath.fac2(n - 1) * r**n / mpmath.fac(n),
                               [0, mpmath.inf])),
        ("Sum(binomial(-1/2, n)*rho^n, n, 0, 2)", (1, 3), lambda r: 1 - r / 2 + 3 * r * r / 8),
        ("Sum(binomial(-2, n)*binomial(2, n - 1)*rho^n, n, 0, 3)", (1, 3),
         lambda r: -2 * r + 6 * r * r - 4 * r**3),
        ("Sum(rho^n/gamma(n - 2), n, 0, oo)", (2, 1), lambda r: r**3 * mpmath.exp(r)),
        ("Sum(rho^n, n, 3, 2)", (1, 2), lambda r: mpmath.mpf(0)),
    ],
)  # fmt: skip
def test_values_against_closed_forms(text: str, rho: tuple[int, int], exact: object) -> None:
    with mpmath.workdps(40):
        mid, rad = value(text, rho)
        wanted = exact(mpmath.mpf(rho[0]) / rho[1])  # type: ignore[operator]
        assert abs(mid - wanted) <= rad + mpmath.mpf(10) ** -36 * (1 + abs(wanted))
        assert rad <= mpmath.mpf(10) ** -30 * (1 + abs(wanted))


def test_a_series_near_the_end_of_its_disc_has_its_digits() -> None:
    n = sympy.Symbol("n", integer=True, nonnegative=True)
    found = enclose_expr(
        sympy.Sum(RHO**n / n**2, (n, 1, sympy.oo)), {RHO: sympy.Rational(999, 1000)}, digits=20
    )
    with mpmath.workdps(30):
        wanted = mpmath.polylog(2, mpmath.mpf(999) / 1000)
        mid = mpmath.mpf(found.mid.numerator) / found.mid.denominator
        assert abs(mid - wanted) <= mpmath.mpf(float(found.rad)) * 2 < mpmath.mpf(10) ** -19


@pytest.mark.parametrize(
    ("text", "rho", "why"),
    [
        ("Sum(rho^n, n, 0, oo)", (1, 1), "not proved to converge"),
        ("Sum(1/n, n, 1, oo)", (1, 2), "not proved to converge"),
        ("Sum(rho^n, n, 0, oo)", (3, 2), "diverges"),
        ("Sum(factorial(n)*rho^n, n, 0, oo)", (1, 9), "diverges"),
        ("Sum(sin(n)*rho^n, n, 0, oo)", (1, 2), "no bound for the tail"),
        ("Sum(piecewise((n + 1, n > 3), (n + 2, True))*rho^n, n, 0, oo)", (1, 2), "no bound"),
        ("Sum(rho^piecewise((n + 1, n > 3), (n + 2, True)), n, 0, oo)", (1, 2), "no bound"),
        ("Sum(rho^n/(n - 2), n, 0, oo)", (1, 2), "no"),
        ("Sum(rho^n/sqrt(n + 1), n, 0, oo)", (1, 2), "no bound"),
    ],
)
def test_series_without_a_bound_are_undecided(text: str, rho: tuple[int, int], why: str) -> None:
    with pytest.raises(Undecided) as raised:
        mid, _ = value(text, rho)
        assert mpmath.isfinite(mid), "no finite value"
    assert why in raised.value.what


@pytest.mark.parametrize(
    ("text", "error", "what"),
    [
        ("Sum(rho^n, n, 0)", ParseError, "takes a term, the name of its index and two limits"),
        ("Sum(rho^n, 2, 0, oo)", ParseError, "takes a term"),
        ("Sum(rho^n, n, 1/2, oo)", ParseError, "starts at a whole number"),
        ("Sum(rho^n, n, 0, rho)", ParseError, "ends at a whole number"),
        ("Sum(rho^n, n, 1, 1001 + 1)", TooLarge, "a sum of 1002 terms"),
        ("Sum(rho^n, n, 5000, oo)", TooLarge, "a sum from 5000"),
        ("Sum(factorial2(n/2)*rho^n, n, 0, oo)", BadActivation, "the double factorial of n/2"),
        ("rho*factorial2(1/2)", BadActivation, "the double factorial of 1/2"),  # refutes nothing
        ("rho*factorial2(-2)", NoValue, "factorial2 has no real value"),
        ("Sum(rho^n, n, 0, oo) + n", NtksymError, "the name 'n' is not bound"),
    ],
)
def test_sums_that_cannot_be_read(text: str, error: type[NtksymError], what: str) -> None:
    with pytest.raises(error) as raised:
        Scope({"rho": RHO}, {"_": lambda e: e}).read(text)
    assert what in raised.value.what


def test_double_factorials_of_odd_negative_numbers() -> None:
    """As series have them in their first terms: (-1)!! = 1, (-3)!! = -1, (-5)!! = 1/3."""
    read = Scope({"rho": RHO}, {"_": lambda e: e}).read
    assert [read(f"factorial2({n})") for n in (-1, -3, -5)] == [1, -1, sympy.Rational(1, 3)]


def test_the_index_is_no_name_of_the_formula() -> None:
    assert free_names("Sum(a^n, n, 0, oo) + b") == ("a", "b")
    assert free_names("Sum(a^n, n, 0, oo) + n") == ("a", "n")


def test_latex_of_sums() -> None:
    assert read_latex(r"2\sum_{n=0}^{3} n^2 + x").text == "2*Sum(n**2, n, 0, 3) + x"
    assert read_latex(r"\left(\sum_{n\ge1} x^n\right)^2").text == "Sum(x**n, n, 1, oo)**2"
    assert read_latex(r"\sum_{i=0}^\infty x^i").text == "Sum(x**i, i, 0, oo)"
    assert read_latex(r"\sum_{E=0}^\infty x^E").text == "Sum(x**index_E, index_E, 0, oo)"
