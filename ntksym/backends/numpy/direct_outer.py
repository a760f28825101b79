"""NumPy for the integrals over one input of s times the mean of the other's, given the first."""

from __future__ import annotations

OUTER = '''
def _direct_bell(v, q, slip=0.0):
    """exp(-(v + slip)^2/(2 q)) with the rounding of the exponent taken out (Dekker 1971)."""
    square, low = _two_product(v, v)
    ratio = square / q
    product, spill = _two_product(ratio, q)
    rest = (((square - product) - spill) + (low + 2.0 * slip * v)) / q
    return np.exp(-0.5 * ratio) * (1.0 - 0.5 * np.where(np.isfinite(rest), rest, 0.0))


def _direct_near(gap, low, t, slip):
    """exp(-y^2/2), y = (gap + low)/(t*(1 + slip)); beyond 1 the rounding of it counts."""
    y = gap / t
    square = y * y
    bell, far = np.exp(-0.5 * square), np.flatnonzero((square > 1.0) & (square < 1400.0))
    gap, low, t, slip, y = (v[far] for v in (gap, low, t, slip, y))
    product, spill = _two_product(y, t)
    off = y * ((((gap - product) - spill) + low) / t - y * slip) + 0.5 * _two_product(y, y)[1]
    bell[far] -= bell[far] * off
    return bell


def _direct_given(q, other, q12, root):
    """The standard deviation root/sqrt(q) of one input given the other, of variance q, and what
    rounding took from it, relative to it.

    Where the root is the determinant's, as far as doubles tell, it is that of the exact one: in a
    tail the rounding of the root costs digits.
    """
    t = root / np.sqrt(q)
    one, more = _two_product(q, other)
    two, less = _two_product(q12, q12)
    square, rest = _two_product(root, root)
    whole = one - two
    back = whole - one
    low = ((one - (whole - back)) - (two + back)) + (more - less)
    same = np.abs((whole - square) + low) <= 2.0**-49 * square
    det, low = np.where(same, whole, square), np.where(same, low, rest)
    wide, spill = _two_product(t, t)
    product, rest = _two_product(wide, q)
    slip = ((det - product) + (low - (rest + spill * q))) / (2.0 * product)
    return t, np.where(np.abs(slip) < 2.0**-48, slip, 0.0)


def _direct_nodes(rule, marks, row, q, turn, more):
    """By cells of s, or its slope: whose panels, base, nodes v = base + y, y, the density, s."""
    kinks, live, r, zero = marks[0], rule[1][row], np.sqrt(q), np.zeros(len(q))
    reach = _direct_reach(rule, marks, row, zero, r, rule[8] * (1.0 + np.abs(turn)) * r)
    for cell in np.flatnonzero(live):
        low = kinks[cell - 1] if cell else -np.inf
        high = kinks[cell] if cell < len(kinks) else np.inf
        base = low if low > 0.0 else high if high < 0.0 else 0.0
        ends = _direct_ends(rule, low, high, base / r, zero + base, r, reach, more)
        own, panel = np.nonzero(np.diff(ends, axis=1) > 0.0)
        left = ends[own, panel]
        length = (ends[own, panel + 1] - left)[:, None]
        # counted from the end of the cell: far out, rounding it to r would cost many digits
        shift = r[own, None] * (left[:, None] + length * _DIRECT_NODES)
        v = base + shift
        slip = shift - (v - base)  # of the node: in a tail the density is steep
        w = length * _DIRECT_WEIGHTS * _direct_bell(v, q[own, None], slip)
        s = _direct_values(rule, marks, row, cell, np.full(v.shape, base), v, shift)
        yield own, base, v, shift, w, s


def _direct_pairs(rule, marks, unit, which, q11, q12, q22, root):
    """The dual or its derivative; the outer integral is over the input of smaller variance."""
    q, most = np.minimum(q11, q22), np.maximum(q11, q22)
    nothing = q == 0.0  # as at 2^-1020: of a jump there is no derivative
    q = np.where(nothing, 2.0**-1020, q)
    root = np.where(nothing, 2.0**-510 * np.sqrt(most), root)
    # by parts in an input that is spread wider than s is: in none, in u, in both
    dies, r = rule[5] * unit, np.sqrt(q)
    with np.errstate(divide="ignore"):
        width = np.minimum(root * r / np.abs(q12), r)
    parts = bool(which) & (root > dies * r)
    parts = np.where(parts & (width > dies), 2, parts)
    total = np.empty(len(q))
    for by_parts in (0, 1, 2):
        rows = np.flatnonzero(parts == by_parts)
        for k in range(0, len(rows), @CHUNK@):
            own = rows[k : k + @CHUNK@]
            t, slip = _direct_given(q[own], most[own], q12[own], root[own])
            given = q[own], q12[own], t, slip
            total[own] = _direct_outer(rule, marks, which, by_parts, *given)
            if which and rule[4] and by_parts < 2:
                for ends, anywhere in (((q, most), True), ((most, q), False))[: 2 - by_parts]:
                    entries = (v[own] for v in (*ends, q12, root))
                    total[own] += _direct_jumped(rule, marks, *entries, anywhere, by_parts)
    return np.where(nothing & (np.abs(total) <= 2.0**-480 * np.sqrt(most)), 0.0, total)


def _direct_jumped(rule, marks, q, other, q12, root, anywhere, by_parts):
    """The part of E[s'(u)s'(v)] with v, of variance q, at a jump and u at none, or anywhere.

    In the integral over the other input it would be a peak, too steep for its nodes as doubles.
    With `by_parts` u is anywhere, and E[s'(u)] is E[s(u)z]/t.
    """
    (kinks, heights), r, turn, total = marks[:2], np.sqrt(q), q12 / q, np.zeros(len(q))
    t, slip = _direct_given(q, other, q12, root)
    product, spill = _two_product(turn, q)
    for k, height in zip(kinks, heights):
        part = height * _direct_bell(np.full(len(q), k), q) / r
        gaps, lows = _direct_gaps(kinks, turn, ((q12 - product) - spill) / q, k, np.zeros(len(q)))
        if by_parts:
            mean = _direct_moment(rule, marks, 1, turn * k, t)
        else:
            mean = _direct_mean(rule, marks, 1, turn * k, gaps, lows, t, slip, 0.0)[0]
        if anywhere and not by_parts:
            for gap, low, jump in zip(gaps, lows, heights):
                mean += jump * (0.3989422804014327 * _direct_near(gap, low, t, slip)) / t
        total += np.where(part != 0.0, part * mean, 0.0)
    return 0.3989422804014327 * total


def _direct_outer(rule, marks, which, by_parts, q, q12, t, slip):
    """The integral over the input of variance q, where the other one has mean turn*v.

    With closed means; where what cancels in them is more than 8 times the sum, with those that
    count in it by panels; where it still is, with all of them.
    """
    total, left, share = np.empty(len(q)), np.arange(len(q)), np.full(len(q), np.inf)
    for again in range(3):
        given = q[left], q12[left], t[left], slip[left], share
        total[left], sizes, terms, nodes = _direct_sums(rule, marks, which, by_parts, *given)
        lost = ~(terms <= 8.0 * sizes)
        if not lost.any():
            break
        share = (0.0 if again else 8.0) * sizes[lost] / nodes[lost]
        left = left[lost]
    return total


def _direct_sums(rule, marks, which, by_parts, q, q12, t, slip, share):
    """The integral; the sum of its sizes, what its terms add up to where they cancel, the nodes.

    By parts, E[s'(u)] = E[s(u)z]/t for u = turn*v + t*z, and in both
    E[s'(u)s'(v)] = E[s(v)(v/q*E[s(u)z]/t - turn*E[s(u)(z^2 - 1)]/t^2)].
    """
    centres, kinks, cuts = rule[6], marks[0], marks[2]
    r, row, turn = np.sqrt(q), 0 if by_parts == 2 else which, q12 / q
    product, spill = _two_product(turn, q)
    turned = turn, ((q12 - product) - spill) / q
    width = t / np.abs(turn)
    places = np.concatenate((kinks, cuts[:centres])) / turn[:, None]
    places = (places[:, :, None] + width[:, None, None] * _DIRECT_LADDER).reshape(len(q), -1)
    tails = _direct_tail_ends(rule, marks, row, q, turn, t)
    outer = cuts[centres:]  # s and the mean have widths that add up: so far out it is nothing
    far = [] if not len(outer) else [np.min(outer) - 9.1 * t, np.max(outer) + 9.1 * t]
    beyond = [end / turn for end in far]
    images = np.column_stack((places, tails, outer / turn[:, None], *beyond))
    images = np.where((width < r)[:, None], images, 0.0)  # else the mean is smooth enough
    more = np.concatenate((np.broadcast_to(cuts, (len(q), len(cuts))), images), axis=1)
    sums = [np.zeros(len(q)) for _ in range(4)]
    for own, base, v, y, w, s in _direct_nodes(rule, marks, row, q, turn, more):
        w = w * s
        m, deviation = (turn[own, None] * v).ravel(), np.repeat(t[own], len(_DIRECT_NODES))
        if by_parts:
            mean, beyond = _direct_moment(rule, marks, 1, m, deviation).reshape(v.shape), 0.0 * w
            if by_parts == 2:
                second = _direct_moment(rule, marks, 2, m, deviation) / deviation
                mean = mean * (v / q[own, None]) - turn[own, None] * second.reshape(v.shape)
        else:
            gaps, lows = _direct_gaps(kinks, *(v[own, None] for v in turned), base, y)
            allow = np.minimum(share[own, None] / np.abs(w), 1e308).ravel()
            lost = np.repeat(slip[own], len(_DIRECT_NODES))
            found = _direct_mean(rule, marks, which, m, gaps, lows, deviation, lost, allow)
            mean, beyond = (part.reshape(v.shape) for part in found)
        parts = w * mean, np.abs(w * mean), np.abs(w) * beyond, np.ones(w.shape)
        for k, part in enumerate(parts):
            sums[k] += np.bincount(own, np.sum(part, axis=1), len(q))
    return 0.3989422804014327 * sums[0], *sums[1:]


def _direct_tail_ends(rule, marks, which, q, turn, t):
    """Ends of panels beside kinks from whose images s is as far as the tail of the other input.

    There density and mean fall like an exponential; at the kink itself where it is nearer.
    """
    kinks, live = marks[0], np.array(rule[1][which])
    if not live.any():  # of steps the slope is jumps alone
        return np.zeros((len(q), 0))
    m, widths = turn[:, None, None] * kinks[:, None], t[:, None, None]
    low, high = np.concatenate(([-np.inf], kinks))[live], np.concatenate((kinks, [np.inf]))[live]
    away = np.maximum(np.maximum((low - m) / widths, (m - high) / widths), 0.0)
    nearest = np.argmin(away, axis=2)
    away = np.min(away, axis=2)
    edge = np.where(low[nearest] > m[:, :, 0], low[nearest], high[nearest])
    fall = kinks / q[:, None] + turn[:, None] * ((m[:, :, 0] - edge) / t[:, None]) / t[:, None]
    fall = np.where((away > @TAIL@) & (away < 1e100), 1.0 / np.abs(fall), 0.0)
    steps = np.array((@TAIL_STEPS@))
    return (kinks[:, None] + fall[:, :, None] * steps).reshape(len(q), -1)


def _direct_gaps(kinks, turn, rest, base, y):
    """turn*v - k by the kinks k, for v = base + y, in two doubles; turn to more digits than 53."""
    at, low = _two_product(turn, base)
    part, more = _two_product(turn, y)
    low, more, gaps, lows = low + rest * base, more + rest * y, [], []
    for k in kinks:
        first = at - k
        off = first - at
        total = first + part
        back = total - first
        spill = (at - (first - off)) - (k + off) + low
        left = spill + ((first - (total - back)) + (part - back)) + more
        gaps.append((total + left).ravel())
        lows.append((left - ((total + left) - total)).ravel())
    shape = len(kinks), part.size
    return np.reshape(gaps, shape), np.reshape(lows, shape)


def _direct_moment(rule, marks, order, m, t):
    """E[s(u) He(z)]/t for a Hermite polynomial and u = m + t*z: by panels."""
    gaps, none = m - marks[0][:, None], np.zeros(len(m))
    given = m, gaps, 0.0 * gaps, t, none, _direct_reach(rule, marks, 0, m, t, 0.0)
    cells = np.flatnonzero(rule[1][0])
    return sum(_direct_panels(rule, marks, 0, order, c, *given) for c in cells) / t


def _direct_same(rule, marks, unit, which, q):
    """The same for u = v: one integral."""
    total, more = np.zeros(len(q)), np.broadcast_to(marks[2], (len(q), len(marks[2])))
    for own, _, _, _, w, s in _direct_nodes(rule, marks, which, q, 1.0, more):
        total += np.bincount(own, np.sum(w * s * s, axis=1), len(q))
    return 0.3989422804014327 * total
'''
"""A part of the text of `direct_text`, with its marks."""
