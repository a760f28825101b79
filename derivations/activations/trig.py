r"""
# Sine and cosine

$\sigma(x) = \sin(ax + \phi)$ or a cosine.

## Dual

A wave is a pair of imaginary exponentials, and $E\,e^{i(su + tv)} = \exp(-\tfrac12(s^2q_{11} + 2st\,q_{12} + t^2q_{22}))$ is
the characteristic function of the law.  For sine and cosine of frequency one the sum and the difference of $u$ and $v$ enter:
$$E[\sin u\sin v] = e^{-(q_{11}+q_{22})/2}\sinh q_{12},\qquad
E[\cos u\cos v] = e^{-(q_{11}+q_{22})/2}\cosh q_{12}.$$
The derivative dual of one is the dual of the other, in both directions; that the sign comes out
right is a check of Price's theorem one can do in the head.

With a phase, the part that depends on the sum carries $\cos 2\phi$.  At $\phi = \pi/4$ it drops out, which is the
page on the radial basis function.

## Criticality

$E[\sigma'(u)^2] = \tfrac12(1 + e^{-2q})$ for the sine: the edge of chaos is $\sigma_w^2 = 2/(1 + e^{-2q})$,
$\sigma_b^2 = q - \tanh q$.

## Conventions

Random-feature papers scale by $\sqrt2$, so that their kernels are twice these.  Some draw the weights
with variance $k/2$ and write the expectation as an integral over the weight.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("sin", "cos", "sine", "cosine", "x_cos")

ABK = {"a": "real", "b": "real", "k": "real"}

cos = Claim(
    "The dual of the cosine.",
    quantity="nngp",
    activation="cos",
    latex=r"\exp\left(-\frac{q_{11} + q_{22}}{2}\right)\cosh q_{12}",
    source="louart2018random, table 1",
)

sin = Claim(
    "The dual of the sine.",
    quantity="nngp",
    activation="sin",
    formula="exp(-(q1 + q2)/2)*sinh(c)",
    source="louart2018random, table 1",
)

cos_derivative = Claim(
    "The derivative dual of the cosine is the dual of the sine.",
    quantity="derivative",
    activation="cos",
    formula="exp(-(q1 + q2)/2)*sinh(c)",
    source="price1958useful",
)

sin_derivative = Claim(
    "The derivative dual of the sine is the dual of the cosine.",
    quantity="derivative",
    activation="sin",
    formula="(exp(c - (q1 + q2)/2) + exp(-c - (q1 + q2)/2))/2",
    source="novak2020neural, stax.Sin",
)

sin_phase = Claim(
    "Amplitude, frequency and phase.",
    quantity="nngp",
    activation="a*sin(b*x + k)",
    params=ABK,
    formula="a**2/2*(exp(b**2*(c - (q1 + q2)/2)) - exp(-b**2*(c + (q1 + q2)/2))*cos(2*k))",
    source="novak2020neural, stax.Sin",
)

sin_phase_derivative = Claim(
    "Amplitude, frequency and phase: the derivative dual.",
    quantity="derivative",
    activation="a*sin(b*x + k)",
    params=ABK,
    formula="a**2*b**2/2*(exp(b**2*(c - (q1 + q2)/2)) + exp(-b**2*(c + (q1 + q2)/2))*cos(2*k))",
    source="novak2020neural, stax.Sin",
)

cos_phase = Claim(
    "A cosine with amplitude, frequency and phase.",
    quantity="nngp",
    activation="a*cos(b*x + k)",
    params=ABK,
    formula="a**2/2*(exp(b**2*(c - (q1 + q2)/2)) + exp(-b**2*(c + (q1 + q2)/2))*cos(2*k))",
    source="novak2020neural, stax.Cos",
)

sin_plus_cos = Claim(
    "Sine plus cosine has a stationary dual.",
    quantity="nngp",
    activation="sin(x) + cos(x)",
    latex=r"\exp\left(-\tfrac{1}{2}(q_{11} + q_{22} - 2q_{12})\right)",
    source="meronen2021periodic",
)

normalised_sin = Claim(
    "A sine of any frequency, scaled to unit variance.",
    quantity="normalised",
    activation="sqrt(2/(1 - exp(-2*a**2)))*sin(a*x)",
    params={"a": "positive"},
    formula="sinh(a**2*rho)/sinh(a**2)",
    source="public code of sine networks",
)

sin_diagonal = Claim(
    "The variance map of the sine.",
    quantity="diagonal",
    activation="sin",
    formula="(1 - exp(-2*q))/2",
    source="roberts2022principles",
)

sin_mean = Claim(
    "The mean of the sine under a normal law with a mean.",
    quantity="mean",
    activation="sin",
    latex=r"e^{-q/2}\sin m",
    source="characteristic function of the normal law",
)

sin_variance = Claim(
    "The variance of the sine under a normal law with a mean.",
    quantity="variance",
    activation="sin",
    formula="(1 - exp(-2*q)*cos(2*m))/2 - exp(-q)*sin(m)^2",
    source="characteristic function of the normal law",
)

cos_mean = Claim(
    "The mean of the cosine under a normal law with a mean.",
    quantity="mean",
    activation="cos",
    formula="exp(-q/2)*cos(m)",
    source="characteristic function of the normal law",
)

sin_edge = Claim(
    "The edge of chaos of the sine.",
    quantity="edge_of_chaos",
    activation="sin",
    formula={"weight_var": "2/(1 + exp(-2*q))", "bias_var": "q - tanh(q)"},
    source="schoenholz2017deep, for the sine",
)

sin_gradient = Claim(
    "The derivative of the sine's dual in the second variance.",
    quantity="gradient",
    by="q22",
    activation="sin",
    formula="-exp(-(q11 + q22)/2)*sinh(q12)/2",
    source="differentiation of louart2018random",
)

cos_hermite = Claim(
    "Hermite coefficients of the cosine.",
    quantity="constant",
    activation="cos",
    definition={
        "h0": "E[s(z)]",
        "h2": "E[s(z)*He(2, z)]/sqrt(2)",
        "h4": "E[s(z)*He(4, z)]/sqrt(24)",
        "h6": "E[s(z)*He(6, z)]/sqrt(720)",
    },
    formula={
        "h0": "exp(-1/2)",
        "h2": "-exp(-1/2)/sqrt(2)",
        "h4": "exp(-1/2)/sqrt(24)",
        "h6": "-exp(-1/2)/sqrt(720)",
    },
    source="generating function of the Hermite polynomials",
)

cos_hermite_all = Claim(
    "Hermite coefficients of the cosine at any variance, in one formula.",
    quantity="hermite",
    activation="cos",
    formula="q^(n/2)*exp(-q/2)*cos(n*pi/2)/sqrt(factorial(n))",
    source="generating function of the Hermite polynomials",
)

cos_moments = Claim(
    "Coefficients of the random feature map of the cosine.",
    quantity="constant",
    activation="cos",
    params={"tau": "positive"},
    definition={
        "d0": "E[s(sqrt(tau)*z)^2] - E[s(sqrt(tau)*z)]^2 - E[z*s(sqrt(tau)*z)]^2",
        "d1": "E[z*s(sqrt(tau)*z)]^2/tau",
        "d2": "(E[He(2, z)*s(sqrt(tau)*z)]/tau)^2/4",
    },
    formula={"d0": "(1 + exp(-2*tau))/2 - exp(-tau)", "d1": "0", "d2": "exp(-tau)/4"},
    source="liao2018spectrum, table 2",
)

gaussian_weights = Claim(
    "The sine with a Gaussian integral over the weight.",
    quantity="identity",
    params={"k": "positive", "X1": "real", "X2": "real"},
    definition="sqrt(pi*k)*E[sin(sqrt(k/2)*X1*z)*sin(sqrt(k/2)*X2*z)]",
    formula="sqrt(pi)*sqrt(k)*(exp(k*X1*X2) - 1)*exp(-k*X2**2/4 - k*X1*X2/2 - k*X1**2/4)/2",
    source="pearce2020expressive, code",
)

x_cos = Claim(
    "x cos(x): two derivatives of the characteristic function.",
    quantity="nngp",
    activation="x*cos(x)",
    formula="exp(-(q1 + q2)/2)*((q1*q2 + c^2)*sinh(c) + c*(1 - q1 - q2)*cosh(c))",
    source="differentiation of the characteristic function",
)

trig_cos_code = Claim(
    "The cosine mode of a kernel class, without the factor one half.",
    quantity="nngp",
    activation="cos",
    formula="exp(-(q1 + q2 - 2*c)/2) + exp(-(q1 + q2 + 2*c)/2)",
    source="code of tsuchida2021avoiding, NNKernelTrig",
    erratum="The sum is the dual of sqrt(2) cos, while the mean that the same class returns is that of cos.",
    corrected="(exp(-(q1 + q2 - 2*c)/2) + exp(-(q1 + q2 + 2*c)/2))/2",
)

trig_half_mean_code = Claim(
    "The mean of a layer of half sines, half cosines, each times sqrt(2).",
    quantity="mean",
    activation="(sqrt(2)*cos(x) + sqrt(2)*sin(x))/2",
    formula="(cos(m) + sin(m))*exp(-q/2)",
    source="code of tsuchida2021avoiding, NNKernelTrig",
    erratum="The average of the two means carries 1/sqrt(2); without it the mean does not belong to the kernel of the"
    " same mode.",
    corrected="(cos(m) + sin(m))*exp(-q/2)/sqrt(2)",
)
