"""JAX and PyTorch for the mean of s over one input, given the other: a part of `array.direct`."""

from __future__ import annotations

MEANS = '''
_DIRECT_NODES = @NODES@
_DIRECT_WEIGHTS = @WEIGHTS@


def _direct_marks(rule, given, like):
    """Kinks, jumps, more ends of panels, rows of the closed means, the unit; what is given."""
    found, n = rule["marks"](*given), rule["kinks"]
    first = 2 * n + rule["cuts"]
    nil = 0.0 * like
    marks = [v + nil for v in found[:first]]
    return marks[:n], marks[n : 2 * n], marks[2 * n :], found[first:-1], found[-1], given


def _direct_cell(marks, cell, like):
    """The ends of a cell."""
    kinks, nil = marks[0], 0.0 * like
    low = kinks[cell - 1] if cell else nil - _INF
    return low, kinks[cell] if cell < len(kinks) else nil + _INF


def _direct_reach(rule, marks, which, m, t, moved):
    """How far from m something counts, in standard deviations t; 0 where nothing does.

    Where s grows, the exponential moves the density by at most `moved`.  Bells and smooth steps may
    be what s dies out from.
    """
    start, apart = 0.0 * m + _INF, 0.0 * m
    for cell, live in enumerate(rule["live"][which]):
        if live:
            low, high = _direct_cell(marks, cell, m)
            start = _min(start, _max(_max((low - m) / t, (m - high) / t), 0.0))
    for centre in marks[2][: rule["centres"]]:
        apart = _max(apart, _abs(centre - m) / t)
    furthest = _max(start, _min(apart, 37.0))
    found = start < 37.0 + moved
    furthest = _where(found, furthest, 0.0)
    return _where(found, _sqrt(furthest * furthest + rule["far"]) + moved, 0.0)


def _direct_ends(rule, low, high, start, base, t, reach, more):
    """Ends of panels from low to high, in order, along a first axis; in deviations t from `base`.

    That is at `start`: from the mean, what is narrow beside t would lose its width.
    """
    a = _max((low - base) / t, -reach - start)
    b = _max(_min((high - base) / t, reach - start), a)
    nearest = _max(_max(a + start, -b - start), 0.0)
    squares = (6.25, 27.0, 60.0 if rule["far"] > 82.0 else 82.0)
    steps = [_sqrt(nearest * nearest + v) for v in squares]
    if rule["grow"] or rule["centres"]:  # where these move the density to
        steps += [9.5 + 3.5 * k + 0.0 * start for k in range(8)]
    ends = [side * v - start for v in steps for side in (1.0, -1.0)]
    ends += [-start] + [(v - base) / t for v in more]
    return _sorted(_joined([_min(_max(v, a), b)[None] for v in (a, *ends, b)]))


def _direct_poly(coefficients, y):
    total = 0.0 * y
    for c in reversed(coefficients):
        total = total * y + c
    return total


def _direct_values(rule, marks, which, cell, base, v, y):
    """s, or its slope, at v = base + y in a cell: beside a kink from y, which has all digits.

    At a kink at 0, where y is v itself, where several exponentials may cancel.
    """
    kinks, _, _, closed, _, given = marks
    value = rule["point"](v, *given)[which] + 0.0 * v
    degree = rule["degree"]
    width, counts = 2 * degree + 3, rule["groups"][0] + rule["groups"][1]
    first = which * (len(kinks) + 1) + cell
    if counts[first] < 1:
        return value
    place = width * sum(max(n, 0) for n in counts[:first])
    rows = [closed[place + width * i :][:width] for i in range(counts[first])]
    for upper in (0, 1):
        if not cell + upper or cell + upper > len(kinks):
            continue
        k = kinks[cell - 1 + upper]
        several = 0.0 * v + (0.0 if len(rows) > 1 else _INF)
        for row in rows:
            several = _max(several, _abs(row[0] + 0.0 * v))
        inside = _where(k == 0.0, _abs(y) * several < 1.0, _abs(y) < _abs(k))
        beside = (base == k) & inside
        near = _where(beside, y, 0.0)
        sums = [row[2 + degree :] if upper else row[1 : 2 + degree] for row in rows]
        parts = [(row[0] * near, _direct_poly(c, near)) for row, c in zip(rows, sums)]
        if len(parts) == 1:
            whole = _exp(parts[0][0]) * parts[0][1]
        else:  # where they cancel at the kink, what the exponentials add is left
            whole = _direct_poly([sum(c) for c in zip(*sums)], near)
            for a, part in parts:
                whole = whole + _expm1(a) * part
        value = _where(beside, whole, value)
    return value


def _direct_panels(rule, which, order, cell, m, t, slip, reach, *rest):
    """The mean of s over a cell, or of its slope, by panels; times a Hermite polynomial."""
    count = rule["kinks"]
    gaps, lows, given = rest[:count], rest[count : 2 * count], rest[2 * count :]
    marks = _direct_marks(rule, given, m)
    low, high = _direct_cell(marks, cell, m)
    below = gaps[cell - 1] if cell else 0.0 * m + _INF
    above = gaps[cell] if cell < count else 0.0 * m - _INF
    upper = _abs(above) < _abs(below)
    base, start, off = m, 0.0 * m, 0.0 * m
    if count:
        gap = _where(upper, above, below)
        base, start = _where(upper, high, low), -gap / t
        low_gap = _where(upper, lows[min(cell, count - 1)], lows[max(cell - 1, 0)])
        product, spill = _two_product(start, t)
        off = start * slip + (((gap + product) + spill) + low_gap) / t
    far = _abs(start) > reach  # the end is farther from the mean than anything counts
    gone = _where(far, 0.0, start)
    ends = _direct_ends(rule, low, high, gone, _where(far, m, base), t, reach, marks[2])
    left, right = ends[:-1], ends[1:]
    # from what the panel is nearer to: the end of the cell, or the mean
    near = _abs(left + gone) + _abs(right + gone) < _abs(left) + _abs(right)
    shift = _where(near, gone, 0.0)
    left, right = left + shift, right + shift
    length = right - left
    nodes, weights = _column(_DIRECT_NODES, length), _column(_DIRECT_WEIGHTS, length)
    away = left + length * nodes
    rest = _where(near, 0.0, gone)
    z, y = away + rest, t * (away - _where(far, start, shift))
    moved = z - rest  # of a node beside an end that is in a tail, where the density is steep
    fine = ((away - moved) + (rest - (z - moved))) - _where(rest != 0.0, off, 0.0)
    square, spill = _two_product(z, z)
    lost = _where(square < 1400.0, z * fine + 0.5 * spill, 0.0)
    w = _exp(-0.5 * square)
    w = length * weights * (w - w * lost)
    w = w if order == 0 else w * z if order == 1 else w * (z * z - 1.0)
    u = _where(near | far, m, base) + t * away
    values = _direct_values(rule, marks, which, cell, base, u, y)
    found = _where(length > 0.0, w * values, 0.0)
    return 0.3989422804014327 * found.sum(0).sum(0)


def _direct_tail(bell, size):
    """exp(a)*Phi(-size), as the density there times Mills' ratio: nothing of it cancels."""
    far = _min(size, _FAR)  # beyond, the ratio is 1/size
    scaled = _erfcx_positive(0.7071067811865476 * far)
    return bell * (1.2533141373155003 * scaled) / _max(size / _FAR, 1.0)


def _direct_side(rate, coefficients, sign, gap, t, side, bell, tail):
    """A row of the closed means at its end, upwards (side 1) or downwards, and the sizes.

    `tail` is what is beyond the end without an exponential.
    """
    plain = not _is_array(rate) and rate == 0.0
    at = side * (gap / t if plain else gap / t + rate * t)
    size, below = _abs(at), at < 0.0
    whole = _where(below, 0.0, 1.0 + 0.0 * at)
    s0 = tail + whole
    if not plain:
        a, tail = rate * (gap + 0.5 * rate * t * t), _direct_tail(bell, size)
        whole = whole * _exp(_where(below, 0.0, a))
        s0 = tail + whole * (1.0 + _abs(a))
    i0 = _where(below, tail, whole - tail)
    i1, s1 = bell + at * i0, bell + size * s0
    power, value, sizes = sign * side, 0.0 * at, 0.0 * at
    count = len(coefficients)
    while count and not _is_array(coefficients[count - 1]) and coefficients[count - 1] == 0.0:
        count -= 1
    for j, c in enumerate(coefficients[:count]):
        value, sizes = value + c * power * i0, sizes + _abs(c * power) * s0
        i0, s0, i1, s1 = i1, s1, at * i1 + (j + 1.0) * i0, size * s1 + (j + 1.0) * s0
        power = power * side * t
    return value, sizes


def _direct_mean(rule, marks, which, m, gaps, lows, t, slip, allow):
    """E[s(u)], or E[s'(u)] without the jumps, for u of means m and deviations t*(1 + slip).

    `gaps`, and what rounding took from them, `lows`, have m - k for the kinks k: in a tail, m
    rounded would cost many digits.  Where the terms of a cell add up to more than 8 times the mean,
    it is integrated by panels if they are more than `allow`, and never without that; else they are
    in the second thing returned.
    """
    closed, given, degree = marks[3], marks[5], rule["degree"]
    still, t = t, _where(t > 0.0, t, 1.0)
    bells = [0.3989422804014327 * _direct_near(*both, t, slip) for both in zip(gaps, lows)]
    tails = [_direct_tail(bell, _abs(gap / t)) for bell, gap in zip(bells, gaps)]
    reach = _direct_reach(rule, marks, which, m, t, rule["grow"] * t)
    found, place, width, most = [], 0, 2 * degree + 3, 0.0 * m
    for n in range(2):
        for cell, count in enumerate(rule["groups"][n]):
            rows = [closed[place + width * i :][:width] for i in range(max(count, 0))]
            place += width * len(rows)
            if n != which or not rule["live"][n][cell]:
                continue
            low, high = _direct_cell(marks, cell, m)
            near = _max(_max((low - m) / t, (m - high) / t), 0.0) < reach
            side = _where((m - low < high - m) | (high == _INF), 1.0, -1.0 + 0.0 * m)
            side = _where(low == -_INF, -1.0, side)
            value = 0.0 * m
            size = value if count >= 0 else value + _INF
            for row in rows:
                parts = (row[1 : degree + 2], 1.0, cell - 1), (row[degree + 2 :], -1.0, cell)
                for c, sign, k in parts[int(cell == 0) : 1 + int(cell < rule["kinks"])]:
                    part = _direct_side(row[0], c, sign, gaps[k], t, side, bells[k], tails[k])
                    value, size = value + part[0], size + part[1]
            value = _where(near, value, 0.0)
            found.append((cell, value, _where(near, size, 0.0)))
            most = most + 8.0 * _abs(value)
    total, beyond = 0.0 * m, 0.0 * m
    for cell, value, size in found:
        size = _where(size <= most, 0.0, size)
        if allow is not None:
            lost = size > allow
            run = lambda *at, cell=cell: _direct_panels(rule, which, 0, cell, *at)
            nil = 0.0 * m
            all_of = [v + nil for v in (m, t, slip, reach, *gaps, *lows, *given)]
            fill = (0.0, 1.0) + (0.0,) * (len(all_of) - 2)
            value, size = _chosen(lost, run, all_of, fill, value, 512), _where(lost, 0.0, size)
        total, beyond = total + value, beyond + size
    return _where(still > 0.0, total, _direct_still(rule, marks, which, m, gaps)), beyond


def _direct_still(rule, marks, which, m, gaps):
    """s, or its slope, at m alone."""
    value = rule["point"](m, *marks[5])[which] + 0.0 * m
    if not gaps:
        return value
    best, gap, base, cells = _abs(gaps[0]), gaps[0], marks[0][0], 0.0 * m
    for k in range(1, len(gaps)):
        closer = _abs(gaps[k]) < best
        best, cells = _min(_abs(gaps[k]), best), _where(closer, 1.0 * k, cells)
        gap, base = _where(closer, gaps[k], gap), _where(closer, marks[0][k], base)
    cells = cells + _where(gap > 0.0, 1.0, 0.0 * m)
    for cell, live in enumerate(rule["live"][which]):
        here = _direct_values(rule, marks, which, cell, base, m, gap) if live else 0.0 * m
        value = _where(cells == cell, here, value)
    return value
'''
