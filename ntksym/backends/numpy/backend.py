"""The NumPy backend: a module of vectorised functions that imports numpy only."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction

from ...lower.exponent import is_rest
from ...lower.ops import FAR_OPS
from ...lower.program import Program, with_inner
from .._base import (
    HYP2F1_FIXED,
    SourceFile,
    Spelled,
    comment,
    identifier,
    of_numbers,
    spell_program,
)
from ..c.backend import Contract, contract_lines
from .helpers import helpers

SPELL = {
    "pi": "np.pi",
    "inf": "np.inf",
    "add": "({0} + {1})",
    "sub": "({0} - {1})",
    "mul": "({0} * {1})",
    "div": "({0} / {1})",
    "div0": "_div0({0}, {1})",
    "neg": "(-{0})",
    "abs": "np.abs({0})",
    "sign": "np.sign({0})",
    "max": "np.maximum({0}, {1})",
    "min": "np.minimum({0}, {1})",
    "clamp": "np.clip({0}, {1}, {2})",
    "pos": "np.maximum({0}, 2.0**-500)",
    "once": "np.maximum({0}, 2.0**-1010)",
    "rescale": "_rescale({0}, {1})",
    "inverse4": "_inverse4({0})",
    "sqrt0": "_sqrt0({0})",
    "pow": "np.maximum({0}, 0.0) ** {1}",
    "cross": "_cross({0}, {1}, {2}, {3})",
    "rootdet": "_rootdet({0}, {1}, {2})",
    "atan2": "np.arctan2({0}, {1})",
    "angle": "_angle({0}, {1})",
    "arc1": "_arc1({0}, {1})",
    "gap": "_gap({0}, {1})",
    "asin3": "np.arctan2({0}, {1})",
    "angle3": "_angle({0}, {1})",
    "arc3": "_arc1({0}, {1})",
    "gap3": "_gap3({0}, {1}, {2})",
    "hyproot": "_hyproot({0}, {1})",
    **dict.fromkeys(("select", "short"), "np.where({0} <= {1}, {2}, {3})"),
    "price": "_{LABEL}({ALL})",
    **dict.fromkeys(FAR_OPS, "_{LABEL}({ALL})"),
    "exp": "np.exp({0})",
    "expm1": "np.expm1({0})",
    "log": "np.log({0})",
    "log1p": "np.log1p({0})",
    "sin": "np.sin({0})",
    "cos": "np.cos({0})",
    "sinh": "np.sinh({0})",
    "cosh": "np.cosh({0})",
    "tanh": "np.tanh({0})",
    "expsinh": "_expsinh({0}, {1}, {2}, {3})",
    "expcosh": "_expcosh({0}, {1}, {2}, {3})",
    "carry": "np.where(({0} == 0.0) & ({1} == {3}) & ({2} > 0.0), 0.0, {4})",
    "erf": "_erf({0})",
    "erfc": "_erfc({0})",
    "Phi": "_Phi({0})",
    "expPhi": "_expPhi({0}, {1})",
    "mills": "_mills({0})",
    "expPhi2": "_expPhi2({0}, {1}, {2}, {3}, {4}, {5}, {6})",
    "Phi2": "_Phi2({0}, {1}, {2}, {3})",
    "euler": "np.euler_gamma",
    "gamma": "_gamma({0})",
    "hyp2f1": "_hyp2f1({0}, {1}, {2}, {3}, {4})",
    HYP2F1_FIXED: "_hyp2f1_fixed({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}, {9}, {10})",
}
SPELL["pow"] = "(np.maximum({0}, 0.0) ** {1})"


@dataclass(frozen=True, slots=True)
class NumpyBackend:
    """NumPy in double precision; broadcasting arrays in, arrays out."""

    name: str = "numpy"
    suffix: str = ".py"
    spell: dict[str, str] = field(default_factory=lambda: dict(SPELL))

    def literal(self, value: Fraction | float) -> str:
        """The shortest decimal that reads back to the same double."""
        v = float(value)
        if v != v or v in (float("inf"), float("-inf")):
            return "np.inf" if v > 0 else "(-np.inf)" if v < 0 else "np.nan"
        return f"({v!r})" if v < 0 else repr(v)


NUMPY = NumpyBackend()

DUALS = NumpyBackend(spell=SPELL | dict.fromkeys(("arc1", "arc3"), "_true_arc({0}, {1})"))
"""For duals, whose values near rho = -1 have relative accuracy; networks leave that end."""


def used_helpers(programs: tuple[Program, ...], backend: NumpyBackend = NUMPY) -> frozenset[str]:
    """The names of the helper functions that the programs call."""
    found = set()
    for p in with_inner(programs):
        for let in p.body:
            if let.op in FAR_OPS:
                found.add("_erfcx_positive")
            if getattr(let.inner, "spline", -1) >= 0:
                found |= {"_true_arc", "_two_product"}
            spell = backend.spell if p in programs else SPELL  # those inside are functions
            text = spell[HYP2F1_FIXED if of_numbers(let) else let.op]
            found |= {word.split("(")[0] for word in re.findall(r"\b_\w+\(", text)}
    return frozenset(found)


def function(p: Program, name: str, doc: str) -> str:
    """`def name(inputs): ... return (outputs)`, vectorised."""
    s = spell_program(p, NUMPY)
    text = f"def {name}({', '.join(s.inputs)}):\n"
    text += f'    """{comment(doc)}"""\n'
    text += _body(s)
    shown = ", ".join(value for _, value in s.outputs)
    return text + f"    return {shown}\n"


def _body(s: Spelled) -> str:
    text = ""
    notes = dict(s.constants)
    for name, value in s.lines:
        found = [f for literal, f in notes.items() if literal in value and len(literal) > 8]
        remark = f"  # {comment('; '.join(found))}" if found else ""
        text += f"    {name} = {value}{remark}\n"
    return text


def module_head(contract: Contract, programs: tuple[Program, ...]) -> str:
    """The docstring and import of a generated module."""
    lines = (line.replace('"""', "'''") for line in contract_lines(contract, programs))
    from .scales import scale_functions

    inner = "".join(f"\n{text}\n" for text in scale_functions(programs))
    return '"""' + "\n".join(lines) + '\n"""\n\nimport numpy as np\n\n' + inner


