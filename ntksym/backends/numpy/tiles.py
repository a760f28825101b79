"""NumPy for a network, block by block: every layer in place, in arrays that stay in the cache.

The second form of a network in NumPy, for speed; `numpy.network` writes the first, to be read, and
for every pair that this one is not for.
"""

from __future__ import annotations

import math
import re

from ...lower.arguments import rough
from ...lower.kernel import STATE as GIVEN
from ...lower.lines import PAIR
from ...lower.program import Program
from ...lower.schedule import Schedule
from .._base import SourceFile, identifier
from ..c.backend import Contract, contract_lines
from .backend import NUMPY
from .helpers import helpers
from .passes import IN_PLACE, STATE, WIDE_STATE, passes
from .rules import factored, span, tape_of
from .tables import arcsin_ratio, atan_tails
from .tape import Line

BITS = {"float64": 54, "float32": 26}
"""The error of the polynomials of the arc tangent, relative to its first term: 2**-BITS."""
REACHES = (256, 64, 16, 8, 4, 2, 1)
"""The tangents squared that they are for: up to 1/256, ..., up to 1."""
RATIO_REACHES = (8, 4, 2)
"""The sines squared that the ratios for the arc sine of floats are for: up to 1/8, 1/4, 1/2."""
WIDE = {"float64": 0.05, "float32": 0.25}
"""Where 1 - rho^2 is at least this angles come from cosines, whose rounding they magnify."""
SHALLOW = 90.0
"""In networks of depth n also where it is at least (n/SHALLOW)^2, and the limit: there each layer
rounds an angle by eps/sqrt(1 - rho^2), and all of them the NTK by less than SHALLOW eps."""
DEEP = 48
"""The most layers for floats: each loses up to 2e-8, here where roots are formed from products."""
SINGLE = frozenset({"pow", "select", "short"})
"""Operations that are spelled as in the readable form, and right in floats."""
WITHOUT = frozenset({"hyp2f1", "inf", "cross"})
"""Operations that have no form here: constants of their own; `cross` where exponents need it."""


def tiles_file(schedule: Schedule, contract: Contract) -> SourceFile | None:
    """The module of a network, to be called block by block, or None: an operation has no such form,
    or it would be for no variances.

    It has `tile(g12, x, y, first, limit, space, far)`, the number SPACE of arrays that this works
    in, SINGLE: whether float arrays will do, and SPAN: the variances that it is for.
    """
    pairs = tuple(rough(kind.pair) for kind in schedule.kinds)
    spans = [span(p) for p in pairs] or [(0.0, math.inf)]
    low, high = max(s[0] for s in spans), min(s[1] for s in spans)
    if low >= high or not all(map(_has_form, pairs)):
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
    exact = tuple(kind.pair for kind in schedule.kinds)
    about = (line.replace('"""', "'''") for line in contract_lines(contract, exact))
    head = '"""' + "\n".join(about) + '\n"""\n\nimport numpy as np'
    calls = {e.op for e in lines if e.rank != PAIR or e.op not in IN_PLACE} & set(NUMPY.spell)
    words = {w[:-1] for op in calls for w in re.findall(r"\b_\w+\(", NUMPY.spell[op])}
    single = all(e.rank != PAIR or e.op in IN_PLACE or e.op in SINGLE for e in lines)
    single = single and len(schedule.steps) <= DEEP
    table = "".join(f'    "{dtype}": (\n{_tails(bits)}    ),\n' for dtype, bits in BITS.items())
    start = f"FACTORED = {any(map(factored, pairs))}\n"
    start += f"SINGLE = {single}\nSPACE = {space}\nSPAN = ({low!r}, {NUMPY.literal(high)})\n"
    spread = WIDE | {"float64": min(WIDE["float64"], (len(schedule.steps) / SHALLOW) ** 2)}
    start += f"_WIDE = {spread!r}\n_TAILS = {{\n{table}}}\n"
    start += f"_RATIOS = (\n{_ratios(BITS['float32'])})\n\n\n"
    start += f"{_TAIL.strip()}\n\n\n{_ARC.strip()}"
    support = helpers(frozenset(words) | {"_sqrt0", "_div0"})
    pieces = [head, support, start, *pieces, f"LAYERS = (\n{rows})", _TILE.strip()]
    return SourceFile(f"{name}_tiles.py", "\n\n\n".join(p.rstrip("\n") for p in pieces) + "\n")


