"""MathML put right: the spaces, signs, bars and alphabets that a converter leaves wrong."""

from __future__ import annotations

import re
from html import unescape
from xml.etree.ElementTree import Element

_ROWS = {"math", "mrow", "mtd", "msqrt", "mstyle", "mphantom", "menclose", "mpadded"}
_SCRIPTS = {"msub", "msup", "msubsup", "munder", "mover", "munderover"}
_NAME = re.compile(r"[A-Za-z][A-Za-z_]+")
_OPENING, _CLOSING = set("([{⟨⌊⌈"), set(")]}⟩⌋⌉!")
_SIGNS = {"−", "+", "±", "∓", "-"}
_ACCENTS = set("^ˆ~˜˙¨¯‾→⃗´`ˇ˘")
_PRIMES = {"′", "″", "‴", "⁗"}
_LIMITS = {"lim", "max", "min", "sup", "inf", "argmax", "argmin", "limsup", "liminf", "det", "Pr"}
_APPLY = "⁡"


def tidy(element: Element, *, block: bool = False) -> None:
    """Put an element and everything in it right, in place; in a block, limits go below names."""
    for child in list(element):
        tidy(child, block=block)
        if child.tag == "mo" and not child.text:  # the delimiter that \\left. does not print
            element.remove(child)
    _token(element)
    if element.tag == "mover":
        _accent(element)
    elif element.tag == "msub" and block and (element[0].text or "") in _LIMITS:
        element.tag = "munder"
    elif element.tag == "mtable":
        _table(element)
    _unwrap(element)
    for i, child in enumerate(list(element)):
        element[i] = _primed(child)
    if element.tag in _ROWS:
        _fences(element)
        _bars(element)
        _signs(element)
        _names(element)


def _accent(e: Element) -> None:
    mark = e[1].text or "" if len(e) == 2 else ""
    if mark == "―":  # a bar over everything: the character that stretches
        e[1].text = "‾"
        e[1].attrib.clear()
        e[1].set("stretchy", "true")
        e.set("accent", "true")
    elif mark in _ACCENTS:
        e.set("accent", "true")
        e[1].set("stretchy", "false")


def _token(e: Element) -> None:
    e.text = text = unescape(e.text or "")
    if e.tag == "mspace" and e.attrib.get("width") == "negativethinmathspace":
        e.set("width", "-0.167em")
    if e.tag in ("mi", "mo", "mn", "mtext"):
        e.text = text = _alphabet(text.replace("\\_", "_"), e.attrib.get("mathvariant", ""))
        if e.attrib.get("mathvariant") not in (None, "normal"):
            del e.attrib["mathvariant"]
    if e.tag == "mo" and _NAME.fullmatch(text):
        e.tag = "mi"
        e.attrib.clear()
    elif e.tag == "mi" and len(text) == 1 and text in ";:,⌊⌋⌈⌉&":
        e.tag = "mo"
    if e.tag == "mi" and text in _PRIMES:
        e.tag = "mo"
        e.set("lspace", "0")
        e.set("rspace", "0")
    if e.tag == "mo" and text in _OPENING | _CLOSING and "form" not in e.attrib:
        e.set("form", "prefix" if text in _OPENING else "postfix")
        e.attrib.setdefault("stretchy", "false")
    if e.tag == "mtext":
        e.text = text = re.sub(r"\\([\^{}_%&#$ ])", r"\1", text)
    if e.tag == "mo" and text == "/":
        e.set("lspace", "0")
        e.set("rspace", "0")
    if e.tag == "mtext" and "_" in text and _NAME.fullmatch(text):
        e.tag = "mi"
        e.attrib.clear()
    if e.tag == "mo" and text == "∂":
        e.tag = "mi"  # a letter: no space around it
        e.attrib.clear()


_PLANES = {  # first letter of A-Z, of a-z, of 0-9
    "double-struck": (0x1D538, 0x1D552, 0x1D7D8),
    "bold": (0x1D400, 0x1D41A, 0x1D7CE),
    "script": (0x1D49C, 0x1D4B6, None),
    "fraktur": (0x1D504, 0x1D51E, None),
    "sans-serif": (0x1D5A0, 0x1D5BA, 0x1D7E2),
    "monospace": (0x1D670, 0x1D68A, 0x1D7F6),
}
_HOLES = {
    "double-struck": dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True)),
    "script": dict(zip("BEFHILMR", "ℬℰℱℋℐℒℳℛ", strict=True)),
    "fraktur": dict(zip("CHIRZ", "ℭℌℑℜℨ", strict=True)),
}


def _alphabet(text: str, variant: str) -> str:
    """The letters and digits of another alphabet, as characters."""
    if variant not in _PLANES:
        return text
    upper, lower, digit = _PLANES[variant]
    out = []
    for c in text:
        if c in _HOLES.get(variant, {}):
            out.append(_HOLES[variant][c])
        elif "A" <= c <= "Z":
            out.append(chr(upper + ord(c) - ord("A")))
        elif "a" <= c <= "z":
            out.append(chr(lower + ord(c) - ord("a")))
        elif digit is not None and "0" <= c <= "9":
            out.append(chr(digit + ord(c) - ord("0")))
        else:
            out.append(c)
    return "".join(out)


