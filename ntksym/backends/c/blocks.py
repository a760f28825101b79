"""C of programs with operations that take a block of points whole: stages, loops between them.

A block has at most LANES points in arrays of LANES; loops run to the next multiple of WIDE, so
that vector code needs no loop for the rest.  Whoever fills the arrays repeats the last point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lower.split import Stage, stages
from .._base import spell_program
from .text import mentions, spelled_body, wrap

if TYPE_CHECKING:
    from ...lower.program import Program
    from .backend import CBackend

LANES = 64
"""Pairs in a block: their states stay in the fastest cache."""

WIDE = 8
"""Loops over a block run to a multiple of this number: the doubles of the widest registers."""

ROUND_UP = "  const size_t m_ = NTKSYM_ROUND_UP(b_);\n"


def block_function(
    p: Program,
    function: str,
    signature: list[str],
    places: dict[str, str],
    ends: dict[str, str],
    c: CBackend,
) -> str:
    """`static void function(size_t b_, signature...)` for at most LANES points.

    The loops of the stages, and between them the operations that take the block whole.  `places`
    says where the arguments are, `ends` where the outputs go: texts with the index i.
    """
    every = stages(p)
    slots: dict[str, str] = {}
    for k, stage in enumerate(every):
        own = [label for label, _ in stage.program.outputs] if k < len(every) - 1 else []
        for label in (*own, *(b.fills for b in stage.blocks)):
            slots[label] = f"w{len(slots)}_"
    head = wrap(f"NTKSYM_BLOCK_FUNCTION void {function}(", ["size_t b_", *signature])
    items = [f"{w}[{LANES}]" for w in slots.values()]
    text = ROUND_UP + "".join(
        f"  {c.real} {', '.join(items[k : k + 6])};\n" for k in range(0, len(items), 6)
    )
    inner = {label: f"{w}[i]" for label, w in slots.items()}
    for k, stage in enumerate(every):
        final = k == len(every) - 1
        text += _stage_loop(stage, {**places, **inner}, ends if final else inner, c)
        for b in stage.blocks:
            given = ", ".join(slots[r] for r in b.reads)
            text += f"  ntksym_block_{b.label}(b_, {given}, {slots[b.fills]});\n"
    named = [s.split()[-1].lstrip("*").split(")")[0] for s in signature]
    text += "".join(f"  (void){s};\n" for s in named if not mentions(text, s))
    return head + "\n{\n" + text + "}\n"


def _stage_loop(stage: Stage, places: dict[str, str], ends: dict[str, str], c: CBackend) -> str:
    p = stage.program
    s = spell_program(p, c)
    text = "  for (size_t i = 0; i < m_; ++i) {\n"
    for arg, shown in zip(p.args, s.inputs, strict=True):
        text += f"    const {c.real} {shown} = {places[arg]};\n"
    text += spelled_body(s, "    ", c.real)
    for label, value in s.outputs:
        text += f"    {ends[label]} = {value};\n"
    used = " ".join(v for _, v in s.lines) + " ".join(v for _, v in s.outputs)
    text += "".join(f"    (void){a};\n" for a in s.inputs if not mentions(used, a))
    return text + "  }\n"


def blocks_loop(
    p: Program,
    function: str,
    start: str,
    given: tuple[list[str], list[str]],
    c: CBackend,
    stored: str,
) -> str:
    """The loop over blocks of a program with operations that take a block whole.

    `start` is its signature, `given` the texts of the arrays and of the numbers among its
    arguments.  The function on floats calls the block function of the one on doubles.
    """
    inputs, scalars = given
    outs = [label for label, _ in p.outputs]
    block = function.removesuffix("_f32") + "_block"
    text = ""
    if stored == "double":
        shown = spell_program(p, c).inputs
        places = {
            a: f"{s}_in_[i]" if s in inputs else f"{s}_value_"
            for a, s in zip(p.args, shown, strict=True)
        }
        signature = [f"const double *{a}_in_" for a in inputs]
        signature += [f"double {a}_value_" for a in scalars]
        signature += [f"double *{o}_out_" for o in outs]
        ends = {o: f"{o}_out_[i]" for o in outs}
        text = block_function(p, block, signature, places, ends, c) + "\n"
    local = [f"{a}_in_" for a in inputs] + [f"{o}_out_" for o in outs]
    text += start + f"  double {', '.join(f'{x}[{LANES}]' for x in local)};\n"
    text += f"  for (size_t at_ = 0; at_ < n; at_ += {LANES}) {{\n"
    text += f"    const size_t b_ = n - at_ < {LANES} ? n - at_ : {LANES};\n"
    text += "    for (size_t i = 0; i < b_; ++i) {\n"
    text += "".join(f"      {a}_in_[i] = (double){a}_[at_ + i];\n" for a in inputs) + "    }\n"
    text += f"    for (size_t i = b_; i < b_ + {WIDE - 1} && i < {LANES}; ++i) {{\n"
    text += "".join(f"      {a}_in_[i] = {a}_in_[b_ - 1];\n" for a in inputs) + "    }\n"
    items = ["b_", *(f"{a}_in_" for a in inputs), *scalars, *(f"{o}_out_" for o in outs)]
    text += wrap(f"    {block}(", items) + ";\n    for (size_t i = 0; i < b_; ++i) {\n"
    text += "".join(f"      {o}[at_ + i] = ({stored}){o}_out_[i];\n" for o in outs)
    return text + "    }\n  }\n}\n"
