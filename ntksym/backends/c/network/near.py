"""C of networks for nearly parallel pairs: the duals of their layers, and which roots to mend."""

from __future__ import annotations

from math import inf, sqrt

from ....lower.kernel import STATE
from ....lower.near import EARLY, NEAR_ARGS, ODD, SCALED
from ....lower.schedule import Schedule
from ...near import (
    GROWING,
    LARGEST_ANGLE,
    LOUD,
    NEAR,
    NEAR_FLOAT,
    NOISE,
    NOISE_FLOAT,
    SURE,
    YOUNG,
)
from ...tolerance import CLOSE
from ..backend import C
from ..blocks import block_function
from ..text import c_literal
from .near_text import c_near
from .unlike_text import c_unlike


def near_functions(schedule: Schedule) -> str:
    """The functions for near pairs: a slope for each kind that needs it, and `near_roots`."""
    pieces, pairs, diags, more = "", "", "", ""
    kinds = {}
    for k in schedule.near_kinds:
        found = schedule.kinds[k].near
        assert found is not None
        params = schedule.kinds[k].pair.args[len(STATE) :]
        places = {a: f"{a}_[i]" for a in NEAR_ARGS}
        places |= {a: f"v_[{params.index(a)}]" for a in found.pair.args[len(NEAR_ARGS) :]}
        signature = ["const double *v_", *(f"const double *{a}_" for a in NEAR_ARGS)]
        slope = found.slope
        ends = {"slope": "slope_[i]"}
        pieces += block_function(slope, f"near{k}", [*signature, "double *slope_"], places, ends, C)
        pieces += "\n"
        places = {"q": "q_[i]"}
        places |= {a: f"v_[{params.index(a)}]" for a in found.diag.args[1:]}
        signature = ["const double *v_", "const double *q_", "double *value_"]
        ends = {"value": "value_[i]"}
        text = block_function(found.diag, f"near{k}_diag", signature, places, ends, C)
        pieces += text + "\n"
        if found.unlike is not None:
            for label, program, own in (
                ("rest", found.unlike.pair, NEAR_ARGS),
                ("mixed", found.unlike.mixed, ("q",)),
            ):
                places = {a: f"{a}_[i]" for a in own}
                places |= {a: f"v_[{params.index(a)}]" for a in program.args[len(own) :]}
                signature = ["const double *v_", *(f"const double *{a}_" for a in own)]
                signature.append("double *value_")
                more += block_function(program, f"near{k}_{label}", signature, places, ends, C)
                more += "\n"
        kinds[k] = found
        pairs += f"    case {k}: near{k}(n, v, q11, q12, q22, root, slope); break;\n"
        diags += f"    case {k}: near{k}_diag(8, v, given, value); break;\n"
    text = NEAR_CALLS.replace("@PAIRS@", pairs.rstrip("\n")).replace("@DIAGS@", diags.rstrip("\n"))
    smooth = ", ".join(str(int(not kind.kinked)) for kind in schedule.kinds)
    flags = f"static const unsigned char near_smooth[] = {{{smooth}}};\n"
    for name in ("far", "loose"):
        row = ", ".join(c_literal(getattr(kind.near, name, inf)) for kind in schedule.kinds)
        flags += f"static const double near_{name}[] = {{{row}}};\n"
    return pieces + c_near(text, flags, c_unlike(kinds, len(schedule.kinds), more))


def near_lanes(stored: str, value: str, level: bool) -> str:
    """The function that mends the roots of a row of pairs, for arrays of a type.

    `value` is where the numbers of layer l are; `level`: whether a kind is nearly homogeneous.
    """
    text = (
        NEAR_LANES.replace("@VALUE@", value)
        .replace("@GROWING@", repr(GROWING))
        .replace("@LOUD@", repr(LOUD))
    )
    sure = repr(SURE)
    if level:  # there roots of any size are free of cancellation
        sure = f"near_least[kind] < INFINITY ? {LARGEST_ANGLE!r} : {sure}"
    text = text.replace("@SURE@", sure)
    double = stored == "double"
    text = text.replace("@ODD@", repr(ODD)).replace("@SCALED@", repr(SCALED))
    text = text.replace("@EARLY@", repr(EARLY)).replace("@YOUNG@", repr(YOUNG))
    text = text.replace("@NOISE@", repr(NOISE if double else NOISE_FLOAT))
    text = text.replace("@LOST@", repr(0.98 * sqrt(CLOSE["float64" if double else "float32"])))
    return text.replace("@NEAR@", repr(NEAR if double else NEAR_FLOAT))


def near_call(x: str, incx: str, staged: bool, care: str) -> str:
    """The call that mends the roots of near pairs, from the state before and the one after.

    `care` are the flags of pairs that were nearly parallel before the first layer.
    """
    states = "now, next" if staged else "old, now"
    given = f"b, l, {x}, {incx}, ldx, qy@AT@, incy, ldy, {care}, {states}"
    return f"if (layer_near[l]) near_lanes@S@(layer_kind[l], {given});\n"


