r"""
# Error function

$\sigma(x) = \operatorname{erf}(x)$, with $\sigma'(x) = \tfrac{2}{\sqrt\pi}e^{-x^2}$.

## Dual

The product $\sigma'(u)\sigma'(v)$ is a Gaussian, and the expectation of a Gaussian is the inverse root of a determinant:
$$E[\sigma'(u)\sigma'(v)] = \frac{4}{\pi}\det(1 + 2Q)^{-1/2}
 = \frac4\pi\,\frac{1}{\sqrt{(1 + 2q_{11})(1 + 2q_{22}) - 4q_{12}^2}}.$$
Price's theorem says that this is the derivative of the dual in $q_{12}$; the dual is odd in $q_{12}$ because
$\sigma$ is odd, hence zero at $q_{12} = 0$, and integrating gives Williams' arc sine,
$$E[\sigma(u)\sigma(v)] = \frac2\pi\arcsin\frac{2q_{12}}{\sqrt{(1 + 2q_{11})(1 + 2q_{22})}}.$$

There is a way without calculus: $\operatorname{erf}(x) = E\operatorname{sgn}(x + Z/\sqrt2)$ with an independent normal
$Z$, so the dual is the arcsine law of a pair whose variances are larger by one half.

## Conventions

Saad and Solla, and with them statistical mechanics, use $\operatorname{erf}(x/\sqrt2)$: replace $2q$ by $q$.  The neural
network covariance function of the Gaussian process literature has the augmented input and the factor 2 inside the arc sine, and sometimes no $2/\pi$.
The arc tangent form is the same number, and is well conditioned near coinciding inputs.

## Criticality

$E[\sigma'(u)^2] = 4/(\pi\sqrt{1 + 4q})$, so the edge of chaos is a curve with the variance at the fixed point as its
parameter.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("erf", "erfc", "erf_sigmoid")

AFFINE = "a*erf(b*x) + k"
ABK = {"a": "real", "b": "real", "k": "real"}
SOLLA = "erf(x/sqrt(2))"

williams = Claim(
    "Williams' arc sine.",
    quantity="nngp",
    activation="erf",
    latex=r"\frac{2}{\pi}\sin^{-1}\left(\frac{2 q_{12}}{\sqrt{(1 + 2 q_{11})(1 + 2 q_{22})}}\right)",
    source="williams1997computing, eq. 11",
)

half = Claim(
    "The same with the variances raised by one half.",
    quantity="nngp",
    activation="erf",
    formula="2/pi*asin(c/sqrt((q1 + 1/2)*(q2 + 1/2)))",
    source="yang2020tensor, VErf",
)

affine = Claim(
    "Scale, rate and offset, as an arc tangent.",
    quantity="nngp",
    activation=AFFINE,
    params=ABK,
    formula="a**2*2/pi*atan2(2*b**2*c, sqrt((1 + 2*b**2*q1)*(1 + 2*b**2*q2) - 4*b**4*c**2)) + k**2",
    source="novak2020neural, stax.Erf",
)

affine_derivative = Claim(
    "The derivative dual of the same.",
    quantity="derivative",
    activation=AFFINE,
    params=ABK,
    formula="a**2*b**2*4/pi/sqrt((1 + 2*b**2*q1)*(1 + 2*b**2*q2) - 4*b**4*c**2)",
    source="novak2020neural, stax.Erf",
)

vdererf = Claim(
    "The derivative dual as a power.",
    quantity="derivative",
    activation="erf",
    formula="4/pi*((1 + 2*q1)*(1 + 2*q2) - 4*c**2)**(-1/2)",
    source="yang2020tensor, VDerErf",
)

lee = Claim(
    "The derivative dual as the determinant of a two by two matrix.",
    quantity="derivative",
    activation="erf",
    latex=r"\frac{4}{\pi}\left((1+2q_{11})(1+2q_{22}) - (2q_{12})^2\right)^{-1/2}",
    source="lee2019wide",
)

diagonal = Claim(
    "The variance map.",
    quantity="diagonal",
    activation="erf",
    formula="2/pi*atan2(q, sqrt(q + 1/4))",
    source="novak2020neural, stax.Erf",
)

saad_i2 = Claim(
    "The second integral of the soft committee machine.",
    quantity="nngp",
    activation=SOLLA,
    formula="2/pi*asin(c/(sqrt(1 + q1)*sqrt(1 + q2)))",
    source="saad1995online, I_2",
)

saad_j2 = Claim(
    "Its derivative dual.",
    quantity="derivative",
    activation=SOLLA,
    formula="2/pi*(1 + q1 + q2 + q1*q2 - c**2)**(-1/2)",
    source="saad1995online, J_2",
)

saad_i3 = Claim(
    "The third integral of the soft committee machine.",
    quantity="identity",
    activation=SOLLA,
    definition="E[ds(z1)*z2*s(z3)]",
    covariance=(
        ("z1", ("C11", "C12", "C13")),
        ("z2", ("C12", "C22", "C23")),
        ("z3", ("C13", "C23", "C33")),
    ),
    formula="2/pi/sqrt((1 + C11)*(1 + C33) - C13**2)*(C23*(1 + C11) - C12*C13)/(1 + C11)",
    source="saad1995online, I_3",
)

gpy = Claim(
    "The multilayer perceptron kernel of a Gaussian process library.",
    quantity="nngp",
    activation=SOLLA,
    formula="2/pi*asin(c/sqrt((q1 + 1)*(q2 + 1)))",
    source="GPy, MLP kernel",
)

kernel_functions = Claim(
    "The neural network kernel without its prefactor, and the activation that has it.",
    quantity="nngp",
    activation="sqrt(pi/2)*erf(x)",
    formula="asin(2*c/sqrt((1 + 2*q1)*(1 + 2*q2)))",
    source="KernelFunctions.jl, NeuralNetworkKernel, after williams1998computation",
)

mean = Claim(
    "The mean under a normal law with a mean.",
    quantity="mean",
    activation="erf",
    latex=r"\operatorname{erf}\left(\frac{m}{\sqrt{1 + 2q}}\right)",
    source="owen1980table, 10,010.8",
)

hermite3_cross = Claim(
    "The error function against the third Hermite polynomial of a standard normal variable.",
    quantity="cross",
    f="erf(x)",
    g="x**3 - 3*x",
    where="q22 = 1",
    formula="-4*c**3/(sqrt(pi)*(1 + 2*q1)**(3/2))",
    source="public research notes on overlaps and correlations",
)

hermite = Claim(
    "Hermite coefficients at variance one.",
    quantity="constant",
    activation="erf",
    definition={
        "h1": "E[s(z)*z]",
        "h3": "E[s(z)*He(3, z)]/sqrt(6)",
        "h5": "E[s(z)*He(5, z)]/sqrt(120)",
    },
    formula={
        "h1": "2/sqrt(3*pi)",
        "h3": "-4/(3*sqrt(3*pi)*sqrt(6))",
        "h5": "8/(sqrt(3*pi)*3*sqrt(120))",
    },
    source="daniely2016toward; the series of the arc sine",
)

hermite_all = Claim(
    "Hermite coefficients at any variance, in one formula.",
    quantity="hermite",
    activation="erf",
    where="n > 0",
    formula="sqrt(2/pi)*(2*q/(1 + 2*q))^(n/2)*sin(n*pi/2)*factorial2(n - 2)/sqrt(factorial(n))",
    source="the series of Williams' arc sine, term by term",
)

moments = Claim(
    "Coefficients of the random feature map.",
    quantity="constant",
    activation="erf",
    params={"tau": "positive"},
    definition={
        "d1": "E[z*s(sqrt(tau)*z)]^2/tau",
        "d2": "(E[He(2, z)*s(sqrt(tau)*z)]/tau)^2/4",
    },
    formula={"d1": "4/(pi*(2*tau + 1))", "d2": "0"},
    source="liao2018spectrum, table 2",
)

gradient = Claim(
    "The derivative of the dual in the first variance.",
    quantity="gradient",
    by="q11",
    activation="erf",
    formula="-4*q12/(pi*(1 + 2*q11)*sqrt((1 + 2*q11)*(1 + 2*q22) - 4*q12**2))",
    source="differentiation of williams1997computing",
)

edge = Claim(
    "The edge of chaos, with the variance at the fixed point as its parameter.",
    quantity="edge_of_chaos",
    activation="erf",
    formula={
        "weight_var": "pi/4*sqrt(1 + 4*q)",
        "bias_var": "q - 1/2*sqrt(1 + 4*q)*asin(2*q/(1 + 2*q))",
    },
    source="schoenholz2017deep, for the error function",
)

erfc_dual = Claim(
    "The complementary error function.",
    quantity="nngp",
    activation="erfc",
    formula="1 + 2/pi*asin(2*c/sqrt((1 + 2*q1)*(1 + 2*q2)))",
    source="williams1997computing, with erfc = 1 - erf",
)

sigmoid_like = Claim(
    "A sigmoid made of the error function, from zero to one.",
    quantity="nngp",
    activation="erf_sigmoid",
    formula="1/4 + asin(2*c/sqrt((1 + 2*q1)*(1 + 2*q2)))/(2*pi)",
    source="williams1997computing, with (1 + erf)/2",
)

sigmoid_like_stax = Claim(
    "The error function fitted to the sigmoid: a dual that is exact for the fit.",
    quantity="nngp",
    activation="erf(x/2.402)/2 + 1/2",
    formula="1/4 + asin(2*c/sqrt((2.402^2 + 2*q1)*(2.402^2 + 2*q2)))/(2*pi)",
    source="novak2020neural, stax.Sigmoid_like, with a rounded scale",
)

k_nn = Claim(
    "The neural network kernel of a textbook.",
    quantity="nngp",
    activation="erf",
    formula="asin(2*c/sqrt((1 + 2*q1)*(1 + 2*q2)))",
    source="kochenderfer2019algorithms, kernel k_nn",
    erratum="Williams' factor 2/pi is left out.  As a covariance with a free amplitude this is harmless; as"
    " the expectation of the product of two error functions it is wrong.",
    corrected="2/pi*asin(2*c/sqrt((1 + 2*q1)*(1 + 2*q2)))",
)
