"""Two large variances brought nearer as one: functions with points, steps and waves, near parallel.

Roots of the determinant that say more than q12, as networks have them: the width of a point counts.
"""

from __future__ import annotations

from typing import Any

import pytest
from mpmath import MPContext

from ntksym.dual import dual
from ntksym.language import as_activation
from ntksym.lower.build import Builder
from ntksym.lower.ops import OPS
from ntksym.lower.scales import settle

POINTS = ("exp(-(x+1)^2/2)+2*exp(-x^2)", "exp(-x^2)-erf(x)/2", "sin(2*x)+2*exp(-(x-1)^2)")
CLOSE = 2.0**-50


def programs(text: str) -> tuple[Any, Any]:
    """With what brings variances nearer, and the closed forms alone."""
    d = dual(as_activation(text))
    found = []
    for helped in (True, False):
        b = Builder(("q11", "q12", "q22", "root"), root="root")
        if helped:
            settle(b, d)
        found.append(b.program("pair", (("nngp", b.operand(d.value)), ("dot", b.operand(d.dot)))))
    return found[0], found[1]


@pytest.mark.parametrize("text", POINTS)
@pytest.mark.parametrize("ratio", (0, 3, 90))
def test_widths_count_at_any_size(text: str, ratio: int) -> None:
    helped, closed = programs(text)
    doubles, many = MPContext(), MPContext()
    doubles.prec, many.prec = 53, 2400
    two = many.mpf(2)
    for width in (0, two**-3, 1, 5, two**12, two**30, two**90, two**300):
        large, small = two ** (2 * 450 + 2 * ratio), two ** (2 * 450)
        root = width * two ** (450 + ratio)
        at = {"q11": large, "q12": many.sqrt(large * small - root**2), "q22": small, "root": root}
        exact = closed.evaluate(at, many)
        ends = [
            closed.evaluate({"q11": v, "q12": v, "q22": v, "root": many.zero}, many)
            for v in (large, small)
        ]
        got = helped.evaluate({k: doubles.mpf(v) for k, v in at.items()}, doubles)
        for label, value in exact.items():
            size = many.sqrt(ends[0][label] * ends[1][label])
            assert abs(got[label] - value) <= CLOSE * size, (label, width)


@pytest.mark.parametrize("text", POINTS)
def test_no_line_leaves_the_range_of_doubles(text: str) -> None:
    helped, _ = programs(text)
    ctx = MPContext()
    for a, c in ((1e300, 1e300), (1e300, 1e120), (1e200, 4.0)):
        for sine in (0.0, 1e-150, 1.0):
            length = a**0.5 * c**0.5
            at = {"q11": a, "q12": (1 - sine) * length, "q22": c, "root": sine * length}
            values: dict[str, Any] = {k: ctx.mpf(v) for k, v in at.items()}
            for let in helped.body:
                args = (
                    values[z] if isinstance(z, str) else ctx.mpf(z.numerator) / z.denominator
                    for z in let.args
                )
                values[let.name] = OPS[let.op].meaning(ctx, *args)
                size = values[let.name]
                assert not ctx.isfinite(size) or ctx.mag(size) < 1024, (let, a, c)
