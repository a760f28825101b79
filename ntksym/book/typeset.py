r"""Text of the language as LaTeX, term by term in the order it was typed.

SymPy would print the formula that it makes of the text; a reader wants the one that was published:
`rho*acos(-rho)` stays with its correlation and its arc cosine.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..language.names import GREEK
from ..language.parser import read_tree
from ..language.syntax import (
    Call,
    Compare,
    Logic,
    Name,
    Negate,
    Node,
    Not,
    Number,
    Pair,
    Power,
    Product,
    Sum,
    Truth,
)

_MACROS = {
    "sin": r"\sin", "cos": r"\cos", "tan": r"\tan", "sinh": r"\sinh", "cosh": r"\cosh",
    "tanh": r"\tanh", "asin": r"\arcsin", "acos": r"\arccos", "atan": r"\arctan", "log": r"\log",
    "ln": r"\log", "max": r"\max", "min": r"\min", "Max": r"\max", "Min": r"\min", "Phi": r"\Phi",
    "phi": r"\varphi", "s": r"\sigma", "ds": r"\sigma'", "gamma": r"\Gamma", "f": "f", "g": "g",
    "df": "f'", "dg": "g'", "OwenT": "T", "heaviside": r"\operatorname{step}",
    "Heaviside": r"\operatorname{step}", "step": r"\operatorname{step}",
    "sign": r"\operatorname{sgn}", "asinh": r"\operatorname{arsinh}",
    "acosh": r"\operatorname{arcosh}", "atanh": r"\operatorname{artanh}", "arcsin": r"\arcsin",
    "arccos": r"\arccos", "arctan": r"\arctan",
}  # fmt: skip
_RAISED = {"sin", "cos", "tan", "sinh", "cosh", "tanh", "log"}
"""Functions whose powers are written at the name, except the power -1."""
_NAMES = {
    "pi": r"\pi", "E": "e", "oo": r"\infty", "lam": r"\lambda", "gam": r"\gamma", 
    "I": r"\mathrm{i}",
    "sw2": r"\sigma_w^2", "sb2": r"\sigma_b^2", "weight_var": r"\mathrm{weight\_var}",
    "bias_var": r"\mathrm{bias\_var}", "phi": r"\varphi", "epsilon": r"\varepsilon", "ell": r"\ell",
}  # fmt: skip
_LETTERS = {n: "\\" + n for n in set(GREEK.values()) - {"lam", "omicron"}}
_SAME = {"Alpha": "A", "Beta": "B", "Epsilon": "E", "Zeta": "Z", "Eta": "H", "Iota": "I"} | {
    "Kappa": "K", "Mu": "M", "Nu": "N", "Rho": "P", "Tau": "T", "Chi": "X", "Lam": r"\Lambda"
}  # fmt: skip
_COMPARISONS = {"<=": r"\le", ">=": r"\ge", "!=": r"\ne", "==": "=", "<": "<", ">": ">"}
_NUMBER = re.compile(r"\d*\.?\d*(?:[eE][+-]?\d+)?")


def typeset(text: str) -> str:
    """LaTeX of a formula, with square brackets after E and everything in the order of the text.

    Raises:
        ParseError: text that is not a formula.
    """
    plain = text.translate(str.maketrans("[]", "()"))
    return _Setter(plain).show(read_tree(plain))


def typeset_name(name: str) -> str:
    r"""LaTeX of a name: `q11` is `q_{11}`, `rho` is `\rho`."""
    if name in _NAMES:
        return _NAMES[name]
    if name in _SAME:
        return _SAME[name]
    if name in _LETTERS:
        return _LETTERS[name]
    if len(name) == 1:
        return name
    if m := re.fullmatch(r"([A-Za-z]+?)_?(\d+)", name):
        return f"{typeset_name(m[1])}_{{{m[2]}}}"
    head, _, tail = name.partition("_")
    if head and tail and (len(head) == 1 or head in _LETTERS):
        return f"{typeset_name(head)}_{{{typeset_name(tail)}}}"
    return r"\mathrm{" + name.replace("_", r"\_") + "}"


@dataclass(frozen=True, slots=True)
class _Setter:
    """Sets one text; `text` is where numbers are copied from."""

    text: str

    def show(self, node: Node, *, slash: bool = False) -> str:
        """LaTeX of a node; with `slash`, quotients on one line (for exponents)."""
        match node:
            case Number():
                return self._number(node)
            case Name():
                return typeset_name(node.name)
            case Truth():
                return r"\text{true}" if node.value else r"\text{false}"
            case Negate():
                return "-" + self._inside(node.operand, (Sum, Negate), slash)
            case Sum():
                return self._sum(node, slash)
            case Product():
                return self._product(node, slash)
            case Power():
                return self._power(node, slash)
            case Call():
                return self._call(node, slash)
            case Pair():
                return rf"({self.show(node.value)}, {self.show(node.condition)})"
            case Compare():
                rest = "".join(f" {_COMPARISONS[op]} {self.show(n)}" for op, n in node.rest)
                return self.show(node.first) + rest
            case Logic():
                return rf"\text{{ {node.word} }}".join(self.show(n) for n in node.operands)
            case Not():
                return r"\text{not }" + self.show(node.operand)

    def _number(self, node: Number) -> str:
        found = _NUMBER.match(self.text, node.at)
        typed = found[0] if found else ""
        if not typed or typed == ".":
            return str(node.value)
        mantissa, _, exponent = typed.lower().partition("e")
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa

    def _inside(self, node: Node, kinds: tuple[type, ...], slash: bool) -> str:
        """LaTeX of a node, in parentheses where it is one of `kinds`."""
        shown = self.show(node, slash=slash)
        return _fenced(shown) if isinstance(node, kinds) else shown

    def _sum(self, node: Sum, slash: bool) -> str:
        out = []
        for i, (sign, term) in enumerate(node.terms):
            mark = "-" if sign < 0 else "+" if i else ""
            shown = self._inside(term, (Sum, Negate), slash)
            out.append(mark + (_fenced(shown) if mark and shown.startswith("-") else shown))
        return " ".join(out)

    def _product(self, node: Product, slash: bool) -> str:
        """Factors from left to right; a quotient takes what stands before its bar."""
        parts: list[str] = []
        above: list[Node] = []
        below: list[Node] = []

        def flush() -> None:
            if below and not slash:
                if above and isinstance(above[0], Negate) and not parts:
                    parts.append("-")
                    above[0] = above[0].operand
                top = self._row(above) if len(above) != 1 else self.show(above[0])
                low = self._row(below) if len(below) != 1 else self.show(below[0])
                parts.append(rf"\frac{{{top or '1'}}}{{{low}}}")
            elif below:
                low = self._row(below, slash)
                several = len(below) > 1 or isinstance(below[0], Product | Sum | Negate)
                if several and not low.startswith(r"\left(") and not low.startswith("("):
                    low = _fenced(low)
                parts.append(f"{self._row(above, slash) or '1'}/{low}")
            elif above:
                parts.append(self._row(above, slash, first=not parts))
            above.clear()
            below.clear()

        for sign, factor in node.factors:
            if sign < 0:
                below.append(factor)
                continue
            if below:
                flush()
            above.append(factor)
        flush()
        return _joined(parts)

    def _row(self, factors: list[Node], slash: bool = False, *, first: bool = True) -> str:
        shown = []
        for i, f in enumerate(factors):
            kinds: tuple[type, ...] = (Sum, Compare, Logic)
            if i or not first:
                kinds = (*kinds, Negate)
            shown.append(self._inside(f, kinds, slash))
        return _joined(shown)

    def _power(self, node: Power, slash: bool) -> str:
        exponent = self.show(node.exponent, slash=True)
        if exponent == "1/2":
            return rf"\sqrt{{{self.show(node.base)}}}"
        base = node.base
        if isinstance(base, Call) and base.name in _RAISED and isinstance(node.exponent, Number):
            return self._call(base, slash, power=exponent)
        shown = self.show(base, slash=slash)
        compound = isinstance(base, Sum | Product | Negate | Power | Compare)
        named = isinstance(base, Name) and ("^" in shown)
        if isinstance(base, Call) and base.name in ("exp", "diff", "sqrt", "factorial"):
            compound = True
        return f"{_fenced(shown) if compound or named else shown}^{{{exponent}}}"

    def _call(self, node: Call, slash: bool, power: str = "") -> str:
        special: dict[str, Callable[[list[str]], str]] = {
            "sqrt": lambda a: rf"\sqrt{{{a[0]}}}",
            "abs": lambda a: rf"\left|{a[0]}\right|",
            "Abs": lambda a: rf"\left|{a[0]}\right|",
            "E": lambda a: rf"E{_fenced(a[0], '[', ']')}",
            "He": lambda a: rf"\mathrm{{He}}_{{{a[0]}}}{_fenced(a[1])}",
            "Phi2": lambda a: rf"\Phi_2{_fenced(f'{a[0]}, {a[1]}; {a[2]}')}",
            "hyp2f1": lambda a: rf"{{}}_2F_1{_fenced(f'{a[0]}, {a[1]}; {a[2]}; {a[3]}')}",
            "binomial": lambda a: rf"\binom{{{a[0]}}}{{{a[1]}}}",
            "diff": lambda a: rf"\partial_{{{a[1]}}}\,{a[0]}",
            "factorial": lambda a: (a[0] if len(a[0]) == 1 else _fenced(a[0])) + "!",
            "factorial2": lambda a: (a[0] if len(a[0]) == 1 else _fenced(a[0])) + "!!",
        }
        arguments = [self.show(a, slash=slash) for a in node.arguments]
        counts = {"He": 2, "Phi2": 3, "hyp2f1": 4, "binomial": 2, "diff": 2}
        if node.name in ("Piecewise", "piecewise"):
            return self._cases(node)
        if node.name == "exp" and len(arguments) == 1:
            inner = self.show(node.arguments[0], slash=True)
            if r"\left" not in inner and inner.count("{") < 6:
                return f"e^{{{inner}}}"
            return r"\exp" + _fenced(arguments[0])
        if node.name in special and len(arguments) == counts.get(node.name, 1):
            return special[node.name](arguments)
        name = _MACROS.get(node.name, rf"\operatorname{{{node.name}}}")
        if "_" in node.name:
            name = typeset_name(node.name)
        raised = f"^{{{power}}}" if power else ""
        return f"{name}{raised}{_fenced(', '.join(arguments))}"

    def _cases(self, node: Call) -> str:
        rows = []
        for a in node.arguments:
            if not isinstance(a, Pair):
                rows.append(self.show(a))
            elif isinstance(a.condition, Truth):
                rows.append(rf"{self.show(a.value)} & \text{{otherwise}}")
            else:
                rows.append(rf"{self.show(a.value)} & {self.show(a.condition)}")
        return r"\begin{cases}" + r" \\ ".join(rows) + r"\end{cases}"


def _fenced(inside: str, left: str = "(", right: str = ")") -> str:
    r"""In delimiters, which grow only around what is tall."""
    tall = any(word in inside for word in (r"\frac", r"\sqrt", r"\left", r"\begin", r"\binom"))
    return rf"\left{left}{inside}\right{right}" if tall else f"{left}{inside}{right}"


def _joined(parts: list[str]) -> str:
    """Factors side by side; a dot where two numbers would run together."""
    out = ""
    for part in parts:
        if out and (part[:1].isdigit() or part[:1] == "."):
            out += r" \cdot " + part
        elif out and part.startswith("{}"):
            out += r"\," + part
        else:
            out += (" " if out and out != "-" else "") + part
    return out
