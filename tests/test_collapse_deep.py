"""Deep networks as one function: layers run in floating point with bounds that hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from flint import arb
from sympy import Rational

import ntksym.collapse.fit as fit
from ntksym.collapse import angular, collapse
from ntksym.collapse.angular import AngularNetwork
from ntksym.collapse.layer import LayerSeries, OneMore, approximated
from ntksym.collapse.samples import Pair, Places, Progress, Source, in_balls, values_at
from ntksym.collapse.tail import tail
from ntksym.errors import Undecided
from ntksym.precision import precision

DEEP = (
    ("mlp:relu:depth=60,weight_var=2,bias_var=0", None, 0),
    ("mlp:max(x, x/5):depth=60,weight_var=1,bias_var=0,preset=ntk", None, 0),
    ("mlp:relu:depth=60,weight_var=2,bias_var=1/10", Rational(2), 0),
    ("mlp:erf:depth=80,weight_var=2,bias_var=1/10", Rational(1, 2), 9),
)


def quiet(line: str) -> None:
    pass


@pytest.mark.parametrize("spec, variance, start", DEEP, ids=[s for s, _, _ in DEEP])
@pytest.mark.parametrize("sign", [1, -1])
def test_samples_hold_what_balls_say(
    spec: str, variance: Rational | None, start: int, sign: int
) -> None:
    """Narrow, and never beside the value."""
    found = angular(spec, variance)
    source = tail(found, 1e-12, quiet)
    assert source is not None

    def places() -> tuple[arb, ...]:
        return tuple(arb(-z) / 8 for z in (1, 3, 8, 17, 40, 77, 140, 300, 500))

    quick = source([(places, 63.0)], sign)[0]
    slow = values_at(found, places, sign, 63.0, len(found.layers))
    for one, other in zip(quick, slow, strict=True):
        for a, b in zip(one, other, strict=True):
            assert a.overlaps(b) and a.rad() < 4e-14
            # Most of a bound is room: a bound of nothing would not hold.
            assert abs(a.mid() - b.mid()) <= a.rad() + b.rad()


@pytest.mark.parametrize("variance", [Rational(1), Rational(7, 3)])
def test_the_two_series_of_a_layer(variance: Rational) -> None:
    """Of polynomials with proven errors: 200 random places, with bounds that they come near."""
    found = angular("mlp:erf:depth=1,weight_var=2,bias_var=1/10", variance)
    pair = approximated(found, variance, 0)
    rng = np.random.default_rng(3)
    with precision(200):
        run = LayerSeries(found, variance).evaluator()
        for delta in 10.0 ** -rng.uniform(0, 18, 200):
            exact = run(arb(delta), 1)
            for one, value in zip(pair, exact, strict=True):
                assert abs(_exactly(one, delta) - value) < one.error < 1e-15


def _exactly(one: OneMore, delta: float) -> arb:
    s = (arb(delta) / 2).sqrt()
    w = s / (s + arb(one.scale))
    u = 2 * w / arb(one.top) - 1
    v = 2 * u * u - 1
    total = arb(0)
    for k, c in enumerate(one.terms):
        total += arb(c) * v ** (k // 2) * (u if k % 2 else 1)
    return 1 + w * total


def test_rounding_stays_below_its_bound() -> None:
    found = angular("mlp:relu:depth=1,weight_var=2,bias_var=0")
    delta = 10.0 ** -np.random.default_rng(4).uniform(0, 18, 300)
    for one in approximated(found, Rational(1), 0):
        s = np.sqrt(delta / 2)
        w = s / (s + one.scale)
        u = 2 * w / one.top - 1
        at = one(u, 2 * u * u - 1)
        with precision(200):
            for d, x, value in zip(delta, w, at, strict=True):
                exact = _exactly(one, float(d)) - 1
                room = float(x) * (one.rounding + abs(value) * 2.0**-51)
                assert abs(arb(float(x)) * arb(float(value)) - exact) <= room < 3e-15 * float(x) * 9


def test_depth_1000_is_proven() -> None:
    """Against balls where those are few; and what is done is said."""
    lines: list[str] = []
    c = collapse("mlp:relu:depth=1000,weight_var=2,bias_var=0", progress=lines.append)
    assert max(c.error) <= 1e-12 and len(set(lines)) > 10
    for delta in (0.9, 1e-2, 1e-5, 1e-8):
        rho = 1 - delta
        with precision(600):
            exact = c.angular.evaluator()(1 - arb(rho), 1)
        for f, e, end, bound in zip(c.evaluate(rho), exact, c.ends, c.error, strict=True):
            assert abs(float(f) - float(e)) <= (bound + 2e-14) * end


def test_where_layers_differ_they_are_run_in_balls() -> None:
    """Too few, too small an error, and a variance that has no limit yet."""
    same = angular("mlp:relu:depth=60,weight_var=2,bias_var=0")
    assert tail(same, 1e-15, quiet) is None
    assert tail(replace(same, layers=same.layers[:20]), 1e-12, quiet) is None
    assert (
        tail(angular("mlp:erf:depth=40,weight_var=1,bias_var=0", Rational(1)), 1e-12, quiet) is None
    )


def test_samples_that_stay_negative_are_run_in_balls() -> None:
    source = tail(angular("mlp:erf:depth=99,weight_var=2,bias_var=0", Rational(1)), 1e-12, quiet)
    assert source is not None
    with pytest.raises(Undecided, match="stay at rho < 0"):
        source([(lambda: (arb(-1),), 1.0)], -1)


@pytest.mark.parametrize(
    "spec, parity",
    [
        ("mlp:erf:depth=3,weight_var=2,bias_var=0", -1),
        ("mlp:abs:depth=2,weight_var=1,bias_var=0", 1),
        ("mlp:cos(x):depth=2,weight_var=1,bias_var=1/10", 1),
        ("mlp:erf:depth=3,weight_var=2,bias_var=1/10", 0),
        ("mlp:relu:depth=2,weight_var=2,bias_var=0", 0),
    ],
)
def test_one_side_is_the_other_of_even_and_odd_networks(spec: str, parity: int) -> None:
    lines: list[str] = []
    c = collapse(spec, variance=Rational(1), error=1e-10, progress=lines.append)
    assert any("< 0" in line for line in lines) == (parity == 0)
    with precision(200):
        for gap in ("0.9", "0.3", "1e-4"):
            at = c.angular.evaluator()(arb(gap), -1)
            found = c.evaluate(-1 + float(gap))
            for f, e, end in zip(found, at, c.ends, strict=True):
                assert abs(float(f) - float(e)) <= 1e-10 * end


@pytest.mark.parametrize("wide", [True, False])
def test_what_is_too_wide_is_done_again_in_balls(
    wide: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poor(found: AngularNetwork, error: float, report: Progress) -> Source:
        slow = in_balls(found, report)

        def source(batches: Sequence[tuple[Places, float]], sign: int) -> list[Pair]:
            if not wide:
                raise Undecided("no samples")
            return [(tuple(v + arb(0, 1e-9) for v in k), t) for k, t in slow(batches, sign)]

        return source

    monkeypatch.setattr(fit, "tail", poor)
    assert max(collapse("mlp:relu:depth=2,weight_var=2").error) <= 1e-12
