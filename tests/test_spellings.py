"""What papers, frameworks and other languages write, and the same in the language."""

from __future__ import annotations

import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import sympy

from ntksym.errors import NtksymError
from ntksym.language import as_activation, parse, parse_activation

READ = {
    # signs of print
    "x\u00b2 \u2212 x\u00b3": "x^2 - x^3",
    "\u00bdx + x\u00b7\u03a6(x) \u00d7 2": "x/2 + 2*x*Phi(x)",
    "\u221a(1+x\u00b2)": "sqrt(1 + x^2)",
    "sgn(x)\u221a|x|": "sign(x)*sqrt(abs(x))",
    "(1 + x\u00b2)\u207b\u00b9": "1/(1 + x^2)",
    "[1 + erf{x}]/2": "(1 + erf(x))/2",
    # products without a sign
    "2x + 3sin(x)": "2*x + 3*sin(x)",
    "-2x^2": "-2*x^2",
    "(x+1)(x-1)": "(x + 1)*(x - 1)",
    "x(x+1)^2": "x*(x + 1)^2",
    "sin(2\u03c0x)": "sin(2*pi*x)",
    "\u03b1x + \u03b2": "alpha*x + beta",
    "cos(x)sin(x)": "cos(x)*sin(x)",
    "|x| x": "x*abs(x)",
    # functions
    "sin x + 1": "sin(x) + 1",
    "x*log|x|": "x*log(abs(x))",
    "sin^2(x) + cos\u00b2(x)tanh(x)": "sin(x)^2 + cos(x)^2*tanh(x)",
    "relu^2(x)": "max(x, 0)^2",
    "(1 - |x|)_+": "max(1 - abs(x), 0)",
    "x_+ - x_+^2": "max(x, 0) - max(x, 0)^2",
    "e^(-x^2/2)": "exp(-x^2/2)",
    "e*e^x": "E*exp(x)",
    "RELU(x) + LeakyReLU(x, 1/3)": "relu(x) + leaky_relu(x, 1/3)",
    "arctg(x) + th(x)": "atan(x) + tanh(x)",
    # choices
    "x if x > 0 else 0.1*x": "piecewise((x, x > 0), (x/10, True))",
    "0 if x < 0 else x if x < 1 else 1": "piecewise((0, x < 0), (x, x < 1), (1, True))",
    "x > 0 ? x : 0": "piecewise((x, x > 0), (0, True))",
    "np.where((x > 0) & (x < 1), x, 0)": "piecewise((x, (x > 0) & (x < 1)), (0, True))",
    "x*(x > 0) - 2*(x < -1)": "x*heaviside(x) - 2*heaviside(-1 - x)",
    "x*1[x > 0]": "x*heaviside(x)",
    "If[x>0, x, 0]": "piecewise((x, x > 0), (0, True))",
    # heads
    "lambda z: z*np.tanh(z)": "x*tanh(x)",
    "f(t) = t^2": "x^2",
    "\u03c6(z) = a*z": "a*x",
    "y = max(x, 0)": "max(x, 0)",
    "z \u21a6 z\u00b2": "x^2",
    # frameworks
    "nn.GELU(approximate='tanh')": "gelu_tanh(x)",
    "torch.nn.GELU()": "gelu(x)",
    "jax.nn.gelu": "gelu_tanh(x)",
    "stax.Gaussian(b=-1/2)": "exp(-x^2/2)",
    "nt.stax.Sin(2, c=1)": "2*sin(x + 1)",
    "stax.ABRelu(-1, 1/2, do_stabilize=True)": "max(x, 0)/2 - min(x, 0)",
    "stax.Polynomial([0, 1, a])": "x + a*x^2",
    "stax.Polynomial(coef=[1, 2])": "1 + 2*x",
    "stax.ElementwiseNumerical(jnp.tanh, deg=25)": "tanh(x)",
    "stax.Elementwise(fn=nn.GELU(approximate='tanh'))": "gelu_tanh(x)",
    "1 - stax.Rbf(gamma=2)": "1 - sqrt(2)*sin(2*x + pi/4)",
    "jax.nn.gelu(2*x, approximate=False)": "gelu(2*x)",
    "F.gelu(x)": "gelu(x)",
    "tf.nn.leaky_relu(x)": "leaky_relu(x, 1/5)",
    "torch.nn.functional.leaky_relu(x, .1, inplace=True)": "leaky_relu(x, 1/10)",
    "nn.LeakyReLU()": "leaky_relu(x, 1/100)",
    "nn.LeakyReLU(0.2)": "leaky_relu(x, 1/5)",
    "F.elu(x, alpha=.5)": "elu(x, 1/2)",
    "nn.ELU()": "elu(x, 1)",
    "softplus(x, beta=2)": "log(1 + exp(2*x))/2",
    "nn.Softplus(2)": "log(1 + exp(2*x))/2",
    "torch.nn.PReLU()": "leaky_relu(x)",
    "swish(x, 1.5)": "x*sigmoid(3*x/2)",
    "nn.Hardtanh(min_val=-2)": "min(max(x, -2), 1)",
    "nn.Softshrink()": "softshrink(x, 1/2)",
    "nn.Threshold(0.1, 20)": "threshold(x, 1/10, 20)",
    "keras.activations.exponential(x)": "exp(x)",
    "torch.clamp(x, min=0, max=6)": "relu6(x)",
    "np.maximum(x, 0) + math.exp(-x**2)*np.pi": "max(x, 0) + pi*exp(-x^2)",
    "x*scipy.stats.norm.cdf(x)": "x*Phi(x)",
    "elu(x, alpha=a)": "elu(x, a)",
    "sine(x, phase=1, a=2)": "sin(2*x + 1)",
    "jax.nn.squareplus(x, b=1)": "(x + sqrt(x^2 + 1))/2",
    "squareplus": "(x + sqrt(x^2 + 4))/2",
    "sparse_plus(2*x)": "piecewise((0, x <= -1/2), ((2*x + 1)^2/4, x < 1/2), (2*x, True))",
    "keras.activations.relu(x, max_value=6)": "relu6(x)",
    "keras.activations.relu(x, 0.1, None, 1)": "piecewise((x, x > 1), ((x - 1)/10, True))",
    "keras.layers.ReLU(threshold=1, max_value=3, negative_slope=.2)": "piecewise((3, x > 3), (x, x > 1), ((x - 1)/5, True))",
}