def _has_form(p: Program) -> bool:
    ops = {let.op for let in p.body}
    return not ops & WITHOUT and ops <= NUMPY.spell.keys()


def _tails(bits: int) -> str:
    """Rows (reach, coefficients, highest power first), the shortest reach first."""
    text = ""
    for reach in REACHES:
        found = "".join(f"                {c!r},\n" for c in atan_tails(reach, bits)[::-1])
        text += f"        (\n            1 / {reach},\n            (\n{found}            ),\n"
        text += "        ),\n"
    return text


def _ratios(bits: int) -> str:
    """Rows (reach, numerator, denominator), highest powers first."""
    text = ""
    for reach in RATIO_REACHES:
        text += f"    (\n        1 / {reach},\n"
        for terms in arcsin_ratio(reach, bits):
            rows = "".join(f"            {c!r},\n" for c in terms[::-1])
            text += f"        (\n{rows}        ),\n"
        text += "    ),\n"
    return text


def _layer(p: Program, label: str) -> tuple[str, tuple[Line, ...], int]:
    """The function of a layer, its elementary lines, and how many arrays it works in."""
    wide = label.startswith("_wide")
    state = WIDE_STATE if wide else STATE
    outputs = ("nngp", "ntk") if wide or label.endswith("_last") else ("nngp", "root", "ntk")
    lines, ends = tape_of(p, outputs, wide)
    taken = {*GIVEN, "np", "x", "y", "scratch"}
    names = {a: a for a in GIVEN}
    params = [a for a in p.args if a not in names]
    names |= {a: f"v_{identifier(a, taken)}" for a in params}
    made = passes(lines, ends, names, state)
    given = ", ".join((*state, "x", "y", "scratch", *(names[a] for a in params)))
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
    return text, lines, len(state) + made.count


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

_ARC = '''
def _vectorised():
    """Whether NumPy's own inverse functions are vector code here: it has that for AVX-512 only."""
    core = getattr(np, "_core", None) or np.core
    features = getattr(core._multiarray_umath, "__cpu_features__", {})
    return bool(features.get("AVX512_SKX", False))


VECTOR = _vectorised()


def _arc(c, out, z, p, which):
    """arcsin(c), arccos(c) or arccos(-c) for `which` 0, 1, -1 into `out`; works in z and p.

    In floats, where NumPy goes one by one: arcsin(x) = x + x z R(z), z = x^2 <= 1/2, R a ratio of
    polynomials; where |c| is larger somewhere twice the angle of sqrt((1 - |c|)/2).
    """
    if VECTOR or c.dtype == np.float64:
        if which == 0:
            np.arcsin(c, out)
            return
        np.arccos(c, out)
        if which < 0:
            np.subtract(np.pi, out, out)
        return
    np.multiply(c, c, z)
    most = z.max()
    if most != most:
        most = np.fmax.reduce(z, axis=None)
    direct = most <= 0.5
    if not direct:
        np.abs(c, z)
        np.multiply(z, -0.5, z)
        np.add(z, 0.5, z)
        np.maximum(z, 0.0, out=z)
        most = 0.5
    for reach, top, bottom in _RATIOS:
        if most <= reach:
            break
    for terms, at in ((top, p), (bottom, out)):
        np.multiply(z, terms[0], at)
        for k in terms[1:-1]:
            np.add(at, k, at)
            np.multiply(at, z, at)
        np.add(at, terms[-1], at)
    np.divide(p, out, p)
    np.multiply(p, z, p)
    if direct:
        np.multiply(p, c, p)
        if which == 0:
            np.add(p, c, out)
            return
        np.add(p, c, p)
        (np.subtract if which > 0 else np.add)(0.5 * np.pi, p, out)
        return
    np.sqrt(z, z)
    np.multiply(p, z, p)
    np.add(p, z, p)
    np.multiply(p, 2.0, p)  # arccos(|c|)
    if which == 0:
        np.subtract(0.5 * np.pi, p, out)
        np.copysign(out, c, out)
        return
    (np.less if which > 0 else np.greater)(c, 0.0, out, casting="unsafe")
    np.multiply(out, np.pi, out)
    np.subtract(out, p, out)
    np.abs(out, out)
'''

