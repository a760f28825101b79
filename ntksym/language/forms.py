"""Functions of other libraries that have options: what they mean, with keywords and defaults.

The defaults are those of PyTorch 2, JAX 0.10, Keras 3 and TensorFlow 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Option:
    """A parameter of a library's function.

    Attributes:
        name: as in the template.
        spelled: its keywords.
        default: its value; "" where libraries differ.
        by: its value by library, where they differ.
        may_lack: it has no value where none is given, and the template says what is then.
    """

    name: str
    spelled: tuple[str, ...]
    default: str = ""
    by: Mapping[str, str] = field(default_factory=dict)
    may_lack: bool = False


_SLOPES = {"torch": "1/100", "jax": "1/100", "keras": "1/5", "tf": "1/5", "layers": "3/10"}
_TANH = {"torch": "False", "jax": "True", "keras": "False", "tf": "False"}
_BETA = Option("beta", ("beta",), "1")
_LAM = Option("lam", ("lambd", "lam", "threshold"), "1/2")
_ALPHA = Option("alpha", ("alpha",), "1")
FORMS: dict[str, tuple[str, tuple[Option, ...]]] = {
    "leaky_relu": (
        "leaky_relu(z, alpha)",
        (Option("alpha", ("negative_slope", "alpha", "slope"), by=_SLOPES),),
    ),
    "elu": ("elu(z, alpha)", (_ALPHA,)),
    "celu": ("celu(z, alpha)", (_ALPHA,)),
    "softplus": ("log(1 + exp(beta*z))/beta", (_BETA,)),
    "silu": ("silu(beta*z)/beta", (_BETA,)),
    "hardtanh": (
        "min(max(z, low), high)",
        (Option("low", ("min_val",), "-1"), Option("high", ("max_val",), "1")),
    ),
    "softshrink": ("softshrink(z, lam)", (_LAM,)),
    "hardshrink": ("hardshrink(z, lam)", (_LAM,)),
    "threshold": (
        "threshold(z, cut, value)",
        (Option("cut", ("threshold", "cut")), Option("value", ("value", "default_value"))),
    ),
    "gelu": ("gelu(z)", (Option("approximate", ("approximate",), by=_TANH),)),
    "relu": (  # without a maximum, min(z, top) has z for its top
        "piecewise((min(z, top), z > cut), (slope*(z - cut), True))",
        (
            Option("slope", ("negative_slope",), "0"),
            Option("top", ("max_value",), may_lack=True),
            Option("cut", ("threshold",), "0"),
        ),
    ),
    "squareplus": ("(z + sqrt(z^2 + b))/2", (Option("b", ("b",), "4"),)),
    "sparse_plus": ("piecewise((0, z <= -1), ((z + 1)^2/4, z < 1), (z, True))", ()),
    "sparse_sigmoid": ("min(1, max(0, (z + 1)/2))", ()),
}
"""Functions with options: what they mean of z, written once, and the options in their order."""

ONLY_FORMS = ("squareplus", "sparse_plus", "sparse_sigmoid")
"""Those that are no functions of the language: they are read as what they mean."""

INSTEAD_OF = {
    ("softplus", "threshold"): "log(1 + exp(beta*x))/beta, which PyTorch rounds to x beyond the"
    " threshold; piecewise((x, beta*x > 20), (log(1 + exp(beta*x))/beta, True)) for exactly that",
}
"""What to write for an option, by function and keyword, where there is something to say."""
