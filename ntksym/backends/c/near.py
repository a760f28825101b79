"""C of networks for nearly parallel pairs: the duals of their layers, and which roots to mend."""

from __future__ import annotations

from ...lower.kernel import STATE
from ...lower.near import NEAR_ARGS
from ...lower.schedule import Schedule
from ..near import GROWING, NEAR, NEAR_FLOAT, c_near
from .backend import C
from .blocks import block_function


def near_functions(schedule: Schedule) -> str:
    """The functions for near pairs: a dual for each kind that needs it, and `near_root`."""
    pieces, pairs, diags = "", "", ""
    for k in schedule.near_kinds:
        found = schedule.kinds[k].near
        assert found is not None
        params = schedule.kinds[k].pair.args[len(STATE) :]
        places = {a: f"{a}_[i]" for a in NEAR_ARGS}
        places |= {a: f"v_[{params.index(a)}]" for a in found.pair.args[len(NEAR_ARGS) :]}
        signature = ["const double *v_", *(f"const double *{a}_" for a in NEAR_ARGS)]
        signature += ["double *value_", "double *slope_"]
        ends = {a: f"{a}_[i]" for a in ("value", "slope")}
        pieces += block_function(found.pair, f"near{k}", signature, places, ends, C) + "\n"
        places = {"q": "q_[i]"}
        places |= {a: f"v_[{params.index(a)}]" for a in found.diag.args[1:]}
        signature = ["const double *v_", "const double *q_", "double *value_"]
        text = block_function(found.diag, f"near{k}_diag", signature, places, ends, C)
        pieces += text + "\n"
        pairs += f"    case {k}: near{k}(n, v, q11, q12, q22, root, value, slope); break;\n"
        diags += f"    case {k}: near{k}_diag(8, v, given, value); break;\n"
    text = NEAR_CALLS.replace("@PAIRS@", pairs.rstrip("\n")).replace("@DIAGS@", diags.rstrip("\n"))
    return pieces + c_near(text, "")


def near_lanes(stored: str) -> str:
    """The function that mends the roots of a row of pairs, for arrays of a type."""
    text = NEAR_LANES.replace("@GROWING@", repr(GROWING))
    return text.replace("@NEAR@", repr(NEAR if stored == "double" else NEAR_FLOAT))


def near_call(x: str, incx: str, staged: bool) -> str:
    """The call that mends the roots of near pairs, from the state before and the one after."""
    states = "now, next" if staged else "old, now"
    given = f"b, l, {x}, {incx}, ldx, qy@AT@, incy, ldy, {states}"
    return f"if (layer_near[l]) near_lanes@S@(layer_kind[l], {given});\n"


NEAR_CALLS = r"""static void near_pairs(int kind, const double *v, size_t n, const double *q11,
                       const double *q12, const double *q22, const double *root, double *value,
                       double *slope)
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

NEAR_LANES = r"""/* The roots of nearly parallel pairs after layer l: from integrals. */
NTKSYM_BLOCK_FUNCTION void near_lanes@S@(int kind, size_t b, size_t l, const Stored *qx,
                                         size_t incx, size_t ldx, const Stored *qy, size_t incy,
                                         size_t ldy, Real (*restrict now)[LANES],
                                         Real (*restrict next)[LANES])
{
  const Stored *rx = qx + (@COUNT@ + 1 + l) * ldx, *sx = rx + ldx;
  const Stored *ry = qy + (@COUNT@ + 1 + l) * ldy, *sy = ry + ldy;
  const Real least = layer_near[l] > 1 ? (Real)@NEAR@ : 0;
  int any = 0, near[LANES];
  if ((incx == 0) & (incy == 1)) {
    const Real bound = (Real)@GROWING@ * (Real)sx[0];
    for (size_t i = 0; i < b; ++i) any |= (next[1][i] < bound * (Real)sy[i]) & (next[0][i] > 0);
    if (!any) return;
    any = 0;
  }
  for (size_t i = 0; i < b; ++i) {
    const Real size = (Real)sx[i * incx] * (Real)sy[i * incy];
    const Real before = (Real)rx[i * incx] * (Real)ry[i * incy];
    const int grows = next[1][i] * before > now[1][i] * size;
    near[i] = (next[1][i] < (grows ? (Real)@GROWING@ : least) * size) & (next[0][i] > 0);
    any |= near[i];
  }
  if (!any) return;
  for (size_t i = 0; i < b; ++i)
    if (near[i]) {
      const Stored *x = qx + l * ldx + i * incx, *y = qy + l * ldy + i * incy;
      const int same = (now[1][i] == 0) & (x[0] == y[0]) & (now[0][i] > 0);
      if (!same)
        next[1][i] = (Real)near_root(kind, layer_value[l], NAN, x[0], now[0][i], y[0], now[1][i],
                                     x[ldx], y[ldy], next[1][i]);
    }
}

"""
