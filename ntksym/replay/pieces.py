"""A function of x as smooth pieces, checked against its expression; its slopes and jumps."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from flint import arb, fmpq

from .derivative import add, derivative, mul, negative
from .exact import Exact, exact
from .normal import coefficients, same
from .problem import NotConfirmed
from .tree import ONE, ZERO, Tree, X, has_x, rat, replace
from .value import Env, Value, holds, product, real, sign, total, value

SWITCHES = {"abs", "sign", "heaviside", "max", "min", "piecewise"}


@dataclass(frozen=True, slots=True)
class Pieces:
    """Breaks in increasing order, and a smooth tree on each open interval between them."""

    breaks: tuple[Tree, ...]
    trees: tuple[Tree, ...]

    def intervals(self) -> list[tuple[Tree | None, Tree | None, Tree]]:
        """`(left end, right end, tree)`; None is an infinite end."""
        ends = [None, *self.breaks, None]
        return list(zip(ends, ends[1:], self.trees, strict=False))

    @property
    def is_zero(self) -> bool:
        """Whether every piece is the number zero."""
        return all(t == ZERO for t in self.trees)


def has_switch(tree: Tree) -> bool:
    """Whether a function with a kink or a jump occurs."""
    if tree[0] in ("rat", "sym"):
        return False
    return tree[0] in SWITCHES or any(has_switch(a) for a in tree[1:])


def check_breaks(breaks: tuple[Tree, ...], env: Env) -> None:
    """The breaks are real constants in increasing order.

    Raises:
        NotConfirmed: they are not, or it is open.
    """
    for b in breaks:
        if has_x(b):
            raise NotConfirmed("a break contains x")
    numbers = [value(b, env) for b in breaks]
    for low, high in pairwise(numbers):
        if sign(total([high, product([exact(-1), low])])) <= 0:
            raise NotConfirmed("the breaks are not in increasing order")


def sample(left: Tree | None, right: Tree | None, env: Env) -> Any:
    """A rational number between two ends, as an `fmpq`."""
    a = None if left is None else real(value(left, env))
    b = None if right is None else real(value(right, env))
    if a is None:
        middle = arb(1) / 3 if b is None else b - 1
    else:
        middle = a + 1 if b is None else (a + b) / 2
    man, exp = middle.mid().man_exp()
    m, e = int(man), int(exp)
    return fmpq(m << e) if e >= 0 else fmpq(m, 1 << -e)


def check_expression(tree: Tree, pieces: Pieces, env: Env) -> None:
    """On every open interval the expression equals the piece.

    Raises:
        NotConfirmed: different, or not shown: a kink that is no break among other reasons.
    """
    for left, right, piece in pieces.intervals():
        found = _resolve(tree, left, right, env)
        if not same(_closed(found, env), _closed(piece, env)):
            raise NotConfirmed("a piece is not the expression on its interval")


def _closed(tree: Tree, env: Env) -> Tree:
    """Symbols replaced by their rational values."""
    values: dict[str, Tree] = {}
    for name, v in env.items():
        r = v.rational() if isinstance(v, Exact) else None
        if r is not None:
            values[name] = ("rat", int(r.numer()), int(r.denom()))
    return replace(tree, values)


def _resolve(tree: Tree, left: Tree | None, right: Tree | None, env: Env) -> Tree:
    """The smooth tree that equals `tree` on the interval, with its switches decided."""
    if not has_switch(tree):
        return tree
    head = tree[0]
    if head == "piecewise":
        inside = {**env, "x": exact(sample(left, right, env))}
        for _, branch, condition in tree[1:]:
            _steady(condition, left, right, env)
            if holds(_settled(condition, left, right, env), inside):
                return _resolve(branch, left, right, env)
        raise NotConfirmed("no case of a piecewise expression applies on an interval")
    args = [_resolve(a, left, right, env) for a in tree[1:]]
    if head == "abs":
        return mul(rat(constant_sign(args[0], left, right, env)), args[0])
    if head == "sign":
        return rat(constant_sign(args[0], left, right, env))
    if head == "heaviside":
        s = constant_sign(args[0], left, right, env)
        return args[1] if s == 0 else (ONE if s > 0 else ZERO)
    if head in ("max", "min"):
        want, best = (1 if head == "max" else -1), args[0]
        for a in args[1:]:
            s = constant_sign(add(a, negative(best)), left, right, env)
            best = a if s == want else best
        return best
    return (head, *args)


def _settled(condition: Tree, left: Tree | None, right: Tree | None, env: Env) -> Tree:
    if condition[0] in ("true", "false"):
        return condition
    if condition[0] in ("and", "or", "not"):
        return (condition[0], *(_settled(a, left, right, env) for a in condition[1:]))
    return (condition[0], *(_resolve(a, left, right, env) for a in condition[1:]))


def _steady(condition: Tree, left: Tree | None, right: Tree | None, env: Env) -> None:
    """Every comparison of the condition keeps its truth on the interval."""
    head, *args = condition
    if head in ("and", "or", "not"):
        for a in args:
            _steady(a, left, right, env)
    elif head not in ("true", "false"):
        low, high = (_resolve(a, left, right, env) for a in args)
        constant_sign(add(low, negative(high)), left, right, env)


def constant_sign(tree: Tree, left: Tree | None, right: Tree | None, env: Env) -> int:
    """The sign that a polynomial of degree at most two has on the whole open interval.

    Raises:
        NotConfirmed: it changes, or the tree is not such a polynomial.
    """
    inside = value(tree, {**env, "x": exact(sample(left, right, env))})
    s = sign(inside)
    if not has_x(tree) or tree == ZERO:
        return s
    parts = coefficients(_closed(tree, env), X)
    if parts is None or len(parts) > 3:
        raise NotConfirmed("the sign of an argument of abs, max, ... is not shown to be constant")
    if s == 0:
        if any(parts):
            raise NotConfirmed("an argument of abs, max, ... vanishes inside an interval")
        return 0
    lead = sign(_second(tree, env)) if len(parts) == 3 else 0
    for end in (left, right):
        if end is not None and sign(value(tree, {**env, "x": value(end, env)})) == -s:
            raise NotConfirmed("an argument of abs, max, ... changes sign inside an interval")
    if left is None or right is None:
        _check_far(tree, left, right, env, s, lead)
    if lead == s:
        _check_vertex(tree, left, right, env, s)
    return s


def _second(tree: Tree, env: Env) -> Value:
    """Half the second derivative."""
    twice = derivative(derivative(tree))
    return value(mul(rat(1, 2), twice), {**env, "x": exact(0)})


def _slope(tree: Tree, env: Env) -> Value:
    return value(derivative(tree), {**env, "x": exact(0)})


def _check_far(
    tree: Tree, left: Tree | None, right: Tree | None, env: Env, s: int, lead: int
) -> None:
    for end, side in ((left, -1), (right, 1)):
        if end is None and (lead if lead else side * sign(_slope(tree, env))) == -s:
            raise NotConfirmed("an argument of abs, max, ... changes sign inside an interval")


def _check_vertex(tree: Tree, left: Tree | None, right: Tree | None, env: Env, s: int) -> None:
    """A parabola that opens away from zero: its vertex is outside, or beyond zero too."""
    a, b = real(_second(tree, env)), real(_slope(tree, env))
    at = -b / (2 * a)
    low = None if left is None else real(value(left, env))
    high = None if right is None else real(value(right, env))
    outside = (low is not None and at <= low) or (high is not None and at >= high)
    if outside:
        return
    least = real(value(tree, {**env, "x": exact(0)})) - b * b / (4 * a)
    if not least * s > 0:
        raise NotConfirmed("an argument of abs, max, ... may vanish inside an interval")


def check_slopes(pieces: Pieces, slopes: tuple[Tree, ...], env: Env) -> None:
    """Every recorded slope is the derivative of its piece.

    Raises:
        NotConfirmed: one is not, or it is not shown.
    """
    for piece, slope in zip(pieces.trees, slopes, strict=True):
        own = derivative(_closed(piece, env))
        if not same(own, _closed(slope, env)):
            raise NotConfirmed("a recorded slope is not the derivative of its piece")


def heights(pieces: Pieces, recorded: tuple[Tree, ...], env: Env) -> list[Value]:
    """The jumps at the breaks, from the pieces; the recorded ones must not differ.

    Raises:
        NotConfirmed: a recorded height is certainly another number.
    """
    found: list[Value] = []
    for i, (at, claimed) in enumerate(zip(pieces.breaks, recorded, strict=True)):
        here = {**env, "x": value(at, env)}
        after, before = (value(pieces.trees[j], here) for j in (i + 1, i))
        jump = total([after, product([exact(-1), before])])
        gap = real(total([value(claimed, env), product([exact(-1), jump])]))
        if not (gap.contains(0) and gap.rad() < arb(2) ** -30):
            raise NotConfirmed("a recorded jump is not the difference of the one-sided limits")
        found.append(jump)
    return found
