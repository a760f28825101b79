r"""Duals at large variances: what s does far out, and what is left, without their cancellation.

Where s tends to polynomials L on both sides, d = s - L dies out, and

$$E[s(u)s(v)] = E[L(u)L(v)] + \int d(x)\,p_1(x)\,E[L(v)\mid u = x]\,dx
+ \int d(y)\,p_2(y)\,E[L(u)\mid v = y]\,dy + \iint d(x)\,d(y)\,p(x, y)\,dx\,dy$$

with the densities p1, p2 of u, v and p of the pair.  At large variances everything but d is smooth
on the scale of d, so Gauss-Legendre rules on the pieces of d are exact to rounding, and no term is
larger than the result: the closed form has terms of order q even for a bounded s.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import inf
from typing import Any

from sympy import Add, Expr, Heaviside, I, Integer, Mul, Pow, oo, zoo

from ..activation import Activation
from ..derivation import Derivation
from ..dual import dual
from ..errors import NtksymError, UnsupportedOp
from ..symbols import x
from ..terms import TermSum
from ..terms.cells import Cell, cells, inside
from .build import Builder, number_of
from .program import Operand, Program

NODES = 16
"""Of a panel."""
TERMS = 22
"""Of the series of exp(rho*x*y) in the double integral, in every target."""
MOST = 256
"""More nodes than this are not worth it."""
NOTHING = 2.0**-62
EXACT = 2.0**-57
"""What a panel may be off by, next to the integral of the size."""
_FOOT = 8
"""Widths of a hill within which its foot is: it is 1e-14 of its top there."""
SHORTEST = 2.0**-30
"""Of the panels; in units of x, as variances are."""
_BARE = 2.0**60


@dataclass(frozen=True, slots=True)
class Far:
    """The numbers of the rule.

    Attributes:
        nodes: places x.
        weights: weight * d(x).
        squares: weight * (s^2 - L^2)(x), for the diagonal.
        slopes: weight * (s'^2 - L'^2)(x), for its derivative.
        right: coefficients of L for x > 0, lowest first.
        left: the same for x < 0, of equal length.
        least: the rule holds where standard deviations, conditional ones too, are at least this.
        start: it is used where both standard deviations are at least this.
        plain: (q11, q12, q22, root) -> nngp, dot of L.
        single: q -> nngp, dot of L on the diagonal.
        jumps: whether s jumps somewhere.
    """

    nodes: tuple[float, ...]
    weights: tuple[float, ...]
    squares: tuple[float, ...]
    slopes: tuple[float, ...]
    right: tuple[float, ...]
    left: tuple[float, ...]
    least: float
    start: float
    plain: Program
    single: Program
    jumps: bool = False

    @property
    def bare(self) -> tuple[float, float]:
        """From which standard deviations L alone is the dual, and its derivative, at any angle.

        d adds a share of 1/sqrt(q) at most, if L is not zero; for the derivative also neither of
        them must jump, because Dirac masses are all that counts for nearly equal inputs, and those
        of L are not those of s.
        """
        some = any(self.right) or any(self.left)
        return _BARE if some else inf, inf if self.steps or self.jumps or not some else _BARE

    @property
    def steps(self) -> bool:
        """Whether L jumps at 0: then E[L'(u)^2] is infinite, and that of s no sum with it."""
        return self.right[0] != self.left[0]

    @property
    def programs(self) -> tuple[Program, ...]:
        """As in `Inner`."""
        return (self.plain, self.single)

    def digest(self) -> str:
        """SHA-256 of the numbers and the programs, in hexadecimal."""
        lists = (self.nodes, self.weights, self.squares, self.slopes, self.right, self.left)
        numbers = " ".join(v.hex() for part in lists for v in part)
        ends = f"{self.least.hex()} {self.start.hex()}" + " jumps" * self.jumps
        text = f"{numbers} {ends} {self.plain.digest()} {self.single.digest()}"
        return hashlib.sha256(text.encode()).hexdigest()


def far_rule(activation: Activation) -> Far | None:
    """The rule of an activation without open parameters; None where s does not settle far out."""
    return _far(activation) if not activation.params else None


@lru_cache(maxsize=256)
def _far(activation: Activation) -> Far | None:
    try:
        d = Derivation.of(activation)
        found = cells(d.terms)
        ends = [settled(inside(d.terms, c), side) for c, side in ((found[-1], 1), (found[0], -1))]
    except NtksymError:
        return None
    if ends[0] is None or ends[1] is None:
        return None
    right, left = (_coefficients(e, d) for e in ends if e is not None)
    if right is None or left is None:
        return None
    degree = max(len(right), len(left))
    right, left = (c + (Integer(0),) * (degree - len(c)) for c in (right, left))
    try:
        rows = _rows(d, found, right, left)
    except UnsupportedOp:
        return None
    if not rows or len(rows) > MOST:
        return None
    step = Heaviside(x)
    outer = Add(*(Mul(a, Pow(x, n), step) for n, a in enumerate(right)))
    outer += Add(*(Mul(a, Pow(x, n), 1 - step) for n, a in enumerate(left)))
    programs = _programs(outer)
    if programs is None:
        return None
    nodes, weights, squares, slopes = zip(*rows, strict=True)
    sides = _doubles(right), _doubles(left)
    reach = _reach(rows)
    return Far(nodes, weights, squares, slopes, *sides, reach, 2.0 * reach, *programs, d.jumps)


def settled(f: TermSum, side: int) -> TermSum | None:
    """The polynomial that a step-free sum tends to at +-infinity; None where it does not."""
    found = parted(f, side)
    return None if found is None or found[1] >= 0 else found[0]


def parted(f: TermSum, side: int) -> tuple[TermSum, int] | None:
    """The polynomial that a step-free sum goes like at +-infinity, and the power of its waves.

    A wave is a term $x^n e^{ibx}$; without any the power is -1.  None where it grows faster.
    """
    kept, waves = TermSum(f.field, {}), -1
    for k, c in f.terms.items():
        tilt, shift = k.tilt, k.shift
        if any(z and not z.expr.is_real for z in (tilt, *(a for a, _ in k.gates))):
            return None
        wave = bool(shift and not shift.expr.is_real and not (tilt and tilt.sample_sign() > 0))
        if wave and (tilt or not shift.expr.is_imaginary):
            return None
        sign = -tilt.sample_sign() if tilt else 0
        if shift and not tilt and not wave:
            sign = side * shift.sample_sign()
        gates = [side * a.sample_sign() for a, _ in k.gates]
        if sign < 0 or (sign == 0 and any(g < 0 for g in gates)):
            continue
        if sign > 0 or not all(gates):
            return None
        if wave:
            waves = max(waves, k.power)
        else:
            kept += TermSum(f.field, {k._replace(gates=()): c})
    return kept, waves


def _coefficients(f: TermSum, d: Derivation) -> tuple[Expr, ...] | None:
    """Of a polynomial term sum, lowest power first."""
    found: dict[int, Expr] = {}
    for key, powers in f.groups().items():
        factor = TermSum(d.field, {key: d.field.integer(1)}).expr
        for n, c in powers.items():
            found[n] = found.get(n, Integer(0)) + c.expr * factor
    if any(c.free_symbols for c in found.values()):
        return None
    return tuple(found.get(n, Integer(0)) for n in range(max(found, default=0) + 1))


def _doubles(values: tuple[Expr, ...]) -> tuple[float, ...]:
    b = Builder(())
    names = tuple((f"c{k}", b.operand(v)) for k, v in enumerate(values))
    return tuple(float(v) for v in b.program("numbers", names).evaluate({}).values())


def _programs(outer: Expr) -> tuple[Program, Program] | None:
    """The dual of L off the diagonal and on it; zeros for L = 0."""
    b = Builder(("q11", "q12", "q22", "root"), root="root")
    one = Builder(("q",))
    pair: tuple[Operand, Operand] = (Fraction(0), Fraction(0))
    single = pair
    if outer != 0:
        try:
            found = dual(Activation("far", outer))
        except NtksymError:
            return None
        pair = b.operand(found.value), b.operand(found.dot)
        slope = oo if found.diag_dot in (oo, zoo) else found.diag_dot
        single = one.operand(found.diag), one.operand(slope)
    outputs = tuple(zip(("nngp", "dot"), pair, strict=True))
    ends = tuple(zip(("nngp", "dot"), single, strict=True))
    return b.program("far_pair", outputs), one.program("far_diag", ends)


Row = tuple[float, float, float, float]


def _rows(
    d: Derivation, found: tuple[Cell, ...], right: tuple[Expr, ...], left: tuple[Expr, ...]
) -> tuple[Row, ...]:
    """(x, weight*d, weight*(s^2 - L^2), weight*(s'^2 - L'^2)) at the nodes of all panels."""
    from mpmath import MPContext

    ctx = MPContext()
    ctx.dps = 40
    base = _legendre(ctx)
    rows: list[Row] = []
    for cell in found:
        piece = inside(d.terms, cell)
        slope = piece.derivative()[0]
        low, high = (None if e is None else number_of(e.expr, ctx) for e in cell)
        for side, poly in ((-1, left), (1, right)):
            begin, stop = (high, low) if side < 0 else (low, high)  # outwards from 0
            begin = ctx.zero if begin is None or side * begin < 0 else begin
            if stop is not None and side * stop <= 0:
                continue
            b = Builder(("x",))
            outer = Add(*(Mul(a, Pow(x, n)) for n, a in enumerate(poly)))
            own = (piece.expr, slope.expr)
            if len(found) == 1 and piece.expr.has(I):  # waves: as they were given
                own = (d.activation.expr, d.activation.expr.diff(x))
            parts = (own[0], outer, own[1], outer.diff(x))
            p = b.program("piece", tuple((f"v{k}", b.operand(e)) for k, e in enumerate(parts)))
            if piece.expr.expand() == outer.expand():
                continue
            marks = sorted(_marks(piece, ctx, begin, side), key=abs)
            if stop is not None:
                marks = [m for m in marks if side * (stop - m) > 0]
            rows += _panels(p, ctx, base, begin, (*marks, stop), side)
    return tuple(rows)


def _marks(f: TermSum, ctx: Any, begin: Any, side: int) -> set[Any]:
    """Where terms have their hills far from `begin`, and the feet of these, outwards.

    Without them a hill would be missed behind a place where nothing is.
    """
    hills = []
    for k in f.terms:
        tilt = number_of(k.tilt.expr, ctx).real if k.tilt else ctx.zero
        if tilt > 0:
            hills.append((number_of(k.shift.expr, ctx).real / tilt, 1 / ctx.sqrt(tilt)))
        for gate in k.gates:
            a, b = (number_of(v.expr, ctx).real for v in gate)
            hills.append((-b / a, 1 / abs(a)))
    far = [(at, _FOOT * width) for at, width in hills if side * (at - begin) > _FOOT * width]
    return {m for at, foot in far for m in (at - foot, at, at + foot)}


def _panels(
    p: Program, ctx: Any, base: Any, begin: Any, stops: tuple[Any, ...], side: int
) -> list[Row]:
    """The rows from `begin` outwards past all `stops`, or until d is nothing before the last.

    Their number is a multiple of `NODES`.

    Each panel is as long as its rule is right: as two of half of its length, next to all of them.
    """
    rows: list[Row] = []
    totals, (stop, *later) = [ctx.zero] * 4, stops
    for left, right in pairwise((begin, *stops[:-1])):  # the hills: what is before them counts less
        for k, v in enumerate(zip(*_panel(p, ctx, base, left, right), strict=True)):
            totals[k - 1] += sum(abs(a) for a in v) if k else 0
    left, length, most = begin, ctx.mpf(1), ctx.zero
    while True:
        right = left + side * length
        last = stop is not None and side * (right - stop) > -length / 4
        right = stop if last else right
        whole, middle = _panel(p, ctx, base, left, right), (left + right) / 2
        halves = _panel(p, ctx, base, left, middle) + _panel(p, ctx, base, middle, right)
        sums = [t + sum(abs(v[k]) for v in whole) for k, t in enumerate(totals, 1)]
        off = [abs(sum(v[k] for v in whole) - sum(v[k] for v in halves)) for k in range(1, 5)]
        if any(e > EXACT * t for e, t in zip(off, sums, strict=True)) and length > SHORTEST:
            length /= 2
            continue
        panel = [(float(v[0]), float(v[1]), float(v[3]), float(v[4])) for v in whole]
        if any(any(row[1:]) for row in panel):  # whole ones: the code takes nodes in groups
            rows += panel
        top = max(max(abs(v[1]), abs(v[2])) for v in whole) / abs(right - left) * NODES
        totals, most = sums, max(most, top)
        if last and later:
            stop, *later = later
        elif last or (not later and top <= NOTHING * most):
            return rows
        if len(rows) > MOST:
            raise UnsupportedOp("the activation does not settle", hint="another route")
        left, length = right, 4 * length


def _panel(p: Program, ctx: Any, base: Any, left: Any, right: Any) -> list[tuple[Any, ...]]:
    """At its nodes x: weight times d, x*d, and the differences of the squares."""
    found = []
    for t, w in base:
        at, weight = left + (right - left) * t, abs(right - left) * w
        s, outer, ds, douter = p.evaluate({"x": at}, ctx).values()
        part = weight * (s - outer)
        slope = weight * (ds - douter) * (ds + douter)
        found.append((at, part, part * at, part * (s + outer), slope))
    return found


def _legendre(ctx: Any) -> tuple[tuple[Any, Any], ...]:
    """Gauss-Legendre on [0, 1] in the precision of the context."""
    rule = []
    for i in range(1, NODES + 1):
        z = ctx.cos(ctx.pi * (i - ctx.mpf(1) / 4) / (NODES + ctx.mpf(1) / 2))
        for _ in range(12):  # of Newton, each with twice the digits
            p0, p1 = ctx.one, z
            for k in range(2, NODES + 1):
                p0, p1 = p1, ((2 * k - 1) * z * p1 - (k - 1) * p0) / k
            slope = NODES * (z * p1 - p0) / (z * z - 1)
            step = p1 / slope
            z -= step
            if abs(step) <= 64 * ctx.eps:
                break
        rule.append(((1 - z) / 2, 1 / ((1 - z * z) * slope * slope)))
    return tuple(rule)


def _reach(rows: tuple[Row, ...]) -> float:
    """Up to where d counts to eight digits."""
    most = max(abs(w) for _, w, _, _ in rows)
    return max(abs(x) for x, w, _, _ in rows if abs(w) > 1e-8 * most)
