r"""Growth certificates: $|f(t)| \le c\,(1+|t|)^k e^{b|t| + a t^2}$ on an interval, by structure."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

from flint import arb

from .derivative import negative
from .normal import same
from .problem import NotConfirmed
from .ranges import Range, bounds, exponent, quadratic, size
from .tree import Tree, X, has_x
from .value import Env, real, value


@dataclass(frozen=True, slots=True)
class Growth:
    """c, b >= 0 and a are `arb`, used through upper bounds; k is an integer."""

    c: Any
    k: int
    b: Any
    a: Any

    def __mul__(self, other: Growth) -> Growth:
        return Growth(self.c * other.c, self.k + other.k, self.b + other.b, self.a + other.a)

    def __add__(self, other: Growth) -> Growth:
        b, a = self.b.max(other.b), self.a.max(other.a)
        return Growth(self.c + other.c, max(self.k, other.k), b, a)

    def at_most(self, c: Any, b: Any, a: Any) -> bool:
        """Whether this implies |f(t)| <= c exp(b|t| + a t^2)."""
        if not (self.a <= a and self.b <= b):
            return False
        factor = self.c
        if self.k:
            room = b - self.b
            if not room > 0:
                return False
            d = room.min(arb(self.k))
            for _ in range(self.k):  # (1+t)^k <= (k/d)^k e^(d-k) e^(dt) for 0 < d <= k
                factor = factor * (self.k / d)
            factor = factor * (d - self.k).exp()
        return bool(factor <= c)


def flat(c: Any) -> Growth:
    """A bounded function."""
    return Growth(arb(c), 0, arb(0), arb(0))


def growth(tree: Tree, domain: Range, env: Env) -> Growth:
    """A growth certificate of the tree on the domain.

    Raises:
        NotConfirmed: no rule applies.
    """
    if tree == X:
        return Growth(arb(1), 1, arb(0), arb(0))
    if not has_x(tree):
        return flat(abs(real(value(tree, env))).upper())
    head, *args = tree
    if head == "exp":
        return _exp(args[0], domain, env)
    if head == "mul":
        found = flat(1)
        for a in _without_logistic(args, env):
            found = found * growth(a, domain, env)
        return found
    if head == "pow":
        return _power(tree, domain, env)
    most = size(bounds(tree, domain, env))
    if most != inf:
        return flat(most)
    if head == "add":
        found = growth(args[0], domain, env)
        for a in args[1:]:
            found = found + growth(a, domain, env)
        return found
    if head in ("sinh", "cosh"):
        return _exp(args[0], domain, env) + _exp(negative(args[0]), domain, env)
    if head == "asinh":
        return growth(args[0], domain, env)
    if head == "log":
        return _log(args[0], domain, env)
    raise NotConfirmed(f"no growth rule for {head}")


_EVERYWHERE = {
    "add", "mul", "exp", "sin", "cos", "sinh", "cosh", "tanh", "sech", "erf", "erfc", "erfi", "Phi",
    "atan", "asinh",
}  # fmt: skip


def check_defined(tree: Tree, domain: Range, env: Env) -> None:
    """The tree is a real, smooth, finite function on the whole domain, its parts too.

    Raises:
        NotConfirmed: not shown.
    """
    if tree == X:
        return
    if not has_x(tree):
        real(value(tree, env))
        return
    head, *args = tree
    if head == "pow":
        e = exponent(args[1], env)
        low = bounds(args[0], domain, env)[0]
        whole = e is not None and e.denom() == 1
        if e is None or (not whole and not low >= 0):
            raise NotConfirmed("a power is not shown to be real")
        if e < 0 and size(bounds(tree, domain, env)) == inf:
            raise NotConfirmed("a denominator is not shown to stay away from zero")
        args = args[:1]
    elif head == "log":
        if not bounds(args[0], domain, env)[0] > 0:
            raise NotConfirmed("the argument of a logarithm is not shown to be positive")
    elif head in ("asin", "acos", "atanh"):
        if not size(bounds(args[0], domain, env)) < 1:
            raise NotConfirmed(f"the argument of {head} is not shown to be below 1")
    elif head not in _EVERYWHERE:
        raise NotConfirmed(f"{head} is not known to be finite on a whole interval")
    for a in args:
        check_defined(a, domain, env)


def _exp(g: Tree, domain: Range, env: Env) -> Growth:
    if not has_x(g):
        return flat(real(value(g, env)).exp())
    abc = quadratic(g, env)
    if abc is not None:
        a, b, c = abc
        rate = abs(b)
        if domain[0] >= 0:
            rate = b.max(arb(0))
        elif domain[1] <= 0:
            rate = (-b).max(arb(0))
        return Growth(c.exp(), 0, rate, a)
    top = bounds(g, domain, env)[1]
    if top != inf:
        return flat(top.exp())
    if g[0] == "add":
        found = flat(1)
        for part in g[1:]:
            found = found * _exp(part, domain, env)
        return found
    inner = growth(g, domain, env)
    if inner.k <= 2 and inner.b <= 0 and inner.a <= 0:  # (1+t)^2 = 1 + 2t + t^2
        c = inner.c
        return Growth(c.exp(), 0, c, arb(0)) if inner.k <= 1 else Growth(c.exp(), 0, 2 * c, c)
    raise NotConfirmed("an exponential that grows faster than a Gaussian")


def _power(tree: Tree, domain: Range, env: Env) -> Growth:
    base, e = tree[1], exponent(tree[2], env)
    if e is None or abs(e.numer()) > 64 or e.denom() > 64:
        raise NotConfirmed("no growth rule for this power")
    if e < 0:
        most = size(bounds(tree, domain, env))
        if most == inf:
            raise NotConfirmed("a denominator is not shown to stay away from zero")
        return flat(most)
    inner = growth(base, domain, env)
    if e.denom() == 1:
        found = flat(1)
        for _ in range(int(e.numer())):
            found = found * inner
        return found
    if not bounds(base, domain, env)[0] >= 0:
        raise NotConfirmed("the base of a fractional power is not shown to be >= 0")
    p = arb(e)
    k = -((-inner.k * int(e.numer())) // int(e.denom()))
    return Growth((inner.c + 1) ** p, k, inner.b * p, inner.a.max(arb(0)) * p)


def _log(g: Tree, domain: Range, env: Env) -> Growth:
    low = bounds(g, domain, env)[0]
    if not low > 0:
        raise NotConfirmed("the argument of a logarithm is not shown to be positive")
    inner = growth(g, domain, env)
    below = arb(0) if low == inf else abs(low.log())
    c = below + (inner.c + 1).log() + inner.k + inner.b + inner.a.max(arb(0))
    return Growth(c, 1 if inner.a <= 0 else 2, arb(0), arb(0))


def _without_logistic(factors: list[Tree], env: Env) -> list[Tree]:
    """Factors e^(kg) (c + e^g)^-n, c > 0, 0 <= k <= n, weakened to (c + e^g)^(k-n)."""
    for place in factors:
        if place[0] != "pow" or place[1][0] != "add" or not has_x(place):
            continue
        n = exponent(place[2], env)
        moving = [a for a in place[1][1:] if has_x(a)]
        fixed = ("add", *(a for a in place[1][1:] if not has_x(a)))
        if n is None or n > 0 or n.denom() != 1 or len(moving) != 1 or moving[0][0] != "exp":
            continue
        if len(fixed) == 1 or not real(value(fixed, env)) > 0:
            continue
        for top in factors:
            k = _multiple(top, moving[0], env)
            if k is not None and 0 < k <= -n:
                rest = [a for a in factors if a is not place and a is not top]
                left = ("pow", place[1], ("rat", k + int(n.numer()), 1))
                return _without_logistic([*rest, left], env)
    return factors


def _multiple(top: Tree, unit: Tree, env: Env) -> int | None:
    """The k with top = unit^k for exponentials with linear exponents, exactly."""
    if top[0] == "exp":
        for k in (1, 2, 3, 4):
            if same(top[1], ("mul", ("rat", k, 1), unit[1])):
                return k
    return None
