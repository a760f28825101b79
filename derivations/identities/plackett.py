r"""
# Plackett's identity

The derivative of the bivariate normal distribution function in the correlation is the density:
$$\frac{\partial}{\partial r}\Phi_2(h, k; r) = \varphi_2(h, k; r)
 = \frac{1}{2\pi\sqrt{1 - r^2}}\exp\Bigl(-\frac{h^2 - 2rhk + k^2}{2(1 - r^2)}\Bigr).$$

## Proof

It is Price's theorem for two steps, $f = 1\{u \le h\}$, $g = 1\{v \le k\}$: their derivatives are $-\delta_h$ and $-\delta_k$,
and the expectation of the product of two point masses is the joint density.  Equivalently, the density of a normal law solves the heat equation
$\partial_r p = \partial_u\partial_v p$, and integrating twice leaves $p$ at the corner.

## Use

$\Phi_2$ enters every dual with a threshold, a mean or a one-sided exponential; this identity, with
$$\partial_h\Phi_2(h, k; r) = \varphi(h)\,\Phi\Bigl(\frac{k - rh}{\sqrt{1 - r^2}}\Bigr),$$
is all that differentiation ever needs.
"""

from __future__ import annotations

from ntksym.claims import Claim

HKR = {"h": "real", "k": "real", "r": "real"}
OPEN = "r > -1, r < 1"

correlation = Claim(
    "The derivative in the correlation.",
    quantity="identity",
    definition="diff(Phi2(h, k, r), r)",
    params=HKR,
    where=OPEN,
    latex=r"\frac{1}{2\pi\sqrt{1-r^2}}\exp\left(-\frac{h^2 - 2rhk + k^2}{2(1-r^2)}\right)",
    source="plackett1954reduction",
)

limit = Claim(
    "The derivative in a limit.",
    quantity="identity",
    definition="diff(Phi2(h, k, r), h)",
    params=HKR,
    where=OPEN,
    formula="phi(h)*Phi((k - r*h)/sqrt(1 - r^2))",
    source="owen1956tables",
)

owen_h = Claim(
    "The derivative of Owen's function in its first argument.",
    quantity="identity",
    definition="diff(OwenT(h, a), h)",
    params={"h": "real", "a": "real"},
    formula="-phi(h)*erf(a*h/sqrt(2))/2",
    source="owen1980table",
)

owen_a = Claim(
    "The derivative of Owen's function in its second argument.",
    quantity="identity",
    definition="diff(OwenT(h, a), a)",
    params={"h": "real", "a": "real"},
    formula="exp(-h^2*(1 + a^2)/2)/(2*pi*(1 + a^2))",
    source="owen1956tables, the definition",
)
