"""Prose: Markdown with `$math$`, as HTML without anything loaded from elsewhere."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from ..extras import for_site as need
from .mathml import BadMath, mathml
from .records import BadBook

Address = Callable[[str], str]
"""From a link as written, `price.py`, to an address on the site, or the link unchanged."""


def prose(
    text: str,
    *,
    where: str = "",
    address: Address | None = None,
    depth: int = 1,
    prefix: str = "",
) -> str:
    """Markdown as HTML; `$...$` and `$$...$$` become MathML.

    Args:
        text: Markdown; HTML in it is shown as text.
        where: the file, for error messages.
        address: what becomes of relative links.
        depth: added to the level of headings, so that `##` is one level below the page's title.
        prefix: begins the ids of headings.

    Raises:
        BadBook: mathematics that cannot be read.
        MissingExtra: `markdown-it-py` or `mdit-py-plugins` is not installed.
    """
    parser = _markdown(where, address or (lambda link: link), depth)
    html: str = parser.render(_on_one_line(text), {"prefix": prefix})
    return _BEFORE_MARK.sub(r'<span class="nb">\1\2</span>', html)


_BEFORE_MARK = re.compile(
    r"(<math(?! display)(?:(?!</math>).)*</math>)([.,;:!?)\u2019\u201d]+)", re.DOTALL
)
"""Mathematics and the mark that follows it, which no line break may part."""


_FENCED = re.compile(r"(^```.*?^```[^\n]*$|\$\$.+?\$\$)", re.MULTILINE | re.DOTALL)


def _on_one_line(text: str) -> str:
    """Displayed formulas without line breaks: a line that begins with + would begin a list."""
    return _FENCED.sub(lambda m: m[0] if m[0][0] == "`" else " ".join(m[0].split()), text)


def inline(text: str, *, where: str = "") -> str:
    """One line of Markdown as HTML, without a paragraph around it.

    Raises:
        BadBook, MissingExtra: as for `prose`.
    """
    html: str = _markdown(where, lambda link: link, 1).renderInline(text)
    return html


def _markdown(where: str, address: Address, depth: int) -> Any:
    parser: Any = need("markdown_it", "markdown-it-py").MarkdownIt("commonmark", {"html": False})
    parser.enable(["table", "smartquotes", "replacements"])
    parser.options["typographer"] = True
    parser.use(
        need("mdit_py_plugins.dollarmath", "mdit-py-plugins").dollarmath_plugin,
        allow_space=True,
        allow_digits=False,
        double_inline=True,
    )
    rules: dict[str, Any] = parser.renderer.rules

    def shown(latex: str, block: bool) -> str:
        try:
            made = mathml(latex, block=block)
        except BadMath as error:
            raise BadBook(
                error.what, where=f"{where}: {error.where}".strip(": "), hint=error.hint
            ) from error
        return f'<div class="display">{made}</div>\n' if block else made

    def in_line(tokens: Any, at: int, options: Any, env: Any) -> str:
        return shown(tokens[at].content, False)

    def block(tokens: Any, at: int, options: Any, env: Any) -> str:
        return shown(tokens[at].content, True)

    def double(tokens: Any, at: int, options: Any, env: Any) -> str:
        # Inside a paragraph, where a <div> may not be.
        made = shown(tokens[at].content, True)
        return made.replace("<div", "<span", 1).replace("</div>\n", "</span>")

    def heading(tokens: Any, at: int, options: Any, env: Any) -> str:
        level = min(6, int(tokens[at].tag[1]) - 2 + depth + 1)
        if tokens[at].nesting < 0:
            return f"</h{level}>\n"
        return f'<h{level} id="{_anchor(tokens[at + 1].content, env)}">'

    def link(tokens: Any, at: int, options: Any, env: Any) -> str:
        target = str(tokens[at].attrGet("href") or "")
        return f'<a href="{escape(address(target), quote=True)}">'

    def image(tokens: Any, at: int, options: Any, env: Any) -> str:
        raise BadBook("a page has no images but its plots", where=where)

    def code(tokens: Any, at: int, options: Any, env: Any) -> str:
        return f'<pre class="code"><code>{escape(tokens[at].content)}</code></pre>\n'

    rules |= {
        "math_inline": in_line,
        "math_inline_double": double,
        "math_block": block,
        "math_block_label": block,
        "heading_open": heading,
        "heading_close": heading,
        "link_open": link,
        "image": image,
        "fence": code,
        "code_block": code,
    }
    return parser


_TAKEN = ("content", "formulas", "checks", "convention")
"""Ids that the page itself has."""


def _anchor(title: str, env: dict[str, Any]) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", re.sub(r"\$[^$]*\$", "", title).lower()).strip("-") or "part"
    slug = str(env.get("prefix", "")) + slug
    seen: dict[str, int] = env.setdefault("anchors", dict.fromkeys(_TAKEN, 1))
    seen[slug] = seen.get(slug, 0) + 1
    return slug if seen[slug] == 1 else f"{slug}-{seen[slug]}"


def links(files: Mapping[str, str], path: str) -> Address:
    """Relative links between files of the book, as addresses from the page of `path`.

    `files` says the address of every file on the site.
    """

    def address(target: str) -> str:
        name, mark, part = target.partition("#")
        if not name or ":" in name or name.startswith("/"):
            return target
        file = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
        if file not in files:
            return target
        here = posixpath.dirname(files[path])
        return posixpath.relpath(files[file], here or ".") + mark + part

    return address
