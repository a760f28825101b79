"""NumPy for duals of splines that are zero on one side of 0: see `lower.splines`."""

from __future__ import annotations

import math

from ...lower.splines import CANCEL, FALLEN, LENGTH, NODES, PANELS, RATIO, TAIL
from ..tables import legendre
from ..text import filled

CHUNK = 1024
"""Pairs at once: their nodes stay in a cache."""


def splines_text() -> str:
    """The functions that all rules share."""
    nodes = "".join(f"    ({v!r}, {w!r}),\n" for v, w in legendre(NODES))
    marks = {"@NODES@": nodes, "@CHUNK@": CHUNK, "@FALLEN@": repr(FALLEN), "@PANELS@": PANELS}
    marks |= {"@LENGTH@": repr(LENGTH), "@RATIO@": repr(RATIO), "@CANCEL@": repr(CANCEL)}
    marks["@END@"] = repr(math.sqrt(FALLEN))
    return filled(_TEXT, marks).strip("\n")


def spline_watched(one_signed: bool, tails: bool) -> str:
    """Lines that look for the pairs, beside those of the table if there is one sign."""
    tail = f" | (least * least < {TAIL!r} * unit * unit)" if tails else ""
    return _WATCHED.replace("@WATCH@", f" | (q12 < 0.0){tail}" if one_signed else "")


_WATCHED = """    value = np.array(value, dtype=np.float64)
    seen = can & ((used > 0)@WATCH@)
    if seen.any():
        columns = q11, q12, q22, root
        found = _direct_each(_spline_pairs, @STEM@_marked, @STEM@, @WHICH@, seen, columns, given)
        done = np.zeros(seen.shape, dtype=bool)
        done[seen] = right = np.isfinite(found)
        value[done] = found[right]
        can, closed = can & ~done, value
"""

