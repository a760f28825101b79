"""What tables of kinks away from 0 cost to build: foreseen, and no more than it has to be."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import inf
from typing import Any

import pytest
from sympy import exp

from ntksym.errors import Undecided
from ntksym.language import as_activation
from ntksym.numeric.rules import LONGEST_KINKS
from ntksym.numeric.table import contour, table_cost
from ntksym.numeric.table.spectra.spectrum import coefficient_rows
from ntksym.numeric.table.split import near
from ntksym.numeric.table.split.build import plain_shape, start_of
from ntksym.numeric.table.split.cost import kink_seconds
from ntksym.numeric.table.split.near import look
from ntksym.numeric.table.split.powers import hermite_rows
from ntksym.numeric.table.split.table import split_seconds
from ntksym.numeric.table.variances import Axis
from ntksym.precision import precision

ERROR = 1e-5
SPAN = (0.9, 1.125)


def parts(text: str) -> tuple[Any, Any]:
    """The function and its slope, and what is known of both."""
    with precision(200):
        expr = as_activation(text).expr
        shapes = plain_shape(expr, False), plain_shape(expr, True)
        return shapes, [start_of(shape, Axis.over(*SPAN), ERROR) for shape in shapes]


@pytest.mark.parametrize(
    ("text", "low", "high", "measured"),
    [
        ("relu(x - 1/2)*sigmoid(x)", Fraction(7, 10), Fraction(7, 5), 8.6),
        ("relu(x - 1/2)*sigmoid(x)", Fraction(1, 2), Fraction(2), 12.6),
        ("hardtanh(x)*atan(x)", Fraction(1, 2), Fraction(2), 18.2),
        ("min(softplus(x), 3)", Fraction(7, 10), Fraction(7, 5), 10.6),
    ],
)
def test_seconds_are_foreseen(text: str, low: Fraction, high: Fraction, measured: float) -> None:
    """Measured with one core; what takes less than 20 s is not put off."""
    found = kink_seconds(as_activation(text), (low, high), 1e-10)
    assert measured / 1.6 < found < measured * 1.6 and found <= LONGEST_KINKS


def test_jumps_with_a_near_singularity_are_seen_to_need_more() -> None:
    """softsign(x - 1): 3036 coefficients, 75 s; x/(1 + x) is singular at a distance of 1."""
    span = Fraction(1, 2), Fraction(2)
    assert LONGEST_KINKS < kink_seconds(as_activation("softsign(x - 1)"), span, 1e-10) < 90


def test_kinks_far_out_are_seen_to_need_too_many_variances() -> None:
    """relu6(x)*softsign(x): 160 of them gave an error of 2e5, after 15 s."""
    wide = Fraction(1, 2), Fraction(2)
    assert kink_seconds(as_activation("relu6(x)*softsign(x)"), wide, 1e-10) > LONGEST_KINKS
    wider = as_activation("relu6(x)*softsign(x)"), (Fraction(1, 4), Fraction(4)), 1e-10
    assert split_seconds(*wider) < 60, "polynomials for |rho| <= 1/2, where no more is proven"
    ten = as_activation("max(tanh(x), x/10)")
    assert kink_seconds(ten, wide, 1e-10) == inf
    assert kink_seconds(ten, (Fraction(9, 10), Fraction(1)), 1e-10) < LONGEST_KINKS


def test_contours_are_bounded_only_where_the_way_to_no_kink_is_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They are what takes long where kinks are many (x*|sin x|): 20 of 110 are bounded."""
    made, own = [], contour.reach
    monkeypatch.setattr(contour, "reach", lambda *args: made.append(args[2]) or own(*args))
    wide = Fraction(1, 4), Fraction(4)
    assert 5 < split_seconds(as_activation("max(abs(x), 12)*x"), wide, 1e-10) < 20
    assert 0 < len(made) < 30


def test_growth_of_what_is_left_is_that_of_the_activation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bounding its formula, with the powers in it, took minutes: max(tanh(x), x/10)."""
    from ntksym.verify.functions import growth

    asked, own = [], growth.growth_of
    monkeypatch.setattr(growth, "growth_of", lambda pieces: asked.append(pieces) or own(pieces))
    (shapes, starts), top = parts("max(tanh(x), 2/5)"), (Fraction(SPAN[1]),)
    found = look(shapes, starts, *SPAN, ERROR)
    assert asked and not any(piece.expr.has(exp) for pieces in asked for piece in pieces)
    for slope, end in enumerate(found.ends):  # Parseval's sum is that of what is left
        row = coefficient_rows(shapes[slope], top, 800, 60)[0][found.terms :]
        taken = hermite_rows(found.powers, bool(slope), top, 800, 60)[0][found.terms :]
        left = sum(float((a - p).mid()) ** 2 for a, p in zip(row, taken, strict=True))
        assert left <= float(end.left) <= 1.5 * left


def test_wide_cutoffs_leave_few_coefficients_with_few_powers() -> None:
    """Order 20 and 810 coefficients where a cutoff is as narrow as what is larger needs it."""
    shapes, starts = parts("exp(-abs(x - 1/2))")
    found = look(shapes, starts, *SPAN, 1e-10)
    assert found.powers.order <= 14 and found.terms < 400


def test_powers_too_large_for_doubles_are_refused_before_anything_is_fitted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Fits take most of the time, and nothing in them makes up for it."""
    shapes, starts = parts("max(tanh(x), 2/5)")
    found = look(shapes, starts, *SPAN, ERROR)
    rough = replace(found, powers=replace(found.powers, off=1e-4))
    monkeypatch.setattr(near, "look", lambda *_: rough)
    monkeypatch.setattr(near, "bilinear_fits", None)
    with pytest.raises(Undecided, match="the powers at the kinks are rounded"):
        near.near_table(shapes[0].expr, *SPAN, ERROR)


def test_even_functions_cost_half_of_the_pairs() -> None:
    """One part in rho is all there is: without that 1.5 times their seconds are foreseen."""
    even, neither = (
        table_cost(text, (0.35, 2), error=1e-8) for text in ("abs(atan(x))", "abs(atan(x)) + x/999")
    )
    assert even.variances == neither.variances
    assert 0.9 < even.coefficients / neither.coefficients < 1.1
    assert even.seconds < 0.85 * neither.seconds
