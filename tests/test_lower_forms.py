"""Forms of duals that do not cancel: grades, one-point factors, bells; what they equal."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from flint import acb, arb
from mpmath import MPContext
from sympy import Add, Integer, Rational, Symbol, expand

from ntksym import symbols as S
from ntksym.activations import named
from ntksym.collapse.straight import Straight
from ntksym.dual import dual
from ntksym.language import as_activation
from ntksym.lower import lower_dual, lower_dual_diag
from ntksym.lower.build import Builder
from ntksym.lower.calm import calm
from ntksym.lower.direct_where import Weigher
from ntksym.lower.polynomial import DET, monomials, positive_form
from ntksym.lower.program import Let, Program
from ntksym.lower.repeated import Repeated
from ntksym.lower.rough import Sizes
from ntksym.lower.separate import separated
from ntksym.lower.tilt import bell_elsewhere, tilt
from ntksym.lower.wide import outputs
from ntksym.precision import precision
from ntksym.runtime.compile import compile as compile_kernel
from ntksym.verify.balls import enclose_expr

CTX = MPContext()
CTX.dps = 40
POINTS = ((2.0, 0.7, 1.5), (1e-3, -9e-4, 1e-3), (4.0e5, 3.9e5, 3.9e5))
DETERMINANT = S.q11 * S.q22 - S.q12**2


def test_a_grade_is_positive_where_no_single_coordinate_is() -> None:
    mixed = S.q12**2 * S.q11 + expand(3 * DETERMINANT**2 + 2 * DETERMINANT * S.q12**2)
    form = positive_form(expand(mixed))
    assert form is not None and expand(form.xreplace({DET: DETERMINANT}) - mixed) == 0
    assert all(c.is_positive for c in monomials(form).values())
    assert positive_form(expand(DETERMINANT - S.q12**2)) is None


def test_duals_of_polynomials_in_factors_of_one_point() -> None:
    value = dual(named("hermite5")).value
    found = separated(value)
    assert found is not None and expand(found - value) == Integer(0)
    assert found.has(S.q11 - 1) and found.has(S.q22 - 1)
    assert separated(dual(named("square")).value) is None


def test_what_changes_sign_is_written_where_it_cancels_least() -> None:
    e = expand(S.q11 - DETERMINANT**2)
    found = calm(e)
    assert found is not None and DET in found.free_symbols
    assert expand(found.xreplace({DET: DETERMINANT}) - e) == 0
    assert calm(S.q11 + S.q12 - 1) is None
    known, unknown = Symbol("c", positive=True), Symbol("c", real=True)
    assert calm(expand(known * e)) is not None and calm(expand(unknown * e)) is None


def test_long_numerators_keep_their_digits_beside_rho_one() -> None:
    """A hundred terms of both signs, 5e14 times what they leave; one form leaves 1e6 of it."""
    d = dual(as_activation("(x^3-3*x)*erf(2*x)"))
    a, c, b = Fraction(10**4), Fraction(3 * 10**4 * (10**9 - 1), 10**9), Fraction(9 * 10**4)
    at = {S.q11: a, S.q12: c, S.q22: b, DET: a * b - c * c}
    for closed in (d.value, d.dot):
        sums = [f for f in closed.atoms(Add) if f.is_polynomial() and S.q12 in f.free_symbols]
        long = max(sums, key=lambda f: len(monomials(f)))
        found = calm(long)
        assert found is not None and len(monomials(long)) > 100
        terms = [Fraction(int(k)) for k in monomials(found).values()]
        for n, key in enumerate(monomials(found)):
            for s, power in key:
                terms[n] *= at[s] ** power
        assert sum(map(abs, terms), Fraction(0)) <= 4 * abs(sum(terms, Fraction(0)))


def test_numerators_are_no_duals_of_polynomials() -> None:
    """In factors of one point, as those are written, this one loses 350 times what it is."""
    own = 8 * S.q12**2 - 4 * S.q12 * (S.q11 + S.q22 - 1) + (2 * S.q11 + 1) * (2 * S.q22 + 1)
    e = expand(4 * S.q12 * DETERMINANT + own)
    assert separated(e) is not None
    b = Builder(("q11", "q12", "q22", "root"), root="root")
    p = b.program("numerator", (("value", b.operand(e)),))
    exact, rounded = MPContext(), MPContext()
    exact.prec = 300
    for point in ((240.0, 321.62, 431.0), (1e3, -999.9999, 1e3)):
        at = dict(zip(("q11", "q12", "q22"), map(exact.mpf, point), strict=True))
        at["root"] = exact.sqrt(at["q11"] * at["q22"] - at["q12"] ** 2)
        value = p.evaluate(at, exact)["value"]
        found = p.evaluate({k: float(v) for k, v in at.items()}, rounded)["value"]
        assert abs(found - value) <= 4 * 2.0**-52 * abs(value)


@pytest.mark.parametrize(
    "text",
    [
        "(x^4-x)*exp(-x^2)",
        "x*cos(3*x)*exp(-x^2/5)",
        "abs(x)^3*exp(-x^2/2)",
        "exp(-x^2+x)*x",
        "(x^3 - 2*x^2 + 1)*exp(-(x + 1)^2)",
        "step(x)*x^2*exp(-x^2)",
    ],
)
def test_bells_are_the_closed_form(text: str) -> None:
    act = as_activation(text)
    d = dual(act)
    assert tilt(act) is not None or bell_elsewhere(act) is not None
    made = lower_dual(d)
    for point in POINTS:
        exact = dict(zip((S.q11, S.q12, S.q22), map(Fraction, point), strict=True))
        found = made.evaluate({s.name: CTX.mpf(float(v)) for s, v in exact.items()}, CTX)
        for label, closed in (("nngp", d.value), ("dot", d.dot)):
            ball = enclose_expr(closed, exact, digits=15)
            want = CTX.mpf(ball.mid.numerator) / ball.mid.denominator
            assert abs(found[label] - want) <= CTX.mpf(10) ** -12 * abs(want)
    q = CTX.mpf(2)
    both = made.evaluate({"q11": q, "q12": q, "q22": q}, CTX)
    own = lower_dual_diag(d).evaluate({"q": q}, CTX)
    assert all(abs(both[k] - own[k]) < 1e-30 * abs(own[k]) for k in own)


def test_a_program_at_many_points() -> None:
    """Lines of constants, of one argument and of several; the numbers are those of `evaluate`."""
    program = lower_dual(dual(named("elu")))
    again = Repeated(program, CTX)
    for q11 in (0.5, 2.0):
        for q12, q22 in ((0.25, 2.0), (-0.5, 2.0), (0.25, 0.5)):
            point = {"q11": q11, "q12": q12, "q22": q22, "alpha": 0.75}
            assert again(point) == tuple(program.evaluate(point, CTX).values())
    line = Let("c", "add", (Fraction(1, 3), Fraction(1)))
    fixed = Program("fixed", ("a",), (line,), (("c", "c"), ("a", "a")))
    assert Repeated(fixed, CTX)({"a": 2}) == tuple(fixed.evaluate({"a": 2}, CTX).values())


@pytest.mark.parametrize("name", ["relu", "elu", "hardtanh", "abs_gaussian", "laplace"])
def test_sizes_in_balls_are_those_of_mpmath(name: str) -> None:
    """Sizes beyond doubles too; bivariate orthants, which have no meaning in balls, are left."""
    program = lower_dual(dual(named(name)))
    sizes = Sizes(program, 30)
    for q11, q12, q22 in ((0.5, 0.25, 2.0), (1e-6, -9e-7, 1e-6), (3.0, 2.9, 1e7)):
        point = {"q11": q11, "q12": q12, "q22": q22, "alpha": 0.75}
        for found, want in zip(sizes(point), program.evaluate(point, CTX).values(), strict=True):
            assert abs(found - arb(want)) < 1e-10 * abs(arb(want)), (point, found, want)


@pytest.mark.parametrize("text", ["elu:0.75", "hardtanh", "max(x, 1)*exp(-x^2)", "abs(x)^(1/2)"])
def test_sizes_in_doubles_with_exponents_are_those_in_balls(text: str) -> None:
    """Of terms of 1e500000 too, and of what has no meaning in doubles: the balls themselves."""
    name, _, alpha = text.partition(":")
    d = dual(named(name).with_params(alpha=Rational(alpha)) if alpha else as_activation(text))
    found = Weigher((d.value, d.dot), ("q11", "q12", "q22"))
    rows = ((0.5, 0.3, 2.0), (1e-6, -9e-7, 1e-6), (3.0, 2.9, 1e7), (2.4e6, 1.1e6, 1e7), (1, 0, 1))
    points = [dict(zip(("q11", "q12", "q22"), row, strict=True)) for row in rows]
    for point, sizes in zip(points, found.along(points), strict=True):
        for size, want in zip(sizes, found.weights(point), strict=True):
            assert abs(size - want) <= 1e-8 * want, (point, size, want)


def test_what_is_not_finite_in_doubles_is_none() -> None:
    lines = (Let("a", "div", (1, "q")), Let("b", "Phi", ("q",)), Let("c", "exp", ("b",)))
    program = Program("ends", ("q",), lines, (("a", "a"), ("c", "c")))
    (none, half), (two, _) = outputs(program, {"q": (0.0, 0.5)})
    assert none is None and math.isclose(half, math.exp(0.5)) and two == 2
    gamma = Program("gamma", ("q",), (Let("a", "gamma", ("q",)),), (("a", "a"),))
    assert outputs(gamma, {"q": (1.0, 2.0)}) == [(None,), (None,)]


def test_no_bell() -> None:
    for text in ("exp(-x^2)", "x*exp(-x^2)", "exp(-x^2)+x", "sign(x)*exp(-x^2)", "exp(-x^4)*x^2"):
        assert tilt(as_activation(text)) is None, text


def test_a_kink_on_an_unknown_side_of_zero() -> None:
    """The order of s about 0 is that of b > 0 only: tiny variances are not rescaled by it."""
    made = lower_dual(dual(named("shifted_relu")))
    at = {"q11": 1e-80, "q12": 0.0, "q22": 1e-90, "b": -0.5}
    found = made.evaluate({k: CTX.mpf(v) for k, v in at.items()}, CTX)
    assert math.isclose(float(found["nngp"]), 0.25, rel_tol=1e-12)


def test_exponents_of_bells_off_zero() -> None:
    """exp(-9 N/D), N/D near 1, is rounded as e is, not nine times: 11 eps before."""
    d = dual(as_activation("Phi(x - 3)"))
    kernel = compile_kernel(d, "numpy")
    rows = [(0.0073 * 1.3**k, 0.0021, 0.011 * 1.1**k) for k in range(12)]
    found = kernel(*map(list, zip(*rows, strict=True)))
    with precision(200):
        exact = Straight((d.dot,), (S.q11, S.q12, S.q22))
        for row, got in zip(rows, found.dot, strict=True):
            right = exact(*map(acb, row))[0].real
            assert abs(arb(float(got)) / right - 1) <= 3 * 2.0**-52, row


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("exp(-40*(x-5)^2)/7", 12),
        ("exp(-(x-3)^2/2)", 5),
        ("x*exp(-(x-5)^2)", 4),
        ("x^2*exp(-(x-1)^2)", 4),
    ],
)
def test_a_bell_elsewhere_keeps_its_digits(text: str, most: int) -> None:
    """Its exponent as a quotient, its slope by means: 3000 and 10 eps of the size before.

    With a factor of x the slope's polynomial cancelled about the centre: 34 eps.
    """
    act = as_activation(text)
    assert tilt(act) is None and bell_elsewhere(act) is not None
    d = dual(act)
    kernel = compile_kernel(d, "numpy")
    pairs = [(2.0**k, r * 2.0**k) for k in range(12) for r in (1.0, 1 - 2.0**-9, 0.5, -0.75)]
    found = kernel(*map(list, zip(*((q, c, q) for q, c in pairs), strict=True)))
    own = kernel.diag([q for q, _ in pairs])
    with precision(400):
        exact = Straight((d.value, d.dot), (S.q11, S.q12, S.q22))
        for k, (q, c) in enumerate(pairs):
            rights = [v.real for v in exact(acb(q), acb(c), acb(q))]
            sizes = [v.real for v in exact(acb(q), acb(q), acb(q))]
            for got, one, right, size in zip(found, own, rights, sizes, strict=True):
                assert abs(arb(float(got[k])) - right) <= most * 2.0**-52 * size, (q, c)
                assert abs(arb(float(one[k])) - size) <= most * 2.0**-52 * size, q
    far = kernel([1e300, 1e170], [1e300, -1e170], [1e300, 1e170])
    assert all(math.isfinite(v) for part in far for v in part) and far.nngp[0] > 0


def test_half_integer_powers_of_a_variance_take_its_root_once() -> None:
    """The root's rounding error counted as often as the root: 1/q^(5/2) was 3 eps off."""
    b = Builder(("q",))
    p = b.program("power", (("value", b.operand(S.q ** Rational(-5, 2))),))
    exact, rounded = MPContext(), MPContext()
    exact.prec, rounded.prec = 200, 53
    for k in range(400):
        at = {"q": 1.0 + k / 131.0}
        value = p.evaluate(at, exact)["value"]
        assert abs(p.evaluate(at, rounded)["value"] - value) <= 1.7 * 2.0**-52 * value
