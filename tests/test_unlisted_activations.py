"""Activations of the literature and of nobody: what must hold for every one, listed or not.

Each is written twice: as text for the library, and by hand for NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest
from oracle import expectation

from ntksym.errors import BadActivation
from ntksym.language import parse_activation, parse_number
from ntksym.numeric.choose import choose
from ntksym.verify.balls import enclose_definition
from ntksym.verify.functions.continuity import continuous
from ntksym.verify.prove import evaluate

POINT = ("1.3", "-0.6", "0.8")
STEP = Fraction(1, 10**6)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(x / 2)


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, x)


def _pos(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


UNLISTED: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray], Sequence[float]]] = {
    "squareplus": ("(x + sqrt(x^2 + 4))/2", lambda x: (x + np.sqrt(x * x + 4)) / 2, ()),
    "logish": ("x*log(1 + sigmoid(x))", lambda x: x * np.log1p(_sigmoid(x)), ()),
    "smish": (
        "x*tanh(log(1 + sigmoid(x)))",
        lambda x: x * np.tanh(np.log1p(_sigmoid(x))),
        (),
    ),
    "aria": ("x*(1 + exp(-3/2*x))^(-5/2)", lambda x: x * _sigmoid(1.5 * x) ** 2.5, ()),
    "pflu": ("x*(1 + x/sqrt(1 + x^2))/2", lambda x: x * (1 + x / np.hypot(1, x)) / 2, ()),
    "fpflu": (
        "piecewise((x, x >= 0), (x*(1 + x/sqrt(1 + x^2))/2, True))",
        lambda x: np.where(x >= 0, x, x * (1 + x / np.hypot(1, x)) / 2),
        (0,),
    ),
    "isrlu": (
        "piecewise((x, x >= 0), (x/sqrt(1 + x^2/2), True))",
        lambda x: np.where(x >= 0, x, x / np.sqrt(1 + x * x / 2)),
        (0,),
    ),
    "sinlu": (
        "(x + 3/4*sin(3/2*x))*sigmoid(x)",
        lambda x: (x + 0.75 * np.sin(1.5 * x)) * _sigmoid(x),
        (),
    ),
    "rootsig": ("x/(1 + sqrt(1 + x^2))", lambda x: x / (1 + np.hypot(1, x)), ()),
    "lisht": ("x*tanh(x)", lambda x: x * np.tanh(x), ()),
    "elish": (
        "piecewise((x*sigmoid(x), x >= 0), ((exp(x) - 1)*sigmoid(x), True))",
        lambda x: np.where(x >= 0, x, np.expm1(np.minimum(x, 0))) * _sigmoid(x),
        (0,),
    ),
    "sqlu": (
        "piecewise((x, x > 0), (x + x^2/4, x >= -2), (-1, True))",
        lambda x: np.where(x > 0, x, np.where(x >= -2, x + x * x / 4, -1)),
        (-2, 0),
    ),
    "soft clip": (
        "log((1 + exp(3*x))/(1 + exp(3*(x - 1))))/3",
        lambda x: (_softplus(3 * x) - _softplus(3 * (x - 1))) / 3,
        (),
    ),
    "star relu": ("0.8944*relu(x)^2 - 0.4472", lambda x: 0.8944 * _pos(x) ** 2 - 0.4472, (0,)),
    "rational": (
        "(0.02 + x/2 + 3/2*x^2 + x^3/2 + x^5/50)/(1 + 2*x^2 + x^4/9)",
        lambda x: (0.02 + x / 2 + 1.5 * x**2 + 0.5 * x**3 + x**5 / 50) / (1 + 2 * x**2 + x**4 / 9),
        (),
    ),
    "fourier": ("cos(2*x) + sin(3*x)", lambda x: np.cos(2 * x) + np.sin(3 * x), ()),
    "hermite function": (
        "hermite(4, x)*exp(-x^2/4)",
        lambda x: (x**4 - 6 * x**2 + 3) * np.exp(-x * x / 4),
        (),
    ),
    "sinc squared": ("sin(x)^2/x^2", lambda x: np.sinc(x / np.pi) ** 2, ()),
    "stairs": (
        "heaviside(x + 1) + heaviside(x) + heaviside(x - 3/2)",
        lambda x: 0.0 + (x > -1) + (x > 0) + (x > 1.5),
        (-1, 0, 1.5),
    ),
    "three lines": (
        "max(-x - 1, x/3, 2*x - 1)",
        lambda x: np.maximum(np.maximum(-x - 1, x / 3), 2 * x - 1),
        (-0.75, 0.6),
    ),
    "log cosh": ("log(cosh(x))", lambda x: np.logaddexp(x, -x) - np.log(2), ()),
    "huber": (
        "piecewise((x^2/2, abs(x) <= 3/2), (3/2*(abs(x) - 3/4), True))",
        lambda x: np.where(np.abs(x) <= 1.5, x * x / 2, 1.5 * (np.abs(x) - 0.75)),
        (-1.5, 1.5),
    ),
    "smoothstep": (
        "piecewise((0, x <= 0), (3*x^2 - 2*x^3, x < 1), (1, True))",
        lambda x: np.where(x <= 0, 0, np.where(x < 1, 3 * x**2 - 2 * x**3, 1)),
        (0, 1),
    ),
    "arcsinh": ("log(x + sqrt(x^2 + 1))", np.arcsinh, ()),
    "gudermann": ("2*atan(tanh(x/2))", lambda x: np.arctan(np.sinh(x)), ()),
    "symlog": ("sign(x)*log(1 + abs(x))", lambda x: np.sign(x) * np.log1p(np.abs(x)), (0,)),
    "power": ("abs(x)^2.7", lambda x: np.abs(x) ** 2.7, (0,)),
    "tanh of relu": ("tanh(max(x, 0))", lambda x: np.tanh(_pos(x)), (0,)),
    "langevin": (
        "cosh(x)/sinh(x) - 1/x",
        lambda x: np.where(np.abs(x) < 1e-3, x / 3, 1 / np.tanh(x) - 1 / x),
        (),
    ),
    "derivative of silu": (
        "sigmoid(x)*(1 + x*(1 - sigmoid(x)))",
        lambda x: _sigmoid(x) * (1 + x * _sigmoid(-x)),
        (),
    ),
}

names = pytest.mark.parametrize("name", sorted(UNLISTED))


def _ball(name: str, q11: object, q12: object, q22: object, **kwargs: object) -> Fraction:
    """The middle of an enclosure of 18 digits, exact."""
    act = parse_activation(UNLISTED[name][0])
    at = tuple(Fraction(str(q)) for q in (q11, q12, q22))
    ball = enclose_definition(act, *at, digits=18, **kwargs)
    return ball.mid if isinstance(ball.mid, Fraction) else Fraction(ball.decimal(20)[0])


@names
def test_a_naive_quadrature_agrees(name: str) -> None:
    """The definition, and the closed form where there is one, against NumPy."""
    text, f, kinks = UNLISTED[name]
    at = tuple(float(q) for q in POINT)
    naive = expectation(f, f, *at, kinks_f=kinks, kinks_g=kinks, parts=8)
    point = tuple(parse_number(q) for q in POINT)
    method, found = evaluate(parse_activation(text), point, {}, 15)
    value = next(c for c in found if c.quantity == "nngp")
    assert value.definition is not None
    assert float(value.definition.decimal(17)[0]) == pytest.approx(naive, rel=1e-9, abs=1e-10)
    if method == "closed form":
        assert all(c.agree for c in found if c.quantity != "derivative_almost_everywhere")


@names
def test_kernels_are_symmetric_and_positive(name: str) -> None:
    """K(a, c, b) = K(b, c, a), and the Gram matrix of three points has no negative eigenvalue."""
    a, c, b = POINT
    assert _ball(name, a, c, b) == pytest.approx(_ball(name, b, c, a), rel=1e-15, abs=1e-17)
    one, p, q, r = (_ball(name, 1, c, 1) for c in ("1", "0.5", "-0.3", "0.4"))
    gram = np.array([[one, p, q], [p, one, r], [q, r, one]], dtype=float)
    assert np.linalg.eigvalsh(gram)[0] > -1e-14 * float(one)


@names
def test_the_derivative_dual_is_the_derivative(name: str) -> None:
    """Kdot = dK/dq12 by Price's theorem, by a central difference of enclosures."""
    a, c, b = (Fraction(q) for q in POINT)
    high, low = _ball(name, a, c + STEP, b), _ball(name, a, c - STEP, b)
    slope = _ball(name, a, c, b, derivative=True, jumps="distributional")
    assert float((high - low) / (2 * STEP)) == pytest.approx(float(slope), rel=1e-9, abs=1e-10)


