"""The helper functions of the generated JAX and PyTorch modules, written once for both.

They use only the primitives of the module's preamble (`array.jax_helpers`,
`array.torch_helpers`): `_where`, `_exp` and the like, and `_rule(value, partials)`, a function with
its derivatives in closed form.
No derivative divides by a zero: where a guard chooses a branch, the other one is evaluated at a
harmless argument, so that neither values nor derivatives of any order meet 0*inf.
"""

from __future__ import annotations

from ...lower.ops import FAR_OPS
from .._base import HYP2F1_FIXED
from ..tables import ERFCX_CENTRE, atan_tail, erfcx_series, legendre
from ..text import closure, column_text
from . import hyper

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
    "_expPhi": ("_two_product", "_erfcx_positive", "_Phi", "_exp_down"),
    "_Phi": ("_exp_down",),
    "_Phi2": ("_Phi", "_owen", "_angle", "_tilt", "_over"),
    "_tilt": ("_over", "_div0", "_expPhi"),
    "_expPhi2": ("_expPhi", "_Phi2", "_tilt"),
    **hyper.NEEDS,
}

_SOURCES = {
    "_div0": '''def _div0(a, b):
    """a/b, and 0 at 0/0."""
    none = b == 0.0
    edge = _where(a > 0.0, _INF, _where(a < 0.0, -_INF, a))
    return _where(none, edge, a / _where(none, 1.0, b))''',
    "_sqrt0": '''def _sqrt0(a):
    """sqrt, and 0 below 0; its derivative at 0 is 0."""
    below = a <= 0.0
    return _where(below, 0.0, _sqrt(_where(below, 1.0, a)))''',
    "_pow0": '''def _pow0(a, b):
    """a**b for a >= 0; its derivative at 0 is 0."""
    below = a <= 0.0
    edge = _where(b > 0.0 * b, 0.0, _where(b == 0.0 * b, 1.0, _INF)) if _is_array(b) else (
        0.0 if b > 0 else 1.0 if b == 0 else _INF
    )
    return _where(below, edge, _where(below, 1.0, a) ** b)''',
    "_pos": '''def _pos(a):
    """A variance that is divided by: raised to a number whose square does not underflow."""
    return _max(a, _floor(a))''',
    "_once": '''def _once(a):
    """The same where only its first power divides."""
    return _max(a, _floor(a) ** 1.8)''',
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
    t = _where(close, s / _where(close, -c, 1.0), 0.0)
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
    "_exp_down": '''def _exp_down(a, z):
    """exp(a - z*z/2)/sqrt(2*pi), the exponent capped where nothing finite is left."""
    return 0.3989422804014327 * _exp(a - 0.5 * z * z)''',
    "_Phi": """# the standard normal distribution function
_Phi = _rule(lambda z: 0.5 * _erfc(-0.7071067811865476 * z), lambda z: (_exp_down(0.0, z),))""",
    "_erfcx_positive": f'''_ERFCX = {column_text(erfcx_series())}


def _erfcx_positive(x):
    """exp(x*x)*erfc(x) for x >= 0 (M. M. Shepherd & J. G. Laframboise 1981)."""
    t2 = 4.0 * x / (x + {ERFCX_CENTRE!r}) - 2.0  # exact near x = 0, where the series is steep
    b1, b2 = 0.0 * x, 0.0 * x
    for c in _ERFCX[:0:-1]:
        b1, b2 = c + (t2 * b1 - b2), b1
    return (_ERFCX[0] + (0.5 * t2 * b1 - b2)) / (1.0 + 2.0 * x)''',
    "_expPhi": """def _expPhi_value(a, z):
    low = z < -1.0
    below = _max(_where(low, z, -1.0), -_FAR)
    square, error = _two_product(below, below)
    scaled = _erfcx_positive(-0.7071067811865476 * below)
    main = a - 0.5 * square
    back = main - a
    lost = ((a - (main - back)) - (0.5 * square + back)) - 0.5 * error
    tail = 0.5 * _exp(main) * (scaled + scaled * _where(_abs(lost) < 1.0, lost, 0.0))
    return _where(low, tail, _exp(_where(low, 0.0, a)) * _Phi(_where(low, 0.0, z)))


def _expPhi_partials(a, z):
    return _expPhi(a, z), _exp_down(a, _min(_max(z, -_FAR), _FAR))


# exp(a)*Phi(z), where exp may overflow and Phi underflow
_expPhi = _rule(_expPhi_value, _expPhi_partials)""",
    "_owen": f'''_OWEN = (
{"".join(f"    ({x!r}, {w!r})," + chr(10) for x, w in legendre())})


def _owen(h, ah):
    """Owen's T(h, ah/h), by Gauss-Legendre on its smooth integrand."""
    x, y = _abs(h), _abs(ah)
    flip = y > x
    big, small = _where(flip, y, x), _where(flip, x, y)
    endless = big == _INF
    a = _where(endless, 0.0, small / _where((big == 0.0) | endless, 1.0, big))
    big = _min(big, 1e3)
    a = _where(big * a > 9.0, 9.0 / _max(big, 1.0), a)
    half = 0.5 * big * big
    total = 0.0 * a
    for node, weight in _OWEN:
        u = (a * node) ** 2
        total = total + weight * _exp(-half * (1.0 + u)) / (1.0 + u)
    size = a * total * 0.15915494309189535
    qx, qy = 0.5 * _erfc(0.7071067811865476 * x), 0.5 * _erfc(0.7071067811865476 * y)
    size = _where(flip, 0.5 * (qx + qy) - qx * qy - size, size)
    return _where(ah < 0.0, -size, size)''',
    "_tilt": '''def _tilt(a, h, k, c, s):
    """The derivatives of exp(a)*Phi2(h, k; r) in h, k, c, s (R. L. Plackett 1954)."""
    sine, cosine, over = _over(s, c)
    none = sine == 0.0
    apart = _where(cosine > 0.0, h - k, h + k)
    inside = sine * sine / (1.0 + _abs(cosine))  # 1 - |r|
    with_h = _where(cosine > 0.0, k - h + h * inside, k + h - h * inside)
    with_k = _where(cosine > 0.0, h - k + k * inside, h + k - k * inside)
    to_k, to_h = _div0(with_h, sine), _div0(with_k, sine)
    of_h = 0.3989422804014327 * _expPhi(a - 0.5 * h * h, to_k)
    of_k = 0.3989422804014327 * _expPhi(a - 0.5 * k * k, to_h)
    wide = _where(none & (apart == 0.0), 0.0, apart / _where(none, 1e-30, sine))
    wide = _min(_max(wide, -_FAR), _FAR)
    level = _where(cosine > 0.0, h * k, -h * k) / (1.0 + _abs(cosine))
    turn = 0.15915494309189535 * _exp((a - level) - 0.5 * wide * wide)
    return of_h, of_k, turn * sine * over, -turn * cosine * over''',
    "_Phi2": """def _Phi2_value(h, k, c, s):
    h, k = _min(_max(h, -40.0), 40.0), _min(_max(k, -40.0), 40.0)
    s = _where((c == 0.0) & (s == 0.0), 1.0, s)
    t, r, _ = _over(s, c)
    t = _max(t, _SMALL)
    less = t * t / (1.0 + _abs(r))
    positive = r > 0.0
    to_k = _where(positive, k - h + h * less, k + h - h * less) / t
    to_h = _where(positive, h - k + k * less, h + k - k * less) / t
    opposite = (h < 0.0) != (k < 0.0)
    low, high = _min(h, k), _max(h, k)
    base = 0.5 * _where(opposite, _Phi(low) - _Phi(-high), _Phi(h) + _Phi(k))
    base = base - _owen(h, _where(h < 0.0, -to_k, to_k))
    base = base - _owen(k, _where(k < 0.0, -to_h, to_h))
    centre = (h == 0.0) & (k == 0.0)
    return _where(centre, _angle_value(s, -c) * 0.15915494309189535, _max(base, 0.0))


# P(X <= h, Y <= k), standard normal, correlation c/hypot(c, s), s >= 0 (D. B. Owen 1956)
_Phi2 = _rule(_Phi2_value, lambda h, k, c, s: _tilt(0.0 * h, h, k, c, s))""",
    "_expPhi2": '''def _expPhi2_value(a, h, k, c, s, dh, dk):
    """Where exp(a) is large the integral of the density over the correlation (Plackett 1954)."""
    rest = (s < -0.5 * c) | ((h + k) * _abs(h - k) < -6.0)  # of what is larger
    big = (a >= 0.25) | ((h + k <= 0.0) & rest)
    plain = _exp(_where(big, 0.0, a)) * _Phi2_value(h, k, c, s)
    of_h, of_k, _, _ = _tilt(_min(a, 700.0), h, k, c, s)
    rest = dh * of_h + dk * of_k
    above = h + k > 0.0
    low, high = _min(h, k), _max(h, k)
    h, k, c = _where(above, low, h), _where(above, -high, k), _where(above, -c, c)
    s = _where((c == 0.0) & (s == 0.0), 1.0, s)
    sine, cosine, _ = _over(s, c)
    sine = _max(sine, _SMALL)
    start = _where(cosine > 0.0, sine / (1.0 + _abs(cosine)), (1.0 - cosine) / sine)
    near, far = _abs(h - k) * 0.3535533905932738, _abs(h + k) * 0.3535533905932738
    far = _max(far, _SMALL)
    cross, most = near * far, _where(_abs(h) > _abs(k), h, k)
    w0 = far * start - near / start
    g0 = _max(w0, 0.0) ** 2
    drop = 40.0
    lowest = 2.0 * near / (drop**0.5 + _sqrt(drop + 4.0 * cross))
    highest = (_sqrt(g0 + drop) + _sqrt(g0 + drop + 4.0 * cross)) / (2.0 * far)
    x0, x1 = _log(_max(start, lowest)), _log(highest)
    x1 = _min(x1, _max(x0, 0.0) + drop)
    x0 = _max(x0, _min(x1, 0.0) - drop)
    double = (0.0 * g0 + 1.0) + 2.0**-40 > 1.0
    gone = g0 >= _where(double, 1e13, 1e5)  # below what rounding of a leaves
    width = (x1 - x0) / 42.0

    def panel(i):
        part = 0.0 * width
        for node, weight in _OWEN:
            y = _exp(x0 + width * (i + node))
            w = near / y - far * y
            part = part + weight * y * _exp(g0 - w * w) / (1.0 + y * y)
        return part

    total = width * _added(panel, 42, 0.0 * width)
    value = _where(gone, 0.0, _exp((a - 0.5 * most * most) - g0) * total * 0.3183098861837907)
    whole = _expPhi(_where(above, a, 0.0), _where(above, low, 0.0))
    spent = _where(whole < 1.7e308, value, 0.0)  # Phi2 is the most of what overflows
    return _where(big, _where(above, whole - spent, value) + rest, plain)


def _expPhi2_partials(a, h, k, c, s, dh, dk):
    of_h, of_k, of_c, of_s = _tilt(a, h, k, c, s)
    return _expPhi2(a, h, k, c, s, dh, dk), of_h, of_k, of_c, of_s, of_h, of_k


# exp(a)*Phi2(h + dh, k + dk; r), correlation c/hypot(c, s), right relatively in the tails
_expPhi2 = _rule(_expPhi2_value, _expPhi2_partials)''',
    **hyper.SOURCES,
}
