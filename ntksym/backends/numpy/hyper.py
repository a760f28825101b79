"""2F1 in the generated NumPy modules; see `hyper` for the formulas."""

from __future__ import annotations

from ..hyper import stirling

NEEDS = {"_hyp2f1": ("_hyp2f1_fixed", "_hyp2f1_numbers"), "_hyp2f1_numbers": ("_gamma_rate",)}


def sources() -> dict[str, str]:
    """The helpers by name."""
    return {
        "_gamma": '''def _gamma(a):
    """The Gamma function, by Python's own."""
    from math import gamma

    return np.vectorize(gamma, otypes=[float])(a)''',
        "_hyp2f1_fixed": '''def _hyp2f1_fixed(a, b, c, m, epsilon, lead, head, scale, rate, t, s):
    """2F1(a, b; c; t/(t + s)): the power series, or for z > 1/2 the expansion in w = 1 - z."""
    numbers = (a, b, c, m, epsilon, lead, head, scale, rate, t, s)
    shape = np.broadcast_shapes(*map(np.shape, numbers))
    a, b, c, m, epsilon, lead, head, scale, rate, t, s = (
        np.ravel(v) for v in np.broadcast_arrays(*numbers)
    )
    none = t + s == 0.0
    whole = np.where(none, 1.0, t + s)
    z, w, d = np.where(none, 0.5, t / whole), np.where(none, 0.5, s / whole), m + epsilon
    result = np.empty(z.shape)
    near = (z > 0.5) & ~(d > 10.0)
    far = ~near
    if far.any():
        p, q, r, y = a[far], b[far], c[far], z[far]
        term, total = np.ones_like(y), np.ones_like(y)
        late = max(0.0, np.nanmax(-p, initial=0.0), np.nanmax(-q, initial=0.0))
        for n in range(1000):
            term = term * ((p + n) * (q + n) / ((r + n) * (n + 1.0)) * y)
            total = total + term
            if n > late and not (np.abs(term) > 2.0**-56 * np.abs(total)).any():
                break
        result[far] = total
    if near.any():
        a, b, m, e, d, y = a[near], b[near], m[near], epsilon[near], d[near], w[near]
        rate = rate[near]
        total, term, power = np.zeros_like(y), head[near] + 0.0, np.ones_like(y)
        for n in range(int(m.max())):
            here = n < m
            total = total + np.where(here, term, 0.0)
            below = np.where(n + 1.0 < m, 1.0 - d + n, 1.0) * (n + 1.0)
            term = term * ((a + n) * (b + n) / below * y)
            power = np.where(here, power * y, power)
        with np.errstate(divide="ignore", over="ignore"):
            logarithm = np.log(y)
            flat = e == 0.0
            tilted = np.expm1(e * np.where(flat, 0.0, logarithm)) / np.where(flat, 1.0, e)
        delta = (1.0 + e * rate) * np.where(flat, logarithm, tilted) + rate
        delta = np.where((y == 0.0) & (m > 0.0), 0.0, delta)
        term, f = delta, np.ones_like(y)
        inside = y > 0.0
        for n in range(200):
            A, B, C, E = a + m + n, b + m + n, 1.0 + n - e, 1.0 + m + n
            below, base = (1.0 + n) * (E + e), C * E
            step = (base * (A + B + e) - A * B * (C + E + e)) / (base * below)
            delta = np.where(inside, delta, 0.0)
            delta = y * (delta * (A + e) * (B + e) / below + f * step)
            f = f * (y * A * B / base)
            term = term + delta
            if not (np.abs(delta) > 2.0**-56 * np.abs(term)).any():
                break
        result[near] = total - power * scale[near] * term
    turned = lead != 0.0
    if turned.any():
        with np.errstate(divide="ignore"):
            result[turned] *= w[turned] ** lead[turned]
    return result.reshape(shape)''',
        "_gamma_rate": f'''_STIRLING = {stirling()!r}


def _gamma_rate(x, e):
    """(log Gamma(x + e) - log Gamma(x))/e for numbers, x > 0, also at e = 0."""
    from math import expm1, log, log1p

    def slope(x):
        return log1p(e / x) / e if e else 1.0 / x

    total = 0.0
    while x < 12.0:
        total -= slope(x)
        x += 1.0
    total += (x - 0.5) * slope(x) + log(x + e) - 1.0
    for k, c in enumerate(_STIRLING):
        n = 2 * k + 1
        total += c * x**-n * (expm1(-n * slope(x) * e) / e if e else -n / x)
    return total''',
        "_hyp2f1_numbers": '''def _hyp2f1_numbers(a, b, c):
    """The constants of `_hyp2f1_fixed` for numbers a, b, c."""
    from math import expm1, floor, gamma, nan, pi, sin

    if not abs(a + b + c) < 1e300:
        return (nan,) * 9
    m, lead = floor(c - a - b + 0.5), 0.0
    if m < 0:
        lead, a, b = c - a - b, c - a, c - b
        m = floor(c - a - b + 0.5)
    d = c - a - b
    e = d - m
    over = gamma(c) / (gamma(a + d) * gamma(b + d))
    scale = over / gamma(1.0 - e) * (pi * e / sin(pi * e) if e else 1.0)
    for n in range(m):
        scale *= -(a + n) * (b + n) / (n + 1.0)
    if abs(e) > 0.125 or a + m <= 0.0 or b + m <= 0.0:
        rate = gamma(a + d) / gamma(a + m) if a + m else 0.0
        rate *= gamma(b + d) / gamma(b + m) if b + m else 0.0
        rate = (rate * gamma(1.0 - e) * gamma(1.0 + m) / gamma(1.0 + d) - 1.0) / e
    else:
        rate = _gamma_rate(a + m, e) + _gamma_rate(b + m, e)
        rate -= _gamma_rate(1.0 - e, e) + _gamma_rate(1.0 + m, e)
        rate = expm1(e * rate) / e if e else rate
    return a, b, c, float(m), e, lead, over * gamma(d) if m > 0 else 0.0, scale, rate''',
        "_hyp2f1": '''def _hyp2f1(a, b, c, t, s):
    """2F1(a, b; c; t/(t + s)); the constants once for each set of parameters."""
    numbers = np.vectorize(_hyp2f1_numbers, otypes=[float] * 9)(a, b, c)
    return _hyp2f1_fixed(*numbers, t, s)''',
    }
