"""Which duals need help at small or large variances, and the operations that give it.

`price` and `far` take the closed form as their first operand and return it where variances are of
ordinary size: see `lower.price` and `lower.far` for what they do elsewhere.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from math import inf

from sympy import Expr, Pow, erf, expand, oo, sqrt, zoo

from .. import symbols as S
from ..activation import Activation
from ..derivation import Derivation
from ..dual import Dual, dual
from ..errors import NtksymError
from ..functions import Phi
from .build import Builder
from .compensated import compensated
from .conditioning import OPPOSITE, loses, overflows, rounds_exponents, sums_lose
from .direct import Direct, direct_rule
from .direct_where import BINS, Covered, bin_ends, numbers_for
from .far import Far, far_rule
from .likes import DualLike
from .lone import lone_pair, lone_root
from .ops import DIRECT_OPS
from .packet import Packet
from .polynomial import DET
from .price import Small, point_loses, small_program
from .program import Operand, Program
from .rescale import Orders, diagonal_orders, orders, rescaled, rescaled_diagonal
from .rounding import of_value
from .separate import separated
from .small import one_signed
from .smoothed import opposite as beside_step
from .smoothed import smoothed
from .spread import spread_out
from .taylor import summed, taylor
from .tilt import Tilt, bell_elsewhere, brought_down, tilt, tilted, tilted_diagonal
from .wedge import one_sided, opposite

_TINY = Fraction(1, 10**5)
_LARGE = Fraction(10**6)
_ORDINARY = (Fraction(1, 4), Fraction(1), Fraction(4), Fraction(16))
_SOME = 1.25
"""Terms that are together so many times their sum: each of their roundings counts as much."""
_HUGE = Fraction(10**120)
_DETERMINANT = S.q11 * S.q22 - S.q12**2
_LATE = 2.0**33
_GOOD = 4.0
"""Eps of the value."""
_ENTRIES = frozenset({"q11", "q12", "q22"})


def settle(b: Builder, d: DualLike) -> None:
    """Let operations stand for a dual and its derivative in a builder, where that is needed."""
    if not _closed(d):
        return
    _settle_scaled(b, d)
    if (step := smoothed(d.activation)) is not None:
        b.replace(d.value, beside_step(b, b.operand(d.value), step))


def _settle_scaled(b: Builder, d: DualLike) -> None:
    if (pair := lone_pair(b, d)) is not None:
        for e, value in zip((d.value, d.dot), pair, strict=True):
            b.replace(e, value)
        return
    if (bell := tilt(d.activation)) is not None:
        if _closed_is_better(d.activation):
            _settle_plain_bell(b, d)
        else:
            _settle_bell(b, d, bell)
        return
    if (alone := bell_elsewhere(d.activation)) is not None:
        _settle_packet(b, d, alone)
        return
    if (found := _orders(d.activation)) is None:
        _settle(b, d)
        return
    names = _parameters(d)
    root = ("root",) if "root" in b.args else ()
    inner = Builder(("q11", "q12", "q22", *root, *names), root=root[0] if root else None)
    _settle(inner, d)
    p = inner.program("pair", (("nngp", inner.operand(d.value)), ("dot", inner.operand(d.dot))))
    made = rescaled(b, p, found, {a: a for a in p.args})
    b.replace(d.value, made["nngp"])
    b.replace(d.dot, made["dot"])


def _parameters(d: DualLike) -> list[str]:
    return sorted({s.name for e in (d.value, d.dot) for s in e.free_symbols} - _ENTRIES)


@lru_cache(maxsize=256)
def _orders(activation: Activation) -> Orders | None:
    """As `orders`, also where a closed form loses its digits beside any large or small variance.

    The series and the integrals that replace it there are of variances that are not extreme.
    """
    rule = _direct(activation)
    ends = rule is not None and any(any(t[:BINS]) or any(t[-BINS:]) for t in rule.used[:2])
    return orders(activation, ends or taylor(activation) is not None)


def _settle_bell(b: Builder, d: DualLike, bell: Tilt) -> None:
    names = _parameters(d)
    inner = Builder(("q11", "q12", "q22", "root", *names), root="root", most=1 / bell.rate)
    ends: list[tuple[str, Operand]] = []
    for label, part in (("nngp", bell.value), ("dot", bell.slope)):
        settle(inner, part)
        ends.append((label, inner.operand(part.value)))
    made = tilted(b, bell.rate, inner.program("pair", tuple(ends)))
    b.replace(d.value, made["nngp"])
    b.replace(d.dot, made["dot"])


def _settle_plain_bell(b: Builder, d: DualLike) -> None:
    inner = _under_bell(b, d)
    _place(b, d, inner, (inner.operand(d.value), inner.operand(d.dot)))


def _settle_packet(b: Builder, d: DualLike, found: Packet) -> None:
    _place(b, d, inner := _under_bell(b, d), found.pair(inner))


def _under_bell(b: Builder, d: DualLike) -> Builder:
    inner = Builder(("q11", "q12", "q22", "root", *_parameters(d)), root="root")
    inner.rounded_root = b.told_root is None  # scaled by powers of two, entries are still exact
    return inner


def _place(b: Builder, d: DualLike, inner: Builder, ends: tuple[Operand, Operand]) -> None:
    """Let the two ends of a program of a function under a bell stand for a dual."""
    p = inner.program("pair", (("nngp", ends[0]), ("dot", ends[1])))
    made = brought_down(b, p)
    b.replace(d.value, made["nngp"])
    b.replace(d.dot, made["dot"])


@lru_cache(maxsize=256)
def _closed_is_better(activation: Activation) -> bool:
    """Whether the closed form of a bell times a function keeps more digits of small values.

    That of (1 - x^2) exp(-x^2/2) is a sum of positive terms; under the bell it changes sign.
    """
    d, bell = dual(activation), tilt(activation)
    assert bell is not None
    numbers = {k: float(v) for k, v in numbers_for(activation.params).items()}
    lost = of_value(_pair(d, None), numbers, _GOOD)
    return lost <= _GOOD and 2 * lost <= of_value(_pair(d, bell), numbers, 2 * lost)


def _pair(d: Dual, bell: Tilt | None) -> Program:
    b = Builder(("q11", "q12", "q22", *sorted(p.name for p in d.activation.params)))
    if bell is not None:
        _settle_bell(b, d, bell)
    return b.program("pair", (("nngp", b.operand(d.value)), ("dot", b.operand(d.dot))))


def _settle_bell_diagonal(b: Builder, d: DualLike, bell: Tilt) -> None:
    names = sorted({s.name for e in (d.diag, d.diag_dot) for s in e.free_symbols} - {"q"})
    inner = Builder(("q", *names), most=1 / bell.rate)
    ends: list[tuple[str, Operand]] = []
    for label, part in (("nngp", bell.value), ("dot", bell.slope)):
        settle_diagonal(inner, part)
        ends.append((label, inner.operand(part.diag)))
    made = tilted_diagonal(b, bell.rate, inner.program("pair", tuple(ends)))
    b.replace(d.diag, made["nngp"])
    b.replace(d.diag_dot, made["dot"])


def _settle(b: Builder, d: DualLike) -> None:
    at: tuple[Operand, ...] = ("q11", "q12", "q22", b.operand(sqrt(DET)))
    for e in _overflowing(d.activation):
        b.replace(e, b.operand(spread_out(e)))
    if (series := taylor(d.activation)) is not None:
        closed_forms = b.operand(d.value), b.operand(d.dot)
        found = summed(b, series, {n: n for n in _ENTRIES}, closed_forms)
        for e, value in zip((d.value, d.dot), found, strict=True):
            b.replace(e, value)
    for e in _summed_up(d.activation):
        b.replace(e, compensated(b, b.operand(e)))
    if (inner := _small(d.activation)) is not None:
        closed = b.operand(d.value)
        b.replace(d.value, b.emit("price", closed, *at, *inner.program.args[4:], inner=inner))
    for e, powers in zip((d.value, d.dot), one_sided(d.activation) or (), strict=False):
        if max(powers) > 1 or len(powers) > 1:  # arcs have a row of their own
            b.replace(e, opposite(b, b.operand(e), powers))
    if (rule := _far(d.activation)) is not None:
        for e, op in ((d.value, "far"), (d.dot, "far_dot")):
            b.replace(e, b.emit(op, b.operand(e), *at, inner=rule))
    if (own := _direct(d.activation)) is not None:
        for e, op, used, signed in zip(
            (d.value, d.dot), DIRECT_OPS, own.used, one_signed(own), strict=False
        ):
            if any(used) or (signed and loses(e, _LARGE, slope=OPPOSITE)):
                b.replace(e, b.emit(op, b.operand(e), *at, *own.point.args[1:], inner=own))


def settle_diagonal(b: Builder, d: DualLike) -> None:
    """The same for the diagonal, in `q`."""
    if not _closed(d):
        return
    if (bell := tilt(d.activation)) is not None:
        _settle_bell_diagonal(b, d, bell)
        return
    if (alone := bell_elsewhere(d.activation)) is not None:
        for e, value in zip((d.diag, d.diag_dot), alone.diagonal(b), strict=True):
            b.replace(e, value)
        return
    if (found := diagonal_orders(d.activation)) is None:
        _settle_diagonal(b, d)
        return
    ends = {"nngp": d.diag, "dot": d.diag_dot}
    finite = {k: e for k, e in ends.items() if e not in (oo, zoo)}
    names = sorted({s.name for e in finite.values() for s in e.free_symbols} - {"q"})
    inner = Builder(("q", *names))
    _settle_diagonal(inner, d)
    p = inner.program("own", tuple((k, inner.operand(e)) for k, e in finite.items()))
    for k, value in rescaled_diagonal(b, p, found).items():
        b.replace(ends[k], value)


def _settle_diagonal(b: Builder, d: DualLike) -> None:
    if (series := taylor(d.activation)) is not None:
        both = b.operand(d.diag), b.operand(d.diag_dot)
        own_place: dict[str, Operand] = dict.fromkeys(_ENTRIES, "q")
        for e, value in zip((d.diag, d.diag_dot), summed(b, series, own_place, both), strict=True):
            b.replace(e, value)
    if (inner := _small(d.activation)) is not None:
        at: tuple[Operand, ...] = ("q", "q", "q", Fraction(0), *inner.program.args[4:])
        b.replace(d.diag, b.emit("price", b.operand(d.diag), *at, inner=inner))
    if (rule := _far(d.activation)) is not None:
        for e, op in ((d.diag, "far_diag"), (d.diag_dot, "far_diag_dot")):
            if e not in (oo, zoo) and (op == "far_diag" or not (rule.steps or rule.jumps)):
                b.replace(e, b.emit(op, b.operand(e), "q", inner=rule))
    for e, pair in _cancelling(d):
        b.replace(e, _on_diagonal(b, pair))
    for e, form in _masses(d):
        b.replace(e, b.operand(form))
    if (own := _direct(d.activation)) is not None:
        given = own.point.args[1:]
        for e, op, used in zip((d.diag, d.diag_dot), DIRECT_OPS[2:], own.used[2:], strict=True):
            if any(used):
                b.replace(e, b.emit(op, b.operand(e), "q", *given, inner=own))


def _cancelling(d: DualLike) -> tuple[tuple[Expr, Expr], ...]:
    """Diagonals that lose digits at small variances where the dual itself, at u = v, does not.

    E[sin(u)^2] = (1 - exp(-2 q))/2 cancels; exp(-q) sinh(q), the dual at q12 = q, does not.  Nor do
    duals of polynomials in factors of one point.  Only duals without kinks: others are limits at
    u = v.
    """
    if _jumps(d.activation):
        return ()
    found = ((d.diag, d.value), (d.diag_dot, d.dot))
    return tuple(
        (e, pair)
        for e, pair in found
        if not (e in (oo, zoo) or _kinked(pair))
        and (separated(pair) is not None or _less(pair, e.xreplace({S.q: S.q11})))
    )


def _masses(d: DualLike) -> tuple[tuple[Expr, Expr], ...]:
    """Diagonals that are the mass of an interval, by erf: 1 - 2 Phi(-c/sqrt(q)) loses what is left
    of it at large variances.
    """
    found = []
    for e in (d.diag, d.diag_dot):
        if e in (oo, zoo) or not e.has(Phi):
            continue
        form = expand(e.replace(Phi, lambda z: (1 + erf(z / sqrt(2))) / 2))
        if _less(form.xreplace({S.q: S.q11}), e.xreplace({S.q: S.q11}), _LARGE):
            found.append((e, form))
    return tuple(found)


def _less(pair: Expr, own: Expr, variance: Fraction = _TINY) -> bool:
    """Whether the first keeps the digits that the second loses, at small variances or others."""
    return loses(own, variance) and not loses(pair, variance)


def _kinked(e: Expr) -> bool:
    """Whether a root or a reciprocal of the determinant is in it."""
    powers = (p for p in e.atoms(Pow) if p.base == _DETERMINANT)
    return any(not (p.exp.is_integer and p.exp.is_positive) for p in powers)


def _on_diagonal(b: Builder, pair: Expr) -> Operand:
    """An expression in q11, q12, q22 with all three q, without SymPy gathering its terms."""
    names = tuple(sorted(s.name for s in pair.free_symbols - {S.q11, S.q12, S.q22}))
    inner = Builder(("q11", "q12", "q22", "root", *names), root="root")
    p = inner.program("pair", (("value", inner.operand(pair)),))
    at: dict[str, Operand] = {"q11": "q", "q12": "q", "q22": "q", "root": Fraction(0)}
    return b.again(p, at)["value"]


@lru_cache(maxsize=256)
def settles(activation: Activation) -> Dual | None:
    """The dual of an activation whose layers need such operations, else None."""
    try:
        found = dual(activation)
    except NtksymError:
        return None
    if not _closed(found):
        return None
    rules = (
        tilt,
        small_program,
        taylor,
        one_sided,
        smoothed,
        _far,
        _direct,
        _orders,
        diagonal_orders,
        _overflowing,
    )
    if lone_root(found.value, found.dot) is not None:
        return found
    if any(rule(activation) for rule in rules) or _cancelling(found) or _masses(found):
        return found
    return None


@lru_cache(maxsize=256)
def _overflowing(activation: Activation) -> tuple[Expr, ...]:
    """Value and derivative where `spread_out` keeps them inside the range of doubles."""
    d = dual(activation)
    return tuple(e for e in (d.value, d.dot) if spread_out(e) != e)


@lru_cache(maxsize=256)
def _summed_up(activation: Activation) -> tuple[Expr, ...]:
    """Value and derivative where their terms are larger than they are, at ordinary variances.

    What has a zero is judged by its size: digits of a value near 0 are nobody's aim, and cost time.
    """
    d = dual(activation)
    ends = ((d.value, d.diag), (d.dot, d.diag_dot))
    return tuple(e for e, own in ends if sums_lose(e, own, _ORDINARY, _SOME))


def _closed(d: DualLike) -> bool:
    derived = getattr(d, "derivation", None)
    return isinstance(derived, Derivation) and derived.centred


def _jumps(activation: Activation) -> bool:
    derived = dual(activation).derivation
    return isinstance(derived, Derivation) and derived.jumps


def _small(activation: Activation) -> Small | None:
    """Price's rule, where no series of the same number is."""
    return small_program(activation) if taylor(activation) is None else None


