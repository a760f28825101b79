"""Slopes in the parameters of activations, beside recursions with closed forms written by hand."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from mpmath import MPContext

import ntksym
from ntksym.runtime.gradients.units import UnitGradient

CTX = MPContext()
CTX.dps = 100
MP: Any = CTX
STEP = CTX.mpf(10) ** -30
"""Far below the squared angles of the nearest pairs."""
X, Z = np.array([0.9, -1.1, 0.4]), np.array([0.3, 0.8, -0.7])
WEIGHT, BIAS = 1.5, 0.125


def angular(a, b, x, c, y):
    """Slopes a where x < 0 and b where x > 0 (Cho and Saul 2009)."""
    root = MP.sqrt(max(x * y - c * c, 0))
    part = (b - a) ** 2 * MP.atan2(root, -c) / (2 * MP.pi)  # pi - angle
    dot = a * b + part
    return (b - a) ** 2 * root / (2 * MP.pi) + c * dot, dot


def arcsine(b, x, c, y):
    """erf(b x) (Williams 1997)."""
    first, second, both = 1 + 2 * b * b * x, 1 + 2 * b * b * y, 2 * b * b * c
    root = MP.sqrt(first * second - both * both)
    return 2 / MP.pi * MP.atan2(both, root), 4 * b * b / (MP.pi * root)


def wave(a, phase, x, c, y):
    """sin(a x + phase)."""
    less, more = (MP.exp(-a * a * (x + y + 2 * s * c) / 2) for s in (-1, 1))
    turn = MP.cos(2 * phase) * more
    return (less - turn) / 2, a * a * (less + turn) / 2


def bell(b, x, c, y):
    """exp(b x^2)."""
    det = (1 - 2 * b * x) * (1 - 2 * b * y) - (2 * b * c) ** 2
    return 1 / MP.sqrt(det), 4 * b * b * c / (det * MP.sqrt(det))


def snake(a, x, c, y):
    """x + sin(a x)^2/a: 1/(2a) + x - cos(2ax)/(2a)."""
    e, f = MP.exp(-2 * a * a * x), MP.exp(-2 * a * a * y)
    tall, slope = wave(2 * a, MP.pi / 2, x, c, y)
    return c + (1 - e - f + tall) / (4 * a * a), 1 + slope / (4 * a * a)


FORMS: dict[str, tuple[Callable[..., Any], dict[str, str]]] = {
    "leaky_relu": (lambda alpha, *q: angular(alpha, MP.mpf(1), *q), {"alpha": "1/4"}),
    "max(x, a*x)": (lambda a, *q: angular(a, MP.mpf(1), *q), {"a": "-1/2"}),
    "abrelu": (angular, {"a": "-1/4", "b": "3/4"}),
    "erf(b*x)": (arcsine, {"b": "3/4"}),
    "sine": (wave, {"a": "3/4", "phase": "1/8"}),
    "gaussian_b": (bell, {"b": "-1/2"}),
    "snake": (snake, {"a": "3/4"}),
}


def kernels(form, depth, g, equal, numbers):
    """Both kernels of a pair, and their sizes: the roots of products of diagonals."""
    weight, bias, *params = numbers
    q = t = tuple(weight * v / 3 + bias for v in g)
    for _ in range(depth):
        x, c, y = q
        pairs = ((x, x, x), (x, x, x) if equal else (x, c, y), (y, y, y))
        found = [form(*params, *p) for p in pairs]
        q = tuple(weight * k + bias for k, _ in found)
        t = tuple(n + weight * d * u for n, (_, d), u in zip(q, found, t, strict=True))
    return (q[1], t[1]), (MP.sqrt(q[0] * q[2]), MP.sqrt(t[0] * t[2]))


def inner(x, y):
    """The exact inner product of rows of doubles."""
    whole = sum(Fraction(float(a)) * Fraction(float(b)) for a, b in zip(x, y, strict=True))
    return CTX.mpf(whole.numerator) / whole.denominator


@pytest.mark.parametrize("target", ["numpy", None])
@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("name", FORMS)
def test_slopes_in_parameters_of_closed_forms(name, depth, target):
    """Generic, equal, nearly parallel, opposite, nearly opposite, parallel and unlike pairs."""
    form, given = FORMS[name]
    net = ntksym.mlp(name, depth=depth, weight_var=WEIGHT, bias_var=BIAS, params=given)
    g = ntksym.NetworkGradient(net, target, threads=1)
    params = [CTX.mpf(float(Fraction(v))) for v in given.values()]
    numbers = [CTX.mpf(WEIGHT), CTX.mpf(BIAS), *params]
    near = [X + e * Z for e in (1e-2, 1e-5, 1e-9)]
    others = np.array([Z, X, *near, -X, -X + 1e-6 * Z, 1.3 * X, 1e3 * Z, 1e-3 * Z])
    for size in (1e-3, 1.0, 30.0, 1e3):
        x, rows = X * size, others * size
        found = g(x[None], rows)
        for j, y in enumerate(rows):
            spans, equal = [inner(x, x), inner(x, y), inner(y, y)], bool((x == y).all())
            for k, v in enumerate(("weight_var", "bias_var", *given)):
                unit = abs(numbers[k])
                up, down = (
                    [n + s * STEP * unit * (i == k) for i, n in enumerate(numbers)] for s in (1, -1)
                )
                values, sizes = kernels(form, depth, spans, equal, up)
                before, _ = kernels(form, depth, spans, equal, down)
                for i, slopes in enumerate((found.d_nngp, found.d_ntk)):
                    want = float((values[i] - before[i]) / (2 * STEP * unit))
                    most = max(abs(want), float(sizes[i] / unit))
                    assert abs(slopes[v][0, j] - want) <= 1e-12 * most, (size, j, v, i)


def tanh_line(u, a, c):
    """a tanh(x) + c x, and its derivative."""
    t = np.tanh(u)
    return a * t + c * u, a * (1 - t * t) + c


def swish(u, b):
    """x/(1 + exp(-b x)), and its derivative."""
    gate = 1 / (1 + np.exp(-b * u))
    return u * gate, gate + b * u * gate * (1 - gate)


PLACES = np.arange(-9.5, 9.5, 1 / 16)
WEIGHTS = np.exp(-PLACES * PLACES / 2) / (16 * np.sqrt(2 * np.pi))
"""The trapezoidal rule, which is right to rounding for functions without poles nearby."""
UNITS: dict[str, tuple[Callable[..., Any], dict[str, float], float]] = {
    "x/(1+exp(-b*x))": (swish, {"b": 1.5}, 0.1),
    "a*tanh(x)+c*x": (tanh_line, {"a": 0.75, "c": 0.25}, 3.0),
}
"""Mixtures: slopes by Euler's identity, and from the duals of s + c s_p and s - c s_p."""


