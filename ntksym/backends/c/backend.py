"""The C99 backend: one routine per dual, contiguous loops, hexadecimal literals."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field, replace
from fractions import Fraction

from ...lower.exponent import for_floats
from ...lower.ops import FAR_OPS
from ...lower.program import Operand, Program, live, with_inner
from ...lower.split import stages
from .._base import HYP2F1_FIXED, SourceFile, comment, identifier, spell_program
from ..hyper import C_SUPPORT, stirling
from .blocks import LANES as LANES
from .blocks import blocks_loop
from .helpers.header import HEADER_NAME, header
from .text import c_literal, mentions, spelled_body, wrap

SPELL = {
    "pi": "0x1.921fb54442d18p+1",
    "inf": "INFINITY",
    "add": "({0} + {1})",
    "sub": "({0} - {1})",
    "mul": "({0} * {1})",
    "div": "({0} / {1})",
    "div0": "ntksym_op_div0({0}, {1})",
    "neg": "(-{0})",
    "abs": "fabs({0})",
    "sign": "ntksym_op_sign({0})",
    "max": "ntksym_op_max({0}, {1})",
    "min": "ntksym_op_min({0}, {1})",
    "clamp": "ntksym_op_clamp({0}, {1}, {2})",
    "pos": "ntksym_op_pos({0})",
    "once": "ntksym_op_once({0})",
    "rescale": "ntksym_op_rescale({0}, {1})",
    "inverse4": "ntksym_op_inverse4({0})",
    "sqrt0": "ntksym_op_sqrt0({0})",
    "pow": "ntksym_op_pow({0}, {1})",
    "cross": "ntksym_op_cross({0}, {1}, {2}, {3})",
    "rootdet": "ntksym_op_rootdet({0}, {1}, {2})",
    "atan2": "ntksym_op_atan2({0}, {1})",
    "angle": "ntksym_op_angle({0}, {1})",
    "arc1": "ntksym_op_arc1({0}, {1})",
    "gap": "ntksym_op_gap({0}, {1})",
    "asin3": "ntksym_op_asin3({0}, {1}, {2})",
    "angle3": "ntksym_op_angle3({0}, {1}, {2})",
    "arc3": "ntksym_op_arc3({0}, {1}, {2})",
    "gap3": "ntksym_op_gap3({0}, {1}, {2})",
    "hyproot": "ntksym_op_hyproot({0}, {1})",
    **dict.fromkeys(("select", "short"), "({0} <= {1} ? {2} : {3})"),
    "price": "ntksym_op_{LABEL}({ALL})",
    **dict.fromkeys(FAR_OPS, "ntksym_op_{LABEL}({ALL})"),
    "exp": "ntksym_op_exp({0})",
    "expm1": "ntksym_op_expm1({0})",
    "log": "log({0})",
    "log1p": "log1p({0})",
    "sin": "sin({0})",
    "cos": "cos({0})",
    "sinh": "sinh({0})",
    "cosh": "cosh({0})",
    "tanh": "tanh({0})",
    "expsinh": "ntksym_op_expsinh({0}, {1}, {2}, {3})",
    "expcosh": "ntksym_op_expcosh({0}, {1}, {2}, {3})",
    "carry": "ntksym_op_carry({0}, {1}, {2}, {3}, {4})",
    "erf": "ntksym_op_erf({0})",
    "erfc": "ntksym_op_erfc({0})",
    "Phi": "ntksym_op_Phi({0})",
    "expPhi": "ntksym_op_expPhi({0}, {1})",
    "mills": "(0.5 * ntksym_op_mills(ntksym_op_max({0}, 0.0)))",
    "expPhi2": "ntksym_op_expPhi2({0}, {1}, {2}, {3}, {4}, {5}, {6})",
    "Phi2": "ntksym_op_Phi2({0}, {1}, {2}, {3})",
    "euler": "0x1.2788cfc6fb619p-1",
    "gamma": "tgamma({0})",
    "hyp2f1": "ntksym_op_hyp2f1({0}, {1}, {2}, {3}, {4})",
    HYP2F1_FIXED: "ntksym_op_hyp2f1_fixed({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}, {9}, {10})",
}


@dataclass(frozen=True, slots=True)
class CBackend:
    """C99 with the helpers of `ntksym.h`.

    Attributes:
        real: the type of the arithmetic.
        tag: what the names of functions of this type end in.
    """

    name: str = "c"
    suffix: str = ".c"
    spell: dict[str, str] = field(default_factory=lambda: dict(SPELL))
    real: str = "double"
    tag: str = ""

    def literal(self, value: Fraction | float) -> str:
        """A hexadecimal number, or a short decimal integer."""
        text = c_literal(float(value), "f" if self.real == "float" else "")
        return f"({text})" if text.startswith("-") else text


C = CBackend()

DUALS = CBackend(spell=SPELL | {"rootdet": "ntksym_op_true_rootdet({0}, {1}, {2})"})
"""For the loops of duals: networks form the roots of pairs by the block, and these are faster."""

SINGLE = frozenset(
    "pi inf euler add sub mul div div0 neg abs sign max min clamp pos inverse4 sqrt0 rootdet asin3 "
    "angle3 arc3 gap3 hyproot carry".split()
)
"""Operations with a single-precision spelling; `rootdet` is double inside."""


def _single(op: str) -> str:
    text = SPELL[op].replace("fabs", "fabsf").replace("p+1", "p+1f").replace("p-1", "p-1f")
    return re.sub(r"ntksym_op_(\w+)\(", r"ntksym_op_\1f(", text)


C_FLOAT = CBackend("c (float)", ".c", {op: _single(op) for op in sorted(SINGLE)}, "float", "f")


C_FLOAT_DUALS = replace(
    C_FLOAT, spell=C_FLOAT.spell | {"hyproot": "ntksym_op_true_hyprootf({0}, {1})"}
)
"""For programs without what rounding takes from such a root: see `lower.exponent.for_floats`."""

_ANGLES = ("asin3", "angle3", "arc3", "gap3")
C_MIXED = CBackend(
    "c (mixed)",
    ".c",
    {
        op: text.replace(f"_{op}(", f"_{op}m(") if op in _ANGLES else text
        for op, text in SPELL.items()
    },
    "double",
    "m",
)
"""Doubles, with the polynomials of angles in floats: for float results of deep networks."""


def single_is_enough(p: Program) -> bool:
    """Whether single-precision arithmetic keeps single-precision accuracy, by the accuracy table.

    All operations have such a spelling, and no value that is not a root is a difference.
    """
    if any(let.op not in SINGLE for let in p.body):
        return False
    values = tuple((label, o) for label, o in p.outputs if label != "root")
    lines = [let for let in live(p.body, values) if let.op in ("add", "sub")]
    return not any(let.op == "sub" or any(_negative(a) for a in let.args) for let in lines)


def _negative(a: Operand) -> bool:
    return not isinstance(a, str) and a < 0


HEAD_WIDTH = 97
"""With the comment mark of C, lines of heads have at most a hundred columns."""


HANGING = 11
"""Where the text of heads begins, after "Computes", "Requires" and the like."""


@dataclass(frozen=True, slots=True)
class Contract:
    """What the head of a generated file says.

    Attributes:
        command: how to make the file again.
        computes: the formula, one line each.
        accuracy: measured, or "not measured".
        source: keys of the bibliography.
        version: of the library.
    """

    command: str
    computes: tuple[str, ...]
    accuracy: str = "not measured"
    source: tuple[str, ...] = ()
    version: str = "0.1.0"


def contract_lines(contract: Contract, programs: tuple[Program, ...]) -> tuple[str, ...]:
    """The lines of the head comment, sanitised, without the comment marks.

    They are at most `HEAD_WIDTH` wide, but for the command, which is there to be copied.
    """
    digests = ", ".join(f"{p.name} {p.digest()[:12]}" for p in programs)
    seen: list[str] = []
    for p in programs:
        seen += [r for r in p.requires if r not in seen]
    rows = [
        *(("Computes", c) for c in contract.computes),
        *(("Requires", r) for r in seen),
        ("Accuracy", contract.accuracy),
        *([("Source", ", ".join(contract.source))] if contract.source else []),
    ]
    lines = [f"Generated by: {comment(contract.command)}        Do not edit."]
    programs_said = f"; programs: {comment(digests)}" if digests else ""
    lines += head_rows(f"ntksym {comment(contract.version)}{programs_said}")
    lines.append("")
    for name, text in rows:
        lines += head_rows(f"{name:<{HANGING}}{comment(text)}")
    return tuple(lines)


def head_rows(line: str) -> list[str]:
    """The line of a head as lines of at most `HEAD_WIDTH` columns."""
    if len(line) <= HEAD_WIDTH:
        return [line]
    further = " " * HANGING
    return textwrap.wrap(
        line,
        HEAD_WIDTH,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )


def head(contract: Contract, programs: tuple[Program, ...]) -> str:
    """The head comment of a C file."""
    body = "\n".join(f" * {line}".rstrip() for line in contract_lines(contract, programs))
    return "/*" + body[2:] + "\n */\n"


def support_file() -> SourceFile:
    """`ntksym.h`."""
    return SourceFile(HEADER_NAME, header())


def extra_support(programs: tuple[Program, ...]) -> str:
    """The helpers that are not in `ntksym.h` because few programs need them; or nothing."""
    from .helpers.direct import direct_functions
    from .helpers.far import far_functions
    from .helpers.price import price_functions

    programs, text = with_inner(programs), ""
    if any(let.op == "hyp2f1" for p in programs for let in p.body):
        numbers = ", ".join(c_literal(v) for v in stirling())
        text = C_SUPPORT.replace("@STIRLING@", numbers).replace("@PI@", SPELL["pi"]) + "\n"
    text += price_functions(programs) + far_functions(programs)
    return text + direct_functions(programs)


def loop(
    p: Program,
    function: str,
    arrays: tuple[str, ...],
    *,
    support: bool = True,
    stored: str = "double",
    scope: str = "",
) -> str:
    """`void function(size_t n, arrays..., parameters..., outputs...)`: one loop over n points.

    With `support`, after the helpers that are not in `ntksym.h`.  `stored` is the type of the
    arrays; floats are computed with as floats where the accuracy table allows it, else as doubles.
    `scope` goes before `void`.
    """
    c = DUALS
    if stored == "float" and single_is_enough(shorter := for_floats(p)):
        c, p = C_FLOAT if shorter == p else C_FLOAT_DUALS, shorter
    text = extra_support((p,)) if support else ""
    s = spell_program(p, c)
    shown = dict(zip(p.args, s.inputs, strict=True))
    inputs = [shown[a] for a in p.args if a in arrays]
    scalars = [shown[a] for a in p.args if a not in arrays]
    outs = [label for label, _ in p.outputs]
    signature = ["size_t n"]
    signature += [f"const {stored} *NTKSYM_RESTRICT {a}_" for a in inputs]
    signature += [f"double {a}" for a in scalars]
    signature += [f"{stored} *NTKSYM_RESTRICT {o}" for o in outs]
    start = wrap(f"{scope}void {function}(", signature) + "\n{\n"
    if len(stages(p)) > 1:
        return text + blocks_loop(p, function, start, (inputs, scalars), DUALS, stored)
    text += start + "  for (size_t i = 0; i < n; ++i) {\n"
    text += "".join(f"    const {c.real} {a} = {a}_[i];\n" for a in inputs)
    text += spelled_body(s, "    ", c.real)
    cast = "(float)" if stored != c.real else ""
    for label, value in s.outputs:
        text += f"    {label}[i] = {cast}({value});\n" if cast else f"    {label}[i] = {value};\n"
    used = " ".join(v for _, v in s.lines) + " ".join(v for _, v in s.outputs)
    unused = [a for a in (*inputs, *scalars) if not mentions(used, a)]
    text += "".join(f"    (void){a};\n" for a in unused)
    return text + "  }\n}\n"


def inline_function(p: Program, function: str, c: CBackend = C) -> str:
    """`static inline void function(inputs by value, outputs by pointer)`."""
    s = spell_program(p, c)
    signature = [f"{c.real} {a}" for a in s.inputs]
    outs = [identifier(f"out_{label}", set(s.inputs)) for label, _ in p.outputs]
    signature += [f"{c.real} *{o}" for o in outs]
    text = wrap(f"static inline void {function}(", signature or ["void"]) + "\n{\n"
    text += spelled_body(s, "  ", c.real)
    used = " ".join(v for _, v in s.lines) + " ".join(v for _, v in s.outputs)
    text += "".join(f"  (void){a};\n" for a in s.inputs if not mentions(used, a))
    for o, (_, value) in zip(outs, s.outputs, strict=True):
        text += f"  *{o} = {value};\n"
    return text + "}\n"


def dual_file(name: str, pair: Program, diag: Program, contract: Contract) -> SourceFile:
    """The C file of a dual: `ntksym_<name>`, `ntksym_<name>_diag`, and `_f32` on floats.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    safe = identifier(name, set()).rstrip("_")
    text = head(contract, (pair, diag))
    text += f'#include "{HEADER_NAME}"\n\n' + extra_support((pair, diag))
    text += loop(pair, f"ntksym_{safe}", ("q11", "q12", "q22"), support=False) + "\n"
    text += loop(diag, f"ntksym_{safe}_diag", ("q",), support=False) + "\n"
    single = ("q11", "q12", "q22")
    text += loop(pair, f"ntksym_{safe}_f32", single, support=False, stored="float")
    return SourceFile(f"{safe}.c", text)


wrapped = wrap  # the former name, which other files import
