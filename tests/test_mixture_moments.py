"""Powers times gates and densities: nearly collinear pairs of large variance keep their digits.

What could be wrong: a contraction left out or of the wrong sign, a covariance of the wrong law, a
polynomial that cancels (the square of SiLU: 3e-13 at q = 100), a rounding that is not mentioned;
digits lost at small variances where terms of low order cancel (tanh squared), or a wrong order.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from ntksym.backends.array.programs import mixture_arrays
from ntksym.backends.mixture.moments import contracts
from ntksym.backends.mixture.programs import MixturePrograms, mixture_programs
from ntksym.backends.mixture.remainders import root_quotient, tail_quotient
from ntksym.backends.mixture.rounding import rounding, rounding_note
from ntksym.numeric.lowest import lowest
from ntksym.numeric.mixture_build import mixture_dual
from ntksym.runtime.units.mixture import accuracy, compile_mixture
from ntksym.verify.balls import enclose_definition

POWERS = {
    "silu(x)**2": True,
    "x**2*sigmoid(x)": True,
    "x**3*sigmoid(x)": True,
    "x*tanh(x)": True,
    "x*tanh(x)**2": False,
    "tanh(x)**3": False,
    "x**2/cosh(x)**2": True,
    "x**2*tanh(x) + sigmoid(3*x)": True,
}
"""Activations, and whether code is the finite sum at small variances too."""
RHOS = (-0.3, 1 - 1e-9, -1.0)


@pytest.mark.parametrize("text", POWERS)
def test_collinear_pairs_keep_their_digits(text: str) -> None:
    d = mixture_dual(text, nodes=3)
    kernels = [compile_mixture(d, target) for target in ("c", "numpy")]
    for v in (0.01, 100.0)[not POWERS[text] :]:
        for slope in (False, True):
            own = d.enclose(*[Fraction(v)] * 3, derivative=slope).mid
            exact = {
                c: d.enclose(Fraction(v), Fraction(c), Fraction(v), derivative=slope).mid
                for c in _at(v)
            }
            for k in kernels:
                diag = k.diag(v)
                values = {c: k(v, c, v) for c in exact}
                gaps = [Fraction(float(_of(values[c], slope))) - e for c, e in exact.items()]
                gaps.append(Fraction(float(_of(diag, slope))) - own)
                assert max(abs(float(g / own)) for g in gaps) <= 4e-15


def _of(found: Any, slope: bool) -> Any:
    return found.dot if slope else found.nngp


def _at(v: float) -> tuple[float, ...]:
    return tuple(rho * v for rho in RHOS)


@pytest.mark.parametrize("text", ["silu(x)**2", "x**2*sigmoid(x)"])
def test_the_sum_is_the_dual_of_the_definition(text: str) -> None:
    d = mixture_dual(text, nodes=6)
    k = compile_mixture(d)
    for point in ((100.0, 99.99, 100.0), (1.0, -0.5, 25.0)):
        for slope in (False, True):
            a, c, b = map(Fraction, point)
            truth = enclose_definition(d.activation, a, c, b, derivative=slope, digits=15)
            own = [float(d.enclose(v, v, v, derivative=slope).mid) for v in (a, b)]
            value = float(k(*point).dot if slope else k(*point).nngp)
            gap = float(abs(Fraction(value) - truth.mid) + truth.rad)
            assert gap <= 1e-6 * (own[0] * own[1]) ** 0.5  # the error of 6 nodes


def test_what_is_contracted() -> None:
    for text, wanted in (("tanh", False), ("silu", False), ("silu(x)**2", True)):
        assert contracts(mixture_dual(text, nodes=3), (0, 0)) is wanted
    assert not contracts(mixture_dual("x**2*tanh(x + 1)", nodes=3), (0, 0))
    assert not contracts(mixture_dual("x**2*softplus(x)", nodes=3), (0, 0))
    # a form over one common denominator has 751 lines
    (pair,) = mixture_programs(mixture_dual("silu(x)**2", nodes=3)).pairs
    assert len(pair.program.body) < 200


VANISHING = {"tanh(x)**2": (23, 2), "x*tanh(x)**2": (23, 3)}
"""Nodes for an error of 1e-14, and the order of the zero that terms of lower order make."""
SMALL_POINTS = ((1e-6, 0.5, 1e-6), (0.01, -1.0, 0.01), (1e-6, 0.9, 4.0), (100.0, -0.5, 1e-4))


@pytest.mark.parametrize("text", VANISHING)
def test_terms_that_cancel_at_zero_lose_no_digits(text: str) -> None:
    nodes, order = VANISHING[text]
    d = mixture_dual(text, nodes=nodes)
    found = lowest(d.form)
    assert found is not None and found.order == order
    targets = ("c", "numpy") if order == 2 else ("numpy",)
    kernels = [compile_mixture(d, target) for target in targets]
    for a, rho, b in SMALL_POINTS[order > 2 :]:
        c = rho * (a * b) ** 0.5 if a != b else rho * a
        bound = d.bound(a, b, code=True)
        for slope, proven in ((False, bound.value_relative), (True, bound.dot_relative)):
            assert proven < 1e-14
            size = _scale(d.activation, a, b, slope)
            points = map(Fraction, (a, c, b))
            exact = enclose_definition(d.activation, *points, derivative=slope, digits=17).mid
            for k in kernels:
                gap = abs(Fraction(float(_of(k(a, c, b), slope))) - exact)
                assert float(gap) / size <= proven + 2e-15


def _scale(act: Any, a: float, b: float, slope: bool) -> float:
    own = [
        enclose_definition(act, *[Fraction(v)] * 3, derivative=slope, digits=5).mid for v in (a, b)
    ]
    return float(own[0]) ** 0.5 * float(own[1]) ** 0.5


def test_where_no_terms_cancel_or_none_is_known() -> None:
    for text in ("tanh", "silu", "x*tanh(x)", "silu(x)**2", "x - tanh(x)", "tanh(x + 1)**2"):
        d = mixture_dual(text, nodes=3)
        assert lowest(d.form) is None
    d = mixture_dual("tanh(x)**2 - tanh(2*x)**2/4", nodes=3)
    found = lowest(d.form)
    assert found is not None and (found.order, len(found.parts)) == (4, 2)


def test_what_is_left_beyond_taylor_terms() -> None:
    from mpmath import mp, mpf

    with mp.workdps(40):
        for p, count in ((0, 1), (1, 2), (2, 3), (3, 0)):
            y = mpf(3) / 7
            s = mp.sqrt(1 + y)
            taylor = sum(mp.binomial(-mpf(2 * p + 1) / 2, j) * y**j for j in range(count))
            row = sum(mpf(c.numerator) / c.denominator * s**i
                      for i, c in enumerate(root_quotient(p, count)))  # fmt: skip
            left = s ** -(2 * p + 1) - taylor
            assert abs((y / (s + 1)) ** count * row / s ** (2 * p + 1) - left) < 1e-30
        for k, m, count in ((0, 0, 1), (-1, 1, 1), (1, 3, 2), (2, 4, 0), (-1, 3, 2)):
            z, e = mpf(1) / 9, k % 2
            w, c = mp.sqrt(1 - z), mpf(1) / 3
            row = sum(mpf(v.numerator) / v.denominator * w**i
                      for i, v in enumerate(tail_quotient(k, m, count)))  # fmt: skip
            series = sum(
                mp.fac2(k + n - 1) * mp.fac2(m + n - 1) / mp.fac(n) * c**n
                for n in range(e + 2 * count, 120, 2)
            )
            found = c**e * (z / (1 + w)) ** count * row / w ** (k + m + 1)
            assert abs(found - series) < 1e-30


def _said(text: str) -> tuple[MixturePrograms, str]:
    d = mixture_dual(text, nodes=6)
    programs = mixture_programs(d)
    (note,) = mixture_arrays(d).said
    assert accuracy(d, programs).endswith(rounding_note(programs))
    assert note.endswith(rounding_note(programs))
    return programs, rounding_note(programs)


def test_rounding_that_is_left_is_said() -> None:
    for text in ("tanh", "silu"):
        assert _said(text)[1] == ""
    _, note = _said("tanh(x)**2")
    assert note.startswith("; for q <= 1/4 without the terms of degree below 2, which cancel at 0")
    text = "log(cosh(x)) - x**2/2"
    programs, note = _said(text)
    assert "; rounding about " in note and "measured" in note
    d = mixture_dual(text, nodes=6)
    v = Fraction(0.01)
    exact = float(d.enclose(v, v / 2, v).mid)
    scale = float(d.enclose(v, v, v).mid)
    seen = abs(float(compile_mixture(d)(0.01, 0.005, 0.01).nngp) - exact) / scale
    assert seen < rounding(programs)
