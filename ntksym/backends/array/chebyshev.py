"""Sums of Chebyshev polynomials for JAX, PyTorch and NumPy gradients, by Clenshaw's rule."""

from __future__ import annotations

from fractions import Fraction

from ...numeric.table.pack import Rows
from .table import Form


def deflated(rows: Rows) -> Rows:
    """For every sum p of c_k T_k(x) the coefficients of (p'(x) - p'(-1))/(x + 1), exact division.

    `p' = sum d_k T_k` from `d_{k-1} = d_{k+1} + 2k c_k`; `(x + 1) sum g_k T_k` has the
    coefficients `g_{k-1}/2 + g_k + g_{k+1}/2`, k > 1.
    """
    return tuple(tuple(_deflated(line) for line in plane) for plane in rows)


def _deflated(line: tuple[float, ...]) -> tuple[float, ...]:
    d = [Fraction(0)] * (len(line) + 2)
    for k in reversed(range(1, len(line))):
        d[k - 1] = d[k + 1] + 2 * k * Fraction(line[k])
    g = [Fraction(0)] * (len(line) + 2)  # g_0 is halved at the end
    for k in reversed(range(1, len(line))):
        g[k - 1] = 2 * (d[k] - g[k]) - g[k + 1]
    g[0] /= 2
    return tuple(float(c) for c in g[: max(len(line) - 2, 1)])


CHEBYSHEV = Form("_chebyshev", "_chebyshev_line", "_dense_rows", deflated)

HELPERS = '''
def _dense_rows(rows):
    """The coefficients [k][i][j], with zeros where there are none."""
    wide, deep = len(rows[0]), len(rows[0][0])
    planes = [[(*line, *(0.0,) * (deep - len(line))) for line in plane] for plane in rows]
    planes = [plane + [(0.0,) * deep] * (wide - len(plane)) for plane in planes]
    return [[[line[k] for line in plane] for plane in planes] for k in range(deep)]


def _basis(a, count):
    """T_0(a), T_1(a), ..., and their derivatives, along a new first axis."""
    nil, one = 0.0 * a, 1.0 + 0.0 * a
    start, turn = (_stacked((one, nil)), _stacked((a, one))), _along((0.0, 2.0), a)

    def step(k, now, last):
        return 2.0 * a * now - last + turn * now[:1]

    both = _sequence(count, step, *start)
    return both[:, 0], both[:, 1]


def _chebyshev(rows, first, second, x):
    """The sum of rows[k][i][j] T_i(first) T_j(second) T_k(x)."""
    numbers = _constants(rows, x)
    one, two = _basis(first, len(rows[0]))[0], _basis(second, len(rows[0][0]))[0]

    def body(i, now):
        line = _einsum("ij,i...->j...", numbers[len(rows) - 1 - i], one)
        return _einsum("j...,j...->...", line, two) + 2.0 * x * now[0] - now[1], now[0]

    total, before = _looped(len(rows), body, (0.0 * x, 0.0 * x))
    return (total - x * before,)


def _chebyshev_slopes(rows, first, second, x):
    """The same with its derivatives in first, second and x."""
    numbers = _constants(rows, x)
    (one, turned), (two, bent) = _basis(first, len(rows[0])), _basis(second, len(rows[0][0]))

    def body(i, now):
        here = numbers[len(rows) - 1 - i]
        line, sloped = (_einsum("ij,i...->j...", here, b) for b in (one, turned))
        sums = [_einsum("j...,j...->...", *p) for p in ((line, two), (sloped, two), (line, bent))]
        sums.append(2.0 * now[0])
        up = tuple(s + 2.0 * x * a - b for s, a, b in zip(sums, now[::2], now[1::2]))
        return tuple(v for pair in zip(up, now[::2]) for v in pair)

    total, before, *rest, of_x, under = _looped(len(rows), body, (0.0 * x,) * 8)
    of_first, of_second = rest[0] - x * rest[1], rest[2] - x * rest[3]
    return total - x * before, of_first, of_second, of_x - before - x * under


def _chebyshev_line(coefficients, tau):
    """A sum of one variable, and its derivative."""
    total = before = slope = under = 0.0 * tau
    for c in reversed(coefficients):
        slope, under = 2.0 * total + 2.0 * tau * slope - under, slope
        total, before = c + 2.0 * tau * total - before, total
    return total - tau * before, slope - before - tau * under
'''
