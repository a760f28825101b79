"""NumPy for a network, block by block: every layer in place, in arrays that stay in the cache.

The second form of a network in NumPy, for speed; `numpy_network` writes the first, to be read, and
for every pair that this one is not for.
"""

from __future__ import annotations

import math
import re

from ..lower.kernel import STATE as GIVEN
from ..lower.lines import PAIR
from ..lower.program import Program
from ..lower.schedule import Schedule
from ._base import SourceFile, identifier
from .c import Contract, contract_lines
from .numpy import NUMPY
from .numpy_helpers import helpers
from .numpy_passes import IN_PLACE, STATE, passes
from .numpy_rules import span, tape_of
from .numpy_tables import atan_tails
from .numpy_tape import Line

BITS = {"float64": 54, "float32": 26}
"""The error of the polynomials of the arc tangent, relative to its first term: 2**-BITS."""
REACHES = (256, 64, 16, 8, 4, 2, 1)
"""The tangents squared that they are for: up to 1/256, ..., up to 1."""
SINGLE = frozenset({"pow", "select"})
"""Operations that are spelled as in the readable form, and right in floats."""
WITHOUT = frozenset({"hyp2f1", "inf", "cross"})
"""Operations that have no form here: constants of their own, or exact products."""


def tiles_file(schedule: Schedule, contract: Contract) -> SourceFile | None:
    """The module of a network, to be called block by block, or None: an operation has no such form.

    It has `tile(g12, x, y, first, limit, space, far)`, the number SPACE of arrays that this works
    in, SINGLE: whether float arrays will do, and SPAN: the variances that it is for.
    """
    pairs = tuple(kind.pair for kind in schedule.kinds)
    if any(let.op in WITHOUT or let.op not in NUMPY.spell for p in pairs for let in p.body):
        return None
    name = identifier(schedule.name, set()).rstrip("_")
    final = schedule.steps[-1].kind if schedule.steps else None
    pieces: list[str] = []
    lines: list[Line] = []
    space = 5
    for k, pair in enumerate(pairs):
        labels = [f"_wide{k}", f"_layer{k}"] + (["_wide_last", "_last"] if k == final else [])
        for label in labels:
            text, found, count = _layer(pair, label)
            pieces.append(text)
            lines += found
            space = max(space, count)
    rows = ""
    for n, (s, carried) in enumerate(zip(schedule.steps, schedule.carries, strict=True), 1):
        which = "_last" if n == len(schedule.steps) else str(s.kind)
        label = f"_wide{which}, _layer{which}".replace("_layer_last", "_last")
        values = "".join(f"{NUMPY.literal(v)}, " for v in s.pair_values).rstrip()
        rows += f"    ({label}, ({values}), {carried}),\n"
    about = (line.replace('"""', "'''") for line in contract_lines(contract, pairs))
    head = '"""' + "\n".join(about) + '\n"""\n\nimport numpy as np'
    calls = {e.op for e in lines if e.rank != PAIR or e.op not in IN_PLACE} & set(NUMPY.spell)
    words = {w[:-1] for op in calls for w in re.findall(r"\b_\w+\(", NUMPY.spell[op])}
    single = all(e.rank != PAIR or e.op in IN_PLACE or e.op in SINGLE for e in lines)
    spans = [span(p) for p in pairs] or [(0.0, math.inf)]
    low, high = max(s[0] for s in spans), min(s[1] for s in spans)
    table = "".join(f'    "{dtype}": (\n{_tails(bits)}    ),\n' for dtype, bits in BITS.items())
    start = f"SINGLE = {single}\nSPACE = {space}\nSPAN = ({low!r}, {NUMPY.literal(high)})\n"
    start += f"_TAILS = {{\n{table}}}\n\n\n{_TAIL.strip()}"
    support = helpers(frozenset(words) | {"_sqrt0", "_div0"})
    pieces = [head, support, start, *pieces, f"LAYERS = (\n{rows})", _TILE.strip()]
    return SourceFile(f"{name}_tiles.py", "\n\n\n".join(p.rstrip("\n") for p in pieces) + "\n")


