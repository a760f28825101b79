"""Phi2 of complex arguments, whose terms may be larger than it by thousands of bits."""

from __future__ import annotations

from typing import Any

import pytest
from flint import acb, arb, ctx

import ntksym
from ntksym.precision import precision
from ntksym.verify import evaluate, safe
from ntksym.verify.rules import bivariate
from ntksym.verify.rules.bivariate import phi2

PARTS = [
    (("-0.1", "12"), ("-0.1", "12"), "0.6"),
    (("-0.3", "9"), ("0.2", "14"), "0.8"),
    (("0.7", "11"), ("-1.5", "-12"), "-0.7"),
]


def _plackett(h: acb, k: acb, r: arb) -> acb:
    """Plackett's formula in t = arcsin(r) by Gauss and Legendre, four panels of 60 nodes."""
    end, total = r.asin(), acb(0)
    for panel in range(4):
        for n in range(60):
            z, w = arb.legendre_p_root(60, n, weight=True)
            t = end * (panel + (1 + z) / 2) / 4
            exponent = (2 * h * k * t.sin() - h * h - k * k) / (2 * t.cos() * t.cos())
            total += exponent.exp() * w * end / 8
    root = arb(2).sqrt()
    return (-h / root).erfc() * (-k / root).erfc() / 4 + total / (2 * arb.pi())


@pytest.mark.parametrize(("h", "k", "r"), PARTS)
def test_nothing_is_lost_of_large_imaginary_parts(
    h: tuple[str, str], k: tuple[str, str], r: str
) -> None:
    """The other formula, with 512 bits, loses 60 to 130 of them here."""

    def found(value: tuple[str, str]) -> acb:
        return acb(arb(value[0]), arb(value[1]))

    with precision(128):
        ball = phi2(found(h), found(k), acb(arb(r)))
        assert ball.rel_accuracy_bits() > 90
    with precision(512):
        other = _plackett(found(h), found(k), arb(r))
        assert abs(ball - other) < 1e-25 * abs(other)


def test_fast_waves_under_a_step_are_enclosed_with_few_bits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The terms of Plackett's formula are e^2400 times the value: 3747 bits were needed."""
    seen: list[int] = []
    real = evaluate.phi2

    def watched(*args: Any) -> Any:
        seen.append(int(ctx.prec))
        return real(*args)

    monkeypatch.setattr(evaluate, "phi2", watched)
    _, rows = ntksym.evaluate("step(x - 1)*sin(5*x)", (100, 60, 100))
    assert all(row.agree for row in rows)
    assert seen
    assert max(seen) < 512


def test_nearly_opposite_and_complex_takes_as_little_as_nearly_equal() -> None:
    """With h - k in the exponent this took minutes: at -1 it is h + k that is small.

    cos(x) exp(-|x|) has such terms at every correlation near one.
    """
    with precision(160):
        h, k = acb(arb("-1e-6"), arb("1.999999")), acb(arb("-1e-6"), arb("-1.999999"))
        with safe.allowed(2.0):
            ball = phi2(h, k, acb(arb("-0.999999")))
        assert ball.rel_accuracy_bits() > 120
        # P(X <= h, Y <= k) = P(X <= h) - P(X <= h, -Y <= -k)
        same = phi2(h, -k, acb(arb("0.999999")))
        assert abs(ball - (-h / arb(2).sqrt()).erfc() / 2 + same) < arb("1e-36")


def test_swapped_and_conjugate_arguments_are_one_integral(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wave between kinks asks for each of its values up to eight times."""
    asked: list[Any] = []
    plain = bivariate.cdf

    def watched(z: Any) -> Any:
        asked.append(z)
        return plain(z)

    monkeypatch.setattr(bivariate, "cdf", watched)
    with precision(100):
        h, k, r = acb(arb("-0.21"), arb("9.4")), acb(arb("0.13"), arb("15.7")), acb(arb("0.6"))
        first = phi2(h, k, r)
        calls = len(asked)
        others = [
            phi2(k, h, r),
            *(phi2(a.conjugate(), b.conjugate(), r) for a, b in ((h, k), (k, h))),
        ]
        assert calls > 0 and len(asked) == calls
        assert all(
            z.overlaps(w)
            for z, w in zip(others, (first, first.conjugate(), first.conjugate()), strict=True)
        )
        assert first.rel_accuracy_bits() > 60


@pytest.mark.parametrize(
    ("h", "k", "r"), [("-41", "-42", "0.6"), ("-45", "-41", "-0.1"), ("-41", "-43", "0.3")]
)
def test_far_below_zero_the_value_has_the_working_precision(h: str, k: str, r: str) -> None:
    """Against the sum for moderate arguments, with as many bits as the value is small."""
    with precision(128):
        ball = phi2(acb(arb(h)), acb(arb(k)), acb(arb(r)))
        assert ball.rel_accuracy_bits() > 100
        wide = phi2(acb(arb(h, 1)), acb(arb(k, 1)), acb(arb(r)))
        assert wide.real.contains(ball.real)
    monkey = pytest.MonkeyPatch()
    with precision(4000), monkey.context() as patch:
        patch.setattr(bivariate, "_DEEP", -1000)
        other = phi2(acb(arb(h)), acb(arb(k)), acb(arb(r)))
        assert other.rel_accuracy_bits() > 100
    with precision(128):
        assert abs(ball - other) < arb("1e-25") * abs(other)


def test_exponentials_and_their_tails_agree_at_deviations_of_a_thousand() -> None:
    """PELU's dual has e^(10^6) times Phi2 at -1400: its derived form was not enclosed."""
    _, rows = ntksym.evaluate("max(x, 0) + min(0, exp(x/0.7) - 1)", (10**6, 5 * 10**5, 10**6))
    assert all(row.agree for row in rows)