NEAR_CALLS = r"""enum { LOST = 1, KEPT }; /* of pairs that are nearly parallel from the start */

static void near_pairs(int kind, const double *v, size_t n, const double *q11,
                       const double *q12, const double *q22, const double *root, double *slope)
{
  switch (kind) {
@PAIRS@
    default: break;
  }
}

static double near_diag(int kind, const double *v, double q)
{
  const double given[8] = {q, q, q, q, q, q, q, q};
  double value[8] = {0.0};
  switch (kind) {
@DIAGS@
    default: break;
  }
  return value[0];
}
"""

NEAR_LANES = r"""\
/* Marks pairs that are nearly parallel before the first layer.  LOST: their angle is not in their
 * inner product, whose rounding is as large, and no layer can bring it back.  Callers who have the
 * rows find it there and give it to _pairs.  KEPT: it was given, and stays worth its care. */
static inline void near_start@S@(size_t b, const Stored *x, size_t incx, const Stored *y,
                                 size_t incy, const Real *NTKSYM_RESTRICT root, unsigned char mark,
                                 unsigned char *NTKSYM_RESTRICT care)
{
  for (size_t i = 0; i < b; ++i)
    care[i] = root[i] < (Real)@LOST@ * (Real)x[i * incx] * (Real)y[i * incy] ? mark : 0;
}

/* The roots of nearly parallel pairs after layer l: from integrals. */
NTKSYM_BLOCK_FUNCTION void near_lanes@S@(int kind, size_t b, size_t l, const Stored *qx,
                                         size_t incx, size_t ldx, const Stored *qy, size_t incy,
                                         size_t ldy, const unsigned char *care,
                                         Real (*NTKSYM_RESTRICT now)[LANES],
                                         Real (*NTKSYM_RESTRICT next)[LANES])
{
  const Stored *rx = qx + (@COUNT@ + 1 + l) * ldx, *sx = rx + ldx;
  const Stored *ry = qy + (@COUNT@ + 1 + l) * ldy, *sy = ry + ldy;
  const Stored *lastx = qx + (2 * @COUNT@ + 1) * ldx, *lasty = qy + (2 * @COUNT@ + 1) * ldy;
  const int every = layer_near[l] & 2, odd = (layer_near[l] & @ODD@) != 0;
  const Real young = layer_near[l] & @EARLY@ ? (Real)@YOUNG@ : 0;
  if ((incx == 0) & (incy == 1)) {
    const Real bound = (Real)@GROWING@ * (Real)sx[0];
    int any = 0;
    for (size_t i = 0; i < b; ++i)
      any |= (next[1][i] < bound * (Real)sy[i]) & ((next[0][i] > 0) | odd) & (care[i] != LOST);
    if (!any) return;
  }
  double p[6][LANES], root[LANES];
  size_t place[LANES], count = 0;
  for (size_t i = 0; i < b; ++i) {
    const Real size = (Real)sx[i * incx] * (Real)sy[i * incy];
    if (!(next[1][i] < (Real)@GROWING@ * size)) continue; /* few are left: no vectors */
    if (!((next[0][i] > 0) | odd) || care[i] == LOST) continue;
    const Real before = (Real)rx[i * incx] * (Real)ry[i * incy];
    const Real grown = next[1][i] / size, was = now[1][i] / before;
    const int grows = grown * grown + (Real)@NOISE@ > was * was;
    const Real small = care[i] == KEPT ? (Real)@GROWING@ : (Real)@NEAR@;
    const Real last = (Real)lastx[i * incx] * (Real)lasty[i * incy];
    const int loud = (size > (Real)@LOUD@) | (last > (Real)@LOUD@);
    const Real least = every | loud ? small : young;
    if (!grows && !(next[1][i] < least * size)) continue;
    const Stored *x = qx + l * ldx + i * incx, *y = qy + l * ldy + i * incy;
    if ((now[1][i] == 0) & (x[0] == y[0]) & (now[0][i] > 0)) continue; /* equal points */
    p[0][count] = x[0];
    p[1][count] = odd ? fabs((double)now[0][i]) : now[0][i];
    p[2][count] = y[0];
    p[3][count] = now[1][i];
    p[4][count] = x[ldx];
    p[5][count] = y[ldy];
    root[count] = next[1][i];
    place[count++] = i;
  }
  if (!count) return;
  const double sure = @SURE@;
  near_roots(kind, @VALUE@, layer_near[l] & @SCALED@ ? 0.0 : NAN, count, p, root);
  for (size_t k = 0; k < count; ++k) {
    const size_t i = place[k];
    const double size = (double)sx[i * incx] * sy[i * incy];
    next[1][i] = (Real)root[k];
    next[0][i] = (Real)near_covariance(size, root[k], sure, next[0][i]);
  }
}

"""
