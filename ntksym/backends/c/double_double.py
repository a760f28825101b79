"""C of programs in double-double: the operations, and the function of one layer on a block.

Sums and products are those of T. J. Dekker, "A floating-point technique for extending the available
precision" (1971), products with fma.  Functions have errors of 2^-64 at most of their size: they
correct doubles, and are believed where they agree with these.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial

from ...lower.program import Program
from .._base import spell_program
from ..double_double import (
    HALVINGS,
    SHORTER,
    atan_terms,
    exp_terms,
    parts,
    spelled,
    with_numbers,
)
from .blocks import LANES
from .text import c_literal, horner, mentions, spelled_body, wrap

_FUNCTION = re.compile(
    r"(?m)(?=^(?:/\*(?:(?!\*/).)*\*/\n)?(?:static inline|NTKSYM_LANE_FUNCTION) )", re.DOTALL
)
_NAME = re.compile(r"(?:static inline|NTKSYM_LANE_FUNCTION) \w+ (\w+)\(")


@dataclass(frozen=True, slots=True)
class DoubleDouble:
    """Values of the type `dd`."""

    name: str = "c (double-double)"
    suffix: str = ".c"
    spell: dict[str, str] = field(default_factory=partial(spelled, "dd_", "dd_of(0.0, 0.0)"))

    def literal(self, value: Fraction | float) -> str:
        """A call that makes the number."""
        high, low = parts(value)
        return f"dd_of({c_literal(high)}, {c_literal(low)})"


def layer_function(p: Program, function: str, most: float) -> str:
    """`static void function(b, now, rest, v, low, next, left)`: of a block of points the state
    `now + rest` before, what doubles make of it in `next`, which is corrected; `left` is the rest.

    `v + low` are the numbers of the layer; variances above `most` are left as they are.
    """
    s = spell_program(p, DoubleDouble())
    rows = [f"double (*NTKSYM_RESTRICT {a})[{LANES}]" for a in ("now_", "rest_")]
    rows += ["const double *v_", "const double *low_"]
    rows += [f"double (*NTKSYM_RESTRICT {a})[{LANES}]" for a in ("next_", "left_")]
    text = wrap(f"static void {function}(", ["size_t b_", *rows]) + "\n{\n"
    text += "  for (size_t i = 0; i < b_; ++i) {\n"
    used = " ".join(v for _, v in s.lines) + " ".join(v for _, v in s.outputs)
    for k, shown in enumerate(s.inputs):
        place = f"now_[{k}][i], rest_[{k}][i]" if k < 2 else f"v_[{k - 2}], low_[{k - 2}]"
        if mentions(used, shown):
            text += f"    const dd {shown} = dd_of({place});\n"
    text += spelled_body(s, "    ", "dd")
    text += f"    const int small_ = next_[0][i] <= {c_literal(most)};\n"
    for k, (_, value) in enumerate(s.outputs):
        text += f"    dd_keep({value}, small_, &next_[{k}][i], &left_[{k}][i]);\n"
    return text + "  }\n  (void)v_;\n  (void)low_;\n}\n"


def dd_functions(used: str) -> str:
    """The type, and the operations that a text uses, with what these use."""
    own = {
        "EXP": horner(exp_terms(), "r.hi", " " * 11),
        "ATAN": horner(atan_terms(), "w.hi", " " * 11),
        "HALVINGS": "  dd_halve(&s, &c);\n" * HALVINGS,
        "SHORTER": _SQUARED * SHORTER,
    }
    text = with_numbers(_TEXT, c_literal, "{}, {}".format, own)
    start, *functions = _FUNCTION.split(text)
    kept: list[str] = []
    for each in reversed(functions):  # later ones call earlier ones
        found = _NAME.search(each)
        if found is not None and mentions(used, found[1]):
            kept.append(each)
            used += each
    return start + "".join(reversed(kept))


_SQUARED = "  p = dd_add(dd_times(p, 2.0), dd_mul(p, p));\n"
"""One line for each: a loop within a loop over points keeps it from being vector code."""

_TEXT = r"""/* A sum of two doubles that do not overlap. */
typedef struct {
  double hi, lo;
} dd;

