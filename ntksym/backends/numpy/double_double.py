"""NumPy of programs in double-double: the operations on pairs of arrays, the function of a layer.

As `c.double_double`, without fma; where C branches both are computed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial

from ...lower.program import Program
from .._base import comment, spell_program
from ..double_double import (
    HALVINGS,
    SHORTER,
    atan_terms,
    exp_terms,
    parts,
    spelled,
    with_numbers,
)


@dataclass(frozen=True, slots=True)
class DoubleDouble:
    """Values are pairs of arrays or numbers."""

    name: str = "numpy (double-double)"
    suffix: str = ".py"
    spell: dict[str, str] = field(default_factory=partial(spelled, "_dd_", "(0.0, 0.0)"))

    def literal(self, value: Fraction | float) -> str:
        """The pair."""
        return "({!r}, {!r})".format(*parts(value))


def layer_function(p: Program, name: str) -> str:
    """`def name(q, t12, numbers...)`: (q, ntk) after the layer, all of them sums of two."""
    s = spell_program(p, DoubleDouble())
    text = f"def {name}({', '.join(s.inputs)}):\n"
    text += f'    """{comment("One layer, on the diagonal, of sums of two doubles.")}"""\n'
    text += "".join(f"    {line} = {value}\n" for line, value in s.lines)
    return text + f"    return {', '.join(value for _, value in s.outputs)}"


def dd_functions(used: str) -> str:
    """The operations that a text uses, with what these use but `_two_product` and `_rescale`."""
    own = {
        "EXP": exp_terms()[::-1],
        "ATAN": atan_terms()[::-1],
        "HALVINGS": HALVINGS,
        "SHORTER": SHORTER,
    }
    text = with_numbers(_TEXT.strip("\n"), repr, "({}, {})".format, own)
    kept: list[str] = []
    for each in reversed(text.split("\n\n\n")):  # later ones call earlier ones
        if re.search(rf"\b{each.split('(')[0].removeprefix('def ')}\b", used):
            kept.append(each)
            used += each
    return "\n\n\n".join(reversed(kept))


_TEXT = '''
def _dd_quick(a, b):
    """a + b with its rounding error, |a| >= |b|."""
    s = a + b
    return s, b - (s - a)


def _dd_sum(a, b):
    """a + b with its rounding error."""
    s = a + b
    v = s - a
    return s, (a - (s - v)) + (b - v)


def _dd_add(a, b):
    s, low = _dd_sum(a[0], b[0])
    t, rest = _dd_sum(a[1], b[1])
    s, low = _dd_quick(s, low + t)
    return _dd_quick(s, low + rest)


def _dd_neg(a):
    return -a[0], -a[1]


def _dd_sub(a, b):
    return _dd_add(a, _dd_neg(b))


def _dd_mul(a, b):
    p, low = _two_product(a[0], b[0])
    return _dd_quick(p, low + (a[0] * b[1] + a[1] * b[0]))


def _dd_div(a, b):
    p = a[0] / b[0]
    whole, low = _two_product(p, b[0])
    return _dd_quick(p, (((a[0] - whole) - low) + (a[1] - p * b[1])) / b[0])


def _dd_times(a, power):
    return a[0] * power, a[1] * power


def _dd_where(condition, a, b):
    return np.where(condition, a[0], b[0]), np.where(condition, a[1], b[1])


def _dd_less(a, b):
    return (a[0] < b[0]) | ((a[0] == b[0]) & (a[1] < b[1]))


def _dd_max(a, b):
    return _dd_where(_dd_less(a, b), b, a)


def _dd_min(a, b):
    return _dd_where(_dd_less(b, a), b, a)


def _dd_abs(a):
    return _dd_where(np.asarray(a[0]) < 0.0, _dd_neg(a), a)


def _dd_pos(a):
    return _dd_where(a[0] < 2.0**-500, (2.0**-500, 0.0), a)


def _dd_rescale(a, s):
    return _rescale(a[0], s[0]), 0.0


def _dd_div0(a, b):
    none = (a[0] == 0.0) & (b[0] == 0.0)
    return _dd_div(a, (np.where(none, 1.0, b[0]), np.where(none, 0.0, b[1])))


def _dd_sqrt0(a):
    above = a[0] > 0.0
    s = np.sqrt(np.where(above, a[0], 1.0))
    square, low = _two_product(s, s)
    root = _dd_quick(s, (((a[0] - square) - low) + a[1]) / (2.0 * s))
    return _dd_where(above, root, (0.0, 0.0))


def _dd_angle(s, c):
    """The angle of (c, s), s >= 0: halved until its tangent is short."""
    for _ in range(@HALVINGS@):
        h = _dd_sqrt0(_dd_add(_dd_mul(s, s), _dd_mul(c, c)))
        left = c[0] < 0.0
        s, c = _dd_where(left, _dd_sub(h, c), s), _dd_where(left, s, _dd_add(c, h))
    z = _dd_div0(s, c)
    w = _dd_mul(z, z)
    less = _dd_mul(w, _dd_sub(@THIRD@, (w[0] * np.polyval(@ATAN@, w[0]), 0.0)))
    return _dd_times(_dd_sub(z, _dd_mul(z, less)), @WHOLE@)


def _dd_angle3(s, c, h):
    none = (np.asarray(s[0]) == 0.0) & (c[0] == 0.0)
    return _dd_where(none, @HALFPI@, _dd_angle(s, c))


def _dd_asin3(c, s, h):
    found = _dd_angle(_dd_abs(c), s)
    return _dd_where(np.asarray(c[0]) < 0.0, _dd_neg(found), found)


def _dd_gap3(s, c, h):
    right = _dd_div0(_dd_mul(s, s), _dd_add(h, c))
    return _dd_where(np.asarray(c[0]) > 0.0, right, _dd_sub(h, c))


def _dd_short_expm1(r):
    """exp(r) - 1 for |r| < 0.35."""
    r = _dd_times(r, @SHARE@)
    square = _dd_mul(r, r)
    third = _dd_add(@SIXTH@, (r[0] * np.polyval(@EXP@, r[0]), 0.0))
    p = _dd_add(r, _dd_add(_dd_times(square, 0.5), _dd_mul(_dd_mul(square, r), third)))
    for _ in range(@SHORTER@):
        p = _dd_add(_dd_times(p, 2.0), _dd_mul(p, p))
    return p


def _dd_exp(x):
    k = np.floor(np.clip(x[0], -700.0, 700.0) * 1.4426950408889634 + 0.5)
    k = np.where(np.isnan(k), 0.0, k)
    r = _dd_sub(x, _dd_mul(@LN2@, (k, 0.0)))
    y, k = _dd_add((1.0, 0.0), _dd_short_expm1(r)), k.astype(int)
    far = ~(np.abs(x[0]) < 700.0)
    return _dd_where(far, (np.exp(x[0]), 0.0), (np.ldexp(y[0], k), np.ldexp(y[1], k)))


def _dd_expm1(x):
    short = np.abs(x[0]) < 0.3
    near = _dd_short_expm1(_dd_where(short, x, (0.0, 0.0)))
    return _dd_where(short, near, _dd_sub(_dd_exp(x), (1.0, 0.0)))


def _dd_expsinh(plus, minus, b, d):
    grown = _dd_exp(_dd_div0(_dd_max(plus, minus), d))
    down = _dd_expm1(_dd_times(_dd_div0(_dd_abs(b), d), -2.0))
    found = _dd_mul(_dd_times(grown, np.where(b[0] < 0.0, 0.5, -0.5)), down)
    return _dd_where(b[0] == 0.0, b, found)


def _dd_expcosh(plus, minus, b, d):
    grown = _dd_exp(_dd_div0(_dd_max(plus, minus), d))
    down = _dd_exp(_dd_times(_dd_div0(_dd_abs(b), d), -2.0))
    return _dd_mul(_dd_times(grown, 0.5), _dd_add((1.0, 0.0), down))


def _dd_inner(y):
    """(Phi(y) - 1/2)/phi(y)/y for 0 <= y < @NEAR@: 1 + y^2/3 + y^4/15 + ..."""
    square, total = _dd_mul(y, y), 1.0
    for k in range(@TERMS@, 15, -1):
        total = 1.0 + total * square[0] / (2.0 * k + 1.0)
    total = total, 0.0
    for k in range(15, 0, -1):
        total = _dd_add((1.0, 0.0), _dd_div(_dd_mul(total, square), (2.0 * k + 1.0, 0.0)))
    return total


def _dd_mills(y):
    """exp(y*y/2)*Phi(-y) for y >= 0: of Mills' ratio, beyond @NEAR@ by its continued fraction."""
    short, far = y[0] < @NEAR@, _dd_max(y, (@NEAR@, 0.0))
    y = _dd_where(short, y, (0.0, 0.0))
    half = _dd_times(_dd_exp(_dd_times(_dd_mul(y, y), 0.5)), 0.5)
    near = _dd_sub(half, _dd_mul(_dd_mul(@DENSITY@, y), _dd_inner(y)))
    total = far[0]
    for k in range(@DEEP@, @LEVELS@, -1):
        total = far[0] + k / total
    total = total, 0.0
    for k in range(@LEVELS@, 0, -1):
        total = _dd_add(far, _dd_div((float(k), 0.0), total))
    return _dd_where(short, near, _dd_div(@DENSITY@, total))


