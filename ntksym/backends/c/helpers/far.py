"""C for the operations `far`: a dual at large variances by the rule of `lower.far`.

As for `price`: the block functions copy the closed form and look for a point where the rule holds.
"""

from __future__ import annotations

import math

from ....lower.far import TERMS, Far
from ....lower.ops import FAR_OPS
from ....lower.program import Program
from ...text import filled
from ..backend import C
from ..blocks import LANES, block_function
from ..text import c_literal, in_lines


def far_functions(programs: tuple[Program, ...]) -> str:
    """The functions of every rule, and of every operation with it; or nothing."""
    text, known = "", set()
    for p in programs:
        for let in p.body:
            if not isinstance(let.inner, Far) or let.label in known:
                continue
            stem = f"far_{let.inner.digest()[:12]}"
            if stem + " rule" not in known:
                text += _rule(let.inner, stem)
                known.add(stem + " rule")
            text += _operation(let.op, let.label, stem)
            known.add(let.label)
    return text


def _rule(far: Far, stem: str) -> str:
    text = ""
    for p, name, args in (
        (far.plain, "plain", ("q11", "q12", "q22", "root")),
        (far.single, "single", ("q",)),
    ):
        places = {a: f"{a}_in_[i]" for a in args}
        signature = [f"const double *{a}_in_" for a in args]
        signature += ["double *nngp_out_", "double *dot_out_"]
        ends = {"nngp": "nngp_out_[i]", "dot": "dot_out_[i]"}
        text += block_function(p, f"ntksym_{stem}_{name}", signature, places, ends, C) + "\n"
    marks = {
        "@STEM@": stem,
        "@X@": _list(far.nodes),
        "@D@": _list(far.weights),
        "@SQUARE@": _list(far.squares),
        "@SLOPE@": _list(far.slopes),
        "@RIGHT@": _list(far.right),
        "@LEFT@": _list(far.left),
        "@N@": str(len(far.nodes)),
        "@DEGREE@": str(len(far.right)),
        "@TERMS@": str(TERMS),
        "@LEAST@": c_literal(far.least),
        "@START@": c_literal(far.start),
        "@BARE0@": c_literal(far.bare[0]),
        "@BARE1@": c_literal(far.bare[1]),
        "@MILLS@": c_literal(math.sqrt(math.pi / 2)),
        "@HALF@": c_literal(math.sqrt(0.5)),
    }
    return text + filled(_RULE, marks)


def _operation(op: str, label: str, stem: str) -> str:
    which = str(FAR_OPS.index(op) % 2)
    text = _PAIR if op in FAR_OPS[:2] else _DIAGONAL
    marks = {"@STEM@": stem, "@LABEL@": label, "@WHICH@": which, "@LANES@": str(LANES)}
    return filled(text, marks)


def _list(values: tuple[float, ...]) -> str:
    return "{\n    " + in_lines(values, 4, "    ") + "}"