NTKSYM_LANE_FUNCTION dd dd_of(double hi, double lo)
{
  const dd x = {hi, lo};
  return x;
}
NTKSYM_LANE_FUNCTION dd dd_quick(double a, double b) /* |a| >= |b| */
{
  const double s = a + b;
  return dd_of(s, b - (s - a));
}
NTKSYM_LANE_FUNCTION dd dd_sum(double a, double b)
{
  const double s = a + b, v = s - a;
  return dd_of(s, (a - (s - v)) + (b - v));
}
NTKSYM_LANE_FUNCTION dd dd_add(dd a, dd b)
{
  dd s = dd_sum(a.hi, b.hi);
  const dd t = dd_sum(a.lo, b.lo);
  s = dd_quick(s.hi, s.lo + t.hi);
  return dd_quick(s.hi, s.lo + t.lo);
}
NTKSYM_LANE_FUNCTION dd dd_neg(dd a) { return dd_of(-a.hi, -a.lo); }
NTKSYM_LANE_FUNCTION dd dd_sub(dd a, dd b) { return dd_add(a, dd_neg(b)); }
NTKSYM_LANE_FUNCTION dd dd_mul(dd a, dd b)
{
  const double p = a.hi * b.hi;
  return dd_quick(p, fma(a.hi, b.hi, -p) + (a.hi * b.lo + a.lo * b.hi));
}
NTKSYM_LANE_FUNCTION dd dd_div(dd a, dd b)
{
  const double p = a.hi / b.hi, rest = fma(-p, b.hi, a.hi) + (a.lo - p * b.lo);
  return dd_quick(p, rest / b.hi);
}
NTKSYM_LANE_FUNCTION dd dd_times(dd a, double power) { return dd_of(a.hi * power, a.lo * power); }
NTKSYM_LANE_FUNCTION int dd_less(dd a, dd b)
{
  return (a.hi < b.hi) | ((a.hi == b.hi) & (a.lo < b.lo));
}
NTKSYM_LANE_FUNCTION dd dd_select(int which, dd a, dd b)
{
  return dd_of(which ? a.hi : b.hi, which ? a.lo : b.lo);
}
NTKSYM_LANE_FUNCTION dd dd_max(dd a, dd b) { return dd_select(dd_less(a, b), b, a); }
NTKSYM_LANE_FUNCTION dd dd_min(dd a, dd b) { return dd_select(dd_less(b, a), b, a); }
NTKSYM_LANE_FUNCTION dd dd_abs(dd a) { return dd_select(a.hi < 0.0, dd_neg(a), a); }
NTKSYM_LANE_FUNCTION dd dd_pos(dd a) { return dd_select(a.hi < 0x1p-500, dd_of(0x1p-500, 0.0), a); }
NTKSYM_LANE_FUNCTION dd dd_rescale(dd a, dd s)
{
  return dd_of(ntksym_op_rescale(a.hi, s.hi), 0.0);
}
NTKSYM_LANE_FUNCTION dd dd_div0(dd a, dd b)
{
  const int none = (a.hi == 0.0) & (b.hi == 0.0);
  return dd_div(a, dd_select(none, dd_of(1.0, 0.0), b));
}
NTKSYM_LANE_FUNCTION dd dd_sqrt0(dd a)
{
  const int above = a.hi > 0.0;
  const double x = above ? a.hi : 1.0, s = sqrt(x);
  const dd root = dd_quick(s, (fma(-s, s, x) + a.lo) / (2.0 * s));
  return dd_select(above, root, dd_of(0.0, 0.0));
}

