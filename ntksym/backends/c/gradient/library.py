r"""C of a network's kernels and derivatives that stands alone: what an export adds to a network.

`gradient.file` has the arithmetic of pairs; here are the first layer, tables of points, which the
runtime fills with NumPy, and entry points for rows and for inner products.
"""

from __future__ import annotations

from math import inf

from ....lower.program import Program
from ..._base import SourceFile, identifier
from ...text import filled
from ..backend import C, Contract, head, inline_function
from ..blocks import LANES, block_function
from ..helpers.header import HEADER_NAME
from .dual import named
from .file import FarRule, GradientPlan, core, listed, planes

FIRST_LAYER = ("nngp_slope", "nngp_offset", "ntk_slope", "ntk_offset")


def gradient_library(plan: GradientPlan, contract: Contract) -> SourceFile:
    """The C file with `ntksym_<name>_gradient`, `_gradient_pairs` and the names of the planes.

    Raises:
        UnsupportedOp: an operation without a spelling.
    """
    name = identifier(plan.name, set()).rstrip("_")
    sides = tuple(kind.side for kind in plan.kinds)
    pairs = tuple(kind.pair for kind in plan.kinds)
    first = tuple(dict.fromkeys(p for p in plan.first if p is not None))
    pieces = [head(contract, (*first, *pairs, *sides))]
    pieces.append(f'#include "{HEADER_NAME}"\n#include <stdlib.h>\n')
    pieces.append(core(plan, sides))
    pieces.append(first_layer(plan.first, plan.first_values))
    pieces += [_side(k, plan) for k in range(len(plan.kinds))]
    cases = "".join(
        f"        case {k}:\n          side{k}(b, now, v, o);\n          break;\n"
        for k in range(len(plan.kinds))
    )
    wide = "beyond(m, now[0])" if plan.far and plan.far.steps else "0"
    pieces.append(levels(cases, f"layer_kind[{wide}][l]"))
    pieces.append(_JUDGED)
    inside = {"@TILE@": _TILE, "@PAIR@": _PAIR, "@SPACE@": "LANES", "@CLOSE@": _closeness(plan.far)}
    stem = f"ntksym_{name}_gradient"
    pieces.append(entries(stem, plan.hyper, inside))
    return SourceFile(f"{name}_gradient.c", "\n".join(pieces))


def _closeness(rule: FarRule | None) -> str:
    """What `close` is, with the variances that it goes by."""
    limits = ""
    if rule and rule.parallel < inf:
        limits += f"Beyond {rule.parallel:.3g} a sine below {rule.sine} is 1.\n * "
    if rule and rule.sound < inf:
        limits += f"Variances beyond {rule.sound:.3g} are 2.\n * "
    return _CLOSE.replace("@LIMITS@", limits)


def entries(stem: str, hyper: tuple[str, ...], inside: dict[str, str]) -> str:
    """The public functions `<stem>`, `<stem>_pairs` and those that name the planes.

    They need `first_layer` and `levels`; `inside` says what is done with a tile of pairs and with
    one pair, what space that takes in doubles, and what `close` is.
    """
    text = _ENTRIES
    text = filled(text, inside)
    names = planes(hyper)[0]
    text = text.replace("@PLANES@", listed(hyper)).replace("@COUNT@", str(len(names)))
    text = text.replace("@NAMED@", named(stem, names))
    return text.replace("@NAME@", stem)


def levels(sides: str, kind: str) -> str:
    """The function `levels`: the cases of its switch, and what it switches on."""
    return _LEVELS.replace("@SIDES@", sides.rstrip("\n")).replace("@KIND@", kind)


def first_layer(first: tuple[Program | None, ...], values: tuple[float, ...]) -> str:
    """The function `first_layer`: the numbers of the first layer and of its derivatives."""
    programs = tuple(dict.fromkeys(p for p in first if p is not None))
    text = "".join(inline_function(p, f"first{k}") + "\n" for k, p in enumerate(programs))
    given = ", ".join(["(double)d", *(C.literal(v) for v in values)])
    text += "static void first_layer(size_t d, double *in)\n{\n"
    text += "  for (size_t i = 0; i < 4 + 4 * HYPER; ++i) in[i] = 0.0;\n  (void)d;\n"
    for h, p in enumerate(first):
        if p is None:
            continue
        ends = [f"&in[{4 * h + FIRST_LAYER.index(label)}]" for label, _ in p.outputs]
        text += f"  first{programs.index(p)}({given}, {', '.join(ends)});\n"
    return text + "}\n"


