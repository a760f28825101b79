"""What to write for names that other languages and libraries have, and this one has not."""

from __future__ import annotations

_STEPS = (
    "heaviside(x) + heaviside(x - 1) + ..., finitely many; jumps without end only where they are "
    "those of a bounded wave, as in sign(sin(pi*x))"
)
_TWO = "pi/2 - atan(z), which is continuous, or atan(1/z), which jumps at 0: both have this name"
_PYTHON = "a Python callable of it in sampled_dual, whose errors are estimates"
_SEVERAL = "a function of one number: this one mixes several, or is random"
_MIXING = (
    "softmax softmin log_softmax logsoftmax sparsemax glu crelu maxout dropout logsumexp logmeanexp"
    " standardize one_hot multiheadattention"
).split()

INSTEAD = (
    {
        "sinc": "sin(z)/z, which is 1 at 0; sin(pi*z)/(pi*z) for the one of NumPy",
        "exp2": "2^z",
        "exp10": "10^z",
        "log2": "log(z)/log(2)",
        "log10": "log(z)/log(10)",
        "rsqrt": "1/sqrt(z)",
        "hypot": "sqrt(a^2 + b^2)",
        "sum": "the terms with +; in the formula of a claim Sum(term, n, 0, oo)",
        "product": "the factors with *",
        "theta": "heaviside(z)",
        "cases": "piecewise((a, x > 0), (b, True))",
        "quick_gelu": "z*sigmoid(1.702*z)",
        "erfcx": "exp(z^2)*erfc(z)",
        "erfi": "erf(z): erfi grows like exp(z^2)",
        "erfinv": "it is real from -1 to 1 only",
        "rrelu": "leaky_relu(z, (lower + upper)/2), as in evaluation: 11/48 by default; in training"
        " its slope is random",
        "logit": "it is real from 0 to 1 only",
        "sigma": "sigmoid(z), relu(z) or another by its name: sigma stands for any activation",
        "logaddexp": "log(exp(a) + exp(b))",
    }
    | dict.fromkeys(("acot", "arccot", "arcctg"), _TWO)
    | dict.fromkeys(
        ("floor", "ceil", "ceiling", "round", "rint", "trunc", "frac", "mod", "fmod"), _STEPS
    )
    | dict.fromkeys(("diff", "derivative", "integrate", "integral"), "the formula that it gives")
    | dict.fromkeys(("diracdelta", "dirac", "delta"), "heaviside(z): a square of delta has no mean")
    | dict.fromkeys(("besselj", "lambertw", "zeta", "si", "ci", "ei", "polylog"), _PYTHON)
    | dict.fromkeys(("rand", "randn", "random", "normal", "uniform", "noise"), _SEVERAL)
    | dict.fromkeys(_MIXING, _SEVERAL)
)
"""Name to what stands after `use:` in the error."""


def instead(name: str) -> str:
    """What to write for `name`, or "" where nothing is known of it."""
    return INSTEAD.get(name, INSTEAD.get(name.lower(), ""))