def dual_file(name: str, pair: Program, diag: Program, contract: Contract) -> SourceFile:
    """The module of a dual: `dual(q11, q12, q22, ...)` and `diagonal(q, ...)`.

    Both return the pair (nngp, dot).

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    safe = identifier(name, set()).rstrip("_")
    text = module_head(contract, (pair, diag))
    support = helpers(used_helpers((pair, diag), DUALS))
    text += f"\n{support}\n" if support else ""
    about = "The pair (nngp, dot); arrays broadcast."
    text += "\n\n" + _checked(pair, "dual", about, ("q11", "q12", "q22"))
    text += "\n\n" + _checked(diag, "diagonal", about, ("q",))
    return SourceFile(f"{safe}.py", text)


def _checked(p: Program, name: str, doc: str, arrays: tuple[str, ...]) -> str:
    """A public function that converts its inputs and broadcasts its outputs."""
    s = spell_program(p, DUALS)
    shown = dict(zip(p.args, s.inputs, strict=True))
    text = f"def {name}({', '.join(s.inputs)}):\n"
    if any(is_rest(let) for let in p.body):  # those that left the range of doubles are not used
        text = '@np.errstate(over="ignore", invalid="ignore")\n' + text
    text += f'    """{comment(doc)}"""\n'
    names = ", ".join(shown[a] for a in arrays)
    values = ", ".join(f"np.asarray({shown[a]}, dtype=np.float64)" for a in arrays)
    text += f"    {names} = {values}\n"
    text += _body(s)
    shape = " + ".join(shown[a] for a in arrays)
    text += f"    zero = np.zeros(np.broadcast_shapes({_shapes(shape)}))\n"
    pairs = ", ".join(f"{value} + zero" for _, value in s.outputs)
    return text + f"    return {pairs}\n"


def _shapes(names: str) -> str:
    return ", ".join(f"{n}.shape" for n in names.split(" + "))
