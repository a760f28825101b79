r"""
# Rectified powers

$\sigma(x) = \max(x, 0)^n$; $n = 0$ is the unit step, $n = 1$ ReLU.  "Squared ReLU" and "RePU" are other names.

## Dual

The derivative of $\max(x, 0)^n$ is $n$ times the rectified power below it, so Price's theorem is a ladder:
$$\partial_{q_{12}}K_n = n^2 K_{n-1},\qquad K_0 = \frac{\pi - \theta}{2\pi},$$
and every $K_n$ vanishes at $\theta = \pi$.  Climbing the ladder gives
$K_n = (q_{11}q_{22})^{n/2} J_n(\theta)/(2\pi)$ with the functions of Cho and Saul
$$J_n(\theta) = (-1)^n(\sin\theta)^{2n+1}\Bigl(\frac{1}{\sin\theta}\frac{\partial}{\partial\theta}\Bigr)^n
 \Bigl(\frac{\pi - \theta}{\sin\theta}\Bigr),$$
that is $J_0 = \pi - \theta$, $J_1 = \sin\theta + (\pi - \theta)\cos\theta$,
$J_2 = 3\sin\theta\cos\theta + (\pi - \theta)(1 + 2\cos^2\theta)$, and so on: a sine times a polynomial in the cosine
and $\pi - \theta$ times another.

On the diagonal half of the moment of order $2n$ remains, $\tfrac12(2n - 1)!!\,q^n$; its growth with $n$ is
why deep networks of such units explode or die unless they are rescaled.

## Conventions

Cho and Saul's kernel of order $n$ is twice the dual: the dual of $\sqrt2\max(x, 0)^n$.
"""

from __future__ import annotations

from ntksym.claims import Claim

ACTIVATIONS = ("squared_relu", "cubed_relu", "relu4")

SQUARED2 = "sqrt(2)*max(x, 0)**2"

order2 = Claim(
    "The arc-cosine kernel of order two.",
    quantity="nngp",
    activation=SQUARED2,
    formula="q1*q2/pi*(3*sqrt(1 - rho**2)*rho + (pi - acos(rho))*(1 + 2*rho**2))",
    source="cho2009kernel, eq. 7",
)

order2_angle = Claim(
    "The dual of the squared ReLU in the angle.",
    quantity="nngp",
    activation="squared_relu",
    latex=r"\frac{q_{11}q_{22}}{2\pi}\left(3\sin\theta\cos\theta + (\pi-\theta)(1 + 2\cos^2\theta)\right)",
    source="cho2009kernel, eq. 7",
)

order3 = Claim(
    "The dual of the cubed ReLU.",
    quantity="nngp",
    activation="cubed_relu",
    formula="(q1*q2)**(3/2)/(2*pi)*((4 + 11*rho**2)*sqrt(1 - rho**2) + (pi - acos(rho))*(9*rho + 6*rho**3))",
    source="cho2009kernel, eq. 3 with n = 3",
)

order4 = Claim(
    "The dual of the fourth rectified power.",
    quantity="normalised",
    activation="relu4",
    formula="((55*rho + 50*rho**3)*sqrt(1 - rho**2) + (pi - acos(rho))*(9 + 72*rho**2 + 24*rho**4))/(2*pi)",
    source="cho2009kernel, eq. 3 with n = 4",
)

squared_derivative = Claim(
    "The derivative dual of the squared ReLU is four times the dual of ReLU.",
    quantity="derivative",
    activation="squared_relu",
    formula="2*sqrt(q1*q2)/pi*(sqrt(1 - rho**2) + (pi - acos(rho))*rho)",
    source="cho2009kernel, recursion of J_n",
)

cubed_derivative = Claim(
    "The derivative dual of the cubed ReLU is nine times the dual of the squared ReLU.",
    quantity="derivative",
    activation="cubed_relu",
    formula="9*q1*q2/(2*pi)*(3*sqrt(1 - rho**2)*rho + (pi - acos(rho))*(1 + 2*rho**2))",
    source="cho2009kernel, recursion of J_n",
)

squared_diagonal = Claim(
    "Half of the fourth moment.",
    quantity="diagonal",
    activation="squared_relu",
    formula="3*q**2/2",
    source="kim2024why, p = 2",
)

cubed_diagonal = Claim(
    "Half of the sixth moment.",
    quantity="diagonal",
    activation="cubed_relu",
    formula="15/2*q**3",
    source="kim2024why, p = 3",
)

fourth_diagonal = Claim(
    "Half of the eighth moment.",
    quantity="diagonal",
    activation="relu4",
    formula="105/2*q**4",
    source="kim2024why, p = 4",
)

any_power = Claim(
    "The variance map of any rectified power.",
    quantity="diagonal",
    activation="max(x, 0)^p",
    params={"p": "positive"},
    formula="2**(p - 1)*gamma(p + 1/2)/sqrt(pi)*q**p",
    source="yang2017mean, c_alpha",
)

three_halves = Claim(
    "A power that is not whole: the variance map of order 3/2.",
    quantity="diagonal",
    activation="max(x, 0)^(3/2)",
    formula="sqrt(2/pi)*q^(3/2)",
    source="yang2017mean, c_alpha with alpha = 3/2",
)

squared_mean = Claim(
    "The mean of the squared ReLU is the second moment of ReLU.",
    quantity="mean",
    activation="squared_relu",
    formula="(m**2 + q)*Phi(m/sqrt(q)) + m*sqrt(q)*phi(m/sqrt(q))",
    source="frey1999variational",
)

docs_two_over_pi = Claim(
    "The kernel of order two in the notes of a library.",
    quantity="nngp",
    activation=SQUARED2,
    formula="2/pi*q1*q2*(3*sqrt(1 - rho**2)*rho + (pi - acos(rho))*(1 + 2*rho**2))",
    source="notes of a public Gaussian process library, ArcCosine kernel",
    erratum="With the functions J_n as Cho and Saul define them the prefactor is 1/pi; 2/pi would make the"
    " kernel of order zero equal to two at coinciding inputs.",
    corrected="1/pi*q1*q2*(3*sqrt(1 - rho**2)*rho + (pi - acos(rho))*(1 + 2*rho**2))",
)
