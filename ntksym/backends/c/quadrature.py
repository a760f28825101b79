"""C99 for a quadrature dual: its rules as tables, its pieces as inline functions."""

from __future__ import annotations

from dataclasses import dataclass

from ...lower.program import Program
from ...numeric.quadrature import QuadratureDual
from ...numeric.quadrature.fan import FanRule
from ...numeric.quadrature.lattice import LatticeRule
from ...numeric.quadrature.panels import PanelRule
from ..numpy.quadrature import numpy_text
from ..quadrature_programs import piece_programs
from .backend import C, inline_function
from .fan import fan_text


@dataclass(frozen=True, slots=True)
class QuadratureUnit:
    """A `DualUnit`: the rules of a `QuadratureDual` in C and NumPy, NaN outside their range."""

    dual: QuadratureDual

    @property
    def notes(self) -> tuple[str, ...]:
        """What it computes, the proven bounds, the range of validity."""
        return self.dual.lines()

    @property
    def programs(self) -> tuple[Program, ...]:
        """One program per smooth piece of the activation, of x."""
        return piece_programs(self.dual.subject)

    def c_functions(self, stem: str) -> str:
        """As in `DualUnit`; every entry is summed on its own, in one order."""
        pieces = [_piece(p, f"{stem}_piece{i}") for i, p in enumerate(self.programs)]
        levels = self.dual.levels
        if any(isinstance(level.rule, PanelRule) for level in levels):
            pieces.append(_pick(stem, len(self.programs)))
        for i, level in enumerate(levels):
            pieces.append(_rule(level.rule, f"{stem}_level{i}", stem))
        chain = "".join(
            f"  if (a2 <= {C.literal(float(level.top))}) {{\n"
            f"    {stem}_level{i}(a, b, rho, sigma, nngp, dot);\n    return;\n  }}\n"
            for i, level in enumerate(levels)
        )
        return "\n".join([*pieces, _ENTRY.replace("@LEVELS@", chain).replace("@STEM@", stem)])

    def numpy_functions(self, stem: str) -> str:
        """As in `DualUnit`: entry by entry, so that its bits depend on nothing else."""
        return numpy_text(self.dual, self.programs, stem)


def quadrature_unit(dual: QuadratureDual) -> QuadratureUnit:
    """The unit of a quadrature dual.

    Raises:
        UnsupportedOp: a function without an operation.
    """
    unit = QuadratureUnit(dual)
    assert unit.programs
    return unit


def _rule(rule: LatticeRule | PanelRule | FanRule, name: str, stem: str) -> str:
    if isinstance(rule, FanRule):
        return fan_text(rule, name, stem)
    return (
        _lattice(rule, name, stem) if isinstance(rule, LatticeRule) else _panels(rule, name, stem)
    )


def _piece(program: Program, name: str) -> str:
    return inline_function(program, name)


def _pick(stem: str, count: int) -> str:
    if count == 1:
        body = f"  (void)piece;\n  {stem}_piece0(x, value, slope);\n"
    else:
        cases = "".join(
            f"    case {i}: {stem}_piece{i}(x, value, slope); break;\n" for i in range(count - 1)
        )
        last = f"    default: {stem}_piece{count - 1}(x, value, slope); break;\n"
        body = f"  switch (piece) {{\n{cases}{last}  }}\n"
    return (
        f"static void {stem}_any(int piece, double x, double *value, double *slope)\n{{\n{body}}}\n"
    )


def _doubles(name: str, values: tuple[float, ...]) -> str:
    body = ",\n".join("  " + C.literal(v) for v in values) or "  0.0"
    return f"static const double {name}[{max(1, len(values))}] = {{\n{body}\n}};\n"


def _ints(name: str, values: tuple[int, ...]) -> str:
    lines, line = [], " "
    for v in values:
        if len(line) > 90:
            lines.append(line.rstrip())
            line = " "
        line += f" {v},"
    lines.append(line.rstrip().rstrip(","))
    body = "\n".join(lines)
    return f"static const int {name}[{len(values)}] = {{\n{body}\n}};\n"


