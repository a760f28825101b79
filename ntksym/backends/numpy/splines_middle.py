"""NumPy for duals of splines that are not 0 at 0: from uncorrelated inputs on, see `splines`."""

from __future__ import annotations

MIDDLE = '''

def _spline_piece(low, high, at_low, at_high, lift, r):
    """The integrals of exp(-x^2/2) for r x from low to high, and of the same times a line that has
    these values there: from 0 outwards on both sides, so that no term cancels.
    """
    below, above = low > -np.inf, high < np.inf
    inside = at_low - lift * low if below else at_high - lift * high
    inside = (at_low * high - at_high * low) / (high - low) if below and above else inside
    mass = line = 0.0
    for side, near, far in ((-1.0, -high, -low), (1.0, low, high)):
        start = max(near, 0.0)
        if not far > start:
            continue
        first = inside if near <= 0.0 else at_high if side < 0.0 else at_low
        last = at_low if side < 0.0 else at_high
        h, whole = start / r, (far - start) / r
        most = np.sqrt(h * h + @REST@) - h
        length = np.minimum(whole, most)
        grown = (last - first) * (length / whole) if far < np.inf else side * lift * r * most
        x = h[:, None] + length[:, None] * _SPLINE_STEPS[1.0]
        bell = length[:, None] * np.exp(-0.5 * x * x) * _SPLINE_WEIGHTS
        s = np.where(length < most, last, first + grown)[:, None]
        mass = mass + bell.sum(axis=1)
        line = line + (bell * (first * _SPLINE_STEPS[-1.0] + s * _SPLINE_STEPS[1.0])).sum(axis=1)
    return mass, line


def _spline_means(kinks, heights, low, high, power, which, q):
    """Of one input: E[s], E[s'], and at least the root of E[s^2], or of E[s'^2]."""
    r, leading = np.sqrt(q), np.append(high[:1, power], low[1:, power])
    places = [-np.inf, *kinks, np.inf]
    mean, top, square, bends = 0.0, 0.0, 0.0, 0.0
    for k, (a, x, y) in enumerate(zip(leading, places, places[1:])):
        at_low, at_high = (low[k, 0] if k else 0.0), (high[k, 0] if k < len(kinks) else 0.0)
        mass, line = _spline_piece(x, y, at_low, at_high, a if power else 0.0, r)
        mean, top, square = mean + line, top + a * mass, square + a * a * mass
    top, square, mean = (0.3989422804014327 * v for v in (top, square, mean))
    if not power:
        return top, 0.0 * q, np.sqrt(square)
    for d, k in zip(heights, kinks):
        bends = bends + d * np.expm1(-0.5 * (k / r) ** 2)
    curve = 0.3989422804014327 * (np.sum(heights) + bends)
    size = square if which else mean * mean + q * top * top + 0.5 * q * curve * curve
    return mean, top, np.sqrt(size)


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
    det, top, unit, less, ends = _spline_of(q11, cov, q22, root)
    scale = 0.3183098861837907 * unit**own * np.where(q12 == 0.0, 0.0, turn ** (own + 1))
    twins = bool(np.all(kinks == -kinks[::-1]) and np.all(heights == -heights[::-1]))
    fold = bool(np.all(q11 == q22))
    part, parts, one = np.zeros_like(q12), np.zeros_like(q12), np.ones_like(q12)
    pairs = [k for k in range(len(kinks)) if kinks[k] >= 0.0 or not twins]
    for i in pairs:
        for j in pairs:
            x, y, times = kinks[i], kinks[j], heights[i] * heights[j]
            if (fold and j > i) or times == 0.0:
                continue
            times = times * (2.0 if fold and i != j else 1.0) * (2.0 * turn if twins else one)
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
                part[rows], parts[rows] = part[rows] + term, parts[rows] + np.abs(term)
    # what all have in common does not spoil how they cancel
    found = scale * part
    total = total + (found + found * (own * less + @PI_LOW@))
    sizes = sizes + np.abs(scale) * parts
    most = np.maximum(np.abs(total), np.where(sized, u[2] * v[2], 0.0))
    return np.where(sizes <= @CANCEL_MIDDLE@ * most, total, np.nan)
'''
"""A part of the text of `splines`, with its marks."""
