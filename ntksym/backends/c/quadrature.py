"""C99 for a quadrature dual: its rules as tables, its pieces as inline functions."""

from __future__ import annotations

from dataclasses import dataclass

from ...lower.program import Program
from ...numeric.quadrature import QuadratureDual
from ...numeric.quadrature.close import Close
from ...numeric.quadrature.fan import FanRule
from ...numeric.quadrature.lattice import LatticeRule
from ...numeric.quadrature.panels import PanelRule
from ...numeric.quadrature.product import LEAST_SIGMA, most_panels
from ..numpy.quadrature import numpy_text
from ..quadrature_programs import piece_programs
from .backend import C
from .fan import fan_text
from .helpers.vectors import in_loops, support
from .quadrature_product import BLOCKS, PRODUCT
from .quadrature_text import LATTICE, MANY, PANELS, SUM
from .text import array


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
        pieces = [in_loops(p, f"{stem}_piece{i}") for i, p in enumerate(self.programs)]
        pieces.insert(0, support(pieces))
        levels = self.dual.levels
        alone = all(isinstance(level.rule, FanRule) for level in levels)
        pieces.append(_many(stem, len(self.programs), alone))
        for i, level in enumerate(levels):
            pieces.append(_rule(level.rule, f"{stem}_level{i}", stem))
        after = "" if self.dual.slopes else "    *dot = NAN;\n"
        if (close := self.dual.close) is not None:
            after = f"    *dot = {stem}_close(*dot, a, b, rho, sigma);\n"
            pieces.append(_close(close, stem))
        chain = "".join(
            f"  if (a2 <= {C.literal(float(level.top))}) {{\n"
            f"    {stem}_level{i}(a, b, rho, sigma, nngp, dot);\n{after}    return;\n  }}\n"
            for i, level in enumerate(levels)
        )
        if (least := float(self.dual.least)) > 0.0:
            chain = _LEAST[self.dual.zero].replace("@LEAST@", C.literal(least)) + chain
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


def _many(stem: str, count: int, alone: bool) -> str:
    """The pieces at many points, and, unless alone, sums of products with them."""
    loop = "for (int i = 0; i < n; ++i) @STEM@_piece{}(x[i], &value[i], &slope[i]);"
    cases = "".join(
        f"  {f'if (piece == {k}) ' if k < count - 1 else ''}{{\n    {loop.format(k)}\n"
        f"    return;\n  }}\n"
        for k in range(count)
    )
    return (MANY.replace("@PIECES@", cases) + SUM * (not alone)).replace("@STEM@", stem)


def _doubles(name: str, values: tuple[float, ...]) -> str:
    return array(name, [C.literal(v) for v in values] or [0.0])


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
    text = _doubles(f"{name}_weight", rule.weights) + _ints(f"{name}_row", rule.rows) + LATTICE
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
    text += _blocks(rule, name)
    text += PANELS.replace("@PRODUCT@", PRODUCT.replace("@BLOCKS@", BLOCKS * bool(rule.blocks)))
    panels = most_panels(rule)
    text = text.replace("@PIECES@", str(panels))
    text = text.replace("@ROOM@", str(panels * rule.tables[0].points))
    text = text.replace("@LEAST SIGMA@", C.literal(LEAST_SIGMA))
    text = text.replace("@TWICE@", "2.0 * " * rule.half)
    text = text.replace("@FROM@", "0.0" if rule.half else f"-{C.literal(rule.length)}")
    text = text.replace("@NAME@", name).replace("@STEM@", stem)
    text = text.replace("@CUTS@", str(len(rule.cuts))).replace("@TABLES@", str(len(rule.tables)))
    text = text.replace("@FAR@", C.literal(rule.length)).replace("@WIDTH@", C.literal(rule.width))
    text = text.replace("@POINTS@", str(rule.tables[0].points))
    text = text.replace("@MOST@", str(3 * len(rule.cuts) + 2))
    return text.replace("@TAU@", "0x1.921fb54442d18p+2").replace("@ROOT@", "0x1.40d931ff62706p+1")


def _blocks(rule: PanelRule, name: str) -> str:
    """Nodes and weights of the blocks, and which begin with each interval; "" without any."""
    blocks = rule.blocks
    if not blocks:
        return ""
    many = range(len(rule.intervals) + 1)
    points = tuple(sum(len(b.nodes) for b in blocks[:k]) for k in range(len(blocks) + 1))
    text = _ints(f"{name}_group", tuple(sum(b.first < i for b in blocks) for i in many))
    text += _ints(f"{name}_last", tuple(b.last for b in blocks)) + _ints(f"{name}_points", points)
    text += _doubles(f"{name}_low", tuple(b.low for b in blocks))
    text += _doubles(f"{name}_high", tuple(b.high for b in blocks))
    text += _doubles(f"{name}_at", tuple(v for b in blocks for v in b.nodes))
    text += _doubles(f"{name}_value", tuple(v for b in blocks for v in b.value))
    return text + _doubles(f"{name}_slope", tuple(v for b in blocks for v in b.slope))


def _close(close: Close, stem: str) -> str:
    """`Close.mended` in C."""
    text = _doubles(f"{stem}_kink", close.kinks) + _doubles(f"{stem}_own", close.nodes)
    text += _doubles(f"{stem}_own_weight", close.weights)
    text += _CLOSE.replace("@STEM@", stem).replace("@SIGMA@", C.literal(close.sigma))
    text = text.replace("@APART@", C.literal(close.apart)).replace("@PARITY@", str(close.parity))
    text = text.replace("@ODD@", str(close.odd)).replace("@NODES@", str(len(close.nodes)))
    return text.replace("@KINKS@", str(len(close.kinks))).replace("@ROOT@", "0x1.40d931ff62706p+1")


_CLOSE = """
/* The derivative dual of inputs next to each other: a sum for equal ones; NaN without a bound. */
static double @STEM@_close(double dot, double a, double b, double rho, double sigma)
{
  if (!(sigma < @SIGMA@) || b == 0.0) return dot;
  const int sign = rho > 0.0 ? 1 : @PARITY@;
  if (sigma == 0.0 && a == b && sign) {
    double total = 0.0;
    for (int i = 0; i < @NODES@; ++i) {
      const double c = @STEM@_own[i] / a;
      total += @STEM@_own_weight[i] * exp(-0.5 * c * c);
    }
    return sign * total / (a * @ROOT@);
  }
  for (int i = 0; i < @KINKS@; ++i)
    for (int j = 0; j < (i < @ODD@ ? @KINKS@ : @ODD@); ++j) {
      const double c = (rho > 0.0 ? b : -b) * @STEM@_kink[i];
      if (fabs(c - a * @STEM@_kink[j]) < @APART@ * a) return NAN;
    }
  return dot;
}
"""

_LEAST = {
    True: """  if ((a2 > 0.0 && a2 < @LEAST@) || (b2 > 0.0 && b2 < @LEAST@)) return;
""",
    False: "  if (b2 < @LEAST@) return;\n",
}
"""No bound for smaller variances; 0 may have one."""

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
