r"""
# Fully connected ReLU networks

The recursion over layers, written out for the rectifier.

## Derivation

Let $K(\cdot)$ and $\dot K(\cdot)$ be the dual and the derivative dual.  With weights of variance $\sigma_w^2/n$ and biases of
variance $\sigma_b^2$,
$$\Sigma^{(\ell + 1)} = \sigma_w^2K(\Sigma^{(\ell)}) + \sigma_b^2,\qquad
\Theta^{(\ell + 1)} = \Sigma^{(\ell + 1)} + \sigma_w^2\dot K(\Sigma^{(\ell)})\,\Theta^{(\ell)},$$
from $\Sigma^{(0)} = \Theta^{(0)} = \sigma_w^2\,x^Tx'/d + \sigma_b^2$.  For $\sqrt2\max(x, 0)$ without biases on the unit sphere the
diagonal stays at one and everything is a function of $\rho$: with the arc-cosine kernels $\kappa_0$ and $\kappa_1$,
$$\Sigma^{(1)} = \kappa_1(\rho),\qquad \Theta^{(1)} = \rho\,\kappa_0(\rho) + \kappa_1(\rho),$$
and the next layer puts $\kappa_1(\rho)$ in the place of $\rho$.  At $\rho = 1$ each layer adds one: $\Theta^{(L)}(x, x) = L + 1$.

## Conventions

Depth counts nonlinearities.  A paper that counts matrices has one more; a paper that counts from the first kernel, one less.  Where only the first
layer of a shallow network is trained, the kernel is $x^Tx'\,\dot K$ *without* the term $K$.
"""

from __future__ import annotations

from ntksym.claims import Claim

UNIT = "q11 = 1, q22 = 1"
NORMALISED1 = "mlp:'sqrt(2)*max(x, 0)':depth=1,weight_var=1"
NORMALISED2 = "mlp:'sqrt(2)*max(x, 0)':depth=2,weight_var=1"

lee_step = Claim(
    "One step of the Gaussian process recursion with biases.",
    quantity="recursion",
    network="mlp:relu:depth=1",
    formula="sb2 + sw2/(2*pi)*sqrt((sw2*q1 + sb2)*(sw2*q2 + sb2))"
    "*(sqrt(1 - ((sw2*c + sb2)**2/((sw2*q1 + sb2)*(sw2*q2 + sb2))))"
    " + (pi - acos((sw2*c + sb2)/sqrt((sw2*q1 + sb2)*(sw2*q2 + sb2))))"
    "*(sw2*c + sb2)/sqrt((sw2*q1 + sb2)*(sw2*q2 + sb2)))",
    source="lee2018deep, eq. 11",
)

lee_layer = Claim(
    "A layer of the Gaussian process recursion, as it is printed.",
    quantity="layer",
    activation="relu",
    latex=r"K^l(x, x') = \sigma_b^2 + \frac{\sigma_w^2}{2\pi}\sqrt{K^{l-1}(x,x)\,K^{l-1}(x',x')}"
    r"\left(\sin\theta^{l-1}_{x,x'} + (\pi - \theta^{l-1}_{x,x'})\cos\theta^{l-1}_{x,x'}\right),"
    r"\quad \theta^l_{x,x'} = \cos^{-1}\left(\frac{K^l(x,x')}{\sqrt{K^l(x,x)\,K^l(x',x')}}\right)",
    source="lee2018deep, eq. 11",
)

ntk_bias = Claim(
    "The tangent kernel of one hidden layer with biases.",
    quantity="ntk",
    network="mlp:relu:depth=1",
    formula="sb2 + sw2/(2*pi)*(sqrt((sw2*q1+sb2)*(sw2*q2+sb2) - (sw2*c+sb2)**2)"
    " + (pi - acos((sw2*c+sb2)/sqrt((sw2*q1+sb2)*(sw2*q2+sb2))))*(sw2*c+sb2))"
    " + sw2*(sw2*c+sb2)*(pi - acos((sw2*c+sb2)/sqrt((sw2*q1+sb2)*(sw2*q2+sb2))))/(2*pi)",
    source="novak2020neural, Dense and Relu",
)

bietti_mairal = Claim(
    "The tangent kernel of one hidden layer on the sphere.",
    quantity="ntk",
    network=NORMALISED1,
    where=UNIT,
    formula="rho*(pi - acos(rho))/pi + (sqrt(1 - rho**2) + (pi - acos(rho))*rho)/pi",
    source="bietti2019inductive",
)

two_layers = Claim(
    "The tangent kernel of two hidden layers on the sphere, written out.",
    quantity="ntk",
    network=NORMALISED2,
    where=UNIT,
    formula="(rho*(pi - acos(rho))/pi + (sqrt(1 - rho**2) + (pi - acos(rho))*rho)/pi)"
    "*(pi - acos((sqrt(1 - rho**2) + (pi - acos(rho))*rho)/pi))/pi"
    " + (sqrt(1 - ((sqrt(1 - rho**2) + (pi - acos(rho))*rho)/pi)**2)"
    " + (pi - acos((sqrt(1 - rho**2) + (pi - acos(rho))*rho)/pi))"
    "*(sqrt(1 - rho**2) + (pi - acos(rho))*rho)/pi)/pi",
    source="jacot2018neural; arora2019exact",
)

two_layers_nngp = Claim(
    "The Gaussian process kernel of two hidden layers on the sphere.",
    quantity="recursion",
    network=NORMALISED2,
    where=UNIT,
    formula="(sqrt(1 - ((sqrt(1 - rho**2) + (pi - acos(rho))*rho)/pi)**2)"
    " + (pi - acos((sqrt(1 - rho**2) + (pi - acos(rho))*rho)/pi))"
    "*(sqrt(1 - rho**2) + (pi - acos(rho))*rho)/pi)/pi",
    source="cho2009kernel, section 2.3",
)

diagonal = Claim(
    "At coinciding inputs each hidden layer adds one.",
    quantity="constant",
    activation="sqrt(2)*max(x, 0)",
    definition="E[s(z)^2] + E[ds(z)^2]*(E[s(z)^2] + E[ds(z)^2]*(E[s(z)^2]"
    " + E[ds(z)^2]*(E[s(z)^2] + E[ds(z)^2])))",
    formula="5",
    source="arora2019exact, four hidden layers",
)

notes_ntk = Claim(
    "The tangent kernel of a shallow network with its first layer trained.",
    quantity="identity",
    activation="relu",
    definition="q12*E[ds(u)*ds(v)]",
    formula="sqrt(q11*q22)/(2*pi)*(sqrt(1 - q12**2/(q11*q22))"
    " + (pi - acos(q12/sqrt(q11*q22)))*q12/sqrt(q11*q22))",
    source="public lecture notes on tangent kernels",
    erratum="The definition has derivatives and an inner product, the value that follows is the kernel of the"
    " Gaussian process: the term with the sine does not belong there.",
    corrected="q12*(pi - acos(q12/sqrt(q11*q22)))/(2*pi)",
)