_RULE = r"""/* What the rest d = s - L of the activation adds to the dual of L far out. */
static const double ntksym_@STEM@_x[@N@] = @X@;
static const double ntksym_@STEM@_d[@N@] = @D@;

static inline int ntksym_@STEM@_smooth(double q11, double q22, double root)
{
  return root >= @LEAST@ * sqrt(q11 < q22 ? q22 : q11);
}

/* From @BARE0@ (the derivative: @BARE1@) on L alone is right to rounding, also for nearly equal
 * inputs, where the rule for d does not hold. */
static inline int ntksym_@STEM@_holds(int which, double q11, double q22, double root)
{
  const double least = sqrt(q11 < q22 ? q11 : q22), bare = which ? @BARE1@ : @BARE0@;
  const int far = (least >= @START@) & (q11 < INFINITY) & (q22 < INFINITY) & (root < INFINITY);
  return far & (ntksym_@STEM@_smooth(q11, q22, root) | (least >= bare));
}

NTKSYM_LANE_FUNCTION double ntksym_@STEM@_bell(double z)
{
  const double e = -0.5 * z * z;
  return ntksym_op_exp_inside(e < -690.0 ? -690.0 : e);
}

NTKSYM_LANE_FUNCTION double ntksym_@STEM@_sum(const double *v)
{
  return ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
}

/* One side: the integral of d(x)*p(x)*E[L(v) | u = x], or its derivative in q12, and the moments
 * of x/t under d(x)*exp(-(x/t)^2/2), t the conditional standard deviation; eight nodes at once. */
static inline double ntksym_@STEM@_side(int which, double q11, double q12, double q22,
                                        double root, double *moment)
{
  static const double right[@DEGREE@] = @RIGHT@;
  static const double left[@DEGREE@] = @LEFT@;
  const double r1 = sqrt(q11), t1 = root / sqrt(q22), t2 = root / r1, turn = q12 / q11;
  double total[8] = {0.0}, powers[@TERMS@ + 3][8] = {{0.0}};
  for (int at = 0; at < @N@; at += 8) {
    double high[@DEGREE@ + 3][8] = {{0.0}}, low[@DEGREE@ + 3][8] = {{0.0}};
    double m[8], h[8], y[8], own[8], bell[8], power[8], value[8] = {0.0};
    NTKSYM_ROLLED for (int l = 0; l < 8; ++l) {
      const double x = ntksym_@STEM@_x[at + l], d = ntksym_@STEM@_d[at + l], z = x / r1;
      m[l] = x * turn;
      h[l] = m[l] / t2;
      y[l] = x / t1;
      own[l] = d * ntksym_@STEM@_bell(z);
      power[l] = d * ntksym_@STEM@_bell(y[l]);
      bell[l] = ntksym_@STEM@_bell(h[l]) * 0x1.9884533d43651p-2;
    }
    NTKSYM_ROLLED for (int l = 0; l < 8; ++l) {
      const double tail = bell[l] * (@MILLS@ * ntksym_op_erfcx(@HALF@ * fabs(h[l])));
      high[2][l] = h[l] < 0.0 ? tail : 1.0 - tail; /* Phi(h) and Phi(-h) */
      low[2][l] = h[l] < 0.0 ? 1.0 - tail : tail;
      high[3][l] = m[l] * high[2][l] + t2 * bell[l];
      low[3][l] = m[l] * low[2][l] - t2 * bell[l];
    }
    for (int n = 2; n < @DEGREE@; ++n)
      NTKSYM_ROLLED for (int l = 0; l < 8; ++l) {
        high[n + 2][l] = m[l] * high[n + 1][l] + ((n - 1) * t2) * (t2 * high[n][l]);
        low[n + 2][l] = m[l] * low[n + 1][l] + ((n - 1) * t2) * (t2 * low[n][l]);
      }
    if (which) {
      double second[8];
      NTKSYM_ROLLED for (int l = 0; l < 8; ++l) {
        value[l] = (right[0] - left[0]) * bell[l] / t2;
        second[l] = -(right[0] - left[0]) * h[l] * (bell[l] / t2) / t2;
@KINK@      }
      for (int n = 1; n < @DEGREE@; ++n)
        NTKSYM_ROLLED for (int l = 0; l < 8; ++l) {
          value[l] += n * (right[n] * high[n + 1][l] + left[n] * low[n + 1][l]);
          second[l] += n * (n - 1) * (right[n] * high[n][l] + left[n] * low[n][l]);
        }
      NTKSYM_ROLLED for (int l = 0; l < 8; ++l)
        value[l] = ntksym_@STEM@_x[at + l] / q11 * value[l] - turn * second[l];
    } else {
      for (int n = 0; n < @DEGREE@; ++n)
        NTKSYM_ROLLED for (int l = 0; l < 8; ++l)
          value[l] += right[n] * high[n + 2][l] + left[n] * low[n + 2][l];
    }
    NTKSYM_ROLLED for (int l = 0; l < 8; ++l) total[l] += own[l] * value[l];
    for (int k = 0; k <= @TERMS@ + 2; ++k)
      NTKSYM_ROLLED for (int l = 0; l < 8; ++l) {
        powers[k][l] += power[l];
        power[l] *= y[l];
      }
  }
  for (int k = 0; k <= @TERMS@ + 2; ++k) moment[k] = ntksym_@STEM@_sum(powers[k]);
  return ntksym_@STEM@_sum(total) / r1 * 0x1.9884533d43651p-2;
}

/* All that d adds. */
NTKSYM_BLOCK_FUNCTION double ntksym_@STEM@_rest(int which, double q11, double q12, double q22,
                                                double root)
{
  const double r1 = sqrt(q11), r2 = sqrt(q22), t1 = root / r2, t2 = root / r1;
  const double rho = (q12 / r1) / r2;
  double m1[@TERMS@ + 3], m2[@TERMS@ + 3], both = 0.0, slope = 0.0, power = 1.0;
  const double one = ntksym_@STEM@_side(which, q11, q12, q22, root, m1);
  const double two = ntksym_@STEM@_side(which, q22, q12, q11, root, m2);
  for (int k = 0; k <= @TERMS@; ++k) {
    both += power * m1[k] * m2[k];
    slope += power * (rho * (m1[k] * m2[k] - m1[k + 2] * m2[k] - m1[k] * m2[k + 2]) +
                      (1.0 + rho * rho) * m1[k + 1] * m2[k + 1]);
    power *= rho / (k + 1);
  }
  both = which ? slope / t1 / t2 : both;
  return (one + two) + both / root * 0x1.45f306dc9c883p-3;
}

/* The same for u = v. */
NTKSYM_BLOCK_FUNCTION double ntksym_@STEM@_same(int which, double q)
{
  static const double rest[2][@N@] = {@SQUARE@, @SLOPE@};
  const double r = sqrt(q);
  double sum = 0.0;
  for (int j = 0; j < @N@; ++j) {
    const double z = ntksym_@STEM@_x[j] / r;
    sum += rest[which][j] * ntksym_@STEM@_bell(z);
  }
  return sum / r * 0x1.9884533d43651p-2;
}

""".replace(
    "@KINK@",
    """#if @DEGREE@ > 1
        second[l] += (right[1] - left[1]) * bell[l] / t2;
#endif
""",
)

