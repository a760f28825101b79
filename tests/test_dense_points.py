"""Points of dense scans at which a kernel, or an operation of one, was off by more than 4 eps."""

from __future__ import annotations

import numpy as np
import pytest
from mpmath import MPContext
from test_backends import EPS, RUN, single

from ntksym.backends import BACKENDS
from ntksym.dual import dual
from ntksym.language import as_activation
from ntksym.lower import OPS
from ntksym.lower.kernel import lower_dual
from ntksym.runtime.compile import compile as compile_

ORTHANTS = (
    (13.0125, -4.572, 0.393687, -7.97306, 13.3955, 0.0, 0.0),
    (28.9586, -7.26605, -5.66103, 7.97306, 13.3955, 0.0, 0.0),
    (9.5, -2.25, -4.3, -1.2, 9.0, 0.0, 0.0),
    (6.25, -3.5, -1.75, -2.5, 7.5, 0.0, 0.0),
    (0.0, 0.0, 0.0, -4.0, 0.0, 0.0, 0.0),
)
"""Arguments of exp(a)*Phi2 whose exponents are of the conditional tail: 11 and 13 eps; and nothing."""


@pytest.mark.parametrize("name", [b.name for b in BACKENDS])
def test_orthants_keep_their_digits(name: str) -> None:
    got = RUN[name]({"expPhi2": single("expPhi2")}, {"expPhi2": ORTHANTS})["expPhi2"]
    ctx = MPContext()
    ctx.dps = 24
    for row, value in zip(ORTHANTS, got, strict=True):
        exact = OPS["expPhi2"].meaning(ctx, *map(ctx.mpf, row))
        assert abs(float(value) - exact) <= 3.0 * EPS * exact + 1e-200, row


CASES = (
    ("abs(x) + exp(x)", (28.93802955097392, 28.712784124987735, 28.490018732201086)),
    ("step(x)*exp(-x/2)", (37.940125998106126, 9.502150932647542, 5.305776958081702)),
)
"""Off by 33 eps, integrated as if the exponents of its closed form were rounded, and by 11 where a
tail was multiplied by its own exponential."""


@pytest.mark.parametrize(("text", "point"), CASES)
def test_kernels_keep_four_eps_of_their_size(text: str, point: tuple[float, ...]) -> None:
    kernel = compile_(as_activation(text), "numpy")
    ctx = MPContext()
    ctx.dps = 50
    args = dict(zip(("q11", "q12", "q22"), map(ctx.mpf, point), strict=True))
    exact = lower_dual(dual(as_activation(text))).evaluate(args, ctx)
    found = kernel(*([v] for v in point))
    for label in ("nngp", "dot"):
        sides = [getattr(kernel.diag([v]), label) for v in (point[0], point[2])]
        size = float(np.sqrt(sides[0] * sides[1])[0])
        got = float(np.ravel(getattr(found, label))[0])
        assert abs(ctx.mpf(got) - exact[label]) <= 4.0 * EPS * size, label
