"""NumPy for duals of splines that are not 0 at 0: from uncorrelated inputs on, see `splines`."""

from __future__ import annotations

MIDDLE = '''

def _spline_means(kinks, heights, low, high, power, which, q):
    """Of one input: E[s], E[s'], and at least the root of E[s^2], or of E[s'^2]."""
    r = np.sqrt(q)
    leading = np.append(high[:1, power], low[1:, power])
    places = [-np.inf, *kinks, np.inf]
    top, square = 0.0, 0.0
    for a, x, y in zip(leading, places, places[1:]):
        x, y = 0.7071067811865476 * (x / r), 0.7071067811865476 * (y / r)
        tail = np.where(x > 0.0, _erfc(np.abs(x)) - _erfc(np.abs(y)), 0.0)
        tail = np.where(y < 0.0, _erfc(np.abs(y)) - _erfc(np.abs(x)), tail)
        part = np.where((x > 0.48) | (y < -0.48), tail, _erf(y) - _erf(x))
        top, square = top + a * part, square + a * a * part
    if not power:
        return 0.5 * top, 0.0 * q, np.sqrt(0.5 * square)
    bends, level = 0.0, 0.0
    for d, k in zip(heights, kinks):
        h = 0.7071067811865476 * (k / r)
        bends, level = bends + d * np.expm1(-h * h), level + d * k * _erf(h)
    curve = 0.3989422804014327 * (np.sum(heights) + bends)
    ends = high[0, 0] - high[0, 1] * kinks[0] + (low[-1, 0] - low[-1, 1] * kinks[-1])
    mean, slope = r * curve + 0.5 * (ends + level), 0.5 * top
    size = 0.5 * square if which else mean * mean + q * slope * slope + 0.5 * q * curve * curve
    return mean, slope, np.sqrt(size)


def _spline_middle(kinks, heights, low, high, power, which, q11, q12, q22, root, sized):
    """What the dual is at q12 = 0, its slope there, and the integral of its last derivative.

    NaN where terms are much larger than the sum, or, if `sized`, than the sizes of both inputs.
    """
    own, turn, cov = power - which, np.where(q12 < 0.0, -1.0, 1.0), np.abs(q12)
    u = _spline_means(kinks, heights, low, high, power, which, q11)
    v = _spline_means(kinks, heights, low, high, power, which, q22)
    slopes = u[1] * v[1]
    total, linear = (slopes if which else u[0] * v[0]), (q12 * slopes if own else 0.0)
    sizes, total = np.abs(total) + np.abs(linear), total + linear
    det, top, unit, ends = _spline_of(q11, cov, q22, root)
    scale = 0.3183098861837907 * unit**own * np.where(q12 == 0.0, 0.0, turn ** (own + 1))
    twins = bool(np.all(kinks == -kinks[::-1]) and np.all(heights == -heights[::-1]))
    fold = bool(np.all(q11 == q22))
    pairs = [k for k in range(len(kinks)) if kinks[k] >= 0.0 or not twins]
    for i in pairs:
        for j in pairs:
            x, y, times = kinks[i], kinks[j], heights[i] * heights[j]
            if (fold and j > i) or times == 0.0:
                continue
            times = scale * times * (2.0 if fold and i != j else 1.0)
            if twins:
                times = 2.0 * turn * times
            for side in (1.0,) if twins else (1.0, -1.0):
                rows = np.flatnonzero((turn == side) | twins)
                if not len(rows):
                    continue
                columns = (c[rows] for c in (q11, cov, q22, root, top))
                if x == 0.0 == y:
                    term = _spline_bare(top[rows], own, True)
                else:
                    sides = (tuple(c[rows] for c in two) for two in (ends, det))
                    term = _spline_term(x, side * y, *columns, *sides, own, 1.0, twins)
                term = times[rows] * np.where(q12[rows] == 0.0, 0.0, term)
                total[rows], sizes[rows] = total[rows] + term, sizes[rows] + np.abs(term)
    most = np.maximum(np.abs(total), np.where(sized, u[2] * v[2], 0.0))
    return np.where(sizes <= @CANCEL_MIDDLE@ * most, total, np.nan)
'''
"""A part of the text of `splines`, with its marks."""
