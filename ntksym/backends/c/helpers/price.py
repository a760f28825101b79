"""C for the operation `price`: a dual at small variances as the integral of its derivative.

The block function copies the closed form and looks for a small variance; only blocks that have
one do more, and only for their points with one.
"""

from __future__ import annotations

from ....lower.price import Small
from ....lower.program import Program
from ...tables import legendre
from ...text import filled
from ..backend import C
from ..blocks import LANES, block_function
from ..text import c_literal, in_lines
from .halves import LANES as SERIES_LANES
from .halves import halves_function, halves_sums

NODES = 16
"""Gauss-Legendre nodes of a panel: a block of the inner program."""


def price_functions(programs: tuple[Program, ...]) -> str:
    """The functions of every inner program, those inside others first; or nothing."""
    text, known = "", set()
    for p in programs:
        for let in p.body:
            if not isinstance(let.inner, Small) or let.label in known:
                continue
            if let.inner.series is not None and "ntksym_halves_sum(" not in text:
                text += halves_sums() + "\n"
            text += _functions(let.label, let.inner)
            known.add(let.label)
    return text


def _functions(label: str, small: Small) -> str:
    inner = small.program
    names = inner.args
    slots = [f"a{k}_" for k in range(len(names))]
    places = {a: f"{s}[i]" for a, s in zip(names, slots, strict=True)}
    outs = [o for o, _ in inner.outputs]
    ends = {o: f"{o}_out_[i]" for o in outs}
    signature = [f"const double *{s}" for s in slots] + [f"double *{o}_out_" for o in outs]
    text = block_function(inner, f"ntksym_{label}_inner", signature, places, ends, C)
    more = slots[4:]
    nodes, weights = zip(*legendre(NODES), strict=True)
    marks = {
        "@LABEL@": label,
        "@GIVEN@": "".join(f",\n    const double *{s}" for s in more),
        "@PASS@": "".join(f", {s}" for s in more),
        "@LOCAL@": "".join(f", {s}v[{LANES}]" for s in more),
        "@FILL@": "".join(f"      {s}v[j] = {s}[i];\n" for s in more),
        "@USE@": "".join(f", {s}v" for s in more),
        "@SCALARS@": "".join(f", double {s}" for s in more),
        "@ARRAYS@": "".join(f", {s}v[8]" for s in more),
        "@COPY@": "".join(f"    {s}v[j] = {s};\n" for s in more),
        "@NODES@": in_lines(nodes, 4, "    "),
        "@WEIGHTS@": in_lines(weights, 4, "    "),
        "@COUNT@": str(NODES),
        "@LANES@": str(LANES),
        "@SMALL@": c_literal(float(small.below)),
    }
    series, taken = "", ""
    if small.series is not None:
        series = halves_function(label, small.series) + "\n"
        marks["@WIDE@"] = str(SERIES_LANES)
        marks["@BELOW@"] = c_literal(float(small.series.below))
        taken = _SERIES
    marks |= {"@MANY@": "count", "@WHICH@": "left[k]"} if taken else {"@MANY@": "n", "@WHICH@": "k"}
    own = filled(_TEXT.replace("@SERIES@", taken), marks)
    return text + "\n" + series + own + "\n"


_TEXT = r"""/* K at a small variance: K(q12 = 0) plus its derivative integrated over the angle. */
NTKSYM_BLOCK_FUNCTION double ntksym_@LABEL@_at(size_t i, const double *q11, const double *q12,
    const double *q22, const double *root@GIVEN@)
{
  static const double node[@COUNT@] = {
    @NODES@};
  static const double weight[@COUNT@] = {
    @WEIGHTS@};
  double a[@LANES@], c[@LANES@], b[@LANES@], r[@LANES@]@LOCAL@;
  double slope[@LANES@], base[@LANES@], sine[@COUNT@];
  const double length = sqrt(q11[i]) * sqrt(q22[i]), size = fabs(q12[i]);
  const double turn = atan2(size, root[i]), rest = atan2(root[i], size);
  double total = 0.0, left = 0.0, right = 0.25, most = q11[i] < q22[i] ? q22[i] : q11[i];
  for (; most > 1.0 && right > 0x1p-80; most *= 0.0625) right *= 0.25;
  while (left < 1.0) { /* panels that are shorter towards the collinear end */
    double sum = 0.0;
    for (int j = 0; j < @COUNT@; ++j) {
      const double x = left + (right - left) * node[j];
      sine[j] = sin(rest + turn * x);
      a[j] = q11[i];
      b[j] = q22[i];
      c[j] = copysign(length * sin(turn * (1.0 - x)), q12[i]);
      r[j] = length * sine[j];
@FILL@    }
    ntksym_@LABEL@_inner(@COUNT@, a, c, b, r@USE@, slope, base);
    for (int j = 0; j < @COUNT@; ++j) sum += weight[j] * sine[j] * slope[j];
    total += (right - left) * sum;
    left = right;
    right = 4.0 * right < 1.0 ? 4.0 * right : 1.0;
  }
  return length == 0.0 ? base[0] : base[0] + copysign(turn, q12[i]) * length * total;
}

NTKSYM_BLOCK_FUNCTION void ntksym_block_@LABEL@(size_t n, const double *closed,
    const double *q11, const double *q12, const double *q22, const double *root@GIVEN@,
    double *out)
{
  const size_t m = NTKSYM_ROUND_UP(n);
  int small = 0;
  for (size_t i = 0; i < m; ++i) {
    out[i] = closed[i];
    small |= (q11[i] < @SMALL@) | (q22[i] < @SMALL@);
  }
  if (!small) return;
@SERIES@  for (size_t k = 0; k < @MANY@; ++k) {
    const size_t i = @WHICH@;
    const int in = (q11[i] < @SMALL@) | (q22[i] < @SMALL@);
    if (in & (q11[i] >= 0.0) & (q22[i] >= 0.0))
      out[i] = ntksym_@LABEL@_at(i, q11, q12, q22, root@PASS@);
  }
}

NTKSYM_SPARE_FUNCTION double ntksym_op_@LABEL@(double closed, double q11, double q12, double q22,
                                       double root@SCALARS@)
{
  double k[8], a[8], c[8], b[8], r[8], out[8]@ARRAYS@;
  for (int j = 0; j < 8; ++j) {
    k[j] = closed;
    a[j] = q11;
    c[j] = q12;
    b[j] = q22;
    r[j] = root;
@COPY@  }
  ntksym_block_@LABEL@(1, k, a, c, b, r@USE@, out);
  return out[0];
}
"""

_SERIES = r"""  size_t left[@LANES@], count = 0, found = 0, place[@LANES@];
  for (size_t i = 0; i < n; ++i) {
    const int in = (q11[i] <= @BELOW@) & (q22[i] <= @BELOW@) & (q11[i] >= 0.0) & (q22[i] >= 0.0);
    if (in)
      place[found++] = i;
    else
      left[count++] = i;
  }
  for (size_t at = 0; at < found; at += @WIDE@) { /* both small: the series, no integral */
    double a[@WIDE@], c[@WIDE@], b[@WIDE@], r[@WIDE@], sum[@WIDE@];
    const size_t some = found - at < @WIDE@ ? found - at : @WIDE@;
    for (size_t j = 0; j < @WIDE@; ++j) {
      const size_t i = place[at + (j < some ? j : some - 1)];
      a[j] = q11[i];
      c[j] = q12[i];
      b[j] = q22[i];
      r[j] = root[i];
    }
    ntksym_@LABEL@_series(a, c, b, r, sum);
    for (size_t j = 0; j < some; ++j) out[place[at + j]] = sum[j];
  }
"""
