r"""2F1 of numbers a, b, c in the generated JAX and PyTorch modules; see `backends.hyper`.

Its series have no fixed number of terms, but with a, b, c known their coefficients are numbers: the
power series in z where z <= 1/2, and in w = 1 - z the finite sum, the factor of
$(w^\varepsilon E - 1)/\varepsilon$ and what is added to it, which are polynomials too.
"""

from __future__ import annotations

SPELLED = "_hyp2f1({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}, {9}, {10})"

NEEDS = {"_hyp2f1": ("_hyp2f1_rows", "_hyp2f1_value"), "_hyp2f1_value": ("_pow0",)}

SOURCES = {
    "_hyp2f1_rows": '''_ROWS = {}


def _hyp2f1_rows(a, b, c, m, epsilon, head):
    """The coefficients in z, and in w = 1 - z of the sum, of the factor and of what is added."""
    known = a, b, c, m, epsilon, head
    if known in _ROWS:
        return _ROWS[known]
    d, plain = m + epsilon, [1.0]
    most = 1.0 if d > 10.0 else 0.5  # what z may be
    for n in range(1000):
        plain.append(plain[-1] * ((a + n) * (b + n) / ((c + n) * (n + 1.0))))
        if n > -a and n > -b and abs(plain[-1]) * most**n < 2.0**-56 * abs(sum(plain)):
            break
    first, factor, added, f = [], [1.0], [0.0], 1.0
    for n in range(int(m)):
        first.append(head)
        head *= (a + n) * (b + n) / ((1.0 - d + n) * (n + 1.0)) if n + 1.0 < m else 0.0
    for n in range(0 if d > 10.0 else 200):
        A, B, C, E = a + m + n, b + m + n, 1.0 + n - epsilon, 1.0 + m + n
        below, base = (1.0 + n) * (E + epsilon), C * E
        step = (base * (A + B + epsilon) - A * B * (C + E + epsilon)) / (base * below)
        along = (A + epsilon) * (B + epsilon) / below
        added.append(added[-1] * along + f * step)
        factor.append(factor[-1] * along)
        f *= A * B / base
        if max(abs(factor[-1]), abs(added[-1]), abs(f)) * 0.5**n < 2.0**-56:
            break
    _ROWS[known] = plain, first, factor, added
    return _ROWS[known]''',
    "_hyp2f1_value": """def _power_sum(coefficients, y):
    total = 0.0 * y
    for c in reversed(coefficients):
        total = total * y + c
    return total


def _hyp2f1_value(a, b, c, m, epsilon, lead, head, scale, rate, z, w):
    plain, first, factor, added = _hyp2f1_rows(a, b, c, m, epsilon, head)
    series = _power_sum(plain, z if m + epsilon > 10.0 else _min(z, 0.5))
    if m + epsilon > 10.0:
        return series * (_pow0(w, lead) if lead else 1.0)
    near, at = z > 0.5, _min(w, 0.5)
    none = at <= 0.0
    delta = _log(_where(none, 1.0, at))
    edge = 0.0 if m > 0 else -1.0 / epsilon if epsilon > 0.0 else -_INF
    delta = _where(none, edge, _expm1(epsilon * delta) / epsilon if epsilon else delta)
    rest = ((1.0 + epsilon * rate) * delta + rate) * _power_sum(factor, at) + _power_sum(added, at)
    close = _power_sum(first, at) - at**m * scale * rest
    return _where(near, close, series) * (_pow0(w, lead) if lead else 1.0)""",
    "_hyp2f1": '''def _hyp2f1(a, b, c, m, epsilon, lead, head, scale, rate, t, s):
    """2F1(a, b; c; t/(t + s)), t, s >= 0, z = 1/2 at t = s = 0."""
    whole = t + s
    none = whole == 0.0
    over = 1.0 / _where(none, 1.0, whole)
    z, w = _where(none, 0.5, t * over), _where(none, 0.5, s * over)
    return _hyp2f1_value(a, b, c, int(m), epsilon, lead, head, scale, rate, z, w)''',
}
