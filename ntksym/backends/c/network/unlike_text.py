"""The C of `backends.unlike`: what unlike norms make of parallel pairs, in vector lanes."""

from __future__ import annotations

from ....lower.near import Near
from ...tables import legendre
from ...unlike import MOST, NODES
from ..blocks import LANES
from ..text import braced, c_literal


def c_unlike(kinds: dict[int, Near], count: int, rows: str) -> str:
    """C that defines `near_mixed`, `near_degree` and `near_least`; empty where no kind needs it.

    `kinds` are those with near pairs, of `count`; `rows` is the definition of the functions
    near<k>_rest, near<k>_mixed and near<k>_diag that are called.
    """
    found = {k: near.unlike for k, near in kinds.items() if near.unlike is not None}
    if not found:
        return ""
    degrees = ", ".join(str(found[k].degree if k in found else 0) for k in range(count))
    least = ", ".join(
        c_literal(found[k].least ** 2) if k in found else "INFINITY" for k in range(count)
    )
    text = _CALLS
    for mark, call in (
        ("REST", "near{k}_rest(n, v, q11, q12, q22, root, value)"),
        ("BOTH", "near{k}_mixed(n, v, q, value)"),
        ("OWN", "near{k}_diag(n, v, q, value)"),
    ):
        cases = "\n".join(f"    case {k}: {call.format(k=k)}; break;" for k in found)
        text = text.replace(f"@{mark}@", cases)
    tables = f"static const int near_degree[] = {{{degrees}}};\n"
    tables += f"static const double near_least[] = {{{least}}};\n"
    most = max(n for _, n in NODES)
    ends = ", ".join(c_literal(e) for e in (*(e for e, _ in NODES[1:]), MOST))
    tables += f"static const double unlike_ends[{len(NODES)}] = {{{ends}}};\n"
    tables += f"static const int unlike_nodes[{len(NODES)}] = "
    tables += braced(n for _, n in NODES) + ";\n"
    tables += f"static const double unlike_rule[{len(NODES)}][2][{most}] = {{\n"
    tables += ",\n".join(
        "  {" + ",\n   ".join(braced(x) for x in zip(*legendre(n), strict=True)) + "}"
        for _, n in NODES
    )
    tables += "\n};\n"
    return rows + text + tables + _TEXT.replace("@COUNT@", str(LANES))


_CALLS = """
static void near_rest(int kind, const double *v, size_t n, const double *q11, const double *q12,
                      const double *q22, const double *root, double *value)
{
  switch (kind) {
@REST@
    default: break;
  }
}

static void near_both(int kind, const double *v, size_t n, const double *q, double *value)
{
  switch (kind) {
@BOTH@
    default: break;
  }
}

static void near_owns(int kind, const double *v, size_t n, const double *q, double *value)
{
  switch (kind) {
@OWN@
    default: break;
  }
}

"""

_TEXT = """
/* exp(x)^n for |x| <= 3.2. */
static inline double near_power(double x, int n)
{
  double once = near_exp(0.125 * x), power = 1.0;
  once *= once;
  once *= once;
  once *= once;
  for (int k = 0; k < n; ++k) power *= once;
  return power;
}

/* Of n parallel pairs u, v, p being the variances lo <= hi and spread = log(hi/lo)/2; with
 * k = exp(degree*spread), e = s(v) - k s(u) an integral of h(x) = x s'(x) - degree*s(x):
 * E[s(u)^2], E[e^2], E[s(v)^2] - k^2 E[s(u)^2]. */
NTKSYM_BLOCK_FUNCTION void near_sums(int kind, const double *v, size_t n, double (*p)[@COUNT@],
                                     double *value, double *ends, double *change)
{
  double q11[@COUNT@], q12[@COUNT@], q22[@COUNT@], root[@COUNT@], found[@COUNT@];
  double part[@COUNT@], up[@COUNT@];
  const double *lo = p[0], *hi = p[1], *spread = p[2];
  const size_t m = NTKSYM_ROUND_UP(n);
  const int degree = near_degree[kind];
  double most = 0.0;
  for (size_t i = 0; i < m; ++i) {
    most = ntksym_op_max(most, spread[i]);
    ends[i] = change[i] = root[i] = 0.0;
  }
  near_owns(kind, v, n, lo, value);
  if (most == 0.0) return;
  int rule = 0;
  while (most >= unlike_ends[rule] && rule < (int)(sizeof unlike_nodes / sizeof *unlike_nodes) - 1)
    ++rule;
  const int nodes = unlike_nodes[rule];
  const double *at = unlike_rule[rule][0], *weight = unlike_rule[rule][1];
  for (int k = 0; k < nodes; ++k) {
    for (size_t i = 0; i < m; ++i) {
      part[i] = spread[i] * at[k];
      up[i] = near_power(2.0 * part[i], 1);
      q11[i] = ntksym_op_min(lo[i] * up[i], hi[i]);
    }
    near_both(kind, v, n, q11, found);
    for (size_t i = 0; i < m; ++i) {
      const double rest = spread[i] - part[i];
      change[i] += 2.0 * spread[i] * weight[k] * near_power(2.0 * rest, degree) * found[i];
    }
    for (int j = 0; j < nodes; ++j) {
      for (size_t i = 0; i < m; ++i) {
        const double x = (spread[i] - part[i]) * at[j];
        q11[i] = ntksym_op_min(lo[i] * near_power(2.0 * x, 1), hi[i]);
        q22[i] = ntksym_op_min(q11[i] * up[i], hi[i]);
        q12[i] = sqrt(q11[i]) * sqrt(q22[i]);
      }
      near_rest(kind, v, n, q11, q12, q22, root, found);
      for (size_t i = 0; i < m; ++i) {
        const double rest = spread[i] - part[i], x = rest * at[j];
        const double size = near_power(2.0 * (spread[i] - x) - part[i], degree);
        ends[i] += 2.0 * spread[i] * weight[k] * (weight[j] * rest * (found[i] * size));
      }
    }
  }
}

/* (n11*n22 - n12^2)/(n11*n22) of n pairs for a nearly homogeneous function, p being the variances
 * lo <= hi, log(hi/lo)/2, and of each pair the integral of the derivative dual over its angle; `of`
 * are n11 and n22 in that order.  No term is a difference of nearly equal numbers. */
NTKSYM_BLOCK_FUNCTION void near_mixed(int kind, const double *v, size_t n, double (*p)[@COUNT@],
                                      double (*of)[@COUNT@], double *det)
{
  double value[@COUNT@], ends[@COUNT@], change[@COUNT@];
  near_sums(kind, v, n, p, value, ends, change);
  for (size_t i = 0; i < n; ++i) {
    const double more = expm1(near_degree[kind] * p[2][i]), k = 1.0 + more;
    const double size = sqrt(of[0][i]) * sqrt(of[1][i]), g = p[3][i];
    const double mixed = 0.5 * (change[i] - ends[i]) / k, most = k * value[i] + mixed;
    const double bias = ntksym_op_max(of[0][i] - value[i], 0.0);
    const double gap = ends[i] + 2.0 * more * mixed + more * more * value[i] + 2.0 * g;
    det[i] = (value[i] / of[0][i]) * (ends[i] / of[1][i]) - (mixed / size) * (mixed / size) +
             (bias / size) * (gap / size) + (g / size) * ((2.0 * most - g) / size);
  }
}
"""
