r"""What unlike norms make of nearly parallel pairs where s is nearly homogeneous: NumPy.

With those of `lower.unlike` for the parallel pair, $p = \kappa k_1 + E[s_1e]$ its covariance, and g
the integral of the derivative dual over the angle (`backends.near`), the determinant after the
layer is, for any pair and a bias of variance $\beta$,
$$\beta d + k_1E[e^2] - E[s_1e]^2 + g(2p - g), \qquad
d = E[e^2] + 2(\kappa - 1)E[s_1e] + (\kappa - 1)^2k_1 + 2g:$$
no term is larger than what the layer makes of the pair.
"""

from __future__ import annotations

from .tables import legendre

NODES = ((0.0, 2), (1e-4, 3), (0.01, 4), (0.05, 6), (0.2, 8), (0.4, 10), (0.8, 14))
"""Spreads from which on so many nodes are taken, in the ratio and in the size: they leave out
1e-15 of E[e^2] (GELU, any size)."""
MOST = 1.6
"""The largest spread: norms of a ratio of five."""


def numpy_unlike() -> str:
    """Python that defines `_near_unlike(unlike, own, lo, hi, spread)`: k of the smaller variance,
    E[e^2], E[s e], kappa and kappa - 1.
    """
    rows = ""
    for least, n in NODES:
        at, weights = zip(*legendre(n), strict=True)
        rows += f"    ({least!r}, np.array({at!r}), np.array({weights!r})),\n"
    return f"_UNLIKE_RULES = (\n{rows})\n\n\n{_NUMPY.strip(chr(10))}"


_NUMPY = '''
def _near_unlike(unlike, own, lo, hi, spread):
    """For parallel u, v of variances lo <= hi = lo*exp(2*spread), and k = exp(degree*spread):
    E[s(u)^2], E[e^2], E[s(u) e], k, k - 1; e = s(v) - k s(u) is an integral of x s'(x) - degree*s.
    """
    ends, change = np.zeros(lo.shape), np.zeros(lo.shape)
    least = np.array([rule[0] for rule in _UNLIKE_RULES])
    which = np.searchsorted(least, spread, side="right") - 1
    for rule in range(len(least)):
        at = np.nonzero((which == rule) & (spread > 0.0))[0]
        if at.size:
            found = _near_sums(unlike, *_UNLIKE_RULES[rule][1:], lo[at], hi[at], spread[at])
            ends[at], change[at] = found
    more = np.expm1(unlike[0] * spread)
    return own(lo), ends, 0.5 * (change - ends) / (1.0 + more), 1.0 + more, more


def _near_sums(unlike, nodes, weights, lo, hi, spread):
    """E[e^2], and E[s(v)^2] - k^2 E[s(u)^2], by these nodes."""
    degree, _, pair, mixed = unlike
    ends, change, zero = 0.0, 0.0, np.zeros((len(nodes), len(lo)))
    for at, weight in zip(nodes, weights):
        part, rest = spread * at, spread - spread * at
        size = np.minimum(lo * np.exp(2.0 * part), hi)
        change = change + weight * np.exp(2.0 * degree * rest) * mixed(size)
        x = rest * nodes[:, None]  # part is the logarithm of the ratio, x that of the smaller size
        q11 = lo * np.exp(2.0 * x)
        q22 = np.minimum(q11 * np.exp(2.0 * part), hi)
        value = pair(q11, np.sqrt(q11) * np.sqrt(q22), q22, zero)
        value = value * np.exp(degree * (2.0 * (spread - x) - part))
        ends = ends + weight * rest * np.sum(weights[:, None] * value, axis=0)
    return 2.0 * spread * ends, 2.0 * spread * change
'''