_TEXT = '''
_SPLINE_NODES, _SPLINE_WEIGHTS = np.array((
@NODES@)).T
_SPLINE_WEIGHTS = 2.0 * _SPLINE_NODES * _SPLINE_WEIGHTS
_SPLINE_STEPS = {
    1.0: _SPLINE_NODES * _SPLINE_NODES,
    -1.0: (1.0 - _SPLINE_NODES) * (1.0 + _SPLINE_NODES),
}


def _spline_panels(sign, a, b, start, top, rest, g, near, far, power):
    """The integral from `near`, where g is 0 or it begins, to `far`; NaN for many panels.

    Nodes are counted from `start`, where g is given: upwards, or downwards (sign -1).
    """
    total, at, rows = np.zeros(len(near)), near.copy(), np.arange(len(near))
    for _ in range(@PANELS@):
        rows = rows[at[rows] < far[rows]]
        if not len(rows):
            return total
        columns = (v[rows, None] for v in (a, b, start, top, rest, g, at, far))
        a_, b_, start_, top_, rest_, g_, at_, far_ = columns
        smooth = np.where(b_ < 2.0**-28 * at_, @LENGTH@, 0.0)  # else exp(-b^2/x^2) counts
        to = np.minimum(at_ + (smooth + @RATIO@ * at_), far_)
        length, off = to - at_, (start_ - to if sign < 0.0 else at_ - start_)
        way = off + length * _SPLINE_STEPS[sign]
        x = start_ + sign * way
        under = 1.0 / (1.0 + x * x)
        more = way * (a_ + b_ / (start_ * x))
        e = (g_ + more) ** 2 if sign < 0.0 else more * (more + 2.0 * g_)
        value = np.exp(-e) * under
        if power:
            gap = (way + rest_) * (x + top_) * under
            value *= gap if power == 1 else gap**power
        total[rows] += length[:, 0] * (value @ _SPLINE_WEIGHTS)
        at[rows] = to[:, 0]
    return np.where(at < far, np.nan, total)


def _spline_at(a, b, g):
    """sigma where a*sigma - b/sigma is g."""
    root = np.sqrt(g * g + 4.0 * (a * b))
    return np.where(g > 0.0, (g + root) / (2.0 * a), 2.0 * b / (root - g))


def _spline_bare(top, power):
    """With both kinks at 0 there is no exponential; it is the integral to infinity."""
    top, way = top[:, None], _SPLINE_STEPS[1.0]
    least = np.maximum(top, 1.0)
    tau = (1.0 - way) / least  # 1/sigma, from max(top, 1) on
    gap = np.where(top < 1.0, 1.0 - top * tau, way) * (1.0 + top * tau)
    step = (least - top) * way  # to there
    total = 0.0
    for length, place, gap in (
        (1.0 / least, tau, gap),
        (least - top, top + step, step * (2.0 * top + step)),
    ):
        under = 1.0 / (1.0 + place * place)
        total = total + length[:, 0] * ((under * (gap * under) ** power) @ _SPLINE_WEIGHTS)
    return total


def _spline_exp(n, n_low, d, d_low):
    """exp(-n/(2 d)), both of two doubles, the second ones small."""
    e = n / d
    product, spill = _two_product(e, d)
    low = (((n - product) - spill) + n_low - e * d_low) / d
    value = np.exp(-0.5 * e)
    return value - value * (0.5 * low)


def _spline_term(x, y, q11, q12, q22, root, top, det, power):
    """The integral for two kinks that are not both 0: see `_spline_pairs`."""
    h, k = x / np.sqrt(8.0 * q11), y / np.sqrt(8.0 * q22)
    first = h >= k  # the kink of u is the larger one, in standard deviations
    q, far, near = np.where(first, q11, q22), np.where(first, x, y), np.where(first, y, x)
    a, b = h + k, np.where((q11 == q22) & (x == y), 0.0, np.abs(h - k))
    (one, one_low), (two, two_low) = _two_product(near, q), _two_product(far, q12)
    g = 2.0 * (((one - two) + (one_low - two_low)) / (np.sqrt(8.0 * q) * root))
    above = np.maximum(g, 0.0)
    bound = 4.0 * np.maximum(h, k) ** 2 + above * above
    start, total = np.where(g < 0.0, _spline_at(a, b, np.zeros(len(g))), top), np.zeros(len(g))
    past = np.flatnonzero(g < 0.0)
    if len(past):  # over 1/sigma, beyond the peak
        over, end = 1.0 / top[past], np.full(len(past), @END@)
        begin = np.where(g[past] < -@END@, _spline_at(b[past], a[past], end), over)
        given = b[past], a[past], begin, over, over - begin, np.maximum(g[past], -@END@)
        part = _spline_panels(-1.0, *given, 1.0 / start[past], begin, power)
        total[past] = part * (top[past] * top[past]) ** power
    end = _spline_at(a, b, np.sqrt(above * above + @FALLEN@))
    total += _spline_panels(1.0, a, b, start, top, start - top, above, start, end, power)
    n, low = 0.0 * q, 0.0 * q
    for (v, v_low), entry in (
        (_two_product(x, x), q22),
        (_two_product(y, y), q11),
        (tuple(-2.0 * v for v in _two_product(x, y)), q12),
    ):
        product, spill = _two_product(v, entry)
        more = n + product
        back = more - n
        low = low + ((n - (more - back)) + (product - back)) + (spill + v_low * entry)
        n = more
    own, own_low = _two_product(far, far)
    sides = (n + low, (n - (n + low)) + low, *det), (own, own_low, q, 0.0 * q)
    n, low, d, d_low = (np.where(g > 0.0, u, v) for u, v in zip(*sides))
    total *= _spline_exp(n, low, d, d_low)
    return np.where(bound < 690.0, total, np.where((bound > 750.0) & (bound < 1e300), 0.0, np.nan))


def _spline_pairs(rule, marks, unit, which, q11, q12, q22, root):
    """The dual of s = sum d (x - k)_+^p/p!, or of its slope; NaN where this is not right."""
    found = np.full(len(q11), np.nan)
    (kinks, _, _, closed, _), live, counts, degree = marks, rule[1][0], rule[2][0], rule[3]
    upward = not live[0] and kinks[0] >= 0.0
    if not (upward or (not live[-1] and kinks[-1] <= 0.0)):
        return found
    rows = np.zeros((len(counts), 2 * degree + 3))
    rows[np.array(counts) > 0] = closed[: int(np.sum(counts)) * rows.shape[1]].reshape(
        -1, rows.shape[1]
    )
    power = rule[9]
    heights = rows[1:, 1 + power] - rows[:-1, 2 + degree + power]
    least, most = np.minimum(q11, q22), np.maximum(q11, q22)
    good = np.flatnonzero((root > 0.0) & (least > 1e-140) & (most < 1e140))
    for k in range(0, len(good), @CHUNK@):
        own = good[k : k + @CHUNK@]
        columns = (v[own] for v in (q11, q12, q22, root))
        found[own] = _spline_sum(np.abs(kinks), heights, power, power - which, *columns)
    return found


def _spline_sum(kinks, heights, power, own, q11, q12, q22, root):
    """The sum over pairs of kinks; NaN where it cancels."""
    (one, one_low), (two, two_low) = _two_product(q11, q22), _two_product(q12, q12)
    square, rest = _two_product(root, root)
    whole, det = np.sqrt(one), one - two
    back = det - one
    low = ((one - (det - back)) - (two + back)) + (one_low - two_low)
    known = np.abs((det - square) + low) <= 2.0**-49 * square  # else the root knows it better
    det = np.where(known, det + low, square), np.where(known, (det - (det + low)) + low, rest)
    top = np.where(q12 < 0.0, (whole - q12) / root, root / (whole + q12))
    unit = np.where(q12 < 0.0, det[0] / (whole - q12), whole + q12)
    total, sizes = np.zeros(len(q11)), np.zeros(len(q11))
    for x, d in zip(kinks, heights):
        for y, e in zip(kinks, heights):
            if x == 0.0 == y:
                part = _spline_bare(top, own)
            else:
                given = np.full(len(q11), x), np.full(len(q11), y), q11, q12, q22, root, top
                part = _spline_term(*given, det, own)
            total, sizes = total + (d * e) * part, sizes + np.abs((d * e) * part)
    scale = 0.3183098861837907 * unit**own
    for k in range(2, power + 1):
        scale = scale * (k * (k if k > own else 1))
    return np.where((sizes > 0.0) & (sizes <= @CANCEL@ * np.abs(total)), total * scale, np.nan)
'''
