"""C99 for a polar rule, for a weak singularity at 0 (`numeric.quadrature.fan`)."""

from __future__ import annotations

from ...numeric.quadrature.fan import FanRule, node_tables
from .backend import C
from .text import array


def fan_text(rule: FanRule, name: str, stem: str) -> str:
    """`static void <name>(a, b, rho, sigma, nngp, dot)`; it calls `<stem>_many`."""
    shares, weights, radii = node_tables(rule)
    reach = ", ".join(map(str, rule.reach))
    text = _table(f"{name}_share", shares) + _table(f"{name}_weight", weights)
    text += _table(f"{name}_radius", radii)
    text += f"static const int {name}_reach[{len(rule.reach)}] = {{\n{_wrapped(reach)}\n}};\n"
    inside, added = (_EVEN, _TWICE) if rule.parity else (_BOTH, _ONCE)
    text += _FAN.replace("@INSIDE@", inside).replace("@ADDED@", added)
    text = text.replace("@NAME@", name).replace("@STEM@", stem)
    text = text.replace("@RADII@", str(len(rule.reach))).replace("@ANGLES@", str(len(shares)))
    return text.replace("@LEAST@", C.literal(rule.least)).replace("@PARITY@", f"{rule.parity}.0")


def _table(name: str, values: tuple[float, ...]) -> str:
    return array(name, [C.literal(v) for v in values])


def _wrapped(text: str) -> str:
    import textwrap

    return textwrap.fill(text, 90, initial_indent="  ", subsequent_indent="  ")


_EVEN = """        for (int i = 0; i < m; ++i) {
          inner += w[i] * (f[0][i] * f[1][i] + f[2][i] * f[3][i]);
          inner_dot += w[i] * (d[0][i] * d[1][i] + d[2][i] * d[3][i]);
        }
"""

_BOTH = """        double less[4][some], g[4][some], e[4][some];
        for (int i = 0; i < 4; ++i) {
          for (int l = 0; l < m; ++l) less[i][l] = -at[i][l];
          @STEM@_many(0, m, less[i], g[i], e[i]);
        }
        for (int i = 0; i < m; ++i) {
          const double *f0 = turned ? g[0] : f[0], *f1 = turned ? f[0] : g[0];
          const double *f2 = turned ? g[2] : f[2], *f3 = turned ? f[2] : g[2];
          const double *d0 = turned ? e[0] : d[0], *d1 = turned ? d[0] : e[0];
          const double *d2 = turned ? e[2] : d[2], *d3 = turned ? d[2] : e[2];
          inner += w[i] * (f0[i] * f[1][i] + f1[i] * g[1][i] + (f2[i] * f[3][i] + f3[i] * g[3][i]));
          inner_dot += w[i]
              * (d0[i] * d[1][i] + d1[i] * e[1][i] + (d2[i] * d[3][i] + d3[i] * e[3][i]));
        }
"""

_ONCE = """    *nngp += angle[turned] * sum;
    *dot += angle[turned] * sum_dot;
"""

_TWICE = """    *nngp += 2.0 * angle[turned] * (turned ? @PARITY@ : 1.0) * sum;
    *dot += 2.0 * angle[turned] * (turned ? -(@PARITY@) : 1.0) * sum_dot;
"""

_FAN = """
/* Polar coordinates, quadrant by quadrant: u = a r sin t, v = b r sin(L - t), t = L/(1 + e^-w). */
static void @NAME@(double a, double b, double rho, double sigma, double *nngp, double *dot)
{
  const double angle[2] = {atan2(sigma, -rho), atan2(sigma, rho)};
  enum { some = 64 };
  if (b * b < @LEAST@) return;
  *nngp = *dot = 0.0;
  for (int turned = 0; turned < 2; ++turned) {
    double sum = 0.0, sum_dot = 0.0;
    if (angle[turned] == 0.0) continue;
    for (int k = 0; k < @ANGLES@; ++k) {
      const double small = angle[turned] * @NAME@_share[k];
      const double near = sin(small), far = sin(angle[1 - turned] + small);
      const double weight = (k > 0 ? 1.0 : 0.5) * @NAME@_weight[k];
      double inner = 0.0, inner_dot = 0.0;
      for (int j = 0; j < @RADII@;) {
        double w[some], at[4][some], f[4][some], d[4][some];
        int m = 0;
        for (; j < @RADII@ && m < some; ++j) {
          if (@NAME@_reach[j] < k) continue;
          const double r = @NAME@_radius[2 * j];
          w[m] = weight * @NAME@_radius[2 * j + 1];
          at[0][m] = a * r * far;
          at[1][m] = b * r * near;
          at[2][m] = a * r * near;
          at[3][m++] = b * r * far;
        }
        for (int i = 0; i < 4; ++i) @STEM@_many(1, m, at[i], f[i], d[i]);
@INSIDE@      }
      sum += inner;
      sum_dot += inner_dot;
    }
@ADDED@  }
}
"""
