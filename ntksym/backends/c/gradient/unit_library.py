r"""C of the kernels of a network of units and their derivatives: what an export adds to it.

Forward mode in the variances at a fixed angle, and in the covariance at fixed variances:
$dK = K_xdq_{11} + K_ydq_{22} + \dot K\delta$ with $\delta = dq_{12} - \tfrac12q_{12}
(dq_{11}/q_{11} + dq_{22}/q_{22})$, and the same for $\dot K$; none of these cancels for nearly
parallel rows of large variances.  Pairs go through in tiles, so that the derivatives of a table in
either variance are asked for in runs of one variance.
"""

from __future__ import annotations

from dataclasses import dataclass

from ....lower.program import Program
from ..._base import SourceFile, identifier
from ..backend import C, Contract
from ..blocks import LANES, block_function
from .file import other_planes, planes
from .library import entries, first_layer, levels
from .text import ROWS_APART
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
    """

    name: str
    kinds: tuple[tuple[UnitSlopes, bool], ...]
    rules: tuple[Program, ...]
    steps: tuple[tuple[int, int, tuple[float, ...]], ...]
    hyper: tuple[str, ...]
    first: tuple[Program | None, ...]
    first_values: tuple[float, ...]


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
    pieces += [_HALF, *(_rule(r, p) for r, p in enumerate(plan.rules))]
    pieces += [_layer(plan, j, *pair) for j, pair in enumerate(both)]
    sides, cases = "", ""
    for j in range(len(both)):
        sides += f"        case {j}:\n          side{j}(b, now, v, o);\n          break;\n"
        cases += _CASE.replace("@J@", str(j))
    pieces.append(levels(sides, "layer_kind[l]"))
    stores = "".join(
        _STORE.replace("@P@", str(i)).replace("@VALUE@", _plane(label, plan.hyper))
        for i, label in enumerate(planes(plan.hyper)[0])
    )
    pieces += [_TILES.replace("@CASES@", cases).replace("@STORES@", stores)]
    pieces.append(other_planes(plan.hyper))
    inside = {"@TILE@": _TILE, "@PAIR@": _PAIR, "@SPACE@": "SPACE", "@CLOSE@": _CLOSE}
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
    return f"""enum {{
  LAYERS = {count}, LANES = {LANES}, HYPER = {hyper}, DIRS = {3 + hyper}, STATS = {4 + hyper},
  OUTS = {outs}, PLANES = {len(planes(plan.hyper)[0])}
}};
/* The parts of the space of a tile, matrices of LANES x LANES: covariance, NTK, root of the
 * determinant; K, its derivative dual, their derivatives, those in variances at a fixed angle; in
 * each direction what the covariance moves by beside that, after the last layer in all, and the
 * NTK. */
