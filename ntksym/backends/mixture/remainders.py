r"""What is left of closed forms beyond their Taylor polynomials, without cancellation.

With $\sigma^2 = 1 + y$ and $w^2 = 1 - z$ both $\sigma^{-2p-1}$ and the closed forms
$w^{-K}N(z)$ of $\sum_n \frac{(k+n-1)!!(l+n-1)!!}{n!}c^n$, $z = c^2$, are polynomials over a power.
Their Taylor polynomials subtracted, the numerator is divisible by $(\sigma-1)^J$ or $(1-w)^M$, and
$\sigma - 1 = y/(\sigma+1)$, $1 - w = z/(1+w)$.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import factorial

Row = tuple[Fraction, ...]
"""A polynomial, constant first."""


@lru_cache(maxsize=64)
def root_quotient(p: int, count: int) -> Row:
    r"""Q of $\sigma^{-2p-1}$ less `count` Taylor terms in y.

    That is $(y/(\sigma+1))^{count}\,Q(\sigma)\,\sigma^{-2p-1}$.
    """
    total: Row = (Fraction(0),)
    power: Row = (Fraction(1),)
    binomial = Fraction(1)
    for j in range(count):
        total = _sum(total, _scaled(power, binomial))
        power = _product(power, (Fraction(-1), Fraction(0), Fraction(1)))
        binomial = binomial * (Fraction(-2 * p - 1, 2) - j) / (j + 1)
    above = _sum((Fraction(1),), _scaled((*(Fraction(0),) * (2 * p + 1), *total), Fraction(-1)))
    for _ in range(count):
        above = _divided(above, Fraction(1))
    return above


@lru_cache(maxsize=256)
def tail_quotient(k: int, order: int, count: int) -> Row:
    r"""Q of the sum over n less its first `count` terms; `order` is l.

    That is $c^e (z/(1+w))^{count}\,Q(w)\,w^{-K}$, $K = k + l + 1$, e the parity of k.
    k and l are of one parity, at least -1, and not both -1.
    """
    e, length = k % 2, k + order + 1
    terms = [_term(k, order, e + 2 * i) for i in range(count + length + 8)]
    whole = _times_power(terms, length)
    degree = max(0, min(k, order) // 2) if e == 0 else max(0, (max(k, order) - 1) // 2)
    above: Row = (Fraction(0),)
    power: Row = (Fraction(1),)
    other: Row = (Fraction(1),)
    beyond: Row = (Fraction(0),)
    square: Row = (Fraction(1), Fraction(0), Fraction(-1))  # z = 1 - w^2
    assert not any(whole[degree + 1 :])  # a polynomial, by Euler's transformation
    for c in whole[: degree + 1]:
        above, power = _sum(above, _scaled(power, c)), _product(power, square)
    for c in terms[:count]:
        beyond, other = _sum(beyond, _scaled(other, c)), _product(other, square)
    shifted = (*(Fraction(0),) * length, *beyond)
    above = _sum(above, _scaled(shifted, Fraction(-1)))
    for _ in range(count):  # by 1 - w
        above = _scaled(_divided(above, Fraction(1)), Fraction(-1))
    return above


def _term(k: int, order: int, n: int) -> Fraction:
    return Fraction(double_factorial(k + n - 1) * double_factorial(order + n - 1), factorial(n))


def double_factorial(n: int) -> int:
    """The double factorial of an odd n >= -1."""
    return 1 if n <= 0 else n * double_factorial(n - 2)


def _times_power(terms: list[Fraction], length: int) -> list[Fraction]:
    """The series in z times (1 - z)^(length/2), with as many terms."""
    row, out = [Fraction(1)], []
    for j in range(len(terms) - 1):
        row.append(row[-1] * (Fraction(length, 2) - j) / (j + 1) * -1)
    for n in range(len(terms)):
        out.append(sum((row[j] * terms[n - j] for j in range(n + 1)), Fraction(0)))
    return out


def _sum(a: Row, b: Row) -> Row:
    size = max(len(a), len(b))
    zero = (Fraction(0),) * size
    return tuple(p + r for p, r in zip((*a, *zero)[:size], (*b, *zero)[:size], strict=True))


def _scaled(a: Row, by: Fraction) -> Row:
    return tuple(c * by for c in a)


def _product(a: Row, b: Row) -> Row:
    out = [Fraction(0)] * (len(a) + len(b) - 1)
    for i, p in enumerate(a):
        for j, r in enumerate(b):
            out[i + j] += p * r
    return tuple(out)


def _divided(a: Row, root: Fraction) -> Row:
    """The quotient by (X - root), which divides it."""
    out: list[Fraction] = []
    carry = Fraction(0)
    for c in reversed(a):
        carry = c + root * carry
        out.append(carry)
    assert out[-1] == 0
    return tuple(reversed(out[:-1])) or (Fraction(0),)
