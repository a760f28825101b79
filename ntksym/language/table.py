"""The functions of the language, as data: name, arity, context, growth, and what each builds.

A name is looked up here first, then in the catalogue of activations: `gelu(z)` is the entry
`gelu` at `z`, and `elu(z, 2)` the entry with its parameters, in alphabetical order, filled in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import sympy
from sympy import (
    Abs,
    Expr,
    Heaviside,
    Integer,
    Max,
    Min,
    Piecewise,
    Rational,
    Symbol,
    preorder_traversal,
)

from .. import activations
from ..activations.polynomials import hermite_polynomial
from ..errors import BadActivation, TooLarge
from ..functions import Phi, Phi2, density
from ..symbols import x
from .limits import MAX_EXTREMES, MAX_ORDER


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the language.

    Attributes:
        name: as it is called.
        usage: the call as shown in an error about the number of arguments.
        least: the least number of arguments.
        most: the largest number of arguments.
        build: arguments to SymPy expression.
        copies: how often the result writes an argument.
        nodes: the size of the result without its arguments.
        degree: the factor on the polynomial degree of the arguments.
        order: the first argument is an integer from 0 to 64, which multiplies the degree.
        formula_only: not real on the whole line, so not part of an activation.
        piecewise: the result has conditions on the arguments.
        defaults: the parameters of the catalogue entry, used where they are not given.
    """

    name: str
    usage: str
    least: int
    most: int
    build: Callable[..., Expr]
    copies: int = 1
    nodes: int = 1
    degree: int = 1
    order: bool = False
    formula_only: bool = False
    piecewise: bool = False
    defaults: tuple[Symbol, ...] = ()

    @property
    def arity(self) -> str:
        """The number of arguments in words."""
        if self.least == self.most:
            return f"{self.least} argument" + "s" * (self.least != 1)
        return f"{self.least} to {self.most} arguments"


def _one(name: str, build: Callable[[Expr], Expr], copies: int = 1, nodes: int = 1) -> Function:
    return Function(name, f"{name}(z)", 1, 1, build, copies, nodes)


def _cbrt(z: Expr) -> Expr:
    """The real cube root, so that it is real for negative z (SymPy's own is not)."""
    return sympy.sign(z) * Abs(z) ** Rational(1, 3)


def _rational(p: Expr, q: Expr = Integer(1)) -> Expr:  # noqa: B008
    return p / q


def _hyp2f1(a: Expr, b: Expr, c: Expr, z: Expr) -> Expr:
    return sympy.hyper((a, b), (c,), z)


def _owen(h: Expr, a: Expr) -> Expr:
    """Owen's T: P(X > h, 0 < Y < a X), in terms of Phi2 (differentiate both sides in a)."""
    return Phi2(h, Integer(0), a / sympy.sqrt(1 + a**2)) - Phi(h) / 2


def _factorial(n: Expr) -> Expr:
    _order(n)
    return sympy.factorial(n) if isinstance(n, Integer) else sympy.gamma(n + 1)


def _double_factorial(n: Expr) -> Expr:
    """The double factorial of a whole number; n!! = (n + 2)!!/(n + 2) for odd n below 0 too."""
    if not n.is_integer:  # of others it is continued in more than one way
        raise BadActivation(f"the double factorial of {n}", hint="one of a whole number")
    _order(Abs(n) if n.is_odd else n)
    return sympy.factorial2(n)


def _binomial(n: Expr, k: Expr) -> Expr:
    """Of a whole k the quotient n (n - 1) ... (n - k + 1)/k!, else that of Gamma functions."""
    for z in (n, k):
        _order(abs(z))
    if isinstance(n, Rational) and isinstance(k, Integer):
        return sympy.binomial(n, k)
    if isinstance(n, Integer) and n < 0 and k.is_integer:
        return (-1) ** k * _binomial(k - n - 1, k)
    return sympy.gamma(n + 1) / (sympy.gamma(k + 1) * sympy.gamma(n - k + 1))


def _order(n: Expr) -> None:
    """Keep factorials small: what is written by their digits is not bounded by `measure`."""
    if isinstance(n, Integer) and int(n) > 2 * MAX_ORDER:
        raise TooLarge(f"a factorial of {n}", hint=f"at most {2 * MAX_ORDER}")
    if isinstance(n, Integer) and int(n) < -1:
        raise ValueError("no value")


