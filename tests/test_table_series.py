"""Long series of tables: sums and coefficients in doubles against balls, bounds that can fail."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from flint import arb, arb_mat

from ntksym.language import as_activation
from ntksym.numeric.table.bands import sums
from ntksym.numeric.table.cost import table_cost
from ntksym.numeric.table.spectra import doubled, joint
from ntksym.numeric.table.spectra.source import bits_for, enough, expected, shape, start
from ntksym.numeric.table.spectra.spectrum import Shape, shape_of, spectra
from ntksym.numeric.table.variances import Axis
from ntksym.precision import precision
from ntksym.verify.definition import factor

BITS = 131
COUNT = 900
VARIANCES = (Fraction(1), Fraction(5, 2), Fraction(4))


def coefficients(text: str, count: int = COUNT) -> Any:
    expr = as_activation(text).expr
    pieces = factor(expr, derivative=False, distributional=False).pieces
    joint.coefficients.cache_clear()
    return joint.coefficients(pieces, VARIANCES, count, BITS)


@pytest.mark.parametrize("text", ["x/(1+abs(x))", "max(x,tanh(x))+1/3", "atan(3*x)+x^2"])
def test_coefficients_in_pairs_of_doubles(text: str, monkeypatch: Any) -> None:
    """Both balls hold the number, and the radius is small enough for Parseval's sum."""
    fast = coefficients(text)
    monkeypatch.setattr(doubled, "MOST_PLACES", 0)
    slow = coefficients(text)
    with precision(300):
        for one, two in zip(fast, slow, strict=True):
            assert all(a.overlaps(b) for a, b in zip(one, two, strict=True))
            assert max(float(a.rad()) for a in one[doubled.FIRST :]) < 1e-24
            assert max(float(a.rad()) for a in two) < 1e-34
            assert float(one[-1].rad()) > 1e3 * float(two[-1].rad())  # it was the other way


def test_kinks_elsewhere_take_pairs_of_doubles_from_the_turn_on(monkeypatch: Any) -> None:
    """A rule for every variance, few bits: most orders are in doubles, all hold the number."""
    expr = as_activation("max(tanh(x),1/3)").expr
    pieces = factor(expr, derivative=False, distributional=False).pieces
    assert not joint.applies(pieces)
    asked = (pieces, VARIANCES[:1], 400, 64)
    begun = []
    blocks = doubled._blocks
    monkeypatch.setattr(doubled, "_blocks", lambda *a: begun.append(a[1]) or blocks(*a))
    fast = joint.apart.__wrapped__(*asked)
    assert len(begun) == 1 and begun[0] < 140
    monkeypatch.setattr(doubled, "MOST_PLACES", 0)
    slow = joint.apart.__wrapped__(*asked)
    assert len(begun) == 1
    with precision(200):
        for one, two in zip(fast, slow, strict=True):
            size = max(abs(float(a)) for a in two)
            assert all(a.overlaps(b) for a, b in zip(one, two, strict=True))
            assert max(float(a.rad()) for a in one) < size * 2.0**-60


def test_a_wrong_recurrence_is_seen(monkeypatch: Any) -> None:
    """The comparison has something to compare: one unit of 2^-60 in a factor is far outside."""
    slow = coefficients("x/(1+abs(x))")
    times = doubled._times

    def off(a: Any, b: Any) -> Any:
        high, low = times(a, b)
        return high, low + high * 2.0**-60

    monkeypatch.setattr(doubled, "_times", off)
    fast = coefficients("x/(1+abs(x))")
    assert not all(a.overlaps(b) for a, b in zip(fast[0], slow[0], strict=True))


def test_products_of_slices_are_exact() -> None:
    """Integers of any sign against Python's own arithmetic, on more nodes than one block takes."""
    import numpy as np

    rng = np.random.default_rng(5)
    many = doubled._NODES + 700
    ours = rng.integers(-(2**20), 2**20, (2 * doubled._OURS, many)).astype(float)
    theirs = rng.integers(-(2**20), 2**20, (many, 3 * doubled._THEIRS)).astype(float)
    found = doubled._product(ours, theirs)
    for i in range(2):
        for j in range(3):
            want = 0
            for level in range(doubled._OURS):
                want <<= doubled._SLICE
                for k in range(min(level + 1, doubled._THEIRS)):
                    row, column = ours[2 * (level - k) + i], theirs[:, 3 * k + j]
                    want += sum(int(a) * int(b) for a, b in zip(row, column, strict=True))
            assert found[i][j] == want