def _tails(bits: int) -> str:
    """Rows (reach, coefficients, highest power first), the shortest reach first."""
    text = ""
    for reach in REACHES:
        found = "".join(f"                {c!r},\n" for c in atan_tails(reach, bits)[::-1])
        text += f"        (\n            1 / {reach},\n            (\n{found}            ),\n"
        text += "        ),\n"
    return text


def _layer(p: Program, label: str) -> tuple[str, tuple[Line, ...], int]:
    """The function of a layer, its elementary lines, and how many arrays it works in."""
    outputs = ("nngp", "ntk") if label.endswith("_last") else ("nngp", "root", "ntk")
    lines, ends = tape_of(p, outputs, label.startswith("_wide"))
    taken = {*GIVEN, "np", "x", "y", "scratch"}
    names = {a: a for a in GIVEN}
    params = [a for a in p.args if a not in names]
    names |= {a: f"v_{identifier(a, taken)}" for a in params}
    made = passes(lines, ends, names)
    given = ", ".join((*STATE, "x", "y", "scratch", *(names[a] for a in params)))
    text = f"def {label}({given}):\n"
    used = {a for line in lines for a in line.args} | set(ends)
    for side, group in (("x", ("q11", "n11", "r11", "s11")), ("y", ("q22", "n22", "r22", "s22"))):
        shown = [a if a in used else "_" for a in group]
        if set(shown) != {"_"}:
            text += f"    {', '.join(shown)} = {side}\n"
    work = [f"w{k}" for k in range(made.count)]
    text += f"    {', '.join((*work, '*rest'))}{'' if work else ','} = scratch\n"
    text += "".join(f"    {line}\n" for line in made.lines)
    text += f"    return {', '.join((*made.ends, *made.spare, '*rest'))}\n"
    return text, lines, 3 + made.count


_TAIL = '''
def _tail(u, out):
    """(atan(t) - t)/t**3 in u = t**2, for 0 <= t <= 1: no more terms than the largest u needs.

    NaN stays NaN, and has no part in that.
    """
    most = u.max()
    if most != most:
        most = np.fmax.reduce(u, axis=None)
    for reach, terms in _TAILS[u.dtype.name]:
        if most <= reach:
            break
    first, *others, last = terms
    np.multiply(u, first, out)
    for c in others:
        np.add(out, c, out)
        np.multiply(out, u, out)
    np.add(out, last, out)
'''

_TILE = '''
def tile(g12, x, y, first, limit, space, far):
    """(nngp, ntk) of a block of pairs, two arrays of `space`, from their inner products.

    x and y: for every layer, and after the last, the variances q before and n after it, and their
    roots r and s; columns for x.  `space`: arrays of the shape of the block.  `far` is filled:
    whether 1 - rho^2 >= limit where it matters; nearer pairs have values of little use.
    """
    q12, root, t12, length, other, *rest = space
    a, b, c, e = first
    np.multiply(g12, a, q12)
    np.add(q12, b, q12)
    np.multiply(g12, c, t12)
    np.add(t12, e, t12)
    np.multiply(x[0][2], y[0][2], length)
    np.subtract(length, q12, root)
    np.add(length, q12, other)
    np.multiply(root, other, root)
    np.sqrt(root, root)
    np.multiply(length, limit**0.5, other)
    np.greater_equal(root, other, far)
    rest = [other, length, *rest]
    wide = q12.dtype == np.float64
    for (wide_layer, layer, values, carried), at_x, at_y in zip(LAYERS, x, y):
        layer = wide_layer if wide else layer
        q12, root, t12, *rest = layer(q12, root, t12, at_x, at_y, rest, *values)
        if layer is LAYERS[-1][0] or not (wide or carried):
            continue
        if root.min() >= limit**0.5 * at_x[3].max() * at_y[3].max():
            continue
        least = np.multiply(at_x[3] * limit**0.5, at_y[3], rest[0])
        inside = root >= least
        if carried:
            np.logical_and(far, inside, far)
        elif not np.greater_equal(inside, far, inside).all():
            wide = False  # from here on with angles from tangents and roots from roots
            np.multiply(least, 0.1, least)
            np.logical_and(far, root >= least, far)
    return q12, (root if LAYERS else t12)
'''