def _table(table: Element) -> None:
    """Cells of an aligned table: right, left, right, left; the class says so to the sheet."""
    aligned = any("columnalign" in cell.attrib for row in table for cell in row)
    aligned = aligned or "columnalign" in table.attrib
    words = (table.attrib.pop("columnalign", "") or "").split()
    for key in ("columnlines", "rowlines", "rowspacing", "columnspacing"):
        table.attrib.pop(key, None)
    if not aligned:
        return
    for row in table:
        for i, cell in enumerate(row):
            side = cell.attrib.pop("columnalign", "") or (words[i] if i < len(words) else "center")
            cell.set("class", f"cell-{side}")


def _unwrap(e: Element) -> None:
    """Rows of one element that are not needed; an operator keeps its row, which is its spacing."""
    for i, child in enumerate(list(e)):
        while child.tag == "mrow" and len(child) == 1 and not child.attrib and child[0].tag != "mo":
            child = child[0]
        e[i] = child


_BARS = {"|", "∣", "‖"}
_TALL = {"mfrac", "msqrt", "mroot", "mtable", "munder", "mover", "munderover"}


def _fences(row: Element) -> None:
    r"""Delimiters of \left and \right that have nothing tall between them stay small."""
    if len(row) < 2 or not all(e.attrib.get("fence") == "true" for e in (row[0], row[-1])):
        return
    if not any(e.tag in _TALL for e in row.iter()):
        for e in (row[0], row[-1]):
            e.set("stretchy", "false")


def _primed(e: Element) -> Element:
    """A prime beside its letter: its glyph is raised in itself, and would be raised twice."""
    if e.tag != "msup" or len(e) != 2 or e[1].text not in _PRIMES:
        return e
    row = Element("mrow")
    row.extend(list(e))
    return row


def _bars(row: Element) -> None:
    """Bars pair up, open and close; a bar that is left over stands between."""
    inner = [_base(e) for e in row]  # |f|^p: the second bar is the base of the power
    bars = [e for e in inner if e.tag == "mo" and e.text in _BARS and "form" not in e.attrib]
    paired = len(bars) - len(bars) % 2
    for i, e in enumerate(bars):
        e.set("stretchy", "false")
        if e.text == "∣" or i >= paired:
            e.set("lspace", "0.28em")
            e.set("rspace", "0.28em")
            continue
        e.set("form", "postfix" if i % 2 else "prefix")
        e.set("lspace", "0")
        e.set("rspace", "0")


def _signs(row: Element) -> None:
    """A sign at the beginning, or after another operator, has no operand on its left."""
    before: Element | None = None
    for e in row:
        if e.tag == "mspace":
            continue
        if e.tag == "mo" and e.text in _SIGNS and (before is None or _is_operator(before)):
            e.set("form", "prefix")
        before = e


def _is_operator(e: Element) -> bool:
    if e.tag != "mo":
        return False
    return e.attrib.get("form") != "postfix" and (e.text or "") not in _CLOSING | {"!", "∞"}


def _base(e: Element) -> Element:
    while e.tag in _SCRIPTS and len(e):
        e = e[0]
    return e


def is_name(e: Element) -> bool:
    """Whether an element is the name of a function, with or without exponents and indices."""
    base = _base(e)
    text = base.text or ""
    return base.tag == "mi" and bool(_NAME.fullmatch(text))


def _opens(e: Element) -> bool:
    """Whether an element begins with a delimiter."""
    if e.tag == "mo":
        return (e.text or "") in _OPENING or (e.attrib.get("form") == "prefix" and e.text == "|")
    return e.tag == "mrow" and len(e) > 0 and _opens(e[0])


def _names(row: Element) -> None:
    """Thin spaces around names of functions, as in TeX; an invisible application before `(`."""
    children = list(row)
    if not any(is_name(e) for e in children):
        return
    out: list[Element] = []
    for i, e in enumerate(children):
        before = out[-1] if out else None
        after = children[i + 1] if i + 1 < len(children) else None
        if is_name(e) and before is not None and before.tag not in ("mo", "mspace", "mtext"):
            out.append(_space())
        elif is_name(e) and before is not None and before.attrib.get("form") == "postfix":
            out.append(_space())
        out.append(e)
        if not is_name(e) or after is None or after.tag in ("mspace", "mtext"):
            continue
        if _opens(after):
            variable = "_" in (_base(e).text or "")
            out.append(_space() if variable else _operator(_APPLY))
        elif after.tag != "mo" and not is_name(after):
            out.append(_space())
    for e in children:
        row.remove(e)
    row.extend(out)


def _space() -> Element:
    return Element("mspace", {"width": "0.167em"})


def _operator(text: str) -> Element:
    e = Element("mo")
    e.text = text
    return e