def _side(k: int, plan: GradientPlan) -> str:
    """The function of a kind of layer on points: variance, NTK, slope, parameters; absent are 0."""
    kind = plan.kinds[k]
    places = {"q": "now_[0][i]", "t12": "now_[1][i]"}
    places |= {p: f"v_[{j}]" for j, p in enumerate(kind.params)}
    order = ("n", "t", "n_q", *(f"n_of_{h}" for h in plan.hyper))
    ends = {label: f"out_[{order.index(label)}][i]" for label, _ in kind.side.outputs}
    signature = [f"double (*NTKSYM_RESTRICT now_)[{LANES}]", "const double *v_"]
    signature.append(f"double (*NTKSYM_RESTRICT out_)[{LANES}]")
    return block_function(kind.side, f"side{k}", signature, places, ends, C)


_LEVELS = r"""/* The tables of b <= LANES points of squared norms g, as `row` reads them:
 * quantity k of point i is table[k * across + i * along].  The last point is repeated up to a
 * multiple of 8. */
static void levels(size_t b, const double *g, const double *in, double *table, size_t across,
                   size_t along)
{
  double now[2][LANES], moves[1 + HYPER][LANES], o[3 + HYPER][LANES];
  const size_t m = NTKSYM_ROUND_UP(b);
  for (size_t i = 0; i < m; ++i) {
    const double x = g[i < b ? i : b - 1];
    now[0][i] = in[0] * x + in[1];
    now[1][i] = in[2] * x + in[3];
    moves[0][i] = 1.0;
    for (size_t h = 1; h <= HYPER; ++h) moves[h][i] = in[4 * h] * x + in[4 * h + 1];
  }
  for (size_t l = 0; l <= LAYERS; ++l) {
    double *to = table + l * STATS * across;
    for (size_t i = 0; i < m; ++i) {
      to[i * along] = now[0][i];
      to[across + i * along] = ntksym_op_sqrt0(now[0][i]);
      to[2 * across + i * along] = now[1][i];
      for (size_t h = 0; h <= HYPER; ++h) to[(3 + h) * across + i * along] = moves[h][i];
    }
    if (l < LAYERS) {
      const double *v = layer_value[l];
      (void)v;
      memset(o, 0, sizeof o);
      switch (@KIND@) {
@SIDES@
        default:
          break;
      }
      for (size_t i = 0; i < m; ++i) {
        now[0][i] = o[0][i];
        now[1][i] = o[1][i];
        moves[0][i] *= o[2][i];
        for (size_t h = 1; h <= HYPER; ++h) moves[h][i] = o[2][i] * moves[h][i] + o[2 + h][i];
      }
    }
  }
}
"""

_JUDGED = """\
/* What is not right is NaN where nobody asks which pairs these are: derivatives, or everything. */
static void judged(size_t b, const unsigned char *marks, double *out, size_t plane,
                   unsigned char *close)
{
  for (size_t i = 0; i < b; ++i)
    if (close)
      close[i] = marks[i] & 2 ? 2 : marks[i];
    else if (marks[i])
      for (size_t p = marks[i] & 2 ? 0 : 2; p < PLANES; ++p) out[p * plane + i] = NAN;
}
"""

