r"""C for the kernels of a network and all their derivatives: forward mode, blocks of pairs.

A layer is one straight-line program of a pair, with its partial derivatives; every direction is
then a few products and sums per pair.  What depends on one point alone (variances, their roots and
their derivatives) is a table that the caller fills, one row per level and quantity.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from ....lower.program import Program
from ..._base import SourceFile, identifier
from ..backend import C, Contract, extra_support, head
from ..blocks import LANES, block_function
from ..helpers.header import HEADER_NAME
from ..network.numbers import SETTER, kept_numbers
from ..text import wrap
from .text import (
    ANGLE,
    BANDS,
    CALL,
    CORE,
    FAR,
    FORMED,
    KEPT,
    LARGE,
    MOVE,
    OPEN,
    OTHER,
    ROWS_APART,
    SCALED,
)

PLAIN = ("nngp", "ntk")
FIRST = ("n", "t", "root", "diff", "n_q")
"""The outputs that every program of a pair has."""
APART = "bias_var"
"""The direction that moves collinear rows apart."""
DIRECTIONS = ("polar q11", "polar angle", "polar q22", "q12")
"""Before the hyper-parameters."""


@dataclass(frozen=True, slots=True)
class GradientKind:
    """One distinct layer: the programs of a pair and of a point, and how directions pass.

    `mirror` is 1 or -1 where opposite inputs have equal or opposite outputs, else 0.
    """

    kind: str
    pair: Program
    side: Program
    params: tuple[str, ...]
    mirror: int

    @property
    def labels(self) -> tuple[str, ...]:
        """The outputs in the order of the generated arrays: the shared ones first."""
        rest = (label for label, _ in self.pair.outputs if label not in FIRST)
        return (*FIRST, *rest)


@dataclass(frozen=True, slots=True)
class FarRule:
    """What code that stands alone does where variances are large.

    Attributes:
        most: the variance beyond which `steps` are taken; infinity: nowhere.
        steps: as `GradientPlan.steps`, without the numbers.
        sound: the variance beyond which nothing of a pair is right.
        parallel: the variance beyond which slopes of nearly parallel pairs are not.
        sine: of the angle of these.
    """

    most: float
    steps: tuple[tuple[int, bool], ...]
    sound: float
    parallel: float
    sine: float


@dataclass(frozen=True, slots=True)
class GradientPlan:
    """A network for the generator.

    Attributes:
        name: of the functions: `ntksym_<name>_gradient`.
        kinds: the distinct layers.
        steps: which kind each layer is, its numbers in the order of `params`, and whether the
            direction of the angle after it is read.
        hyper: the hyper-parameters, in order.
        first: the affine first layer, and its derivatives in each of `hyper`, None where 0.
        first_values: its numbers after the dimension.
        close: pairs with a smaller sine are reported, where that direction is formed.
        entry: pairs that are nearer than this where a kinked layer reads them are reported.
        numbered: whether the code has the numbers of the layers; else `_numbers` takes them.
        far: what is done where variances are large; None where the caller sees to it.
    """

    name: str
    kinds: tuple[GradientKind, ...]
    steps: tuple[tuple[int, tuple[float, ...], bool], ...]
    hyper: tuple[str, ...]
    first: tuple[Program | None, ...]
    first_values: tuple[float, ...]
    close: float
    entry: float
    numbered: bool = True
    far: FarRule | None = None

    @property
    def width(self) -> int:
        """How many numbers a layer has, at most; at least 1."""
        return max([1, *(len(values) for _, values, _ in self.steps)])

    @property
    def rows(self) -> tuple[tuple[float, ...], ...]:
        """The numbers of the layers, rows of equal length."""
        return tuple((*v, *[0.0] * (self.width - len(v))) for _, v, _ in self.steps)


def planes(hyper: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The output planes in order, and for each the plane of the transposed matrix."""
    wrt = ("q11", "q12", "q22", *hyper, "polar q11", "polar angle", "polar q22")
    names = (*PLAIN, *(f"{k}/{v}" for k in PLAIN for v in wrt))
    swapped = {"q11": "q22", "q22": "q11", "polar q11": "polar q22", "polar q22": "polar q11"}

    def other(name: str) -> str:
        first, mark, v = name.partition("/")
        return first + mark + swapped.get(v, v)

    return names, tuple(names.index(other(name)) for name in names)


