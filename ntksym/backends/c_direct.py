"""C for the operations `direct`: a dual by its definition, where its closed form cancels.

As for `price`: the block functions copy the closed form and look for a pair of variances in the
table; only those pairs are integrated, one by one.
"""

from __future__ import annotations

from ..lower.direct import BINS, TAIL, Direct
from ..lower.ops import DIRECT_OPS
from ..lower.program import Program, constants
from ._base import constant_values
from .c import C, inline_function
from .c_blocks import LANES, block_function
from .c_text import c_literal

NODES = 14
"""Gauss-Legendre nodes of a panel: a table of `ntksym.h`."""


def direct_functions(programs: tuple[Program, ...]) -> str:
    """The functions of every rule, and of every operation with it; or nothing."""
    text, known = "", set()
    for p in programs:
        for let in p.body:
            if not isinstance(let.inner, Direct) or let.label in known:
                continue
            stem = f"direct_{let.inner.digest()[:12]}"
            if stem + " rule" not in known:
                text += _rule(let.inner, stem)
                known.add(stem + " rule")
            which = DIRECT_OPS.index(let.op)
            if f"{stem} table {which}" not in known:
                text += _table(let.inner, stem, which)
                known.add(f"{stem} table {which}")
            marks = {"@STEM@": stem, "@LABEL@": let.label, "@WHICH@": str(which % 2)}
            marks |= {"@TABLE@": str(which), "@BINS@": str(BINS)}
            marks["@LEAST@"] = c_literal(let.inner.least)
            marks |= _given(let.inner)
            unit = _unit(let.inner.marks)
            marks |= {"@UNIT@": unit}
            before = _EARLY if unit else _PLAIN
            pair = _PAIR.replace("@BEFORE@", before)
            text += _replaced(pair if which < 2 else _DIAGONAL, marks)
            known.add(let.label)
    return text


def _unit(marks: Program) -> str:
    """The unit as a number; nothing where it depends on parameters."""
    operand = dict(marks.outputs)["unit"]
    if not isinstance(operand, str):
        return c_literal(float(operand))
    return c_literal(constant_values(marks)[operand]) if operand in constants(marks) else ""


def _given(rule: Direct) -> dict[str, str]:
    """The parameters, in all the ways that they are passed."""
    names = [f"p{k}_" for k in range(len(rule.point.args) - 1)]
    return {
        "@ARRAYS@": "".join(f",\n    const double *{s}" for s in names),
        "@SCALARS@": "".join(f", double {s}" for s in names),
        "@AT@": "".join(f", {s}[i]" for s in names),
        "@LOCAL@": "".join(f", {s}v[8]" for s in names),
        "@FILL@": "".join(f", {s}v[j] = {s}" for s in names),
        "@PASS@": "".join(f", {s}v" for s in names),
    }


