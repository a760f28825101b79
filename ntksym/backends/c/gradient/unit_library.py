r"""C of the kernels of a network of units and their derivatives: what an export adds to it.

Forward mode in the variances at a fixed angle, and in the covariance at fixed variances:
$dK = K_xdq_{11} + K_ydq_{22} + \dot K\delta$ with $\delta = dq_{12} - \tfrac12q_{12}
(dq_{11}/q_{11} + dq_{22}/q_{22})$, and the same for $\dot K$; none of these cancels for nearly
parallel rows of large variances.  Pairs go through in tiles, so that the derivatives of a table in
either variance are asked for in runs of one variance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ....lower.program import Program
from ..._base import SourceFile, identifier
from ..backend import C, Contract
from ..blocks import LANES, block_function
from .file import APART, other_planes, planes
from .library import entries, first_layer, levels
from .text import ROWS_APART
from .unit_text import (
    BEND_NODES,
    BEND_VALUES,
    BY_NODES,
    BY_VALUES,
    CASE,
    CLOSE,
    ENDLESS,
    ENDS,
    HALF,
    LAYER,
    MOVED,
    PAIR,
    SIDE,
    SIDE_MOVES,
    SIDE_NODES,
    SIDE_STEPS,
    STORE,
    TILE,
    TILES,
    TURNED,
)
from .units import UnitSlopes, units_head, units_text

CARRIED = ("K", "Kdot", "t12")
"""The first arguments of the program of a layer."""


@dataclass(frozen=True, slots=True)
class UnitGradientPlan:
    """A network of units for the generator.

    Attributes:
        name: of the functions: `ntksym_<name>_gradient`.
        kinds: the units, and whether each is smooth: no kink at all.
        rules: the programs of what comes after a dual: `CARRIED` and numbers to both kernels and
            their derivatives in all these.
        steps: of each layer the kind, the rule and its numbers.
        hyper: the hyper-parameters, in order.
        first: the affine first layer, and its derivatives in each of `hyper`, None where 0.
        first_values: its numbers after the dimension.
        own: of each kind, for parameters p with s(x) = p^m f(p^n x): p, m and n.
    """

    name: str
    kinds: tuple[tuple[UnitSlopes, bool], ...]
    rules: tuple[Program, ...]
    steps: tuple[tuple[int, int, tuple[float, ...]], ...]
    hyper: tuple[str, ...]
    first: tuple[Program | None, ...]
    first_values: tuple[float, ...]
    own: tuple[Mapping[str, tuple[float, float, float]], ...] = ()


def unit_gradient_library(plan: UnitGradientPlan, contract: Contract) -> SourceFile:
    """The C file with `ntksym_<name>_gradient`, `_gradient_pairs` and the names of the planes.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    name = identifier(plan.name, set()).rstrip("_")
    kinds = tuple(kind for kind, _ in plan.kinds)
    first = tuple(p for p in plan.first if p is not None)
    both = list(dict.fromkeys((k, r) for k, r, _ in plan.steps))
    units = units_text(kinds).replace("void ntksym_units_", "NTKSYM_BLOCK_FUNCTION void ")
    pieces = [units_head(kinds, contract, (*first, *plan.rules)), "#include <stdlib.h>\n", units]
    pieces += [_numbers(plan, both), first_layer(plan.first, plan.first_values), ROWS_APART]
    pieces += [HALF, *(_rule(r, p) for r, p in enumerate(plan.rules))]
    pieces += [_layer(plan, j, *pair) for j, pair in enumerate(both)]
    sides, cases = "", ""
    for j, (k, _) in enumerate(both):
        sides += f"        case {j}:\n          side{j}(b, now, v, o);\n          break;\n"
        case = CASE.replace("@ENDS@", "" if plan.kinds[k][1] else ENDS)
        cases += case.replace("@J@", str(j))
    pieces.append(levels(sides, "layer_kind[l]"))
    stores = "".join(
        STORE.replace("@P@", str(i)).replace("@VALUE@", _plane(label, plan.hyper))
        for i, label in enumerate(planes(plan.hyper)[0])
    )
    pieces += [TILES.replace("@CASES@", cases).replace("@STORES@", stores)]
    pieces.append(other_planes(plan.hyper))
    inside = {"@TILE@": TILE, "@PAIR@": PAIR, "@SPACE@": "SPACE", "@CLOSE@": CLOSE}
    pieces.append(entries(f"ntksym_{name}_gradient", plan.hyper, inside))
    return SourceFile(f"{name}_gradient.c", "\n".join(pieces))


