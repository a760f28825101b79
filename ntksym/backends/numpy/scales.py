"""NumPy for the operations `price` and `far`: duals at small and at large variances.

The functions return the closed form where there is nothing to do, and do more for the points that
need it only.
"""

from __future__ import annotations

from math import inf

from ...lower.direct import Direct
from ...lower.far import TERMS, Far
from ...lower.ops import DIRECT_OPS, FAR_OPS
from ...lower.price import Small
from ...lower.program import Program, with_inner
from .._base import spell_program
from ..tables import legendre
from ..text import filled
from .backend import NUMPY, function
from .direct import direct_operation, direct_rule
from .direct_text import direct_text
from .halves import SERIES_TAKEN, halves_text
from .splines import splines_text

NODES = 16
TOGETHER = 8192
"""Points at nodes that one call takes: fewer cost as much as the call itself."""
"""Gauss-Legendre nodes of a panel."""


def scale_functions(
    programs: tuple[Program, ...], kinds: tuple[type, ...] = (Small, Far, Direct)
) -> tuple[str, ...]:
    """The functions of these operations, or of some kinds of them, each once."""
    found: list[str] = []
    known: set[str] = set()
    for p in with_inner(programs):
        for let in p.body:
            if not isinstance(let.inner, kinds) or let.label in known:
                continue
            known.add(let.label)
            if isinstance(let.inner, Small):
                until = _until(programs, let.label, let.inner)
                found.append(_price(let.inner, f"_{let.label}", until))
            elif isinstance(let.inner, Far):
                stem = f"_rule_{let.inner.digest()[:12]}"
                if stem not in known:
                    found.append(_rule(let.inner, stem))
                    known.add(stem)
                text = _PAIR if let.op in FAR_OPS[:2] else _DIAGONAL
                which = str(FAR_OPS.index(let.op) % 2)
                text = text.replace("@NAME@", f"_{let.label}").replace("@STEM@", stem)
                found.append(text.replace("@WHICH@", which).strip("\n"))
            elif isinstance(let.inner, Direct):
                stem = f"_rule_{let.inner.digest()[:12]}"
                if "direct" not in known:
                    found.append(direct_text())
                    known.add("direct")
                if let.inner.spline >= 0 and "splines" not in known:
                    found.append(splines_text())
                    known.add("splines")
                if stem not in known:
                    found.append(direct_rule(let.inner, stem))
                    known.add(stem)
                found.append(direct_operation(let, let.inner, stem))
    return tuple(found)


def _until(programs: tuple[Program, ...], label: str, small: Small) -> float:
    """The variance from which the definition is what counts, where it replaces `price`."""
    found = inf
    for p in with_inner(programs):
        lines = {let.name: let for let in p.body}
        for let in p.body:
            if not isinstance(let.inner, Direct) or let.op != DIRECT_OPS[0]:
                continue
            source = lines.get(str(let.args[0]))
            while source is not None and source.inner is not None and source.label != label:
                source = lines.get(str(source.args[0]))
            if source is not None and source.label == label:
                found = min(found, let.inner.always(float(small.below)))
    return found


def _price(small: Small, name: str, until: float) -> str:
    inner = small.program
    extra = "".join(f", {a}" for a in spell_program(inner, NUMPY).inputs[4:])
    text = _PRICE.replace("@NAME@", name).replace("@PARAMS@", extra)
    text = text.replace("@TOGETHER@", str(TOGETHER))
    nodes = "".join(f"    ({x!r}, {w!r}),\n" for x, w in legendre(NODES))
    series, taken = "", ""
    if small.series is not None:
        series = halves_text(small.series, name) + "\n\n"
        taken = SERIES_TAKEN.replace("@NAME@", name)
        taken = taken.replace("@BELOW@", repr(float(small.series.below)))
    text = text.replace("@SERIES@", taken)
    text = text.replace("@NODES@", nodes).replace("@SMALL@", repr(float(small.below)))
    text = text.replace("@TAKEN@", _TAKEN.replace("@UNTIL@", repr(until)) if until < inf else "")
    about = "The derivative of the dual, and the dual at q12 = 0."
    return function(inner, f"{name}_inner", about) + "\n\n" + series + text.strip("\n")


