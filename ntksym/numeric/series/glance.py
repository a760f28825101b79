r"""How fast the first Hermite coefficients fall, in doubles: for choices, nothing of it is proven.

The nodes are those of trapezoid rules in t with $u = \tfrac12\sinh t$ on the line and
$u = b \pm e^{t - e^{-t}}$ on half-lines: dense where activations bend, and as many for wide
variances as for narrow ones, where balls take time in proportion to the deviation.
"""

from __future__ import annotations

from functools import lru_cache
from math import dist
from typing import Any

_REACH = 14.0
"""Where integrals over z end: the weight is 1e-43 there, and e^(-z^2/4) below 1e-21."""
_FIRST_STEP = 1 / 32
_MOST_NODES = 60_000
_AGREE = 1e-12
"""Relative to the norm: what two rules must agree to."""
LEAST = 1e-10
"""What is left, relative to the norm, is told down to here."""
_BEGIN = -4.0
"""Of t on a half-line: u - b is below 1e-25 there."""


@lru_cache(maxsize=64)
def glance(pieces: tuple[Any, ...], dev: float, count: int) -> tuple[float, float, float] | None:
    r"""$\sum_n a_n^2$ over all n, over $n \ge$ `count`/2 and over $n \ge$ `count`.

    Args:
        pieces: of f, one for the line or two for its halves.
        dev: $a_n = E[f(\mathrm{dev}\,z)\,h_n(z)]$, h_n orthonormal.
        count: as said.

    Returns:
        None where doubles do not tell: other pieces, functions that NumPy does not have, no
        agreement of two rules to 1e-12, or less left than `LEAST`.
    """
    from ...errors import UnsupportedOp
    from ..quadrature.floats import array_function

    if len(pieces) > 2:
        return None
    try:
        functions = [array_function(p.expr, p.expr) for p in pieces]
    except UnsupportedOp:
        return None
    place = 0.0 if len(pieces) == 1 else _place(pieces[0].hi)
    step, before = _FIRST_STEP, None
    while True:
        nodes = _nodes(len(pieces), place, dev, step)
        if sum(len(u) for u, _ in nodes) > _MOST_NODES:
            return None
        both = zip(functions, nodes, strict=True)
        now = _sums([(f(u)[0], u / dev, w / dev) for f, (u, w) in both], count)
        if now is None:
            return None
        if before is not None and dist(now, before) <= _AGREE * now[0]:
            return now if now[2] > LEAST * now[0] else None
        step, before = step / 2, now


def _place(end: Any) -> float:
    from ...precision import precision
    from ...verify.functions.pieces import number

    with precision(64):
        return float(number(end).mid())


def _nodes(many: int, place: float, dev: float, step: float) -> list[tuple[Any, Any]]:
    """The places u and the weights of each piece."""
    import numpy as np

    if many == 1:
        top = np.arcsinh(2 * _REACH * dev)
        t = step * np.arange(-int(top / step), int(top / step) + 1)
        return [(np.sinh(t) / 2, step * np.cosh(t) / 2)]
    found = []
    for sign in (-1.0, 1.0):
        top = np.log(max(_REACH * dev - sign * place, 1.0)) + 1.0
        t = step * np.arange(int(_BEGIN / step), int(top / step) + 1)
        grown = np.exp(t - np.exp(-t))
        found.append((place + sign * grown, step * grown * (1 + np.exp(-t))))
    return found


def _sums(parts: list[tuple[Any, Any, Any]], count: int) -> tuple[float, float, float] | None:
    """The three sums from values, places z and weights."""
    import numpy as np

    f, z, w = (np.concatenate(p) for p in zip(*parts, strict=True))
    if not np.isfinite(f).all():
        return None
    root = np.exp(-z * z / 4) / (2 * np.pi) ** 0.25
    g = f * root * w
    norm = float(g @ (f * root))
    left, half = norm, norm
    last, now = np.zeros_like(z), root
    for n in range(count):
        if n == count // 2:
            half = left
        left -= float(g @ now) ** 2
        last, now = now, (z * now - n**0.5 * last) / (n + 1) ** 0.5
    return (norm, half, left) if np.isfinite([norm, half, left]).all() else None
