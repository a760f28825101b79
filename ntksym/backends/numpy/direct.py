"""NumPy for the operations `direct`: a dual by its definition, where its closed form cancels.

The pairs of variances in the table are integrated together: see `direct_text`.
"""

from __future__ import annotations

from ...lower.direct import Direct
from ...lower.direct_where import BINS, COMPILED
from ...lower.ops import DIRECT_OPS
from ...lower.program import Let
from ...lower.small import NODES, WEIGHTS, nowhere_zero, one_signed, small_below
from ..text import filled
from .backend import function
from .splines import spline_watched


def direct_rule(rule: Direct, stem: str) -> str:
    """The functions and the numbers of a rule."""
    point = function(rule.point, f"{stem}_point", "The activation, and its slope.")
    marks = function(rule.marks, f"{stem}_marks", "Kinks, jumps, ends of panels, the unit.")
    text = _RULE
    text = filled(
        text,
        {
            "@STEM@": stem,
            "@USED@": "".join(f"    {''.join(str(int(v)) for v in row)!r},\n" for row in rule.used),
            "@PLACES@": repr(NODES),
            "@SHARES@": repr(WEIGHTS),
            "@BELOW@": repr(tuple(small_below(rule, which) for which in range(2))),
            "@LIVE@": repr(rule.live),
            "@GROUPS@": repr(rule.groups),
            "@DEGREE@": str(rule.degree),
            "@CENTRES@": str(rule.centres),
            "@KINKS@": str(rule.kinks),
            "@TWICE@": str(2 * rule.kinks),
            "@ENDS@": str(2 * rule.kinks + rule.cuts),
            "@JUMPS@": str(rule.jumps),
            "@DIES@": repr(rule.dies).replace("inf", "np.inf"),
            "@FAR@": repr(rule.far),
            "@GROW@": repr(rule.grow),
            "@POWER@": str(rule.spline),
            "@ALONE@": ", ".join(_params(rule)),
            "@COMMA@": "," * (len(_params(rule)) == 1),
        },
    )
    return f"{point}\n\n{marks}\n\n{text.strip(chr(10))}"


def direct_operation(let: Let, rule: Direct, stem: str) -> str:
    """The function of one operation."""
    which = DIRECT_OPS.index(let.op)
    small = which < 2 and one_signed(rule)[which]
    text = (_PAIR if which < 2 else _DIAGONAL).replace("@SMALL@", _SMALL if small else "")
    spline = which < 2 and rule.spline >= which
    sided = not (rule.live[0][0] and rule.live[0][-1])
    watched = spline_watched(small, nowhere_zero(rule), sided) if spline else ""
    text = text.replace("@APART@\n@SPLINE@\n", f"@APART@{watched}")
    alone = len(rule.point.args) == 1  # a parameter may be NaN
    text = text.replace("@OVERFLOWED@", _OVERFLOWED if alone else "")
    text = filled(
        text,
        {
            "@NAME@": f"_{let.label}",
            "@STEM@": stem,
            "@WHICH@": str(which % 2),
            "@START@": repr(rule.start).replace("inf", "np.inf"),
            "@LEAST@": repr(rule.least),
            "@MOST@": repr(rule.widest) if rule.grow else "np.inf",
            "@BINS@": str(BINS),
            "@COMPILED@": str(COMPILED),
            "@TABLE@": str(which),
            "@APART@": "    can &= root > 0.0\n" if which % 2 and rule.jumps else "",
            "@GIVEN@": "".join(f", {p}" for p in _params(rule)),
            "@FIRST@": ", ".join(f"float(np.ravel({p})[0])" for p in _params(rule)),
        },
    )
    return text.strip("\n")


def _params(rule: Direct) -> tuple[str, ...]:
    return tuple(f"p{k}" for k in range(len(rule.point.args) - 1))