def plane(s, params):
    """K and the derivative dual of a function, by sums over the plane or, of equal rows, a line."""

    def form(x, c, y, equal):
        first = np.sqrt(x)
        if equal:
            v, d = s(first * PLACES, *params)
            return np.sum(WEIGHTS * v * v), np.sum(WEIGHTS * d * d)
        along = c / first
        one = s(first * PLACES, *params)
        two = s(along * PLACES[:, None] + np.sqrt(y - along * along) * PLACES, *params)
        k, d = (np.sum(WEIGHTS * u * (v @ WEIGHTS)) for u, v in zip(one, two, strict=True))
        return k, d

    return form


@pytest.mark.parametrize("name", UNITS)
def test_slopes_in_parameters_of_mixtures(name):
    """Slopes of analytic functions are imaginary parts at complex numbers: nothing cancels."""
    s, given, size = UNITS[name]
    net = ntksym.mlp(name, depth=2, weight_var=WEIGHT, bias_var=BIAS, params=given)
    x, rows = X * size, np.array([Z, X, 1.2 * Z - 0.3 * X]) * size
    found = UnitGradient(net, target="numpy", threads=1)(x[None], rows)
    numbers = np.array([WEIGHT, BIAS, *given.values()])
    for j, y in enumerate(rows):
        equal = (True, bool((x == y).all()), True)
        for k, v in enumerate(("weight_var", "bias_var", *given)):
            w, b, *params = numbers + 1e-30j * (np.arange(len(numbers)) == k)
            form = plane(s, params)
            q = t = [w * g / 3 + b for g in (x @ x, x @ y, y @ y)]
            for _ in range(2):
                at = ((q[0],) * 3, tuple(q), (q[2],) * 3)
                both = [form(*p, e) for p, e in zip(at, equal, strict=True)]
                q = [w * n + b for n, _ in both]
                t = [n + w * d * u for n, (_, d), u in zip(q, both, t, strict=True)]
            for slopes, whole in ((found.d_nngp, q), (found.d_ntk, t)):
                want = whole[1].imag / 1e-30
                most = max(abs(want), np.sqrt(abs(whole[0] * whole[2])))
                assert abs(slopes[v][0, j] - want) <= 2e-13 * most, (j, v)
