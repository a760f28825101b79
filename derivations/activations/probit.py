r"""
# Normal distribution function

$\sigma(x) = \Phi(x) = P(Z \le x)$: the probit, which is $\tfrac12(1 + \operatorname{erf}(x/\sqrt2))$.

## Dual

A probit unit is a step with noise: $\Phi(u) = P(u - Z > 0 \mid u)$ for an independent standard normal $Z$.  So
$E[\Phi(u)\Phi(v)]$ is the quadrant probability of the pair $(u - Z,\ v - Z')$, whose covariance is $q_{12}$ as before and
whose variances are larger by one:
$$E[\Phi(u)\Phi(v)] = \frac14 + \frac{1}{2\pi}\arcsin\frac{q_{12}}{\sqrt{(1 + q_{11})(1 + q_{22})}}.$$

The same trick with an intercept and a slope gives the bivariate distribution function; on the
diagonal, where the two noises are independent but the input is shared, it becomes Owen's $T$.

For standard margins this is Pearson's relation between the rank correlation of Spearman and the correlation of the normal law,
$\rho_s = 12\,E[\Phi(u)\Phi(v)] - 3 = \tfrac6\pi\arcsin\tfrac\rho2$.

## Conventions

Large-margin kernels have a smoothed threshold of width $k$ and the factor 2 of the arc-cosine family.  Statistics calls
$\Phi^{-1}$ the probit and $\Phi$ its inverse; here, as in machine learning, the unit itself has the name.  With
$\operatorname{erf}$ in the place of $\Phi$ a factor $\sqrt2$ enters the argument and every $1 + q$ becomes $1 + 2q$.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("probit",)

dual = Claim(
    "The dual.",
    quantity="nngp",
    activation="probit",
    latex=r"\frac{1}{4} + \frac{1}{2\pi}\arcsin\frac{q_{12}}{\sqrt{(1 + q_{11})(1 + q_{22})}}",
    source="williams1997computing; owen1980table",
)

derivative = Claim(
    "The derivative dual.",
    quantity="derivative",
    activation="probit",
    formula="1/(2*pi*sqrt((1 + q11)*(1 + q22) - q12^2))",
    source="price1958useful",
)

smoothed_threshold = Claim(
    "The smoothed threshold of large-margin kernels, in the arc-cosine normalisation.",
    quantity="nngp",
    activation="sqrt(2)*(1 + erf(x/(k*sqrt(2))))/2",
    params={"k": "positive"},
    formula="1 - acos(c/sqrt((q1 + k**2)*(q2 + k**2)))/pi",
    source="cho2010large",
)

spearman = Claim(
    "Pearson's relation between rank correlation and correlation.",
    quantity="normalised",
    activation="(1 + erf(x/sqrt(2)))/2",
    formula="1/4 + asin(rho/2)/(2*pi)",
    source="pearson1907further",
)

biased = Claim(
    "Slopes and intercepts: the bivariate normal distribution function.",
    quantity="cross",
    f="Phi(k*x + a)",
    g="Phi(l*x + b)",
    params={"a": "real", "b": "real", "k": "real", "l": "real"},
    where="q11 = 1, q22 = 1",
    formula="Phi2(a/sqrt(1 + k**2), b/sqrt(1 + l**2), rho*k*l/sqrt((1 + k**2)*(1 + l**2)))",
    source="brea2023mlpgradientflow",
)

mean = Claim(
    "The mean under a normal law with a mean.",
    quantity="mean",
    activation="probit",
    latex=r"\Phi\left(\frac{m}{\sqrt{1 + q}}\right)",
    source="owen1980table, 10,010.8",
)

second_moment = Claim(
    "The second moment under a normal law with a mean.",
    quantity="second_moment",
    activation="probit",
    formula="Phi2(m/sqrt(1 + q), m/sqrt(1 + q), q/(1 + q))",
    source="owen1980table, 20,010.4",
)

second_moment_owen = Claim(
    "The same with Owen's function.",
    quantity="second_moment",
    activation="probit",
    formula="Phi(m/sqrt(1 + q)) - 2*OwenT(m/sqrt(1 + q), 1/sqrt(1 + 2*q))",
    source="owen1980table, 20,010.3",
)

hermite_all = Claim(
    "Hermite coefficients at any variance, in one formula.",
    quantity="hermite",
    activation="probit",
    where="n > 0",
    formula="(q/(1 + q))^(n/2)*sin(n*pi/2)*factorial2(n - 2)/sqrt(2*pi*factorial(n))",
    source="the series of the arc sine, term by term",
)

diagonal = Claim(
    "The diagonal.",
    quantity="diagonal",
    activation="probit",
    formula="1/4 + asin(q/(1 + q))/(2*pi)",
    source="williams1997computing",
)

gradient = Claim(
    "The derivative of the dual in the first variance.",
    quantity="gradient",
    by="q11",
    activation="probit",
    formula="-q12/(4*pi*(1 + q11)*sqrt((1 + q11)*(1 + q22) - q12^2))",
    source="differentiation of the dual",
)