@lru_cache(maxsize=256)
def _direct(activation: Activation) -> Direct | None:
    small, far = _small(activation), _far(activation)
    large, least = (far.start**2, far.least) if far is not None else (inf, 0.0)
    slopes = far is None or not (far.steps or far.jumps)
    covered = Covered(float(small.below) if small is not None else 0.0, large, least, slopes)
    rule = direct_rule(dual(activation), covered)
    if rule is None or small is None or activation.params:
        return rule
    return _without_small(activation, rule, small.below)


def _without_small(activation: Activation, rule: Direct, below: Fraction) -> Direct:
    """The rule without the values of small variances where s itself cancels: `price` has them."""
    unit = Fraction(float(rule.marks.evaluate({})["unit"])) ** 2
    tops = (Fraction(bin_ends(k)[1]) * unit for k in range(BINS))
    left = [top > below or not point_loses(activation, top) for top in tops]
    value, dot, diag, diag_dot = rule.used
    value = tuple(v * left[min(divmod(k, BINS))] for k, v in enumerate(value))
    diag = tuple(v * own for v, own in zip(diag, left, strict=True))
    return replace(rule, used=(value, dot, diag, diag_dot))


@lru_cache(maxsize=256)
def _far(activation: Activation) -> Far | None:
    d = dual(activation)
    if activation.params:
        return None
    exprs = (d.value, d.dot)
    if rounds_exponents(exprs, _LARGE) or any(loses(e, _LARGE) for e in exprs):
        return far_rule(activation)
    if not overflows(exprs, _HUGE) or (rule := far_rule(activation)) is None:
        return None
    return replace(rule, start=max(rule.least, _LATE))  # right until then, and faster
