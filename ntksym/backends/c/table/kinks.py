"""C for a `KinkTable`: Chebyshev sums for all rho, and the closed dual of truncated powers.

Its shells, which have no closed part, come first: away from rho = +-1 they are all there is.
The closed part goes through in lanes: the orthant in
blocks, then Stein's recurrence for every pair of kinks (`numeric/table/split/closed.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from ....lower.program import Let, Program
from ....numeric.table.split.closed import Closed
from ....numeric.table.split.kinks import KinkTable
from ...numpy.table.kinks import notes, numpy_text
from ...numpy.table.shells import shells_notes, shells_numpy
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
        return sums(self.table.far, stem, near, "")

    def numpy_functions(self, stem: str) -> str:
        """NumPy that defines `<stem>_pairs` and `<stem>_diag`; `np` is NumPy."""
        return shells_numpy(self.table.shells, stem, partial(numpy_text, self.table))


def _closed(closed: Closed, stem: str) -> str:
    text, calls, wide = "", "", len(closed.slope[0])
    for i, (value, slope) in enumerate(zip(closed.value, closed.slope, strict=True)):
        text += array(f"{stem}_c{i}", [*value, 0.0]) + array(f"{stem}_e{i}", list(slope))
    for i, k in enumerate(closed.kinks):
        for j, m in enumerate(closed.kinks):
            calls += (
                f"    @STEM@_both(n, q, c, b, r, {c_literal(k)}, {c_literal(m)}, @STEM@_c{i},"
                f" @STEM@_e{i},\n        @STEM@_c{j}, @STEM@_e{j}, value, slope);\n"
            )
    text += _PAIR.replace("@CALLS@", calls).replace("@WIDE@", str(wide))
    alpha = Fraction(closed.alpha)
    text = text.replace("@ALPHA@", c_literal(float(alpha)))
    return text.replace("@LANES@", str(LANES))


_CALL = """      for (size_t l = 0; l < b; ++l)
        if (kind[l] < 2) slot[m++] = (unsigned char)l;
      @STEM@_closed(m, slot, q, q12 + at, q22 + at, root + at, nngp + at, dot + at);
"""

_PAIR = """/* E[y^j; y > 0], j < @WIDE@, for y of this mean and variance, edge = P(y > 0). */
static inline void @STEM@_edge(ntksym_lanes edge, ntksym_lanes mean,
    ntksym_lanes variance, ntksym_lanes peak, ntksym_lanes *out)
{
  out[0] = edge;
  out[1] = mean * edge + peak;
  for (int j = 2; j < @WIDE@; ++j)
    out[j] = mean * out[j - 1] + (variance * (double)(j - 1)) * out[j - 2];
}