def _rule(far: Far, stem: str) -> str:
    rows = zip(far.nodes, far.weights, far.squares, far.slopes, strict=True)
    table = "".join(f"    ({', '.join(map(repr, row))}),\n" for row in rows)
    marks = {
        "@STEM@": stem,
        "@ROWS@": table,
        "@RIGHT@": repr(far.right),
        "@LEFT@": repr(far.left),
        "@LEAST@": repr(far.least),
        "@START@": repr(far.start),
        "@BARE0@": NUMPY.literal(far.bare[0]),
        "@BARE1@": NUMPY.literal(far.bare[1]),
        "@DEGREE@": str(len(far.right)),
        "@TERMS@": str(TERMS),
    }
    text = _RULE
    text = filled(text, marks)
    pair = function(far.plain, f"{stem}_plain", "What the activation is far out.")
    single = function(far.single, f"{stem}_single", "The same, u = v.")
    return f"{pair}\n\n{single}\n\n{text.strip(chr(10))}"


_TAKEN = """    least, most = np.minimum(given[1], given[3]), np.maximum(given[1], given[3])
    small &= ~((most > @UNTIL@) & (most < 1e280) & (least > 1e-280))  # the definition is taken
"""
_PRICE = '''
@NAME@_NODES = (
@NODES@)


def @NAME@(closed, q11, q12, q22, root@PARAMS@):
    """The closed form; at small variances the integral of its derivative (Price 1958)."""
    given = np.broadcast_arrays(closed, q11, q12, q22, root@PARAMS@)
    small = (given[1] >= 0.0) & (given[3] >= 0.0) & ((given[1] < @SMALL@) | (given[3] < @SMALL@))
@TAKEN@    if not small.any():
        return closed
    value = np.array(given[0], dtype=np.float64)
@SERIES@    with np.errstate(all="ignore"):
        value[small] = @NAME@_inner(*(v[small] for v in given[1:]))[1]
    small &= (given[1] > 0.0) & (given[3] > 0.0) & (given[2] != 0.0)
    if not small.any():
        return value
    a, c, b, r, *more = (v[small] for v in given[1:])
    length = np.sqrt(a) * np.sqrt(b)
    turn, rest, total = np.arctan2(np.abs(c), r), np.arctan2(r, np.abs(c)), 0.0
    most = min(max(float(a.max()), float(b.max()), 1.0), 1e40)
    left, right, nodes = 0.0, 0.25 ** (1 + np.ceil(np.log2(most) / 4.0)), []
    while left < 1.0:  # panels that are shorter towards the collinear end
        nodes += [(left + (right - left) * x, (right - left) * w) for x, w in @NAME@_NODES]
        left, right = right, min(4.0 * right, 1.0)
    several = 1 + @TOGETHER@ // a.size  # nodes in one call, where points are few
    with np.errstate(all="ignore"):
        for k in range(0, len(nodes), several):
            x, weight = np.array(nodes[k : k + several]).T[:, :, None]
            sine = np.sin(rest + turn * x)
            cosine = np.copysign(np.sin(turn * (1.0 - x)), c)
            at = np.broadcast_arrays(a, length * cosine, b, length * sine, *more)
            slope = np.reshape(@NAME@_inner(*(v.ravel() for v in at))[0], sine.shape)
            for term in weight * sine * slope:
                total = total + term
        value[small] += np.copysign(turn, c) * length * total
    return value
'''

