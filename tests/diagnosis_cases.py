"""Wrong formulas, planted and published, by the kind of their error; and formulas that hold."""

from __future__ import annotations

from ntksym.claims import Claim

RELU = "sqrt(q1*q2)/(2*pi)*(sqrt(1 - rho**2) + (pi - acos(rho))*rho)"
WILLIAMS = "2/pi*asin(2*c/sqrt((1 + 2*q1)*(1 + 2*q2)))"
GELU = (
    "((c**2 + q1*q2*((1+q1)*(1+q2) - c**2))/((1+q1)*(1+q2)*sqrt((1+q1)*(1+q2) - c**2))"
    " + c*atan2(c, sqrt((1+q1)*(1+q2) - c**2)))/(2*pi) + c/4"
)
RELU_MEAN = "m*Phi(m/sqrt(q)) + sqrt(q)*phi(m/sqrt(q))"
RELU_SECOND = "(m**2 + q)*Phi(m/sqrt(q)) + m*sqrt(q)*phi(m/sqrt(q))"
AB = {"a": "real", "b": "real"}


def claim(quantity: str, formula: str, activation: str = "", **rest: object) -> Claim:
    return Claim(quantity=quantity, formula=formula, activation=activation, **rest)  # type: ignore[arg-type]


LEAKY_HUNDREDTH = (
    "sqrt(q1*q2)*((1-0.01)^2/(2*pi)*(sin(theta)+(pi-theta)*cos(theta)) + 0.01*cos(theta))"
)