# -- logarithms of products, and asinh in disguise -------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("log(sigmoid(x)^2)", "2*logsigmoid(x)"),
        ("log(cosh(2*x)/cosh(x))", "log(cosh(2*x)) - log(cosh(x))"),
        ("log((1 + x^2)/(2 + x^4))", "log(1 + x^2) - log(2 + x^4)"),
        ("log(3*sqrt(1 + x^2)*exp(-abs(x)))", "log(3) + log(1 + x^2)/2 - abs(x)"),
        ("log(x + sqrt(x^2 + 1))", "asinh(x)"),
        ("log(2*x - 1 + sqrt((2*x - 1)^2 + 5))", "asinh((2*x - 1)/sqrt(5)) + log(5)/2"),
    ],
)
def test_equal_functions_have_equal_balls(one: str, other: str) -> None:
    a, c, b = (Fraction(q) for q in POINT)
    first, second = (
        enclose_definition(parse_activation(t), a, c, b, digits=20) for t in (one, other)
    )
    assert first.overlaps(second) and first.rel_digits >= 19 and second.rel_digits >= 19


def test_a_logarithm_that_is_not_real_stays_refused() -> None:
    """Only factors that are positive by their form are taken apart."""
    for text in ("log(x^3*(x - 1))", "log((x - 2)*(x + 2))"):
        with pytest.raises(BadActivation):
            enclose_definition(parse_activation(text), 1, Fraction(1, 2), 1, digits=10)


