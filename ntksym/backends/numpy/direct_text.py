r"""NumPy for duals by their definition, for every activation: a part of the modules that use it.

The same as `c.helpers.direct_text`, for many pairs of variances at once: the panels of all pairs
that are not empty are one array, and their sums are gathered by pair.
"""

from __future__ import annotations

from ...lower.direct import TAIL, TAIL_STEPS
from ...lower.direct_where import FIRST
from ..tables import legendre
from ..text import filled
from .direct_outer import OUTER

NODES = 14
"""Gauss-Legendre nodes of a panel."""
CHUNK = 64
"""Pairs at once."""


def direct_text() -> str:
    """The functions that all rules share."""
    nodes = "".join(f"    ({x!r}, {w!r}),\n" for x, w in legendre(NODES))
    text = _TEXT.replace("@OUTER@", OUTER.strip("\n"))
    steps = ", ".join(repr(v * side) for v in TAIL_STEPS for side in (1, -1))
    marks = {"@NODES@": nodes, "@CHUNK@": str(CHUNK), "@FIRST@": repr(FIRST)}
    marks |= {"@TAIL@": repr(TAIL), "@TAIL_STEPS@": steps}
    text = filled(text, marks)
    return text.strip("\n")


_TEXT = '''
_DIRECT_NODES, _DIRECT_WEIGHTS = np.array((
@NODES@)).T
_DIRECT_LADDER = np.array((0.0, 2.5, -2.5, 5.2, -5.2, 9.1, -9.1))


def _direct_reach(rule, marks, which, m, t, moved):
    """How far from m something counts, in standard deviations t; 0 where nothing does.

    Where s grows, the exponential moves the density by at most `moved`.  Bells and smooth steps may
    be what s dies out from.
    """
    kinks, centres = marks[0], marks[2][: rule[6]]
    low, high = np.concatenate(([-np.inf], kinks)), np.concatenate((kinks, [np.inf]))
    m, t = m[:, None], t[:, None]
    away = np.maximum(np.maximum((low - m) / t, (m - high) / t), 0.0)
    start = np.min(np.where(rule[1][which], away, np.inf), axis=1)
    apart = np.max(np.abs(centres - m) / t, axis=1, initial=0.0)
    furthest = np.maximum(start, np.minimum(apart, 37.0))
    return np.where(start < 37.0 + moved, np.sqrt(furthest * furthest + rule[7]) + moved, 0.0)


def _direct_ends(rule, low, high, start, base, t, reach, more):
    """Ends of panels from low to high, in order, in rows; in standard deviations t from `base`.

    That is at `start`: from the mean, what is narrow beside t would lose its width.
    """
    start, base, t = (v[:, None] for v in (start, base, t))
    a = np.maximum((low - base) / t, -reach[:, None] - start)
    b = np.maximum(np.minimum((high - base) / t, reach[:, None] - start), a)
    nearest = np.maximum(np.maximum(a + start, -b - start), 0.0)
    steps = np.sqrt(nearest * nearest + np.array((6.25, 27.0, 60.0 if rule[7] > 82.0 else 82.0)))
    if rule[8] or rule[6]:  # where exponentials, bells and smooth steps move the density to
        steps = np.concatenate((steps, 0.0 * start + np.arange(9.5, 36.0, 3.5)), axis=1)
    z = np.concatenate((-steps, 0.0 * start, steps), axis=1) - start
    z = np.concatenate((a, z, (more - base) / t, b), axis=1)
    return np.sort(np.clip(z, a, b), axis=1)


def _direct_values(rule, marks, which, cell, base, v, y):
    """s, or its slope, at v = base + y in a cell: beside a kink from y, which has all digits.

    At a kink at 0, where y is v itself, where several exponentials may cancel.
    """
    kinks, _, _, closed, given = marks
    value, width = rule[0](v, *given)[which], 2 * rule[3] + 3
    counts = rule[2][0] + rule[2][1]
    first = which * (len(kinks) + 1) + cell
    if counts[first] < 1:
        return value
    place = width * sum(max(n, 0) for n in counts[:first])
    rows = closed[place : place + width * counts[first]].reshape(-1, width)
    for upper in (False, True):
        if not cell + upper or cell + upper > len(kinks):
            continue
        k = kinks[cell - 1 + upper]
        several = np.max(np.abs(rows[:, 0])) if len(rows) > 1 else np.inf
        beside = (base == k) & (np.abs(y) < abs(k) if k else np.abs(y) * several < 1.0)
        near = y[beside]
        sums = rows[:, 2 + rule[3] :] if upper else rows[:, 1 : 2 + rule[3]]
        parts = [(row[0], np.polyval(c[::-1], near)) for row, c in zip(rows, sums)]
        if len(parts) == 1:
            value[beside] = np.exp(parts[0][0] * near) * parts[0][1]
        else:  # where they cancel at the kink, what the exponentials add is left
            whole = np.polyval(np.sum(sums, axis=0)[::-1], near)
            value[beside] = whole + sum(np.expm1(rate * near) * part for rate, part in parts)
    return value


def _direct_panels(rule, marks, which, order, cell, m, gaps, lows, t, slip, reach):
    """The mean of s over a cell, or of its slope, by panels; times a Hermite polynomial."""
    kinks, _, cuts, _, _ = marks
    low = kinks[cell - 1] if cell else -np.inf
    high = kinks[cell] if cell < len(kinks) else np.inf
    below = gaps[cell - 1] if cell else np.full(len(m), np.inf)
    above = gaps[cell] if cell < len(kinks) else np.full(len(m), -np.inf)
    upper = np.abs(above) < np.abs(below)
    base, start = m, np.zeros(len(m))
    off = start
    if len(kinks):
        gap = np.where(upper, above, below)
        base, start = np.where(upper, high, low), -gap / t
        low_gap = np.where(upper, lows[min(cell, len(kinks) - 1)], lows[max(cell - 1, 0)])
        product, spill = _two_product(start, t)
        off = start * slip + (((gap + product) + spill) + low_gap) / t
    more = np.broadcast_to(cuts, (len(m), len(cuts)))
    far = np.abs(start) > reach  # the end is farther from the mean than anything counts
    gone = np.where(far, 0.0, start)
    ends = _direct_ends(rule, low, high, gone, np.where(far, m, base), t, reach, more)
    own, panel = np.nonzero(np.diff(ends, axis=1) > 0.0)
    left, right = ends[own, panel][:, None], ends[own, panel + 1][:, None]
    columns = m, base, start, gone, far, t, off
    m, base, start, gone, far, t, off = (v[own, None] for v in columns)
    # from what the panel is nearer to: the end of the cell, or the mean
    near = np.abs(left + gone) + np.abs(right + gone) < np.abs(left) + np.abs(right)
    shift = np.where(near, gone, 0.0)
    left, right = left + shift, right + shift
    length = right - left
    away = left + length * _DIRECT_NODES
    rest = np.where(near, 0.0, gone)
    z, y = away + rest, t * (away - np.where(far, start, shift))
    moved = z - rest  # of a node beside an end that is in a tail, where the density is steep
    fine = ((away - moved) + (rest - (z - moved))) - np.where(rest != 0.0, off, 0.0)
    square, spill = _two_product(z, z)
    lost = np.where(square < 1400.0, z * fine + 0.5 * spill, 0.0)
    w = np.exp(-0.5 * square)
    w = length * _DIRECT_WEIGHTS * (w - w * lost)
    w = w if order == 0 else w * z if order == 1 else w * (z * z - 1.0)
    u, base = np.where(near | far, m, base) + t * away, np.broadcast_to(base, y.shape)
    values = _direct_values(rule, marks, which, cell, base, u, y)
    return 0.3989422804014327 * np.bincount(own, np.sum(w * values, axis=1), len(ends))


def _direct_tail(bell, size):
    """exp(a)*Phi(-size), as the density there times Mills' ratio: nothing of it cancels."""
    far = np.minimum(size, 1e100)  # beyond, the ratio is 1/size
    scaled = _erfcx_positive(0.7071067811865476 * far)
    return bell * (1.2533141373155003 * scaled) / np.maximum(1e-100 * size, 1.0)


def _direct_side(rate, coefficients, sign, gap, t, side, bell, tail):
    """A row of the closed means at its end, upwards (side 1) or downwards, and the sizes.

    `tail` is what is beyond the end without an exponential.
    """
    at = side * (gap / t + rate * t if rate else gap / t)
    size, below = np.abs(at), at < 0.0
    if rate:
        a, tail = rate * (gap + 0.5 * rate * t * t), _direct_tail(bell, size)
        whole = np.where(below, 0.0, np.exp(np.where(below, 0.0, a)))
        s0 = tail + whole * (1.0 + np.abs(a))
    else:
        whole = np.where(below, 0.0, 1.0)
        s0 = tail + whole
    i0 = np.where(below, tail, whole - tail)
    i1, s1 = bell + at * i0, bell + size * s0
    power, value, sizes = sign * side, 0.0, 0.0
    for j, c in enumerate(np.trim_zeros(coefficients, "b")):
        value, sizes = value + c * power * i0, sizes + np.abs(c * power) * s0
        i0, s0, i1, s1 = i1, s1, at * i1 + (j + 1.0) * i0, size * s1 + (j + 1.0) * s0
        power = power * side * t
    return value, sizes


def _direct_mean(rule, marks, which, m, gaps, lows, t, slip, allow):
    """E[s(u)], or E[s'(u)] without the jumps, for u of means m and deviations t*(1 + slip).

    `gaps`, and what rounding took from them, `lows`, have m - k for the kinks k: in a tail, m
    rounded would cost many digits.  Where the terms of a cell add up to more than 8 times the mean,
    it is integrated by panels if they are more than `allow`; else they are in the second thing
    returned.
    """
    live, groups, degree = rule[1:4]
    kinks, closed = marks[0], marks[3]
    still, t = t, np.where(t > 0.0, t, 1.0)
    bells = [0.3989422804014327 * _direct_near(*both, t, slip) for both in zip(gaps, lows)]
    tails = [_direct_tail(bell, np.abs(gap / t)) for bell, gap in zip(bells, gaps)]
    reach = _direct_reach(rule, marks, which, m, t, rule[8] * t)
    values, sizes, place = [], [], 0
    width = 2 * degree + 3
    for n in range(2):
        for cell, count in enumerate(groups[n]):
            rows = closed[place : place + width * max(count, 0)].reshape(-1, width)
            place += rows.size
            if n != which or not live[n][cell]:
                continue
            low = kinks[cell - 1] if cell else -np.inf
            high = kinks[cell] if cell < len(kinks) else np.inf
            near = np.maximum(np.maximum((low - m) / t, (m - high) / t), 0.0) < reach
            value, size = np.zeros(len(m)), np.where(near & (count < 0), np.inf, 0.0)
            for row in rows:  # towards where it dies out: from both ends exponentials overflow
                side = (low - m) / t + (high - m) / t - 2.0 * row[0] * t > 0.0
                side = np.where(np.isinf(low) | (side & np.isfinite(high)), -1.0, 1.0)
                parts = (row[1 : degree + 2], 1.0, cell - 1), (row[degree + 2 :], -1.0, cell)
                for c, sign, k in parts[int(cell == 0) : 1 + int(cell < len(kinks))]:
                    given = gaps[k], t, side, bells[k], tails[k]
                    v, s = _direct_side(row[0], c, sign, *given)
                    value, size = value + v, size + s
            values.append((cell, np.where(near, value, 0.0)))
            sizes.append(np.where(near, size, 0.0))
    most = 8.0 * sum(np.abs(v) for _, v in values) if values else 0.0
    total, beyond = np.zeros(len(m)), np.zeros(len(m))
    for (cell, value), size in zip(values, sizes):
        size = np.where(size <= most, 0.0, size)
        panels = ~(size <= allow)  # NaN too
        beyond += np.where(panels, 0.0, size)
        lost = np.flatnonzero(panels)
        if len(lost):
            some = m[lost], gaps[:, lost], lows[:, lost], t[lost], slip[lost], reach[lost]
            value[lost] = _direct_panels(rule, marks, which, 0, cell, *some)
        total += value
    if not np.all(still > 0.0):
        total = np.where(still > 0.0, total, _direct_still(rule, marks, which, m, gaps))
    return total, beyond


def _direct_still(rule, marks, which, m, gaps):
    """s, or its slope, at m alone."""
    value = rule[0](m, *marks[4])[which]
    if len(gaps):
        nearest = np.argmin(np.abs(gaps), axis=0)
        gap = np.take_along_axis(gaps, nearest[None], axis=0)[0]
        base, cells = marks[0][nearest], nearest + (gap > 0.0)
        for cell in np.unique(cells):
            own, live = cells == cell, rule[1][which][cell]
            parts = (v[own] for v in (base, m, gap))
            value[own] = _direct_values(rule, marks, which, cell, *parts) if live else 0.0
    return value


@OUTER@


def _direct_used(table, bins, variances, unit, most):
    """The flags of these variances: bins of them over the square of the unit, times 4 each.

    None where the standard deviations of u and v add up to more than `most`.
    """
    place = np.zeros(np.shape(variances[0]), dtype=np.int64)
    for q in variances:
        exponent = np.frexp(np.clip(q / unit / unit / @FIRST@, 1e-300, 1e300))[1] - 1
        place = place * bins + np.clip((exponent + 2 * (bins // 2)) // 2, 0, bins - 1)
    flags = np.frombuffer(table.encode(), dtype=np.uint8) - 48
    low, high = np.minimum.reduce(variances), np.maximum.reduce(variances)
    inside = ((low > 1e-280) | ((low == 0.0) & (high > 0.0))) & (high < 1e280)
    inside &= sum(np.sqrt(np.maximum(q, 0.0)) for q in variances) <= most / (3 - len(variances))
    return np.where(inside, flags[place], 0)


def _direct_each(run, mark, rule, which, used, columns, params):
    """`run` at the chosen places, those of equal parameters together."""
    found = np.empty(int(used.sum()))
    columns = [v[used] for v in columns]
    given = np.stack([v[used] for v in params], axis=1) if params else np.zeros((len(found), 0))
    with np.errstate(all="ignore"):
        for values in np.unique(given, axis=0):
            same = np.all(given == values, axis=1)
            *marks, unit = mark(*values)
            found[same] = run(rule, marks, unit, which, *(v[same] for v in columns))
    return found
'''