def gradient_file(plan: GradientPlan, contract: Contract) -> SourceFile:
    """The C file with `ntksym_<name>_gradient`, see its comment for the arguments.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    name = identifier(plan.name, set()).rstrip("_")
    programs = tuple(kind.pair for kind in plan.kinds)
    pieces = [head(contract, programs), f'#include "{HEADER_NAME}"\n', core(plan), BANDS]
    if not plan.numbered:
        pieces.append(SETTER)
    text = "\n".join(pieces).replace("@PLANES@", listed(plan.hyper))
    return SourceFile(f"{name}_gradient.c", text.replace("@NAME@", f"ntksym_{name}_gradient"))


def core(plan: GradientPlan, more: tuple[Program, ...] = ()) -> str:
    """What every entry point needs, and the helpers of `more` programs.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    support = extra_support((*(kind.pair for kind in plan.kinds), *more))
    pieces = [support] if support else []
    pieces.append(_tables(plan))
    for k, kind in enumerate(plan.kinds):
        pieces += [_layer(k, kind), _moves(k, kind, plan.hyper)]
    pieces.append(ROWS_APART)
    place = "layer_value[l]" if plan.numbered else f"layer_numbers(NULL) + {plan.width} * l"
    call = CALL.replace("@VALUE@", place)
    cases = "".join(call.replace("@K@", str(k)) for k in range(len(plan.kinds)))
    names, _ = planes(plan.hyper)
    stores = "".join(f"    STORE({names.index(n)}, {text});\n" for n, text in _stores(plan.hyper))
    if plan.far and plan.far.steps:
        pieces.append(LARGE.replace("@MOST@", C.literal(plan.far.most)))
    text = CORE.replace("@CASES@", cases.rstrip("\n")).replace("@STORES@", stores.rstrip("\n"))
    text += other_planes(plan.hyper)
    text = text.replace("@CLOSE@", C.literal(plan.close * plan.close))
    text = text.replace("@WIDE@", "large(m, x0, y0, ldy)" if plan.far and plan.far.steps else "0")
    text = text.replace("@FAR@", _far(plan.far))
    return "\n".join([*pieces, text.replace("@ENTRY@", C.literal(plan.entry * plan.entry))])


def _far(rule: FarRule | None) -> str:
    """The marks of pairs of large variances in front of a layer."""
    if rule is None or rule.sound == rule.parallel == inf:
        return ""
    sound, parallel = (
        "INFINITY" if v == inf else C.literal(v) for v in (rule.sound, rule.parallel)
    )
    text = FAR.replace("@SOUND@", sound).replace("@PARALLEL@", parallel)
    return text.replace("@SINE@", C.literal(rule.sine * rule.sine))


def other_planes(hyper: tuple[str, ...]) -> str:
    """The table `other_plane`: where each plane goes when the two points change places."""
    return "\n" + OTHER.replace("@OTHER@", ", ".join(map(str, planes(hyper)[1])))


def listed(hyper: tuple[str, ...]) -> str:
    """The lines of a comment that number the planes."""
    return "\n".join(f" *   {i}: {n}" for i, n in enumerate(planes(hyper)[0]))


