"""The helper functions of the generated NumPy modules, with tables computed at generation time.

NumPy has no error function, so a module carries its own: a polynomial below 1, a Chebyshev series
of exp(x^2)*erfc(x) above (in the variable of Shepherd & Laframboise 1981).  Only the helpers that
a module uses are written into it.
"""

from __future__ import annotations

from ..tables import (
    ERFCX_CENTRE,
    atan_tail,
    erf_series,
    erfcx_series,
    root_half_slip,
)
from ..text import closure, column_text
from . import hyper as numpy_hyper
from . import orthant


def helpers(wanted: frozenset[str]) -> str:
    """The source of the wanted helpers and of what they need, in a fixed order."""
    needed = closure(wanted, _NEEDS)
    return "\n\n".join(_SOURCES[name] for name in _SOURCES if name in needed)


def helper_names() -> frozenset[str]:
    """The names of all helpers."""
    return frozenset(_SOURCES)


_NEEDS = {
    "_cross": ("_two_product",),
    "_rootdet": ("_cross", "_sqrt0", "_unscale"),
    "_rescale": ("_unscale",),
    "_inverse4": ("_unscale",),
    "_tan_square": ("_two_product",),
    "_arc1": ("_angle", "_atan_tail"),
    "_true_arc": ("_angle", "_atan_tail", "_tan_square", "_two_product"),
    "_erf": ("_erfc_positive", "_erf_small"),
    "_erfc": ("_erfc_positive", "_erf_small"),
    "_erfc_positive": ("_erfcx_positive", "_two_product"),
    "_Phi": ("_erfcx_positive", "_two_product"),
    "_mills": ("_erfcx_positive",),
    "_expPhi": ("_erfcx_positive", "_Phi", "_two_product"),
    "_expsinh": ("_div0",),
    "_expcosh": ("_div0",),
    "_expPhi2": ("_expPhi", "_Phi2", "_two_product", "_two_sum"),
    **orthant.NEEDS,
    **numpy_hyper.NEEDS,
}