@pytest.mark.parametrize(
    ("plain", "scaled", "factor"),
    [
        ("max(x, 0)", "1e-30*max(x, 0)", Fraction(1, 10**60)),
        ("tanh(x)", "1e30*tanh(x)", Fraction(10**60)),
        ("x*tanh(log(1 + exp(x)))", "1e-150*x*tanh(log(1 + exp(x)))", Fraction(1, 10**300)),
        ("heaviside(x - 1)", "1e-20*heaviside(x - 1)", Fraction(1, 10**40)),
    ],
)
def test_the_size_of_an_activation_costs_no_digits(
    plain: str, scaled: str, factor: Fraction
) -> None:
    """A tolerance is relative to the function: 30 digits of 1e-61 are not [0 +/- 1e-57]."""
    for derivative in (False, True):
        first, second = (
            enclose_definition(
                parse_activation(t), 1, Fraction(1, 2), 2, derivative=derivative,
                jumps="distributional",
            )
            for t in (plain, scaled)
        )  # fmt: skip
        assert second.rel_digits >= 30
        assert abs(first.mid * factor - second.mid) <= first.rad * factor + second.rad


def test_a_derivative_much_smaller_than_its_function_has_its_digits() -> None:
    act = parse_activation("tanh(x - 50)")
    ball = enclose_definition(act, 1, Fraction(999999, 10**6), 1, derivative=True)
    assert ball.rel_digits >= 30 and float(ball.mid) == pytest.approx(6.60051344527771e-83)


@pytest.mark.parametrize("text", ["sin(abs(x))", "max(x, 0)*sin(x)"])
def test_waves_with_a_kink_at_large_variances(text: str) -> None:
    """Their closed form has Phi2 of imaginary arguments: integrands that fall by exp(-100)."""
    point = tuple(parse_number(q) for q in ("100", "60", "100"))
    method, found = evaluate(parse_activation(text), point, {}, 30)
    assert method == "closed form" and all(c.agree for c in found)
    assert all(c.derived is not None and c.derived.rel_digits >= 30 for c in found)


# -- kinks: roots at rational ones, and no jump at those without a closed form ---------------------


@pytest.mark.parametrize("text", ["tanh(sqrt(abs({})))", "atan(cbrt({}))"])
def test_a_root_inside_a_function_at_a_rational_kink(text: str) -> None:
    """E[s(u - c)s(v - c)] is the expectation of s for means -c; c has no finite binary expansion."""
    q11, q12, q22, c = (Fraction(n) for n in ("1", "1/2", "2", "3/10"))
    moved = enclose_definition(parse_activation(text.format("x - 3/10")), q11, q12, q22, digits=12)
    other = enclose_definition(
        parse_activation(text.format("x")), q11, q12, q22, means=(-c, -c), digits=12
    )
    assert moved.overlaps(other) and moved.rel_digits >= 12 and other.rel_digits >= 12


CROSSING = "max(asinh(x), exp(-sigmoid(x)^2))"


def test_a_continuous_function_has_no_masses_at_an_open_kink() -> None:
    """Both readings of the derivative agree, at rho = 1 too, where a mass would be infinite."""
    act = parse_activation(CROSSING)
    for c in (Fraction(1), Fraction(1, 2)):
        ae, dist = (
            enclose_definition(act, 1, c, 1, derivative=True, jumps=j, digits=18)
            for j in ("ae", "distributional")
        )
        assert ae.overlaps(dist) and dist.rel_digits >= 18
    assert not any("jumps" in line for line in choose(act, method="quadrature", variances=1).lines)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (CROSSING, True),
        ("1/(2 + sin(x))", True),
        ("sqrt(abs(x))", True),
        ("abs(x)/x", False),
        ("atan(1/x)", False),
        ("heaviside(x)*x", False),
    ],
)
def test_continuity_by_structure(text: str, known: bool) -> None:
    assert continuous(parse_activation(text).expr) is known