def _tables(plan: GradientPlan) -> str:
    count, hyper = len(plan.steps), len(plan.hyper)
    outs = max([1, *(len(k.pair.outputs) for k in plan.kinds)])
    text = f"enum {{ LAYERS = {count}, LANES = {LANES}, HYPER = {hyper}, DIRS = {4 + hyper},\n"
    text += (
        f"       STATS = {4 + hyper}, OUTS = {outs}, PLANES = {len(planes(plan.hyper)[0])} }};\n\n"
    )
    spans = [[(k, t) for k, _, t in plan.steps]]
    if plan.far and plan.far.steps:
        spans.append(list(plan.far.steps))
    for label, at in (("kind", 0), ("turn", 1)):
        lists = (", ".join(str(int(step[at])) for step in span) or "0" for span in spans)
        every = ", ".join(f"{{{one}}}" for one in lists)
        text += f"static const unsigned char layer_{label}[{len(spans)}][LAYERS + !LAYERS] = "
        text += f"{{{every}}};\n"
    kinked = ", ".join(str(int(k.kind == "kinked")) for k in plan.kinds) or "0"
    text += f"static const unsigned char kind_kinked[] = {{{kinked}}};\n"
    mirrors = ", ".join(str(k.mirror) for k in plan.kinds) or "0"
    text += f"static const signed char kind_mirror[] = {{{mirrors}}};\n"
    formed = ", ".join(str(int(k.kind != "scaled")) for k in plan.kinds) or "0"
    text += f"static const unsigned char kind_formed[] = {{{formed}}};\n"
    if not plan.numbered:
        return text + kept_numbers(max(1, count * plan.width))
    text += f"static const double layer_value[LAYERS + !LAYERS][{plan.width}] = {{\n"
    rows = ["  {" + ", ".join(map(C.literal, row)) + "}" for row in plan.rows]
    return text + (",\n".join(rows) or "  {0}") + "\n};\n"


def _layer(k: int, kind: GradientKind) -> str:
    """The function of a kind of layer on a row of pairs: `out_` in the order of its outputs."""
    places = {"q12": "now_[0][i]", "root": "now_[1][i]", "t12": "now_[2][i]", "diff": "now_[3][i]"}
    for at, name in (("q", "q"), ("n", "n"), ("r", "r"), ("s", "s")):
        places |= {f"{name}11": f"{at}x_", f"{name}22": f"{at}y_[i]"}
    places |= {p: f"v_[{j}]" for j, p in enumerate(kind.params)}
    ends = {label: f"out_[{j}][i]" for j, label in enumerate(kind.labels)}
    signature = [f"double {a}x_" for a in "qnrs"] + [f"const double *{a}y_" for a in "qnrs"]
    signature += [f"double (*NTKSYM_RESTRICT now_)[{LANES}]", "const double *v_"]
    signature.append(f"double (*NTKSYM_RESTRICT out_)[{LANES}]")
    return block_function(kind.pair, f"layer{k}", signature, places, ends, C)


def _moves(k: int, kind: GradientKind, hyper: tuple[str, ...]) -> str:
    """The function that carries every direction through a kind of layer."""
    at = {label: f"o[{j}][i]" for j, label in enumerate(kind.labels)}
    text = wrap(
        f"NTKSYM_BLOCK_FUNCTION void moves{k}(",
        ["size_t m", "int turn", "double rx", "const double *x", "const double *xn",
         "const double *y",
         "const double *yn", "size_t ldy", "const double *ry",
         "double (*NTKSYM_RESTRICT now)[LANES]",
         "double (*NTKSYM_RESTRICT o)[LANES]", "double (*NTKSYM_RESTRICT mc)[LANES]",
         "double (*NTKSYM_RESTRICT mt)[LANES]", "double (*NTKSYM_RESTRICT ma)[LANES]",
         "double (*NTKSYM_RESTRICT w)[LANES]"],
    )  # fmt: skip
    text += "\n{\n  const double hx = 0.5 / x[0], hxn = 0.5 / xn[0];\n"
    for d, name in enumerate((*DIRECTIONS, *hyper)):
        text += _move(d, name, kind.kind, at)
    used = "(void)rx;\n  (void)ry;\n  (void)hx;\n  (void)hxn;\n  (void)now;\n  (void)w;"
    return text + f"  {used}\n  (void)turn;\n  (void)yn;\n}}\n"