_PRIMITIVES = (
    Function("max", "max(a, b, ...)", 1, MAX_EXTREMES, Max),
    Function("min", "min(a, b, ...)", 1, MAX_EXTREMES, Min),
    _one("abs", Abs),
    _one("sign", sympy.sign),
    Function("heaviside", "heaviside(z) or heaviside(z, value at 0)", 1, 2, Heaviside),
    _one("exp", sympy.exp),
    _one("expm1", lambda z: sympy.exp(z) - 1, nodes=3),
    _one("log", sympy.log),
    _one("log1p", lambda z: sympy.log(1 + z), nodes=3),
    _one("sqrt", sympy.sqrt, nodes=3),
    _one("cbrt", _cbrt, copies=2, nodes=6),
    _one("sin", sympy.sin),
    _one("cos", sympy.cos),
    _one("tan", sympy.tan),
    _one("cot", lambda z: sympy.cos(z) / sympy.sin(z), copies=2, nodes=4),
    _one("sec", lambda z: 1 / sympy.cos(z), nodes=3),
    _one("csc", lambda z: 1 / sympy.sin(z), nodes=3),
    _one("sinh", sympy.sinh),
    _one("cosh", sympy.cosh),
    _one("tanh", sympy.tanh),
    _one("sech", lambda z: 1 / sympy.cosh(z), nodes=3),
    _one("csch", lambda z: 1 / sympy.sinh(z), nodes=3),
    _one("coth", lambda z: sympy.cosh(z) / sympy.sinh(z), copies=2, nodes=4),
    _one("asinh", sympy.asinh),
    _one("acosh", sympy.acosh),
    _one("atanh", sympy.atanh),
    _one("asin", sympy.asin),
    _one("acos", sympy.acos),
    _one("atan", sympy.atan),
    _one("erf", sympy.erf),
    _one("erfc", sympy.erfc),
    _one("Phi", Phi),
    _one("phi", density, nodes=16),
    _one("Integer", lambda n: n),
    Function("Rational", "Rational(p, q)", 1, 2, _rational, nodes=2),
    Function("hermite", "hermite(n, z)", 2, 2, hermite_polynomial, order=True),
    Function("monomial", "monomial(n, z)", 2, 2, lambda n, z: z**n, nodes=2, order=True),
    Function(
        "rectified_power",
        "rectified_power(n, z)",
        2,
        2,
        lambda n, z: Max(z, 0) ** n,
        nodes=4,
        order=True,
    ),
    Function("atan2", "atan2(y, x)", 2, 2, sympy.atan2, formula_only=True),
    Function("Phi2", "Phi2(h, k, r)", 3, 3, Phi2, formula_only=True),
    Function("hyp2f1", "hyp2f1(a, b, c, z)", 4, 4, _hyp2f1, formula_only=True),
    Function("OwenT", "OwenT(h, a)", 2, 2, _owen, nodes=24, copies=4, formula_only=True),
    Function("gamma", "gamma(z)", 1, 1, sympy.gamma, formula_only=True),
    Function("factorial", "factorial(n)", 1, 1, _factorial, formula_only=True),
    Function("factorial2", "factorial2(n)", 1, 1, _double_factorial, formula_only=True),
    Function("binomial", "binomial(n, k)", 2, 2, _binomial, formula_only=True),
)

ALIASES = {
    "Max": "max",
    "Min": "min",
    "Abs": "abs",
    "fabs": "abs",
    "sgn": "sign",
    "Heaviside": "heaviside",
    "H": "heaviside",
    "ln": "log",
    "arctan": "atan",
    "arcsinh": "asinh",
    "arcsin": "asin",
    "arccos": "acos",
    "Piecewise": "piecewise",
    "Pow": "pow",
    "He": "hermite",
    "norm_cdf": "Phi",
    "norm_pdf": "phi",
    "swish": "silu",
    "logistic": "sigmoid",
    "prelu": "leaky_relu",
    "hard_tanh": "hardtanh",
    "hard_sigmoid": "hardsigmoid",
    "hard_swish": "hardswish",
    "soft_shrink": "softshrink",
    "hard_shrink": "hardshrink",
    "log_sigmoid": "logsigmoid",
    "tanh_shrink": "tanhshrink",
    "soft_plus": "softplus",
    "soft_sign": "softsign",
    "ReLU": "relu",
    "GELU": "gelu",
    "ELU": "elu",
    "SELU": "selu",
    "CELU": "celu",
    "SiLU": "silu",
    "signum": "sign",
    "absolute": "abs",
    "arsinh": "asinh",
    "arsh": "asinh",
    "arccosh": "acosh",
    "arcosh": "acosh",
    "arch": "acosh",
    "arctanh": "atanh",
    "artanh": "atanh",
    "arth": "atanh",
    "arctg": "atan",
    "tg": "tan",
    "ctg": "cot",
    "cosec": "csc",
    "sh": "sinh",
    "ch": "cosh",
    "th": "tanh",
    "expit": "sigmoid",
    "ndtr": "Phi",
    "maximum": "max",
    "minimum": "min",
    "fmax": "max",
    "fmin": "min",
    "clamp": "clip",
    "power": "pow",
    "unit_step": "step",
    "hard_silu": "hardswish",
    "gelu_new": "gelu_tanh",
    "linear": "identity",
}
"""Other spellings, SymPy's among them."""

