"""A collapsed network in NumPy, block by block: in place, in arrays that stay in the cache.

The second form, for speed, as `numpy.tiles` is of a network of layers; `numpy.collapsed` writes the
first, and is for every pair that this one is not for.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from .._base import SourceFile, identifier
from ..c.backend import Contract, contract_lines
from ..collapsed import CollapsedProgram
from ..tolerance import CLOSE, FLOAT_TAIL
from .backend import NUMPY

ROUNDING = {"float64": 2.0**-52, "float32": 2.0**-23}
"""Of (1 - |rho|)/2 from rounded norms and products."""
MOST = {"float64": 2e-15, "float32": 2e-7}
"""What that may make of a kernel, over its value at rho = 1; nearer pairs come from the rows."""
NEAREST = {"float64": 0.01, "float32": 0.3}
"""No 1 - rho^2 beyond this is near, whatever the depth."""


def tiles_file(program: CollapsedProgram, contract: Contract) -> SourceFile:
    """The module: `tile(g12, x, y, first, limit, space, far)`, SPACE, SINGLE and SPAN, as
    `numpy.tiles.tiles_file` has them.
    """
    name = identifier(program.name, set()).rstrip("_")
    head = '"""' + "\n".join((*contract_lines(contract, (program.input,)), *program.notes))
    tables = ""
    for dtype, least in (("float64", 0.0), ("float32", FLOAT_TAIL)):
        tables += f'    "{dtype}": (\n'
        for side in (0, 1):
            for which in (0, 1):
                series = [row[side] for row in program.table(which, least)]
                parts = (", ".join(map(NUMPY.literal, series[k::2][::-1])) for k in (0, 1))
                tables += f"        ({', '.join(f'({part},)' for part in parts)}),\n"
        tables += "    ),\n"
    numbers = {"POWER": program.power, "VARIANCE": program.variance, "TOLERANCE": program.tolerance}
    start = "SINGLE, SPACE, SPAN = True, 6, (0.0, np.inf)\n"
    start += "".join(f"{k} = {NUMPY.literal(v)}\n" for k, v in numbers.items())
    maps = ", ".join(f"({NUMPY.literal(c)}, {NUMPY.literal(m)})" for c, m in program.maps)
    start += f"_MAPS = ({maps})\n"
    start += f"_NEAR = { ({dtype: near(program, dtype) for dtype in ROUNDING})!r}\n"
    start += f"_SERIES = {{\n{tables}}}"
    pieces = (head + '\n"""\n\nimport numpy as np', start, _TEXT.strip("\n"))
    return SourceFile(f"{name}_tiles.py", "\n\n\n".join(pieces) + "\n")


def near(program: CollapsedProgram, dtype: str) -> float:
    """The 1 - rho^2 below which rounding of the covariance changes a kernel by more than `MOST`.

    By the slopes in s of the polynomials: s = sqrt((1 - |rho|)/2) is off by ROUNDING/(4 s).
    """
    s = np.linspace(0.0, sqrt(0.5), 513)[1:]
    worst = np.zeros(s.shape)
    for side, (c, m) in enumerate(program.maps):
        u, speed = m * s / (s + c) - 1.0, m * c / (s + c) ** 2
        for which in (0, 1):
            rows = [row[side] for row in program.table(which)]
            even, odd = (np.polynomial.Polynomial(rows[k::2]) for k in (0, 1))
            v = 2.0 * u * u - 1.0
            slope = 4.0 * u * (even.deriv()(v) + u * odd.deriv()(v)) + odd(v)
            worst = np.maximum(worst, abs(slope * speed / program.ends[which]))
    lost = np.nonzero(worst * ROUNDING[dtype] / (4.0 * s) > MOST[dtype])[0]
    square = float(s[lost[-1]] ** 2) if lost.size else 0.0
    return min(NEAREST[dtype], max(CLOSE[dtype], 4.0 * square * (1.0 - square)))


_TEXT = '''
def _scale(q, r):
    """(Sigma(x, x))^(P/2); on a sphere 1, and NaN elsewhere."""
    if VARIANCE:
        return np.where(np.abs(q / VARIANCE - 1.0) <= TOLERANCE, 1.0, np.nan).astype(q.dtype)
    return r if POWER == 1.0 else r**POWER


def _kernels(s, side, out, more):
    """Both polynomials of one side at s, which is lost, into the two arrays of `out`.

    Each is E(v) + u*O(v), v = 2*u^2 - 1; two more arrays have v and O.
    """
    c, m = _MAPS[side]
    np.add(s, c, out[0])
    np.divide(s, out[0], s)
    np.multiply(s, m, s)
    np.subtract(s, 1.0, s)
    v, odd = more
    np.multiply(s, s, v)
    np.multiply(v, 2.0, v)
    np.subtract(v, 1.0, v)
    for to, both in zip(out, _SERIES[s.dtype.name][2 * side :]):
        for total, series in zip((to, odd), both):
            total.fill(series[0])
            for c in series[1:]:
                np.multiply(total, v, total)
                np.add(total, c, total)
        np.multiply(odd, s, odd)
        np.add(to, odd, to)


def tile(g12, x, y, first, limit, space, far):
    """(nngp, ntk) of a block of pairs, two arrays of `space`, from their inner products.

    x and y: the variances q of the first layer and n of the last, and their roots; columns for x.
    `space`: arrays of the shape of the block.  `far` is filled: whether 1 - rho^2 is not small;
    nearer pairs have values of little use.
    """
    c, p, s, nngp, ntk, v = space
    (q11, _, r11, _), (q22, _, r22, _) = x[0], y[0]
    np.multiply(g12, first[0], c)
    np.add(c, first[1], c)
    np.multiply(r11, r22, p)
    minus = np.less(c, 0.0)
    np.abs(c, c)
    np.subtract(p, c, s)
    np.divide(s, p, s)  # 1 - |rho|
    limit = max(limit, _NEAR[g12.dtype.name])
    if s.min() >= limit:
        far.fill(True)
    else:
        np.greater_equal(s, 1.0 - (1.0 - limit) ** 0.5, far)
    np.multiply(s, 0.5, s)
    np.maximum(s, 0.0, out=s)
    np.sqrt(s, s)
    count = np.count_nonzero(minus)
    if count == 0 or count == minus.size:
        _kernels(s, int(count > 0), (nngp, ntk), (c, v))
    else:
        work, kernels = (c.reshape(-1), v.reshape(-1)), (nngp.reshape(-1), ntk.reshape(-1))
        for side, places in enumerate((np.flatnonzero(~minus), np.flatnonzero(minus))):
            part = np.take(s.reshape(-1), places)
            found = [a[: len(part)] for a in work]
            _kernels(part, side, found, np.empty((2, len(part)), part.dtype))
            for to, values in zip(kernels, found):
                to[places] = values
    if POWER == 1.0 and not VARIANCE:
        scale = p
    else:
        scale = np.multiply(_scale(q11, r11), _scale(q22, r22), p)
    np.multiply(nngp, scale, nngp)
    np.multiply(ntk, scale, ntk)
    return nngp, ntk
'''
