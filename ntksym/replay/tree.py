"""Expression trees: nested tuples, read from JSON lists with known heads and bounded size.

`("rat", p, q)`, `("sym", name)`, `("add", ...)`, `("mul", ...)`, `("pow", base, exponent)`,
`("piecewise", ("case", expression, condition), ...)`, and functions by name.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from .problem import BadCertificate
from .reading import MOST_DIGITS

Tree: TypeAlias = tuple[Any, ...]

MOST_NODES = 20_000
MOST_DEPTH = 90
X = ("sym", "x")
"""The variable of a function of one variable."""

CONSTANTS = ("pi", "E", "I", "EulerGamma")
_ONE = (
    "exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sech", "asin", "acos", "atan",
    "asinh", "acosh", "atanh", "erf", "erfc", "erfi", "gamma", "abs", "sign", "Phi", "re", "im",
    "conj",
)  # fmt: skip
_MANY = 4096
ARITY: dict[str, tuple[int, int]] = {
    **dict.fromkeys(CONSTANTS, (0, 0)),
    **dict.fromkeys(_ONE, (1, 1)),
    **dict.fromkeys(("lt", "le", "gt", "ge", "eq", "ne", "pow", "atan2", "OwenT"), (2, 2)),
    **dict.fromkeys(("add", "mul", "max", "min", "piecewise", "and", "or"), (1, _MANY)),
    "heaviside": (2, 2),
    "Phi2": (3, 3),
    "hyp2f1": (4, 4),
    "case": (2, 2),
    "not": (1, 1),
    "true": (0, 0),
    "false": (0, 0),
}
CONDITIONS = {"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "true", "false"}


def rat(p: int, q: int = 1) -> Tree:
    """The rational number p/q, in lowest terms."""
    from fractions import Fraction

    f = Fraction(p, q)
    return ("rat", f.numerator, f.denominator)


ZERO, ONE = ("rat", 0, 1), ("rat", 1, 1)


def read_tree(data: Any, where: str, names: frozenset[str]) -> Tree:
    """The expression in JSON data, whose symbols are among `names`.

    Raises:
        BadCertificate: an unknown head or symbol, a wrong number of arguments, too large.
    """
    count = [0]
    tree = _read(data, where, names, count, 0)
    if tree[0] in CONDITIONS or tree[0] == "case":
        raise BadCertificate(f"{tree[0]!r} is not an expression", where)
    return tree


def _read(data: Any, where: str, names: frozenset[str], count: list[int], depth: int) -> Tree:
    count[0] += 1
    if count[0] > MOST_NODES or depth > MOST_DEPTH:
        raise BadCertificate("an expression is too large or too deep", where)
    if not isinstance(data, list) or not data or type(data[0]) is not str:
        raise BadCertificate("an expression is a list that starts with a word", where)
    head, *args = data
    if head == "rat":
        return _number(args, where)
    if head == "sym":
        if len(args) != 1 or type(args[0]) is not str or args[0] not in names:
            raise BadCertificate(f"the symbol {str(args)[:40]} has no value", where)
        return ("sym", args[0])
    if head not in ARITY:
        raise BadCertificate(f"{head[:40]!r} is not a known function", where)
    least, most = ARITY[head]
    if not least <= len(args) <= most:
        raise BadCertificate(f"{head!r} with {len(args)} arguments", where)
    parts = tuple(_read(a, where, names, count, depth + 1) for a in args)
    for i, part in enumerate(parts):
        _check_kind(head, i, part, where)
    return (head, *parts)


def _check_kind(head: str, index: int, part: Tree, where: str) -> None:
    if head == "piecewise":
        good = part[0] == "case"
    elif head in ("and", "or", "not") or (head == "case" and index == 1):
        good = part[0] in CONDITIONS
    else:
        good = part[0] not in CONDITIONS and part[0] != "case"
    if not good:
        raise BadCertificate(f"{part[0]!r} cannot stand inside {head!r}", where)


def _number(args: list[Any], where: str) -> Tree:
    if len(args) != 2 or not all(type(a) is str and 0 < len(a) <= MOST_DIGITS for a in args):
        raise BadCertificate("a number is written [rat, numerator, denominator], as texts", where)
    top, bottom = args
    if not all(t.isascii() and t.isdigit() for t in (top.removeprefix("-"), bottom)):
        raise BadCertificate(f"{top[:20]!r}/{bottom[:20]!r} is not a rational number", where)
    if int(bottom) == 0:
        raise BadCertificate("a denominator is zero", where)
    return rat(int(top), int(bottom))


def has_x(tree: Tree) -> bool:
    """Whether the variable x occurs."""
    if tree[0] in ("rat", "sym"):
        return tree == X
    return any(has_x(a) for a in tree[1:])


def replace(tree: Tree, values: dict[str, Tree]) -> Tree:
    """The tree with symbols replaced."""
    if tree[0] == "rat":
        return tree
    if tree[0] == "sym":
        return values.get(tree[1], tree)
    return (tree[0], *(replace(a, values) for a in tree[1:]))


def show(tree: Tree) -> str:
    """The expression as one line of text."""
    head, *args = tree
    if head == "rat":
        return str(args[0]) if args[1] == 1 else f"({args[0]}/{args[1]})"
    if head == "sym":
        return str(args[0])
    if head in CONSTANTS:
        return str(head)
    texts = [show(a) for a in args]
    if head in ("add", "mul"):
        return "(" + {"add": " + ", "mul": "*"}[head].join(texts) + ")"
    if head == "pow":
        return f"{texts[0]}^{texts[1]}"
    return f"{head}({', '.join(texts)})"
