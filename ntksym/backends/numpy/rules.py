"""Operations of a layer as elementary array operations: triangles, roots, and the whole program."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from ...lower.direct import Direct
from ...lower.far import Far
from ...lower.lines import side
from ...lower.ops import FAR_OPS
from ...lower.price import Small
from ...lower.program import Let, Operand, Program, constants
from .._base import constant_values
from .tape import Arg, Line, Tape, Value

QUARTER = math.pi / 2
ROOTS = {"n11": "s11", "n22": "s22", "q11": "r11", "q22": "r22"}
"""Variances whose roots are given."""
LENGTH = Value(sides=(("r11", 1), ("r22", 1)))
"""sqrt(q11*q22)."""


@dataclass(frozen=True, slots=True)
class Triangle:
    """The leg c as sign*x, |x|, s, t = tan(angle/2), u = t*t, and its polynomial P(u)."""

    sign: int
    x: Arg
    size: str
    s: Arg
    t: str
    u: str


def _triangle(tape: Tape, s: Value, c: Value, h: Value | None) -> Triangle:
    x, leg = tape.flat(replace(c, sign=1)), tape.flat(s)
    if h is None:
        squares = (tape.emit("mul", a, a) for a in (leg, x))
        h = tape.root(tape.of(tape.emit("add", *squares)))
    size = tape.emit("abs", x)
    t = tape.emit("div", leg, tape.emit("add", tape.flat(h), size))
    return Triangle(c.sign, x, size, leg, t, tape.emit("mul", t, t))


def _ramp(tape: Tape, k: Triangle, sign: int) -> str:
    """2 max(sign*c, 0), exactly."""
    return tape.emit("add" if sign * k.sign > 0 else "sub", k.size, k.x)


def _atan(tape: Tape, k: Triangle) -> str:
    """atan(t)/t."""
    return tape.emit("add", tape.emit("mul", tape.emit("tail", k.u), k.u), 1.0)


def _angle(tape: Tape, s: Value, c: Value, h: Value | None = None) -> Value:
    """Twice atan(t), or pi less that."""
    k = _triangle(tape, s, c, h)
    turn = tape.emit("mul", tape.emit("below" if k.sign > 0 else "above", k.x), QUARTER)
    half = tape.emit("sub", turn, tape.emit("mul", _atan(tape, k), k.t))
    return Value(2.0, (), tape.emit("abs", half))


def _arcsine(tape: Tape, c: Value, s: Value, h: Value) -> Value:
    k = _triangle(tape, s, c, h)
    rest = tape.emit("sub", 0.5 * QUARTER, tape.emit("mul", _atan(tape, k), k.t))
    return Value(2.0, (), tape.emit("copysign", rest, k.x), k.sign)


def _arc(tape: Tape, s: Value, c: Value, h: Value | None = None) -> Value:
    """S + c*angle(s, -c) = s*u*(1 - (1 - u)*P(u)) + pi*max(c, 0)."""
    k = _triangle(tape, s, c, h)
    bulge = tape.emit("sub", _atan(tape, k), tape.emit("tail", k.u))
    bow = tape.emit("mul", tape.emit("mul", k.s, k.u), bulge)
    return Value(array=bow, more=((QUARTER, _ramp(tape, k, 1)),))


def _gap(tape: Tape, s: Value, c: Value, h: Value | None = None) -> Value:
    """H - c = s*t + 2 max(-c, 0)."""
    k = _triangle(tape, s, c, h)
    return Value(array=tape.emit("mul", k.s, k.t), more=((1.0, _ramp(tape, k, -1)),))


def _cosine(tape: Tape, s: Value, c: Value, h: Value | None) -> Arg:
    """c/h: the cosine of the angle."""
    if h is None:
        squares = (tape.times(a, a) for a in (s, c))
        h = tape.root(tape.plus(*squares))
    if h == LENGTH:  # with factors of the determinant it is there already
        return tape.emit("div", tape.flat(c), tape.emit("mul", "r11", "r22"))
    return tape.flat(tape.over(c, h))


def _wide_angle(tape: Tape, s: Value, c: Value, h: Value | None = None) -> Value:
    cosine = _cosine(tape, s, replace(c, sign=1), h)
    return tape.of(tape.emit("arccos" if c.sign > 0 else "arccos_minus", cosine))


def _wide_arcsine(tape: Tape, c: Value, s: Value, h: Value) -> Value:
    cosine = _cosine(tape, s, replace(c, sign=1), h)
    return Value(array=tape.emit("arcsin", cosine), sign=c.sign)


def _wide_arc(tape: Tape, s: Value, c: Value, h: Value | None = None) -> Value:
    return tape.plus(s, tape.times(c, _wide_angle(tape, s, tape.minus(c), h)))


def _hyproot(tape: Tape, a: Value, b: Value) -> Value:
    return tape.root(tape.plus(tape.times(b, b), a))


def _wave(tape: Tape, plus: Value, minus: Value, b: Value, d: Value) -> tuple[Value, Value, Arg]:
    """exp(max(plus, minus)/d)/2, exp(-2|b|/d) - 1, and b."""
    arc = tape.flat(b)
    top = tape.of(tape.emit("max", tape.flat(plus), tape.flat(minus)))
    grown = tape.emit("exp", tape.flat(tape.over(top, d)))
    twice = tape.times(Value(-2.0), tape.of(tape.emit("abs", arc)))
    down = tape.emit("expm1", tape.flat(tape.over(twice, d)))
    return tape.times(Value(0.5), tape.of(grown)), tape.of(down), arc


def _expsinh(tape: Tape, plus: Value, minus: Value, b: Value, d: Value) -> Value:
    grown, down, arc = _wave(tape, plus, minus, b, d)
    return tape.of(tape.emit("copysign", tape.flat(tape.times(grown, down)), arc))


def _expcosh(tape: Tape, plus: Value, minus: Value, b: Value, d: Value) -> Value:
    grown, down, _ = _wave(tape, plus, minus, b, d)
    return tape.times(grown, tape.plus(down, Value(2.0)))


def factored(p: Program) -> bool:
    """Whether det is to be (r - c)*(r + c): angles come from c/r, and r has the same errors there.

    Elsewhere q11*q22 - c^2 has half the error: r has that of three roundings.
    """
    lengths = {let.name for let in p.body if let.op == "mul" and {*let.args} == {"r11", "r22"}}
    return any(let.op in WIDE and let.args[-1] in lengths for let in p.body)


def _determinant(tape: Tape, in_factors: bool) -> str:
    """The determinant before the layer, as accurate as q12 is."""
    if not in_factors:
        return tape.emit("sub", tape.emit("mul", "q11", "q22"), tape.emit("mul", "q12", "q12"))
    r = tape.emit("mul", "r11", "r22")
    return tape.emit("mul", tape.emit("sub", r, "q12"), tape.emit("add", r, "q12"))


Affine = tuple[float, float, float]
"""c, d, e of c + d q11 + e q22."""


def _affine(tape: Tape, v: Value) -> Affine | None:
    """The coefficients of a value that is such a sum, with numbers."""
    factors = [*(n for n, power in v.sides for _ in range(power)), *([v.array] if v.array else [])]
    whole = len(factors) <= 1 and not v.more and all(power > 0 for _, power in v.sides)
    if not whole or not isinstance(v.number, float):
        return None
    found = _affine_line(tape, factors[0] if factors else 1.0)
    return found and _scaled(found, v.number * v.sign)


def _affine_line(tape: Tape, a: Arg) -> Affine | None:
    if isinstance(a, float):
        return a, 0.0, 0.0
    if a in ("q11", "q22"):
        return 0.0, float(a == "q11"), float(a == "q22")
    line = next((k for k in tape.lines if k.name == a), None)
    if line is None or line.op not in ("add", "sub", "mul"):
        return None
    one, two = (_affine_line(tape, b) for b in line.args)
    if one is None or two is None:
        return None
    if line.op == "mul":
        number, other = (one, two) if one[1:] == (0.0, 0.0) else (two, one)
        return _scaled(other, number[0]) if number[1:] == (0.0, 0.0) else None
    two = _scaled(two, 1.0 if line.op == "add" else -1.0)
    return one[0] + two[0], one[1] + two[1], one[2] + two[2]


def _scaled(a: Affine, number: float) -> Affine:
    return a[0] * number, a[1] * number, a[2] * number


def _wide_hyproot(tape: Tape, a: Value, b: Value) -> Value:
    r"""sqrt(b^2 + a): where b^2 = k det, a = c + d q11 + e q22, ck = de a product less a square.

    $k(q_{11}q_{22} - q_{12}^2) + a = (c + dq_{11})(1 + \frac ecq_{22}) - kq_{12}^2$ needs no
    determinant.  The difference is at least 1 - rho^2 of the product, as that in the determinant
    is: for pairs far from collinear it loses no more.
    """
    square, found = tape.times(b, b), _affine(tape, a)
    plain = square.array == _determinant(tape, False) and not square.sides and square.sign > 0
    if not plain or found is None or not isinstance(square.number, float):
        return _hyproot(tape, a, b)
    (c, d, e), k = found, square.number
    if not (k > 0.0 and c > 0.0 and c * k == d * e):
        return _hyproot(tape, a, b)
    x = tape.number("add", tape.number("mul", "q11", d), c)
    y = tape.number("add", tape.number("mul", "q22", e / c), 1.0)
    less = tape.times(Value(k), tape.of(tape.emit("mul", "q12", "q12")))
    return tape.root(tape.plus(tape.of(tape.emit("mul", x, y)), tape.minus(less)))


def _rootdet(tape: Tape, q11: Value, q12: Value, q22: Value) -> Value:
    """sqrt((r - q12)*(r + q12)), r = sqrt(q11)*sqrt(q22): as accurate as q12 is."""

    def root(q: Value) -> Value:
        name = q.sides[0][0] if len(q.sides) == 1 and q == tape.of(q.sides[0][0]) else ""
        return tape.of(ROOTS[name]) if name in ROOTS else tape.root(q)

    r, c = tape.flat(tape.times(root(q11), root(q22))), tape.flat(q12)
    det = tape.emit("mul", tape.emit("sub", r, c), tape.emit("add", r, c))
    return tape.of(tape.emit("sqrt", det))


RULES: dict[str, Callable[..., Value]] = {
    "mul": Tape.times,
    "div": Tape.over,
    "div0": Tape.over,
    "add": Tape.plus,
    "sub": lambda t, a, b: t.plus(a, t.minus(b)),
    "neg": Tape.minus,
    "sqrt0": Tape.root,
    "hyproot": _hyproot,
    "expsinh": _expsinh,
    "expcosh": _expcosh,
    "rootdet": _rootdet,
    "carry": lambda t, root, q11, q12, q22, following: following,
    **dict.fromkeys(("price", *FAR_OPS), lambda t, closed, *_: closed),
    "rescale": lambda t, *_: Value(1.0),
    "angle3": _angle,
    "asin3": _arcsine,
    "arc3": _arc,
    "gap3": _gap,
    "angle": _angle,
    "arc1": _arc,
    "gap": _gap,
}
"""Operations that become several elementary ones."""


def tape_of(
    p: Program, outputs: tuple[str, ...], wide: bool = False
) -> tuple[tuple[Line, ...], tuple[Arg, ...]]:
    """The elementary lines of a layer program, and the names of some of its outputs.

    `wide`: for pairs that are far from collinear, where angles come from their cosines, and the
    root, where it is needed, from the covariance: it is no argument.  Lines that no output needs
    are left out.  An operation without a rule here is a line of its own name, to be spelled as in
    the readable form.
    """
    tape = Tape(ranks={a: side(a) for a in p.args})
    rules = RULES | WIDE if wide else RULES
    fixed, numbers = constants(p), constant_values(p)
    values: dict[str, Value] = {a: tape.of(a) for a in p.args}
    if wide:
        values["root"] = tape.root(tape.of(_determinant(tape, factored(p))))

    def value(a: Operand) -> Value:
        return values[a] if isinstance(a, str) else Value(float(a))

    for let in p.body:
        if let.name in fixed:
            values[let.name] = Value(numbers[let.name])
        else:
            values[let.name] = _value(tape, rules, let, tuple(map(value, let.args)))
    found = {label: value(operand) for label, operand in p.outputs}
    ends = tuple(tape.flat(found[o]) for o in outputs)
    needed: set[Arg] = set(ends)
    kept: list[Line] = []
    for line in reversed(tape.lines):
        if line.name in needed:
            kept.append(line)
            needed.update(line.args)
    return tuple(reversed(kept)), ends


def _value(
    tape: Tape, rules: dict[str, Callable[..., Value]], let: Let, given: tuple[Value, ...]
) -> Value:
    sides = {tape.rank(n) for v in given for n, _ in v.sides}
    paired = len(sides) > 1 or any(v.array for v in given)
    if let.op in rules and (paired or let.op in ALGEBRA):
        return rules[let.op](tape, *given)
    name = tape.emit(let.op, *map(tape.flat, given))
    if let.op in ("pos", "once"):
        tape.positive.add(name)
    return tape.of(name)


WIDE: dict[str, Callable[..., Value]] = {
    "hyproot": _wide_hyproot,
    "angle3": _wide_angle,
    "asin3": _wide_arcsine,
    "arc3": _wide_arc,
    "angle": _wide_angle,
    "arc1": _wide_arc,
}
"""Those of pairs far from collinear: a cosine loses nothing there, and NumPy has its inverse."""


ALGEBRA = frozenset(
    {"mul", "div", "div0", "add", "sub", "neg", "sqrt0", "price", "rescale", *FAR_OPS}
)
"""Rules that hold for quantities of one point and for numbers too."""


def span(p: Program) -> tuple[float, float]:
    """The variances for which no operation of a program needs another rule than its closed form."""
    low, high = 0.0, math.inf
    for let in p.body:
        if isinstance(let.inner, Small):
            low = max(low, float(let.inner.below))
        if let.op == "rescale":
            end = float(let.args[1]) ** 2
            low, high = (low, min(high, end)) if end > 1.0 else (max(low, end), high)
        if isinstance(let.inner, Direct):
            ends = let.inner.span()
            low, high = max(low, ends[0]), min(high, ends[1])
        if isinstance(let.inner, Far):
            high = min(high, let.inner.least**2)
    return low, high
