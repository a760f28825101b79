"""How accurate generated code is: its results at hard points against 34 digits.

The error of a value at (q11, q12, q22) is divided by the size of the kernel there, sqrt of the
product of the diagonals, and given in units of 2**-52: what a kernel method can notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from .lower.program import Program

EPS = 2.0**-52
VARIANCES = ((1.0, 1.0), (0.3, 2.0), (1e-6, 1e-6), (1e-3, 7.0), (5.0, 5.0), (400.0, 0.01))
SCALES = (1e-200, 1e200)
"""Tried only where the program does not ask for moderate sizes."""
CORRELATIONS = (
    0.0,
    0.5,
    -0.7,
    1.0,
    -1.0,
    1 - 2.0**-8,
    1 - 2.0**-26,
    1 - 2.0**-50,
    2.0**-8 - 1,
    2.0**-26 - 1,
    2.0**-50 - 1,
)
DIGITS = 34
LARGEST = 1e150


@dataclass(frozen=True, slots=True)
class Worst:
    """The worst error of one output, and where; `count` points were used."""

    output: str
    eps: float
    point: tuple[float, float, float]
    count: int


def points(scale_free: bool) -> Iterator[tuple[float, float, float]]:
    """(q11, q12, q22), q12 rounded to a double that keeps the covariance semi-definite."""
    extremes = tuple((s, s) for s in SCALES) if scale_free else ()
    for a, b in (*VARIANCES, *extremes):
        for rho in CORRELATIONS:
            c = rho * (np.sqrt(a) * np.sqrt(b))
            while _exceeds(a, float(c), b):
                c = np.nextafter(c, 0.0)
            yield a, float(c), b


def _exceeds(a: float, c: float, b: float) -> bool:
    from fractions import Fraction

    return Fraction(c) ** 2 > Fraction(a) * Fraction(b)


@lru_cache(maxsize=4)
def _references(
    pair: Program,
    diag: Program,
    params: tuple[tuple[str, float], ...],
    scale_free: bool,
) -> tuple[tuple[tuple[float, float, float], str, Any, Any], ...]:
    """(point, output, exact value, size) for every usable point: shared by the targets."""
    from mpmath import MPContext

    ctx = MPContext()
    ctx.dps = DIGITS
    given = dict(params)
    sizes: dict[float, dict[str, Any]] = {}
    found = []
    for point in points(scale_free):
        exact = pair.evaluate({"q11": point[0], "q12": point[1], "q22": point[2], **given}, ctx)
        for label in ("nngp", "dot"):
            size = ctx.one
            for q in (point[0], point[2]):
                if q not in sizes:
                    sizes[q] = diag.evaluate({"q": q, **given}, ctx)
                size *= ctx.sqrt(abs(sizes[q][label]))
            if not ctx.isfinite(size):  # a jump: infinite on the diagonal; K/q has its units
                scale = ctx.sqrt(abs(sizes[point[0]]["nngp"] * sizes[point[2]]["nngp"]))
                size = max(abs(exact[label]), scale / ctx.sqrt(ctx.mpf(point[0]) * point[2]))
            if ctx.isfinite(exact[label]) and 1 / LARGEST**2 < size < LARGEST**2:
                found.append((point, label, exact[label], size))
    return tuple(found)


def measure_dual(
    pair: Program,
    diag: Program,
    run: Callable[[Any, Any, Any], tuple[Any, Any]],
    params: dict[str, float],
    *,
    scale_free: bool,
) -> tuple[Worst, ...]:
    """The worst errors of `nngp` and `dot` over `points`.

    `run(q11, q12, q22)` returns both as arrays.  Points where the kernel itself is not a double
    of moderate size are left out.
    """
    references = _references(pair, diag, tuple(sorted(params.items())), scale_free)
    given = sorted({point for point, _, _, _ in references})
    row = {point: i for i, point in enumerate(given)}
    arrays = tuple(np.array(column) for column in zip(*given, strict=True))
    results = dict(zip(("nngp", "dot"), run(*arrays), strict=True))
    worst: dict[str, Worst] = {}
    for point, label, exact, size in references:
        error = float(abs(exact - float(results[label][row[point]])) / size) / EPS
        before = worst.get(label, Worst(label, -1.0, point, 0))
        if not error <= before.eps:
            worst[label] = Worst(label, error, point, before.count + 1)
        else:
            worst[label] = Worst(label, before.eps, before.point, before.count + 1)
    return tuple(worst[label] for label in ("nngp", "dot") if label in worst)


def measure_pairs(
    reference: Callable[[Any, Any, Any, Any], tuple[Any, Any]],
    run: Callable[[Any, Any], tuple[Any, Any]],
    seed: int = 0,
) -> tuple[Worst, ...]:
    """The worst relative errors of a network's `nngp` and `ntk` on rows that are hard.

    Random rows, near-duplicates at angles down to 1e-8, multiples, opposites and a zero row.
    The reference takes exact inner products.
    """
    from fractions import Fraction

    from mpmath import MPContext

    ctx = MPContext()
    ctx.dps = DIGITS
    rng = np.random.default_rng(seed)
    x = rng.integers(-64, 65, size=(8, 6)) / 32.0
    near = [x[i] + t * x[(i + 1) % 8] for i, t in ((0, 1e-2), (1, 1e-5), (2, 1e-8))]
    y = np.array([*near, 3.7 * x[3], -x[4], -x[5] * (1 + 1e-5), 0 * x[6], *x[6:]])
    nngp, ntk = run(x, y)

    def inner(a: Any, b: Any) -> Any:
        exact = sum(
            (Fraction(float(s)) * Fraction(float(t)) for s, t in zip(a, b, strict=True)),
            start=Fraction(0),
        )
        return ctx.mpf(exact.numerator) / exact.denominator

    worst = {"nngp": (-1.0, (0.0, 0.0, 0.0)), "ntk": (-1.0, (0.0, 0.0, 0.0))}
    for i, a in enumerate(x):
        for j, b in enumerate(y):
            g11, g12, g22 = inner(a, a), inner(a, b), inner(b, b)
            exact = reference(g11, g12, g22, ctx)
            own = reference(g11, g11, g11, ctx), reference(g22, g22, g22, ctx)
            got = nngp[i, j], ntk[i, j]
            for k, label in enumerate(("nngp", "ntk")):
                size = ctx.sqrt(abs(own[0][k] * own[1][k]))
                error = abs(ctx.convert(float(got[k])) - exact[k])
                relative = float(error / size) / EPS if size else float(error > 0) * float("inf")
                if not relative <= worst[label][0]:
                    worst[label] = (relative, (float(g11), float(g12), float(g22)))
    count = len(x) * len(y)
    return tuple(Worst(k, e, p, count) for k, (e, p) in worst.items())
