"""C for a network: the layer map once, the loop over layers outside, vector lanes inside."""

from __future__ import annotations

import re

from ....lower.growth import growth_lines
from ....lower.near import formed
from ....lower.schedule import Kind, Schedule
from ..._base import SourceFile, identifier
from ...near import NOTE
from ..backend import (
    C_FLOAT,
    C_MIXED,
    C,
    CBackend,
    Contract,
    extra_support,
    head,
    inline_function,
    single_is_enough,
)
from ..blocks import LANES, block_function
from ..double_double import dd_functions, layer_function
from ..helpers.header import HEADER_NAME
from .layers import LayerText
from .near import near_call, near_functions, near_lanes
from .numbers import first_values, rests, row, setter, tables, values
from .start import start_functions
from .steady import carried
from .text import BLOCK_GAP, CORRECT, FIRST_TEXT, LOOPS, NEAR_PAIRS, NEAR_ROW, PAIRS_GAP, WHOLE

SHALLOW = 6
"""The largest depth for float arithmetic throughout: its errors, up to 1e-7 a layer, add up."""

DEEP = 12
"""The largest depth for variances and angles in float, unless an angle follows from the one before
exactly: errors of 1e-7 a layer grow where inputs that differ are driven apart."""


def from_gap(schedule: Schedule) -> bool:
    """Whether float layers carry the gap: all are homogeneous, and even all or none."""
    kinds = [k.pair for k in schedule.kinds]
    found = [carried(p) if single_is_enough(p) else None for p in kinds]
    return len({None if f is None else bool(f.absolute) for f in found} | {None}) == 2 and all(
        found
    )


def floats_will_do(schedule: Schedule) -> bool:
    """Whether float results may come from float products and float layers."""
    exact = all(single_is_enough(k.pair) and not formed(k.pair) for k in schedule.kinds)
    return exact or len(schedule.steps) <= DEEP


