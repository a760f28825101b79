"""NumPy for duals of splines: see `lower.splines`."""

from __future__ import annotations

import math

from ...lower.splines import (
    CANCEL,
    CANCEL_MIDDLE,
    EDGE,
    FALLEN,
    LENGTH,
    NODES,
    OVER_PI_LOW,
    PANELS,
    RATIO,
    RISEN,
    TAIL,
    TWIN_RATIO,
    WIDEST,
)
from ..tables import legendre
from ..text import filled
from .splines_middle import MIDDLE

CHUNK = 1024
"""Pairs at once: their nodes stay in a cache."""


def splines_text() -> str:
    """The functions that all rules share."""
    nodes = "".join(f"    ({v!r}, {w!r}),\n" for v, w in legendre(NODES))
    marks = {"@NODES@": nodes, "@CHUNK@": CHUNK, "@FALLEN@": repr(FALLEN), "@PANELS@": PANELS}
    marks |= {"@LENGTH@": repr(LENGTH), "@RATIO@": repr(RATIO), "@CANCEL@": repr(CANCEL)}
    marks |= {"@RISEN@": repr(RISEN), "@PI_LOW@": repr(OVER_PI_LOW)}
    marks |= {"@CANCEL_MIDDLE@": repr(CANCEL_MIDDLE), "@REST@": repr(2.0 * FALLEN + 6.0)}
    marks |= {"@WIDEST@": repr(WIDEST)}
    marks |= {"@END@": repr(math.sqrt(FALLEN)), "@TWIN@": repr(TWIN_RATIO)}
    return filled(_TEXT.replace("@MIDDLE@", MIDDLE), marks).strip("\n")


def spline_watched(one_signed: bool, tails: bool, sided: bool) -> str:
    """Lines that look for the pairs, beside those of the table if there is one sign."""
    edge = f"np.where(2.0 * q12 * q12 <= q11 * q22, {EDGE!r}, {TAIL!r})"
    tail = f" | (least * least < {edge} * unit * unit)" if tails else ""
    text = _WATCHED.replace("@MIDDLE@", "1" if one_signed else "2")
    return text.replace("@WATCH@", (" | (q12 < 0.0)" * sided + tail) if one_signed else "")


_WATCHED = """    value = np.array(value, dtype=np.float64)
    seen = can & ((used > 0)@WATCH@)
    if seen.any():
        columns = q11, q12, q22, root, @MIDDLE@ * (used > 0)
        found = _direct_each(_spline_pairs, @STEM@_marked, @STEM@, @WHICH@, seen, columns, given)
        done = np.zeros(seen.shape, dtype=bool)
        done[seen] = right = np.isfinite(found)
        value[done] = found[right]
        can, closed = can & ~done, value
        used = np.where((q11 != q22) & _spline_parallel(q12, root), np.minimum(used, 1), used)
"""

