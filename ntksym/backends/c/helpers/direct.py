"""C for the operations `direct`: a dual by its definition, where its closed form cancels.

As for `price`: the block functions copy the closed form and look for a pair of variances in the
table; only those pairs are integrated, one by one.
"""

from __future__ import annotations

from math import inf

from ....lower.direct import Direct
from ....lower.direct_where import BINS
from ....lower.ops import DIRECT_OPS
from ....lower.program import Program, constants, live
from ....lower.small import nowhere_zero, one_signed, small_below
from ..._base import constant_values
from ...text import filled
from ..backend import C, inline_function
from ..blocks import block_function
from ..text import c_literal, in_lines
from .direct_small import small_text
from .splines import splines_text


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
            small = which < 2 and one_signed(let.inner)[which]
            if small and "small" not in known:
                text += small_text()
                known.add("small")
            spline = which < 2 and let.inner.spline >= which
            if spline and "spline" not in known:
                text += splines_text()
                known.add("spline")
            sided = not (let.inner.live[0][0] and let.inner.live[0][-1])
            marks = dict((_WATCHED if spline else _SMALL) if small else _NEVER_SMALL)
            before = ""
            if small and spline and not sided:  # opposite inputs have small values only at times
                marks |= {"@OPEN@": _BOTH, "@TURNED@": _SMALL["@TURNED@"] + marks["@TURNED@"]}
                marks["@TURNED@"] = marks["@TURNED@"].replace("(q12[i] < 0.0) | ", "")
                before = _UNLESS
            marks["@LEAVE@"] = before + _SPLINE * spline + marks["@LEAVE@"]
            marks |= {"@STEM@": stem, "@LABEL@": let.label, "@WHICH@": str(which % 2)}
            marks |= {"@TABLE@": str(which), "@BINS@": str(BINS)}
            marks["@POWER@"] = str(let.inner.spline)
            marks["@MIDDLE@"] = "1" if small else "2"
            marks["@BELOW@"] = c_literal(small_below(let.inner, which % 2))
            alone = len(let.inner.point.args) == 1  # a parameter may be NaN
            marks["@OVERFLOWED@"], marks["@WITHOUT@"] = _OVERFLOWED if alone else ("", "")
            marks["@APART@"] = ">" if which % 2 and let.inner.jumps else ">="
            marks["@START@"] = c_literal(let.inner.start)
            marks["@LEAST@"] = c_literal(let.inner.least)
            marks["@MOVED@"], marks["@OWN@"] = _moved(let.inner.widest)
            marks |= _given(let.inner)
            unit = _unit(let.inner.marks)
            marks |= {"@UNIT@": unit}
            marks["@TAIL@"] = str(int(nowhere_zero(let.inner)))
            pair = _PAIR.replace("@BEFORE@", _EARLY if unit else _PLAIN)
            text += filled(pair if which < 2 else _DIAGONAL, marks)
            known.add(let.label)
    return text


def _unit(marks: Program) -> str:
    """The unit as a number; nothing where it depends on parameters."""
    operand = dict(marks.outputs)["unit"]
    if not isinstance(operand, str):
        return c_literal(float(operand))
    return c_literal(constant_values(marks)[operand]) if operand in constants(marks) else ""


def _moved(widest: float) -> tuple[str, str]:
    """How far exponentials that grow may move the density: conditions for a pair and for one."""
    if widest == inf:
        return "", ""
    pair = f" &\n         (sqrt(q11) + sqrt(q22) <= {c_literal(widest)})"
    return pair, f"(q[i] <= {c_literal((widest / 2) ** 2)}) & "