_PAIR = r"""NTKSYM_BLOCK_FUNCTION void ntksym_block_@LABEL@(size_t n, const double *closed,
    const double *q11, const double *q12, const double *q22, const double *root, double *out)
{
  const size_t m = NTKSYM_ROUND_UP(n);
  double plain[2][@LANES@];
  int any = 0;
  for (size_t i = 0; i < m; ++i) {
    out[i] = closed[i];
    any |= ntksym_@STEM@_holds(@WHICH@, q11[i], q22[i], root[i]);
  }
  if (!any) return;
  ntksym_@STEM@_plain(n, q11, q12, q22, root, plain[0], plain[1]);
  for (size_t i = 0; i < n; ++i)
    if (ntksym_@STEM@_holds(@WHICH@, q11[i], q22[i], root[i]))
      out[i] = plain[@WHICH@][i] +
               (ntksym_@STEM@_smooth(q11[i], q22[i], root[i])
                    ? ntksym_@STEM@_rest(@WHICH@, q11[i], q12[i], q22[i], root[i])
                    : 0.0);
}

NTKSYM_SPARE_FUNCTION double ntksym_op_@LABEL@(double closed, double q11, double q12, double q22,
                                       double root)
{
  double k[8], a[8], c[8], b[8], r[8], out[8];
  for (int j = 0; j < 8; ++j) k[j] = closed, a[j] = q11, c[j] = q12, b[j] = q22, r[j] = root;
  ntksym_block_@LABEL@(1, k, a, c, b, r, out);
  return out[0];
}

"""

_DIAGONAL = r"""NTKSYM_BLOCK_FUNCTION void ntksym_block_@LABEL@(size_t n, const double *closed,
    const double *q, double *out)
{
  const size_t m = NTKSYM_ROUND_UP(n);
  double plain[2][@LANES@];
  int any = 0;
  for (size_t i = 0; i < m; ++i) {
    out[i] = closed[i];
    any |= ntksym_@STEM@_holds(0, q[i], q[i], q[i]);
  }
  if (!any) return;
  ntksym_@STEM@_single(n, q, plain[0], plain[1]);
  for (size_t i = 0; i < n; ++i)
    if (ntksym_@STEM@_holds(0, q[i], q[i], q[i]))
      out[i] = plain[@WHICH@][i] + ntksym_@STEM@_same(@WHICH@, q[i]);
}

NTKSYM_SPARE_FUNCTION double ntksym_op_@LABEL@(double closed, double q)
{
  double k[8], a[8], out[8];
  for (int j = 0; j < 8; ++j) k[j] = closed, a[j] = q;
  ntksym_block_@LABEL@(1, k, a, out);
  return out[0];
}

"""