def _move(d: int, name: str, kind: str, at: dict[str, str]) -> str:
    first = "x[3]" if d == 0 else f"x[{d}]" if d > 3 else ""
    second = "y[3 * ldy + i]" if d == 2 else f"y[{d} * ldy + i]" if d > 3 else ""
    if name == "q12":
        n = _sum([(at.get("n_q"), "c")])
        t = _sum([(at.get("t_q"), "c"), (at.get("t_t"), f"mt[{d}][i]")])
        return _loop("", d, n, t, "", "", "")
    third = "c" if kind == "smooth" else "a"
    opens = name == APART and kind != "smooth"
    if name == "polar angle":
        rows = [("a", third)]
    else:
        rows = [("x", first and "dx"), ("a", third), ("y", second and "dy")]
        rows.append((f"of_{name}", "1"))
    n = _sum([(at.get(f"n_{k}"), v) for k, v in rows])
    t = _sum([(at.get(f"t_{k}"), v) for k, v in rows] + [(at.get("t_t"), f"mt[{d}][i]")])
    if opens:
        n += f" - (open == 0.0 ? 0.0 : {at['n_q']} * open)"  # of a jump both slopes are infinite
        t += f" - (open == 0.0 ? 0.0 : {at.get('t_q', '0.0')} * open)"
    if name == "polar angle":
        turn = ANGLE.replace("@NQ@", at["n_q"])
    elif kind == "scaled":
        size = [("e_l", "lev"), ("e_n", "levn"), ("e_d", "unlike"), (f"e_of_{name}", "1")]
        rest = _sum([(at.get(k), v) for k, v in size])
        swing = "a" if opens else "now[1][i] * a"
        turn = SCALED.replace("@SWING@", swing).replace("@NQ@", at["n_q"]).replace("@REST@", rest)
    else:
        turn = FORMED.replace("@N@", at["n"])
    text = MOVE.replace("@OPEN@", OPEN if opens else "")
    return _loop(text.replace("@KEPT@", KEPT if opens else ""), d, n, t, first, second, turn)


def _loop(text: str, d: int, n: str, t: str, first: str, second: str, turn: str) -> str:
    after = f"xn{first[1:]}" if first else "0.0"
    text = text.replace("@TURN@", turn) or _PLAIN
    text = text.replace("@DXN@", after).replace("@DYN@", f"yn{second[1:]}" if second else "0.0")
    text = text.replace("@DX@", first or "0.0").replace("@DY@", second or "0.0")
    return text.replace("@N@", n).replace("@T@", t).replace("@D@", str(d))


_PLAIN = """  for (size_t i = 0; i < m; ++i) {
    const double c = mc[@D@][i];
    mc[@D@][i] = @N@;
    mt[@D@][i] = @T@;
  }
"""


def _sum(terms: list[tuple[str | None, str]]) -> str:
    """The sum of products of what is there.

    Collinear pairs that stay so have a direction 0 of the angle, and perhaps an infinite slope.
    """
    turned = "(a == 0.0 ? 0.0 : {} * a)"
    kept = [
        a if v == "1" else turned.format(a) if v == "a" else f"{a} * {v}"
        for a, v in terms
        if a is not None and v
    ]
    return " + ".join(kept) or "0.0"


def _stores(hyper: tuple[str, ...]) -> list[tuple[str, str]]:
    """What each output plane is."""
    rows = [("nngp", "now[0][i]"), ("ntk", "now[2][i]")]
    for label, m in (("nngp", "mc"), ("ntk", "mt")):
        rows += [(f"{label}/{name}", f"{m}[{d}][i]") for d, name in enumerate(DIRECTIONS)]
        rows += [(f"{label}/{name}", f"{m}[{4 + h}][i]") for h, name in enumerate(hyper)]
        for d, name, factor in ((0, "q11", "half"), (2, "q22", "half_y[i]")):
            rows.append(
                (f"{label}/{name}", f"{m}[{d}][i] * in[0] - {m}[3][i] * (c0[i] * {factor})")
            )
    return rows
