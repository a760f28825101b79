"""The helper functions of the generated JAX and PyTorch modules, written once for both.

They use only the primitives of the module's preamble (`array.jax_helpers`,
`array.torch_helpers`): `_where`, `_exp` and the like, and `_rule(value, partials)`, a function with
its derivatives in closed form.
No derivative divides by a zero: where a guard chooses a branch, the other one is evaluated at a
harmless argument, so that neither values nor derivatives of any order meet 0*inf.
That argument is next to those of the branch: a compiler that fuses may compute a comparison twice
with other roundings and mix both branches (XLA of jaxlib 0.4.30: the root of -1e-17 became 1).
"""

from __future__ import annotations

from ...lower.ops import FAR_OPS
from .._base import HYP2F1_FIXED
from ..tables import atan_tail
from ..text import closure, column_text
from . import hyper, normal

SPELL = {
    "pi": "3.141592653589793",
    "inf": "_INF",
    "add": "({0} + {1})",
    "sub": "({0} - {1})",
    "mul": "({0} * {1})",
    "div": "({0} / {1})",
    "div0": "_div0({0}, {1})",
    "neg": "(-{0})",
    "abs": "_abs({0})",
    "sign": "_sign({0})",
    "max": "_max({0}, {1})",
    "min": "_min({0}, {1})",
    "clamp": "_min(_max({0}, {1}), {2})",
    "pos": "_pos({0})",
    "once": "_once({0})",
    "rescale": "_rescale({0}, {1})",
    "inverse4": "_inverse4({0})",
    "sqrt0": "_sqrt0({0})",
    "pow": "_pow0({0}, {1})",
    "cross": "_cross({0}, {1}, {2}, {3})",
    "rootdet": "_rootdet({0}, {1}, {2})",
    "atan2": "_atan20({0}, {1})",
    "angle": "_angle({0}, {1})",
    "arc1": "_arc1({0}, {1})",
    "gap": "_gap({0}, {1})",
    "asin3": "_atan20({0}, {1})",
    "angle3": "_angle({0}, {1})",
    "arc3": "_arc1({0}, {1})",
    "gap3": "_gap({0}, {1})",
    "hyproot": "_hyproot({0}, {1})",
    **dict.fromkeys(("select", "short"), "_where({0} <= {1}, {2}, {3})"),
    "price": "{0}",
    **dict.fromkeys(FAR_OPS, "{0}"),
    "exp": "_exp({0})",
    "expm1": "_expm1({0})",
    "log": "_log({0})",
    "log1p": "_log1p({0})",
    "sin": "_sin({0})",
    "cos": "_cos({0})",
    "sinh": "_sinh({0})",
    "cosh": "_cosh({0})",
    "tanh": "_tanh({0})",
    "expsinh": "_expsinh({0}, {1}, {2}, {3})",
    "expcosh": "_expcosh({0}, {1}, {2}, {3})",
    "carry": "_carry({0}, {1}, {2}, {3}, {4})",
    "erf": "_erf({0})",
    "erfc": "_erfc({0})",
    "Phi": "_Phi({0})",
    "expPhi": "_expPhi({0}, {1})",
    "mills": "_mills({0})",
    "expPhi2": "_expPhi2({0}, {1}, {2}, {3}, {4}, {5}, {6})",
    "Phi2": "_Phi2({0}, {1}, {2}, {3})",
    "euler": "0.5772156649015329",
    "gamma": "_gamma({0})",
    HYP2F1_FIXED: hyper.SPELLED,
}
"""Every operation; 2F1, which has no fixed number of terms, of numbers a, b, c only."""


def array_helpers(wanted: frozenset[str]) -> str:
    """The source of the wanted helpers and of what they need, in a fixed order."""
    needed = closure(wanted, _NEEDS)
    return "\n\n\n".join(text for name, text in _SOURCES.items() if name in needed)


def helper_names() -> frozenset[str]:
    """Every helper that a spelling may call."""
    return frozenset(_SOURCES)


