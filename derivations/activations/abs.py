r"""
# Absolute value

$\sigma(x) = |x|$, with $\sigma' = \operatorname{sgn}$.

## Dual

Price's theorem and the arcsine law give $\partial_{q_{12}}E|u||v| = E[\operatorname{sgn}u\,
\operatorname{sgn}v] = \tfrac2\pi\arcsin\rho$.  At $\rho = 0$ the factors are independent and
$E|u| = \sqrt{2q/\pi}$, so
$$E|u||v| = \frac2\pi\sqrt{q_{11}q_{22}}\,\bigl(\sqrt{1 - \rho^2} + \rho\arcsin\rho\bigr).$$

The same comes from ReLU: $|x| = 2\max(x, 0) - x$, and $E[\max(u, 0)\,v] = q_{12}/2$, so that the dual is four times the dual of
ReLU minus $q_{12}$.  Nabeya found all absolute product moments in 1951: for every power
$$E|u|^p|v|^p = \frac{2^p}{\pi}(q_{11}q_{22})^{p/2}\,\Gamma\!\left(\tfrac{p+1}2\right)^2
 {}_2F_1\!\left(-\tfrac p2, -\tfrac p2; \tfrac12; \rho^2\right),$$
which is a polynomial for even $p$ and contains one arc sine for odd $p$.

With a mean the variable is *folded normal*; its second moment is that of the variable itself.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("abs",)

arcsine_form = Claim(
    "The dual of the absolute value.",
    quantity="nngp",
    activation="abs",
    formula="2/pi*sqrt(q1*q2)*(rho*asin(rho) + sqrt(1 - rho**2))",
    source="louart2018random, table 1",
)

arccosine_form = Claim(
    "The same with an arc cosine of minus the correlation.",
    quantity="nngp",
    activation="abs",
    formula="2/pi*sqrt(q1*q2)*(rho*(acos(-rho) - pi/2) + sqrt(1 - rho**2))",
    source="couillet2022random, section 5.1, code",
)

through_relu = Claim(
    "The same from the arc-cosine kernels.",
    quantity="nngp",
    activation="abs",
    formula="sqrt(q1*q2)*(2*((pi - acos(rho))/pi*rho + sqrt(1 - rho**2)/pi) - rho)",
    source="han2022fast, code",
)

derivative = Claim(
    "The derivative dual is the arcsine law.",
    quantity="derivative",
    activation="abs",
    latex=r"\frac{2}{\pi}\arcsin\left(\frac{q_{12}}{\sqrt{q_{11}q_{22}}}\right)",
    source="price1958useful",
)

any_power = Claim(
    "Every absolute product moment.",
    quantity="normalised",
    activation="abs(x)^p",
    params={"p": "positive"},
    formula="2**p*gamma((p + 1)/2)**2/pi*hyp2f1(-p/2, -p/2, 1/2, rho**2)",
    source="nabeya1951absolute",
)

cubed = Claim(
    "The third absolute product moment, as a hypergeometric function.",
    quantity="normalised",
    activation="abs(x)^3",
    formula="8/pi*hyp2f1(-3/2, -3/2, 1/2, rho^2)",
    source="nabeya1951absolute",
)

first = Claim(
    "The first absolute product moment, as a hypergeometric function.",
    quantity="normalised",
    activation="abs",
    formula="2/pi*hyp2f1(-1/2, -1/2, 1/2, rho^2)",
    source="nabeya1951absolute",
)

cubed_elementary = Claim(
    "The third absolute product moment in elementary functions.",
    quantity="normalised",
    activation="abs(x)^3",
    formula="2/pi*((4 + 11*rho^2)*sqrt(1 - rho^2) + (9*rho + 6*rho^3)*asin(rho))",
    source="nabeya1951absolute, order three",
)

mean = Claim(
    "The mean of a folded normal variable.",
    quantity="mean",
    activation="abs",
    formula="sqrt(2*q/pi)*exp(-m**2/(2*q)) + m*erf(m/sqrt(2*q))",
    source="folded normal distribution, Leone, Nelson and Nottingham 1961",
)

second_moment = Claim(
    "Folding does not change the second moment.",
    quantity="second_moment",
    activation="abs",
    formula="m**2 + q",
    source="folded normal distribution, Leone, Nelson and Nottingham 1961",
)

variance = Claim(
    "The variance of a folded normal variable.",
    quantity="variance",
    activation="abs",
    formula="m**2 + q - (sqrt(2*q/pi)*exp(-m**2/(2*q)) + m*(1 - 2*Phi(-m/sqrt(q))))**2",
    source="folded normal distribution, Leone, Nelson and Nottingham 1961",
)

moments = Claim(
    "The coefficients of the random feature map.",
    quantity="constant",
    activation="abs",
    params={"tau": "positive"},
    definition={
        "d0": "E[s(sqrt(tau)*z)^2] - E[s(sqrt(tau)*z)]^2 - E[z*s(sqrt(tau)*z)]^2",
        "d1": "E[z*s(sqrt(tau)*z)]^2/tau",
        "d2": "(E[He(2, z)*s(sqrt(tau)*z)]/tau)^2/4",
    },
    formula={"d0": "(1 - 2/pi)*tau", "d1": "0", "d2": "1/(2*pi*tau)"},
    source="liao2018spectrum, table 2",
)

gradient = Claim(
    "The derivative of the dual in the first variance.",
    quantity="gradient",
    by="q11",
    activation="abs",
    formula="sqrt(q11*q22 - q12^2)/(pi*q11)",
    source="differentiation of the dual",
)

nonzero_mean = Claim(
    "Two folded variables with means.",
    quantity="cross",
    f="abs(x + a)",
    g="abs(x + b)",
    params={"a": "real", "b": "real"},
    formula="(c + a*b)*(4*Phi2(a/sqrt(q1), b/sqrt(q2), rho) - 2*Phi(a/sqrt(q1)) - 2*Phi(b/sqrt(q2)) + 1)"
    " + 2*a*sqrt(q2)*phi(b/sqrt(q2))*erf((a/sqrt(q1) - rho*b/sqrt(q2))/(sqrt(2)*sqrt(1 - rho**2)))"
    " + 2*b*sqrt(q1)*phi(a/sqrt(q1))*erf((b/sqrt(q2) - rho*a/sqrt(q1))/(sqrt(2)*sqrt(1 - rho**2)))"
    " + 2*sqrt(q1*q2)*sqrt(1 - rho**2)/pi"
    "*exp(-(a**2/q1 - 2*rho*a*b/sqrt(q1*q2) + b**2/q2)/(2*(1 - rho**2)))",
    source="tsuchida2019richer",
)
