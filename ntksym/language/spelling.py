"""The names, keywords and defaults of other libraries, put into those of this language.

`torch.nn.LeakyReLU(0.2)`, `F.elu(x, alpha=.5)`, `np.maximum(x, 0)`, `softplus(x, beta=2)`, `e^x`.
A default that libraries set differently is taken from the module that is named, or refused.  The
defaults are those of PyTorch 2, JAX 0.10, Keras 3 and TensorFlow 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from ..errors import ParseError, UnknownName
from .forms import FORMS, INSTEAD_OF, ONLY_FORMS, Option
from .grammar import grammar
from .layers import LAYERS, is_layer, norm, unusual
from .layers import MODULES as STAX
from .messages import caret
from .syntax import (
    LIST,
    Call,
    Compare,
    Logic,
    Name,
    Node,
    Not,
    Number,
    Pair,
    Power,
    Product,
    Sum,
    Truth,
    children,
    rebuild,
)
from .table import canonical, functions, known_names

_LIBRARIES = {
    "torch": "torch torch.nn torch.nn.functional nn.functional F torch.special",
    "jax": "jax jax.nn flax.linen flax.nnx",
    "keras": "keras keras.activations tf.keras.activations",
    "layers": "keras.layers tf.keras.layers layers",
    "tf": "tf tf.nn tf.math tensorflow tensorflow.nn tensorflow.math",
    "stax": " ".join(STAX),
    "": "nn np numpy jnp jax.numpy jax.scipy.special math Math sp sympy scipy.special special"
    " sc keras.ops scipy.stats stats norm scipy.stats.norm stats.norm mpmath mp",
}
MODULES = {module: library for library, row in _LIBRARIES.items() for module in row.split()}
"""What may stand before a dot, and the library whose defaults it means."""

_PLAIN = {
    "norm.cdf": "Phi",
    "norm.pdf": "phi",
    "math.e": "E",
    "np.e": "E",
    "numpy.e": "E",
    "np.pi": "pi",
    "inf": "oo",
    "exponential": "exp",
    "linear": "identity",
    "absolute": "abs",
}
"""Names behind a module that this language spells in another way."""


_LOWER = ("min", "a_min", "low", "clip_value_min", "min_value")
_UPPER = ("max", "a_max", "high", "clip_value_max", "max_value")
_IGNORED = ("inplace", "name", "dtype", "device", "do_stabilize")
_CONDITIONS = (Compare, Logic, Not)
_INDICATORS = ("I", "indicator", "ind", "iverson")
_CHOICES = ("where", "select", "If", "cond", "ifelse")


def spelled(text: str, node: Node) -> Node:
    """`node` with the names, keywords and defaults of this language.

    Raises:
        UnknownName: a module that is not known.
        ParseError: an option that is not known, or that has no default.
    """
    if isinstance(node, Name) and (
        node.name in ONLY_FORMS
        or ("." in node.name and _constant(node) is None and not is_layer(node.name))
    ):
        # A function without its argument, as it is handed to a network: torch.tanh
        node = Call(node.at, node.name, ())
    return _Speller(text).node(node)


def euler(node: Node, declared: Mapping[str, object], variables: Mapping[str, object]) -> Node:
    """`node` with E for e, where it raises e to a power that depends on a variable."""
    if "e" in declared or "e" in variables or not _raises_e(node, variables):
        return node

    def change(part: Node) -> Node:
        if isinstance(part, Name) and part.name == "e":
            return Name(part.at, "E")
        return rebuild(part, change)

    return change(node)


def _raises_e(node: Node, variables: Mapping[str, object]) -> bool:
    found = isinstance(node, Power) and isinstance(node.base, Name) and node.base.name == "e"
    if found and isinstance(node, Power) and names(node.exponent) & set(variables):
        return True
    return any(_raises_e(child, variables) for child in children(node))


def names(node: Node) -> set[str]:
    """The names in `node` that are not called."""
    if isinstance(node, Name):
        return {node.name}
    return set().union(*(names(child) for child in children(node)))


def _constant(node: Name) -> str | None:
    module, _, own = node.name.rpartition(".")
    if module and module not in MODULES:
        return None
    own = _PLAIN.get(node.name, _PLAIN.get(own, own))
    return own if own in ("pi", "E", "oo") else None


@dataclass(frozen=True, slots=True)
class _Speller:
    text: str

    def node(self, node: Node) -> Node:
        if isinstance(node, Name) and "." in node.name:
            if (own := _constant(node)) is None:
                raise UnknownName(
                    f"{node.name} is not called",
                    where=caret(self.text, node.at),
                    hint=f"{node.name}()" if is_layer(node.name) else f"{node.name}(x)",
                )
            return Name(node.at, own)
        if isinstance(node, (Product, Sum)):
            return rebuild(node, lambda part: _indicator(self.node(part)))
        if isinstance(node, Call) and node.name == LIST:
            raise ParseError(
                "a list cannot stand here",
                where=caret(self.text, node.at),
                hint="a list only in stax.Polynomial([1, 0, 2])",
            )
        if isinstance(node, Call) and is_layer(node.name):
            if (meant := unusual(self.text, node)) is not None:
                return self.node(meant)
        if not isinstance(node, Call):
            return rebuild(node, self.node)
        inner = tuple(self.node(a) for a in node.arguments)
        keywords = tuple(
            (key, self.node(a)) for key, a in node.keywords if key not in _IGNORED and not _none(a)
        )
        return self.call(replace(node, arguments=inner, keywords=keywords))

    def call(self, node: Call) -> Node:
        module, _, own = node.name.rpartition(".")
        if module and module not in MODULES:
            raise UnknownName(
                f"there is no module {module!r}",
                where=caret(self.text, node.at),
                hint=f"{own}(x), with the argument in brackets",
            )
        if module in STAX:
            return self.layer(node, own)
        own = _PLAIN.get(f"norm.{own}", own) if module.endswith("norm") else own
        own = _PLAIN.get(own, own) if module else own
        name, library = canonical(own), MODULES.get(module, "")
        if library == "" and module == "nn" and own[:1].isupper():
            library = "torch"
        if own in _INDICATORS and len(node.arguments) == 1 and not node.keywords:
            return _indicator(node.arguments[0])
        if name not in known_names(True) and own not in _CHOICES and name not in ONLY_FORMS:
            return replace(node, name=own)  # the error of a name that is not known
        given = list(node.arguments)
        keys = dict(node.keywords)
        layer = own[:1].isupper() and name in FORMS
        bare = not given and (module or keys or own[:1].isupper() or name in ONLY_FORMS)
        if bare or (layer and not any("x" in names(a) for a in given)):
            given.insert(0, Name(node.at, "x"))
            layer = True
        if own in _CHOICES and own not in known_names(True):
            return self.choice(node, given)
        if name == "clip" and given and keys and not {*keys} - {*_LOWER, *_UPPER}:
            return self.clip(node, given[0], keys)
        if module.startswith("tf.") and name == "hardsigmoid":
            raise ParseError(
                "versions of Keras differ in hard_sigmoid",
                where=caret(self.text, node.at),
                hint="hardsigmoid(x) for max(0, min(1, x/6 + 1/2)), or clip(0.2*x + 0.5, 0, 1)",
            )
        form = FORMS.get(name)
        if own.lower() == "prelu":
            form = None  # its slope is learned: a parameter
        # Without a module, options or a layer it is the entry of the catalogue.
        most = functions()[name].most if name in functions() else 2
        if name == "relu" and not keys and len(given) == 1:
            form = None  # no option is given: it is the one of the catalogue
        if form and (module or keys or layer or len(given) > most or name in ONLY_FORMS):
            return self.form(node, name, library, given, keys)
        if keys:
            given += self.catalogue(node, name, keys)
        return Call(
            node.at, name if name != own and own not in known_names(True) else own, tuple(given)
        )

    def layer(self, node: Call, own: str) -> Node:
        """The template of `LAYERS` at x and the options."""
        _, options = LAYERS[own]
        wrong = len(node.arguments) > len(options)
        if wrong or any("x" in names(a) for a in (*node.arguments, *dict(node.keywords).values())):
            usage = ", ".join(o.spelled[0] for o in options)
            raise ParseError(
                f"{node.name} makes a layer of its options, and x is not one",
                where=caret(self.text, node.at),
                hint=f"{node.name}({usage})",
            )
        given = [Name(node.at, "x"), *node.arguments]
        return self.form(node, own.lower(), "stax", given, dict(node.keywords))

    def form(
        self, node: Call, name: str, library: str, given: list[Node], keys: dict[str, Node]
    ) -> Node:
        """The template of `FORMS` or `LAYERS` at the argument and the options."""
        own = node.name.rpartition(".")[2]
        template, options = LAYERS[own] if library == "stax" else FORMS[name]
        if len(given) > 1 + len(options):
            usage = f"{node.name}(z, {', '.join(o.spelled[0] for o in options)})"
            raise ParseError(
                f"{node.name} takes at most {1 + len(options)} arguments, not {len(given)}",
                where=caret(self.text, node.at),
                hint=usage,
            )
        if name == "relu" and library != "keras" and len(given) > 1:
            raise ParseError(
                f"the numbers of {node.name} have no order that all libraries share",
                where=caret(self.text, node.at),
                hint=f"{node.name}(x, negative_slope=..., max_value=..., threshold=...)",
            )
        values: dict[str, Node] = {"z": given[0]}
        for option, value in zip(options, given[1:], strict=False):
            if not _none(value):
                values[option.name] = value
        for key, value in keys.items():
            found = next((o.name for o in options if key in o.spelled), "")
            if not found or found in values:
                raise self.no_option(node, key, options)
            values[found] = value
        for option in options:
            text = option.by.get(library, option.default)
            if option.name not in values and text:
                values[option.name] = grammar(text)
            elif option.name not in values and not option.may_lack:
                if name == "gelu":
                    why = "gelu(x), or gelu_tanh(x) for the approximation"
                else:
                    z = "" if library == "stax" else "x, "
                    why = f"{node.name}({z}{option.spelled[0]}=...)"
                missing = f"libraries differ in the default of {option.spelled[0]}, or have none"
                if library == "stax":
                    missing = f"{node.name} has no default of {option.spelled[0]}"
                raise ParseError(
                    missing,
                    where=caret(self.text, node.at),
                    hint=why,
                )
        if name == "relu" and library != "stax" and "top" not in values:
            values["top"] = given[0]
        if name == "gelu":
            tanh = self.approximate(node, values["approximate"])
            return Call(node.at, "gelu_tanh" if tanh else "gelu", (given[0],))
        if "degree" in values:
            values["norm"] = norm(values["degree"])
        return self.put(grammar(template), values, node.at)

    def approximate(self, node: Call, value: Node) -> bool:
        """Whether the option of GELU asks for the formula with tanh."""
        said = value.name if isinstance(value, Name) else ""
        if isinstance(value, Truth):
            return value.value
        if said not in ("tanh", "none", "None"):
            raise ParseError(
                "approximate is True, False, 'tanh' or 'none'", where=caret(self.text, node.at)
            )
        return said == "tanh"

    def put(self, template: Node, values: Mapping[str, Node], at: int) -> Node:
        """The template with `values` for its names, all at the place `at`."""
        if isinstance(template, Name) and template.name in values:
            return values[template.name]
        return replace(rebuild(template, lambda part: self.put(part, values, at)), at=at)

    def no_option(self, node: Call, key: str, options: tuple[Option, ...]) -> ParseError:
        known = ", ".join(o.spelled[0] for o in options)
        own = canonical(node.name.rpartition(".")[2])
        return ParseError(
            f"{node.name} has no option {key!r} here",
            where=caret(self.text, node.at),
            hint=INSTEAD_OF.get((own, key))
            or (f"its options: {known}" if known else "the formula that it means"),
        )

    def catalogue(self, node: Call, name: str, keys: dict[str, Node]) -> list[Node]:
        """The parameters of a catalogue entry, in their order."""
        params = functions()[name].defaults if name in functions() else ()
        for key in keys:
            if key not in {p.name for p in params}:
                own = tuple(Option(p.name, (p.name,)) for p in params)
                raise self.no_option(node, key, own)
        return [keys.get(p.name, Name(node.at, p.name)) for p in params]

    def clip(self, node: Call, z: Node, keys: dict[str, Node]) -> Node:
        for key, value in keys.items():
            z = Call(node.at, "max" if key in _LOWER else "min", (z, value))
        return z

    def choice(self, node: Call, given: list[Node]) -> Node:
        """`where(condition, a, b)`."""
        if len(given) != 3 or not isinstance(given[0], (*_CONDITIONS, Truth)):
            raise ParseError(
                f"{node.name} takes a condition and two values",
                where=caret(self.text, node.at),
                hint=f"{node.name}(x > 0, a, b)",
            )
        return _either(node.at, *given)


def _none(node: Node) -> bool:
    """Whether it is Python's word for an option that is not given."""
    return isinstance(node, Name) and node.name == "None"


def _either(at: int, condition: Node, a: Node, b: Node) -> Node:
    return Call(at, "piecewise", (Pair(at, a, condition), Pair(at, b, Truth(at, True))))


def _indicator(node: Node) -> Node:
    """A condition among numbers, as in `x*(x > 0)`, counts 1 or 0."""
    if not isinstance(node, _CONDITIONS):
        return node
    one, zero = (Number(node.at, Fraction(k)) for k in (1, 0))
    return _either(node.at, node, one, zero)
