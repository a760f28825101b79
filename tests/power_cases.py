"""Powers and their rows, written by hand, and an oracle that shares nothing with the library:
mpmath's quadrature over the angle, from the definition in polar coordinates."""

from __future__ import annotations

from typing import Any

from mpmath import MPContext
from sympy import (
    Abs,
    Expr,
    Heaviside,
    Max,
    Rational,
    Symbol,
    sign,
    sqrt,
)

from ntksym.activation import Activation
from ntksym.powers import PowerDerivation
from ntksym.symbols import x

EPS = 2.0**-52
HALF = Rational(1, 2)
P = Symbol("p", positive=True)
S = Symbol("s", positive=True)
REAL = Symbol("p", real=True)
A, B = Symbol("a", real=True), Symbol("b", real=True)
PLUS, MINUS = Max(x, 0), Max(-x, 0)

Rows = tuple[tuple[Any, Any, Any], ...]
CASES: dict[str, tuple[Expr, Rows]] = {
    "rectified": (PLUS ** Rational(3, 2), (("3/2", 1, 0),)),
    "even": (Abs(x) ** Rational(3, 2), (("3/2", 1, 1),)),
    "odd": (sign(x) * Abs(x) ** Rational(5, 4), (("5/4", 1, -1),)),
    "leaky": (PLUS ** Rational(5, 4) - 3 * MINUS ** Rational(5, 4), (("5/4", 1, -3),)),
    "mixed": (Abs(x) ** Rational(3, 2) + PLUS**2, (("3/2", 1, 1), ("2", 1, 0))),
    "elementary": (
        sqrt(PLUS) + 3 * Abs(x) ** Rational(7, 2),
        (("1/2", 1, 0), ("7/2", 3, 3)),
    ),
    "rough": (sqrt(Abs(x)), (("1/2", 1, 1),)),
    "cube root": (sign(x) * Abs(x) ** Rational(1, 3), (("1/3", 1, -1),)),
    "jump": (
        sign(x) + Heaviside(x) * Abs(x) ** Rational(3, 4),
        (("0", 1, -1), ("3/4", 1, 0)),
    ),
    "long": (Abs(x) ** Rational(137, 100), (("137/100", 1, 1),)),
    "singular": (Abs(x) ** Rational(-1, 4), (("-1/4", 1, 1),)),
}
SYMBOLIC: dict[str, Expr] = {
    "abs": Abs(x) ** P,
    "odd": sign(x) * Abs(x) ** P,
    "rectified": PLUS**P,
    "two sided": A * PLUS**P + B * MINUS**P,
    "two powers": PLUS**P - Abs(x) ** S,
    "with a line": Abs(x) ** P + x,
    "real power": Abs(x) ** REAL,
}
POINTS = ((1, HALF, 2), (9, -4, Rational(5, 2)), (1, Rational(999, 1000), 1))


def act(expr: Expr) -> Activation:
    return Activation("s", expr)


def derivation(expr: Expr) -> PowerDerivation:
    found = PowerDerivation.of(act(expr))
    assert found is not None
    return found


def oracle(rows: Rows, point: tuple[Any, Any, Any]) -> Any:
    """E[s(u) s(v)] with s the sum of right*x_+^p + left*x_-^p over the rows."""
    mp = MPContext()
    mp.dps = 25

    def real(z: Any) -> Any:
        return mp.mpf(int(Rational(z).p)) / int(Rational(z).q)

    a, c, b = map(real, point)
    length = mp.acos(-c / mp.sqrt(a * b))

    def arc(p: Any, k: Any, reach: Any) -> Any:
        """Integral of sin^p(t) sin^k(reach - t) over [0, reach], halves in t = reach*y^12/2."""
        total = mp.zero
        for m, n in ((p, k), (k, p)):
            total += mp.quad(
                lambda y, m=m, n=n: (
                    mp.sin(reach / 2 * y**12) ** m
                    * mp.sin(reach - reach / 2 * y**12) ** n
                    * (6 * reach * y**11)
                ),
                [0, mp.mpf(1) / 2, 1],
            )
        return total

    total = mp.zero
    for p, r1, l1 in rows:
        for k, r2, l2 in rows:
            p_, k_ = real(p), real(k)
            radius = 2 ** ((p_ + k_) / 2) * mp.gamma((p_ + k_) / 2 + 1) / (2 * mp.pi)
            plane = (r1 * r2 + l1 * l2) * arc(p_, k_, length)
            plane += (r1 * l2 + l1 * r2) * arc(p_, k_, mp.pi - length)
            total += a ** (p_ / 2) * b ** (k_ / 2) * radius * plane
    return total
