"""Duals at large variances in JAX and PyTorch: the rule of `lower.far`, where entries are far."""

from __future__ import annotations

from ...lower.far import TERMS, Far
from ...lower.ops import FAR_OPS
from ...lower.program import Let
from ..text import filled
from .module import ArrayBackend, function


def far_operation(let: Let, stem: str) -> str:
    """The function of one operation."""
    k = FAR_OPS.index(let.op)
    text = _PAIR if k < 2 else _DIAGONAL
    return filled(text, {"@NAME@": f"_{let.label}", "@STEM@": stem, "@WHICH@": str(k % 2)})


def far_rule(far: Far, stem: str, backend: ArrayBackend) -> str:
    """The functions and the numbers of a rule."""
    marks = {
        "@STEM@": stem,
        "@NODES@": repr(far.nodes),
        "@WEIGHTS@": repr(far.weights),
        "@SQUARES@": repr((far.squares, far.slopes)),
        "@RIGHT@": repr(far.right),
        "@LEFT@": repr(far.left),
        "@LEAST@": repr(far.least),
        "@START@": repr(far.start),
        "@BARE0@": backend.literal(far.bare[0]),
        "@BARE1@": backend.literal(far.bare[1]),
        "@DEGREE@": str(len(far.right)),
        "@TERMS@": str(TERMS),
    }
    pair = function(far.plain, f"{stem}_plain", backend, "What the activation is far out.")
    single = function(far.single, f"{stem}_single", backend, "The same, u = v.")
    return f"{pair}\n\n{single}\n\n{filled(_RULE, marks).strip(chr(10))}\n"


_RULE = '''
@STEM@_NODES = @NODES@
@STEM@_WEIGHTS = @WEIGHTS@
@STEM@_SQUARES = @SQUARES@
@STEM@_RIGHT, @STEM@_LEFT = @RIGHT@, @LEFT@


def @STEM@_smooth(q11, q22, root):
    """Where everything is smooth on the scale of d = s - L; L is what s is far out."""
    return root >= @LEAST@ * _sqrt0(_max(q11, q22))


def @STEM@_holds(which, q11, q22, root):
    """There, or so far out that L alone is right to rounding, at any angle."""
    least = _sqrt0(_min(q11, q22))
    far = (least >= @START@) & (_max(q11, q22) < _INF) & (root < _INF)
    return far & (@STEM@_smooth(q11, q22, root) | (least >= (@BARE0@, @BARE1@)[which]))


def @STEM@_side(q11, q12, q22, root):
    """The integral of d(x) p(x) E[L(v) | u = x], its derivative in q12, moments of x under d."""
    x, d = _column(@STEM@_NODES, root), _column(@STEM@_WEIGHTS, root)
    r1, t1 = _sqrt(q11), root / _sqrt(q22)
    t2, turn = root / r1, q12 / q11
    right, left = @STEM@_RIGHT, @STEM@_LEFT
    m, y, z = x * turn, x / t1, x / r1
    h = m / t2
    bell = _exp(-0.5 * h * h) * 0.3989422804014327
    tail = bell * (1.2533141373155003 * _erfcx_positive(0.7071067811865476 * _abs(h)))
    high, low = [_where(h < 0.0, tail, 1.0 - tail)], [_where(h < 0.0, 1.0 - tail, tail)]
    high.append(m * high[0] + t2 * bell)
    low.append(m * low[0] - t2 * bell)
    for n in range(2, @DEGREE@):
        high.append(m * high[n - 1] + ((n - 1) * t2) * (t2 * high[n - 2]))
        low.append(m * low[n - 1] + ((n - 1) * t2) * (t2 * low[n - 2]))
    value, first = 0.0 * bell, (right[0] - left[0]) * bell / t2
    second = -(right[0] - left[0]) * h * (bell / t2) / t2
    for n in range(@DEGREE@):
        value = value + right[n] * high[n] + left[n] * low[n]
        if n == 1:
            second = second + (right[1] - left[1]) * bell / t2
        if n > 0:
            first = first + n * (right[n] * high[n - 1] + left[n] * low[n - 1])
        if n > 1:
            second = second + n * (n - 1) * (right[n] * high[n - 2] + left[n] * low[n - 2])
    own = d * _exp(-0.5 * z * z)
    scale, power, moment = 0.3989422804014327 / r1, d * _exp(-0.5 * y * y), []
    for _ in range(@TERMS@ + 3):
        moment.append(power.sum(0))
        power = power * y
    slope = own * (x / q11 * first - turn * second)
    return ((own * value).sum(0) * scale, slope.sum(0) * scale), moment


def @STEM@_far(which, q11, q12, q22, root):
    """The dual of L and what d adds, or the derivatives of both."""
    r1, r2 = _sqrt(q11), _sqrt(q22)
    rho = (q12 / r1) / r2
    one, m1 = @STEM@_side(q11, q12, q22, root)
    two, m2 = @STEM@_side(q22, q12, q11, root)
    both, slope, power = 0.0 * rho, 0.0 * rho, 1.0
    for k in range(@TERMS@ + 1):
        both = both + power * m1[k] * m2[k]
        bend = m1[k] * m2[k] - m1[k + 2] * m2[k] - m1[k] * m2[k + 2]
        slope = slope + power * (rho * bend + (1.0 + rho * rho) * m1[k + 1] * m2[k + 1])
        power = power * rho / (k + 1)
    both = slope / (root / r2) / (root / r1) if which else both
    rest = (one[which] + two[which]) + both / root * 0.15915494309189535
    plain = @STEM@_plain(q11, q12, q22, root)[which]
    return plain + _where(@STEM@_smooth(q11, q22, root), rest, 0.0)


def @STEM@_same(which, q):
    """The same for u = v."""
    r, x = _sqrt(q), _column(@STEM@_NODES, q)
    z = x / r
    total = (_column(@STEM@_SQUARES[which], q) * _exp(-0.5 * z * z)).sum(0)
    return @STEM@_single(q)[which] + total / r * 0.3989422804014327
'''

_PAIR = '''
def @NAME@(closed, q11, q12, q22, root):
    """The closed form; at large variances a rule that does not cancel."""
    far = @STEM@_holds(@WHICH@, q11, q22, root)
    given = q11, q12, q22, root
    rule = lambda *at: @STEM@_far(@WHICH@, *at)
    return _elsewhere(far, lambda used, *at: _chosen(used, rule, *at), given, closed)
'''

_DIAGONAL = '''
def @NAME@(closed, q):
    """The closed form; at large variances a rule that does not cancel."""
    far = @STEM@_holds(0, q, q, q)
    rule = lambda at: @STEM@_same(@WHICH@, at)
    return _elsewhere(far, lambda used, *at: _chosen(used, rule, *at), (q,), closed)
'''
