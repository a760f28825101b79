r"""Rows so far out that slopes leave the range of doubles, brought nearer.

Far from 0 a step, a sigmoid or a clipped line is $c_\pm$ and a point: its dual does not change
where a row is multiplied by a number, $E[s'(u)s'(v)]$ times the covariance does not either, but
$E[s''(u)s''(v)]$ goes like the inverse square of the variances and is no double from standard
deviations of 1e75 on.  The slopes of a network whose first such layer comes after homogeneous ones
are those at rows brought nearer by powers of two $t$: in $|x|^2$ times $t_x^2$, in $x \cdot y$
times $t_x t_y$, all others as they are.  What this takes from the kernels, and a bias from the
angle, is below $2^{-150}$ of them.  Collinear rows alone see the width of the point or the angle
that a bias makes, and are done with many digits (`collinear_pairs`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

import numpy as np

from ..checks import Array
from .layers import Layer
from .parallel import nearly_parallel
from .planes import KernelGradients
from .rows import paired

KEPT = 400
"""The variances that larger ones are brought to, as a power of two."""
WHOLE = 2
"""The highest degree of the layers before: more would bring rows too near."""


def degree_before(layers: Sequence[Layer]) -> int | None:
    """The degree of the layers before the first of degree 0; None where rows stay as they are."""
    for n, layer in enumerate(layers):
        if layer.degree == 0:
            degrees = [w.degree for w in layers[:n] if w.degree is not None]
            whole = prod(degrees)
            return whole if len(degrees) == n and whole <= WHOLE else None
    return None


def factors(layers: Sequence[Layer], levels: Array, steepest: float) -> Array | None:
    """The powers of two for rows whose largest variances are `levels`; None where all are 1."""
    far = (levels > steepest) & np.isfinite(levels)
    if not far.any() or (degree := degree_before(layers)) is None:
        return None
    power = np.frexp(np.where(far, levels, 1.0))[1]
    steps = np.ceil((power - KEPT) / (2 * degree)).astype(int)
    return np.where(far, np.ldexp(1.0, np.where(far, -steps, 0)), 1.0)


def collinear_pairs(a: Array, b: Array, first: Array, second: Array) -> list[tuple[int, int]]:
    """The pairs of rows of a (n, d) and b (m, d), both brought nearer, that span no area.

    `first`, `second`: the factors of rows.
    """
    both = (first < 1.0)[:, None] & (second < 1.0)[None, :] & nearly_parallel(a, b)
    rows, columns = np.nonzero(both)
    none = paired(a[rows], b[columns]).area == 0.0
    return list(zip(rows[none].tolist(), columns[none].tolist(), strict=True))


def further(found: KernelGradients, first: Array, second: Array) -> KernelGradients:
    """What was found at rows times `first` and others times `second`, at the rows themselves."""
    x, y = np.broadcast_arrays(first[:, None], second[None, :])

    def moved(slopes: Mapping[str, Array], mixed: tuple[str, ...]) -> dict[str, Array]:
        by = {"q11": x * x, "q22": y * y} | {v: x * y for v in mixed}
        return {v: plane * by[v] if v in by else plane for v, plane in slopes.items()}

    return KernelGradients(
        found.nngp,
        found.ntk,
        *(moved(slopes, ("q12",)) for slopes in (found.d_nngp, found.d_ntk)),
        *(moved(slopes, ()) for slopes in (found.polar_nngp, found.polar_ntk)),
    )