PLANTED: dict[str, tuple[Claim, ...]] = {
    "factor": (
        claim("nngp", RELU.replace("/(2*pi)", "/pi"), "relu"),
        claim("derivative", "2/(pi*sqrt((1+2*q11)*(1+2*q22) - 4*q12**2))", "erf"),
        claim("mean", "2*m*Phi(m/sqrt(1+q)) + 2*q/sqrt(1+q)*phi(m/sqrt(1+q))", "gelu"),
        claim("constant", "0.797884560803", "relu", definition="E[s(z)]"),
    ),
    "sign": (
        claim("nngp", "-exp(-(q1 + q2)/2)*sinh(c)", "sin"),
        claim("hermite", "4/(3*sqrt(3*pi)*sqrt(6))", "erf", n=3),
        claim(
            "gradient",
            "4*q12/(pi*(1 + 2*q11)*sqrt((1 + 2*q11)*(1 + 2*q22) - 4*q12**2))",
            "erf",
            by="q11",
        ),
    ),
    "scaling": (
        claim("nngp", "2/pi*(rho*asin(rho) + sqrt(1 - rho**2))", "abs"),
        claim("diagonal", "3*q/2", "squared_relu"),
        claim(
            "nngp",
            "2/pi*asin(2*b**2*c/sqrt((1+2*b**2*q1)*(1+2*b**2*q2)))",
            "a*erf(b*x)",
            params=AB,
        ),
    ),
    "offset": (
        claim("nngp", "asin(rho)/(2*pi)", "step"),
        claim("second_moment", "Phi2(m/sqrt(1+q), m/sqrt(1+q), q/(1+q)) + 1/4", "probit"),
        claim("normalised", "2/pi*(rho*asin(rho) + sqrt(1 - rho**2)) - 2/pi", "abs"),
        claim("nngp", "1/2 + acos(rho)/(2*pi)", "step"),
    ),
    "square": (
        claim("constant", "sqrt(1/2-1/(2*pi))", "relu", definition="E[s(z)^2]-E[s(z)]^2"),
        claim("variance", "sqrt(q)", "x"),
        claim("diagonal", "sqrt(3)*q", "x**2"),
    ),
    "root": (
        claim("nngp", "1/((1 + q1)*(1 + q2) - c**2)", "gaussian"),
        claim("constant", "2/(1-1/pi)", "relu", definition="1/sqrt(E[s(z)^2]-E[s(z)]^2)"),
        claim("constant", "1/3 + 1/(2*sqrt(3)*pi)", "gelu", definition="sqrt(E[s(z)^2])"),
    ),
    "inverse": (
        claim("constant", "sqrt((1-1/pi)/2)", "relu", definition="1/sqrt(E[s(z)^2]-E[s(z)]^2)"),
        Claim(
            quantity="edge_of_chaos",
            activation="erf",
            formula={"weight_var": "4/(pi*sqrt(1 + 4*q))"},
        ),
        claim("nngp", "sqrt((1 + q1)*(1 + q2) - c**2)", "gaussian"),
    ),
    "convention": (
        claim("mean", "m*Phi(m/q) + q*phi(m/q)", "relu"),
        claim("nngp", "sqrt(q1*q2)/(2*pi)*(sqrt(1 - c**2) + (pi - acos(c))*c)", "relu"),
        claim("nngp", "2/pi*asin(c/sqrt((1 + q1)*(1 + q2)))", "erf"),
        claim("nngp", "exp(-(q1**2 + q2**2)/2)*cosh(c)", "cos"),
        claim("normalised", "1/2 - rho/(2*pi)", "step"),
        claim("derivative", "(pi - rho)/(2*pi)", "relu"),
        claim("hermite", "exp(1/2)", "exp", n=4),
        claim("hermite", "exp(1/2)/factorial(n)", "exp"),
    ),
    "derivative_convention": (
        claim("derivative", "0", "sign"),
        claim("derivative", "1/(2*pi*sqrt(q1*q2 - c**2))", "step", derivative="almost_everywhere"),
        claim("derivative", "(pi - acos(rho))/(2*pi)", "max(x,0)+sign(x)"),
    ),
    "swap": (
        claim(
            "gradient",
            "-4*q12/(pi*(1 + 2*q22)*sqrt((1 + 2*q11)*(1 + 2*q22) - 4*q12**2))",
            "erf",
            by="q11",
        ),
        claim("cross", "2*c/(sqrt(pi)*sqrt(1+2*q2))", f="erf(x)", g="x"),
        claim("diagonal", "2/pi*atan2(sqrt(q + 1/4), q) + q - q", "erf"),
        claim(
            "mean",
            f"a*m + (b-a)*({RELU_MEAN})",
            "a*max(x,0)+b*min(x,0)",
            params=AB,
        ),
    ),
    "other_activation": (
        claim("nngp", "2/pi*asin(rho)", "step"),
        claim("nngp", "exp(-(q1 + q2)/2)*cosh(c)", "sin"),
        claim("mean", "Phi(m/sqrt(1+q))", "erf"),
        claim("derivative", "(pi - acos(rho))/(2*pi)", "gelu"),
    ),
    "other_quantity": (
        claim("nngp", "(pi - acos(rho))/(2*pi)", "relu"),
        claim("derivative", WILLIAMS, "erf"),
        claim("second_moment", RELU_MEAN, "relu"),
        claim("covariance", RELU, "relu"),
        claim("ntk", f"2*{RELU}", network="mlp:relu:depth=1,weight_var=2"),
        claim("constant", "sqrt(2)", "relu", definition="1/sqrt(E[s(z)^2]-E[s(z)]^2)"),
    ),
    "normalised_only": (
        claim("nngp", "rho/4 + (rho*asin(rho/2) + 1/sqrt(4 - rho**2))/(2*pi)", "gelu"),
        claim("diagonal", "1/2", "relu"),
        claim("nngp", "exp(-1)*sinh(rho)", "sin"),
    ),
    "equal_variances_only": (
        claim("nngp", "exp(-q1)*sinh(c)", "sin"),
        claim("nngp", "2/pi*asin(2*c/(1 + 2*q1))", "erf"),
        claim("derivative", "1/(2*pi*sqrt((1 + q11)**2 - q12**2))", "probit"),
    ),
    "centred_only": (
        claim("second_moment", "q/2*exp(m)", "relu"),
        claim("variance", "q/2-q/(2*pi) + m", "relu"),
        claim("mean", "sqrt(q)*phi(m)", "relu"),
    ),
    "special_case": (
        claim("nngp", LEAKY_HUNDREDTH, "leaky_relu"),
        claim("diagonal", "q/2 + 1/2 + exp(2*q)*Phi(-2*sqrt(q)) - 2*exp(q/2)*Phi(-sqrt(q))", "elu"),
    ),
    "half_domain": (
        claim("derivative", "2/pi*asin(abs(rho))", "abs"),
        claim("nngp", "2/pi*acos(sqrt(1-4*c**2/((1 + 2*q1)*(1 + 2*q2))))", "erf"),
        claim("diagonal", "q*(1+a*abs(a))/2", "leaky_relu(x, a)", params={"a": "real"}),
    ),
    "slip": (
        claim("nngp", RELU.replace("acos", "asin"), "relu"),
        claim("nngp", GELU.replace("c/4", "c/2"), "gelu"),
        claim("variance", f"{RELU_SECOND} - (m*Phi(m/sqrt(q)) - sqrt(q)*phi(m/sqrt(q)))**2", "relu"),
        claim(
            "fixed_point",
            "2*bias_var/(1 - weight_var)",
            "relu",
            where="weight_var < 2, bias_var > 0",
        ),
    ),
    "approximation": (
        claim("mean", "Phi(m/sqrt(2.89+q))", "sigmoid"),
        claim("constant", "0.398942381", "relu", definition="E[s(z)]"),
        claim("constant", "0.4", "relu", definition="E[s(z)]"),
    ),
}  # fmt: skip


