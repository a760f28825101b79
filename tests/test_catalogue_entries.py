"""Every entry of the catalogue, against the language, the references and its own definition."""

from __future__ import annotations

import math

import pytest
from sympy import Symbol

from ntksym import activations, references
from ntksym.activation import Activation
from ntksym.errors import BadActivation, UnknownName
from ntksym.language import parse, parse_activation, to_text
from ntksym.language.names import ASSUMPTIONS, fault
from ntksym.language.real import approximate
from ntksym.language.table import canonical, functions, known_names
from ntksym.symbols import x

ENTRIES = activations.catalogue()
every = pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.name)


def words(entry: Activation) -> dict[str, str]:
    """The word that gives each parameter of `entry` its assumptions."""
    found = {}
    for p in entry.params:
        fits = [w for w in ASSUMPTIONS if Symbol(p.name, **{"real": True, w: True}) == p]
        assert fits, f"{p} of {entry.name} cannot be declared in text"
        found[p.name] = fits[0]
    return found


def test_names_are_unique_identifiers() -> None:
    names = [e.name for e in ENTRIES]
    assert len(names) == len(set(names))
    assert all(name.isidentifier() and name.isascii() for name in names)


@every
def test_found_by_name_and_as_attribute(entry: Activation) -> None:
    assert activations.named(entry.name) is entry
    assert getattr(activations, entry.name) is entry
    assert parse_activation(entry.name) is entry
    assert entry.name in dir(activations)


@every
def test_callable_in_the_language(entry: Activation) -> None:
    assert parse(f"{entry.name}(x)", params=words(entry)) == entry.expr
    assert parse(f"{entry.name}(x)") == entry.expr
    given = "".join(f", {p.name}" for p in entry.params)
    assert parse(f"{entry.name}(x{given})", params=words(entry)) == entry.expr


@every
def test_text_reads_back(entry: Activation) -> None:
    assert parse(to_text(entry.expr), params=words(entry)) == entry.expr


@every
def test_title_references_and_parameters(entry: Activation) -> None:
    assert entry.title
    assert references.bibtex(entry.refs).count("@") == len(entry.refs)
    for p in entry.params:
        assert not fault(p.name)
        assert p.name not in known_names(True)


# What the entries are, written again with `math` alone, at three points.
def _phi(z: float) -> float:
    return math.erfc(-z / math.sqrt(2)) / 2


def _clip(z: float, lo: float, hi: float) -> float:
    return min(max(z, lo), hi)


SAME = {
    "identity": lambda z: z,
    "square": lambda z: z * z,
    "cube": lambda z: z**3,
    "hermite2": lambda z: z * z - 1,
    "hermite3": lambda z: z * (z * z - 1) - 2 * z,
    "hermite4": lambda z: z**4 - 6 * z**2 + 3,
    "hermite5": lambda z: z**5 - 10 * z**3 + 15 * z,
    "relu": lambda z: max(z, 0),
    "leaky_relu": lambda z: z if z > 0 else 0.7 * z,
    "abs": abs,
    "abrelu": lambda z: 0.7 * min(z, 0) + 1.6 * max(z, 0),
    "squared_relu": lambda z: max(z, 0) ** 2,
    "cubed_relu": lambda z: max(z, 0) ** 3,
    "relu4": lambda z: max(z, 0) ** 4,
    "shifted_relu": lambda z: max(z - 1.6, 0),
    "sign": lambda z: math.copysign(1, z),
    "step": lambda z: float(z > 0),
    "hardtanh": lambda z: _clip(z, -1, 1),
    "relu6": lambda z: _clip(z, 0, 6),
    "hardsigmoid": lambda z: _clip(z + 3, 0, 6) / 6,
    "hardswish": lambda z: z * _clip(z + 3, 0, 6) / 6,
    "softshrink": lambda z: math.copysign(max(abs(z) - 0.7, 0), z),
    "hardshrink": lambda z: z if abs(z) > 0.7 else 0,
    "threshold": lambda z: z if z > 0.7 else 1.6,
    "triangle": lambda z: max(0, 1 - abs(z)),
    "clip": lambda z: _clip(z, -0.7, 1.6),
    "erf": math.erf,
    "erfc": math.erfc,
    "probit": _phi,
    "gelu": lambda z: z * _phi(z),
    "gelu_scaled": lambda z: z * _phi(0.7 * z),
    "x_erf": lambda z: z * math.erf(z),
    "x2_probit": lambda z: z * z * _phi(z),
    "smooth_relu": lambda z: z * _phi(z) + math.exp(-z * z / 2) / math.sqrt(2 * math.pi),
    "erf_sigmoid": lambda z: math.erfc(-z) / 2,
    "elu": lambda z: z if z > 0 else 0.7 * math.expm1(z),
    "celu": lambda z: z if z > 0 else 0.7 * math.expm1(z / 0.7),
    "selu": lambda z: 1.0507009873554805 * (z if z > 0 else 1.6732632423543772 * math.expm1(z)),
    "scaled_elu": lambda z: 1.6 * (z if z > 0 else 0.7 * math.expm1(z)),
    "exp": math.exp,
    "exponential": lambda z: math.exp(1.6 * z),
    "laplace": lambda z: math.exp(-abs(z)),
    "one_sided_exponential": lambda z: math.exp(-0.7 * z) if z > 0 else 0,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "gaussian": lambda z: math.exp(-z * z / 2),
    "gaussian_b": lambda z: math.exp(1.6 * z * z),
    "odd_gaussian": lambda z: z * math.exp(-z * z / 2),
    "abs_gaussian": lambda z: abs(z) * math.exp(-z * z / 2),
    "mexican_hat": lambda z: (1 - z * z) * math.exp(-z * z / 2),
    "gabor": lambda z: math.sin(z) * math.exp(-z * z),
    "morlet": lambda z: math.cos(0.7 * z) * math.exp(-z * z / 2),
    "sin": math.sin,
    "cos": math.cos,
    "sine": lambda z: math.sin(0.7 * z + 1.6),
    "cosine": lambda z: math.cos(0.7 * z + 1.6),
    "rbf": lambda z: math.sqrt(2) * math.sin(math.sqrt(1.4) * z + math.pi / 4),
    "snake": lambda z: z + math.sin(0.7 * z) ** 2 / 0.7,
    "x_cos": lambda z: z * math.cos(z),
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
    "tanh": math.tanh,
    "softplus": lambda z: math.log1p(math.exp(z)),
    "silu": lambda z: z / (1 + math.exp(-z)),
    "mish": lambda z: z * math.tanh(math.log1p(math.exp(z))),
    "softsign": lambda z: z / (1 + abs(z)),
    "atan": math.atan,
    "logsigmoid": lambda z: -math.log1p(math.exp(-z)),
    "tanhshrink": lambda z: z - math.tanh(z),
    "gelu_tanh": lambda z: z / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3))),
}