_SOURCES = {
    "_two_sum": '''def _two_sum(a, b):
    """a + b rounded, and its rounding error (D. E. Knuth)."""
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)''',
    "_two_product": '''def _two_product(a, b):
    """a*b rounded, and its rounding error (T. J. Dekker 1971)."""
    product = a * b
    wide = 134217729.0 * a
    a_high = wide - (wide - a)
    a_low = a - a_high
    wide = 134217729.0 * b
    b_high = wide - (wide - b)
    b_low = b - b_high
    low = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, low''',
    "_cross": '''def _cross(a, b, c, d):
    """a*b - c*d with both products exact."""
    ab, ab_low = _two_product(a, b)
    cd, cd_low = (c, 0.0) if isinstance(d, float) and d == 1.0 else _two_product(c, d)
    return (ab - cd) + (ab_low - cd_low)''',
    "_sqrt0": '''def _sqrt0(a):
    """sqrt, and 0 below 0."""
    return np.sqrt(np.where(a < 0.0, 0.0, a))''',
    "_unscale": '''def _unscale(q):
    """k with 4**k about q."""
    return np.frexp(q)[1] // 2''',
    "_rescale": '''def _rescale(q, s):
    """s*2**k with s*s*4**k*q about s*s where q is beyond it; 1 elsewhere."""
    far = np.where(s > 1.0, q > s * s, (q < s * s) & (q > 0.0)) & (q < np.inf)
    t = np.ldexp(s, np.where(far, -_unscale(q), 0))
    return np.where(far, t, np.where(np.isnan(q), q, 1.0))''',
    "_inverse4": '''def _inverse4(a):
    """A power of 4 about 1/a, from 4**-250 to 4**250."""
    down = np.ldexp(1.0, -2 * _unscale(np.clip(a, 2.0**-500, 2.0**500)))
    return np.where(a == a, down, a)''',
    "_rootdet": '''def _rootdet(q11, q12, q22):
    """sqrt(max(q11*q22 - q12^2, 0)) without overflow, underflow or cancellation."""
    k1, k2 = _unscale(q11), _unscale(q22)
    c = np.ldexp(np.ldexp(q12, -k1), -k2)
    det = _cross(np.ldexp(q11, -2 * k1), np.ldexp(q22, -2 * k2), c, c)
    return np.ldexp(np.ldexp(_sqrt0(det), k1), k2)''',
    "_hyproot": '''def _hyproot(a, b):
    """sqrt(max(a, 0) + b^2), by hypot only where the square leaves the range of doubles."""
    a = np.maximum(a, 0.0)
    with np.errstate(over="ignore", under="ignore"):
        total = a + b * b
        root, odd = np.sqrt(total), ~((total > 1e-280) & (total < 1e300))
    return np.where(odd, np.hypot(np.sqrt(a), b), root) if np.any(odd) else root''',
    "_div0": '''def _div0(a, b):
    """a/b, and 0 at 0/0."""
    with np.errstate(divide="ignore", over="ignore"):
        return a / np.where((a == 0.0) & (b == 0.0), 1.0, b)''',
    "_angle": '''def _angle(s, c):
    """The angle of the point (c, s), s >= 0; pi/2 at (0, 0)."""
    return np.arctan2(s + ((s == 0.0) & (c == 0.0)), c)''',
    "_atan_tail": f'''_ATAN_TAIL = {column_text(atan_tail())}


def _atan_tail(u):
    """(atan(t) - t)/t**3 in u = t**2, for 0 <= t <= 1."""
    total = np.full_like(u, _ATAN_TAIL[-1])
    for c in _ATAN_TAIL[-2::-1]:
        total *= u
        total += c
    return total''',
    "_tan_square": '''def _tan_square(s, c):
    """(s/c)**2 for 0 <= s < c, rounded once: with what the quotient and its square leave."""
    k = np.frexp(c)[1]
    s, c = np.ldexp(s, -k), np.ldexp(c, -k)
    t = s / c
    product, low = _two_product(t, c)
    square, rest = _two_product(t, t)
    return square + (rest + 2.0 * t * (((s - product) - low) / c))''',
    "_arc1": '''def _arc1(s, c):
    """s + c*angle(s, -c), to full relative accuracy where the two terms cancel (c < 0)."""
    s, c = np.broadcast_arrays(s, c)
    value = np.array(s + c * _angle(s, -c))
    close = (c < 0.0) & (s < -c)
    if close.any():
        below = c[close]
        t = s[close] / -below
        value[close] = below * (t * t * t) * _atan_tail(t * t)
    return value''',
    "_true_arc": '''def _true_arc(s, c):
    """The same to a few units in the last place, at a fifth more of the time."""
    s, c = np.broadcast_arrays(s, c)
    angle = _angle(s, -c)
    value = np.array(s + c * angle)
    nearer = (c < 0.0) & (s < -2.0 * c)
    close = nearer & (s < -c)
    between = nearer & ~close
    if between.any():  # where a rounded product is up to four times the sum
        k = np.frexp(c[between])[1]
        product, low = _two_product(np.ldexp(c[between], -k), angle[between])
        value[between] = (s[between] + np.ldexp(product, k)) + np.ldexp(low, k)
    if close.any():
        u, height = _tan_square(s[close], -c[close]), s[close]
        value[close] = -height * (u * _atan_tail(u))
    return value''',
    "_gap": '''def _gap(s, c):
    """hypot(s, c) - c, accurate where s is small."""
    length = np.hypot(s, c)
    total = length + np.maximum(c, 0.0)
    return np.where(c > 0.0, s * (s / np.where(total > 0.0, total, 1.0)), length - c)''',
    "_gap3": '''def _gap3(s, c, h):
    """h - c for h = hypot(s, c), accurate where s is small."""
    total = h + np.abs(c)
    return np.where(c > 0.0, s * (s / np.where(total == 0.0, 1.0, total)), h - c)''',
    "_erf_small": f'''_ERF = {column_text(erf_series())}


def _erf_small(x):
    """erf on [-1, 1]."""
    u = x * x
    total = np.full_like(u, _ERF[-1])
    for c in _ERF[-2::-1]:
        total = total * u + c
    return x * total''',
    "_erfcx_positive": f'''_ERFCX = {column_text(erfcx_series()[1])}


def _erfcx_positive(x):
    """exp(x*x)*erfc(x) for x >= 0; what rounding took from the series is added."""
    t2 = 4.0 * x / (x + {ERFCX_CENTRE!r}) - 2.0  # exact near x = 0, where the series is steep
    b1, b2, b3 = np.zeros_like(t2), np.zeros_like(t2), np.empty_like(t2)
    for c in _ERFCX[:0:-1]:
        np.multiply(t2, b1, out=b3)
        np.subtract(b3, b2, out=b3)
        np.add(b3, c, out=b3)
        b1, b2, b3 = b3, b1, b2
    rest = (0.5 * t2 * b1 - b2) + {erfcx_series()[0]!r}
    whole = _ERFCX[0] + rest
    value = whole / (1.0 + 2.0 * x)
    return value + 0.875 * value * ((_ERFCX[0] - whole) + rest)  # the series is about 1/0.875''',
    "_erfc_positive": '''def _erfc_positive(x):
    """erfc for x >= 0; the square in the exponent is exact."""
    x = np.minimum(x, 40.0)
    square, low = _two_product(x, x)
    return _erfcx_positive(x) * np.exp(-square) * (1.0 - low)''',
    "_erf": '''def _erf(x):
    """The error function."""
    size = np.abs(x)
    small = _erf_small(np.minimum(size, 1.0))
    return np.copysign(np.where(size < 1.0, small, 1.0 - _erfc_positive(size)), x)''',
    "_erfc": '''def _erfc(x):
    """The complementary error function: relative accuracy in the upper tail."""
    size = np.abs(x)
    tail = _erfc_positive(size)
    small = _erf_small(np.clip(x, -1.0, 1.0))
    return np.where(size < 0.5, 1.0 - small, np.where(x < 0.0, 2.0 - tail, tail))''',
    "_Phi": f'''def _Phi(z):
    """The standard normal distribution function: relative accuracy in the lower tail."""
    z = np.asarray(z, dtype=np.float64)
    size = np.minimum(np.abs(z), 40.0)
    square, low = _two_product(size, size)
    scaled = _erfcx_positive(0.7071067811865476 * size)
    tail = 0.5 * scaled * np.exp(-0.5 * square)
    slip = {root_half_slip()!r} - {0.875 * root_half_slip()!r} * scaled  # of sqrt(1/2)
    tail = tail + tail * (slip - 0.5 * low)
    return np.where(z < 0.0, tail, 1.0 - tail)''',
    "_expsinh": '''def _expsinh(plus, minus, b, d):
    """exp(a/d)*sinh(b/d), d >= 0, from a + b, a - b, b and d."""
    grown = np.exp(_div0(np.maximum(plus, minus), d))
    down = np.expm1(-2.0 * _div0(np.abs(b), d))
    return np.where(b == 0.0, b, np.copysign(-0.5 * grown * down, b))  # not inf*0''',
    "_expcosh": '''def _expcosh(plus, minus, b, d):
    """exp(a/d)*cosh(b/d), d >= 0, from a + b, a - b, b and d."""
    grown = np.exp(_div0(np.maximum(plus, minus), d))
    return 0.5 * grown * (1.0 + np.exp(-2.0 * _div0(np.abs(b), d)))''',
    "_mills": f'''def _mills(y):
    """exp(y*y/2)*Phi(-y) for y >= 0."""
    scaled = _erfcx_positive(0.7071067811865476 * np.maximum(y, 0.0))
    slip = {root_half_slip()!r} - {0.875 * root_half_slip()!r} * scaled  # of sqrt(1/2)
    return 0.5 * (scaled + scaled * slip)''',
    "_expPhi": f'''def _expPhi(a, z):
    """exp(a)*Phi(z), where exp may overflow and Phi underflow."""
    z = np.asarray(z, dtype=np.float64)
    low = z < 0.0
    below = np.maximum(np.where(low, z, -1.0), -1e100)
    square, error = _two_product(below, below)
    scaled = _erfcx_positive(-0.7071067811865476 * below)
    main = a - 0.5 * square
    back = main - a
    lost = ((a - (main - back)) - (0.5 * square + back)) - 0.5 * error
    lost = lost + ({root_half_slip()!r} - {0.875 * root_half_slip()!r} * scaled)  # of sqrt(1/2)
    lost = np.where(np.abs(lost) < 1.0, lost, 0.0)  # else no digit is right
    with np.errstate(over="ignore", invalid="ignore"):
        grown = np.exp(main)
        whole, rest = _two_product(0.5 * scaled, grown)
        rest = rest + whole * lost
        tail = whole + np.where(np.abs(rest) < 1e290, rest, 0.0)  # else it overflows
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(low, tail, np.exp(np.where(low, 0.0, a)) * _Phi(z))''',
    **orthant.SOURCES,
    "_expPhi2": '''def _orthant_low(a, h, k, c, s, dh, dk):
    """What dh and dk add to exp(a)*Phi2(h, k; r), by its derivatives (Plackett 1954)."""
    s = s + ((c == 0.0) & (s == 0.0))
    length = np.hypot(c, s)
    r, t = c / length, np.maximum(s / length, 1e-290)
    less, sign = t * t / (1.0 + np.abs(r)), np.where(r > 0.0, 1.0, -1.0)
    with np.errstate(over="ignore"):
        to_k = ((k - sign * h) + sign * (h * less)) / t
        to_h = ((h - sign * k) + sign * (k * less)) / t
    of_h = _expPhi(np.minimum(a - 0.5 * h * h, 700.0), to_k)
    of_k = _expPhi(np.minimum(a - 0.5 * k * k, 700.0), to_h)
    return 0.3989422804014327 * (dh * of_h + dk * of_k)


def _orthant_start(h, k, c, s):
    """y0 = sqrt((1 - r)/(1 + r)), w0 = |h + k|*y0 - |h - k|/y0, and w0*w0 less its double.

    w0 in two doubles: its square is an exponent.
    """
    scale = np.frexp(np.maximum(np.abs(c), s))[1]
    cosine, sine = np.ldexp(np.abs(c), -scale), np.ldexp(s, -scale)
    (cc, c_low), (ss, s_low) = _two_product(cosine, cosine), _two_product(sine, sine)
    length = np.sqrt(cc + ss)
    square, low = _two_product(length, length)
    low = ((np.maximum(cc, ss) - square) + np.minimum(cc, ss)) + ((c_low + s_low) - low)
    both, rest = _two_sum(length, cosine)
    rest = rest + low / (2.0 * length)
    t = np.maximum(sine / both, 1e-290)
    product, low = _two_product(t, both)
    t_low = (((sine - product) - low) - t * rest) / both
    (more, more_low), (less, less_low) = _two_sum(h, k), _two_sum(h, -k)
    more_low, less_low = np.copysign(1.0, more) * more_low, np.copysign(1.0, less) * less_low
    more, less, upper = np.abs(more), np.abs(less), c > 0.0
    up, up_low = np.where(upper, more, less), np.where(upper, more_low, less_low)
    down, down_low = np.where(upper, less, more), np.where(upper, less_low, more_low)
    product, low = _two_product(up, t)
    ratio = down / t
    back, left = _two_product(ratio, t)
    left = ((((down - back) - left) + down_low) - ratio * t_low) / t
    sign = np.where(upper, 1.0, -1.0)
    w, rest = _two_sum(sign * product, -sign * ratio)
    rest = rest + sign * ((low + (up * t_low + up_low * t)) - left)
    square, low = _two_product(w, w)
    return np.where(upper, t, 1.0 / t), w, np.where(np.abs(rest) < 1.0, low + 2.0 * w * rest, 0.0)


def _expPhi2(a, h, k, c, s, dh, dk):
    """exp(a)*Phi2(h + dh, k + dk; r), correlation c/hypot(c, s), right relatively in the tails.

    For h + k <= 0 the integral of the density over the correlation (Plackett 1954), in x = log y,
    y = sqrt((1 - t)/(1 + t)); else Phi2(h, k; r) = Phi(low) - Phi2(low, -high; -r).
    """
    given = np.broadcast_arrays(a, h, k, c, s, dh, dk)
    a, h, k, c, s, dh, dk = (np.array(v, dtype=np.float64) for v in given)
    rest = (s < -1.25 * c) | ((h + k) * np.abs(h - k) < -6.0)  # of what is larger
    big = (a >= 0.25) | ((h + k <= 0.0) & rest)
    # where the factor is below 1.3, little is lost
    result = np.array(np.exp(np.where(big, 0.0, a)) * _Phi2(h, k, c, s))
    a, h, k, c, s, dh, dk = (v[big] for v in (a, h, k, c, s, dh, dk))
    rest = _orthant_low(a, h, k, c, s, dh, dk)
    # of nearly equal variables what one gate adds is small, and few roundings are of the whole
    above = (h + k > 0.0) | (s * np.minimum(1.0 + np.abs(h) + np.abs(k), 1e9) < 1e-6 * c)
    low, high = np.minimum(h, k), np.maximum(h, k)
    h, k, c = np.where(above, low, h), np.where(above, -high, k), np.where(above, -c, c)
    s = s + ((c == 0.0) & (s == 0.0))
    with np.errstate(all="ignore"):
        start, w0, rest0 = _orthant_start(h, k, c, s)
        near, far, most = np.abs(h - k), np.abs(h + k), np.where(np.abs(h) > np.abs(k), h, k)
        cross, drop = near * far, 320.0
        g0 = np.maximum(w0, 0.0) ** 2
        lowest = 2.0 * near / (np.sqrt(drop) + np.sqrt(drop + 4.0 * cross))
        highest = (np.sqrt(g0 + drop) + np.sqrt(g0 + drop + 4.0 * cross)) / (2.0 * far)
        first = np.maximum(start, lowest)
        x0, x1 = np.log(first), np.log(highest)
        x1 = np.fmin(x1, np.maximum(x0, 0.0) + 40.0)
        least = np.minimum(x1, 0.0) - 40.0
        first, x0 = np.where(x0 < least, np.exp(least), first), np.fmax(x0, least)
        gone = ~(g0 < 4e8) & ~np.isnan(h + k + start)
        panels = np.fmax(np.ceil(x1 - x0), 3.0)
        # a short number, and its logarithm: panels that meet to half a unit in the last place
        step = np.exp((x1 - x0) / panels).astype(np.float32).astype(np.float64)
        width = np.log(step)
        nodes = [(np.exp(width * node), np.expm1(width * node), weight) for node, weight in _OWEN]
        # w^2 - w0^2 as a product, w - w0 from y - y0: squares of w lose as much as they are large
        steep, top = (w0 > 1.0) & (first == start), np.maximum(w0, 0.0)
        slope, from_start, begin = near / first, 0.0, first
        total, spilt = np.zeros_like(a), np.zeros_like(a)
        for i in range(int(np.nanmax(np.where(gone, 3.0, panels), initial=3.0))):
            parts = [np.zeros_like(a) for _ in range(4)]
            for j, (factor, more, weight) in enumerate(nodes):
                y = first * factor
                over = 1.0 / y
                w = far * y - near * over
                moved = np.where(steep, (first * more + from_start) * (far + slope * over), w - top)
                parts[j % 4] += weight * np.exp(-0.125 * moved * (w + top)) / (y + over)
            part = (parts[0] + parts[1]) + (parts[2] + parts[3])
            total, more = _two_sum(total, np.where(i < panels, part, 0.0))
            spilt += more  # few roundings of its size, and those are kept
            more = from_start * step + begin * (step - 1.0)
            from_start = np.where(i + 1 < panels, more, from_start)
            first = np.where(i + 1 < panels, first * step, first)
        square, error = _two_product(most, most)
        main, lost = _two_sum(a, -0.5 * square)
        lead, more = _two_sum(main, -0.125 * g0)
        lost = (lost - 0.5 * error) + (more - 0.125 * np.where(w0 > 0.0, rest0, 0.0))
        lost = np.where(np.abs(lost) < 1.0, lost, 0.0)  # else no digit is right
        total, left = _two_product(total, width)
        left = (left + spilt * width) * 0.3183098861837907 - total * 1.9678676675182486e-17
        total, more = _two_product(total, 0.3183098861837907)  # 1/pi, of which that is missing
        scale = np.exp(lead)
        value = scale * total
        off = scale * (left + more) + value * lost
        value = value + np.where(value < np.inf, off, 0.0)
    value = np.where(gone, 0.0, value)
    whole = _expPhi(np.where(above, a, 0.0), np.where(above, low, 0.0))
    spent = np.where(whole < np.inf, value, 0.0)  # Phi2 is the most of what overflows
    result[big] = np.where(above, whole - spent, value) + rest
    return result''',
    **numpy_hyper.sources(),
}