def _lattice(rule: LatticeRule, name: str, stem: str) -> str:
    text = _doubles(f"{name}_weight", rule.weights) + _ints(f"{name}_row", rule.rows) + _LATTICE
    text = text.replace("@NAME@", name).replace("@STEM@", stem)
    text = text.replace("@FIRST@", "0" if rule.half else str(-rule.count))
    text = text.replace("@TWICE@", "(j > 0 ? 2.0 : 1.0) * " if rule.half else "")
    return text.replace("@COUNT@", str(rule.count)).replace("@STEP@", C.literal(rule.step))


def _panels(rule: PanelRule, name: str, stem: str) -> str:
    starts, nodes, weights = [0], [], []
    for table in rule.tables:
        starts.append(starts[-1] + table.points)
        nodes += [0.5 * (t + 1.0) for t in table.nodes]
        weights += [0.5 * w for w in table.weights]
    text = _doubles(f"{name}_cut", rule.cuts)
    text += _doubles(f"{name}_rate", rule.rates)
    text += _ints(f"{name}_kind", tuple(part.piece for part in rule.intervals))
    text += _ints(f"{name}_start", tuple(starts))
    text += _doubles(f"{name}_share", tuple(table.share for table in rule.tables))
    text += _doubles(f"{name}_node", tuple(nodes)) + _doubles(f"{name}_weight", tuple(weights))
    text += _PANELS
    text = text.replace("@NAME@", name).replace("@STEM@", stem)
    text = text.replace("@CUTS@", str(len(rule.cuts))).replace("@TABLES@", str(len(rule.tables)))
    text = text.replace("@FAR@", C.literal(rule.length)).replace("@WIDTH@", C.literal(rule.width))
    text = text.replace("@MOST@", str(3 * len(rule.cuts) + 2))
    text = text.replace("@POINTS@", str(max(table.points for table in rule.tables)))
    return text.replace("@TAU@", "0x1.921fb54442d18p+2").replace("@ROOT@", "0x1.40d931ff62706p+1")


_LATTICE = """
static void @NAME@(double a, double b, double rho, double sigma, double *nngp, double *dot)
{
  double total = 0.0, total_dot = 0.0;
  for (int j = @FIRST@; j <= @COUNT@; ++j) {
    const int m = j < 0 ? -j : j;
    const double x = j * @STEP@;
    double s, d, inner = 0.0, inner_dot = 0.0;
    @STEM@_piece0(a * x, &s, &d);
    if (sigma == 0.0) {
      @STEM@_piece0(b * rho * x, &inner, &inner_dot);
    } else {
      for (int k = -@NAME@_row[m]; k <= @NAME@_row[m]; ++k) {
        double f, g;
        @STEM@_piece0(b * (rho * x + sigma * (k * @STEP@)), &f, &g);
        inner += @NAME@_weight[k < 0 ? -k : k] * f;
        inner_dot += @NAME@_weight[k < 0 ? -k : k] * g;
      }
    }
    total += @TWICE@@NAME@_weight[m] * s * inner;
    total_dot += @TWICE@@NAME@_weight[m] * d * inner_dot;
  }
  *nngp = total;
  *dot = total_dot;
}
"""

