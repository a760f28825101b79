r"""
# GELU

$\sigma(x) = x\,\Phi(x)$, and its relatives with a gate of another scale, or another power.

## Dual

Stein's lemma takes the two powers out of $E[u\,v\,\Phi(u)\Phi(v)]$.  Each removal either pairs $u$ with $v$, which leaves
the dual of the probit, or differentiates a gate, which leaves a Gaussian:
$$E[uv\,\Phi(u)\Phi(v)] = q_{12}E[\Phi(u)\Phi(v)] + \text{terms with } E[\varphi(u)\Phi(v)v],\ E[\varphi(u)\varphi(v)].$$
The Gaussians are absorbed into the law (the tilt), where one odd gate has mean one half and drops out.  With
$D = (1 + q_{11})(1 + q_{22}) - q_{12}^2$ the sum is
$$\frac{q_{12}}{4} + \frac{1}{2\pi}\left(q_{12}\arctan\frac{q_{12}}{\sqrt D}
 + \frac{q_{12}^2 + q_{11}q_{22}D}{(1 + q_{11})(1 + q_{22})\sqrt D}\right).$$

Papers print this in forms that look unlike: the arc tangent is the arc sine of $q_{12}/\sqrt{(1+q_{11})(1+q_{22})}$; the
rational part comes in $\rho$ and $\cos 2\theta$, or split over a denominator.  All are the same function, and the
claims below say so one by one.

## Conventions

The tanh approximation of GELU is another function: kernels computed for the exact one are off for
it in the fourth digit.  The gate $\Phi(ax)$ interpolates between $x/2$ and ReLU.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("gelu", "gelu_scaled", "x_erf", "x2_probit")

GELU = "x*(1 + erf(x/sqrt(2)))/2"

stax = Claim(
    "The dual with an arc tangent of two arguments.",
    quantity="nngp",
    activation=GELU,
    formula="((c**2 + q1*q2*((1+q1)*(1+q2) - c**2))/((1+q1)*(1+q2)*sqrt((1+q1)*(1+q2) - c**2))"
    " + c*atan2(c, sqrt((1+q1)*(1+q2) - c**2)))/(2*pi) + c/4",
    source="novak2020neural, stax.Gelu",
)

stax_derivative = Claim(
    "The derivative dual.",
    quantity="derivative",
    activation="gelu",
    formula="1/4 + atan2(q12, sqrt((1 + q11)*(1 + q22) - q12**2))/(2*pi)"
    " + q12/(2*pi*sqrt((1 + q11)*(1 + q22) - q12**2))"
    "*(1/((1 + q11)*(1 + q22) - q12**2) + (1 - q11*q22)/((1 + q11)*(1 + q22)) + 1)",
    source="novak2020neural, stax.Gelu",
)

stax_diagonal = Claim(
    "The diagonal.",
    quantity="diagonal",
    activation=GELU,
    formula="q*(1/4 + (q/((q + 1)*sqrt(1 + 2*q)) + atan2(q, sqrt(1 + 2*q))/2)/pi)",
    source="novak2020neural, stax.Gelu",
)

han = Claim(
    "The dual in variances and correlation.",
    quantity="nngp",
    activation=GELU,
    formula="c/4 + q1*q2/(2*pi)*((rho**2 + 1 + q1 + q2 + q1*q2*(1 - rho**2))"
    "/((1 + q1)*(1 + q2)*sqrt(1 + q1 + q2 + q1*q2*(1 - rho**2)))"
    " + c/(q1*q2)*atan(c/sqrt(1 + q1 + q2 + q1*q2*(1 - rho**2))))",
    source="han2022fast, code",
)

tsuchida = Claim(
    "The dual with the double angle.",
    quantity="nngp",
    activation=GELU,
    formula="q1*q2/(2*pi)*((q1 + q2 + q1*q2*(1 - rho**2) + (2*rho**2 - 1 + 3)/2)"
    "/((1 + q1)*(1 + q2)*sqrt(1 + q1 + q2 + q1*q2*(1 - rho**2)))"
    " + rho/sqrt(q1*q2)*atan(rho*sqrt(q1*q2)/sqrt(1 + q1 + q2 + q1*q2*(1 - rho**2)))) + c/4",
    source="tsuchida2021avoiding, the GELU proposition",
)

additive_model = Claim(
    "The dual with an arc sine and shares of the variances.",
    quantity="nngp",
    activation=GELU,
    formula="c*(1/4 + asin(c/sqrt((1 + q1)*(1 + q2)))/(2*pi))"
    " + (q1*q2 + c**2*(1 - q1/(1 + q1) - q2/(1 + q2)))/(2*pi*sqrt((1 + q1)*(1 + q2) - c**2))",
    source="issue 2946 of SauersML/gam, form R5",
)

mean = Claim(
    "The mean under a normal law with a mean.",
    quantity="mean",
    activation="gelu",
    formula="m*Phi(m/sqrt(1 + q)) + q/sqrt(1 + q)*phi(m/sqrt(1 + q))",
    source="EleutherAI/polyapprox, gelu.py",
)

mean_latex = Claim(
    "The mean of a centred variable.",
    quantity="mean",
    activation="gelu",
    where="m = 0",
    latex=r"\frac{q}{\sqrt{2\pi(1 + q)}}",
    source="wright2024analytic",
)

scaled_mean = Claim(
    "The mean with a gate of any scale.",
    quantity="mean",
    activation="x*Phi(a*x)",
    params={"a": "positive"},
    formula="m*Phi(a*m/sqrt(1 + a^2*q)) + a*q/sqrt(1 + a^2*q)*phi(a*m/sqrt(1 + a^2*q))",
    source="owen1980table, 10,011.1, rescaled",
)

scaled_diagonal = Claim(
    "The diagonal with a gate of any scale.",
    quantity="diagonal",
    activation="x*Phi(a*x)",
    params={"a": "positive"},
    formula="q*(1/4 + (a^2*q/((1 + a^2*q)*sqrt(1 + 2*a^2*q)) + atan(a^2*q/sqrt(1 + 2*a^2*q))/2)/pi)",
    source="novak2020neural, stax.Gelu, rescaled",
)

x_erf_dual = Claim(
    "x erf(x): the part of GELU without the linear term.",
    quantity="nngp",
    activation="x_erf",
    formula="2/pi*(c*asin(2*c/sqrt((1 + 2*q1)*(1 + 2*q2)))"
    " + 2*(q1*q2 + c^2*(1/(1 + 2*q1) + 1/(1 + 2*q2) - 1))"
    "/sqrt((1 + 2*q1)*(1 + 2*q2) - 4*c^2))",
    source="the dual of GELU, with x erf(x) = 2 x Phi(sqrt(2) x) - x",
)

x2_probit_mean = Claim(
    "The mean of x^2 Phi(x).",
    quantity="mean",
    activation="x^2*Phi(x)",
    formula="(m^2 + q)*Phi(m/sqrt(1 + q)) + m*q*(2 + q)/(1 + q)^(3/2)*phi(m/sqrt(1 + q))",
    source="owen1980table, 10,012",
)

second_moment = Claim(
    "The second moment at variance one.",
    quantity="constant",
    activation="gelu",
    definition="E[s(z)^2]",
    formula="1/3 + 1/(2*sqrt(3)*pi)",
    source="public code of a hypernetwork, constant GELU_E2, in closed form",
)

second_moment_decimal = Claim(
    "The same as a decimal.",
    quantity="constant",
    activation="gelu",
    definition="E[s(z)^2]",
    formula="0.42522148257029874",
    tolerance="5e-16",
    source="public code of a hypernetwork, constant GELU_E2",
)

half_stable = Claim(
    "The parallel and the perpendicular susceptibility agree at K* = (3 + sqrt(17))/2.",
    quantity="constant",
    activation="gelu",
    definition="E[s(sqrt((3 + sqrt(17))/2)*z)^2*(z^2 - 1)]/(3 + sqrt(17))"
    "/E[ds(sqrt((3 + sqrt(17))/2)*z)^2]",
    formula="1",
    source="roberts2022principles, section 5.3.4",
)

half_stable_hyperparameters = Claim(
    "The critical initialisation of GELU in decimals.",
    quantity="constant",
    activation="gelu",
    definition={
        "CW": "1/E[ds(sqrt((3 + sqrt(17))/2)*z)^2]",
        "Cb": "(3 + sqrt(17))/2 - E[s(sqrt((3 + sqrt(17))/2)*z)^2]"
        "/E[ds(sqrt((3 + sqrt(17))/2)*z)^2]",
    },
    formula={"CW": "1.98305826", "Cb": "0.17292239"},
    tolerance="3e-8",
    source="roberts2022principles, section 5.3.4",
)

edge = Claim(
    "The edge of chaos.",
    quantity="edge_of_chaos",
    activation="gelu",
    formula={
        "weight_var": "1/(1/4 + atan(q/sqrt(1 + 2*q))/(2*pi)"
        " + q/(2*pi*sqrt(1 + 2*q))*(1/(1 + 2*q) + (1 - q)/(1 + q) + 1))",
        "bias_var": "q - q*(1/4 + (q/((q + 1)*sqrt(1 + 2*q)) + atan(q/sqrt(1 + 2*q))/2)/pi)"
        "/(1/4 + atan(q/sqrt(1 + 2*q))/(2*pi)"
        " + q/(2*pi*sqrt(1 + 2*q))*(1/(1 + 2*q) + (1 - q)/(1 + q) + 1))",
    },
    source="schoenholz2017deep, for GELU",
)
