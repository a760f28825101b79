"""C for a tabulated dual: coefficients as literals, contracted once per row, lanes inside.

`TableUnit` is the dual as a `DualUnit`.  The rounding of the arithmetic below is part of the bound
that the table states; with variances of one row equal, their share of the work is done once a call.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..lower.program import Program
from ..numeric.table import TableDual
from ..numeric.table.dual import SLACK
from ..numeric.table.pack import Rows
from .c_header import c_literal
from .numpy_table import notes, numpy_text

LANES = 64
BLOCK = 16


@dataclass(frozen=True, slots=True)
class TableUnit:
    """A tabulated dual as code."""

    table: TableDual

    @property
    def notes(self) -> tuple[str, ...]:
        """What it is, the proven bounds, the range."""
        return notes(self.table)

    @property
    def programs(self) -> tuple[Program, ...]:
        """None: there is no straight-line program inside."""
        return ()

    def c_functions(self, stem: str) -> str:
        """C99 that defines `<stem>_pairs` and `<stem>_diag`; it needs `ntksym.h`."""
        t = self.table
        body = _single(t, stem) if t.single else _ranged(t, stem)
        return body + _diag(t, stem)

    def numpy_functions(self, stem: str) -> str:
        """NumPy that defines `<stem>_pairs` and `<stem>_diag`; `np` is NumPy."""
        return numpy_text(self.table, stem)


def _array(name: str, values: list[float]) -> str:
    lines = ",\n".join("  " + c_literal(v) for v in values)
    return f"static const double {name}[{len(values)}] = {{\n{lines}\n}};\n"


def _literal(value: float) -> str:
    text = c_literal(value)
    return f"({text})" if text.startswith("-") else text


def _steps(target: str, names: list[str], x: str, indent: str) -> str:
    """Statements that leave the polynomial in `target`."""
    text = f"{indent}double {target} = {names[-1]};\n"
    for name in reversed(names[:-1]):
        text += f"{indent}{target} = NTKSYM_MADD({target}, {x}, {name});\n"
    return text


_ARGUMENTS = (
    "size_t n, const double *q11, const double *q12, const double *q22,\n"
    "    const double *root, double *nngp, double *dot"
)


def _ok(t: TableDual, q: str) -> str:
    low, high = t.low * (1.0 - SLACK), t.high * (1.0 + SLACK)
    return f"({q} >= {c_literal(low)}) & ({q} <= {c_literal(high)})"


def _variable(t: TableDual, product: str) -> str:
    """Statements for x, from c, r and sqrt(q11 q22)."""
    kappa, twice = c_literal(t.kappa), c_literal(2.0 * (1.0 + t.kappa))
    return (
        f"      const double c = q12[l], r = root[l], size = fabs(c);\n"
        f"      const double x = {twice} * r / ({product} + size + {kappa} * r) - 1.0;\n"
    )


def _outcome(t: TableDual, ok: str, scale: str) -> str:
    value, slope = "k", "d"
    if t.value.parity < 0:
        value = "(c < 0.0 ? -k : k)"
    if t.dot.parity < 0:
        slope = "(c < 0.0 ? -d : d)"
    if t.weighted:
        value = f"{scale} * {value}"
    return f"      nngp[l] = {ok} ? {value} : NAN;\n      dot[l] = {ok} ? {slope} : NAN;\n"


# -- one variance ------------------------------------------------------------------------------


def _sides(t: TableDual) -> bool:
    """Whether rho < 0 has polynomials of its own."""
    return not (t.value.parity and t.dot.parity)


def _single(t: TableDual, stem: str) -> str:
    text = ""
    q = c_literal(t.low)
    ok = f"{_ok(t, 'q11[l]')} & {_ok(t, 'q22[l]')} & (size <= {c_literal(t.low * (1.0 + SLACK))})"
    text += f"static void {stem}_pairs({_ARGUMENTS})\n{{\n"
    if not _sides(t):
        text += "  for (size_t l = 0; l < n; ++l) {\n" + _variable(t, q).replace("      ", "    ")
        text += _fixed(t, True, "    ") + f"    const int ok = {ok};\n"
        text += _outcome(t, "ok", q).replace("      ", "    ") + "  }\n}\n"
        return text
    text += f"  for (size_t start = 0; start < n; start += {LANES}) {{\n"
    text += f"    const size_t end = n - start < {LANES} ? n : start + {LANES};\n"
    text += "    int below = 0, above = 0;\n"
    text += "    for (size_t l = start; l < end; ++l) {\n"
    text += "      below |= q12[l] < 0.0;\n      above |= !(q12[l] < 0.0);\n    }\n"
    for head, plus in (("if (!below)", True), ("else if (!above)", False), ("else", None)):
        text += f"    {head}\n      for (size_t l = start; l < end; ++l) {{\n"
        inner = _variable(t, q)
        if plus is None:
            inner += _fixed(t, True, "      ", "p") + _fixed(t, False, "      ", "m")
            inner += "      const double k = c < 0.0 ? km : kp, d = c < 0.0 ? dm : dp;\n"
        else:
            inner += _fixed(t, plus, "      ")
        inner += f"      const int ok = {ok};\n" + _outcome(t, "ok", q)
        text += inner.replace("      ", "        ") + "      }\n"
    return text + "  }\n}\n"


def _fixed(t: TableDual, plus: bool, indent: str, mark: str = "") -> str:
    text = ""
    for target, sheet in (("k", t.value), ("d", t.dot)):
        rows = sheet.plus if plus or sheet.parity else sheet.minus
        text += _steps(target + mark, [_literal(m) for m in rows[0][0]], "x", indent)
    return text


# -- a range of variances ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Layout:
    """A table in blocks of `BLOCK` coefficients that go through equally many powers of tau_1.

    Attributes:
        place: for every (j, k) the index in a contracted row.
        depth: for every block the number of powers.
        numbers: for every block, highest power first, its coefficients.
    """

    place: dict[tuple[int, int], int]
    depth: list[int]
    numbers: list[float]


def _layout(rows: Rows) -> _Layout:
    depth: dict[tuple[int, int], int] = {}
    for plane in rows:
        for j, line in enumerate(plane):
            for k in range(len(line)):
                depth[j, k] = depth.get((j, k), 0) + 1
    order = sorted(depth, key=lambda key: (-depth[key], key))
    depths, numbers = [], []
    for start in range(0, len(order), BLOCK):
        block = order[start : start + BLOCK]
        depths.append(depth[block[0]])
        for i in reversed(range(depths[-1])):
            part = [rows[i][j][k] if i < depth[j, k] else 0.0 for j, k in block]
            numbers += part + [0.0] * (BLOCK - len(part))
    return _Layout({key: i for i, key in enumerate(order)}, depths, numbers)


def _ranged(t: TableDual, stem: str) -> str:
    text, layouts = _LANES_TEXT, {}
    for target, sheet in (("k", t.value), ("d", t.dot)):
        for label, rows in ((f"{target}p", sheet.plus), (f"{target}m", sheet.minus)):
            if rows:
                layouts[label] = _layout(rows)
                text += _data(f"{stem}_{label}", rows, layouts[label])
    text += _LOOPS_TEXT.replace("@STEM@", stem).replace("@BLOCK@", str(BLOCK))
    return text + _rows(t, stem, layouts)


def _data(name: str, rows: Rows, layout: _Layout) -> str:
    """The arrays of one table; `place` and `length` are in the order of the evaluation."""
    place, length = [], []
    for j in reversed(range(len(rows[0]))):
        length.append(len(rows[0][j]))
        place += [layout.place[j, k] for k in reversed(range(len(rows[0][j])))]
    text = _array(name, layout.numbers)
    for label, values in (("depth", layout.depth), ("place", place), ("length", length)):
        text += f"static const unsigned short {name}_{label}[{len(values)}] = {{\n"
        text += f"  {_few(values)}\n}};\n"
    return text


def _few(values: list[int]) -> str:
    lines, line = [], ""
    for v in values:
        if len(line) > 80:
            lines.append(line.rstrip())
            line = ""
        line += f"{v}, "
    return "\n  ".join([*lines, line.rstrip(", ")])


_LANES_TEXT = """#ifndef NTKSYM_TABLE_LANES
#define NTKSYM_TABLE_LANES
/* Lanes of a machine vector where the compiler has such a type; else one number. */
#if defined(__GNUC__) && defined(__AVX512F__)
typedef double ntksym_lanes __attribute__((vector_size(64)));
#elif defined(__GNUC__) && defined(__AVX__)
typedef double ntksym_lanes __attribute__((vector_size(32)));
#elif defined(__GNUC__)
typedef double ntksym_lanes __attribute__((vector_size(16)));
#else
typedef double ntksym_lanes;
#endif
/* A product and a sum may be fused here: the stated bound holds either way. */
#if defined(__GNUC__) && !defined(__clang__)
#define NTKSYM_TABLE_FUSED __attribute__((optimize("fp-contract=fast")))
#else
#define NTKSYM_TABLE_FUSED
#endif
#endif
"""

_LOOPS_TEXT = """enum { @STEM@_many = (int)(sizeof(ntksym_lanes) / sizeof(double)) };

