"""C99 for a polar rule, for a weak singularity at 0 (`numeric.quadrature.fan`)."""

from __future__ import annotations

from ...numeric.quadrature.fan import FanRule, node_tables
from .backend import C


def fan_text(rule: FanRule, name: str, stem: str) -> str:
    """`static void <name>(a, b, rho, sigma, nngp, dot)`; it calls `<stem>_piece0` and `1`."""
    shares, weights, radii = node_tables(rule)
    reach = ", ".join(map(str, rule.reach))
    text = _table(f"{name}_share", shares) + _table(f"{name}_weight", weights)
    text += _table(f"{name}_radius", radii)
    text += f"static const int {name}_reach[{len(rule.reach)}] = {{\n{_wrapped(reach)}\n}};\n"
    inside, added = (_EVEN, _TWICE) if rule.parity else (_BOTH, _ONCE)
    text += _FAN.replace("@INSIDE@", inside).replace("@ADDED@", added)
    text = text.replace("@NAME@", name).replace("@STEM@", stem)
    text = text.replace("@RADII@", str(len(rule.reach))).replace("@ANGLES@", str(len(shares)))
    text = text.replace("@LEAST@", C.literal(rule.least)).replace("@PARITY@", f"{rule.parity}.0")
    return text.replace("@UNUSED@", f"  (void){stem}_piece0;\n" if rule.parity else "")


def _table(name: str, values: tuple[float, ...]) -> str:
    body = ",\n".join("  " + C.literal(v) for v in values)
    return f"static const double {name}[{len(values)}] = {{\n{body}\n}};\n"


def _wrapped(text: str) -> str:
    import textwrap

    return textwrap.fill(text, 90, initial_indent="  ", subsequent_indent="  ")


_EVEN = """        @STEM@_piece1(a * r * far, &f[0], &d[0]);
        @STEM@_piece1(b * r * near, &f[1], &d[1]);
        @STEM@_piece1(a * r * near, &f[2], &d[2]);
        @STEM@_piece1(b * r * far, &f[3], &d[3]);
        inner += w * (f[0] * f[1] + f[2] * f[3]);
        inner_dot += w * (d[0] * d[1] + d[2] * d[3]);
"""

_BOTH = """        double g[4], e[4];
        @STEM@_piece1(a * r * far, &f[0], &d[0]);
        @STEM@_piece1(b * r * near, &f[1], &d[1]);
        @STEM@_piece1(a * r * near, &f[2], &d[2]);
        @STEM@_piece1(b * r * far, &f[3], &d[3]);
        @STEM@_piece0(-a * r * far, &g[0], &e[0]);
        @STEM@_piece0(-b * r * near, &g[1], &e[1]);
        @STEM@_piece0(-a * r * near, &g[2], &e[2]);
        @STEM@_piece0(-b * r * far, &g[3], &e[3]);
        if (turned) {
          inner += w * (f[0] * g[1] + g[0] * f[1] + (f[2] * g[3] + g[2] * f[3]));
          inner_dot += w * (d[0] * e[1] + e[0] * d[1] + (d[2] * e[3] + e[2] * d[3]));
        } else {
          inner += w * (f[0] * f[1] + g[0] * g[1] + (f[2] * f[3] + g[2] * g[3]));
          inner_dot += w * (d[0] * d[1] + e[0] * e[1] + (d[2] * d[3] + e[2] * e[3]));
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
@UNUSED@  if (b * b < @LEAST@) return;
  *nngp = *dot = 0.0;
  for (int turned = 0; turned < 2; ++turned) {
    double sum = 0.0, sum_dot = 0.0;
    if (angle[turned] == 0.0) continue;
    for (int k = 0; k < @ANGLES@; ++k) {
      const double small = angle[turned] * @NAME@_share[k];
      const double near = sin(small), far = sin(angle[1 - turned] + small);
      const double weight = (k > 0 ? 1.0 : 0.5) * @NAME@_weight[k];
      double inner = 0.0, inner_dot = 0.0;
      for (int j = 0; j < @RADII@; ++j) {
        if (@NAME@_reach[j] < k) continue;
        const double r = @NAME@_radius[2 * j], w = weight * @NAME@_radius[2 * j + 1];
        double f[4], d[4];
@INSIDE@      }
      sum += inner;
      sum_dot += inner_dot;
    }
@ADDED@  }
}
"""