_PANELS = """
static double @NAME@_clip(double z)
{
  return z < -@FAR@ ? -@FAR@ : z > @FAR@ ? @FAR@ : z;
}

static int @NAME@_index(double u)
{
  int found = 0;
  for (int i = 0; i < @CUTS@; ++i) found += u > @NAME@_cut[i];
  return found;
}

static int @NAME@_table(double share)
{
  int found = 0;
  for (int i = 1; i < @TABLES@; ++i) found += share <= @NAME@_share[i];
  return found;
}

/* The part between x0 and x1, from the line low0-low1 to the line high0-high1. */
static void @NAME@_cell(const double *entry, const double *xs, const double *low,
                        const double *high, int first, int second, double *nngp, double *dot)
{
  const double a = entry[0], b = entry[1], rho = entry[2], sigma = entry[3];
  const double dx = xs[1] - xs[0], dl = low[1] - low[0], dh = high[1] - high[0];
  const double drift = fmax(fabs(rho * dx + sigma * dl), fabs(rho * dx + sigma * dh));
  const double edge = sqrt(fmax(dx * dx + dl * dl, dx * dx + dh * dh));
  const double tall = fmax(high[0] - low[0], high[1] - low[1]);
  const double across = fmax(fmax(a * dx * @NAME@_rate[first], b * drift * @NAME@_rate[second]),
                             edge / @WIDTH@);
  const double up = fmax(b * sigma * tall * @NAME@_rate[second], tall / @WIDTH@);
  const double nx = fmax(1.0, ceil(across - 1e-9)), nz = fmax(1.0, ceil(up - 1e-9));
  const int tx = @NAME@_table(across / nx), tz = @NAME@_table(up / nz);
  const int columns = (int)nx, rows = (int)nz;
  for (int i = 0; i < columns; ++i) {
    for (int k = @NAME@_start[tx]; k < @NAME@_start[tx + 1]; ++k) {
      const double s = (i + @NAME@_node[k]) / nx, x = xs[0] + dx * s;
      const double from = low[0] + dl * s;
      const double height = (high[0] - low[0]) + ((high[1] - low[1]) - (high[0] - low[0])) * s;
      double f, g, inner = 0.0, inner_dot = 0.0;
      for (int l = 0; l < rows; ++l) {
        for (int m = @NAME@_start[tz]; m < @NAME@_start[tz + 1]; ++m) {
          const double z = from + height * ((l + @NAME@_node[m]) / nz);
          const double weight = @NAME@_weight[m] / nz * exp(-0.5 * z * z);
          double p, r;
          @STEM@_any(@NAME@_kind[second], b * (rho * x + sigma * z), &p, &r);
          inner += weight * p;
          inner_dot += weight * r;
        }
      }
      const double weight = dx * height * (@NAME@_weight[k] / nx) * exp(-0.5 * x * x);
      @STEM@_any(@NAME@_kind[first], a * x, &f, &g);
      *nngp += weight * f * inner;
      *dot += weight * g * inner_dot;
    }
  }
}

/* Insertion sort of a few numbers. */
static void @NAME@_sort(int n, double *at)
{
  for (int i = 1; i < n; ++i) {
    const double t = at[i];
    int k = i;
    for (; k > 0 && at[k - 1] > t; --k) at[k] = at[k - 1];
    at[k] = t;
  }
}

/* Correlation one or minus one: one sum over x. */
static void @NAME@_line(double a, double b, double *nngp, double *dot)
{
  double at[@MOST@];
  int n = 0;
  at[n++] = -@FAR@;
  at[n++] = @FAR@;
  for (int i = 0; i < @CUTS@; ++i) {
    if (fabs(@NAME@_cut[i]) < a * @FAR@) at[n++] = @NAME@_cut[i] / a;
    if (fabs(@NAME@_cut[i]) < fabs(b) * @FAR@) at[n++] = @NAME@_cut[i] / b;
  }
  @NAME@_sort(n, at);
  *nngp = *dot = 0.0;
  for (int i = 0; i + 1 < n; ++i) {
    const double dx = at[i + 1] - at[i], mid = 0.5 * (at[i] + at[i + 1]);
    if (!(dx > 0.0)) continue;
    const int first = @NAME@_index(a * mid), second = @NAME@_index(b * mid);
    const double most = fmax(fmax(a * @NAME@_rate[first], fabs(b) * @NAME@_rate[second]),
                             1.0 / @WIDTH@);
    const double parts = fmax(1.0, ceil(dx * most - 1e-9));
    for (int l = 0; l < (int)parts; ++l) {
      for (int m = 0; m < @NAME@_start[1]; ++m) {
        const double x = at[i] + dx * ((l + @NAME@_node[m]) / parts);
        const double weight = dx * (@NAME@_weight[m] / parts) * exp(-0.5 * x * x) / @ROOT@;
        double f, g, p, r;
        @STEM@_any(@NAME@_kind[first], a * x, &f, &g);
        @STEM@_any(@NAME@_kind[second], b * x, &p, &r);
        *nngp += weight * f * p;
        *dot += weight * g * r;
      }
    }
  }
}

static void @NAME@(double a, double b, double rho, double sigma, double *nngp, double *dot)
{
  if (sigma == 0.0) {
    @NAME@_line(a, b * rho, nngp, dot);
    return;
  }
  const double entry[4] = {a, b, rho, sigma};
  double at[@MOST@];
  int n = 0;
  at[n++] = -@FAR@;
  at[n++] = @FAR@;
  for (int i = 0; i < @CUTS@; ++i) {
    const double c = @NAME@_cut[i];
    if (fabs(c) < a * @FAR@) at[n++] = c / a;
    if (b > 0.0 && fabs(c / b - sigma * @FAR@) < fabs(rho) * @FAR@)
      at[n++] = (c / b - sigma * @FAR@) / rho;
    if (b > 0.0 && fabs(c / b + sigma * @FAR@) < fabs(rho) * @FAR@)
      at[n++] = (c / b + sigma * @FAR@) / rho;
  }
  @NAME@_sort(n, at);
  *nngp = *dot = 0.0;
  for (int i = 0; i + 1 < n; ++i) {
    const double xs[2] = {at[i], at[i + 1]};
    if (!(xs[1] > xs[0])) continue;
    const int first = @NAME@_index(a * (0.5 * (xs[0] + xs[1])));
    double low[2] = {-@FAR@, -@FAR@};
    for (int j = 0; j <= @CUTS@; ++j) {
      double high[2] = {@FAR@, @FAR@};
      if (b > 0.0 && j < @CUTS@) {
        high[0] = @NAME@_clip((@NAME@_cut[j] / b - rho * xs[0]) / sigma);
        high[1] = @NAME@_clip((@NAME@_cut[j] / b - rho * xs[1]) / sigma);
      } else if (!(b > 0.0) && j != @NAME@_index(0.0)) {
        continue;
      }
      if (high[0] > low[0] || high[1] > low[1]) {
        @NAME@_cell(entry, xs, low, high, first, j, nngp, dot);
        low[0] = high[0];
        low[1] = high[1];
      }
    }
  }
  *nngp /= @TAU@;
  *dot /= @TAU@;
}
"""

