r"""
# ReLU

$\sigma(x) = \max(x, 0)$, so that $\sigma'$ is the unit step and $\sigma''$ a unit mass at the kink.

## Dual

By Price's theorem the derivative of the dual in $q_{12}$ is the probability of a quadrant, which
Sheppard computed in 1899:
$$\partial_{q_{12}}\, E[\sigma(u)\sigma(v)] = P(u > 0,\ v > 0) = \frac{\pi - \theta}{2\pi},
\qquad \cos\theta = \frac{q_{12}}{\sqrt{q_{11}q_{22}}}.$$
At $\theta = \pi$ the two inputs are opposite, one of the two factors is zero, and so is the dual: that
is the constant of integration.  Integrating $\pi - \arccos\rho$ by parts gives
$$E[\sigma(u)\sigma(v)] = \frac{\sqrt{q_{11}q_{22}}}{2\pi}\,\bigl(\sin\theta + (\pi - \theta)\cos\theta\bigr).$$

A second way, which Cho and Saul take, uses that $\sigma$ is homogeneous: in polar coordinates the radius
separates and leaves an integral of $\cos t\,\cos(t - \theta)$ over the arc where both are positive.

## What follows

The diagonal is $q/2$, so that weights of variance 2 keep the variance of a layer: the initialisation of
He et al., and the only point of the plane $(\sigma_w^2, \sigma_b^2)$ that is both a fixed point and
critical.  Near $\rho = 1$ the normalised dual is not smooth,
$1 - t + \tfrac{2\sqrt2}{3\pi}t^{3/2} + O(t^{5/2})$ with $t = 1 - \rho$, and this half-integer power is
the reason for the polynomial decay of the spectrum on the sphere.

With a mean $m$ the expectations are those of a censored normal variable: $\Phi$ and $\varphi$ of
$m/\sqrt q$; two correlated ones need the bivariate $\Phi_2$.

## Conventions

The arc-cosine kernel of order one is *twice* this dual.  Papers that initialise with variance $2/n$
fold the 2 into the weights; papers that use $\sqrt2\max(x, 0)$ fold it into the activation; a few
write one and compute the other, and they are the errata below.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("relu",)

RELU2 = "sqrt(2)*relu(x)"

louart = Claim(
    "The dual of ReLU, with the angle of minus the correlation.",
    quantity="nngp",
    activation="relu",
    formula="sqrt(q1*q2)/(2*pi)*(rho*acos(-rho) + sqrt(1 - rho**2))",
    source="louart2018random, table 1",
)

cho_saul = Claim(
    "The arc-cosine kernel of order one is the dual of sqrt(2) ReLU.",
    quantity="nngp",
    activation=RELU2,
    latex=r"\frac{1}{\pi}\sqrt{q_{11} q_{22}}\left(\sin\theta + (\pi - \theta)\cos\theta\right)",
    source="cho2009kernel, eq. 6",
)

cnn_gp = Claim(
    "The same without a division by the product of the variances.",
    quantity="nngp",
    activation="relu",
    formula="(sqrt(q1*q2 - c**2) + (pi - acos(rho))*c)/(2*pi)",
    source="garriga2019deep",
)

arctan_form = Claim(
    "The arc tangent form, free of the arc cosine's infinite slope.",
    quantity="nngp",
    activation="relu",
    formula="(2*sqrt(q1*q2 - c**2) + pi*c + 2*c*atan(c/sqrt(q1*q2 - c**2)))/(4*pi)",
    source="public code of Gaussian processes",
)

daniely = Claim(
    "The dual activation of the normalised ReLU.",
    quantity="normalised",
    activation=RELU2,
    latex=r"\frac{\sqrt{1-\rho^2} + (\pi - \arccos\rho)\,\rho}{\pi}",
    source="daniely2016toward, table 1",
)

derivative = Claim(
    "The derivative dual is the probability of a quadrant.",
    quantity="derivative",
    activation="relu",
    formula="(pi - acos(rho))/(2*pi)",
    source="arora2019exact",
)

derivative_atan2 = Claim(
    "The derivative dual with an arc tangent of two arguments.",
    quantity="derivative",
    activation="relu",
    formula="1/2 - atan2(sqrt(q11*q22 - q12**2), q12)/(2*pi)",
    source="novak2020neural, stax.Relu",
)

diagonal = Claim(
    "Half of the variance passes.",
    quantity="diagonal",
    activation="relu",
    formula="q/2",
    source="he2015delving",
)

gradient_q11 = Claim(
    "The derivative of the dual in the first variance.",
    quantity="gradient",
    by="q11",
    activation="relu",
    formula="sqrt(q11*q22 - q12**2)/(4*pi*q11)",
    source="differentiation of the dual; half of E[delta(u) relu(v)]",
)

gradient_q22 = Claim(
    "The derivative of the dual in the second variance.",
    quantity="gradient",
    by="q22",
    activation="relu",
    formula="sqrt(q11*q22 - q12**2)/(4*pi*q22)",
    source="the same, by symmetry",
)

near_one = Claim(
    "The expansion of the order-one arc-cosine kernel at parallel inputs, to order 3/2.",
    quantity="identity",
    activation=RELU2,
    definition="E[s(u)*s(v)]",
    covariance=(("u", ("1", "1 - t/100000")), ("v", ("1 - t/100000", "1"))),
    params={"t": "positive"},
    where="t < 1",
    formula="1 - t/100000 + 2*sqrt(2)/(3*pi)*(t/100000)**(3/2)",
    tolerance="1e-12",
    source="bietti2021deep",
    note="t counts hundred-thousandths; the remainder is of order 5/2.",
)

covariance = Claim(
    "The covariance of two rectified centred variables.",
    quantity="covariance",
    activation="relu",
    formula="sqrt(q1*q2)*(acos(-rho)*rho + sqrt(1 - rho**2) - 1)/(2*pi)",
    source="bibi2018analytic",
)

mean = Claim(
    "The mean of a rectified normal variable.",
    quantity="mean",
    activation="relu",
    latex=r"m\,\Phi\left(\frac{m}{\sqrt{q}}\right) + \sqrt{q}\,\varphi\left(\frac{m}{\sqrt{q}}\right)",
    source="frey1999variational",
)

second_moment = Claim(
    "The second moment of a rectified normal variable.",
    quantity="second_moment",
    activation="relu",
    formula="(m**2 + q)*Phi(m/sqrt(q)) + m*sqrt(q)*phi(m/sqrt(q))",
    source="frey1999variational",
)

variance = Claim(
    "The variance of a rectified normal variable.",
    quantity="variance",
    activation="relu",
    formula="(m**2 + q)*Phi(m/sqrt(q)) + m*sqrt(q)*phi(m/sqrt(q))"
    " - (m*Phi(m/sqrt(q)) + sqrt(q)*phi(m/sqrt(q)))**2",
    source="bibi2018analytic",
)

third_moment = Claim(
    "E[u^2 relu(u)], which is the mean of the cubed ReLU.",
    quantity="mean",
    activation="x**2*relu(x)",
    formula="(m**3 + 3*m*q)*Phi(m/sqrt(q)) + (m**2*sqrt(q) + 2*q**(3/2))*phi(m/sqrt(q))",
    source="EleutherAI/polyapprox, relu.py, n = 2, written out",
)

mean_derivative = Claim(
    "The mean slope is the probability of being active.",
    quantity="mean",
    activation="heaviside(x)",
    formula="Phi(m/sqrt(q))",
    source="frey1999variational",
)

nonzero_mean = Claim(
    "Two rectified variables with means: rectified Gaussian moments through truncation.",
    quantity="cross",
    f="max(x + a, 0)",
    g="max(x + b, 0)",
    params={"a": "real", "b": "real"},
    formula="(c + a*b)*Phi2(a/sqrt(q1), b/sqrt(q2), rho)"
    " + a*sqrt(q2)*phi(b/sqrt(q2))*Phi((a/sqrt(q1) - rho*b/sqrt(q2))/sqrt(1 - rho**2))"
    " + b*sqrt(q1)*phi(a/sqrt(q1))*Phi((b/sqrt(q2) - rho*a/sqrt(q1))/sqrt(1 - rho**2))"
    " + sqrt(q1*q2 - c**2)/(2*pi)*exp(-(a**2/q1 - 2*rho*a*b/sqrt(q1*q2) + b**2/q2)/(2*(1 - rho**2)))",
    source="rosenbaum1961moments, rewritten for the rectifier",
)

nonzero_mean_tsuchida = Claim(
    "The same through |u||v|, u|v|, |u|v and uv.",
    quantity="cross",
    f="max(x + a, 0)",
    g="max(x + b, 0)",
    params={"a": "real", "b": "real"},
    formula="((c + a*b)*(4*Phi2(a/sqrt(q1), b/sqrt(q2), rho) - 2*Phi(a/sqrt(q1)) - 2*Phi(b/sqrt(q2)) + 1)"
    " + 2*a*sqrt(q2)*phi(b/sqrt(q2))*erf((a/sqrt(q1) - rho*b/sqrt(q2))/(sqrt(2)*sqrt(1 - rho**2)))"
    " + 2*b*sqrt(q1)*phi(a/sqrt(q1))*erf((b/sqrt(q2) - rho*a/sqrt(q1))/(sqrt(2)*sqrt(1 - rho**2)))"
    " + 4*sqrt(q1*q2)*(1 - rho**2)*exp(-(a**2/q1 - 2*rho*a*b/sqrt(q1*q2) + b**2/q2)/(2*(1 - rho**2)))"
    "/(2*pi*sqrt(1 - rho**2)) + c + a*b"
    " + sqrt(q1*q2)*(rho*((1 + b**2/q2)*(1 - 2*Phi(-b/sqrt(q2))) + 2*b/sqrt(q2)*phi(b/sqrt(q2)))"
    " + (b/sqrt(q2)*erf(b/sqrt(2*q2)) + 2*phi(b/sqrt(q2)))*(a/sqrt(q1) - rho*b/sqrt(q2)))"
    " + sqrt(q1*q2)*(rho*((1 + a**2/q1)*(1 - 2*Phi(-a/sqrt(q1))) + 2*a/sqrt(q1)*phi(a/sqrt(q1)))"
    " + (a/sqrt(q1)*erf(a/sqrt(2*q1)) + 2*phi(a/sqrt(q1)))*(b/sqrt(q2) - rho*a/sqrt(q1))))/4",
    source="tsuchida2019richer",
)

hermite_even = Claim(
    "Hermite coefficients of even order.",
    quantity="constant",
    activation="relu",
    definition={
        "h0": "E[s(z)]",
        "h1": "E[s(z)*z]",
        "h2": "E[s(z)*He(2, z)]/sqrt(2)",
        "h3": "E[s(z)*He(3, z)]/sqrt(6)",
        "h4": "E[s(z)*He(4, z)]/sqrt(24)",
        "h6": "E[s(z)*He(6, z)]/sqrt(720)",
        "h8": "E[s(z)*He(8, z)]/sqrt(40320)",
    },
    formula={
        "h0": "1/sqrt(2*pi)",
        "h1": "1/2",
        "h2": "1/sqrt(2*pi*2)",
        "h3": "0",
        "h4": "-1/sqrt(2*pi*24)",
        "h6": "3/sqrt(2*pi*720)",
        "h8": "-15/sqrt(2*pi*40320)",
    },
    source="goel2019time",
)

hermite_all = Claim(
    "Hermite coefficients at unit variance from the second one on, in one formula.",
    quantity="hermite",
    activation="relu",
    where="n > 1",
    formula="-cos(n*pi/2)*factorial2(n - 3)/sqrt(2*pi*factorial(n))",
    source="goel2019time",
)

series = Claim(
    "The Taylor coefficients of the normalised dual are the squared Hermite coefficients.",
    quantity="constant",
    activation=RELU2,
    definition={
        "h0": "E[s(z)]^2",
        "h1": "E[s(z)*z]^2",
        "h2": "E[s(z)*He(2, z)]^2/2",
        "h3": "E[s(z)*He(3, z)]^2/6",
        "h4": "E[s(z)*He(4, z)]^2/24",
        "h5": "E[s(z)*He(5, z)]^2/120",
        "h6": "E[s(z)*He(6, z)]^2/720",
    },
    formula={
        "h0": "1/pi",
        "h1": "1/2",
        "h2": "1/(2*pi)",
        "h3": "0",
        "h4": "1/(24*pi)",
        "h5": "0",
        "h6": "1/(80*pi)",
    },
    source="daniely2016toward, table 1",
)

moments = Claim(
    "The coefficients that decide the spectrum of a random feature map.",
    quantity="constant",
    activation="relu",
    params={"tau": "positive"},
    definition={
        "d0": "E[s(sqrt(tau)*z)^2] - E[s(sqrt(tau)*z)]^2 - E[z*s(sqrt(tau)*z)]^2",
        "d1": "E[z*s(sqrt(tau)*z)]^2/tau",
        "d2": "(E[He(2, z)*s(sqrt(tau)*z)]/tau)^2/4",
    },
    formula={"d0": "(1/4 - 1/(2*pi))*tau", "d1": "1/4", "d2": "1/(8*pi*tau)"},
    source="liao2018spectrum, table 2",
)

fixed_point = Claim(
    "Below the critical weight variance the length of a signal settles.",
    quantity="fixed_point",
    activation="relu",
    formula="bias_var/(1 - weight_var/2)",
    where="weight_var < 2, bias_var > 0",
    source="poole2016exponential, for ReLU",
)

edge = Claim(
    "The edge of chaos of ReLU is a single point.",
    quantity="edge_of_chaos",
    activation="relu",
    formula={"weight_var": "2", "bias_var": "0"},
    source="hayou2019impact",
)

recursion_factor = Claim(
    "One step of the recursion in lecture notes.",
    quantity="nngp",
    activation="relu",
    formula="sqrt(q1*q2)/pi*(sqrt(1 - rho**2) + (pi - acos(rho))*rho)",
    source="public proof notes on deep kernels",
    erratum="The layer is defined with max(x, 0), but the prefactor 1/pi is that of sqrt(2) max(x, 0); the"
    " expectation as defined has 1/(2 pi).",
    corrected="sqrt(q1*q2)/(2*pi)*(sqrt(1 - rho**2) + (pi - acos(rho))*rho)",
)

basri = Claim(
    "The derivative dual with a factor rho in front.",
    quantity="derivative",
    activation="relu",
    where="q11 = 1, q22 = 1",
    formula="rho*(pi - acos(rho))/(2*pi)",
    source="basri2020frequency, section 3",
    erratum="The factor rho belongs to the product of the input covariance with the derivative dual, not to"
    " the derivative dual; a recursion that multiplies by the covariance again is wrong.",
    corrected="(pi - acos(rho))/(2*pi)",
)

propagation_layer = Claim(
    "Moments of a rectified variable as a layer for Gaussian propagation has them.",
    quantity="constant",
    activation="relu",
    params={"mu": "real", "tau": "positive"},
    definition={
        "mean": "E[s(mu + sqrt(tau)*z)]",
        "variance": "E[s(mu + sqrt(tau)*z)^2] - E[s(mu + sqrt(tau)*z)]^2",
    },
    formula={
        "mean": "mu*Phi(mu/sqrt(tau)) + phi(mu/sqrt(tau))",
        "variance": "Phi(mu/sqrt(tau)) - mu/sqrt(tau)*phi(mu/sqrt(tau)) - phi(mu/sqrt(tau))**2",
    },
    source="README of a public layer for Gaussian approximation",
    erratum="Moments of the truncated standard normal variable are used without their scale: a factor"
    " sqrt(tau) is missing in the mean, tau and the terms mixed with mu in the variance.",
    corrected={
        "mean": "mu*Phi(mu/sqrt(tau)) + sqrt(tau)*phi(mu/sqrt(tau))",
        "variance": "(mu**2 + tau)*Phi(mu/sqrt(tau)) + mu*sqrt(tau)*phi(mu/sqrt(tau))"
        " - (mu*Phi(mu/sqrt(tau)) + sqrt(tau)*phi(mu/sqrt(tau)))**2",
    },
)

soft_relu = Claim(
    "The mean of a rectified variable of variance one in an implementation of variational inference.",
    quantity="mean",
    activation="relu",
    where="q = 1",
    formula="exp(-m**2/2)/(sqrt(2)*pi) + m*Phi(m)",
    source="public code after wu2019deterministic",
    erratum="The normalisation of the density is written sqrt(2) pi instead of sqrt(2 pi).",
    corrected="exp(-m**2/2)/sqrt(2*pi) + m*Phi(m)",
)

quadrature_free = Claim(
    "The diagonal as it would be for a Gaussian that is folded, not cut.",
    quantity="diagonal",
    activation="relu",
    formula="q",
    source="folklore: the variance of |u| or of u in place of that of its positive part",
    erratum="Only half of the line passes: the diagonal is q/2.",
    corrected="q/2",
)
