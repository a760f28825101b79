r"""Duals at small variances: the same number without the cancellation of its closed form.

A closed form is a sum of terms of order 1; for a continuous s with s(0) = 0 its value at small
variances is of their order, and all digits cancel.  Its derivative in $q_{12}$ does not vanish, and
by Price's theorem (1958)
$$K(q_{12}) = m(q_{11})\,m(q_{22}) + \int_0^{q_{12}} \dot K(t)\,dt, \qquad
m(q) = E[s(\sqrt q Z)]:$$
sums of numbers of the order of the result.  The integral is taken in the angle, where it is smooth.
m is the Taylor series of the two pieces of s that meet at 0, exact moments of |Z| times powers of
$\sqrt q$, plus the closed form of what the other pieces add, which is exponentially small.
Where both variances are small and 0 is the only kink there is a series: see `lower.halves`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from sympy import Add, Expr, Integer, exp, factorial, factorial2, pi, sqrt

from .. import symbols as S
from ..activation import Activation
from ..derivation import Derivation
from ..dual import dual
from ..gaussian import expect
from ..symbols import x
from ..terms import TermSum
from .build import Builder
from .conditioning import loses
from .direct_where import first_good
from .halves import Halves, about_zero, halves, sides
from .program import Operand, Program

SMALL = (Fraction(1, 4), Fraction(1, 2), Fraction(1))
"""Below one of these variances, of one input or both, the integral is taken: see `Small.below`."""
ORDER = 27
"""Terms of the series of m: at q = 1/4 the next one is below 2^-60 for exp(x) and its like."""
_PROBE = Fraction(1, 10**5)
_ROUNDED = 2.0**-50
_BOUNDED = 2.0**10
"""Terms of the derivative that are so many times its value at most, at variances as small as the
square of the probe, lose a few digits at every variance; others lose all of them.
"""


@dataclass(frozen=True, slots=True)
class Small:
    """What the operation `price` runs.

    Attributes:
        program: (q11, q12, q22, root, parameters) -> slope, base of the integral.
        below: the variance below which the integral is taken: the first of `SMALL` where the
            closed form keeps its digits.
        series: what the dual is where both variances are small, without an integral, or None.
    """

    program: Program
    below: Fraction
    series: Halves | None = None

    @property
    def programs(self) -> tuple[Program, ...]:
        """As in `Inner`."""
        return (self.program,)

    def digest(self) -> str:
        """SHA-256 of the program, the variance and the series, in hexadecimal."""
        text = f"{self.program.digest()} {self.below}"
        text += f" {self.series}" if self.series is not None else ""
        return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=256)
def small_program(activation: Activation) -> Small | None:
    """The integral for an activation; None where it is not needed."""
    d = dual(activation)
    derived = d.derivation
    assert isinstance(derived, Derivation)
    if derived.jumps or not isinstance(d.value, Add) or d.value.is_polynomial(*_ENTRIES):
        return None
    if not loses(d.value, _PROBE):
        return None
    if loses(d.dot, _PROBE) and loses(d.dot, _PROBE**2, _BOUNDED):
        return None
    names = tuple(sorted(p.name for p in activation.params))
    b = Builder((*(s.name for s in _ENTRIES), "root", *names), root="root")
    slope = b.operand(d.dot)
    means = [_mean(b, derived, s) for s in (S.q11, S.q22)]
    base = b.emit("mul", *means)
    for mean in means:  # of a variance 0, whatever the other one's is
        base = b.emit("select", b.emit("abs", mean), Fraction(0), Fraction(0), base, hint="base")
    outputs = (("slope", slope), ("base", base))
    p = b.program("small", outputs, (), f"Price's theorem for {activation.expr}")
    below = first_good(d.value, d.diag, SMALL)
    return Small(p, below, halves(derived))


_ENTRIES = (S.q11, S.q12, S.q22)


# -- the mean --------------------------------------------------------------------------------------


def _mean(b: Builder, d: Derivation, variance: Expr) -> Operand:
    """E[s(sqrt(q) Z)]: the series where its last terms do not count, else the closed form."""
    closed = b.operand(d.mean.expr.xreplace({S.q: variance}))
    found = _pieces(d)
    if found is None:
        return closed
    coefficients, rest = found
    known = [n for n, c in enumerate(coefficients) if c != 0]
    if not known:
        return closed
    root = b.operand(sqrt(variance))
    total: Operand = Fraction(0)
    for c in reversed(coefficients):
        total = b.emit("add", b.emit("mul", total, root), b.operand(c))
    first, last = known[0], [n for n in known if n >= ORDER - 4]
    rank = b.operand(sqrt(variance) ** first) if first else Fraction(1)
    lead = b.emit("abs", b.emit("mul", b.operand(coefficients[first]), rank))
    tail: Operand = Fraction(0)
    for n in last:
        power = b.operand(sqrt(variance) ** n)
        tail = b.emit("add", tail, b.emit("abs", b.emit("mul", b.operand(coefficients[n]), power)))
    bound = b.emit("mul", lead, Fraction(1, 2**56), hint="bound")
    if rest is not None:
        total = b.emit("add", total, b.operand(rest.xreplace({S.q: variance})))
    return b.emit("select", tail, bound, total, closed, hint="mean")


def _pieces(d: Derivation) -> tuple[tuple[Expr, ...], Expr | None] | None:
    """The coefficients of powers of sqrt(q), and the mean of s minus the pieces that meet at 0."""
    zero, pieces = d.field.integer(0), about_zero(d)
    if pieces is None:
        return None
    step = TermSum.heaviside(zero)
    near = pieces[0]
    if len(pieces) > 1:
        near = step * pieces[0] + (TermSum.one(d.field) - step) * pieces[1]
    rest = d.terms - near
    coefficients = [
        (right + left) / 2 * _moment(n) / factorial(n)
        for n, (right, left) in enumerate(sides(d, pieces, ORDER))
    ]
    return tuple(coefficients), expect(d.single, rest).expr if rest else None


def point_loses(activation: Activation, variance: Fraction) -> bool:
    """Whether s itself cancels at one standard deviation from 0, as exp(-x) - exp(-2x) does.

    Then the definition, which sums values of s, is no better than the closed form.  Not where the
    pieces end at 0 and are sums of exponentials: those are summed about their end, see `anchored`.
    """
    derived = dual(activation).derivation
    assert isinstance(derived, Derivation)
    pieces = about_zero(derived) or ()
    ends = [(p, n) for p, n in zip(pieces, (1, -1), strict=False) if not anchored(pieces, p)]
    return any(loses(p.expr.xreplace({x: n * sqrt(S.q11)}), variance) for p, n in ends)


def anchored(pieces: tuple[TermSum, ...], piece: TermSum) -> bool:
    """Whether a piece ends at 0, and its exponentials as doubles add up there to what they are."""
    if len(pieces) < 2 or any(k.tilt or k.gates for k in piece.terms):
        return False
    powers: dict[int, list[float]] = {}
    for k, c in piece.terms.items():
        if not all(z.expr.is_real for z in (c, k.shift, k.const)):
            return False
        powers.setdefault(k.power, []).append(float(c.expr * exp(k.const.expr)))
    exact = {n: 0.0 for n in powers} | {n: float(e) for n, e in _at_zero(piece).items()}
    return all(abs(sum(cs) - exact[n]) <= _ROUNDED * abs(exact[n]) for n, cs in powers.items())


def _at_zero(piece: TermSum) -> dict[int, Expr]:
    """The sums of the coefficients of each power, without the exponentials."""
    found: dict[int, TermSum] = {}
    for k, c in piece.terms.items():
        own = TermSum(piece.field, {k._replace(power=0): c})
        found[k.power] = found.get(k.power, TermSum(piece.field, {})) + own
    return {n: f.at(piece.field.integer(0)).expr for n, f in found.items()}


def _moment(n: int) -> Expr:
    """E|Z|^n of a standard normal variable."""
    if n % 2 == 0:
        return factorial2(n - 1) if n else Integer(1)
    half = (n - 1) // 2
    return sqrt(2) * 2**half * factorial(half) / sqrt(pi)
