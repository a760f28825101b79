"""C tables of the layers of a network: which kind each is, and its numbers or where they come from.

Code without numbers is given them by `ntksym_<name>_numbers` when it is loaded, and is the same for
networks that differ only in them.  They are kept by one function, because a long file is compiled
in parts that do not share tables; the layers read constant copies, which no store can change.
"""

from __future__ import annotations

from ....lower.schedule import Schedule
from ..backend import C_FLOAT, C, CBackend
from ..blocks import LANES, WIDE

ROWS = 8
"""Rows of a tile that share the features of a block of columns."""


def tables(schedule: Schedule, native: bool) -> str:
    """Constants: the number of layers, the kind of each, and what holds its values.

    `native`: the values are wanted as floats, too.
    """
    count = len(schedule.steps)
    text = f"enum {{ LAYERS = {count}, LANES = {LANES}, ROWS = {ROWS}, WIDE = {WIDE} }};\n\n"
    kinds = ", ".join(str(s.kind) for s in schedule.steps) or "0"
    text += f"static const unsigned char layer_kind[LAYERS + !LAYERS] = {{{kinds}}};\n"
    if schedule.near_kinds:
        flags = ", ".join(str(int(carried)) for carried in schedule.carries)
        text += f"static const unsigned char layer_near[LAYERS + !LAYERS] = {{{flags}}};\n"
    if not schedule.numbered:
        return text + kept_numbers(max(1, len(schedule.numbers)))
    listed = [("layer_value", True, C), ("layer_diag_value", False, C)]
    for title, pair, c in [*listed, *([("layer_value_f32", True, C_FLOAT)] if native else [])]:
        width = schedule.widths[not pair]
        rows = []
        for s in schedule.steps:
            values = s.pair_values if pair else s.diag_values
            padded = [*values, *([0.0] * (width - len(values)))]
            rows.append("  {" + ", ".join(c.literal(v) for v in padded) + "}")
        text += f"static const {c.real} {title}[LAYERS + !LAYERS][{width}] = {{\n"
        text += (",\n".join(rows) or "  {0}") + "\n};\n"
    if any(schedule.corrected):
        text += _rests(schedule)
    return text


def _rests(schedule: Schedule) -> str:
    """What the doubles of the diagonals lack of the numbers, layer by layer."""
    width = schedule.widths[1]
    rows = [
        "  {"
        + ", ".join(map(C.literal, (*s.diag_rests, *[0.0] * (width - len(s.diag_rests)))))
        + "}"
        for s in schedule.steps
    ]
    start = f"static const double layer_diag_rest[LAYERS + !LAYERS][{width}] = {{\n"
    return start + ",\n".join(rows) + "\n};\n"


def first_values(schedule: Schedule) -> tuple[str, str]:
    """A line before the call of the rule of the first layer, and its arguments after `d`."""
    if schedule.numbered:
        return "", "".join(f", {C.literal(v)}" for v in schedule.input_values)
    places = "".join(f", kept[{k}]" for k in range(len(schedule.input_values)))
    return "  const double *kept = layer_numbers(NULL);\n  (void)kept;\n", places


def row(schedule: Schedule, pair: bool) -> str:
    """The place of the first number of layer l."""
    if schedule.numbered:
        return "layer_value[l]" if pair else "layer_diag_value[l]"
    at, width = len(schedule.input_values), schedule.widths[not pair]
    if not pair:
        at += len(schedule.steps) * schedule.widths[0]
    return f"layer_numbers(NULL) + {at} + {width} * l"


def rests(schedule: Schedule) -> str:
    """The place of the first of what the numbers of the diagonal of layer l lack."""
    if schedule.numbered:
        return "layer_diag_rest[l]"
    width, count = schedule.widths[1], len(schedule.steps)
    at = len(schedule.input_values) + count * sum(schedule.widths)
    return f"layer_numbers(NULL) + {at} + {width} * l"


def values(schedule: Schedule, pair: bool, c: CBackend, indent: str) -> str:
    """The lines that define `v`, the numbers of layer l in the arithmetic `c`."""
    if schedule.numbered:
        place = "layer_value_f32[l]" if pair and c is C_FLOAT else row(schedule, pair)
        return f"{indent}const {c.real} *v = {place};\n"
    width = schedule.widths[not pair]
    copied = ", ".join(f"({c.real})kept[{k}]" for k in range(width))
    lines = f"const double *kept = {row(schedule, pair)};", f"const {c.real} v[] = {{{copied}}};"
    return "".join(f"{indent}{line}\n" for line in lines)


def setter(schedule: Schedule) -> str:
    """The function that takes the numbers, for code without."""
    return "" if schedule.numbered else SETTER


def kept_numbers(size: int) -> str:
    """The function that keeps numbers."""
    return _KEPT.replace("@SIZE@", str(size))


_KEPT = """
/* The numbers of the layers, and others from now on where they are given. */
NTKSYM_BLOCK_FUNCTION const double *layer_numbers(const double *given)
{
  static double kept[@SIZE@];
  if (given) memcpy(kept, given, sizeof kept);
  return kept;
}
"""
SETTER = """
/* To be called first: the numbers that this network has. */
void @NAME@_numbers(const double *given) { layer_numbers(given); }
"""
