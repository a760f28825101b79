"""C for a `KinkTable`: Chebyshev sums for all rho, and the closed dual of truncated powers.

Its shells, which have no closed part, come first: away from rho = +-1 they are all there is.
The closed part goes through in lanes: the orthant in
blocks, then Stein's recurrence for every pair of kinks (`numeric/table/split/closed.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from math import factorial

from ....lower.program import Let, Program
from ....numeric.table.split.closed import Closed
from ....numeric.table.split.kinks import KinkTable
from ...numpy.table.kinks import notes, numpy_text
from ...numpy.table.shells import shells_notes, shells_numpy
from ...owen_series import MOST, moments_text
from ..helpers.owen import ENDS, TOGETHER
from ..text import array, c_literal
from .chebyshev import LANES, sums
from .shells import shells_text

_ORTHANT = Program(
    name="orthant",
    args=("h", "k", "c", "s"),
    body=(Let("p", "Phi2", ("h", "k", "c", "s")), Let("q", "Phi", ("h",))),
    outputs=(("value", "p"), ("edge", "q")),
)


@dataclass(frozen=True, slots=True)
class KinkUnit:
    """A `KinkTable` as code."""

    table: KinkTable

    @property
    def notes(self) -> tuple[str, ...]:
        """What it is, the proven bounds, the range."""
        return (*notes(self.table), *shells_notes(self.table.shells, self.table.missing))

    @property
    def programs(self) -> tuple[Program, ...]:
        """The normal orthant, which the closed part needs."""
        return (_ORTHANT,)

    def c_functions(self, stem: str) -> str:
        """C99 that defines `<stem>_pairs` and `<stem>_diag`; it needs `ntksym.h`."""
        return shells_text(self.table.shells, stem, self._everywhere)

    def _everywhere(self, stem: str) -> str:
        near = (_closed(self.table.closed, stem), "(@SIDE@)", "root[at + l]", _CALL)
        return sums(self.table.beyond, stem, near, "")

    def numpy_functions(self, stem: str) -> str:
        """NumPy that defines `<stem>_pairs` and `<stem>_diag`; `np` is NumPy."""
        return shells_numpy(self.table.shells, stem, partial(numpy_text, self.table))


def _closed(closed: Closed, stem: str) -> str:
    calls, wide = "", len(closed.slope[0])
    text = array(f"{stem}_over", [1.0, *(1.0 / j for j in range(1, wide))])
    for i, (value, slope) in enumerate(zip(closed.value, closed.slope, strict=True)):
        for label, row in (("c", (*value, 0.0)), ("e", slope)):
            grown = [a * factorial(j) for j, a in enumerate(row)]
            text += array(f"{stem}_{label}{i}", grown)
    for i, k in enumerate(closed.kinks):
        for j, m in enumerate(closed.kinks):
            calls += (
                f"    @STEM@_both(q, c, b, r, {c_literal(k)}, {c_literal(m)}, @STEM@_c{i},"
                f" @STEM@_e{i},\n        @STEM@_c{j}, @STEM@_e{j}, value, slope);\n"
            )
    text += _PAIR.replace("@CALLS@", calls).replace("@WIDE@", str(wide))
    alpha = Fraction(closed.alpha)
    for mark, part in (("@BOTH@", _OWEN), ("@ENDS@", ENDS)):
        lines = part.strip("\n").split("\n")
        text = text.replace(mark, "\n".join(n.replace("#", i) for n in lines for i in "12"))
    text = text.replace("@MOMENTS@", moments_text()).replace("@OWEN_MOST@", c_literal(MOST))
    text = text.replace("@TOGETHER@", TOGETHER.strip("\n"))
    text = text.replace("@ALPHA@", c_literal(float(alpha)))
    return text.replace("@LANES@", str(LANES))


_CALL = """      for (size_t l = 0; l < b; ++l)
        if (kind[l] < 2) slot[m++] = (unsigned char)l;
      @STEM@_closed(m, slot, q, q12 + at, q22 + at, root + at, nngp + at, dot + at);
"""

_OWEN = """
    const double x# = fabs(h#) < 37.0 ? fabs(h#) : 37.0, far# = fabs(a#);
    const double y# = far# < 37.0 ? far# : 37.0;
    const double g# = ntksym_op_exp_inside(-0.5 * (x# * x#));
    const double e# = ntksym_op_exp_inside(-0.5 * (y# * y#));
    const double q# = (0.5 * e#) * ntksym_op_mills(y#);
    const double low# = x# < far# ? x# : far#, high# = x# < far# ? far# : x#;
    const double ratio# = low# / (high# == 0.0 ? 1.0 : high#), t# = ratio# * ratio#;
    const double bell# = g# * e#;
    p#_[i] = (0.5 * g#) * ntksym_op_mills(x#);
    const double twice# = low# * low# < 2.0 * @OWEN_MOST@ ? low# * low# : 2.0 * @OWEN_MOST@;