def _rule(rule: Direct, stem: str) -> str:
    names = [f"p{k}_" for k in range(len(rule.point.args) - 1)]
    slots = ("x_", *names)
    places = {a: "x_[i]" if s == "x_" else s for a, s in zip(rule.point.args, slots, strict=True)}
    signature = ["const double *x_", *(f"double {s}" for s in names), "double *v_", "double *d_"]
    ends = {"v": "v_[i]", "d": "d_[i]"}
    text = block_function(rule.point, f"ntksym_{stem}_point", signature, places, ends, C) + "\n"
    text += inline_function(rule.marks, f"ntksym_{stem}_marks", C) + "\n"
    outs = [f"&to->kink[{k}]" for k in range(rule.kinks)]
    outs += [f"&to->jump[{k}]" for k in range(rule.kinks)]
    outs += [f"&to->cut[{k}]" for k in range(rule.cuts)] + ["&to->unit"]
    own = rule.kinks + rule.cuts
    tails = 2 * len(TAIL) - 1
    marks = {
        "@STEM@": stem,
        "@KINKS@": str(rule.kinks),
        "@CUTS@": str(rule.cuts),
        "@MOST@": str(2 * len(TAIL) + 2 * own + tails * rule.kinks),
        "@IMAGES@": str(2 * own + tails * rule.kinks),
        "@TAILS@": str(len(TAIL)),
        "@TAIL@": ", ".join(c_literal(v) for v in TAIL),
        "@LIVE@": ", ".join("{" + _bits(row) + "}" for row in rule.live),
        "@JUMPS@": str(int(rule.jumps)),
        "@MARKS@": ", ".join([*names, *outs]),
        "@NAMED@": "".join(f", double {s}" for s in names),
        "@GIVE@": "".join(f", {s}" for s in names),
        "@NODES@": str(NODES),
        "@HELD@": str(LANES // NODES * NODES),
        "@LANES@": str(LANES),
        "@BINS@": str(BINS),
        "@SHIFT@": str(3 * (BINS // 2) + 1),
    }
    return text + _replaced(_RULE, marks).lstrip()


def _table(rule: Direct, stem: str, which: int) -> str:
    size = f"{BINS} * {BINS}" if which < 2 else f"{BINS}"
    return (
        "/* Where it is used: bins of the variances over the square of the unit, times 8 each. */\n"
        f"static const unsigned char ntksym_{stem}_used{which}[{size}] = {{\n"
        f"    {_rows(rule.used[which])}}};\n\n"
    )


def _bits(values: tuple[int, ...]) -> str:
    return ", ".join(str(int(v)) for v in values)


def _rows(values: tuple[int, ...]) -> str:
    rows = (values[k : k + BINS] for k in range(0, len(values), BINS))
    return ",\n    ".join(_bits(row) for row in rows)


def _replaced(text: str, marks: dict[str, str]) -> str:
    for mark, value in marks.items():
        text = text.replace(mark, value)
    return text


_RULE = r"""
/* The dual by its definition, where the closed form cancels: an integral of an integral. */
typedef struct {
  double kink[@KINKS@], jump[@KINKS@], cut[@CUTS@ + 1], unit;
} ntksym_@STEM@_marked;

static const double ntksym_@STEM@_tail[@TAILS@] = {@TAIL@};

static inline void ntksym_@STEM@_mark(ntksym_@STEM@_marked *to@NAMED@)
{
  ntksym_@STEM@_marks(@MARKS@);
  to->cut[@CUTS@] = 0.0;
}

static inline int ntksym_@STEM@_bin(double q, double unit)
{
  const double ratio = (q / unit) / unit;
  uint64_t bits;
  int k;
  memcpy(&bits, &ratio, sizeof bits);
  k = ((int)((bits >> 52) & 0x7ffu) - 1023 + @SHIFT@ + 3000) / 3 - 1000;
  return k < 0 ? 0 : (k > @BINS@ - 1 ? @BINS@ - 1 : k);
}

/* The ends of the panels, in standard deviations t from m, in order: 0 where s is nothing. */
NTKSYM_BLOCK_FUNCTION int ntksym_@STEM@_panels(int which, double m, double t,
    const ntksym_@STEM@_marked *mark, const double *cut, int cuts, double *z)
{
  static const unsigned char live[2][@KINKS@ + 1] = {@LIVE@};
  double start = INFINITY;
  int count = 0;
  for (int k = 0; k <= @KINKS@; ++k) {
    const double low = k > 0 ? (mark->kink[k - 1] - m) / t : -INFINITY;
    const double high = k < @KINKS@ ? (mark->kink[k] - m) / t : INFINITY;
    const double away = low > 0.0 ? low : (high < 0.0 ? -high : 0.0);
    if (live[which][k] && away < start) start = away;
  }
  if (!(start < 37.0)) return 0;
  for (int k = 0; k < @TAILS@; ++k) {
    z[count++] = start + ntksym_@STEM@_tail[k];
    z[count++] = -(start + ntksym_@STEM@_tail[k]);
  }
  for (int k = 0; k < cuts; ++k) {
    const double at = (cut[k] - m) / t;
    if (fabs(at) < start + ntksym_@STEM@_tail[@TAILS@ - 1]) z[count++] = at;
  }
  for (int k = 1; k < count; ++k) { /* few: sorted by insertion */
    const double own = z[k];
    int j = k;
    for (; j > 0 && z[j - 1] > own; --j) z[j] = z[j - 1];
    z[j] = own;
  }
  return count;
}

/* E[s(u)], or E[s'(u)] with the jumps, for u of mean m and standard deviation t. */
NTKSYM_BLOCK_FUNCTION double ntksym_@STEM@_mean(int which, double m, double t,
    const ntksym_@STEM@_marked *mark, const double *cut, int cuts@NAMED@)
{
  double x[@LANES@], w[@LANES@], v[@LANES@], d[@LANES@], z[@MOST@], total = 0.0;
  int held = 0, count;
  if (!(t > 0.0)) {
    for (int j = 0; j < 8; ++j) x[j] = m;
    ntksym_@STEM@_point(1, x@GIVE@, v, d);
    return which ? d[0] : v[0];
  }
  count = ntksym_@STEM@_panels(which, m, t, mark, cut, cuts, z);
  for (int k = 0; k < count; ++k) {
    const int last = k == count - 1;
    const double left = z[k], length = last ? 0.0 : z[k + 1] - left;
    if (length > 0.0) {
      for (int j = 0; j < @NODES@; ++j) {
        const double at = left + length * ntksym_op_node@NODES@[j], e = -0.5 * at * at;
        x[held + j] = m + t * at;
        w[held + j] = ntksym_op_weight@NODES@[j] * length *
                      ntksym_op_exp_inside(e < -690.0 ? -690.0 : e);
      }
      held += @NODES@;
    }
    if (held == @HELD@ || (last && held > 0)) {
      for (int j = held; j < @LANES@; ++j) x[j] = x[held - 1];
      ntksym_@STEM@_point((size_t)held, x@GIVE@, v, d);
      for (int j = 0; j < held; j += @NODES@) { /* by panels: sums of few terms round less */
        double part = 0.0;
        for (int i = j; i < j + @NODES@; ++i) part += w[i] * (which ? d[i] : v[i]);
        total += part;
      }
      held = 0;
    }
  }
  if (which && @JUMPS@)
    for (int k = 0; k < @KINKS@; ++k) {
      const double at = (mark->kink[k] - m) / t;
      total += mark->jump[k] * exp(-0.5 * at * at) / t;
    }
  return total * 0x1.9884533d43651p-2;
}

/* The dual or its derivative; the outer integral is over the input of the smaller variance. */
NTKSYM_BLOCK_FUNCTION double ntksym_@STEM@_pair(int which, double q11, double q12, double q22,
                                                double root@NAMED@)
{
  const double q = q11 < q22 ? q11 : q22, r = sqrt(q), turn = q12 / q, t = root / r;
  const double width = t / fabs(turn);
  double own[@KINKS@ + @CUTS@ + 1], all[@IMAGES@ + 1], z[@MOST@], total = 0.0;
  ntksym_@STEM@_marked mark;
  int cuts = 0, images, count;
  ntksym_@STEM@_mark(&mark@GIVE@);
  for (int k = 0; k < @KINKS@; ++k) own[cuts++] = mark.kink[k];
  for (int k = 0; k < @CUTS@; ++k) own[cuts++] = mark.cut[k];
  for (images = 0; images < cuts; ++images) all[images] = own[images];
  if (turn != 0.0 && width < 1e300) {
    for (int k = 0; k < cuts; ++k) all[images++] = own[k] / turn;
    for (int k = 0; k < @KINKS@ && width > 0.0; ++k)
      for (int j = 1; j < @TAILS@; ++j) {
        all[images++] = own[k] / turn + width * ntksym_@STEM@_tail[j];
        all[images++] = own[k] / turn - width * ntksym_@STEM@_tail[j];
      }
  }
  count = ntksym_@STEM@_panels(which, 0.0, r, &mark, all, images, z);
  for (int k = 0; k + 1 < count; ++k) {
    const double left = z[k], length = z[k + 1] - left;
    double x[@LANES@], w[@LANES@], v[@LANES@], d[@LANES@], sum = 0.0;
    if (!(length > 0.0)) continue;
    for (int j = 0; j < @LANES@; ++j) {
      const int n = j < @NODES@ ? j : @NODES@ - 1;
      double square, low, ratio;
      x[j] = r * (left + length * ntksym_op_node@NODES@[n]);
      square = x[j] * x[j];
      low = fma(x[j], x[j], -square);
      ratio = square / q; /* the exponent to more digits than a double has */
      low = (fma(-ratio, q, square) + low) / q;
      ratio = ratio > 1380.0 ? 1380.0 : ratio;
      w[j] = ntksym_op_weight@NODES@[n] * length * ntksym_op_exp_inside(-0.5 * ratio);
      w[j] -= w[j] * (0.5 * low);
    }
    ntksym_@STEM@_point(@NODES@, x@GIVE@, v, d);
    for (int j = 0; j < @NODES@; ++j) {
      const double part = w[j] * (which ? d[j] : v[j]);
      if (part != 0.0)
        sum += part * ntksym_@STEM@_mean(which, turn * x[j], t, &mark, own, cuts@GIVE@);
    }
    total += sum;
  }
  if (which && @JUMPS@)
    for (int k = 0; k < @KINKS@; ++k) {
      const double at = mark.kink[k] / r, own_part = mark.jump[k] * exp(-0.5 * at * at) / r;
      if (own_part != 0.0)
        total += own_part * ntksym_@STEM@_mean(which, turn * mark.kink[k], t, &mark, own,
                                               cuts@GIVE@);
    }
  return total * 0x1.9884533d43651p-2;
}

/* The same for u = v: one integral. */
NTKSYM_BLOCK_FUNCTION double ntksym_@STEM@_same(int which, double q@NAMED@)
{
  const double r = sqrt(q);
  double x[@LANES@], v[@LANES@], d[@LANES@], z[@MOST@], own[@KINKS@ + @CUTS@ + 1], total = 0.0;
  ntksym_@STEM@_marked mark;
  int cuts = 0, count;
  ntksym_@STEM@_mark(&mark@GIVE@);
  for (int k = 0; k < @KINKS@; ++k) own[cuts++] = mark.kink[k];
  for (int k = 0; k < @CUTS@; ++k) own[cuts++] = mark.cut[k];
  count = ntksym_@STEM@_panels(which, 0.0, r, &mark, own, cuts, z);
  for (int k = 0; k + 1 < count; ++k) {
    const double left = z[k], length = z[k + 1] - left;
    if (!(length > 0.0)) continue;
    for (int j = 0; j < @LANES@; ++j)
      x[j] = r * (left + length * ntksym_op_node@NODES@[j < @NODES@ ? j : @NODES@ - 1]);
    ntksym_@STEM@_point(@NODES@, x@GIVE@, v, d);
    for (int j = 0; j < @NODES@; ++j) {
      const double square = x[j] * x[j], ratio = square / q;
      const double low = (fma(-ratio, q, square) + fma(x[j], x[j], -square)) / q;
      const double bell = exp(-0.5 * ratio), at = which ? d[j] : v[j];
      total += ntksym_op_weight@NODES@[j] * length * (bell - bell * (0.5 * low)) * at * at;
    }
  }
  return total * 0x1.9884533d43651p-2;
}

"""

_PAIR = r"""static inline int ntksym_@LABEL@_in(double q11, double q22, double root, double unit)
{
  const int a = ntksym_@STEM@_bin(q11, unit), b = ntksym_@STEM@_bin(q22, unit);
  const double least = q11 < q22 ? q11 : q22, most = q11 < q22 ? q22 : q11;
  const int kind = ntksym_@STEM@_used@WHICH@[a * @BINS@ + b];
  /* 2: where the inputs are too nearly parallel for the rule of large variances */
  const int in = (kind == 1) | ((kind == 2) & (root < @LEAST@ * sqrt(most)) & (most < 0x1p64));
  return in & (least > 1e-280) & (most < 1e280) &
         (root >= 0.0) & (root < INFINITY) & ((@WHICH@ == 0) | (root > 0.0));
}

NTKSYM_BLOCK_FUNCTION void ntksym_block_@LABEL@(size_t n, const double *closed,
    const double *q11, const double *q12, const double *q22, const double *root@ARRAYS@,
    double *out)
{
  const size_t m = NTKSYM_ROUND_UP(n);
@BEFORE@  for (size_t i = 0; i < n; ++i) {
    ntksym_@STEM@_marked mark;
    ntksym_@STEM@_mark(&mark@AT@);
    if (ntksym_@LABEL@_in(q11[i], q22[i], root[i], mark.unit) && q12[i] == q12[i])
      out[i] = ntksym_@STEM@_pair(@WHICH@, q11[i], q12[i], q22[i], root[i]@AT@);
  }
}

static inline double ntksym_op_@LABEL@(double closed, double q11, double q12, double q22,
                                       double root@SCALARS@)
{
  double k[8], a[8], c[8], b[8], r[8], out[8]@LOCAL@;
  for (int j = 0; j < 8; ++j)
    k[j] = closed, a[j] = q11, c[j] = q12, b[j] = q22, r[j] = root@FILL@;
  ntksym_block_@LABEL@(1, k, a, c, b, r@PASS@, out);
  return out[0];
}

"""

_PLAIN = "  for (size_t i = 0; i < m; ++i) out[i] = closed[i];\n"

_EARLY = r"""  double least = INFINITY, most = 0.0;
  int low, high, any = 0;
  for (size_t i = 0; i < m; ++i) {
    const double few = q11[i] < q22[i] ? q11[i] : q22[i], many = q11[i] < q22[i] ? q22[i] : q11[i];
    out[i] = closed[i];
    least = few < least ? few : least;
    most = most < many ? many : most;
  }
  low = ntksym_@STEM@_bin(least, @UNIT@);
  high = ntksym_@STEM@_bin(most, @UNIT@);
  for (int j = low; j <= high; ++j)
    for (int k = low; k <= high; ++k) any |= ntksym_@STEM@_used@WHICH@[j * @BINS@ + k];
  if (!any) return;
"""

_DIAGONAL = r"""NTKSYM_BLOCK_FUNCTION void ntksym_block_@LABEL@(size_t n, const double *closed,
    const double *q@ARRAYS@, double *out)
{
  const size_t m = NTKSYM_ROUND_UP(n);
  for (size_t i = 0; i < m; ++i) out[i] = closed[i];
  for (size_t i = 0; i < n; ++i) {
    ntksym_@STEM@_marked mark;
    ntksym_@STEM@_mark(&mark@AT@);
    if ((q[i] > 1e-280) & (q[i] < 1e280) &&
        ntksym_@STEM@_used@TABLE@[ntksym_@STEM@_bin(q[i], mark.unit)])
      out[i] = ntksym_@STEM@_same(@WHICH@, q[i]@AT@);
  }
}

static inline double ntksym_op_@LABEL@(double closed, double q@SCALARS@)
{
  double k[8], a[8], out[8]@LOCAL@;
  for (int j = 0; j < 8; ++j) k[j] = closed, a[j] = q@FILL@;
  ntksym_block_@LABEL@(1, k, a@PASS@, out);
  return out[0];
}

"""
