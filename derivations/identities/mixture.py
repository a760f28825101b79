r"""
# Mixtures of normal laws

Many functions are averages of simpler ones over a parameter, and the average can be taken last.

## Statement

If $\sigma(x) = \int s_t(x)\,\mu(dt)$, then $E[\sigma(u)\sigma(v)] = \iint E[s_t(u)s_{t'}(v)]\,\mu(dt)\mu(dt')$, by
Fubini's theorem where the double integral is absolutely convergent.

## Proof by examples

*Noise.*  $\operatorname{erf}(x) = E\operatorname{sgn}(x + Z/\sqrt2)$ and $\Phi(x) = E\,H(x + Z)$: the average over
a shift raises a variance.  *Scale.*  $\dfrac{1}{1 + x^2} = \int_0^\infty e^{-t(1 + x^2)}dt$ is a mixture of bells, whose mean is
$\int_0^\infty e^{-t}(1 + 2tq)^{-1/2}dt$, an error function.  *Frequency.*  Any even characteristic function is a mixture of cosines, and the dual is then
an average of $e^{-\cdots}\cosh$.

## Use

The first example turns Williams' kernel into the arcsine law; the second gives rational functions means in closed form, where
there is no other way; the third is the random Fourier feature.
"""

from __future__ import annotations

from ntksym.claims import Claim

erf_noise = Claim(
    "The sign of a noisy variable.",
    quantity="identity",
    definition="E[sign(a + z/sqrt(2))]",
    params={"a": "real"},
    formula="erf(a)",
    source="williams1998computation",
)

probit_noise = Claim(
    "The step of a noisy variable.",
    quantity="identity",
    definition="E[heaviside(a + z)]",
    params={"a": "real"},
    formula="Phi(a)",
    source="definition of the normal distribution function",
)

relu_noise = Claim(
    "The rectifier of a noisy variable.",
    quantity="identity",
    definition="E[relu(a + z)]",
    params={"a": "real"},
    latex=r"a\,\Phi(a) + \varphi(a)",
    source="frey1999variational",
)

cauchy = Claim(
    "A rational bell through its mixture of Gaussians.",
    quantity="identity",
    definition="E[1/(1 + z^2)]",
    formula="sqrt(pi/2)*exp(1/2)*erfc(1/sqrt(2))",
    source="mixture of Gaussians with exponential weights",
)

cosine = Claim(
    "A wave with a random frequency is a bell.",
    quantity="identity",
    definition="E[cos(a*z)]",
    params={"a": "real"},
    latex=r"e^{-a^2/2}",
    source="rahimi2007random",
)
