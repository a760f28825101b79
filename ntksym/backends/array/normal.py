"""The normal distribution in one and two dimensions, for the generated JAX and PyTorch modules."""

from __future__ import annotations

from ..tables import (
    ERFCX_CENTRE,
    ORTHANT_NEAR,
    ORTHANT_NODES,
    ORTHANT_WITHIN,
    erfcx_series,
    legendre,
    root_half_slip,
)
from ..text import column_text

NEEDS: dict[str, tuple[str, ...]] = {
    "_mills": ("_erfcx_positive",),
    "_tail": ("_two_product", "_erfcx_positive"),
    "_expPhi": ("_tail", "_exp_down"),
    "_Phi": ("_tail", "_exp_down"),
    "_owen": ("_Phi", "_two_product", "_two_sum"),
    "_Phi2": ("_Phi", "_owen", "_angle", "_tilt", "_over", "_two_sum", "_two_product"),
    "_tilt": ("_over", "_div0", "_expPhi"),
    "_expPhi2": ("_expPhi", "_Phi2", "_tilt"),
}
"""What each helper calls."""

SOURCES = {
    "_exp_down": '''def _exp_down(a, z):
    """exp(a - z*z/2)/sqrt(2*pi), the exponent capped where nothing finite is left."""
    return 0.3989422804014327 * _exp(a - 0.5 * z * z)''',
    "_erfcx_positive": f'''_ERFCX = {column_text(erfcx_series()[1])}


def _erfcx_positive(x):
    """exp(x*x)*erfc(x) for x >= 0 (M. M. Shepherd & J. G. Laframboise 1981)."""
    t2 = 4.0 * x / (x + {ERFCX_CENTRE!r}) - 2.0  # exact near x = 0, where the series is steep
    b1, b2 = 0.0 * x, 0.0 * x
    for c in _ERFCX[:0:-1]:
        b1, b2 = c + (t2 * b1 - b2), b1
    rest = (0.5 * t2 * b1 - b2) + {erfcx_series()[0]!r}
    whole = _ERFCX[0] + rest
    value = whole / (1.0 + 2.0 * x)
    return value + 0.875 * value * ((_ERFCX[0] - whole) + rest)  # the series is about 1/0.875''',
    "_mills": """# exp(y*y/2)*Phi(-y) for y >= 0
_mills = _rule(
    lambda y: 0.5 * _erfcx_positive(0.7071067811865476 * _max(y, 0.0)),
    lambda y: (y * _mills(y) - 0.3989422804014327,),
)""",
    "_tail": f'''def _tail(a, x):
    """exp(a)*Phi(-x) for x >= 0."""
    square, error = _two_product(x, x)
    scaled = _erfcx_positive(0.7071067811865476 * x)
    main = a - 0.5 * square
    back = main - a
    lost = ((a - (main - back)) - (0.5 * square + back)) - 0.5 * error
    lost = lost + ({root_half_slip()!r} - {0.875 * root_half_slip()!r} * scaled)  # of sqrt(1/2)
    return 0.5 * _exp(main) * (scaled + scaled * _where(_abs(lost) < 1.0, lost, 0.0))''',
    "_Phi": f"""def _Phi_value(z):
    x = _min(_abs(z), 40.0)
    if _ERFC_IS_RIGHT:
        y, low = _two_product(x, 0.7071067811865476 + 0.0 * x)
        low = low - {root_half_slip()!r} * y  # of sqrt(1/2)
        below = 0.5 * _erfc(y) - 0.5641895835477563 * low * _exp(-y * y)
    else:
        below = _tail(0.0, x)
    return _where(z < 0.0, below, 1.0 - below)


# the standard normal distribution function
_Phi = _rule(_Phi_value, lambda z: (_exp_down(0.0, z),))""",
    "_expPhi": """def _expPhi_value(a, z):
    tail, whole = _tail(a, _min(_abs(z), _FAR)), _exp(a)
    return _where(z < 0.0, tail, whole - _where(whole < _INF, tail, 0.0))


def _expPhi_partials(a, z):
    return _expPhi(a, z), _exp_down(a, _min(_max(z, -_FAR), _FAR))


# exp(a)*Phi(z), where exp may overflow and Phi underflow
_expPhi = _rule(_expPhi_value, _expPhi_partials)""",
    "_owen": f'''_OWEN = (
{"".join(f"    ({x!r}, {w!r})," + chr(10) for x, w in legendre())})


def _owen(h, ah):
    """Owen's T(h, ah/h), by Gauss-Legendre on its smooth integrand; and what rounding took away."""
    x, y = _abs(h), _abs(ah)
    flip = y > x
    big, small = _where(flip, y, x), _where(flip, x, y)
    endless = big == _INF
    a = _where(endless, 0.0, small / _where((big == 0.0) | endless, 1.0, big))
    big = _min(big, 1e3)
    a = _where(big * a > 9.0, 9.0 / _max(big, 1.0), a)
    half = 0.5 * big * big

    def integrand(node):
        u = (a * node) ** 2
        return _exp(-half * (1.0 + u)) / (1.0 + u)

    size = a * _weighted(integrand, _OWEN, 0.0 * a) * 0.15915494309189535
    qx, qy = _Phi(-x), _Phi(-y)
    product, low = _two_product(qx, qy)
    total, first = _two_sum(0.5 * qx, 0.5 * qy)
    total, second = _two_sum(total, -product)
    whole, third = _two_sum(total, -size)
    lost = _where(flip, ((first + second) + third) - low, 0.0)
    size = _where(flip, whole, size)
    return _where(ah < 0.0, -size, size), _where(ah < 0.0, -lost, lost)''',
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
    "_Phi2": f"""_BESIDE = (
{"".join(f"    ({x!r}, {w!r})," + chr(10) for x, w in legendre(ORTHANT_NODES))})


def _orthant_near(h, k, r):
    product, low = _two_product(_Phi(h), _Phi(k))
    line, bend, total = h * k, 0.5 * (h * h + k * k), 0.0
    for node, weight in _BESIDE:
        t = r * node
        less = 1.0 - t * t
        total = total + weight * _exp(t * (line - bend * t) / less) / _sqrt(less)
    return product + (low + 0.15915494309189535 * r * (_exp(-bend) * total))


def _Phi2_value(h, k, c, s):
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
    turned = (r < 0.0) & (h > 0.0) & (k > 0.0)  # what is between -h and k is added at the end
    one = _Phi(_where(opposite, low, _where(turned, -h, h)))
    two = _Phi(_where(opposite, -high, _where(turned, -k, k)))
    base, lost = _two_sum(0.5 * one, _where(opposite, -0.5 * two, 0.5 * two))
    for z, to in ((h, to_k), (k, to_h)):  # the halves of gates in T are those of the base
        size, less = _owen(z, _where(z < 0.0, -to, to))
        base, more = _two_sum(base, -size)
        lost = lost + (more - less)
    base = _max(base + lost, 0.0)
    between = 0.5 * (_erf(0.7071067811865476 * h) + _erf(0.7071067811865476 * k))
    base = _where(turned, between + base, base)
    near = (r >= {ORTHANT_NEAR[0]!r}) & (r <= {ORTHANT_NEAR[1]!r})
    near = near & (_max(_abs(h), _abs(k)) <= {ORTHANT_WITHIN!r})
    some = (_where(near, v, 0.0) for v in (h, k, r))
    base = _where(near, _orthant_near(*some), base)
    centre = (h == 0.0) & (k == 0.0)
    return _where(centre, _angle_value(s, -c) * 0.15915494309189535, base)


# P(X <= h, Y <= k), standard normal, correlation c/hypot(c, s), s >= 0: for small correlations
# beside a product (R. L. Plackett 1954), for others by T of D. B. Owen (1956)
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

    def integrand(at):
        y = _exp(x0 + width * at)
        w = near / y - far * y
        return y * _exp(g0 - w * w) / (1.0 + y * y)

    def panel(i):
        return _weighted(lambda node: integrand(i + node), _OWEN, 0.0 * width)

    total = width * _added(panel, 42, 0.0 * width)
    value = _where(gone, 0.0, _exp((a - 0.5 * most * most) - g0) * total * 0.3183098861837907)
    whole = _expPhi(_where(above, a, 0.0), _where(above, low, 0.0))
    spent = _where(whole < _INF, value, 0.0)  # Phi2 is the most of what overflows
    return _where(big, _where(above, whole - spent, value) + rest, plain)


def _expPhi2_partials(a, h, k, c, s, dh, dk):
    of_h, of_k, of_c, of_s = _tilt(a, h, k, c, s)
    return _expPhi2(a, h, k, c, s, dh, dk), of_h, of_k, of_c, of_s, of_h, of_k


# exp(a)*Phi2(h + dh, k + dk; r), correlation c/hypot(c, s), right relatively in the tails
_expPhi2 = _rule(_expPhi2_value, _expPhi2_partials)''',
}
"""The helpers, in the order in which a module has them."""