/* Turns the point (c, s), s >= 0, to half of its angle, farther out. */
NTKSYM_LANE_FUNCTION void dd_halve(dd *s, dd *c)
{
  const dd h = dd_sqrt0(dd_add(dd_mul(*s, *s), dd_mul(*c, *c)));
  const int left = c->hi < 0.0;
  const dd turned = dd_select(left, *s, dd_add(*c, h));
  *s = dd_select(left, dd_sub(h, *c), *s);
  *c = turned;
}
/* The angle of (c, s), s >= 0: halved until its tangent is short. */
NTKSYM_LANE_FUNCTION dd dd_angle(dd s, dd c)
{
@HALVINGS@  const dd z = dd_div0(s, c), w = dd_mul(z, z);
  const double tail = w.hi * (@ATAN@);
  const dd less = dd_mul(w, dd_sub(dd_of(@THIRD@), dd_of(tail, 0.0)));
  return dd_times(dd_sub(z, dd_mul(z, less)), @WHOLE@);
}
NTKSYM_LANE_FUNCTION dd dd_angle3(dd s, dd c, dd h)
{
  (void)h;
  const int none = (s.hi == 0.0) & (c.hi == 0.0);
  return dd_select(none, dd_of(@HALFPI@), dd_angle(s, c));
}
NTKSYM_LANE_FUNCTION dd dd_asin3(dd c, dd s, dd h)
{
  (void)h;
  const dd found = dd_angle(dd_abs(c), s);
  return dd_select(c.hi < 0.0, dd_neg(found), found);
}
NTKSYM_LANE_FUNCTION dd dd_gap3(dd s, dd c, dd h)
{
  const dd right = dd_div0(dd_mul(s, s), dd_add(h, c));
  return dd_select(c.hi > 0.0, right, dd_sub(h, c));
}

/* exp(r) - 1 for |r| < 0.35. */
NTKSYM_LANE_FUNCTION dd dd_short_expm1(dd r)
{
  r = dd_times(r, @SHARE@);
  const dd square = dd_mul(r, r), cube = dd_mul(square, r);
  const double tail = r.hi * (@EXP@);
  const dd third = dd_mul(cube, dd_add(dd_of(@SIXTH@), dd_of(tail, 0.0)));
  dd p = dd_add(r, dd_add(dd_times(square, 0.5), third));
@SHORTER@  return p;
}
NTKSYM_LANE_FUNCTION dd dd_exp(dd x)
{
  const double at = x.hi < -700.0 ? -700.0 : x.hi > 700.0 ? 700.0 : x.hi;
  const double shifted = at * 0x1.71547652b82fep+0 + 0x1.80000000003ffp52;
  const double k = shifted - 0x1.80000000003ffp52;
  const dd r = dd_sub(x, dd_mul(dd_of(@LN2@), dd_of(k, 0.0)));
  const dd y = dd_add(dd_of(1.0, 0.0), dd_short_expm1(r));
  uint64_t bits;
  double power;
  memcpy(&bits, &shifted, sizeof bits);
  bits <<= 52; /* the last bits of `shifted` are those of the exponent k + 1023 */
  memcpy(&power, &bits, sizeof power);
  const dd out = dd_of(x.hi > 0.0 ? INFINITY : x.hi * 0.0, 0.0);
  return dd_select((x.hi <= 700.0) & (x.hi >= -700.0), dd_times(y, power), out);
}
NTKSYM_LANE_FUNCTION dd dd_expm1(dd x)
{
  const dd far = dd_sub(dd_exp(x), dd_of(1.0, 0.0));
  return dd_select(fabs(x.hi) < 0.3, dd_short_expm1(x), far);
}
NTKSYM_LANE_FUNCTION dd dd_expsinh(dd plus, dd minus, dd b, dd d)
{
  const dd grown = dd_exp(dd_div0(dd_max(plus, minus), d));
  const dd down = dd_expm1(dd_times(dd_div0(dd_abs(b), d), -2.0));
  const dd half = dd_times(grown, b.hi < 0.0 ? 0.5 : -0.5);
  return dd_select(b.hi == 0.0, b, dd_mul(half, down));
}
NTKSYM_LANE_FUNCTION dd dd_expcosh(dd plus, dd minus, dd b, dd d)
{
  const dd grown = dd_exp(dd_div0(dd_max(plus, minus), d));
  const dd down = dd_exp(dd_times(dd_div0(dd_abs(b), d), -2.0));
  return dd_mul(dd_times(grown, 0.5), dd_add(dd_of(1.0, 0.0), down));
}