def _given(rule: Direct) -> dict[str, str]:
    """The parameters, in all the ways that they are passed."""
    names = [f"p{k}_" for k in range(len(rule.point.args) - 1)]
    return {
        "@ARRAYS@": "".join(f",\n    const double *{s}" for s in names),
        "@SCALARS@": "".join(f", double {s}" for s in names),
        "@HERE@": "".join(f"{s}[i], " for s in names),
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
    numbers, unit = rule.marks.outputs[:-1], rule.marks.outputs[-1:]
    lines = rule.marks.args, rule.marks.body
    for name, outputs in (("marks", numbers), ("unit", unit)):
        own = Program(name, lines[0], live(lines[1], outputs), outputs)
        text += inline_function(own, f"ntksym_{stem}_{name}", C) + "\n"
    outs = [f"&to->kink[{k}]" for k in range(rule.kinks)]
    outs += [f"&to->jump[{k}]" for k in range(rule.kinks)]
    outs += [f"&to->cut[{k}]" for k in range(rule.cuts)]
    closed = len(numbers) - len(outs)
    outs += [f"&to->closed[{k}]" for k in range(closed)]
    given = [f"to->given[{k}] = {n};" for k, n in enumerate(names)]
    marks = {
        "@STEM@": stem,
        "@KINKS@": str(rule.kinks),
        "@CUTS@": str(rule.cuts),
        "@CENTRES@": str(rule.centres),
        "@CLOSED@": str(closed + 1),
        "@PARAMS@": str(len(names) + 1),
        "@DEGREE@": str(rule.degree),
        "@CELLS@": str(rule.kinks + 1),
        "@LIVE@": _bits(rule.live[0] + rule.live[1]),
        "@GROUPS@": ", ".join(str(n) for row in rule.groups for n in row),
        "@JUMPS@": str(int(rule.jumps)),
        "@DIES@": c_literal(rule.dies),
        "@FAR@": c_literal(rule.far),
        "@GROW@": c_literal(rule.grow),
        "@MARKS@": ",\n      ".join(", ".join(row) for row in _rows_of([*names, *outs], 6)),
        "@NAMED@": "".join(f", double {s}" for s in names),
        "@GIVEN@": "".join(f"  {line}\n" for line in given),
        "@SPREAD@": "".join(f", given[{k}]" for k in range(len(names))),
    }
    return text + filled(_RULE, marks).lstrip()


def _rows_of(items: list[str], width: int) -> list[list[str]]:
    return [items[k : k + width] for k in range(0, len(items), width)]


def _table(rule: Direct, stem: str, which: int) -> str:
    size = f"{BINS} * {BINS}" if which < 2 else f"{BINS}"
    used = in_lines([int(v) for v in rule.used[which]], BINS, " " * 4)
    return (
        "/* Where it is used: bins of the variances over the square of the unit, times 4 each. */\n"
        f"static const unsigned char ntksym_{stem}_used{which}[{size}] = {{\n    {used}}};\n\n"
    )


def _bits(values: tuple[int, ...]) -> str:
    return ", ".join(str(int(v)) for v in values)


_RULE = r"""
typedef struct {
  double kink[@KINKS@ + 1], jump[@KINKS@ + 1], cut[@CUTS@ + 1], closed[@CLOSED@], given[@PARAMS@];
  ntksym_direct_rule rule;
} ntksym_@STEM@_marked;

static void ntksym_@STEM@_at(size_t n, const double *x, const double *given, double *v, double *d)
{
  ntksym_@STEM@_point(n, x@SPREAD@, v, d);
  (void)given;
}

NTKSYM_BLOCK_FUNCTION void ntksym_@STEM@_mark(ntksym_@STEM@_marked *to@NAMED@)
{
  static const unsigned char live[2 * @CELLS@] = {@LIVE@};
  static const signed char groups[2 * @CELLS@] = {@GROUPS@};
  ntksym_@STEM@_marks(@MARKS@);
  to->kink[@KINKS@] = to->jump[@KINKS@] = to->cut[@CUTS@] = 0.0;
  to->closed[@CLOSED@ - 1] = to->given[@PARAMS@ - 1] = 0.0;
@GIVEN@  to->rule.kinks = @KINKS@;
  to->rule.cuts = @CUTS@;
  to->rule.centres = @CENTRES@;
  to->rule.jumps = @JUMPS@;
  to->rule.dies = @DIES@;
  to->rule.degree = @DEGREE@;
  to->rule.far = @FAR@;
  to->rule.grow = @GROW@;
  to->rule.live = live;
  to->rule.groups = groups;
  to->rule.kink = to->kink;
  to->rule.jump = to->jump;
  to->rule.cut = to->cut;
  to->rule.closed = to->closed;
  to->rule.point = ntksym_@STEM@_at;
  to->rule.given = to->given;
}

"""

_PAIR = r"""/* 0: the closed form; 1: the definition where the value is small; 2: the definition. */
static inline int ntksym_@LABEL@_in(double q11, double q22, double root, double unit)
{
  const int a = ntksym_direct_bin(q11, unit, @BINS@), b = ntksym_direct_bin(q22, unit, @BINS@);
  const double least = q11 < q22 ? q11 : q22, most = q11 < q22 ? q22 : q11;
  /* where the rule of large variances holds, it is right and faster */
  const int far = (sqrt(least) >= @START@) & (root >= @LEAST@ * sqrt(most));
  const int in = (ntksym_@STEM@_used@WHICH@[a * @BINS@ + b] != 0) + 1;
  const int can = (!far) & ((least > 1e-280) | ((least == 0.0) & (most > 0.0))) & (most < 1e280) &
         (root @APART@ 0.0) & (root < INFINITY)@MOVED@;
  return can ? in : 0;
}

NTKSYM_BLOCK_FUNCTION void ntksym_block_@LABEL@(size_t n, const double *closed,
    const double *q11, const double *q12, const double *q22, const double *root@ARRAYS@,
    double *out)
{
  const size_t m = NTKSYM_ROUND_UP(n);
@BEFORE@  for (size_t i = 0; i < n; ++i) {
    ntksym_@STEM@_marked mark;
    double unit;
    int in;
    ntksym_@STEM@_unit(@HERE@&unit);
    in = ntksym_@LABEL@_in(q11[i], q22[i], root[i], unit);
@OVERFLOWED@    if (in == 2 ? q12[i] == q12[i] : @OPEN@) {
      ntksym_@STEM@_mark(&mark@AT@);
@LEAVE@      out[i] =
          ntksym_direct_pair(&mark.rule, @WHICH@, q11[i], q12[i], q22[i], root[i], unit);
    }
  }
}

NTKSYM_SPARE_FUNCTION double ntksym_op_@LABEL@(double closed, double q11, double q12, double q22,
                                       double root@SCALARS@)
{
  double k[8], a[8], c[8], b[8], r[8], out[8]@LOCAL@;
  for (int j = 0; j < 8; ++j)
    k[j] = closed, a[j] = q11, c[j] = q12, b[j] = q22, r[j] = root@FILL@;
  ntksym_block_@LABEL@(1, k, a, c, b, r@PASS@, out);
  return out[0];
}

"""

_SMALL = {
    "@OPEN@": "in && ntksym_direct_turned(q11[i], q12[i], q22[i])",
    "@LEAVE@": """      if (in < 2 &&
          !ntksym_direct_small(&mark.rule, @WHICH@, closed[i], @BELOW@, q11[i], q22[i])) continue;
""",
    "@TURNED@": """    turned =
        ((q12[i] < 0.0) & (64.0 * q12[i] * q12[i] > q11[i] * q22[i])) ? 1.0 : turned;
""",
}
_SPLINE = """      {
        const int from = in == 2 ? @MIDDLE@ : 0;
        const double value = ntksym_spline_dual(&mark.rule, @POWER@, @WHICH@, from,
                                                q11[i], q12[i], q22[i], root[i]);
        if (value == value) {
          out[i] = value;
          continue;
        }
      }
"""
_WATCHED = {
    "@OPEN@": "in && (q12[i] < 0.0 || ntksym_spline_tail(@TAIL@, unit, q11[i], q12[i], q22[i]))",
    "@LEAVE@": """      if (in < 2 && !ntksym_direct_turned(q11[i], q12[i], q22[i])) continue;
"""
    + _SMALL["@LEAVE@"],
    "@TURNED@": """    turned = ((q12[i] < 0.0) |
              ntksym_spline_tail(@TAIL@, @UNIT@, q11[i], q12[i], q22[i])) ? 1.0 : turned;
""",
}
_BOTH = (
    "in && (ntksym_direct_turned(q11[i], q12[i], q22[i]) ||\n"
    "               ntksym_spline_tail(@TAIL@, unit, q11[i], q12[i], q22[i]))"
)
_UNLESS = """      if (in < 2 && !ntksym_spline_tail(@TAIL@, unit, q11[i], q12[i], q22[i]) &&
          !ntksym_direct_small(&mark.rule, @WHICH@, closed[i], @BELOW@, q11[i], q22[i])) continue;
"""
_NEVER_SMALL = {"@OPEN@": "0", "@LEAVE@": "", "@TURNED@": ""}

_OVERFLOWED = (
    "    if (in && closed[i] != closed[i]) in = 2; /* its terms overflowed */\n",
    "    turned = closed[i] != closed[i] ? 1.0 : turned;\n",
)
_PLAIN = "  for (size_t i = 0; i < m; ++i) out[i] = closed[i];\n"

_EARLY = r"""  double least = INFINITY, most = 0.0, turned = 0.0;
  int low, high, any = 0;
  for (size_t i = 0; i < m; ++i) {
    const double few = q11[i] < q22[i] ? q11[i] : q22[i], many = q11[i] < q22[i] ? q22[i] : q11[i];
    out[i] = closed[i];
    least = few < least ? few : least;
    most = most < many ? many : most;
@WITHOUT@@TURNED@  }
  low = ntksym_direct_bin(least, @UNIT@, @BINS@);
  high = ntksym_direct_bin(most, @UNIT@, @BINS@);
  for (int j = low; j <= high; ++j)
    for (int k = low; k <= high; ++k) any |= ntksym_@STEM@_used@WHICH@[j * @BINS@ + k];
  if (!any && !(turned > 0.0)) return;
"""

_DIAGONAL = r"""NTKSYM_BLOCK_FUNCTION void ntksym_block_@LABEL@(size_t n, const double *closed,
    const double *q@ARRAYS@, double *out)
{
  const size_t m = NTKSYM_ROUND_UP(n);
  for (size_t i = 0; i < m; ++i) out[i] = closed[i];
  for (size_t i = 0; i < n; ++i) {
    ntksym_@STEM@_marked mark;
    double unit;
    ntksym_@STEM@_unit(@HERE@&unit);
    if (@OWN@(q[i] > 1e-280) & (q[i] < 1e280) &&
        ntksym_@STEM@_used@TABLE@[ntksym_direct_bin(q[i], unit, @BINS@)]) {
      ntksym_@STEM@_mark(&mark@AT@);
      out[i] = ntksym_direct_same(&mark.rule, @WHICH@, q[i]);
    }
  }
}

NTKSYM_SPARE_FUNCTION double ntksym_op_@LABEL@(double closed, double q@SCALARS@)
{
  double k[8], a[8], out[8]@LOCAL@;
  for (int j = 0; j < 8; ++j) k[j] = closed, a[j] = q@FILL@;
  ntksym_block_@LABEL@(1, k, a@PASS@, out);
  return out[0];
}

"""
