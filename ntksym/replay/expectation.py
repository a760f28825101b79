"""One expectation of the definition, enclosed again from its recorded pieces and panels."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

from flint import arb, fmpq

from .derivative import add, mul
from .exact import Exact
from .growth import Growth, check_defined, flat, growth
from .integrals import Law, Line, along, line_of, plane, tail
from .normal import same
from .panels import fraction, read_panels
from .pieces import Pieces, check_breaks, check_expression, check_slopes, heights
from .problem import BadCertificate, NotConfirmed
from .reading import field, integer, rational
from .tree import ONE, Tree, X, rat, read_tree, replace
from .value import Env, Value, ball, real, sign, value


@dataclass(frozen=True, slots=True)
class Factor:
    """A function: its expression, the pieces that are integrated, masses, and its growth."""

    tree: Tree
    slope: bool
    pieces: Pieces
    masses: tuple[tuple[Tree, Value], ...]
    growth: Growth


@dataclass(frozen=True, slots=True)
class Setting:
    """What every part of one expectation shares."""

    env: Env
    names: frozenset[str]
    where: str


CONSTANT = Factor(ONE, False, Pieces((), (ONE,)), (), flat(1))
"""The function 1."""


def read_factor(data: Any, tree: Tree, slope: bool, masses: bool, at: Setting, key: str) -> Factor:
    """A function, with everything recorded about it confirmed.

    Raises:
        BadCertificate, NotConfirmed: see the reason.
    """
    where = f"{at.where}.{key}"
    record = field(data, key, dict, at.where)
    names = at.names | {"x"}
    breaks = _trees(record, "breaks", at.names, where)
    pieces = Pieces(breaks, _trees(record, "pieces", names, where))
    if len(pieces.trees) != len(breaks) + 1:
        raise BadCertificate("one piece more than breaks is needed", where)
    check_breaks(breaks, at.env)
    check_expression(tree, pieces, at.env)
    used = pieces
    found: tuple[tuple[Tree, Value], ...] = ()
    if slope:
        slopes = _trees(record, "slopes", names, where)
        if len(slopes) != len(pieces.trees):
            raise BadCertificate("one slope per piece is needed", where)
        check_slopes(pieces, slopes, at.env)
        used = Pieces(breaks, slopes)
        if masses:
            jumps = _trees(record, "jumps", at.names, where)
            if len(jumps) != len(breaks):
                raise BadCertificate("one jump per break is needed", where)
            pairs = zip(breaks, heights(pieces, jumps, at.env), strict=True)
            found = tuple((b, h) for b, h in pairs if not _is_zero(h))
    return Factor(tree, slope, used, found, _growth(record, used, at, where))


def _is_zero(v: Value) -> bool:
    return v.sign == 0 if isinstance(v, Exact) else bool(v.is_zero())


def _trees(record: Any, key: str, names: frozenset[str], where: str) -> tuple[Tree, ...]:
    rows = field(record, key, list, where)
    if len(rows) > 200:
        raise BadCertificate("more than 200 pieces", where)
    return tuple(read_tree(r, f"{where}.{key}[{i}]", names) for i, r in enumerate(rows))


def _growth(record: Any, pieces: Pieces, at: Setting, where: str) -> Growth:
    """The recorded certificate |f(t)| <= 2^e exp(b|t| + a t^2), confirmed on every piece."""
    rows = field(record, "growth", list, where)
    if len(rows) != 3:
        raise BadCertificate("a growth certificate is [e, b, a]", where)
    c = arb(2) ** integer(rows[0], -4000, 4000, where)
    b, a = (arb(fraction(rational(r, where))) for r in rows[1:])
    if b < 0:
        raise BadCertificate("a rate of growth is negative", where)
    for left, right, tree in pieces.intervals():
        low = -inf if left is None else real(value(left, at.env)).lower()
        high = inf if right is None else real(value(right, at.env)).upper()
        check_defined(tree, (low, high), at.env)
        if not growth(tree, (low, high), at.env).at_most(c, b, a):
            raise NotConfirmed(f"{where}: the growth certificate is not confirmed")
    return Growth(c, 0, b, a)


class Parts:
    """The recorded parts, taken in order; all must be used."""

    def __init__(self, rows: list[Any], where: str) -> None:
        self.rows, self.where, self.used = rows, where, 0

    def take(self, kind: str) -> tuple[Any, str]:
        """The next part, which must be of this kind.

        Raises:
            BadCertificate: none left, or of another kind.
        """
        where = f"{self.where}.parts[{self.used}]"
        if self.used >= len(self.rows):
            raise BadCertificate(f"a part of the kind {kind!r} is missing", where)
        row = self.rows[self.used]
        if field(row, "kind", str, where) != kind:
            raise BadCertificate(f"a part of the kind {kind!r} is expected", where)
        self.used += 1
        return row, where

    def finish(self) -> None:
        """Nothing is left over.

        Raises:
            BadCertificate: more parts than the expectation has.
        """
        if self.used != len(self.rows):
            raise BadCertificate("more parts than the expectation has", self.where)


def expectation(f: Factor, g: Factor | None, law: Law, parts: Parts, at: Setting) -> Any:
    """E[f(u) g(v)] or E[f(u)] as an `arb`.

    Raises:
        BadCertificate, NotConfirmed: see the reason.
    """
    if g is None:
        return _single(f, law.m1, law.q11, parts, at) + _masses(f, CONSTANT, law, parts, at)
    found = _smooth(f, g, law, parts, at)
    found += _masses(f, g, law, parts, at)
    found += _masses(g, f, law.swapped(), parts, at)
    for a, left in f.masses:
        for b, right in g.masses:
            found += real(left) * real(right) * _joint(a, b, law, at)
    return found


def _smooth(f: Factor, g: Factor, law: Law, parts: Parts, at: Setting) -> Any:
    if law.q11 == 0:
        return _at(f, law.m1, at) * _single(g, law.m2, law.q22, parts, at)
    if law.q22 == 0:
        return _at(g, law.m2, at) * _single(f, law.m1, law.q11, parts, at)
    if f.pieces.is_zero or g.pieces.is_zero:
        return arb(0)
    if law.det == 0:
        return _collinear(f, g, law, parts, at)
    row, where = parts.take("plane")
    us, far_u = _side(row, "u", f.pieces, arb(law.m1), at, where)
    vs, far_v = _side(row, "v", g.pieces, arb(law.m2), at, where)
    first, second = line_of(law), line_of(law.swapped())
    lost = tail(f.growth, g.growth, first, far_u / first.s1)
    lost += tail(g.growth, f.growth, second, far_v / second.s1)
    return plane(us, vs, law, at.env) + _tail_ball(row, lost, where)


def _at(f: Factor, mean: Any, at: Setting) -> Any:
    if f.slope:
        raise NotConfirmed("a derivative at one point (a variance of zero) is not checked")
    r = ("rat", int(mean.numer()), int(mean.denom()))
    return real(value(replace(f.tree, {"x": r}), at.env))


def _tail_ball(row: Any, lost: Any, where: str) -> Any:
    """The recorded bound 2^e of the tails, as a ball around zero.

    Raises:
        NotConfirmed: the tails are not shown to be below it.
    """
    claimed = arb(2) ** integer(row.get("tail"), -4000, 4000, where)
    if not lost <= claimed:
        raise NotConfirmed(f"{where}: the tails are not shown to be below the recorded bound")
    return arb(0, claimed)


def _side(
    row: Any, key: str, pieces: Pieces, mean: Any, at: Setting, where: str
) -> tuple[Any, Any]:
    """The panels of one variable, and how far they reach on both sides of the mean."""
    side = field(row, key, dict, where)
    place = f"{where}.{key}"
    left, right = _range(side, place)
    cells = clipped(pieces, left, right, at.env)
    found = read_panels(side.get("panels"), cells, at.env, f"{place}.panels")
    return found, (mean - left).min(right - mean).lower()


def _range(row: Any, where: str) -> tuple[Any, Any]:
    ends = field(row, "range", list, where)
    if len(ends) != 2:
        raise BadCertificate("a range is two rational numbers", where)
    left, right = (fraction(rational(e, where)) for e in ends)
    if not left < right:
        raise BadCertificate("a range is empty", where)
    return arb(left), arb(right)


def clipped(pieces: Pieces, left: Any, right: Any, env: Env) -> list[tuple[Any, Any, Tree]]:
    """The pieces inside [left, right], as `(left, right, tree)`.

    Raises:
        NotConfirmed: a break that cannot be told from an end.
    """
    found = []
    for a, b, tree in pieces.intervals():
        low = left if a is None else _inside(real(value(a, env)), left, right)
        high = right if b is None else _inside(real(value(b, env)), left, right)
        if low < high:
            found.append((low, high, tree))
    return found


def _inside(at: Any, left: Any, right: Any) -> Any:
    for end in (left, right):
        if not (at < end or at > end):
            raise NotConfirmed("a break cannot be told from the end of a range")
    return left if at < left else (right if at > right else at)


def _single(f: Factor, mean: Any, variance: Any, parts: Parts, at: Setting) -> Any:
    """E[f(u)] without masses."""
    if variance == 0:
        return _at(f, mean, at)
    if f.pieces.is_zero:
        return arb(0)
    row, where = parts.take("line")
    first = line_of(Law(mean, mean, variance, fmpq(0), fmpq(0)))
    found, far = _line(row, f.pieces, first.m1, arb(variance), at, where)
    return found + _tail_ball(row, tail(f.growth, flat(1), first, far / first.s1), where)


def _collinear(f: Factor, g: Factor, law: Law, parts: Parts, at: Setting) -> Any:
    """E[f(u) g(v)] for v = m2 + k (u - m1): one integral over u."""
    slope = law.q12 / law.q11
    shift = law.m2 - slope * law.m1
    row, where = parts.take("line")
    merged = _merged(f.pieces, g.pieces, slope, shift, at.env)
    first = line_of(law)
    found, far = _line(row, merged, first.m1, arb(law.q11), at, where)
    lost = tail(f.growth, g.growth, first, far / first.s1)
    return found + _tail_ball(row, lost, where)


def _line(
    row: Any, pieces: Pieces, mean: Any, variance: Any, at: Setting, where: str
) -> tuple[Any, Any]:
    left, right = _range(row, where)
    cells = clipped(pieces, left, right, at.env)
    panels = read_panels(row.get("panels"), cells, at.env, f"{where}.panels")
    far = (mean - left).min(right - mean).lower()
    return along(panels, mean, variance, at.env), far


def _number(q: Any) -> Tree:
    return rat(int(q.numer()), int(q.denom()))


def _merged(f: Pieces, g: Pieces, slope: Any, shift: Any, env: Env) -> Pieces:
    """The pieces of f(x) g(k x + c)."""
    moved = [mul(_number(1 / slope), add(b, _number(-shift))) for b in g.breaks]
    images = g.trees
    if slope < 0:
        moved, images = moved[::-1], images[::-1]
    inner = add(mul(_number(slope), X), _number(shift))
    seconds = [replace(t, {"x": inner}) for t in images]
    breaks: list[Tree] = []
    trees = [mul(f.trees[0], seconds[0])]
    i = j = 0
    while i < len(f.breaks) or j < len(moved):
        if j == len(moved):
            order = -1
        elif i == len(f.breaks):
            order = 1
        else:
            order = _compare(f.breaks[i], moved[j], env)
        breaks.append(f.breaks[i] if order <= 0 else moved[j])
        i, j = i + (order <= 0), j + (order >= 0)
        trees.append(mul(f.trees[i], seconds[j]))
    return Pieces(tuple(breaks), tuple(trees))


def _compare(a: Tree, b: Tree, env: Env) -> int:
    if same(a, b):
        return 0
    return sign(value(add(a, mul(rat(-1), b)), env))


def _masses(f: Factor, g: Factor, law: Law, parts: Parts, at: Setting) -> Any:
    """The Dirac masses of f times the conditional mean of g."""
    found = arb(0)
    if not f.masses:
        return found
    if law.q11 == 0 or (law.det == 0 and g is not CONSTANT):
        raise NotConfirmed("a Dirac mass without a density is not checked")
    line = line_of(law)
    for point, height in f.masses:
        a = real(value(point, at.env))
        gap = (a - line.m1) / line.s1
        density = (-gap * gap / 2).exp() / (line.s1 * (2 * arb.pi()).sqrt())
        found += real(height) * density * _conditional(g, line, gap, parts, at)
    return found


def _conditional(g: Factor, line: Line, gap: Any, parts: Parts, at: Setting) -> Any:
    if g is CONSTANT:
        return arb(1)
    if g.pieces.is_zero:
        return arb(0)
    row, where = parts.take("line")
    mean = line.m2 + line.slope * gap
    found, far = _line(row, g.pieces, mean, line.rest * line.rest, at, where)
    here = Line(mean, line.rest, arb(0), arb(0), arb(0))
    return found + _tail_ball(row, tail(g.growth, flat(1), here, far / line.rest), where)


def _joint(a: Tree, b: Tree, law: Law, at: Setting) -> Any:
    """The joint density at a pair of masses."""
    p, q = ball(value(a, at.env)).real - arb(law.m1), ball(value(b, at.env)).real - arb(law.m2)
    det = arb(law.det)
    form = arb(law.q22) * p * p - 2 * arb(law.q12) * p * q + arb(law.q11) * q * q
    return (-form / (2 * det)).exp() / (2 * arb.pi() * det.sqrt())