@every
def test_is_the_function_of_its_name(entry: Activation) -> None:
    first = dict(zip((p.name for p in entry.params), (0.7, 1.6), strict=False))
    if entry.name in ("shifted_relu", "exponential", "gaussian_b"):
        first = {"b": 1.6}
    if entry.name == "clip":
        first = {"a": -0.7, "b": 1.6}
    values = {p: first[p.name] for p in entry.params}
    for z in (-1.9, -0.31, 0.42, 2.3):
        got = approximate(entry.expr, {x: z, **values})
        assert got == pytest.approx(SAME[entry.name](z), rel=1e-13, abs=1e-15), z


def test_every_parameter_decides_something() -> None:
    with_parameters = {e.name for e in ENTRIES if e.params}
    assert {"elu", "leaky_relu", "celu", "scaled_elu", "gelu_scaled", "sine"} <= with_parameters
    assert {n for n in with_parameters if functions()[n].defaults} == with_parameters


def test_unknown_name() -> None:
    with pytest.raises(UnknownName) as caught:
        activations.named("gelo")
    assert caught.value.text == (
        "the catalogue has no activation 'gelo'\n  use:   did you mean gelu?"
    )
    with pytest.raises(AttributeError, match="no attribute 'gelo'"):
        activations.gelo  # noqa: B018


def test_factories() -> None:
    assert activations.rectified_power(8).expr == activations.relu.expr**8
    assert activations.monomial(5).expr == x**5
    assert activations.hermite(6).expr == x**6 - 15 * x**4 + 45 * x**2 - 15
    assert activations.hermite(0).expr == 1
    with pytest.raises(BadActivation, match="an integer from 1 to 64"):
        activations.rectified_power(0)
    with pytest.raises(BadActivation, match="the order of a Hermite polynomial 65 is out of range"):
        activations.hermite(65)
    with pytest.raises(BadActivation):
        activations.monomial(True)


def test_aliases_lead_to_functions() -> None:
    for name in known_names(True):
        own = canonical(name)
        assert own in functions() or own in ("piecewise", "pow")


def test_references() -> None:
    keys = references.keys()
    assert len(keys) == len(set(keys)) >= 20
    text = references.bibtex(["cho2009kernel", "price1958useful", "cho2009kernel"])
    assert text.startswith("@inproceedings{cho2009kernel,")
    assert text.count("@") == 2 and text.endswith("}")
    for key in keys:
        entry = references.bibtex([key])
        assert entry.count("{") == entry.count("}")
        assert "author" in entry and "title" in entry and "year" in entry
        assert key[len(key.rstrip("abcdefghijklmnopqrstuvwxyz")) - 4 :][:4] in entry
    with pytest.raises(UnknownName, match="there is no reference 'nobody'"):
        references.bibtex(["nobody"])