def turned(text: str, count: int) -> tuple[sums.Turned, Shape]:
    expr = as_activation(text).expr
    shape = shape_of(expr, slope=True, bits=160)
    found = spectra(shape, VARIANCES, count, bits_for(shape, 1e-10), False)
    return sums.Turned.of(found, BITS), shape


@pytest.mark.parametrize(("text", "step"), [("x/(1+abs(x))", 2), ("max(x,tanh(x))", 1)])
@pytest.mark.parametrize("goal", [1e-9, 1e-3, 1e4])
def test_sums_of_doubles_hold(text: str, step: int, goal: float, monkeypatch: Any) -> None:
    """With every share of doubles: the ball holds the sum in balls, and is not wide."""
    with precision(224):
        one, _ = turned(text, COUNT)
        where = [(0, 0), (1, 0), (2, 1), (2, 2)]
        ratios = tuple(arb(k) / 7 for k in ((0, 3, 6, 7) if step == 2 else (-7, -2, 5, 7)))
        fast = sums.values(one, one, where, ratios, (1, step), arb(goal))
        monkeypatch.setattr(sums, "_head", lambda a, b, terms, goal: len(range(1, COUNT, step)))
        slow = sums.values(one, one, where, ratios, (1, step), arb(goal))
        assert isinstance(fast, arb_mat)
        wide = 0.0
        for i in range(len(ratios)):
            for j in range(len(where)):
                assert fast[i, j].overlaps(slow[i, j]), (i, j)
                wide = max(wide, float(fast[i, j].rad()))
        assert wide < 1e-8 * goal * 1.01


def test_the_norm_of_what_is_left_is_fine_enough() -> None:
    """Beyond 3000 coefficients the tail is that of the function, not of the precision."""
    shape = shape_of(as_activation("x/(1+abs(x))").expr, slope=True, bits=160)
    with precision(224):
        count = 3000
        (found,) = spectra(shape, (Fraction(4),), count, bits_for(shape, 1e-10), False)
        last = sum(float(a) ** 2 for a in found.series[count // 2 :])
        power = 14.0  # the energy of half the terms falls about so fast
        assert float(found.left) < last * 2.0 ** (2 - power + 1) * 4


def test_the_recurrence_is_that_of_the_module() -> None:
    """y_n of one node in pairs of doubles, against balls at high precision."""
    from ntksym.numeric.series.recurrence import row

    at, places, first, last = (7, -1), 186, 400, 1500
    values, _ = row((*at, 0, 0), last, places)
    node = doubled.Begun(at, (values[first - 2], values[first - 1]))
    for begin, (high, low) in doubled._blocks([node], first, last, places):
        for k in range(high.shape[1]):
            got = Fraction(float(high[0, k])) + Fraction(float(low[0, k]))
            gap = abs(got - Fraction(values[begin + k], 1 << places))
            assert float(gap) < (last - first) * 4 * 2.0**doubled.UNIT


def test_building_looks_where_the_estimate_looked(monkeypatch: Any) -> None:
    """No coefficient twice, and the first enclosure has enough of them."""
    text, ends = "sign(x)*log(1+x^2)", (1.0, 2.0)
    expr = as_activation(text).expr
    table_cost(text, ends, error=1e-9)
    made: list[int] = []
    sums_of = joint.sums
    monkeypatch.setattr(joint, "sums", lambda *a: made.append(a[3]) or sums_of(*a))
    with precision(224):
        axis = Axis.over(*ends)
        slope = start(shape(expr, True, 160), axis, 1e-9, False)
        terms = expected(slope, slope.count, ends[1], 1e-9, lambda line: None)
        assert not made and terms > 300
        nodes = tuple(axis.variances(slope.count, 224))
        assert enough(slope, nodes, terms, 1e-9, lambda line: None)[1] == terms
    assert made == [terms + 1]


def test_sizes_of_lines_of_zeros_and_of_balls_around_zero() -> None:
    """A ball that holds 0 has the size of its radius: only lines that are exactly 0 are none."""
    nothing, around = arb(0), arb(0, 1e-3)
    tensor = [[[nothing] * 3, [nothing, nothing, around]], [[arb(-2), around, arb(1) / 3]] * 2]
    found = sums.sizes_of(tensor)
    assert found.shape == (2, 2, 3) and not found[0, 0].any()
    for i, j, k in ((0, 1, 2), (1, 0, 0), (1, 1, 1), (1, 0, 2)):
        assert found[i, j, k] == float(abs(tensor[i][j][k]).upper()) > 0