_TEXT = '''
_SPLINE_NODES, _SPLINE_WEIGHTS = np.array((
@NODES@)).T
_SPLINE_WEIGHTS = 2.0 * _SPLINE_NODES * _SPLINE_WEIGHTS
_SPLINE_STEPS = {
    1.0: _SPLINE_NODES * _SPLINE_NODES,
    -1.0: (1.0 - _SPLINE_NODES) * (1.0 + _SPLINE_NODES),
}


def _spline_panels(sign, a, b, start, top, rest, g, peak, least, twin, near, far, power):
    """The integral from `near`, where g is 0 or it begins, to `far`; NaN for many panels.

    Nodes are counted from `start`, where g is given: upwards, or downwards (sign -1).  There g is
    counted from `least` at the peak, unless that is 0.  The twin, the same with one kink turned
    round, is exp(-twin*(1/sigma^2 - sigma^2)) of it.
    """
    total, at, rows = np.zeros(len(near)), near.copy(), np.arange(len(near))
    both, steep, longest = np.sqrt(twin), 1 + power // 2, np.minimum(far - near, @LENGTH@)
    alone = np.where(both > 0.0, both / @END@ if sign > 0.0 else @END@ / both, 0.0)
    for _ in range(@PANELS@):
        rows = rows[at[rows] < far[rows]]
        if not len(rows):
            return total
        columns = (v[rows, None] for v in (a, b, start, top, rest, g, at, far, peak, least, twin))
        a_, b_, start_, top_, rest_, g_, at_, far_, peak_, least_, twin_ = columns
        smooth = b_ < 2.0**-28 * at_  # else exp(-b^2/x^2) counts
        ratio = at_ + (np.where(smooth, longest[rows, None], 0.0) + @RATIO@ * at_) / steep
        to = np.where(twin_ > 0.0, at_ + @TWIN@ * at_, ratio)
        bound = alone[rows, None]  # where the twin begins or ends to count
        to = np.where((at_ < bound) & ((bound < to) | smooth), bound, to)
        to = np.minimum(to, far_)
        length, off = to - at_, (start_ - to if sign < 0.0 else at_ - start_)
        way = off + length * _SPLINE_STEPS[sign]
        x = start_ + sign * way
        under = 1.0 / (1.0 + x * x)
        more = way * (a_ + b_ / (start_ * x))
        if sign < 0.0:
            up = (at_ - peak_) + length * _SPLINE_STEPS[1.0]
            e = np.where(peak_ > 0.0, least_ + up * (a_ + b_ / (peak_ * x)), g_ + more) ** 2
        else:
            e = more * (more + 2.0 * g_)
        value = np.exp(-e) * under
        if power:
            gap = (way + rest_) * (x + top_) * under
            value *= gap if power == 1 else gap**power
        if twin_.any():
            square = x * x
            e = twin_ * (sign * ((1.0 - x) * (1.0 + x)) * (1.0 + square) / square)
            value = np.where(twin_ > 0.0, -value * np.expm1(-e), value)
        total[rows] += length[:, 0] * (value @ _SPLINE_WEIGHTS)
        at[rows] = to[:, 0]
    return np.where(at < far, np.nan, total)


def _spline_at(a, b, g):
    """sigma where a*sigma - b/sigma is g."""
    root = np.sqrt(g * g + 4.0 * (a * b))
    return np.where(g > 0.0, (g + root) / (2.0 * a), 2.0 * b / (root - g))


def _spline_bare(top, power, near=False):
    """With both kinks at 0 there is no exponential; it is the integral to infinity, or to 1."""
    top, way = top[:, None], _SPLINE_STEPS[1.0]
    least = np.maximum(top, 1.0)
    tau = (1.0 - way) / least  # 1/sigma, from max(top, 1) on
    gap = np.where(top < 1.0, 1.0 - top * tau, way) * (1.0 + top * tau)
    step = (least - top) * way  # to there
    total = 0.0
    for length, place, gap in (
        (1.0 / least, tau, gap),
        (least - top, top + step, step * (2.0 * top + step)),
    )[near:]:
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


def _spline_term(x, y, q11, q12, q22, root, top, ends, det, power, end=np.inf, twin=False):
    """The integral up to `end` for two kinks that are not both 0: see `_spline_pairs`."""
    wide = np.sqrt(8.0 * q11), np.sqrt(8.0 * q22)
    apart = -1.0 if x * y < 0.0 else 1.0
    x, y = abs(x), abs(y)
    h, k = x / wide[0], y / wide[1]
    first = h >= k  # the kink of u is the larger one, in standard deviations
    q, far = np.where(first, q11, q22), np.where(first, x, y)
    near = np.where(first, y, x) * apart
    # |h - k| from the squares, whose difference has digits where that of h and k has lost them
    parts = [_two_product(x * x, q22), _two_product(y * y, q11)]
    rest = _two_product(x, x)[1] * q22 - _two_product(y, y)[1] * q11
    squares = (parts[0][0] - parts[1][0]) + ((parts[0][1] - parts[1][1]) + rest)
    gap = 8.0 * (np.abs(squares) / ((x * wide[1] + y * wide[0]) * (wide[0] * wide[1])))
    a, b = (h + k, gap) if apart > 0.0 else (gap, h + k)
    both = 4.0 * (h * k) if twin else np.zeros(len(q))
    (one, one_low), (two, two_low) = _two_product(near, q), _two_product(far, q12)
    g = 2.0 * (((one - two) + (one_low - two_low)) / (np.sqrt(8.0 * q) * root))
    bare = ends[0] > 0.0  # the difference above has lost its digits
    g = np.where(bare, a * top - b / top, g)
    above = np.maximum(g, 0.0)
    bound = 4.0 * np.maximum(h, k) ** 2 + above * above
    zero, total = np.zeros(len(g)), np.zeros(len(g))
    start = np.where(g < 0.0, np.minimum(_spline_at(a, b, zero), end), top)
    past = np.flatnonzero(g < 0.0)
    if len(past):  # over 1/sigma, beyond the peak
        over, rise = 1.0 / top[past], np.full(len(past), @END@)
        begin = np.where(g[past] < -@END@, _spline_at(b[past], a[past], rise), over)
        back, peak = np.maximum(g[past], -@END@), 1.0 / start[past]
        # the rounding of g at the top is larger than that of where the peak is
        held = np.where(a[past] * b[past] < back * back, peak, 0.0)
        least = np.where(start[past] < end, 0.0, (b - a)[past])
        given = b[past], a[past], begin, over, over - begin, back, held, least, both[past]
        part = _spline_panels(-1.0, *given, peak, begin, power)
        total[past] = part * (top[past] * top[past]) ** power
        # g where the other part begins: of the order of its rounding, and the same for both
        ends_at = back + (begin - peak) * (b[past] + a[past] / (begin * peak))
        above[past] = np.where(held > 0.0, 0.0, ends_at)
    fallen = np.maximum(g, 0.0) ** 2 + (@FALLEN@ + @RISEN@ * max(power - 1, 0))
    until = np.minimum(_spline_at(a, b, np.sqrt(fallen)), end)
    given = a, b, start, top, start - top, above, zero, zero, both
    total += _spline_panels(1.0, *given, start, until, power)
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
    sides = (np.where(g > 0.0, u, v) for u, v in zip(*sides))
    bare &= g > 0.0
    product = (2.0 * v for v in _two_product(x, y))
    total *= _spline_exp(*(np.where(bare, u, v) for u, v in zip((*product, *ends), sides)))
    total *= np.exp(-(np.where(bare, 0.25 * (gap * (wide[0] * wide[1]) / root), 0.0) ** 2))
    return np.where(bound < 690.0, total, np.where((bound > 750.0) & (bound < 1e300), 0.0, np.nan))


def _spline_parallel(q12, root):
    """Whether inputs are nearly parallel: of those of unlike size the definition is better."""
    return root < 2.0**-6 * np.abs(q12)


def _spline_pairs(rule, marks, unit, which, q11, q12, q22, root, from_0):
    """The dual of s = sum d (x - k)_+^p/p!, or of its slope; NaN where this is not right.

    `from_0`: 0 where s has to be 0 at 0, 1 if it has one sign, and digits of small values count.
    """
    found = np.full(len(q11), np.nan)
    (kinks, _, _, closed, _), live, counts, degree = marks, rule[1][0], rule[2][0], rule[3]
    power, counts = rule[9], np.array(counts)
    rows = np.zeros((len(counts), 2 * degree + 3))
    rows[counts > 0] = closed[: int(np.sum(counts[counts > 0])) * rows.shape[1]].reshape(
        -1, rows.shape[1]
    )
    low, high = rows[:, 1 : 2 + degree], rows[:, 2 + degree :]
    heights = low[1:, power] - high[:-1, power]
    zero = next((k for k, x in enumerate(kinks) if not live[k] and x >= 0.0), len(kinks))
    middle = live[zero] or (zero > 0 and kinks[zero - 1] > 0.0)
    if middle and (power > 1 or low[:, power + 1 :].any() or high[:, power + 1 :].any()):
        return found
    least, most = np.minimum(q11, q22), np.maximum(q11, q22)
    good = (root > 0.0) & (least > 1e-140) & (most < 1e140)
    if middle:
        reach = np.max(np.abs(kinks))
        good &= (from_0 > 0) & (most <= @WIDEST@ * (reach * reach))
    # where it ends loses digits where inputs of unlike size are nearly parallel
    good &= (from_0 == 0) | (q11 == q22) | ~_spline_parallel(q12, root)
    good = np.flatnonzero(good)
    for k in range(0, len(good), @CHUNK@):
        own = good[k : k + @CHUNK@]
        columns = (v[own] for v in (q11, q12, q22, root))
        if middle:
            columns = *columns, from_0[own] > 1
            found[own] = _spline_middle(kinks, heights, low, high, power, which, *columns)
        else:
            found[own] = _spline_sum(kinks, heights, zero, power, which, *columns)
    return found


def _spline_of(q11, q12, q22, root):
    """The determinant, where sigma begins, the unit of the gap and what it lacks, over it, and
    sqrt(q11 q22) + q12 in two doubles, 0 unless inputs are more nearly parallel than a rounded q12
    says.  There the exponent x^2 q22 - 2 x y q12 + y^2 q11 over the determinant is the square of
    x sqrt(q22) - y sqrt(q11) over that, and 2 x y over the sum, which both keep their digits.
    """
    (one, one_low), (two, two_low) = _two_product(q11, q22), _two_product(q12, q12)
    square, rest = _two_product(root, root)
    whole, det = np.sqrt(one), one - two
    back = det - one
    low = ((one - (det - back)) - (two + back)) + (one_low - two_low)
    known = np.abs((det - square) + low) <= 2.0**-49 * square  # else the root knows it better
    apart, least = square / (whole + q12), 2.0 * whole
    (product, spill), more = _two_product(whole, whole), least - apart
    rest_of = (((one - product) - spill) + one_low) / whole
    ends = more, ((least - more) - apart) + rest_of
    ends = (np.where(known | (root > q12), 0.0, v) for v in ends)
    det = np.where(known, det + low, square), np.where(known, (det - (det + low)) + low, rest)
    top = np.where(q12 < 0.0, (whole - q12) / root, root / (whole + q12))
    sides, size = whole + np.abs(q12), np.abs(q12)
    lacks = ((whole - sides) + size) + 0.5 * rest_of
    unit = np.where(q12 < 0.0, det[0] / sides, sides)
    product, spill = _two_product(unit, sides)
    left = ((det[0] - product) - spill) + det[1] - unit * lacks
    return det, top, unit, np.where(q12 < 0.0, left / sides, lacks) / unit, tuple(ends)


def _spline_arc(root, q12, det, own):
    """What two kinks at 0 add, closed: a short arc is as the third power of the root."""
    if not own:
        arc = _angle(root, -q12)
        return arc + arc * @PI_LOW@
    arc, (square, spill) = _true_arc(root, q12), _two_product(root, root)
    lacks = ((det[0] - square) - spill) + det[1]
    return arc + (root * (0.5 * lacks / (square + q12 * q12)) + arc * @PI_LOW@)


def _spline_scaled(total, unit, less, own):
    """A sum of terms with what all have in common, but 1/pi."""
    value = total * unit**own
    return value + value * (own * less + @PI_LOW@)


def _spline_sum(kinks, heights, zero, power, which, q11, q12, q22, root):
    """The sum over pairs of kinks, where s is 0 at 0; NaN where it cancels.

    What is left of 0 is turned round: with what is right of it, it has the covariance -q12.
    """
    own, fold = power - which, bool(np.all(q11 == q22))
    scale = 0.3183098861837907
    for k in range(2, power + 1):
        scale = scale * (k * (k if k > own else 1))
    total, alone, good = 0.0, 0.0, True
    for far in range(1 + (0 < zero < len(kinks))):
        cov = -q12 if far else q12
        det, top, unit, less, ends = _spline_of(q11, cov, q22, root)
        sign = -1.0 if far and (power + 1 + which) % 2 else 1.0
        part, whole, sizes = np.zeros((3, len(q11)))
        for i, (x, d) in enumerate(zip(kinks, heights)):
            for j, (y, e) in enumerate(zip(kinks, heights)):
                if ((i < zero) != (j < zero)) != bool(far) or (fold and j > i):
                    continue
                if x == 0.0 == y:
                    term = _spline_bare(top, own)
                else:
                    given = abs(x), abs(y), q11, cov, q22, root, top, ends
                    term = _spline_term(*given, det, own)
                term = (d * e * (2.0 if fold and i != j else 1.0)) * term
                whole, sizes = whole + term, sizes + np.abs(term)
                if x == 0.0 == y and own < 2:  # by their arc, which has more digits
                    alone = d * e * 0.5 * _spline_arc(root, cov, det, own)
                else:
                    part = part + term
        good = good & (sizes <= @CANCEL@ * np.abs(whole)) & ((sizes > 0.0) | bool(far))
        total = total + sign * _spline_scaled(part, unit, less, own)
    return np.where(good, (total + alone) * scale, np.nan)
@MIDDLE@'''
