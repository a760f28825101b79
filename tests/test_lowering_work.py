"""How much is evaluated to lower a network: generating and compiling takes two seconds at most."""

from __future__ import annotations

from typing import Any

import pytest
from mpmath import MPContext
from sympy import Expr, expand

from ntksym.digits import bits, digits
from ntksym.language import as_activation
from ntksym.lower import Program, lower_network, polynomial
from ntksym.lower.lines import Lines
from ntksym.lower.ops import OPS
from ntksym.network import mlp, recurse


@pytest.mark.parametrize("text", ["x*Phi(5*x/7)", "max(x, 0) + 4*(exp(min(x, 0)) - 1)/3"])
def test_sizes_are_not_taken_in_mpmath(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs ran 2000 times in mpmath to lower the first, with 300 digits; the second took a
    second for two orthants.
    """
    runs: list[str] = []
    evaluate = Program.evaluate

    def counted(self: Program, *given: Any) -> Any:
        runs.append(self.name)
        return evaluate(self, *given)

    monkeypatch.setattr(Program, "evaluate", counted)
    lower_network(recurse(mlp(as_activation(text), depth=3, weight_var=2, bias_var=0)))
    assert 10 < len(runs) < 500


def test_polynomials_are_expanded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules build the same closed form again and again: 1500 were expanded to lower this one."""
    expanded: list[Expr] = []

    def noted(e: Expr) -> Expr:
        expanded.append(e)
        return expand(e)

    monkeypatch.setattr(polynomial, "expand", noted)
    rational = as_activation("max(x, -13/7)*exp(-x/5)")
    lower_network(recurse(mlp(rational, depth=1, weight_var=2, bias_var=0)))
    assert 10 < len(expanded) < 500


def test_names_are_counted() -> None:
    """A line does not go through all names before its own: that took a tenth of the time."""
    looks: list[object] = []

    class Names(set[str]):
        def __contains__(self, name: object) -> bool:
            looks.append(name)
            return super().__contains__(name)

    lines = Lines(("q", "sum2"))
    lines._used = Names(lines._used)
    made = [lines.emit("add", "q", k, hint="sum") for k in range(1, 300)]
    assert made[:3] == ["sum", "sum3", "sum4"] and len(set(made)) == 299
    assert len(looks) < 1000


def test_orthants_of_one_number() -> None:
    """exp(a)*Phi2 where both are the same, or opposite: an integral over a peak beyond its grid."""
    ctx = MPContext()
    ctx.dps = 60
    orthant = OPS["expPhi2"].meaning
    for h, k in ((-1e6, -1e6), (-1e6, -1e3), (3.0, 2e5), (-4.0, 2.5)):
        at = [ctx.mpf(v) for v in (2.0, h, k)]
        size = ctx.exp(2) * ctx.erfc(-min(h, k) / ctx.sqrt(2)) / 2
        assert abs(orthant(ctx, *at, ctx.mpf(7), ctx.zero, 0, 0) - size) <= 1e-50 * size
        against = max(ctx.zero, size - ctx.exp(2) * ctx.erfc(max(h, k) / ctx.sqrt(2)) / 2)
        found = orthant(ctx, *at, ctx.mpf(-7), ctx.zero, 0, 0)
        assert abs(found - against) <= 1e-50 * size


def test_contexts_are_made_once() -> None:
    """Of each precision, by whichever name."""
    assert digits(50) is digits(50) and digits(50).dps == 50
    assert bits(53) is digits(15) and bits(54) is not bits(53)
