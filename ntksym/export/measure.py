"""How accurate generated code is: its results at hard points against 34 digits.

The error of a value at (q11, q12, q22) is divided by the size of the kernel there, sqrt of the
product of the diagonals, and given in units of 2**-52: what a kernel method can notice.  The same
relative to the value itself is given for outputs that have one sign at all the points.  Results in
single precision are compared with the double results of the same code at the same points, in units
of 2**-23: what the double results are off by is below a millionth of that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from ..lower.program import Program

EPS = 2.0**-52
VARIANCES = ((1.0, 1.0), (0.3, 2.0), (1e-6, 1e-6), (1e-3, 7.0), (5.0, 5.0), (400.0, 0.01))
SINGLE_EPS = 2.0**-23
LEAST = {EPS: 2.0**-1022, SINGLE_EPS: 2.0**-126}
"""Values below have fewer digits: the errors relative to them are left out."""
SCALES = (1e-200, 1e200)
"""Tried only where the program does not ask for moderate sizes."""
SINGLE_SCALES = (1e-15, 1e15)
"""The same for floats."""
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
MORE = 350
"""Digits where the value is so small beside the size that its terms cancel, see `SMALL`: so many
that what is left of a value without digits is no normal number."""
SMALL = 1e-10
SIGNS = tuple((q, rho * q, q) for q in (25.0, 400.0) for rho in (-1.0, -0.75, 0.0, 1.0))
"""More points where an output may have another sign: opposite inputs of large variances."""
LARGEST = 1e150
SINGLE_LARGEST = 1e30


@dataclass(frozen=True, slots=True)
class Worst:
    """The worst error of one output, and where; `count` points were used.

    `of_value` is the worst error relative to the value, at the points where it is a normal number;
    None where the output changes its sign: it has a zero, and near it no relative accuracy.
    """

    output: str
    eps: float
    point: tuple[float, float, float]
    count: int
    of_value: float | None = None

    def record(self) -> dict[str, Any]:
        """What the lock says of it."""
        of_value = None if self.of_value is None else round(self.of_value, 3)
        point = [v.hex() for v in self.point]
        return {"eps": round(self.eps, 3), "eps_of_value": of_value, "point": point}


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

    ctx, more = MPContext(), MPContext()
    ctx.dps, more.dps = DIGITS, MORE
    given = dict(params)
    sizes: dict[float, dict[str, Any]] = {}
    found = []
    for point in points(scale_free):
        at = {"q11": point[0], "q12": point[1], "q22": point[2], **given}
        exact = pair.evaluate(at, ctx)
        for label in ("nngp", "dot"):
            size = ctx.one
            for q in (point[0], point[2]):
                if q not in sizes:
                    sizes[q] = diag.evaluate({"q": q, **given}, ctx)
                size *= ctx.sqrt(abs(sizes[q][label]))
            if not ctx.isfinite(size):  # a jump: infinite on the diagonal; K/q has its units
                scale = ctx.sqrt(abs(sizes[point[0]]["nngp"] * sizes[point[2]]["nngp"]))
                size = max(abs(exact[label]), scale / ctx.sqrt(ctx.mpf(point[0]) * point[2]))
            if 0 < abs(exact[label]) < SMALL * size:
                exact[label] = ctx.convert(pair.evaluate(at, more)[label])
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
    errors = (
        (label, point, float(exact), abs(exact - float(results[label][row[point]])), size)
        for point, label, exact, size in references
    )
    return one_signed(_worst(errors, EPS), pair, params)


def one_signed(
    found: tuple[Worst, ...], pair: Program, params: Mapping[str, float]
) -> tuple[Worst, ...]:
    """The same, without `of_value` where the output has both signs at `SIGNS`."""
    both = _turning(pair, tuple(sorted(params.items())))
    return tuple(replace(w, of_value=None) if w.output in both else w for w in found)


@lru_cache(maxsize=64)
def _turning(pair: Program, params: tuple[tuple[str, float], ...]) -> frozenset[str]:
    """The outputs that have both signs, each to more than `SMALL` of the largest value."""
    from mpmath import MPContext

    ctx = MPContext()
    ctx.dps = DIGITS
    names = ("q11", "q12", "q22")
    rows = [pair.evaluate(dict(zip(names, at, strict=True)) | dict(params), ctx) for at in SIGNS]
    found = []
    for label in rows[0]:
        values = [row[label] for row in rows if ctx.isfinite(row[label])]
        least = SMALL * max(map(abs, values), default=ctx.zero)
        if min(values, default=0) < -least and max(values, default=0) > least:
            found.append(label)
    return frozenset(found)


def _worst(
    errors: Iterable[tuple[str, tuple[float, float, float], float, Any, Any]], eps: float
) -> tuple[Worst, ...]:
    """The worst of (output, point, exact value, error, size), by output in order of appearance."""
    rows: dict[str, list[tuple[float, float, float, tuple[float, float, float]]]] = {}
    for label, point, exact, error, size in errors:
        relative = float(error / abs(exact)) / eps if abs(exact) >= LEAST[eps] else 0.0
        rows.setdefault(label, []).append((float(error / size) / eps, relative, exact, point))
    found = []
    for label, cells in rows.items():
        worst = next((c for c in cells if math.isnan(c[0])), None) or max(cells)
        signed = min(c[2] for c in cells) >= 0.0 or max(c[2] for c in cells) <= 0.0
        of_value = max(c[1] for c in cells) if signed else None
        found.append(Worst(label, worst[0], worst[3], len(cells), of_value))
    return tuple(found)


def single_points(scale_free: bool) -> tuple[tuple[float, float, float], ...]:
    """The points of `points` as floats that keep the covariance semi-definite."""
    extremes = tuple((s, s) for s in SINGLE_SCALES) if scale_free else ()
    found: dict[tuple[float, float, float], None] = {}
    for a, b in (*VARIANCES, *extremes):
        first, second = float(np.float32(a)), float(np.float32(b))
        for rho in CORRELATIONS:
            c = np.float32(rho * (np.sqrt(first) * np.sqrt(second)))
            while _exceeds(first, float(c), second):
                c = np.nextafter(c, np.float32(0.0))
            found[first, float(c), second] = None
    return tuple(found)


def measure_single(
    run: Callable[[Any, Any, Any], tuple[Any, Any]], *, scale_free: bool
) -> tuple[Worst, ...]:
    """The worst errors of `nngp` and `dot` from arrays of floats, against those from doubles."""
    at = single_points(scale_free)
    wide = [np.array(column) for column in zip(*at, strict=True)]
    narrow = run(*(column.astype(np.float32) for column in wide))
    exact = run(*wide)
    with np.errstate(all="ignore"):
        own = [run(v, v, v) for v in (wide[0], wide[2])]
        sizes = [np.sqrt(np.abs(own[0][k] * own[1][k])) for k in range(2)]
        scale = sizes[0] / np.sqrt(wide[0] * wide[2])  # a jump: as in `_references`
        sizes[1] = np.where(np.isfinite(sizes[1]), sizes[1], np.fmax(np.abs(exact[1]), scale))
    errors = (
        (
            label,
            point,
            float(exact[k][i]),
            abs(float(narrow[k][i]) - float(exact[k][i])),
            sizes[k][i],
        )
        for k, label in enumerate(("nngp", "dot"))
        for i, point in enumerate(at)
        if np.isfinite(exact[k][i]) and 1 / SINGLE_LARGEST < sizes[k][i] < SINGLE_LARGEST
    )
    return _worst(errors, SINGLE_EPS)


def hard_rows() -> tuple[Any, Any]:
    """Hard rows: random, near-duplicates, multiples, opposites and a zero row."""
    rng = np.random.default_rng(0)
    x = rng.integers(-64, 65, size=(8, 6)) / 32.0
    near = [x[i] + t * x[(i + 1) % 8] for i, t in ((0, 1e-2), (1, 1e-5), (2, 1e-8))]
    y = np.array([*near, 3.7 * x[3], -x[4], -x[5] * (1 + 1e-5), 0 * x[6], *x[6:]])
    return x, y


def measure_pairs(
    reference: Callable[[Any, Any, Any, Any], tuple[Any, Any]],
    run: Callable[[Any, Any], tuple[Any, Any]],
) -> tuple[Worst, ...]:
    """The worst relative errors of a network's `nngp` and `ntk` on rows that are hard.

    Random rows, near-duplicates at angles down to 1e-8, multiples, opposites and a zero row.
    The reference takes exact inner products.
    """
    from fractions import Fraction

    from mpmath import MPContext

    ctx = MPContext()
    ctx.dps = DIGITS
    x, y = hard_rows()
    nngp, ntk = run(x, y)

    def inner(a: Any, b: Any) -> Any:
        exact = sum(
            (Fraction(float(s)) * Fraction(float(t)) for s, t in zip(a, b, strict=True)),
            start=Fraction(0),
        )
        return ctx.mpf(exact.numerator) / exact.denominator

    errors = []
    for i, a in enumerate(x):
        for j, b in enumerate(y):
            g11, g12, g22 = inner(a, a), inner(a, b), inner(b, b)
            exact = reference(g11, g12, g22, ctx)
            own = reference(g11, g11, g11, ctx), reference(g22, g22, g22, ctx)
            got = nngp[i, j], ntk[i, j]
            for k, label in enumerate(("nngp", "ntk")):
                size = ctx.sqrt(abs(own[0][k] * own[1][k]))
                error = abs(ctx.convert(float(got[k])) - exact[k])
                if not size:  # a zero row: exact, or infinitely wrong
                    error, size = (ctx.inf if error else ctx.zero), ctx.one
                point = (float(g11), float(g12), float(g22))
                errors.append((label, point, float(exact[k]), error, size))
    return _worst(errors, EPS)


def measure_single_pairs(
    run: Callable[[Any, Any], tuple[Any, Any]],
    narrow: Callable[[Any, Any], tuple[Any, Any]],
) -> tuple[Worst, ...]:
    """The same for floats, against the double results of `run` on the same rows."""
    x, y = (rows.astype(np.float32) for rows in hard_rows())
    wide = x.astype(np.float64), y.astype(np.float64)
    exact, got = run(*wide), narrow(x, y)
    own = [[np.diagonal(part) for part in run(rows, rows)] for rows in wide]
    errors = []
    for i, a in enumerate(wide[0]):
        for j, b in enumerate(wide[1]):
            point = (float(a @ a), float(a @ b), float(b @ b))
            for k, label in enumerate(("nngp", "ntk")):
                value, size = float(exact[k][i, j]), math.sqrt(abs(own[0][k][i] * own[1][k][j]))
                error = abs(float(got[k][i, j]) - value)
                if not size:
                    error, size = (math.inf if error else 0.0), 1.0
                errors.append((label, point, value, error, size))
    return _worst(errors, SINGLE_EPS)