def _numbers(plan: UnitGradientPlan, both: list[tuple[int, int]]) -> str:
    """Sizes, and which layer is what with which numbers."""
    hyper, count = len(plan.hyper), len(plan.steps)
    outs = max(len(p.outputs) for p in plan.rules)
    width = max([1, *(len(values) for _, _, values in plan.steps)])
    kinds = ", ".join(str(both.index((k, r))) for k, r, _ in plan.steps)
    rows = [[*values, *[0.0] * (width - len(values))] for _, _, values in plan.steps]
    lines = ",\n".join("  {" + ", ".join(map(C.literal, row)) + "}" for row in rows)
    ends = "" if all(smooth for _, smooth in plan.kinds) else " ENDS,"
    return f"""enum {{
  LAYERS = {count}, LANES = {LANES}, HYPER = {hyper}, DIRS = {3 + hyper}, STATS = {4 + hyper},
  OUTS = {outs}, PLANES = {len(planes(plan.hyper)[0])}
}};
/* The parts of the space of a tile, matrices of LANES x LANES: covariance, NTK, root of the
 * determinant; K, its derivative dual, their derivatives, those in variances at a fixed angle; in
 * each direction what the covariance moves by beside that, after the last layer in all, and the
 * NTK. */
enum {{ COV, NTK, ROOT, K0, D0, K1, K2, D1, D12, D2, COV0, ROOT0, GIVEN,{ends} DC, DT = DC + DIRS,
       PARTS = DT + DIRS, SPACE = PARTS * LANES * LANES }};

static const unsigned char layer_kind[LAYERS] = {{{kinds}}};
static const double layer_value[LAYERS][{width}] = {{
{lines}
}};
"""


def _rule(r: int, p: Program) -> str:
    """The function of a rule on a row of pairs: `out_` in the order of its outputs."""
    places = dict(zip(CARRIED, ("k_[i]", "d_[i]", "t_[i]"), strict=True))
    places |= {a: f"v_[{j}]" for j, a in enumerate(p.args[len(CARRIED) :])}
    ends = {label: f"out_[{j}][i]" for j, (label, _) in enumerate(p.outputs)}
    signature = ["const double *k_", "const double *d_", "const double *t_", "const double *v_"]
    signature.append(f"double (*NTKSYM_RESTRICT out_)[{LANES}]")
    return block_function(p, f"rule{r}", signature, places, ends, C)


