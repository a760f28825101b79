"""A second reading of formulas: the syntax tree evaluated with mpmath, and nothing of the checker.

`values` gives what a formula says at random points of a claim's domain, to forty digits;
`same` says whether two formulas are one function there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from random import Random
from typing import Any

import mpmath

from ntksym.claims import Claim
from ntksym.language.parser import read_tree
from ntksym.language.syntax import (
    Call,
    Compare,
    Name,
    Negate,
    Node,
    Number,
    Power,
    Product,
    Sum,
    children,
)

DIGITS = 40
AGREE = mpmath.mpf(10) ** -24
POINTS = 14

Value = Any
Point = Mapping[str, Value]


class NotReal(Exception):
    """The formula has no real value at the point."""


def _sqrt(z: Value) -> Value:
    return _power(z, mpmath.mpf(1) / 2)


def _power(base: Value, exponent: Value) -> Value:
    whole = exponent == mpmath.floor(exponent)
    if base == 0 and exponent <= 0 and not (exponent == 0):
        raise NotReal("a pole")
    if base < 0 and not whole:
        raise NotReal("a root of a negative number")
    if abs(exponent) > 5000 or (base != 0 and abs(exponent * mpmath.log(abs(base))) > 1e6):
        raise NotReal("out of range")
    return mpmath.power(base, exponent)


def _in(low: Value, high: Value, f: Callable[[Value], Value]) -> Callable[[Value], Value]:
    def checked(z: Value) -> Value:
        if not low <= z <= high:
            raise NotReal("outside of the domain")
        return f(z)

    return checked


def Phi(z: Value) -> Value:
    return mpmath.erfc(-z / mpmath.sqrt(2)) / 2


def phi(z: Value) -> Value:
    return mpmath.exp(-z * z / 2) / mpmath.sqrt(2 * mpmath.pi)


def Phi2(h: Value, k: Value, r: Value) -> Value:
    """Phi(h) Phi(k) plus Plackett's integral over the angle; edits of a formula share values."""
    return _phi2(h, k, r, mpmath.mp.prec)


@lru_cache(maxsize=1 << 16)
def _phi2(h: Value, k: Value, r: Value, precision: int) -> Value:
    if not abs(r) <= 1:
        raise NotReal("a correlation beyond one")

    def density(t: Value) -> Value:
        cos, sin = mpmath.cos_sin(t)
        return mpmath.exp(-(h * h - 2 * h * k * sin + k * k) / (2 * cos * cos))

    end = mpmath.asin(r)
    if abs(r) == 1:
        return Phi(min(h, k)) if r > 0 else max(mpmath.mpf(0), Phi(h) + Phi(k) - 1)
    # smooth on the closed interval: Gauss-Legendre takes a third of the time of the default rule
    inner = mpmath.quad(density, [0, end / 2, end], method="gauss-legendre")
    return Phi(h) * Phi(k) + inner / (2 * mpmath.pi)


def OwenT(h: Value, a: Value) -> Value:
    def density(t: Value) -> Value:
        return mpmath.exp(-h * h * (1 + t * t) / 2) / (1 + t * t)

    # Large a: the integrand has decayed, and the angle is the better variable.
    end = mpmath.atan(a)
    cuts = [end * i / 4 for i in range(5)]
    return mpmath.quad(lambda s: density(mpmath.tan(s)) / mpmath.cos(s) ** 2, cuts) / (
        2 * mpmath.pi
    )


def _log(z: Value) -> Value:
    if z <= 0:
        raise NotReal("a logarithm of a number that is not positive")
    return mpmath.log(z)


def _exp(z: Value) -> Value:
    if z > 1e6:
        raise NotReal("out of range")
    return mpmath.exp(z)


def _hyp2f1(a: Value, b: Value, c: Value, z: Value) -> Value:
    # A polynomial for a whole a <= 0 has a value everywhere; else [1, oo) is a cut.
    if z >= 1:
        raise NotReal("on the cut of hyp2f1")
    return mpmath.hyp2f1(a, b, c, z)


def _gamma(z: Value) -> Value:
    if z <= 0 and z == mpmath.floor(z):
        raise NotReal("a pole of gamma")
    return mpmath.gamma(z)


def _natural(f: Callable[[Value], Value], least: int) -> Callable[[Value], Value]:
    def checked(z: Value) -> Value:
        if z != mpmath.floor(z) or z < least:
            raise NotReal("a factorial of no natural number")
        return f(z)

    return checked


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "sqrt": _sqrt,
    "exp": _exp,
    "log": _log,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "sinh": lambda z: (_exp(z) - _exp(-z)) / 2 if abs(z) > 1 else mpmath.sinh(z),
    "cosh": lambda z: (_exp(z) + _exp(-z)) / 2,
    "tanh": mpmath.tanh,
    "asin": _in(-1, 1, mpmath.asin),
    "acos": _in(-1, 1, mpmath.acos),
    "atan": mpmath.atan,
    "asinh": mpmath.asinh,
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
    "Phi": Phi,
    "phi": phi,
    "Phi2": Phi2,
    "OwenT": OwenT,
    "abs": abs,
    "sign": mpmath.sign,
    "max": max,
    "min": min,
    "gamma": _gamma,
    "factorial": _natural(mpmath.factorial, 0),
    "factorial2": _natural(mpmath.fac2, -1),
    "hyp2f1": _hyp2f1,
}


