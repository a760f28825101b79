r"""Gaussian laws with exact entries, and the tilt.

The tilt absorbs $\exp(s^T w - w^T T w/2)$, $T = \mathrm{diag}(t)$, into the law $N(m, Q)$: it is a
constant times $N(m', Q')$ with $Q' = (I + QT)^{-1} Q$, $m' = (I + QT)^{-1}(m + Qs)$.  $Q$ is never
inverted: it is singular on the diagonal.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..exact import Exact, Field
from ..symbols import m, m1, m2, q, q11, q12, q22

Vector = tuple[Exact, ...]
Matrix = tuple[Vector, ...]


@dataclass(frozen=True, slots=True)
class Law:
    """The law N(mean, cov) of one or two variables."""

    field: Field
    mean: Vector
    cov: Matrix

    @classmethod
    def pair(cls, field: Field, *, centred: bool = True) -> Law:
        """(u, v): covariance [[q11, q12], [q12, q22]], means zero or (m1, m2)."""
        a, c, b = field.gen(q11), field.gen(q12), field.gen(q22)
        zero = field.integer(0)
        mean = (zero, zero) if centred else (field.gen(m1), field.gen(m2))
        return cls(field, mean, ((a, c), (c, b)))

    @classmethod
    def single(cls, field: Field, *, centred: bool = True) -> Law:
        """One variable: variance q, mean zero or m."""
        mean = field.integer(0) if centred else field.gen(m)
        return cls(field, (mean,), ((field.gen(q),),))

    def given(self, i: int, value: Exact) -> Law:
        """The law of the other variable of a pair, given that variable `i` has a value."""
        j = 1 - i
        slope = self.cov[i][j] / self.cov[i][i]
        mean = self.mean[j] + slope * (value - self.mean[i])
        return Law(self.field, (mean,), ((self.cov[j][j] - slope * self.cov[i][j],),))

    def density(self, i: int, value: Exact) -> tuple[Exact, Exact]:
        """(factor, exponent) of the density of variable `i` at a value."""
        from sympy import pi

        field = self.field
        variance = self.cov[i][i]
        gap = value - self.mean[i]
        factor = (field.integer(2) * field.of(pi) * variance).sqrt().inverse()
        return factor, -(gap * gap) / (variance * 2)


@dataclass(frozen=True, slots=True)
class Tilt:
    """The outcome of a tilt: factor * exp(exponent) times the expectation under `law`."""

    law: Law
    factor: Exact
    exponent: Exact
    jacobian: Exact
    """det(I + QT): the tilt is valid where I + QT has positive eigenvalues."""


def tilt(law: Law, tilts: Vector, shifts: Vector) -> Tilt:
    """Absorb exp(shifts . w - sum tilts*w**2/2) into the law; see the module."""
    field = law.field
    zero, one = field.integer(0), field.integer(1)
    if not any(tilts) and not any(shifts):
        return Tilt(law, one, zero, one)
    n = len(law.mean)
    jac: list[list[Exact]] = [
        [law.cov[i][j] * tilts[j] + (one if i == j else zero) for j in range(n)] for i in range(n)
    ]
    if n == 1:
        det = jac[0][0]
        inverse = [[det.inverse()]]
    else:
        det = jac[0][0] * jac[1][1] - jac[0][1] * jac[1][0]
        over = det.inverse()
        inverse = [
            [jac[1][1] * over, -(jac[0][1] * over)],
            [-(jac[1][0] * over), jac[0][0] * over],
        ]
    moved = [_dot(row, shifts) + mu for row, mu in zip(law.cov, law.mean, strict=True)]
    mean = tuple(_dot(row, moved) for row in inverse)
    columns = list(zip(*law.cov, strict=True))
    cov = tuple(tuple(_dot(row, col) for col in columns) for row in inverse)
    half = field.rational(1, 2)
    exponent = zero
    if any(shifts):
        new_cov_shift = [_dot(row, shifts) for row in cov]
        exponent = exponent + _dot(shifts, new_cov_shift) * half
    if any(law.mean):
        mean_only = [_dot(row, law.mean) for row in inverse]
        exponent = exponent + _dot(shifts, mean_only)
        pulled = [mu * t for mu, t in zip(law.mean, tilts, strict=True)]
        exponent = exponent - _dot(pulled, mean_only) * half
    factor = one if not any(tilts) else det.sqrt().inverse()
    return Tilt(Law(field, mean, cov), factor, exponent, det)


def _dot(a: Vector | list[Exact], b: Vector | list[Exact]) -> Exact:
    total = a[0].field.integer(0)
    for p, r in zip(a, b, strict=True):
        if p and r:
            total = total + p * r
    return total