SPECIAL = ("piecewise", "pow")
"""Calls with a syntax of their own."""


class _Functions(Mapping[str, Function]):
    """The functions by name; those of the catalogue are built when they are first used."""

    def __init__(self) -> None:
        self._own = {f.name: f for f in _PRIMITIVES}
        self._names = dict.fromkeys((*self._own, *activations.names()))

    def __getitem__(self, name: str) -> Function:
        if name not in self._names:
            raise KeyError(name)
        return self._own.get(name) or _from_catalogue(name)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@lru_cache(maxsize=1)
def functions() -> Mapping[str, Function]:
    """Every function by its own name; aliases and `SPECIAL` are not among the keys."""
    return _Functions()


def primitives() -> str:
    """The functions of activations that are not entries of the catalogue, for an error."""
    numbers = ("Integer", "Rational")
    names = [f.name for f in _PRIMITIVES if not f.formula_only and f.name not in numbers]
    return ", ".join((*names, "piecewise"))


def canonical(name: str) -> str:
    """The own name of a function for one of its spellings, in any case: `LeakyReLU`, `RELU`."""
    if name in ALIASES or name in functions() or name in SPECIAL:
        return ALIASES.get(name, name)
    return _squashed().get(_squash(name), name)


def _squash(name: str) -> str:
    return name.replace("_", "").lower()


@lru_cache(maxsize=1)
def _squashed() -> Mapping[str, str]:
    """Own names by their letters alone, where one function has them (not Phi and phi)."""
    found: dict[str, set[str]] = {}
    for name in (*functions(), *SPECIAL, *ALIASES):
        if len(name) > 2:
            found.setdefault(_squash(name), set()).add(ALIASES.get(name, name))
    return {letters: own.pop() for letters, own in found.items() if len(own) == 1}


@lru_cache(maxsize=2)
def known_names(formula: bool) -> frozenset[str]:
    """Every name that can be called in an activation, or in a formula."""
    hidden = {f.name for f in _PRIMITIVES if f.formula_only and not formula}
    own = {*functions()} - hidden
    return frozenset(own | set(SPECIAL) | {a for a, n in ALIASES.items() if n in own | {*SPECIAL}})


@lru_cache(maxsize=256)
def _from_catalogue(name: str) -> Function:
    entry = activations.named(name)
    params = entry.params

    def build(z: Expr, *values: Expr) -> Expr:
        return entry.expr.xreplace({x: z, **dict(zip(params, values, strict=True))})

    nodes = list(preorder_traversal(entry.expr))
    return Function(
        entry.name,
        f"{entry.name}(z)" + (f" or {entry.name}(z, {', '.join(map(str, params))})") * bool(params),
        1,
        1 + len(params),
        build,
        copies=max(nodes.count(s) for s in (x, *params)),
        nodes=len(nodes),
        degree=_degree(entry.expr),
        piecewise=entry.expr.has(Piecewise),
        defaults=params,
    )


def _degree(expr: Expr) -> int:
    """The polynomial degree in x, where functions count as their arguments; at least 1."""
    if isinstance(expr, sympy.Pow) and expr.exp.is_Integer:
        return max(1, abs(int(expr.exp))) * _degree(expr.base)
    below = [_degree(a) for a in expr.args]
    if isinstance(expr, sympy.Mul):
        return max(1, sum(d for a, d in zip(expr.args, below, strict=True) if a.has(x)))
    return max(below, default=1)
