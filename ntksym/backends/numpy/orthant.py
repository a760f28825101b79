"""The bivariate normal distribution function in generated NumPy modules: source texts."""

from __future__ import annotations

from ..tables import ORTHANT_NEAR, ORTHANT_NODES, ORTHANT_WITHIN, legendre

NEEDS = {
    "_owen": ("_Phi", "_two_product", "_two_sum"),
    "_Phi2": ("_Phi", "_owen", "_orthant_near", "_angle", "_erf", "_two_sum"),
    "_orthant_near": ("_Phi", "_two_product"),
}
"""What each helper calls."""

SOURCES = {
    "_owen": f'''_OWEN = (
{"".join(f"    ({x!r}, {w!r})," + chr(10) for x, w in legendre())})
_OWEN_FEW = (
{"".join(f"    ({x!r}, {w!r})," + chr(10) for x, w in legendre(8))})


def _owen(h, ah):
    """Owen's T(h, ah/h), by Gauss-Legendre on its smooth integrand; and what rounding took away."""
    x, y = np.abs(h), np.abs(ah)
    flip = y > x
    big = np.where(flip, y, x)
    small = np.where(flip, x, y)
    a = np.where(np.isinf(big), 0.0, small / np.where(big == 0.0, 1.0, big))
    big = np.minimum(big, 1e3)
    a = np.where(big * a > 9.0, 9.0 / np.maximum(big, 1.0), a)
    size = np.empty_like(a)
    few = a * np.maximum(big, 4.0) <= 1.0  # there the first terms of the integrand are all of it
    for rule, where in ((_OWEN_FEW, few), (_OWEN, ~few)):
        if where.any():
            own, half, total = a[where], -0.5 * big[where] ** 2, 0.0
            for node, weight in rule:
                u = 1.0 + (own * node) ** 2
                total = total + weight * np.exp(half * u) / u
            size[where] = own * total * 0.15915494309189535
    lost = np.zeros_like(size)
    if flip.any():
        qx, qy = _Phi(-x[flip]), _Phi(-y[flip])
        product, low = _two_product(qx, qy)
        total, first = _two_sum(0.5 * qx, 0.5 * qy)
        total, second = _two_sum(total, -product)
        size[flip], third = _two_sum(total, -size[flip])
        lost[flip] = ((first + second) + third) - low
    side = np.copysign(1.0, ah)
    return side * size, side * lost''',
    "_orthant_near": f'''_BESIDE = (
{"".join(f"    ({x!r}, {w!r})," + chr(10) for x, w in legendre(ORTHANT_NODES))})


def _orthant_near(h, k, r):
    """Phi(h)*Phi(k), and what a small correlation r adds to it (R. L. Plackett 1954)."""
    line, bend, total = h * k, 0.5 * (h * h + k * k), 0.0
    for node, weight in _BESIDE:
        t = r * node
        less = 1.0 - t * t
        total = total + weight * np.exp(t * (line - bend * t) / less) / np.sqrt(less)
    product, low = _two_product(_Phi(h), _Phi(k))
    return product + (low + 0.15915494309189535 * r * (np.exp(-bend) * total))''',
    "_Phi2": f'''def _Phi2(h, k, c, s):
    """P(X <= h, Y <= k), standard normal, correlation c/hypot(c, s), s >= 0.

    Of small correlations beside a product, where nothing that counts cancels; of others by
    Owen's T (D. B. Owen 1956).
    """
    h, k, c, s = (np.array(v, dtype=np.float64) for v in np.broadcast_arrays(h, k, c, s))
    h, k = np.clip(h, -40.0, 40.0), np.clip(k, -40.0, 40.0)
    s = s + ((c == 0.0) & (s == 0.0))
    length = np.hypot(c, s)
    r, t = c / length, np.maximum(s / length, 1e-290)
    far = np.maximum(np.abs(h), np.abs(k)) > {ORTHANT_WITHIN!r}
    near = (r >= {ORTHANT_NEAR[0]!r}) & (r <= {ORTHANT_NEAR[1]!r}) & ~far
    value = np.empty_like(r)
    if near.any():
        value[near] = _orthant_near(h[near], k[near], r[near])
    if not near.all():
        value[~near] = _orthant_far(*(v[~near] for v in (h, k, r, t)))
    centre = (h == 0.0) & (k == 0.0)
    return np.where(centre, _angle(s, -c) * 0.15915494309189535, value)


def _orthant_far(h, k, r, t):
    """The same from r and t = sqrt(1 - r^2)."""
    less, positive = t * t / (1.0 + np.abs(r)), r > 0.0
    with np.errstate(over="ignore"):
        to_k = np.where(positive, k - h + h * less, k + h - h * less) / t
        to_h = np.where(positive, h - k + k * less, h + k - k * less) / t
    opposite = (h < 0.0) != (k < 0.0)
    low, high = np.minimum(h, k), np.maximum(h, k)
    turned = (r < 0.0) & (h > 0.0) & (k > 0.0)  # what is between -h and k is added at the end
    one = _Phi(np.where(opposite, low, np.where(turned, -h, h)))
    two = _Phi(np.where(opposite, -high, np.where(turned, -k, k)))
    base, lost = _two_sum(0.5 * one, np.where(opposite, -0.5 * two, 0.5 * two))
    for z, to in ((h, to_k), (k, to_h)):  # the halves of gates in T are those of the base
        size, low = _owen(z, np.where(z < 0.0, -to, to))
        base, more = _two_sum(base, -size)
        lost = lost + (more - low)
    value = np.maximum(base + lost, 0.0)
    if turned.any():
        between = 0.5 * (_erf(0.7071067811865476 * h) + _erf(0.7071067811865476 * k))
        value = np.where(turned, between + value, value)
    return value''',
}