_ENTRY = """
/* One entry; the larger variance first, so that it is symmetric to the last bit. */
static void @STEM@_entry(double q11, double q12, double q22, double root, double *nngp, double *dot)
{
  const double a2 = q11 >= q22 ? q11 : q22, b2 = q11 >= q22 ? q22 : q11;
  *nngp = *dot = NAN;
  if (!(b2 >= 0.0 && q12 == q12 && root >= 0.0)) return;
  const double a = sqrt(a2), b = sqrt(b2);
  double rho = 0.0, sigma = 1.0;
  if (b > 0.0) {
    rho = q12 / a / b;
    sigma = root / a / b;
    if (!(fabs(rho) <= 0x1.00000004p+0)) return;
    rho = rho > 1.0 ? 1.0 : rho < -1.0 ? -1.0 : rho;
    if (sigma == 0.0) rho = rho > 0.0 ? 1.0 : -1.0;
    if (sigma > 1.0) sigma = 1.0;
  } else if (q12 != 0.0) {
    return;
  }
@LEVELS@}

static void @STEM@_pairs(size_t n, const double *q11, const double *q12, const double *q22,
                         const double *root, double *nngp, double *dot)
{
  for (size_t i = 0; i < n; ++i)
    @STEM@_entry(q11[i], q12[i], q22[i], root[i], &nngp[i], &dot[i]);
}

static void @STEM@_diag(size_t n, const double *q, double *nngp, double *dot)
{
  for (size_t i = 0; i < n; ++i) @STEM@_entry(q[i], q[i], q[i], 0.0, &nngp[i], &dot[i]);
}
"""
