r"""Slopes of duals at large variances, at variances brought down by powers of two.

With $s(x) \to c_\pm|x|^n$ a slope is homogeneous in each standard deviation,
$E[s^{(i)}(u)s^{(j)}(v)]$ of degrees $n - i$ and $n - j$, as far as doubles can tell (`rescale`),
unless one of the degrees is negative: a point then, whose width counts where u and v are nearly
parallel.  There the expectation is $\frac{1}{r} g(p, k)$, with r the larger standard deviation,
$p = \sqrt{\det}/r$ that of $u - v$ near 0, and k the ratio of the two; for p that is large beside
the width, g is a power of p, as the degrees say.  So both are divided by one number, p is kept up
to $2^{26}$ and k up to $2^{30}$: angles that change by this are below $2^{-53}$, and count nowhere
else.  For n above 1 the slopes that see a width are below the rounding of the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

from sympy import Expr, Pow

from ..dual import Dual
from .lines import Lines
from .program import Operand, Program
from .rescale import ENTRIES, leading, leaves_range

LEAST = Fraction(2**80)
"""The standard deviation that larger ones are brought to, or more; for n of 0 and 1."""
BITS = 54
"""That are right of E[s''(u)s''(v)], where a point in s'' is what is left out."""
WIDE, SKEW = Fraction(2**26), Fraction(2**30)
"""p and the ratio of two standard deviations that are as good as infinite."""
_NONE = Fraction(1, 2**900)
_ONE: Operand = Fraction(1)


@dataclass(frozen=True, slots=True)
class Leading:
    """What an activation is far out: of degree n, from a standard deviation on."""

    degree: int
    most: Fraction

    def powers(self, label: str) -> tuple[int, int, int]:
        r"""Of an output: degrees in r_1, in r_2, and the power of the stretched angle.

        Labels: "nngp", "dot", then these with "_q", "_x", "_y", "_a"; x and y at a fixed angle:
        $2q_{11}\partial_{q_{11}}$ makes $u\,s'(u)$ of s(u), and a point of a step.
        """
        what, _, by = label.partition("_")
        turn, n = by == "a", self.degree - (what == "dot")
        first = second = n - (by in ("q", "a"))
        if side := by in ("x", "y"):
            first = n or -1
        point = -(first + second) - 1 if min(first, second) < 0 else 0
        first -= 2 * side
        if by == "y":
            first, second = second, first
        return first + turn, second + turn, point - turn

    def own_power(self, label: str) -> int:
        """The degree of "nngp", "dot" or "nngp_q" of u = v in the standard deviation."""
        if self.degree == 0 and label != "nngp":
            return -1 if label == "dot" else -3
        return 2 * self.degree - (0 if label == "nngp" else 2)


def leading_slopes(found: Dual, slopes: tuple[Any, ...]) -> Leading | None:
    """What is known of an activation far out; None where nothing is, or its slopes need nothing."""
    if not any(map(_leaves_range, (found.value, found.dot, *slopes))):
        return None
    if (known := leading(found)) is None:
        return None
    degree, most = known
    least = LEAST if degree < 2 else Fraction(2) ** ceil(BITS / (degree - 1))
    return Leading(degree, max(most, least))


def _leaves_range(e: Expr) -> bool:
    """Whether a closed form divides by a power of variances, or is of high degree in them."""
    below = (p for p in e.atoms(Pow) if p.exp.is_negative)
    return leaves_range(e) or any(p.free_symbols.intersection(ENTRIES) for p in below)


def brought_down(b: Lines, p: Program, known: Leading) -> dict[str, Operand]:
    """The outputs of a program (q11, q12, q22, root, ...) for a pair, at variances brought down."""
    one, two = (b.emit("rescale", k, known.most) for k in ("q11", "q22"))
    first, second = one, two
    if known.degree < 2:
        both = b.emit("max", one, two)
        first, second = (b.emit("min", both, b.emit("mul", t, SKEW), hint="t") for t in (one, two))
    at: dict[str, Operand] = {a: a for a in p.args}
    for k, t in (("q11", first), ("q22", second)):
        at[k] = b.emit("mul", b.emit("mul", k, t), t, hint="scaled")
    for k in ("q12", "root"):
        at[k] = b.emit("mul", b.emit("mul", k, first), second, hint="scaled")
    stretch = _ONE
    if known.degree < 2:
        most = b.emit("sqrt0", b.emit("max", at["q11"], at["q22"]))
        limit = b.emit("div", b.emit("mul", most, WIDE), b.emit("max", at["root"], _NONE))
        kept = b.emit("div", _ONE, b.emit("max", first, second))
        stretch = b.emit("max", b.emit("min", kept, limit), _ONE, hint="stretch")
        at["root"] = b.emit("mul", at["root"], stretch, hint="scaled")
    made = b.again(p, at)
    return {
        label: _back(b, v, ((first, -d1), (second, -d2)), (stretch, c))
        for label, v in made.items()
        for d1, d2, c in (known.powers(label),)
    }


def brought_down_diagonal(b: Lines, p: Program, known: Leading) -> dict[str, Operand]:
    """The outputs of a program (q, ...) for u = v, at a variance brought down."""
    t = b.emit("rescale", "q", known.most)
    at: dict[str, Operand] = {a: a for a in p.args}
    at["q"] = b.emit("mul", b.emit("mul", "q", t), t, hint="scaled")
    made = b.again(p, at)
    return {k: _back(b, v, ((t, -known.own_power(k)),), (_ONE, 0)) for k, v in made.items()}


def _back(
    b: Lines, value: Operand, small: tuple[tuple[Operand, int], ...], large: tuple[Operand, int]
) -> Operand:
    """Value times powers of numbers up to 1 and of one from 1 on, in turn, for its range."""
    downs: list[Operand] = []
    ups: list[Operand] = []
    for t, n in (*small, large):
        whole = t if n > 0 else b.emit("div", _ONE, t, hint="back")
        (ups if (n > 0) == (t == large[0]) else downs).extend([whole] * abs(n))
    while downs or ups:
        some = [side.pop() for side in (downs, ups) if side]
        value = b.emit("mul", value, b.emit("mul", *some) if len(some) == 2 else some[0])
    return value