CONST = "1/sqrt(E[s(z)^2]-E[s(z)]^2)"
QUADRATIC = "s2*x**2 + s1*x + s0"

PUBLISHED: dict[str, tuple[str, str, Claim]] = {
    "sign_ntk": ("derivative_convention", "a.e.", claim("derivative", "0*c", "sign(x)")),
    "quadratic_d2": (
        "swap", "s0 stands where s2 is meant",
        Claim(quantity="constant", activation=QUADRATIC, formula={"d2": "s0**2"},
              params={"s0": "real", "s1": "real", "s2": "real", "tau": "positive"},
              definition={"d2": "(E[He(2, z)*s(sqrt(tau)*z)]/tau)^2/4"}),
    ),
    "trig_cos": (
        "factor", "factor 2",
        claim("nngp", "exp(-(q1 + q2 - 2*c)/2) + exp(-(q1 + q2 + 2*c)/2)", "cos(x)"),
    ),
    "trig_half_mean": (
        "factor", "sqrt(2)",
        claim("mean", "(cos(m) + sin(m))*exp(-q/2)", "(sqrt(2)*cos(x) + sqrt(2)*sin(x))/2"),
    ),
    "vstep": ("other_activation", "of sign", claim("nngp", "2/pi*asin(rho)", "Heaviside(x)")),
    "basri": (
        "scaling", "a factor rho too many",
        claim("derivative", "rho*(pi - acos(rho))/(2*pi)", "Max(x, 0)", where="unit variances"),
    ),
    "lee_mean": (
        "slip", "sqrt(q)", claim("mean", "m*Phi(m/sqrt(q)) + phi(m/sqrt(q))", "Max(x, 0)"),
    ),
    "lee_variance": (
        "centred_only", "standard normal",
        claim("variance", "Phi(m/sqrt(q)) - m/sqrt(q)*phi(m/sqrt(q)) - phi(m/sqrt(q))**2", "relu"),
    ),
    "softrelu": (
        "slip", "pi",
        claim("mean", "exp(-m**2/2)/(sqrt(2)*pi) + m*Phi(m)", "Max(x, 0)", where="q = 1"),
    ),
    "tanh_gain": (
        "approximation", "4.7 %",
        claim("constant", "5/3", "tanh(x)", definition="1/sqrt(E[s(z)^2])"),
    ),
    "relu_slope": (
        "approximation", "15 of 19 digits",
        claim("constant", "1.466942206924260361", "relu",
              definition="E[ds(z)^2]/(E[s(z)^2]-E[s(z)]^2)"),
    ),
    "gamma_relu": (
        "approximation", "0.064 %", claim("constant", "1.7139588594436646", "relu", definition=CONST)
    ),
    "gamma_gelu": (
        "approximation", "0.034 %", claim("constant", "1.7015043497085571", "gelu", definition=CONST)
    ),
    "gamma_leaky": (
        "approximation", "0.063 %",
        claim("constant", "1.70590341091156", "leaky_relu(x, 1/100)", definition=CONST),
    ),
    "k_nn": (
        "factor", "pi/2", claim("nngp", "asin(2*c/sqrt((1 + 2*q1)*(1 + 2*q2)))", "erf(x)")
    ),
    "arccosine_notes": (
        "factor", "factor 2",
        claim("nngp", "2/pi*q1*q2*(3*sqrt(1 - rho**2)*rho + (pi - acos(rho))*(1 + 2*rho**2))",
              "sqrt(2)*Max(x, 0)**2"),
    ),
    "ntk_is_nngp": (
        "other_quantity", "E[s(u) s(v)]",
        claim("identity", RELU, "Max(x, 0)", definition="q12*E[ds(u)*ds(v)]"),
    ),
    "relu_factor_2": (
        "factor", "arc-cosine kernel is twice the dual",
        claim("nngp", RELU.replace("/(2*pi)", "/pi"), "Max(x, 0)"),
    ),
    "mackay": (
        "approximation", "maximal relative error found",
        claim("mean", "1/(1 + exp(-m/sqrt(1 + pi*q/8)))", "1/(1 + exp(-x))"),
    ),
    "wang_manning": (
        "approximation", "maximal relative error found",
        claim("mean", "tanh(m/sqrt(1 + pi*q/2))", "tanh(x)"),
    ),
    "tanh_as_erf": (
        "other_activation", "erf(sqrt(pi)*x/2)",
        claim("nngp", "2/pi*asin(pi/2*c/sqrt((1 + pi/2*q1)*(1 + pi/2*q2)))", "tanh(x)"),
    ),
}  # fmt: skip