_TILE = '''
def _outer(x, y, out):
    """A column times a row: as a matrix product it takes three quarters of the time."""
    if x.dtype == y.dtype == out.dtype:
        np.dot(x, y[None], out)
    else:
        np.multiply(x, y, out)


def _wide(q12, share, x, y):
    """Whether 1 - rho^2 is nowhere less than `share`, by the largest of these."""
    most = max(float(q12.max()), -float(q12.min()))
    return most * most <= (1.0 - share) * float(x[0].min()) * float(y[0].min())


def _square(q12, x, y, out, work):
    """The determinant: q11*q22 - q12^2."""
    if FACTORED:
        np.multiply(x[2], y[2], out)
        np.add(out, q12, work)
        np.subtract(out, q12, out)
        np.multiply(out, work, out)
    else:
        np.multiply(q12, q12, work)
        np.multiply(x[0], y[0], out)
        np.subtract(out, work, out)


def tile(g12, x, y, first, limit, space, far):
    """(nngp, ntk) of a block of pairs, two arrays of `space`, from their inner products.

    x and y: for every layer, and after the last, the variances q before and n after it, and their
    roots r and s; columns for x.  `space`: arrays of the shape of the block.  `far` is filled:
    whether 1 - rho^2 >= limit where it matters; nearer pairs have values of little use.
    """
    q12, t12, *rest = space
    a, b, c, e = first
    np.multiply(g12, a, q12)
    np.add(q12, b, q12)
    if (c, e) == (a, b):
        np.copyto(t12, q12)
    else:
        np.multiply(g12, c, t12)
        np.add(t12, e, t12)
    far.fill(True)
    spread = max(_WIDE[q12.dtype.name], limit)
    wide, carried, root = True, True, None
    for place, (at_x, at_y) in enumerate(zip(x, y[: max(len(LAYERS), 1)])):
        if wide and not _wide(q12, spread, at_x, at_y):
            root, other, *more = rest
            _square(q12, at_x, at_y, root, other)
            if carried:
                inside = root >= np.multiply(at_x[0] * limit, at_y[0], other)
                np.logical_and(far, inside, far)
            inside = root >= np.multiply(at_x[0] * spread, at_y[0], other)
            if not np.greater_equal(inside, far, inside).all():
                wide = False  # from here on with angles from tangents and roots from roots
                if place:
                    most = limit * min(1.0, 0.01 * spread / limit)
                    np.logical_and(far, root >= np.multiply(at_x[0] * most, at_y[0], other), far)
                np.sqrt(root, root)
                rest = [other, *more]
        if not LAYERS:
            break
        wide_layer, layer, values, carried = LAYERS[place]
        if wide:
            q12, t12, *rest = wide_layer(q12, t12, at_x, at_y, rest, *values)
        elif place + 1 == len(LAYERS):
            q12, t12, *rest = layer(q12, root, t12, at_x, at_y, rest, *values)
        else:
            q12, root, t12, *rest = layer(q12, root, t12, at_x, at_y, rest, *values)
            if carried:
                np.multiply(at_x[3] * limit**0.5, at_y[3], rest[0])
                np.logical_and(far, root >= rest[0], far)
    return q12, t12
'''