def network_file(schedule: Schedule, contract: Contract) -> SourceFile:
    """The C file of a network.

    `ntksym_<name>_input` gives the four numbers of the first layer for an input dimension,
    `_diag` the diagonals of all layers, `_pairs` and `_tile` the kernels of pairs, `_pairs_f32`
    and `_tile_f32` the same on floats, and `ntksym_<name>` does it all for two matrices.

    Float arithmetic is used where the accuracy table allows it for every layer, at any depth where
    the layers carry the gap, else in shallow networks and, in deep ones, for the angles only; else
    everything between the arrays is double.  Without `schedule.floats` there are no `_f32`.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    name = identifier(schedule.name, set()).rstrip("_")
    programs = (*schedule.programs, *schedule.near_programs)
    top, near = head(contract, programs), schedule.near_kinds
    notes = (*(NOTE if near else ()), *(growth_lines(schedule) if schedule.numbered else ()))
    top = top.removesuffix(" */\n") + " *\n" + "".join(f" * {n}\n" for n in notes) + " */\n"
    pieces = [top, f'#include "{HEADER_NAME}"\n#include <stdlib.h>\n']
    if support := extra_support(programs):
        pieces.append(support)
    native = all(single_is_enough(k.pair) for k in schedule.kinds)
    gap = from_gap(schedule) and not near
    plain = native and (gap or len(schedule.steps) <= SHALLOW)
    single = schedule.floats and plain
    pieces.append(tables(schedule, single))
    pieces.append(inline_function(schedule.input, "input_rule", C))
    for k, kind in enumerate(schedule.kinds):
        pieces.append(_diag_function(k, kind))
    before, given = first_values(schedule)
    text = FIRST_TEXT.replace("@NUMBERS@", before).replace("@INPUT_VALUES@", given)
    text = text.replace("@DIAG_VALUES@", values(schedule, False, C, "      "))
    pieces += _corrected_functions(schedule)
    for mark, more in CORRECT.items():
        more = more.replace("@CASES@", _corrected_cases(schedule))
        text = text.replace(mark, more if any(schedule.corrected) else "")
    pieces.append(text.replace("@DIAG_CASES@", _diag_cases(schedule)) + setter(schedule))
    pieces += [near_functions(schedule)] if near else []
    doubles = [LayerText(k, kind, C) for k, kind in enumerate(schedule.kinds)]
    c = C_FLOAT if plain else C_MIXED if native else C
    pieces.append(start_functions("double", "double", ""))
    pieces += [start_functions(c.real, "float", "_f32")] if schedule.floats else []
    pieces += [layer.functions() for layer in doubles]
    pieces.append(_loops(schedule, doubles, C, "double", ""))
    if schedule.floats:
        kinds = enumerate(schedule.kinds)
        floats = [LayerText(k, kind, c, gap) for k, kind in kinds] if native else []
        pieces += [layer.functions() for layer in floats]
        pieces.append(_loops(schedule, floats or doubles, c, "float", "_f32"))
    pieces.append(WHOLE.replace("@ROWS@", "2 * (@COUNT@ + 1)"))
    whole = "\n".join(pieces).replace("@NAME@", f"ntksym_{name}")
    return SourceFile(f"{name}.c", whole.replace("@COUNT@", str(len(schedule.steps))))


def _loops(
    schedule: Schedule, layers: list[LayerText], c: CBackend, stored: str, suffix: str
) -> str:
    """The functions `_pairs` and `_tile` on arrays of one type, with arithmetic of another."""
    near = schedule.near_kinds
    tile, pairs = "", ""
    for k, layer in enumerate(layers):
        start, end = f"      case {k}: {{\n", "        break;\n      }\n"
        tile += start + _tile_case(layer, k in near) + end
        pairs += start + _pair_case(layer, k in near) + end
    width = max([1, *(layer.width for layer in layers)])
    staged = any(layer.staged for layer in layers)
    mended = near_lanes(stored, row(schedule, True), schedule.levelled) if near else ""
    text = mended + LOOPS
    for place, indent in (("@VALUES@", "    "), ("@PAIR_VALUES@", "      ")):
        text = text.replace(place, values(schedule, True, c, indent))
    text = text.replace("@TILE_CASES@", tile.rstrip("\n"))
    text = text.replace("@PAIR_CASES@", pairs.rstrip("\n"))
    text = text.replace("@SPARE_FIRST@", "  Real fr[@WIDTH@][LANES];\n" if staged else "")
    spare = "  Real next[3][LANES];\n" if staged else ""
    kept = any(k in near and not layer.staged for k, layer in enumerate(layers))
    spare += "  Real old[2][LANES];\n" if kept else ""
    text = text.replace("@SPARE@", spare)
    text = text.replace("@CARE@", "  unsigned char care[ROWS][LANES];\n" if near else "")
    text = text.replace("@CARE_PAIRS@", "  unsigned char care[LANES];\n" if near else "")
    text = text.replace("@NEAR_ROW@", NEAR_ROW if near else "")
    text = text.replace("@NEAR_PAIRS@", NEAR_PAIRS if near else "")
    gap = any(layer.gap for layer in layers)
    inner = "fabsf(now[0][i])" if any(layer.even for layer in layers) else "now[0][i]"
    text = text.replace("@BLOCK_GAP@", BLOCK_GAP.replace("@INNER@", inner) if gap else "")
    text = text.replace("@PAIRS_GAP@", PAIRS_GAP.replace("@INNER@", inner) if gap else "")
    text = text.replace("@STATES@", str(3 + gap))
    text = text.replace("@WIDTH@", str(width)).replace("@S@", suffix)
    return text.replace("Stored", stored).replace("Real", c.real)


def _side(layer: LayerText, which: int, count: str, q: str, inc: str, ld: str) -> str:
    """The lines that load the quantities of `count` points and call for their features."""
    call = layer.side(which, count)
    if not call:
        return ""
    return f"        load_side@S@({count}, {q}, {inc}, {ld}, l, side);\n        {call}\n"


def _tile_case(layer: LayerText, near: bool) -> str:
    text = _side(layer, 0, "rows", "qx", "1", "ldx") + _side(layer, 1, "b", "qy", "incy", "ldy")
    count = len(layer.parts.features[0]) + 3 * layer.scaled
    text += (
        "        for (size_t r = 0; r < rows; ++r) {\n          Real (*now)[LANES] = state[r];\n"
    )
    if layer.staged:
        if count:
            text += f"          for (size_t k = 0; k < {count}; ++k)\n"
            text += "            for (size_t i = 0; i < LANES; ++i) fr[k][i] = fx[k][r];\n"
        text += f"          {layer.name}(b, fr, fy, now, v, next);\n"
    else:
        loops = layer.loops("x@", "          ", near)
        used = [k for k in range(count) if re.search(rf"\bx{k}\b", loops)]
        if firsts := ", ".join(f"x{k} = fx[{k}][r]" for k in used):
            text += f"          const Real {firsts};\n"
        text += loops
    if near:
        text += "          " + near_call("qx + r", "0", layer.staged, "care[r]").replace("@AT@", "")
    if layer.staged:
        text += "          memcpy(now, next, sizeof next);\n"
    return text + "        }\n"


def _pair_case(layer: LayerText, near: bool) -> str:
    text = _side(layer, 0, "b", "qx + at * incx", "incx", "ldx")
    text += _side(layer, 1, "b", "qy + at * incy", "incy", "ldy")
    if layer.staged:
        text += f"        {layer.name}(b, fx, fy, now, v, next);\n"
    else:
        text += layer.loops("fx[@][i]", "        ", near)
    if near:
        call = near_call("qx + at * incx", "incx", layer.staged, "care")
        text += "        " + call.replace("@AT@", " + at * incy")
    if layer.staged:
        text += "        memcpy(now, next, sizeof next);\n"
    return text


def _diag_function(k: int, kind: Kind) -> str:
    """The function of one kind of layer on a block of diagonal entries."""
    places = {"q": "now_[0][i]", "t12": "now_[1][i]"}
    places |= {a: f"v_[{j}]" for j, a in enumerate(kind.diag.args[2:])}
    ends = {"nngp": "next_[0][i]", "ntk": "next_[1][i]"}
    rows = [f"double (*NTKSYM_RESTRICT {a})[{LANES}]" for a in ("now_", "next_")]
    signature = [rows[0], "const double *v_", rows[1]]
    return block_function(kind.diag, f"layer{k}_diag", signature, places, ends, C)


def _corrected_functions(schedule: Schedule) -> list[str]:
    """The functions of layers in double-double, after what they call."""
    kinds = [(k, p) for k, p in enumerate(schedule.corrected) if p is not None]
    text = "\n".join(
        layer_function(p, f"layer{k}_diag_dd", schedule.kinds[k].corrected_to) for k, p in kinds
    )
    return [dd_functions(text), text] if kinds else []


def _corrected_cases(schedule: Schedule) -> str:
    text, given = "", f"b, now, rest, v, {rests(schedule)}, next, left"
    for k, p in enumerate(schedule.corrected):
        if p is not None:
            text += f"        case {k}:\n          layer{k}_diag_dd({given});\n          break;\n"
    return text + "        default:\n          break;"


def _diag_cases(schedule: Schedule) -> str:
    text = ""
    for k in range(len(schedule.kinds)):
        text += f"        case {k}:\n          layer{k}_diag(b, now, v, next);\n          break;\n"
    return text + "        default:\n          break;"