"""
"""What T of a pair need, # for 1 and 2."""

_PAIR = """/* E[y^j; y > 0]/j!, j < @WIDE@, for y of this mean and variance, edge = P(y > 0). */
static inline void @STEM@_edge(const ntksym_lanes *edge, const ntksym_lanes *mean,
    const ntksym_lanes *variance, const ntksym_lanes *peak, ntksym_lanes out[][2])
{
  for (int u = 0; u < 2; ++u) {
    out[0][u] = edge[u];
    out[1][u] = mean[u] * edge[u] + peak[u];
  }
  for (int j = 2; j < @WIDE@; ++j)
    for (int u = 0; u < 2; ++u)
      out[j][u] = (mean[u] * out[j - 1][u] + variance[u] * out[j - 2][u]) * @STEM@_over[j];
}

/* exp(x), x <= 0, to an absolute error where it is below 1e-299. */
NTKSYM_LANE_FUNCTION double @STEM@_fall(double x)
{
  return ntksym_op_exp_inside(x < -690.0 ? -690.0 : x);
}

/* P(X <= h, Y <= g) on NTKSYM_BLOCK points, not for h = g = 0.  Of either conditional on the other
 * at its own end the ends are ey and ex, which become Phi(ey) and Phi(ex); what is made of squares
 * are exp(-./2).  Owen's T as in ntksym_block_owen, tails to absolute accuracy. */
NTKSYM_BLOCK_FUNCTION void @STEM@_orthant(const double *h, const double *g, double *ex, double *ey,
    double *restrict own1, double *restrict own2, double *restrict fall1, double *restrict fall2,
    double *restrict out)
{
  double first[NTKSYM_BLOCK], second[NTKSYM_BLOCK], p1_[NTKSYM_BLOCK], p2_[NTKSYM_BLOCK];
  double to1[NTKSYM_BLOCK], to2[NTKSYM_BLOCK], base[NTKSYM_BLOCK], lost[NTKSYM_BLOCK];
  double most = 0.0;
  for (size_t i = 0; i < (size_t)NTKSYM_BLOCK; ++i) {
    const double h1 = h[i], h2 = g[i], a1 = h1 < 0.0 ? -ex[i] : ex[i];
    const double a2 = h2 < 0.0 ? -ey[i] : ey[i];
@BOTH@
@MOMENTS@
@ENDS@
    own1[i] = g1;
    own2[i] = g2;
    fall1[i] = e1;
    fall2[i] = e2;
    to1[i] = a1;
    to2[i] = a2;
    first[i] = copysign(size1, a1);
    second[i] = copysign(size2, a2);
    /* of opposite sign: Phi(low) - Phi(-high); of one: the mean of both */
    const int apart = (h1 < 0.0) != (h2 < 0.0);
    const double one = apart ? (h1 < 0.0 ? p1 : p2) : (h1 < 0.0 ? p1 : 1.0 - p1);
    const double other = apart ? (h1 < 0.0 ? -p2 : -p1) : (h2 < 0.0 ? p2 : 1.0 - p2);
    const double sum = one + other, of_sum = sum - one;
    base[i] = 0.5 * sum;
    lost[i] = 0.5 * ((one - (sum - of_sum)) + (other - of_sum));
    lost[i] -= copysign(1.0, a1) * lost1 + copysign(1.0, a2) * lost2;
    ex[i] = ex[i] < 0.0 ? q1 : 1.0 - q1;
    ey[i] = ey[i] < 0.0 ? q2 : 1.0 - q2;
  }
  for (size_t i = 0; i < (size_t)NTKSYM_BLOCK; ++i) {
    const double x1 = fabs(h[i]), y1 = fabs(to1[i]), x2 = fabs(g[i]), y2 = fabs(to2[i]);
    most = ntksym_op_max(most, x1 < y1 ? x1 : y1);
    most = ntksym_op_max(most, x2 < y2 ? x2 : y2);
  }
  if (most * most > 2.0 * @OWEN_MOST@) {
    ntksym_block_owen_far(NTKSYM_BLOCK, h, to1, p1_, first);
    ntksym_block_owen_far(NTKSYM_BLOCK, g, to2, p2_, second);
  }
  for (size_t i = 0; i < (size_t)NTKSYM_BLOCK; ++i) {
@TOGETHER@
    out[i] = out[i] > 0.0 ? out[i] : 0.0;
  }
}

/* One pair of kinks k, m, on NTKSYM_BLOCK entries: c and d are coefficients of the value, e and f
 * of the derivative, all of them times j!.  What is summed is E[w x^s y^j; x, y > 0]/(s! j!), two
 * vectors at a time: row s is (mu last + s11 before + s12 last moved by one)/s, with the edges in
 * row and column -1. */
NTKSYM_FUSED static void @STEM@_both(double q11, const double *q12,
    const double *q22, const double *root, double k, double m, const double *c, const double *e,
    const double *d, const double *f, double *nngp, double *dot)
{
  enum { S11, S12, S22, MU, OM, NU, ETA, VX, VY, PX, PY, EX, EY, OVER, UNDER, ALL, UP, COUNT };
  double in[COUNT][NTKSYM_BLOCK];
  double h[NTKSYM_BLOCK], g[NTKSYM_BLOCK], cs[NTKSYM_BLOCK], sn[NTKSYM_BLOCK];
  double own[2][NTKSYM_BLOCK], bell[2][NTKSYM_BLOCK], orthant[NTKSYM_BLOCK];
  const double r1 = sqrt(q11);
  for (size_t i = 0; i < (size_t)NTKSYM_BLOCK; ++i) {
    const double q = q22[i], p = q12[i], det = root[i] * root[i];
    const double first = q11 + @ALPHA@ * det, second = q + @ALPHA@ * det;
    const double size = 1.0 + @ALPHA@ * (q11 + second), over = 1.0 / size;
    const double sign = p < 0.0 ? -1.0 : 1.0, r2 = sqrt(q);
    const double gap = k * r2 - sign * m * r1, small = det / (r1 * r2 + fabs(p));
    const double top = sign * (r1 * gap - k * small), bottom = -r2 * gap - sign * m * small;
    const double thin = root[i] > 1e-150 ? root[i] : 1e-150;
    const double f1 = 1.0 / sqrt(first), f2 = 1.0 / sqrt(second), up = sqrt(size);
    const double a0 = top / thin * f1, b0 = bottom / thin * f2;
    const double mu = (@ALPHA@ * p * m - (1.0 + @ALPHA@ * q) * k) * over;
    const double om = (@ALPHA@ * p * k - (1.0 + @ALPHA@ * q11) * m) * over;
    const double fall = -0.5 * @ALPHA@ * over * (k * (k + @ALPHA@ * (k * q - m * p))
        + m * (m + @ALPHA@ * (m * q11 - k * p)));
    h[i] = mu * up * f1;
    g[i] = om * up * f2;
    cs[i] = p;
    sn[i] = root[i] * up;
    in[S11][i] = first * over;
    in[S12][i] = p * over;
    in[S22][i] = second * over;
    in[MU][i] = mu;
    in[OM][i] = om;
    in[NU][i] = top * f1 * f1;
    in[ETA][i] = bottom * f2 * f2;
    in[VX][i] = det * f1 * f1;
    in[VY][i] = det * f2 * f2;
    in[PX][i] = root[i] * f1;
    in[PY][i] = root[i] * f2;
    in[EX][i] = a0 > 40.0 ? 40.0 : (a0 < -40.0 ? -40.0 : a0);
    in[EY][i] = b0 > 40.0 ? 40.0 : (b0 < -40.0 ? -40.0 : b0);
    in[OVER][i] = f1 * 0x1.9884533d43651p-2;
    in[UNDER][i] = f2 * 0x1.9884533d43651p-2;
    in[ALL][i] = @STEM@_fall(fall);
    in[UP][i] = up;
  }
  @STEM@_orthant(h, g, in[EX], in[EY], own[0], own[1], bell[0], bell[1], orthant);
  if ((k == 0.0) & (m == 0.0)) ntksym_block_Phi2(NTKSYM_BLOCK, h, g, cs, sn, orthant);
  for (size_t i = 0; i < (size_t)NTKSYM_BLOCK; ++i) {
    in[OVER][i] *= in[ALL][i] * own[0][i];
    in[UNDER][i] *= in[ALL][i] * own[1][i];
    in[ALL][i] *= orthant[i] / in[UP][i];
    in[PX][i] *= bell[0][i] * 0x1.9884533d43651p-2;
    in[PY][i] *= bell[1][i] * 0x1.9884533d43651p-2;
  }
  for (size_t i = 0; i < (size_t)NTKSYM_BLOCK; i += 2 * (size_t)@STEM@_many) {
    ntksym_lanes v[COUNT][2], along[@WIDE@][2], across[@WIDE@][2], rows[3][@WIDE@ + 1][2];
    ntksym_lanes k0[2], d0[2], x[2], y[2], mu[2], own[2], both[2];
    ntksym_lanes (*before)[2] = rows[2], (*last)[2] = rows[0], (*now)[2] = rows[1];
    for (int u = 0; u < COUNT; ++u) memcpy(v[u], &in[u][i], sizeof v[u]);
    @STEM@_edge(v[EX], v[NU], v[VX], v[PX], along);
    @STEM@_edge(v[EY], v[ETA], v[VY], v[PY], across);
    for (int u = 0; u < 2; ++u) {
      for (int j = 0; j < @WIDE@; ++j) {
        before[j + 1][u] = v[OVER][u] * along[j][u];
        across[j][u] = v[UNDER][u] * across[j][u];
      }
      last[0][u] = across[0][u];
      last[1][u] = v[ALL][u];
      for (int j = 1; j < @WIDE@; ++j)
        last[j + 1][u] = (v[OM][u] * last[j][u] + v[S22][u] * last[j - 1][u]
            + v[S12][u] * before[j][u]) * @STEM@_over[j];
      x[u] = v[ALL][u] * d[0];
      y[u] = v[ALL][u] * f[0];
      for (int j = 1; j < @WIDE@; ++j) {
        x[u] = x[u] + last[j + 1][u] * d[j];
        y[u] = y[u] + last[j + 1][u] * f[j];
      }
      k0[u] = x[u] * c[0];
      d0[u] = y[u] * e[0];
    }
    for (int s = 1; s < @WIDE@; ++s) {
      ntksym_lanes (*const free)[2] = before, low0 = last[0][0], low1 = last[0][1];
      ntksym_lanes x0 = low0 * 0.0, x1 = x0, y0 = x0, y1 = x0;
      for (int u = 0; u < 2; ++u) {
        mu[u] = v[MU][u] * @STEM@_over[s];
        own[u] = v[S11][u] * @STEM@_over[s];
        both[u] = v[S12][u] * @STEM@_over[s];
        now[0][u] = across[s][u];
      }
      for (int j = 0; j < @WIDE@; ++j) {
        const ntksym_lanes one = last[j + 1][0], two = last[j + 1][1];
        const ntksym_lanes t0 = mu[0] * one + own[0] * before[j + 1][0] + both[0] * low0;
        const ntksym_lanes t1 = mu[1] * two + own[1] * before[j + 1][1] + both[1] * low1;
        low0 = one;
        low1 = two;
        x0 = x0 + t0 * d[j];
        x1 = x1 + t1 * d[j];
        y0 = y0 + t0 * f[j];
        y1 = y1 + t1 * f[j];
        now[j + 1][0] = t0;
        now[j + 1][1] = t1;
      }
      k0[0] = k0[0] + x0 * c[s];
      k0[1] = k0[1] + x1 * c[s];
      d0[0] = d0[0] + y0 * e[s];
      d0[1] = d0[1] + y1 * e[s];
      before = last;
      last = now;
      now = free;
    }
    memcpy(v[0], nngp + i, sizeof k0);
    memcpy(v[1], dot + i, sizeof k0);
    for (int u = 0; u < 2; ++u) {
      k0[u] = k0[u] + v[0][u];
      d0[u] = d0[u] + v[1][u];
    }
    memcpy(nngp + i, k0, sizeof k0);
    memcpy(dot + i, d0, sizeof d0);
  }
}

/* The dual of what was taken out at the kinks, added. */
static void @STEM@_closed(size_t m, const unsigned char *slot, double q, const double *q12,
    const double *q22, const double *root, double *nngp, double *dot)
{
  for (size_t at = 0; at < m; at += (size_t)NTKSYM_BLOCK) {
    const size_t n = m - at < (size_t)NTKSYM_BLOCK ? m - at : (size_t)NTKSYM_BLOCK;
    double c[NTKSYM_BLOCK], b[NTKSYM_BLOCK], r[NTKSYM_BLOCK];
    double value[NTKSYM_BLOCK], slope[NTKSYM_BLOCK];
    for (size_t l = 0; l < (size_t)NTKSYM_BLOCK; ++l) {
      const size_t from = slot[at + (l < n ? l : n - 1)];
      c[l] = q12[from];
      b[l] = q22[from];
      r[l] = root[from];
      value[l] = slope[l] = 0.0;
    }
@CALLS@    for (size_t l = 0; l < n; ++l) {
      nngp[slot[at + l]] += value[l];
      dot[slot[at + l]] += slope[l];
    }
  }
}

"""
