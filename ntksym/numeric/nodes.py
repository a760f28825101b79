r"""Nodes and weights of the logistic family as a finite normal scale mixture.

With $T(z) = \tanh(z/2)$ and K Kolmogorov distributed, $T(z) = E[2\Phi(z/(2K)) - 1]$ (Andrews &
Mallows 1974).  A finite mixture $A(z) = \sum_i w_i (2\Phi(a_i z) - 1)$ has the derivative
$A'(z) = \sum_i c_i e^{-t_i z^2}$ with $t_i = a_i^2/2$, $c_i = w_i a_i\sqrt{2/\pi}$: a sum of
exponentials in $z^2$ that approximates the Laplace transform $T'(z)$ of a positive density.  Three
steps, all computed: the trapezoid rule in log t (many nodes, any precision); its balanced
truncation (as many nodes as wanted, near the best); Remez's exchange (the best).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from ..dyadic import fraction
from ..errors import Undecided
from ..precision import precision
from .arith import rounded

Rule = list[tuple[Any, Any]]
"""(t, c): the sum of c*exp(-t*z**2)."""

MOST_NODES = 60
_ROUNDS = 40


@dataclass(frozen=True, slots=True)
class Mixture:
    r"""$A(z) = \sum_i w_i (2\Phi(a_i z) - 1) \approx \tanh(z/2)$, exact dyadic numbers.

    So $\sum_i w_i \Phi(a_i x) + (1 - \sum_i w_i)/2$ is the sigmoid.  The slopes ascend.
    """

    slopes: tuple[Fraction, ...]
    weights: tuple[Fraction, ...]

    def __post_init__(self) -> None:
        if len(self.slopes) != len(self.weights) or not self.slopes:
            raise ValueError("as many weights as slopes, at least one")
        if min(self.slopes) <= 0:
            raise ValueError("slopes are positive")

    def __len__(self) -> int:
        return len(self.slopes)

    def __iter__(self) -> Any:
        return iter(zip(self.slopes, self.weights, strict=True))


def density(t: Any) -> Any:
    r"""The density $\nu$ of $T'(z) = \int_0^\infty e^{-t z^2}\nu(t)\,dt$ at t > 0.

    $\nu(t) = 4\sum_{m\ \mathrm{odd}} (2\pi^2m^2 t - 1)e^{-\pi^2 m^2 t}
    = \pi^{-1/2}t^{-3/2}\sum_{n\ge1}(-1)^{n-1}n^2e^{-n^2/(4t)}$: the first from the poles of tanh,
    the second from its expansion in $e^{-z}$; one converges fast where the other does not.
    """
    from flint import arb, ctx

    small = arb(2) ** (-2 * ctx.prec)
    total, n = arb(0), 1
    while True:
        if t > arb("0.2"):
            p = (arb.pi() * n) ** 2
            term, n = 4 * (2 * p * t - 1) * (-p * t).exp(), n + 2
        else:
            term = n * n * (-arb(n * n) / (4 * t)).exp() * (1 if n % 2 else -1)
            n += 1
        total += term
        if abs(term.mid()) < small:
            break
    if t > arb("0.2"):
        return total.mid()
    return (total / (arb.pi().sqrt() * t * t.sqrt())).mid()


def trapezoid(step: Any, smallest: Any) -> Rule:
    """The trapezoid rule in log t; terms below `smallest` are left out."""
    from flint import arb

    rule: Rule = []
    for direction in (1, -1):
        j = 0 if direction == 1 else -1
        while True:
            t = ((arb(j) * step).exp() / 10).mid()
            c = (t * density(t) * step).mid()
            if c < smallest and abs(j) * step > 2:
                break
            rule.append((t, c))
            j += direction
    return sorted(rule, key=lambda node: float(node[0]))


def balanced(rule: Rule, count: int) -> Rule:
    """The balanced truncation to `count` terms (Moore 1981) of the symmetric system of a rule.

    Its Gramian is sqrt(c_i c_j)/(t_i + t_j); the reduced system is symmetric again, so that its
    nodes and weights are positive.
    """
    n = len(rule)
    roots = [c.sqrt().mid() for _, c in rule]
    gram = [[roots[i] * roots[j] / (rule[i][0] + rule[j][0]) for j in range(n)] for i in range(n)]
    basis = _eigenvectors(gram)[1][:count]
    inner = [[sum(p[k] * q[k] * rule[k][0] for k in range(n)) for q in basis] for p in basis]
    source = [sum(p[k] * roots[k] for k in range(n)).mid() for p in basis]
    values, vectors = _eigenvectors(inner)
    found: Rule = []
    for value, vector in zip(values, vectors, strict=True):
        part = sum(p * q for p, q in zip(vector, source, strict=True))
        found.append((value, (part * part).mid()))
    return sorted(found, key=lambda node: float(node[0]))


def _eigenvectors(matrix: list[list[Any]]) -> tuple[list[Any], list[list[Any]]]:
    """Eigenvalues of a symmetric matrix, largest first, and unit eigenvectors; approximate."""
    from flint import acb, acb_mat

    n = len(matrix)
    given = acb_mat(n, n, [acb(z.mid()) for row in matrix for z in row])
    values, columns = given.eig(right=True, algorithm="approx")
    order = sorted(range(n), key=lambda i: -float(values[i].real))
    vectors = []
    for i in order:
        column = [columns[k, i].real.mid() for k in range(n)]
        length = sum(z * z for z in column).sqrt()
        vectors.append([(z / length).mid() for z in column])
    return [values[i].real.mid() for i in order], vectors


def _error(rule: Rule, z: Any) -> Any:
    """The weighted error (1 + z^2)^(1/4)*(A'(z) - T'(z)).

    The norm of T' under N(0, q) falls as q^(-1/4), and so does that of the inverse weight: what is
    levelled is about the relative error of the derivative dual at every variance.
    """
    square = z * z
    total = -1 / (2 * (z / 2).cosh() ** 2)
    for t, c in rule:
        total += c * (-t * square).exp()
    return (total * _weight(z)).mid()


def _scan(rule: Rule, step: Any) -> Iterator[tuple[Any, Any]]:
    """(z, error) at z = step, 2 step, ...: Gaussians by products, not by exponentials."""
    terms = [c for _, c in rule]
    ratios = [(-t * step * step).exp() for t, _ in rule]
    squares = [r * r for r in ratios]
    z = step
    while True:
        terms = [term * ratio for term, ratio in zip(terms, ratios, strict=True)]
        ratios = [ratio * square for ratio, square in zip(ratios, squares, strict=True)]
        total = sum(terms, -1 / (2 * (z / 2).cosh() ** 2))
        yield z, (total * _weight(z)).mid()
        z = (z + step).mid()


def _weight(z: Any) -> Any:
    return (1 + z * z).sqrt().sqrt()


def _extrema(rule: Rule, count: int) -> list[tuple[Any, Any]]:
    """The first `count` extrema (z, error) of the weighted error on z >= 0, zero included."""
    from flint import arb

    found = [(arb(0), _error(rule, arb(0)))]
    # far below the distance of extrema, which is least near zero
    step = (arb(6) / (10 * count)).mid()
    before, now = found[0][1], found[0][1]
    for z, after in _scan(rule, step):
        if len(found) == count or not z < 4 * count:
            break
        if (now - before) * (after - now) < 0 and z > 2 * step:
            bend = before - 2 * now + after
            shift = (before - after) / (2 * bend)
            place = (z - step + shift * step).mid()
            found.append((place, _error(rule, place)))
        before, now = now, after
    return found


def remez(rule: Rule) -> Rule:
    """The rule with as many terms whose weighted error oscillates between equal extremes.

    Newton's method on the exchange (E. Remez 1934; Braess 1986 for sums of exponentials).

    Raises:
        Undecided: the exchange does not settle.
    """
    n = len(rule)
    for _ in range(_ROUNDS):
        extrema = _extrema(rule, 2 * n + 1)
        if len(extrema) < 2 * n + 1:
            break
        sizes = [float(abs(e)) for _, e in extrema]
        if max(sizes) < 1.02 * min(sizes):
            return rule
        rule = _levelled(rule, [z for z, _ in extrema], min(sizes) / 50)
    raise Undecided(f"the exchange for {n} nodes does not settle", hint="another number of nodes")


def _levelled(rule: Rule, places: list[Any], small: float) -> Rule:
    """The rule whose weighted errors at 2n + 1 places are equal with alternating signs: Newton."""
    from flint import arb, arb_mat

    n = len(rule)
    weights = [_weight(z) for z in places]
    level = arb(0)
    for _ in range(_ROUNDS):
        rows, right = [], []
        for k, (z, weight) in enumerate(zip(places, weights, strict=True)):
            parts = [(c * (-t * z * z).exp() * weight).mid() for t, c in rule]
            slopes = [(-(t * z * z) * p).mid() for (t, _), p in zip(rule, parts, strict=True)]
            rows.append([*slopes, *parts, arb(-1 if k % 2 else 1)])
            right.append([(weight / (2 * (z / 2).cosh() ** 2) - sum(parts)).mid()])
        gaps = [abs(float(r[0]) - float(level) * (-1) ** k) for k, r in enumerate(right)]
        if max(gaps) < small:
            break
        step = arb_mat(rows).inv() * arb_mat(right)
        moves = [step[i, 0].mid() for i in range(2 * n + 1)]
        largest = max(float(abs(m)) for m in moves[: 2 * n])
        damp = arb(1) if largest < 0.25 else arb(0.25) / arb(largest)
        rule = [
            ((t * (damp * moves[i]).exp()).mid(), (c * (damp * moves[n + i]).exp()).mid())
            for i, (t, c) in enumerate(rule)
        ]
        level = moves[-1]
    return rule


@lru_cache(maxsize=64)
def mixture(count: int, bits: int = 53) -> Mixture:
    """The best mixture of `count` normal laws for tanh(z/2), rounded to `bits` bits.

    Raises:
        Undecided: the exchange does not settle.
        ValueError: a count that is not from 2 to 60.
    """
    from flint import arb

    if not 2 <= count <= MOST_NODES:
        raise ValueError(f"from 2 to {MOST_NODES} nodes")
    digits = 8 + (7 * count) // 10
    with precision(7 * digits + 80):
        fine = trapezoid(arb(18) / (5 * digits), arb(10) ** -(digits + 6))
        best = remez(balanced(fine, count))
        slopes = [fraction((2 * t).sqrt()) for t, _ in best]
        weights = [fraction(c * (arb.pi() / (4 * t)).sqrt()) for t, c in best]
    return Mixture(
        tuple(rounded(a, bits) for a in slopes), tuple(rounded(w, bits) for w in weights)
    )