def _layer(plan: UnitGradientPlan, j: int, k: int, r: int) -> str:
    """`layer<j>` on a tile and `side<j>` on points."""
    kind, smooth = plan.kinds[k]
    at = {label: str(i) for i, (label, _) in enumerate(plan.rules[r].outputs)}
    text = BY_NODES if kind.in_c else BY_VALUES
    sides = SIDE_NODES if kind.in_c else SIDE_MOVES if kind.moves else SIDE_STEPS
    own = MOVED.replace("@NK@", at["nngp_K"]).replace("@TK@", at["ntk_K"])
    own = own.replace("@TD@", at["ntk_Kdot"]).replace("@TT@", at["ntk_t12"])
    own_p = plan.own[k] if plan.own else {}
    moves, ends = "", "" if smooth else " + s[ENDS][at + l]"
    for d, name in enumerate(("q11", "q12", "q22", *plan.hyper)):
        first = "x[3]" if d == 0 else f"x[{d + 1}]" if d > 2 else ""
        second = "y[3 * ldy + l]" if d == 2 else f"y[{d + 1} * ldy + l]" if d > 2 else ""
        parts = [f" + s[{p}1][at + l] * {first}" if first else "" for p in "KD"]
        rest = [f" + s[{p}2][at + l] * {second}" if second else "" for p in "KD"]
        if name in own_p:
            parts = [f"{a} + {b}" for a, b in zip(parts, _scaled(*own_p[name]), strict=True)]
        swing = " + ".join(
            f"{w} * {end.replace('x[', 'xn[').replace('y[', 'yn[')}"
            for w, end in (("half", first), ("half_y[l]", second))
            if end
        )
        move = own.replace("@D@", str(d)).replace("@TURN@", TURNED if swing else "c")
        move = move.replace("@SWING@", swing)
        for i, mark in enumerate(("@OFK@", "@OFD@")):
            move = move.replace(mark, parts[i] + rest[i] + (ends if i and name == APART else ""))
        for label, mark in (("nngp", "@NH@"), ("ntk", "@TH@")):
            given = at.get(f"{label}_{name}")
            move = move.replace(mark, f" + o[{given}][l]" if given else "")
        moves += move
    hyper = "".join(
        f"    out[{3 + h}][l] = o[{at[f'nngp_{name}']}][l];\n"
        for h, name in enumerate(plan.hyper)
        if f"nngp_{name}" in at
    )
    for h, name in enumerate(plan.hyper):
        if name in own_p:
            p, m, n = own_p[name]
            first, more = (C.literal(2.0 * v / p) for v in (m, n))
            more = f"{first} * k[l] + {more} * now[0][l] * of_k[l]"
            hyper += f"    out[{3 + h}][l] = o[{at['nngp_K']}][l] * ({more});\n"
    endless = "" if smooth else ENDLESS.replace("@BEND@", BEND_NODES if kind.in_c else BEND_VALUES)
    text = (endless + LAYER + SIDE).replace("@SLOPES@", text).replace("@SIDES@", sides)
    text = text.replace("@MOVES@", moves).replace("@HYPER@", hyper)
    for mark, value in (
        ("@TURNS@", f"{'smooth_' * smooth}turns{k}"),
        ("@STEM@", f"dual{k}"),
        ("@BIAS@", str(3 + plan.hyper.index(APART))),
        ("@N@", at["nngp"]),
        ("@T@", at["ntk"]),
        ("@NK@", at["nngp_K"]),
        ("@K@", str(k)),
        ("@R@", str(r)),
        ("@J@", str(j)),
    ):
        text = text.replace(mark, value)
    return text


def _scaled(p: float, m: float, n: float) -> tuple[str, str]:
    """The slopes of both duals of p^m f(p^n x) in p, from those in the variances."""
    found = []
    for k, power in (("K", m), ("D", m + n)):
        by = f"x[0] * s[{k}1][at + l] + y[l] * s[{k}2][at + l]"
        own = f"{C.literal(2.0 * power / p)} * s[{k}0][at + l]"
        found.append(f"({own} + {C.literal(2.0 * n / p)} * ({by}))")
    return found[0], found[1]


def _plane(label: str, hyper: tuple[str, ...]) -> str:
    """What an output plane is, at the place `e` of a tile."""
    if label in ("nngp", "ntk"):
        return "s[COV][e]" if label == "nngp" else "s[NTK][e]"
    kernel, name = label.split("/")
    part = "DC" if kernel == "nngp" else "DT"
    if name.startswith("polar"):
        if name == "polar angle":
            return f"-s[ROOT0][e] * (s[{part} + 1][e] / a)"
        return f"s[{part} + {0 if name == 'polar q11' else 2}][e]"
    if name in ("q11", "q22"):
        d, side = (0, "half") if name == "q11" else (2, "half_y")
        return f"s[{part} + {d}][e] * a - s[{part} + 1][e] * (s[COV0][e] * {side})"
    return f"s[{part} + {1 if name == 'q12' else 3 + hyper.index(name)}][e]"