_RULE = '''
@STEM@_USED = (
@USED@)
@STEM@_PLACES, @STEM@_SHARES = np.array((
    @PLACES@,
    @SHARES@,
))
# s, where it and its slope live, closed means there, degree, jumps, dies out, centres, far, grows,
# its degree as a spline
@STEM@ = (
    @STEM@_point, @LIVE@, @GROUPS@, @DEGREE@, @JUMPS@, @DIES@, @CENTRES@, @FAR@, @GROW@,
    @POWER@,
)


def @STEM@_marked(@ALONE@):
    """Kinks, jumps, more ends of panels, closed means, the parameters; the unit."""
    found = np.array([float(v) for v in @STEM@_marks(@ALONE@)])
    kinks, jumps, cuts, closed = np.split(found[:-1], (@KINKS@, @TWICE@, @ENDS@))
    return kinks, jumps, cuts, closed, (@ALONE@@COMMA@), found[-1]


def @STEM@_small(rule, marks, unit, which, closed, q11, q22):
    """Whether s, or its slope, has one sign, and the value is small beside its size."""
    size, low, high = @BELOW@[which], 0.0, 0.0
    if which:
        low, high = min(0.0, *marks[1], 0.0), max(0.0, *marks[1], 0.0)
    for q in (q11, q22):
        root = np.sqrt(q)[:, None]
        found = [np.broadcast_to(f, (len(q), 8)) for f in rule[0](root * @STEM@_PLACES, *marks[4])]
        low = np.minimum(low, np.min(found[which], axis=1))
        high = np.maximum(high, np.max(found[which], axis=1))
        part = found[0] / root if which and rule[4] else found[which]
        size = size * np.sqrt(np.sum(@STEM@_SHARES * part * part, axis=1))
    return ((low == 0.0) | (high == 0.0)) & ~((np.abs(closed) >= size) & (size > 0.0))
'''

_PAIR = '''
def @NAME@(closed, q11, q12, q22, root@GIVEN@):
    """The closed form; where its terms are much larger than the kernel, its definition."""
    q11, q12, q22, root, *given, value = np.broadcast_arrays(q11, q12, q22, root@GIVEN@, closed)
    unit = @STEM@_marked(@FIRST@)[-1]
    used = _direct_used(@STEM@_USED[@TABLE@], @BINS@, (q11, q22), unit, @MOST@)
    least, most = (np.sqrt(np.maximum(f(q11, q22), 0.0)) for f in (np.minimum, np.maximum))
    far = (least >= @START@) & (root >= @LEAST@ * most)  # the rule there is right, and faster
    can = ~far & np.isfinite(q12) & np.isfinite(root) & (root >= 0.0)
@APART@
@SPLINE@
    used = (used > 0) & (used < @COMPILED@) & can  # @COMPILED@: in compiled code only
    inside = (least > 1e-140) & (most < 1e140) & (least + most <= @MOST@)
@OVERFLOWED@@SMALL@    if not used.any():
        return closed
    value, columns = np.array(value, dtype=np.float64), (q11, q12, q22, root)
    value[used] = _direct_each(
        _direct_pairs, @STEM@_marked, @STEM@, @WHICH@, used, columns, given
    )
    return value
'''

_OVERFLOWED = "    used |= np.isnan(value) & can & inside  # terms of the closed form overflowed\n"
_SMALL = """    can &= ~used & inside
    turned = can & (8.0 * q12 < -least * most)  # elsewhere no value of one sign is small
    if turned.any():
        small = @STEM@_small, @STEM@_marked, @STEM@, @WHICH@, turned, (value, q11, q22), given
        used = np.array(used)
        used[turned] = _direct_each(*small) > 0.0
"""

_DIAGONAL = '''
def @NAME@(closed, q@GIVEN@):
    """The closed form; where its terms are much larger than the kernel, its definition."""
    q, *given, value = np.broadcast_arrays(q@GIVEN@, closed)
    unit = @STEM@_marked(@FIRST@)[-1]
    used = _direct_used(@STEM@_USED[@TABLE@], @BINS@, (q,), unit, @MOST@) == 1
    if not used.any():
        return closed
    value = np.array(value, dtype=np.float64)
    value[used] = _direct_each(_direct_same, @STEM@_marked, @STEM@, @WHICH@, used, (q,), given)
    return value
'''
