"""Pieces of generated C: literals, and polynomials without a long chain of dependent steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .._base import Spelled, comment


def c_literal(value: float, suffix: str = "") -> str:
    """Shortest C99 text that reads back to the same double; `suffix` f: to the nearest float."""
    if value in (float("inf"), float("-inf")):
        return "INFINITY" if value > 0 else "-INFINITY"
    if value.is_integer() and abs(value) < 1e6:
        return f"{int(value)}.0{suffix}"
    digits, exponent = value.hex().split("p")
    text = f"{digits.rstrip('0').rstrip('.')}p{exponent}" if "." in digits else value.hex()
    return text + suffix


def _spelled(value: float | str) -> str:
    """A double to the bit, a whole number, or a text as it is."""
    return c_literal(value) if isinstance(value, float) else str(value)


def in_lines(values: Sequence[float | str], per_line: int, indent: str) -> str:
    """Numbers between commas, so many in a line; lines after the first are indented."""
    texts = [_spelled(v) for v in values]
    starts = range(0, len(texts), per_line)
    return f",\n{indent}".join(", ".join(texts[at : at + per_line]) for at in starts)


def braced(values: Iterable[float | str]) -> str:
    """`{a, b, c}`."""
    return "{" + ", ".join(map(_spelled, values)) + "}"


def array(name: str, values: Sequence[float | str], kind: str = "double", per_line: int = 1) -> str:
    """A constant array of numbers."""
    body = in_lines(values, per_line, "  ")
    return f"static const {kind} {name}[{len(values)}] = {{\n  {body}\n}};\n"


def horner(coefficients: Sequence[float], x: str, indent: str) -> str:
    """The polynomial in x, lowest power first: a line for each coefficient."""
    text = c_literal(coefficients[-1])
    for c in reversed(coefficients[:-1]):
        text = f"{c_literal(c)} +\n{indent}{x} * ({text})"
    return text


def polynomial(
    coefficients: tuple[float, ...], x: str, indent: str = "  ", kind: str = "", chains: int = 4
) -> str:
    """Declarations that end in `p`, the polynomial in the variable `x` (lowest power first).

    Four Horner chains in x^4, joined at the end, or two in x^2: the steps of a single chain would
    each wait for the one before.  Two are fewer operations, for loops that do nothing else.
    `kind` "f" is single precision.
    """
    real, madd = ("float", "NTKSYM_MADDF") if kind else ("double", "NTKSYM_MADD")
    fourth = f", {x}4 = {x}2 * {x}2" if chains == 4 else ""
    text = f"{indent}const {real} {x}2 = {x} * {x}{fourth};\n"
    for k in range(chains):
        part = coefficients[k::chains]
        text += f"{indent}{real} p{k} = {c_literal(part[-1], kind)};\n"
        for c in part[-2::-1]:
            text += f"{indent}p{k} = {madd}(p{k}, {x}{chains}, {c_literal(c, kind)});\n"
    joined = f"{madd}(p1, {x}, p0)"
    if chains == 4:
        joined = f"{madd}({madd}(p3, {x}, p2), {x}2, {joined})"
    return text + f"{indent}const {real} p = {joined};\n"


def spelled_body(s: Spelled, indent: str, real: str = "double") -> str:
    """The lines as declarations."""
    text = ""
    notes = dict(s.constants)
    for name, value in s.lines:
        text += f"{indent}const {real} {name} = {value};{_remark(value, notes)}\n"
    return text


def _remark(value: str, notes: dict[str, str]) -> str:
    found = [f for literal, f in notes.items() if literal in value and "0x" in literal]
    return f" /* {comment('; '.join(found))} */" if found else ""


def mentions(text: str, name: str) -> bool:
    """Whether a name occurs in a text as a word."""
    at = text.find(name)
    while at >= 0:
        end = at + len(name)
        if not _in_word(text[at - 1 : at]) and not _in_word(text[end : end + 1]):
            return True
        at = text.find(name, end)
    return False


def _in_word(ch: str) -> bool:
    return ch.isalnum() or ch == "_"


def wrap(start: str, items: list[str]) -> str:
    """A call or signature over several lines."""
    pad = " " * len(start)
    lines, line = [], start
    for k, item in enumerate(items):
        piece = item + (", " if k < len(items) - 1 else ")")
        if len(line) + len(piece) > 98 and line.strip():
            lines.append(line.rstrip())
            line = pad
        line += piece
    return "\n".join([*lines, line.rstrip()])