@pytest.mark.parametrize(("text", "same"), READ.items(), ids=[ascii(t) for t in READ])
def test_read_as(text: str, same: str) -> None:
    assert_same(as_activation(text).expr, as_activation(same).expr)


def assert_same(got: Any, want: Any) -> None:
    if got != want:  # conditions and steps: the same off single points
        assert {s.name for s in got.free_symbols} == {s.name for s in want.free_symbols}
        values = {s: sympy.Rational(1, 3) for s in got.free_symbols if s.name != "x"}
        for at in ("-7/3", "-1/5", "1/7", "6/5", "13/2"):
            there = values | {s: sympy.Rational(at) for s in got.free_symbols if s.name == "x"}
            assert abs(sympy.N(got.xreplace(there) - want.xreplace(there), 30)) < 1e-25


REFUSED = ("torch.nn.RReLU()",)
"""Calls that are no function of one number as they stand: random in training."""

LIST = Path(__file__).parents[1] / "codegen" / "bench" / "frameworks.toml"


def written(value: Any) -> str:
    """The value as a program has it, but for a third, which is not the nearest double."""
    return repr(value).replace("0.3333333333333333", "1/3")


def calls() -> list[tuple[str, dict[str, Any]]]:
    """The calls of the frameworks that are checked against the frameworks themselves."""
    entries = tomllib.loads(LIST.read_text(encoding="utf-8"))["activation"]
    return [
        (
            f"{c['name']}({', '.join(f'{k}={written(v)}' for k, v in c.get('with', {}).items())})",
            entry,
        )
        for entry in entries
        for c in entry.get("calls", ())
        if c["name"] != "torch.nn.PReLU"
    ]


@pytest.mark.parametrize(("text", "entry"), calls(), ids=lambda v: v if isinstance(v, str) else "")
def test_calls_of_frameworks_mean_what_the_frameworks_compute(
    text: str, entry: dict[str, Any]
) -> None:
    want = parse_activation(entry["formula"], entry.get("assume", {}))
    at = {k: sympy.Rational(str(Fraction(v))) for k, v in entry.get("at", {}).items()}
    if text in REFUSED:
        with pytest.raises(NtksymError) as error:
            as_activation(text)
        assert error.value.hint
    else:
        assert_same(as_activation(text).expr, want.with_params(**at).expr)


@pytest.mark.parametrize(
    "text",
    [
        "1/2x", "x/2\u03c0", "x^2y", "x y", "a x", "2 3", "1.0f", "0x10", "1_000*x", "2j*x",
        "sin 2x", "sin x*x", "sin^-1(x)", "\u221ax^2", "tanh(x)(x)", "max(0,5 * x; 0)",
        "nn.gelu(x)", "leaky_relu(x, slop=1)", "nn.Dropout(0.1)", "os.system('x')",
        "x.__class__", "().x", "[x for x in (1,)]", "'x'", "x := 2", "x == 1", "f(x, y) = x",
        "f(z) = x*z", "lambda: x", "lambda *a: x", "np", "np.x", "x = 3", "softplus(beta)",
        "clip(x, min=0, middle=1)",
        "tf.keras.activations.hard_sigmoid(x)", "keras.layers.ReLU(6.)", "relu(x, 2)", "softplus(x, threshold=9)",
        "stax.Erf", "stax.Erf(x)", "stax.Erf(1, 2, 3, 4)", "stax.ABRelu(1)", "stax.Polynomial(3)", "[1, 2, 3]",
        "stax.ExpNormalized()", "stax.Dense(512)", "stax.Elementwise()", "stax.Monomial(x)", "(x, 1, 2)",
        "torch.nn.RReLU()", "jax.nn.log_softmax(x)", "tf.nn.crelu(x)", "elu(x, alpha=1, alpha=2)", "elu(x, 1, alpha=2)",
    ],
)  # fmt: skip
def test_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(NtksymError) as caught:
        as_activation(text)
    assert caught.value.what


def test_a_declared_e_stays_a_parameter() -> None:
    e = sympy.Symbol("e", real=True, positive=True)
    assert as_activation("e^x", {"e": "positive"}).params == (e,)
    assert as_activation("x + e").params != ()


def test_formulas_of_claims_are_read_too() -> None:
    names = ("q", "rho")
    got = parse("\u221a(1 \u2212 rho\u00b2)/2 + 2q", variables=names)
    assert got == parse("sqrt(1 - rho^2)/2 + 2*q", variables=names)
