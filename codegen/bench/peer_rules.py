"""What others compute a dual with: neural-tangents' quadrature written out, and SciPy's `dblquad`.

neural-tangents 0.6.5 does not import with a current JAX (0.10), so its `ElementwiseNumerical` is
written in NumPy here: Gauss-Hermite nodes t_i for exp(-t^2), u = sqrt(2 q11) t_i,
v = q12/sqrt(q11/2) t_i + sqrt(2 (q22 - q12^2/q11)) t_j, weights w_i w_j/pi; s' in place of s for
the derivative.  The analytic s' is given to it, which its authors recommend.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
from sympy import Expr, lambdify

from ntksym.symbols import x

Rule = Callable[[Any, Any, Any], tuple[Any, Any]]
BLOCK = 2_000_000
"""Function values that the quadrature holds at a time."""


def both(expr: Expr) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """s and s' as NumPy functions; the derivative at a kink is the mean of its sides."""
    names = {
        "Max": lambda *a: reduce(np.maximum, a),
        "Min": lambda *a: reduce(np.minimum, a),
        "Heaviside": lambda z, h=0.5: np.heaviside(z, h),
    }

    def function(e: Expr) -> Callable[[Any], Any]:
        made = lambdify(x, e, [names, "numpy", "scipy"])
        return lambda z: np.broadcast_to(made(z), np.shape(z))

    return function(expr), function(expr.diff(x))


def gauss_hermite(expr: Expr, degree: int) -> Rule:
    """neural-tangents' `ElementwiseNumerical(fn, deg, df)`, vectorised over the entries."""
    from scipy.special import roots_hermite

    nodes, weights = roots_hermite(degree)
    grid = np.outer(weights, weights)
    functions = both(expr)
    t1, t2 = nodes.reshape(-1, 1, 1), nodes.reshape(1, -1, 1)

    def block(q11: Any, q12: Any, q22: Any) -> list[Any]:
        u = np.sqrt(2.0 * q11) * t1
        rest = np.maximum(2.0 * (q22 - q12**2 / q11), 0.0)
        v = q12 / np.sqrt(np.maximum(q11 / 2.0, 1e-30)) * t1 + np.sqrt(rest) * t2
        return [np.tensordot(grid, f(u) * f(v), ((0, 1), (0, 1))) / np.pi for f in functions]

    def rule(q11: Any, q12: Any, q22: Any) -> tuple[Any, Any]:
        step = max(1, BLOCK // degree**2)
        with np.errstate(all="ignore"):
            parts = [
                block(q11[i : i + step], q12[i : i + step], q22[i : i + step])
                for i in range(0, len(q11), step)
            ]
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])

    return rule


def adaptive(expr: Expr, side: float = 9.0) -> Rule:
    """`scipy.integrate.dblquad` with its default tolerances on [-side, side]^2, entry by entry."""
    from scipy.integrate import IntegrationWarning, dblquad

    functions = [
        lambdify(x, e, [{"Heaviside": lambda z, h=0.5: float(np.heaviside(z, h))}, "math"])
        for e in (expr, expr.diff(x))
    ]

    def entry(f: Callable[[float], float], a: float, c: float, b: float) -> float:
        root = math.sqrt(a)
        rest = math.sqrt(max(b - c * c / a, 0.0))

        def integrand(second: float, first: float) -> float:
            weight = math.exp(-0.5 * (first * first + second * second))
            return weight * f(root * first) * f(c / root * first + rest * second)

        return float(dblquad(integrand, -side, side, -side, side)[0]) / (2.0 * math.pi)

    def rule(q11: Any, q12: Any, q22: Any) -> tuple[Any, Any]:
        rows = list(zip(q11.tolist(), q12.tolist(), q22.tolist(), strict=True))
        with warnings.catch_warnings():  # of subdivisions: the error is measured anyway
            warnings.simplefilter("ignore", IntegrationWarning)
            values, slopes = (np.array([entry(f, *row) for row in rows]) for f in functions)
        return values, slopes

    return rule
