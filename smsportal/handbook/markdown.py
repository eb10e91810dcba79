"""Markdown of the handbook as HTML. Raw HTML in it is shown as text. Independent of Django."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

Resolve = Callable[[str], str | None]
"""The address of a link or picture in the portal. None: it is not in the handbook."""
COMMENT: Final = re.compile(r"<!--.*?-->\n?", re.DOTALL)
PARSER: Final = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True, slots=True)
class Heading:
    """`slug` is the anchor that GitHub gives it, `level` 1 to 6."""

    level: int
    text: str
    slug: str


def parse(source: str) -> list[Token]:
    return PARSER.parse(COMMENT.sub("", source))


def slug_of(text: str) -> str:
    """As GitHub: letters of any script, digits, “-” and “_”, and “-” for each blank."""
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def headings_of(tokens: Sequence[Token]) -> list[Heading]:
    seen: Counter[str] = Counter()
    found = []
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            text = text_of(inline)
            slug = slug_of(text)
            number = seen[slug]
            seen[slug] += 1
            unique = f"{slug}-{number}" if number else slug
            found.append(Heading(int(token.tag[1:]), text, unique))
    return found


def text_of(inline: Token) -> str:
    """The words of a line without its marks."""
    words = {"text", "code_inline"}
    parts = (
        " " if child.type == "softbreak" else child.content
        for child in inline.children or ()
        if child.type in words or child.type == "softbreak"
    )
    return "".join(parts)


def targets_of(tokens: Sequence[Token]) -> list[tuple[str, str]]:
    """Every link (`href`) and picture (`src`), as pairs of kind and target."""
    return [
        (kind, str(target))
        for token in tokens
        for child in token.children or ()
        for kind in ("href", "src")
        if (target := child.attrGet(kind)) is not None
    ]


def render(source: str, resolve: Resolve) -> str:
    """The page below its title. Tables can be scrolled, links outside the handbook are words."""
    tokens = parse(source)
    for heading, token in zip(headings_of(tokens), _openings(tokens), strict=True):
        token.attrSet("id", heading.slug)
    if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        tokens = tokens[3:]
    for token in tokens:
        if token.children:
            token.children = _resolved(token.children, resolve)
    html: str = PARSER.renderer.render(tokens, PARSER.options, {})
    html = html.replace("<pre>", '<pre tabindex="0">')
    html = html.replace("<table>", '<div class="wide" tabindex="0" role="group"><table>')
    return html.replace("</table>", "</table></div>")


def _openings(tokens: Sequence[Token]) -> list[Token]:
    return [token for token in tokens if token.type == "heading_open"]


def _resolved(children: Sequence[Token], resolve: Resolve) -> list[Token]:
    kept: list[Token] = []
    dropped = 0
    for child in children:
        if child.type == "link_open":
            target = resolve(str(child.attrGet("href")))
            if target is None:
                dropped += 1
                continue
            child.attrSet("href", target)
            if target.startswith(("http://", "https://")):
                child.attrSet("rel", "noopener noreferrer")
        elif child.type == "link_close" and dropped:
            dropped -= 1
            continue
        elif child.type == "image":
            picture = resolve(str(child.attrGet("src")))
            if picture is None:
                continue
            child.attrSet("src", picture)
            child.attrSet("loading", "lazy")
        kept.append(child)
    return kept