/* The powers of tau, for all coefficients of a row. */
NTKSYM_TABLE_FUSED static void @STEM@_row(const double *from, const unsigned short *depth,
    int blocks, double tau, double *row)
{
  enum { parts = @BLOCK@ / (int)(sizeof(ntksym_lanes) / sizeof(double)) };
  for (int block = 0; block < blocks; ++block) {
    ntksym_lanes sum[parts], next[parts];
    memset(sum, 0, sizeof sum);
    for (int i = depth[block]; i > 0; --i) {
      memcpy(next, from, sizeof next);
      for (int u = 0; u < parts; ++u) sum[u] = sum[u] * tau + next[u];
      from += @BLOCK@;
    }
    memcpy(row, sum, sizeof sum);
    row += @BLOCK@;
  }
}

/* The polynomials in x for every power of t, four vectors of entries at a time. */
NTKSYM_TABLE_FUSED static void @STEM@_sum(const double *row, const unsigned short *place,
    const unsigned short *length, int powers, const double *x, const double *t, double *out)
{
  ntksym_lanes z[4], y[4], p[4], sum[4], zero;
  memcpy(z, x, sizeof z);
  memcpy(y, t, sizeof y);
  memset(sum, 0, sizeof sum);
  memset(&zero, 0, sizeof zero);
  for (int j = 0; j < powers; ++j) {
    const double top = row[*place++];
    for (int u = 0; u < 4; ++u) p[u] = zero + top;
    for (int m = 1; m < length[j]; ++m) {
      const double a = row[*place++];
      for (int u = 0; u < 4; ++u) p[u] = p[u] * z[u] + a;
    }
    for (int u = 0; u < 4; ++u) sum[u] = sum[u] * y[u] + p[u];
  }
  memcpy(out, sum, sizeof sum);
}