def evaluate(node: Node, point: Point) -> Value:
    """The value of a tree; `NotReal` where it has none."""
    match node:
        case Number():
            return mpmath.mpf(node.value.numerator) / node.value.denominator
        case Name():
            if node.name == "pi":
                return +mpmath.pi
            return mpmath.e + 0 if node.name == "E" else point[node.name]
        case Negate():
            return -evaluate(node.operand, point)
        case Sum():
            return mpmath.fsum(s * evaluate(t, point) for s, t in node.terms)
        case Product():
            total = mpmath.mpf(1)
            for side, factor in node.factors:
                value = evaluate(factor, point)
                if side < 0 and value == 0:
                    raise NotReal("a division by zero")
                total = total * value if side > 0 else total / value
            return total
        case Power():
            return _power(evaluate(node.base, point), evaluate(node.exponent, point))
        case Call():
            arguments = [evaluate(a, point) for a in node.arguments]
            if node.name == "atan2":
                if arguments[0] == arguments[1] == 0:
                    raise NotReal("atan2(0, 0)")
                return mpmath.atan2(*arguments)
            return FUNCTIONS[node.name](*arguments)
    raise AssertionError(f"no meaning for {node}")


def names(node: Node) -> set[str]:
    """The names that a tree uses."""
    own = {node.name} if isinstance(node, Name) else set()
    return own.union(*(names(child) for child in children(node))) - {"pi", "E"}


# -- domains ---------------------------------------------------------------------------------------


def points(claim: Claim, seed: int, count: int = POINTS) -> list[Point]:
    """Random points of the domain, with every name that a formula of the claim can use."""
    with mpmath.workdps(DIGITS + 10):
        return _points(claim, seed, count)


def _points(claim: Claim, seed: int, count: int) -> list[Point]:
    random = Random(f"{claim.id} {seed}")
    conditions = [c.strip() for c in claim.where.split(",") if c.strip()]
    equations = [c.split("=") for c in conditions if not set("<>") & set(c)]
    bounds = [read_tree(c) for c in conditions if set("<>") & set(c)]
    found: list[Point] = []
    for _ in range(4000):
        at = _draw(claim, random)
        for left, right in equations:
            at[left.strip()] = evaluate(read_tree(right), at)
        at = _derived(claim, at)
        if at is not None and all(_holds(b, at) for b in bounds):
            found.append(at)
            if len(found) == count:
                return found
    raise AssertionError(f"{claim.id}: no points in the domain")


def _draw(claim: Claim, random: Random) -> dict[str, Value]:
    def number(low: float, high: float) -> Value:
        return mpmath.mpf(random.randint(int(low * 1000), int(high * 1000))) / 1000

    at = {
        "q11": number(0.05, 4),
        "q22": number(0.05, 4),
        "rho": number(-0.95, 0.95),
        "q": number(0.05, 4),
        "m": number(-2, 2),
        "n": mpmath.mpf(random.randint(0, 8)),
        "weight_var": number(0.1, 3),
        "bias_var": number(0.05, 2),
    }
    if claim.quantity == "normalised":
        at |= {"q11": mpmath.mpf(1), "q22": mpmath.mpf(1), "q": mpmath.mpf(1)}
    words = {"positive": (0.2, 2.5), "negative": (-2.5, -0.2), "real": (-2.2, 2.2)}
    for _, row in claim.covariance:
        for text in row:
            for name in names(read_tree(text)):
                diagonal = len(name) == 3 and name[1] == name[2]
                at[name] = number(0.3, 3) if diagonal else number(-0.9, 0.9)
    for name, word in claim.params.items():
        at[name] = number(*words[word])
    return at


def _derived(claim: Claim, at: dict[str, Value]) -> dict[str, Value] | None:
    """Second names, and a check that covariances are positive definite."""
    if claim.quantity in ("mean", "second_moment", "variance", "diagonal", "hermite") or (
        claim.quantity in ("fixed_point", "edge_of_chaos")
    ):
        at |= {"q11": at["q"], "q1": at["q"], "mu": at.get("mu", at["m"])}
    if "q12" not in at:
        at["q12"] = at["rho"] * mpmath.sqrt(at["q11"] * at["q22"])
    at |= {"q1": at["q11"], "q2": at["q22"], "c": at["q12"]}
    at |= {"theta": mpmath.acos(at["rho"]), "sw2": at["weight_var"], "sb2": at["bias_var"]}
    at |= {name: value for name, value in at.items() if name in claim.params}
    if claim.covariance:
        rows = [[evaluate(read_tree(t), at) for t in row] for _, row in claim.covariance]
        size = len(rows)
        for k in range(1, size + 1):
            if mpmath.det(mpmath.matrix([row[:k] for row in rows[:k]])) <= 0:
                return None
    return at


def _holds(node: Node, at: Point) -> bool:
    assert isinstance(node, Compare)
    left = evaluate(node.first, at)
    for word, right in node.rest:
        value = evaluate(right, at)
        if not {"<": left < value, "<=": left <= value, ">": left > value, ">=": left >= value}[
            word
        ]:
            return False
        left = value
    return True


def values(text: str, at: list[Point]) -> list[Value | None]:
    """The value of a formula at each point; None where it is not real."""
    tree = read_tree(text)
    return [_value(tree, point) for point in at]


def same(true: list[Value | None], text: str, at: list[Point]) -> bool:
    """Whether a formula has these values at these points: the first difference decides."""
    tree = read_tree(text)
    return all(_close(a, _value(tree, p)) for a, p in zip(true, at, strict=True))


def _value(tree: Node, point: Point) -> Value | None:
    with mpmath.workdps(DIGITS):
        try:
            return evaluate(tree, point)
        except NotReal:
            return None


def _close(a: Value | None, b: Value | None) -> bool:
    if a is None or b is None:
        return a is b
    return bool(abs(a - b) <= max(AGREE * (abs(a) + abs(b)), mpmath.mpf(10) ** -30))
