"""NumPy for the operations `direct`: a dual by its definition, where its closed form cancels.

The pairs of variances in the table are integrated together: see `direct_text`.
"""

from __future__ import annotations

from ...lower.direct import Direct
from ...lower.direct_where import BINS, COMPILED, GROWN
from ...lower.ops import DIRECT_OPS
from ...lower.program import Let
from ..text import filled
from .backend import function


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
            "@LIVE@": repr(rule.live),
            "@GROUPS@": repr(rule.groups),
            "@DEGREE@": str(rule.degree),
            "@CENTRES@": str(rule.centres),
            "@KINKS@": str(rule.kinks),
            "@TWICE@": str(2 * rule.kinks),
            "@ENDS@": str(2 * rule.kinks + rule.cuts),
            "@JUMPS@": str(rule.jumps),
            "@DIES@": str(rule.dies),
            "@FAR@": repr(rule.far),
            "@GROW@": repr(rule.grow),
            "@ALONE@": ", ".join(_params(rule)),
            "@COMMA@": "," * (len(_params(rule)) == 1),
        },
    )
    return f"{point}\n\n{marks}\n\n{text.strip(chr(10))}"


def direct_operation(let: Let, rule: Direct, stem: str) -> str:
    """The function of one operation."""
    which = DIRECT_OPS.index(let.op)
    text = _PAIR if which < 2 else _DIAGONAL
    text = filled(
        text,
        {
            "@NAME@": f"_{let.label}",
            "@STEM@": stem,
            "@WHICH@": str(which % 2),
            "@START@": repr(rule.start).replace("inf", "np.inf"),
            "@LEAST@": repr(rule.least),
            "@MOST@": repr(GROWN / rule.grow) if rule.grow else "np.inf",
            "@BINS@": str(BINS),
            "@COMPILED@": str(COMPILED),
            "@TABLE@": str(which),
            "@APART@": "    used &= root > 0.0\n" if which % 2 and rule.jumps else "",
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
# s, where it and its slope live, closed means there, degree, jumps, dies out, centres, far, grows
@STEM@ = (@STEM@_point, @LIVE@, @GROUPS@, @DEGREE@, @JUMPS@, @DIES@, @CENTRES@, @FAR@, @GROW@)


def @STEM@_marked(@ALONE@):
    """Kinks, jumps, more ends of panels, closed means, the parameters; the unit."""
    found = np.array([float(v) for v in @STEM@_marks(@ALONE@)])
    kinks, jumps, cuts, closed = np.split(found[:-1], (@KINKS@, @TWICE@, @ENDS@))
    return kinks, jumps, cuts, closed, (@ALONE@@COMMA@), found[-1]
'''

_PAIR = '''
def @NAME@(closed, q11, q12, q22, root@GIVEN@):
    """The closed form; where its terms are much larger than the kernel, its definition."""
    q11, q12, q22, root, *given, value = np.broadcast_arrays(q11, q12, q22, root@GIVEN@, closed)
    unit = @STEM@_marked(@FIRST@)[-1]
    used = _direct_used(@STEM@_USED[@TABLE@], @BINS@, (q11, q22), unit, @MOST@)
    least, most = (np.sqrt(np.maximum(f(q11, q22), 0.0)) for f in (np.minimum, np.maximum))
    far = (least >= @START@) & (root >= @LEAST@ * most)  # the rule there is right, and faster
    used = (used > 0) & (used < @COMPILED@) & ~far  # @COMPILED@: in compiled code only
    used &= np.isfinite(q12) & np.isfinite(root) & (root >= 0.0)
@APART@    if not used.any():
        return closed
    value, columns = np.array(value, dtype=np.float64), (q11, q12, q22, root)
    value[used] = _direct_each(
        _direct_pairs, @STEM@_marked, @STEM@, @WHICH@, used, columns, given
    )
    return value
'''

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