TRUE = (
    claim("nngp", RELU, "relu"),
    claim("nngp", "sqrt(q1*q2)/(2*pi)*(rho*acos(-rho) + sqrt(1 - rho**2))", "relu"),
    claim("derivative", "(pi - acos(rho))/(2*pi)", "relu"),
    claim("nngp", WILLIAMS, "erf"),
    claim("derivative", "4/(pi*sqrt((1 + 2*q1)*(1 + 2*q2) - 4*c**2))", "erf"),
    claim("nngp", GELU, "gelu"),
    claim("nngp", "exp(-(q1 + q2)/2)*cosh(c)", "cos"),
    claim("nngp", "1/sqrt((1 + q1)*(1 + q2) - c**2)", "gaussian"),
    claim("nngp", "1/4 + asin(c/sqrt((1 + q1)*(1 + q2)))/(2*pi)", "probit"),
    claim("nngp", "2/pi*sqrt(q1*q2)*(rho*asin(rho) + sqrt(1 - rho**2))", "abs"),
    claim("mean", RELU_MEAN, "relu"),
    claim("mean", "sqrt(2*q/pi)*exp(-m**2/(2*q)) + m*erf(m/sqrt(2*q))", "abs"),
    claim("mean", "m*Phi(m/sqrt(1+q)) + q/sqrt(1+q)*phi(m/sqrt(1+q))", "gelu"),
    claim("second_moment", RELU_SECOND, "relu"),
    claim("second_moment", "1/2 - exp(-2*q)*cos(2*m)/2", "sin"),
    claim("diagonal", "1/4 + asin(q/(1 + q))/(2*pi)", "probit"),
    claim("normalised", "2/pi*((4 + 11*rho^2)*sqrt(1 - rho^2) + (9*rho + 6*rho^3)*asin(rho))",
          "abs(x)^3"),
    claim("nngp", "s2**2*(2*c**2 + q1*q2) + s1**2*c + s2*s0*(q1 + q2) + s0**2", QUADRATIC,
          params={"s0": "real", "s1": "real", "s2": "real"}),
)  # fmt: skip