_NEEDS = {
    "_cross": ("_two_product",),
    "_rootdet": ("_cross", "_sqrt0", "_div0"),
    "_angle": ("_over",),
    "_atan20": ("_over",),
    "_arc1": ("_angle", "_over"),
    "_hyproot": ("_sqrt0", "_over"),
    "_gap": ("_over",),
    "_expsinh": ("_div0",),
    "_expcosh": ("_div0",),
    **normal.NEEDS,
    **hyper.NEEDS,
}

_SOURCES = {
    "_div0": '''def _div0(a, b):
    """a/b, and 0 at 0/0."""
    none = b == 0.0
    edge = _where(a > 0.0, _INF, _where(a < 0.0, -_INF, a))
    return _where(none, edge, a / _where(none, _floor(b) ** 0.5, b))''',
    "_sqrt0": """def _sqrt0_partials(a):
    root = _sqrt0(a)
    none = root == 0.0
    return (_where(none, 0.0, 0.5 / _where(none, 1.0, root)),)


# sqrt, and 0 below 0; its derivative at 0 is 0
_sqrt0 = _rule(lambda a: _sqrt(_where(a <= 0.0, 0.0, a)), _sqrt0_partials)""",
    "_pow0": '''def _pow0(a, b):
    """a**b for a >= 0; its derivative at 0 is 0."""
    below = a <= 0.0
    edge = _where(b > 0.0 * b, 0.0, _where(b == 0.0 * b, 1.0, _INF)) if _is_array(b) else (
        0.0 if b > 0 else 1.0 if b == 0 else _INF
    )
    return _where(below, edge, _where(below, _floor(a) ** 0.5, a) ** b)''',
    "_pos": '''def _pos(a):
    """A variance that is divided by: raised to a number whose square does not underflow."""
    return _max(a, _floor(a))''',
    "_once": '''def _once(a):
    """The same where only its first power divides."""
    return _max(a, _floor(a) ** 2.02)''',
    "_rescale": '''def _rescale(a, s):
    """s*2**k with s*s*4**k*a about s*s where a is beyond it; 1 elsewhere, and at 0 and _INF."""
    most = 2.0**124 if _floor(a) < 1e-99 else 2.0**28
    s = min(s, most) if s > 1.0 else max(s, 1.0 / most)
    far = (a > s * s) & (a < _INF) if s > 1.0 else (a > 0.0) & (a < s * s)
    t = s * _two(-_half_exponent(_where(far, a, 1.0)), a)
    return _where(far, t, _where(a == a, 1.0, a))''',
    "_inverse4": '''def _inverse4(a):
    """A power of 4 about 1/a, as far as `_pos` goes."""
    near = _min(_max(_where(a == a, a, 1.0), _floor(a)), 1.0 / _floor(a))
    return _where(a == a, _two(-2 * _half_exponent(near), a), a)''',
    "_two_product": '''def _two_product(a, b):
    """a*b rounded, and its rounding error (T. J. Dekker 1971); halves are taken by their bits."""
    product = _rounded(a * b)
    a_high, b_high = _high(a), _high(b)
    a_low, b_low = a - a_high, b - b_high
    low = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, low''',
    "_two_sum": '''def _two_sum(a, b):
    """a + b rounded, and its rounding error (D. E. Knuth)."""
    total = a + b
    of_b = total - a
    return total, (a - (total - of_b)) + (b - of_b)''',
    "_cross": """def _cross_value(a, b, c, d):
    ab, ab_low = _two_product(a, b)
    cd, cd_low = _two_product(c, d)
    return (ab - cd) + (ab_low - cd_low)


# a*b - c*d with both products exact
_cross = _rule(_cross_value, lambda a, b, c, d: (b, a, -d, -c))""",
    "_rootdet": """def _rootdet_value(q11, q12, q22):
    k1, k2 = _half_exponent(q11), _half_exponent(q22)
    c = _scaled(_scaled(q12, -k1), -k2)
    det = _cross_value(_scaled(q11, -2 * k1), _scaled(q22, -2 * k2), c, c)
    return _scaled(_scaled(_sqrt0(det), k1), k2)


def _rootdet_partials(q11, q12, q22):
    root = _rootdet(q11, q12, q22)
    none = root == 0.0  # both one-sided derivatives are infinite there: their mean
    over = _where(none, 0.0, 1.0 / _where(none, 1.0, root))
    return 0.5 * q22 * over, -q12 * over, 0.5 * q11 * over


# sqrt(max(q11*q22 - q12^2, 0)) without overflow, underflow or cancellation
_rootdet = _rule(_rootdet_value, _rootdet_partials)""",
    "_over": '''def _over(s, c):
    """(s/l, c/l, 1/l) with l = hypot(s, c); zeros at the origin."""
    big = _max(_abs(s), _abs(c))
    none = big == 0.0
    big = _where(none, 1.0, big)
    s, c = s / big, c / big
    length = _where(none, 1.0, _sqrt(_where(none, 1.0, s * s + c * c)))
    return s / length, c / length, _where(none, 0.0, 1.0 / (length * big))''',
    "_atan20": """def _atan20_partials(y, x):
    sine, cosine, over = _over(y, x)
    return cosine * over, -sine * over


# atan2, 0 at the origin
_atan20 = _rule(lambda y, x: _atan2(y, x), _atan20_partials)""",
    "_angle": """def _angle_value(s, c):
    return _atan2(_where((s == 0.0) & (c == 0.0), 1.0, s), c)


def _angle_partials(s, c):
    sine, cosine, over = _over(s, c)
    return cosine * over, -sine * over


# the angle of the point (c, s), s >= 0; pi/2 at (0, 0)
_angle = _rule(_angle_value, _angle_partials)""",
    "_arc1": f"""_ATAN_TAIL = {column_text(atan_tail())}


def _arc1_value(s, c):
    plain = s + c * _angle_value(s, -c)
    close = (c < 0.0) & (s < -c)
    t = _min(s / _where(c < 0.0, -c, 1.0), 1.0)
    u = t * t
    tail = _ATAN_TAIL[-1] + 0.0 * u
    for a in _ATAN_TAIL[-2::-1]:  # (atan(t) - t)/t**3
        tail = tail * u + a
    return _where(close, c * (t * u) * tail, plain)


def _arc1_partials(s, c):
    sine, cosine, _ = _over(s, c)
    return sine * sine, _angle(s, -c) + sine * cosine


# s + c*angle(s, -c), to full relative accuracy where it cancels (c < 0)
_arc1 = _rule(_arc1_value, _arc1_partials)""",
    "_gap": """def _gap_value(s, c):
    length = _hypot(s, c)
    total = length + _max(c, 0.0)
    return _where(c > 0.0, s * (s / _where(total > 0.0, total, 1.0)), length - c)


def _gap_partials(s, c):
    sine, _, over = _over(s, c)
    return sine, -_gap(s, c) * over


# hypot(s, c) - c, accurate where s is small
_gap = _rule(_gap_value, _gap_partials)""",
    "_hyproot": '''def _hyproot(a, b):
    """sqrt(max(a, 0) + b^2) without overflow: b may be a root of 1e300."""
    a = _sqrt0(a)
    b = _where(a >= 0.0, b, a)  # an array where b is the number 0
    sine, cosine, _ = _over(a, b)
    return a * sine + b * cosine''',
    "_carry": '''def _carry(root, q11, q12, q22, following):
    """The next root, or 0 where the inputs coincide: equal stays equal."""
    return _where((root == 0.0) & (q11 == q22) & (q12 > 0.0), 0.0, following)''',
    "_expsinh": '''def _expsinh(plus, minus, b, d):
    """exp(a/d)*sinh(b/d), d >= 0, from a + b, a - b, b and d."""
    up = b >= 0.0
    above, below = _where(up, b, 0.0), _where(up, 0.0, -b)
    first = _exp(_div0(plus, d)) * _expm1(_div0(-2.0 * above, d))
    second = _exp(_div0(minus, d)) * _expm1(_div0(-2.0 * below, d))
    return _where(b == 0.0, b, 0.5 * _where(up, -first, second))  # not inf*0''',
    "_expcosh": '''def _expcosh(plus, minus, b, d):
    """exp(a/d)*cosh(b/d), d >= 0, from a + b, a - b, b and d."""
    return 0.5 * (_exp(_div0(plus, d)) + _exp(_div0(minus, d)))''',
    **normal.SOURCES,
    **hyper.SOURCES,
}