_ENTRIES = r"""static double inner(size_t d, const double *x, const double *y)
{
  double total = 0.0;
  for (size_t k = 0; k < d; ++k) total += x[k] * y[k];
  return total;
}

@NAMED@/* Both kernels of the rows of x (n x d) and y (m x d), and their derivatives.
 *
 * With y NULL, x against itself (m is taken as n): symmetric to the last bit, a derivative in q11
 * being the transposed one in q22.  out has @COUNT@ planes of n x m numbers, by rows; q11, q12,
 * q22 are <x, x>, <x, y>, <y, y>, each derivative with the other two fixed; the polar ones are in
 * the variances and the angle of the first layer, finite at equal rows too; weight_var and bias_var
 * are those of all layers at once.
 * @CLOSE@Returns 0, or 1 when memory ran out.  Calls on parts of x may run in threads.
 *
 * Planes:
@PLANES@
 */
int @NAME@(size_t n, size_t m, size_t d, const double *x, const double *y, double *out,
           unsigned char *close)
{
  const size_t width = (LAYERS + 1) * (size_t)STATS, many = y ? m : n, plane = n * many;
  const double *others = y ? y : x;
  double in[4 + 4 * HYPER], g11[LANES], g22[LANES];
  double *tx = (double *)malloc((2 * LANES * width + @SPACE@) * sizeof *tx);
  if (!tx) return 1;
  double *ty = tx + LANES * width, *space = ty + LANES * width;
  first_layer(d, in);
  for (size_t j = 0; j < many; j += LANES) {
    const size_t b = many - j < LANES ? many - j : LANES;
    for (size_t k = 0; k < b; ++k) g22[k] = inner(d, others + (j + k) * d, others + (j + k) * d);
    levels(b, g22, in, ty, LANES, 1);
    for (size_t at = 0; at < (y ? n : j + b); at += LANES) {
      const size_t rows = n - at < LANES ? n - at : LANES;
      for (size_t i = 0; i < rows; ++i) g11[i] = inner(d, x + (at + i) * d, x + (at + i) * d);
      levels(rows, g11, in, tx, 1, width);
@TILE@    }
  }
  free(tx);
  for (size_t p = 0; !y && p < PLANES; ++p)
    for (size_t i = 0; i < n; ++i)
      for (size_t k = i; k < n; ++k)
        out[other_plane[p] * plane + k * n + i] = out[p * plane + i * n + k];
  for (size_t i = 0; !y && close && i < n; ++i)
    for (size_t k = i + 1; k < n; ++k) close[k * n + i] = close[i * n + k];
  return 0;
}

/* The same for n pairs of inputs of dimension d, from their inner products; out has @COUNT@ planes
 * of n numbers, close is NULL or has n bytes.  The angle of nearly collinear inputs has the digits
 * that the three numbers have; where these say more than a cosine of 1, it is 0.  Pair by pair:
 * for a matrix the function above takes a fourth of the time or less (measured).
 * Returns 0, or 1 when memory ran out. */
int @NAME@_pairs(size_t n, size_t d, const double *g11, const double *g12, const double *g22,
                 double *out, unsigned char *close)
{
  const size_t width = (LAYERS + 1) * (size_t)STATS;
  double in[4 + 4 * HYPER];
  double *tx = (double *)malloc((16 * width + @SPACE@) * sizeof *tx);
  if (!tx) return 1;
  double *space = tx + 16 * width;
  first_layer(d, in);
  for (size_t i = 0; i < n; ++i) {
    levels(1, g11 + i, in, tx, 1, width);
    levels(1, g22 + i, in, tx + 8 * width, 8, 1);
@PAIR@  }
  free(tx);
  return 0;
}
"""

_TILE = """      for (size_t i = 0; i < rows; ++i) {
        const size_t place = (at + i) * many + j;
        unsigned char marks[LANES];
        for (size_t k = 0; k < b; ++k)
          space[k] = inner(d, x + (at + i) * d, others + (j + k) * d);
        row(b, d, x + (at + i) * d, others + j * d, g11[i], g22, space, tx + i * width, ty, LANES,
            in, out + place, plane, marks);
        judged(b, marks, out + place, plane, close ? close + place : NULL);
      }
"""

_PAIR = """    unsigned char mark;
    (void)space;
    row(1, 0, NULL, NULL, g11[i], g22 + i, g12 + i, tx, tx + 8 * width, 8, in, out + i, n, &mark);
    judged(1, &mark, out + i, n, close ? close + i : NULL);
"""

_CLOSE = """\
close is NULL or has n x m bytes: 1 for pairs so nearly parallel, or so nearly after some layer,
 * that a layer with kinks away from 0, or one of large variances, leaves their derivatives fewer
 * digits, with NULL these are NaN; 2 where variances are so large that nothing of the pair need be
 * right, with NULL all is NaN.  @LIMITS@"""
