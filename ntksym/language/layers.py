"""The activation layers of neural-tangents' `stax`, as what they compute of x.

Their names, options and defaults are those of neural-tangents 0.6.
"""

from __future__ import annotations

from fractions import Fraction
from math import factorial

from ..errors import ParseError, UnknownName
from .forms import Option
from .limits import MAX_ORDER
from .messages import caret, nearest
from .syntax import LIST, Call, Name, Node, Number, Pair, Power, Product, Sum

_A, _B, _C = (Option(name, (name,), default) for name, default in zip("abc", "110", strict=True))
_DEGREE = Option("degree", ("degree",))
LAYERS: dict[str, tuple[str, tuple[Option, ...]]] = {
    "Erf": ("a*erf(b*z) + c", (_A, _B, _C)),
    "Sigmoid_like": ("(erf(z/2.4020563531719796) + 1)/2", ()),
    "Gabor": ("gabor(z)", ()),
    "Gelu": ("gelu(z)", (Option("approximate", ("approximate",), "False"),)),
    "Sin": ("a*sin(b*z + c)", (_A, _B, _C)),
    "Cos": ("a*cos(b*z + c)", (_A, _B, _C)),
    "Rbf": ("sqrt(2)*sin(sqrt(2*gamma)*z + pi/4)", (Option("gamma", ("gamma",), "1"),)),
    "ABRelu": ("a*min(z, 0) + b*max(z, 0)", (Option("a", ("a",)), Option("b", ("b",)))),
    "Relu": ("relu(z)", ()),
    "LeakyRelu": ("leaky_relu(z, alpha)", (Option("alpha", ("alpha",)),)),
    "Abs": ("abs(z)", ()),
    "Sign": ("sign(z)", ()),
    "Exp": ("a*exp(b*z)", (_A, _B)),
    "Gaussian": ("a*exp(b*z^2)", (_A, Option("b", ("b",), "-1"))),
    "Hermite": ("hermite(degree, z)/sqrt(norm)", (_DEGREE,)),
    "Monomial": ("monomial(degree, z)", (_DEGREE,)),
    "RectifiedMonomial": ("rectified_power(degree, z)", (_DEGREE,)),
}
"""Layers: what they compute of z, and their options in their order."""

MODULES = ("stax", "nt.stax", "neural_tangents.stax")
"""How programs call the module that they are in."""

_POLYNOMIAL = "Polynomial"
_OF_FUNCTIONS = ("Elementwise", "ElementwiseNumerical")
_IGNORED = ("deg", "df")
"""Options of `ElementwiseNumerical` that say how it computes, not what."""
_INSTEAD = {
    "ExpNormalized": "sqrt(q11*q22)*exp(gamma*(rho + shift)) where a formula of a kernel is asked"
    " for: no activation has it",
} | dict.fromkeys(
    ("Dense", "Flatten", "serial", "Identity", "Conv"),
    "the activation alone; a network is mlp:ACTIVATION:depth=2,weight_var=2,bias_var=0, where one"
    " is asked for",
)


def is_layer(name: str) -> bool:
    """Whether it is called in a module of this table."""
    return name.rpartition(".")[0] in MODULES


def norm(degree: Node) -> Node:
    """The factorial of the degree, where it is a number that a polynomial may have."""
    value = degree.value if isinstance(degree, Number) else Fraction(0)
    whole = value.denominator == 1 and 0 <= value <= MAX_ORDER
    return Number(degree.at, Fraction(factorial(int(value)) if whole else 1))


def unusual(text: str, node: Call) -> Node | None:
    """What a layer that takes a list or a function computes; None where it is in `LAYERS`.

    Raises:
        UnknownName: a layer that has no activation.
        ParseError: not a list, or not a function, where one is needed.
    """
    own = node.name.rpartition(".")[2]
    if own in LAYERS:
        return None
    keys = dict(node.keywords)
    if own == _POLYNOMIAL:
        return _polynomial(text, node, [*node.arguments, *keys.values()])
    if own in _OF_FUNCTIONS:
        given = [*node.arguments[:1], *(keys[k] for k in keys if k == "fn")]
        if len(given) != 1 or {*keys} - {"fn", *_IGNORED}:
            raise ParseError(
                f"{node.name} is read with a function alone",
                where=caret(text, node.at),
                hint=f"{node.name}(jnp.tanh), or the formula itself",
            )
        function = given[0]
        return Call(function.at, function.name, ()) if isinstance(function, Name) else function
    known = (*LAYERS, _POLYNOMIAL, *_OF_FUNCTIONS)
    close = nearest(own, known)
    raise UnknownName(
        f"{node.name} is not an activation",
        where=caret(text, node.at),
        hint=_INSTEAD.get(own) or (f"did you mean {close}?" if close else ", ".join(known)),
    )


def _polynomial(text: str, node: Call, given: list[Node]) -> Node:
    """The sum of c_k x^k for the list of c_k."""
    found = given[0] if len(given) == 1 else None
    if isinstance(found, Call) and found.name == LIST:
        items = found.arguments
    elif isinstance(found, Pair):
        items = (found.value, found.condition)
    elif found is not None and text[: found.at].rstrip().endswith("["):
        items = (found,)
    else:
        raise ParseError(
            f"{node.name} takes one list of coefficients",
            where=caret(text, node.at),
            hint=f"{node.name}([1, 0, 1/2]) for 1 + x^2/2",
        )
    at = node.at
    powers = (Power(at, Name(at, "x"), Number(at, Fraction(k))) for k in range(len(items)))
    terms = tuple((1, Product(at, ((1, c), (1, p)))) for c, p in zip(items, powers, strict=True))
    return Sum(at, terms)
