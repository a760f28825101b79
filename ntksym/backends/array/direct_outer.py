"""JAX and PyTorch for the integrals over one input of s times the mean of the other's."""

from __future__ import annotations

OUTER = '''
def _direct_eps(a):
    return 2.0**-52 if _double(a) else 2.0**-23


def _direct_used(table, bins, variances, unit, most):
    """The flags of these variances: bins of them over the square of the unit, times 4 each.

    None where the standard deviations of u and v add up to more than `most`.
    """
    double = _double(variances[0])
    least, widest = (1e-280, 1e280) if double else (1e-30, 1e30)
    place, roots = 0, 0.0
    low, high = variances[0], variances[-1]
    low, high = _min(low, high), _max(low, high)
    for q in variances:
        k = _half_exponent(_min(_max(q / unit / unit, least), widest) / @TWICE_FIRST@)
        k = k + bins // 2
        place, roots = place * bins + k.clip(0, bins - 1), roots + _sqrt0(q)
    inside = ((low > least) | ((low == 0.0) & (high > 0.0))) & (high < widest)
    inside = inside & (roots <= most / (3 - len(variances)))
    return _read([int(c) for c in table], place) * inside


def _direct_bell(v, q, slip):
    """exp(-(v + slip)^2/(2 q)) with the rounding of the exponent taken out (Dekker 1971)."""
    square, low = _two_product(v, v)
    ratio = square / q
    product, spill = _two_product(ratio, q)
    rest = (((square - product) - spill) + (low + 2.0 * slip * v)) / q
    return _exp(-0.5 * ratio) * (1.0 - 0.5 * _where(_abs(rest) < _INF, rest, 0.0))


def _direct_near(gap, low, t, slip):
    """exp(-y^2/2), y = (gap + low)/(t*(1 + slip)); beyond 1 the rounding of it counts."""
    y = gap / t
    square = y * y
    bell, far = _exp(-0.5 * square), (square > 1.0) & (square < 1400.0)
    y = _where(far, y, 0.0)
    product, spill = _two_product(y, t)
    off = y * ((((gap - product) - spill) + low) / t - y * slip) + 0.5 * _two_product(y, y)[1]
    return _where(far, bell - bell * off, bell)


def _direct_given(q, other, q12, root):
    """The standard deviation root/sqrt(q) of one input given the other, of variance q, and what
    rounding took from it, relative to it.

    Where the root is the determinant's, as far as numbers tell, it is that of the exact one: in a
    tail the rounding of the root costs digits.
    """
    t = root / _sqrt(q)
    one, more = _two_product(q, other)
    two, less = _two_product(q12, q12)
    square, rest = _two_product(root, root)
    whole = one - two
    back = whole - one
    low = ((one - (whole - back)) - (two + back)) + (more - less)
    same = _abs((whole - square) + low) <= 8.0 * _direct_eps(q) * square
    det, low = _where(same, whole, square), _where(same, low, rest)
    wide, spill = _two_product(t, t)
    product, rest = _two_product(wide, q)
    slip = ((det - product) + (low - (rest + spill * q))) / (2.0 * product)
    return t, _where(_abs(slip) < 16.0 * _direct_eps(q), slip, 0.0)


def _direct_nodes(rule, marks, row, q, turn, more):
    """By cells of s, or its slope: base, nodes v = base + y, y, the density, s; nodes first."""
    r, zero = _sqrt(q), 0.0 * q
    reach = _direct_reach(rule, marks, row, zero, r, rule["grow"] * (1.0 + _abs(turn)) * r)
    for cell, live in enumerate(rule["live"][row]):
        if not live:
            continue
        low, high = _direct_cell(marks, cell, q)
        base = _where(low > 0.0, low, _where(high < 0.0, high, 0.0))
        ends = _direct_ends(rule, low, high, base / r, base, r, reach, more)
        left, length = ends[:-1], ends[1:] - ends[:-1]
        nodes, weights = _column(_DIRECT_NODES, length), _column(_DIRECT_WEIGHTS, length)
        # counted from the end of the cell: far out, rounding it to r would cost many digits
        y = r * (left + length * nodes)
        v = base + y
        slip = y - (v - base)  # of the node: in a tail the density is steep
        w = _where(length > 0.0, length * weights * _direct_bell(v, q, slip), 0.0)
        yield base, v, y, w, _direct_values(rule, marks, row, cell, base, v, y)


def _direct_pairs(rule, which, q11, q12, q22, root, *given):
    """The dual or its derivative; the outer integral is over the input of smaller variance."""
    q, most = _min(q11, q22), _max(q11, q22)
    nothing, tiny = q == 0.0, _floor(q)  # as at a tiny one: of a jump there is no derivative
    q = _where(nothing, tiny * tiny, q)
    root = _where(nothing, tiny * _sqrt(most), root)
    t, slip = _direct_given(q, most, q12, root)
    at = q, q12, t, slip, *given
    total = _direct_outer(rule, which, *at)
    if which and rule["jumps"]:
        marks = _direct_marks(rule, given, q)
        for ends, anywhere in (((q, most), True), ((most, q), False)):
            total = total + _direct_jumped(rule, marks, *ends, q12, root, anywhere)
    if which and rule["dies"]:
        unit = _direct_marks(rule, given, q)[4]
        parts = root > 0.5 * unit * _sqrt(q)
        fill = (1.0, 0.0, 1.0, 0.0) + (0.5,) * len(given)
        total = _chosen(parts, lambda *at: _direct_parted(rule, *at), at, fill, total, 8192)
    return _where(nothing & (_abs(total) <= 2.0**30 * tiny * _sqrt(most)), 0.0, total)


def _direct_jumped(rule, marks, q, other, q12, root, anywhere):
    """The part of E[s'(u)s'(v)] with v, of variance q, at a jump and u at none, or anywhere.

    In the integral over the other input it would be a peak, too steep for its nodes as numbers.
    """
    (kinks, heights), r, turn, total = marks[:2], _sqrt(q), q12 / q, 0.0 * q
    t, slip = _direct_given(q, other, q12, root)
    product, spill = _two_product(turn, q)
    for k, height in zip(kinks, heights):
        part = height * _direct_bell(k, q, 0.0) / r
        gaps, lows = _direct_gaps(kinks, turn, ((q12 - product) - spill) / q, k, 0.0 * q)
        mean = _direct_mean(rule, marks, 1, turn * k, gaps, lows, t, slip, 0.0)[0]
        if anywhere:
            for gap, low, jump in zip(gaps, lows, heights):
                mean = mean + jump * (0.3989422804014327 * _direct_near(gap, low, t, slip)) / t
        total = total + _where(part != 0.0, part * mean, 0.0)
    return 0.3989422804014327 * total


def _direct_outer(rule, which, q, q12, t, slip, *given):
    """The integral over the input of variance q, where the other one has mean turn*v.

    With closed means; where what cancels in them is more than 8 times the sum, with those that
    count in it by panels.
    """
    fill = (1.0, 0.0, 1.0, 0.0, 0.0) + (0.5,) * len(given)
    again = lambda *at: _direct_sums(rule, which, *at)[0]
    if any(n < 0 for n in rule["groups"][which]):
        return again(q, q12, t, slip, 0.0 * q, *given)
    total, sizes, terms, count = _direct_sums(rule, which, q, q12, t, slip, None, *given)
    lost = ~(terms <= 8.0 * sizes)
    share = _where(sizes < _INF, sizes, 0.0) / (64.0 * count)
    return _chosen(lost, again, (q, q12, t, slip, share, *given), fill, total, 4096)


def _direct_more(rule, marks, row, q, turn, t):
    """Ends of panels: cuts, and their images and those of the kinks where the mean is steep."""
    kinks, cuts, count = marks[0], marks[2], rule["centres"]
    width, images = t / _abs(turn), []
    for place in (*kinks, *cuts[:count]):
        for step in (0.0, 2.5, -2.5, 5.2, -5.2, 9.1, -9.1):
            images.append(place / turn + width * step)
    images += _direct_tail_ends(rule, marks, row, q, turn, t)
    images += [place / turn for place in cuts[count:]]
    if cuts[count:]:  # s and the mean have widths that add up: so far out it is nothing
        low, high = cuts[count], cuts[count]
        for place in cuts[count:]:
            low, high = _where(place < low, place, low), _where(place > high, place, high)
        images += [(low - 9.1 * t) / turn, (high + 9.1 * t) / turn]
    wide = width < _sqrt(q)  # else the mean is smooth enough
    return [*cuts, *(_where(wide, v, 0.0) for v in images)]


def _direct_sums(rule, which, q, q12, t, slip, share, *given):
    """The integral; the sum of its sizes, what its terms add up to where they cancel, the nodes."""
    marks, turn = _direct_marks(rule, given, q), q12 / q
    product, spill = _two_product(turn, q)
    low = ((q12 - product) - spill) / q
    more = _direct_more(rule, marks, which, q, turn, t)
    sums = [0.0 * q for _ in range(4)]
    for base, v, y, w, s in _direct_nodes(rule, marks, which, q, turn, more):
        w = w * s
        nil = 0.0 * w

        def flat(a, nil=nil):
            return (a + nil).reshape(-1)

        many = _direct_marks(rule, [flat(p) for p in given], flat(w))
        gaps, lows = _direct_gaps(many[0], flat(turn), flat(low), flat(base), flat(y))
        allow = None if share is None else flat(share) / _abs(flat(w))
        at = flat(turn * v), gaps, lows, flat(t), flat(slip), allow
        mean, beyond = (a.reshape(w.shape) for a in _direct_mean(rule, many, which, *at))
        parts = w * mean, _abs(w * mean), _abs(w) * beyond, _where(w != 0.0, 1.0, nil)
        for k, part in enumerate(parts):
            sums[k] = sums[k] + _where(w != 0.0, part, 0.0).sum(0).sum(0)
    return 0.3989422804014327 * sums[0], sums[1], sums[2], _max(sums[3], 1.0)


def _direct_parted(rule, q, q12, t, slip, *given):
    """E[s'(u)s'(v)] = E[s(v)(v/q*E[s(u)z]/t - turn*E[s(u)(z^2 - 1)]/t^2)], u = turn*v + t*z."""
    marks, turn, total = _direct_marks(rule, given, q), q12 / q, 0.0 * q
    more = _direct_more(rule, marks, 0, q, turn, t)
    for _, v, _, w, s in _direct_nodes(rule, marks, 0, q, turn, more):
        w = w * s
        nil = 0.0 * w
        m, width = (turn * v + nil).reshape(-1), (t + nil).reshape(-1)
        many = _direct_marks(rule, [(p + nil).reshape(-1) for p in given], m)
        reach, none = _direct_reach(rule, many, 0, m, width, 0.0), [0.0 * m for _ in many[0]]
        gaps = [m - k for k in many[0]]
        moments = []
        for order in (1, 2):
            cells = [c for c, live in enumerate(rule["live"][0]) if live]
            at = m, width, 0.0 * m, reach, *gaps, *none, *many[5]
            fill = (0.0, 1.0) + (0.0,) * (len(at) - 2)
            moment = 0.0 * m
            for c in cells:
                run = lambda *at, c=c, order=order: _direct_panels(rule, 0, order, c, *at)
                moment = moment + _chosen(w.reshape(-1) != 0.0, run, at, fill, 0.0 * m, 512)
            moments.append((moment / width).reshape(w.shape))
        mean = moments[0] * (v / q) - turn * (moments[1] / t)
        total = total + _where(w != 0.0, w * mean, 0.0).sum(0).sum(0)
    return 0.3989422804014327 * total


def _direct_tail_ends(rule, marks, which, q, turn, t):
    """Ends of panels beside kinks from whose images s is as far as the tail of the other input.

    There density and mean fall like an exponential; at the kink itself where it is nearer.
    """
    found = []
    for k in marks[0]:
        m, away, edge = turn * k, 0.0 * q + _INF, 0.0 * q
        for cell, live in enumerate(rule["live"][which]):
            if not live:
                continue
            low, high = _direct_cell(marks, cell, q)
            here = _max(_max((low - m) / t, (m - high) / t), 0.0)
            edge = _where(here < away, _where(low > m, low, high), edge)
            away = _min(here, away)
        fall = k / q + turn * ((m - edge) / t) / t
        fall = _where((away > @TAIL@) & (away < _FAR), 1.0 / _abs(fall), 0.0)
        found += [k + fall * step for step in @TAIL_STEPS@]
    return found


def _direct_gaps(kinks, turn, rest, base, y):
    """turn*v - k by the kinks k, for v = base + y, in two numbers; turn to more digits than one."""
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
        gaps.append(total + left)
        lows.append(left - ((total + left) - total))
    return gaps, lows


def _direct_same(rule, which, q, *given):
    """The same for u = v: one integral."""
    marks, total = _direct_marks(rule, given, q), 0.0 * q
    for _, _, _, w, s in _direct_nodes(rule, marks, which, q, 1.0 + 0.0 * q, marks[2]):
        total = total + _where(w != 0.0, w * s * s, 0.0).sum(0).sum(0)
    return 0.3989422804014327 * total
'''