"""


def _rows(t: TableDual, stem: str, layouts: dict[str, _Layout]) -> str:
    """The runs of equal q11, the blocks of lanes, and the choice of the side."""
    both = _sides(t)
    centre, half = c_literal(t.centre), c_literal(t.half)
    axis = f"({{0}} - {centre}) / (({{0}} + {centre}) * {half})"
    text = f"static void {stem}_pairs({_ARGUMENTS})\n{{\n"
    for label, layout in layouts.items():
        text += f"  double {label}[{len(layout.depth) * BLOCK}];\n"
    names = ["x", "t", "p", "ksum", "dsum"]
    names += ["z", "w", "kless", "dless"] if both else []
    text += "  double " + ", ".join(f"{n}[{LANES}]" for n in names) + ";\n"
    text += f"  for (size_t l = 0; l < {LANES}; ++l) x[l] = t[l] = 0.0;\n"
    text += f"""  for (size_t start = 0, end; start < n; start = end) {{
    const double q = q11[start], s = sqrt(q), tau = {axis.format("s")};
    const int in = {_ok(t, "q")};
    int below = 0, above = 0;
    for (end = start; end < n && (q11[end] == q || end == start); ++end) {{
      below |= q12[end] < 0.0;
      above |= !(q12[end] < 0.0);
    }}
    if (!in) {{
      for (size_t l = start; l < end; ++l) nngp[l] = dot[l] = NAN;
      continue;
    }}
"""
    for label, layout in layouts.items():
        shared = label.endswith("p") and f"{label[0]}m" not in layouts
        when = "" if shared else "if (above) " if label.endswith("p") else "if (below) "
        name = f"{stem}_{label}"
        text += f"    {when}{stem}_row({name}, {name}_depth, {len(layout.depth)}, tau, {label});\n"
    if not both:
        text += "    (void)below;\n    (void)above;\n"
    text += f"""    for (size_t at = start; at < end; at += {LANES}) {{
      const size_t b = end - at < {LANES} ? end - at : {LANES};
      for (size_t l = 0; l < b; ++l) {{
        const double y = sqrt(q22[at + l]), r = root[at + l];
        p[l] = s * y;
        t[l] = {axis.format("y")};
        x[l] = {c_literal(2.0 * (1.0 + t.kappa))} * r
            / (p[l] + fabs(q12[at + l]) + {c_literal(t.kappa)} * r) - 1.0;
      }}
"""
    step = f"l += 4 * {stem}_many"
    if both:
        text += _SORT_TEXT.replace("@LANES@", str(LANES)).replace("@STEM@", stem)
        text += f"      for (size_t l = 0; l < front; {step}) {{\n"
    else:
        text += f"      for (size_t l = 0; l < b; {step}) {{\n"
    source = "zw" if both else "xt"
    for target, sheet in (("k", t.value), ("d", t.dot)):
        text += _call(stem, f"{target}p", len(sheet.plus[0]), f"{target}sum", source)
    text += "      }\n"
    if both:
        text += f"      for (size_t l = back - back % (4 * {stem}_many); l < {LANES}; {step}) {{\n"
        for target, sheet in (("k", t.value), ("d", t.dot)):
            label = f"{target}p" if sheet.parity else f"{target}m"
            rows = sheet.plus if sheet.parity else sheet.minus
            text += _call(stem, label, len(rows[0]), f"{target}less", source)
        text += "      }\n"
    text += "      for (size_t l = 0; l < b; ++l) {\n"
    text += "        const double c = q12[at + l], y = q22[at + l];\n"
    text += (
        f"        const int ok = {_ok(t, 'y')} & (fabs(c) <= p[l] * {c_literal(1.0 + SLACK)});\n"
    )
    for m in "kd":
        chosen = f"c < 0.0 ? {m}less[slot[l]] : {m}sum[slot[l]]" if both else f"{m}sum[l]"
        text += f"        const double {m} = {chosen};\n"
    outcome = _outcome(t, "ok", "p[l]").replace("[l] = ok", "[at + l] = ok")
    return text + outcome.replace("      ", "        ") + "      }\n    }\n  }\n}\n"


_SORT_TEXT = """      /* Entries with q12 >= 0 to the front, the others to the back. */
      unsigned char slot[@LANES@];
      size_t front = 0, back = @LANES@;
      for (size_t l = 0; l < @LANES@; ++l) z[l] = w[l] = 0.0;
      for (size_t l = 0; l < b; ++l) {
        const int less = q12[at + l] < 0.0;
        const size_t to = less ? back - 1 : front;
        back -= (size_t)less;
        front += (size_t)!less;
        slot[l] = (unsigned char)to;
        z[to] = x[l];
        w[to] = t[l];
      }
"""


def _call(stem: str, label: str, powers: int, out: str, source: str) -> str:
    name, x, t = f"{stem}_{label}", source[0], source[1]
    return (
        f"        {stem}_sum({label}, {name}_place, {name}_length, {powers},\n"
        f"            {x} + l, {t} + l, {out} + l);\n"
    )


# -- the diagonal ------------------------------------------------------------------------------


def _diag(t: TableDual, stem: str) -> str:
    text = f"static void {stem}_diag(size_t n, const double *q, double *nngp, double *dot)\n{{\n"
    text += "  for (size_t l = 0; l < n; ++l) {\n    const double v = q[l];\n"
    text += f"    const int ok = {_ok(t, 'v')};\n"
    if not t.single and max(len(t.value.diag), len(t.dot.diag)) > 1:
        c, half = c_literal(t.centre), c_literal(t.half)
        text += f"    const double s = sqrt(v), z = (s - {c}) / ((s + {c}) * {half});\n"
    for target, sheet in (("k", t.value), ("d", t.dot)):
        text += _steps(target, [_literal(m) for m in sheet.diag], "z", "    ")
    value = "v * k" if t.weighted else "k"
    text += f"    nngp[l] = ok ? {value} : NAN;\n    dot[l] = ok ? d : NAN;\n"
    return text + "  }\n}\n"