/* (Phi(y) - 1/2)/phi(y)/y for 0 <= y < @NEAR@: 1 + y^2/3 + y^4/15 + ... */
static inline dd dd_inner(dd y)
{
  const dd square = dd_mul(y, y);
  double sum = 1.0;
  int k = @TERMS@;
  for (; k > 15; --k) sum = 1.0 + sum * square.hi / (2.0 * k + 1.0);
  dd total = dd_of(sum, 0.0);
  for (; k > 0; --k) {
    const dd part = dd_div(dd_mul(total, square), dd_of(2.0 * k + 1.0, 0.0));
    total = dd_add(dd_of(1.0, 0.0), part);
  }
  return total;
}
/* exp(y*y/2)*Phi(-y) for y >= 0: of Mills' ratio, beyond @NEAR@ by its continued fraction. */
static inline dd dd_mills(dd y)
{
  const dd density = dd_of(@DENSITY@);
  if (y.hi < @NEAR@) {
    const dd half = dd_times(dd_exp(dd_times(dd_mul(y, y), 0.5)), 0.5);
    return dd_sub(half, dd_mul(dd_mul(density, y), dd_inner(y)));
  }
  double far = y.hi;
  int k = @DEEP@;
  for (; k > @LEVELS@; --k) far = y.hi + k / far;
  dd total = dd_of(far, 0.0);
  for (; k > 0; --k) total = dd_add(y, dd_div(dd_of(k, 0.0), total));
  return dd_div(density, total);
}
/* exp(a)*Phi(-y) for y >= 0. */
static inline dd dd_tail(dd a, dd y)
{
  return dd_mul(dd_exp(dd_sub(a, dd_times(dd_mul(y, y), 0.5))), dd_mills(y));
}
static inline dd dd_expPhi(dd a, dd z)
{
  const dd tail = dd_tail(a, dd_abs(z));
  return z.hi < 0.0 ? tail : dd_sub(dd_exp(a), tail);
}
static inline dd dd_Phi(dd z) { return dd_expPhi(dd_of(0.0, 0.0), z); }
static inline dd dd_erfc(dd x)
{
  return dd_times(dd_Phi(dd_neg(dd_mul(x, dd_of(@ROOT2@)))), 2.0);
}
static inline dd dd_erf(dd x)
{
  const dd y = dd_mul(dd_abs(x), dd_of(@ROOT2@));
  dd found;
  if (y.hi < @NEAR@) {
    const dd bell = dd_exp(dd_times(dd_mul(y, y), -0.5));
    found = dd_mul(dd_mul(dd_mul(dd_of(@DENSITY@), bell), dd_times(y, 2.0)), dd_inner(y));
  } else
    found = dd_sub(dd_of(1.0, 0.0), dd_times(dd_tail(dd_of(0.0, 0.0), y), 2.0));
  return x.hi < 0.0 ? dd_neg(found) : found;
}

/* Corrects a double by what it should be; the rest, where it is one of the rounding. */
NTKSYM_LANE_FUNCTION void dd_keep(dd found, int small, double *value, double *rest)
{
  const int kept = small & (fabs(found.hi - *value) <= @EQUAL@ * fabs(*value));
  *value = kept ? found.hi : *value;
  *rest = kept ? found.lo : 0.0;
}
"""