def _dd_tail(a, y):
    """exp(a)*Phi(-y) for y >= 0."""
    return _dd_mul(_dd_exp(_dd_sub(a, _dd_times(_dd_mul(y, y), 0.5))), _dd_mills(y))


def _dd_expPhi(a, z):
    tail = _dd_tail(a, _dd_abs(z))
    return _dd_where(z[0] < 0.0, tail, _dd_sub(_dd_exp(a), tail))


def _dd_Phi(z):
    return _dd_expPhi((0.0, 0.0), z)


def _dd_erfc(x):
    return _dd_times(_dd_Phi(_dd_neg(_dd_mul(x, @ROOT2@))), 2.0)


def _dd_erf(x):
    y = _dd_mul(_dd_abs(x), @ROOT2@)
    near = y[0] < @NEAR@
    short = _dd_where(near, y, (0.0, 0.0))
    bell = _dd_exp(_dd_times(_dd_mul(short, short), -0.5))
    inner = _dd_mul(_dd_mul(@DENSITY@, bell), _dd_times(short, 2.0))
    far = _dd_sub((1.0, 0.0), _dd_times(_dd_tail((0.0, 0.0), y), 2.0))
    found = _dd_where(near, _dd_mul(inner, _dd_inner(short)), far)
    return _dd_where(np.asarray(x[0]) < 0.0, _dd_neg(found), found)


def _dd_kept(found, value, small):
    """The double corrected, and the rest, where that is one of the rounding; else the double."""
    kept = small & (np.abs(found[0] - value) <= @EQUAL@ * np.abs(value))
    return np.where(kept, found[0], value), np.where(kept, found[1], 0.0)
'''
