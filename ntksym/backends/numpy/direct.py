"""NumPy for the operations `direct`: a dual by its definition, where its closed form cancels.

The pairs of variances in the table are integrated one by one, all nodes of both integrals at once.
"""

from __future__ import annotations

from ...lower.direct import BINS, Direct
from ...lower.ops import DIRECT_OPS
from ...lower.program import Let
from ..tables import legendre
from .backend import function

NODES = 14
"""Gauss-Legendre nodes of a panel."""
TAIL = (0.0, 0.5, 1.5, 3.0, 5.5, 9.0)
"""Ends of panels in standard deviations, from where s is not zero."""


def direct_rule(rule: Direct, stem: str) -> str:
    """The functions of a rule."""
    point = function(rule.point, f"{stem}_point", "The activation, and its slope.")
    marks = function(rule.marks, f"{stem}_marks", "Kinks, jumps, ends of panels, the unit.")
    given = "".join(f", p{k}" for k in range(len(rule.point.args) - 1))
    nodes = "".join(f"    ({x!r}, {w!r}),\n" for x, w in legendre(NODES))
    text = _RULE
    for mark, value in {
        "@STEM@": stem,
        "@NODES@": nodes,
        "@TAIL@": repr(TAIL),
        "@USED@": "".join(f"    {''.join(str(int(v)) for v in row)!r},\n" for row in rule.used),
        "@LIVE@": repr(rule.live),
        "@BINS@": str(BINS),
        "@SHIFT@": str(3 * (BINS // 2) + 1),
        "@KINKS@": str(rule.kinks),
        "@TWICE@": str(2 * rule.kinks),
        "@ENDS@": str(2 * rule.kinks + rule.cuts),
        "@JUMPS@": str(rule.jumps),
        "@GIVEN@": given,
        "@ALONE@": given[2:],
    }.items():
        text = text.replace(mark, value)
    return f"{point}\n\n{marks}\n\n{text.strip(chr(10))}"


def direct_operation(let: Let, rule: Direct, stem: str) -> str:
    """The function of one operation."""
    which = DIRECT_OPS.index(let.op)
    given = "".join(f", p{k}" for k in range(len(rule.point.args) - 1))
    text = _PAIR if which < 2 else _DIAGONAL
    marks = {"@NAME@": f"_{let.label}", "@STEM@": stem, "@WHICH@": str(which % 2)}
    marks |= {
        "@FIRST@": ", ".join(f"float(np.ravel(p{k})[0])" for k in range(len(rule.point.args) - 1))
    }
    marks["@LEAST@"] = repr(rule.least)
    for mark, value in (marks | {"@TABLE@": str(which), "@GIVEN@": given}).items():
        text = text.replace(mark, value)
    return text.strip("\n")


_RULE = '''
@STEM@_NODES, @STEM@_WEIGHTS = np.array((
@NODES@)).T
@STEM@_TAIL = np.array(@TAIL@)
@STEM@_USED = (  # where: bins of variances over the square of the unit, times 8 each
@USED@)
@STEM@_LIVE = @LIVE@


def @STEM@_marked(@ALONE@):
    """Kinks, jumps, all ends of panels, and the unit."""
    found = [float(v) for v in @STEM@_marks(@ALONE@)]
    kinks, jumps = np.array(found[:@KINKS@]), np.array(found[@KINKS@:@TWICE@])
    return kinks, jumps, np.concatenate((kinks, found[@TWICE@:@ENDS@])), found[-1]


def @STEM@_used(table, variances, unit):
    """Whether it is used at these variances."""
    place = np.zeros(np.shape(variances[0]), dtype=np.int64)
    for q in variances:
        exponent = np.frexp(np.clip(q / unit / unit, 1e-300, 1e300))[1] - 1
        place = place * @BINS@ + np.clip((exponent + @SHIFT@) // 3, 0, @BINS@ - 1)
    flags = np.frombuffer(@STEM@_USED[table].encode(), dtype=np.uint8) - 48
    inside = np.logical_and.reduce([(q > 1e-280) & (q < 1e280) for q in variances])
    return np.where(inside, flags[place], 0)


def @STEM@_panels(which, m, t, kinks, cuts):
    """Nodes in standard deviations t from m, in u, and their weights; rows for the places m.

    Panels between two cuts that are narrow beside t keep their width in u, where (u - m)/t of both
    ends may be one number.
    """
    low = np.concatenate((np.full(1, -np.inf), kinks))
    high = np.concatenate((kinks, np.full(1, np.inf)))
    away = np.maximum(np.maximum((low - m) / t, (m - high) / t), 0.0)
    start = np.min(np.where(@STEM@_LIVE[which], away, np.inf), axis=-1, keepdims=True)
    some = start < 37.0
    start = np.where(some, start, 0.0)
    tails = start + @STEM@_TAIL
    cuts = np.sort(cuts)
    gaps = np.diff(cuts)
    narrow = gaps < t
    z = np.concatenate((-tails, tails, (cuts - m) / t), axis=-1)
    order = np.argsort(z, axis=-1, kind="stable")
    z = np.clip(np.take_along_axis(z, order, axis=-1), -tails[:, -1:], tails[:, -1:])
    passed = np.cumsum(order >= 2 * tails.shape[1], axis=-1)[:, :-1]
    wanted = some & ~np.concatenate(([False], narrow, [False]))[passed]
    length = np.diff(z, axis=-1)[:, :, None]
    nodes = z[:, :-1, None] + length * @STEM@_NODES
    weights = length * @STEM@_WEIGHTS * wanted[:, :, None]
    rows = (nodes.shape[0], nodes.shape[1] * nodes.shape[2])
    nodes, weights = nodes.reshape(rows), weights.reshape(rows)
    places = m + t * nodes
    if not np.any(m):  # from the ends themselves: far out, rounding them to t costs many digits
        own = np.broadcast_to(cuts, (len(m), len(cuts)))
        ends = np.take_along_axis(np.concatenate((-t * tails, t * tails, own), -1), order, axis=-1)
        ends = np.clip(ends, -t * tails[:, -1:], t * tails[:, -1:])
        places = ends[:, :-1, None] + np.diff(ends, axis=-1)[:, :, None] * @STEM@_NODES
        places = places.reshape(rows)
    if np.any(narrow):
        own = (cuts[:-1, None] + gaps[:, None] * @STEM@_NODES)[narrow].reshape(1, -1)
        more = np.broadcast_to(own, (len(nodes), own.shape[1]))
        nodes = np.concatenate((nodes, (own - m) / t), axis=-1)
        places = np.concatenate((places, more), axis=-1)
        share = (gaps[:, None] / t * @STEM@_WEIGHTS)[narrow].reshape(1, -1)
        weights = np.concatenate((weights, np.broadcast_to(share, more.shape)), axis=-1)
    return nodes, places, weights


def @STEM@_mean(which, m, t, kinks, jumps, cuts@GIVEN@):
    """E[s(u)], or E[s'(u)] with the jumps, for u of means m and standard deviation t."""
    if not t > 0.0:
        return (@STEM@_point(m@GIVEN@)[which]) + 0.0 * m
    z, u, w = @STEM@_panels(which, m[:, None], t, kinks, cuts)
    s = @STEM@_point(u@GIVEN@)[which]
    total = np.sum(w * np.exp(-0.5 * z * z) * s, axis=-1)
    if which and @JUMPS@:
        at = (kinks - m[:, None]) / t
        total = total + np.sum(jumps * np.exp(-0.5 * at * at), axis=-1) / t
    return total * 0.3989422804014327


def @STEM@_bell(v, q):
    """exp(-v^2/(2 q)) with the rounding of the exponent taken out (Dekker 1971)."""
    big = v * 134217729.0
    high = big - (big - v)
    low = v - high
    square = v * v
    ratio = square / q
    top = ratio * 134217729.0
    r1 = top - (top - ratio)
    big = q * 134217729.0
    q1 = big - (big - q)
    product = ratio * q
    spill = ((r1 * q1 - product) + r1 * (q - q1) + (ratio - r1) * q1) + (ratio - r1) * (q - q1)
    rest = ((high * high - square) + 2.0 * high * low) + low * low
    rest = (((square - product) - spill) + rest) / q
    return np.exp(-0.5 * ratio) * (1.0 - 0.5 * np.where(np.isfinite(rest), rest, 0.0))


def @STEM@_pair(which, q11, q12, q22, root@GIVEN@):
    """The dual or its derivative; the outer integral is over the input of smaller variance."""
    kinks, jumps, cuts, _ = @STEM@_marked(@ALONE@)
    q = min(q11, q22)
    r = np.sqrt(q)
    turn, t = q12 / q, root / r
    ends = cuts
    if turn != 0.0:
        width = t / abs(turn)
        steps = np.concatenate((-@STEM@_TAIL, @STEM@_TAIL)) * width
        ends = np.concatenate((cuts, cuts / turn, (kinks[:, None] / turn + steps).ravel()))
    _, v, w = @STEM@_panels(which, np.zeros((1, 1)), r, kinks, ends)
    v, w = v[w > 0.0], w[w > 0.0]
    part = w * @STEM@_bell(v, q) * @STEM@_point(v@GIVEN@)[which]
    total = np.sum(part * @STEM@_mean(which, turn * v, t, kinks, jumps, cuts@GIVEN@))
    if which and @JUMPS@:
        own = jumps * @STEM@_bell(kinks, q) / r
        total += np.sum(own * @STEM@_mean(which, turn * kinks, t, kinks, jumps, cuts@GIVEN@))
    return total * 0.3989422804014327


def @STEM@_same(which, q@GIVEN@):
    """The same for u = v: one integral."""
    kinks, _, cuts, _ = @STEM@_marked(@ALONE@)
    r = np.sqrt(q)
    _, v, w = @STEM@_panels(which, np.zeros((1, 1)), r, kinks, cuts)
    v = v[0]
    s = @STEM@_point(v@GIVEN@)[which]
    return np.sum(w[0] * @STEM@_bell(v, q) * s * s) * 0.3989422804014327
'''

_PAIR = '''
def @NAME@(closed, q11, q12, q22, root@GIVEN@):
    """The closed form; where its terms are much larger than the kernel, its definition."""
    *given, value = np.broadcast_arrays(q11, q12, q22, root@GIVEN@, closed)
    *_, unit = @STEM@_marked(@FIRST@)
    used = @STEM@_used(@TABLE@, (given[0], given[2]), unit)
    most = np.maximum(np.maximum(given[0], given[2]), 0.0)
    least = np.minimum(given[0], given[2])
    degenerate = (given[3] < @LEAST@ * np.sqrt(most)) & (least < 2.0**120)
    used = (used == 1) | ((used == 2) & degenerate)
    used &= np.isfinite(given[1]) & np.isfinite(given[3]) & (given[3] >= 0.0)
    used &= (@WHICH@ == 0) | (given[3] > 0.0)
    if not used.any():
        return closed
    value = np.array(value, dtype=np.float64)
    with np.errstate(all="ignore"):
        value[used] = [
            @STEM@_pair(@WHICH@, *map(float, row))
            for row in zip(*(v[used] for v in given))
        ]
    return value
'''

_DIAGONAL = '''
def @NAME@(closed, q@GIVEN@):
    """The closed form; where its terms are much larger than the kernel, its definition."""
    *given, value = np.broadcast_arrays(q@GIVEN@, closed)
    *_, unit = @STEM@_marked(@FIRST@)
    used = @STEM@_used(@TABLE@, (given[0],), unit) == 1
    if not used.any():
        return closed
    value = np.array(value, dtype=np.float64)
    with np.errstate(all="ignore"):
        value[used] = [
            @STEM@_same(@WHICH@, *map(float, row)) for row in zip(*(v[used] for v in given))
        ]
    return value
'''