/* One pair of kinks k, m: c and d are coefficients of the value, e and f of the derivative. */
NTKSYM_FUSED static void @STEM@_both(size_t n, double q11, const double *q12,
    const double *q22, const double *root, double k, double m, const double *c, const double *e,
    const double *d, const double *f, double *nngp, double *dot)
{
  enum { S11, S12, S22, MU, OM, NU, ETA, VX, VY, PX, PY, EX, EY, OVER, UNDER, ALL, COUNT };
  double in[COUNT][NTKSYM_BLOCK];
  double h[NTKSYM_BLOCK], g[NTKSYM_BLOCK], cs[NTKSYM_BLOCK], sn[NTKSYM_BLOCK];
  const double r1 = sqrt(q11);
  const size_t many = NTKSYM_ROUND_UP(n);
  for (size_t i = 0; i < many; ++i) {
    const double q = q22[i], p = q12[i], det = root[i] * root[i];
    const double first = q11 + @ALPHA@ * det, second = q + @ALPHA@ * det;
    const double size = 1.0 + @ALPHA@ * (q11 + second), over = 1.0 / size;
    const double sign = p < 0.0 ? -1.0 : 1.0, r2 = sqrt(q);
    const double gap = k * r2 - sign * m * r1, small = det / (r1 * r2 + fabs(p));
    const double top = sign * (r1 * gap - k * small), bottom = -r2 * gap - sign * m * small;
    const double thin = root[i] > 1e-150 ? root[i] : 1e-150;
    const double f1 = 1.0 / sqrt(first), f2 = 1.0 / sqrt(second), up = sqrt(size);
    const double a0 = top / thin * f1, b0 = bottom / thin * f2;
    const double a = a0 > 40.0 ? 40.0 : (a0 < -40.0 ? -40.0 : a0);
    const double b = b0 > 40.0 ? 40.0 : (b0 < -40.0 ? -40.0 : b0);
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
    in[PX][i] = root[i] * f1 * ntksym_op_exp(-0.5 * a * a) * 0x1.9884533d43651p-2;
    in[PY][i] = root[i] * f2 * ntksym_op_exp(-0.5 * b * b) * 0x1.9884533d43651p-2;
    in[EX][i] = ntksym_op_Phi(a);
    in[EY][i] = ntksym_op_Phi(b);
    in[OVER][i] = ntksym_op_exp(fall - 0.5 * h[i] * h[i]) * f1 * 0x1.9884533d43651p-2;
    in[UNDER][i] = ntksym_op_exp(fall - 0.5 * g[i] * g[i]) * f2 * 0x1.9884533d43651p-2;
    cs[i] = p;
    in[ALL][i] = ntksym_op_exp(fall) / up;
  }
  {
    double orthant[NTKSYM_BLOCK];
    ntksym_block_Phi2(n, h, g, cs, sn, orthant);
    for (size_t i = 0; i < many; ++i) in[ALL][i] *= orthant[i];
  }
  for (size_t i = 0; i < many; i += (size_t)@STEM@_many) {
    ntksym_lanes v[COUNT], along[@WIDE@], across[@WIDE@], rows[3][@WIDE@], k0, d0;
    for (int u = 0; u < COUNT; ++u) memcpy(&v[u], &in[u][i], sizeof v[u]);
    @STEM@_edge(v[EX], v[NU], v[VX], v[PX], along);
    @STEM@_edge(v[EY], v[ETA], v[VY], v[PY], across);
    rows[0][0] = v[ALL];
    rows[0][1] = v[OM] * rows[0][0] + v[S12] * v[OVER] * along[0] + v[S22] * v[UNDER] * across[0];
    for (int j = 2; j < @WIDE@; ++j)
      rows[0][j] = v[OM] * rows[0][j - 1] + v[S12] * v[OVER] * along[j - 1]
          + (v[S22] * (double)(j - 1)) * rows[0][j - 2];
    memset(&k0, 0, sizeof k0);
    d0 = k0;
    for (int s = 0; s < @WIDE@; ++s) {
      ntksym_lanes *now = rows[s % 3], x = v[S11] * 0.0, y = x;
      const ntksym_lanes *last = rows[(s + 2) % 3], *before = rows[(s + 1) % 3];
      if (s == 1) {
        now[0] = v[MU] * last[0] + v[S11] * v[OVER] * along[0] + v[S12] * v[UNDER] * across[0];
        for (int j = 1; j < @WIDE@; ++j)
          now[j] = v[MU] * last[j] + v[S11] * v[OVER] * along[j]
              + (v[S12] * (double)j) * last[j - 1];
      }
      if (s > 1) {
        const ntksym_lanes w = v[S11] * (double)(s - 1);
        now[0] = v[MU] * last[0] + w * before[0] + v[S12] * v[UNDER] * across[s - 1];
        for (int j = 1; j < @WIDE@; ++j)
          now[j] = v[MU] * last[j] + w * before[j] + (v[S12] * (double)j) * last[j - 1];
      }
      for (int j = 0; j < @WIDE@; ++j) {
        x = x + now[j] * d[j];
        y = y + now[j] * f[j];
      }
      k0 = k0 + x * c[s];
      d0 = d0 + y * e[s];
    }
    memcpy(&v[0], nngp + i, sizeof k0);
    memcpy(&v[1], dot + i, sizeof k0);
    k0 = k0 + v[0];
    d0 = d0 + v[1];
    memcpy(nngp + i, &k0, sizeof k0);
    memcpy(dot + i, &d0, sizeof d0);
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
    for (size_t l = 0; l < NTKSYM_ROUND_UP(n); ++l) {
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
