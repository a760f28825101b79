r"""
# Sign and unit step

$\operatorname{sgn}(x)$ and $H(x) = \tfrac12(1 + \operatorname{sgn}x)$.

## Dual

For a centred pair the quadrant probability depends on the correlation alone.  Rotate the pair to
independent coordinates: the event $u > 0,\ v > 0$ becomes a wedge of angle $\pi - \theta$ in the plane of an
isotropic law, so
$$E[H(u)H(v)] = \frac{\pi - \theta}{2\pi} = \frac14 + \frac{\arcsin\rho}{2\pi},\qquad
E[\operatorname{sgn}u\operatorname{sgn}v] = \frac2\pi\arcsin\rho.$$
The first is Sheppard's formula, the second the arcsine law of Van Vleck and Middleton (and Grothendieck's
identity).  The two are confused more often than any other pair in this field: $\operatorname{sgn}= 2H - 1$,
so one dual is four times the other minus one, *not* a multiple of it.

## Derivative

Here conventions differ, and both are right.  In the sense of distributions $\operatorname{sgn}' = 2\delta$, and Price's theorem
gives $4$ times the joint density at the origin, $2/(\pi\sqrt{q_{11}q_{22} - q_{12}^2})$.  Almost
everywhere the derivative is zero, and that is what gradient descent on a finite network sees: its tangent kernel
has no contribution through the unit.  A formula has to say which it means.

## Thresholds

With thresholds, or means, the wedge is cut off the origin: $\Phi_2$.  The Hermite coefficients are those of the derivative,
shifted by one: $E[\operatorname{sgn}(z)\,He_{2k+1}(z)] = 2\varphi(0)He_{2k}(0)$.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("sign", "step")

step = Claim(
    "The dual of the step.",
    quantity="nngp",
    activation="heaviside(x)",
    formula="1/2 - acos(rho)/(2*pi)",
    source="louart2018random, table 1",
)

step_angle = Claim(
    "The dual of the step in the angle.",
    quantity="nngp",
    activation="step",
    latex=r"\frac{\pi - \theta}{2\pi}",
    source="yang2020tensor, VStep",
)

sheppard = Claim(
    "The quadrant probability.",
    quantity="normalised",
    activation="step",
    latex=r"\frac{1}{4} + \frac{\arcsin\rho}{2\pi}",
    source="sheppard1899application",
)

order0 = Claim(
    "The arc-cosine kernel of order zero.",
    quantity="nngp",
    activation="sqrt(2)*heaviside(x)",
    formula="1 - acos(rho)/pi",
    source="cho2009kernel, eq. 5",
)

daniely = Claim(
    "The dual activation of the normalised step.",
    quantity="normalised",
    activation="sqrt(2)*heaviside(x)",
    formula="(pi - acos(rho))/pi",
    source="daniely2016toward, table 1",
)

step_series = Claim(
    "The Taylor coefficients of the dual activation of the normalised step.",
    quantity="constant",
    activation="sqrt(2)*heaviside(x)",
    definition={
        "h0": "E[s(z)]^2",
        "h1": "E[s(z)*z]^2",
        "h2": "E[s(z)*He(2, z)]^2/2",
        "h3": "E[s(z)*He(3, z)]^2/6",
        "h4": "E[s(z)*He(4, z)]^2/24",
        "h5": "E[s(z)*He(5, z)]^2/120",
    },
    formula={
        "h0": "1/2",
        "h1": "1/pi",
        "h2": "0",
        "h3": "1/(6*pi)",
        "h4": "0",
        "h5": "3/(40*pi)",
    },
    source="daniely2016toward, table 1",
)

sign = Claim(
    "The arcsine law.",
    quantity="nngp",
    activation="sign",
    formula="2/pi*asin(rho)",
    source="vanvleck1966spectrum",
)

sign_arccosine = Claim(
    "The arcsine law with an arc cosine.",
    quantity="nngp",
    activation="sign",
    formula="1 - 2/pi*acos(rho)",
    source="novak2020neural, stax.Sign",
)

sign_derivative = Claim(
    "The derivative dual of the sign in the sense of distributions.",
    quantity="derivative",
    activation="sign",
    derivative="distributional",
    latex=r"\frac{2}{\pi\sqrt{q_{11}q_{22} - q_{12}^2}}",
    source="price1958useful",
)

sign_derivative_ae = Claim(
    "The derivative dual of the sign almost everywhere.",
    quantity="derivative",
    activation="sign",
    derivative="almost_everywhere",
    formula="0",
    source="novak2020neural, stax.Sign",
)

sign_ntk_factor = Claim(
    "The value zero, where the derivative of the dual is meant.",
    quantity="derivative",
    activation="sign",
    derivative="distributional",
    formula="0*c",
    source="novak2020neural, stax.Sign, read as the derivative of the dual",
    erratum="Zero is the almost-everywhere derivative.  The derivative of the dual in the covariance, which is"
    " what Price's theorem gives, has the two delta masses: 4 p(0, 0).",
    corrected="2/(pi*sqrt(q1*q2 - c**2))",
)

step_derivative = Claim(
    "The derivative dual of the step in the sense of distributions.",
    quantity="derivative",
    activation="step",
    derivative="distributional",
    formula="1/(2*pi*sqrt(q1*q2 - c**2))",
    source="price1958useful",
)

step_derivative_ae = Claim(
    "The derivative dual of the step almost everywhere.",
    quantity="derivative",
    activation="step",
    derivative="almost_everywhere",
    formula="0",
    source="novak2020neural, RectifiedMonomial of degree 0",
)

step_covariance = Claim(
    "The covariance of two steps.",
    quantity="covariance",
    activation="step",
    formula="asin(rho)/(2*pi)",
    source="sheppard1899application",
)

step_variance = Claim(
    "The variance of a step under a normal law with a mean.",
    quantity="variance",
    activation="step",
    formula="Phi(m/sqrt(q))*Phi(-m/sqrt(q))",
    source="wright2024analytic",
)

sign_mean = Claim(
    "The mean of the sign under a normal law with a mean.",
    quantity="mean",
    activation="sign",
    formula="erf(m/sqrt(2*q))",
    source="definition of the error function",
)

thresholds = Claim(
    "Steps with thresholds: the bivariate normal distribution function.",
    quantity="cross",
    f="heaviside(x + a)",
    g="heaviside(x + b)",
    params={"a": "real", "b": "real"},
    formula="Phi2(a/sqrt(q1), b/sqrt(q2), rho)",
    source="wright2024analytic",
)

step_relu = Claim(
    "A step against a rectifier.",
    quantity="cross",
    f="heaviside(x)",
    g="relu(x)",
    latex=r"\frac{\sqrt{q_{22}}\,(1 + \rho)}{2\sqrt{2\pi}}",
    source="rosenbaum1961moments, at the origin",
)

sign_hermite = Claim(
    "Hermite coefficients of odd order.",
    quantity="constant",
    activation="sign",
    definition={
        "h1": "E[s(z)*z]",
        "h3": "E[s(z)*He(3, z)]/sqrt(6)",
        "h5": "E[s(z)*He(5, z)]/sqrt(120)",
        "h7": "E[s(z)*He(7, z)]/sqrt(5040)",
    },
    formula={
        "h1": "sqrt(2/pi)",
        "h3": "-sqrt(2/pi)/sqrt(6)",
        "h5": "3*sqrt(2/pi)/sqrt(120)",
        "h7": "-15*sqrt(2/pi)/sqrt(5040)",
    },
    source="odonnell2014analysis, chapter 11",
)

sign_hermite_all = Claim(
    "Hermite coefficients of the sign in one formula.",
    quantity="hermite",
    activation="sign",
    where="n > 0",
    formula="sqrt(2/pi)*sin(n*pi/2)*factorial2(n - 2)/sqrt(factorial(n))",
    source="odonnell2014analysis, chapter 11",
)

step_hermite_all = Claim(
    "Hermite coefficients of the step in one formula.",
    quantity="hermite",
    activation="step",
    where="n > 0",
    formula="sin(n*pi/2)*factorial2(n - 2)/sqrt(2*pi*factorial(n))",
    source="daniely2016toward",
)

step_moments = Claim(
    "The step's coefficients of the random feature map.",
    quantity="constant",
    activation="heaviside(x)",
    params={"tau": "positive"},
    definition={
        "d0": "E[s(sqrt(tau)*z)^2] - E[s(sqrt(tau)*z)]^2 - E[z*s(sqrt(tau)*z)]^2",
        "d1": "E[z*s(sqrt(tau)*z)]^2/tau",
        "d2": "(E[He(2, z)*s(sqrt(tau)*z)]/tau)^2/4",
    },
    formula={"d0": "1/4 - 1/(2*pi)", "d1": "1/(2*pi*tau)", "d2": "0"},
    source="liao2018spectrum, table 2",
)

sign_moments = Claim(
    "The sign's coefficients of the random feature map.",
    quantity="constant",
    activation="sign",
    params={"tau": "positive"},
    definition={
        "d0": "E[s(sqrt(tau)*z)^2] - E[s(sqrt(tau)*z)]^2 - E[z*s(sqrt(tau)*z)]^2",
        "d1": "E[z*s(sqrt(tau)*z)]^2/tau",
        "d2": "(E[He(2, z)*s(sqrt(tau)*z)]/tau)^2/4",
    },
    formula={"d0": "1 - 2/pi", "d1": "2/(pi*tau)", "d2": "0"},
    source="liao2018spectrum, table 2",
)

vstep = Claim(
    "The sign kernel where the step kernel is documented.",
    quantity="nngp",
    activation="heaviside(x)",
    formula="2/pi*asin(rho)",
    source="code of yang2019wide, VStep",
    erratum="The function is documented as sending positive numbers to one and others to zero, and returns the"
    " arcsine law of the sign.",
    corrected="1/4 + asin(rho)/(2*pi)",
)
