r"""Gauss-Legendre panels: bounds on ellipses recomputed, nodes, weights and errors.

If |F| <= M on the ellipse $\rho$ of a panel of length $\lambda$, the n-point rule errs by at most
$\frac\lambda2\frac{64}{15}\frac{M\rho^{-2n}}{1-\rho^{-2}}$, $n\ge2$.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flint import acb, arb, ctx, fmpq

from .box import bounded_on_ellipse, compiled
from .problem import BadCertificate, NotConfirmed
from .reading import integer, rational
from .tree import Tree
from .value import Env

MOST_PANELS = 4000
MOST_POINTS = 200
_COVER = 64


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel [a, b] of a piece, with |piece| <= size on the ellipse of parameter rho."""

    a: Any
    b: Any
    points: int
    rho: Any
    size: Any
    tree: Tree

    @property
    def half(self) -> Any:
        """Half the length."""
        return (self.b - self.a) / 2

    @property
    def rate(self) -> Any:
        """The factor of M in the error of the rule."""
        decay = arb(1)
        for _ in range(2 * self.points):
            decay = decay / self.rho
        return self.half * 64 * decay / (15 * (1 - 1 / (self.rho * self.rho)))

    def axes(self) -> tuple[Any, Any, Any]:
        """Centre and semi-axes of the ellipse."""
        other = 1 / self.rho
        return (
            (self.a + self.b) / 2,
            self.half * (self.rho + other) / 2,
            (self.half * (self.rho - other) / 2),
        )

    def nearest(self, mean: Any) -> Any:
        """A lower bound of |xi - mean| over the real parts xi of the ellipse."""
        centre, semi, _ = self.axes()
        return (abs(centre - mean) - semi).lower().max(arb(0))

    def height(self) -> Any:
        """The largest imaginary part of the ellipse."""
        return self.axes()[2]


def fraction(value: Any) -> Any:
    """A `Fraction` as an `fmpq`."""
    return fmpq(value.numerator, value.denominator)


def read_panels(data: Any, cells: list[tuple[Any, Any, Tree]], env: Env, where: str) -> list[Panel]:
    """The panels of all cells, which they cover without a gap; bounds are proved again.

    Args:
        data: one list per cell of panels `[end, points, [p, q], e]`; the last end is null.
        cells: `(left, right, tree)` with ends as `arb`.
        env: values of the symbols.
        where: the place, for messages.

    Raises:
        BadCertificate: not of that form.
        NotConfirmed: a gap, or a bound that is too small.
    """
    if type(data) is not list or len(data) != len(cells):
        raise BadCertificate(f"{len(cells)} lists of panels are needed here", where)
    found: list[Panel] = []
    for i, (rows, (left, right, tree)) in enumerate(zip(data, cells, strict=True)):
        place = f"{where}[{i}]"
        if type(rows) is not list or not rows:
            raise BadCertificate("a cell without panels", place)
        start = left
        for j, row in enumerate(rows):
            if type(row) is not list or len(row) != 4:
                raise BadCertificate("a panel is [end, points, [p, q], e]", place)
            end = right
            if j < len(rows) - 1:
                end = arb(fraction(rational(row[0], place)))
            elif row[0] is not None:
                raise BadCertificate("the last panel of a cell ends with the cell: null", place)
            if not start < end:
                raise NotConfirmed(f"{place}: the panels are not in increasing order")
            found.append(_panel(start, end, row, tree, place))
            start = end
        if len(found) > MOST_PANELS:
            raise BadCertificate(f"more than {MOST_PANELS} panels", where)
    _check_bounds(found, env, where)
    return found


def _panel(a: Any, b: Any, row: Any, tree: Tree, place: str) -> Panel:
    points = integer(row[1], 2, MOST_POINTS, place)
    ratio = row[2]
    if type(ratio) is not list or len(ratio) != 2:
        raise BadCertificate("the parameter of the ellipse is [p, q]", place)
    p, q = (integer(v, 1, 10**6, place) for v in ratio)
    if not 0 < p - q <= 100 * q:
        raise BadCertificate("the parameter of an ellipse is above 1 and at most 101", place)
    e = integer(row[3], -2000, 2000, place)
    return Panel(a, b, points, arb(fmpq(p, q)), arb(2) ** e, tree)


def _check_bounds(found: list[Panel], env: Env, where: str) -> None:
    before = ctx.prec
    ctx.prec = _COVER
    try:
        functions = {p.tree: compiled(p.tree, env) for p in found}
        for i, p in enumerate(found):
            if not bounded_on_ellipse(functions[p.tree], *p.axes(), p.size):
                raise NotConfirmed(f"{where}: the bound on the ellipse of panel {i} is not true")
    finally:
        ctx.prec = before


@lru_cache(maxsize=512)
def rule(points: int, bits: int) -> tuple[tuple[Any, Any], ...]:
    """Nodes and weights of the Gauss-Legendre rule, in increasing order, as balls."""
    half = [arb.legendre_p_root(points, k, weight=True) for k in range((points + 1) // 2)]
    mirrored = [(-t, w) for t, w in half]
    return tuple(mirrored + half[: points // 2][::-1])


def weighted(found: list[Panel], env: Env) -> list[tuple[Any, Any]]:
    """`(node, weight times value)` of all panels, in order, at the working precision."""
    bits = int(ctx.prec)
    functions = {p.tree: compiled(p.tree, env) for p in found}
    out = []
    for p in found:
        centre, half, func = (p.a + p.b) / 2, p.half, functions[p.tree]
        for t, w in rule(p.points, bits):
            node = centre + half * t
            out.append((node, half * w * func(acb(node)).real))
    return out