enum {{ COV, NTK, ROOT, K0, D0, K1, K2, D1, D12, D2, COV0, ROOT0, GIVEN, DC, DT = DC + DIRS,
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
    text = _BY_NODES if kind.in_c else _BY_VALUES
    sides = _SIDE_NODES if kind.in_c else _SIDE_MOVES if kind.moves else _SIDE_STEPS
    own = _MOVED.replace("@NK@", at["nngp_K"]).replace("@TK@", at["ntk_K"])
    own = own.replace("@TD@", at["ntk_Kdot"]).replace("@TT@", at["ntk_t12"])
    moves = ""
    for d, name in enumerate(("q11", "q12", "q22", *plan.hyper)):
        first = "x[3]" if d == 0 else f"x[{d + 1}]" if d > 2 else ""
        second = "y[3 * ldy + l]" if d == 2 else f"y[{d + 1} * ldy + l]" if d > 2 else ""
        parts = [f" + s[{p}1][at + l] * {first}" if first else "" for p in "KD"]
        rest = [f" + s[{p}2][at + l] * {second}" if second else "" for p in "KD"]
        swing = " + ".join(
            f"{w} * {end.replace('x[', 'xn[').replace('y[', 'yn[')}"
            for w, end in (("half", first), ("half_y[l]", second))
            if end
        )
        move = own.replace("@D@", str(d)).replace("@TURN@", _TURNED if swing else "c")
        move = move.replace("@SWING@", swing)
        for i, mark in enumerate(("@OFK@", "@OFD@")):
            move = move.replace(mark, parts[i] + rest[i])
        for label, mark in (("nngp", "@NH@"), ("ntk", "@TH@")):
            given = at.get(f"{label}_{name}")
            move = move.replace(mark, f" + o[{given}][l]" if given else "")
        moves += move
    hyper = "".join(
        f"    out[{3 + h}][l] = o[{at[f'nngp_{name}']}][l];\n"
        for h, name in enumerate(plan.hyper)
        if f"nngp_{name}" in at
    )
    text = (_LAYER + _SIDE).replace("@SLOPES@", text).replace("@SIDES@", sides)
    text = text.replace("@MOVES@", moves).replace("@HYPER@", hyper)
    for mark, value in (
        ("@TURNS@", f"{'smooth_' * smooth}turns{k}"),
        ("@STEM@", f"dual{k}"),
        ("@N@", at["nngp"]),
        ("@T@", at["ntk"]),
        ("@NK@", at["nngp_K"]),
        ("@K@", str(k)),
        ("@R@", str(r)),
        ("@J@", str(j)),
    ):
        text = text.replace(mark, value)
    return text


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


_HALF = """\
/* 1/(2 q); 0 for rows of zeros, whose covariances are 0. */
static double half_over(double q) { return q == 0.0 ? 0.0 : 0.5 / q; }
"""

_LAYER = """\
/* A layer on a tile of m columns, a multiple of 8: x has `width` numbers for each row, y rows of
 * ldy numbers; in either, the numbers of the next level are STATS of them further on. */
NTKSYM_BLOCK_FUNCTION void layer@J@(size_t rows, size_t m, const double *tx, size_t width,
                                    const double *y, size_t ldy, const double *v,
                                    int last, double (*s)[LANES * LANES])
{
  double q[LANES];
@SLOPES@  for (size_t i = 0; i < rows; ++i) {
    const double *x = tx + i * width, *xn = x + STATS, *yn = y + STATS * ldy;
    const double half = half_over(xn[0]);
    const size_t at = i * LANES;
    double o[OUTS][LANES], half_y[LANES];
    int alike[LANES];
    (void)half;
    rule@R@(m, s[K0] + at, s[D0] + at, s[NTK] + at, v, o);
    for (size_t l = 0; l < m; ++l) {
      const double c = s[COV][at + l], reach = xn[1] * yn[ldy + l]; /* the dual may err beyond */
      const double next = ntksym_op_clamp(o[@N@][l], -reach, reach);
      const int same = (s[ROOT][at + l] == 0.0) & (x[0] == y[l]) & (c > 0.0);
      s[COV][at + l] = same ? xn[0] : next;
      const int near = fabs(s[NTK][at + l] - x[2]) <= 0x1p-40 * fabs(x[2]);
      s[NTK][at + l] = same & near ? xn[2] : o[@T@][l];
      s[ROOT][at + l] = same ? 0.0 : ntksym_op_rootdet(xn[0], next, yn[l]);
      half_y[l] = half_over(yn[l]);
      alike[l] = same;
    }
@MOVES@  }
}

"""

_BY_NODES = r"""  for (size_t i = 0; i < rows; ++i) {
    const size_t at = i * LANES;
    double rows5[5 * LANES];
    for (size_t l = 0; l < m; ++l) q[l] = tx[i * width];
    pairs@K@(m, q, s[COV] + at, y, s[ROOT] + at, s[K0] + at, s[D0] + at);
    polar@K@(m, q, s[COV] + at, y, s[ROOT] + at, s[D0] + at, rows5);
    for (size_t k = 0; k < 5; ++k) memcpy(s[K1 + k] + at, rows5 + k * m, m * sizeof *q);
  }
"""
"""From the derivatives of sums over nodes."""

_BY_VALUES = """\
  double c[LANES], r[LANES], k[LANES] = {0.0}, of_k[LANES], of_d[LANES], unused[3][LANES];
  for (size_t i = 0; i < rows; ++i) {
    const size_t at = i * LANES;
    for (size_t l = 0; l < m; ++l) q[l] = tx[i * width];
    pairs@K@(m, q, s[COV] + at, y, s[ROOT] + at, s[K0] + at, s[D0] + at);
    moves@K@(m, q, s[COV] + at, y, s[ROOT] + at, s[K0] + at, s[K1] + at, s[D1] + at);
    @TURNS@(m, q, s[COV] + at, y, s[ROOT] + at, unused[0], unused[1], unused[2], s[D12] + at);
  }
  for (size_t j = 0; j < m; ++j) {
    double x[LANES];
    for (size_t i = 0; i < rows; ++i) {
      const size_t e = i * LANES + j;
      q[i] = y[j];
      x[i] = tx[i * width];
      c[i] = s[COV][e];
      r[i] = s[ROOT][e];
      k[i] = s[K0][e];
    }
    moves@K@(rows, q, c, x, r, k, of_k, of_d);
    for (size_t i = 0; i < rows; ++i) {
      s[K2][i * LANES + j] = of_k[i];
      s[D2][i * LANES + j] = of_d[i];
    }
  }
"""
"""From slopes in the variances at a fixed angle, and in the angle of the values."""

_MOVED = """    for (size_t l = 0; l < m; ++l) {
      const double turn = s[DC + @D@][at + l];
      const double of_k = s[D0][at + l] * turn@OFK@;
      const double of_d = s[D12][at + l] * turn@OFD@;
      const double c = o[@NK@][l] * of_k@NH@;
      s[DC + @D@][at + l] = @TURN@;
      s[DT + @D@][at + l] = o[@TK@][l] * of_k + o[@TD@][l] * of_d
                            + o[@TT@][l] * s[DT + @D@][at + l]@TH@;
    }
"""
"""One direction through a layer."""

_TURNED = "last ? c : alike[l] ? 0.0 : c - s[COV][at + l] * (@SWING@)"
"""What rounding leaves at equal points is not nothing: it would be enlarged by the slopes there."""

_SIDE = """\
/* The same on points: the variance, the NTK, the slope of the variance, its derivatives in the
 * hyper-parameters. */
NTKSYM_BLOCK_FUNCTION void side@J@(size_t b, double (*now)[LANES], const double *v,
                                   double (*out)[LANES])
{
  const size_t m = NTKSYM_ROUND_UP(b);
  double k[LANES], d[LANES], of_k[LANES], o[OUTS][LANES];
  sides@K@(m, now[0], k, d);
@SIDES@  rule@R@(m, k, d, now[1], v, o);
  for (size_t l = 0; l < m; ++l) {
    out[0][l] = o[@N@][l];
    out[1][l] = o[@T@][l];
    out[2][l] = o[@NK@][l] * of_k[l];
@HYPER@  }
}
"""

_SIDE_NODES = """  double both[2 * LANES];
  side_slopes@K@(m, now[0], both);
  memcpy(of_k, both, m * sizeof *both);
"""
_SIDE_MOVES = """  double of_d[LANES], none[LANES];
  memset(none, 0, sizeof none);
  moves@K@(m, now[0], now[0], now[0], none, k, of_k, of_d);
  for (size_t l = 0; l < m; ++l) of_k[l] *= 2.0;
"""
_SIDE_STEPS = """  double of_d[LANES];
  @STEM@_side_steps(m, now[0], of_k, of_d);
"""

_CASE = """      case @J@:
        layer@J@(rows, m, tx + l * STATS, width, y, ldy, layer_value[l], l + 1 == LAYERS,
                s);
        break;
"""

_STORE = """      for (size_t k = 0, e = i * LANES; k < b; ++k, ++e) {
        const double half_y = half_over(ty[k]);
        (void)half_y;
        to[@P@ * plane + k] = @VALUE@;
      }
"""

_TILES = """\
/* A tile of rows x b pairs from inner products, rows of LANES of s[GIVEN]: its first layer, all
 * others, and the output planes, whose rows are `apart` numbers apart; px is NULL where the rows
 * themselves are not known. */
NTKSYM_BLOCK_FUNCTION void tile(size_t rows, size_t b, size_t d, const double *px,
                                const double *py, const double *g11, const double *g22,
                                const double *tx, size_t width, const double *ty, size_t ldy,
                                const double *in, double *space, double *out, size_t apart,
                                size_t plane)
{
  double(*s)[LANES * LANES] = (double(*)[LANES * LANES])space;
  const size_t m = NTKSYM_ROUND_UP(b);
  const double a = in[0];
  for (size_t i = 0; i < rows; ++i) {
    const double half = half_over(tx[i * width]);
    for (size_t k = 0; k < m; ++k) {
      const size_t j = k < b ? k : b - 1, e = i * LANES + k;
      double g = s[GIVEN][i * LANES + j], area = ntksym_op_rootdet(g11[i], g, g22[j]), unlike;
      double gap = ntksym_op_max((g11[i] - g) + (g22[j] - g), 0.0);
      if (px && area * area <= 0.01 * g11[i] * g22[j])
        rows_apart(d, px + i * d, py + j * d, g11[i], &g, &area, &gap, &unlike);
      const double span = a * area, side = sqrt(a * in[1] * gap);
      const double large = span > side ? span : side, less = (span > side ? side : span) / large;
      const double root = large > 0.0 ? large * sqrt(1.0 + less * less) : span + side;
      const double c = a * g + in[1], over = root == 0.0 ? 0.0 : 1.0 / root;
      const double half_y = half_over(ty[j]);
      s[COV][e] = s[COV0][e] = c;
      s[NTK][e] = in[2] * g + in[3];
      s[ROOT][e] = s[ROOT0][e] = root;
      s[DC][e] = s[DC + 2][e] = 0.0;
      s[DC + 1][e] = a;
      s[DT][e] = in[2] / a * (c * half);
      s[DT + 1][e] = in[2];
      s[DT + 2][e] = in[2] / a * (c * half_y);
      for (size_t h = 0; h < HYPER; ++h) {
        const double *rise = in + 4 + 4 * h, along = rise[0] * g + rise[1];
        const double up = a * rise[0] * area * (area * over) +
                          0.5 * (rise[0] * in[1] + a * rise[1]) * (gap * over);
        s[DC + 3 + h][e] = root * (root * along * (2.0 * half) - up * (c * 2.0 * half)) *
                           (2.0 * half_y);
        s[DT + 3 + h][e] = rise[2] * g + rise[3];
      }
    }
  }
  for (size_t l = 0; l < LAYERS; ++l) {
    const double *y = ty + l * STATS * ldy;
    switch (layer_kind[l]) {
@CASES@      default:
        break;
    }
  }
  for (size_t i = 0; i < rows; ++i) {
    const double half = half_over(tx[i * width]);
    double *to = out + i * apart;
@STORES@  }
}
"""

_TILE = """      for (size_t i = 0; i < rows; ++i) {
        for (size_t k = 0; k < b; ++k)
          space[GIVEN * LANES * LANES + i * LANES + k] =
              inner(d, x + (at + i) * d, others + (j + k) * d);
        if (close) memset(close + (at + i) * many + j, 0, b);
      }
      tile(rows, b, d, x + at * d, others + j * d, g11, g22, tx, width, ty, LANES, in, space,
           out + at * many + j, many, plane);
"""

_PAIR = """    space[GIVEN * LANES * LANES] = g12[i];
    tile(1, 1, 0, NULL, NULL, g11 + i, g22 + i, tx, width, tx + 8 * width, 8, in, space, out + i, n,
         n);
    if (close) close[i] = 0;
"""

_CLOSE = """\
close is NULL or has n x m bytes, which become 0: no pair is left out.
 * """
