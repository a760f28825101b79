"""Duals by their definition in JAX and PyTorch, where the closed form cancels: see `lower.direct`.

The same as `numpy.direct`, with panels of a fixed number, those that are empty included: an entry
is a column of arrays, whose rows are ends of panels, or nodes of all panels.
"""

from __future__ import annotations

from dataclasses import replace

from ...lower.direct import TAIL, TAIL_STEPS, Direct
from ...lower.direct_where import BINS, FIRST, GROWN
from ...lower.program import Let
from ..tables import legendre
from ..text import filled
from .direct_means import MEANS
from .direct_outer import OUTER
from .module import ArrayBackend, function

NODES = 14
"""Gauss-Legendre nodes of a panel."""
WIDTH = 1024
"""Numbers an entry takes about, over those of one node."""


def direct_text() -> str:
    """The functions that all rules share."""
    nodes, weights = zip(*legendre(NODES), strict=True)
    steps = tuple(v * side for v in TAIL_STEPS for side in (1, -1))
    marks = {"@NODES@": repr(nodes), "@WEIGHTS@": repr(weights), "@TWICE_FIRST@": repr(2.0 * FIRST)}
    marks |= {"@TAIL@": repr(TAIL), "@TAIL_STEPS@": repr(steps)}
    return filled(f"{MEANS.strip(chr(10))}\n\n\n{OUTER.strip(chr(10))}", marks)


def direct_rule(rule: Direct, stem: str, backend: ArrayBackend) -> str:
    """The functions and the numbers of a rule."""
    about = "The activation, and its slope."
    steps = {"select": "_where({0} <= {1}, {2} + 0.0 * x, {3})"}  # numbers alone have no type
    typed = replace(backend, spell=backend.spell | steps)
    point = function(rule.point, f"{stem}_point", typed, about)
    about = "Kinks, jumps, ends of panels, rows of the closed means, the unit."
    marks = function(rule.marks, f"{stem}_marks", backend, about)
    flags = (*rule.dear, *rule.used[2:])  # a diagonal is one integral, and has an entry a row
    used = "".join(f"    {''.join(map(str, row))!r},\n" for row in flags)
    names = "kinks cuts centres groups degree live jumps dies far grow".split()
    rows = "".join(f"    {n!r}: {getattr(rule, n)!r},\n" for n in names)
    table = f"{stem} = {{\n    'point': {stem}_point,\n    'marks': {stem}_marks,\n{rows}}}\n"
    return f"{point}\n\n{marks}\n\n{stem}_USED = (\n{used})\n{table.replace(chr(39), chr(34))}"


def direct_operation(let: Let, rule: Direct, stem: str, ops: tuple[str, ...]) -> str:
    """The function of one operation."""
    which = ops.index(let.op)
    if which < 2 and not any(rule.dear[which]):
        return filled(_CLOSED, {"@NAME@": f"_{let.label}"})
    params = tuple(f"p{k}" for k in range(len(rule.point.args) - 1))
    return filled(
        _PAIR if which < 2 else _DIAGONAL,
        {
            "@NAME@": f"_{let.label}",
            "@STEM@": stem,
            "@WHICH@": str(which % 2),
            "@START@": "_INF" if rule.start == float("inf") else repr(rule.start),
            "@LEAST@": repr(rule.least),
            "@MOST@": repr(GROWN / rule.grow) if rule.grow else "_INF",
            "@BINS@": str(BINS),
            "@WIDTH@": str(WIDTH),
            "@TABLE@": str(which),
            "@APART@": "    can = can & (root > 0.0)\n" if which % 2 and rule.jumps else "",
            "@GIVEN@": "".join(f", {p}" for p in params),
            "@ALONE@": ", ".join(params),
        },
    )


_CLOSED = '''
def @NAME@(closed, *_):
    """The closed form, which loses little everywhere, by the sizes of its terms."""
    return closed
'''

_PAIR = '''
def @NAME@(closed, q11, q12, q22, root@GIVEN@):
    """The closed form; where its terms are much larger than the kernel, its definition."""
    unit = @STEM@_marks(@ALONE@)[-1]
    used = _direct_used(@STEM@_USED[@TABLE@], @BINS@, (q11, q22), unit, @MOST@)
    least, most = _sqrt0(_min(q11, q22)), _sqrt0(_max(q11, q22))
    far = (least >= @START@) & (root >= @LEAST@ * most)  # the rule there is right, and faster
    can = ~far & (_abs(q12) < _INF) & (root >= 0.0) & (root < _INF)
@APART@    used = ((used == 1) | (used == 2)) & can  # 3: in compiled code only
    given = q11, q12, q22, root@GIVEN@
    run = lambda *at: _direct_pairs(@STEM@, @WHICH@, *at)
    return _elsewhere(used, run, given, closed, @WIDTH@)
'''

_DIAGONAL = '''
def @NAME@(closed, q@GIVEN@):
    """The closed form; where its terms are much larger than the kernel, its definition."""
    unit = @STEM@_marks(@ALONE@)[-1]
    used = _direct_used(@STEM@_USED[@TABLE@], @BINS@, (q,), unit, @MOST@) == 1
    run = lambda *at: _direct_same(@STEM@, @WHICH@, *at)
    return _elsewhere(used, run, (q@GIVEN@,), closed, @WIDTH@)
'''