_RULE = '''
@STEM@_ROWS = (  # x, and weights times d, s^2 - L^2, s'^2 - L'^2; L is what s is far out, d = s - L
@ROWS@)
@STEM@_RIGHT = @RIGHT@
@STEM@_LEFT = @LEFT@


def @STEM@_smooth(q11, q22, root):
    """Where everything is smooth on the scale of d."""
    return root >= @LEAST@ * np.sqrt(np.maximum(np.maximum(q11, q22), 0.0))


def @STEM@_holds(which, q11, q22, root):
    """There, or so far out that L alone is right to rounding, at any angle."""
    least = np.sqrt(np.maximum(np.minimum(q11, q22), 0.0))
    far = (least >= @START@) & np.isfinite(q11) & np.isfinite(q22) & np.isfinite(root)
    return far & (@STEM@_smooth(q11, q22, root) | (least >= (@BARE0@, @BARE1@)[which]))


def @STEM@_side(q11, q12, q22, root):
    """The integral of d(x) p(x) E[L(v) | u = x], its derivative in q12, moments of x under d."""
    r1, t1 = np.sqrt(q11), root / np.sqrt(q22)
    t2, turn = root / r1, q12 / q11
    right, left = @STEM@_RIGHT, @STEM@_LEFT
    total, slope, moment = 0.0, 0.0, [0.0] * (@TERMS@ + 3)
    for x, d, _, _ in @STEM@_ROWS:
        m, y, z = x * turn, x / t1, x / r1
        h = m / t2
        bell = np.exp(-0.5 * h * h) * 0.3989422804014327
        tail = bell * (1.2533141373155003 * _erfcx_positive(0.7071067811865476 * np.abs(h)))
        high, low = [np.where(h < 0.0, tail, 1.0 - tail)], [np.where(h < 0.0, 1.0 - tail, tail)]
        high.append(m * high[0] + t2 * bell)
        low.append(m * low[0] - t2 * bell)
        for n in range(2, @DEGREE@):
            high.append(m * high[n - 1] + ((n - 1) * t2) * (t2 * high[n - 2]))
            low.append(m * low[n - 1] + ((n - 1) * t2) * (t2 * low[n - 2]))
        value, first = 0.0, (right[0] - left[0]) * bell / t2
        second = -(right[0] - left[0]) * h * (bell / t2) / t2
        for n in range(@DEGREE@):
            value = value + right[n] * high[n] + left[n] * low[n]
            if n == 1:
                second = second + (right[1] - left[1]) * bell / t2
            if n > 0:
                first = first + n * (right[n] * high[n - 1] + left[n] * low[n - 1])
            if n > 1:
                second = second + n * (n - 1) * (right[n] * high[n - 2] + left[n] * low[n - 2])
        own = d * np.exp(-0.5 * z * z)
        total = total + own * value
        slope = slope + own * (x / q11 * first - turn * second)
        power = d * np.exp(-0.5 * y * y)
        for k in range(@TERMS@ + 3):
            moment[k] = moment[k] + power
            power = power * y
    scale = 0.3989422804014327 / r1
    return (total * scale, slope * scale), moment


def @STEM@_rest(which, q11, q12, q22, root):
    """What d adds to the dual of L, or to its derivative."""
    r1, r2 = np.sqrt(q11), np.sqrt(q22)
    rho = (q12 / r1) / r2
    one, m1 = @STEM@_side(q11, q12, q22, root)
    two, m2 = @STEM@_side(q22, q12, q11, root)
    both, slope, power = 0.0, 0.0, 1.0
    for k in range(@TERMS@ + 1):
        both = both + power * m1[k] * m2[k]
        bend = m1[k] * m2[k] - m1[k + 2] * m2[k] - m1[k] * m2[k + 2]
        slope = slope + power * (rho * bend + (1.0 + rho * rho) * m1[k + 1] * m2[k + 1])
        power = power * rho / (k + 1)
    both = slope / (root / r2) / (root / r1) if which else both
    return (one[which] + two[which]) + both / root * 0.15915494309189535


def @STEM@_same(which, q):
    """The same for u = v."""
    r = np.sqrt(q)
    total = 0.0
    for row in @STEM@_ROWS:
        z = row[0] / r
        total = total + row[2 + which] * np.exp(-0.5 * z * z)
    return total / r * 0.3989422804014327
'''

_PAIR = '''
def @NAME@(closed, q11, q12, q22, root):
    """The closed form; at large variances a rule that does not cancel."""
    closed, q11, q12, q22, root = np.broadcast_arrays(closed, q11, q12, q22, root)
    far = @STEM@_holds(@WHICH@, q11, q22, root)
    if not far.any():
        return closed
    value = np.array(closed, dtype=np.float64)
    a, c, b, r = q11[far], q12[far], q22[far], root[far]
    with np.errstate(all="ignore"):
        plain = @STEM@_plain(a, c, b, r)[@WHICH@]
        rest = @STEM@_rest(@WHICH@, a, c, b, r)
        value[far] = plain + np.where(@STEM@_smooth(a, b, r), rest, 0.0)
    return value
'''

_DIAGONAL = '''
def @NAME@(closed, q):
    """The closed form; at large variances a rule that does not cancel."""
    closed, q = np.broadcast_arrays(closed, q)
    far = @STEM@_holds(0, q, q, q)
    if not far.any():
        return closed
    value = np.array(closed, dtype=np.float64)
    with np.errstate(all="ignore"):
        value[far] = @STEM@_single(q[far])[@WHICH@] + @STEM@_same(@WHICH@, q[far])
    return value
'''
