"""Every catalogue entry with a closed form: proved, and enclosed to 30 digits at every point.

The points include negative q12, q11 != q22, rho near +-1, small and large variances, and the
lines v = u, v = -u, v = -3u/2.
"""

from __future__ import annotations

import pytest

from ntksym.activation import Activation
from ntksym.activations import catalogue
from ntksym.dual import dual
from ntksym.errors import NoClosedForm
from ntksym.language import as_activation
from ntksym.verify.prove import describe, prove
from ntksym.verify.report import Verdict

NO_CLOSED_FORM = {
    "sigmoid", "tanh", "softplus", "silu", "mish", "softsign", "atan", "logsigmoid",
    "tanhshrink", "gelu_tanh",
}  # fmt: skip
"""The whole list of entries that do not derive."""

CLOSED = [a for a in catalogue() if a.name not in NO_CLOSED_FORM]
UNSEEN = [
    "max(x, b*x)",
    "exp(b*x^2)*max(x, 0)",
    "exp(-sqrt(2)*x^2)*x",
    "x*Phi(b*x + c)",
    "exp(b*x^2)*Phi(a*x)*x",
    "max(x - c, 0)*exp(-x^2/3)",
    "exp(b*x)*max(a*x, 0)",
    "piecewise((x^2, x < -1), (1, x < 2), (exp(-x), True))",
    "max(x, x^2, 1)",
]
"""Activations of the class that are in no list, with parameters of any sign."""


@pytest.mark.parametrize("act", CLOSED, ids=lambda a: a.name)
def test_entry_is_proved_and_enclosed(act: Activation) -> None:
    report = prove(act)
    assert report.verdict is Verdict.PROVED, str(report)
    assert all(c.agree for c in report.comparisons), [
        describe(c) for c in report.comparisons if not c.agree
    ]
    assert len({c.point for c in report.comparisons}) >= 8


@pytest.mark.parametrize("text", UNSEEN)
def test_unseen_is_proved(text: str) -> None:
    report = prove(as_activation(text), digits=20)
    assert report.verdict is Verdict.PROVED, str(report)


def test_a_wave_times_a_step_is_proved() -> None:
    """Phi2 of complex arguments; at large variances its enclosure takes minutes, so small ones."""
    points = [("13/10", "2/5", "7/10"), (1, "-3/5", 1)]
    report = prove("sin(3*x)*heaviside(x) + cos(x)", digits=15, points=points)
    assert report.verdict is Verdict.PROVED, str(report)


@pytest.mark.parametrize("name", sorted(NO_CLOSED_FORM))
def test_the_rest_says_so(name: str) -> None:
    with pytest.raises(NoClosedForm, match="no closed form: the factor"):
        dual(name)


def test_a_planted_error_is_refuted_with_a_point() -> None:
    """A wrong closed form given to the comparison: disjoint balls, at an exact point."""
    from dataclasses import replace

    from sympy import Rational

    from ntksym.verify.prove import compare

    d = dual("gelu")
    for wrong in (2 * d.value, -d.value, d.value + Rational(1, 10**25)):
        point = (Rational(13, 10), Rational(2, 5), Rational(7, 10))
        (first, *_) = compare(replace(d, value=wrong), point, ())
        assert first.agree is False
